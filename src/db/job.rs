//! KEYDB.CRON's value: a script, when it is to run, and at which node.
//!
//! ```text
//! job = flags 1 (1 once) | node u128 | first i64 | anchor i64 | interval u64 | script | keys | arguments
//! script = varint length, bytes; keys, arguments = varint count, (varint length, bytes)*
//! ```
//! Its moments are `first`, and, unless it runs once, all of `anchor + n * interval` behind that. Nothing in it says which of them have
//! been: so two nodes that have the same job hold the same bytes, whatever has run.
//!
//! Invariant: the interval is positive, and neither it nor the times come near the end of 64 bits.

use crate::db::NodeId;
use crate::db::stamp::UnixMillis;
use crate::db::varint::{self, Malformed, Reader};

/// The latest start, and the longest interval: sums of both fit in 64 bits many times over.
pub const TIME_MAX: i64 = 1 << 53;

const ONCE: u8 = 1;

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job<'a> {
    /// It goes when it has run.
    pub is_once: bool,
    /// The node where it runs; zero for one of a server without others.
    pub node: NodeId,
    /// When it is due for the first time.
    pub first: UnixMillis,
    /// What its other moments are counted from.
    pub anchor: UnixMillis,
    /// Milliseconds between them.
    pub interval: i64,
    /// What is run.
    pub script: &'a [u8],
    /// Its KEYS.
    pub keys: Vec<&'a [u8]>,
    /// Its ARGV.
    pub arguments: Vec<&'a [u8]>,
}

impl<'a> Job<'a> {
    /// Appends the bytes of the head of the file.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_once) * ONCE);
        out.extend_from_slice(&self.node.0.to_le_bytes());
        for number in [self.first.0, self.anchor.0, self.interval] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        varint::put_bytes(out, self.script);
        for words in [&self.keys, &self.arguments] {
            varint::put(out, words.len() as u64);
            words.iter().for_each(|word| varint::put_bytes(out, word));
        }
    }

    /// Reads what [`Self::encode`] wrote, to the last byte.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        if flags & !ONCE != 0 {
            return Err(Malformed("unknown flags of a job"));
        }
        let node = NodeId(reader.u128()?);
        let mut number = || reader.u64().map(|number| number as i64);
        let (first, anchor, interval) = (number()?, number()?, number()?);
        let is_time = |time: i64| (0..=2 * TIME_MAX).contains(&time);
        if !is_time(first) || !is_time(anchor) || !(1..=TIME_MAX).contains(&interval) {
            return Err(Malformed("times of a job out of range"));
        }
        let script = reader.bytes()?;
        let mut words = || -> Result<Vec<&'a [u8]>, Malformed> {
            (0..reader.varint()?).map(|_| reader.bytes()).collect()
        };
        let (keys, arguments) = (words()?, words()?);
        if !reader.is_empty() {
            return Err(Malformed("bytes behind a job"));
        }
        Ok(Self {
            is_once: flags & ONCE != 0,
            node,
            first: UnixMillis(first),
            anchor: UnixMillis(anchor),
            interval,
            script,
            keys,
            arguments,
        })
    }

    /// Its first moment that comes after `time`; none where it has none left.
    pub fn next(&self, time: UnixMillis) -> Option<UnixMillis> {
        if time < self.first {
            return Some(self.first);
        }
        if self.is_once {
            return None;
        }
        let since = time.0.saturating_sub(self.anchor.0);
        let nth = since.div_euclid(self.interval).saturating_add(1);
        let next = nth.saturating_mul(self.interval);
        Some(UnixMillis(self.anchor.0.saturating_add(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(is_once: bool, first: i64, anchor: i64, interval: i64) -> Job<'static> {
        Job {
            is_once,
            node: NodeId(7),
            first: UnixMillis(first),
            anchor: UnixMillis(anchor),
            interval,
            script: b"return 1",
            keys: vec![b"k", b""],
            arguments: vec![b"a"],
        }
    }

    #[test]
    fn a_job_has_these_bytes_and_comes_back() {
        let job = job(true, 1, 2, 3);
        let mut golden = vec![1, 7];
        golden.extend_from_slice(&[0; 15]);
        for number in [1, 2, 3] {
            golden.push(number);
            golden.extend_from_slice(&[0; 7]);
        }
        golden.extend_from_slice(b"\x08return 1\x02\x01k\x00\x01\x01a");
        let mut out = Vec::new();
        job.encode(&mut out);
        assert_eq!(out, golden);
        assert_eq!(Job::read(&golden), Ok(job));
        for len in 0..golden.len() {
            assert!(Job::read(&golden[..len]).is_err());
        }
        golden.push(0);
        assert!(Job::read(&golden).is_err(), "something behind it");
    }

    #[test]
    fn what_is_no_job_is_refused() {
        let encoded = |job: Job<'_>| {
            let mut out = Vec::new();
            job.encode(&mut out);
            out
        };
        for wrong in [
            job(false, -1, 0, 1),
            job(false, 0, -1, 1),
            job(false, 0, 0, 0),
            job(false, 0, 0, -5),
            job(false, i64::MAX, 0, 1),
            job(false, 0, 0, i64::MAX),
        ] {
            assert!(Job::read(&encoded(wrong)).is_err());
        }
        let mut flags = encoded(job(false, 0, 0, 1));
        flags[0] = 2;
        assert!(Job::read(&flags).is_err());
        // A count of more than there is room for costs nothing.
        let mut many = encoded(job(false, 0, 0, 1));
        many.truncate(many.len() - 3);
        many.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert!(Job::read(&many).is_err());
    }

    #[test]
    fn moments_are_the_first_and_then_those_of_the_grid() {
        let next = |job: &Job<'_>, time: i64| job.next(UnixMillis(time)).map(|next| next.0);
        let grid = job(false, 1_000, 1_000, 300);
        for (time, expected) in [
            (0, 1_000),
            (999, 1_000),
            (1_000, 1_300),
            (1_299, 1_300),
            (1_300, 1_600),
            (9_999, 10_000),
        ] {
            assert_eq!(next(&grid, time), Some(expected), "{time}");
        }
        // Late from the start on: at once, and then where it would have been.
        let late = job(false, 5_050, 1_000, 300);
        assert_eq!(next(&late, 5_049), Some(5_050));
        assert_eq!(next(&late, 5_050), Some(5_200));
        let once = job(true, 1_000, 1_000, 300);
        assert_eq!(next(&once, 999), Some(1_000));
        assert_eq!(next(&once, 1_000), None);
        let last = job(false, TIME_MAX, TIME_MAX, TIME_MAX);
        assert!(next(&last, i64::MAX).is_some());
    }
}
