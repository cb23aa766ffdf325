//! EXEC: the queue runs under the locks of its partitions, each command in its place.
//!
//! Invariant: what runs under those locks waits for no partition, and for nothing that is held by who waits for one. Commands
//! that may - replication waits for partitions while it holds its own state - are postponed until the locks are free, and their
//! replies put into their places.

use std::sync::Arc;
use std::time::Instant;

use crate::clients::batch::count_error;
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::denials::{changed_text, subject};
use crate::clients::errors;
use crate::clients::scripting::Held;
use crate::clients::session_commands::put_files;
use crate::clients::statistics::BatchCalls;
use crate::clients::timing::Stopwatch;
use crate::clients::transaction::Transaction;
use crate::commands::table::{ServerCommand, SessionCommand};
use crate::commands::{Flags, Handler, Row};
use crate::keyspace::{Caller, Conductor, Queued, Scratch, Stage, TransactionEnd};
use crate::resp::{Args, Mark, Protocol, Reply, parse_i64};

/// What became of the command whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It is over data.
    Data,
    /// It was carried out here, and counted.
    Own,
    /// It is no longer allowed.
    Denied,
    /// It has no reply yet.
    Postponed,
}

/// A command of a transaction that waits for the locks to be free.
struct Postponed<'q> {
    /// How many bytes of the replies stand before its own.
    at: usize,
    /// What was spoken there.
    protocol: Protocol,
    /// Nothing was answered there.
    is_silent: bool,
    /// The database that was selected.
    db: u32,
    queued: &'q Queued,
}

/// One EXEC as it goes.
struct Execution<'c, 'q, 'm> {
    /// What scripts run on, where there are any.
    machine: Option<Held<'m>>,
    conversation: &'c mut Conversation,
    turn: Turn,
    calls: BatchCalls,
    /// When the last command ended, where somebody wants to know.
    last: Option<Instant>,
    /// Where the replies begin.
    start: Mark,
    postponed: Vec<Postponed<'q>>,
    after: After,
    /// The connection ends behind the last reply: nothing more is answered.
    is_closed: bool,
}

impl<'q> Conductor<'q> for Execution<'_, 'q, '_> {
    fn before(
        &mut self,
        queued: &'q Queued,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> bool {
        let (row, args) = (queued.row, queued.args.as_args());
        let conversation = &mut *self.conversation;
        conversation.error_was_counted = false;
        // Rules may have changed since it was queued, and AUTH and HELLO within the queue change who asks.
        conversation.refresh_identity();
        if let Err(denied) = conversation.identity.check(row, args) {
            self.turn = Turn::Denied;
            reply.error(changed_text(denied));
            let (name, subject) = (conversation.identity.name(), subject(denied, row, args));
            conversation.note_denial(("exec", 0), name, subject);
            return true;
        }
        if let Some(text) = conversation.identity.limits_refusal(row, args) {
            self.turn = Turn::Denied;
            reply.error(text);
            return true;
        }
        if queued.is_script() {
            self.turn = Turn::Data;
            return false;
        }
        if !queued.is_data() {
            if may_wait(row, args) {
                self.turn = Turn::Postponed;
                self.postponed.push(Postponed {
                    at: reply.since(self.start).len(),
                    protocol: reply.protocol(),
                    is_silent: conversation.is_silent(),
                    db: caller.db,
                    queued,
                });
            } else {
                self.turn = Turn::Own;
                conversation.caller.db = caller.db;
                self.run(queued, reply);
                caller.db = self.conversation.caller.db;
            }
            return true;
        }
        self.turn = Turn::Data;
        let tracking = conversation.tracking.as_ref();
        scratch.tracks = tracking.is_some_and(|own| own.remembers(conversation.caching));
        false
    }

    fn script(
        &mut self,
        queued: &'q Queued,
        stage: &mut Stage<'_, '_, '_>,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) {
        let (row, args) = (queued.row, queued.args.as_args());
        match &self.machine {
            Some(machine) => {
                let conversation = &mut *self.conversation;
                conversation.script_on(machine, row, args, stage, caller, scratch, reply);
            }
            None => reply.error(errors::SYNTAX),
        }
    }

    fn after(&mut self, queued: &'q Queued, reply: &mut Reply, mark: Mark) {
        let took = self.last.as_mut().map(|last| {
            let now = Instant::now();
            now - std::mem::replace(last, now)
        });
        if self.turn == Turn::Data {
            self.calls.add(queued.row);
            if let Some(took) = took {
                let args = queued.args.as_args();
                self.conversation.took(queued.row, args, took);
            }
        }
        if let Some(text) = reply.since(mark).strip_prefix(b"-")
            && matches!(self.turn, Turn::Data | Turn::Denied)
        {
            count_error(self.conversation, Some(queued.row), text);
        }
        // CLIENT REPLY counts from its place on, as in Redis: what was announced before it stays announced.
        if self.conversation.is_silent() || self.is_closed && self.turn != Turn::Own {
            reply.truncate(mark);
        }
    }
}

impl Execution<'_, '_, '_> {
    /// Runs a command that is not over data.
    fn run(&mut self, queued: &Queued, reply: &mut Reply) {
        let (row, args) = (queued.row, queued.args.as_args());
        let (conversation, mark) = (&mut *self.conversation, reply.mark());
        let stopwatch = Stopwatch::start();
        let then = conversation.run_own(row, args, reply);
        let took = stopwatch.read();
        conversation.took(row, args, took);
        self.calls.add_timed(row, took);
        if let Some(text) = reply.since(mark).strip_prefix(b"-") {
            count_error(conversation, Some(row), text);
        }
        if self.is_closed {
            reply.truncate(mark);
        }
        self.is_closed |= then == After::Close;
        match then {
            After::Next => {}
            After::Wait { in_files: true, .. } => put_files(reply),
            // Nothing waits within a transaction: WAIT says how things stand.
            After::Wait { write, .. } => {
                let replication = &conversation.context.replication;
                let mut acknowledged = replication.acknowledged(write);
                // Owners cannot be asked here: of what they wrote, only what has come here is known to be anywhere else.
                for known in &conversation.owner_writes {
                    let is_here = replication.has_arrived(&[known.write]);
                    acknowledged = acknowledged.min(usize::from(is_here));
                }
                reply.integer(acknowledged as i64);
            }
            After::HandOver | After::Shutdown | After::Save { .. } | After::Script { .. } => {
                reply.error(errors::SYNTAX);
            }
            other => self.after = other,
        }
    }

    /// Runs what waited for the locks to be free and puts its replies where they belong.
    fn run_postponed(&mut self, reply: &mut Reply) {
        if self.postponed.is_empty() {
            return;
        }
        let done = reply.since(self.start).to_vec();
        reply.truncate(self.start);
        let (protocol, db) = (reply.protocol(), self.conversation.caller.db);
        let (mut copied, mut ended) = (0, None);
        for one in std::mem::take(&mut self.postponed) {
            reply.raw(&done[copied..one.at]);
            copied = one.at;
            reply.set_protocol(one.protocol);
            self.conversation.caller.db = one.db;
            let mark = reply.mark();
            let was_closed = std::mem::take(&mut self.is_closed);
            self.run(one.queued, reply);
            if one.is_silent {
                reply.truncate(mark);
            }
            // What ended the connection within the transaction has cut off what follows there already.
            if std::mem::replace(&mut self.is_closed, was_closed) && ended.is_none() {
                ended = Some(reply.mark());
            }
        }
        reply.raw(&done[copied..]);
        if let Some(end) = ended {
            reply.truncate(end);
        }
        reply.set_protocol(protocol);
        self.conversation.caller.db = db;
    }
}

impl Conversation {
    pub(super) fn exec(&mut self, reply: &mut Reply) -> After {
        let has_scripts = self.has_scripts_queued();
        if has_scripts && !self.has_left {
            return After::Script {
                is_answered: !self.is_silent(),
            };
        }
        let Some(transaction) = self.transaction.take() else {
            reply.error("ERR EXEC without MULTI");
            return After::Next;
        };
        self.is_in_exec = true;
        let after = self.exec_transaction(&transaction, reply);
        self.is_in_exec = false;
        self.watch.clear();
        if self.ends_links {
            self.end_links_of_gone();
        }
        after
    }

    /// Whether there is a script among what is queued, and EXEC will come to it.
    fn has_scripts_queued(&self) -> bool {
        let transaction = self.transaction.as_ref();
        transaction.is_some_and(|transaction| {
            !transaction.spoilt && transaction.queue.iter().any(Queued::is_script)
        })
    }

    /// Why EXEC is not carried out now, if so: something has happened since its writes were queued.
    pub(super) fn exec_refusal(&self) -> Option<&'static str> {
        let queue = self.transaction.as_ref()?.queue.iter();
        let mut writes = queue.filter(|queued| queued.row.flags.has(Flags::WRITE));
        let refusal = writes.find_map(|queued| self.refusal(queued.row));
        refusal.or_else(|| self.owner_refusal())
    }

    fn exec_transaction(&mut self, transaction: &Transaction, reply: &mut Reply) -> After {
        if transaction.spoilt {
            reply.error("EXECABORT Transaction discarded because of previous errors.");
            return After::Next;
        }
        if self.watch.has_expired(&self.caller) {
            reply.null_array();
            return After::Next;
        }
        let queue = &transaction.queue;
        let writes = queue
            .iter()
            .any(|queued| queued.row.flags.has(Flags::WRITE));
        let traced = if writes {
            self.begin_trace("exec")
        } else {
            None
        };
        // Before any partition.
        let scripts = Arc::clone(&self.context.scripts);
        let machine = queue
            .iter()
            .any(Queued::is_script)
            .then(|| scripts.machine());
        let machine = match machine.transpose() {
            Ok(machine) => machine,
            Err(text) => {
                reply.error(text);
                return After::Next;
            }
        };
        if let Some(machine) = &machine {
            self.sync_libraries(&scripts, machine);
        }
        let db = self.caller.db;
        let (mut caller, mut scratch) = (self.caller, std::mem::take(&mut self.scratch));
        let (keyspace, changed) = (Arc::clone(&self.context.keyspace), self.watch.changed());
        let makes_hearers = queue.iter().any(|queued| may_make_hearers(queued.row));
        let expecting = makes_hearers.then(|| keyspace.expect_hearers());
        let started = Instant::now();
        let start = reply.mark();
        if !self.is_silent() {
            reply.array(queue.len());
        }
        let mut execution = Execution {
            machine,
            turn: Turn::Data,
            calls: BatchCalls::default(),
            last: self.slow_from().map(|_| started),
            start,
            postponed: Vec::new(),
            after: After::Next,
            is_closed: false,
            conversation: self,
        };
        let end = keyspace.execute_transaction(
            queue,
            &changed,
            &mut caller,
            &mut scratch,
            reply,
            &mut execution,
        );
        drop(expecting);
        if let Some(machine) = execution.machine.take() {
            scripts.tidy(machine);
        }
        let conversation = &mut *execution.conversation;
        conversation.scratch = scratch;
        let ran = match end {
            TransactionEnd::Aborted => {
                reply.truncate(start);
                reply.null_array();
                return After::Next;
            }
            TransactionEnd::Done(ran) => ran,
        };
        conversation.caller.db = caller.db;
        if let Some(stamp) = ran.stamp {
            conversation.last_write = conversation.last_write.max(stamp.time());
        }
        if let Some(traced) = traced {
            conversation.end_trace(traced, ran);
        }
        if !conversation.context.monitors.is_empty() {
            conversation.show_queue(queue, db);
        }
        execution.run_postponed(reply);
        let (mut calls, after) = (execution.calls, execution.after);
        let nanos = started.elapsed().as_nanos() as u64;
        let statistics = &self.context.statistics;
        statistics.add_calls(&mut calls, nanos, self.options.latency_tracking);
        after
    }

    /// Tells those who watch what a transaction did, each command in the database that was selected by then.
    fn show_queue(&self, queue: &[Queued], mut db: u32) {
        for queued in queue {
            let args = queued.args.as_args();
            if matches!(queued.row.handler, Handler::Session(SessionCommand::Select)) {
                let selected = parse_i64(args.get(1)).and_then(|db| u32::try_from(db).ok());
                let databases = self.context.keyspace.databases();
                db = selected.filter(|db| *db < databases).unwrap_or(db);
            }
            self.show_monitors(queued.row, args, db);
        }
    }

    /// Whether nothing is answered now.
    fn is_silent(&self) -> bool {
        matches!(self.reply_mode, ReplyMode::Off | ReplyMode::Skip)
    }
}

/// Whether a command may wait for partitions, or for replication.
pub(super) fn may_wait(row: &Row, args: Args<'_>) -> bool {
    match row.handler {
        Handler::Data(_) | Handler::Subcommands => false,
        Handler::Session(SessionCommand::Wait | SessionCommand::Waitaof) => true,
        Handler::Session(_) => matches!(row.name, "client|kill" | "client|list" | "migrate"),
        Handler::Server(
            ServerCommand::Failover
            | ServerCommand::Function
            | ServerCommand::Info
            | ServerCommand::Link
            | ServerCommand::Memory
            | ServerCommand::Mesh
            | ServerCommand::Replconf
            | ServerCommand::Replicaof
            | ServerCommand::Role
            | ServerCommand::Script
            | ServerCommand::Shutdown,
        ) => true,
        // The others look at nothing but the connection. What panics must not do so here.
        Handler::Server(ServerCommand::Debug) => ["digest", "panic-actor", "populate"]
            .iter()
            .any(|word| args.get(1).eq_ignore_ascii_case(word.as_bytes())),
        Handler::Server(_) => matches!(row.name, "config|resetstat" | "config|rewrite"),
    }
}

/// Whether a command may make somebody listen to what changes.
fn may_make_hearers(row: &Row) -> bool {
    matches!(row.name, "client|tracking" | "config|set")
}
