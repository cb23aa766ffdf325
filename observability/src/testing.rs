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
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;

mod recorded;

pub use recorded::{RecordedEvent, RecordedSpan, one_trace, traces};
use recorded::{attributes, record};

/// How long [`Collector::wait_for`] waits before the test fails.
pub const WAIT_LIMIT: Duration = Duration::from_secs(20);
const MAX_BODY_BYTES: usize = 16 << 20;
const MAX_HEAD_BYTES: usize = 64 << 10;
const BACKLOG: u32 = 128;

#[derive(Debug)]
struct State {
    spans: Mutex<Vec<RecordedSpan>>,
    headers: Mutex<BTreeMap<String, String>>,
    arrived: watch::Sender<usize>,
    refusing: AtomicBool,
}

impl State {
    fn spans(&self) -> MutexGuard<'_, Vec<RecordedSpan>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in; false while refusing.
    fn take(&self, request: ExportTraceServiceRequest, headers: BTreeMap<String, String>) -> bool {
        *self.headers.lock().unwrap_or_else(PoisonError::into_inner) = headers;
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
            headers: Mutex::default(),
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

    /// Headers of the latest request, names in lower case.
    pub fn headers(&self) -> BTreeMap<String, String> {
        self.state
            .headers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
        let headers = request.metadata().as_ref().iter();
        let headers = headers.map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        let headers = headers.collect();
        if self.0.take(request.into_inner(), headers) {
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
        let head = String::from_utf8_lossy(&head).into_owned();
        let headers: BTreeMap<_, _> = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok())
            .filter(|length| *length <= MAX_BODY_BYTES)
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let status = if !head.starts_with("POST /v1/traces ") {
            "404 Not Found"
        } else if let Ok(request) = ExportTraceServiceRequest::decode(body.as_slice()) {
            if state.take(request, headers) {
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
