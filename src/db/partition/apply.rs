//! One operation comes in, from a client or from elsewhere: by the plain manner or by the stamped one.
//!
//! Whatever the order in which stamped operations come, what is shown is their replay in stamp order.

use std::cmp::Ordering;

use crate::db::history::{History, Placing};
use crate::db::live::{Live, Value, change_large, put_content, set_parts};
use crate::db::op::{Content, Op};
use crate::db::partition::value::Filing;
use crate::db::partition::{Key, LIBRARIES, Outcome, Partition, WriteContext, place_of};
use crate::db::record::Meta;
use crate::db::stamp::{Stamp, UnixMillis};

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
        if self.is_walked() {
            self.before_change(db, key);
        }
        if db == LIBRARIES {
            self.note_library();
        }
        self.stats.changes += 1;
        let space = &mut self.dbs[place_of(db)];
        if self.stamped {
            space.note_written(key, ctx.stamp.time());
        }
        if space.timed_members {
            self.catch_up(db, key);
            self.sweep_looked_at(db, key, ctx.now);
        }
        // That a key goes whose time had come is no change.
        let was_gone = |this: &Self| matches!(op, Op::Del) && this.is_expired(db, key, ctx.now);
        let hears = self.news.attention.is_some();
        let is_observed = hears || !self.watchers.is_empty() || !self.waiters.is_empty();
        let is_watched = is_observed && !was_gone(self);
        let existed = hears && self.before_write(db, key, ctx.now);
        let outcome = change(self);
        match outcome {
            Outcome::Applied if is_watched => {
                if !op.is_untold() {
                    self.touch(db, key.bytes);
                } else if op.ends_group() {
                    self.note_ready(db, key);
                }
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
        if let Some((value, deadline)) = set_parts(&op) {
            let space = &mut self.dbs[place_of(db)];
            if let Some(mut record) = space.table.get_mut(key.bytes, key.hash)
                && record.overwrite(value, None, deadline)
            {
                if let Some(deadline) = deadline {
                    space.table.note_deadline(key.hash, deadline.0);
                }
                return Outcome::Applied;
            }
            let meta = Meta {
                deadline,
                ..Meta::default()
            };
            return self.store(db, key, value, &meta);
        }
        if op == Op::Del {
            return match self.remove(db, key) {
                Some(_) => Outcome::Applied,
                None => Outcome::NoEffect,
            };
        }
        if op.writes() && self.write_within(db, key, op, ctx.now) {
            return Outcome::Applied;
        }
        // Who follows, or is followed, is told of elements by their names.
        let has_ids = ctx.stamp != Stamp::ZERO;
        let (changed, count) = self.change_within_or_live(
            db,
            key,
            ctx.origins,
            has_ids,
            |record, ground| {
                let body = record.large_mut(ctx.now).filter(|_| op.is_of_elements())?;
                let done = change_large(body, ground, ctx.stamp, op)?;
                Some((done, body.is_empty()))
            },
            |live, ground, _| {
                let done = live.apply_for_good(ground, ctx.stamp, ctx.now, op);
                (done, Filing::PLAIN)
            },
        );
        self.counted = count;
        if changed {
            Outcome::Applied
        } else {
            Outcome::NoEffect
        }
    }

    fn apply_stamped(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let space = &mut self.dbs[place_of(db)];
        if ctx.origins.compare(ctx.stamp, space.cut) != Ordering::Greater {
            return Outcome::Superseded(space.cut);
        }
        if ctx.stamp.time() <= ctx.settled {
            self.stats.late += 1;
        }
        let Some(mut record) = space.table.get_mut(key.bytes, key.hash) else {
            return self.apply_to_absent(db, key, op, ctx);
        };
        let last = record.get().stamp().unwrap_or(Stamp::ZERO);
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
            let shown = !record.get().is_tombstone();
            self.drop_unsettled(db, key);
            if let Op::Put(content, deadline) = op {
                return self.store_content(db, key, content, deadline, ctx);
            }
            self.store_tombstone(db, key, ctx.stamp, false);
            return if shown {
                Outcome::Applied
            } else {
                Outcome::NoEffect
            };
        }
        if !record.get().is_unsettled() {
            if !newest {
                return if ctx.stamp == last {
                    Outcome::NoEffect
                } else {
                    Outcome::Superseded(last)
                };
            }
            self.keep_history(db, key, History::new(last), ctx.stamp.time());
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
        if let Op::Put(content, deadline) = op {
            return self.store_content(db, key, content, deadline, ctx);
        }
        let cut = self.dbs[place_of(db)].cut;
        self.keep_history(db, key, History::new(cut), ctx.stamp.time());
        self.place(db, key, op, ctx, cut)
    }

    /// Shows a whole value that nothing known is newer than.
    fn store_content(
        &mut self,
        db: u32,
        key: Key<'_>,
        content: Content<'_>,
        deadline: Option<UnixMillis>,
        ctx: &WriteContext<'_>,
    ) -> Outcome {
        let body = put_content(&self.ground(ctx.origins), ctx.stamp, content);
        let live = Live {
            value: Some(Value { body, deadline }),
            written: ctx.stamp.time(),
        };
        self.put_live(db, key, live, Some(ctx.stamp), false);
        Outcome::Applied
    }

    /// Puts an operation in its place in the history of its key, which has one, and shows the result. `last` was the newest.
    fn place(
        &mut self,
        db: u32,
        key: Key<'_>,
        op: Op<'_>,
        ctx: &WriteContext<'_>,
        last: Stamp,
    ) -> Outcome {
        match self.insert(db, key, op, ctx) {
            None => Outcome::NoEffect,
            Some((Placing::Known, floor)) => {
                let is_known =
                    ctx.stamp == last || ctx.origins.compare(ctx.stamp, floor) != Ordering::Less;
                if is_known {
                    Outcome::NoEffect
                } else {
                    Outcome::Superseded(floor)
                }
            }
            Some(_) => Outcome::Applied,
        }
    }
}
