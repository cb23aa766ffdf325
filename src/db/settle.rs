//! What time does to a partition: operations fold into their bases and tombstones go once everything before them has arrived,
//! keys are purged when their deadline is past recall, and a flush cuts off all that came before it.
//!
//! Invariant: of each key with a history there is one place in the queue that counts, at the time that the history says; of each
//! tombstone without one, that at its stamp. Others are left over from what the key was before, and go when their time comes: so
//! there are no more places than such keys and writes that are not settled.

use std::cmp::Ordering;

use crate::db::history::History;
use crate::db::merge::Side;
use crate::db::op;
use crate::db::origin::Origins;
use crate::db::partition::{Db, Key, Outcome, Partition, WriteContext, place_of};
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::table::Table;

/// What was taken out by a flush, to be freed at leisure.
#[derive(Debug, Default)]
pub struct Flushed(Vec<Db>);

impl Flushed {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|db| db.table.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Partition {
    /// Folds and drops what `settled` allows, at most `limit` keys; says how many it looked at.
    pub fn settle(&mut self, settled: Hlc, limit: usize) -> usize {
        let mut done = 0;
        while done < limit
            && self
                .settle
                .front()
                .is_some_and(|(due, _, _)| *due <= settled)
        {
            let Some((due, db, key)) = self.settle.pop_front() else {
                break;
            };
            let hash = self.hasher.hash(&key);
            self.settle_due(db, Key { bytes: &key, hash }, due, settled);
            done += 1;
        }
        self.call_settled(settled);
        done
    }

    /// From now on a key has this history, which is looked at once `due` is settled.
    pub(super) fn keep_history(&mut self, db: u32, key: Key<'_>, mut history: History, due: Hlc) {
        if history.due() != due {
            history.set_due(due);
            self.settle.push_back((due, db, key.bytes.into()));
        }
        self.dbs[place_of(db)]
            .unsettled
            .insert(key.bytes.into(), history);
    }

    /// Looks at a key whose place in the queue was at `due`.
    fn settle_due(&mut self, db: u32, key: Key<'_>, due: Hlc, settled: Hlc) {
        let space = &self.dbs[place_of(db)];
        let Some(record) = space.table.get(key.bytes, key.hash) else {
            return;
        };
        if record.is_unsettled() {
            let history = space.unsettled.get(key.bytes);
            if history.is_some_and(|history| history.due() == due) {
                self.settle_key(db, key, settled);
            }
        } else if record.is_tombstone() {
            let stamp = record.stamp().unwrap_or(Stamp::ZERO);
            if stamp.time() <= settled {
                self.drop_tombstone(db, key, stamp, settled);
            }
        }
    }

    /// Folds one key that has a history. Nothing that clients see changes.
    pub(super) fn settle_key(&mut self, db: u32, key: Key<'_>, settled: Hlc) {
        if self.is_walked() {
            self.save_preimage(db, key);
        }
        self.catch_up(db, key);
        let space = &mut self.dbs[place_of(db)];
        let Some(history) = space.unsettled.get_mut(key.bytes) else {
            return;
        };
        // A value whose deadline is past stays: readers hide it by their clocks, which may be behind, and later operations see
        // that it has expired.
        history.settle_applied(settled);
        let last = history.last();
        if !history.is_empty() {
            if history.due() <= settled {
                let due = history.newest().time();
                history.set_due(due);
                self.settle.push_back((due, db, key.bytes.into()));
            }
            return;
        }
        space.unsettled.remove(key.bytes);
        let Some(mut record) = space.table.get_mut(key.bytes, key.hash) else {
            return;
        };
        record.set_unsettled(false);
        if record.get().is_tombstone() {
            self.drop_tombstone(db, key, last, settled);
        }
    }

    fn drop_tombstone(&mut self, db: u32, key: Key<'_>, stamp: Stamp, settled: Hlc) {
        if stamp.time() > settled {
            self.settle.push_back((stamp.time(), db, key.bytes.into()));
            return;
        }
        if self.is_walked() {
            self.save_preimage(db, key);
        }
        self.stats.tombstones_dropped += 1;
        self.remove(db, key);
    }

    /// Removes keys of one segment whose deadline is at or before `before`, which in stamped manner is the settled time: until
    /// then an operation from before the deadline may still arrive. Returns the next segment's start, none after the last.
    pub fn purge_expired(
        &mut self,
        db: u32,
        from: u32,
        before: UnixMillis,
        settled: Hlc,
    ) -> Option<u32> {
        let next = self.dbs[place_of(db)].table.segment_end(from);
        if self.dbs[place_of(db)].table.segment_deadline_min(from) > before.0 {
            return next;
        }
        let due = |record: &Record<'_>| {
            !record.is_tombstone() && op::is_expired(record.deadline(), before)
        };
        let keys: Vec<Box<[u8]>> = self.dbs[place_of(db)]
            .table
            .segment(from)
            .filter(due)
            .map(|record| record.key().into())
            .collect();
        for key in &keys {
            let key = Key {
                bytes: key,
                hash: self.hasher.hash(key),
            };
            self.purge_key(db, key, settled);
        }
        self.dbs[place_of(db)].table.refresh_deadline_min(from);
        next
    }

    fn purge_key(&mut self, db: u32, key: Key<'_>, settled: Hlc) {
        if !self.stamped {
            if self.is_walked() {
                self.before_change(db, key);
            }
            self.remove(db, key);
            self.stats.expired += 1;
            self.note_expired(db, key.bytes);
            return;
        }
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return;
        };
        if record.is_unsettled() {
            self.settle_key(db, key, settled);
        } else if record.stamp().unwrap_or(Stamp::ZERO).time() <= settled {
            if self.is_walked() {
                self.before_change(db, key);
            }
            self.remove(db, key);
            self.stats.expired += 1;
            self.note_expired(db, key.bytes);
        }
    }

    /// Removes one expired key that a reader met, where no other node carries out the same writes; else reads merely hide it:
    /// a write that is stamped before the deadline may still come.
    pub fn remove_expired(&mut self, db: u32, key: Key<'_>) {
        if !self.stamped && !self.shared {
            self.purge_key(db, key, Hlc::ZERO);
            self.touch(db, key.bytes);
        }
    }

    /// Deletes everything in `db` stamped before the flush. Where nothing here is newer, as `newest` promises, the tables go as
    /// they are, to be freed by who holds no partition.
    pub fn flush(&mut self, db: u32, newest: bool, ctx: &WriteContext<'_>) -> (Outcome, Flushed) {
        let space = &self.dbs[place_of(db)];
        if self.stamped && ctx.origins.compare(ctx.stamp, space.cut) != Ordering::Greater {
            return (Outcome::Superseded(space.cut), Flushed::default());
        }
        self.stats.changes += self.len(db) as u64;
        let is_last = (0..self.databases()).all(|other| other == db || self.len(other) == 0);
        self.stats.flushes += u64::from(is_last);
        self.touch_all(db);
        if self.is_walked() {
            self.save_all_preimages(db);
            self.note_all_changed(db);
        }
        let newest = newest || self.dbs[place_of(db)].newest < ctx.stamp.time();
        if !self.stamped || newest {
            let old = std::mem::take(&mut self.dbs[place_of(db)]);
            self.dbs[place_of(db)].cut = if self.stamped { ctx.stamp } else { Stamp::ZERO };
            return (Outcome::Applied, Flushed(vec![old]));
        }
        self.dbs[place_of(db)].cut = ctx.stamp;
        let old = self.cut_away(db, ctx.origins);
        (Outcome::Applied, Flushed(vec![old]))
    }

    /// Gives up the tables, and puts what the database's cut does not delete into new ones. Of the keys only those are looked at
    /// that lie in one segment with one as new.
    fn cut_away(&mut self, db: u32, origins: &Origins) -> Db {
        let space = &self.dbs[place_of(db)];
        let (cut, newest) = (space.cut, space.newest);
        let may_stay = |record: &Record<'_>| {
            let stamp = record.stamp().unwrap_or(Stamp::ZERO);
            record.is_unsettled() || origins.compare(stamp, cut) != Ordering::Less
        };
        let records = space.table.written_since(cut.time()).filter(may_stay);
        let keys: Vec<Box<[u8]>> = records.map(|record| record.key().into()).collect();
        let mut kept = Vec::with_capacity(keys.len());
        for bytes in keys {
            let hash = self.hasher.hash(&bytes);
            let key = Key {
                bytes: &bytes,
                hash,
            };
            let Some(record) = self.dbs[place_of(db)].table.get(&bytes, hash) else {
                continue;
            };
            let (is_unsettled, mark) = (record.is_unsettled(), record.merge_mark());
            let mut side = self.take_side(db, key);
            side.history.cut(&mut side.live, &self.ground(origins), cut);
            if !side.history.is_empty() || side.history.floor() != cut {
                kept.push((bytes, hash, side, is_unsettled, mark));
            }
        }
        let old = std::mem::take(&mut self.dbs[place_of(db)]);
        let space = &mut self.dbs[place_of(db)];
        (space.cut, space.newest) = (cut, newest);
        for (bytes, hash, Side { live, history }, is_unsettled, mark) in kept {
            let key = Key {
                bytes: &bytes,
                hash,
            };
            let last = history.last();
            let space = &mut self.dbs[place_of(db)];
            space.note_written(key, last.time());
            if is_unsettled {
                space.unsettled.insert(bytes.clone(), history);
            }
            self.put_live(db, key, live, Some(last), is_unsettled);
            if let Some(mut record) = self.dbs[place_of(db)].table.get_mut(&bytes, hash) {
                record.set_merge_mark(mark);
            }
            if is_unsettled {
                self.call_first(db, key);
            }
        }
        old
    }

    /// Forgets a database's cut once it is settled: from then on absence says it.
    pub fn settle_cut(&mut self, db: u32, settled: Hlc) {
        let cut = self.dbs[place_of(db)].cut;
        if cut != Stamp::ZERO && cut.time() <= settled {
            self.dbs[place_of(db)].cut = Stamp::ZERO;
        }
    }

    /// The whole table of a database, for walks that hold the lock.
    pub fn segments_len(&self, db: u32) -> usize {
        let table: &Table = &self.dbs[place_of(db)].table;
        table.segments_len()
    }
}

#[cfg(test)]
mod tests;
