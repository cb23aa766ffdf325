//! The sorted sets family: ranks, with what Redis 7.2 added; replies recorded from Valkey 9.1.

use crate::commands::world::check;

#[test]
fn ranks_count_from_either_end() {
    check(&[
        ("ZRANK z a", "$-1\r\n"),
        ("ZRANK z a WITHSCORE", "*-1\r\n"),
        ("ZADD z 1 a 2 b 2 c 3 d", ":4\r\n"),
        ("ZRANK z a", ":0\r\n"),
        ("ZREVRANK z a", ":3\r\n"),
        ("ZRANK z c", ":2\r\n"),
        ("ZREVRANK z c", ":1\r\n"),
        ("ZRANK z x", "$-1\r\n"),
        ("ZREVRANK z x", "$-1\r\n"),
        ("ZRANK z c WITHSCORE", "*2\r\n:2\r\n$1\r\n2\r\n"),
        ("ZREVRANK z c withscore", "*2\r\n:1\r\n$1\r\n2\r\n"),
        ("ZRANK z x WITHSCORE", "*-1\r\n"),
        ("ZRANK z a x", "-ERR syntax error\r\n"),
        ("ZRANK z a WITHSCORES", "-ERR syntax error\r\n"),
        (
            "ZRANK z a WITHSCORE x",
            "-ERR wrong number of arguments for 'zrank' command\r\n",
        ),
        (
            "ZREVRANK z a WITHSCORE x",
            "-ERR wrong number of arguments for 'zrevrank' command\r\n",
        ),
        (
            "ZRANK z",
            "-ERR wrong number of arguments for 'zrank' command\r\n",
        ),
        ("@resp3", ""),
        ("ZRANK z c WITHSCORE", "*2\r\n:2\r\n,2\r\n"),
        ("ZRANK z x", "_\r\n"),
        ("ZRANK z x WITHSCORE", "_\r\n"),
        ("SET s v", "+OK\r\n"),
        (
            "ZRANK s x",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (
            "ZREVRANK s x WITHSCORE",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ]);
}
