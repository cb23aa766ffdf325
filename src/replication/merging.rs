//! A full sync at its receiver: the master's view of every key is merged into ours, which goes on serving and writing.
//!
//! Invariant: while it lasts, nothing is taken in of an origin in which the snapshot is ahead; arrival rises only when the last
//! key, mentioned or not, has been dealt with.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::{HashMap, HashSet};

use crate::ablation::{Rule, is_off};
use crate::db::merge::Sender;
use crate::db::varint::Reader;
use crate::db::{Hlc, OriginIndex, Stamp, UnixMillis, WriteContext, item};
use crate::journal::Position;
use crate::replication::link::LinkError;
use crate::replication::node::{LinkId, Node};
use crate::replication::routes::SnapshotWish;

/// A merge under way.
#[derive(Debug)]
pub struct Merge {
    /// Over which connection.
    pub link: LinkId,
    settled: Hlc,
    ahead: HashMap<OriginIndex, Position>,
    /// The sweep over keys that were not mentioned: partition, database, position; none before the last item.
    sweep: Option<(usize, u32, u32)>,
    positions: Vec<(OriginIndex, Position)>,
    /// The origins that the master had heard of.
    known: Arc<HashSet<OriginIndex>>,
}

impl Merge {
    /// Whether an origin's records must wait for the end of the merge.
    pub fn blocks(&self, origin: OriginIndex) -> bool {
        self.ahead.contains_key(&origin)
    }

    /// Whether the last item has come.
    pub fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }
}

/// Segments swept per step.
const SWEEP_SEGMENTS: usize = 8;

impl Node {
    /// A snapshot begins. False where another merge is under way: the connection is to be dropped.
    pub(super) fn begin_merge(
        &self,
        link: LinkId,
        settled: Hlc,
        clock: Hlc,
        positions: Vec<(OriginIndex, Position)>,
        cuts: &[(u32, Stamp)],
        stamped: bool,
    ) -> bool {
        self.keyspace.journal.observe(clock);
        let vector = self.keyspace.journal.vector();
        let mut inner = self.inner.lock();
        if inner.merge.is_some() {
            return false;
        }
        let follower = inner.follower;
        let own = self.keyspace.journal.own();
        let ahead = positions
            .iter()
            .filter(|(index, position)| {
                let mine = vector
                    .get(usize::from(index.0))
                    .copied()
                    .unwrap_or_default()
                    .arrived;
                *index != own && position.arrived > mine
            })
            .copied()
            .collect();
        inner.merge = Some(Merge {
            link,
            settled,
            ahead,
            sweep: None,
            known: Arc::new(positions.iter().map(|(index, _)| *index).collect()),
            positions,
        });
        if let Some(info) = inner.links.get_mut(&link) {
            info.snapshot = SnapshotWish::None;
        }
        self.counters.merges_begun.fetch_add(1, Ordering::Relaxed);
        self.plan(&mut inner, &vector);
        drop(inner);
        if follower {
            self.keyspace.reset(stamped);
        }
        let context = self.merge_context();
        let mut guards = self.keyspace.lock_all();
        for guard in &mut guards {
            guard.begin_merge();
            for (db, cut) in cuts {
                guard.merge_cut(*db, *cut, &context);
            }
        }
        true
    }

    fn merge_context(&self) -> WriteContext<'_> {
        WriteContext {
            stamp: Stamp::ZERO,
            now: UnixMillis(0),
            settled: self.keyspace.settled(),
            origins: &self.keyspace.origins,
        }
    }

    /// Merges a frame of items.
    pub(super) fn merge_items(
        &self,
        link: LinkId,
        items: &[u8],
        translate: &dyn Fn(OriginIndex) -> Option<OriginIndex>,
    ) -> Result<(), LinkError> {
        let (settled, known) = {
            let inner = self.inner.lock();
            match &inner.merge {
                Some(merge) if merge.link == link => (merge.settled, Arc::clone(&merge.known)),
                _ => return Err(LinkError::Aborted),
            }
        };
        let sender = Sender {
            settled,
            is_strange: &|index| index != OriginIndex(0) && !known.contains(&index),
        };
        let context = self.merge_context();
        let mut reader = Reader::new(items);
        while !reader.is_empty() {
            let item = item::decode(&mut reader, translate)?;
            let hash = self.keyspace.hash(item.key);
            self.keyspace
                .lock_hash(hash)
                .merge_item(&item, &sender, &context);
        }
        Ok(())
    }

    /// The last item has come: what is left is the sweep.
    pub(super) fn end_items(
        &self,
        link: LinkId,
        at_end: Vec<(OriginIndex, Position)>,
    ) -> Result<(), LinkError> {
        let mut inner = self.inner.lock();
        match &mut inner.merge {
            Some(merge) if merge.link == link => {
                merge.sweep = Some((0, 0, 0));
                if is_off(Rule::SnapshotInstant) {
                    merge.positions = at_end;
                }
                Ok(())
            }
            _ => Err(LinkError::Aborted),
        }
    }

    /// A piece of the sweep; true while the merge over this connection goes on.
    pub(super) fn merge_step(&self, link: LinkId) -> bool {
        let Some((settled, known, mut at)) = ({
            let inner = self.inner.lock();
            match &inner.merge {
                Some(merge) if merge.link == link => {
                    Some((merge.settled, Arc::clone(&merge.known), merge.sweep))
                }
                _ => return false,
            }
        }) else {
            return false;
        };
        let Some(_) = at else { return true };
        let sender = Sender {
            settled,
            is_strange: &|index| index != OriginIndex(0) && !known.contains(&index),
        };
        let context = self.merge_context();
        for _ in 0..SWEEP_SEGMENTS {
            let Some((partition, db, from)) = at else {
                break;
            };
            if is_off(Rule::Coverage) {
                at = None;
                break;
            }
            let mut guard = self.keyspace.lock(partition);
            at = match guard.merge_absent(db, from, &sender, &context) {
                Some(next) => Some((partition, db, next)),
                None if db + 1 < self.keyspace.databases() => Some((partition, db + 1, 0)),
                None if partition + 1 < self.keyspace.partitions_len() => {
                    Some((partition + 1, 0, 0))
                }
                None => None,
            };
        }
        let mut inner = self.inner.lock();
        let Some(merge) = inner.merge.as_mut().filter(|merge| merge.link == link) else {
            return false;
        };
        if at.is_some() {
            merge.sweep = at;
            return true;
        }
        let Some(merge) = inner.merge.take() else {
            return false;
        };
        let own = self.keyspace.journal.own();
        for (index, position) in &merge.positions {
            if *index != own {
                self.keyspace
                    .journal
                    .jump(*index, position.arrived, position.last);
            }
        }
        // All of them stream on over this link from the snapshot's instant before any route moves.
        for index in merge.ahead.keys() {
            inner.routes.insert(*index, link);
        }
        self.counters.merges_done.fetch_add(1, Ordering::Relaxed);
        let vector = self.keyspace.journal.vector();
        self.plan(&mut inner, &vector);
        false
    }
}
