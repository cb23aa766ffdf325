//! A session whose client sends keys to another server. The way there is a task of its own: it goes on where the client goes, so that no
//! key that was taken there stays here for that.
//!
//! Invariant: no partition is held while the other server is waited for. A key goes here once the other server has said that it has it,
//! and only where it is as it was sent.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::batch::count_error;
use crate::clients::context::Context;
use crate::clients::errors;
use crate::clients::migrate::{Link, Migration, Taken};
use crate::clients::registry::{Client, signal};
use crate::clients::session::waiting::Meanwhile;
use crate::clients::session::{End, Session};
use crate::commands::registry::lookup_built_in;
use crate::db::{Hlc, UnixMillis};
use crate::keyspace::{Caller, DataOnly, Queued, Scratch, TransactionEnd};
use crate::resp::{ArgsBuffer, Reply, encode_command};

/// The longest line that answers.
const LINE_LEN_MAX: usize = 64 * 1024;
/// What is sent at a time.
const PIECE: usize = 64 * 1024;
const NOT_CONNECTED: &str = "IOERR error or timeout connecting to the client";
const NOT_WRITTEN: &str = "IOERR error or timeout writing to target instance";
const NOT_READ: &str = "IOERR error or timeout reading to target instance";

/// What came of it.
struct Outcome {
    /// The error that is told, if any.
    error: Option<String>,
    /// The last write here.
    write: Option<Hlc>,
}

/// What came of sending.
#[derive(Default)]
struct Sent {
    /// Which of the keys are there.
    arrived: Vec<usize>,
    error: Option<String>,
}

/// Where an attempt has failed.
struct Failed {
    text: &'static str,
    is_timeout: bool,
}

impl Failed {
    fn of(text: &'static str, error: &Error) -> Self {
        let is_timeout = error.kind() == ErrorKind::TimedOut;
        Self { text, is_timeout }
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = std::io::Result<T>>,
) -> std::io::Result<T> {
    let done = timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Reads lines that answer.
struct Lines {
    input: Vec<u8>,
    limit: Duration,
}

impl Lines {
    async fn next(&mut self, stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
        let reading = async {
            loop {
                if let Some(end) = memchr::memchr(b'\n', &self.input) {
                    let mut line: Vec<u8> = self.input.drain(..=end).collect();
                    line.truncate(line.trim_ascii_end().len());
                    return Ok(line);
                }
                if self.input.len() > LINE_LEN_MAX {
                    return Err(ErrorKind::InvalidData.into());
                }
                if stream.read_buf(&mut self.input).await? == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
        };
        within(self.limit, reading).await
    }
}

/// What is sent over a connection: all words, and which of the keys are among them.
fn request(migration: &Migration, link: &Link, now: UnixMillis) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut sent) = (Vec::new(), Vec::new());
    if !migration.credentials.is_empty() {
        let words = migration.credentials.iter().map(Vec::as_slice);
        let words: Vec<&[u8]> = std::iter::once(&b"AUTH"[..]).chain(words).collect();
        encode_command(&words, &mut bytes);
    }
    if link.db != Some(migration.db) {
        let db = migration.db.to_string();
        encode_command(&[b"SELECT", db.as_bytes()], &mut bytes);
    }
    for (at, taken) in migration.taken.iter().enumerate() {
        let ttl = match taken.deadline {
            None => 0,
            Some(deadline) if deadline.0 < now.0 => continue,
            Some(deadline) => (deadline.0 - now.0).max(1),
        };
        let ttl = ttl.to_string();
        let mut words: Vec<&[u8]> = vec![b"RESTORE", &taken.key, ttl.as_bytes(), &taken.payload];
        if migration.replaces {
            words.push(b"REPLACE");
        }
        encode_command(&words, &mut bytes);
        sent.push(at);
    }
    (bytes, sent)
}

/// One attempt over a connection. It failed where nothing can have been carried out, or nobody can say.
async fn attempt(
    migration: &Migration,
    link: &mut Link,
    now: UnixMillis,
) -> Result<(Sent, bool), Failed> {
    let (limit, selects) = (migration.timeout, link.db != Some(migration.db));
    let (bytes, keys) = request(migration, link, now);
    for piece in bytes.chunks(PIECE) {
        let written = within(limit, link.stream.write_all(piece)).await;
        written.map_err(|error| Failed::of(NOT_WRITTEN, &error))?;
    }
    let mut lines = Lines {
        input: Vec::new(),
        limit,
    };
    let mut earlier = None;
    for is_sent in [!migration.credentials.is_empty(), selects] {
        if !is_sent {
            continue;
        }
        let line = lines.next(&mut link.stream).await;
        let line = line.map_err(|error| Failed::of(NOT_READ, &error))?;
        if line.first() == Some(&b'-') {
            earlier.get_or_insert(line);
        }
    }
    let mut sent = Sent::default();
    for at in keys {
        let line = match lines.next(&mut link.stream).await {
            Ok(line) => line,
            Err(error) if sent.arrived.is_empty() && sent.error.is_none() => {
                return Err(Failed::of(NOT_READ, &error));
            }
            Err(_) => {
                sent.error.get_or_insert_with(|| NOT_READ.to_owned());
                return Ok((sent, false));
            }
        };
        let error = earlier.as_ref().or(Some(&line));
        match error.and_then(|line| line.strip_prefix(b"-")) {
            None => sent.arrived.push(at),
            Some(text) => {
                let text = String::from_utf8_lossy(text);
                let told = || format!("ERR Target instance replied with error: {text}");
                sent.error.get_or_insert_with(told);
            }
        }
    }
    link.db = sent.error.is_none().then_some(migration.db);
    Ok((sent, true))
}

/// Whether another machine has said that nobody listens there.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable
    )
}

/// Sends all keys, over another connection where the first one turns out to be of no use.
async fn send(context: &Context, migration: &Migration) -> Sent {
    let (host, port) = (migration.host.as_str(), migration.port);
    let failed = |text: &str| Sent {
        error: Some(text.to_owned()),
        ..Sent::default()
    };
    let mut may_retry = true;
    loop {
        let mut link = match context.migrations.take(host, port) {
            Some(link) => link,
            None => {
                let connecting = TcpStream::connect((host, port));
                let stream = match within(migration.timeout, connecting).await {
                    Ok(stream) => stream,
                    // Redis hears of it when it writes.
                    Err(error) if is_refusal(error.kind()) => return failed(NOT_WRITTEN),
                    Err(_) => return failed(NOT_CONNECTED),
                };
                // Where it fails, all is merely slower.
                let _ = stream.set_nodelay(true);
                Link::new(stream)
            }
        };
        match attempt(migration, &mut link, context.now()).await {
            Ok((sent, is_whole)) => {
                if is_whole {
                    context.migrations.keep(host, port, link);
                }
                return sent;
            }
            Err(error) if error.is_timeout || !may_retry => return failed(error.text),
            Err(_) => may_retry = false,
        }
    }
}

/// Deletes a key here that is there, unless it has changed since; when that was written, and whether it is gone.
fn delete(context: &Context, client: &Client, db: u32, taken: &Taken) -> (Option<Hlc>, bool) {
    let words: [&[u8]; 2] = [b"del", &taken.key];
    let queued = lookup_built_in(b"del")
        .zip(ArgsBuffer::from_args(words))
        .and_then(|(row, args)| Queued::new(row, args.as_args()));
    let Some(queued) = queued else {
        return (None, false);
    };
    let now = context.keyspace.time(context.now());
    let mut caller = Caller {
        db,
        now,
        trace: None,
    };
    let mut scratch = Scratch::default();
    scratch.client = Some(client.id.0);
    let mut reply = Reply::default();
    let queue = [queued];
    let changed = taken.watch.changed();
    let end = context.keyspace.execute_transaction(
        &queue,
        &changed,
        &mut caller,
        &mut scratch,
        &mut reply,
        &mut DataOnly,
    );
    match end {
        TransactionEnd::Done(ran) => (ran.stamp.map(|stamp| stamp.time()), true),
        // It went by itself meanwhile.
        TransactionEnd::Aborted => (None, taken.deadline.is_some_and(|at| at.0 <= now.0)),
    }
}

/// All of it.
async fn migrate(context: Arc<Context>, client: Arc<Client>, migration: Migration) -> Outcome {
    let Sent { arrived, error } = send(&context, &migration).await;
    let mut outcome = Outcome { error, write: None };
    if migration.is_copy {
        return outcome;
    }
    let mut stays = 0;
    for at in arrived {
        let Some(taken) = migration.taken.get(at) else {
            continue;
        };
        context.keyspace.gate.opened().await;
        let options = context.configuration.options();
        let is_replica = !options.replicaof.is_empty() && !options.active_replica;
        if is_replica && options.replica_read_only {
            let text = || errors::READONLY.to_owned();
            outcome.error.get_or_insert_with(text);
            break;
        }
        let (write, is_gone) = delete(&context, &client, migration.own_db, taken);
        outcome.write = outcome.write.max(write);
        stays += usize::from(!is_gone);
    }
    if stays > 0 {
        let text = || {
            format!(
                "ERR {stays} of the keys were changed here while they were sent: they are at the target as they were, and here as they are"
            )
        };
        outcome.error.get_or_insert_with(text);
    }
    outcome
}

impl Session {
    /// Sends the keys of the present MIGRATE.
    pub(super) async fn migrate(&mut self, is_answered: bool) -> Result<(), End> {
        let Some(migration) = self.conversation.migration.take() else {
            return Ok(());
        };
        let context = Arc::clone(&self.conversation.context);
        let client = Arc::clone(&self.conversation.client);
        let mut job = tokio::spawn(migrate(context, client, *migration));
        let mut is_drained = false;
        let done = loop {
            match self.meanwhile(&mut job).await? {
                Meanwhile::Done(done) => break done,
                Meanwhile::Signals(bits) => is_drained |= bits & signal::DRAIN != 0,
            }
        };
        let outcome = done.unwrap_or_else(|error| {
            tracing::error!(%error, "MIGRATE panicked");
            Outcome {
                error: Some(crate::keyspace::PANIC_REPLY.to_owned()),
                write: None,
            }
        });
        if let Some(write) = outcome.write {
            self.conversation.last_write = self.conversation.last_write.max(write);
        }
        match outcome.error {
            Some(text) => {
                let row = lookup_built_in(b"migrate");
                count_error(&self.conversation, row, text.as_bytes());
                if is_answered {
                    self.reply.error(&text);
                }
            }
            None if is_answered => self.reply.ok(),
            None => {}
        }
        let now = self.conversation.context.now();
        self.conversation.begin_batch(now);
        match is_drained {
            true => Err(End::Done),
            false => Ok(()),
        }
    }
}
