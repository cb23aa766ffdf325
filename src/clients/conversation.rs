//! The state of one connection beside its bytes: who it is, what it selected, its transaction, its watched keys, and the checks
//! that stand before every command. Pure but for the keyspace: no socket, no waiting; what must wait is handed to the session
//! as an [`After`].

mod calls;
mod outcome;
mod refusals;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::clients::context::Context;
use crate::clients::errors;
use crate::clients::identity::Identity;
use crate::clients::migrate::Migration;
use crate::clients::monitor::Monitoring;
use crate::clients::owned::{Errand, Stay};
use crate::clients::owners::OwnerWrite;
use crate::clients::registry::Client;
use crate::clients::statistics::BatchCalls;
use crate::clients::tracking_command::OwnTracking;
use crate::clients::transaction::{Transaction, Watch};
use keymesh_observability::HeadSampler;

use crate::commands::table::SessionCommand;
use crate::commands::{Flags, Handler, Row};
use crate::config::Options;
use crate::db::{Hlc, Ready, UnixMillis};
use crate::journal::TraceBytes;
use crate::keyspace::{Caller, Scratch};
use crate::persistence::saver::Claim;
use crate::pubsub::channels::Subscriptions;
use crate::resp::{Args, Reply};

pub use calls::LeftCall;
pub use outcome::{After, Fate};

/// CLIENT REPLY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyMode {
    /// Every command is answered.
    On,
    /// None is.
    Off,
    /// The next one is not.
    SkipNext,
    /// This one is not.
    Skip,
}

/// CLIENT TRACEPARENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// No context.
    None,
    /// For the next command.
    Once(TraceBytes),
    /// For all following.
    Sticky(TraceBytes),
}

/// See the head of the file.
#[derive(Debug)]
pub struct Conversation {
    /// The server.
    pub context: Arc<Context>,
    /// How others see this connection.
    pub client: Arc<Client>,
    /// The settings, as of the last batch.
    pub options: Arc<Options>,
    options_news: watch::Receiver<Arc<Options>>,
    /// Who it is.
    pub identity: Identity,
    /// The selected database, the clock of the batch, the trace of the command.
    pub caller: Caller,
    /// The executor's memory.
    pub scratch: Scratch,
    /// MONITOR.
    pub monitoring: Option<Monitoring>,
    /// What is carried out has left the session's thread.
    pub has_left: bool,
    /// The error of the script that ran last is in the statistics already.
    pub error_was_counted: bool,
    /// What scripts called, until the statistics know.
    pub script_calls: BatchCalls,
    /// How long those took.
    pub script_nanos: u64,
    /// EXEC is being carried out.
    pub is_in_exec: bool,
    /// A script is what asks.
    pub is_in_script: bool,
    /// Users went within EXEC: their links end behind it.
    pub ends_links: bool,
    /// Between MULTI and EXEC.
    pub transaction: Option<Transaction>,
    /// WATCH.
    pub watch: Watch,
    /// What it subscribed to, if anything.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// CLIENT TRACKING.
    pub tracking: Option<Box<OwnTracking>>,
    /// CLIENT CACHING, for the next command.
    pub caching: bool,
    /// The port that it serves clients at, by its own word, where it is a replica; else 0.
    pub announced_port: u16,
    /// DEBUG FORCE-MASTER.
    pub is_forced_master: bool,
    /// Who is to carry out the present command.
    pub errand: Option<Errand>,
    /// Whether it may be somebody else.
    pub stay: Stay,
    /// Keys that go to another server.
    pub migration: Option<Box<Migration>>,
    /// A save that was begun.
    pub saving: Option<Claim>,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// CLIENT TRACEPARENT.
    pub trace: Trace,
    /// The last command, where something is left of it.
    pub left: Option<Box<LeftCall>>,
    /// The trace of a command that waits.
    pub waits_in: Option<TraceBytes>,
    /// The last own write, for WAIT.
    pub last_write: Hlc,
    /// The last writes that owners made for this connection, for WAIT.
    pub owner_writes: Vec<OwnerWrite>,
    /// Picks the writes that are traced unasked.
    sampler: HeadSampler,
}

impl Conversation {
    /// A new connection.
    pub fn new(context: Arc<Context>, client: Arc<Client>) -> Self {
        let mut options_news = context.configuration.subscribe();
        let options = Arc::clone(&options_news.borrow_and_update());
        let identity = Identity::new(&context.users, &client);
        let caller = Caller {
            db: 0,
            now: context.now(),
            trace: None,
        };
        let sampler = context.tracing.sampler.fork();
        let scratch = scratch_of(&client);
        Self {
            watch: Watch::new(Arc::clone(&context.keyspace)),
            context,
            client,
            options,
            options_news,
            identity,
            caller,
            scratch,
            monitoring: None,
            has_left: false,
            error_was_counted: false,
            script_calls: BatchCalls::default(),
            script_nanos: 0,
            is_in_exec: false,
            is_in_script: false,
            ends_links: false,
            transaction: None,
            subscriptions: None,
            tracking: None,
            caching: false,
            announced_port: 0,
            is_forced_master: false,
            errand: None,
            stay: Stay::No,
            migration: None,
            saving: None,
            reply_mode: ReplyMode::On,
            trace: Trace::None,
            left: None,
            waits_in: None,
            last_write: Hlc::ZERO,
            owner_writes: Vec::new(),
            sampler,
        }
    }

    /// What stands in for it while it is away with a command.
    pub(super) fn stand_in(&self) -> Self {
        Self {
            watch: Watch::new(Arc::clone(&self.context.keyspace)),
            context: Arc::clone(&self.context),
            client: Arc::clone(&self.client),
            options: Arc::clone(&self.options),
            options_news: self.options_news.clone(),
            identity: self.identity.clone(),
            caller: self.caller,
            scratch: Scratch::default(),
            monitoring: None,
            has_left: false,
            error_was_counted: false,
            script_calls: BatchCalls::default(),
            script_nanos: 0,
            is_in_exec: false,
            is_in_script: false,
            ends_links: false,
            transaction: None,
            subscriptions: None,
            tracking: None,
            caching: false,
            announced_port: self.announced_port,
            is_forced_master: self.is_forced_master,
            errand: None,
            stay: Stay::No,
            migration: None,
            saving: None,
            reply_mode: self.reply_mode,
            trace: self.trace,
            left: None,
            waits_in: None,
            last_write: self.last_write,
            owner_writes: Vec::new(),
            sampler: self.sampler.fork(),
        }
    }

    /// Whether the last command left something for who waits.
    #[inline]
    pub fn has_ready(&self) -> bool {
        self.scratch
            .ready
            .as_ref()
            .is_some_and(|ready| !ready.is_empty())
    }

    /// The keys at which it did.
    pub fn take_ready(&mut self) -> Vec<Ready> {
        let ready = self.scratch.ready.as_mut();
        ready.map(std::mem::take).unwrap_or_default()
    }

    /// Takes up changed settings; true where there were any.
    #[inline]
    pub fn refresh_options(&mut self) -> bool {
        if !self.options_news.has_changed().unwrap_or(false) {
            return false;
        }
        self.options = Arc::clone(&self.options_news.borrow_and_update());
        true
    }

    /// Takes up changed rules of users.
    #[inline]
    pub fn refresh_identity(&mut self) {
        self.identity.refresh(&self.context.users, &self.client);
    }

    /// Whether data commands need no check at all: nothing is to be queued, refused, skipped or traced once.
    pub fn is_plain(&self) -> bool {
        self.identity.is_unlimited()
            && self.transaction.is_none()
            && self.context.monitors.is_empty()
            && !self.listens()
            && self.context.keyspace.gate.is_open()
            && self.reply_mode == ReplyMode::On
            && !matches!(self.trace, Trace::Once(_))
            && !self.is_read_only()
            && !self.is_kept_from_writing()
            && (self.options.replica_serve_stale_data || !self.is_replica())
            && !self
                .context
                .loading
                .load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether messages may come.
    #[inline]
    pub fn listens(&self) -> bool {
        self.subscriptions.is_some() || self.tracking.is_some()
    }

    /// Carries out one command whose row - that of the subcommand, where there are such - and number of arguments are right,
    /// with all checks.
    pub fn run(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        reply: &mut Reply,
    ) -> Fate {
        self.refresh_identity();
        self.error_was_counted = false;
        if let Some(text) = self.protection(row) {
            self.context.statistics.add_rejected(row);
            self.refuse(reply, |reply| reply.error(text));
            return Fate::Refused;
        }
        if self.transaction.is_some()
            && row.flags.has(Flags::NO_MULTI)
            && !self.identity.needs_auth()
        {
            self.context.statistics.add_rejected(row);
            self.refuse(reply, |reply| {
                reply.error("ERR Command not allowed inside a transaction");
            });
            return Fate::Refused;
        }
        if !self.identity.needs_auth()
            && let Err(denied) = self.identity.check(row, args)
        {
            return self.refuse_denied(denied, row, args, reply);
        }
        let is_exec = matches!(row.handler, Handler::Session(SessionCommand::Exec));
        let refusal = self.refusal(row);
        let refusal = refusal.or_else(|| self.monitor_refusal(row));
        let refusal = refusal.or_else(|| self.exec_refusal().filter(|_| is_exec));
        if let Some(text) = refusal {
            self.context.statistics.add_rejected(row);
            self.refuse_because(row, text, reply);
            return Fate::Refused;
        }
        if self.is_confined(row, reply.protocol()) {
            self.context.statistics.add_rejected(row);
            self.refuse_confined(row, reply);
            return Fate::Refused;
        }
        if (is_exec || self.has_owners())
            && let Some(fate) = self.run_elsewhere(row, args, reply)
        {
            return fate;
        }
        if self.transaction.is_some() && !runs_within_multi(row) {
            return self.queue(row, args, reply);
        }
        if let Some(text) = self.identity.limits_refusal(row, args) {
            reply.error(text);
            return Fate::Refused;
        }
        if let Some(tracking) = &self.tracking {
            self.scratch.tracks = tracking.remembers(self.caching);
        }
        if matches!(row.handler, Handler::Data(_)) {
            if row.flags.has(Flags::BLOCKING) {
                return Fate::Done(self.run_blocking(row, args, reply));
            }
            return Fate::Done(self.run_or_leave(row, args, first_hash, reply));
        }
        Fate::Done(self.run_own(row, args, reply))
    }

    /// Carries out a command that is not over data, which nothing speaks against.
    pub(super) fn run_own(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        match row.handler {
            Handler::Session(command) => self.run_session_command(command, row, args, reply),
            Handler::Server(command) => self.run_server_command(command, row, args, reply),
            Handler::Data(_) | Handler::Subcommands => {
                reply.error(errors::SYNTAX);
                After::Next
            }
        }
    }

    /// CLIENT CACHING is for the next command, or for the next transaction.
    pub(super) fn end_caching(&mut self, row: Option<&Row>) {
        let is_client =
            row.is_some_and(|row| matches!(row.handler, Handler::Session(SessionCommand::Client)));
        if self.caching && self.transaction.is_none() && !is_client {
            self.caching = false;
        }
    }

    fn queue(&mut self, row: &'static Row, args: Args<'_>, reply: &mut Reply) -> Fate {
        if let Some(transaction) = &mut self.transaction {
            transaction.queue(row, args);
            reply.queued();
        }
        Fate::Queued
    }

    /// What follows holds no partition.
    pub fn end_lap(&mut self, at: Instant) {
        self.scratch.laps.end(at, &self.context.keyspace.holds);
    }

    /// Writes down what scripts have called.
    pub(super) fn account_scripts(&mut self) {
        if !self.script_calls.is_empty() {
            let nanos = std::mem::take(&mut self.script_nanos);
            let statistics = &self.context.statistics;
            let is_tracking = self.options.latency_tracking;
            statistics.add_calls(&mut self.script_calls, nanos, is_tracking);
        }
    }

    /// Begins a batch: reads the clock once.
    pub fn begin_batch(&mut self, now: UnixMillis) {
        self.caller.now = self.context.keyspace.time(now);
        self.caller.trace = match self.trace {
            Trace::Sticky(bytes) => Some(bytes),
            Trace::None | Trace::Once(_) => None,
        };
    }

    /// Whether partitions watch something for it.
    pub fn is_watched_for(&self) -> bool {
        !self.watch.is_empty() || self.tracking.is_some()
    }

    /// Ends a transaction without running it.
    pub fn discard(&mut self) {
        self.transaction = None;
        self.watch.clear();
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // The session ended with the very command that wrote them.
        let ready = self.take_ready();
        self.context.keyspace.call_ready(&ready);
    }
}

/// The executor's memory for a client.
pub(super) fn scratch_of(client: &Client) -> Scratch {
    let mut scratch = Scratch::default();
    scratch.client = Some(client.id.0);
    scratch.ready = Some(Vec::new());
    scratch
}

/// Commands that are not queued between MULTI and EXEC.
fn runs_within_multi(row: &Row) -> bool {
    matches!(
        row.handler,
        Handler::Session(
            SessionCommand::Exec
                | SessionCommand::Discard
                | SessionCommand::Multi
                | SessionCommand::Watch
                | SessionCommand::Quit
                | SessionCommand::Reset
        )
    )
}
