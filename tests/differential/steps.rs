//! Random scenes: a few connections push, pop and wait at three keys.
//!
//! Invariant: one connection at least does not wait before a step, and elements are told apart by their numbers, so that it
//! shows who got which. Redis carries out what stands behind a command that waited when the whole pipeline of whoever pushed
//! is done; here both go on at once. So either has several commands in a scene, never both.

use std::fmt::Write;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What may occur together. Redis 7.0 serves who waits at several keys from the one that became ready first, since 7.2 from the
/// one that it named first: where only the former is there to be compared with, both must come to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Everybody waits at one key.
    OneKey,
    /// Keys become ready one by one.
    NoTransactions,
    /// All of it.
    All,
}

const STEPS: usize = 40;
const NAMES: &[u8] = b"ABCDEF";

struct Steps {
    random: StdRng,
    manner: Manner,
    /// Something stands behind commands that wait, and nothing behind others.
    goes_on: bool,
    element: u32,
}

impl Steps {
    fn below(&mut self, n: usize) -> usize {
        self.random.random_range(0..n)
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn key(&mut self) -> &'static str {
        self.pick(&["k0", "k1", "k2"])
    }

    fn keys(&mut self) -> Vec<&'static str> {
        let count = match self.manner {
            Manner::OneKey => 1,
            _ => 1 + self.below(3),
        };
        (0..count).map(|_| self.key()).collect()
    }

    fn end(&mut self) -> &'static str {
        self.pick(&["LEFT", "RIGHT"])
    }

    fn elements(&mut self) -> String {
        let count = 1 + self.below(3);
        let mut text = String::new();
        for _ in 0..count {
            self.element += 1;
            write!(text, " {}", self.element).unwrap();
        }
        text
    }

    fn waits(&mut self) -> String {
        // What one that waits at several keys moves makes another key ready meanwhile.
        let moves = self.manner != Manner::NoTransactions;
        match self.below(if moves { 8 } else { 6 }) {
            0 | 1 => {
                let name = self.pick(&["BLPOP", "BRPOP"]);
                format!("{name} {} 0", self.keys().join(" "))
            }
            2 | 3 => {
                let name = self.pick(&["BZPOPMIN", "BZPOPMAX"]);
                format!("{name} {} 0", self.keys().join(" "))
            }
            4 => {
                let (keys, end, count) = (self.keys(), self.end(), 1 + self.below(3));
                let keys = format!("{} {}", keys.len(), keys.join(" "));
                format!("BLMPOP 0 {keys} {end} COUNT {count}")
            }
            5 => {
                let (keys, end) = (self.keys(), self.pick(&["MIN", "MAX"]));
                format!("BZMPOP 0 {} {} {end} COUNT 2", keys.len(), keys.join(" "))
            }
            6 => format!("BRPOPLPUSH {} {} 0", self.key(), self.key()),
            _ => {
                let (from, to) = (self.key(), self.key());
                format!("BLMOVE {from} {to} {} {} 0", self.end(), self.end())
            }
        }
    }

    fn acts(&mut self) -> String {
        let key = self.key();
        match self.below(16) {
            0..=3 => {
                let name = self.pick(&["RPUSH", "LPUSH"]);
                format!("{name} {key}{}", self.elements())
            }
            4 | 5 => {
                self.element += 1;
                let (score, element) = (self.below(5), self.element);
                format!("ZADD {key} {score} {element} {} same", self.below(5))
            }
            6 => format!("{} {key}", self.pick(&["LPOP", "RPOP"])),
            7 => format!("{} {key}", self.pick(&["ZPOPMIN", "ZPOPMAX"])),
            8 | 9 => format!("DEL {key}"),
            10 => format!("SET {key} string"),
            11 => format!("RENAME {key} {}", self.key()),
            12 => format!("COPY {key} {} REPLACE", self.key()),
            13 => format!("LMOVE {key} {} {} {}", self.key(), self.end(), self.end()),
            14 => format!("TYPE {key}"),
            _ => format!("LRANGE {key} 0 -1"),
        }
    }

    fn step(&mut self) -> (String, bool) {
        if self.below(2) == 0 {
            let mut text = self.waits();
            if self.goes_on && self.below(2) == 0 {
                let next = self.acts();
                write!(text, " | {next}").unwrap();
            }
            return (text, true);
        }
        let is_whole = self.manner != Manner::NoTransactions && self.below(3) == 0;
        let count = match self.goes_on && !is_whole {
            true => 1,
            false => 1 + self.below(3),
        };
        let acts: Vec<String> = (0..count).map(|_| self.acts()).collect();
        let acts = acts.join(" | ");
        if is_whole {
            return (format!("MULTI | {acts} | EXEC"), false);
        }
        (acts, false)
    }
}

/// The scene of a seed. Whether somebody waits is for the servers to say: who may be waiting is unblocked before it is asked
/// for more, by one that never waits.
pub fn script(seed: u64, manner: Manner) -> String {
    let mut steps = Steps {
        random: StdRng::seed_from_u64(seed),
        manner,
        goes_on: seed.is_multiple_of(2),
        element: 0,
    };
    let names: Vec<char> = NAMES.iter().map(|name| char::from(*name)).collect();
    let names = &names[..3 + steps.below(4)];
    let mut script = String::new();
    let mut may_wait = vec![false; names.len()];
    for _ in 0..STEPS {
        let at = steps.below(names.len());
        if std::mem::take(&mut may_wait[at]) {
            let how = steps.pick(&["", " TIMEOUT", " ERROR"]);
            writeln!(script, "Z CLIENT UNBLOCK ${}{how}", names[at]).unwrap();
        }
        let (step, waits) = steps.step();
        may_wait[at] = waits;
        writeln!(script, "{} {step}", names[at]).unwrap();
    }
    script
}
