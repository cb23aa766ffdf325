//! The sorted sets family: ZRANDMEMBER and ZSCAN where chance decides nothing; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn random_members_of_one_or_none() {
    check(&[
        ("ZRANDMEMBER z", "$-1\r\n"),
        ("ZRANDMEMBER z 3", "*0\r\n"),
        ("ZADD z 1.5 a", ":1\r\n"),
        ("ZRANDMEMBER z", "$1\r\na\r\n"),
        ("ZRANDMEMBER z 3", "*1\r\n$1\r\na\r\n"),
        (
            "ZRANDMEMBER z -3",
            "*3\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n",
        ),
        ("ZRANDMEMBER z 0", "*0\r\n"),
        (
            "ZRANDMEMBER z 2 WITHSCORES",
            "*2\r\n$1\r\na\r\n$3\r\n1.5\r\n",
        ),
        (
            "ZRANDMEMBER z -2 WITHSCORES",
            "*4\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\na\r\n$3\r\n1.5\r\n",
        ),
        (
            "ZRANDMEMBER z x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("ZRANDMEMBER z 1 x", "-ERR syntax error\r\n"),
        ("ZRANDMEMBER z 1 WITHSCORES x", "-ERR syntax error\r\n"),
        (
            "ZRANDMEMBER z -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n",
        ),
        (
            "ZRANDMEMBER z -9223372036854775807 WITHSCORES",
            "-ERR value is out of range\r\n",
        ),
        (
            "ZRANDMEMBER z 9223372036854775807 WITHSCORES",
            "-ERR value is out of range\r\n",
        ),
        ("ZRANDMEMBER nothing -9223372036854775807", "*0\r\n"),
        ("@resp3", ""),
        ("ZRANDMEMBER nothing", "_\r\n"),
        (
            "ZRANDMEMBER z -2 WITHSCORES",
            "*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\na\r\n,1.5\r\n",
        ),
        ("SET s v", "+OK\r\n"),
        (
            "ZRANDMEMBER s",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZRANDMEMBER s 1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}

#[test]
fn zscan_shows_whole_scores_of_small_sets_as_integers() {
    check(&[
        ("ZADD z 1e17 a", ":1\r\n"),
        ("ZSCORE z a", "$5\r\n1e+17\r\n"),
        (
            "ZSCAN z 0",
            "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$18\r\n100000000000000000\r\n",
        ),
    ]);
}

#[test]
fn no_key_is_told_of_a_number_of_keys_that_cannot_be() {
    let invalid = "-ERR Invalid arguments specified for command\r\n";
    check(&[
        ("COMMAND GETKEYS ZUNIONSTORE d 0 x", invalid),
        ("COMMAND GETKEYS ZUNIONSTORE d 2 x", invalid),
        ("COMMAND GETKEYS ZUNIONSTORE d -1 x", invalid),
        ("COMMAND GETKEYS ZMPOP x k MIN", invalid),
        ("COMMAND GETKEYS ZMPOP -9223372036854775809 k MIN", invalid),
        ("COMMAND GETKEYS ZMPOP 9223372036854775808 k MIN", invalid),
        (
            "COMMAND GETKEYS ZUNIONSTORE d 1x k",
            "*2\r\n$1\r\nk\r\n$1\r\nd\r\n",
        ),
    ]);
}

#[test]
fn zscan_returns_small_sets_as_a_whole() {
    check(&[
        ("ZSCAN z 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
        ("ZADD z 1.5 a inf b -0 c 0.1 d", ":4\r\n"),
        (
            "ZSCAN z 0",
            "*2\r\n$1\r\n0\r\n*8\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\nd\r\n$19\r\n0.10000000000000001\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        (
            "ZSCAN z 0 MATCH [ab]",
            "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        (
            "ZSCAN z 0 COUNT 1",
            "*2\r\n$1\r\n0\r\n*8\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\nd\r\n$19\r\n0.10000000000000001\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        ("ZSCAN z x", "-ERR invalid cursor\r\n"),
        ("ZSCAN z 0 COUNT 0", "-ERR syntax error\r\n"),
        (
            "ZSCAN z 0 COUNT x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("ZSCAN z 0 x", "-ERR syntax error\r\n"),
        ("ZSCAN z 0 MATCH", "-ERR syntax error\r\n"),
        ("@resp3", ""),
        (
            "ZSCAN z 0",
            "*2\r\n$1\r\n0\r\n*8\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\nd\r\n$19\r\n0.10000000000000001\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        ("SET s v", "+OK\r\n"),
        (
            "ZSCAN s 0",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        ("ZSCAN s x", "-ERR invalid cursor\r\n"),
    ]);
}
