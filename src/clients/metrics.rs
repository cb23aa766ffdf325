//! `/metrics`: what INFO and MESH know, as Prometheus reads it, on a port of its own that is off unless `metrics-port` is set.
//!
//! Figures are taken when they are asked for: nobody pays for them in between. A scrape that hangs or lies costs its own
//! connection; there are never more than [`CONNECTIONS_MAX`].

use std::convert::Infallible;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use keymesh_observability::metrics::{Exposition, Registry};
use keymesh_observability::names::{label, metric};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clients::context::Context;
use crate::clients::memory::MemoryUse;
use crate::clients::process;
use crate::replication::{LinkState, MeshFigures};

/// Scrapes at a time.
const CONNECTIONS_MAX: usize = 16;
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may take altogether.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long accepting pauses after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers scrapes for ever: the future of a worker. Ends with an error only where the socket cannot be used at all.
pub async fn serve(context: Arc<Context>, listener: StdListener) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "metrics cannot be served");
            return;
        }
    };
    let registry = Registry::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "accepting a connection for metrics failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (context, registry) = (Arc::clone(&context), registry.clone());
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let response = respond(&context, &registry, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // Who asks badly hears so; who goes away is gone.
            let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
        });
    }
}

fn respond(
    context: &Context,
    registry: &Registry,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    let plain = |status: StatusCode, text: &'static str| {
        let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "");
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    let exposition = Exposition::for_accept(accept.unwrap_or_default());
    gather(context, registry);
    let mut response = Response::new(Full::new(Bytes::from(registry.render(exposition))));
    let kind = HeaderValue::from_static(exposition.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Brings all series up to date.
fn gather(context: &Context, registry: &Registry) {
    let set = |name, help, labels: &[(&'static str, &str)], value: f64| {
        registry.gauge(name, help, labels).set(value);
    };
    let total = |name, help, labels: &[(&'static str, &str)], value: u64| {
        registry.counter(name, help, labels).set_total(value);
    };
    server(context, &set, &total);
    commands(context, &total);
    keyspace(context, &set, &total);
    links(context, registry, &set);
    mesh(&context.replication.figures(), registry, &set, &total);
    let (exported, dropped) = context.tracing.tracer.span_counts();
    let help = "Spans that reached the collector.";
    total(metric::TRACE_SPANS_EXPORTED_TOTAL, help, &[], exported);
    let help = "Spans lost to a full queue or a collector that did not take them.";
    total(metric::TRACE_SPANS_DROPPED_TOTAL, help, &[], dropped);
}

type Set<'s> = &'s dyn Fn(&'static str, &'static str, &[(&'static str, &str)], f64);
type Total<'s> = &'s dyn Fn(&'static str, &'static str, &[(&'static str, &str)], u64);

fn server(context: &Context, set: Set<'_>, total: Total<'_>) {
    let statistics = &context.statistics;
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let uptime = context.started.elapsed().as_secs_f64();
    set(metric::UPTIME_SECONDS, "Time since the start.", &[], uptime);
    let connected = context.clients.len() as f64;
    set(
        metric::CONNECTED_CLIENTS,
        "Connections of clients.",
        &[],
        connected,
    );
    let help = "Connections of clients that were accepted.";
    total(
        metric::CONNECTIONS_TOTAL,
        help,
        &[],
        get(&statistics.connections),
    );
    let help = "Connections of clients that were refused.";
    let refused = get(&statistics.rejected_connections);
    total(metric::CONNECTIONS_REJECTED_TOTAL, help, &[], refused);
    let help = "Bytes of clients.";
    for (direction, counter) in [
        ("in", &statistics.input_bytes),
        ("out", &statistics.output_bytes),
    ] {
        let labels = [(label::DIRECTION, direction)];
        total(metric::CLIENT_BYTES_TOTAL, help, &labels, get(counter));
    }
    let memory = MemoryUse::of(context);
    let help = "Memory, by what it is used for.";
    for (kind, bytes) in [
        ("startup", memory.startup),
        ("records", memory.records),
        ("index", memory.index),
        ("pending", memory.pending),
        ("journal", memory.journal),
        ("clients", memory.clients),
    ] {
        set(
            metric::MEMORY_BYTES,
            help,
            &[(label::KIND, kind)],
            bytes as f64,
        );
    }
    let help = "Memory of the process.";
    let resident = process::memory().resident as f64;
    set(metric::RESIDENT_BYTES, help, &[], resident);
    let cpu = process::cpu(false);
    let help = "Processor time of the process, in milliseconds.";
    for (kind, seconds) in [("user", cpu.user), ("system", cpu.system)] {
        let millis = (seconds * 1000.0) as u64;
        total(
            metric::CPU_MILLISECONDS_TOTAL,
            help,
            &[(label::KIND, kind)],
            millis,
        );
    }
}

fn commands(context: &Context, total: Total<'_>) {
    for counters in context.statistics.calls() {
        let labels = [(label::COMMAND, counters.name)];
        let help = "Commands carried out.";
        total(metric::COMMANDS_TOTAL, help, &labels, counters.calls);
        let help = "Time of commands, in microseconds.";
        total(
            metric::COMMAND_MICROSECONDS_TOTAL,
            help,
            &labels,
            counters.nanos / 1000,
        );
        let help = "Commands that ended in an error.";
        total(
            metric::COMMANDS_FAILED_TOTAL,
            help,
            &labels,
            counters.failed,
        );
    }
    let help = "Error replies, by their first word.";
    for (code, count) in context.statistics.errors() {
        total(metric::ERRORS_TOTAL, help, &[(label::CODE, &code)], count);
    }
}

fn keyspace(context: &Context, set: Set<'_>, total: Total<'_>) {
    let counts = context.keyspace.counts();
    total(
        metric::HITS_TOTAL,
        "Look-ups that found a key.",
        &[],
        counts.hits,
    );
    total(
        metric::MISSES_TOTAL,
        "Look-ups that found none.",
        &[],
        counts.misses,
    );
    total(
        metric::EXPIRED_TOTAL,
        "Keys that expired.",
        &[],
        counts.expired,
    );
    for (db, (keys, timed)) in context.keyspace.key_counts().into_iter().enumerate() {
        let db = db.to_string();
        let labels = [(label::DB, db.as_str())];
        set(metric::KEYS, "Keys.", &labels, keys as f64);
        set(
            metric::TIMED_KEYS,
            "Keys with a deadline.",
            &labels,
            timed as f64,
        );
    }
}

/// Links by the address of their other end; series of ends that are gone go too.
fn links(context: &Context, registry: &Registry, set: Set<'_>) {
    registry.forget(label::DIRECTION, LINK_IN);
    registry.forget(label::DIRECTION, LINK_OUT);
    let up = "Whether records stream over a link.";
    for master in context.replication.masters() {
        let peer = format!("{}:{}", master.host, master.port);
        let labels = [(label::PEER, peer.as_str()), (label::DIRECTION, LINK_IN)];
        let is_up = master.state == LinkState::Connected;
        set(metric::LINK_UP, up, &labels, f64::from(u8::from(is_up)));
        let help = "0 to be connected, 1 connecting, 2 handshake, 3 full sync, 4 streaming.";
        set(
            metric::LINK_STATE,
            help,
            &labels,
            f64::from(master.state as u8),
        );
        let help = "Bytes over the connections of a link.";
        set(metric::LINK_BYTES, help, &labels, master.offset as f64);
    }
    for replica in context.replication.replicas() {
        let peer = replica.peer.to_string();
        let labels = [(label::PEER, peer.as_str()), (label::DIRECTION, LINK_OUT)];
        set(
            metric::LINK_UP,
            up,
            &labels,
            f64::from(u8::from(replica.online)),
        );
        let help = "Time since the last acknowledgement of a replica or peer.";
        let lag = replica.lag_ms as f64 / 1000.0;
        set(metric::REPLICA_LAG_SECONDS, help, &labels, lag);
        let help = "Bytes over the connections of a link.";
        set(metric::LINK_BYTES, help, &labels, replica.offset as f64);
    }
}

/// Directions of links, named so that their series can be told from those of clients.
const LINK_IN: &str = "from-master";
const LINK_OUT: &str = "to-replica";

fn mesh(figures: &MeshFigures, registry: &Registry, set: Set<'_>, total: Total<'_>) {
    let help = "Records of links.";
    for (direction, count) in [("in", figures.records_in), ("out", figures.records_out)] {
        total(
            metric::EFFECTS_TOTAL,
            help,
            &[(label::DIRECTION, direction)],
            count,
        );
    }
    let help = "Bytes of links.";
    for (direction, count) in [("in", figures.input_bytes), ("out", figures.output_bytes)] {
        total(
            metric::BYTES_TOTAL,
            help,
            &[(label::DIRECTION, direction)],
            count,
        );
    }
    let help = "Records that had come before.";
    total(
        metric::DUPLICATES_FILTERED_TOTAL,
        help,
        &[],
        figures.duplicates,
    );
    let help = "Effects that met a later write.";
    let labels = [(label::OUTCOME, "superseded")];
    total(metric::CONFLICTS_TOTAL, help, &labels, figures.superseded);
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
    registry.forget_family(metric::WATERMARK_AGE_SECONDS);
    if let Some(age_ms) = figures.settled_age_ms {
        let help = "Age of the time up to which everything has arrived, and who holds it back.";
        let labels = [(label::MEMBER, figures.held_back_by.as_str())];
        set(
            metric::WATERMARK_AGE_SECONDS,
            help,
            &labels,
            age_ms as f64 / 1000.0,
        );
    }
    registry.forget_family(metric::VV_GAP_SECONDS);
    let help = "Age of the last moment up to which all of an origin has arrived.";
    for (origin, age_ms) in &figures.arrived_age_ms {
        let labels = [(label::ORIGIN, origin.as_str())];
        set(
            metric::VV_GAP_SECONDS,
            help,
            &labels,
            *age_ms as f64 / 1000.0,
        );
    }
    set(
        metric::TOMBSTONES,
        "Deletes that are remembered.",
        &[],
        figures.tombstones as f64,
    );
    let help = "Keys with operations that are not settled.";
    set(
        metric::UNSETTLED_KEYS,
        help,
        &[],
        figures.unsettled_keys as f64,
    );
    let help = "Bytes of what is not settled, tombstones included.";
    set(
        metric::UNSTABLE_BYTES,
        help,
        &[],
        figures.pending_bytes as f64,
    );
    let help = "How far this node's clock is ahead of most masters'.";
    let skew = figures.clock_excess_ms as f64 / 1000.0;
    set(metric::CLOCK_SKEW_SECONDS, help, &[], skew);
    set(
        metric::MEMBERS,
        "Nodes that are known.",
        &[],
        figures.members as f64,
    );
    registry.forget_family(metric::ALARM);
    for alarm in figures.alarms.split(',').filter(|alarm| !alarm.is_empty()) {
        let help = "1 for each alarm that is raised.";
        set(metric::ALARM, help, &[(label::KIND, alarm.trim())], 1.0);
    }
}
