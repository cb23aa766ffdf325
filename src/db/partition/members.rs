//! Members of collections go when their time comes: when somebody looks at their key, and by and by.
//!
//! Where stamps are ahead of the clock, a write finds members gone that readers still see: they are gone for it alone, unless it
//! leaves something behind by which they are for all.
//!
//! Invariant: where others carry out the same writes, a write from before a member's time that comes later still finds it: keys
//! with stamps remember what went, a master without stamps gives out none from before, a replica waits for its master's word.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::db::deadlines::Deadlines;
use crate::db::history::History;
use crate::db::op;
use crate::db::partition::value::Filing;
use crate::db::partition::{Key, Partition, place_of};
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};

/// The first deadline of a record's members.
fn first_of(record: Record<'_>) -> Option<UnixMillis> {
    record.member_deadlines().and_then(Deadlines::first)
}

/// The same with members that have gone and are not cleared away yet.
fn first_kept_of(record: Record<'_>) -> Option<UnixMillis> {
    record.member_deadlines().and_then(Deadlines::first_kept)
}

impl Partition {
    /// Says where it is noted at which moment members were held to be gone.
    pub fn set_judged(&mut self, judged: Arc<std::sync::atomic::AtomicU64>) {
        self.judged = judged;
    }

    /// Before a key is looked at, or written: members whose time has come at `now` go. One whose own time has come goes as a whole.
    pub(super) fn sweep_looked_at(&mut self, db: u32, key: Key<'_>, now: UnixMillis) {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return;
        };
        let is_due = first_of(record).is_some_and(|first| first <= now);
        if is_due && !self.follows && !op::is_expired(record.deadline(), now) {
            let swept = self.sweep(db, key, now);
            if swept > 0 && self.stamped {
                self.swept.push((db, key.bytes.into(), now));
            }
            // Whatever is written from now on is stamped later, whoever's clock is behind.
            self.judged.fetch_max(Hlc::at(now).raw(), Ordering::Relaxed);
        }
    }

    /// The same of keys of a segment, about so many members, for good where `at` is the settled time; where no number is given, of
    /// all, and none is cleared away. Returns where to go on: here, where there are more, or at the next segment's start; none
    /// after the last.
    pub fn sweep_segment(
        &mut self,
        db: u32,
        from: u32,
        at: UnixMillis,
        most: Option<usize>,
    ) -> Option<u32> {
        let table = &self.dbs[place_of(db)].table;
        let next = table.segment_end(from);
        if table.segment_member_deadline_min(from) > at.0 {
            return next;
        }
        let is_due = |record: &Record<'_>| first_kept_of(*record).is_some_and(|first| first <= at);
        let due = table.segment(from).filter(is_due);
        let keys: Vec<Box<[u8]>> = due.map(|record| record.key().into()).collect();
        let mut left = most.unwrap_or(usize::MAX);
        for bytes in &keys {
            let hash = self.hasher.hash(bytes);
            let key = Key { bytes, hash };
            self.catch_up(db, key);
            let record = self.dbs[place_of(db)].table.get(bytes, hash);
            let deadlines = record.and_then(Record::member_deadlines);
            let until = deadlines.map_or(at, |deadlines| deadlines.some_until(at, left));
            let done = match most {
                Some(_) => self.sweep_some(db, key, until, left),
                None => self.sweep(db, key, until),
            };
            left = left.saturating_sub(done);
            if left == 0 {
                return Some(from);
            }
        }
        self.dbs[place_of(db)]
            .table
            .refresh_member_deadline_min(from);
        next
    }

    /// The same of all keys there are.
    pub fn sweep_all(&mut self, at: UnixMillis) {
        for db in 0..self.databases() {
            let mut from =
                Some(0).filter(|_| self.dbs[place_of(db)].timed_members && !self.follows);
            while let Some(position) = from {
                from = self.sweep_segment(db, position, at, None);
            }
        }
    }

    /// A command is over, or what came from elsewhere: what it swept at a moment that is ahead of the clock comes back where it
    /// wrote nothing behind that. Where there is no clock, so does all that was swept for it: who looks next sweeps anew.
    #[inline]
    pub fn undo_sweeps(&mut self, clock: Option<UnixMillis>) {
        if !self.swept.is_empty() {
            self.undo_swept(clock);
        }
    }

    #[cold]
    fn undo_swept(&mut self, clock: Option<UnixMillis>) {
        let swept = std::mem::take(&mut self.swept);
        let is_ahead = |at: UnixMillis| clock.is_none_or(|clock| at > clock);
        for (db, bytes, at) in swept.iter().rev().filter(|(_, _, at)| is_ahead(*at)) {
            let hash = self.hasher.hash(bytes);
            let key = Key { bytes, hash };
            let history = self.unsettled(*db, bytes);
            if !history.is_some_and(|history| history.ends_with_sweep(*at)) {
                continue;
            }
            if self.is_walked() {
                self.before_change(*db, key);
            }
            self.catch_up(*db, key);
            let origins = Arc::clone(&self.origins);
            let back = self.change_live(*db, key, &origins, true, |live, ground, history| {
                let before = live.len();
                let mut filing = Filing::PLAIN;
                if let Some(history) = history {
                    history.undo_sweep(live, ground);
                    filing = Filing {
                        stamp: Some(history.last()),
                        unsettled: true,
                    };
                }
                (live.len().saturating_sub(before), filing)
            });
            self.stats.expired_members = self.stats.expired_members.saturating_sub(back as u64);
            self.note_change(bytes);
        }
    }

    /// Members go, and what has gone is cleared away, about so many; how many it was.
    fn sweep_some(&mut self, db: u32, key: Key<'_>, at: UnixMillis, most: usize) -> usize {
        let swept = self.sweep(db, key, at);
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        let deadlines = record.and_then(Record::member_deadlines);
        if deadlines.is_some_and(Deadlines::have_gone) {
            // That many went took no time; what takes some is this.
            return self.clear_gone(db, key, most);
        }
        swept
    }

    /// Clears away, for good, members that have gone whatever may still come. That changes nothing for anybody.
    fn clear_gone(&mut self, db: u32, key: Key<'_>, most: usize) -> usize {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return 0;
        };
        let filing = Filing {
            stamp: record.stamp(),
            unsettled: record.is_unsettled(),
        };
        let origins = Arc::clone(&self.origins);
        self.change_live(db, key, &origins, true, |live, ground, history| {
            let cleared = match history {
                Some(history) => {
                    let by = history.gone_for_good();
                    by.map_or(0, |by| live.clear_gone(ground, Some(by), most))
                }
                None => live.clear_gone(ground, None, most),
            };
            (cleared, filing)
        })
    }

    /// How many members went.
    fn sweep(&mut self, db: u32, key: Key<'_>, at: UnixMillis) -> usize {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return 0;
        };
        let (kind, stamp) = (record.shown().kind(), record.stamp().unwrap_or(Stamp::ZERO));
        let was_unsettled = record.is_unsettled();
        if self.is_walked() {
            self.before_change(db, key);
        }
        let (stamped, origins) = (self.stamped, Arc::clone(&self.origins));
        let mut fresh = History::new(stamp);
        let swept = self.change_live(db, key, &origins, true, |live, ground, history| {
            let before = live.len();
            if !stamped {
                live.sweep_for_good(ground, at);
                let filing = Filing::PLAIN;
                return (before - live.len(), filing);
            }
            let history = history.unwrap_or(&mut fresh);
            let is_swept = history.sweep(live, ground, at);
            let last = history.last();
            let filing = Filing {
                stamp: Some(last),
                unsettled: was_unsettled || is_swept,
            };
            (before - live.len(), filing)
        });
        if swept == 0 {
            return 0;
        }
        if stamped && !was_unsettled {
            let time = fresh.newest().time();
            self.keep_history(db, key, fresh, time);
        }
        self.stats.expired_members += swept as u64;
        // For who watches it is no change that something goes whose time had come.
        self.note_change(key.bytes);
        self.note_swept(db, key, kind);
        swept
    }
}

#[cfg(test)]
mod tests;
