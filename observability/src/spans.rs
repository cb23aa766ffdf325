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
use crate::sink::{Outbox, SinkCounts};

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

    /// What became of the spans of its sink so far.
    pub fn counts(&self) -> SinkCounts {
        let outbox = self.outbox.as_ref();
        outbox.map_or_else(SinkCounts::default, |outbox| outbox.counts())
    }

    /// Begins to describe a span.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        let recording = self
            .outbox
            .as_ref()
            .map(|outbox| Recording::begin(outbox, name.into()));
        SpanBuilder {
            parent: None,
            trace_id: None,
            span_id: None,
            recording,
        }
    }
}

/// A span that has not started.
#[derive(Debug)]
#[must_use = "a span exists once it is started"]
pub struct SpanBuilder {
    parent: Option<TraceContext>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    recording: Option<Box<Recording>>,
}

impl SpanBuilder {
    #[inline]
    fn change(mut self, change: impl FnOnce(&mut SpanData)) -> Self {
        if let Some(recording) = &mut self.recording {
            change(&mut recording.span);
        }
        self
    }

    /// What part the span has in the conversation; internal by default.
    #[inline]
    pub fn kind(self, kind: SpanKind) -> Self {
        self.change(|span| span.span_kind = kind)
    }

    /// The parent, made by this node. `None` leaves the span a root.
    #[inline]
    pub fn parent(mut self, parent: impl Into<Option<TraceContext>>) -> Self {
        self.parent = parent.into();
        self.change(|span| span.parent_span_is_remote = false)
    }

    /// The parent, come from a client or a peer.
    #[inline]
    pub fn remote_parent(mut self, parent: impl Into<Option<TraceContext>>) -> Self {
        self.parent = parent.into();
        let remote = self.parent.is_some();
        self.change(|span| span.parent_span_is_remote = remote)
    }

    /// The trace of a root span, in place of a random one; a parent's trace beats it.
    #[inline]
    pub fn trace_id(mut self, trace_id: TraceId) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// The span's own id, in place of a random one.
    #[inline]
    pub fn span_id(mut self, span_id: SpanId) -> Self {
        self.span_id = Some(span_id);
        self
    }

    /// An attribute.
    #[inline]
    pub fn attr(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.change(|span| push_attribute(span, key, value.into()))
    }

    /// A link to a span of this or another trace.
    #[inline]
    pub fn link(self, context: TraceContext) -> Self {
        self.change(|span| push_link(&mut span.links, context))
    }

    /// Starts the span now.
    #[inline]
    pub fn start(self) -> OpenSpan {
        // the clock is read only when there is a span
        let now = if self.recording.is_some() {
            SystemTime::now()
        } else {
            SystemTime::UNIX_EPOCH
        };
        self.start_at(now)
    }

    /// Starts the span at a time of the caller's.
    #[inline]
    pub fn start_at(self, start: SystemTime) -> OpenSpan {
        match self.recording {
            None => OpenSpan {
                context: self.parent,
                recording: None,
            },
            Some(recording) => recording.open(self.parent, self.trace_id, self.span_id, start),
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

impl Recording {
    fn begin(outbox: &Arc<Outbox>, name: Cow<'static, str>) -> Box<Self> {
        let span = SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: opentelemetry::trace::SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name,
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder(SCOPE).build(),
        };
        Box::new(Self {
            span,
            outbox: Arc::clone(outbox),
        })
    }

    fn close(self: Box<Self>, end: SystemTime) {
        let Self { mut span, outbox } = *self;
        span.end_time = end.max(span.start_time);
        outbox.hand_over(span);
    }

    fn open(
        mut self: Box<Self>,
        parent: Option<TraceContext>,
        trace_id: Option<TraceId>,
        span_id: Option<SpanId>,
        start: SystemTime,
    ) -> OpenSpan {
        let random = RandomIdGenerator::default();
        let trace_id = parent
            .map(|parent| parent.trace_id)
            .or(trace_id)
            .or_else(|| TraceId::new(u128::from_be_bytes(random.new_trace_id().to_bytes())));
        let span_id =
            span_id.or_else(|| SpanId::new(u64::from_be_bytes(random.new_span_id().to_bytes())));
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
        self.span.span_context = to_sdk(context, false);
        if let Some(parent) = parent {
            self.span.parent_span_id = parent.span_id.value().into();
        }
        self.span.start_time = start;
        OpenSpan {
            context: Some(context),
            recording: Some(self),
        }
    }
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
        self.change(|span| push_attribute(span, key, value.into()));
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
            let mut kept = Vec::new();
            let mut dropped = 0;
            for (key, value) in attributes {
                if kept.len() < MAX_ATTRIBUTES {
                    kept.push(KeyValue::new(key, shortened(value.into())));
                } else {
                    dropped += 1;
                }
            }
            span.events
                .events
                .push(Event::new(name, time, kept, dropped));
        });
    }

    /// Marks the span as failed.
    pub fn fail(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.change(|span| span.status = Status::error(reason));
    }

    /// Ends the span now.
    #[inline]
    pub fn end(self) {
        drop(self);
    }

    /// Ends the span at a time of the caller's; an end before the start counts as the start.
    #[inline]
    pub fn end_at(mut self, end: SystemTime) {
        self.finish(|| end);
    }

    #[inline]
    fn finish(&mut self, end: impl FnOnce() -> SystemTime) {
        if let Some(recording) = self.recording.take() {
            recording.close(end());
        }
    }
}

impl Drop for OpenSpan {
    #[inline]
    fn drop(&mut self) {
        self.finish(SystemTime::now);
    }
}

fn push_attribute(span: &mut SpanData, key: &'static str, value: Value) {
    if span.attributes.len() < MAX_ATTRIBUTES {
        span.attributes.push(KeyValue::new(key, shortened(value)));
    } else {
        span.dropped_attributes_count += 1;
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
