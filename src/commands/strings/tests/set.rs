//! SET and its kin, replies recorded from Redis 7.0.15.
use crate::commands::world::check;

#[test]
fn set_stores_and_overwrites_whole_values() {
    check(&[
        ("SET k v", "+OK\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("SET k \"\"", "+OK\r\n"),
        ("GET k", "$0\r\n\r\n"),
        ("SET k \"two words\"", "+OK\r\n"),
        ("get K", "$-1\r\n"),
        ("GET k", "$9\r\ntwo words\r\n"),
        ("SeT k x", "+OK\r\n"),
        (
            "GET",
            "-ERR wrong number of arguments for 'get' command\r\n",
        ),
        (
            "GET k k",
            "-ERR wrong number of arguments for 'get' command\r\n",
        ),
        (
            "SET k",
            "-ERR wrong number of arguments for 'set' command\r\n",
        ),
    ]);
}

#[test]
fn conditions_decide_whether_set_stores() {
    check(&[
        ("SET k v XX", "$-1\r\n"),
        ("GET k", "$-1\r\n"),
        ("SET k v NX", "+OK\r\n"),
        ("SET k w NX", "$-1\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("SET k w xx", "+OK\r\n"),
        ("GET k", "$1\r\nw\r\n"),
        ("SET k z NX XX", "-ERR syntax error\r\n"),
        ("SET k z XX NX", "-ERR syntax error\r\n"),
        ("SET k z NX NX", "$-1\r\n"),
        ("GET k", "$1\r\nw\r\n"),
    ]);
}

#[test]
fn set_with_get_replies_with_the_old_value() {
    check(&[
        ("SET k v GET", "$-1\r\n"),
        ("SET k w GET", "$1\r\nv\r\n"),
        ("SET k x NX GET", "$1\r\nw\r\n"),
        ("GET k", "$1\r\nw\r\n"),
        ("SET n x NX GET", "$-1\r\n"),
        ("GET n", "$1\r\nx\r\n"),
        ("SET m x XX GET", "$-1\r\n"),
        ("EXISTS m", ":0\r\n"),
        ("SET k y GET XX", "$1\r\nw\r\n"),
        ("GET k", "$1\r\ny\r\n"),
    ]);
}

#[test]
fn options_of_set_exclude_each_other() {
    check(&[
        ("SET k v EX", "-ERR syntax error\r\n"),
        ("SET k v PX", "-ERR syntax error\r\n"),
        ("SET k v EXAT", "-ERR syntax error\r\n"),
        ("SET k v PXAT", "-ERR syntax error\r\n"),
        ("SET k v EX 100 PX 100", "-ERR syntax error\r\n"),
        ("SET k v EX 100 EXAT 99999999999", "-ERR syntax error\r\n"),
        ("SET k v EX 100 KEEPTTL", "-ERR syntax error\r\n"),
        ("SET k v KEEPTTL EX 100", "-ERR syntax error\r\n"),
        ("SET k v KEEPTTL KEEPTTL", "+OK\r\n"),
        ("SET k v PERSIST", "-ERR syntax error\r\n"),
        ("SET k v EX 10 EX 100", "+OK\r\n"),
        ("TTL k", ":100\r\n"),
        ("SET k v FOO", "-ERR syntax error\r\n"),
        ("SET k v EX 100 FOO", "-ERR syntax error\r\n"),
        ("SET k v \"\"", "-ERR syntax error\r\n"),
        ("SET k v NX EX", "-ERR syntax error\r\n"),
    ]);
}

#[test]
fn times_of_set_must_be_positive_and_fit() {
    check(&[
        (
            "SET k v EX 0",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EX -1",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EX abc",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SET k v EX 1.5",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SET k v EX 9223372036854775807",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EX 9223372036854775",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v PX 9223372036854775807",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v PX 0",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v PXAT 0",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EXAT -5",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EXAT 9223372036854776",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        ("SET k v EXAT 9223372036854775", "+OK\r\n"),
        ("EXPIRETIME k", ":9223372036854775\r\n"),
        ("SET k v PXAT 9223372036854775807", "+OK\r\n"),
        ("PEXPIRETIME k", ":9223372036854775807\r\n"),
        ("EXPIRETIME k", ":9223372036854776\r\n"),
        (
            "SET k v EX 0 XX",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        (
            "SET k v EX 0 NX GET",
            "-ERR invalid expire time in 'set' command\r\n",
        ),
        ("SET k v EX 0 FOO", "-ERR syntax error\r\n"),
        (
            "SETEX k 0 v",
            "-ERR invalid expire time in 'setex' command\r\n",
        ),
        (
            "SETEX k -1 v",
            "-ERR invalid expire time in 'setex' command\r\n",
        ),
        (
            "SETEX k x v",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SETEX k 9223372036854775807 v",
            "-ERR invalid expire time in 'setex' command\r\n",
        ),
        (
            "PSETEX k 0 v",
            "-ERR invalid expire time in 'psetex' command\r\n",
        ),
        (
            "PSETEX k x v",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "PSETEX k 9223372036854775807 v",
            "-ERR invalid expire time in 'psetex' command\r\n",
        ),
    ]);
}

#[test]
fn set_changes_the_time_to_live_as_told() {
    check(&[
        ("SET k v EXAT 99999999999", "+OK\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("SET k w KEEPTTL", "+OK\r\n"),
        ("EXPIRETIME k", ":99999999999\r\n"),
        ("GET k", "$1\r\nw\r\n"),
        ("SET k x", "+OK\r\n"),
        ("TTL k", ":-1\r\n"),
        ("SET k v PXAT 99999999999000", "+OK\r\n"),
        ("PEXPIRETIME k", ":99999999999000\r\n"),
        ("SET k w EX 100", "+OK\r\n"),
        ("TTL k", ":100\r\n"),
        ("SET k w NX EX 500", "$-1\r\n"),
        ("TTL k", ":100\r\n"),
        ("SET absent v KEEPTTL", "+OK\r\n"),
        ("TTL absent", ":-1\r\n"),
        ("SET k v PXAT 1", "+OK\r\n"),
        ("GET k", "$-1\r\n"),
        ("SET k v EXAT 1 GET", "$-1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SETEX s 100 v", "+OK\r\n"),
        ("TTL s", ":100\r\n"),
        ("GET s", "$1\r\nv\r\n"),
        ("PSETEX s 100000 w", "+OK\r\n"),
        ("TTL s", ":100\r\n"),
        ("SET s w", "+OK\r\n"),
        ("PTTL s", ":-1\r\n"),
    ]);
}

#[test]
fn setnx_mset_and_msetnx_store_new_values() {
    check(&[
        ("SETNX k v", ":1\r\n"),
        ("SETNX k w", ":0\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("MSET a 1 b 2 a 3", "+OK\r\n"),
        (
            "MGET a b c k",
            "*4\r\n$1\r\n3\r\n$1\r\n2\r\n$-1\r\n$1\r\nv\r\n",
        ),
        (
            "MSET a",
            "-ERR wrong number of arguments for 'mset' command\r\n",
        ),
        (
            "MSET a 1 b",
            "-ERR wrong number of arguments for 'mset' command\r\n",
        ),
        (
            "MSETNX a 1 b",
            "-ERR wrong number of arguments for 'msetnx' command\r\n",
        ),
        ("MSETNX n 1 a 2", ":0\r\n"),
        ("EXISTS n", ":0\r\n"),
        ("MSETNX n 1 m 2 n 3", ":1\r\n"),
        ("MGET n m", "*2\r\n$1\r\n3\r\n$1\r\n2\r\n"),
        ("SET t v EX 100", "+OK\r\n"),
        ("MSET t w", "+OK\r\n"),
        ("TTL t", ":-1\r\n"),
    ]);
}
