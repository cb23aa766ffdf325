//! Changes of a key that leave its value where it lies: writes into it or behind it, another deadline, another name.
//!
//! Invariant: the sums of the table and the counts of the database are what laying the record out anew would make of them.

use std::cmp::Ordering;

use crate::db::body::Body;
use crate::db::live::{Live, Value, content_of};
use crate::db::op::{Content, Expiry, Op};
use crate::db::partition::{Key, Outcome, Partition, WriteContext, place_of};
use crate::db::record::Record;
use crate::db::stamp::{Stamp, UnixMillis};

impl Partition {
    /// Carries out an operation that writes into the string or behind it, in plain manner, where that needs no copy; says whether
    /// it could.
    pub(super) fn write_within(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        now: UnixMillis,
    ) -> bool {
        let table = &mut self.dbs[place_of(db)].table;
        let written = table.change(key.bytes, key.hash, |record| {
            let before = record.get().len_bytes();
            let could = record.write_within(op, now);
            (could, record.get().len_bytes() > before)
        });
        let (could, grew) = written.unwrap_or_default();
        if grew {
            self.spare.note(db, key.bytes);
        }
        could
    }

    /// Takes the value of a key, to be shown under another name; here stays an empty one, which its owner deletes at once with
    /// the stamp of `ctx`. Where that delete would come too late, it gets a copy.
    pub fn take_body(&mut self, db: u32, key: Key<'_>, ctx: &WriteContext<'_>) -> Option<Body> {
        if self.is_walked() {
            self.before_change(db, key);
        }
        let is_free = self.is_newest(db, key, ctx);
        let table = &mut self.dbs[place_of(db)].table;
        table.change(key.bytes, key.hash, |record| {
            if is_free {
                record.take_body(Vec::new())
            } else {
                record.get().whole().to_body()
            }
        })
    }

    /// Whether a write comes after everything that is known of its key.
    fn is_newest(&self, db: u32, key: Key<'_>, ctx: &WriteContext<'_>) -> bool {
        let space = &self.dbs[place_of(db)];
        let record = space.table.get(key.bytes, key.hash);
        let last = record.and_then(Record::stamp).unwrap_or(Stamp::ZERO);
        let is_newer = |stamp| ctx.origins.compare(ctx.stamp, stamp) == Ordering::Greater;
        !self.stamped || is_newer(last) && is_newer(space.cut)
    }

    /// The same as [`Self::apply`], with what was made of the operation ahead (see [`crate::db::made`]).
    pub fn apply_made(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        body: Body,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        self.made.leave(ctx.stamp, body);
        let outcome = self.apply(db, key, op, ctx);
        self.made.clear();
        outcome
    }

    /// What [`Self::apply`] does with SET or PUT, for a value that need not be copied. Elements of a list keep the ids they have: where keys
    /// bear stamps, they have some.
    pub fn apply_whole(
        &mut self,
        db: u32,
        key: Key<'_>,
        body: Body,
        deadline: Option<UnixMillis>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let expiry = deadline.map_or(Expiry::Clear, Expiry::At);
        if !self.is_newest(db, key, ctx) {
            let mut bytes = Vec::new();
            content_of(body.whole(), true, &mut bytes);
            return match &body {
                Body::String(value) => self.apply(db, key, Op::Set(value, expiry), ctx),
                _ => self.apply(db, key, Op::Put(Content::of(&bytes), deadline), ctx),
            };
        }
        // Who hears of it asks for its kind and its expiry.
        self.told(db, key, Op::Set(b"", expiry), ctx, |this| {
            this.drop_unsettled(db, key);
            let stamp = this.stamped.then_some(ctx.stamp);
            let live = Live {
                value: Some(Value { body, deadline }),
                written: ctx.stamp.time(),
            };
            this.put_live(db, key, live, stamp, false);
            Outcome::Applied
        })
    }
}
