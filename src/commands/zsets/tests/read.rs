//! The sorted sets family: what is asked of single members, and counts; replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn scores_and_counts_of_members() {
    check(&[
        ("ZCARD z", ":0\r\n"),
        ("ZSCORE z a", "$-1\r\n"),
        ("ZMSCORE z a b", "*2\r\n$-1\r\n$-1\r\n"),
        ("ZADD z 1 a 0.1 b inf c -inf d 3e17 e", ":5\r\n"),
        ("ZCARD z", ":5\r\n"),
        ("ZSCORE z b", "$19\r\n0.10000000000000001\r\n"),
        ("ZSCORE z x", "$-1\r\n"),
        (
            "ZMSCORE z a x c d e",
            "*5\r\n$1\r\n1\r\n$-1\r\n$3\r\ninf\r\n$4\r\n-inf\r\n$5\r\n3e+17\r\n",
        ),
        ("@resp3", ""),
        ("ZSCORE z b", ",0.10000000000000001\r\n"),
        ("ZSCORE z x", "_\r\n"),
        (
            "ZMSCORE z a x c d e",
            "*5\r\n,1\r\n_\r\n,inf\r\n,-inf\r\n,3e+17\r\n",
        ),
        ("SET s v", "+OK\r\n"),
        (
            "ZCARD s",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZSCORE s a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZMSCORE s a",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}

#[test]
fn zcount_takes_ends_as_strtod_does() {
    check(&[
        ("ZCOUNT z 0 1", ":0\r\n"),
        ("ZADD z -1 a 0 b 1 c 2 d inf e", ":5\r\n"),
        ("ZCOUNT z -inf +inf", ":5\r\n"),
        ("ZCOUNT z (-1 1", ":2\r\n"),
        ("ZCOUNT z (1 (1", ":0\r\n"),
        ("ZCOUNT z 2 1", ":0\r\n"),
        ("ZCOUNT z \"\" \"\"", ":1\r\n"),
        ("ZCOUNT z ( 1", ":1\r\n"),
        ("ZCOUNT z \" 1\" 2", ":2\r\n"),
        ("ZCOUNT z 1 1e400", ":3\r\n"),
        ("ZCOUNT z (1 (inf", ":1\r\n"),
        ("ZCOUNT z 0x1 0x2", ":2\r\n"),
        ("ZCOUNT z 1 \"2 \"", "-ERR min or max is not a float\r\n"),
        ("ZCOUNT z nan 1", "-ERR min or max is not a float\r\n"),
        ("ZCOUNT z x 1", "-ERR min or max is not a float\r\n"),
        ("ZCOUNT z 1 [2", "-ERR min or max is not a float\r\n"),
        ("ZCOUNT z 1 \"2\\x00z\"", ":2\r\n"),
        ("SET s v", "+OK\r\n"),
        ("ZCOUNT s x 1", "-ERR min or max is not a float\r\n"),
        (
            "ZCOUNT s 0 1",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}

#[test]
fn zlexcount_takes_members_as_ends() {
    check(&[
        ("ZLEXCOUNT z - +", ":0\r\n"),
        ("ZADD z 0 a 0 b 0 c 0 cc 0 \"\"", ":5\r\n"),
        ("ZLEXCOUNT z - +", ":5\r\n"),
        ("ZLEXCOUNT z + -", ":0\r\n"),
        ("ZLEXCOUNT z [a [c", ":3\r\n"),
        ("ZLEXCOUNT z (a (c", ":1\r\n"),
        ("ZLEXCOUNT z (a (a", ":0\r\n"),
        ("ZLEXCOUNT z [c [a", ":0\r\n"),
        ("ZLEXCOUNT z [ +", ":5\r\n"),
        ("ZLEXCOUNT z ( +", ":4\r\n"),
        ("ZLEXCOUNT z - -", ":0\r\n"),
        ("ZLEXCOUNT z + +", ":0\r\n"),
        (
            "ZLEXCOUNT z a +",
            "-ERR min or max not valid string range item\r\n",
        ),
        (
            "ZLEXCOUNT z -a +",
            "-ERR min or max not valid string range item\r\n",
        ),
        (
            "ZLEXCOUNT z \"\" +",
            "-ERR min or max not valid string range item\r\n",
        ),
        (
            "ZLEXCOUNT z - 1",
            "-ERR min or max not valid string range item\r\n",
        ),
        ("ZLEXCOUNT z \"-\\x00a\" \"+\\x00\"", ":5\r\n"),
        ("SET s v", "+OK\r\n"),
        (
            "ZLEXCOUNT s - +",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}
