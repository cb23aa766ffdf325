//! What time does to the keyspace, a small piece per lock: settling, purging, digests.

use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use crate::db::digest;
use crate::db::{Hlc, UnixMillis, View};
use crate::keyspace::Keyspace;

/// How often every segment is looked at for expired keys, in milliseconds.
pub const PURGE_PERIOD_MS: u64 = 100;
/// What INFO shows of all partitions together. Counted where the lock is held anyway, so that no command pays for a shared
/// counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Look-ups that found their key.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Keys removed because their deadline passed.
    pub expired: u64,
    /// Fields and members likewise.
    pub expired_members: u64,
}

/// Expired keys and members of a partition, on their way out.
#[derive(Debug)]
pub struct Purge {
    index: usize,
    before: UnixMillis,
    settled: Hlc,
    /// What is left: databases, each for its keys or for their members, the next one last.
    databases: SmallVec<[(u32, bool); 16]>,
    /// Where to go on.
    from: u32,
}

/// Records of a database and partition that are looked at to judge all deadlines.
const TTL_SAMPLE: usize = 256;

/// Members per lock that go because their time has come. Each may need a part of its own that was shared with a copy until then,
/// which takes ten to twenty microseconds.
const SWEEP_BATCH: usize = 32;

/// Keys settled per lock.
const SETTLE_BATCH: usize = 64;

impl Keyspace {
    /// Folds and drops what is settled in one partition, in short holds.
    pub fn settle_partition(&self, index: usize) {
        while self.settle_some(index) {}
    }

    /// The same of some of it, in one hold; true where there may be more.
    pub fn settle_some(&self, index: usize) -> bool {
        let settled = self.settled();
        let mut partition = self.lock(index);
        for db in 0..self.databases {
            partition.settle_cut(db, settled);
        }
        partition.settle(settled, SETTLE_BATCH) == SETTLE_BATCH
    }

    /// Removes the expired keys of one partition, and members whose time has come.
    pub fn purge_partition(&self, index: usize, now: UnixMillis) {
        let mut purge = self.begin_purge(index, now);
        while self.purge_some(&mut purge) {}
    }

    /// Begins that. Where writes come from elsewhere, only deadlines before the settled time are past recall.
    pub fn begin_purge(&self, index: usize, now: UnixMillis) -> Purge {
        self.announce_rest(index);
        let settled = self.settled();
        let mut purge = Purge {
            index,
            before: now,
            settled,
            databases: SmallVec::new(),
            from: 0,
        };
        purge.before = if self.is_stamped() || self.is_following() {
            if settled == Hlc::ZERO {
                return purge;
            }
            UnixMillis(settled.millis().0.min(now.0))
        } else {
            if self.is_recording() {
                // Whoever still finds the key here is stamped later, and the replicas judge that it was gone by then.
                self.journal.observe(Hlc::at(now));
            }
            now
        };
        let partition = self.lock(index);
        for db in 0..self.databases {
            if partition.timed_len(db) > 0 {
                purge.databases.push((db, false));
            }
            if partition.has_timed_members(db) {
                purge.databases.push((db, true));
            }
        }
        purge
    }

    /// A piece of it, in one hold; true where there is more.
    pub fn purge_some(&self, purge: &mut Purge) -> bool {
        let Some((db, of_members)) = purge.databases.last().copied() else {
            if self.is_heard() {
                self.pubsub.announce();
            }
            return false;
        };
        let mut partition = self.lock(purge.index);
        let next = match of_members {
            true => partition.sweep_segment(db, purge.from, purge.before, Some(SWEEP_BATCH)),
            false => partition.purge_expired(db, purge.from, purge.before, purge.settled),
        };
        if partition.has_news() {
            self.gather(None, std::iter::once(&mut *partition));
        }
        drop(partition);
        purge.from = next.unwrap_or(0);
        if next.is_none() {
            purge.databases.pop();
        }
        true
    }

    /// Gives back, in one partition, the room behind values that have grown and did not since the last call but one.
    pub fn give_back_spare(&self, index: usize) {
        self.lock(index).give_back_spare();
    }

    /// What the partitions counted since the start or since [`Self::reset_counts`].
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for index in 0..self.partitions.len() {
            let stats = self.lock(index).stats;
            sum.hits += stats.hits;
            sum.misses += stats.misses;
            sum.expired += stats.expired;
            sum.expired_members += stats.expired_members;
        }
        sum
    }

    /// How many operations on keys there were, and keys that were flushed.
    pub fn changes(&self) -> u64 {
        let partitions = 0..self.partitions.len();
        partitions.map(|index| self.lock(index).stats.changes).sum()
    }

    /// A number that rises whenever a flush leaves nothing: of FLUSHALL, and of FLUSHDB where no other database has keys.
    pub fn flushes(&self) -> u64 {
        // A flush holds all of them, and what is left in one is about what is left in each.
        self.lock(0).stats.flushes
    }

    /// Keys and keys with a deadline, by database.
    pub fn key_counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.databases as usize];
        for index in 0..self.partitions.len() {
            let partition = self.lock(index);
            for (db, (keys, timed)) in (0..).zip(&mut counts) {
                *keys += partition.len(db);
                *timed += partition.timed_len(db);
            }
        }
        counts
    }

    /// Bytes of all keys with their values, and of the tables that find them.
    pub fn data_bytes(&self) -> (usize, usize) {
        let (mut records, mut index) = (0, 0);
        for nth in 0..self.partitions.len() {
            let partition = self.lock(nth);
            for db in 0..self.databases {
                records += partition.table(db).records_bytes();
                index += partition.table(db).index_bytes();
            }
        }
        (records, index)
    }

    /// How long keys with a deadline have left on average: an estimate from some of them, 0 where none were met.
    pub fn average_ttl_ms(&self, db: u32, now: UnixMillis) -> i64 {
        let (mut sum, mut count) = (0i128, 0i128);
        self.sample_deadlines(db, |deadline| {
            sum += i128::from(deadline.0.saturating_sub(now.0).max(0));
            count += 1;
        });
        i64::try_from(sum / count.max(1)).unwrap_or(i64::MAX)
    }

    /// How many in a hundred of the keys with a deadline are past it and not yet removed, judged by some of them.
    pub fn stale_percent(&self, now: UnixMillis) -> f64 {
        let (mut stale, mut count) = (0u64, 0u64);
        for db in 0..self.databases {
            self.sample_deadlines(db, |deadline| {
                stale += u64::from(deadline.0 <= now.0);
                count += 1;
            });
        }
        stale as f64 * 100.0 / count.max(1) as f64
    }

    fn sample_deadlines(&self, db: u32, mut look: impl FnMut(UnixMillis)) {
        for index in 0..self.partitions.len() {
            let partition = self.lock(index);
            if partition.timed_len(db) == 0 {
                continue;
            }
            let some = partition.table(db).iter().take(TTL_SAMPLE);
            let live = some.filter(|record| !record.is_tombstone());
            live.filter_map(|record| record.deadline())
                .for_each(&mut look);
        }
    }

    /// `CONFIG RESETSTAT`.
    pub fn reset_counts(&self) {
        for partition in &self.partitions {
            let stats = &mut partition.lock().stats;
            (stats.hits, stats.misses) = (0, 0);
            (stats.expired, stats.expired_members) = (0, 0);
        }
        self.holds.reset();
    }

    /// A digest of what clients see: equal data gives equal digests on every node, whatever its history, expired keys left
    /// out. The sum over all keys of a hash of database, key, value and deadline.
    pub fn digest(&self, wall: UnixMillis) -> u128 {
        let now = self.time(wall);
        let mut guards = self.lock_all();
        guards.iter_mut().for_each(|guard| guard.sweep_all(now));
        let mut sum = 0u128;
        for guard in &guards {
            for db in 0..self.databases {
                for record in guard
                    .table(db)
                    .iter()
                    .filter(|record| !record.is_tombstone())
                {
                    let deadline = record.deadline();
                    if !crate::db::op::is_expired(deadline, now) {
                        let (key, whole) = (record.key(), record.whole());
                        sum = sum.wrapping_add(digest::of_key(db, key, whole, deadline));
                    }
                }
            }
        }
        sum
    }

    /// A digest of what one key shows, 0 where it shows nothing.
    pub fn digest_of(&self, db: u32, key: &[u8], wall: UnixMillis) -> u128 {
        let digest = |view: &View<'_>| digest::of_key(db, key, view.whole(), view.deadline);
        self.show(db, key, self.time(wall), digest)
            .unwrap_or_default()
    }

    /// Measures what waits to be settled in one partition.
    pub fn measure_pending(&self, index: usize) {
        let bytes = self.lock(index).pending_bytes();
        self.pending_bytes[index].store(bytes, Ordering::Relaxed);
    }

    /// About how many bytes wait to be settled, as last measured.
    pub fn pending_bytes(&self) -> usize {
        let measured = self.pending_bytes.iter();
        measured.map(|bytes| bytes.load(Ordering::Relaxed)).sum()
    }

    /// Tombstones and keys with unsettled operations: none at rest.
    pub fn pending(&self) -> (usize, usize) {
        let mut sum = (0, 0);
        for index in 0..self.partitions.len() {
            let (unsettled, tombstones) = self.lock(index).pending();
            sum = (sum.0 + unsettled, sum.1 + tombstones);
        }
        sum
    }
}
