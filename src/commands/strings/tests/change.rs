//! Numbers and changes of parts, replies recorded from Redis 7.0.15.
use crate::commands::world::check;

#[test]
fn integers_go_up_and_down() {
    check(&[
        ("INCR n", ":1\r\n"),
        ("INCRBY n 41", ":42\r\n"),
        ("DECR n", ":41\r\n"),
        ("DECRBY n 50", ":-9\r\n"),
        ("GET n", "$2\r\n-9\r\n"),
        ("DECRBY n -9", ":0\r\n"),
        ("INCRBY n 0", ":0\r\n"),
        ("INCRBY absent 0", ":0\r\n"),
        ("GET absent", "$1\r\n0\r\n"),
        ("SET n 9223372036854775806", "+OK\r\n"),
        ("INCR n", ":9223372036854775807\r\n"),
        ("INCR n", "-ERR increment or decrement would overflow\r\n"),
        ("GET n", "$19\r\n9223372036854775807\r\n"),
        ("INCRBY n -9223372036854775808", ":-1\r\n"),
        ("DECRBY n 9223372036854775807", ":-9223372036854775808\r\n"),
        ("DECR n", "-ERR increment or decrement would overflow\r\n"),
        (
            "DECRBY n -9223372036854775808",
            "-ERR decrement would overflow\r\n",
        ),
        ("SET m -9223372036854775807", "+OK\r\n"),
        ("DECR m", ":-9223372036854775808\r\n"),
        ("DECR m", "-ERR increment or decrement would overflow\r\n"),
    ]);
}

#[test]
fn what_is_no_integer_is_refused() {
    check(&[
        ("SET n abc", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        ("SET n \"\"", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        ("SET n \" 1\"", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        ("SET n 01", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        ("SET n 1.0", "+OK\r\n"),
        ("DECR n", "-ERR value is not an integer or out of range\r\n"),
        ("SET n 9223372036854775808", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        (
            "INCRBY n x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "INCRBY n 1.5",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "INCRBY n 9223372036854775808",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "DECRBY n x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("SET n 5", "+OK\r\n"),
        (
            "INCRBY n +1",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "INCRBY n \" 1\"",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "INCRBY n \"\"",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("SET n -0", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
    ]);
}

#[test]
fn an_increment_keeps_the_time_to_live() {
    check(&[
        ("SET n 5 EXAT 99999999999", "+OK\r\n"),
        ("INCR n", ":6\r\n"),
        ("INCRBYFLOAT n 0.5", "$3\r\n6.5\r\n"),
        ("APPEND n 1", ":4\r\n"),
        ("SETRANGE n 0 9", ":4\r\n"),
        ("EXPIRETIME n", ":99999999999\r\n"),
        ("GET n", "$4\r\n9.51\r\n"),
    ]);
}

#[test]
fn floats_add_up_as_long_doubles() {
    check(&[
        ("INCRBYFLOAT f 10.5", "$4\r\n10.5\r\n"),
        ("INCRBYFLOAT f 0.1", "$4\r\n10.6\r\n"),
        ("INCRBYFLOAT f -5", "$3\r\n5.6\r\n"),
        ("INCRBYFLOAT f 5.0e3", "$22\r\n5005.60000000000000009\r\n"),
        ("SET f 3.0", "+OK\r\n"),
        ("INCRBYFLOAT f 0", "$1\r\n3\r\n"),
        ("INCRBYFLOAT f 1.0", "$1\r\n4\r\n"),
        ("SET f 0.1", "+OK\r\n"),
        ("INCRBYFLOAT f 0.2", "$3\r\n0.3\r\n"),
        ("SET f 1e17", "+OK\r\n"),
        ("INCRBYFLOAT f 1", "$18\r\n100000000000000001\r\n"),
        ("SET f 10", "+OK\r\n"),
        ("INCRBYFLOAT f -10", "$1\r\n0\r\n"),
        ("INCRBYFLOAT f 0x10", "$2\r\n16\r\n"),
        (
            "INCRBYFLOAT f inf",
            "-ERR increment would produce NaN or Infinity\r\n",
        ),
        (
            "INCRBYFLOAT f -inf",
            "-ERR increment would produce NaN or Infinity\r\n",
        ),
        ("INCRBYFLOAT f nan", "-ERR value is not a valid float\r\n"),
        ("INCRBYFLOAT f abc", "-ERR value is not a valid float\r\n"),
        ("INCRBYFLOAT f \"\"", "-ERR value is not a valid float\r\n"),
        (
            "INCRBYFLOAT f 1e5000",
            "-ERR value is not a valid float\r\n",
        ),
        ("SET f abc", "+OK\r\n"),
        ("INCRBYFLOAT f 1", "-ERR value is not a valid float\r\n"),
        ("INCRBYFLOAT f abc", "-ERR value is not a valid float\r\n"),
        ("SET f \"\"", "+OK\r\n"),
        ("INCRBYFLOAT f 1", "-ERR value is not a valid float\r\n"),
        ("SET f 9007199254740993", "+OK\r\n"),
        ("INCRBYFLOAT f 1", "$16\r\n9007199254740994\r\n"),
        ("INCRBYFLOAT absent 3e3", "$4\r\n3000\r\n"),
        ("GET absent", "$4\r\n3000\r\n"),
    ]);
}

#[test]
fn append_makes_longer() {
    check(&[
        ("APPEND k Hello", ":5\r\n"),
        ("APPEND k \" World\"", ":11\r\n"),
        ("GET k", "$11\r\nHello World\r\n"),
        ("APPEND k \"\"", ":11\r\n"),
        ("APPEND e \"\"", ":0\r\n"),
        ("EXISTS e", ":1\r\n"),
        ("STRLEN e", ":0\r\n"),
        (
            "APPEND k",
            "-ERR wrong number of arguments for 'append' command\r\n",
        ),
    ]);
}

#[test]
fn setrange_overwrites_and_pads() {
    check(&[
        ("SETRANGE k 0 \"\"", ":0\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SETRANGE k 5 \"\"", ":0\r\n"),
        ("SETRANGE k 3 abc", ":6\r\n"),
        ("GET k", "$6\r\n\0\0\0abc\r\n"),
        ("SETRANGE k 0 xy", ":6\r\n"),
        ("GET k", "$6\r\nxy\0abc\r\n"),
        ("SETRANGE k 4 LONGER", ":10\r\n"),
        ("GET k", "$10\r\nxy\0aLONGER\r\n"),
        ("SETRANGE k 100 \"\"", ":10\r\n"),
        ("SETRANGE k -1 x", "-ERR offset is out of range\r\n"),
        ("SETRANGE k -1 \"\"", "-ERR offset is out of range\r\n"),
        (
            "SETRANGE k x y",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SETRANGE k 9223372036854775808 y",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SETRANGE k 536870912 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        (
            "SETRANGE k 536870911 xy",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        (
            "SETRANGE k 4294967296 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        (
            "SETRANGE k 9223372036854775807 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        ("SETRANGE k 9223372036854775807 \"\"", ":10\r\n"),
        (
            "SETRANGE nothing 536870912 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        (
            "SETRANGE nothing 9223372036854775807 xyz",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        ("EXISTS nothing", ":0\r\n"),
    ]);
}
