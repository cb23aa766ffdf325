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
pub mod steps;
mod waiting;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
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
/// What has been sent of a long reply is dropped from memory in such pieces.
const SENT_DROPPED: usize = 1024 * 1024;

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

    /// Waits for bytes, or just until all is sent; sends meanwhile.
    async fn wait(&mut self, reads: bool) -> Event {
        poll_fn(|cx| {
            loop {
                if reads
                    && self.conversation.client.mailbox.is_waiting()
                    && let Err(end) = self.collect_mail()
                {
                    return Poll::Ready(Event::End(end));
                }
                let mut is_blocked = false;
                while self.sent < self.reply.len() {
                    match self
                        .wire
                        .poll_write(cx, &self.reply.as_bytes()[self.sent..])
                    {
                        Poll::Ready(Ok(count)) => self.note_sent(count),
                        Poll::Ready(Err(_)) => return Poll::Ready(Event::End(End::Gone)),
                        Poll::Pending => {
                            is_blocked = true;
                            break;
                        }
                    }
                }
                if is_blocked {
                    if let Err(end) = self.check_output_len() {
                        return Poll::Ready(Event::End(end));
                    }
                } else {
                    self.show_all_sent();
                    if !reads {
                        return Poll::Ready(Event::Flushed);
                    }
                    if self.sent > 0 || self.reply.capacity() > REPLY_KEPT {
                        self.clear_reply(REPLY_KEPT);
                    }
                }
                if reads {
                    self.read.borrow_memory();
                    match self.wire.poll_read(cx, self.read.room()) {
                        Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Event::End(End::Gone)),
                        Poll::Ready(Ok(count)) => {
                            self.read.advance(count);
                            let statistics = &self.conversation.context.statistics;
                            statistics
                                .input_bytes
                                .fetch_add(count as u64, Ordering::Relaxed);
                            statistics.reads.fetch_add(1, Ordering::Relaxed);
                            return Poll::Ready(Event::Read);
                        }
                        Poll::Pending => {
                            self.turn = 0;
                            self.read.return_memory();
                        }
                    }
                }
                self.conversation.client.listen(cx.waker());
                // What came before the waker was there; what a full socket holds up is looked at when it takes more.
                if reads && !is_blocked && self.conversation.client.mailbox.is_waiting() {
                    continue;
                }
                return match self.conversation.client.take_signals() {
                    0 => Poll::Pending,
                    bits if bits & signal::KILL != 0 => Poll::Ready(Event::End(End::Killed)),
                    // Already on the way out.
                    _ if !reads => Poll::Pending,
                    bits => Poll::Ready(Event::Signal(bits)),
                };
            }
        })
        .await
    }

    /// Writes once, if the socket takes anything.
    async fn send_some(&mut self) -> Result<(), End> {
        poll_fn(|cx| {
            if self.sent < self.reply.len() {
                match self
                    .wire
                    .poll_write(cx, &self.reply.as_bytes()[self.sent..])
                {
                    Poll::Ready(Ok(count)) => self.note_sent(count),
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(End::Gone)),
                    Poll::Pending => return Poll::Ready(self.check_output_len()),
                }
            }
            if self.sent == self.reply.len() {
                self.clear_reply(REPLY_KEPT);
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    #[inline]
    fn note_sent(&mut self, count: usize) {
        self.sent += count;
        let statistics = &self.conversation.context.statistics;
        statistics
            .output_bytes
            .fetch_add(count as u64, Ordering::Relaxed);
        statistics.writes.fetch_add(1, Ordering::Relaxed);
        if self.sent >= SENT_DROPPED && self.sent * 2 >= self.reply.len() {
            self.reply.consume(self.sent);
            self.sent = 0;
        }
    }

    #[inline]
    fn clear_reply(&mut self, kept: usize) {
        if self.sent == self.reply.len() {
            self.reply_peak = self.reply_peak.max(self.reply.len());
            self.reply.clear(kept);
            self.sent = 0;
        }
    }

    /// Puts messages behind the replies, while these are few: what waits in the mailbox is shared by all who get it.
    fn collect_mail(&mut self) -> Result<(), End> {
        let conversation = &self.conversation;
        let mailbox = &conversation.client.mailbox;
        if mailbox.has_overflowed() {
            let counter = &conversation.context.statistics.output_buffer_disconnections;
            counter.fetch_add(1, Ordering::Relaxed);
            let client = conversation.client.id.0;
            tracing::warn!(
                client,
                "client closed for overcoming of output buffer limits"
            );
            return Err(End::Killed);
        }
        let (reply, end) = (&mut self.reply, self.sent + REPLY_LEN);
        if reply.len() < end {
            mailbox.take(|letter| {
                reply.letter(letter.parts());
                reply.len() < end
            });
        }
        Ok(())
    }

    /// Looks whether too many replies wait; the soft limit's time is watched by the janitor.
    fn check_output_len(&mut self) -> Result<(), End> {
        let client = &self.conversation.client;
        let limits = &self.conversation.options.client_output_buffer_limit;
        let limit = if client.mailbox.is_pubsub() {
            limits.pubsub
        } else {
            limits.normal
        };
        let unsent = self.reply.len() - self.sent;
        client.mailbox.set_unsent(unsent);
        let mut shown = client.shown.lock();
        shown.unsent = unsent;
        self.shows_unsent = true;
        let unsent = unsent + client.mailbox.len_bytes();
        if limit.soft > 0 && unsent as u64 >= limit.soft {
            let now = self.conversation.caller.now;
            shown.over_soft_limit_since.get_or_insert(now);
        } else {
            shown.over_soft_limit_since = None;
        }
        if limit.hard > 0 && unsent as u64 >= limit.hard {
            let statistics = &self.conversation.context.statistics;
            statistics
                .output_buffer_disconnections
                .fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                client = client.id.0,
                unsent,
                "client closed for overcoming of output buffer limits"
            );
            return Err(End::Killed);
        }
        Ok(())
    }

    fn apply_options(&mut self) {
        let options = &self.conversation.options;
        self.splitter
            .set_max_bulk_len(options.proto_max_bulk_len as usize);
    }
}
