//! The spans of one write on its way: from its reply at the first master, over each link, to its place on every other.
//!
//! ```text
//! SET (server)                          at the node that took it
//! └─ keymesh.converge                   until the last attached peer has acknowledged it
//!    └─ keymesh.send                    one per link
//!       └─ keymesh.apply                at the peer
//!          └─ keymesh.forward           where the peer sends it on
//! ```
//! The context in a record is that of the span it hangs under: of `converge` in the journal of its origin, of `send` on the wire, of
//! `apply` in the journals of others. Invariant: nothing here waits, and what it keeps has a limit.

mod observer;

pub use observer::{Observer, RecordObserver, Unobserved};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use keymesh_observability::names::{attribute, event, span};
use keymesh_observability::{HeadSampler, OpenSpan, SpanKind, TokenBucket, TraceContext, Tracer};
use parking_lot::Mutex;

use crate::db::{Hlc, NodeId, Origin, Stamp, UnixMillis};
use crate::journal::TraceBytes;
use crate::replication::meters::{ConvergeMeters, NodeMeters};
use crate::replication::node::Node;

/// Writes whose acknowledgements are awaited for their span; more are not followed to the end.
const CONVERGING_MAX: usize = 1024;
/// How long acknowledgements are awaited.
const CONVERGE_TIMEOUT_MS: i64 = 30_000;

struct Converging {
    stamp: Hlc,
    since: UnixMillis,
    /// Finer than the stamp.
    begun: Instant,
    waiting: Vec<NodeId>,
    span: OpenSpan,
}

/// Where the spans of a node's writes are made. Cheap to clone.
#[derive(Clone, Default)]
pub struct LinkTracer(Option<Arc<Inner>>);

struct Inner {
    tracer: Tracer,
    node: Origin,
    client_traces: TokenBucket,
    converging: Mutex<VecDeque<Converging>>,
    meters: ConvergeMeters,
}

/// A write under trace.
#[derive(Debug)]
pub struct TracedWrite {
    begun: Instant,
    command: OpenSpan,
    converge: OpenSpan,
    bytes: TraceBytes,
}

impl TracedWrite {
    /// What goes into the record.
    pub fn bytes(&self) -> TraceBytes {
        self.bytes
    }
}

impl std::fmt::Debug for LinkTracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkTracer(enabled: {})", self.0.is_some())
    }
}

impl TracedWrite {
    /// Says which key it is about: its FNV-1a hash, the same on every node, and the key itself only where that is wished.
    #[cold]
    pub fn about(&mut self, key: &[u8], is_named: bool) {
        let hash = key.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.command
            .attr(attribute::KEY_HASH, format!("{hash:016x}"));
        if is_named {
            let key = String::from_utf8_lossy(key).into_owned();
            self.command.attr(attribute::KEY, key);
        }
    }
}

impl LinkTracer {
    /// For the writes of `node`. Spans go to `tracer`; contexts that clients bring are limited to `client_traces_per_second`.
    pub fn new(tracer: Tracer, node: &Node, client_traces_per_second: u32) -> Self {
        if !tracer.is_enabled() {
            return Self(None);
        }
        Self(Some(Arc::new(Inner {
            tracer,
            node: node.origin(),
            meters: node.meters.converge.clone(),
            client_traces: TokenBucket::new(client_traces_per_second),
            converging: Mutex::new(VecDeque::new()),
        })))
    }

    /// Spans that the collector took, and spans that were dropped.
    pub fn span_counts(&self) -> (u64, u64) {
        let counts = self.0.as_ref().map(|inner| inner.tracer.counts());
        let counts = counts.unwrap_or_default();
        let dropped = counts.dropped_in_queue + counts.dropped_in_export;
        (counts.exported, dropped)
    }

    /// Whether any span is made at all.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Begins the trace of a write, if it is to have one: its client brought a context, or the head sampler hits.
    #[inline]
    pub fn begin_write(
        &self,
        sampler: &HeadSampler,
        client: Option<TraceContext>,
        now: UnixMillis,
        command: &'static str,
        db: u32,
    ) -> Option<TracedWrite> {
        let inner = self.0.as_ref()?;
        let millis = now.0.max(0) as u64;
        let wanted = match client {
            Some(client) => client.is_sampled() && inner.client_traces.take(millis),
            None => sampler.hit() && sampler.admit(millis),
        };
        if wanted {
            inner.begin(client, command, db)
        } else {
            None
        }
    }

    /// Ends the trace's own part of a write: `stamp` is that of its record, if it changed anything; `peers` tells who is attached,
    /// and how much of this node's writes each of them has acknowledged. What is acknowledged after it was asked is told to
    /// [`Self::acknowledged`].
    pub fn end_write(
        &self,
        traced: TracedWrite,
        stamp: Option<Stamp>,
        peers: impl FnOnce() -> Vec<(NodeId, Hlc)>,
        failed: bool,
    ) {
        let Some(inner) = self.0.as_ref() else {
            return;
        };
        let TracedWrite {
            begun,
            mut command,
            mut converge,
            ..
        } = traced;
        if failed {
            command.fail("the command failed");
        }
        command.end();
        let Some(stamp) = stamp else {
            return converge.end();
        };
        converge.attr(attribute::STAMP, stamp.time().raw() as i64);
        // Locked before it is asked, so that no acknowledgement passes unseen between the two.
        let mut converging = inner.converging.lock();
        let peers = peers();
        if peers.is_empty() {
            converge.attr(attribute::CONVERGED, true);
            return converge.end();
        }
        let behind = peers.iter().filter(|(_, has)| *has < stamp.time());
        let write = Converging {
            stamp: stamp.time(),
            since: stamp.time().millis(),
            begun,
            waiting: behind.map(|(peer, _)| *peer).collect(),
            span: converge,
        };
        if write.waiting.is_empty() {
            return write.succeed(&inner.meters);
        }
        if converging.len() >= CONVERGING_MAX
            && let Some(oldest) = converging.pop_front()
        {
            oldest.give_up(&inner.meters);
        }
        converging.push_back(write);
    }

    /// A peer has everything of this node's own writes up to `arrived`.
    pub fn acknowledged(&self, peer: Option<NodeId>, arrived: Hlc) {
        let (Some(inner), Some(peer)) = (self.0.as_ref(), peer) else {
            return;
        };
        let mut converging = inner.converging.lock();
        let mut index = 0;
        while let Some(write) = converging.get_mut(index) {
            if write.stamp <= arrived {
                write.waiting.retain(|waiting| *waiting != peer);
            }
            if write.waiting.is_empty() {
                if let Some(done) = converging.remove(index) {
                    done.succeed(&inner.meters);
                }
            } else {
                index += 1;
            }
        }
    }

    /// Gives up on acknowledgements that are long overdue.
    pub fn tick(&self, now: UnixMillis) {
        let Some(inner) = self.0.as_ref() else { return };
        let mut converging = inner.converging.lock();
        while converging
            .front()
            .is_some_and(|write| now.0 - write.since.0 > CONVERGE_TIMEOUT_MS)
        {
            if let Some(overdue) = converging.pop_front() {
                overdue.give_up(&inner.meters);
            }
        }
    }

    /// An observer for one link or feed of `node`; `master` is who is at the other end of a link, `peer` what is measured of
    /// whoever is at the other end.
    pub fn observer<'a>(
        &'a self,
        node: &'a Node,
        master: Option<Origin>,
        peer: Option<&'a NodeMeters>,
    ) -> Observer<'a> {
        Observer::new(self.0.as_deref(), node, master, peer)
    }
}

impl Converging {
    fn succeed(mut self, meters: &ConvergeMeters) {
        if let Some(context) = self.span.context() {
            let seconds = self.begun.elapsed().as_secs_f64();
            let histogram = &meters.seconds;
            histogram.observe_traced(seconds, context.trace_id, SystemTime::now());
        }
        self.span.attr(attribute::CONVERGED, true);
        self.span.end();
    }

    fn give_up(mut self, meters: &ConvergeMeters) {
        meters.given_up.increment();
        self.span.attr(attribute::CONVERGED, false);
        for node in &self.waiting {
            self.span
                .event(event::NOT_ACKED, [(attribute::NODE_ID, node.to_string())]);
        }
        self.span.end();
    }
}

impl Inner {
    #[cold]
    fn begin(
        &self,
        client: Option<TraceContext>,
        command: &'static str,
        db: u32,
    ) -> Option<TracedWrite> {
        let command = self
            .tracer
            .span(command)
            .kind(SpanKind::Server)
            .remote_parent(client)
            .attr(
                attribute::DB_SYSTEM_NAME,
                keymesh_observability::names::DB_SYSTEM,
            )
            .attr(attribute::DB_OPERATION_NAME, command)
            .attr(attribute::DB_NAMESPACE, db.to_string())
            .attr(attribute::NODE_ID, self.node.node.to_string())
            .start();
        let converge = self
            .tracer
            .span(span::CONVERGE)
            .parent(command.context())
            .attr(attribute::NODE_ID, self.node.node.to_string())
            .start();
        let bytes = converge.context()?.encode();
        Some(TracedWrite {
            begun: Instant::now(),
            command,
            converge,
            bytes,
        })
    }
}
