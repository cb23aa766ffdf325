//! A mesh forms, and of two formed meshes that meet the nodes of the younger leave theirs for the older.
//!
//! While a mesh forms nothing is settled anywhere, and whoever is met counts. A node forms it when everybody was met and all of
//! its masters count it.
//!
//! Invariant: what is here when a node comes to a mesh counts there, or is said anew under a life that will.

use std::collections::BTreeMap;

use crate::db::{Hlc, UnixMillis};
use crate::replication::admission::sponsors;
use crate::replication::members::{Admission, Members};
use crate::replication::node::{Inner, Node, NodeError};
use crate::replication::table::Table;

/// Whether a life of this node that is not left behind counts for a teller.
pub(super) fn counts_me(inner: &Inner, told: &Table) -> bool {
    let me = inner.state.node;
    let mine = inner.state.table.members.nodes.get(&me);
    let there = told.members.nodes.get(&me);
    mine.zip(there).is_some_and(|(mine, there)| {
        let mut lives = mine.lives.iter();
        lives.any(|(life, mine)| there.lives.get(life) == Some(mine))
    })
}

impl Node {
    /// The mesh that this node was forming has formed, and counts it. Where this node has counted somebody meanwhile whom the
    /// mesh does not, what it has of them does not count: it begins again with nothing, as after a crash.
    pub(super) fn formed_elsewhere(
        &self,
        inner: &mut Inner,
        told: &Table,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let me = inner.state.node;
        if !self.has_what_counts_not(inner, told) {
            inner.state.table.formed = true;
            inner.state.table.mesh = told.mesh;
            let members = &mut inner.state.table.members;
            members.nodes.retain(|node, member| {
                let there = told.members.nodes.get(node);
                *node == me
                    || member.forgotten > 0
                    || there.is_some_and(|there| !there.lives.is_empty())
            });
        } else {
            self.join_mesh(inner, told, now)?;
        }
        let mut counted = told.members.clone();
        counted
            .nodes
            .retain(|node, member| *node == me || member.admission.is_some());
        inner.state.table.members.join(&counted);
        let admission = told.members.nodes.get(&me).and_then(|me| me.admission);
        inner.state.sponsors = admission.map_or(Vec::new(), |admission| {
            sponsors(&told.members, admission.by)
        });
        self.changed(inner)
    }

    /// Whether this node leaves its mesh for that of a master.
    pub(super) fn yields_to(&self, inner: &Inner, told: &Table) -> bool {
        let table = &inner.state.table;
        if !told.formed {
            return false;
        }
        if !table.formed {
            return true;
        }
        let there = told.members.nodes.get(&inner.state.node);
        let confirmed_there = there.is_some_and(|there| there.admission.is_some());
        match self.confirmed(inner) {
            // It counts there already, and waits here for what nobody will announce.
            None if there.is_some_and(|there| !there.lives.is_empty()) => {
                confirmed_there && told.mesh <= table.mesh
            }
            None => told.mesh < table.mesh,
            Some(_) => told.mesh < table.mesh,
        }
    }

    /// Becomes a stranger to another mesh: nothing is settled any more, and of those known so far only they count who count
    /// there. What this node has and writes waits for its admission.
    pub(super) fn join_mesh(
        &self,
        inner: &mut Inner,
        told: &Table,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let me = inner.state.node;
        let continues = counts_me(inner, told);
        let settled = self.keyspace.settled() > Hlc::ZERO;
        let afresh = !continues || settled || self.has_what_counts_not(inner, told);
        let there = told
            .members
            .nodes
            .get(&me)
            .filter(|there| !there.lives.is_empty());
        let known = std::mem::take(&mut inner.state.table.members);
        let mut members = Members::default();
        for (&node, member) in &told.members.nodes {
            let confirmed = !member.lives.is_empty() && member.admission.is_some();
            if node != me && confirmed {
                members.nodes.insert(node, member.clone());
            }
        }
        for (node, member) in known.nodes {
            if node == me {
                let mut member = member;
                member.statements.clear();
                member.admission = there.and_then(|there| there.admission);
                match there {
                    Some(there) if continues => member.lives.extend(there.lives.clone()),
                    Some(there) => member.lives.clone_from(&there.lives),
                    None => {}
                }
                members.nodes.insert(me, member);
            } else if member.forgotten > 0 {
                let kept = members.nodes.entry(node).or_default();
                kept.forgotten = kept.forgotten.max(member.forgotten);
            }
        }
        inner.state.table = Table {
            mesh: told.mesh,
            formed: true,
            members,
        };
        let kept = inner.state.table.members.nodes.get(&me);
        let kept = kept.map_or(BTreeMap::new(), |me| me.lives.clone());
        let admission = self.confirmed(inner);
        inner.state.sponsors = admission.map_or(Vec::new(), |admission| {
            sponsors(&told.members, admission.by)
        });
        inner.state.established = false;
        inner.alone_ticks = 0;
        inner.drop_routes();
        inner.relearn = true;
        self.unsettle(inner);
        self.changed(inner)?;
        // It has been there before: under other lives, or with what does not count there.
        if there.is_some() && afresh {
            let floor = self.keyspace.journal.clock();
            self.begin_anew(inner, floor, kept, now)?;
        }
        Ok(())
    }

    /// Whether there is anything here of others who do not count for a teller.
    fn has_what_counts_not(&self, inner: &Inner, told: &Table) -> bool {
        let me = inner.state.node;
        let vector = self.keyspace.journal.vector();
        let origins = self.keyspace.origins.list();
        origins.iter().enumerate().any(|(place, origin)| {
            let position = vector.get(place + 1).copied().unwrap_or_default();
            origin.node != me && position.last > Hlc::ZERO && !told.counts(*origin)
        })
    }

    /// Nothing counts as settled any more, until everything that did has been settled anew.
    fn unsettle(&self, inner: &mut Inner) {
        let _quiet = self.keyspace.lock_all();
        inner.covered = inner.covered.max(self.keyspace.settled());
        self.keyspace.unsettle();
    }

    /// Forms a mesh where everybody was met, nothing is settled, and whomever this node reads counts it too.
    pub(super) fn form(&self, inner: &mut Inner) {
        let by = inner.origin();
        inner.state.table.formed = true;
        inner.state.table.mesh.founders = inner.state.table.members.founders();
        inner.state.sponsors = vec![by];
        for member in inner.state.table.members.nodes.values_mut() {
            let floor = member.lives.values().map(|life| life.floor).min();
            if let (None, Some(floor)) = (member.admission, floor) {
                member.admission = Some(Admission { floor, by });
            }
        }
    }

    /// Whether all masters of this node count it: then all of them form one mesh.
    pub(super) fn is_counted_by_masters(&self, inner: &Inner) -> bool {
        let me = inner.state.node;
        let entries = inner.state.table.members.nodes.get(&me);
        entries.is_some_and(|member| {
            member.entries.iter().all(|entry| {
                entry.met == Some(me)
                    || inner.links.values().any(|link| {
                        link.address == entry.address
                            && link
                                .told
                                .as_ref()
                                .is_some_and(|told| counts_me(inner, told))
                    })
            })
        })
    }
}
