//! BITCOUNT and BITPOS: a range of a string, in bytes or in bits, and what is looked for in it.
//!
//! Arguments are checked before the key is looked at, as since Redis 7.2.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::resp::parse_i64;

/// A range that is not empty: its first and last byte, and which bits of these belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: usize,
    last: usize,
    head: u8,
    tail: u8,
}

impl Range {
    /// From `start` to `end`, both counted in, negative ones from the end; none where it is empty.
    fn new(start: i64, end: i64, len: usize, in_bits: bool) -> Option<Self> {
        let total = if in_bits { len as i64 * 8 } else { len as i64 };
        let from_start = |at: i64| if at < 0 { (total + at).max(0) } else { at };
        let (start, end) = (from_start(start), from_start(end).min(total - 1));
        if start > end {
            return None;
        }
        Some(if in_bits {
            Self {
                first: start as usize / 8,
                last: end as usize / 8,
                head: 0xff >> (start % 8),
                tail: 0xff << (7 - end % 8),
            }
        } else {
            Self {
                first: start as usize,
                last: end as usize,
                head: 0xff,
                tail: 0xff,
            }
        })
    }

    /// How many bits are 1.
    fn count(self, value: &[u8]) -> i64 {
        let bytes = &value[self.first..=self.last];
        let (words, rest) = bytes.as_chunks::<8>();
        let words = words
            .iter()
            .map(|word| i64::from(u64::from_ne_bytes(*word).count_ones()));
        let rest = rest.iter().map(|byte| i64::from(byte.count_ones()));
        let outside = (value[self.first] & !self.head).count_ones()
            + (value[self.last] & !self.tail).count_ones();
        words.sum::<i64>() + rest.sum::<i64>() - i64::from(outside)
    }

    /// The place in the string of the first such bit.
    fn find(self, value: &[u8], bit: bool) -> Option<i64> {
        let flip = if bit { 0 } else { 0xff };
        let candidates = |at: usize| {
            let head = if at == self.first { self.head } else { 0xff };
            let tail = if at == self.last { self.tail } else { 0xff };
            (value[at] ^ flip) & head & tail
        };
        let found = |at: usize| {
            let byte = candidates(at);
            (byte != 0).then(|| at as i64 * 8 + i64::from(byte.leading_zeros()))
        };
        if let Some(place) = found(self.first) {
            return Some(place);
        }
        // Whole words that are all the other bit are stepped over.
        let other = if bit { 0 } else { u64::MAX };
        let mut at = self.first + 1;
        while let Some(word) = value.get(at..at + 8)
            && at + 8 <= self.last
            && word == other.to_ne_bytes()
        {
            at += 8;
        }
        (at..=self.last).find_map(found)
    }
}

/// Reads `BYTE` or `BIT`: whether it is the latter.
fn parse_unit(word: &[u8]) -> Option<bool> {
    if word.eq_ignore_ascii_case(b"bit") {
        return Some(true);
    }
    word.eq_ignore_ascii_case(b"byte").then_some(false)
}

pub(super) fn bitcount(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let (mut start, mut end, mut in_bits) = (0, -1, false);
    match args.len() {
        2 => {}
        4 | 5 => {
            let (Some(from), Some(to)) = (parse_i64(args.get(2)), parse_i64(args.get(3))) else {
                return call.reply.error(errors::NOT_AN_INTEGER);
            };
            (start, end) = (from, to);
            match args.try_get(4).map(parse_unit) {
                None => {}
                Some(Some(unit)) => in_bits = unit,
                Some(None) => return call.reply.error(errors::SYNTAX),
            }
        }
        _ => return call.reply.error(errors::SYNTAX),
    }
    let key = call.key(1);
    call.read_string(key, |value, reply| {
        let value = value.unwrap_or_default();
        let is_backwards = start < 0 && end < 0 && start > end;
        let range = Range::new(start, end, value.len(), in_bits).filter(|_| !is_backwards);
        reply.integer(range.map_or(0, |range| range.count(value)));
    });
}

pub(super) fn bitpos(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let bit = match parse_i64(args.get(2)) {
        None => return call.reply.error(errors::NOT_AN_INTEGER),
        Some(0) => false,
        Some(1) => true,
        Some(_) => return call.reply.error("ERR The bit argument must be 1 or 0."),
    };
    let (mut start, mut end, mut in_bits) = (0, None, false);
    match args.len() {
        3 => {}
        4..=6 => {
            let Some(from) = parse_i64(args.get(3)) else {
                return call.reply.error(errors::NOT_AN_INTEGER);
            };
            start = from;
            match args.try_get(5).map(parse_unit) {
                None => {}
                Some(Some(unit)) => in_bits = unit,
                Some(None) => return call.reply.error(errors::SYNTAX),
            }
            if let Some(text) = args.try_get(4) {
                end = parse_i64(text);
                if end.is_none() {
                    return call.reply.error(errors::NOT_AN_INTEGER);
                }
            }
        }
        _ => return call.reply.error(errors::SYNTAX),
    }
    let key = call.key(1);
    call.read_string(key, |value, reply| {
        let Some(value) = value else {
            // Nothing is zeros without end.
            return reply.integer(if bit { -1 } else { 0 });
        };
        let Some(range) = Range::new(start, end.unwrap_or(-1), value.len(), in_bits) else {
            return reply.integer(-1);
        };
        // Behind a string without a given end there are zeros, too.
        let behind = if bit || end.is_some() {
            -1
        } else {
            value.len() as i64 * 8
        };
        reply.integer(range.find(value, bit).unwrap_or(behind));
    });
}
