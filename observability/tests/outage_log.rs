//! What the log says of an outage: its beginning once and its end once. One test, because the log is global.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keymesh_observability::config::DEFAULT_LOG_FILTER;
use keymesh_observability::testing::Collector;
use keymesh_observability::{Protocol, QueueLimits, SpanSink, TelemetryConfig};
use tracing_subscriber::EnvFilter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_outage_is_said_once_and_so_is_its_end() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(DEFAULT_LOG_FILTER))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let collector = Collector::start().await;
    collector.refuse(true);
    let mut sink = SpanSink::start(&TelemetryConfig {
        endpoint: Some(collector.grpc_endpoint()),
        protocol: Some(Protocol::Grpc),
        queue: QueueLimits {
            export_timeout: Duration::from_millis(150),
            ..QueueLimits::default()
        },
        ..TelemetryConfig::default()
    })
    .unwrap();
    for refusing in [true, true, true, false, false] {
        collector.refuse(refusing);
        sink.tracer().span("SET").start().end();
        sink = tokio::task::spawn_blocking(move || {
            assert!(sink.flush(Duration::from_secs(20)));
            sink
        })
        .await
        .unwrap();
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("takes no spans") && text.contains("takes spans again"),
        "{text}"
    );
    assert_eq!((sink.dropped_spans(), sink.exported_spans()), (3, 2));
}
