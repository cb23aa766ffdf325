//! Spans as the collector of a test got them, and the check that they are one whole trace.
//!
//! Only for tests: bytes that are no span panic.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::context::{SpanId, TraceId};

/// An event of a recorded span.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// Its name.
    pub name: String,
    /// Nanoseconds since 1970.
    pub nanos: u64,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
}

/// A span as the collector got it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSpan {
    /// Attributes of the resource, as text.
    pub resource: BTreeMap<String, String>,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent; none for a root.
    pub parent: Option<SpanId>,
    /// Its name.
    pub name: String,
    /// INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER.
    pub kind: String,
    /// Nanoseconds since 1970.
    pub start_nanos: u64,
    /// Nanoseconds since 1970.
    pub end_nanos: u64,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Attributes above the limit.
    pub dropped_attributes: u32,
    /// Its events.
    pub events: Vec<RecordedEvent>,
    /// The spans it links to.
    pub links: Vec<(TraceId, SpanId)>,
    /// The reason, if it failed.
    pub error: Option<String>,
}

impl RecordedSpan {
    /// The service that made it.
    pub fn service(&self) -> &str {
        self.resource
            .get(crate::names::attribute::SERVICE_NAME)
            .map_or("", String::as_str)
    }

    /// The node that made it.
    pub fn instance(&self) -> &str {
        self.resource
            .get(crate::names::attribute::SERVICE_INSTANCE_ID)
            .map_or("", String::as_str)
    }

    /// An attribute's value; empty if it has none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// The spans by trace.
pub fn traces(spans: &[RecordedSpan]) -> BTreeMap<TraceId, Vec<RecordedSpan>> {
    let mut traces = BTreeMap::<_, Vec<_>>::new();
    for span in spans {
        traces.entry(span.trace_id).or_default().push(span.clone());
    }
    traces
}

/// Why spans are not one whole trace: several traces, several roots, or a parent that is not there.
pub fn one_trace(spans: &[RecordedSpan]) -> Result<TraceId, String> {
    let traces = traces(spans);
    let mut ids = traces.keys();
    let (Some(id), None) = (ids.next(), ids.next()) else {
        return Err(format!("{} traces instead of one", traces.len()));
    };
    let roots = spans.iter().filter(|span| span.parent.is_none()).count();
    if roots != 1 {
        return Err(format!("{roots} roots instead of one"));
    }
    let orphan = spans.iter().find(|span| {
        span.parent
            .is_some_and(|parent| !spans.iter().any(|other| other.span_id == parent))
    });
    orphan.map_or(Ok(*id), |span| {
        Err(format!("the parent of {} is missing", span.name))
    })
}

/// Turns a span of the protocol into a recorded one.
pub(super) fn record(span: Span, resource: BTreeMap<String, String>) -> RecordedSpan {
    let kind = span
        .kind()
        .as_str_name()
        .trim_start_matches("SPAN_KIND_")
        .to_owned();
    RecordedSpan {
        resource,
        trace_id: trace_id(&span.trace_id),
        span_id: span_id(&span.span_id).expect("a span has an id"),
        parent: span_id(&span.parent_span_id),
        name: span.name,
        kind,
        start_nanos: span.start_time_unix_nano,
        end_nanos: span.end_time_unix_nano,
        attributes: attributes(span.attributes),
        dropped_attributes: span.dropped_attributes_count,
        events: span
            .events
            .into_iter()
            .map(|event| RecordedEvent {
                name: event.name,
                nanos: event.time_unix_nano,
                attributes: attributes(event.attributes),
            })
            .collect(),
        links: span
            .links
            .iter()
            .map(|link| {
                (
                    trace_id(&link.trace_id),
                    span_id(&link.span_id).expect("a link names a span"),
                )
            })
            .collect(),
        // 2 is ERROR
        error: span
            .status
            .filter(|status| status.code == 2)
            .map(|status| status.message),
    }
}

fn trace_id(bytes: &[u8]) -> TraceId {
    let bytes = bytes.try_into().expect("a trace id has 16 bytes");
    TraceId::new(u128::from_be_bytes(bytes)).expect("a trace id is not zero")
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    if bytes.is_empty() {
        return None;
    }
    SpanId::new(u64::from_be_bytes(
        bytes.try_into().expect("a span id has 8 bytes"),
    ))
}

/// Attributes as text.
pub(super) fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|pair| (pair.key, text(pair.value)))
        .collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}
