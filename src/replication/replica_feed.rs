//! One attached replica: a worker that sends it what it asked for, as soon as it is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::db::{Hlc, NodeId};
use crate::replication::aside::aside;
use crate::replication::clock;
use crate::replication::control::ReplicaStatus;
use crate::replication::feed::{Feed, VECTOR_PERIOD_MS};
use crate::replication::frame;
use crate::replication::link::LinkError;
use crate::replication::master_link::LinkShared;
use crate::replication::meters::Carried;
use crate::replication::node::Node;
use crate::replication::tracing::LinkTracer;
use crate::resp::DecodeError;

/// What is sent at once.
pub(super) const SEND_BYTES: usize = 256 * 1024;
const READ_BYTES: usize = 4 * 1024;

/// What others see of a feed.
#[derive(Debug)]
pub struct FeedShared {
    /// Its number.
    pub id: u64,
    pub(super) peer: SocketAddr,
    /// It is Redis, not a node.
    is_redis: AtomicBool,
    node: Mutex<Option<NodeId>>,
    port: AtomicU64,
    online: AtomicBool,
    sent: AtomicU64,
    buffers: AtomicU64,
    acknowledged: AtomicU64,
    acknowledged_at: Mutex<Instant>,
    /// Told to end.
    pub(super) kill: Notify,
}

impl FeedShared {
    /// Of a connection that was just made.
    pub fn new(id: u64, peer: SocketAddr) -> Self {
        Self {
            id,
            peer,
            is_redis: AtomicBool::new(false),
            node: Mutex::new(None),
            port: AtomicU64::new(0),
            online: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            buffers: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            acknowledged_at: Mutex::new(Instant::now()),
            kill: Notify::new(),
        }
    }

    /// It is Redis that reads, and serves its clients at this port.
    pub(super) fn speaks_redis(&self, port: u16) {
        self.port.store(u64::from(port), Ordering::Relaxed);
        self.is_redis.store(true, Ordering::Relaxed);
    }

    /// All that was there is on its way: from now on changes follow.
    pub(super) fn set_online(&self) {
        self.online.store(true, Ordering::Relaxed);
    }

    /// It has said something.
    pub(super) fn heard(&self) {
        *self.acknowledged_at.lock() = Instant::now();
    }

    /// It has all of this node's writes up to then; whether that is more than before.
    pub(super) fn raise_acknowledged(&self, time: Hlc) -> bool {
        self.acknowledged.fetch_max(time.raw(), Ordering::AcqRel) < time.raw()
    }

    /// Ends the connection where it comes from this address, or any does.
    pub fn kill(&self, address: Option<&str>) -> bool {
        let is_meant = address.is_none_or(|address| address == self.peer.to_string());
        if is_meant {
            self.kill.notify_one();
        }
        is_meant
    }

    /// How much of this node's writes the replica has.
    pub fn acknowledged(&self) -> Hlc {
        Hlc::from_raw(self.acknowledged.load(Ordering::Acquire))
    }

    /// All of it; none before the replica has said who it is.
    pub fn status(&self) -> Option<ReplicaStatus> {
        let node = *self.node.lock();
        if node.is_none() && !self.is_redis.load(Ordering::Relaxed) {
            return None;
        }
        Some(ReplicaStatus {
            id: self.id,
            peer: self.peer,
            ip: self.peer.ip().to_string(),
            port: self.port.load(Ordering::Relaxed) as u16,
            online: self.online.load(Ordering::Relaxed),
            offset: self.sent.load(Ordering::Relaxed),
            lag_ms: self.acknowledged_at.lock().elapsed().as_millis() as u64,
            acknowledged: self.acknowledged(),
            buffer_bytes: self.buffers.load(Ordering::Relaxed),
            node,
        })
    }
}

/// What a feed's worker works with.
pub struct FeedSetting {
    /// The node it belongs to.
    pub node: Arc<Node>,
    /// What others see.
    pub shared: Arc<FeedShared>,
    /// This node's own links.
    pub links: Arc<Mutex<Vec<Arc<LinkShared>>>>,
    /// Told at each acknowledgement.
    pub acknowledgements: Arc<Notify>,
    /// Where spans go.
    pub tracer: LinkTracer,
}

struct OpenFeed {
    node: Arc<Node>,
    feed: Feed,
}

impl Drop for OpenFeed {
    fn drop(&mut self) {
        self.feed.close(&self.node);
    }
}

/// The worker's future: ends with its connection.
pub async fn run(setting: FeedSetting, mut stream: TcpStream, unread: Vec<u8>) {
    let peer = setting.shared.peer;
    match serve(&setting, &mut stream, unread).await {
        Ok(()) => tracing::info!(%peer, "replica has gone"),
        Err(error) => {
            tracing::warn!(%peer, %error, "replica was dropped");
            let mut out = Vec::new();
            frame::FrameWriter::new(&mut out).error(&error.to_string());
            // It may be gone already, and then nobody misses the reason.
            let _ = timeout(Duration::from_secs(1), stream.write_all(&out)).await;
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),
    #[error("it took nothing for {0:?}")]
    Stalled(Duration),
    #[error("what has changed is too much for it, or was replaced as a whole")]
    Behind,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

#[derive(PartialEq, Eq)]
pub(super) enum Sent {
    All,
    Killed,
}

/// Sends everything, however long that takes, as long as the replica takes something from time to time.
pub(super) async fn send(
    setting: &FeedSetting,
    stream: &mut TcpStream,
    mut out: &[u8],
) -> Result<Sent, ServeError> {
    let silence = setting.node.limits.silence();
    while !out.is_empty() {
        let written = tokio::select! {
            written = timeout(silence, stream.write(out)) => written,
            () = setting.shared.kill.notified() => return Ok(Sent::Killed),
        };
        let written = written.map_err(|_| ServeError::Stalled(silence))??;
        if written == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into());
        }
        setting
            .shared
            .sent
            .fetch_add(written as u64, Ordering::Relaxed);
        out = &out[written..];
    }
    Ok(Sent::All)
}

async fn serve(
    setting: &FeedSetting,
    stream: &mut TcpStream,
    unread: Vec<u8>,
) -> Result<(), ServeError> {
    let node = &setting.node;
    let mut open = OpenFeed {
        node: Arc::clone(node),
        feed: Feed::new(node),
    };
    let mut input = BytesMut::from(&unread[..]);
    let mut out = b"+OK\r\n".to_vec();
    let mut carried = Carried::default();
    let mut heard = Instant::now();
    loop {
        take_frames(setting, &mut open.feed, &mut input)?;
        carried.meet(node, open.feed.peer());
        // Armed before the journal is read: what is written after that wakes it.
        let news = node.keyspace.journal.news_armed();
        let peer = carried.peer().map(Arc::clone);
        let mut observer = setting.tracer.observer(node, None, peer.as_deref());
        let mut more =
            open.feed
                .poll_news(node, clock::now(), SEND_BYTES, &mut out, &mut observer)?;
        if open.feed.is_sending() {
            // What a large value is sent as takes long to make.
            let work = |(open, out): &mut (OpenFeed, Vec<u8>)| {
                open.feed.poll_items(&open.node, SEND_BYTES, out)
            };
            let polled;
            ((open, out), polled) = aside((open, out), work).await;
            polled?;
            more = true;
        }
        if !out.is_empty() {
            if send(setting, stream, &out).await? == Sent::Killed {
                return Ok(());
            }
            // Who takes what is sent is there; what it says meanwhile is read next.
            heard = Instant::now();
            observer.written();
            carried.wrote(node, out.len());
            out.clear();
            out.shrink_to(SEND_BYTES);
        }
        input.reserve(READ_BYTES);
        let buffers = (input.capacity() + out.capacity()) as u64;
        setting.shared.buffers.store(buffers, Ordering::Relaxed);
        if more {
            // The replica is listened to even while there is always something to send.
            match stream.try_read_buf(&mut input) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    heard = Instant::now();
                    carried.read(node, read);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    tokio::task::yield_now().await;
                }
                Err(error) => return Err(error.into()),
            }
            continue;
        }
        tokio::select! {
            read = stream.read_buf(&mut input) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                carried.read(node, read);
                heard = Instant::now();
            }
            () = news => {}
            () = setting.shared.kill.notified() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(VECTOR_PERIOD_MS as u64)) => {
                let silence = setting.node.limits.silence();
                if heard.elapsed() > silence {
                    return Err(ServeError::Silent(silence));
                }
            }
        }
    }
}

fn take_frames(
    setting: &FeedSetting,
    feed: &mut Feed,
    input: &mut BytesMut,
) -> Result<(), LinkError> {
    while let Some(len) = frame::frame_len(input)? {
        let bytes = input.split_to(len);
        feed.on_frame(&setting.node, frame::decode(&bytes)?, clock::now())?;
        let shared = &setting.shared;
        if shared.node.lock().is_none() && feed.peer().is_some() {
            let links = setting.links.lock();
            links.iter().for_each(|link| link.on_peer(feed.peer_port()));
        }
        *shared.node.lock() = feed.peer();
        shared
            .port
            .store(u64::from(feed.peer_port()), Ordering::Relaxed);
        let (is_online, peer) = (!feed.is_syncing(), shared.peer);
        match (shared.online.swap(is_online, Ordering::Relaxed), is_online) {
            (true, false) => tracing::info!(%peer, "a full sync to replica has begun"),
            (false, true) => tracing::info!(%peer, "replica is up"),
            _ => {}
        }
        let acknowledged = feed.acknowledged().raw();
        if shared.acknowledged.swap(acknowledged, Ordering::AcqRel) != acknowledged {
            setting.acknowledgements.notify_waiters();
            setting
                .tracer
                .acknowledged(feed.peer(), feed.acknowledged());
        }
        *shared.acknowledged_at.lock() = Instant::now();
    }
    Ok(())
}
