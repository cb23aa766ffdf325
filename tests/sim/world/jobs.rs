//! What clients do with jobs of KEYDB.CRON: few keys, so that they meet, some of them of other types. Nothing runs here: that a job is
//! taken when it runs is one more DEL.

use keymesh::db::UnixMillis;

use crate::node::Command;
use crate::world::World;
use crate::world::clients::words;

impl World {
    pub(super) fn job_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.jobs;
        let (key, other) = (rng.pick(&["j", "k", "a"]), rng.pick(&["j", "k", "b"]));
        let when = rng.pick(&["single", "repeat"]);
        let interval = (1 + rng.below(3)).to_string();
        let script = rng.pick(&["return 1", "redis.call('incr','a')", ""]);
        let start = (now.0 + rng.pick(&[-50, 0, 100])).to_string();
        let until = (now.0 + rng.pick(&[20, 60, 150, 100_000])).to_string();
        match rng.below(100) {
            0..20 => words(&["KEYDB.CRON", key, when, &interval, script]),
            20..30 => words(&["KEYDB.CRON", key, when, &start, &interval, script]),
            30..36 => words(&["KEYDB.CRON", key, when, "0", "1000000", script, "1", other]),
            36..42 => words(&[
                "KEYDB.CRON",
                key,
                when,
                "7",
                script,
                "2",
                key,
                other,
                "x",
                "",
            ]),
            42..54 => words(&["DEL", key]),
            54..62 => words(&["PEXPIREAT", key, &until]),
            62..68 => words(&["PERSIST", key]),
            68..74 => words(&["SET", key, "1"]),
            74..80 => words(&["SADD", key, "m"]),
            80..85 => words(&["INCRBY", key, "2"]),
            85..94 => words(&["RENAME", key, other]),
            94..97 => words(&["MOVE", key, "1"]),
            _ => words(&["COPY", key, other, "REPLACE"]),
        }
    }
}
