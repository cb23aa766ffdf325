//! A set of commands: a bit for each command and each subcommand that the server knows.
//!
//! Invariant: a command with subcommands changes together with all of them; a subcommand may differ from its command afterwards.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::commands::docs::Categories;
use crate::commands::registry;
use crate::commands::table::Row;

const WORDS: usize = 16;
/// Names of commands of Redis that a replica needs there; here a link begins with one command.
const OF_REPLICAS: [&[u8]; 2] = [b"psync", b"sync"];
const LINK: &[u8] = b"keymesh.link";

type Numbers = HashMap<usize, u16, foldhash::fast::FixedState>;

/// Each row's place in the set, by its address: rows are constants.
static NUMBERS: LazyLock<Numbers> = LazyLock::new(|| all().map(address).zip(0..).collect());

/// All commands, each followed by its subcommands.
fn all() -> impl Iterator<Item = &'static Row> {
    registry::built_in().flat_map(|row| std::iter::once(row).chain(row.docs.subcommands))
}

fn address(row: &Row) -> usize {
    std::ptr::from_ref(row).addr()
}

/// Where a row's bit is: the word and the bit in it.
fn place(row: &Row) -> Option<(usize, u64)> {
    let number = usize::from(*NUMBERS.get(&address(row))?);
    (number < WORDS * 64).then(|| (number / 64, 1 << (number % 64)))
}

/// The command or `command|subcommand` that a rule names, whatever clients call it.
pub fn find(name: &[u8]) -> Option<&'static Row> {
    if OF_REPLICAS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
    {
        return registry::lookup_built_in(LINK);
    }
    match memchr::memchr(b'|', name) {
        None => registry::lookup_built_in(name),
        Some(at) => registry::lookup_built_in(&name[..at])?.subcommand(&name[at + 1..]),
    }
}

/// Commands and subcommands of a category.
pub fn of_category(category: Categories) -> impl Iterator<Item = &'static Row> {
    all().filter(move |row| row.categories().has(category))
}

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandSet {
    bits: [u64; WORDS],
}

impl CommandSet {
    /// No command.
    pub const NONE: Self = Self { bits: [0; WORDS] };
    /// All, also those to come.
    pub const ALL: Self = Self {
        bits: [u64::MAX; WORDS],
    };

    /// Whether a command is among them.
    #[inline]
    pub fn has(&self, row: &Row) -> bool {
        place(row).is_some_and(|(word, bit)| self.bits[word] & bit != 0)
    }

    /// Whether all are.
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    /// Adds or takes away a command with its subcommands.
    pub fn set(&mut self, row: &Row, is_allowed: bool) {
        for row in std::iter::once(row).chain(row.docs.subcommands) {
            let Some((word, bit)) = place(row) else {
                continue;
            };
            if is_allowed {
                self.bits[word] |= bit;
            } else {
                self.bits[word] &= !bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_subcommand_has_a_bit_of_its_own() {
        for row in all() {
            let mut set = CommandSet::NONE;
            set.set(row, true);
            let others = all().filter(|other| set.has(other));
            assert_eq!(others.count(), 1 + row.docs.subcommands.len());
            assert!(set.has(row), "{}", row.name);
            let mut set = CommandSet::ALL;
            set.set(row, false);
            assert!(!set.has(row) && !set.is_all(), "{}", row.name);
            set.set(row, true);
            assert!(set.is_all(), "{}", row.name);
        }
    }

    #[test]
    fn the_commands_of_replicas_mean_the_one_that_begins_a_link() {
        for name in [&b"psync"[..], b"SYNC", b"keymesh.link"] {
            assert_eq!(find(name).unwrap().name, "keymesh.link");
        }
        assert_eq!(find(b"Config|GET").unwrap().name, "config|get");
        assert!(find(b"psync|x").is_none() && find(b"").is_none());
    }
}
