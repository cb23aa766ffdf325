//! Commands that may wait, as far as no socket is concerned: the first try, the tries of who was called, and the place in the
//! lines of the keys, which is given back however the wait ends.

use std::sync::Arc;

use crate::clients::batch::count_error;
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::errors;
use crate::commands::blocking::Blocking;
use crate::commands::{Flags, Row};
use crate::db::{Key, UnixMillis, Waiter};
use crate::journal::TraceBytes;
use crate::keyspace::Keyspace;
use crate::resp::{Args, Reply};

/// A client's place in the lines of its keys.
#[derive(Debug)]
pub(super) struct InLine {
    keyspace: Arc<Keyspace>,
    db: u32,
    keys: Vec<Box<[u8]>>,
    /// Who is called.
    pub waiter: Arc<Waiter>,
    /// The trace that what is taken belongs to.
    trace: Option<TraceBytes>,
    /// The keys had another owner when it came, who could not be reached.
    is_stranger: bool,
}

impl Drop for InLine {
    fn drop(&mut self) {
        for bytes in &self.keys {
            let hash = self.keyspace.hash(bytes);
            let mut partition = self.keyspace.lock_hash(hash);
            partition.leave_line(self.db, Key { bytes, hash }, &self.waiter);
        }
        self.waiter.left();
    }
}

impl Conversation {
    /// The first try. Where nothing was found the client stands in the lines of its keys already.
    pub(super) fn run_blocking(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        self.scratch.blocking = Blocking {
            can_wait: true,
            ..Blocking::default()
        };
        self.waits_in = self.caller.trace;
        self.run_data(row, args, None, reply);
        self.scratch.blocking.can_wait = false;
        match self.scratch.blocking.waits.take() {
            None => {
                // One that panicked behind that stands in no line: nobody would wait for its try in vain.
                drop(self.take_place(row, args));
                After::Next
            }
            Some(timeout) => After::Block {
                timeout,
                is_answered: self.reply_mode == ReplyMode::On,
            },
        }
    }

    /// Takes charge of the place in the lines that the first try took.
    pub(super) fn take_place(&mut self, row: &'static Row, args: Args<'_>) -> Option<InLine> {
        let waiter = self.scratch.blocking.waiter.take()?;
        let keys = row.key_arguments(args).map(|index| args.get(index).into());
        Some(InLine {
            keyspace: Arc::clone(&self.context.keyspace),
            db: self.caller.db,
            keys: keys.collect(),
            waiter,
            trace: self.waits_in,
            is_stranger: self.has_owners() && self.is_owned_elsewhere(row, args),
        })
    }

    /// Another try of a client that was called. Says whether it was answered: there was something, or it may have it no more.
    pub(super) fn try_again(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        place: &InLine,
        now: UnixMillis,
        reply: &mut Reply,
        is_owned: bool,
    ) -> bool {
        let mark = reply.mark();
        self.refresh_options();
        self.refresh_identity();
        self.begin_batch(now);
        self.caller.trace = place.trace;
        // What another node asks for, that node has checked.
        if !is_owned && let Err(denied) = self.identity.check(row, args) {
            self.refuse_denied(denied, row, args, reply);
        } else if let Some(text) = self.refusal(row) {
            let has_changed = row.flags.has(Flags::WRITE) && text == errors::READONLY;
            reply.error(if has_changed {
                errors::NO_MASTER_ANY_MORE
            } else {
                text
            });
        } else if !place.is_stranger && self.has_owners() && self.is_owned_elsewhere(row, args) {
            reply.error(errors::OWNER_CHANGED);
        } else {
            self.scratch.blocking = Blocking {
                can_wait: true,
                waiter: Some(Arc::clone(&place.waiter)),
                waits: None,
            };
            self.run_data(row, args, None, reply);
            if std::mem::take(&mut self.scratch.blocking).waits.is_some() {
                return false;
            }
        }
        if let Some(text) = reply.since(mark).strip_prefix(b"-") {
            count_error(self, Some(row), text);
        }
        true
    }
}
