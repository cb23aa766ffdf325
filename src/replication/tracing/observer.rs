//! Who hears of records as links take them in and feeds send them on: their spans, and what is measured of them.
//!
//! Invariant: a record that is not traced costs a few atomics, and the clock is read once for several of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keymesh_observability::names::{attribute, event, outcome, path, span};
use keymesh_observability::{OpenSpan, SpanKind, TraceContext};

use crate::db::{NodeId, Origin, OriginIndex, UnixMillis};
use crate::journal::Entry;
use crate::keyspace::{Foreign, Ingested};
use crate::replication::clock;
use crate::replication::meters::NodeMeters;
use crate::replication::node::Node;
use crate::replication::tracing::Inner;

/// Records taken in between two looks at the clock: far below the millisecond that stamps are told in.
const RECORDS_PER_LOOK: u32 = 32;

/// Hears of records as a link takes them in and as a feed sends them on.
pub trait RecordObserver {
    /// A traced or untraced record is about to be applied.
    fn receiving(&mut self, _: &mut Foreign) {}
    /// It was applied, or not.
    fn received(&mut self, _: &Foreign, _: Ingested) {}
    /// A traced record is about to be sent.
    fn sending(&mut self, _own: bool, _peer: Option<NodeId>, _: &mut Entry) {}
    /// So many records were written, traced or not.
    fn sent(&mut self, _own: bool, _count: usize) {}
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl RecordObserver for Unobserved {}

/// See [`LinkTracer::observer`].
pub struct Observer<'a> {
    inner: Option<&'a Inner>,
    node: &'a Node,
    master: Option<Origin>,
    peer: Option<&'a NodeMeters>,
    /// Of the origin whose records come now.
    origin: Option<(OriginIndex, Source)>,
    now: UnixMillis,
    looks_after: u32,
    apply: Option<OpenSpan>,
    sent: Vec<OpenSpan>,
}

fn moment(at: UnixMillis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.0.max(0) as u64)
}

/// Whose records come, and how.
struct Source {
    meters: Arc<NodeMeters>,
    is_forwarded: bool,
}

impl<'a> Observer<'a> {
    pub(super) fn new(
        inner: Option<&'a Inner>,
        node: &'a Node,
        master: Option<Origin>,
        peer: Option<&'a NodeMeters>,
    ) -> Self {
        Self {
            inner,
            node,
            master,
            peer,
            origin: None,
            now: UnixMillis(0),
            looks_after: 0,
            apply: None,
            sent: Vec::new(),
        }
    }

    fn source(&mut self, index: OriginIndex) -> Option<&Source> {
        if self
            .origin
            .as_ref()
            .is_none_or(|(known, _)| *known != index)
        {
            let origin = self.node.keyspace.origins.get(index)?;
            let source = Source {
                meters: self.node.meters_of(origin.node),
                is_forwarded: Some(origin) != self.master,
            };
            self.origin = Some((index, source));
        }
        self.origin.as_ref().map(|(_, source)| source)
    }

    fn now(&mut self) -> UnixMillis {
        if self.looks_after == 0 {
            (self.now, self.looks_after) = (clock::now(), RECORDS_PER_LOOK);
        }
        self.looks_after -= 1;
        self.now
    }

    fn measure(&mut self, foreign: &Foreign, ingested: Ingested) {
        match ingested {
            Ingested::Applied { .. } => {}
            Ingested::Duplicate => {
                if let Some(peer) = self.peer {
                    peer.duplicates.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
            Ingested::Gap => return,
        }
        let (now, peer) = (self.now(), self.peer);
        let Some(source) = self.source(foreign.origin) else {
            return;
        };
        if let Some(peer) = peer {
            peer.records_in.add(!source.is_forwarded, 1);
        }
        // A clock that is ahead of this one makes it less than nothing.
        let lag_ms = (now.0 - foreign.stamp.millis().0).max(0);
        let seconds = lag_ms as f64 / 1000.0;
        let histogram = source.meters.lag(source.is_forwarded);
        let trace = foreign.trace.as_ref();
        match trace.and_then(|bytes| TraceContext::decode(bytes).ok()) {
            None => histogram.observe(seconds),
            Some(context) => histogram.observe_traced(seconds, context.trace_id, moment(now)),
        }
    }
}

impl Observer<'_> {
    /// What was being sent is in the socket now.
    pub fn written(&mut self) {
        self.sent.drain(..).for_each(OpenSpan::end);
    }
}

impl RecordObserver for Observer<'_> {
    fn receiving(&mut self, foreign: &mut Foreign) {
        let (Some(inner), Some(bytes)) = (self.inner, foreign.trace) else {
            return;
        };
        let Ok(context) = TraceContext::decode(&bytes) else {
            return;
        };
        let origin = self.node.keyspace.origins.get(foreign.origin);
        let forwarded = origin != self.master;
        let lag = SystemTime::now()
            .duration_since(moment(foreign.stamp.millis()))
            .unwrap_or_default();
        let started = inner
            .tracer
            .span(span::APPLY)
            .kind(SpanKind::Consumer)
            .remote_parent(context)
            .attr(attribute::NODE_ID, inner.node.node.to_string())
            .attr(
                attribute::ORIGIN_ID,
                origin.map_or_else(String::new, |origin| origin.node.to_string()),
            )
            .attr(
                attribute::PEER_ID,
                self.master
                    .map_or_else(String::new, |master| master.node.to_string()),
            )
            .attr(attribute::STAMP, foreign.stamp.raw() as i64)
            .attr(attribute::HOP, if forwarded { 2i64 } else { 1 })
            .attr(attribute::LAG_MS, lag.as_millis() as i64)
            .attr(attribute::PATH, path::STREAM)
            .attr(attribute::EFFECT_COUNT, i64::from(foreign.count))
            .start();
        // Whoever gets the record from here hangs its span under this one.
        if let Some(context) = started.context() {
            foreign.trace = Some(context.encode());
        }
        self.apply = Some(started);
    }

    fn received(&mut self, foreign: &Foreign, ingested: Ingested) {
        self.measure(foreign, ingested);
        let Some(mut apply) = self.apply.take() else {
            return;
        };
        let outcome = match ingested {
            Ingested::Applied { winner: None, .. } => outcome::APPLIED,
            Ingested::Applied {
                winner: Some(winner),
                ..
            } => {
                let node = self.node.keyspace.origins.get(winner.origin());
                let conflict = [
                    (attribute::WINNER_STAMP, winner.time().raw().to_string()),
                    (
                        attribute::WINNER_NODE,
                        node.map_or_else(String::new, |origin| origin.node.to_string()),
                    ),
                ];
                apply.event(event::CONFLICT, conflict);
                outcome::SUPERSEDED
            }
            Ingested::Duplicate => outcome::DUPLICATE,
            Ingested::Gap => outcome::DEFERRED,
        };
        apply.attr(attribute::OUTCOME, outcome);
        apply.end();
    }

    fn sending(&mut self, own: bool, peer: Option<NodeId>, entry: &mut Entry) {
        let (Some(inner), Some(bytes)) = (self.inner, entry.record.trace) else {
            return;
        };
        let Ok(context) = TraceContext::decode(&bytes) else {
            return;
        };
        let started = inner
            .tracer
            .span(if own { span::SEND } else { span::FORWARD })
            .kind(SpanKind::Producer)
            .parent(context)
            .attr(attribute::NODE_ID, inner.node.node.to_string())
            .attr(
                attribute::PEER_ID,
                peer.map_or_else(String::new, |peer| peer.to_string()),
            )
            .attr(attribute::STAMP, entry.stamp.raw() as i64)
            .start();
        if let Some(context) = started.context() {
            entry.record.trace = Some(context.encode());
        }
        self.sent.push(started);
    }

    fn sent(&mut self, own: bool, count: usize) {
        if let Some(peer) = self.peer {
            peer.records_out.add(own, count as u64);
        }
    }
}
