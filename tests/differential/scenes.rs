//! Scenes of connections that wait for each other, one step a line.
//!
//! A line is the name of a connection and what it sends at once, ` | ` between commands; `$A` is the number of connection A,
//! `dump:k` what DUMP gives of a key. `wait A` is for replies that come by themselves, `close A` ends a connection, and
//! behind `soon` nobody looks what came of a step before the next one.

/// See the head of the file.
pub struct Scene<'s> {
    pub title: &'s str,
    /// Redis 7.0 does otherwise than 7.2, and Valkey, which are followed: why.
    pub as_since_7_2: Option<&'s str>,
    pub script: &'s str,
}

const fn scene(title: &'static str, script: &'static str) -> Scene<'static> {
    Scene {
        title,
        as_since_7_2: None,
        script,
    }
}

const fn since_7_2(title: &'static str, why: &'static str, script: &'static str) -> Scene<'static> {
    Scene {
        title,
        as_since_7_2: Some(why),
        script,
    }
}

pub const SCENES: &[Scene<'static>] = &[
    scene(
        "arguments",
        "A BLPOP | BLPOP k | BLPOP k x | BLPOP k -1 | BLPOP k -0.5 | BLPOP k nan | BRPOP k 0x | BRPOP k 1_
         A BLMOVE a b LEFT MID 0 | BLMOVE a b LEFT MID x | BLMOVE a b LEFT LEFT x | BLMOVE a b LEFT LEFT -1 | BLMOVE a b LEFT | BRPOPLPUSH a b x | BRPOPLPUSH a b
         A BLMPOP x 1 k LEFT | BLMPOP 0 0 k LEFT | BLMPOP 0 x k LEFT | BLMPOP 0 2 k LEFT | BLMPOP 0 1 k MID | BLMPOP 0 1 k LEFT COUNT 0 | BLMPOP 0 1 k LEFT COUNT
         A BLMPOP 0 1 k LEFT COUNT 1 COUNT 1 | BLMPOP -1 0 k LEFT | BLMPOP 0 1 k LEFT COUNT -1 | BLMPOP 0 1 k LEFT COUNT x | BLMPOP 0 -1 k LEFT
         A BZPOPMIN k x | BZPOPMIN k | BZPOPMAX k -1 | BZMPOP 0 0 k MIN | BZMPOP x 0 k MIN | BZMPOP 0 1 k LEFT | BZMPOP 0 1 k MIN COUNT 0 | BZMPOP 0 1 k MIN COUNT -1 | BZMPOP 0 -1 k MIN
         soon A BLPOP k 0.001 | BLMOVE a b LEFT LEFT 0.001 | BRPOPLPUSH a b 0.01 | BLMPOP 0.001 1 k LEFT | BZPOPMIN k 0.001 | BZMPOP 0.01 1 k MAX | BRPOP k 0.0001 | BZPOPMAX k 1e-3
         wait A
         A BLPOP k 1e9
         B CLIENT UNBLOCK $A
         A BLPOP k 9000000000000
         B CLIENT UNBLOCK $A
         A BLPOP k -0
         B CLIENT UNBLOCK $A
         A BLPOP k -0.0001
         B CLIENT UNBLOCK $A",
    ),
    since_7_2(
        "timeouts beyond all numbers",
        "they are out of range; 7.0 finds them negative",
        "A BLPOP k inf | BLPOP k 1e400 | BLMOVE a b LEFT LEFT inf | BZPOPMIN k 1e400 | BLPOP k -inf
         A BLPOP k 9223372036854775807 | BLPOP k 9223372036854776 | BLPOP k 99999999999999999999999 | BRPOP k -9223372036854775807",
    ),
    scene(
        "what is there is taken at once, and another type is an error",
        "A SET s x | ZADD z 1 a 2.5 b 3 c 4 d | RPUSH l 1 2 3 4 5 6
         A BLPOP s 0 | BLPOP nil s l 0 | BLPOP l s 0 | BLPOP z l 0 | BZPOPMIN l 0 | BZPOPMIN z 0 | BZPOPMAX nil z 0 | BLMOVE s l LEFT LEFT 0
         A BLMOVE l s LEFT LEFT 0 | BLMOVE l l LEFT RIGHT 0 | BRPOPLPUSH l l 0 | BLMOVE l m RIGHT LEFT 0 | BLMPOP 0 2 nil l LEFT COUNT 2 | BLMPOP 0 2 nil l RIGHT COUNT 9
         A BZMPOP 0 1 z MIN COUNT 9 | EXISTS l z | LRANGE m 0 -1
         soon A BLMOVE nil s LEFT LEFT 0.001 | BRPOPLPUSH s z 0.001
         wait A",
    ),
    scene(
        "the oldest first, and one push of several elements",
        "A BLPOP q 0
         B BRPOP q 0
         C BLPOP q 0
         D RPUSH q 1 2 | LRANGE q 0 -1
         D LPUSH q 3 4 | LRANGE q 0 -1
         D DEL q
         C BLPOP q 0
         B BLPOP q 0
         A BLMPOP 0 2 p q LEFT COUNT 2
         D LPUSH q 1 2 3 4 5 | LRANGE q 0 -1",
    ),
    scene(
        "several keys, one push after the other",
        "A BLPOP k1 k2 0
         B BRPOP k2 k1 0
         C BLMPOP 0 3 k3 k2 k1 RIGHT COUNT 5
         D RPUSH k2 x
         D RPUSH k1 y
         D RPUSH k1 a b c | EXISTS k1 k2 k3
         A BLPOP k1 k1 k1 0
         B BLPOP k1 0
         D RPUSH k1 1 2",
    ),
    since_7_2(
        "several keys at once",
        "the order of the arguments decides, not that of the pushes",
        "A BLPOP k1 k2 k3 0
         D MULTI | RPUSH k3 3 | RPUSH k2 2 | LPUSH k2 1 | RPUSH k1 0 | DEL k1 | EXEC
         D LRANGE k2 0 -1 | LRANGE k3 0 -1",
    ),
    scene(
        "what came and went within a transaction",
        "A BLPOP k 0
         D MULTI | RPUSH k a | DEL k | EXEC
         D SET k v
         D DEL k | ZADD k 1 a
         D DEL k
         D MULTI | RPUSH k 1 | LPOP k | RPUSH k 2 | EXEC | EXISTS k
         A BLPOP k 0
         B BZPOPMIN k 0
         D MULTI | RPUSH k 1 | DEL k | ZADD k 5 m | EXEC
         D MULTI | RPUSH k 1 | EXPIRE k 100 | DEL k | RPUSH k 2 | EXEC",
    ),
    scene(
        "nobody waits within a transaction",
        "A MULTI | BLPOP n 0 | BRPOP n 0 | BLMOVE n m LEFT LEFT 0 | BRPOPLPUSH n m 0 | BLMPOP 0 1 n LEFT | BZPOPMIN n 0 | BZPOPMAX n 0 | BZMPOP 0 1 n MIN | RPUSH n 1 | BLPOP n 0 | BLPOP n x | BLPOP n 5 | EXEC
         A MULTI | BLPOP n | EXEC",
    ),
    scene(
        "a pipeline serves who waits before its next command",
        "A BLPOP k 0
         D RPUSH k x | LPOP k | LLEN k
         A BRPOP k 0
         B BLPOP k 0
         D RPUSH k 1 2 3 | LRANGE k 0 -1 | LPOP k
         A BZPOPMIN z 0
         D ZADD z 1 a 2 b | ZRANGE z 0 -1 | ZPOPMIN z
         A BLPOP k 0 | PING | LLEN k | RPUSH k 5
         D RPUSH k 1 2
         D DEL k
         A BLPOP k 0 | BLPOP k 0 | LLEN k
         D RPUSH k 1 | RPUSH k 2 3
         D LLEN k
         D DEL k
         A BLPOP k 0
         D MULTI | RPUSH k 1 | LLEN k | EXEC | LPOP k | EXISTS k",
    ),
    scene(
        "what stands behind a wait comes behind the pusher's pipeline, in the order of waiting",
        "A BLPOP k 0 | RPUSH log a | LLEN log
         D RPUSH k x | RPUSH log 1 | RPUSH log 2 | LRANGE log 0 -1
         D LRANGE log 0 -1 | DEL log
         A BLPOP k 0 | RPUSH k a
         D RPUSH k x | LLEN k | LPOP k
         D DEL k
         A BLPOP k 0 | RPUSH r y
         D RPUSH k x | BLPOP r 0
         A BLPOP k 0 | RPUSH log a
         B BLPOP k 0 | RPUSH log b
         C BLPOP k 0 | RPUSH log c
         D RPUSH k 1 2 3 | RPUSH log d | RPUSH log e
         D LRANGE log 0 -1",
    ),
    scene(
        "chains",
        "A BLMOVE c1 c2 LEFT RIGHT 0
         B BRPOPLPUSH c2 c3 0
         C BLPOP c3 0
         D RPUSH c1 v | EXISTS c1 c2 c3
         A BLMOVE c1 c1 LEFT RIGHT 0
         B BLMOVE c1 c1 LEFT RIGHT 0
         D RPUSH c1 v u | LRANGE c1 0 -1
         D DEL c1
         A BLMOVE a b LEFT RIGHT 0 | LRANGE b 0 -1
         B BLMOVE b a LEFT RIGHT 0 | LRANGE a 0 -1
         D RPUSH a 1 | LRANGE a 0 -1 | LRANGE b 0 -1
         D DEL a b
         A BLMOVE a b LEFT RIGHT 0 | LLEN b
         B BRPOP b 0
         C BLMOVE a b LEFT RIGHT 0 | LLEN b
         E BLPOP b 0
         D RPUSH a 1 2 3 | LRANGE a 0 -1 | LRANGE b 0 -1",
    ),
    scene(
        "a destination of another type",
        "D SET c2 s
         A BLMOVE c1 c2 LEFT RIGHT 0
         B BLPOP c1 0
         D RPUSH c1 v
         A BLMOVE c1 c2 LEFT RIGHT 0
         D RPUSH c1 v
         D LRANGE c1 0 -1",
    ),
    scene(
        "whatever makes a list appear",
        "D RPUSH t 1
         A BLPOP q 0
         D LMOVE t q LEFT LEFT | EXISTS t q
         A BLPOP q 0
         D RPUSH t 2 | RPOPLPUSH t q
         A BLPOP q 0
         D RPUSH t 3 | RENAME t q | EXISTS t q
         A BLPOP q 0
         D RPUSH t 4 | RENAMENX t q
         A BLPOP q 0
         D RPUSH t 5 | COPY t q
         A BLPOP q 0
         D SORT t STORE q | EXISTS q
         A BLPOP q 0
         D RESTORE q 0 dump:t
         D RESTORE q 0 dump:t
         D DEL q
         A BLPOP q 0
         D LINSERT q BEFORE a b | RPUSHX q b | LPUSHX q c | EXISTS q
         D SELECT 1 | RPUSH q 5 | MOVE q 0 | EXISTS q
         A BLPOP q 0
         D RPUSH q 5 | SELECT 0 | COPY q t DB 1 | SELECT 1 | SWAPDB 0 1 | SELECT 0 | LRANGE q 0 -1
         D FLUSHALL
         A BLPOP q 0
         D SET q x | EXPIRE q 100 | FLUSHALL | APPEND q x | DEL q | SADD q m | DEL q | HSET q f v | DEL q
         D RPUSH q last",
    ),
    scene(
        "whatever makes a sorted set appear",
        "D ZADD zs 1 a 2 b 3 c | SADD t x y
         A BZPOPMIN q 0
         B BZMPOP 0 2 p q MAX COUNT 2
         C BLPOP q 0
         D ZUNIONSTORE q 1 zs | EXISTS q
         D RPUSH q x
         A BZPOPMAX q 0
         D ZINCRBY q 2.5 m
         A BZPOPMAX q 0
         D ZRANGESTORE q zs 0 -1 | ZRANGE q 0 -1 | DEL q
         A BZPOPMAX q 0
         D ZINTERSTORE q 2 zs zs | DEL q
         A BZPOPMIN q 0
         D ZDIFFSTORE q 2 zs t | DEL q
         A BZPOPMIN q 0
         D ZADD q XX 1 a | ZADD q NX 7 n
         A BZPOPMIN q 0
         D SUNIONSTORE q t | DEL q | ZADD q INCR 3 i
         A BZPOPMIN q 0
         D RENAME zs q | DEL q
         A BZPOPMIN q 0
         B BZPOPMIN q 0
         C BZPOPMAX q 0
         D ZADD q 3 x 1 y
         D ZADD q 1 r 2 s | ZRANGE q 0 -1 WITHSCORES",
    ),
    scene(
        "CLIENT UNBLOCK and CLIENT KILL",
        "A BLPOP u 0
         B CLIENT UNBLOCK $A
         A BLMOVE u v LEFT LEFT 0
         B CLIENT UNBLOCK $A TIMEOUT
         A BZPOPMIN u 0
         B CLIENT UNBLOCK $A ERROR
         B CLIENT UNBLOCK $A | CLIENT UNBLOCK 999999 | CLIENT UNBLOCK $A x | CLIENT UNBLOCK x
         A BLMPOP 0 2 u v LEFT | PING
         C BLPOP u 0
         B CLIENT UNBLOCK $A | RPUSH u 1 | EXISTS u
         A BLPOP u 0
         C BLPOP u 0
         B CLIENT KILL ID $A
         B RPUSH u 1 2 | LRANGE u 0 -1
         A BLPOP w 0
         B CLIENT UNBLOCK $A ERROR | CLIENT UNBLOCK $A | RPUSH w 1 | LLEN w | DEL w
         A BLPOP w 0
         C BLPOP w 0
         close A
         B RPUSH w 1 2 | LRANGE w 0 -1",
    ),
    since_7_2(
        "a pause",
        "it holds back who was called, too",
        "A BLPOP q 0
         D MULTI | RPUSH q 1 | CLIENT PAUSE 100000 WRITE | EXEC | LLEN q
         soon D CLIENT UNPAUSE
         wait A
         D EXISTS q",
    ),
    scene(
        "databases",
        "A SELECT 3 | BLPOP q 0
         B BLPOP q 0
         D SELECT 3 | RPUSH q three | SELECT 0 | RPUSH q zero
         A BLPOP q 0
         D RPUSH q 1 | MOVE q 3 | EXISTS q
         A BLPOP q 0
         B SELECT 4 | BLPOP q 0
         D SELECT 4 | RPUSH r 1 | RENAME r q | RPUSH q 5 | SWAPDB 3 4 | EXISTS q",
    ),
    scene(
        "CLIENT LIST's types",
        "A CLIENT LIST TYPE x | CLIENT LIST TYPE x extra | CLIENT LIST TYPE normal extra | CLIENT LIST TYPE | CLIENT LIST x",
    ),
];
