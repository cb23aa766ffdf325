//! What clients do where most members go by themselves: few keys and names, deadlines before and after every clock's present.

use keymesh::db::UnixMillis;

use crate::node::Command;
use crate::world::World;
use crate::world::clients::words;

impl World {
    pub(super) fn timed_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.collections;
        let (hash, set, zset) = (rng.pick(&["h", "i"]), rng.pick(&["s", "t"]), "z");
        let any = rng.pick(&[hash, set, zset]);
        let other = rng.pick(&["h", "s", "z"]);
        let name = rng.pick(&["f", "g", "1", "2"]);
        let more = rng.pick(&["f", "g", "3"]);
        let condition = rng.pick(&["NX", "XX", "GT", "LT"]);
        // Stamps of others are up to some hundreds ahead.
        let until = rng.pick(&[-40, 0, 5, 20, 60, 150, 300, 600, 100_000]);
        let until = (now.0 + until).to_string();
        let after = rng.pick(&["1", "25", "80", "250"]);
        match rng.below(100) {
            0..24 => words(&["PEXPIREMEMBERAT", any, name, &until]),
            24..34 => words(&["HPEXPIREAT", hash, &until, "FIELDS", "2", name, more]),
            34..40 => words(&["HPEXPIREAT", hash, &until, condition, "FIELDS", "1", name]),
            40..46 => words(&["HPEXPIRE", hash, after, "FIELDS", "1", name]),
            46..50 => words(&["EXPIREMEMBER", any, name, after, "ms"]),
            50..55 => words(&["PERSIST", any, name]),
            55..58 => words(&["HPERSIST", hash, "FIELDS", "2", name, more]),
            58..66 => words(&["HSET", hash, name, "v", more, "5"]),
            66..69 => words(&["HINCRBY", hash, "1", "3"]),
            69..71 => words(&["HSETNX", hash, name, "w"]),
            71..78 => words(&["SADD", set, name, more]),
            78..83 => words(&["ZADD", zset, "1", name, "2", more]),
            83..85 => words(&["ZINCRBY", zset, "2", name]),
            85..87 => words(&["HDEL", hash, name]),
            87..89 => words(&["SREM", set, name]),
            89..91 => words(&["SMOVE", set, "s", name]),
            91..92 => words(&["ZPOPMIN", zset]),
            92..94 => words(&["COPY", any, other, "REPLACE"]),
            94..95 => words(&["RENAME", any, other]),
            95..97 => words(&["PEXPIREAT", any, &until]),
            97..98 => words(&["DEL", any]),
            _ => words(&["HLEN", hash]),
        }
    }
}
