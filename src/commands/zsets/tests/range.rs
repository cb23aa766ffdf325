//! The sorted sets family: ranges and what stores them; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn zrange_goes_by_rank() {
    check(&[
        ("ZRANGE z 0 -1", "*0\r\n"),
        ("ZADD z 1 a 2 b 2 c 3 d", ":4\r\n"),
        (
            "ZRANGE z 0 -1",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGE z 1 2 WITHSCORES",
            "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n2\r\n",
        ),
        ("ZRANGE z -2 -1", "*2\r\n$1\r\nc\r\n$1\r\nd\r\n"),
        (
            "ZRANGE z -100 100",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        ("ZRANGE z 2 1", "*0\r\n"),
        ("ZRANGE z 4 9", "*0\r\n"),
        ("ZRANGE z 0 -5", "*0\r\n"),
        ("ZRANGE z 0 0 REV", "*1\r\n$1\r\nd\r\n"),
        (
            "ZRANGE z 1 2 REV WITHSCORES",
            "*4\r\n$1\r\nc\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        ("ZREVRANGE z 0 1", "*2\r\n$1\r\nd\r\n$1\r\nc\r\n"),
        (
            "ZREVRANGE z -1 -1 WITHSCORES",
            "*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        (
            "ZRANGE z -9223372036854775808 9223372036854775807",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGE z 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "ZRANGE z 0 -1 LIMIT 0 -1",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGE z 0 -1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX\r\n",
        ),
        ("ZRANGE z 0 -1 LIMIT 0", "-ERR syntax error\r\n"),
        (
            "ZRANGE z 0 -1 LIMIT x 1",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("ZREVRANGE z 0 -1 REV", "-ERR syntax error\r\n"),
        ("ZREVRANGE z 0 -1 BYSCORE", "-ERR syntax error\r\n"),
        ("ZRANGE z 0 -1 x", "-ERR syntax error\r\n"),
        ("@resp3", ""),
        (
            "ZRANGE z 0 1 WITHSCORES",
            "*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2\r\n",
        ),
        ("ZRANGE nothing 0 1 WITHSCORES", "*0\r\n"),
        ("SET s v", "+OK\r\n"),
        (
            "ZRANGE s 0 -1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZRANGE s 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
    ]);
}

#[test]
fn ranges_go_by_score() {
    check(&[
        ("ZADD z 1 a 2 b 2 c 3 d inf e", ":5\r\n"),
        (
            "ZRANGEBYSCORE z 2 3",
            "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGEBYSCORE z (2 inf WITHSCORES",
            "*4\r\n$1\r\nd\r\n$1\r\n3\r\n$1\r\ne\r\n$3\r\ninf\r\n",
        ),
        (
            "ZRANGEBYSCORE z -inf +inf LIMIT 1 2",
            "*2\r\n$1\r\nb\r\n$1\r\nc\r\n",
        ),
        ("ZRANGEBYSCORE z -inf +inf LIMIT -1 2", "*0\r\n"),
        (
            "ZRANGEBYSCORE z -inf +inf LIMIT 3 -7 WITHSCORES",
            "*4\r\n$1\r\nd\r\n$1\r\n3\r\n$1\r\ne\r\n$3\r\ninf\r\n",
        ),
        ("ZRANGEBYSCORE z 3 2", "*0\r\n"),
        (
            "ZREVRANGEBYSCORE z 3 2 WITHSCORES",
            "*6\r\n$1\r\nd\r\n$1\r\n3\r\n$1\r\nc\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        (
            "ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2",
            "*2\r\n$1\r\nd\r\n$1\r\nc\r\n",
        ),
        ("ZREVRANGEBYSCORE z 2 3", "*0\r\n"),
        (
            "ZRANGE z 2 3 BYSCORE",
            "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGE z (3 1 BYSCORE REV LIMIT 0 2",
            "*2\r\n$1\r\nc\r\n$1\r\nb\r\n",
        ),
        (
            "ZRANGE z 1 (2 BYSCORE WITHSCORES",
            "*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        ("ZRANGE z x 1 BYSCORE", "-ERR min or max is not a float\r\n"),
        ("ZRANGEBYSCORE z 1 x", "-ERR min or max is not a float\r\n"),
        ("ZRANGEBYSCORE z 1 2 BYSCORE", "-ERR syntax error\r\n"),
        ("ZRANGEBYSCORE z 1 2 LIMIT 1", "-ERR syntax error\r\n"),
        (
            "ZRANGEBYSCORE z 1 2 LIMIT 0 5 LIMIT 1 1",
            "*1\r\n$1\r\nb\r\n",
        ),
        ("ZRANGEBYSCORE nothing 1 2", "*0\r\n"),
    ]);
}

#[test]
fn ranges_go_by_member() {
    check(&[
        ("ZADD z 0 a 0 b 0 c 0 d", ":4\r\n"),
        (
            "ZRANGEBYLEX z - +",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        ("ZRANGEBYLEX z [b (d", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        (
            "ZRANGEBYLEX z - + LIMIT 1 2",
            "*2\r\n$1\r\nb\r\n$1\r\nc\r\n",
        ),
        (
            "ZRANGEBYLEX z - + WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
        ),
        (
            "ZREVRANGEBYLEX z + -",
            "*4\r\n$1\r\nd\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n",
        ),
        ("ZREVRANGEBYLEX z (d [b LIMIT 1 1", "*1\r\n$1\r\nb\r\n"),
        ("ZREVRANGEBYLEX z - +", "*0\r\n"),
        (
            "ZRANGE z [b + BYLEX",
            "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZRANGE z + [b BYLEX REV LIMIT 0 2",
            "*2\r\n$1\r\nd\r\n$1\r\nc\r\n",
        ),
        (
            "ZRANGE z - + BYLEX WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
        ),
        (
            "ZRANGE z b + BYLEX",
            "-ERR min or max not valid string range item\r\n",
        ),
        ("ZRANGE z - + BYLEX BYSCORE", "-ERR syntax error\r\n"),
        ("ZRANGE z 0 1 REV REV", "-ERR syntax error\r\n"),
        (
            "ZRANGEBYLEX z 0 1",
            "-ERR min or max not valid string range item\r\n",
        ),
    ]);
}

#[test]
fn zrangestore_puts_a_range() {
    check(&[
        ("ZRANGESTORE d z 0 -1", ":0\r\n"),
        ("ZADD z 1 a 2 b 2 c 3 d", ":4\r\n"),
        ("ZRANGESTORE d z 1 2", ":2\r\n"),
        (
            "ZRANGE d 0 -1 WITHSCORES",
            "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n2\r\n",
        ),
        ("SET d v EX 100", "+OK\r\n"),
        ("ZRANGESTORE d z 0 0 REV", ":1\r\n"),
        ("ZRANGE d 0 -1 WITHSCORES", "*2\r\n$1\r\nd\r\n$1\r\n3\r\n"),
        ("TTL d", ":-1\r\n"),
        ("ZRANGESTORE d z (1 +inf BYSCORE LIMIT 1 1", ":1\r\n"),
        ("ZRANGE d 0 -1 WITHSCORES", "*2\r\n$1\r\nc\r\n$1\r\n2\r\n"),
        ("ZRANGESTORE z z 0 1", ":2\r\n"),
        ("ZRANGE z 0 -1", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("ZRANGESTORE d z 5 6", ":0\r\n"),
        ("EXISTS d", ":0\r\n"),
        ("ZRANGESTORE d z 0 -1 WITHSCORES", "-ERR syntax error\r\n"),
        (
            "ZRANGESTORE d z 0",
            "-ERR wrong number of arguments for 'zrangestore' command\r\n",
        ),
        ("SET s v", "+OK\r\n"),
        (
            "ZRANGESTORE z s 0 -1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        ("ZCARD z", ":2\r\n"),
    ]);
}
