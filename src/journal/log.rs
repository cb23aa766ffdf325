//! One origin's records in stamp order.

use std::collections::VecDeque;

use crate::db::Hlc;
use crate::journal::Record;

/// A record in its place.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The stamp of the origin's record before this one.
    pub prev: Hlc,
    /// The stamp of its last operation.
    pub stamp: Hlc,
    /// What was done.
    pub record: Record,
}

impl Entry {
    /// Memory it counts for.
    pub fn len_bytes(&self) -> usize {
        self.record.payload.len() + size_of::<Self>()
    }
}

/// How much of an origin is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Everything up to here has arrived.
    pub arrived: Hlc,
    /// The last record among that: after it and up to `arrived` the origin made nothing.
    pub last: Hlc,
    /// Records after this are still in the journal.
    pub base: Hlc,
}

/// The records asked for are no longer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal begins after what was asked for")]
pub struct ReadError {
    /// Where it begins.
    pub base: Hlc,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) arrived: Hlc,
    pub(super) last: Hlc,
    base: Hlc,
    entries: VecDeque<Entry>,
}

impl Log {
    pub(super) fn begin(&mut self, floor: Hlc) {
        (self.arrived, self.last, self.base) = (floor, Hlc::ZERO, Hlc::ZERO);
        self.entries.clear();
    }

    pub(super) fn clear(&mut self, until: Hlc, last: Hlc) -> usize {
        let freed = self.entries.iter().map(Entry::len_bytes).sum();
        self.entries.clear();
        (self.arrived, self.last, self.base) = (until, last, last);
        freed
    }

    pub(super) fn append(&mut self, entry: Entry) {
        self.arrived = self.arrived.max(entry.stamp);
        self.last = entry.stamp;
        self.entries.push_back(entry);
    }

    pub(super) fn position(&self) -> Position {
        Position {
            arrived: self.arrived,
            last: self.last,
            base: self.base,
        }
    }

    pub(super) fn first_stamp(&self) -> Option<Hlc> {
        self.entries.front().map(|entry| entry.stamp)
    }

    pub(super) fn drop_first(&mut self) -> usize {
        self.entries.pop_front().map_or(0, |entry| {
            self.base = entry.stamp;
            entry.len_bytes()
        })
    }

    /// The record that the operation of this time belongs to, while it is here.
    pub(super) fn find(&self, time: Hlc) -> Option<&Entry> {
        let at = self.entries.partition_point(|entry| entry.stamp < time);
        self.entries.get(at).filter(|entry| {
            let operations = u64::from(entry.record.count.max(1));
            entry.stamp.raw() - time.raw() < operations
        })
    }

    pub(super) fn read(
        &self,
        after: Hlc,
        bytes_max: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), ReadError> {
        if after < self.base {
            return Err(ReadError { base: self.base });
        }
        let from = self.entries.partition_point(|entry| entry.stamp <= after);
        let mut bytes = 0;
        for entry in self.entries.range(from..) {
            if bytes >= bytes_max {
                break;
            }
            bytes += entry.len_bytes();
            out.push(entry.clone());
        }
        Ok(())
    }
}
