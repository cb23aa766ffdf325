//! All rows, and the way from a name to its row: an open-addressed table that the compiler fills.
//!
//! A name of up to 24 bytes is three machine words and a length, lower-cased eight bytes at a time; equal words are equal
//! names, so that a look-up is a multiplication and one or two comparisons of words.

use crate::commands::table::Row;
use crate::commands::{
    bitmaps, cron, expire, flush, function_rows, geo, hashes, hll, keys, lists, member_ttl,
    operator_rows, renames, scan, script_rows, server_rows, session_rows, sets, sort, streams,
    strings, zsets,
};

/// Every family's rows, the ones used most first.
static FAMILIES: &[&[Row]] = &[
    strings::ROWS,
    strings::CHANGE_ROWS,
    keys::ROWS,
    hashes::ROWS,
    hashes::CHANGE_ROWS,
    sets::ROWS,
    sets::COMBINE_ROWS,
    expire::ROWS,
    member_ttl::ROWS,
    scan::ROWS,
    flush::ROWS,
    session_rows::ROWS,
    session_rows::PUBSUB_ROWS,
    server_rows::ROWS,
    script_rows::ROWS,
    function_rows::ROWS,
    operator_rows::ROWS,
    operator_rows::FILE_ROWS,
    bitmaps::ROWS,
    hll::ROWS,
    geo::ROWS,
    geo::READ_ROWS,
    keys::MORE_ROWS,
    lists::ROWS,
    lists::CHANGE_ROWS,
    zsets::ROWS,
    zsets::RANGE_ROWS,
    zsets::ALGEBRA_ROWS,
    sort::ROWS,
    lists::BLOCKING_ROWS,
    zsets::BLOCKING_ROWS,
    streams::ROWS,
    streams::INFO_ROWS,
    streams::GROUP_ROWS,
    cron::ROWS,
];

/// The longest name of a command.
const NAME_LEN_MAX: usize = 24;
/// A power of two, several times the number of commands.
const SLOTS: usize = 2048;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    head: u64,
    /// Of a name of more than two words, what is between them.
    middle: u64,
    tail: u64,
    len: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    name: Name,
    row: Option<&'static Row>,
}

static TABLE: [Slot; SLOTS] = fill();

/// All rows, without subcommands.
pub fn built_in() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|rows| rows.iter())
}

/// The rows that clients reach, without subcommands.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let renames = renames::in_force();
    built_in().filter(move |row| renames.is_none_or(|renames| renames.has(row)))
}

/// The row that clients reach by a name in any case.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static Row> {
    match renames::in_force() {
        None => lookup_built_in(name),
        Some(renames) => renames.lookup(name),
    }
}

/// The row of a command's own name in any case.
#[inline]
pub fn lookup_built_in(name: &[u8]) -> Option<&'static Row> {
    let name = Name::new(name)?;
    let mut at = name.home();
    loop {
        let slot = &TABLE[at % SLOTS];
        if slot.name == name {
            return slot.row;
        }
        slot.row?;
        at += 1;
    }
}

/// The row of `command` or `command|subcommand`.
pub fn lookup_full(name: &[u8]) -> Option<&'static Row> {
    match memchr::memchr(b'|', name) {
        None => lookup(name),
        Some(at) => lookup(&name[..at])?.subcommand(&name[at + 1..]),
    }
}

impl Name {
    #[inline]
    const fn new(name: &[u8]) -> Option<Self> {
        let len = name.len();
        if len > NAME_LEN_MAX {
            return None;
        }
        // Head and tail overlap where the name is shorter than both: together they are all of it.
        let (head, tail) = match (name.first_chunk(), name.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk(), name.last_chunk(), name) {
                (Some(head), Some(tail), _) => (
                    (u32::from_le_bytes(*head) as u64) | (u32::from_le_bytes(*tail) as u64) << 32,
                    0,
                ),
                (_, _, [first, .., last]) => (
                    *first as u64 | (name[len / 2] as u64) << 8 | (*last as u64) << 16,
                    0,
                ),
                (_, _, [one]) => (*one as u64, 0),
                (_, _, []) => return None,
            },
        };
        // Few names are longer than two words.
        let middle = if len > 16 {
            match name.split_at(8).1.first_chunk() {
                Some(middle) => u64::from_le_bytes(*middle),
                None => 0,
            }
        } else {
            0
        };
        Some(Self {
            head: lower(head),
            middle: lower(middle),
            tail: lower(tail),
            len,
        })
    }

    #[inline]
    const fn home(self) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ self.len as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOTS.trailing_zeros())) as usize
    }
}

/// Eight bytes with their ASCII capitals made small.
#[inline]
const fn lower(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_bits = word & (0x7f * EACH);
    let from_a = low_bits + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low_bits + (0x7f - b'Z' as u64) * EACH;
    let capitals = (from_a ^ beyond_z) & !word & (0x80 * EACH);
    word | capitals >> 2
}

const fn fill() -> [Slot; SLOTS] {
    const EMPTY: Slot = Slot {
        name: Name {
            head: 0,
            middle: 0,
            tail: 0,
            len: 0,
        },
        row: None,
    };
    let mut table = [EMPTY; SLOTS];
    let mut count = 0;
    let mut family = 0;
    while family < FAMILIES.len() {
        let mut nth = 0;
        while nth < FAMILIES[family].len() {
            let row = &FAMILIES[family][nth];
            let Some(name) = Name::new(row.name.as_bytes()) else {
                panic!("a command's name is empty or too long");
            };
            let mut at = name.home();
            while table[at % SLOTS].row.is_some() {
                let other = table[at % SLOTS].name;
                assert!(
                    other.head != name.head
                        || other.middle != name.middle
                        || other.tail != name.tail
                        || other.len != name.len,
                    "two rows of one name"
                );
                at += 1;
            }
            table[at % SLOTS] = Slot {
                name,
                row: Some(row),
            };
            count += 1;
            nth += 1;
        }
        family += 1;
    }
    assert!(count * 2 < SLOTS, "the table must stay half empty");
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_in_any_case_and_nothing_else_is() {
        for row in all() {
            let upper = row.name.to_ascii_uppercase();
            for name in [row.name, &upper] {
                assert!(std::ptr::eq(lookup(name.as_bytes()).unwrap(), row));
            }
            for at in 0..row.name.len() {
                let mut other = row.name.as_bytes().to_vec();
                other[at] ^= 0x80;
                assert!(lookup(&other).is_none(), "{other:?}");
                other[at] ^= 0xa0;
                let case_only = row.name.as_bytes()[at].is_ascii_alphabetic();
                assert_eq!(lookup(&other).is_some(), case_only, "{other:?}");
            }
        }
        for name in [
            &b""[..],
            b"g",
            b"ge",
            b"gett",
            b"get\0",
            b"nosuchcommandatall",
        ] {
            assert!(lookup(name).is_none());
        }
    }

    #[test]
    fn look_ups_seldom_probe_twice() {
        let displaced = all()
            .filter(|row| {
                let name = Name::new(row.name.as_bytes()).unwrap();
                TABLE[name.home()].name != name
            })
            .count();
        assert!(displaced * 8 <= all().count(), "{displaced}");
        for hot in ["get", "set", "incr", "mget", "del", "expire"] {
            let name = Name::new(hot.as_bytes()).unwrap();
            assert!(TABLE[name.home()].name == name, "{hot}");
        }
    }

    #[test]
    fn subcommands_are_found_behind_a_bar() {
        assert_eq!(lookup_full(b"Config|GET").unwrap().name, "config|get");
        assert!(lookup_full(b"config|nothing").is_none());
        assert!(lookup_full(b"get|x").is_none());
        assert_eq!(lookup_full(b"GET").unwrap().name, "get");
    }
}
