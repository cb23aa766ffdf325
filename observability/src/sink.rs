//! The way of finished spans to the collector: a bounded queue and one thread with its own runtime.
//!
//! A sink is a value; a process may hold several (one for each node in a test). Handing over a span never
//! blocks: a full queue drops it and counts it. The thread sends batches; a batch that the collector does
//! not take after the exporter's retries is dropped and counted, and the outage is said once in the log,
//! as is its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter, SpanProcessor,
};
use tokio::sync::{Notify, mpsc, watch};

use crate::config::{DEFAULT_SERVICE_NAME, QueueLimits, TelemetryConfig, TelemetryError};
use crate::names::attribute;
use crate::spans::Tracer;

mod exporter;
mod worker;

use worker::Worker;

/// Time the thread takes to empty its queue when the sink is dropped without a shutdown.
const GRACE_ON_DROP: Duration = Duration::from_secs(1);
/// Requests to flush that may wait at once.
const MAX_FLUSHES: usize = 16;

/// What became of the spans of one sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Spans the collector took.
    pub exported: u64,
    /// Spans dropped because the queue was full or closed.
    pub dropped_in_queue: u64,
    /// Spans dropped because the collector did not take them.
    pub dropped_in_export: u64,
    /// Times the collector was found out of reach.
    pub outages: u64,
    /// Spans waiting now.
    pub queued: u64,
}

/// The entry to the queue, shared by all tracers of a sink.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<SpanData>,
    batch_spans: usize,
    batch_is_full: Notify,
    exported: AtomicU64,
    dropped_in_queue: AtomicU64,
    dropped_in_export: AtomicU64,
    outages: AtomicU64,
}

impl Outbox {
    /// Hands over a finished span; drops it when the queue is full.
    pub(crate) fn hand_over(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.dropped_in_queue.fetch_add(1, Relaxed);
        } else if self.queued() >= self.batch_spans {
            self.batch_is_full.notify_one();
        }
    }

    /// What became of the spans so far.
    pub(crate) fn counts(&self) -> SinkCounts {
        SinkCounts {
            exported: self.exported.load(Relaxed),
            dropped_in_queue: self.dropped_in_queue.load(Relaxed),
            dropped_in_export: self.dropped_in_export.load(Relaxed),
            outages: self.outages.load(Relaxed),
            queued: self.queued() as u64,
        }
    }

    fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// Lets spans of the `tracing` layer into the same queue.
#[derive(Debug)]
struct QueueProcessor(Arc<Outbox>);

impl SpanProcessor for QueueProcessor {
    fn on_start(
        &self,
        _span: &mut opentelemetry_sdk::trace::Span,
        _context: &opentelemetry::Context,
    ) {
    }

    fn on_end(&self, span: SpanData) {
        self.0.hand_over(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

type Done = std::sync::mpsc::SyncSender<()>;

/// One queue, one export thread, one collector. Dropping it without [`Self::shutdown`] gives the thread a
/// second to empty the queue, without waiting for it.
#[derive(Debug)]
pub struct SpanSink {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    outbox: Arc<Outbox>,
    provider: SdkTracerProvider,
    flush: mpsc::Sender<Done>,
    stop: watch::Sender<Option<Instant>>,
    thread: JoinHandle<()>,
}

impl SpanSink {
    /// A sink that makes no spans.
    pub const fn disabled() -> Self {
        Self { running: None }
    }

    /// Starts the export thread, or gives a disabled sink when the settings name no collector. Does not
    /// wait for the collector.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let Some(target) = config.target()? else {
            return Ok(Self::disabled());
        };
        let limits = config.queue.bounded();
        let make = exporter::Recipe::new(&target, config, &limits)?;
        let said_target = target.url;
        Self::start_with(resource(config), &limits, said_target, move || make.build())
    }

    /// Starts the thread with any exporter, which is made on the thread, inside of its runtime.
    fn start_with<Exporter: SpanExporter + 'static>(
        resource: Resource,
        limits: &QueueLimits,
        said_target: String,
        make_exporter: impl FnOnce() -> Result<Exporter, TelemetryError> + Send + 'static,
    ) -> Result<Self, TelemetryError> {
        let (queue, spans) = mpsc::channel(limits.queue_spans);
        let (flush, flushes) = mpsc::channel(MAX_FLUSHES);
        let (stop, stopped) = watch::channel(None);
        let outbox = Arc::new(Outbox {
            queue,
            batch_spans: limits.batch_spans,
            batch_is_full: Notify::new(),
            exported: AtomicU64::new(0),
            dropped_in_queue: AtomicU64::new(0),
            dropped_in_export: AtomicU64::new(0),
            outages: AtomicU64::new(0),
        });
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource.clone())
            .with_span_processor(QueueProcessor(Arc::clone(&outbox)))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let (started, start) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("otlp-export".to_owned())
            .spawn({
                let outbox = Arc::clone(&outbox);
                let limits = limits.clone();
                move || {
                    let mut runtime = runtime;
                    let runtime = match runtime.enable_all().max_blocking_threads(1).build() {
                        Ok(runtime) => runtime,
                        Err(error) => return drop(started.send(Err(error.into()))),
                    };
                    runtime.block_on(async move {
                        let mut exporter = match make_exporter() {
                            Ok(exporter) => exporter,
                            Err(error) => return drop(started.send(Err(error))),
                        };
                        exporter.set_resource(&resource);
                        if started.send(Ok(())).is_err() {
                            return;
                        }
                        let worker = Worker {
                            outbox,
                            spans,
                            flushes,
                            stopped,
                            limits,
                            exporter,
                            said_target,
                            out_of_reach: false,
                        };
                        worker.run().await;
                    });
                    // connections of the exporter are not waited for
                    runtime.shutdown_background();
                }
            })?;
        let outcome = start
            .recv()
            .unwrap_or_else(|_| Err(std::io::Error::other("the thread ended").into()));
        outcome.map(|()| Self {
            running: Some(Running {
                outbox,
                provider,
                flush,
                stop,
                thread,
            }),
        })
    }

    /// A handle to make spans with; cheap to clone.
    pub fn tracer(&self) -> Tracer {
        self.running
            .as_ref()
            .map_or_else(Tracer::disabled, |running| {
                Tracer::to_outbox(Arc::clone(&running.outbox))
            })
    }

    /// The tracer behind the `tracing` layer, into the same queue.
    pub fn layer_tracer(&self) -> Option<SdkTracer> {
        self.running
            .as_ref()
            .map(|running| running.provider.tracer(DEFAULT_SERVICE_NAME))
    }

    /// Whether spans go anywhere.
    pub fn is_enabled(&self) -> bool {
        self.running.is_some()
    }

    /// What became of the spans so far.
    pub fn counts(&self) -> SinkCounts {
        let Some(Running { outbox, .. }) = &self.running else {
            return SinkCounts::default();
        };
        outbox.counts()
    }

    /// Spans the collector took.
    pub fn exported_spans(&self) -> u64 {
        self.counts().exported
    }

    /// Spans dropped for any reason.
    pub fn dropped_spans(&self) -> u64 {
        let counts = self.counts();
        counts.dropped_in_queue + counts.dropped_in_export
    }

    /// Sends what is queued now and waits for it; false when time ran out. Blocks: not for async code.
    pub fn flush(&self, timeout: Duration) -> bool {
        let Some(running) = &self.running else {
            return true;
        };
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        running.flush.try_send(done).is_ok() && wait.recv_timeout(timeout).is_ok()
    }

    /// Sends what is queued and ends the thread; spans that are left at the end of the time are dropped.
    /// True when none was. Blocks for at most about the time given: call it in `spawn_blocking`.
    pub fn shutdown(mut self, timeout: Duration) -> bool {
        let Some(running) = self.running.take() else {
            return true;
        };
        let lost = |outbox: &Outbox| outbox.dropped_in_export.load(Relaxed);
        let lost_before = lost(&running.outbox);
        running.stop.send_replace(Some(Instant::now() + timeout));
        // the thread ends by itself: each of its waits is cut at the deadline
        running.thread.join().is_ok() && lost(&running.outbox) == lost_before
    }
}

impl Drop for SpanSink {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running
                .stop
                .send_replace(Some(Instant::now() + GRACE_ON_DROP));
        }
    }
}

/// The resource: what all spans of one node share.
fn resource(config: &TelemetryConfig) -> Resource {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let service = config
        .service_name
        .clone()
        .unwrap_or_else(|| DEFAULT_SERVICE_NAME.to_owned());
    let mut own = vec![
        KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        KeyValue::new("telemetry.sdk.language", "rust"),
        KeyValue::new(attribute::HOST_NAME, host),
        KeyValue::new(attribute::SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
    ];
    own.extend(
        config
            .resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
    );
    // last: the environment is often shared by several nodes, their ids are not
    own.push(KeyValue::new(attribute::SERVICE_NAME, service));
    if !config.instance_id.is_empty() {
        own.push(KeyValue::new(
            attribute::SERVICE_INSTANCE_ID,
            config.instance_id.clone(),
        ));
    }
    Resource::builder_empty().with_attributes(own).build()
}

#[cfg(test)]
mod tests;
