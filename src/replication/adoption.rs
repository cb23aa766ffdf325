//! What a stranger does to come in: a new life above the announcement, in which it says everything anew that bears stamps which
//! will not count. Whatever else it has comes again from its new mesh.
//!
//! Invariant: afterwards everything here bears stamps of the new life, and no vector speaks of more.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hashbrown::HashMap;

use crate::commands::{Effect, Effects};
use crate::db::partition::LIBRARIES;
use crate::db::reissue::Void;
use crate::db::{
    Hlc, Incarnation, Key, NodeId, Op, Origin, OriginIndex, Stamp, UnixMillis, WriteContext,
};
use crate::journal::Record;
use crate::replication::members::Life;
use crate::replication::node::{Inner, Node, NodeError};

/// What a node leaves behind, and what of it stays.
pub(super) struct Left {
    /// Who it is from now on.
    pub(super) id: NodeId,
    /// Lives of this node that count in its mesh.
    pub(super) kept: BTreeMap<Incarnation, Life>,
    /// Lives that count as far as others hold them.
    pub(super) held: Vec<(Origin, Hlc)>,
}

impl Node {
    /// Changes whenever this node goes on as somebody else than it was introduced as on its connections.
    pub(super) fn introduction(&self) -> u64 {
        self.counters.adoptions.load(Ordering::Relaxed)
    }

    /// Leaves the past behind: a new life above `floor`, nothing settled, nothing arrived, and what does not count said anew.
    /// `kept` are lives of this node that count in its mesh.
    pub(super) fn begin_anew(
        &self,
        inner: &mut Inner,
        floor: Hlc,
        kept: BTreeMap<Incarnation, Life>,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let left = Left {
            id: inner.state.node,
            kept,
            held: Vec::new(),
        };
        self.begin_anew_as(inner, left, floor, now)
    }

    pub(super) fn begin_anew_as(
        &self,
        inner: &mut Inner,
        left: Left,
        floor: Hlc,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let Left { id, kept, held } = left;
        self.counters.adoptions.fetch_add(1, Ordering::Relaxed);
        let journal = &self.keyspace.journal;
        journal.observe(floor);
        let mut guards = self.keyspace.lock_all();
        let floor = journal.clock().max(Hlc::at(now)).max(floor);
        let node = inner.state.node;
        let present = inner.state.incarnation;
        let is_kept = |life: Incarnation| {
            kept.get(&life)
                .is_some_and(|listed| life != present || listed.floor == inner.floor)
        };
        let origins: Vec<_> = self.keyspace.origins.list();
        let counts: Vec<bool> = origins
            .iter()
            .map(|origin| {
                if origin.node == node {
                    is_kept(origin.incarnation)
                } else {
                    inner.state.table.counts(*origin)
                }
            })
            .collect();
        let own: Vec<bool> = origins.iter().map(|origin| origin.node == node).collect();
        let is = |list: &[bool], index: OriginIndex| {
            let place = usize::from(index.0).checked_sub(1);
            place
                .and_then(|place| list.get(place))
                .copied()
                .unwrap_or(false)
        };

        let find = |(life, held)| Some((self.keyspace.origins.find(life)?, held));
        let held: HashMap<OriginIndex, Hlc> = held.into_iter().filter_map(find).collect();
        let newest = kept.keys().next_back().copied();
        let newest = newest.map_or(inner.state.incarnation, |newest| {
            newest.max(inner.state.incarnation)
        });
        inner.state.incarnation = Incarnation(newest.0 + 1);
        inner.state.node = id;
        inner.floor = floor;
        let origin = inner.origin();
        let index = self.keyspace.origins.intern(origin)?;
        let me = inner.state.table.members.nodes.entry(id).or_default();
        if id == node {
            me.lives = kept;
        }
        me.statements.clear();
        me.lives.insert(origin.incarnation, Life { floor });
        inner.state.table.members.drop_void_announcements();
        inner.state.established = false;
        inner.alone_ticks = 0;
        inner.drop_routes();
        inner.relearn = true;
        inner.usurped = false;
        for place in 1..=origins.len() {
            journal.forget(OriginIndex(place as u16));
        }
        journal.reincarnate(index, floor);
        self.set_own(inner, index);
        inner.covered = Hlc::ZERO;
        self.keyspace.unsettle();
        self.extend_lease_locked(inner, floor)?;
        self.changed(inner)?;

        let void = Void {
            is_void: &|stamp| {
                let held = held.get(&stamp.origin());
                let is_beyond = held.is_some_and(|held| stamp.time() > *held);
                is_beyond || !is(&counts, stamp.origin())
            },
            is_own: &|index| is(&own, index),
        };
        let mut effects = Effects::default();
        for guard in &mut guards {
            for db in (0..guard.databases()).chain([LIBRARIES]) {
                let taken = guard.take_void(db, &void);
                guard.take_all(db);
                for (key, again) in taken {
                    let hash = self.keyspace.hash(&key);
                    let reservation = journal.reserve(again.len() as u32, now);
                    let mut context = WriteContext {
                        stamp: reservation.first(),
                        now: reservation.first().time().millis(),
                        settled: Hlc::ZERO,
                        origins: &self.keyspace.origins,
                    };
                    for bytes in &again {
                        let Ok(op) = Op::decode(bytes) else { continue };
                        guard.apply(db, Key { bytes: &key, hash }, op, &context);
                        effects.push(Effect::Key { db, key: &key, op });
                        let time = context.stamp.time().plus(1);
                        context.stamp = Stamp::new(time, index);
                        context.now = time.millis();
                    }
                    let record = Record {
                        count: effects.count(),
                        payload: Bytes::copy_from_slice(effects.payload()),
                        trace: None,
                    };
                    effects.clear();
                    #[cfg(feature = "ablation")]
                    self.said_anew.lock().push((
                        origin,
                        reservation.first().time(),
                        record.clone(),
                    ));
                    reservation.publish(record);
                }
            }
        }
        Ok(())
    }
}
