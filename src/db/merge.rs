//! Two nodes' views of one key become one: what this node would hold had it received every effect that the other has.
//!
//! A node's view of a key says "everything up to *e* is reflected in the base", where *e* is the later of the base's stamp and the
//! time settled at that node; a key that is absent says so of its settled time, with nothing as the base. The later *e* wins the
//! base; operations after it are united. Nothing else is needed, because each node keeps every tombstone and every operation
//! that is not settled with it.

use std::cmp::Ordering;

use crate::db::item::Item;
use crate::db::op::{Expiry, Op};
use crate::db::origin::OriginIndex;
use crate::db::partition::{Key, Partition, WriteContext, live_of};
use crate::db::record::Meta;
use crate::db::stamp::{Hlc, Stamp};
use crate::db::unsettled::{Live, Unsettled};

/// What the sender of a snapshot knew at its instant.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// Everything up to here had arrived there.
    pub settled: Hlc,
    /// Whether an origin is none of those that had anything to do with that.
    pub is_strange: &'a dyn Fn(OriginIndex) -> bool,
}

impl Partition {
    /// Begins a merge: no key counts as met. After one that was given up half-way the marks of all keys are set anew.
    pub fn begin_merge(&mut self) {
        self.merge_parity = !self.merge_parity;
        if std::mem::replace(&mut self.merge_open, true) {
            let unmet = !self.merge_parity;
            let records = self.dbs.iter_mut().flat_map(|db| db.table.iter_mut());
            records.for_each(|record| record.set_merge_mark(unmet));
        }
    }

    /// The merge has met every key.
    pub fn end_merge(&mut self) {
        self.merge_open = false;
    }

    /// Merges one received key; `ctx.stamp` is not used.
    pub fn merge_item(&mut self, item: &Item<'_>, sender: &Sender<'_>, ctx: &WriteContext<'_>) {
        if item.db >= self.databases() {
            return;
        }
        let key = Key {
            bytes: item.key,
            hash: self.hasher.hash(item.key),
        };
        let mut theirs = Unsettled::new(item.base.clone(), item.base_stamp);
        for (stamp, bytes) in &item.ops {
            if let Ok(op) = Op::decode(bytes) {
                theirs.place(ctx.origins, *stamp, op);
            }
        }
        theirs.fold(sender.settled, b"");
        self.merge_key(item.db, key, theirs, sender, ctx);
    }

    /// Merges the keys of one segment that the sender did not mention, which says that they are absent there. Returns the
    /// next segment's start, none after the last.
    pub fn merge_absent(
        &mut self,
        db: u32,
        from: u32,
        sender: &Sender<'_>,
        ctx: &WriteContext<'_>,
    ) -> Option<u32> {
        let next = self.dbs[db as usize].table.segment_end(from);
        let parity = self.merge_parity;
        let unmet: Vec<Box<[u8]>> = self.dbs[db as usize]
            .table
            .segment(from)
            .filter(|record| record.merge_mark() != parity)
            .map(|record| record.key().into())
            .collect();
        for bytes in &unmet {
            let key = Key {
                bytes,
                hash: self.hasher.hash(bytes),
            };
            self.merge_key(
                db,
                key,
                Unsettled::new(Live::default(), Stamp::ZERO),
                sender,
                ctx,
            );
        }
        next
    }

    /// Takes over a flush of the sender.
    pub fn merge_cut(&mut self, db: u32, cut: Stamp, ctx: &WriteContext<'_>) {
        if db < self.databases()
            && ctx.origins.compare(cut, self.dbs[db as usize].cut) == Ordering::Greater
        {
            self.flush(db, false, &WriteContext { stamp: cut, ..*ctx });
        }
    }

    fn merge_key(
        &mut self,
        db: u32,
        key: Key<'_>,
        mut theirs: Unsettled,
        sender: &Sender<'_>,
        ctx: &WriteContext<'_>,
    ) {
        if self.walk.is_some() {
            self.save_preimage(db, key);
        }
        let stamped = self.stamped;
        let space = &mut self.dbs[db as usize];
        let record = space.table.get(key.bytes, key.hash);
        let mut ours = match record {
            None => Unsettled::new(Live::default(), Stamp::ZERO),
            Some(record) if record.is_unsettled() => {
                let unsettled = space.unsettled.get(key.bytes);
                unsettled.map_or_else(Unsettled::default, |ours| ours.whole(record.value()))
            }
            Some(record) => {
                let stamp = record.stamp().unwrap_or(Stamp::ZERO);
                Unsettled::new(live_of(record, stamp), stamp)
            }
        };
        ours.fold(ctx.settled, b"");
        let cut = space.cut;
        ours.cut(ctx.origins, cut);
        theirs.cut(ctx.origins, cut);

        let order = reach(&ours, ctx.settled)
            .cmp(&reach(&theirs, sender.settled))
            .then_with(|| ctx.origins.compare(ours.base_stamp, theirs.base_stamp));
        // Without stamps nothing is later than anything: a follower takes what its master has.
        let order = match order {
            Ordering::Equal if !stamped => Ordering::Less,
            order => order,
        };
        let (mut winner, loser, settled) = match order {
            Ordering::Less => (theirs, ours, sender.settled),
            _ => (ours, theirs, ctx.settled),
        };
        let theirs_won = order == Ordering::Less;
        let strange = |stamp: Stamp| theirs_won && (sender.is_strange)(stamp.origin());
        if strange(loser.base_stamp) {
            // What the sender settled says nothing of a write by somebody it has never heard of.
            let op = match &loser.base.value {
                Some(value) => Op::Set(
                    &value.bytes,
                    value.deadline.map_or(Expiry::Clear, Expiry::At),
                ),
                None => Op::Del,
            };
            winner.place(ctx.origins, loser.base_stamp, op);
        }
        for (stamp, bytes) in loser.ops() {
            if (stamp.time() > settled || strange(stamp))
                && let Ok(op) = Op::decode(bytes)
            {
                winner.place(ctx.origins, stamp, op);
            }
        }
        if winner.base.value.is_none() && settled > ctx.settled && !strange(winner.base_stamp) {
            // The other node dropped its tombstones up to there, and this one has not arrived there yet.
            let reach = Stamp::new(settled.plus(1), OriginIndex(0));
            winner.raise_base(ctx.origins, reach);
        }
        self.settle_merged(db, key, winner, ctx.settled);
    }

    /// Shows the merged view and files it as what it is: settled, deleted or with operations to come.
    fn settle_merged(&mut self, db: u32, key: Key<'_>, merged: Unsettled, settled: Hlc) {
        let last = merged.last();
        let live = merged.replay();
        let unsettled = !merged.is_empty();
        if !unsettled && live.value.is_none() && (last.time() <= settled || last == Stamp::ZERO) {
            if self.remove(db, key).is_some_and(|old| !old.is_tombstone()) {
                self.touch(db, key.bytes);
            }
            return;
        }
        self.touch(db, key.bytes);
        self.drop_unsettled(db, key);
        if unsettled {
            self.dbs[db as usize]
                .unsettled
                .insert(key.bytes.into(), merged);
            self.settle.push_back((last.time(), db, key.bytes.into()));
        }
        let original = live.original(last);
        match live.value {
            Some(value) => {
                let meta = Meta {
                    stamp: self.stamped.then_some(last),
                    deadline: value.deadline,
                    original,
                    unsettled,
                    ..Meta::default()
                };
                self.store_whole(db, key, value.bytes, &meta);
            }
            None => self.store_tombstone(db, key, last, unsettled),
        }
        let parity = self.merge_parity;
        if let Some(record) = self.dbs[db as usize].table.get_mut(key.bytes, key.hash) {
            record.set_merge_mark(parity);
        }
    }
}

/// Up to when everything is reflected in a view's base; and whether that is so for all origins, for the time is settled, or only
/// up to the base's own stamp.
fn reach(view: &Unsettled, settled: Hlc) -> (Hlc, bool) {
    let stamped = view.base_stamp.time();
    (stamped.max(settled), settled >= stamped)
}
