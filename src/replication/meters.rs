//! What is measured of each other node: how late its writes arrive, and what its links carry; and how long this node's own writes
//! take to be everywhere.
//!
//! A link or feed holds the meters of its peer; an origin's are looked up once per frame. After that a record costs a few atomics.
//! Invariant: meters are kept of members and of those that are connected, and of nobody else; so their number has a bound.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keymesh_observability::metrics::{Counter, Histogram, LAG_BUCKETS, SECONDS_BUCKETS};
use parking_lot::Mutex;

use crate::db::NodeId;
use crate::replication::members::Members;
use crate::replication::node::{Node, NodeCounters};

/// Records, apart by whose they are.
#[derive(Debug, Default)]
pub struct Records {
    /// Of the node that sends them.
    pub own: AtomicU64,
    /// Of others, passed on.
    pub forwarded: AtomicU64,
}

impl Records {
    /// Counts some.
    pub fn add(&self, is_own: bool, count: u64) {
        let counter = if is_own { &self.own } else { &self.forwarded };
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

/// Of one other node. Counts are of this node's present process.
#[derive(Debug)]
pub struct NodeMeters {
    /// Bytes read from it, over links and feeds.
    pub bytes_in: AtomicU64,
    /// Bytes written to it.
    pub bytes_out: AtomicU64,
    /// Records taken in from it.
    pub records_in: Records,
    /// Records sent to it.
    pub records_out: Records,
    /// Records it sent that had come before.
    pub duplicates: AtomicU64,
    /// From its stamp to here, of its own writes that came from it.
    pub lag_direct: Histogram,
    /// The same of those that others passed on.
    pub lag_forwarded: Histogram,
}

impl Default for NodeMeters {
    fn default() -> Self {
        Self {
            bytes_in: AtomicU64::default(),
            bytes_out: AtomicU64::default(),
            records_in: Records::default(),
            records_out: Records::default(),
            duplicates: AtomicU64::default(),
            lag_direct: Histogram::new(LAG_BUCKETS),
            lag_forwarded: Histogram::new(LAG_BUCKETS),
        }
    }
}

impl NodeMeters {
    /// Where a write's lag counts.
    pub fn lag(&self, is_forwarded: bool) -> &Histogram {
        if is_forwarded {
            &self.lag_forwarded
        } else {
            &self.lag_direct
        }
    }
}

/// Of this node's own traced writes. Cheap to clone: all clones are one.
#[derive(Debug, Clone)]
pub struct ConvergeMeters {
    /// From the write to the last acknowledgement of those attached.
    pub seconds: Histogram,
    /// Writes that somebody did not acknowledge in time.
    pub given_up: Counter,
}

impl Default for ConvergeMeters {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(SECONDS_BUCKETS),
            given_up: Counter::default(),
        }
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Meters {
    nodes: Mutex<BTreeMap<NodeId, Arc<NodeMeters>>>,
    /// Of this node's own writes.
    pub converge: ConvergeMeters,
}

impl Meters {
    /// All that are of use, by node.
    pub fn of_use(&self, members: &Members) -> Vec<(NodeId, Arc<NodeMeters>)> {
        let mut nodes = self.nodes.lock();
        drop_others(&mut nodes, members);
        let all = nodes.iter();
        all.map(|(id, meters)| (*id, Arc::clone(meters))).collect()
    }

    fn find(&self, id: NodeId) -> Option<Arc<NodeMeters>> {
        self.nodes.lock().get(&id).cloned()
    }

    fn add(&self, id: NodeId, members: &Members) -> Arc<NodeMeters> {
        let mut nodes = self.nodes.lock();
        drop_others(&mut nodes, members);
        Arc::clone(nodes.entry(id).or_default())
    }
}

/// Keeps members that were not forgotten, and whoever is connected: a link or feed holds its meters.
fn drop_others(nodes: &mut BTreeMap<NodeId, Arc<NodeMeters>>, members: &Members) {
    nodes.retain(|id, meters| {
        let member = members.nodes.get(id);
        member.is_some_and(|member| !member.is_forgotten()) || Arc::strong_count(meters) > 1
    });
}

impl Node {
    /// The meters of another node.
    pub fn meters_of(&self, id: NodeId) -> Arc<NodeMeters> {
        let known = self.meters.find(id);
        known.unwrap_or_else(|| self.meters.add(id, &self.members()))
    }
}

/// What one connection carries. What passed before the peer said who it is counts for it afterwards.
#[derive(Debug, Default)]
pub(super) struct Carried {
    peer: Option<(NodeId, Arc<NodeMeters>)>,
    early_in: u64,
    early_out: u64,
}

impl Carried {
    /// The meters of the peer, once it is known.
    pub fn peer(&self) -> Option<&Arc<NodeMeters>> {
        self.peer.as_ref().map(|(_, meters)| meters)
    }

    /// Who is at the other end, as far as is known.
    pub fn meet(&mut self, node: &Node, peer: Option<NodeId>) {
        let Some(id) = peer.filter(|id| self.peer.as_ref().is_none_or(|(known, _)| known != id))
        else {
            return;
        };
        let meters = node.meters_of(id);
        meters.bytes_in.fetch_add(self.early_in, Ordering::Relaxed);
        meters
            .bytes_out
            .fetch_add(self.early_out, Ordering::Relaxed);
        (self.early_in, self.early_out) = (0, 0);
        self.peer = Some((id, meters));
    }

    /// So many bytes were read.
    pub fn read(&mut self, node: &Node, bytes: usize) {
        NodeCounters::carried(&node.counters.input_bytes, bytes);
        match &self.peer {
            Some((_, meters)) => NodeCounters::carried(&meters.bytes_in, bytes),
            None => self.early_in += bytes as u64,
        }
    }

    /// So many bytes were written.
    pub fn wrote(&mut self, node: &Node, bytes: usize) {
        NodeCounters::carried(&node.counters.output_bytes, bytes);
        match &self.peer {
            Some((_, meters)) => NodeCounters::carried(&meters.bytes_out, bytes),
            None => self.early_out += bytes as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::members::Member;

    #[test]
    fn meters_are_kept_of_members_and_of_who_is_connected() {
        let meters = Meters::default();
        let (member, forgotten, stranger, connected) = (NodeId(1), NodeId(2), NodeId(3), NodeId(4));
        let mut members = Members::default();
        members.nodes.insert(member, Member::default());
        let left = Member {
            forgotten: 1,
            ..Member::default()
        };
        members.nodes.insert(forgotten, left);
        for id in [member, forgotten, stranger] {
            drop(meters.add(id, &members));
        }
        let held = meters.add(connected, &members);
        let of_use = |members: &Members| -> Vec<NodeId> {
            let of_use = meters.of_use(members);
            of_use.into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(of_use(&members), [member, connected]);
        drop(held);
        assert_eq!(of_use(&members), [member]);
        // Who comes and goes leaves nothing behind, even where nobody ever asks.
        for id in 100..200 {
            drop(meters.add(NodeId(id), &members));
        }
        assert!(meters.nodes.lock().len() <= 2);
    }
}
