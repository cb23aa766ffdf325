//! How often records cross links: what comes twice can only be what was under way when its origin changed its way.
//!
//! A node asks for an origin's records over one link at a time, and says over each link what it wants there and what no more. A
//! record was under way when its sender had not heard all of that yet: such a record may come a second time, and no other.

use std::collections::BTreeMap;

use keymesh::db::{Hlc, Origin};
use keymesh::keyspace::{Foreign, Ingested};
use keymesh::replication::node::Node;
use keymesh::replication::tracing::RecordObserver;

/// How much was said of each origin over one connection, wanted or no more: by its replica, or as far as its master has heard.
pub type Said = BTreeMap<Origin, u32>;

/// How one record came to one node.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// While it was under way.
    under_way: u64,
    /// When it was there already.
    duplicates: u64,
}

/// What all nodes have received.
#[derive(Debug, Default)]
pub struct Crossings(BTreeMap<(usize, Origin), BTreeMap<Hlc, Tally>>);

impl Crossings {
    /// A node begins anew.
    pub fn crashed(&mut self, replica: usize) {
        self.0.retain(|(node, _), _| *node != replica);
    }

    /// A record that somebody received twice and that was not under way.
    pub fn fault(&self) -> Option<String> {
        self.0.iter().find_map(|((node, origin), records)| {
            let mut records = records.iter();
            let (stamp, tally) = records.find(|(_, tally)| tally.duplicates > tally.under_way)?;
            Some(format!(
                "node {node} received {stamp:?} of {origin} twice: {tally:?}"
            ))
        })
    }

    /// How many records were under way when their origin's way changed.
    pub fn under_way(&self) -> u64 {
        let tallies = self.0.values().flat_map(BTreeMap::values);
        tallies.map(|tally| tally.under_way).sum()
    }
}

/// Watches what one connection brings.
pub struct Watch<'a> {
    pub crossings: &'a mut Crossings,
    pub replica: (usize, &'a Node),
    /// What the replica has said.
    pub said: &'a Said,
    /// What the master had heard of that when it sent what comes now.
    pub heard: &'a Said,
}

impl RecordObserver for Watch<'_> {
    fn received(&mut self, record: &Foreign, ingested: Ingested) {
        let (replica, node) = self.replica;
        let Some(origin) = node.keyspace.origins.get(record.origin) else {
            return;
        };
        let records = self.crossings.0.entry((replica, origin)).or_default();
        let tally = records.entry(record.stamp).or_default();
        tally.under_way += u64::from(self.said.get(&origin) != self.heard.get(&origin));
        tally.duplicates += u64::from(ingested == Ingested::Duplicate);
    }
}
