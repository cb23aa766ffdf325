//! Deadlines, replies recorded from Redis 7.0.15; where time passes, as its documentation promises.
use crate::commands::world::check;

#[test]
fn expire_answers_whether_it_changed_something() {
    check(&[
        ("EXPIRE k 100", ":0\r\n"),
        ("SET k v", "+OK\r\n"),
        ("TTL k", ":-1\r\n"),
        ("PTTL k", ":-1\r\n"),
        ("EXPIRETIME k", ":-1\r\n"),
        ("PEXPIRETIME k", ":-1\r\n"),
        ("EXPIRE k 100", ":1\r\n"),
        ("TTL k", ":100\r\n"),
        ("EXPIREAT k 99999999999", ":1\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("PEXPIRETIME k", ":99999999999000\r\n"),
        ("PEXPIREAT k 99999999999499", ":1\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("PEXPIREAT k 99999999999500", ":1\r\n"),
        ("EXPIRETIME k", ":100000000000\r\n"),
        ("PEXPIRETIME k", ":99999999999500\r\n"),
        ("PEXPIRE k 100000", ":1\r\n"),
        ("TTL k", ":100\r\n"),
        ("PERSIST k", ":1\r\n"),
        ("PERSIST k", ":0\r\n"),
        ("TTL k", ":-1\r\n"),
        ("PERSIST nothing", ":0\r\n"),
        ("TTL nothing", ":-2\r\n"),
        ("PTTL nothing", ":-2\r\n"),
        ("EXPIRETIME nothing", ":-2\r\n"),
        ("PEXPIRETIME nothing", ":-2\r\n"),
    ]);
}

#[test]
fn conditions_of_expire_compare_deadlines() {
    check(&[
        ("SET k v", "+OK\r\n"),
        ("EXPIREAT k 99999999990 XX", ":0\r\n"),
        ("EXPIREAT k 99999999990 GT", ":0\r\n"),
        ("EXPIREAT k 99999999990 NX", ":1\r\n"),
        ("EXPIREAT k 99999999991 NX", ":0\r\n"),
        ("EXPIREAT k 99999999989 GT", ":0\r\n"),
        ("EXPIREAT k 99999999990 GT", ":0\r\n"),
        ("EXPIREAT k 99999999991 GT", ":1\r\n"),
        ("EXPIRETIME k", ":99999999991\r\n"),
        ("EXPIREAT k 99999999992 LT", ":0\r\n"),
        ("EXPIREAT k 99999999991 lt", ":0\r\n"),
        ("EXPIREAT k 99999999990 LT", ":1\r\n"),
        ("EXPIRETIME k", ":99999999990\r\n"),
        ("EXPIREAT k 99999999995 XX GT", ":1\r\n"),
        ("EXPIREAT k 99999999994 xx lt", ":1\r\n"),
        ("EXPIREAT k 99999999994 xx xx", ":1\r\n"),
        ("EXPIRETIME k", ":99999999994\r\n"),
        ("PERSIST k", ":1\r\n"),
        ("EXPIREAT k 99999999999 LT", ":1\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("EXPIREAT nothing 99999999999 NX", ":0\r\n"),
    ]);
}

#[test]
fn options_of_expire_that_do_not_fit_are_refused() {
    check(&[
        (
            "EXPIRE k 100 NX XX",
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
        ),
        (
            "EXPIRE k 100 NX GT",
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
        ),
        (
            "EXPIRE k 100 LT NX",
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
        ),
        (
            "EXPIRE k 100 GT LT",
            "-ERR GT and LT options at the same time are not compatible\r\n",
        ),
        (
            "EXPIRE k 100 XX GT LT",
            "-ERR GT and LT options at the same time are not compatible\r\n",
        ),
        ("EXPIRE k 100 NX XX FOO", "-ERR Unsupported option FOO\r\n"),
        ("EXPIRE k 100 FOO", "-ERR Unsupported option FOO\r\n"),
        ("EXPIRE k x FOO", "-ERR Unsupported option FOO\r\n"),
        (
            "EXPIRE k x NX XX",
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
        ),
        (
            "EXPIRE k x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "PEXPIRE k \"\"",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "EXPIRE k",
            "-ERR wrong number of arguments for 'expire' command\r\n",
        ),
        ("EXPIREAT k 1 \"\"", "-ERR Unsupported option \r\n"),
    ]);
}

#[test]
fn times_of_expire_must_fit() {
    check(&[
        ("SET k v", "+OK\r\n"),
        (
            "EXPIRE k 9223372036854775807",
            "-ERR invalid expire time in 'expire' command\r\n",
        ),
        (
            "EXPIRE k 9223372036854776",
            "-ERR invalid expire time in 'expire' command\r\n",
        ),
        (
            "EXPIRE k 9223372036854775",
            "-ERR invalid expire time in 'expire' command\r\n",
        ),
        (
            "EXPIRE k -9223372036854775808",
            "-ERR invalid expire time in 'expire' command\r\n",
        ),
        (
            "EXPIRE k -9223372036854776",
            "-ERR invalid expire time in 'expire' command\r\n",
        ),
        (
            "PEXPIRE k 9223372036854775807",
            "-ERR invalid expire time in 'pexpire' command\r\n",
        ),
        (
            "EXPIREAT k 9223372036854775807",
            "-ERR invalid expire time in 'expireat' command\r\n",
        ),
        (
            "EXPIREAT k 9223372036854776",
            "-ERR invalid expire time in 'expireat' command\r\n",
        ),
        (
            "EXPIREAT nothing 9223372036854776",
            "-ERR invalid expire time in 'expireat' command\r\n",
        ),
        ("PEXPIREAT k 9223372036854775807", ":1\r\n"),
        ("PEXPIRETIME k", ":9223372036854775807\r\n"),
        (
            "EXPIRE k 9223372036854775808",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("EXPIREAT k 9223372036854775", ":1\r\n"),
        ("EXPIRETIME k", ":9223372036854775\r\n"),
    ]);
}

#[test]
fn a_deadline_in_the_past_deletes() {
    check(&[
        ("SET k v", "+OK\r\n"),
        ("EXPIRE k -1", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v", "+OK\r\n"),
        ("EXPIRE k 0", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v", "+OK\r\n"),
        ("EXPIREAT k 1", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v", "+OK\r\n"),
        ("PEXPIREAT k -9223372036854775808", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v EX 100", "+OK\r\n"),
        ("EXPIRE k -1 GT", ":0\r\n"),
        ("EXPIRE k -1 NX", ":0\r\n"),
        ("EXISTS k", ":1\r\n"),
        ("EXPIRE k -1 LT", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v", "+OK\r\n"),
        ("PEXPIRE k -9223372036854775808", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
    ]);
}

#[test]
fn times_to_live_count_from_the_wall_clock_wherever_stamps_are() {
    check(&[
        ("@ahead 2000", ""),
        ("SET k v PX 1500", "+OK\r\n"),
        ("PTTL k", ":1500\r\n"),
        ("SETEX k 3 v", "+OK\r\n"),
        ("PTTL k", ":3000\r\n"),
        ("EXPIRE k 100", ":1\r\n"),
        ("TTL k", ":100\r\n"),
        ("PEXPIRE k 2500", ":1\r\n"),
        ("PTTL k", ":2500\r\n"),
        ("GETEX k EX 7", "$1\r\nv\r\n"),
        ("PTTL k", ":7000\r\n"),
        ("PSETEX k 1000 w", "+OK\r\n"),
        ("PTTL k", ":1000\r\n"),
        ("PEXPIRETIME k", ":1750000001000\r\n"),
        ("@advance 999", ""),
        ("GET k", "$1\r\nw\r\n"),
        ("@advance 1", ""),
        ("GET k", "$-1\r\n"),
        ("SET k v", "+OK\r\n"),
        ("PEXPIREAT k 1750000001001", ":1\r\n"),
        ("PTTL k", ":1\r\n"),
        ("SET k v", "+OK\r\n"),
        ("PEXPIREAT k 1750000001000", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
    ]);
}

#[test]
fn keys_disappear_at_their_deadline() {
    check(&[
        ("SET k v PX 1000", "+OK\r\n"),
        ("PTTL k", ":1000\r\n"),
        ("PEXPIRETIME k", ":1750000001000\r\n"),
        ("TTL k", ":1\r\n"),
        ("@advance 500", ""),
        ("TTL k", ":1\r\n"),
        ("PTTL k", ":500\r\n"),
        ("@advance 1", ""),
        ("TTL k", ":0\r\n"),
        ("@advance 498", ""),
        ("GET k", "$1\r\nv\r\n"),
        ("PTTL k", ":1\r\n"),
        ("@advance 1", ""),
        ("GET k", "$-1\r\n"),
        ("TTL k", ":-2\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("DEL k", ":0\r\n"),
        ("PERSIST k", ":0\r\n"),
        ("EXPIRE k 10", ":0\r\n"),
        ("TYPE k", "+none\r\n"),
        ("KEYS *", "*0\r\n"),
        ("RANDOMKEY", "$-1\r\n"),
        ("SET k w NX", "+OK\r\n"),
        ("TTL k", ":-1\r\n"),
    ]);
}

#[test]
fn an_expired_key_counts_as_absent_for_every_write() {
    check(&[
        ("MSET a 5 b 5 c 5 d 5 e 5", "+OK\r\n"),
        ("PEXPIRE a 10", ":1\r\n"),
        ("PEXPIRE b 10", ":1\r\n"),
        ("PEXPIRE c 10", ":1\r\n"),
        ("PEXPIRE d 10", ":1\r\n"),
        ("PEXPIRE e 10", ":1\r\n"),
        ("@advance 20", ""),
        ("INCR a", ":1\r\n"),
        ("TTL a", ":-1\r\n"),
        ("APPEND b x", ":1\r\n"),
        ("SETRANGE c 1 x", ":2\r\n"),
        ("INCRBYFLOAT d 0.5", "$3\r\n0.5\r\n"),
        ("SET e v KEEPTTL", "+OK\r\n"),
        ("TTL e", ":-1\r\n"),
        (
            "MGET a b c d e",
            "*5\r\n$1\r\n1\r\n$1\r\nx\r\n$2\r\n\0x\r\n$3\r\n0.5\r\n$1\r\nv\r\n",
        ),
        ("DBSIZE", ":5\r\n"),
    ]);
}
