//! One task per connection: read what is there, carry out the whole pipeline, write all replies at once.
//!
//! A client that does not read its replies does not stop its commands from being carried out, as in Redis: the replies wait in
//! memory, bounded by `client-output-buffer-limit`. Everything else that can grow is bounded too: the read buffer by
//! [`QUERY_LEN_MAX`], a turn by [`TURN_COMMANDS`].

mod accounting;
mod blocking;
mod hearers;
mod leaving;
mod migrating;
mod owner_serving;
mod owner_waits;
mod owners;
mod saving;
mod scripts;
mod serving;
pub mod socket;
pub mod steps;
mod waiting;

use std::sync::Arc;
use std::time::Instant;

use crate::clients::batch::{Batch, Planning, REPLY_LEN};
use crate::clients::buffer::ReadBuffer;
use crate::clients::context::Context;
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::registry::{Registered, signal};
use crate::clients::session::steps::Steps;
use crate::clients::wire::Wire;
use crate::db::UnixMillis;
use crate::resp::{Protocol, ProtocolError, Reply, Splitter};

/// Bytes that may wait to become a command, arguments of a transaction included: `client-query-buffer-limit`.
pub const QUERY_LEN_MAX: usize = 1024 * 1024 * 1024;
/// Commands of one connection after which others have their turn.
const TURN_COMMANDS: usize = 4096;
/// Memory of the reply buffer kept between batches.
const REPLY_KEPT: usize = REPLY_LEN + 16 * 1024;

/// Why a session ended.
#[derive(Debug)]
enum End {
    /// The other side closed, or the socket failed.
    Gone,
    /// CLIENT KILL, a timeout, a limit.
    Killed,
    /// All was said: QUIT, a protocol error, a drain.
    Done,
    /// The connection is a peer's link from now on.
    HandOver(Vec<Vec<u8>>),
}

/// What a wait for the socket brought.
enum Event {
    Read,
    Signal(u32),
    /// Nothing, but what was to be sent is sent.
    Flushed,
    End(End),
}

struct Session {
    wire: Wire,
    read: ReadBuffer,
    /// Bytes of the read buffer that were split.
    pos: usize,
    splitter: Splitter,
    batch: Batch,
    reply: Reply,
    /// Bytes of the reply buffer that the socket took.
    sent: usize,
    reply_peak: usize,
    conversation: Conversation,
    /// Others see that replies wait.
    shows_unsent: bool,
    /// Commands since the socket last had nothing for us.
    turn: usize,
    steps: Steps,
}

/// Serves a connection until it ends.
pub async fn serve(context: Arc<Context>, wire: Wire, registered: Registered) {
    let conversation = Conversation::new(Arc::clone(&context), Arc::clone(&registered.client));
    let mut session = Session {
        wire,
        read: ReadBuffer::default(),
        pos: 0,
        splitter: Splitter::new(),
        batch: Batch::new(),
        reply: Reply::new(Protocol::Resp2),
        sent: 0,
        reply_peak: 0,
        conversation,
        shows_unsent: false,
        turn: 0,
        steps: Steps::default(),
    };
    let end = session.run().await;
    if session.conversation.is_watched_for() {
        // What it watches is let go of in partitions, which a script may hold for long: this thread answers others.
        context.keyspace.gate.opened().await;
    }
    let Session {
        wire,
        mut read,
        pos,
        conversation,
        ..
    } = session;
    match (end, wire) {
        (End::HandOver(greeting), Wire::Tcp(stream)) => {
            if let Some(peer) = registered.client.peer {
                let unread = read.take_rest(pos);
                let account = Arc::clone(conversation.identity.account());
                drop((registered, conversation));
                context.replication.attach(stream, peer, greeting, unread);
                context
                    .link_accounts
                    .add(peer, &account, &*context.replication);
            }
        }
        (End::Done, wire) => wire.say_goodbye(),
        _ => {}
    }
}

impl Session {
    async fn run(&mut self) -> End {
        let mut wanted = 1;
        loop {
            if self.pos < self.read.len() {
                match self.work().await {
                    Ok(needed) => wanted = needed,
                    Err(end) => return self.finish(end).await,
                }
            }
            if self.turn >= TURN_COMMANDS {
                self.turn = 0;
                tokio::task::yield_now().await;
            }
            self.read.prepare(self.pos, wanted);
            self.pos = 0;
            if self.sent < self.reply.len() {
                self.read.return_memory();
                self.steps.let_others_work().await;
            }
            if self.read.len() > 0 {
                self.show_unfinished();
            }
            match self.wait(true).await {
                Event::Read => self.steps.let_others_read().await,
                Event::Flushed => {}
                Event::Signal(bits) if bits & signal::DRAIN != 0 => {
                    return self.finish(End::Done).await;
                }
                Event::Signal(bits) => {
                    if bits & signal::TRIM != 0 {
                        self.clear_reply(0);
                    }
                }
                Event::End(end) => return end,
            }
        }
    }

    /// Carries out all commands that are there. Returns how many bytes the next one lacks.
    async fn work(&mut self) -> Result<usize, End> {
        loop {
            let mut started = Instant::now();
            let mut now = self.conversation.context.now();
            // Not only where they have changed just now: a command, or a wait, may have taken them up before.
            self.conversation.refresh_options();
            self.apply_options();
            self.conversation.refresh_identity();
            self.splitter
                .set_authenticated(!self.conversation.identity.needs_auth());
            let planning = self.batch.plan(
                self.read.filled_mut(),
                &mut self.pos,
                &mut self.splitter,
                &self.conversation.context.keyspace,
            );
            if !self.batch.is_empty() {
                self.conversation.begin_batch(now);
                self.turn += self.batch.len();
                while !self.batch.is_done() {
                    let pause = self.conversation.context.pause.get(now);
                    let mode = pause.map(|(mode, _)| mode);
                    self.batch.hold_back(mode, &self.conversation);
                    if self.batch.has_due() {
                        let done = self.carry_out(now, started).await;
                        if let Ok(Some(later)) = done {
                            (now, started) = (later, Instant::now());
                        }
                        // Of a connection that ends, too.
                        self.account(now, started);
                        done?;
                    } else if let Some((_, until)) = pause {
                        now = self.pause(now, until).await?;
                    }
                    if !self.batch.is_done() {
                        // A pause is no command's doing.
                        started = Instant::now();
                    }
                }
            }
            match planning {
                Planning::NeedsBytes(wanted) => {
                    self.check_query_len(wanted)?;
                    return Ok(wanted);
                }
                Planning::Fault(error) => return Err(self.fault(&error)),
                Planning::Full => {}
            }
            if self.conversation.client.is_killed() {
                return Err(End::Killed);
            }
            if self.turn >= TURN_COMMANDS {
                self.turn = 0;
                self.send_some().await?;
                tokio::task::yield_now().await;
            }
        }
    }

    /// Carries out what is due; where something else was waited for, only up to there, and the time then.
    async fn carry_out(
        &mut self,
        now: UnixMillis,
        started: Instant,
    ) -> Result<Option<UnixMillis>, End> {
        let mut began = Some(started);
        while self.batch.has_due() {
            if !self.conversation.context.keyspace.gate.is_open() {
                self.wait_at_gate().await?;
            }
            let reply_max = self.sent + REPLY_LEN;
            let reply_max = reply_max.max(self.reply.len() + 1);
            let after = self.batch.run(
                self.read.filled(),
                &mut self.conversation,
                &mut self.reply,
                reply_max,
                began.take().unwrap_or_else(Instant::now),
            );
            if self.conversation.has_ready() {
                self.account(now, started);
                self.serve_ready().await;
            }
            match after {
                After::Next => {}
                After::Close => return Err(End::Done),
                After::Sleep(duration) => {
                    self.meanwhile(tokio::time::sleep(duration)).await?;
                    self.slept(duration);
                }
                After::Wait {
                    replicas,
                    write,
                    timeout,
                    in_files,
                } => {
                    // Now: the time that follows is nobody's work.
                    self.account(now, started);
                    if in_files || self.conversation.owner_writes.is_empty() {
                        self.wait_for_replicas(replicas, write, timeout, in_files)
                            .await?;
                    } else {
                        self.wait_with_owners(replicas, write, timeout).await?;
                    }
                }
                After::Block {
                    timeout,
                    is_answered,
                } => {
                    self.account(now, started);
                    self.wait_for_turn(timeout, is_answered, 0).await?;
                }
                After::Forward { is_answered } => {
                    self.account(now, started);
                    self.forward(is_answered).await?;
                }
                After::Migrate { is_answered } => {
                    self.account(now, started);
                    self.migrate(is_answered).await?;
                }
                After::Leave { is_answered } => {
                    self.account(now, started);
                    return self.leave(is_answered).await.map(Some);
                }
                After::CountHearers { is_answered } => {
                    self.account(now, started);
                    self.count_hearers(is_answered).await?;
                }
                After::Save { is_answered } => {
                    self.account(now, started);
                    self.save(is_answered).await?;
                }
                After::Owned => {
                    self.account(now, started);
                    self.carry_out_owned().await?;
                }
                After::Script { is_answered } => {
                    self.account(now, started);
                    self.leave_with_command(is_answered).await?;
                    let now = self.conversation.context.now();
                    self.conversation.begin_batch(now);
                    return Ok(Some(now));
                }
                After::Shutdown => {
                    self.account(now, started);
                    self.wait_for_end().await?;
                }
                After::HandOver => {
                    let greeting = self.batch.last_arguments(self.read.filled());
                    let mut greeting = greeting.map(|args| args.to_vec()).unwrap_or_default();
                    let port = self.conversation.announced_port;
                    if port != 0 {
                        greeting.push(port.to_string().into_bytes());
                    }
                    return Err(End::HandOver(greeting));
                }
            }
            if self.reply.len() - self.sent >= REPLY_LEN {
                self.conversation.end_lap(Instant::now());
                self.send_some().await?;
            }
        }
        Ok(None)
    }

    /// Says what is wrong with the bytes.
    fn fault(&mut self, error: &ProtocolError) -> End {
        tracing::debug!(client = self.conversation.client.id.0, %error, "protocol error");
        if self.conversation.reply_mode == ReplyMode::On {
            self.reply.protocol_error(error);
            self.conversation.context.statistics.add_error(b"ERR");
        }
        End::Done
    }

    fn check_query_len(&self, wanted: usize) -> Result<(), End> {
        let queued = self
            .conversation
            .transaction
            .as_ref()
            .map_or(0, |transaction| transaction.bytes);
        if self.read.len() - self.pos + wanted + queued > QUERY_LEN_MAX {
            let client = self.conversation.client.id.0;
            tracing::warn!(
                client,
                "closing client that reached max query buffer length"
            );
            return Err(End::Killed);
        }
        Ok(())
    }

    /// Sends what is left, where the end lets it.
    async fn finish(&mut self, end: End) -> End {
        if !matches!(end, End::Done | End::HandOver(_)) {
            return end;
        }
        while self.sent < self.reply.len() {
            if let Event::End(end) = self.wait(false).await {
                return end;
            }
        }
        end
    }

    fn apply_options(&mut self) {
        let options = &self.conversation.options;
        self.splitter
            .set_max_bulk_len(options.proto_max_bulk_len as usize);
    }
}
