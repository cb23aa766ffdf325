//! What is counted and measured of a mesh, in one piece, for those who show it.

use std::sync::atomic::{AtomicU64, Ordering};

use std::sync::Arc;

use crate::db::conflict::KINDS;
use crate::db::{Hlc, NodeId, Origin};
use crate::replication::clock;
use crate::replication::meters::{ConvergeMeters, NodeMeters};
use crate::replication::node::Node;

/// See the head of the file. Counts are since the start, ages in milliseconds.
#[derive(Debug, Clone, Default)]
#[expect(
    missing_docs,
    reason = "the names say it, and MESH HELP and INFO's page"
)]
pub struct MeshFigures {
    pub members: usize,
    pub superseded: [u64; KINDS],
    pub partial_resyncs: u64,
    pub partial_refused: u64,
    pub snapshots_sent: u64,
    pub merges_done: u64,
    pub merges_aborted: u64,
    pub reroutes: u64,
    /// None where nothing has settled yet.
    pub settled_age_ms: Option<i64>,
    /// The life that holds the settled time back, empty for none.
    pub held_back_by: String,
    /// Of each node that has a life which is not over, its own one included.
    pub arrived_age_ms: Vec<(NodeId, i64)>,
    /// How far back the journal reaches: who was cut off for no longer than this gets all it lacks from here, without a full sync.
    pub backlog_ms: i64,
    pub nodes: Vec<NodeFigures>,
    pub converge: ConvergeMeters,
    pub unsettled_keys: usize,
    pub tombstones: usize,
    pub pending_bytes: usize,
    pub clock_excess_ms: i64,
    /// All there are, and whether each is raised.
    pub alarms: Vec<(&'static str, bool)>,
}

/// Of one other node.
#[derive(Debug, Clone)]
pub struct NodeFigures {
    /// Who it is.
    pub id: NodeId,
    /// What is measured of it.
    pub meters: Arc<NodeMeters>,
}

impl MeshFigures {
    /// Of this node, now.
    pub fn of(node: &Node) -> Self {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (keyspace, counters) = (&node.keyspace, &node.counters);
        let (unsettled_keys, tombstones) = keyspace.pending();
        let now = clock::now().0;
        let members = node.members();
        let lives = members.nodes.iter().flat_map(|(id, member)| {
            member.lives.keys().map(|incarnation| Origin {
                node: *id,
                incarnation: *incarnation,
            })
        });
        let mut arrived_age_ms: Vec<(NodeId, i64)> = lives
            .filter(|life| !members.is_retired(*life))
            .filter_map(|life| {
                let index = keyspace.origins.find(life)?;
                let arrived = keyspace.journal.position(index).arrived;
                (arrived > Hlc::ZERO).then(|| (life.node, now - arrived.millis().0))
            })
            .collect();
        // The newest life of each: the others are retired.
        arrived_age_ms.dedup_by_key(|(node, _)| *node);
        let reach = keyspace.journal.reaches_back_to().max(node.floor());
        let of_use = node.meters.of_use(&members).into_iter();
        let settled = keyspace.settled();
        let laggard = node.laggard();
        Self {
            members: members.nodes.len(),
            superseded: counters.superseded.each_ref().map(get),
            partial_resyncs: get(&counters.partial_resyncs),
            partial_refused: get(&counters.partial_refused),
            snapshots_sent: get(&counters.snapshots_sent),
            merges_done: get(&counters.merges_done),
            merges_aborted: get(&counters.merges_aborted),
            reroutes: get(&counters.reroutes),
            settled_age_ms: (settled > Hlc::ZERO).then(|| now - settled.millis().0),
            held_back_by: laggard.map_or_else(String::new, |(origin, _)| origin.to_string()),
            arrived_age_ms,
            backlog_ms: match keyspace.is_recording() {
                true => (now - reach.millis().0).max(0),
                false => 0,
            },
            nodes: of_use
                .map(|(id, meters)| NodeFigures { id, meters })
                .collect(),
            converge: node.meters.converge.clone(),
            unsettled_keys,
            tombstones,
            pending_bytes: keyspace.pending_bytes(),
            clock_excess_ms: keyspace.clock_excess_ms(),
            alarms: node.alarm_states(),
        }
    }
}
