//! Between `tracing` spans, which serve the slow paths (links, synchronizations, lives of actors), and
//! trace contexts. Nothing here is for the command path: a `tracing` span costs most of a microsecond.
//!
//! Where no collector is configured, or the span is filtered out, all of it does nothing.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::context::TraceContext;
use crate::spans::{from_sdk, to_sdk};

/// Puts a span under a parent that came over the wire. Must come before the span is first entered; false
/// when it came too late or nothing is exported.
pub fn set_parent(span: &Span, parent: TraceContext) -> bool {
    span.set_parent(Context::new().with_remote_span_context(to_sdk(parent, true)))
        .is_ok()
}

/// Links a span to another one.
pub fn link(span: &Span, context: TraceContext) {
    span.add_link(to_sdk(context, true));
}

/// The context of a span, to send along; none where it is not exported.
pub fn context_of(span: &Span) -> Option<TraceContext> {
    from_sdk(span.context().span().span_context())
}
