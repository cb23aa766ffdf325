//! FLUSHDB and FLUSHALL, replies recorded from Redis 7.0.15.
use crate::commands::world::check;

#[test]
fn flushes_empty_one_or_all_databases() {
    check(&[
        ("MSET a 1 b 2", "+OK\r\n"),
        ("@select 3", ""),
        ("SET c 3", "+OK\r\n"),
        ("FLUSHDB", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("SET c 3", "+OK\r\n"),
        ("@select 0", ""),
        ("DBSIZE", ":2\r\n"),
        ("FLUSHALL ASYNC", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("@select 3", ""),
        ("DBSIZE", ":0\r\n"),
        ("SET c 3", "+OK\r\n"),
        ("GET c", "$1\r\n3\r\n"),
        ("FLUSHDB sync", "+OK\r\n"),
        ("FLUSHDB async", "+OK\r\n"),
        ("FLUSHDB foo", "-ERR syntax error\r\n"),
        ("FLUSHALL SYNC ASYNC", "-ERR syntax error\r\n"),
        ("FLUSHALL FOO", "-ERR syntax error\r\n"),
        ("FLUSHALL", "+OK\r\n"),
    ]);
}
