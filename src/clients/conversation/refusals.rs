//! Why a command is not carried out now: who did not say who he is, scripts that run for long, replicas, files that cannot be
//! written, masters that are away.
//!
//! Invariant: a command that is refused while a transaction is queued spoils it, and EXEC ends it.

use std::sync::atomic::Ordering;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::commands::table::SessionCommand;
use crate::commands::{Flags, Handler, Row};
use crate::keyspace::Passage;
use crate::replication::LinkState;
use crate::resp::Reply;

impl Conversation {
    /// What is said of a command while a script runs for long.
    fn busy_refusal(&self, row: &Row) -> Option<&'static str> {
        let context = &self.context;
        if self.has_left || context.keyspace.gate.passage() != Passage::Busy {
            return None;
        }
        // What ends a watch needs the key's partition.
        let unwatches = matches!(
            row.handler,
            Handler::Session(
                SessionCommand::Discard
                    | SessionCommand::Exec
                    | SessionCommand::Reset
                    | SessionCommand::Unwatch
            )
        ) && !self.watch.is_empty();
        let watches = matches!(row.handler, Handler::Session(SessionCommand::Watch));
        if row.flags.has(Flags::ALLOW_BUSY) && !unwatches && !watches {
            return None;
        }
        Some(context.scripts.running.busy_text())
    }

    pub(in crate::clients) fn is_replica(&self) -> bool {
        !self.options.replicaof.is_empty()
    }

    pub(in crate::clients) fn is_read_only(&self) -> bool {
        self.options.replica_read_only
            && !self.options.active_replica
            && !self.is_forced_master
            && self.is_replica()
    }

    /// Whether writes are refused because they could not be kept in a file.
    #[inline]
    pub(in crate::clients) fn is_kept_from_writing(&self) -> bool {
        self.context.saver.has_failed()
            && self.options.stop_writes_on_bgsave_error
            && !self.options.save.is_empty()
            && !self.is_forced_master
    }

    /// Whether too few masters are connected, and stale data is not to be shown.
    pub(in crate::clients) fn is_cut_off(&self) -> bool {
        if self.options.replica_serve_stale_data || !self.is_replica() {
            return false;
        }
        let masters = self.context.replication.masters();
        let connected = masters
            .iter()
            .filter(|master| master.state == LinkState::Connected)
            .count();
        let quorum = usize::try_from(self.options.replica_quorum).unwrap_or(masters.len());
        connected < quorum
    }

    /// Why a command is not carried out now, if so.
    pub fn refusal(&self, row: &Row) -> Option<&'static str> {
        let flags = row.flags;
        if self.identity.needs_auth() && !flags.has(Flags::NO_AUTH) {
            return Some(errors::NOAUTH);
        }
        if let Some(text) = self.busy_refusal(row) {
            return Some(text);
        }
        if flags.has(Flags::WRITE) && self.is_read_only() {
            return Some(errors::READONLY);
        }
        if flags.has(Flags::WRITE) && self.is_kept_from_writing() {
            return Some(errors::MISCONF);
        }
        if !flags.has(Flags::STALE) && self.is_cut_off() {
            return Some(errors::MASTERDOWN);
        }
        let loading = self.context.loading.load(Ordering::Relaxed);
        if loading && !flags.has(Flags::LOADING) {
            return Some(errors::LOADING);
        }
        None
    }

    /// Refuses a command; a transaction that is being queued is spoilt by it.
    pub fn refuse(&mut self, reply: &mut Reply, write: impl FnOnce(&mut Reply)) {
        if let Some(transaction) = &mut self.transaction {
            transaction.spoilt = true;
        }
        write(reply);
    }

    /// Refuses a command with a wrong number of arguments.
    pub fn refuse_arity(&mut self, row: &Row, reply: &mut Reply) {
        let name = row.name;
        if matches!(row.handler, Handler::Session(SessionCommand::Exec)) {
            self.discard();
            // Without the code that the error would have alone.
            return reply.error_format(format_args!(
                "EXECABORT Transaction discarded because of: wrong number of arguments for '{name}' command"
            ));
        }
        self.refuse(reply, |reply| errors::wrong_arity(name, reply));
    }

    pub(in crate::clients) fn refuse_because(&mut self, row: &Row, text: &str, reply: &mut Reply) {
        if matches!(row.handler, Handler::Session(SessionCommand::Exec)) {
            self.discard();
            // Without the code of an error that has none of its own.
            let text = text.strip_prefix("ERR ").unwrap_or(text);
            reply.error_format(format_args!(
                "EXECABORT Transaction discarded because of: {text}"
            ));
        } else {
            self.refuse(reply, |reply| reply.error(text));
        }
    }
}
