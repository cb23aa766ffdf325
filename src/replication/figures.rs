//! What is counted and measured of a mesh, in one piece, for those who show it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::db::{Hlc, Origin};
use crate::replication::clock;
use crate::replication::node::Node;

/// See the head of the file. Counts are since the start, ages in milliseconds.
#[derive(Debug, Clone, Default)]
#[expect(
    missing_docs,
    reason = "the names say it, and MESH HELP and INFO's page"
)]
pub struct MeshFigures {
    pub members: usize,
    pub records_in: u64,
    pub records_out: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
    pub duplicates: u64,
    pub superseded: u64,
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
    /// Of each life that is not over, its own one included.
    pub arrived_age_ms: Vec<(String, i64)>,
    pub unsettled_keys: usize,
    pub tombstones: usize,
    pub pending_bytes: usize,
    pub clock_excess_ms: i64,
    /// Their names, with commas between.
    pub alarms: String,
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
        let arrived_age_ms = lives
            .filter(|life| !members.is_retired(*life))
            .filter_map(|life| {
                let index = keyspace.origins.find(life)?;
                let arrived = keyspace.journal.position(index).arrived;
                (arrived > Hlc::ZERO).then(|| (life.to_string(), now - arrived.millis().0))
            })
            .collect();
        let settled = keyspace.settled();
        let laggard = node.laggard();
        Self {
            members: members.nodes.len(),
            records_in: get(&counters.records_in),
            records_out: get(&counters.records_out),
            input_bytes: get(&counters.input_bytes),
            output_bytes: get(&counters.output_bytes),
            duplicates: get(&counters.duplicates),
            superseded: get(&counters.superseded),
            partial_resyncs: get(&counters.partial_resyncs),
            partial_refused: get(&counters.partial_refused),
            snapshots_sent: get(&counters.snapshots_sent),
            merges_done: get(&counters.merges_done),
            merges_aborted: get(&counters.merges_aborted),
            reroutes: get(&counters.reroutes),
            settled_age_ms: (settled > Hlc::ZERO).then(|| now - settled.millis().0),
            held_back_by: laggard.map_or_else(String::new, |(origin, _)| origin.to_string()),
            arrived_age_ms,
            unsettled_keys,
            tombstones,
            pending_bytes: keyspace.pending_bytes(),
            clock_excess_ms: keyspace.clock_excess_ms(),
            alarms: node.alarms(),
        }
    }
}
