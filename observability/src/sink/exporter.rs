//! Building the OTLP exporter for a target, with everything checked that can be checked beforehand.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};

use crate::config::{Header, Protocol, QueueLimits, Target, TelemetryConfig, TelemetryError};

/// What is needed to build the exporter, checked.
pub(super) struct Recipe {
    target: Target,
    headers: MetadataMap,
    plain_headers: HashMap<String, String>,
    timeout: Duration,
}

impl Recipe {
    pub(super) fn new(
        target: &Target,
        config: &TelemetryConfig,
        limits: &QueueLimits,
    ) -> Result<Self, TelemetryError> {
        let mut headers = MetadataMap::new();
        let mut plain_headers = HashMap::new();
        for Header { name, value } in &config.headers {
            let refused = || TelemetryError::Header(name.clone());
            let key = MetadataKey::<Ascii>::from_bytes(name.to_ascii_lowercase().as_bytes())
                .map_err(|_| refused())?;
            let ascii: MetadataValue<Ascii> = value.parse().map_err(|_| refused())?;
            headers.insert(key, ascii);
            plain_headers.insert(name.clone(), value.clone());
        }
        Ok(Self {
            target: target.clone(),
            headers,
            plain_headers,
            timeout: limits.export_timeout,
        })
    }

    /// Builds the exporter; must run inside of the runtime that will drive it.
    pub(super) fn build(self) -> Result<SpanExporter, TelemetryError> {
        let Target { url, protocol } = self.target;
        let built = match protocol {
            Protocol::Grpc => SpanExporter::builder()
                .with_tonic()
                .with_endpoint(url.clone())
                .with_timeout(self.timeout)
                .with_metadata(self.headers)
                .build(),
            Protocol::HttpProtobuf => SpanExporter::builder()
                .with_http()
                .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                .with_http_client(HyperClient::with_default_connector(self.timeout, None))
                .with_endpoint(url.clone())
                .with_timeout(self.timeout)
                .with_headers(self.plain_headers)
                .build(),
        };
        built.map_err(|error| TelemetryError::Endpoint {
            endpoint: url,
            reason: error.to_string(),
        })
    }
}
