//! What a session writes down for others: what was carried out, once per batch, and what CLIENT LIST shows of its memory.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::clients::session::Session;
use crate::db::UnixMillis;
use crate::resp::Protocol;

impl Session {
    /// Writes down what others may want to know, once per batch.
    pub(super) fn account(&mut self, now: UnixMillis, started: Instant) {
        let ended = Instant::now();
        self.conversation.end_lap(ended);
        self.conversation.account_scripts();
        let conversation = &self.conversation;
        let took = ended.saturating_duration_since(started);
        // One that was alone in its batch took all its time.
        if self.batch.is_first()
            && let Some(row) = self.batch.calls.only()
            && let Some(args) = self.batch.last_arguments(self.read.filled())
        {
            conversation.took(row, args, took);
        }
        let is_tracking = conversation.options.latency_tracking;
        let statistics = &conversation.context.statistics;
        statistics.add_calls(&mut self.batch.calls, took.as_nanos() as u64, is_tracking);
        let client = &conversation.client;
        let ended = now.0.saturating_add(took.as_millis() as i64);
        client.last_interaction.store(ended, Ordering::Relaxed);
        let mut shown = client.shown.lock();
        shown.db = conversation.caller.db;
        shown.resp = match self.reply.protocol() {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        };
        if let Some(command) = self.batch.last_command() {
            shown.command = command;
        }
        let transaction = conversation.transaction.as_ref();
        shown.multi = transaction.map(|transaction| transaction.queue.len());
        let queued = transaction.map_or(0, |transaction| transaction.len_bytes());
        shown.multi_len = queued + conversation.watch.len_bytes();
        shown.watched = conversation.watch.len();
        shown.query_len = self.read.len() - self.pos;
        // Where nothing is unfinished the memory is given back.
        let is_unfinished = self.read.len() > self.pos;
        shown.query_free = if is_unfinished {
            self.read.free() + self.pos
        } else {
            0
        };
        shown.arguments_len = 0;
        shown.reply_capacity = self.reply.capacity();
        shown.reply_peak = self.reply_peak.max(self.reply.len());
        shown.unsent = 0;
        shown.over_soft_limit_since = None;
        if std::mem::take(&mut self.shows_unsent) {
            client.mailbox.set_unsent(0);
        }
    }

    /// DEBUG SLEEP has slept, which is what it took.
    pub(super) fn slept(&self, took: Duration) {
        if let Some(args) = self.batch.last_arguments(self.read.filled())
            && let Some(row) = crate::commands::lookup(args.name())
        {
            self.conversation.took(row, args, took);
        }
    }

    /// Shows what has come of a command that is not whole.
    pub(super) fn show_unfinished(&self) {
        let now = self.conversation.context.now();
        let client = &self.conversation.client;
        client.last_interaction.store(now.0, Ordering::Relaxed);
        let mut shown = self.conversation.client.shown.lock();
        shown.query_len = self.read.len();
        shown.query_free = self.read.free();
        shown.arguments_len = self.splitter.unfinished_len();
    }

    /// Shows that no reply waits any more, where one did.
    #[inline]
    pub(super) fn show_all_sent(&mut self) {
        if self.shows_unsent {
            self.shows_unsent = false;
            self.conversation.client.mailbox.set_unsent(0);
            let mut shown = self.conversation.client.shown.lock();
            shown.unsent = 0;
            shown.over_soft_limit_since = None;
        }
    }
}
