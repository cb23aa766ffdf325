//! One attached replica that speaks Redis's language: a file of all data, and behind it what has changed since, as commands.
//!
//! What a replica is told of a key is what it shows, not what was done to it: of several changes the last counts, and a collection is
//! sent as a whole whenever it has changed.
//!
//! Invariant: a replica that has all that was sent shows what this node showed a moment ago, whatever the order in which writes of
//! other masters came. Where that cannot be told any more, its connection ends, and it comes again for everything.

mod telling;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::db::Hlc;
use crate::db::follow::Changed;
use crate::keyspace::{Followed, Keyspace, Lost};
use crate::persistence::rdb::Writer;
use crate::persistence::{Progress, write_walk};
use crate::replication::aside::{LONG_FRAME, aside};
use crate::replication::clock;
use crate::replication::redis_feed::telling::Telling;
use crate::replication::replica_feed::{FeedSetting, SEND_BYTES, Sent, ServeError, send};
use crate::replication::spool::unnamed_file;
use crate::resp::{Decoder, Frame, FrameLimits, Protocol, encode_command, parse_i64};

/// How often it is looked what has changed.
const LOOK: Duration = Duration::from_millis(10);
/// How often a replica that waits for its file hears of us.
const WAITING: Duration = Duration::from_secs(1);
/// How often the replica hears of us else.
const PING: Duration = Duration::from_secs(10);
/// Keys that are looked at under one lock.
const KEYS: usize = 64;
const READ_BYTES: usize = 4 * 1024;

/// What a replica asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// With PSYNC, so that it says how far it is.
    pub acknowledges: bool,
    /// The port it serves clients at, 0 where it did not say.
    pub port: u16,
}

impl Wish {
    /// What a connection's last command says: `SYNC`, or `PSYNC id offset`, and behind that the replica's port.
    pub fn of(greeting: &[Vec<u8>]) -> Option<Self> {
        let name = greeting.first()?;
        let acknowledges = name.eq_ignore_ascii_case(b"psync");
        if !acknowledges && !name.eq_ignore_ascii_case(b"sync") {
            return None;
        }
        let port = greeting.last().and_then(|port| parse_i64(port));
        Some(Self {
            acknowledges,
            port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
        })
    }
}

/// The walk and what follows it end with the connection.
struct Following {
    keyspace: Arc<Keyspace>,
    followed: Followed,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.keyspace.unfollow(&self.followed);
    }
}

/// Serves it until its connection ends.
pub async fn run(setting: FeedSetting, mut stream: TcpStream, wish: Wish) {
    let peer = setting.shared.peer;
    match serve(&setting, &mut stream, wish).await {
        Ok(()) => tracing::info!(%peer, "Redis's replica has gone"),
        Err(error) => tracing::warn!(%peer, %error, "Redis's replica was dropped"),
    }
}

async fn serve(
    setting: &FeedSetting,
    stream: &mut TcpStream,
    wish: Wish,
) -> Result<(), ServeError> {
    let (node, shared) = (&setting.node, &setting.shared);
    let keyspace = &node.keyspace;
    shared.speaks_redis(wish.port);
    keyspace.gate.opened().await;
    // From now on writes have stamps that WAIT can ask for.
    keyspace.record(keyspace.time(clock::now()));
    let (walk, followed) = keyspace.follow_from_now();
    let following = Following {
        keyspace: Arc::clone(keyspace),
        followed,
    };
    if wish.acknowledges {
        let origin = node.origin();
        let line = format!(
            "+FULLRESYNC {}{:08x} 0\r\n",
            origin.node, origin.incarnation.0
        );
        if send(setting, stream, line.as_bytes()).await? == Sent::Killed {
            return Ok(());
        }
    }
    node.counters.snapshots_sent.fetch_add(1, Ordering::Relaxed);
    let now = keyspace.time(clock::now());
    let writing = aside(
        (Arc::clone(keyspace), Some(walk)),
        move |(keyspace, walk)| {
            let writer = Writer::begin(unnamed_file()?, &[], true)?;
            let walk = walk
                .take()
                .ok_or_else(|| io::Error::other("it has begun"))?;
            write_walk(keyspace, walk, writer, now, &Progress::default())
        },
    );
    let mut writing = std::pin::pin!(writing);
    let file = loop {
        tokio::select! {
            (_, written) = writing.as_mut() => break written?.0,
            () = tokio::time::sleep(WAITING) => {
                if send(setting, stream, b"\n").await? == Sent::Killed {
                    return Ok(());
                }
            }
        }
    };
    if send_file(setting, stream, file).await? == Sent::Killed {
        return Ok(());
    }
    shared.set_online();
    let mut stream_out = Stream {
        following,
        telling: Telling::default(),
        offset: 0,
        sent: VecDeque::new(),
        acknowledged: None,
        round: None,
        pinged: Instant::now(),
        wish,
    };
    stream_out.serve(setting, stream).await
}

/// Sends a file behind its length.
async fn send_file(
    setting: &FeedSetting,
    stream: &mut TcpStream,
    mut file: File,
) -> Result<Sent, ServeError> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    if send(setting, stream, format!("${len}\r\n").as_bytes()).await? == Sent::Killed {
        return Ok(Sent::Killed);
    }
    let mut piece = vec![0; SEND_BYTES];
    loop {
        let read;
        ((file, piece), read) = aside((file, piece), |(file, piece)| file.read(piece)).await;
        let read = read?;
        if read == 0 {
            return Ok(Sent::All);
        }
        let some = piece.get(..read).unwrap_or_default();
        if send(setting, stream, some).await? == Sent::Killed {
            return Ok(Sent::Killed);
        }
    }
}

/// What follows the file.
struct Stream {
    following: Following,
    telling: Telling,
    /// How many bytes were sent behind the file.
    offset: u64,
    /// How far the replica is in this node's writes once it has so many bytes.
    sent: VecDeque<(u64, Hlc)>,
    /// How many it has.
    acknowledged: Option<u64>,
    /// When the present round over all partitions began.
    round: Option<Hlc>,
    pinged: Instant,
    wish: Wish,
}

impl Stream {
    async fn serve(
        &mut self,
        setting: &FeedSetting,
        stream: &mut TcpStream,
    ) -> Result<(), ServeError> {
        let mut decoder = Decoder::new(Protocol::Resp2, FrameLimits::default());
        let mut input = BytesMut::new();
        let mut out = Vec::new();
        let mut heard = Instant::now();
        loop {
            let is_more = self.poll(setting, &mut out).await?;
            if !out.is_empty() {
                if send(setting, stream, &out).await? == Sent::Killed {
                    return Ok(());
                }
                self.offset += out.len() as u64;
                out.clear();
                out.shrink_to(SEND_BYTES);
            }
            input.reserve(READ_BYTES);
            let wait = if is_more { Duration::ZERO } else { LOOK };
            tokio::select! {
                read = stream.read_buf(&mut input) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    heard = Instant::now();
                    while let Some(frame) = decoder.next(&mut input)? {
                        self.hear(setting, &frame);
                    }
                }
                () = setting.shared.kill.notified() => return Ok(()),
                () = tokio::time::sleep(wait) => {
                    let silence = setting.node.limits.silence();
                    if self.wish.acknowledges && heard.elapsed() > silence {
                        return Err(ServeError::Silent(silence));
                    }
                }
            }
        }
    }

    /// Writes what has changed, about as much as is sent at once; whether there is more.
    async fn poll(&mut self, setting: &FeedSetting, out: &mut Vec<u8>) -> Result<bool, ServeError> {
        let keyspace = Arc::clone(&self.following.keyspace);
        if !keyspace.gate.is_open() {
            // A script may hold partitions: what has changed is told behind it, for this thread answers clients.
            self.ping(out);
            return Ok(false);
        }
        // All that is stamped up to here has its changes noted once its partitions are looked at.
        let time = *self.round.get_or_insert_with(|| keyspace.journal.clock());
        let is_more = loop {
            let mut changed = Changed::default();
            let step = keyspace.take_changed(&mut self.following.followed, KEYS, &mut changed);
            let is_more = step.map_err(|Lost| ServeError::Behind)?;
            if changed.large.is_empty() && changed.items.len() < LONG_FRAME {
                self.telling.write(&keyspace, &mut changed, out)?;
            } else {
                let telling = std::mem::take(&mut self.telling);
                let with = (telling, changed, std::mem::take(out), Arc::clone(&keyspace));
                let (with, written) = aside(with, |(telling, changed, out, keyspace)| {
                    telling.write(keyspace, changed, out)
                })
                .await;
                (self.telling, _, *out, _) = with;
                written?;
            }
            if !is_more || out.len() >= SEND_BYTES {
                break is_more;
            }
        };
        if !out.is_empty() && !is_more {
            // It says at once how far it is: somebody may be in WAIT.
            encode_command(&[b"REPLCONF", b"GETACK", b"*"], out);
        }
        self.ping(out);
        if !is_more {
            self.round = None;
            let end = self.offset + out.len() as u64;
            match self.sent.back_mut() {
                // Nothing was sent since: once it is there, it is as far as this.
                Some((offset, of)) if *offset == end => *of = time,
                _ if self.acknowledged == Some(end) => self.has_arrived(setting, time),
                _ => self.sent.push_back((end, time)),
            }
        }
        Ok(is_more)
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        if self.pinged.elapsed() >= PING {
            self.pinged = Instant::now();
            encode_command(&[b"PING"], out);
        }
    }

    /// `REPLCONF ACK offset`.
    fn hear(&mut self, setting: &FeedSetting, frame: &Frame) {
        let Frame::Array { data, .. } = frame else {
            return;
        };
        let word = |at: usize| match data.get(at) {
            Some(Frame::BlobString { data, .. }) => &data[..],
            _ => &[],
        };
        if word(0).eq_ignore_ascii_case(b"replconf") && word(1).eq_ignore_ascii_case(b"ack") {
            let offset = parse_i64(word(2)).and_then(|offset| u64::try_from(offset).ok());
            self.acknowledge(setting, offset.unwrap_or(0));
        }
    }

    fn acknowledge(&mut self, setting: &FeedSetting, offset: u64) {
        setting.shared.heard();
        self.acknowledged = Some(offset);
        let mut last = None;
        while let Some((_, time)) = self.sent.front().filter(|(end, _)| *end <= offset) {
            last = Some(*time);
            self.sent.pop_front();
        }
        if let Some(time) = last {
            self.has_arrived(setting, time);
        }
    }

    /// The replica has all that was written here up to this time.
    fn has_arrived(&self, setting: &FeedSetting, time: Hlc) {
        if setting.shared.raise_acknowledged(time) {
            setting.acknowledgements.notify_waiters();
        }
    }
}
