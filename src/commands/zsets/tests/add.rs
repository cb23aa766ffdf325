//! The sorted sets family: ZADD, ZINCRBY and ZREM; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn zadd_counts_members_that_came() {
    check(&[
        ("ZADD z 1 a 2 b", ":2\r\n"),
        ("ZADD z 1 a 3 b 4 c", ":1\r\n"),
        ("ZSCORE z b", "$1\r\n3\r\n"),
        ("ZADD z 5 c 6 c", ":0\r\n"),
        ("ZADD z CH 1 a 7 c 8 d", ":2\r\n"),
        ("ZADD z CH 1 c 2 c 2 c", ":2\r\n"),
        (
            "ZADD z 1.5 a inf b -inf c +inf d 1e300 e 0x10 f -0 g",
            ":3\r\n",
        ),
        (
            "ZRANGE z 0 -1 WITHSCORES",
            "*14\r\n$1\r\nc\r\n$4\r\n-inf\r\n$1\r\ng\r\n$1\r\n0\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nf\r\n$2\r\n16\r\n$1\r\ne\r\n$23\r\n1.0000000000000001e+300\r\n$1\r\nb\r\n$3\r\ninf\r\n$1\r\nd\r\n$3\r\ninf\r\n",
        ),
        ("ZADD z 0 g", ":0\r\n"),
        ("ZSCORE z g", "$1\r\n0\r\n"),
        ("ZCARD z", ":7\r\n"),
    ]);
}

#[test]
fn conditions_of_zadd_decide_member_by_member() {
    check(&[
        ("ZADD z XX 1 a", ":0\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("ZADD z NX 1 a 2 a 3 b", ":2\r\n"),
        (
            "ZRANGE z 0 -1 WITHSCORES",
            "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n3\r\n",
        ),
        ("ZADD z XX 5 a 6 new", ":0\r\n"),
        ("ZADD z XX CH 6 a 6 b 7 new", ":2\r\n"),
        ("ZADD z GT 1 a 9 b 1 c", ":1\r\n"),
        ("ZADD z GT CH 1 a 10 b 10 a", ":2\r\n"),
        ("ZADD z LT CH 0 a 11 b 5 d", ":2\r\n"),
        ("ZADD z XX LT CH -1 a 5 e", ":1\r\n"),
        ("ZADD z GT CH 3 a 2 a 4 a", ":2\r\n"),
        (
            "ZRANGE z 0 -1 WITHSCORES",
            "*8\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n4\r\n$1\r\nd\r\n$1\r\n5\r\n$1\r\nb\r\n$2\r\n10\r\n",
        ),
    ]);
}

#[test]
fn zadd_refuses_what_does_not_fit_together() {
    check(&[
        (
            "ZADD z 1",
            "-ERR wrong number of arguments for 'zadd' command\r\n",
        ),
        ("ZADD z 1 a 2", "-ERR syntax error\r\n"),
        (
            "ZADD z NX",
            "-ERR wrong number of arguments for 'zadd' command\r\n",
        ),
        (
            "ZADD z NX XX 1 a",
            "-ERR XX and NX options at the same time are not compatible\r\n",
        ),
        (
            "ZADD z NX GT 1 a",
            "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
        ),
        (
            "ZADD z NX LT 1 a",
            "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
        ),
        (
            "ZADD z GT LT 1 a",
            "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
        ),
        (
            "ZADD z GT LT XX INCR 1 a 2 b",
            "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
        ),
        (
            "ZADD z INCR 1 a 2 b",
            "-ERR INCR option supports a single increment-element pair\r\n",
        ),
        ("ZADD z nan a", "-ERR value is not a valid float\r\n"),
        ("ZADD z 1 a x b", "-ERR value is not a valid float\r\n"),
        ("ZADD z \"\" a", "-ERR value is not a valid float\r\n"),
        ("ZADD z \" 1\" a", "-ERR value is not a valid float\r\n"),
        ("ZADD z 1e400 a", "-ERR value is not a valid float\r\n"),
        ("ZADD z 1 a NX b", "-ERR value is not a valid float\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("SET s v", "+OK\r\n"),
        ("ZADD s x a", "-ERR value is not a valid float\r\n"),
        (
            "ZADD s 1 a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZADD s INCR 1 a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZINCRBY s 1 a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZREM s a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}

#[test]
fn increments_add_up_and_obey_conditions() {
    check(&[
        ("ZINCRBY z 1.5 a", "$3\r\n1.5\r\n"),
        ("ZINCRBY z -2 a", "$4\r\n-0.5\r\n"),
        ("ZINCRBY z 0 a", "$4\r\n-0.5\r\n"),
        ("ZADD z INCR 3 a", "$3\r\n2.5\r\n"),
        ("ZADD z NX INCR 3 a", "$-1\r\n"),
        ("ZADD z NX INCR 3 b", "$1\r\n3\r\n"),
        ("ZADD z XX INCR 3 c", "$-1\r\n"),
        ("ZADD z XX INCR 3 b", "$1\r\n6\r\n"),
        ("ZADD z GT INCR -1 b", "$-1\r\n"),
        ("ZADD z GT INCR 1 b", "$1\r\n7\r\n"),
        ("ZADD z LT INCR 1 b", "$-1\r\n"),
        ("ZADD z LT CH INCR -1 b", "$1\r\n6\r\n"),
        ("ZINCRBY z -0 zero", "$2\r\n-0\r\n"),
        ("ZINCRBY z inf b", "$3\r\ninf\r\n"),
        ("ZINCRBY z 1 b", "$3\r\ninf\r\n"),
        (
            "ZINCRBY z -inf b",
            "-ERR resulting score is not a number (NaN)\r\n",
        ),
        ("ZADD z NX INCR -inf b", "$-1\r\n"),
        (
            "ZADD z LT INCR -inf b",
            "-ERR resulting score is not a number (NaN)\r\n",
        ),
        ("ZINCRBY z x b", "-ERR value is not a valid float\r\n"),
        ("ZINCRBY z nan b", "-ERR value is not a valid float\r\n"),
        ("ZINCRBY z NX b", "-ERR syntax error\r\n"),
        ("ZINCRBY z incr b", "-ERR syntax error\r\n"),
        ("@resp3", ""),
        ("ZINCRBY z 0.1 c", ",0.10000000000000001\r\n"),
        ("ZADD z NX INCR 1 c", "_\r\n"),
    ]);
}

#[test]
fn zrem_counts_members_that_went() {
    check(&[
        ("ZREM z a", ":0\r\n"),
        ("ZADD z 1 a 2 b 3 c", ":3\r\n"),
        ("ZREM z a a nothing", ":1\r\n"),
        ("ZRANGE z 0 -1", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("ZREM z b c d", ":2\r\n"),
        ("EXISTS z", ":0\r\n"),
        (
            "ZREM z",
            "-ERR wrong number of arguments for 'zrem' command\r\n",
        ),
    ]);
}
