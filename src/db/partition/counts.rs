//! How many keys a partition has, what they and what is not settled of them take, and what has happened here.
//!
//! Invariant: what is shown and what has a deadline is counted where a record comes or goes, never by walking.

use crate::db::partition::{Db, Key, Partition, place_of};
use crate::db::stamp::{Hlc, UnixMillis};
use crate::db::table::Was;

/// A record's place and its tag in the table, and the byte that says how long it is.
const PLACE_LEN: usize = 4 + 1 + 1;

/// Counters of what happened here, for metrics and for tests that must know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartitionStats {
    /// Operations on keys, and keys that were flushed.
    pub changes: u64,
    /// Flushes that left nothing.
    pub flushes: u64,
    /// Effects that a later write had overtaken.
    pub superseded: u64,
    /// Effects that arrived although they count as arrived: must stay 0.
    pub late: u64,
    /// Keys removed because their deadline passed.
    pub expired: u64,
    /// Fields and members that went because their deadline passed.
    pub expired_members: u64,
    /// Look-ups for a reader that found their key.
    pub hits: u64,
    /// Look-ups for a reader that did not.
    pub misses: u64,
    /// Tombstones dropped after they settled.
    pub tombstones_dropped: u64,
}

impl Partition {
    /// The keys that are shown, expired ones not yet purged among them, as DBSIZE counts.
    pub fn len(&self, db: u32) -> usize {
        self.dbs[place_of(db)].live
    }

    /// Whether no database shows a key.
    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(|space| space.live == 0)
    }

    /// Whether members of some key have, or had, deadlines.
    pub fn has_timed_members(&self, db: u32) -> bool {
        self.dbs[place_of(db)].timed_members
    }

    /// How many keys have a deadline.
    pub fn timed_len(&self, db: u32) -> usize {
        self.dbs[place_of(db)].timed
    }

    /// Keys with unsettled operations and tombstones, over all databases: both are 0 at rest.
    pub fn pending(&self) -> (usize, usize) {
        let unsettled = self.dbs.iter().map(|space| space.unsettled.len()).sum();
        let tombstones = self
            .dbs
            .iter()
            .map(|space| space.table.len() - space.live)
            .sum();
        (unsettled, tombstones)
    }

    /// About how many bytes a key that shows at `now` takes: its record, its place in the table, what is not settled of it.
    pub fn key_bytes(&mut self, db: u32, key: Key<'_>, now: UnixMillis) -> Option<usize> {
        self.view(db, key, now)?;
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash)?;
        let unsettled = self.unsettled(db, key.bytes);
        let waiting = unsettled.map_or(0, |unsettled| key.bytes.len() + unsettled.len_bytes());
        Some(record.len_bytes() + PLACE_LEN + waiting)
    }

    /// About how many bytes wait to be settled: operations, what they replaced, tombstones and their places in the queue.
    pub fn pending_bytes(&self) -> usize {
        let operations = self.dbs.iter().flat_map(|space| &space.unsettled);
        let operations: usize = operations
            .map(|(key, history)| key.len() + history.len_bytes())
            .sum();
        let place = size_of::<(Hlc, u32, Box<[u8]>)>();
        let queue: usize = self
            .settle
            .iter()
            .map(|(_, _, key)| place + 2 * key.len())
            .sum();
        operations + queue
    }
}

impl Db {
    pub(super) fn count(&mut self, was: Option<Was>, is: (bool, bool)) {
        self.recount(was.map_or((false, false), |was| (was.shown, was.timed)), is);
    }

    /// A key was shown, had a deadline; and is, has.
    pub(super) fn recount(&mut self, was: (bool, bool), is: (bool, bool)) {
        self.live = self.live + usize::from(is.0) - usize::from(was.0);
        self.timed = self.timed + usize::from(is.1) - usize::from(was.1);
    }
}
