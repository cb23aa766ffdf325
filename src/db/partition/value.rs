//! Values taken out of their records, changed and put back.
//!
//! Invariant: the sums of the table and the counts of the database are what laying each record out anew would make of them.

use std::sync::Arc;

use crate::db::deadlines::Deadlines;
use crate::db::history::{History, Placing};
use crate::db::live::{Ground, Live, Value};
use crate::db::op::Op;
use crate::db::origin::Origins;
use crate::db::partition::{Db, Key, Partition, WriteContext, place_of};
use crate::db::record::{Fresh, Meta, RecordMut};
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::table::Was;

/// More memory than this is not kept for the next value.
const ROOM_MAX: usize = 64 * 1024;

/// How a changed value is to be filed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filing {
    pub stamp: Option<Stamp>,
    pub unsettled: bool,
}

impl Filing {
    /// Without masters.
    pub const PLAIN: Self = Self {
        stamp: None,
        unsettled: false,
    };
}

/// Where a changed value went.
#[derive(Debug, Clone, Copy)]
enum Filed {
    /// It was changed where it lies: nothing else is to be said of it.
    Within,
    /// It is shown: its deadline, its members' first, and whether it has room.
    Shown(Option<UnixMillis>, Option<UnixMillis>, bool),
    /// There is nothing to show.
    Gone,
}

impl Partition {
    /// Changes what a key shows, and its history if it has one, with one look-up: whatever there is not is absent.
    pub(super) fn change_live<R: Default>(
        &mut self,
        db: u32,
        key: Key<'_>,
        origins: &Origins,
        has_ids: bool,
        f: impl FnOnce(&mut Live, &Ground<'_>, Option<&mut History>) -> (R, Filing),
    ) -> R {
        self.change_within_or_live(db, key, origins, has_ids, |_, _| None, f)
    }

    /// The same, but for what `within` does to the value where it lies: what came of it, and whether that left nothing to show.
    #[inline]
    pub(super) fn change_within_or_live<R: Default>(
        &mut self,
        db: u32,
        key: Key<'_>,
        origins: &Origins,
        has_ids: bool,
        within: impl FnOnce(&mut RecordMut<'_>, &Ground<'_>) -> Option<(R, bool)>,
        f: impl FnOnce(&mut Live, &Ground<'_>, Option<&mut History>) -> (R, Filing),
    ) -> R {
        let ground = Ground {
            hasher: &self.hasher,
            limits: self.limits.get(),
            origins,
            has_ids,
            made: Some(&self.made),
        };
        let Db {
            table, unsettled, ..
        } = &mut self.dbs[place_of(db)];
        let history = if self.stamped {
            unsettled.get_mut(key.bytes)
        } else {
            None
        };
        let room = &mut self.room;
        let mut once = Some((f, history));
        let changed = table.change(key.bytes, key.hash, |record| {
            let (f, history) = once.take()?;
            let was = Was::of(record.get());
            if let Some((result, is_empty)) = within(record, &ground) {
                let filed = if is_empty { Filed::Gone } else { Filed::Within };
                return Some((result, Filing::PLAIN, was, filed));
            }
            let mut live = live_of(record, std::mem::take(room));
            let (result, filing) = f(&mut live, &ground, history);
            Some((result, filing, was, file(record, live, filing, room)))
        });
        if let Some(Some((result, filing, was, filed))) = changed {
            self.filed(db, key, filing, was, filed);
            return result;
        }
        // Carried out once, there or here.
        let Some((f, history)) = once else {
            return R::default();
        };
        let mut live = Live::default();
        let (result, filing) = f(&mut live, &ground, history);
        self.put_live(db, key, live, filing.stamp, filing.unsettled);
        result
    }

    /// Counts what became of a record.
    fn filed(&mut self, db: u32, key: Key<'_>, filing: Filing, was: Was, filed: Filed) {
        match filed {
            Filed::Within => {}
            Filed::Shown(deadline, member_deadline, has_spare) => {
                let space = &mut self.dbs[place_of(db)];
                space.count(Some(was), (true, deadline.is_some()));
                if let Some(deadline) = deadline {
                    space.table.note_deadline(key.hash, deadline.0);
                }
                if let Some(first) = member_deadline {
                    space.timed_members = true;
                    space.table.note_member_deadline(key.hash, first.0);
                }
                if has_spare {
                    self.spare.note(db, key.bytes);
                }
            }
            Filed::Gone => match filing.stamp {
                Some(stamp) => self.store_tombstone(db, key, stamp, filing.unsettled),
                None => {
                    self.remove(db, key);
                }
            },
        }
    }

    /// Takes out what a key shows, to be changed and put back with [`Self::put_live`].
    pub(in crate::db) fn take_live(&mut self, db: u32, key: Key<'_>) -> Live {
        let room = std::mem::take(&mut self.room);
        let table = &mut self.dbs[place_of(db)].table;
        table
            .change(key.bytes, key.hash, |record| live_of(record, room))
            .unwrap_or_default()
    }

    /// Shows this, or nothing.
    pub(in crate::db) fn put_live(
        &mut self,
        db: u32,
        key: Key<'_>,
        live: Live,
        stamp: Option<Stamp>,
        unsettled: bool,
    ) {
        let filing = Filing { stamp, unsettled };
        let table = &mut self.dbs[place_of(db)].table;
        let room = &mut self.room;
        let mut once = Some(live);
        let changed = table.change(key.bytes, key.hash, |record| {
            let was = Was::of(record.get());
            let live = once.take().unwrap_or_default();
            (was, file(record, live, filing, room))
        });
        if let Some((was, filed)) = changed {
            return self.filed(db, key, filing, was, filed);
        }
        let live = once.unwrap_or_default();
        let original = stamp.and_then(|stamp| live.original(stamp));
        match live.value {
            Some(Value { body, deadline }) => {
                let meta = Meta {
                    stamp,
                    deadline,
                    original,
                    unsettled,
                    ..Meta::default()
                };
                let mut kept = Vec::new();
                self.put(db, key, Fresh::of(body, &mut kept), &meta);
            }
            None => {
                if let Some(stamp) = stamp {
                    self.store_tombstone(db, key, stamp, unsettled);
                }
            }
        }
    }

    /// Carries out what is to be carried out again of a key, for whoever looks at it.
    #[cold]
    pub(in crate::db) fn catch_up(&mut self, db: u32, key: Key<'_>) {
        let place = (db, Box::from(key.bytes));
        if !self.behind.remove(&place) {
            return;
        }
        let origins = Arc::clone(&self.origins);
        let is_behind = self
            .unsettled(db, key.bytes)
            .is_some_and(History::is_behind);
        if is_behind {
            self.change_live(db, key, &origins, true, |live, ground, history| {
                let filing = history.map(|history| {
                    history.catch_up(live, ground);
                    Filing {
                        stamp: Some(history.last()),
                        unsettled: true,
                    }
                });
                ((), filing.unwrap_or(Filing::PLAIN))
            });
        }
    }

    /// The same of all keys, for whoever looks at whole tables.
    pub fn catch_up_all(&mut self) {
        while let Some((db, bytes)) = self.behind.iter().next().cloned() {
            let hash = self.hasher.hash(&bytes);
            let bytes = &bytes;
            self.catch_up(db, Key { bytes, hash });
        }
    }

    /// Puts an operation in its place in the history of a key, which has one; says where that was, and where the history now
    /// begins.
    pub(super) fn insert(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
    ) -> Option<(Placing, Stamp)> {
        let placed = self.change_live(db, key, ctx.origins, true, |live, ground, history| {
            let Some(history) = history else {
                return (None, Filing::PLAIN);
            };
            let placing = history.insert(live, ground, ctx.stamp, op);
            let filing = Filing {
                stamp: Some(history.last()),
                unsettled: true,
            };
            (Some((placing, history.floor())), filing)
        });
        match placed {
            Some((Placing::Last(count), _)) => self.counted = count,
            Some((Placing::Before(count), _)) => {
                self.counted = count;
                self.behind.insert((db, key.bytes.into()));
                // Whoever is told of changes is told of what comes of it in the end.
                if self.is_listening() || self.is_watched() || !self.waiters.is_empty() {
                    self.catch_up(db, key);
                }
            }
            _ => {}
        }
        placed
    }
}

/// What a key shows, taken out of its record; a value that lies within is copied to `room`.
fn live_of(record: &mut RecordMut<'_>, room: Vec<u8>) -> Live {
    let old = record.get();
    let stamp = old.stamp().unwrap_or(Stamp::ZERO);
    let written = old.original().unwrap_or(stamp.time());
    let deadline = old.deadline();
    let value = (!old.is_tombstone()).then(|| Value {
        body: record.take_body(room),
        deadline,
    });
    Live { value, written }
}

/// Puts a value into its record; `room` gets the memory that it had outside of it.
fn file(record: &mut RecordMut<'_>, live: Live, filing: Filing, room: &mut Vec<u8>) -> Filed {
    let original = filing.stamp.and_then(|stamp| live.original(stamp));
    let Some(Value { body, deadline }) = live.value else {
        return Filed::Gone;
    };
    let meta = Meta {
        stamp: filing.stamp,
        deadline,
        original,
        unsettled: filing.unsettled,
        merge_mark: record.get().merge_mark(),
        ..Meta::default()
    };
    let left = record.set_body(body, &meta);
    if left.capacity() <= ROOM_MAX {
        *room = left;
    }
    let record = record.get();
    let first = record.member_deadlines().and_then(Deadlines::first_kept);
    Filed::Shown(deadline, first, record.spare() > 0)
}
