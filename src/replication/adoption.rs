//! Strangers become members. A node that brings data from before its admission begins a new life above the admission and makes
//! all of that data anew as imports, which count only where the mesh holds nothing as new.
//!
//! Invariant: no stamp at or before a mesh's settled time ever enters that mesh.

use std::cmp::Reverse;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hashbrown::HashSet;

use crate::ablation::{Rule, is_off};
use crate::commands::{Effect, Effects};
use crate::db::{Hlc, Incarnation, Key, NodeId, Op, Origin, OriginIndex, UnixMillis, WriteContext};
use crate::journal::Record;
use crate::replication::frame::Hello;
use crate::replication::members::{Life, Members};
use crate::replication::node::{Inner, Node, NodeError};

fn rank(established: bool, members: &Members) -> (bool, usize, Reverse<Option<NodeId>>) {
    (
        established,
        members.nodes.len(),
        Reverse(members.nodes.keys().next().copied()),
    )
}

impl Node {
    /// Whether this node joins the mesh of a master it meets, rather than that mesh joining its own.
    pub(super) fn yields_to(&self, inner: &Inner, hello: &Hello) -> bool {
        if !hello.established || inner.follower || is_off(Rule::Admission) {
            return false;
        }
        let strangers = !hello.members.nodes.contains_key(&inner.state.node)
            && !inner.state.members.nodes.contains_key(&hello.origin.node);
        strangers
            && rank(inner.state.joined, &inner.state.members)
                < rank(hello.established, &hello.members)
    }

    /// Asked by a reader: these nodes are to confirm an admission at `floor`, with lives above it. Only the first admission is
    /// confirmed; whoever announced another one hears of it.
    pub(super) fn adopt(
        &self,
        floor: Hlc,
        nodes: &[NodeId],
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let mut inner = self.inner.lock();
        let origin = inner.origin();
        let confirmed = inner
            .state
            .members
            .nodes
            .get(&origin.node)
            .map_or(Hlc::ZERO, |member| member.admitted);
        if !nodes.contains(&origin.node) || confirmed > Hlc::ZERO {
            return Ok(());
        }
        self.extend_lease_locked(&mut inner, floor)?;
        let present = inner
            .state
            .members
            .life(origin)
            .map_or(Hlc::ZERO, |life| life.floor);
        if present < floor {
            self.adopt_locked(&mut inner, floor, nodes, now)?;
        }
        if let Some(me) = inner.state.members.nodes.get_mut(&origin.node) {
            me.admitted = floor;
        }
        inner.state.joined = true;
        self.changed(&mut inner)
    }

    /// Leaves the past of `island`, this node's own among it, behind: a new life, all data imported, nothing settled.
    pub(super) fn adopt_locked(
        &self,
        inner: &mut Inner,
        floor: Hlc,
        island: &[NodeId],
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        self.counters.adoptions.fetch_add(1, Ordering::Relaxed);
        let journal = &self.keyspace.journal;
        journal.observe(floor);
        let mut guards = self.keyspace.lock_all();
        let floor = journal.clock().max(Hlc::at(now)).max(floor);
        let void: HashSet<OriginIndex> = inner
            .state
            .members
            .lives()
            .filter(|(origin, _)| island.contains(&origin.node))
            .filter_map(|(origin, _)| self.keyspace.origins.find(origin))
            .collect();

        inner.state.incarnation = Incarnation(inner.state.incarnation.0 + 1);
        let origin: Origin = inner.origin();
        let own = self.keyspace.origins.intern(origin)?;
        for node in island {
            let member = inner.state.members.nodes.entry(*node).or_default();
            member.lives.clear();
            member.statements.clear();
            member.admitted = floor;
        }
        let me = inner.state.members.nodes.entry(origin.node).or_default();
        me.admitted = Hlc::ZERO;
        me.lives.insert(origin.incarnation, Life { floor });
        inner.state.established = false;
        inner.state.joined = true;
        inner.routes.clear();
        inner
            .links
            .values_mut()
            .for_each(|link| link.subscribed.clear());
        inner.merge = None;
        for index in &void {
            journal.forget(*index);
        }
        journal.reincarnate(own, floor);
        self.set_own(inner, own);
        inner.covered = inner.covered.max(self.keyspace.settled());
        self.keyspace.unsettle();
        self.extend_lease_locked(inner, floor)?;
        self.changed(inner)?;

        let mut effects = Effects::default();
        for guard in &mut guards {
            for db in 0..guard.databases() {
                for (key, import) in guard.take_imports(db, &|index| void.contains(&index)) {
                    let Some((value, written)) = import else {
                        continue;
                    };
                    let stamp = journal.reserve(1, now);
                    let op = Op::Import(written, value.deadline, &value.bytes);
                    let context = WriteContext {
                        stamp: stamp.first(),
                        now,
                        settled: Hlc::ZERO,
                        origins: &self.keyspace.origins,
                    };
                    let hash = self.keyspace.hash(&key);
                    guard.apply(db, Key { bytes: &key, hash }, op, &context);
                    effects.push(Effect::Key { db, key: &key, op });
                    let payload = Bytes::copy_from_slice(effects.payload());
                    effects.clear();
                    stamp.publish(Record {
                        count: 1,
                        payload,
                        trace: None,
                    });
                }
            }
        }
        Ok(())
    }
}
