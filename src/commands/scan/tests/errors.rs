//! Arguments of SCAN, replies recorded from Redis 7.0.15.
use crate::commands::world::check;

#[test]
fn arguments_of_scan_are_checked_in_order() {
    check(&[
        (
            "SCAN",
            "-ERR wrong number of arguments for 'scan' command\r\n",
        ),
        ("SCAN x", "-ERR invalid cursor\r\n"),
        ("SCAN 1x", "-ERR invalid cursor\r\n"),
        ("SCAN \" 0\"", "-ERR invalid cursor\r\n"),
        ("SCAN -", "-ERR invalid cursor\r\n"),
        ("SCAN 18446744073709551616", "-ERR invalid cursor\r\n"),
        ("SCAN -18446744073709551616", "-ERR invalid cursor\r\n"),
        ("SCAN 0 COUNT", "-ERR syntax error\r\n"),
        ("SCAN 0 MATCH", "-ERR syntax error\r\n"),
        ("SCAN 0 COUNT 0", "-ERR syntax error\r\n"),
        ("SCAN 0 COUNT -1", "-ERR syntax error\r\n"),
        (
            "SCAN 0 COUNT x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SCAN 0 COUNT x FOO",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "SCAN 0 COUNT 9223372036854775808",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("SCAN 0 FOO 1", "-ERR syntax error\r\n"),
        ("SCAN 0 MATCH * COUNT", "-ERR syntax error\r\n"),
        ("SCAN x COUNT x", "-ERR invalid cursor\r\n"),
        (
            "KEYS",
            "-ERR wrong number of arguments for 'keys' command\r\n",
        ),
        (
            "DBSIZE x",
            "-ERR wrong number of arguments for 'dbsize' command\r\n",
        ),
        (
            "RANDOMKEY x",
            "-ERR wrong number of arguments for 'randomkey' command\r\n",
        ),
        ("RANDOMKEY", "$-1\r\n"),
        ("KEYS *", "*0\r\n"),
    ]);
}
