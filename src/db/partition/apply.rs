//! One operation comes in, from a client or from elsewhere: by the plain manner or by the stamped one.
//!
//! Whatever the order in which stamped operations come, what is shown is their replay in stamp order.

use std::cmp::Ordering;

use crate::db::far;
use crate::db::op::{self, Bytes, Change, Op, State};
use crate::db::partition::{Key, Outcome, Partition, WriteContext, live_of};
use crate::db::record::Meta;
use crate::db::stamp::{Hlc, Stamp};
use crate::db::unsettled::{Live, Placed, Unsettled, set_parts};

impl Partition {
    /// Applies one operation: a local one, whose stamp is newer than all, or an effect from elsewhere in any order.
    #[inline]
    pub fn apply(&mut self, db: u32, key: Key<'_>, op: Op<'_>, ctx: &WriteContext<'_>) -> Outcome {
        self.told(db, key, op, ctx, |this| {
            if this.stamped {
                this.apply_stamped(db, key, op, ctx)
            } else {
                this.apply_plain(db, key, op, ctx)
            }
        })
    }

    /// Changes a key by `change` and lets know of it whoever wants to: as of `op`.
    #[inline]
    pub(super) fn told(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
        change: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        if self.walk.is_some() {
            self.save_preimage(db, key);
        }
        // That a key goes whose time had come is no change.
        let was_gone = |this: &Self| matches!(op, Op::Del) && this.is_expired(db, key, ctx.now);
        let hears = self.news.attention.is_some();
        let is_watched = (hears || !self.watchers.is_empty()) && !was_gone(self);
        let existed = hears && self.before_write(db, key, ctx.now);
        let outcome = change(self);
        match outcome {
            Outcome::Applied if is_watched => {
                self.touch(db, key.bytes);
                if hears {
                    self.after_write(db, key, &op, existed);
                }
            }
            Outcome::Superseded(_) => self.stats.superseded += 1,
            _ => {}
        }
        outcome
    }

    fn apply_plain(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let table = &mut self.dbs[db as usize].table;
        let record = table.get_mut(key.bytes, key.hash);
        if let Some((value, deadline)) = set_parts(&op)
            && let Some(record) = record
            && record.overwrite(value, None, deadline)
        {
            if let Some(deadline) = deadline {
                table.note_deadline(key.hash, deadline.0);
            }
            return Outcome::Applied;
        }
        if op.writes() && self.write_within(db, key, op, None, ctx.now) {
            return Outcome::Applied;
        }
        let table = &mut self.dbs[db as usize].table;
        let record = table.get(key.bytes, key.hash);
        let current = record.map(|record| State {
            value: record.value(),
            deadline: record.deadline(),
            written: Hlc::ZERO,
        });
        match op::step(current, op, ctx.now) {
            Change::Nothing => Outcome::NoEffect,
            Change::Remove => {
                if self.remove(db, key).is_some() {
                    Outcome::Applied
                } else {
                    Outcome::NoEffect
                }
            }
            Change::Put(value, deadline) | Change::Import(value, deadline, _) => self.store(
                db,
                key,
                value,
                &Meta {
                    deadline,
                    ..Meta::default()
                },
            ),
            Change::Compute(value, deadline) => {
                let overwritten = !op.writes()
                    && table
                        .get_mut(key.bytes, key.hash)
                        .is_some_and(|r| r.overwrite(&value, None, deadline));
                if !overwritten {
                    let meta = Meta {
                        deadline,
                        ..Meta::default()
                    };
                    self.store_computed(db, key, value, &meta);
                }
                Outcome::Applied
            }
            Change::Deadline(deadline) => {
                let meta = Meta {
                    deadline,
                    ..Meta::default()
                };
                self.set_meta(db, key, &meta);
                Outcome::Applied
            }
        }
    }

    /// Shows what an operation made.
    fn store_computed(&mut self, db: u32, key: Key<'_>, value: Bytes, meta: &Meta) -> Outcome {
        if far::is_far(value.len()) {
            self.store_whole(db, key, value.into_vec(), meta)
        } else {
            self.store(db, key, &value, meta)
        }
    }

    fn apply_stamped(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let space = &mut self.dbs[db as usize];
        if ctx.origins.compare(ctx.stamp, space.cut) != Ordering::Greater {
            return Outcome::Superseded(space.cut);
        }
        if ctx.stamp.time() <= ctx.settled {
            self.stats.late += 1;
        }
        let Some(record) = space.table.get_mut(key.bytes, key.hash) else {
            return self.apply_to_absent(db, key, op, ctx);
        };
        let last = record.stamp().unwrap_or(Stamp::ZERO);
        let newest = ctx.origins.compare(ctx.stamp, last) == Ordering::Greater;
        if newest && op.dominates() {
            if let Some((value, deadline)) = set_parts(&op) {
                if record.overwrite(value, Some(ctx.stamp), deadline) {
                    if let Some(deadline) = deadline {
                        space.table.note_deadline(key.hash, deadline.0);
                    }
                    return Outcome::Applied;
                }
                self.drop_unsettled(db, key);
                let meta = Meta {
                    stamp: Some(ctx.stamp),
                    deadline,
                    ..Meta::default()
                };
                return self.store(db, key, value, &meta);
            }
            let shown = !record.is_tombstone();
            self.drop_unsettled(db, key);
            self.store_tombstone(db, key, ctx.stamp, false);
            return if shown {
                Outcome::Applied
            } else {
                Outcome::NoEffect
            };
        }
        if !record.is_unsettled() {
            if !newest {
                return if ctx.stamp == last {
                    Outcome::NoEffect
                } else {
                    Outcome::Superseded(last)
                };
            }
            let unsettled = if record.is_far() {
                Unsettled::lent(record, last)
            } else {
                Unsettled::new(live_of(record, last), last)
            };
            self.unsettle(db, key, unsettled, ctx);
        }
        self.place(db, key, op, ctx, last)
    }

    fn apply_to_absent(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        if let Some((value, deadline)) = set_parts(&op) {
            return self.store(
                db,
                key,
                value,
                &Meta {
                    stamp: Some(ctx.stamp),
                    deadline,
                    ..Meta::default()
                },
            );
        }
        if op == Op::Del {
            self.store_tombstone(db, key, ctx.stamp, false);
            return Outcome::NoEffect;
        }
        let base_stamp = self.dbs[db as usize].cut;
        self.unsettle(db, key, Unsettled::new(Live::default(), base_stamp), ctx);
        self.place(db, key, op, ctx, base_stamp)
    }

    /// From now on a key has unsettled operations, on top of this base.
    fn unsettle(&mut self, db: u32, key: Key<'_>, base: Unsettled, ctx: &WriteContext<'_>) {
        self.dbs[db as usize]
            .unsettled
            .insert(key.bytes.into(), base);
        self.settle
            .push_back((ctx.stamp.time(), db, key.bytes.into()));
    }

    /// Puts an operation among the unsettled ones of its key, which exist, and shows the result.
    fn place(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
        last: Stamp,
    ) -> Outcome {
        let space = &mut self.dbs[db as usize];
        let Some(unsettled) = space.unsettled.get_mut(key.bytes) else {
            return Outcome::NoEffect;
        };
        let placed = unsettled.place(ctx.origins, ctx.stamp, op);
        let newest = unsettled.last();
        let base_stamp = unsettled.base_stamp;
        if placed == Placed::Last {
            let (is_lent, leaves_base) = (unsettled.is_lent(), unsettled.leaves_base(op));
            if !leaves_base {
                self.own_base(db, key);
            }
            if self.step_within(db, key, op, newest, ctx.now) {
                return Outcome::Applied;
            }
            if is_lent {
                self.own_base(db, key);
            }
        }
        let space = &mut self.dbs[db as usize];
        let before = space
            .table
            .get(key.bytes, key.hash)
            .filter(|record| !record.is_tombstone());
        match placed {
            Placed::Known => {
                let known = ctx.stamp == last
                    || ctx.origins.compare(ctx.stamp, base_stamp) != Ordering::Less;
                return if known {
                    Outcome::NoEffect
                } else {
                    Outcome::Superseded(base_stamp)
                };
            }
            Placed::Commutes(delta) => {
                if let Some(record) = before
                    && let Some(sum) =
                        crate::resp::parse_i64(record.value()).and_then(|n| n.checked_add(delta))
                {
                    let mut text = itoa::Buffer::new();
                    let meta = Meta {
                        stamp: Some(newest),
                        original: None,
                        unsettled: true,
                        ..record.meta()
                    };
                    return self.store(db, key, text.format(sum).as_bytes(), &meta);
                }
            }
            Placed::Last if !op.dominates() => {
                let state = before.map(|record| State {
                    value: record.value(),
                    deadline: record.deadline(),
                    written: record.original().unwrap_or(last.time()),
                });
                let changed = op::step(state, op, ctx.now);
                let meta = Meta {
                    stamp: Some(newest),
                    unsettled: true,
                    ..Meta::default()
                };
                match changed {
                    Change::Put(value, deadline) => {
                        return self.store(db, key, value, &Meta { deadline, ..meta });
                    }
                    Change::Compute(value, deadline) => {
                        return self.store_computed(db, key, value, &Meta { deadline, ..meta });
                    }
                    _ => {}
                }
            }
            Placed::Last | Placed::Before => {}
        }
        self.show(db, key)
    }
}
