//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! EXEC runs the queue under the locks of its partitions. Only SELECT and HELLO among the commands that are not over data run
//! there, for what follows depends on them. Others may look at the keyspace themselves, so they run right after the locks are
//! free, and their replies are put into their places.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::clients::batch::{count_error, run_counted};
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::denials::{changed_text, subject};
use crate::clients::errors;
use crate::clients::session_commands::Login;
use crate::clients::statistics::BatchCalls;
use crate::commands::table::SessionCommand;
use crate::commands::{Flags, Handler, Row};
use crate::db::op::is_expired;
use crate::db::{Key, UnixMillis};
use crate::keyspace::{Caller, Keyspace, Queued, TransactionEnd};
use crate::resp::{Args, ArgsBuffer, Protocol, Reply, Span, parse_i64};

/// What has been queued since MULTI.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The commands.
    pub queue: Vec<Queued>,
    /// Bytes of their arguments, counted against the query buffer's limit.
    pub bytes: usize,
    /// How many arguments they have.
    arguments: usize,
    /// A command was refused: EXEC will be, too.
    pub spoilt: bool,
}

impl Transaction {
    /// Memory of what is queued.
    pub fn len_bytes(&self) -> usize {
        self.bytes + self.arguments * size_of::<Span>() + self.queue.len() * size_of::<Queued>()
    }

    /// Adds a command.
    pub fn queue(&mut self, row: &'static Row, args: Args<'_>) {
        if self.spoilt {
            // It will not run, so nothing is kept, as in Redis.
            return;
        }
        let Some(kept) = ArgsBuffer::from_args(args) else {
            self.spoilt = true;
            return;
        };
        self.bytes += args.iter().map(<[u8]>::len).sum::<usize>();
        self.arguments += args.len();
        self.queue.push(Queued { row, args: kept });
    }
}

/// The watched keys of a connection. Dropping it ends the watches.
#[derive(Debug)]
pub struct Watch {
    keyspace: Arc<Keyspace>,
    keys: Vec<Watched>,
    changed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Watched {
    db: u32,
    key: Vec<u8>,
    /// When it goes if nobody writes to it, which would be a change anyway. None where its time had come before WATCH.
    deadline: Option<UnixMillis>,
}

impl Watch {
    /// No keys.
    pub fn new(keyspace: Arc<Keyspace>) -> Self {
        Self {
            keyspace,
            keys: Vec::new(),
            changed: Arc::default(),
        }
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Memory of their list.
    pub fn len_bytes(&self) -> usize {
        self.keys.len() * size_of::<Watched>()
    }

    fn add(&mut self, key: &[u8], caller: &Caller) {
        let db = caller.db;
        if self
            .keys
            .iter()
            .any(|other| other.db == db && other.key == key)
        {
            return;
        }
        let hash = self.keyspace.hash(key);
        let mut partition = self.keyspace.lock_hash(hash);
        let deadline = partition
            .view(db, Key { bytes: key, hash }, caller.now)
            .and_then(|view| view.deadline);
        partition.watch(db, key, Arc::clone(&self.changed));
        drop(partition);
        self.keys.push(Watched {
            db,
            key: key.to_vec(),
            deadline,
        });
    }

    /// Whether a watched key's time has come since.
    fn has_expired(&self, caller: &Caller) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|watched| is_expired(watched.deadline, caller.now))
    }

    /// Ends all watches.
    pub fn clear(&mut self) {
        for watched in self.keys.drain(..) {
            self.keyspace
                .lock_hash(self.keyspace.hash(&watched.key))
                .unwatch(watched.db, &watched.key, &self.changed);
        }
        self.changed.store(false, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A command of a transaction that waits for the locks to be free.
struct Postponed {
    /// How many bytes of the replies stand before its own.
    at: usize,
    /// What was spoken there.
    protocol: Protocol,
    row: &'static Row,
    args: Vec<Vec<u8>>,
}

impl Conversation {
    pub(super) fn multi(&mut self, reply: &mut Reply) {
        if self.transaction.is_some() {
            // Redis does not spoil the transaction for this.
            return reply.error("ERR MULTI calls can not be nested");
        }
        self.transaction = Some(Transaction::default());
        reply.ok();
    }

    pub(super) fn discard_command(&mut self, reply: &mut Reply) {
        if self.transaction.is_none() {
            return reply.error("ERR DISCARD without MULTI");
        }
        self.discard();
        reply.ok();
    }

    pub(super) fn watch_command(&mut self, args: Args<'_>, reply: &mut Reply) {
        if self.transaction.is_some() {
            return reply.error("ERR WATCH inside MULTI is not allowed");
        }
        for key in args.skip(1) {
            self.watch.add(key, &self.caller);
        }
        reply.ok();
    }

    pub(super) fn exec(&mut self, reply: &mut Reply) -> After {
        let Some(transaction) = self.transaction.take() else {
            reply.error("ERR EXEC without MULTI");
            return After::Next;
        };
        self.is_in_exec = true;
        let after = self.exec_transaction(&transaction, reply);
        self.is_in_exec = false;
        self.watch.clear();
        after
    }

    /// Why EXEC is not carried out now, if so: something has happened since its writes were queued.
    pub(super) fn exec_refusal(&self) -> Option<&'static str> {
        let queue = self.transaction.as_ref()?.queue.iter();
        let mut writes = queue.filter(|queued| queued.row.flags.has(Flags::WRITE));
        writes.find_map(|queued| self.refusal(queued.row))
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
        let databases = self.context.keyspace.databases();
        let writes = transaction
            .queue
            .iter()
            .any(|queued| queued.row.flags.has(Flags::WRITE));
        let traced = if writes {
            self.begin_trace("exec")
        } else {
            None
        };
        let db = self.caller.db;
        let started = Instant::now();
        let (mut calls, mut errors) = (BatchCalls::default(), Vec::new());
        let (mut denials, is_denied) = (Vec::new(), Cell::new(false));
        let slow_from = self.slow_from();
        let (mut slow, mut at, mut last) = (Vec::new(), 0, started);
        let start = reply.mark();
        reply.array(transaction.queue.len());
        let mut postponed = Vec::new();
        let end = self.context.keyspace.execute_transaction(
            &transaction.queue,
            &self.watch.changed,
            &mut self.caller,
            &mut self.scratch,
            reply,
            |row, args, caller, reply| {
                // Rules may have changed since it was queued, and AUTH and HELLO within the queue change who asks.
                if let Err(denied) = self.identity.check(row, args) {
                    reply.error(changed_text(denied));
                    denials.push(subject(denied, row, args));
                    is_denied.set(true);
                    return true;
                }
                let login = Login {
                    client: &self.client,
                    context: &self.context,
                    options: &self.options,
                    identity: &mut self.identity,
                    in_multi: true,
                };
                match row.handler {
                    Handler::Data(_) => return false,
                    Handler::Session(SessionCommand::Select) => {
                        super::session_commands::select(args, databases, caller, reply);
                    }
                    Handler::Session(SessionCommand::Hello) => login.hello(args, reply),
                    Handler::Session(SessionCommand::Auth) => login.auth(args, reply),
                    _ => postponed.push(Postponed {
                        at: reply.since(start).len(),
                        protocol: reply.protocol(),
                        row,
                        args: args.to_vec(),
                    }),
                }
                true
            },
            |row, reply| {
                let now = Instant::now();
                let took = now - std::mem::replace(&mut last, now);
                if slow_from.is_some_and(|from| took >= from) && !reply.is_empty() {
                    slow.push((at, took));
                }
                at += 1;
                // What is postponed has no reply yet.
                if !is_denied.take() && !reply.is_empty() {
                    calls.add(row);
                }
                if let Some(text) = reply.strip_prefix(b"-") {
                    errors.push((row, text.to_vec()));
                }
            },
        );
        let ran = match end {
            TransactionEnd::Aborted => {
                reply.truncate(start);
                reply.null_array();
                return After::Next;
            }
            TransactionEnd::Done(ran) => ran,
        };
        if let Some(stamp) = ran.stamp {
            self.last_write = stamp.time();
        }
        if let Some(traced) = traced {
            self.end_trace(traced, ran);
        }
        for (at, took) in slow {
            let queued = &transaction.queue[at];
            self.took(queued.row, queued.args.as_args(), took);
        }
        for subject in denials {
            self.note_denial(("exec", 0), subject);
        }
        for (row, text) in errors {
            count_error(self, Some(row), &text);
        }
        if !self.context.monitors.is_empty() {
            self.show_queue(&transaction.queue, db);
        }
        let after = self.run_postponed(start, postponed, &mut calls, reply);
        let statistics = &self.context.statistics;
        let nanos = started.elapsed().as_nanos() as u64;
        statistics.add_calls(&calls, nanos, self.options.latency_tracking);
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

    /// Runs what waited for the locks to be free and puts its replies where they belong. CLIENT REPLY counts from its place on,
    /// as in Redis: what was announced before it stays announced.
    fn run_postponed(
        &mut self,
        start: crate::resp::Mark,
        postponed: Vec<Postponed>,
        calls: &mut BatchCalls,
        reply: &mut Reply,
    ) -> After {
        if postponed.is_empty() {
            return After::Next;
        }
        let done = reply.since(start).to_vec();
        reply.truncate(start);
        let (mut copied, mut after) = (0, After::Next);
        let protocol = reply.protocol();
        for one in postponed {
            if !self.is_silent() {
                reply.raw(&done[copied..one.at]);
            }
            copied = one.at;
            reply.set_protocol(one.protocol);
            let Some(args) = ArgsBuffer::from_args(one.args.iter().map(Vec::as_slice)) else {
                reply.error(errors::SYNTAX);
                continue;
            };
            let mark = reply.mark();
            let (row, then) = run_counted(one.row, args.as_args(), None, self, reply, calls);
            if let Some(text) = reply.since(mark).strip_prefix(b"-") {
                count_error(self, row, text);
            }
            match then {
                After::Next => {}
                // Nothing waits within a transaction: WAIT says how things stand.
                After::Wait { write, .. } => {
                    reply.integer(self.context.replication.acknowledged(write) as i64);
                }
                After::HandOver | After::Shutdown => reply.error(errors::SYNTAX),
                other => after = other,
            }
            if self.is_silent() {
                reply.truncate(mark);
            }
        }
        if !self.is_silent() {
            reply.raw(&done[copied..]);
        }
        reply.set_protocol(protocol);
        after
    }
}
