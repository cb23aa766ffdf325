//! A full sync at its receiver: the master's view of every key is merged into ours, which goes on serving and writing.
//!
//! The snapshot is received whole before any of it is merged. A link that dies half-way leaves no trace; once merging has begun
//! it needs the link no more and comes to its end. Otherwise a key could keep an operation that no vector speaks of, whose
//! node may have died with it: nobody else would ever get it.
//!
//! Invariant: from the snapshot's beginning to the merge's end nothing is taken in of an origin in which the snapshot is ahead;
//! arrival rises only when the last key, mentioned or not, has been dealt with.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::{HashMap, HashSet};

use crate::ablation::{Rule, is_off};
use crate::db::merge::{Sender, Theirs};
use crate::db::partition::LIBRARIES;
use crate::db::varint::Reader;
use crate::db::{Hlc, OriginIndex, Stamp, UnixMillis, WriteContext, item};
use crate::journal::Position;
use crate::replication::link::LinkError;
use crate::replication::node::{Inner, LinkId, Node};
use crate::replication::routes::SnapshotWish;
use crate::replication::spool::Spool;

/// What a snapshot says of itself, in our indices.
#[derive(Debug)]
pub struct SnapshotHead {
    /// Everything up to here had arrived at the master.
    pub settled: Hlc,
    /// How far each origin had arrived there.
    pub positions: Vec<(OriginIndex, Position)>,
    /// The last flush of each database.
    pub cuts: Vec<(u32, Stamp)>,
    /// The master's keys bear stamps.
    pub stamped: bool,
}

/// A merge under way.
#[derive(Debug)]
pub struct Merge {
    /// Over which connection it came.
    pub link: LinkId,
    head: Arc<SnapshotHead>,
    ahead: HashMap<OriginIndex, Position>,
    /// Nothing that is here now stays.
    is_all_new: bool,
    /// The origins that the master had heard of.
    known: Arc<HashSet<OriginIndex>>,
    spool: Spool,
    phase: Phase,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Frames come in.
    Receiving,
    /// All is here: flushes are taken over first.
    Cuts(Indices),
    /// Items are merged.
    Items(Indices),
    /// Keys that were not mentioned are looked at: partition, database, position.
    Sweep(usize, u32, u32),
}

/// The master's indices in ours.
type Indices = Arc<HashMap<OriginIndex, OriginIndex>>;

impl Merge {
    /// Whether an origin's records must wait for the end of the merge.
    pub fn blocks(&self, origin: OriginIndex) -> bool {
        self.is_all_new || self.ahead.contains_key(&origin)
    }

    /// Whether it needs no link any more.
    pub fn is_whole(&self) -> bool {
        !matches!(self.phase, Phase::Receiving)
    }
}

/// Segments swept per step.
const SWEEP_SEGMENTS: usize = 8;

impl Node {
    /// A snapshot begins. Not where another merge is under way, nor from a life of which this node may have stated already how
    /// much is left.
    pub(super) fn begin_merge(
        &self,
        link: LinkId,
        clock: Hlc,
        head: SnapshotHead,
    ) -> Result<(), LinkError> {
        self.keyspace.journal.observe(clock);
        let vector = self.keyspace.journal.vector();
        let mut inner = self.inner.lock();
        let master = inner.links.get(&link).and_then(|info| info.master);
        if master.is_some_and(|master| inner.state.table.members.is_retired(master)) {
            return Err(LinkError::Retired);
        }
        // Asked for before this node left its mesh, or by nobody; or it shows what does not count.
        let all_count = inner.follower
            || head.positions.iter().all(|(index, position)| {
                let origin = self.keyspace.origins.get(*index);
                position.last == Hlc::ZERO
                    || origin.is_some_and(|origin| inner.state.table.counts(origin))
            });
        let asked = all_count
            && inner.links.get(&link).is_some_and(|info| {
                info.snapshot == SnapshotWish::Asked
                    && info.is_taken_from(&inner.state.table, inner.follower)
            });
        if !asked {
            return Err(LinkError::Aborted);
        }
        if inner.merge.is_some() {
            return Err(LinkError::Busy);
        }
        let vector = if inner.follower {
            self.forget_arrivals(&mut inner);
            self.keyspace.journal.vector()
        } else {
            vector
        };
        let own = self.keyspace.journal.own();
        let arrived = |index: OriginIndex| {
            vector
                .get(usize::from(index.0))
                .copied()
                .unwrap_or_default()
                .arrived
        };
        let ahead = head
            .positions
            .iter()
            .filter(|(index, position)| *index != own && position.arrived > arrived(*index))
            .copied()
            .collect();
        inner.merge = Some(Merge {
            link,
            ahead,
            is_all_new: inner.follower,
            known: Arc::new(head.positions.iter().map(|(index, _)| *index).collect()),
            head: Arc::new(head),
            spool: Spool::default(),
            phase: Phase::Receiving,
        });
        if let Some(info) = inner.links.get_mut(&link) {
            info.snapshot = SnapshotWish::None;
        }
        self.counters.merges_begun.fetch_add(1, Ordering::Relaxed);
        self.plan(&mut inner, &vector);
        Ok(())
    }

    fn merge_context(&self) -> WriteContext<'_> {
        let covered = self.inner.lock().covered;
        WriteContext {
            stamp: Stamp::ZERO,
            now: UnixMillis(0),
            settled: self.keyspace.settled().max(covered),
            origins: &self.keyspace.origins,
        }
    }

    fn receiving(inner: &mut Inner, link: LinkId) -> Result<&mut Merge, LinkError> {
        let merge = inner
            .merge
            .as_mut()
            .filter(|merge| merge.link == link && !merge.is_whole());
        merge.ok_or(LinkError::Aborted)
    }

    /// Keeps a frame of items.
    pub(super) fn keep_items(&self, link: LinkId, items: &[u8]) -> Result<(), LinkError> {
        let mut inner = self.inner.lock();
        Self::receiving(&mut inner, link)?
            .spool
            .push(items)
            .map_err(|error| LinkError::Node(error.into()))
    }

    /// The last item has come: what follows needs the link no more.
    pub(super) fn end_items(
        &self,
        link: LinkId,
        at_end: Vec<(OriginIndex, Position)>,
        indices: HashMap<OriginIndex, OriginIndex>,
    ) -> Result<(), LinkError> {
        let mut inner = self.inner.lock();
        let merge = Self::receiving(&mut inner, link)?;
        merge.phase = Phase::Cuts(Arc::new(indices));
        if is_off(Rule::SnapshotInstant)
            && let Some(head) = Arc::get_mut(&mut merge.head)
        {
            head.positions = at_end;
        }
        Ok(())
    }

    /// Whether a merge waits for somebody to go on with it.
    pub fn has_merge_work(&self) -> bool {
        let waits = !self.merge_driver.is_locked();
        waits
            && self
                .inner
                .lock()
                .merge
                .as_ref()
                .is_some_and(Merge::is_whole)
    }

    /// A piece of a merge that is whole; true while there is one under way, whole or not. Anybody may call it.
    pub fn merge_step(&self) -> Result<bool, LinkError> {
        // One at a time: the next phase begins when the last piece of this one is done.
        let Some(_driver) = self.merge_driver.try_lock() else {
            return Ok(true);
        };
        let (head, known, phase, chunk) = {
            let mut inner = self.inner.lock();
            let Some(merge) = inner.merge.as_mut() else {
                return Ok(false);
            };
            let chunk = match merge.phase {
                Phase::Items(_) => merge
                    .spool
                    .pop()
                    .map_err(|error| LinkError::Node(error.into()))?,
                _ => None,
            };
            (
                Arc::clone(&merge.head),
                Arc::clone(&merge.known),
                merge.phase.clone(),
                chunk,
            )
        };
        let is_strange = |index| index != OriginIndex(0) && !known.contains(&index);
        let sender = Sender {
            settled: head.settled,
            is_strange: &is_strange,
        };
        let next = match phase {
            Phase::Receiving => return Ok(true),
            Phase::Cuts(indices) => {
                self.merge_cuts(&head);
                Some(Phase::Items(indices))
            }
            Phase::Items(indices) => match chunk {
                Some(chunk) => {
                    self.merge_items(&chunk, &indices, &sender)?;
                    return Ok(true);
                }
                None => Some(Phase::Sweep(0, LIBRARIES, 0)),
            },
            Phase::Sweep(partition, db, from) => self
                .sweep((partition, db, from), &sender)
                .map(|(partition, db, from)| Phase::Sweep(partition, db, from)),
        };
        let mut inner = self.inner.lock();
        match (next, inner.merge.as_mut()) {
            (Some(phase), Some(merge)) => merge.phase = phase,
            (None, Some(_)) => self.end_merge(&mut inner),
            (_, None) => {}
        }
        Ok(inner.merge.is_some())
    }

    fn merge_cuts(&self, head: &SnapshotHead) {
        if self.is_follower() {
            self.keyspace.reset(head.stamped);
            self.inner.lock().covered = Hlc::ZERO;
        }
        let context = self.merge_context();
        for guard in &mut self.keyspace.lock_all() {
            guard.begin_merge();
            for (db, cut) in &head.cuts {
                guard.merge_cut(*db, *cut, &context);
            }
        }
    }

    fn merge_items(
        &self,
        items: &[u8],
        indices: &Indices,
        sender: &Sender<'_>,
    ) -> Result<(), LinkError> {
        let context = self.merge_context();
        let maker = self.keyspace.maker(self.keyspace.is_stamped());
        let mut reader = Reader::new(items);
        while !reader.is_empty() {
            let item = item::decode(&mut reader, &|theirs| indices.get(&theirs).copied())?;
            let hash = self.keyspace.hash(item.key);
            let theirs = Theirs::of(&item, sender, &maker);
            self.keyspace
                .lock_hash(hash)
                .merge_item(theirs, sender, &context);
        }
        Ok(())
    }

    /// Looks at some segments; where to go on, none after the last.
    fn sweep(&self, from: (usize, u32, u32), sender: &Sender<'_>) -> Option<(usize, u32, u32)> {
        if is_off(Rule::Coverage) || !self.keyspace.is_stamped() {
            return None;
        }
        let context = self.merge_context();
        let mut at = from;
        for _ in 0..SWEEP_SEGMENTS {
            let (partition, db, position) = at;
            let next = self
                .keyspace
                .lock(partition)
                .merge_absent(db, position, sender, &context);
            at = match next {
                Some(next) => (partition, db, next),
                None if db.wrapping_add(1) < self.keyspace.databases() => {
                    (partition, db.wrapping_add(1), 0)
                }
                None if partition + 1 < self.keyspace.partitions_len() => {
                    (partition + 1, LIBRARIES, 0)
                }
                None => return None,
            };
        }
        Some(at)
    }

    fn end_merge(&self, inner: &mut Inner) {
        let Some(merge) = inner.merge.take() else {
            return;
        };
        for guard in &mut self.keyspace.lock_all() {
            guard.end_merge();
        }
        let own = self.keyspace.journal.own();
        for (index, position) in &merge.head.positions {
            if *index != own {
                self.keyspace
                    .journal
                    .jump(*index, position.arrived, position.last);
            }
        }
        self.cover(inner, &merge);
        if inner.follower {
            inner.followed = inner.links.get(&merge.link).and_then(|link| link.master);
        }
        // All of them stream on over this link from the snapshot's instant before any route moves. Where they are asked for
        // already, by this link or another one, they are asked for anew: the sync has brought what was to come.
        for info in inner.links.values_mut() {
            let ahead = merge.ahead.keys().copied();
            let asked = ahead.filter(|index| info.subscribed.contains(index));
            info.overtaken.extend(asked);
        }
        if inner.links.contains_key(&merge.link) {
            let ahead = merge.ahead.keys();
            inner.routes.extend(ahead.map(|index| (*index, merge.link)));
        }
        self.counters.merges_done.fetch_add(1, Ordering::Relaxed);
        let vector = self.keyspace.journal.vector();
        self.plan(inner, &vector);
    }

    /// What the sender had settled is settled here too: this node now has all that the sender had. Not where it knows of a life
    /// that the sender had not heard of and that may have written below.
    fn cover(&self, inner: &mut Inner, merge: &Merge) {
        let settled = merge.head.settled;
        inner.covered = inner.covered.max(settled);
        let speaks_of_all = inner.state.table.members.lives().all(|(origin, life)| {
            let index = self.keyspace.origins.find(origin);
            life.floor >= settled || index.is_some_and(|index| merge.known.contains(&index))
        });
        if inner.follower || inner.state.table.formed && speaks_of_all {
            self.keyspace.raise_settled(settled);
        }
    }
}
