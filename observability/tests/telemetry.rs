//! The telemetry of a whole process: one test, because its log is global.

use std::time::Duration;

use keymesh_observability::testing::{Collector, one_trace};
use keymesh_observability::{
    LogConfig, Protocol, QueueLimits, Telemetry, TelemetryConfig, TelemetryError, TraceContext,
    bridge,
};

#[tokio::test]
async fn slow_path_spans_join_the_traces_and_other_crates_spans_stay_out() {
    let collector = Collector::start().await;
    let config = TelemetryConfig {
        endpoint: Some(collector.grpc_endpoint()),
        protocol: Some(Protocol::Grpc),
        log: LogConfig {
            filter: "off".to_owned(),
            ..LogConfig::default()
        },
        queue: QueueLimits {
            batch_delay: Duration::from_millis(5),
            ..QueueLimits::default()
        },
        ..TelemetryConfig::default()
    };
    let telemetry = Telemetry::start(&config).unwrap();
    assert!(matches!(
        Telemetry::start(&config),
        Err(TelemetryError::SubscriberInstalled)
    ));

    let root = telemetry.tracer().span("sync").start();
    let sync = tracing::info_span!(target: "keymesh::replication", "snapshot");
    assert!(bridge::set_parent(&sync, root.context().unwrap()));
    bridge::link(&sync, TraceContext::for_effect(1, 1, 1));
    sync.in_scope(|| {
        tracing::info_span!(target: "ractor::actor", "handle").in_scope(|| {
            tracing::info!(target: "keymesh::replication", "halfway");
        });
        tracing::debug_span!(target: "keymesh::replication", "detail").in_scope(|| {});
    });
    let inside = bridge::context_of(&sync).unwrap();
    telemetry.tracer().span("load").parent(inside).start().end();
    drop(sync);
    root.end();

    let spans = collector.wait_for_count(3).await;
    one_trace(&spans).unwrap();
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["load", "snapshot", "sync"]);
    let snapshot = spans.iter().find(|span| span.name == "snapshot").unwrap();
    assert_eq!(snapshot.links.len(), 1);
    let load = spans.iter().find(|span| span.name == "load").unwrap();
    assert_eq!(load.parent, Some(snapshot.span_id));

    telemetry.set_log_filter("warn,ractor=off").unwrap();
    assert!(matches!(
        telemetry.set_log_filter("keymesh=loud"),
        Err(TelemetryError::LogFilter { .. })
    ));
    assert!(
        tokio::task::spawn_blocking(move || telemetry.shutdown(Duration::from_secs(20)))
            .await
            .unwrap()
    );
    assert_eq!(collector.spans().len(), 3);
}
