//! Settings of the telemetry: where spans go, how much may wait, what is sampled, what is logged.
//!
//! A setting given here beats the environment, except `OTEL_SDK_DISABLED` and `OTEL_TRACES_EXPORTER=none`,
//! which always switch the export off. An endpoint without a scheme means plain `http://`. This build
//! speaks no TLS to the collector, so an `https://` endpoint is an error and not a silent downgrade.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::log::LogRole;
use crate::sampling::{
    DEFAULT_CLIENT_TRACES_PER_SECOND, DEFAULT_FINDINGS_PER_SECOND, DEFAULT_TRACES_PER_SECOND,
    SampleRatio,
};
use crate::syslog::SyslogConfig;

/// Spans that may wait for the collector.
pub const DEFAULT_QUEUE_SPANS: usize = 8192;
/// Spans in one request.
pub const DEFAULT_BATCH_SPANS: usize = 512;
/// The longest wait for a batch to fill.
pub const DEFAULT_BATCH_DELAY: Duration = Duration::from_secs(1);
/// Time limit of one request, retries included.
pub const DEFAULT_EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// The filter of the log: the server's own words, and of libraries only what needs an operator. The
/// exporter's own libraries stay silent because the outage of a collector is said here, once.
pub const DEFAULT_LOG_FILTER: &str =
    "info,ractor=warn,opentelemetry=off,hyper=off,tonic=off,h2=off";
/// The service's name unless configured.
pub const DEFAULT_SERVICE_NAME: &str = "keymesh";

const MAX_QUEUE_SPANS: usize = 1 << 20;
const GRPC_ENDPOINT: &str = "http://localhost:4317";
const HTTP_ENDPOINT: &str = "http://localhost:4318";
const HTTP_PATH: &str = "/v1/traces";

/// Why telemetry could not start.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The endpoint is no URL this build can send to.
    #[error("otlp endpoint '{endpoint}': {reason}")]
    Endpoint {
        /// The endpoint as given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The protocol's name is unknown.
    #[error("otlp protocol '{0}' is not one of grpc, http/protobuf")]
    Protocol(String),
    /// A header's name or value cannot be sent.
    #[error("otlp header '{0}' is not valid")]
    Header(String),
    /// The log filter could not be read.
    #[error("log filter '{filter}': {reason}")]
    LogFilter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log file cannot be written to.
    #[error("Can't open the log file: {0}")]
    LogFile(std::io::Error),
    /// Another subscriber is installed in this process already.
    #[error("a log subscriber is installed already")]
    SubscriberInstalled,
    /// The export thread could not be started.
    #[error("cannot start the export thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// How spans are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC, usually port 4317.
    Grpc,
    /// OTLP as protobuf over HTTP/1.1, usually port 4318.
    HttpProtobuf,
}

impl std::str::FromStr for Protocol {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text.to_ascii_lowercase().as_str() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::HttpProtobuf),
            _ => Err(TelemetryError::Protocol(text.to_owned())),
        }
    }
}

/// A header sent with each request; its value may be a secret and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Name of the header.
    pub name: String,
    /// Value of the header.
    pub value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ***", self.name)
    }
}

/// Limits of the span queue and of one request.
#[derive(Clone, Debug)]
pub struct QueueLimits {
    /// Spans that may wait; more are dropped and counted.
    pub queue_spans: usize,
    /// Spans in one request.
    pub batch_spans: usize,
    /// The longest wait for a batch to fill.
    pub batch_delay: Duration,
    /// Time limit of one request, retries included.
    pub export_timeout: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            queue_spans: DEFAULT_QUEUE_SPANS,
            batch_spans: DEFAULT_BATCH_SPANS,
            batch_delay: DEFAULT_BATCH_DELAY,
            export_timeout: DEFAULT_EXPORT_TIMEOUT,
        }
    }
}

impl QueueLimits {
    /// The limits with zeroes and monstrous values put right.
    pub(crate) fn bounded(&self) -> Self {
        let queue_spans = self.queue_spans.clamp(1, MAX_QUEUE_SPANS);
        Self {
            queue_spans,
            batch_spans: self.batch_spans.clamp(1, queue_spans),
            batch_delay: self
                .batch_delay
                .clamp(Duration::from_millis(1), Duration::from_secs(3600)),
            export_timeout: self
                .export_timeout
                .clamp(Duration::from_millis(1), Duration::from_secs(3600)),
        }
    }
}

/// Looks of the log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Redis's: process, role, local time, severity, message.
    Redis,
    /// One line of text for each event, coloured on a terminal.
    #[default]
    Plain,
    /// One JSON object for each event.
    Json,
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Which events are written, in the syntax of `tracing-subscriber`'s filter.
    pub filter: String,
    /// How they look.
    pub format: LogFormat,
    /// The file they go to; without one they go to standard output.
    pub file: Option<PathBuf>,
    /// The system's log, where it gets them too.
    pub syslog: Option<SyslogConfig>,
    /// What Redis's look says of the node.
    pub role: LogRole,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: DEFAULT_LOG_FILTER.to_owned(),
            format: LogFormat::default(),
            file: None,
            syslog: None,
            role: LogRole::default(),
        }
    }
}

impl LogConfig {
    /// The default filter with another level for the server's own words: error, warn, info, debug, trace; off is for all words.
    pub fn filter_at(level: &str) -> String {
        if level == "off" {
            return level.to_owned();
        }
        DEFAULT_LOG_FILTER.replacen("info", level, 1)
    }
}

/// All settings of the telemetry. `None` means: take it from the environment, else the default.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// Where spans go; without one no span is made.
    pub endpoint: Option<String>,
    /// The full URL for traces, nothing appended (`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`).
    pub traces_endpoint: Option<String>,
    /// How spans are sent; by default guessed from the endpoint's port.
    pub protocol: Option<Protocol>,
    /// Headers sent with each request.
    pub headers: Vec<Header>,
    /// Switches the export off whatever else is set.
    pub disabled: bool,
    /// `service.name`.
    pub service_name: Option<String>,
    /// `service.instance.id`: the node's id.
    pub instance_id: String,
    /// Further attributes of the resource; they beat the environment's.
    pub resource: Vec<(String, String)>,
    /// How many operations are traced.
    pub sample_ratio: Option<SampleRatio>,
    /// Cap on traces the head counter starts.
    pub traces_per_second: u32,
    /// Cap on traces that clients start by sending a context.
    pub client_traces_per_second: u32,
    /// Cap on spans about untraced effects with a finding (conflict, lag, error).
    pub findings_per_second: u32,
    /// Limits of the span queue.
    pub queue: QueueLimits,
    /// Settings of the log.
    pub log: LogConfig,
    /// Things to say in the log once it stands, such as values of the environment that were ignored.
    pub warnings: Vec<String>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            traces_endpoint: None,
            protocol: None,
            headers: Vec::new(),
            disabled: false,
            service_name: None,
            instance_id: String::new(),
            resource: Vec::new(),
            sample_ratio: None,
            traces_per_second: DEFAULT_TRACES_PER_SECOND,
            client_traces_per_second: DEFAULT_CLIENT_TRACES_PER_SECOND,
            findings_per_second: DEFAULT_FINDINGS_PER_SECOND,
            queue: QueueLimits::default(),
            log: LogConfig::default(),
            warnings: Vec::new(),
        }
    }
}

/// Where and how spans are sent, worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The full URL.
    pub url: String,
    /// The protocol.
    pub protocol: Protocol,
}

impl TelemetryConfig {
    /// Works out where spans go; `None` when the export is off.
    pub fn target(&self) -> Result<Option<Target>, TelemetryError> {
        let (given, whole) = match (&self.endpoint, &self.traces_endpoint) {
            _ if self.disabled => return Ok(None),
            (Some(endpoint), _) => (endpoint.trim(), false),
            (None, Some(endpoint)) => (endpoint.trim(), true),
            (None, None) => return Ok(None),
        };
        let refused = |reason: &str| TelemetryError::Endpoint {
            endpoint: given.to_owned(),
            reason: reason.to_owned(),
        };
        let mut url = match given.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => given.to_owned(),
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(refused(
                    "this build speaks no tls to the collector, use http://",
                ));
            }
            Some(_) => return Err(refused("the scheme must be http")),
            None => format!("http://{given}"),
        };
        let authority_and_path = &url["http://".len()..];
        let (authority, path) = authority_and_path
            .split_once('/')
            .unwrap_or((authority_and_path, ""));
        if authority.is_empty() || authority.contains(char::is_whitespace) {
            return Err(refused("no host"));
        }
        let protocol =
            self.protocol
                .unwrap_or(if authority.ends_with(":4317") && path.is_empty() {
                    Protocol::Grpc
                } else {
                    Protocol::HttpProtobuf
                });
        if protocol == Protocol::HttpProtobuf && !whole && !url.ends_with(HTTP_PATH) {
            url.truncate(url.trim_end_matches('/').len());
            url.push_str(HTTP_PATH);
        }
        Ok(Some(Target { url, protocol }))
    }

    /// The endpoint of a collector on this host, for `OTEL_TRACES_EXPORTER=otlp` without an endpoint.
    pub(crate) fn local_endpoint(&self) -> &'static str {
        if self.protocol == Some(Protocol::Grpc) {
            GRPC_ENDPOINT
        } else {
            HTTP_ENDPOINT
        }
    }

    /// The sample ratio in force.
    pub fn ratio(&self) -> SampleRatio {
        self.sample_ratio.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        endpoint: &str,
        protocol: Option<Protocol>,
    ) -> Result<Option<Target>, TelemetryError> {
        TelemetryConfig {
            endpoint: Some(endpoint.to_owned()),
            protocol,
            ..TelemetryConfig::default()
        }
        .target()
    }

    #[test]
    fn one_line_of_settings_is_enough() {
        let cases = [
            ("http://jaeger:4317", Protocol::Grpc, "http://jaeger:4317"),
            ("jaeger:4317", Protocol::Grpc, "http://jaeger:4317"),
            (
                "jaeger:4318",
                Protocol::HttpProtobuf,
                "http://jaeger:4318/v1/traces",
            ),
            (
                "http://jaeger:4318/",
                Protocol::HttpProtobuf,
                "http://jaeger:4318/v1/traces",
            ),
            (
                "http://jaeger:4318/v1/traces",
                Protocol::HttpProtobuf,
                "http://jaeger:4318/v1/traces",
            ),
            ("http://[::1]:4317", Protocol::Grpc, "http://[::1]:4317"),
            (
                "http://gateway/otlp",
                Protocol::HttpProtobuf,
                "http://gateway/otlp/v1/traces",
            ),
        ];
        for (endpoint, protocol, url) in cases {
            assert_eq!(
                target(endpoint, None).unwrap(),
                Some(Target {
                    url: url.to_owned(),
                    protocol
                })
            );
        }
    }

    #[test]
    fn a_protocol_that_is_given_beats_the_port() {
        let found = target("collector:9999", Some(Protocol::Grpc))
            .unwrap()
            .unwrap();
        assert_eq!(
            found,
            Target {
                url: "http://collector:9999".to_owned(),
                protocol: Protocol::Grpc
            }
        );
    }

    #[test]
    fn an_endpoint_for_traces_is_taken_as_it_is() {
        let config = TelemetryConfig {
            traces_endpoint: Some("http://collector/in".to_owned()),
            ..TelemetryConfig::default()
        };
        assert_eq!(config.target().unwrap().unwrap().url, "http://collector/in");
    }

    #[test]
    fn endpoints_this_build_cannot_reach_are_errors() {
        for endpoint in [
            "https://collector:4318",
            "ftp://collector",
            "http://",
            "http:///path",
            "",
            "a b:4317",
        ] {
            assert!(
                matches!(target(endpoint, None), Err(TelemetryError::Endpoint { .. })),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn a_header_keeps_its_value_out_of_the_log() {
        let header = Header {
            name: "authorization".to_owned(),
            value: "secret".to_owned(),
        };
        assert!(!format!("{header:?}").contains("secret"));
    }

    #[test]
    fn the_level_changes_only_the_first_word_of_the_filter() {
        assert_eq!(LogConfig::filter_at("info"), DEFAULT_LOG_FILTER);
        assert!(LogConfig::filter_at("debug").starts_with("debug,ractor=warn,"));
        assert_eq!(LogConfig::filter_at("off"), "off");
    }
}
