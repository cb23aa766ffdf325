//! The sorted sets family: what takes members out; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn ranges_are_removed() {
    check(&[
        ("ZREMRANGEBYRANK z 0 -1", ":0\r\n"),
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6\r\n"),
        ("ZREMRANGEBYRANK z 1 1", ":1\r\n"),
        ("ZREMRANGEBYRANK z -1 -1", ":1\r\n"),
        ("ZREMRANGEBYRANK z 7 8", ":0\r\n"),
        ("ZREMRANGEBYSCORE z (3 4", ":1\r\n"),
        ("ZREMRANGEBYSCORE z 9 8", ":0\r\n"),
        ("ZRANGE z 0 -1", "*3\r\n$1\r\na\r\n$1\r\nc\r\n$1\r\ne\r\n"),
        (
            "ZREMRANGEBYRANK z 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "ZREMRANGEBYSCORE z 0 x",
            "-ERR min or max is not a float\r\n",
        ),
        (
            "ZREMRANGEBYLEX z 0 x",
            "-ERR min or max not valid string range item\r\n",
        ),
        ("ZREMRANGEBYSCORE z -inf inf", ":3\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("ZADD z 0 a 0 b 0 c", ":3\r\n"),
        ("ZREMRANGEBYLEX z [a (b", ":1\r\n"),
        ("ZREMRANGEBYLEX z - +", ":2\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("SET s v", "+OK\r\n"),
        (
            "ZREMRANGEBYRANK s 0 -1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZREMRANGEBYSCORE s 0 1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZREMRANGEBYLEX s - +",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZREMRANGEBYLEX s x +",
            "-ERR min or max not valid string range item\r\n",
        ),
    ]);
}

#[test]
fn pops_take_from_either_end() {
    check(&[
        ("ZPOPMIN z", "*0\r\n"),
        ("ZPOPMAX z 2", "*0\r\n"),
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6\r\n"),
        ("ZPOPMIN z", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("ZPOPMAX z", "*2\r\n$1\r\nf\r\n$1\r\n6\r\n"),
        (
            "ZPOPMIN z 2",
            "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n",
        ),
        ("ZPOPMIN z 0", "*0\r\n"),
        (
            "ZPOPMIN z -1",
            "-ERR value is out of range, must be positive\r\n",
        ),
        (
            "ZPOPMIN z x",
            "-ERR value is out of range, must be positive\r\n",
        ),
        ("ZPOPMIN z 1 2", "-ERR syntax error\r\n"),
        ("@resp3", ""),
        ("ZPOPMAX z", "*2\r\n$1\r\ne\r\n,5\r\n"),
        ("ZPOPMAX z 7", "*1\r\n*2\r\n$1\r\nd\r\n,4\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("ZPOPMIN z", "*0\r\n"),
        ("ZPOPMIN z 5", "*0\r\n"),
        ("SET s v", "+OK\r\n"),
        (
            "ZPOPMIN s",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZPOPMAX s 0",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZPOPMAX s x",
            "-ERR value is out of range, must be positive\r\n",
        ),
    ]);
}

#[test]
fn zmpop_takes_from_the_first_that_has_any() {
    check(&[
        ("ZMPOP 2 y z MIN", "*-1\r\n"),
        ("ZADD z 1 a 2 b 3 c 4 d", ":4\r\n"),
        (
            "ZMPOP 2 y z MIN",
            "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        (
            "ZMPOP 1 z MAX COUNT 2",
            "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\nd\r\n$1\r\n4\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n",
        ),
        (
            "ZMPOP 1 z min COUNT 9",
            "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        ("EXISTS z", ":0\r\n"),
        ("ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0\r\n"),
        ("ZMPOP x z MIN", "-ERR numkeys should be greater than 0\r\n"),
        (
            "ZMPOP -1 z MIN",
            "-ERR numkeys should be greater than 0\r\n",
        ),
        ("ZMPOP 2 z MIN", "-ERR syntax error\r\n"),
        ("ZMPOP 3 z MIN", "-ERR syntax error\r\n"),
        ("ZMPOP 9223372036854775807 z MIN", "-ERR syntax error\r\n"),
        ("ZMPOP 1 z MID", "-ERR syntax error\r\n"),
        ("ZMPOP 1 z MIN COUNT", "-ERR syntax error\r\n"),
        (
            "ZMPOP 1 z MIN COUNT 0",
            "-ERR count should be greater than 0\r\n",
        ),
        (
            "ZMPOP 1 z MIN COUNT x",
            "-ERR count should be greater than 0\r\n",
        ),
        ("ZMPOP 1 z MIN COUNT 1 COUNT 2", "-ERR syntax error\r\n"),
        ("ZMPOP 1 z MIN x", "-ERR syntax error\r\n"),
        ("SET s v", "+OK\r\n"),
        ("ZADD z 1 a", ":1\r\n"),
        (
            "ZMPOP 2 s z MIN",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZMPOP 2 z s MIN",
            "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        ("@resp3", ""),
        ("ZADD z 1 a 2 b", ":2\r\n"),
        (
            "ZMPOP 2 y z MAX",
            "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nb\r\n,2\r\n",
        ),
        ("ZMPOP 1 y MIN", "_\r\n"),
    ]);
}
