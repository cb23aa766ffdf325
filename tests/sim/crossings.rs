//! How often records cross links: what comes twice can only be what was under way when its origin changed its way.
//!
//! A node asks for an origin's records over one link at a time. A record that comes over another link, or was sent before the
//! link was asked anew or a full sync ended, was under way when the way changed: each such record may come a second time, and
//! no other.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use keymesh::db::Origin;
use keymesh::keyspace::{Foreign, Ingested};
use keymesh::replication::node::Node;
use keymesh::replication::tracing::RecordObserver;

/// How often each origin was asked for over one connection: at its replica, or as far as its master has heard.
pub type Asked = BTreeMap<Origin, u32>;

/// As it was when a message was sent.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// How often its sender had been asked.
    pub asked: Asked,
    /// How many full syncs its receiver had ended.
    pub merges: u64,
}

/// What one node has received of one origin.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// The connection that was asked last, and how often it was asked.
    way: Option<((usize, usize), u32)>,
    /// Records that were under way when the way changed.
    under_way: u64,
    /// Records that were there already.
    duplicates: u64,
}

/// What all nodes have received.
#[derive(Debug, Default)]
pub struct Crossings(BTreeMap<(usize, Origin), Tally>);

impl Crossings {
    /// A node asks for an origin's records over a connection, for the `nth` time.
    pub fn asked(&mut self, pair: (usize, usize), origin: Origin, nth: u32) {
        self.0.entry((pair.0, origin)).or_default().way = Some((pair, nth));
    }

    /// A node begins anew.
    pub fn crashed(&mut self, replica: usize) {
        self.0.retain(|(node, _), _| *node != replica);
    }

    /// Who has received more of something twice than was under way.
    pub fn fault(&self) -> Option<String> {
        let tallies = self.0.iter();
        let mut wrong = tallies.filter(|(_, tally)| tally.duplicates > tally.under_way);
        let ((node, origin), tally) = wrong.next()?;
        Some(format!("node {node} received {origin} twice: {tally:?}"))
    }

    /// How many records were under way when their origin's way changed.
    pub fn under_way(&self) -> u64 {
        self.0.values().map(|tally| tally.under_way).sum()
    }
}

/// Watches what one connection brings.
pub struct Watch<'a> {
    pub crossings: &'a mut Crossings,
    pub pair: (usize, usize),
    pub sent: &'a Sent,
    pub replica: &'a Node,
}

/// How many full syncs a node has ended.
pub fn merges(node: &Node) -> u64 {
    node.counters.merges_done.load(Ordering::Relaxed)
}

impl RecordObserver for Watch<'_> {
    fn received(&mut self, record: &Foreign, ingested: Ingested) {
        let Some(origin) = self.replica.keyspace.origins.get(record.origin) else {
            return;
        };
        let tally = self.crossings.0.entry((self.pair.0, origin)).or_default();
        let by = self.sent.asked.get(&origin).copied().unwrap_or_default();
        let is_old = tally.way != Some((self.pair, by)) || self.sent.merges != merges(self.replica);
        tally.under_way += u64::from(is_old);
        tally.duplicates += u64::from(ingested == Ingested::Duplicate);
    }
}
