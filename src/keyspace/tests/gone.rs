//! Many members whose time comes at once: nobody finds one of them, and nobody waits until they are cleared away.

use super::*;
use crate::ablation::set_large_from;
use crate::db::body::Limits;

/// A node whose collections are all large.
fn node(stamped: bool) -> Node {
    let node = Node::new(stamped, 2, WRITER);
    node.keyspace.set_limits(Limits {
        hash_entries: 1,
        set_entries: 1,
        intset_entries: 1,
        zset_entries: 1,
        ..Limits::default()
    });
    node
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    fn names(&mut self) -> String {
        let count = 1 + self.below(3);
        (0..count)
            .map(|_| format!(" m{}", self.below(12)))
            .collect()
    }

    fn command(&mut self) -> String {
        match self.below(2) {
            0 => self.ranked(),
            _ => self.unordered(),
        }
    }

    fn bounds(&mut self) -> String {
        let ends = ["-inf", "+inf", "1", "(1", "2", "(2", "0", "(0"];
        let mut end = || ends[self.below(8) as usize];
        format!("{} {}", end(), end())
    }

    fn lex_bounds(&mut self) -> String {
        let ends = ["-", "+", "[m3", "(m3", "(m1", "[m5"];
        let mut end = || ends[self.below(6) as usize];
        format!("{} {}", end(), end())
    }

    /// Of members whose scores are equal.
    fn lexical(&mut self) -> String {
        let (name, names) = (self.below(12), self.names());
        match self.below(6) {
            0 => format!("ZRANGEBYLEX w {}", self.lex_bounds()),
            1 => format!("ZREVRANGEBYLEX w {}", self.lex_bounds()),
            2 => format!("ZLEXCOUNT w {}", self.lex_bounds()),
            3 => format!(
                "PEXPIREMEMBERAT w m{name} {}",
                START.0 + self.below(400) as i64
            ),
            _ => format!("ZADD w{}", names.replace(" m", " 1 m")),
        }
    }

    fn ranked(&mut self) -> String {
        let (name, names) = (self.below(12), self.names());
        let later = START.0 + self.below(400) as i64;
        let (from, to) = (self.below(6) as i64 - 3, self.below(6) as i64 - 3);
        match self.below(30) {
            0..=2 => format!(
                "ZADD z {} m{name} {} m{}",
                self.below(4),
                self.below(4),
                self.below(12)
            ),
            3 => format!("ZADD z GT CH {} m{name}", self.below(4)),
            4 => format!("ZINCRBY z {} m{name}", self.below(3) as i64 - 1),
            5 => format!("ZREM z{names}"),
            6 => "ZCARD z".to_owned(),
            7 => "ZRANGE z 0 -1 WITHSCORES".to_owned(),
            8 => "ZREVRANGE z 0 -1".to_owned(),
            9 => format!("ZRANGE z {from} {to}"),
            10 => format!("ZREVRANGE z {from} {to} WITHSCORES"),
            11 => format!("ZRANK z m{name}"),
            12 => format!("ZREVRANK z m{name}"),
            13 => format!("ZSCORE z m{name}"),
            14 => format!("ZRANGEBYSCORE z {} WITHSCORES", self.bounds()),
            15 => format!("ZREVRANGEBYSCORE z {} LIMIT 1 2", self.bounds()),
            16 => format!("ZCOUNT z {}", self.bounds()),
            17 => self.lexical(),
            18 => self.lexical(),
            19 => "ZPOPMIN z".to_owned(),
            20 => "ZPOPMAX z".to_owned(),
            21 => format!("ZREMRANGEBYRANK z {from} {to}"),
            22..=24 => format!("PEXPIREMEMBERAT z m{name} {later}"),
            25 => format!("PTTL z m{name}"),
            26 => "COPY z y REPLACE".to_owned(),
            27 => "ZRANGE y 0 -1".to_owned(),
            28 => "ZUNIONSTORE x 2 z s".to_owned(),
            _ => "ZDIFF 2 x z".to_owned(),
        }
    }

    fn unordered(&mut self) -> String {
        let (name, names) = (self.below(12), self.names());
        let count = names.split(' ').count() - 1;
        let later = START.0 + self.below(400) as i64;
        match self.below(26) {
            0 | 1 => format!("SADD s{names}"),
            2 => format!("SREM s{names}"),
            3 => format!("SISMEMBER s m{name}"),
            4 => "SCARD s".to_owned(),
            5 => "SMEMBERS s".to_owned(),
            6 | 7 => format!("HSET h m{name} {}", self.below(9)),
            8 => format!("HINCRBY h m{name} 2"),
            9 => format!("HDEL h{names}"),
            10 => format!("HMGET h{names}"),
            11 => "HLEN h".to_owned(),
            12 => "HGETALL h".to_owned(),
            13 => format!("HSETNX h m{name} new"),
            14 | 15 => format!("HPEXPIREAT h {later} FIELDS {count}{names}"),
            16 => format!("HPERSIST h FIELDS {count}{names}"),
            17 => format!("HPTTL h FIELDS {count}{names}"),
            18 | 19 => format!("PEXPIREMEMBERAT s m{name} {later}"),
            20 => format!("PTTL s m{name}"),
            21 => "SUNION s t".to_owned(),
            22 => "COPY h g REPLACE".to_owned(),
            23 => "HGETALL g".to_owned(),
            24 => "SUNIONSTORE t s".to_owned(),
            _ => "SMEMBERS t".to_owned(),
        }
    }
}

/// Elements of no order in one.
fn sorted(reply: &str) -> Vec<String> {
    let mut lines: Vec<String> = reply.split("\r\n").map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn members_that_have_gone_are_as_those_that_were_cleared_away() {
    for seed in 0..if cfg!(debug_assertions) { 60 } else { 1_000 } {
        let stamped = seed % 2 == 0;
        let (mut node, mut usual) = (node(stamped), node(stamped));
        let (mut random, mut done) = (Random(seed), Vec::new());
        for _ in 0..200 {
            let line = random.command();
            let expected = {
                let _large = set_large_from(usize::MAX);
                usual.run(&line)
            };
            let _large = set_large_from(0);
            let reply = node.run(&line);
            let passes = random.below(8) as i64;
            let parts = |reply: &str| match line.starts_with('Z') {
                true => vec![reply.to_owned()],
                false => sorted(reply),
            };
            let (reply, expected) = (parts(&reply), parts(&expected));
            let is_same = reply == expected;
            done.push(format!("{line}, and {passes} ms: {reply:?}"));
            assert!(is_same, "seed {seed}, not {expected:?}: {done:#?}");
            for node in [&mut node, &mut usual] {
                node.caller.now.0 += passes;
            }
            match random.below(20) {
                0 if stamped => {
                    node.settle();
                    usual.settle();
                }
                1 => {
                    for index in 0..2 {
                        node.keyspace.purge_partition(index, node.caller.now);
                    }
                }
                2 => assert_eq!(node.digest(), usual.digest(), "seed {seed}: {done:#?}"),
                _ => {}
            }
        }
        if stamped {
            let _large = set_large_from(0);
            assert_eq!(replay(&node).digest(), usual.digest());
        }
    }
}

#[test]
fn many_go_in_no_time_and_are_cleared_away_in_short_holds() {
    for stamped in [false, true] {
        let mut node = Node::new(stamped, 1, WRITER);
        for from in (0..6_000).step_by(100) {
            let pairs: String = (from..from + 100).map(|nth| format!(" f{nth} v")).collect();
            node.run(&format!("HSET h{pairs}"));
        }
        let deadline = START.0 + 50;
        for from in (0..5_000).step_by(100) {
            let fields: String = (from..from + 100).map(|nth| format!(" f{nth}")).collect();
            node.run(&format!("HPEXPIREAT h {deadline} FIELDS 100{fields}"));
        }
        let full = node.keyspace.data_bytes().0;
        node.caller.now.0 += 50;
        assert_eq!(node.run("HLEN h"), ":1000\r\n");
        assert_eq!(node.run("HGET h f4999"), "$-1\r\n");
        assert_eq!(node.run("HGET h f5000"), "$1\r\nv\r\n");
        for _ in 0..200 {
            let picked = node.run("HRANDFIELD h");
            let nth = picked
                .split("\r\n")
                .nth(1)
                .and_then(|field| field[1..].parse().ok());
            assert!(nth.is_some_and(|nth: u32| nth >= 5_000), "{picked}");
        }
        assert_eq!(node.run("HSET h f0 again"), ":1\r\n");
        assert_eq!(node.run("HTTL h FIELDS 1 f0"), "*1\r\n:-1\r\n");
        assert_eq!(node.keyspace.counts().expired_members, 5_000);
        if stamped {
            // What may still be undone stays.
            assert!(node.keyspace.data_bytes().0 >= full);
            node.caller.now.0 += 1;
            node.settle();
        }
        let mut purge = node.keyspace.begin_purge(0, node.caller.now);
        let mut pieces = 0;
        while node.keyspace.purge_some(&mut purge) {
            pieces += 1;
        }
        assert!(pieces >= 4_999 / 64, "{pieces}");
        assert!(node.keyspace.data_bytes().0 < full / 2);
        assert_eq!(node.run("HLEN h"), ":1001\r\n");
        assert_eq!(node.keyspace.counts().expired_members, 5_000);
        node.run("HPEXPIRE h 5 FIELDS 1 f0");
        node.caller.now.0 += 5;
        assert_eq!(node.run("HLEN h"), ":1000\r\n");
    }
}

#[test]
fn members_of_a_sorted_set_that_go_in_one_moment_go_in_no_time() {
    for stamped in [false, true] {
        let mut node = Node::new(stamped, 1, WRITER);
        for from in (0..6_000).step_by(100) {
            let pairs: String = (from..from + 100)
                .map(|nth| format!(" {nth} m{nth:04}"))
                .collect();
            node.run(&format!("ZADD z{pairs}"));
        }
        let deadline = START.0 + 50;
        // All but each sixth; and some a moment later.
        for nth in (0..6_000).filter(|nth| nth % 6 != 0) {
            let later = i64::from(nth % 600 == 1);
            node.run(&format!("PEXPIREMEMBERAT z m{nth:04} {}", deadline + later));
        }
        let full = node.keyspace.data_bytes().0;
        node.caller.now.0 += 50;
        assert_eq!(node.run("ZCARD z"), ":1010\r\n");
        assert_eq!(node.run("ZRANK z m0006"), ":2\r\n");
        assert_eq!(node.run("ZRANK z m0005"), "$-1\r\n");
        node.caller.now.0 += 1;
        assert_eq!(node.run("ZCARD z"), ":1000\r\n");
        assert_eq!(node.run("ZRANK z m5994"), ":999\r\n");
        assert_eq!(
            node.run("ZREVRANGE z 0 1"),
            "*2\r\n$5\r\nm5994\r\n$5\r\nm5988\r\n"
        );
        assert_eq!(node.run("ZCOUNT z 600 (1200"), ":100\r\n");
        assert_eq!(
            node.run("ZRANGE z 500 501"),
            "*2\r\n$5\r\nm3000\r\n$5\r\nm3006\r\n"
        );
        assert_eq!(node.run("ZADD z CH 7 m0001"), ":1\r\n");
        assert_eq!(node.run("ZRANK z m0001"), ":2\r\n");
        assert_eq!(node.run("PTTL z m0001"), ":-1\r\n");
        assert_eq!(node.run("ZINCRBY z 8 m0002"), "$1\r\n8\r\n");
        assert_eq!(node.run("ZRANK z m0002"), ":3\r\n");
        assert_eq!(node.keyspace.counts().expired_members, 5_000);
        // They are still there, though nobody finds them.
        assert!(node.keyspace.data_bytes().0 > full / 4 * 3);
        if stamped {
            node.caller.now.0 += 1;
            node.settle();
        }
        let mut purge = node.keyspace.begin_purge(0, node.caller.now);
        let mut pieces = 0;
        while node.keyspace.purge_some(&mut purge) {
            pieces += 1;
        }
        assert!(pieces >= 4_900 / 64, "{pieces}");
        assert!(node.keyspace.data_bytes().0 < full / 2);
        assert_eq!(node.run("ZCARD z"), ":1002\r\n");
        assert_eq!(node.run("ZRANK z m5994"), ":1001\r\n");
        assert_eq!(node.keyspace.counts().expired_members, 5_000);
    }
}
