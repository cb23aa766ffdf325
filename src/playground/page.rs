//! The page and what it asks: `/`, `/api/state`, `/api/command`, and `/v1/traces`, where the masters send their spans.
//!
//! Invariant: only a page of this address may ask for a command: requests of other pages, which a browser may be made to send, bear
//! another host or origin and are refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::playground::store::{Store, Trace};

const PAGE: &str = include_str!("page.html");
/// The longest body that is taken.
const BODY_LEN_MAX: usize = 8 * 1024 * 1024;
/// The longest reply to a command that is shown.
const REPLY_LEN_MAX: usize = 16 * 1024;
/// How long a command's reply is waited for, and how long nothing more may come of it.
const REPLY_TIMEOUT: Duration = Duration::from_secs(2);
const REPLY_PAUSE: Duration = Duration::from_millis(50);

/// What the page shows.
pub struct Playground {
    /// Where the masters listen.
    pub masters: Vec<u16>,
    /// What they sent.
    pub store: Store,
    /// Where the page is.
    pub address: SocketAddr,
}

#[derive(Serialize)]
struct State {
    masters: Vec<u16>,
    traces: Vec<Trace>,
}

#[derive(Deserialize)]
struct Command {
    port: u16,
    text: String,
}

/// Serves for ever.
pub async fn serve(playground: Arc<Playground>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(REPLY_PAUSE).await;
            continue;
        };
        let playground = Arc::clone(&playground);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let playground = Arc::clone(&playground);
                async move { Ok::<_, Infallible>(playground.respond(request).await) }
            });
            // Who goes away is gone.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Playground {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        match (request.method(), path.as_str()) {
            (&Method::GET, "/") => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE),
            (&Method::GET, "/api/state") => {
                let state = State {
                    masters: self.masters.clone(),
                    traces: self.store.newest(),
                };
                match serde_json::to_vec(&state) {
                    Ok(json) => reply(StatusCode::OK, "application/json", json),
                    Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
                }
            }
            (&Method::POST, "/v1/traces") => match self.take_spans(request).await {
                Ok(()) => reply(StatusCode::OK, "application/x-protobuf", ""),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error:#}")),
            },
            (&Method::POST, "/api/command") if !self.is_own(&request) => {
                refuse(StatusCode::FORBIDDEN, "another page's request")
            }
            (&Method::POST, "/api/command") => match self.carry_out(request).await {
                Ok(text) => reply(StatusCode::OK, "text/plain; charset=utf-8", text),
                Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error:#}")),
            },
            _ => refuse(StatusCode::NOT_FOUND, "not here"),
        }
    }

    fn is_own(&self, request: &Request<Incoming>) -> bool {
        let header = |name: HeaderName| {
            let value = request.headers().get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let names = [
            self.address.to_string(),
            format!("localhost:{}", self.address.port()),
        ];
        let host = header(HOST).unwrap_or_default();
        let is_json = header(CONTENT_TYPE) == Some("application/json");
        let is_origin = header(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
        names.iter().any(|name| name == host) && is_json && is_origin
    }

    async fn take_spans(&self, request: Request<Incoming>) -> anyhow::Result<()> {
        let body = body(request).await?;
        let spans = ExportTraceServiceRequest::decode(body).context("these are no spans")?;
        self.store.add(spans);
        Ok(())
    }

    /// Sends one inline command to a master and returns its reply as it came.
    async fn carry_out(&self, request: Request<Incoming>) -> anyhow::Result<Vec<u8>> {
        let command: Command =
            serde_json::from_slice(&body(request).await?).context("this is no command")?;
        anyhow::ensure!(
            self.masters.contains(&command.port),
            "no master listens at port {}",
            command.port
        );
        let line = command.text.lines().next().unwrap_or_default();
        anyhow::ensure!(!line.trim().is_empty(), "there is no command");
        let mut stream = TcpStream::connect(("127.0.0.1", command.port)).await?;
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        let mut reply = Vec::new();
        let mut patience = REPLY_TIMEOUT;
        while reply.len() < REPLY_LEN_MAX {
            let Ok(read) = timeout(patience, stream.read_buf(&mut reply)).await else {
                break;
            };
            if read? == 0 {
                break;
            }
            patience = REPLY_PAUSE;
        }
        Ok(reply)
    }
}

async fn body(request: Request<Incoming>) -> anyhow::Result<Bytes> {
    let limited = Limited::new(request.into_body(), BODY_LEN_MAX);
    let collected = limited.collect().await;
    let collected =
        collected.map_err(|error| anyhow::anyhow!("the body cannot be read: {error}"))?;
    Ok(collected.to_bytes())
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn refuse(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    reply(status, "text/plain; charset=utf-8", format!("{why}\n"))
}
