//! Changes of a key that leave its value where it lies: writes into it or behind it, another deadline, another name.
//!
//! Invariant: the sums of the table and the counts of the database are what laying the record out anew would make of them.

use std::cmp::Ordering;

use crate::db::far;
use crate::db::op::{Expiry, Op};
use crate::db::partition::{Key, Outcome, Partition, WriteContext};
use crate::db::record::{Meta, Record};
use crate::db::stamp::{Stamp, UnixMillis};

impl Partition {
    /// Shows `value`, which is not copied where it is long.
    pub(in crate::db) fn store_whole(
        &mut self,
        db: u32,
        key: Key<'_>,
        value: Vec<u8>,
        meta: &Meta,
    ) -> Outcome {
        self.put(db, key, Record::of(key.bytes, value, meta));
        Outcome::Applied
    }

    /// Carries out an operation that writes into the value or behind it, where that needs no copy; says whether it could. One with
    /// a stamp is among the unsettled ones of its key.
    pub(super) fn write_within(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        stamp: Option<Stamp>,
        now: UnixMillis,
    ) -> bool {
        let table = &mut self.dbs[db as usize].table;
        let written = table.change(key.bytes, key.hash, |record| {
            let before = record.len_bytes();
            let could = record.write_within(op, stamp, now);
            if could && stamp.is_some() {
                record.set_unsettled(true);
            }
            (could, record.len_bytes() > before)
        });
        let (could, grew) = written.unwrap_or_default();
        if grew {
            self.spare.note(db, key.bytes);
        }
        could
    }

    /// Says this of a key from now on, its merge mark apart.
    pub(in crate::db) fn set_meta(&mut self, db: u32, key: Key<'_>, meta: &Meta) {
        let space = &mut self.dbs[db as usize];
        let was_timed = space.table.change(key.bytes, key.hash, |record| {
            let was_timed = record.deadline().is_some();
            let merge_mark = record.merge_mark();
            record.set_meta(&Meta {
                merge_mark,
                ..*meta
            });
            was_timed
        });
        let Some(was_timed) = was_timed else { return };
        let timed = meta.deadline.is_some();
        space.timed = space.timed + usize::from(timed) - usize::from(was_timed);
        if let Some(deadline) = meta.deadline {
            space.table.note_deadline(key.hash, deadline.0);
        }
    }

    /// Another deadline for a key that shows something; says whether it does.
    fn expire_within(
        &mut self,
        db: u32,
        key: Key<'_>,
        deadline: Option<UnixMillis>,
        stamp: Stamp,
        now: UnixMillis,
    ) -> bool {
        if self.view(db, key, now).is_none() {
            return false;
        }
        let meta = Meta {
            stamp: Some(stamp),
            deadline,
            unsettled: true,
            ..Meta::default()
        };
        self.set_meta(db, key, &meta);
        true
    }

    /// Carries out the newest of a key's unsettled operations, where that needs no copy of what is shown; says whether it could.
    pub(super) fn step_within(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        stamp: Stamp,
        now: UnixMillis,
    ) -> bool {
        match op {
            Op::Expire(deadline) => self.expire_within(db, key, deadline, stamp, now),
            _ => op.writes() && self.write_within(db, key, op, Some(stamp), now),
        }
    }

    /// Gives a key's unsettled operations a base of their own.
    pub(super) fn own_base(&mut self, db: u32, key: Key<'_>) {
        let space = &mut self.dbs[db as usize];
        if let Some(unsettled) = space.unsettled.get_mut(key.bytes)
            && let Some(record) = space.table.get(key.bytes, key.hash)
        {
            unsettled.own_base(record.value());
        }
    }

    /// Replays a key's operations over a base that is lent, behind which they write; says whether it is and they do. Where they
    /// do not, the base is lent no more.
    pub(super) fn show_lent(&mut self, db: u32, key: Key<'_>) -> bool {
        let space = &mut self.dbs[db as usize];
        let Some(unsettled) = space.unsettled.get(key.bytes) else {
            return false;
        };
        if !unsettled.is_lent() {
            return false;
        }
        let replayed = space.table.change(key.bytes, key.hash, |record| {
            unsettled.replay_lent(record.far_value()?)
        });
        let stamp = Some(unsettled.last());
        let Some(Some(deadline)) = replayed else {
            self.own_base(db, key);
            return false;
        };
        let meta = Meta {
            stamp,
            deadline,
            unsettled: true,
            ..Meta::default()
        };
        self.set_meta(db, key, &meta);
        self.spare.note(db, key.bytes);
        true
    }

    /// Takes the value of a key, to be shown under another name; here stays an empty one, which its owner deletes at once with
    /// the stamp of `ctx`. Where that delete would come too late, it gets a copy.
    pub fn take_value(&mut self, db: u32, key: Key<'_>, ctx: &WriteContext<'_>) -> Vec<u8> {
        if self.walk.is_some() {
            self.save_preimage(db, key);
        }
        let is_newest = self.is_newest(db, key, ctx);
        let table = &mut self.dbs[db as usize].table;
        let taken = table.change(key.bytes, key.hash, |record| {
            if is_newest {
                record.take_value()
            } else {
                record.value().to_vec()
            }
        });
        taken.unwrap_or_default()
    }

    /// Whether a write comes after everything that is known of its key.
    fn is_newest(&self, db: u32, key: Key<'_>, ctx: &WriteContext<'_>) -> bool {
        let space = &self.dbs[db as usize];
        let record = space.table.get(key.bytes, key.hash);
        let last = record.and_then(Record::stamp).unwrap_or(Stamp::ZERO);
        let is_newer = |stamp| ctx.origins.compare(ctx.stamp, stamp) == Ordering::Greater;
        !self.stamped || is_newer(last) && is_newer(space.cut)
    }

    /// What [`Self::apply`] does with SET, for a value that need not be copied.
    pub fn apply_whole(
        &mut self,
        db: u32,
        key: Key<'_>,
        value: Vec<u8>,
        deadline: Option<UnixMillis>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let expiry = deadline.map_or(Expiry::Clear, Expiry::At);
        if !self.is_newest(db, key, ctx) || !far::is_far(value.len()) {
            return self.apply(db, key, Op::Set(&value, expiry), ctx);
        }
        // Who hears of it asks for its kind and its expiry.
        self.told(db, key, Op::Set(b"", expiry), ctx, |this| {
            this.drop_unsettled(db, key);
            let meta = Meta {
                stamp: this.stamped.then_some(ctx.stamp),
                deadline,
                ..Meta::default()
            };
            this.store_whole(db, key, value, &meta)
        })
    }
}
