//! The telemetry of a process: the log, the `tracing` layer for slow paths, and the sink behind both kinds
//! of spans.
//!
//! A process has one [`Telemetry`], for the log is global; nodes that share a process (tests) take a
//! [`SpanSink`](crate::SpanSink) each instead. Nothing is put into OpenTelemetry's globals.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat, TelemetryConfig, TelemetryError};
use crate::log::{Output, RedisLines};
use crate::sampling::{HeadSampler, TokenBucket};
use crate::sink::{SinkCounts, SpanSink};
use crate::spans::Tracer;
use crate::syslog::Syslog;

/// Crates whose `tracing` spans are exported: our own. Others' (actors, the exporter's HTTP) would be
/// noise at best and feed on themselves at worst.
const OWN_CRATES: &str = "keymesh";

/// The running telemetry of a process.
#[derive(Debug)]
pub struct Telemetry {
    sink: SpanSink,
    head: HeadSampler,
    client_traces: TokenBucket,
    findings: TokenBucket,
    log_filter: reload::Handle<EnvFilter, Registry>,
    output: Arc<Output>,
}

impl Telemetry {
    /// Installs the log and starts the export when the settings name a collector. Does not wait for it.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let (filter, log_filter) = reload::Layer::new(parse_filter(&config.log.filter)?);
        let output = Output::open(config.log.file.as_deref()).map_err(TelemetryError::LogFile)?;
        let output = Arc::new(output);
        let sink = SpanSink::start(config)?;
        let spans = sink.layer_tracer().map(|tracer| {
            tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(
                    filter_fn(|metadata| metadata.target().starts_with(OWN_CRATES))
                        .and(LevelFilter::from_level(Level::INFO)),
                )
        });
        tracing_subscriber::registry()
            .with(log_layers(&config.log, &output).with_filter(filter))
            .with(spans)
            .try_init()
            .map_err(|_| TelemetryError::SubscriberInstalled)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Self {
            sink,
            head: HeadSampler::new(config.ratio(), config.traces_per_second),
            client_traces: TokenBucket::new(config.client_traces_per_second),
            findings: TokenBucket::new(config.findings_per_second),
            log_filter,
            output,
        })
    }

    /// A handle to make spans with.
    pub fn tracer(&self) -> Tracer {
        self.sink.tracer()
    }

    /// A head counter for one thread; all of them share the ratio and the cap.
    pub fn sampler(&self) -> HeadSampler {
        self.head.fork()
    }

    /// The cap on traces that clients start.
    pub fn client_traces(&self) -> &TokenBucket {
        &self.client_traces
    }

    /// The cap on spans about untraced effects with a finding.
    pub fn findings(&self) -> &TokenBucket {
        &self.findings
    }

    /// Changes the log filter of the running process.
    pub fn set_log_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        let parsed = parse_filter(filter)?;
        self.log_filter
            .reload(parsed)
            .map_err(|error| TelemetryError::LogFilter {
                filter: filter.to_owned(),
                reason: error.to_string(),
            })
    }

    /// Opens the log file anew.
    pub fn reopen_log(&self) -> std::io::Result<()> {
        self.output.reopen()
    }

    /// What became of the spans so far.
    pub fn counts(&self) -> SinkCounts {
        self.sink.counts()
    }

    /// Spans the collector took.
    pub fn exported_spans(&self) -> u64 {
        self.sink.exported_spans()
    }

    /// Spans dropped for any reason.
    pub fn dropped_spans(&self) -> u64 {
        self.sink.dropped_spans()
    }

    /// Sends what is queued now; see [`SpanSink::flush`].
    pub fn flush(&self, timeout: Duration) -> bool {
        self.sink.flush(timeout)
    }

    /// Sends what is queued and ends the export thread; see [`SpanSink::shutdown`].
    pub fn shutdown(self, timeout: Duration) -> bool {
        self.sink.shutdown(timeout)
    }
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|error| TelemetryError::LogFilter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })
}

type LogLayer = Box<dyn Layer<Registry> + Send + Sync>;

fn log_layers(config: &LogConfig, output: &Arc<Output>) -> Vec<LogLayer> {
    let is_terminal = config.file.is_none() && std::io::stdout().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(Arc::clone(output));
    let lines: LogLayer = match config.format {
        LogFormat::Redis => layer
            .with_ansi(false)
            .event_format(RedisLines {
                role: config.role.clone(),
            })
            .boxed(),
        LogFormat::Plain => layer.with_ansi(is_terminal).boxed(),
        LogFormat::Json => layer.with_ansi(false).json().boxed(),
    };
    let syslog = config
        .syslog
        .as_ref()
        .map(|syslog| Syslog::open(syslog).boxed());
    std::iter::once(lines).chain(syslog).collect()
}
