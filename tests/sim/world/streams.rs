//! What clients do with streams: few keys and ids, so that they meet; some keys of other types.

use keymesh::db::UnixMillis;

use crate::node::Command;
use crate::world::World;
use crate::world::clients::words;

impl World {
    pub(super) fn stream_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.streams;
        let (key, other) = (rng.pick(&["x", "y"]), rng.pick(&["x", "y", "z"]));
        let value = rng.below(1_000).to_string();
        // Explicit ids of the future and of long ago, beside those that are generated.
        let id = match rng.below(3) {
            0 => format!("{}-{}", rng.below(30), 1 + rng.below(3)),
            1 => format!("{}-*", now.0 as usize + rng.below(40)),
            _ => "*".to_owned(),
        };
        let old = format!("{}-{}", rng.below(30), 1 + rng.below(3));
        let most = rng.pick(&["0", "1", "3", "10", "30"]);
        let at = (now.0 + rng.pick(&[20, 60, 150, 100_000])).to_string();
        match rng.below(100) {
            0..32 => words(&["XADD", key, &id, "field", &value]),
            32..38 => words(&["XADD", key, &id, "field", &value, "other", "1"]),
            38..44 => words(&["XADD", key, "MAXLEN", most, &id, "field", &value]),
            44..48 => words(&["XADD", key, "MAXLEN", "~", most, &id, "field", &value]),
            48..52 => words(&["XTRIM", key, "MAXLEN", most]),
            52..54 => words(&["XTRIM", key, "MINID", &at]),
            54..62 => words(&["XDEL", key, &old, "5-1", "7-2"]),
            62..66 => words(&[
                "XSETID",
                key,
                &format!("{}-5", now.0 as usize + rng.below(50)),
            ]),
            66..68 => {
                let id = format!("{}-5", now.0 as u64 + 100);
                words(&[
                    "XSETID",
                    key,
                    &id,
                    "ENTRIESADDED",
                    "500",
                    "MAXDELETEDID",
                    &old,
                ])
            }
            68..71 => words(&["XREAD", "COUNT", "2", "STREAMS", key, &old]),
            71..72 => words(&["XREAD", "STABLE", "STREAMS", key, "0"]),
            72..74 => words(&["XINFO", "STREAM", key, "FULL"]),
            74..78 => words(&["DEL", key]),
            78..81 => words(&["PEXPIREAT", key, &at]),
            81..83 => words(&["PERSIST", key]),
            83..85 => words(&["SET", key, &value]),
            85..87 => words(&["RPUSH", key, &value]),
            87..91 => words(&["COPY", key, other, "REPLACE"]),
            91..94 => words(&["RENAME", key, other]),
            94..97 => words(&["XRANGE", key, "-", "+"]),
            _ => words(&["UNLINK", key, other]),
        }
    }

    /// What clients do with consumer groups.
    pub(super) fn group_command(&mut self) -> Command {
        let rng = &mut self.streams;
        let key = rng.pick(&["x", "y"]);
        let (group, consumer) = (rng.pick(&["g", "h"]), rng.pick(&["a", "b", "c"]));
        let old = format!("{}-{}", rng.below(30), 1 + rng.below(3));
        let most = rng.pick(&["1", "3", "10"]);
        match rng.below(100) {
            0..20 => words(&["XGROUP", "CREATE", key, group, "0", "MKSTREAM"]),
            20..24 => words(&["XGROUP", "CREATE", key, group, "$", "ENTRIESREAD", "5"]),
            24..28 => words(&["XGROUP", "SETID", key, group, &old]),
            28..30 => words(&["XGROUP", "DESTROY", key, group]),
            30..34 => words(&["XGROUP", "CREATECONSUMER", key, group, consumer]),
            34..37 => words(&["XGROUP", "DELCONSUMER", key, group, consumer]),
            37..62 => words(&[
                "XREADGROUP",
                "GROUP",
                group,
                consumer,
                "COUNT",
                most,
                "STREAMS",
                key,
                ">",
            ]),
            62..66 => words(&[
                "XREADGROUP",
                "GROUP",
                group,
                consumer,
                "NOACK",
                "STREAMS",
                key,
                ">",
            ]),
            66..72 => words(&["XREADGROUP", "GROUP", group, consumer, "STREAMS", key, "0"]),
            72..84 => words(&["XACK", key, group, &old, "5-1", "7-2", "9-3"]),
            84..90 => words(&["XCLAIM", key, group, consumer, "0", &old, "5-1"]),
            90..93 => words(&[
                "XCLAIM", key, group, consumer, "0", &old, "FORCE", "LASTID", &old,
            ]),
            93..98 => words(&["XAUTOCLAIM", key, group, consumer, "0", "0", "COUNT", most]),
            _ => words(&["XPENDING", key, group, "-", "+", "10"]),
        }
    }
}
