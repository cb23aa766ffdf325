//! One `replicaof` entry: a worker that connects, introduces itself, takes in what comes, and tries again after every failure, with
//! its own backoff and its own buffers. Nothing that happens to it touches another link.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use keymesh_supervisors::{Attempts, Backoff};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::db::NodeId;
use crate::replication::aside::{LONG_FRAME, aside};
use crate::replication::clock;
use crate::replication::control::{LinkState, MasterStatus};
use crate::replication::dial::{self, GreetError};
use crate::replication::frame::{self, parts::Parts};
use crate::replication::link::{Link, LinkError};
use crate::replication::meters::Carried;
use crate::replication::node::Node;
use crate::replication::tracing::LinkTracer;

pub use crate::replication::dial::Credentials;

/// How often a link looks whether its node wants something of the master.
const POLL_PERIOD: Duration = Duration::from_millis(50);
/// How long a link says nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the answer to the introduction may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

/// What others see of a link while its worker runs, restarts or rests.
#[derive(Debug)]
pub struct LinkShared {
    /// As configured.
    pub host: String,
    /// As configured.
    pub port: u16,
    state: AtomicU8,
    node: Mutex<Option<NodeId>>,
    received: AtomicU64,
    heard: Mutex<Option<Instant>>,
    down_since: Mutex<Option<Instant>>,
    /// Drops the connection; a new one is tried at once.
    pub kill: Notify,
    /// Its master has come to this node: it is there again.
    wake: Notify,
}

impl LinkShared {
    /// A node with this port for clients has come to this one. Where it may be this entry's, waiting any longer makes no sense.
    pub fn on_peer(&self, port: u16) {
        if self.port == port {
            self.wake.notify_waiters();
        }
    }

    /// Of an entry that was just made.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            state: AtomicU8::new(0),
            node: Mutex::new(None),
            received: AtomicU64::new(0),
            heard: Mutex::new(None),
            down_since: Mutex::new(None),
            kill: Notify::new(),
            wake: Notify::new(),
        }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn set(&self, state: LinkState) {
        let before = self.state.swap(state as u8, Ordering::Relaxed);
        let connected = LinkState::Connected;
        if state == connected {
            *self.down_since.lock() = None;
        } else if before == connected as u8 {
            *self.down_since.lock() = Some(Instant::now());
        }
    }

    /// Where the link stands.
    pub fn state(&self) -> LinkState {
        match self.state.load(Ordering::Relaxed) {
            0 => LinkState::Connect,
            1 => LinkState::Connecting,
            2 => LinkState::Handshake,
            3 => LinkState::Sync,
            _ => LinkState::Connected,
        }
    }

    /// All of it.
    pub fn status(&self) -> MasterStatus {
        let ms = |since: &Mutex<Option<Instant>>| {
            since.lock().map(|since| since.elapsed().as_millis() as u64)
        };
        MasterStatus {
            host: self.host.clone(),
            port: self.port,
            state: self.state(),
            node: *self.node.lock(),
            last_io_ms: ms(&self.heard),
            down_ms: ms(&self.down_since),
            offset: self.received.load(Ordering::Relaxed),
        }
    }
}

/// What a link's worker works with.
#[derive(Clone)]
pub struct LinkSetting {
    /// What others see.
    pub shared: Arc<LinkShared>,
    /// What it has in common with the node's other links.
    pub template: LinkTemplate,
}

/// What all links of a node have in common.
#[derive(Clone)]
pub struct LinkTemplate {
    /// The node they belong to.
    pub node: Arc<Node>,
    /// For AUTH; read anew with each connection.
    pub credentials: Arc<Mutex<Credentials>>,
    /// Between attempts.
    pub backoff: Backoff,
    /// Where spans go.
    pub tracer: LinkTracer,
}

#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("connecting took too long")]
    Slow,
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),
    #[error("the master closed the connection")]
    Closed,
    #[error("{0}")]
    Greet(#[from] GreetError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("dropped by request")]
    Killed,
}

/// The worker's future: ends only with its actor.
pub async fn run(setting: LinkSetting) {
    let mut attempts = Attempts::default();
    loop {
        let started = Instant::now();
        setting.shared.set(LinkState::Connecting);
        let error = match connection(&setting).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if setting.shared.state() == LinkState::Connected {
            // It was up: what is wrong with it now is something else than before.
            attempts.reset();
        }
        setting.shared.set(LinkState::Connect);
        let address = setting.shared.address();
        match &error {
            ConnectionError::Link(LinkError::Itself) => {
                tracing::info!(
                    master = address,
                    "the replicaof entry names this node itself and rests"
                );
                // What this node has, it has: nobody is to wait for this link.
                *setting.shared.node.lock() = None;
                setting.shared.set(LinkState::Connected);
                setting.shared.kill.notified().await;
                continue;
            }
            ConnectionError::Killed => continue,
            error if attempts.failures() == 0 => {
                tracing::warn!(master = address, %error, "link to master is down");
            }
            error => tracing::debug!(master = address, %error, "link to master is still down"),
        }
        let delay = attempts.next_delay(
            &setting.template.backoff,
            started.elapsed(),
            &mut rand::rng(),
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = setting.shared.kill.notified() => {}
            () = setting.shared.wake.notified() => {}
        }
    }
}

enum Never {}

/// Ends the link's registration with its node on every way out, a panic among them.
struct OpenLink {
    node: Arc<Node>,
    link: Link,
    carried: Carried,
}

impl Drop for OpenLink {
    fn drop(&mut self) {
        self.link.close(&self.node);
    }
}

async fn connection(setting: &LinkSetting) -> Result<Never, ConnectionError> {
    let shared = &setting.shared;
    let connecting = TcpStream::connect((shared.host.as_str(), shared.port));
    let mut stream = timeout(CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| ConnectionError::Slow)?
        .map_err(ConnectionError::Connect)?;
    stream.set_nodelay(true)?;
    shared.set(LinkState::Handshake);
    let mut input = BytesMut::with_capacity(READ_BYTES);
    let credentials = setting.template.credentials.lock().clone();
    let request: [&[u8]; 2] = [b"KEYMESH.LINK", b"1"];
    let greeting = dial::greet(&credentials, &request, &mut stream, &mut input);
    timeout(HANDSHAKE_TIMEOUT, greeting)
        .await
        .map_err(|_| ConnectionError::Slow)??;

    let node = &setting.template.node;
    let mut open = OpenLink {
        node: Arc::clone(node),
        link: Link::new(node, &shared.address()),
        carried: Carried::default(),
    };
    let mut out = Vec::new();
    let mut parts = Parts::default();
    let (mut heard, mut said) = (Instant::now(), Instant::now());
    let mut shown = Shown::default();
    loop {
        // While a script holds partitions on another thread this one has clients to answer: what comes waits.
        let takes = node.keyspace.gate.is_open();
        out.clear();
        let mut busy = false;
        if takes {
            open = take_frames(setting, open, &mut parts, &mut input).await?;
            (open, busy) = poll(open, &mut out).await?;
        } else {
            heard = Instant::now();
        }
        if out.is_empty() && said.elapsed() > KEEP_ALIVE {
            open.link.keep_alive(&mut out);
        }
        if !out.is_empty() {
            stream.write_all(&out).await?;
            open.carried.wrote(node, out.len());
            said = Instant::now();
        }
        if let Some(master) = open.link.master() {
            *shared.node.lock() = Some(master.node);
            let is_merging = open.link.is_merging();
            let is_syncing = is_merging || !node.takes_from(open.link.id());
            shown.tell(&shared.address(), !is_syncing, is_merging);
            shared.set(if is_syncing {
                LinkState::Sync
            } else {
                LinkState::Connected
            });
        }
        if busy {
            tokio::task::yield_now().await;
            continue;
        }
        input.reserve(READ_BYTES);
        tokio::select! {
            read = stream.read_buf(&mut input), if takes => {
                let read = read?;
                if read == 0 {
                    return Err(ConnectionError::Closed);
                }
                heard = Instant::now();
                *shared.heard.lock() = Some(heard);
                shared.received.fetch_add(read as u64, Ordering::Relaxed);
                open.carried.read(node, read);
            }
            () = tokio::time::sleep(POLL_PERIOD) => {
                let silence = node.limits.silence();
                if heard.elapsed() > silence {
                    return Err(ConnectionError::Silent(silence));
                }
            }
            () = node.keyspace.gate.opened(), if !takes => {}
            () = shared.kill.notified() => return Err(ConnectionError::Killed),
        }
    }
}

/// What the log was told of a link.
#[derive(Debug, Default)]
struct Shown {
    is_up: bool,
    is_merging: bool,
}

impl Shown {
    fn tell(&mut self, master: &str, is_up: bool, is_merging: bool) {
        match (
            std::mem::replace(&mut self.is_merging, is_merging),
            is_merging,
        ) {
            (false, true) => tracing::info!(master, "a full sync from master has begun"),
            (true, false) => tracing::info!(master, "the full sync from master has ended"),
            _ => {}
        }
        if is_up && !std::mem::replace(&mut self.is_up, true) {
            tracing::info!(master, "link to master is up");
        }
    }
}

/// Says what is to be said; a piece of a full sync may hold what takes long.
async fn poll(mut open: OpenLink, out: &mut Vec<u8>) -> Result<(OpenLink, bool), LinkError> {
    if !open.link.is_merging() {
        let busy = open.link.poll(&open.node, out)?;
        return Ok((open, busy));
    }
    let work = |(open, out): &mut (OpenLink, Vec<u8>)| open.link.poll(&open.node, out);
    let ((open, said), busy) = aside((open, std::mem::take(out)), work).await;
    *out = said;
    Ok((open, busy?))
}

async fn take_frames(
    setting: &LinkSetting,
    mut open: OpenLink,
    parts: &mut Parts,
    input: &mut BytesMut,
) -> Result<OpenLink, LinkError> {
    let tracer = &setting.template.tracer;
    while let Some(len) = frame::frame_len(input)? {
        let bytes = input.split_to(len);
        let Some(whole) = parts.take(&bytes)? else {
            continue;
        };
        if whole.len() < LONG_FRAME {
            take(&mut open, tracer, whole)?;
            continue;
        }
        // In pieces, or alone.
        let (pieces, tracer) = (parts.take_whole(), tracer.clone());
        let work = move |open: &mut OpenLink| match pieces.as_slice() {
            [] => take(open, &tracer, &bytes),
            whole => take(open, &tracer, whole),
        };
        let taken;
        (open, taken) = aside(open, work).await;
        taken?;
        if !open.node.keyspace.gate.is_open() {
            break;
        }
    }
    Ok(open)
}

/// Takes in one frame.
fn take(open: &mut OpenLink, tracer: &LinkTracer, whole: &[u8]) -> Result<(), LinkError> {
    let (node, link) = (&open.node, &mut open.link);
    let peer = open.carried.peer().map(Arc::as_ref);
    let observer = &mut tracer.observer(node, link.master(), peer);
    link.on_frame(node, frame::decode(whole)?, clock::now(), observer)?;
    let master = link.master().map(|master| master.node);
    open.carried.meet(node, master);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_down_since_it_was_up() {
        let link = LinkShared::new("h", 1);
        for (state, is_down) in [
            (LinkState::Connect, false),
            (LinkState::Connecting, false),
            (LinkState::Handshake, false),
            (LinkState::Sync, false),
            (LinkState::Connected, false),
            (LinkState::Connect, true),
            (LinkState::Connecting, true),
            (LinkState::Sync, true),
            (LinkState::Connected, false),
        ] {
            link.set(state);
            assert_eq!(link.status().down_ms.is_some(), is_down, "{state:?}");
        }
    }
}
