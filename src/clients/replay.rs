//! RREPLAY: commands that a server of a KeyDB mesh has carried out, wrapped as it sends them to those that follow it. What is carried
//! out here is a write of this node: other masters get it, with a stamp of this node's.
//!
//! Of every origin it is known how far it has come, since what it sends may come by several ways, and which transaction it has begun,
//! since KeyDB sends MULTI, what is between, and EXEC one by one.
//!
//! Invariant: of an origin no command is carried out whose number is not above the last one's, and of this node none at all.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clients::conversation::{After, Conversation, ReplyMode, scratch_of};
use crate::clients::replication_commands::parse_uuid;
use crate::clients::transaction::Transaction;
use crate::commands::table::{ServerCommand, SessionCommand};
use crate::commands::{Flags, Handler, Row, registry};
use crate::resp::{Args, Reply, Span, Split, Splitter, parse_i64, parse_u64};

/// How deep one RREPLAY may lie in others: each node that hands a command on wraps it once more.
const NESTING_MAX: usize = 64;
/// The most origins of which something is remembered.
const ORIGINS_MAX: usize = 1024;
/// The most bytes of a transaction that has not ended, as the query buffer of a client that queues one.
const TRANSACTION_MAX: usize = 1024 * 1024 * 1024;

const NOT_EXECUTED: &str = "ERR command did not execute";

/// What is known of the origins.
#[derive(Debug, Default)]
pub struct Replayed(Mutex<HashMap<u128, Origin>>);

#[derive(Debug, Default)]
struct Origin {
    /// The number of its last command; 0 for none. Numbers rise.
    last: u64,
    /// It has said MULTI.
    transaction: Option<Transaction>,
}

/// Why nothing was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The reply says why.
    Refused(&'static str),
    /// The words in it are no commands: nothing that follows on the connection can be trusted.
    Broken,
}

/// The words of one RREPLAY.
struct Wrapped<'a> {
    origin: u128,
    commands: &'a [u8],
    db: Option<u32>,
    /// 0 where none is said.
    number: u64,
}

impl<'a> Wrapped<'a> {
    fn parse(args: Args<'a>, databases: u32) -> Result<Self, Fault> {
        let origin = parse_uuid(args.get(1)).ok_or(Fault::Refused("ERR Expected UUID arg1"))?;
        let db = args.try_get(3).map(|text| {
            let db = parse_i64(text).and_then(|db| u32::try_from(db).ok());
            db.filter(|db| *db < databases)
                .ok_or(Fault::Refused("ERR Invalid database ID"))
        });
        let number = args
            .try_get(4)
            .map(|text| parse_u64(text).ok_or(Fault::Refused("ERR Invalid MVCC Timestamp")));
        Ok(Self {
            origin,
            commands: args.get(2),
            db: db.transpose()?,
            number: number.transpose()?.unwrap_or_default(),
        })
    }
}

impl Conversation {
    /// RREPLAY. It leaves the session's thread, for what is in it may be a script.
    pub(super) fn replay_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        if !self.is_forced_master {
            reply.error("ERR Command must be sent from a master");
            return After::Next;
        }
        if !self.has_left {
            return After::Script {
                is_answered: self.reply_mode == ReplyMode::On,
            };
        }
        let context = Arc::clone(&self.context);
        let mut carrier = self.stand_in();
        carrier.has_left = true;
        carrier.reply_mode = ReplyMode::On;
        carrier.scratch = scratch_of(&self.client);
        let mut replay = Replay {
            origins: &mut context.replayed.0.lock(),
            own: context.replication.origin().node.0,
            carrier,
            depth: 0,
        };
        let outcome = replay.replay(args);
        self.caller.db = replay.carrier.caller.db;
        self.last_write = self.last_write.max(replay.carrier.last_write);
        match outcome {
            Ok(()) => reply.ok(),
            Err(Fault::Refused(text)) => reply.error(text),
            Err(Fault::Broken) => {
                tracing::warn!("RREPLAY holds what is no command; the connection is closed");
                reply.error(NOT_EXECUTED);
                return After::Close;
            }
        }
        After::Next
    }
}

/// One RREPLAY as it goes.
struct Replay<'o> {
    origins: &'o mut HashMap<u128, Origin>,
    /// This node.
    own: u128,
    /// Who carries the commands out.
    carrier: Conversation,
    depth: usize,
}

impl Replay<'_> {
    fn replay(&mut self, args: Args<'_>) -> Result<(), Fault> {
        let databases = self.carrier.context.keyspace.databases();
        let wrapped = Wrapped::parse(args, databases)?;
        if let Some(db) = wrapped.db {
            self.carrier.caller.db = db;
        }
        if wrapped.origin == self.own || self.depth == NESTING_MAX {
            return Ok(());
        }
        if self.origins.len() >= ORIGINS_MAX && !self.origins.contains_key(&wrapped.origin) {
            return Err(Fault::Refused("ERR too many origins were replayed"));
        }
        let origin = self.origins.entry(wrapped.origin).or_default();
        if wrapped.number != 0 && wrapped.number <= origin.last {
            return Ok(());
        }
        let mut transaction = origin.transaction.take();
        self.depth += 1;
        let ran = self.carry_out(wrapped.commands, &mut transaction);
        self.depth -= 1;
        let is_open = transaction.is_some();
        let origin = self.origins.entry(wrapped.origin).or_default();
        origin.transaction = transaction;
        if !(ran? || is_open) {
            return Err(Fault::Refused(NOT_EXECUTED));
        }
        origin.last = origin.last.max(wrapped.number);
        Ok(())
    }

    /// Carries out all commands that these bytes are; says whether one was.
    fn carry_out(&mut self, bytes: &[u8], open: &mut Option<Transaction>) -> Result<bool, Fault> {
        let mut bytes = bytes.to_vec();
        let mut splitter = Splitter::new();
        let max = self.carrier.options.proto_max_bulk_len;
        splitter.set_max_bulk_len(usize::try_from(max).unwrap_or(usize::MAX));
        let (mut at, mut spans, mut commands) = (0, Vec::<Span>::new(), Vec::new());
        loop {
            match splitter.next(&mut bytes, &mut at, &mut spans) {
                Ok(Split::Command { first_span, argc }) => commands.push((first_span, argc)),
                Ok(Split::Incomplete { .. }) if at == bytes.len() && !splitter.in_command() => {
                    break;
                }
                Ok(Split::Incomplete { .. }) | Err(_) => return Err(Fault::Broken),
            }
        }
        let mut ran = false;
        for (first, argc) in commands {
            let args = Args::new(&bytes, &spans[first..first + argc]);
            ran |= self.one(args, open);
        }
        Ok(ran)
    }

    /// Carries out one command, or queues it; says whether it came to that. One that does not spoils the transaction.
    fn one(&mut self, args: Args<'_>, open: &mut Option<Transaction>) -> bool {
        let Some(row) = self.row_of(args) else {
            if let Some(transaction) = open {
                transaction.spoilt = true;
            }
            let command = String::from_utf8_lossy(args.name()).into_owned();
            tracing::warn!(command, "a replayed command was not carried out");
            return false;
        };
        match row.handler {
            Handler::Session(SessionCommand::Rreplay) => {
                if let Err(fault) = self.replay(args) {
                    tracing::warn!(?fault, "a replayed command was not carried out");
                }
            }
            Handler::Session(SessionCommand::Multi) => {
                open.get_or_insert_default();
            }
            Handler::Session(SessionCommand::Discard) => *open = None,
            Handler::Session(SessionCommand::Exec) => {
                if let Some(transaction) = open.take() {
                    self.execute(transaction);
                }
            }
            // A question of how far it has come, which this is no answer to.
            Handler::Server(ServerCommand::Replconf) => {}
            _ => match open {
                Some(transaction) if transaction.bytes > TRANSACTION_MAX => {
                    transaction.spoilt = true;
                }
                Some(transaction) => transaction.queue(row, args),
                None => {
                    let mut transaction = Transaction::default();
                    transaction.queue(row, args);
                    self.execute(transaction);
                }
            },
        }
        true
    }

    /// The row of a command that may be carried out. Names are those of other servers: none is renamed.
    fn row_of(&self, args: Args<'_>) -> Option<&'static Row> {
        let row = registry::lookup_built_in(args.name())?;
        let row = match args.try_get(1) {
            Some(word) if row.has_subcommands() => row.subcommand(word)?,
            _ => row,
        };
        let is_allowed = row.accepts(args.len())
            && is_replayed(row)
            && self.carrier.identity.check(row, args).is_ok()
            && self.carrier.refusal(row).is_none();
        is_allowed.then_some(row)
    }

    fn execute(&mut self, transaction: Transaction) {
        let names: Vec<&str> = transaction.queue.iter().map(|one| one.row.name).collect();
        let mut reply = Reply::new(crate::resp::Protocol::Resp2);
        self.carrier.transaction = Some(transaction);
        self.carrier.exec(&mut reply);
        self.carrier.transaction = None;
        // Of several the log would have to read all replies.
        let said = reply.as_bytes();
        let error = said
            .strip_prefix(b"*1\r\n")
            .unwrap_or(said)
            .strip_prefix(b"-");
        if let Some(error) = error {
            let error = String::from_utf8_lossy(error.trim_ascii_end()).into_owned();
            tracing::warn!(?names, error, "a replayed command failed");
        }
    }
}

/// Whether a server sends this to those that follow it.
fn is_replayed(row: &Row) -> bool {
    match row.handler {
        Handler::Data(_) => !row.flags.has(Flags::NO_MULTI),
        Handler::Session(command) => matches!(
            command,
            SessionCommand::Discard
                | SessionCommand::Echo
                | SessionCommand::Eval
                | SessionCommand::Exec
                | SessionCommand::Fcall
                | SessionCommand::Multi
                | SessionCommand::Ping
                | SessionCommand::Publish
                | SessionCommand::Rreplay
                | SessionCommand::Select
        ),
        Handler::Server(command) => matches!(
            command,
            ServerCommand::Function
                | ServerCommand::Lfence
                | ServerCommand::Replconf
                | ServerCommand::Replping
                | ServerCommand::Script
        ),
        Handler::Subcommands => false,
    }
}
