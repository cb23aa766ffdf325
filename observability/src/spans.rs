//! Spans built directly, with explicit times and ids: the way for commands and effects.
//!
//! Whoever calls has decided that the operation is traced, so every span here is recorded. A disabled
//! tracer costs a branch and makes nothing, but passes a parent's context on, so that a trace survives a
//! node that does not export. A span that is dropped unfinished ends at that moment. Attributes, events,
//! links and the length of text values have limits; what is above is counted in the span or cut.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanLinks};

pub use opentelemetry::Value;
pub use opentelemetry::trace::SpanKind;

use crate::context::{FLAG_SAMPLED, SpanId, TraceContext, TraceId};
use crate::sink::Outbox;

/// Attributes of one span or event.
pub const MAX_ATTRIBUTES: usize = 64;
/// Events of one span.
pub const MAX_EVENTS: usize = 64;
/// Links of one span: at least a full batch of effects.
pub const MAX_LINKS: usize = 128;
/// Bytes of one text value; longer ones are cut.
pub const MAX_TEXT_BYTES: usize = 1024;

const SCOPE: &str = "keymesh";

/// A handle to make spans with. Cheap to clone and to pass around.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    outbox: Option<Arc<Outbox>>,
}

impl Tracer {
    /// A tracer that makes nothing.
    pub const fn disabled() -> Self {
        Self { outbox: None }
    }

    pub(crate) const fn to_outbox(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox: Some(outbox),
        }
    }

    /// Whether spans are made. Worth asking before work that only serves a span.
    #[inline]
    pub const fn is_enabled(&self) -> bool {
        self.outbox.is_some()
    }

    /// Begins to describe a span.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder<'_> {
        let draft = self.outbox.as_ref().map(|outbox| Draft {
            outbox,
            name: name.into(),
            kind: SpanKind::Internal,
            remote: false,
            trace_id: None,
            span_id: None,
            attributes: Attributes::default(),
            links: SpanLinks::default(),
        });
        SpanBuilder {
            parent: None,
            draft,
        }
    }
}

/// A span that has not started.
#[derive(Debug)]
#[must_use = "a span exists once it is started"]
pub struct SpanBuilder<'tracer> {
    parent: Option<TraceContext>,
    draft: Option<Draft<'tracer>>,
}

#[derive(Debug)]
struct Draft<'tracer> {
    outbox: &'tracer Arc<Outbox>,
    name: Cow<'static, str>,
    kind: SpanKind,
    remote: bool,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    attributes: Attributes,
    links: SpanLinks,
}

impl SpanBuilder<'_> {
    fn change(mut self, change: impl FnOnce(&mut Draft<'_>)) -> Self {
        if let Some(draft) = &mut self.draft {
            change(draft);
        }
        self
    }

    /// What part the span has in the conversation; internal by default.
    pub fn kind(self, kind: SpanKind) -> Self {
        self.change(|draft| draft.kind = kind)
    }

    /// The parent, made by this node. `None` leaves the span a root.
    pub fn parent(mut self, parent: impl Into<Option<TraceContext>>) -> Self {
        self.parent = parent.into();
        self.change(|draft| draft.remote = false)
    }

    /// The parent, come from a client or a peer.
    pub fn remote_parent(mut self, parent: impl Into<Option<TraceContext>>) -> Self {
        self.parent = parent.into();
        self.change(|draft| draft.remote = true)
    }

    /// The trace of a root span, in place of a random one; a parent's trace beats it.
    pub fn trace_id(self, trace_id: TraceId) -> Self {
        self.change(|draft| draft.trace_id = Some(trace_id))
    }

    /// The span's own id, in place of a random one.
    pub fn span_id(self, span_id: SpanId) -> Self {
        self.change(|draft| draft.span_id = Some(span_id))
    }

    /// An attribute.
    pub fn attr(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.change(|draft| draft.attributes.push(key, value.into()))
    }

    /// A link to a span of this or another trace.
    pub fn link(self, context: TraceContext) -> Self {
        self.change(|draft| push_link(&mut draft.links, context))
    }

    /// Starts the span now.
    pub fn start(self) -> OpenSpan {
        // the clock is read only when there is a span
        let now = if self.draft.is_some() {
            SystemTime::now()
        } else {
            SystemTime::UNIX_EPOCH
        };
        self.start_at(now)
    }

    /// Starts the span at a time of the caller's.
    pub fn start_at(self, start: SystemTime) -> OpenSpan {
        let Self { parent, draft } = self;
        let Some(draft) = draft else {
            return OpenSpan {
                context: parent,
                recording: None,
            };
        };
        let trace_id = parent
            .map(|parent| parent.trace_id)
            .or(draft.trace_id)
            .or_else(|| {
                TraceId::new(u128::from_be_bytes(
                    RandomIdGenerator::default().new_trace_id().to_bytes(),
                ))
            });
        let span_id = draft.span_id.or_else(|| {
            SpanId::new(u64::from_be_bytes(
                RandomIdGenerator::default().new_span_id().to_bytes(),
            ))
        });
        // a random id is zero once in 2^64 times; that span is not worth a loop
        let (Some(trace_id), Some(span_id)) = (trace_id, span_id) else {
            return OpenSpan {
                context: parent,
                recording: None,
            };
        };
        let flags = parent.map_or(0, |parent| parent.flags) | FLAG_SAMPLED;
        let context = TraceContext {
            trace_id,
            span_id,
            flags,
        };
        let span = SpanData {
            span_context: to_sdk(context, false),
            parent_span_id: parent.map_or(opentelemetry::trace::SpanId::INVALID, |parent| {
                parent.span_id.value().into()
            }),
            parent_span_is_remote: parent.is_some() && draft.remote,
            span_kind: draft.kind,
            name: draft.name,
            start_time: start,
            end_time: start,
            attributes: draft.attributes.kept,
            dropped_attributes_count: draft.attributes.dropped,
            events: SpanEvents::default(),
            links: draft.links,
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder(SCOPE).build(),
        };
        let recording = Recording {
            span,
            outbox: Arc::clone(draft.outbox),
        };
        OpenSpan {
            context: Some(context),
            recording: Some(Box::new(recording)),
        }
    }
}

/// A span that has started and not ended. Dropped, it ends.
#[derive(Debug)]
pub struct OpenSpan {
    context: Option<TraceContext>,
    recording: Option<Box<Recording>>,
}

#[derive(Debug)]
struct Recording {
    span: SpanData,
    outbox: Arc<Outbox>,
}

impl OpenSpan {
    /// A span of no tracer, with nothing to pass on.
    pub const fn none() -> Self {
        Self {
            context: None,
            recording: None,
        }
    }

    /// What a child needs to know, here or on another node. Of a disabled tracer's span: the parent's.
    pub const fn context(&self) -> Option<TraceContext> {
        self.context
    }

    /// Whether anything said to this span is kept.
    pub const fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    fn change(&mut self, change: impl FnOnce(&mut SpanData)) {
        if let Some(recording) = &mut self.recording {
            change(&mut recording.span);
        }
    }

    /// Adds an attribute.
    pub fn attr(&mut self, key: &'static str, value: impl Into<Value>) {
        self.change(|span| {
            if span.attributes.len() < MAX_ATTRIBUTES {
                span.attributes
                    .push(KeyValue::new(key, shortened(value.into())));
            } else {
                span.dropped_attributes_count += 1;
            }
        });
    }

    /// Adds a link.
    pub fn link(&mut self, context: TraceContext) {
        self.change(|span| push_link(&mut span.links, context));
    }

    /// Adds an event that happens now.
    pub fn event<Attribute: Into<Value>>(
        &mut self,
        name: &'static str,
        attributes: impl IntoIterator<Item = (&'static str, Attribute)>,
    ) {
        if self.is_recording() {
            self.event_at(name, SystemTime::now(), attributes);
        }
    }

    /// Adds an event at a time of the caller's.
    pub fn event_at<Attribute: Into<Value>>(
        &mut self,
        name: &'static str,
        time: SystemTime,
        attributes: impl IntoIterator<Item = (&'static str, Attribute)>,
    ) {
        self.change(|span| {
            if span.events.events.len() >= MAX_EVENTS {
                span.events.dropped_count += 1;
                return;
            }
            let mut said = Attributes::default();
            for (key, value) in attributes {
                said.push(key, value.into());
            }
            span.events
                .events
                .push(Event::new(name, time, said.kept, said.dropped));
        });
    }

    /// Marks the span as failed.
    pub fn fail(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.change(|span| span.status = Status::error(reason));
    }

    /// Ends the span now.
    pub fn end(self) {
        drop(self);
    }

    /// Ends the span at a time of the caller's; an end before the start counts as the start.
    pub fn end_at(mut self, end: SystemTime) {
        self.finish(|| end);
    }

    fn finish(&mut self, end: impl FnOnce() -> SystemTime) {
        if let Some(recording) = self.recording.take() {
            let Recording { mut span, outbox } = *recording;
            span.end_time = end().max(span.start_time);
            outbox.hand_over(span);
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        self.finish(SystemTime::now);
    }
}

#[derive(Debug, Default)]
struct Attributes {
    kept: Vec<KeyValue>,
    dropped: u32,
}

impl Attributes {
    fn push(&mut self, key: &'static str, value: Value) {
        if self.kept.len() < MAX_ATTRIBUTES {
            self.kept.push(KeyValue::new(key, shortened(value)));
        } else {
            self.dropped += 1;
        }
    }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.as_str().len() > MAX_TEXT_BYTES => {
            let text = text.as_str();
            let cut = (0..=MAX_TEXT_BYTES)
                .rev()
                .find(|cut| text.is_char_boundary(*cut))
                .unwrap_or(0);
            text[..cut].to_owned().into()
        }
        other => other,
    }
}

fn push_link(links: &mut SpanLinks, context: TraceContext) {
    if links.links.len() < MAX_LINKS {
        links.links.push(Link::with_context(to_sdk(context, true)));
    } else {
        links.dropped_count += 1;
    }
}

pub(crate) fn to_sdk(context: TraceContext, remote: bool) -> SpanContext {
    SpanContext::new(
        context.trace_id.value().into(),
        context.span_id.value().into(),
        TraceFlags::new(context.flags),
        remote,
        TraceState::default(),
    )
}

pub(crate) fn from_sdk(context: &SpanContext) -> Option<TraceContext> {
    Some(TraceContext {
        trace_id: TraceId::new(u128::from_be_bytes(context.trace_id().to_bytes()))?,
        span_id: SpanId::new(u64::from_be_bytes(context.span_id().to_bytes()))?,
        flags: context.trace_flags().to_u8(),
    })
}
