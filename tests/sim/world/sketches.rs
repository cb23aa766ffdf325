//! What clients do with HyperLogLogs: few keys and elements, so that they meet; some of them dense, some of other types.
//!
//! Nobody appends to these keys: how the registers lie in the string is compared between masters, and is not the oracle's matter.

use keymesh::db::UnixMillis;

use crate::node::Command;
use crate::world::World;
use crate::world::clients::words;

impl World {
    pub(super) fn sketch_command(&mut self, now: UnixMillis) -> Command {
        let rng = &mut self.sketches;
        let (key, other) = (rng.pick(&["p", "q", "r"]), rng.pick(&["p", "q", "r"]));
        let elements: Vec<String> = (0..4).map(|_| rng.below(40).to_string()).collect();
        let [one, two, three, four] = &elements[..] else {
            unreachable!("four were drawn")
        };
        let at = (now.0 + rng.pick(&[20, 60, 150, 100_000])).to_string();
        match rng.below(100) {
            0..25 => words(&["PFADD", key, one]),
            25..45 => words(&["PFADD", key, one, two, three, four]),
            45..48 => words(&["PFADD", key]),
            48..60 => words(&["PFMERGE", key, other]),
            60..65 => words(&["PFMERGE", key, other, "p"]),
            65..67 => words(&["PFMERGE", key]),
            67..72 => words(&["PFCOUNT", key]),
            72..74 => words(&["PFDEBUG", "TODENSE", key]),
            74..75 => words(&["PFDEBUG", "GETREG", key]),
            75..82 => words(&["DEL", key]),
            82..85 => words(&["PEXPIREAT", key, &at]),
            85..87 => words(&["PERSIST", key]),
            87..89 => words(&["SET", key, one]),
            89..91 => words(&["SADD", key, one]),
            91..93 => words(&["INCRBY", key, "2"]),
            93..96 => words(&["COPY", key, other, "REPLACE"]),
            96..98 => words(&["RENAME", key, other]),
            _ => words(&["GETDEL", key]),
        }
    }
}
