//! Who a node is. Its id is its own until others have forgotten it, or have another life of it than it knows: then it was put back
//! from an old copy of its state, or runs twice. It goes on under a new id and comes in as a stranger.
//!
//! An id that answered at a configured address and gave way to another one there is forgotten when nothing is heard of it any
//! more: its state was lost.
//!
//! Invariant: nobody counts two lives of one name.

use std::collections::BTreeMap;

use crate::db::{Hlc, Incarnation, NodeId, Origin, UnixMillis};
use crate::journal::Position;
use crate::replication::admission::ALONE_TICKS;
use crate::replication::adoption::Left;
use crate::replication::members::{Life, Member, Members};
use crate::replication::merging::Merge;
use crate::replication::node::{Inner, Node, NodeError};

/// What is left of a node at whose address another one answers: how far it had arrived when that was last heard to rise.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeMap<NodeId, (Hlc, UnixMillis)>);

/// The members that go on without this node, and how much they hold of every life that is over.
type Without = (Members, Vec<(Origin, Hlc)>);

/// The id of a node that goes on after this life of it: always the same, and nobody else's.
fn successor(life: Origin, floor: Hlc) -> NodeId {
    let words = [u128::from(life.incarnation.0), u128::from(floor.raw())];
    let mixed = words.into_iter().fold(life.node.0, |mixed, word| {
        let mixed = (mixed ^ word << 64).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645);
        mixed ^ mixed >> 61
    });
    NodeId(mixed)
}

/// Whether a table lists a life of this node that it never had: a newer one, or the same one begun before this one was.
pub(super) fn is_usurped(inner: &Inner, told: &Members) -> bool {
    let there = told.nodes.get(&inner.state.node);
    there.is_some_and(|there| {
        let present = inner.state.incarnation;
        let is_newer = there.newest().is_some_and(|(newest, _)| newest > present);
        let earlier = there
            .lives
            .get(&present)
            .is_some_and(|life| life.floor < inner.floor);
        is_newer || earlier
    })
}

/// Whether a node that introduces itself begins its life elsewhere than it is known here to: it is not the one that is known.
pub(super) fn is_impostor(ours: &Members, life: Origin, theirs: &Members) -> bool {
    let (known, told) = (ours.life(life), theirs.life(life));
    known
        .zip(told)
        .is_some_and(|(known, told)| known.floor != told.floor)
}

impl Node {
    /// Goes on under a new id where the others go on without this node. What they hold of its lives counts, once they have stated
    /// how much that is; the rest it says anew.
    pub(super) fn go_on(&self, inner: &mut Inner, now: UnixMillis) -> Result<(), NodeError> {
        let last = inner.origin();
        let Some((members, held)) = self.who_goes_on(inner) else {
            return Ok(());
        };
        let id = successor(last, inner.floor);
        tracing::warn!(%id, "the others go on without this node, or with another one of its id: it goes on under a new id");
        let journal = &self.keyspace.journal;
        let ours = &mut inner.state.table.members;
        let me = ours.nodes.remove(&last.node).unwrap_or_default();
        *ours = members;
        ours.nodes
            .retain(|_, member| !member.lives.is_empty() && member.admission.is_some());
        let stranger = Member {
            entries: me.entries,
            entries_version: journal.clock().plus(1),
            ..Member::default()
        };
        journal.observe(stranger.entries_version);
        ours.nodes.insert(id, stranger);
        let listed = ours.nodes.get(&last.node);
        let kept: BTreeMap<Incarnation, Life> =
            listed.map_or(BTreeMap::new(), |listed| listed.lives.clone());
        inner.state.sponsors.clear();
        self.begin_anew_as(inner, Left { id, kept, held }, journal.clock(), now)
    }

    /// The members that have forgotten this node or know another one of its id, and how much they hold of every life that is
    /// over: once all of them state that of the same members. Anybody may tell it.
    fn who_goes_on(&self, inner: &Inner) -> Option<Without> {
        let table = &inner.state.table;
        let (life, me) = (inner.origin(), table.members.nodes.get(&inner.state.node)?);
        let half_merged = inner.merge.as_ref().is_some_and(Merge::is_whole);
        if (me.forgotten == 0 && !inner.usurped) || half_merged {
            return None;
        }
        let told = || inner.links.values().filter_map(|link| link.told.as_deref());
        let heard = me.forgotten >= life.incarnation.0 || inner.usurped;
        // Another life that began before it heard of it: nobody takes anything of that, once they know.
        let is_listed = told().any(|told| told.members.life(life).is_some());
        if !heard && (is_listed || inner.alone_ticks < ALONE_TICKS) {
            return None;
        }
        told()
            .chain([table])
            .filter(|told| {
                let there = told.members.nodes.get(&life.node);
                let without = there.is_some_and(Member::is_forgotten);
                let same = told.formed && told.mesh == table.mesh;
                same && (without || is_usurped(inner, &told.members))
            })
            .find_map(|told| {
                let held = told.members.all_held_by_counted(life.node)?;
                Some((told.members.clone(), held))
            })
    }

    /// Another node answers where this one did.
    pub(super) fn replaced(&self, inner: &mut Inner, old: NodeId, now: UnixMillis) {
        if old != inner.state.node {
            inner.replaced.0.insert(old, (Hlc::ZERO, now));
        }
    }

    /// Forgets nodes at whose address another one answers and of which nothing is heard any more.
    pub(super) fn forget_replaced(
        &self,
        inner: &mut Inner,
        vector: &[Position],
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let mut gone = Vec::new();
        let mut replaced = std::mem::take(&mut inner.replaced);
        replaced.0.retain(|node, (heard, since)| {
            let Some(member) = inner.state.table.members.nodes.get(node) else {
                return true;
            };
            if member.is_forgotten() {
                return false;
            }
            let newest = member.newest().map(|(incarnation, _)| Origin {
                node: *node,
                incarnation,
            });
            let arrived = newest.map_or(Hlc::ZERO, |life| self.arrival(vector, life));
            if arrived > *heard {
                (*heard, *since) = (arrived, now);
            }
            let is_gone = self.limits.is_gone_after(now.0 - since.0);
            if is_gone {
                gone.push(*node);
            }
            !is_gone
        });
        inner.replaced = replaced;
        for node in gone {
            tracing::warn!(%node, "another node answers at its address and nothing is heard of it: it is forgotten");
            self.forget_locked(inner, node)?;
        }
        Ok(())
    }
}
