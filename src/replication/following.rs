//! A plain replica follows its master: it takes the master as it is instead of merging with it.
//!
//! It begins with a snapshot, whatever it had before, and so again with every new life of its master. From then on records come as
//! to anybody else. What has settled it takes from the master, too, for nobody counts it and it counts nobody itself.
//!
//! Invariant: what is here is what one life of the master had, and what came from it since.

use crate::db::{Hlc, OriginIndex};
use crate::journal::Position;
use crate::replication::node::{Inner, LinkId, Node, NodeError};
use crate::replication::table::Table;

impl Inner {
    /// The link to a master that this follower has to take over from the beginning.
    pub(super) fn to_follow_anew(&self) -> Option<LinkId> {
        let mut links = self.links.iter();
        let (id, link) = links.find(|(_, link)| link.master.is_some())?;
        let is_new = self.follower && self.followed != link.master;
        (is_new && link.refused_ticks == 0).then_some(*id)
    }
}

impl Node {
    /// Nothing that has arrived here counts any more: another master's view of it comes.
    pub(super) fn forget_arrivals(&self, inner: &mut Inner) {
        let own = self.keyspace.journal.own();
        inner.followed = None;
        inner.routes.clear();
        for place in 1..=self.keyspace.origins.list().len() {
            let index = OriginIndex(place as u16);
            if index != own {
                self.keyspace.journal.forget(index);
            }
        }
        self.begin_logs(inner);
    }

    /// A follower knows whom its master knows, and itself.
    pub(super) fn follow_table(&self, inner: &mut Inner, told: &Table) -> Result<(), NodeError> {
        let me = inner.state.node;
        let members = &mut inner.state.table.members;
        let mut followed = told.members.clone();
        if let Some(mine) = members.nodes.get(&me) {
            followed.nodes.insert(me, mine.clone());
        }
        if *members == followed {
            return Ok(());
        }
        *members = followed;
        self.changed(inner)
    }

    /// What a follower has settled: what its master has, once all that the master had by then is here.
    pub(super) fn followed_settled(&self, inner: &Inner, vector: &[Position]) -> Hlc {
        let mut links = inner.links.values();
        let master = links.find(|link| link.master.is_some() && link.master == inner.followed);
        let Some(link) = master.filter(|_| inner.merge.is_none()) else {
            return Hlc::ZERO;
        };
        // Of lives that count for nobody any more nothing will come.
        let counts = |index: &OriginIndex| {
            let origin = self.keyspace.origins.get(*index);
            origin.is_some_and(|origin| inner.state.table.members.life(origin).is_some())
        };
        let is_here = |(index, position): (&OriginIndex, &Position)| {
            let here = vector.get(usize::from(index.0)).copied();
            here.unwrap_or_default().arrived >= position.arrived.min(link.settled)
        };
        let mut counted = link.advertised.iter().filter(|(index, _)| counts(index));
        if counted.all(is_here) {
            link.settled
        } else {
            Hlc::ZERO
        }
    }
}
