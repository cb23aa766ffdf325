//! Spans on their way through real sockets to a collector: both protocols, whole and broken traces, outages.

use std::time::{Duration, SystemTime};

use keymesh_observability::names::{attribute, event, outcome, span};
use keymesh_observability::testing::{Collector, Reserved, one_trace, traces};
use keymesh_observability::{
    Environment, Protocol, QueueLimits, SpanId, SpanKind, SpanSink, TelemetryConfig, TraceContext,
    TraceId, Tracer,
};

const LONG: Duration = Duration::from_secs(20);

fn node(name: &str, endpoint: &str, protocol: Protocol) -> SpanSink {
    SpanSink::start(&TelemetryConfig {
        endpoint: Some(endpoint.to_owned()),
        protocol: Some(protocol),
        instance_id: name.to_owned(),
        queue: QueueLimits {
            batch_delay: Duration::from_millis(5),
            ..QueueLimits::default()
        },
        ..TelemetryConfig::default()
    })
    .unwrap()
}

fn grpc_node(name: &str, collector: &Collector) -> SpanSink {
    node(name, &collector.grpc_endpoint(), Protocol::Grpc)
}

/// A write taken by one node and applied by another; `carry` is what the link does with the context.
fn write(origin: &Tracer, peer: &Tracer, carry: impl FnOnce(TraceContext) -> Option<TraceContext>) {
    let mut converge = origin.span(span::CONVERGE).start();
    let send = origin
        .span(span::SEND)
        .kind(SpanKind::Producer)
        .parent(converge.context())
        .start();
    let arrived = carry(send.context().unwrap());
    let apply = peer
        .span(span::APPLY)
        .kind(SpanKind::Consumer)
        .remote_parent(arrived)
        .attr(attribute::OUTCOME, outcome::APPLIED)
        .start();
    apply.end();
    send.end();
    converge.attr(attribute::CONVERGED, true);
    converge.end();
}

fn over_the_wire(context: TraceContext) -> Option<TraceContext> {
    TraceContext::decode(&context.encode()).ok()
}

#[tokio::test]
async fn a_write_on_two_nodes_is_one_trace_through_grpc() {
    let collector = Collector::start().await;
    let (a, b) = (grpc_node("a", &collector), grpc_node("b", &collector));
    write(&a.tracer(), &b.tracer(), over_the_wire);
    let spans = collector.wait_for_count(3).await;
    one_trace(&spans).unwrap();
    let apply = spans
        .iter()
        .find(|found| found.name == span::APPLY)
        .unwrap();
    let send = spans.iter().find(|found| found.name == span::SEND).unwrap();
    assert_eq!(
        (apply.parent, apply.instance(), send.instance()),
        (Some(send.span_id), "b", "a")
    );
    assert_eq!((&*apply.kind, &*send.kind), ("CONSUMER", "PRODUCER"));
    assert_eq!(
        (apply.attribute(attribute::OUTCOME), apply.service()),
        (outcome::APPLIED, "keymesh")
    );
    assert!(apply.resource.contains_key(attribute::HOST_NAME));
}

#[tokio::test]
async fn a_write_on_two_nodes_is_one_trace_through_http() {
    let collector = Collector::start().await;
    let [a, b] =
        ["a", "b"].map(|name| node(name, &collector.http_endpoint(), Protocol::HttpProtobuf));
    write(&a.tracer(), &b.tracer(), over_the_wire);
    one_trace(&collector.wait_for_count(3).await).unwrap();
}

#[tokio::test]
async fn a_context_lost_on_the_link_breaks_the_trace_and_is_noticed() {
    let collector = Collector::start().await;
    let (a, b) = (grpc_node("a", &collector), grpc_node("b", &collector));
    write(&a.tracer(), &b.tracer(), |_| None);
    let spans = collector.wait_for_count(3).await;
    assert_eq!(traces(&spans).len(), 2);
    assert!(one_trace(&spans).unwrap_err().contains("2 traces"));
}

#[tokio::test]
async fn a_trace_whose_origin_never_exported_is_noticed() {
    let collector = Collector::start().await;
    let b = grpc_node("b", &collector);
    let unseen = TraceContext::for_effect(1, 0, 7);
    b.tracer()
        .span(span::APPLY)
        .remote_parent(unseen)
        .start()
        .end();
    let spans = collector.wait_for_count(1).await;
    assert!(one_trace(&spans).is_err());
}

#[tokio::test]
async fn a_node_that_does_not_export_passes_the_context_on() {
    let collector = Collector::start().await;
    let (a, c) = (grpc_node("a", &collector), grpc_node("c", &collector));
    let root = a.tracer().span("SET").kind(SpanKind::Server).start();
    let relay = Tracer::disabled()
        .span(span::FORWARD)
        .remote_parent(root.context())
        .start();
    c.tracer()
        .span(span::APPLY)
        .remote_parent(relay.context())
        .start()
        .end();
    root.end();
    one_trace(&collector.wait_for_count(2).await).unwrap();
}

#[tokio::test]
async fn ids_and_times_are_those_that_were_chosen() {
    let collector = Collector::start().await;
    let a = grpc_node("a", &collector);
    let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);
    let trace_id = TraceId::for_effect(9, 1, 42);
    let span_id = SpanId::for_effect(9, 1, 42);
    let (linked_trace, linked_span) = (TraceId::new(5).unwrap(), SpanId::new(6).unwrap());
    let mut converge = a
        .tracer()
        .span(span::CONVERGE)
        .trace_id(trace_id)
        .span_id(span_id)
        .link(TraceContext::sampled(linked_trace, linked_span))
        .attr(attribute::HOP, 2)
        .start_at(start);
    assert_eq!(converge.context(), Some(TraceContext::for_effect(9, 1, 42)));
    converge.event_at(
        event::CONFLICT,
        start + Duration::from_millis(1),
        [
            (attribute::WINNER_STAMP, "77"),
            (attribute::WINNER_NODE, "b"),
        ],
    );
    converge.fail("not everyone answered");
    converge.end_at(start + Duration::from_millis(3));
    let found = collector.wait_for_count(1).await.remove(0);
    assert_eq!(
        (found.trace_id, found.span_id, found.parent),
        (trace_id, span_id, None)
    );
    assert_eq!(found.start_nanos, 1_700_000_000_123_456_789);
    assert_eq!(found.end_nanos, 1_700_000_000_126_456_789);
    assert_eq!(found.links, [(linked_trace, linked_span)]);
    assert_eq!(
        (found.attribute(attribute::HOP), found.error.as_deref()),
        ("2", Some("not everyone answered"))
    );
    let conflict = &found.events[0];
    assert_eq!(
        (&*conflict.name, conflict.nanos),
        (event::CONFLICT, 1_700_000_000_124_456_789)
    );
    assert_eq!(conflict.attributes[attribute::WINNER_NODE], "b");
}

#[tokio::test]
async fn a_span_is_kept_within_its_limits() {
    let collector = Collector::start().await;
    let a = grpc_node("a", &collector);
    let context = TraceContext::for_effect(1, 1, 1);
    let mut found = a
        .tracer()
        .span(span::BATCH)
        .attr(attribute::KEY, "é".repeat(5000))
        .start();
    for _ in 0..300 {
        found.attr(attribute::HOP, 1);
        found.event(event::DEQUEUED, [("n", 1)]);
        found.link(context);
    }
    drop(found);
    let found = collector.wait_for_count(1).await.remove(0);
    assert_eq!(found.attribute(attribute::KEY).len(), 1024);
    assert_eq!(found.dropped_attributes, 301 - 64);
    assert_eq!((found.events.len(), found.links.len()), (64, 128));
}

#[tokio::test]
async fn a_collector_that_comes_up_late_gets_the_spans_made_since() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let reserved = Reserved::take();
        let endpoint = match protocol {
            Protocol::Grpc => reserved.grpc_endpoint(),
            Protocol::HttpProtobuf => reserved.http_endpoint(),
        };
        let a = SpanSink::start(&TelemetryConfig {
            endpoint: Some(endpoint),
            protocol: Some(protocol),
            queue: QueueLimits {
                queue_spans: 16,
                batch_delay: Duration::from_millis(5),
                export_timeout: Duration::from_millis(200),
                ..QueueLimits::default()
            },
            ..TelemetryConfig::default()
        })
        .unwrap();
        let made = 1000;
        let begun = std::time::Instant::now();
        for _ in 0..made {
            a.tracer().span("lost").start().end();
        }
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "making spans waited"
        );
        let a = blocking(a, |a| assert!(a.flush(LONG))).await;
        let counts = a.counts();
        assert_eq!(
            (counts.exported, counts.outages, a.dropped_spans()),
            (0, 1, made),
            "{counts:?}"
        );
        assert!(
            counts.dropped_in_queue > 0 && counts.dropped_in_export > 0,
            "{counts:?}"
        );

        let collector = reserved.start();
        // the channel may still be in its own backoff, so ask again until one arrives
        let mut a = a;
        while collector.spans().is_empty() {
            a.tracer().span("found").start().end();
            a = blocking(a, |a| assert!(a.flush(LONG))).await;
        }
        assert!(collector.spans().iter().all(|span| span.name == "found"));
        assert_eq!((a.exported_spans(), a.counts().outages), (1, 1));
    }
}

#[tokio::test]
async fn a_collector_that_refuses_for_a_while_loses_only_that_while() {
    let collector = Collector::start().await;
    let a = node("a", &collector.http_endpoint(), Protocol::HttpProtobuf);
    let mut a = a;
    for (refusing, name) in [(false, "before"), (true, "during"), (false, "after")] {
        collector.refuse(refusing);
        a.tracer().span(name).start().end();
        a = blocking(a, |a| assert!(a.flush(LONG))).await;
    }
    let names: Vec<_> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["before", "after"]);
    assert_eq!((a.dropped_spans(), a.counts().outages), (1, 1));
}

#[tokio::test]
async fn a_shutdown_delivers_every_span() {
    let collector = Collector::start().await;
    let a = SpanSink::start(&TelemetryConfig {
        endpoint: Some(collector.grpc_endpoint()),
        protocol: Some(Protocol::Grpc),
        queue: QueueLimits {
            batch_delay: LONG,
            ..QueueLimits::default()
        },
        ..TelemetryConfig::default()
    })
    .unwrap();
    for _ in 0..1700 {
        a.tracer().span("SET").start().end();
    }
    assert!(
        tokio::task::spawn_blocking(move || a.shutdown(LONG))
            .await
            .unwrap()
    );
    assert_eq!(collector.spans().len(), 1700);
}

#[tokio::test]
async fn the_environment_names_the_collector_and_switches_it_off() {
    let collector = Collector::start().await;
    let http = collector.http_endpoint();
    let start = |more: &[(&str, &str)]| {
        let mut pairs = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", http.as_str()),
            ("OTEL_SERVICE_NAME", "cache"),
        ];
        pairs.extend_from_slice(more);
        SpanSink::start(
            &TelemetryConfig::default().with_environment(&Environment::from_pairs(pairs)),
        )
        .unwrap()
    };
    assert!(!start(&[("OTEL_SDK_DISABLED", "true")]).is_enabled());
    assert!(!start(&[("OTEL_TRACES_EXPORTER", "none")]).is_enabled());
    let a = start(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "5"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=one"),
    ]);
    a.tracer().span("SET").start().end();
    assert_eq!(collector.wait_for_count(1).await[0].service(), "cache");
}

/// Runs a blocking call of the sink where blocking is allowed.
async fn blocking(sink: SpanSink, call: impl FnOnce(&SpanSink) + Send + 'static) -> SpanSink {
    tokio::task::spawn_blocking(move || {
        call(&sink);
        sink
    })
    .await
    .unwrap()
}
