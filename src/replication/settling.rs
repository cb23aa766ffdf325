//! What a node concludes from what has arrived, many times a second: the settled time, what is left of retired lives, routes.
//!
//! Invariant: everything stamped at or before the settled time of the keyspace has arrived here. It is the least arrival of all
//! lives that may still bring something, and zero until every configured master was met.

use std::sync::atomic::Ordering;

use crate::ablation::{Rule, is_off};
use crate::db::{Hlc, Origin, UnixMillis};
use crate::journal::Position;
use crate::replication::members::{Members, Statement};
use crate::replication::node::{Inner, Node, NodeError};

impl Node {
    /// What a node does many times a second, by its wall clock: promise, lease, statements, alarms, settled time, routes.
    pub fn tick(&self, wall: UnixMillis) -> Result<(), NodeError> {
        let now = self.keyspace.time(wall);
        self.extend_lease(Hlc::at(now))?;
        self.keyspace.journal.promise(now);
        let vector = self.keyspace.journal.vector();
        let mut inner = self.inner.lock();
        self.retire(&mut inner, &vector)?;
        for link in inner.links.values_mut() {
            link.refused_ticks = link.refused_ticks.saturating_sub(1);
        }
        self.learn_again(&mut inner, now)?;
        self.go_on(&mut inner, now)?;
        self.forget_replaced(&mut inner, &vector, now)?;
        self.establish(&mut inner)?;
        self.watch(&mut inner);
        let settled = if inner.follower {
            self.followed_settled(&inner, &vector)
        } else {
            self.least_arrival(&inner, &vector)
        };
        self.plan(&mut inner, &vector);
        drop(inner);
        self.keyspace.raise_settled(settled);
        Ok(())
    }

    /// Lets time settle once everybody was met.
    fn establish(&self, inner: &mut Inner) -> Result<(), NodeError> {
        if inner.state.established || inner.merge.is_some() || self.is_waiting(inner) {
            return Ok(());
        }
        let all_met = inner.state.table.members.all_met()
            && (inner.state.table.formed || self.is_counted_by_masters(inner));
        if all_met {
            inner.state.established = true;
            if !inner.state.table.formed {
                self.form(inner);
            }
            self.changed(inner)?;
        }
        Ok(())
    }

    /// States how much of each retired life is here, whenever that may have changed what others conclude.
    fn retire(&self, inner: &mut Inner, vector: &[Position]) -> Result<(), NodeError> {
        let members = &inner.state.table.members;
        let retired: Vec<Origin> = members
            .lives()
            .map(|(origin, _)| origin)
            .filter(|origin| members.is_retired(*origin))
            .chain(members.forgotten_unborn())
            .collect();
        let (me, by, seen) = (
            inner.state.node,
            inner.state.incarnation,
            members.view(None),
        );
        // Two statements never bear the same version: the later one must win everywhere.
        let version = self.keyspace.journal.clock().plus(1);
        let mut changed = false;
        for origin in retired {
            // The last words of a life may still be on their way from a link into the journal, or in a snapshot that is here
            // and not merged yet.
            if inner.retired_seen.insert(origin) || inner.is_merging(origin, &self.keyspace) {
                continue;
            }
            let arrived = self.arrival(vector, origin);
            let member = inner.state.table.members.nodes.entry(me).or_default();
            let known = member.statements.get(&origin);
            if known.is_none_or(|statement| (statement.by, statement.seen) != (by, seen)) {
                member.statements.insert(
                    origin,
                    Statement {
                        by,
                        version,
                        seen,
                        arrived,
                    },
                );
                self.counters.sealed.fetch_add(1, Ordering::Relaxed);
                changed = true;
            }
        }
        if changed {
            self.keyspace.journal.observe(version);
            inner.state.table.members.prune_statements();
            self.changed(inner)?;
        }
        Ok(())
    }

    pub(super) fn arrival(&self, vector: &[Position], origin: Origin) -> Hlc {
        let index = self.keyspace.origins.find(origin).unwrap_or_default();
        vector
            .get(usize::from(index.0))
            .map_or(Hlc::ZERO, |position| position.arrived)
    }

    /// Everything up to the result has arrived here.
    fn least_arrival(&self, inner: &Inner, vector: &[Position]) -> Hlc {
        if is_off(Rule::Watermark) {
            return Hlc::MAX;
        }
        let held = !inner.state.established && !is_off(Rule::ColdStartHold);
        if held || inner.merge.is_some() {
            return Hlc::ZERO;
        }
        let members = &inner.state.table.members;
        let mut least = Hlc::MAX;
        for (origin, _) in members.lives() {
            let arrived = self.arrival(vector, origin);
            let over = members.is_retired(origin)
                && (is_off(Rule::SealRetired)
                    || members
                        .most_held(origin)
                        .is_some_and(|most| arrived >= most));
            if !over {
                least = least.min(arrived);
            }
        }
        for (&node, member) in &members.nodes {
            let unborn = Members::unborn(node);
            let over = member.is_forgotten() && members.most_held(unborn).is_some();
            if member.lives.is_empty() && !over {
                least = least.min(
                    member
                        .admission
                        .map_or(Hlc::ZERO, |admission| admission.floor),
                );
            }
        }
        least
    }

    /// Which member holds the settled time back, and since when.
    pub fn laggard(&self) -> Option<(Origin, Hlc)> {
        let vector = self.keyspace.journal.vector();
        let inner = self.inner.lock();
        let members = &inner.state.table.members;
        members
            .lives()
            .map(|(origin, _)| (origin, self.arrival(&vector, origin)))
            .filter(|(origin, arrived)| {
                !(members.is_retired(*origin)
                    && members
                        .most_held(*origin)
                        .is_some_and(|most| *arrived >= most))
            })
            .min_by_key(|(_, arrived)| *arrived)
    }

    /// What there is to say about this node when something does not come to rest.
    pub fn describe(&self) -> String {
        let vector = self.keyspace.journal.vector();
        let inner = self.inner.lock();
        let mut text = format!(
            "{} merge {:?} wait {}",
            inner.origin(),
            inner.merge,
            inner.merge_wait
        );
        for (origin, life) in inner.state.table.members.lives() {
            let index = self.keyspace.origins.find(origin).unwrap_or_default();
            let route = inner.routes.get(&index);
            let position = vector.get(usize::from(index.0));
            text.push_str(&format!(
                "\n  {origin} {life:?} index {index:?} {position:?} route {route:?}"
            ));
        }
        for (id, link) in &inner.links {
            text.push_str(&format!("\n  {id:?} {link:?}"));
        }
        text
    }
}
