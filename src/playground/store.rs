//! The spans that have come, by trace: the newest [`TRACES_MAX`] traces, each with at most [`SPANS_MAX`] spans.

use std::collections::{HashMap, VecDeque};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use serde::Serialize;

/// Traces kept.
pub const TRACES_MAX: usize = 300;
/// Spans kept of a trace.
const SPANS_MAX: usize = 64;
/// Attributes and events kept of a span.
const DETAILS_MAX: usize = 32;
/// Bytes kept of a text.
const TEXT_LEN_MAX: usize = 256;

/// One span as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    id: String,
    parent: String,
    name: String,
    /// The instance of the node.
    node: String,
    /// Unix microseconds.
    start: u64,
    /// Unix microseconds.
    end: u64,
    details: Vec<(String, String)>,
}

/// One trace as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    id: String,
    spans: Vec<Shown>,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Store(Mutex<Traces>);

#[derive(Debug, Default)]
struct Traces {
    by_id: HashMap<Vec<u8>, Vec<Shown>>,
    /// The oldest first.
    order: VecDeque<Vec<u8>>,
}

impl Store {
    /// Takes in what a node sent.
    pub fn add(&self, request: ExportTraceServiceRequest) {
        let mut traces = self.0.lock();
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes);
            let node = instance(&attributes.unwrap_or_default());
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                traces.add(&node, span);
            }
        }
    }

    /// All traces, the newest first.
    pub fn newest(&self) -> Vec<Trace> {
        let traces = self.0.lock();
        let known = traces.order.iter().rev().filter_map(|id| {
            let spans = traces.by_id.get(id)?.clone();
            Some(Trace { id: hex(id), spans })
        });
        known.collect()
    }
}

impl Traces {
    fn add(&mut self, node: &str, span: Span) {
        if !self.by_id.contains_key(&span.trace_id) {
            if self.order.len() == TRACES_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_id.remove(&oldest);
            }
            self.order.push_back(span.trace_id.clone());
        }
        let spans = self.by_id.entry(span.trace_id.clone()).or_default();
        if spans.len() < SPANS_MAX {
            spans.push(Shown::new(node, span));
        }
    }
}

impl Shown {
    fn new(node: &str, span: Span) -> Self {
        let attributes = span
            .attributes
            .into_iter()
            .map(|pair| (cut(pair.key), text(pair.value)));
        let events = span.events.into_iter().map(|event| {
            let details = event.attributes.into_iter();
            let details: Vec<_> = details
                .map(|pair| format!("{}={}", pair.key, text(pair.value)))
                .collect();
            (format!("event {}", event.name), cut(details.join(" ")))
        });
        Self {
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: cut(span.name),
            node: node.to_owned(),
            start: span.start_time_unix_nano / 1000,
            end: span.end_time_unix_nano / 1000,
            details: attributes.chain(events).take(DETAILS_MAX).collect(),
        }
    }
}

fn instance(attributes: &[KeyValue]) -> String {
    let instance = attributes
        .iter()
        .find(|pair| pair.key == keymesh_observability::names::attribute::SERVICE_INSTANCE_ID);
    instance.map_or_else(String::new, |pair| text(pair.value.clone()))
}

fn text(value: Option<AnyValue>) -> String {
    cut(match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BytesValue(bytes)) => hex(&bytes),
        _ => String::new(),
    })
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_LEN_MAX {
        let end = (0..=TEXT_LEN_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    fn request(trace: u64, spans: usize) -> ExportTraceServiceRequest {
        let span = Span {
            trace_id: trace.to_be_bytes().to_vec(),
            name: "é".repeat(TEXT_LEN_MAX),
            start_time_unix_nano: 5_000,
            ..Span::default()
        };
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans: vec![span; spans],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        }
    }

    #[test]
    fn the_newest_traces_are_kept_and_none_grows_without_end() {
        let store = Store::default();
        for trace in 0..TRACES_MAX as u64 + 5 {
            store.add(request(trace, 1));
        }
        store.add(request(7, SPANS_MAX + 9));
        let newest = store.newest();
        assert_eq!(newest.len(), TRACES_MAX);
        assert_eq!(newest[0].id, format!("{:016x}", TRACES_MAX + 4));
        let seven = newest
            .iter()
            .find(|trace| trace.id == format!("{:016x}", 7))
            .unwrap();
        assert_eq!(seven.spans.len(), SPANS_MAX);
        assert_eq!(seven.spans[0].name, "é".repeat(TEXT_LEN_MAX / 2));
        assert_eq!(seven.spans[0].start, 5);
    }
}
