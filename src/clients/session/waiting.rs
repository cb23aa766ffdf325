//! What a session does while it waits for something that is not its socket: a pause, a sleep, replicas.
//!
//! Invariant: while it waits, it can be ended, and what was answered before is sent.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::clients::conversation::ReplyMode;
use crate::clients::errors;
use crate::clients::registry::{Block, signal};
use crate::clients::session::{End, REPLY_KEPT, Session};
use crate::clients::session_commands::put_files;
use crate::db::{Hlc, UnixMillis};

/// Signals that end a wait.
const WAKING: u32 =
    signal::DRAIN | signal::RESUME | signal::UNBLOCK | signal::UNBLOCK_ERROR | signal::NO_MASTER;

/// How a wait ended.
pub(super) enum Meanwhile<T> {
    Done(T),
    /// By these of [`WAKING`], and perhaps others.
    Signals(u32),
}

impl Session {
    /// Waits for something that is not the socket; the session can still be killed, and replies are sent.
    pub(super) async fn meanwhile<T>(
        &mut self,
        future: impl Future<Output = T>,
    ) -> Result<Meanwhile<T>, End> {
        let mut future = std::pin::pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(Meanwhile::Done(value)));
            }
            // Before the mailbox is looked at: what comes later wakes this task again.
            self.conversation.client.listen(cx.waker());
            loop {
                if self.conversation.client.mailbox.is_waiting()
                    && let Err(end) = self.collect_mail()
                {
                    return Poll::Ready(Err(end));
                }
                if self.sent == self.reply.len() {
                    break;
                }
                match self
                    .wire
                    .poll_write(cx, &self.reply.as_bytes()[self.sent..])
                {
                    Poll::Ready(Ok(count)) => self.note_sent(count),
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(End::Gone)),
                    Poll::Pending => break,
                }
            }
            self.clear_reply(REPLY_KEPT);
            if self.wire.poll_closed(cx).is_ready() {
                return Poll::Ready(Err(End::Gone));
            }
            match self.conversation.client.take_signals() {
                bits if bits & signal::KILL != 0 => Poll::Ready(Err(End::Killed)),
                bits if bits & WAKING != 0 => Poll::Ready(Ok(Meanwhile::Signals(bits))),
                _ => Poll::Pending,
            }
        })
        .await
    }

    pub(super) async fn wait_for_replicas(
        &mut self,
        replicas: usize,
        write: Hlc,
        timeout: Option<Duration>,
        in_files: bool,
    ) -> Result<(), End> {
        let replication = self.conversation.context.replication.clone();
        let is_answered = self.conversation.reply_mode == ReplyMode::On;
        let enough = async {
            loop {
                let news = replication.acknowledgement();
                if replication.acknowledged(write) >= replicas {
                    return;
                }
                news.await;
            }
        };
        let limited = async {
            match timeout {
                Some(timeout) => drop(tokio::time::timeout(timeout, enough).await),
                None => enough.await,
            }
        };
        let counts = self.blocked_in_wait(limited, timeout.is_some(), is_answered);
        if counts.await?.is_none() || !is_answered {
            return Ok(());
        }
        if in_files {
            put_files(&mut self.reply);
        } else {
            self.reply.integer(replication.acknowledged(write) as i64);
        }
        Ok(())
    }

    /// Shows the client as one that waits until `counting` is done or somebody ends it: the signals of who did; none where the
    /// client has been told.
    pub(super) async fn blocked_in_wait(
        &mut self,
        counting: impl Future<Output = ()>,
        limited: bool,
        is_answered: bool,
    ) -> Result<Option<u32>, End> {
        let client = Arc::clone(&self.conversation.client);
        client.drop_signals(signal::UNBLOCK | signal::UNBLOCK_ERROR | signal::NO_MASTER);
        let clients = &self.conversation.context.clients;
        let shown = self.batch.present(self.read.filled());
        let blocked = clients.block(&client, Block::Wait { limited }, shown);
        let bits = self.until_unblocked(counting).await?;
        drop(blocked);
        if bits & signal::NO_MASTER != 0 {
            return Err(self.no_master_any_more(is_answered));
        }
        if bits & signal::UNBLOCK_ERROR == 0 {
            return Ok(Some(bits));
        }
        if is_answered {
            self.reply.error(errors::UNBLOCKED);
        }
        Ok(None)
    }

    /// Who waited at a master that is a replica now is told so, and its connection ends, as in Redis.
    pub(super) fn no_master_any_more(&mut self, is_answered: bool) -> End {
        if is_answered {
            self.reply.error(errors::NO_MASTER_ANY_MORE);
        }
        let statistics = &self.conversation.context.statistics;
        statistics.add_error(errors::NO_MASTER_ANY_MORE.as_bytes());
        End::Done
    }

    /// SHUTDOWN: the client hears nothing but the connection's end, unless the end is called off.
    pub(super) async fn wait_for_end(&mut self) -> Result<(), End> {
        let client = Arc::clone(&self.conversation.client);
        let context = Arc::clone(&self.conversation.context);
        let mut requests = context.shutdown.subscribe();
        let blocked = context.clients.block(
            &client,
            Block::Wait { limited: false },
            self.batch.present(self.read.filled()),
        );
        let called_off = async { drop(requests.wait_for(Option::is_none).await) };
        self.unless_drained(called_off).await?;
        drop(blocked);
        if self.conversation.reply_mode == ReplyMode::On {
            self.reply.error(errors::NO_SHUTDOWN);
        }
        Ok(())
    }

    /// Waits for the future, which nobody ends but a server that does.
    pub(super) async fn unless_drained<T>(
        &mut self,
        future: impl Future<Output = T>,
    ) -> Result<T, End> {
        let mut future = std::pin::pin!(future);
        loop {
            match self.meanwhile(future.as_mut()).await? {
                Meanwhile::Done(value) => return Ok(value),
                Meanwhile::Signals(bits) if bits & signal::DRAIN != 0 => return Err(End::Done),
                Meanwhile::Signals(_) => {}
            }
        }
    }

    /// Waits for the future, or for somebody who ends it; says by which signals.
    pub(super) async fn until_unblocked(
        &mut self,
        future: impl Future<Output = ()>,
    ) -> Result<u32, End> {
        let mut future = std::pin::pin!(future);
        loop {
            match self.meanwhile(future.as_mut()).await? {
                Meanwhile::Done(()) => return Ok(0),
                Meanwhile::Signals(bits) if bits & !signal::RESUME != 0 => return Ok(bits),
                Meanwhile::Signals(_) => {}
            }
        }
    }

    /// CLIENT PAUSE holds the next command back; until when, unless it ends before. The time then.
    pub(super) async fn pause(
        &mut self,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<UnixMillis, End> {
        let blocked = self.conversation.context.clients.block(
            &self.conversation.client,
            Block::Pause,
            self.batch.upcoming(self.read.filled()),
        );
        let left = Duration::from_millis(until.0.saturating_sub(now.0).max(1) as u64);
        let meanwhile = self.meanwhile(tokio::time::sleep(left)).await?;
        drop(blocked);
        let signals = self.conversation.client.take_signals();
        let is_drained = |bits: u32| bits & signal::DRAIN != 0;
        if is_drained(signals) || matches!(meanwhile, Meanwhile::Signals(bits) if is_drained(bits))
        {
            // What the server held back for its own end is not to be carried out any more.
            if let Some(request) = *self.conversation.context.shutdown.borrow()
                && !request.now
            {
                return Err(End::Done);
            }
        }
        let now = self.conversation.context.now();
        self.conversation.begin_batch(now);
        Ok(now)
    }
}
