//! An OTLP collector inside of a test: gRPC and HTTP on free ports, spans kept for looking at.
//!
//! Only for tests, so it panics where a test should fail. It runs on the caller's runtime; ports are those
//! the system gives, held from [`Reserved`] on, so that a collector that is down refuses connections and no
//! other test takes its port.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;

use crate::context::{SpanId, TraceId};

/// How long [`Collector::wait_for`] waits before the test fails.
pub const WAIT_LIMIT: Duration = Duration::from_secs(20);
const MAX_BODY_BYTES: usize = 16 << 20;
const MAX_HEAD_BYTES: usize = 64 << 10;
const BACKLOG: u32 = 128;

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

#[derive(Debug)]
struct State {
    spans: Mutex<Vec<RecordedSpan>>,
    arrived: watch::Sender<usize>,
    refusing: AtomicBool,
}

impl State {
    fn spans(&self) -> MutexGuard<'_, Vec<RecordedSpan>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in; false while refusing.
    fn take(&self, request: ExportTraceServiceRequest) -> bool {
        if self.refusing.load(Relaxed) {
            return false;
        }
        let mut spans = self.spans();
        for group in request.resource_spans {
            let resource = attributes(
                group
                    .resource
                    .map(|resource| resource.attributes)
                    .unwrap_or_default(),
            );
            let found = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(found.map(|span| record(span, resource.clone())));
        }
        self.arrived.send_replace(spans.len());
        true
    }
}

/// Two ports, held but refusing connections: a collector that is down.
#[derive(Debug)]
pub struct Reserved {
    grpc: TcpSocket,
    http: TcpSocket,
    grpc_address: SocketAddr,
    http_address: SocketAddr,
}

impl Reserved {
    /// Takes two free ports.
    pub fn take() -> Self {
        let bind = || {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket
                .bind((Ipv4Addr::LOCALHOST, 0).into())
                .expect("a free port");
            let address = socket.local_addr().expect("a bound socket has an address");
            (socket, address)
        };
        let ((grpc, grpc_address), (http, http_address)) = (bind(), bind());
        Self {
            grpc,
            http,
            grpc_address,
            http_address,
        }
    }

    /// Where gRPC will be taken.
    pub fn grpc_endpoint(&self) -> String {
        format!("http://{}", self.grpc_address)
    }

    /// Where HTTP will be taken.
    pub fn http_endpoint(&self) -> String {
        format!("http://{}", self.http_address)
    }

    /// Comes up.
    pub fn start(self) -> Collector {
        let (arrived, _) = watch::channel(0);
        let state = Arc::new(State {
            spans: Mutex::default(),
            arrived,
            refusing: AtomicBool::new(false),
        });
        let grpc = self.grpc.listen(BACKLOG).expect("the port is held");
        let http = self.http.listen(BACKLOG).expect("the port is held");
        let service = TraceServiceServer::new(GrpcDoor(Arc::clone(&state)));
        let grpc = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(grpc));
        let tasks = [
            tokio::spawn(async move {
                let _ = grpc.await;
            }),
            tokio::spawn(serve_http(http, Arc::clone(&state))),
        ];
        Collector {
            grpc_address: self.grpc_address,
            http_address: self.http_address,
            state,
            tasks,
        }
    }
}

/// A running collector. Dropped, it takes no new connections.
#[derive(Debug)]
pub struct Collector {
    grpc_address: SocketAddr,
    http_address: SocketAddr,
    state: Arc<State>,
    tasks: [JoinHandle<()>; 2],
}

impl Collector {
    /// Starts on free ports.
    #[expect(clippy::unused_async, reason = "needs a runtime, and says so")]
    pub async fn start() -> Self {
        Reserved::take().start()
    }

    /// Where gRPC is taken; with the protocol [`crate::Protocol::Grpc`].
    pub fn grpc_endpoint(&self) -> String {
        format!("http://{}", self.grpc_address)
    }

    /// Where HTTP is taken.
    pub fn http_endpoint(&self) -> String {
        format!("http://{}", self.http_address)
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<RecordedSpan> {
        self.state.spans().clone()
    }

    /// Forgets all spans.
    pub fn clear(&self) {
        self.state.spans().clear();
    }

    /// Answers "unavailable" from now on, or no longer.
    pub fn refuse(&self, refusing: bool) {
        self.state.refusing.store(refusing, Relaxed);
    }

    /// Waits until the spans satisfy a condition, and gives them.
    ///
    /// # Panics
    /// When [`WAIT_LIMIT`] passes.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&[RecordedSpan]) -> bool,
    ) -> Vec<RecordedSpan> {
        let mut arrived = self.state.arrived.subscribe();
        let satisfied = async {
            loop {
                arrived.borrow_and_update();
                let spans = self.spans();
                if condition(&spans) {
                    return spans;
                }
                if arrived.changed().await.is_err() {
                    return spans;
                }
            }
        };
        match tokio::time::timeout(WAIT_LIMIT, satisfied).await {
            Ok(spans) => spans,
            Err(_) => panic!("no such spans came; these did: {:#?}", self.spans()),
        }
    }

    /// Waits for so many spans.
    ///
    /// # Panics
    /// When [`WAIT_LIMIT`] passes.
    pub async fn wait_for_count(&self, count: usize) -> Vec<RecordedSpan> {
        self.wait_for(|spans| spans.len() >= count).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

struct GrpcDoor(Arc<State>);

#[tonic::async_trait]
impl TraceService for GrpcDoor {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        if self.0.take(request.into_inner()) {
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        } else {
            Err(tonic::Status::unavailable("told to refuse"))
        }
    }
}

async fn serve_http(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            // a client that goes away is no failure of the test
            let _ = answer_http(stream, &state).await;
        });
    }
}

async fn answer_http(stream: TcpStream, state: &State) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .filter(|length| *length <= MAX_BODY_BYTES)
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let status = if !head.starts_with("post /v1/traces ") {
            "404 Not Found"
        } else if let Ok(request) = ExportTraceServiceRequest::decode(body.as_slice()) {
            if state.take(request) {
                "200 OK"
            } else {
                "503 Service Unavailable"
            }
        } else {
            "400 Bad Request"
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

fn record(span: Span, resource: BTreeMap<String, String>) -> RecordedSpan {
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

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
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
