//! Two nodes' views of one key become one: what this node would hold had it received every effect that the other has.
//!
//! A node's view of a key says "everything up to *e* is reflected in the base", where *e* is the later of the base's stamp and the
//! time settled at that node; a key that is absent says so of its settled time, with nothing as the base. The later *e* wins the
//! base; operations after it are united. Nothing else is needed, because each node keeps every tombstone and every operation
//! that is not settled with it.

use std::cmp::Ordering;

use crate::ablation::{Rule, is_off};
use crate::db::body::Body;
use crate::db::history::History;
use crate::db::item::Item;
use crate::db::live::{Ground, Live, OpBytes, content_of};
use crate::db::made::Maker;
use crate::db::op::{Content, Expiry, Op};
use crate::db::origin::OriginIndex;
use crate::db::partition::{Key, LIBRARIES, Partition, WriteContext, place_of};
use crate::db::stamp::{Hlc, Stamp};

/// What the sender of a snapshot knew at its instant.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// Everything up to here had arrived there.
    pub settled: Hlc,
    /// Whether an origin is none of those that had anything to do with that.
    pub is_strange: &'a dyn Fn(OriginIndex) -> bool,
}

/// A received key, made of its item before the partition is locked: to make a large one takes long.
#[derive(Debug)]
pub struct Theirs<'a> {
    db: u32,
    key: &'a [u8],
    side: Side,
}

impl<'a> Theirs<'a> {
    /// What the sender shows of the key. The maker is that of the partitions' manner.
    pub fn of(item: &Item<'a>, sender: &Sender<'_>, maker: &Maker<'_>) -> Self {
        let ground = maker.ground();
        let (live, history) = item.replayed(&ground);
        let mut side = Side { live, history };
        side.history.settle(&mut side.live, &ground, sender.settled);
        Self {
            db: item.db,
            key: item.key,
            side,
        }
    }
}

impl Partition {
    /// Begins a merge: no key counts as met. After one that was given up half-way the marks of all keys are set anew.
    pub fn begin_merge(&mut self) {
        self.merge_parity = !self.merge_parity;
        if std::mem::replace(&mut self.merge_open, true) {
            let unmet = !self.merge_parity;
            for db in &mut self.dbs {
                db.table
                    .for_each_mut(|mut record| record.set_merge_mark(unmet));
            }
        }
    }

    /// The merge has met every key.
    pub fn end_merge(&mut self) {
        self.merge_open = false;
    }

    /// Merges one received key; `ctx.stamp` is not used.
    pub fn merge_item(&mut self, theirs: Theirs<'_>, sender: &Sender<'_>, ctx: &WriteContext<'_>) {
        let Theirs { db, key, side } = theirs;
        if db >= self.databases() && db != LIBRARIES {
            return;
        }
        let hash = self.hasher.hash(key);
        self.merge_key(db, Key { bytes: key, hash }, side, sender, ctx);
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
        let next = self.dbs[place_of(db)].table.segment_end(from);
        let parity = self.merge_parity;
        let unmet: Vec<Box<[u8]>> = self.dbs[place_of(db)]
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
            self.merge_key(db, key, Side::default(), sender, ctx);
        }
        next
    }

    /// Takes over a flush of the sender.
    pub fn merge_cut(&mut self, db: u32, cut: Stamp, ctx: &WriteContext<'_>) {
        if db < self.databases()
            && ctx.origins.compare(cut, self.dbs[place_of(db)].cut) == Ordering::Greater
        {
            self.flush(db, false, &WriteContext { stamp: cut, ..*ctx });
        }
    }

    fn merge_key(
        &mut self,
        db: u32,
        key: Key<'_>,
        mut theirs: Side,
        sender: &Sender<'_>,
        ctx: &WriteContext<'_>,
    ) {
        if self.is_walked() {
            self.before_change(db, key);
        }
        let stamped = self.stamped;
        let mut ours = self.take_side(db, key);
        let ground = self.ground(ctx.origins);
        ours.history.settle(&mut ours.live, &ground, ctx.settled);
        let cut = self.dbs[place_of(db)].cut;
        for side in [&mut ours, &mut theirs] {
            side.history.cut(&mut side.live, &ground, cut);
        }

        let order = reach(&ours.history, ctx.settled)
            .cmp(&reach(&theirs.history, sender.settled))
            .then_with(|| {
                let (ours, theirs) = (ours.history.floor(), theirs.history.floor());
                ctx.origins.compare(ours, theirs)
            });
        // Without stamps nothing is later than anything: a follower takes what its master has.
        let order = match order {
            Ordering::Equal if !stamped => Ordering::Less,
            order => order,
        };
        let theirs_won = order == Ordering::Less;
        let (mut winner, loser, settled) = if theirs_won {
            (theirs, ours, sender.settled)
        } else {
            (ours, theirs, ctx.settled)
        };
        let settled = match is_off(Rule::SettledVector) {
            true => winner.history.floor().time(),
            false => settled,
        };
        let strange = |stamp: Stamp| theirs_won && (sender.is_strange)(stamp.origin());
        let floor = loser.history.floor();
        let (base, ops) = loser.into_base(&ground);
        if strange(floor) {
            // What the sender settled says nothing of a write by somebody it has never heard of.
            winner.insert_base(&ground, floor, &base);
        }
        for (stamp, bytes) in &ops {
            if stamp.time() > settled || strange(*stamp) {
                winner.insert(&ground, *stamp, bytes);
            }
        }
        winner.history.catch_up(&mut winner.live, &ground);
        if settled > ctx.settled && !strange(winner.history.floor()) && winner.has_no_base(&ground)
        {
            // The other node dropped its tombstones up to there, and this one has not arrived there yet.
            let reach = Stamp::new(settled.plus(1), OriginIndex(0));
            winner.history.raise_floor(ctx.origins, reach);
        }
        self.settle_merged(db, key, winner, ctx.settled);
    }

    /// This node's view of a key, taken out of its place.
    pub(super) fn take_side(&mut self, db: u32, key: Key<'_>) -> Side {
        let space = &mut self.dbs[place_of(db)];
        let Some(record) = space.table.get(key.bytes, key.hash) else {
            return Side::default();
        };
        let stamp = record.stamp().unwrap_or(Stamp::ZERO);
        let kept = if record.is_unsettled() {
            space.unsettled.remove(key.bytes)
        } else {
            None
        };
        Side {
            live: self.take_live(db, key),
            history: kept.unwrap_or_else(|| History::new(stamp)),
        }
    }

    /// Shows the merged view and files it as what it is: settled, deleted or with operations to come.
    fn settle_merged(&mut self, db: u32, key: Key<'_>, merged: Side, settled: Hlc) {
        let Side { live, history } = merged;
        let last = history.last();
        let unsettled = !history.is_empty();
        if !unsettled && live.value.is_none() && (last.time() <= settled || last == Stamp::ZERO) {
            if self.remove(db, key) == Some(true) {
                self.touch(db, key.bytes);
            }
            return;
        }
        self.touch(db, key.bytes);
        let space = &mut self.dbs[place_of(db)];
        space.note_written(key, last.time());
        if unsettled {
            self.keep_history(db, key, history, last.time());
        }
        let stamp = self.stamped.then_some(last);
        self.put_live(db, key, live, stamp, unsettled);
        self.call_first(db, key);
        let parity = self.merge_parity;
        if let Some(mut record) = self.dbs[place_of(db)].table.get_mut(key.bytes, key.hash) {
            record.set_merge_mark(parity);
        }
    }
}

/// One node's view of a key.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub live: Live,
    pub history: History,
}

impl Side {
    fn insert(&mut self, ground: &Ground<'_>, stamp: Stamp, bytes: &[u8]) {
        if let Ok(op) = Op::decode(bytes) {
            self.history.insert(&mut self.live, ground, stamp, op);
        }
    }

    /// Puts another view's base in, as the write of a whole value that it comes from.
    fn insert_base(&mut self, ground: &Ground<'_>, stamp: Stamp, base: &Live) {
        let mut content = Vec::new();
        let op = match &base.value {
            None => Op::Del,
            Some(value) => match &value.body {
                Body::String(bytes) => {
                    Op::Set(bytes, value.deadline.map_or(Expiry::Clear, Expiry::At))
                }
                body => {
                    content_of(body.whole(), true, &mut content);
                    Op::Put(Content::of(&content), value.deadline)
                }
            },
        };
        self.history.insert(&mut self.live, ground, stamp, op);
    }

    /// Whether there was nothing before the operations that may be taken back.
    fn has_no_base(&mut self, ground: &Ground<'_>) -> bool {
        if self.history.is_empty() {
            return self.live.value.is_none();
        }
        self.history
            .with_base(&mut self.live, ground, |base, _| base.value.is_none())
    }

    /// The base, and the operations after it in stamp order.
    fn into_base(mut self, ground: &Ground<'_>) -> (Live, Vec<(Stamp, OpBytes)>) {
        let ops = self.history.into_ops(&mut self.live, ground);
        (self.live, ops)
    }
}

/// Up to when everything is reflected in a view's base; and whether that is so for all origins, for the time is settled, or only
/// up to the base's own stamp.
fn reach(history: &History, settled: Hlc) -> (Hlc, bool) {
    let stamped = history.floor().time();
    if is_off(Rule::SettledVector) {
        return (stamped, false);
    }
    (stamped.max(settled), settled >= stamped)
}
