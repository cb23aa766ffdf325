//! `/metrics`: what INFO and MESH know, as Prometheus reads it, on a port of its own that is off unless `metrics-port` is set.
//!
//! Figures are taken when they are asked for: nobody pays for them in between. A scrape that hangs or lies costs its own
//! connection; there are never more than [`CONNECTIONS_MAX`].

mod mesh;
mod own;

use std::convert::Infallible;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use keymesh_observability::metrics::{Exposition, Registry};
use keymesh_observability::names::metric;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clients::context::Context;

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
    let registry = Arc::new(Mutex::new(Registry::new()));
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
        let (context, registry) = (Arc::clone(&context), Arc::clone(&registry));
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let (context, registry) = (Arc::clone(&context), Arc::clone(&registry));
                async move {
                    // What is counted is in partitions, which a script may hold for long.
                    context.keyspace.gate.opened().await;
                    Ok::<_, Infallible>(respond(&context, &registry, &request))
                }
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
    registry: &Mutex<Registry>,
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
    let text = {
        // One at a time: series that are gathered anew are missing for a moment.
        let registry = registry.lock();
        gather(context, &registry);
        registry.render(exposition)
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
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
    mesh::forget(registry);
    let amount = |name, help, labels: &[(&'static str, &str)], value: f64| {
        registry.amount(name, help, labels).set(value);
    };
    own::gather(context, &set, &total, &amount);
    mesh::links(context, &set);
    let figures = context.replication.figures();
    mesh::counts(&figures, &set, &total);
    mesh::owners(context, &total);
    mesh::ages(&figures, &set);
    mesh::nodes(&figures, registry, &total);
    let (exported, dropped) = context.tracing.tracer.span_counts();
    let help = "Spans that reached the collector.";
    total(metric::TRACE_SPANS_EXPORTED_TOTAL, help, &[], exported);
    let help = "Spans lost to a full queue or a collector that did not take them.";
    total(metric::TRACE_SPANS_DROPPED_TOTAL, help, &[], dropped);
}

type Set<'s> = &'s dyn Fn(&'static str, &'static str, &[(&'static str, &str)], f64);
type Total<'s> = &'s dyn Fn(&'static str, &'static str, &[(&'static str, &str)], u64);
