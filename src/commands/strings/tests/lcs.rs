//! LCS, replies recorded from Redis 7.0.15.

use crate::commands::world::check;

#[test]
fn the_longest_common_subsequence_is_that_of_redis() {
    check(&[
        (
            "MSET a ohmytext b mynewtext e \"\" x aaaa y aaaaaa s \"GCATAGCTAGC\" t \"CGTAGCATAAGC\"",
            "+OK\r\n",
        ),
        ("LCS a b", "$6\r\nmytext\r\n"),
        ("LCS a b LEN", ":6\r\n"),
        (
            "LCS a b IDX",
            "*4\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n",
        ),
        (
            "LCS a b IDX MINMATCHLEN 4",
            "*4\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n$3\r\nlen\r\n:6\r\n",
        ),
        (
            "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
            "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
        ),
        (
            "LCS a b idx withmatchlen minmatchlen -1",
            "*4\r\n$7\r\nmatches\r\n*2\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n*3\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n:2\r\n$3\r\nlen\r\n:6\r\n",
        ),
        ("LCS a b MINMATCHLEN 100", "$6\r\nmytext\r\n"),
        ("LCS a b WITHMATCHLEN", "$6\r\nmytext\r\n"),
        (
            "LCS a b IDX LEN",
            "-ERR If you want both the length and indexes, please just use IDX.\r\n",
        ),
        ("LCS a b FOO", "-ERR syntax error\r\n"),
        ("LCS a b MINMATCHLEN", "-ERR syntax error\r\n"),
        (
            "LCS a b MINMATCHLEN x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("LCS a b LEN MINMATCHLEN 3 LEN", ":6\r\n"),
        ("LCS a e", "$0\r\n\r\n"),
        (
            "LCS a nothing IDX",
            "*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n",
        ),
        ("LCS e e LEN", ":0\r\n"),
        (
            "LCS x y IDX WITHMATCHLEN",
            "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:0\r\n:3\r\n*2\r\n:2\r\n:5\r\n:4\r\n$3\r\nlen\r\n:4\r\n",
        ),
        (
            "LCS y x IDX",
            "*4\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:2\r\n:5\r\n*2\r\n:0\r\n:3\r\n$3\r\nlen\r\n:4\r\n",
        ),
        ("LCS s t", "$9\r\nCTAGCTAGC\r\n"),
        (
            "LCS s t IDX WITHMATCHLEN",
            "*4\r\n$7\r\nmatches\r\n*4\r\n*3\r\n*2\r\n:8\r\n:10\r\n*2\r\n:9\r\n:11\r\n:3\r\n*3\r\n*2\r\n:7\r\n:7\r\n*2\r\n:7\r\n:7\r\n:1\r\n*3\r\n*2\r\n:3\r\n:6\r\n*2\r\n:2\r\n:5\r\n:4\r\n*3\r\n*2\r\n:1\r\n:1\r\n*2\r\n:0\r\n:0\r\n:1\r\n$3\r\nlen\r\n:9\r\n",
        ),
        (
            "LCS t s IDX",
            "*4\r\n$7\r\nmatches\r\n*4\r\n*2\r\n*2\r\n:9\r\n:11\r\n*2\r\n:8\r\n:10\r\n*2\r\n*2\r\n:7\r\n:7\r\n*2\r\n:7\r\n:7\r\n*2\r\n*2\r\n:2\r\n:5\r\n*2\r\n:3\r\n:6\r\n*2\r\n*2\r\n:1\r\n:1\r\n*2\r\n:0\r\n:0\r\n$3\r\nlen\r\n:9\r\n",
        ),
        ("LCS t s", "$9\r\nGTAGCTAGC\r\n"),
        (
            "LCS a a IDX",
            "*4\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:0\r\n:7\r\n*2\r\n:0\r\n:7\r\n$3\r\nlen\r\n:8\r\n",
        ),
        (
            "LCS a",
            "-ERR wrong number of arguments for 'lcs' command\r\n",
        ),
        ("@resp3", ""),
        (
            "LCS a b IDX",
            "%2\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n",
        ),
    ]);
}
