//! The sorted sets family: ZUNION and its kin; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn unions_and_intersections_weigh_and_sum() {
    check(&[
        ("ZADD x 1 a 2 b 3 c", ":3\r\n"),
        ("ZADD y 10 b 20 c 30 d", ":3\r\n"),
        (
            "RESTORE s 0 \"\\x02\\x03\\xc0\\x02\\x01\\x62\\x01\\x61\\x0a\\x00\\x52\\x57\\xf7\\xe3\\xc9\\x37\\xd5\\xfc\"",
            "+OK\r\n",
        ),
        (
            "ZUNION 2 x y",
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
        ),
        (
            "ZUNION 2 x y WITHSCORES",
            "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        (
            "ZUNION 2 x y WITHSCORES WEIGHTS 2 -1",
            "*8\r\n$1\r\nd\r\n$3\r\n-30\r\n$1\r\nc\r\n$3\r\n-14\r\n$1\r\nb\r\n$2\r\n-6\r\n$1\r\na\r\n$1\r\n2\r\n",
        ),
        (
            "ZUNION 2 x y AGGREGATE MIN WITHSCORES",
            "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        (
            "ZUNION 2 x y AGGREGATE MAX WITHSCORES",
            "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$2\r\n10\r\n$1\r\nc\r\n$2\r\n20\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        (
            "ZUNION 3 x y s WITHSCORES",
            "*10\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$2\r\n13\r\n$1\r\nc\r\n$2\r\n23\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        (
            "ZUNION 2 x x WITHSCORES",
            "*6\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n4\r\n$1\r\nc\r\n$1\r\n6\r\n",
        ),
        ("ZUNION 2 nothing none", "*0\r\n"),
        ("ZINTER 2 x y", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        (
            "ZINTER 2 x y WITHSCORES",
            "*4\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n",
        ),
        (
            "ZINTER 3 x y s WITHSCORES WEIGHTS 1 1 5",
            "*2\r\n$1\r\nb\r\n$2\r\n17\r\n",
        ),
        (
            "ZINTER 2 x y WITHSCORES AGGREGATE max",
            "*4\r\n$1\r\nb\r\n$2\r\n10\r\n$1\r\nc\r\n$2\r\n20\r\n",
        ),
        (
            "ZINTER 2 x x WITHSCORES WEIGHTS 2 3",
            "*6\r\n$1\r\na\r\n$1\r\n5\r\n$1\r\nb\r\n$2\r\n10\r\n$1\r\nc\r\n$2\r\n15\r\n",
        ),
        ("ZINTER 2 x nothing", "*0\r\n"),
        (
            "ZINTER 1 s WITHSCORES",
            "*6\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n1\r\n",
        ),
        ("ZDIFF 2 x y WITHSCORES", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("ZDIFF 2 x s", "*1\r\n$1\r\nc\r\n"),
        ("ZDIFF 2 s x WITHSCORES", "*2\r\n$1\r\n2\r\n$1\r\n1\r\n"),
        ("ZDIFF 1 x", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("ZDIFF 2 nothing x", "*0\r\n"),
        ("ZDIFF 2 x x", "*0\r\n"),
        ("@resp3", ""),
        (
            "ZUNION 2 x y WITHSCORES",
            "*4\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,12\r\n*2\r\n$1\r\nc\r\n,23\r\n*2\r\n$1\r\nd\r\n,30\r\n",
        ),
        ("ZINTER 2 x y", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("ZDIFF 2 x y WITHSCORES", "*1\r\n*2\r\n$1\r\na\r\n,1\r\n"),
    ]);
}

#[test]
fn sums_that_are_no_number_are_zero() {
    check(&[
        ("ZADD x inf a inf b 0 c", ":3\r\n"),
        ("ZADD y -inf a 1 b 5 c", ":3\r\n"),
        (
            "ZUNION 2 x y WITHSCORES",
            "*6\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nc\r\n$1\r\n5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        (
            "ZUNION 2 x y WEIGHTS 0 1 WITHSCORES",
            "*6\r\n$1\r\na\r\n$4\r\n-inf\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\nc\r\n$1\r\n5\r\n",
        ),
        (
            "ZINTER 2 x y WEIGHTS 0 1 WITHSCORES",
            "*6\r\n$1\r\na\r\n$4\r\n-inf\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\nc\r\n$1\r\n5\r\n",
        ),
        (
            "ZINTER 2 x y WEIGHTS 1 0 WITHSCORES",
            "*6\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        (
            "ZINTER 2 x y WEIGHTS 1 0 AGGREGATE MIN WITHSCORES",
            "*6\r\n$1\r\nb\r\n$1\r\n0\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\na\r\n$3\r\ninf\r\n",
        ),
        (
            "ZINTER 2 x y WEIGHTS 1 0 AGGREGATE MAX WITHSCORES",
            "*6\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\na\r\n$3\r\ninf\r\n$1\r\nb\r\n$3\r\ninf\r\n",
        ),
        (
            "ZUNION 2 x y WEIGHTS 1 0 AGGREGATE MIN WITHSCORES",
            "*6\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nb\r\n$1\r\n0\r\n$1\r\nc\r\n$1\r\n0\r\n",
        ),
        (
            "ZINTER 2 x y WEIGHTS inf inf WITHSCORES",
            "*6\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nb\r\n$3\r\ninf\r\n$1\r\nc\r\n$3\r\ninf\r\n",
        ),
    ]);
}

#[test]
fn results_are_stored() {
    check(&[
        ("ZADD x 1 a 2 b 3 c", ":3\r\n"),
        ("ZADD y 10 b 20 c 30 d", ":3\r\n"),
        ("SET t v EX 100", "+OK\r\n"),
        ("ZUNIONSTORE t 2 x y", ":4\r\n"),
        ("TTL t", ":-1\r\n"),
        (
            "ZRANGE t 0 -1 WITHSCORES",
            "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        ("ZINTERSTORE t 2 x y WEIGHTS 2 0.5 AGGREGATE MAX", ":2\r\n"),
        (
            "ZRANGE t 0 -1 WITHSCORES",
            "*4\r\n$1\r\nb\r\n$1\r\n5\r\n$1\r\nc\r\n$2\r\n10\r\n",
        ),
        ("ZDIFFSTORE t 2 x y", ":1\r\n"),
        ("ZRANGE t 0 -1 WITHSCORES", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("ZUNIONSTORE x 2 x y", ":4\r\n"),
        (
            "ZRANGE x 0 -1 WITHSCORES",
            "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n$1\r\nd\r\n$2\r\n30\r\n",
        ),
        (
            "RESTORE s 0 \"\\x02\\x03\\xc0\\x02\\x01\\x62\\x01\\x61\\x0a\\x00\\x52\\x57\\xf7\\xe3\\xc9\\x37\\xd5\\xfc\"",
            "+OK\r\n",
        ),
        ("ZUNIONSTORE s 1 s", ":3\r\n"),
        (
            "ZRANGE s 0 -1 WITHSCORES",
            "*6\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n1\r\n",
        ),
        ("ZINTERSTORE t 2 x nothing", ":0\r\n"),
        ("EXISTS t", ":0\r\n"),
        ("ZDIFFSTORE t 1 nothing", ":0\r\n"),
        ("ZUNIONSTORE t 1 x WITHSCORES", "-ERR syntax error\r\n"),
        ("ZDIFFSTORE t 1 x WITHSCORES", "-ERR syntax error\r\n"),
        (
            "ZUNIONSTORE t 0 x",
            "-ERR at least 1 input key is needed for 'zunionstore' command\r\n",
        ),
        ("ZUNIONSTORE t 2 x", "-ERR syntax error\r\n"),
        (
            "ZUNIONSTORE t x y",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("EXISTS t", ":0\r\n"),
    ]);
}

#[test]
fn arguments_of_the_algebra_are_checked_in_redis_order() {
    check(&[
        (
            "ZUNION 0 x",
            "-ERR at least 1 input key is needed for 'zunion' command\r\n",
        ),
        (
            "ZINTER -1 x",
            "-ERR at least 1 input key is needed for 'zinter' command\r\n",
        ),
        (
            "ZDIFF 0 x",
            "-ERR at least 1 input key is needed for 'zdiff' command\r\n",
        ),
        (
            "ZUNION x y",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("ZUNION 2 x", "-ERR syntax error\r\n"),
        ("ZUNION 9223372036854775807 x", "-ERR syntax error\r\n"),
        ("ZUNION 1 x WEIGHTS", "-ERR syntax error\r\n"),
        (
            "ZUNION 1 x WEIGHTS x",
            "-ERR weight value is not a float\r\n",
        ),
        ("ZUNION 2 x y WEIGHTS 1", "-ERR syntax error\r\n"),
        ("ZUNION 2 x y WEIGHTS 1 2 3", "-ERR syntax error\r\n"),
        ("ZUNION 1 x AGGREGATE", "-ERR syntax error\r\n"),
        ("ZUNION 1 x AGGREGATE AVG", "-ERR syntax error\r\n"),
        ("ZUNION 1 x LIMIT 1", "-ERR syntax error\r\n"),
        ("ZDIFF 1 x WEIGHTS 1", "-ERR syntax error\r\n"),
        ("ZDIFF 1 x AGGREGATE SUM", "-ERR syntax error\r\n"),
        ("ZDIFF 1 x WITHSCORES", "*0\r\n"),
        ("ZINTERCARD 1 x WEIGHTS 1", "-ERR syntax error\r\n"),
        ("ZINTERCARD 1 x WITHSCORES", "-ERR syntax error\r\n"),
        ("ZINTERCARD 1 x LIMIT", "-ERR syntax error\r\n"),
        (
            "ZINTERCARD 1 x LIMIT -1",
            "-ERR LIMIT can't be negative\r\n",
        ),
        ("ZINTERCARD 1 x LIMIT x", "-ERR LIMIT can't be negative\r\n"),
        (
            "ZINTERCARD 0 x",
            "-ERR at least 1 input key is needed for 'zintercard' command\r\n",
        ),
        ("SET s v", "+OK\r\n"),
        (
            "ZUNION 1 s x",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZUNION 2 x s",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZINTERCARD 1 s LIMIT x",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        ("ZUNIONSTORE s 1 x", ":0\r\n"),
        ("ZUNIONSTORE d 1 s", ":0\r\n"),
        (
            "ZDIFFSTORE d 0 s",
            "-ERR at least 1 input key is needed for 'zdiffstore' command\r\n",
        ),
    ]);
}

#[test]
fn zintercard_stops_at_its_limit() {
    check(&[
        ("ZADD x 1 a 2 b 3 c", ":3\r\n"),
        ("ZADD y 10 b 20 c 30 d", ":3\r\n"),
        (
            "RESTORE s 0 \"\\x02\\x03\\xc0\\x02\\x01\\x62\\x01\\x61\\x0a\\x00\\x52\\x57\\xf7\\xe3\\xc9\\x37\\xd5\\xfc\"",
            "+OK\r\n",
        ),
        ("ZINTERCARD 2 x y", ":2\r\n"),
        ("ZINTERCARD 2 x y LIMIT 0", ":2\r\n"),
        ("ZINTERCARD 2 x y LIMIT 1", ":1\r\n"),
        ("ZINTERCARD 2 x y LIMIT 9", ":2\r\n"),
        ("ZINTERCARD 2 x s", ":2\r\n"),
        ("ZINTERCARD 2 x nothing", ":0\r\n"),
        ("ZINTERCARD 1 x LIMIT 2 LIMIT 1", ":1\r\n"),
    ]);
}
