//! What a node knows of its mesh: links, other nodes, ages, what waits.
//!
//! Nodes are named by their ids, links also by the address of their other end. Invariant: what is gone is shown no more.

use std::sync::atomic::{AtomicU64, Ordering};

use keymesh_observability::metrics::Registry;
use keymesh_observability::names::{label, metric, outcome, source, way};

use crate::clients::context::Context;
use crate::clients::metrics::{Set, Total};
use crate::db::NodeId;
use crate::db::conflict::KIND_NAMES;
use crate::replication::{LinkState, MeshFigures};

/// Directions of links: who is read from here, and who reads.
const LINK_IN: &str = "from-master";
const LINK_OUT: &str = "to-replica";

/// Families whose series come and go with links, nodes and who holds things back.
const PASSING: &[&str] = &[
    metric::LINK_UP,
    metric::LINK_STATE,
    metric::LINK_BYTES,
    metric::REPLICA_LAG_SECONDS,
    metric::WATERMARK_AGE_SECONDS,
    metric::VV_GAP_SECONDS,
    metric::LAG_SECONDS,
    metric::BYTES_TOTAL,
    metric::EFFECTS_TOTAL,
    metric::DUPLICATES_FILTERED_TOTAL,
    metric::NODE_INFO,
];

/// Forgets all series that may belong to what is gone.
pub(super) fn forget(registry: &Registry) {
    PASSING.iter().for_each(|name| registry.forget_family(name));
}

/// The links of this node, up or not.
pub(super) fn links(context: &Context, set: Set<'_>) {
    let up = "Whether records stream over a link.";
    let bytes = "Bytes received over the connections of a link, or sent over the present one.";
    let id = |node: Option<NodeId>| node.map_or_else(String::new, |node| node.to_string());
    for master in context.replication.masters() {
        let (peer, address) = (id(master.node), format!("{}:{}", master.host, master.port));
        let labels = [
            (label::PEER, peer.as_str()),
            (label::ADDRESS, address.as_str()),
            (label::DIRECTION, LINK_IN),
        ];
        let is_up = master.state == LinkState::Connected;
        set(metric::LINK_UP, up, &labels, f64::from(u8::from(is_up)));
        let help = "0 to be connected, 1 connecting, 2 handshake, 3 full sync, 4 streaming.";
        let state = f64::from(master.state as u8);
        set(metric::LINK_STATE, help, &labels, state);
        set(metric::LINK_BYTES, bytes, &labels, master.offset as f64);
    }
    for replica in context.replication.replicas() {
        // The port that it serves clients at stays the same when it connects anew.
        let address = match replica.port {
            0 => replica.peer.to_string(),
            port => format!("{}:{port}", replica.ip),
        };
        let peer = id(replica.node);
        let labels = [
            (label::PEER, peer.as_str()),
            (label::ADDRESS, address.as_str()),
            (label::DIRECTION, LINK_OUT),
        ];
        let is_up = f64::from(u8::from(replica.online));
        set(metric::LINK_UP, up, &labels, is_up);
        let help = "Time since the last acknowledgement of a replica or peer.";
        let lag = replica.lag_ms as f64 / 1000.0;
        set(metric::REPLICA_LAG_SECONDS, help, &labels, lag);
        set(metric::LINK_BYTES, bytes, &labels, replica.offset as f64);
    }
}

/// What was counted of the mesh as a whole, and what waits to be settled.
pub(super) fn counts(figures: &MeshFigures, set: Set<'_>, total: Total<'_>) {
    let help = "Effects that met a later write.";
    for (kind, count) in KIND_NAMES.iter().zip(figures.superseded) {
        let labels = [
            (label::TYPE, "string"),
            (label::KIND, kind),
            (label::OUTCOME, outcome::SUPERSEDED),
        ];
        total(metric::CONFLICTS_TOTAL, help, &labels, count);
    }
    let help = "Connections between nodes by how they began.";
    for (kind, result, count) in [
        ("partial", "done", figures.partial_resyncs),
        ("partial", "refused", figures.partial_refused),
        ("full", "sent", figures.snapshots_sent),
        ("full", "merged", figures.merges_done),
        ("full", "aborted", figures.merges_aborted),
    ] {
        let labels = [(label::KIND, kind), (label::RESULT, result)];
        total(metric::SYNC_TOTAL, help, &labels, count);
    }
    let help = "Origins whose writes took another link.";
    total(metric::REROUTES_TOTAL, help, &[], figures.reroutes);
    let help = "Deletes that are remembered.";
    set(metric::TOMBSTONES, help, &[], figures.tombstones as f64);
    let help = "Keys with operations that are not settled.";
    let unsettled = figures.unsettled_keys as f64;
    set(metric::UNSETTLED_KEYS, help, &[], unsettled);
    let help = "Bytes of what is not settled, tombstones included.";
    let pending = figures.pending_bytes as f64;
    set(metric::UNSTABLE_BYTES, help, &[], pending);
    let help = "Nodes that are known.";
    set(metric::MEMBERS, help, &[], figures.members as f64);
    let help = "Whether an alarm is raised.";
    for (alarm, is_on) in &figures.alarms {
        let labels = [(label::KIND, *alarm)];
        set(metric::ALARM, help, &labels, f64::from(u8::from(*is_on)));
    }
}

/// What became of commands whose keys have an owner.
pub(super) fn owners(context: &Context, total: Total<'_>) {
    let help = "Commands of queues with an owner.";
    for (result, count) in context.owners.counts() {
        let labels = [(label::RESULT, result)];
        total(metric::OWNER_COMMANDS_TOTAL, help, &labels, count);
    }
}

/// How far back things are, in seconds.
pub(super) fn ages(figures: &MeshFigures, set: Set<'_>) {
    let seconds = |ms: i64| ms as f64 / 1000.0;
    if let Some(age_ms) = figures.settled_age_ms {
        let help = "Age of the time up to which everything has arrived, and who holds it back.";
        let labels = [(label::MEMBER, figures.held_back_by.as_str())];
        set(
            metric::WATERMARK_AGE_SECONDS,
            help,
            &labels,
            seconds(age_ms),
        );
    }
    let help = "Age of the last moment up to which all of an origin has arrived.";
    for (origin, age_ms) in &figures.arrived_age_ms {
        let origin = origin.to_string();
        let labels = [(label::ORIGIN, origin.as_str())];
        set(metric::VV_GAP_SECONDS, help, &labels, seconds(*age_ms));
    }
    let help = "How far back the journal reaches: who was cut off for no longer needs no full sync. \
                As old as this life where nothing was dropped yet, 0 where no journal is kept.";
    let backlog = seconds(figures.backlog_ms);
    set(metric::BACKLOG_SECONDS, help, &[], backlog);
    let help = "How far this node's clock is ahead of most masters'.";
    let skew = seconds(figures.clock_excess_ms);
    set(metric::CLOCK_SKEW_SECONDS, help, &[], skew);
}

/// What was measured of each other node, and how long writes of this one take to be everywhere.
pub(super) fn nodes(figures: &MeshFigures, registry: &Registry, total: Total<'_>) {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    for node in &figures.nodes {
        let (id, meters) = (node.id.to_string(), &node.meters);
        let peer = (label::PEER, id.as_str());
        let help = "Bytes over the links between this node and a peer.";
        for (direction, count) in [("in", &meters.bytes_in), ("out", &meters.bytes_out)] {
            let labels = [peer, (label::DIRECTION, direction)];
            total(metric::BYTES_TOTAL, help, &labels, get(count));
        }
        let help =
            "Records taken in from a peer, or sent to it: those of the sender, and of others.";
        for (direction, records) in [("in", &meters.records_in), ("out", &meters.records_out)] {
            let whose = [
                (source::ORIGIN, &records.own),
                (source::FORWARD, &records.forwarded),
            ];
            for (source, count) in whose {
                let labels = [peer, (label::DIRECTION, direction), (label::SOURCE, source)];
                total(metric::EFFECTS_TOTAL, help, &labels, get(count));
            }
        }
        let help = "Records of a peer that had come before.";
        let duplicates = get(&meters.duplicates);
        total(metric::DUPLICATES_FILTERED_TOTAL, help, &[peer], duplicates);
        let help = "From the stamp of a write to its place here, by the two nodes' clocks. \
                    What a full sync brings is not counted.";
        for (path, lag) in [
            (way::DIRECT, &meters.lag_direct),
            (way::FORWARDED, &meters.lag_forwarded),
        ] {
            if lag.count() > 0 {
                let labels = [(label::ORIGIN, id.as_str()), (label::PATH, path)];
                registry.show(metric::LAG_SECONDS, help, &labels, lag);
            }
        }
    }
    let help =
        "From a write to its acknowledgement by all peers that were attached. Traced writes only.";
    let converge = &figures.converge;
    registry.show(metric::CONVERGE_SECONDS, help, &[], &converge.seconds);
    let help = "Traced writes that a peer had not acknowledged in time.";
    let given_up = converge.given_up.value();
    total(metric::CONVERGE_GIVEN_UP_TOTAL, help, &[], given_up);
}
