//! Looking over whole databases: SCAN, KEYS, DBSIZE, RANDOMKEY.
//!
//! A SCAN cursor is `position << log2(partitions) | partition`: the low bits name the partition to walk, the rest the position
//! in its table to go on from (see [`crate::db::table`]). Positions only go up within a partition, so a key that is there
//! from the start of a scan to its end is returned, however the table grows meanwhile. Any number is a valid cursor.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::UnixMillis;
use crate::db::glob::glob_match;
use crate::db::record::Record;
use crate::db::table::{KeyHasher, Table, position};
use crate::resp::{parse_i64, parse_u64};

mod rows;

pub use rows::ROWS;

/// What SCAN looks at where COUNT does not say.
const COUNT_DEFAULT: usize = 10;
/// Segments that one call looks at, most of them empty: a table does not shrink.
const SEGMENTS_MAX: usize = 256;
/// Picks at random before RANDOMKEY looks through the whole database.
const PICKS_MAX: u64 = 100;

/// Reads a cursor as C's `strtoul` does, which Redis calls: signs and leading zeros are fine, blanks are not.
pub fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return text.is_empty().then_some(0);
    }
    let first = digits.iter().position(|&digit| digit != b'0');
    let magnitude = match first {
        Some(first) => parse_u64(&digits[first..])?,
        None => 0,
    };
    Some(if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    })
}

/// The partition that a cursor names, of `count`, a power of two.
pub fn cursor_partition(cursor: u64, count: usize) -> usize {
    cursor as usize & (count - 1)
}

/// What SCAN and KEYS let through.
#[derive(Debug, Clone, Copy)]
struct Filter<'a> {
    now: UnixMillis,
    /// None lets all through, as `*` does.
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn set_pattern(&mut self, pattern: &'a [u8]) {
        self.pattern = (pattern != b"*").then_some(pattern);
    }

    fn passes(&self, record: Record<'_>) -> bool {
        if record.is_gone(self.now) {
            return false;
        }
        let fits = |pattern| glob_match(pattern, record.key(), false);
        self.pattern.is_none_or(fits)
            && self.type_name.is_none_or(|name| {
                let kind = record.shown().kind().name();
                kind.as_bytes().eq_ignore_ascii_case(name)
            })
    }
}

fn scan(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let Some(cursor) = parse_cursor(args.get(1)) else {
        return call.reply.error("ERR invalid cursor");
    };
    let mut count = COUNT_DEFAULT;
    let mut filter = Filter {
        now: call.now,
        pattern: None,
        type_name: None,
    };
    for index in (2..args.len()).step_by(2) {
        let word = args.get(index);
        let Some(value) = args.try_get(index + 1) else {
            return call.reply.error(errors::SYNTAX);
        };
        if word.eq_ignore_ascii_case(b"count") {
            match parse_i64(value) {
                None => return call.reply.error(errors::NOT_AN_INTEGER),
                Some(value) if value < 1 => return call.reply.error(errors::SYNTAX),
                Some(value) => count = usize::try_from(value).unwrap_or(usize::MAX),
            }
        } else if word.eq_ignore_ascii_case(b"match") {
            filter.set_pattern(value);
        } else if word.eq_ignore_ascii_case(b"type") {
            filter.type_name = Some(value);
        } else {
            return call.reply.error(errors::SYNTAX);
        }
    }

    let partitions = call.access.count();
    let bits = partitions.trailing_zeros();
    let (mut index, mut from) = (
        cursor_partition(cursor, partitions),
        (cursor >> bits) as u32,
    );
    let (mut found, mut segments) = (Vec::new(), SEGMENTS_MAX);
    // Small databases are looked over in one call, as in Redis.
    let next = loop {
        let next = call.access.at(index).and_then(|partition| {
            let table = partition.table(call.db);
            let hasher = call.setting.hasher;
            walk(table, hasher, from, count, &mut segments, &mut found)
        });
        match next {
            Some(position) => break u64::from(position) << bits | index as u64,
            None if index + 1 == partitions => break 0,
            None => (index, from) = (index + 1, 0),
        }
        if found.len() >= count || segments == 0 {
            break index as u64;
        }
    };
    found.retain(|record| filter.passes(*record));
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    call.reply.array(found.len());
    for record in found {
        call.reply.bulk(record.key());
    }
}

/// Collects about `count` records from position `from` on; returns where to go on, none after the last.
fn walk<'t>(
    table: &'t Table,
    hasher: &KeyHasher,
    from: u32,
    count: usize,
    segments: &mut usize,
    found: &mut Vec<Record<'t>>,
) -> Option<u32> {
    let mut from = from;
    while *segments > 0 {
        *segments -= 1;
        let mut here: Vec<(u32, Record<'t>)> = table
            .segment(from)
            .map(|record| (position(hasher.hash(record.key())), record))
            .filter(|(position, _)| *position >= from)
            .collect();
        let left = count - found.len();
        if here.len() > left {
            // The positions cut the segment: all up to the last one taken, so that none is met twice or left out.
            let (_, (last, _), _) = here.select_nth_unstable_by_key(left - 1, |(at, _)| *at);
            let last = *last;
            here.retain(|(position, _)| *position <= last);
            found.extend(here.iter().map(|(_, record)| record));
            return last.checked_add(1);
        }
        found.extend(here.iter().map(|(_, record)| record));
        from = table.segment_end(from)?;
        if found.len() >= count {
            break;
        }
    }
    Some(from)
}

fn keys_matching(call: &mut DataCall<'_, '_>) {
    let mut filter = Filter {
        now: call.now,
        pattern: None,
        type_name: None,
    };
    filter.set_pattern(call.args.get(1));
    let header = call.reply.deferred_array();
    let mut found = 0;
    for partition in call.access.iter() {
        for record in partition.table(call.db).iter() {
            if filter.passes(record) {
                call.reply.bulk(record.key());
                found += 1;
            }
        }
    }
    call.reply.set_len(header, found);
}

fn dbsize(call: &mut DataCall<'_, '_>) {
    let db = call.db;
    let keys: usize = call.access.iter().map(|partition| partition.len(db)).sum();
    call.reply.integer(keys as i64);
}

fn randomkey(call: &mut DataCall<'_, '_>) {
    let (db, random) = (call.db, call.setting.random());
    let filter = Filter {
        now: call.now,
        pattern: None,
        type_name: None,
    };
    let tables = || call.access.iter().map(|partition| partition.table(db));
    let total: usize = tables().map(Table::len).sum();
    if total == 0 {
        return call.reply.null();
    }
    let mut picks = (0..PICKS_MAX).filter_map(|nth| {
        let pick = mix(random.wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut nth_key = pick as usize % total;
        let table = tables().find(|table| {
            let here = nth_key < table.len();
            nth_key = nth_key.saturating_sub(table.len());
            here
        })?;
        table.random(mix(pick))
    });
    let found = picks.find(|record| filter.passes(*record)).or_else(|| {
        tables()
            .flat_map(Table::iter)
            .find(|record| filter.passes(*record))
    });
    match found {
        Some(record) => call.reply.bulk(record.key()),
        None => call.reply.null(),
    }
}

/// Spreads a number over 64 bits.
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests;
