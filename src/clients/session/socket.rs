//! A session and its socket: replies go out, messages behind them, bytes come in, and signals are heard meanwhile.
//!
//! Invariant: what the socket has not taken waits in memory, bounded by `client-output-buffer-limit`; what it has taken goes.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;

use crate::clients::batch::REPLY_LEN;
use crate::clients::registry::signal;
use crate::clients::session::{End, Event, REPLY_KEPT, Session};

/// What has been sent of a long reply is dropped from memory in such pieces.
const SENT_DROPPED: usize = 1024 * 1024;

impl Session {
    /// Waits for bytes, or just until all is sent; sends meanwhile.
    pub(super) async fn wait(&mut self, reads: bool) -> Event {
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
    pub(super) async fn send_some(&mut self) -> Result<(), End> {
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
    pub(super) fn note_sent(&mut self, count: usize) {
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
    pub(super) fn clear_reply(&mut self, kept: usize) {
        if self.sent == self.reply.len() {
            self.reply_peak = self.reply_peak.max(self.reply.len());
            self.reply.clear(kept);
            self.sent = 0;
        }
    }

    /// Puts messages behind the replies, while these are few: what waits in the mailbox is shared by all who get it.
    pub(super) fn collect_mail(&mut self) -> Result<(), End> {
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
    pub(super) fn check_output_len(&mut self) -> Result<(), End> {
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
}
