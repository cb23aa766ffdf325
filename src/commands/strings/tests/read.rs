//! Reads, and the reads that also change; replies recorded from Redis 7.0.15.
use crate::commands::world::check;

#[test]
fn getdel_and_getset_reply_with_what_was_there() {
    check(&[
        ("GETDEL k", "$-1\r\n"),
        ("SET k v EX 100", "+OK\r\n"),
        ("GETDEL k", "$1\r\nv\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("GETDEL k", "$-1\r\n"),
        ("GETSET k a", "$-1\r\n"),
        ("GETSET k b", "$1\r\na\r\n"),
        ("GET k", "$1\r\nb\r\n"),
        ("SET k v EX 100", "+OK\r\n"),
        ("GETSET k c", "$1\r\nv\r\n"),
        ("TTL k", ":-1\r\n"),
        (
            "GETDEL k k",
            "-ERR wrong number of arguments for 'getdel' command\r\n",
        ),
        (
            "GETSET k",
            "-ERR wrong number of arguments for 'getset' command\r\n",
        ),
    ]);
}

#[test]
fn getex_changes_only_the_time_to_live() {
    check(&[
        ("GETEX k", "$-1\r\n"),
        ("GETEX k EX 0", "$-1\r\n"),
        ("GETEX k FOO", "-ERR syntax error\r\n"),
        ("GETEX k EX", "-ERR syntax error\r\n"),
        ("SET k v", "+OK\r\n"),
        ("GETEX k", "$1\r\nv\r\n"),
        ("TTL k", ":-1\r\n"),
        ("GETEX k EX 100", "$1\r\nv\r\n"),
        ("TTL k", ":100\r\n"),
        ("GETEX k", "$1\r\nv\r\n"),
        ("TTL k", ":100\r\n"),
        ("GETEX k PERSIST", "$1\r\nv\r\n"),
        ("TTL k", ":-1\r\n"),
        ("GETEX k EXAT 99999999999", "$1\r\nv\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("GETEX k PXAT 99999999999000", "$1\r\nv\r\n"),
        ("PEXPIRETIME k", ":99999999999000\r\n"),
        ("GETEX k PX 100000", "$1\r\nv\r\n"),
        ("TTL k", ":100\r\n"),
        ("GETEX k persist PERSIST", "$1\r\nv\r\n"),
        ("TTL k", ":-1\r\n"),
        ("GETEX k PERSIST EX 100", "-ERR syntax error\r\n"),
        ("GETEX k EX 100 PERSIST", "-ERR syntax error\r\n"),
        ("GETEX k EX 100 PX 100", "-ERR syntax error\r\n"),
        ("GETEX k KEEPTTL", "-ERR syntax error\r\n"),
        ("GETEX k NX", "-ERR syntax error\r\n"),
        ("GETEX k GET", "-ERR syntax error\r\n"),
        (
            "GETEX k EX 0",
            "-ERR invalid expire time in 'getex' command\r\n",
        ),
        (
            "GETEX k EX abc",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "GETEX k PX 9223372036854775807",
            "-ERR invalid expire time in 'getex' command\r\n",
        ),
        (
            "GETEX k EX 9223372036854775",
            "-ERR invalid expire time in 'getex' command\r\n",
        ),
        (
            "GETEX k EXAT -1",
            "-ERR invalid expire time in 'getex' command\r\n",
        ),
        ("TTL k", ":-1\r\n"),
        ("GETEX k EXAT 1", "$1\r\nv\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k w EX 100", "+OK\r\n"),
        ("GETEX k PXAT 1", "$1\r\nw\r\n"),
        ("EXISTS k", ":0\r\n"),
    ]);
}

#[test]
fn lengths_and_parts_of_strings() {
    check(&[
        ("STRLEN k", ":0\r\n"),
        ("GETRANGE k 0 -1", "$0\r\n\r\n"),
        (
            "GETRANGE k x 1",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "GETRANGE k 0 y",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("SET k \"Hello World\"", "+OK\r\n"),
        ("STRLEN k", ":11\r\n"),
        ("GETRANGE k 0 4", "$5\r\nHello\r\n"),
        ("GETRANGE k 0 -1", "$11\r\nHello World\r\n"),
        ("GETRANGE k -5 -1", "$5\r\nWorld\r\n"),
        ("GETRANGE k -5 -7", "$0\r\n\r\n"),
        ("GETRANGE k -1 -5", "$0\r\n\r\n"),
        ("GETRANGE k 4 2", "$0\r\n\r\n"),
        ("GETRANGE k 6 1000", "$5\r\nWorld\r\n"),
        ("GETRANGE k 11 20", "$0\r\n\r\n"),
        ("GETRANGE k 10 10", "$1\r\nd\r\n"),
        ("GETRANGE k -100 0", "$1\r\nH\r\n"),
        ("GETRANGE k -100 -100", "$1\r\nH\r\n"),
        (
            "GETRANGE k -9223372036854775808 9223372036854775807",
            "$11\r\nHello World\r\n",
        ),
        (
            "GETRANGE k 9223372036854775807 9223372036854775807",
            "$0\r\n\r\n",
        ),
        (
            "GETRANGE k 9223372036854775808 1",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("SUBSTR k 1 3", "$3\r\nell\r\n"),
        ("SET e \"\"", "+OK\r\n"),
        ("GETRANGE e 0 -1", "$0\r\n\r\n"),
        ("GETRANGE e 0 0", "$0\r\n\r\n"),
        ("STRLEN e", ":0\r\n"),
    ]);
}

#[test]
fn reads_speak_resp3() {
    check(&[
        ("SET a 1", "+OK\r\n"),
        ("@resp3", ""),
        ("GET nothing", "_\r\n"),
        ("MGET a nothing", "*2\r\n$1\r\n1\r\n_\r\n"),
        ("GETEX nothing", "_\r\n"),
        ("GETDEL nothing", "_\r\n"),
        ("GETSET nothing v", "_\r\n"),
        ("SET a 1 NX", "_\r\n"),
        ("DEL nothing", ":1\r\n"),
        ("RANDOMKEY", "$1\r\na\r\n"),
    ]);
}
