//! Tracing and OTLP pipeline, sampling, and the names of all spans and metrics.
//!
//! The crate knows nothing of keys, partitions or links: it gives names (`names`), the trace context
//! that travels with an effect (`context`), the decision whether to trace (`sampling`), spans with
//! explicit times and ids (`spans`), the way out to a collector (`sink`, `pipeline`), the settings
//! (`config`, `environment`), the log (`log`, `syslog`) and metrics in plain atomics (`metrics`).
//!
//! Invariants: making a span never blocks and never waits; a full queue drops the span and counts it;
//! everything that talks to the collector runs on one thread of its own.

pub mod bridge;
pub mod config;
pub mod context;
pub mod environment;
mod exposition;
pub mod log;
pub mod metrics;
pub mod names;
pub mod pipeline;
pub mod sampling;
pub mod sink;
pub mod spans;
pub mod syslog;
#[cfg(feature = "testing")]
pub mod testing;

pub use config::{LogConfig, LogFormat, Protocol, QueueLimits, TelemetryConfig, TelemetryError};
pub use context::{ContextError, SpanId, TraceContext, TraceId};
pub use environment::Environment;
pub use log::LogRole;
pub use metrics::{Counter, Exposition, Gauge, Histogram, Registry};
pub use pipeline::Telemetry;
pub use sampling::{HeadSampler, SampleRatio, TokenBucket};
pub use sink::{SinkCounts, SpanSink};
pub use spans::{OpenSpan, SpanBuilder, SpanKind, Tracer};
