//! What clients do: commands through the server's own door, one by one and in transactions, and writes that take long.

use std::sync::Arc;

use keymesh::ablation::{self, Rule, is_off};
use keymesh::commands::payload;
use keymesh::db::{Key, Op, UnixMillis};

use crate::node::Command;
use crate::oracle::Published;
use crate::world::{Profile, World};

impl World {
    pub(super) fn client_write(&mut self) {
        let index = self.rng.below(self.nodes.len());
        if !self.nodes[index].is_live() {
            return;
        }
        let now = self.nodes[index].time(self.now);
        ablation::set_wall_clock(now.0);
        let db = u32::from(self.rng.percent(10));
        let count = if self.rng.percent(15) {
            2 + self.rng.below(3)
        } else {
            1
        };
        let commands: Vec<Command> = (0..count).map(|_| self.command(now)).collect();
        let shown_before = self.nodes[index].data(now);
        let published = self.nodes[index].execute(db, &commands, now);
        if published.is_empty() && !is_off(Rule::ExpiryByStamp) {
            let shown_after = self.nodes[index].data(now);
            assert_eq!(shown_before, shown_after, "{commands:?} wrote nothing");
        }
        let (settled, times) = (
            self.nodes[index].node.keyspace.settled().raw(),
            published.iter().map(|operation| operation.order.0),
        );
        self.tell(&format!(
            "node {index} settled {settled} runs {} in {db}: stamps {:?}",
            shown(&commands),
            times.collect::<Vec<_>>()
        ));
        self.coverage.writes += u64::from(!published.is_empty());
        self.coverage.transactions += u64::from(count > 1 && !published.is_empty());
        self.check_own_write(index, &published);
        self.published.extend(published);
    }

    fn command(&mut self, now: UnixMillis) -> Command {
        let usual = self.usual_command(now);
        if self.profile == Profile::Timed && self.collections.percent(75) {
            return self.timed_command(now);
        }
        if self.streams.percent(self.stream_share) {
            return match self.streams.percent(30) {
                true => self.group_command(),
                false => self.stream_command(now),
            };
        }
        if self.sketches.percent(self.sketch_share) {
            return self.sketch_command(now);
        }
        if self.jobs.percent(self.job_share) {
            return self.job_command(now);
        }
        if self.collections.percent(40) {
            let of_lists = self.collections.percent(40);
            if of_lists {
                self.list_command(now)
            } else {
                self.collection_command(now)
            }
        } else if self.later.percent(20) {
            self.later_command(now)
        } else {
            usual
        }
    }

    /// Lists, some at keys that hold other types too.
    fn list_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.collections;
        let key = rng.pick(&["l", "l", "m", "m", "a", "h"]);
        let other = rng.pick(&["l", "m", "m", "a", "z"]);
        let element = rng.pick(&["x", "y", "z", "1", "2"]);
        let more = rng.pick(&["u", "v", "w"]);
        let end = rng.pick(&["LEFT", "RIGHT"]);
        let other_end = rng.pick(&["LEFT", "RIGHT"]);
        let index = rng.pick(&["0", "-1", "1", "-2", "3"]);
        let count = rng.pick(&["0", "1", "-1", "2"]);
        let place = rng.pick(&["BEFORE", "AFTER"]);
        let at = (now.0 + rng.pick(&[20, 60, 150, 100_000])).to_string();
        match rng.below(100) {
            0..14 => words(&["LPUSH", key, element]),
            14..28 => words(&["RPUSH", key, element, more]),
            28..34 => words(&["LPUSH", key, element, more, element]),
            34..38 => words(&["RPUSHX", key, more]),
            38..46 => words(&["LPOP", key]),
            46..54 => words(&["RPOP", key]),
            54..57 => words(&["LPOP", key, "2"]),
            57..60 => words(&["LMPOP", "2", key, other, end, "COUNT", "2"]),
            60..67 => words(&["LMOVE", key, other, end, other_end]),
            67..70 => words(&["RPOPLPUSH", key, key]),
            70..76 => words(&["LSET", key, index, more]),
            76..82 => words(&["LINSERT", key, place, element, more]),
            82..87 => words(&["LREM", key, count, element]),
            87..91 => words(&["LTRIM", key, index, "-1"]),
            91..93 => words(&["DEL", key]),
            93..95 => words(&["PEXPIREAT", key, &at]),
            95..97 => words(&["RENAME", key, other]),
            97..99 => words(&["COPY", key, other, "REPLACE"]),
            _ => words(&["PERSIST", key]),
        }
    }

    /// Hashes, sets and sorted sets, some at keys that hold other types too.
    fn collection_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.collections;
        let hash = rng.pick(&["h", "h", "i", "i", "a", "l"]);
        let set = rng.pick(&["s", "s", "t", "t", "b", "h"]);
        let zset = rng.pick(&["z", "z", "y", "y", "c", "s"]);
        let other = rng.pick(&["h", "s", "t", "z", "y", "a"]);
        let name = rng.pick(&["f", "g", "1", "2", "n"]);
        let more = rng.pick(&["f", "g", "3", "m"]);
        let value = rng.pick(&["v", "w", "5", "8"]);
        let condition = rng.pick(&["NX", "XX", "GT", "LT"]);
        let by = rng.pick(&["1", "-2", "7"]);
        let quarter = rng.pick(&["0.25", "-1.5", "2"]);
        let score = rng.pick(&["1", "2.5", "-3", "4"]);
        let at = (now.0 + rng.pick(&[20, 60, 150, 100_000])).to_string();
        let until = (now.0 + rng.pick(&[0, 20, 60, 150, 400, 100_000])).to_string();
        let of_members = rng.pick(&[hash, set, zset]);
        match rng.below(182) {
            119..150 => words(&["PEXPIREMEMBERAT", of_members, name, &until]),
            150..166 => words(&[
                "HPEXPIREAT",
                hash,
                &until,
                condition,
                "FIELDS",
                "2",
                name,
                more,
            ]),
            166..173 => words(&["PERSIST", of_members, name]),
            173..177 => words(&["HPERSIST", hash, "FIELDS", "2", name, more]),
            177..181 => words(&["EXPIREMEMBER", of_members, name, "60", "ms"]),
            0..12 => words(&["HSET", hash, name, value]),
            12..17 => words(&["HSET", hash, name, value, more, by]),
            17..19 => words(&["HSETNX", hash, name, value]),
            19..26 => words(&["HDEL", hash, name, more]),
            26..34 => words(&["HINCRBY", hash, "n", by]),
            34..38 => words(&["HINCRBYFLOAT", hash, "q", quarter]),
            38..50 => words(&["SADD", set, name, more]),
            50..58 => words(&["SREM", set, name]),
            58..61 => words(&["SPOP", set]),
            61..63 => words(&["SPOP", set, "2"]),
            63..66 => words(&["SMOVE", set, other, name]),
            66..68 => words(&["SUNIONSTORE", other, set, "t"]),
            68..70 => words(&["SINTERSTORE", other, set, "s"]),
            70..82 => words(&["ZADD", zset, score, name]),
            82..85 => words(&["ZADD", zset, "GT", "CH", score, name, quarter, more]),
            85..93 => words(&["ZINCRBY", zset, quarter, name]),
            93..98 => words(&["ZREM", zset, name]),
            98..101 => words(&["ZPOPMIN", zset]),
            101..103 => words(&["ZREMRANGEBYSCORE", zset, "-inf", score]),
            103..105 => words(&["ZUNIONSTORE", other, "2", zset, "z"]),
            105..107 => words(&["ZRANGESTORE", other, zset, "0", "1"]),
            107..110 => words(&["DEL", other]),
            110..113 => words(&["PEXPIREAT", other, &at]),
            113..115 => words(&["RENAME", other, set]),
            115..117 => words(&["COPY", zset, other, "REPLACE"]),
            117..119 => words(&["SET", other, value]),
            _ => words(&["PERSIST", other]),
        }
    }

    /// Bits, and keys that go elsewhere.
    fn later_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.later;
        let key = rng.pick(&["a", "b", "c", "bits", "bits"]);
        let other = rng.pick(&["a", "b", "c", "d", "bits"]);
        let bit = rng.pick(&["0", "1"]);
        let (db, place) = (bit, rng.below(48).to_string());
        let second = rng.below(48).to_string();
        let kind = rng.pick(&["u1", "u4", "u8", "i5", "i13", "u63", "i64"]);
        let overflow = rng.pick(&["WRAP", "SAT", "FAIL", "FAIL"]);
        let by = rng.pick(&["1", "-1", "3", "100", "-70", "5000"]);
        let operation = rng.pick(&["AND", "OR", "XOR"]);
        let ttl = rng.pick(&["0", "60", "400", "100000"]);
        let at = (now.0 + rng.pick(&[20, 150, 100_000])).to_string();
        match rng.below(100) {
            0..30 => words(&["SETBIT", key, &place, bit]),
            30..45 => words(&[
                "BITFIELD", key, "OVERFLOW", overflow, "INCRBY", kind, &place, by,
            ]),
            45..52 => words(&[
                "BITFIELD", key, "OVERFLOW", overflow, "SET", kind, &place, by,
            ]),
            52..57 => words(&[
                "BITFIELD", key, "OVERFLOW", overflow, "INCRBY", kind, &place, by, "GET", "u8",
                "0", "SET", "u4", &second, "9",
            ]),
            57..62 => words(&["BITOP", operation, other, key, "d"]),
            62..64 => words(&["BITOP", "NOT", other, key]),
            64..71 => words(&["RENAME", key, other]),
            71..74 => words(&["RENAMENX", key, other]),
            74..78 => words(&["COPY", key, other, "REPLACE"]),
            78..82 => words(&["COPY", key, other, "DB", db]),
            82..88 => words(&["MOVE", key, db]),
            88..94 => restore(key, ttl, &[]),
            94..97 => restore(key, &at, &["ABSTTL", "REPLACE"]),
            _ => restore(key, ttl, &["REPLACE"]),
        }
    }

    /// A command as clients send it, over few keys, so that they meet.
    fn usual_command(&mut self, now: UnixMillis) -> Command {
        let draw = self.rng.below(100);
        // Floats have a key of their own: nobody appends to it, so that sums stay short.
        if draw >= 95 {
            let delta = self.rng.pick(&["0.25", "1.5", "-2.75", "10"]);
            return match self.rng.below(8) {
                0 => words(&["DEL", "f"]),
                1 => words(&["SET", "f", "7"]),
                2 => words(&["INCRBY", "f", "3"]),
                _ => words(&["INCRBYFLOAT", "f", delta]),
            };
        }
        let key = self.rng.pick(&["a", "b", "c", "d", "e"]);
        let other = self.rng.pick(&["a", "b", "c", "d", "e"]);
        let value = (1 + self.rng.below(99)).to_string();
        let after = self.rng.pick(&[20, 60, 150, 400, 100_000]);
        let (by, offset) = (self.rng.pick(&["1", "2", "7"]), self.rng.below(4));
        let (after, at) = (after.to_string(), (now.0 + after).to_string());
        match draw {
            0..8 => words(&["DEL", key]),
            8..10 => words(&["UNLINK", key, other]),
            10..12 => words(&["GETDEL", key]),
            12..14 if self.rng.percent(20) => words(&["FLUSHALL"]),
            12..14 => words(&["FLUSHDB"]),
            14..26 => words(&["SET", key, &value]),
            26..34 => words(&["SET", key, &value, "PX", &after]),
            34..39 => words(&["SET", key, &value, "KEEPTTL"]),
            39..41 => words(&["SET", key, &value, "XX", "GET"]),
            41..44 => words(&["SETNX", key, &value]),
            44..47 => words(&["MSET", key, &value, other, "5"]),
            47..60 => words(&["INCRBY", key, by]),
            60..66 => words(&["DECR", key]),
            66..74 => words(&["APPEND", key, &value[..1]]),
            74..78 => words(&["SETRANGE", key, &offset.to_string(), &value]),
            78..82 => words(&["PEXPIRE", key, &after]),
            82..86 => words(&["PEXPIREAT", key, &at]),
            86..88 => words(&["GETEX", key, "PX", &after]),
            88..91 => words(&["PERSIST", key]),
            91 => words(&["GETEX", key, "PERSIST"]),
            _ => words(&["GET", key]),
        }
    }

    /// A client reads its own write: a SET shows, a DEL hides, at once.
    fn check_own_write(&self, index: usize, published: &[Published]) {
        let [only] = published else { return };
        let (Some(key), Ok(op)) = (&only.key, Op::decode(&only.op)) else {
            return;
        };
        let keyspace = &self.nodes[index].node.keyspace;
        let hash = keyspace.hash(key);
        let mut guard = keyspace.lock_hash(hash);
        let view = guard.view(only.db, Key { bytes: key, hash }, UnixMillis(0));
        match op {
            Op::Set(value, _) => {
                let shown = view.is_some_and(|view| view.string() == Some(value));
                assert!(shown || ablated(), "a SET does not show at its own node");
            }
            Op::Del => assert!(
                view.is_none() || ablated(),
                "a DEL does not hide at its own node"
            ),
            _ => {}
        }
    }

    /// A write whose place in the journal stays open while the world goes on. A server's holds its partition meanwhile, which
    /// one thread cannot: it has a key of its own.
    pub(super) fn slow_write(&mut self) {
        let index = self.rng.below(self.nodes.len());
        if !self.nodes[index].is_live() {
            return;
        }
        self.in_slow_write = true;
        let node = Arc::clone(&self.nodes[index].node);
        let life = node.origin().incarnation;
        let time = self.nodes[index].time(self.now);
        let reservation = node.keyspace.journal.reserve(1, time);
        for _ in 0..1 + self.rng.below(12) {
            self.step();
        }
        self.in_slow_write = false;
        // Its node may have crashed. A server's write keeps its node from beginning a new life, too, by the partition it holds.
        if !Arc::ptr_eq(&node, &self.nodes[index].node) || node.origin().incarnation != life {
            self.coverage.crashed_writes += 1;
            return;
        }
        self.coverage.slow_writes += 1;
        let tail = [b'a' + self.rng.below(26) as u8];
        let published = self.nodes[index].append(reservation, b"slow", &tail);
        self.published.extend(published);
    }
}

pub(super) fn words(words: &[&str]) -> Command {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// A RESTORE of a number, which INCR can go on with.
fn restore(key: &str, ttl: &str, options: &[&str]) -> Command {
    let mut command = words(&["RESTORE", key, ttl]);
    command.push(payload::dump(b"77"));
    command.extend(words(options));
    command
}

/// Commands as one types them.
fn shown(commands: &[Command]) -> String {
    let line = |command: &Command| {
        let words = command.iter().map(|word| word.escape_ascii().to_string());
        words.collect::<Vec<_>>().join(" ")
    };
    commands.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// Whether a rule is off without which a node may not even see its own writes.
fn ablated() -> bool {
    [
        Rule::ClockMerge,
        Rule::Watermark,
        Rule::ExpiryByStamp,
        Rule::NewLife,
        Rule::Reservation,
    ]
    .into_iter()
    .any(is_off)
}
