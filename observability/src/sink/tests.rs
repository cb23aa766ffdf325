//! The queue and its thread, with exporters under the test's control.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// Says which batch begins, then waits for the word to go on.
#[derive(Debug)]
struct Stepped {
    begun: SyncSender<usize>,
    verdicts: std::sync::Mutex<Receiver<bool>>,
}

impl SpanExporter for Stepped {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.begun.send(batch.len()).unwrap();
        let verdict = self.verdicts.lock().unwrap().recv();
        match verdict {
            Ok(true) => Ok(()),
            _ => Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(
                "told to fail".to_owned(),
            )),
        }
    }
}

/// Never answers.
#[derive(Debug)]
struct Silent;

impl SpanExporter for Silent {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        std::future::pending().await
    }
}

fn limits(queue_spans: usize, batch_spans: usize) -> QueueLimits {
    let batch_delay = Duration::from_millis(1);
    QueueLimits {
        queue_spans,
        batch_spans,
        batch_delay,
        export_timeout: LONG,
    }
}

fn stepped(limits: &QueueLimits) -> (SpanSink, Receiver<usize>, SyncSender<bool>) {
    let (begun, begins) = sync_channel(64);
    let (verdict, verdicts) = sync_channel(64);
    let exporter = Stepped {
        begun,
        verdicts: verdicts.into(),
    };
    let resource = Resource::builder_empty().build();
    let sink = SpanSink::start_with(resource, limits, "test".to_owned(), || Ok(exporter)).unwrap();
    (sink, begins, verdict)
}

fn silent(limits: &QueueLimits) -> SpanSink {
    let resource = Resource::builder_empty().build();
    SpanSink::start_with(resource, limits, "test".to_owned(), || Ok(Silent)).unwrap()
}

fn make(sink: &SpanSink, count: usize) {
    let tracer = sink.tracer();
    for _ in 0..count {
        tracer.span("one").start().end();
    }
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let (sink, begins, verdict) = stepped(&limits(10, 4));
    make(&sink, 1);
    assert_eq!(begins.recv_timeout(LONG), Ok(1));
    // the thread is held in its export: 10 fit, 90 do not
    make(&sink, 100);
    assert_eq!(sink.counts().queued, 10);
    assert_eq!(sink.counts().dropped_in_queue, 90);
    for _ in 0..4 {
        verdict.send(true).unwrap();
    }
    assert!(sink.flush(LONG));
    assert_eq!(sink.exported_spans(), 11);
    assert_eq!(begins.try_iter().sum::<usize>(), 10);
    assert_eq!(sink.dropped_spans(), 90);
}

#[test]
fn batches_are_no_larger_than_their_limit() {
    let (sink, begins, verdict) = stepped(&limits(100, 8));
    make(&sink, 1);
    assert_eq!(begins.recv_timeout(LONG), Ok(1));
    make(&sink, 20);
    for _ in 0..4 {
        verdict.send(true).unwrap();
    }
    assert!(sink.flush(LONG));
    assert_eq!(begins.try_iter().collect::<Vec<_>>(), [8, 8, 4]);
}

#[test]
fn each_outage_is_counted_once() {
    let (sink, _begins, verdict) = stepped(&limits(100, 8));
    for fine in [false, false, true, true, false, false] {
        verdict.send(fine).unwrap();
        make(&sink, 1);
        assert!(sink.flush(LONG));
    }
    let expected = SinkCounts {
        exported: 2,
        dropped_in_queue: 0,
        dropped_in_export: 4,
        outages: 2,
        queued: 0,
    };
    assert_eq!(sink.counts(), expected);
}

#[test]
fn a_shutdown_delivers_what_is_queued() {
    let slow = QueueLimits {
        batch_delay: LONG,
        ..limits(100, 50)
    };
    let (sink, begins, verdict) = stepped(&slow);
    make(&sink, 20);
    verdict.send(true).unwrap();
    assert!(sink.shutdown(LONG));
    assert_eq!(begins.try_iter().collect::<Vec<_>>(), [20]);
}

#[test]
fn a_shutdown_ends_in_time_although_the_collector_is_silent() {
    let sink = silent(&limits(100, 8));
    make(&sink, 50);
    assert!(!sink.shutdown(Duration::from_millis(20)));
}

#[test]
fn an_export_without_an_answer_ends_at_its_time_limit() {
    let sink = silent(&QueueLimits {
        export_timeout: Duration::from_millis(5),
        ..limits(100, 8)
    });
    make(&sink, 5);
    assert!(sink.flush(LONG));
    assert_eq!(sink.counts().dropped_in_export, 5);
}

#[test]
fn spans_made_after_a_shutdown_are_counted_as_dropped() {
    let (sink, _begins, _verdict) = stepped(&limits(10, 4));
    let tracer = sink.tracer();
    let outbox = Arc::clone(&sink.running.as_ref().unwrap().outbox);
    assert!(sink.shutdown(LONG));
    tracer.span("late").start().end();
    assert_eq!(outbox.dropped_in_queue.load(Relaxed), 1);
}

#[test]
fn an_exporter_that_cannot_be_built_is_an_error_at_the_start() {
    let resource = Resource::builder_empty().build();
    let failure = || Err::<Silent, _>(TelemetryError::Header("x".to_owned()));
    let started = SpanSink::start_with(resource, &limits(1, 1), String::new(), failure);
    assert!(matches!(started, Err(TelemetryError::Header(_))));
}

#[test]
fn a_disabled_sink_makes_nothing_and_is_always_done() {
    let sink = SpanSink::start(&TelemetryConfig::default()).unwrap();
    make(&sink, 3);
    assert!(!sink.is_enabled() && !sink.tracer().is_enabled());
    assert_eq!(sink.counts(), SinkCounts::default());
    assert!(sink.flush(Duration::ZERO));
    assert!(sink.shutdown(Duration::ZERO));
}

#[test]
fn the_nodes_own_names_beat_the_environments() {
    let config = TelemetryConfig {
        instance_id: "node-1".to_owned(),
        resource: vec![
            (
                attribute::SERVICE_INSTANCE_ID.to_owned(),
                "shared".to_owned(),
            ),
            (attribute::HOST_NAME.to_owned(), "rack-7".to_owned()),
        ],
        ..TelemetryConfig::default()
    };
    let resource = resource(&config);
    let get = |name: &'static str| resource.get(&name.into()).map(|value| value.to_string());
    assert_eq!(get(attribute::SERVICE_NAME).as_deref(), Some("keymesh"));
    assert_eq!(
        get(attribute::SERVICE_INSTANCE_ID).as_deref(),
        Some("node-1")
    );
    assert_eq!(get(attribute::HOST_NAME).as_deref(), Some("rack-7"));
}
