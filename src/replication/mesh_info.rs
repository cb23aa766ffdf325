//! The mesh's lines in INFO replication: a number each, and one line of `name=value` for each other node.
//!
//! Invariant: names stay; a reader looks for names, never for places.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use keymesh_observability::metrics::Histogram;

use crate::db::NodeId;
use crate::replication::figures::MeshFigures;
use crate::replication::meters::NodeMeters;
use crate::replication::node::Node;

/// All of them.
pub fn write(node: &Node, out: &mut String) {
    let figures = MeshFigures::of(node);
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (counters, origin) = (&node.counters, node.origin());
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String does not fail.
        let _ = write!(out, "mesh_{name}:{value}\r\n");
    };
    line("node_id", &origin.node);
    line("incarnation", &origin.incarnation.0);
    line("established", &u8::from(node.is_established()));
    line("members", &figures.members);
    // -1 where nothing has settled yet.
    line("settled_age_ms", &figures.settled_age_ms.unwrap_or(-1));
    line("held_back_by", &figures.held_back_by);
    line("unsettled_keys", &figures.unsettled_keys);
    line("tombstones", &figures.tombstones);
    line("records_in", &get(&counters.records_in));
    line("records_out", &get(&counters.records_out));
    line("duplicates", &get(&counters.duplicates));
    line("superseded", &figures.superseded.iter().sum::<u64>());
    line("merges", &figures.merges_done);
    line("reroutes", &figures.reroutes);
    line("journal_bytes", &node.keyspace.journal.len_bytes());
    line("backlog_ms", &figures.backlog_ms);
    line("pending_bytes", &figures.pending_bytes);
    line("clock_excess_ms", &figures.clock_excess_ms);
    line("stamps_ahead", &get(&counters.stamps_ahead));
    line("alarms", &node.alarms());
    let converge = &figures.converge;
    line("converge_count", &converge.seconds.count());
    line("converge_avg_ms", &average_ms(&[&converge.seconds]));
    line("converge_given_up", &converge.given_up.value());
    for (index, of) in figures.nodes.iter().enumerate() {
        let age = figures.arrived_age_ms.iter().find(|(id, _)| *id == of.id);
        let text = peer(of.id, &of.meters, age.map(|(_, age_ms)| *age_ms));
        line(&format!("peer{index}"), &text);
    }
}

/// One other node; -1 as the age of what has arrived where it is no member.
fn peer(id: NodeId, meters: &NodeMeters, arrived_age_ms: Option<i64>) -> String {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let lags = [&meters.lag_direct, &meters.lag_forwarded];
    format!(
        "node={id},arrived_age_ms={},bytes_in={},bytes_out={},records_in={},forwarded_in={},records_out={},forwarded_out={},\
         duplicates={},lag_count={},lag_avg_ms={}",
        arrived_age_ms.unwrap_or(-1),
        get(&meters.bytes_in),
        get(&meters.bytes_out),
        get(&meters.records_in.own),
        get(&meters.records_in.forwarded),
        get(&meters.records_out.own),
        get(&meters.records_out.forwarded),
        get(&meters.duplicates),
        lags.iter().map(|lag| lag.count()).sum::<u64>(),
        average_ms(&lags),
    )
}

/// The mean of all values, in milliseconds; 0 where there are none.
fn average_ms(histograms: &[&Histogram]) -> String {
    let count: u64 = histograms.iter().map(|histogram| histogram.count()).sum();
    let sum: f64 = histograms.iter().map(|histogram| histogram.sum()).sum();
    format!("{:.3}", sum * 1000.0 / count.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_one_line_of_names_and_values_over_both_ways() {
        let meters = NodeMeters::default();
        meters.lag_direct.observe(0.010);
        meters.lag_forwarded.observe(0.020);
        meters.records_in.add(true, 1);
        meters.records_in.add(false, 1);
        meters.records_out.add(true, 3);
        let id = NodeId(0xab);
        assert_eq!(
            peer(id, &meters, Some(7)),
            format!(
                "node={id},arrived_age_ms=7,bytes_in=0,bytes_out=0,records_in=1,forwarded_in=1,records_out=3,forwarded_out=0,\
                 duplicates=0,lag_count=2,lag_avg_ms=15.000"
            )
        );
        assert!(peer(id, &NodeMeters::default(), None).ends_with("lag_count=0,lag_avg_ms=0.000"));
    }
}
