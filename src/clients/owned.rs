//! Commands whose keys have an owner, as far as no socket is concerned: which go to another node, and `MESH OWNED`, by which another
//! node has one carried out here.

use std::sync::Arc;
use std::time::Duration;

use crate::clients::conversation::{After, Conversation, Fate, ReplyMode};
use crate::clients::errors;
use crate::clients::owners::{Owner, line_of};
use crate::commands::registry::lookup_built_in;
use crate::commands::table::SessionCommand;
use crate::commands::{Flags, Handler, Row, claims};
use crate::config::Options;
use crate::replication::owner_link::{ITSELF, NOT_OWNER, Positions, parse_positions};
use crate::resp::{Args, Protocol, Reply, parse_i64, parse_u64};

/// Where the command stands behind `MESH OWNED <node> <host> <port> <db> <positions> <milliseconds> <protover>`.
pub(super) const COMMAND_AT: usize = 9;

/// Where a command is carried out.
#[derive(Debug)]
enum Place {
    Here,
    There(Arc<Owner>),
    /// Its keys do not agree.
    Nowhere,
}

/// A command that is to be carried out for another node.
#[derive(Debug)]
pub(super) struct Request {
    /// What it is.
    pub row: &'static Row,
    /// In which database.
    pub db: u32,
    /// What is to be here before.
    pub positions: Positions,
    /// How long it may wait.
    pub wait: Duration,
    /// The language of its reply.
    pub protocol: Protocol,
}

/// Whether an owner is asked who has what it wrote.
pub(super) fn is_wait(row: &Row) -> bool {
    matches!(row.handler, Handler::Session(SessionCommand::Wait))
}

impl Conversation {
    /// Whether any keys have owners.
    #[inline]
    pub(super) fn has_owners(&self) -> bool {
        !self.options.queue_owner.is_empty()
    }

    /// Whether a command is not for this node alone; asked where some keys have owners.
    pub(super) fn is_owned_elsewhere(&self, row: &'static Row, args: Args<'_>) -> bool {
        !matches!(self.place(&self.options, row, args), Place::Here)
    }

    /// Why a transaction is not carried out here, if so: owners have changed since its commands were queued.
    pub(super) fn owner_refusal(&self) -> Option<&'static str> {
        // As of now: the pipeline may have begun long ago.
        let options = self.context.configuration.options();
        if options.queue_owner.is_empty() {
            return None;
        }
        let mut queue = self.transaction.as_ref()?.queue.iter();
        queue.find_map(
            |queued| match self.place(&options, queued.row, queued.args.as_args()) {
                Place::Here => None,
                Place::Nowhere => Some(errors::CROSSOWNER),
                Place::There(_) => Some(errors::OWNED_IN_MULTI),
            },
        )
    }

    fn place(&self, options: &Options, row: &'static Row, args: Args<'_>) -> Place {
        let mut there: Option<Arc<Owner>> = None;
        let mut is_here = false;
        for at in claims::keys(row, args) {
            let key = args.try_get(at).unwrap_or_default();
            let line = line_of(&options.queue_owner, key);
            let owner = line.map(|line| self.context.owners.at(line));
            let owner = owner.filter(|owner| !owner.is_itself(&self.context, options));
            match (owner, &there) {
                (None, _) => is_here = true,
                (Some(owner), None) => there = Some(owner),
                (Some(owner), Some(other)) if owner.endpoint != other.endpoint => {
                    return Place::Nowhere;
                }
                _ => {}
            }
        }
        match there {
            None => Place::Here,
            Some(_) if is_here => Place::Nowhere,
            Some(owner) => Place::There(owner),
        }
    }

    /// Sends a command on its way to the owner of its keys, where that is another node.
    pub(super) fn run_elsewhere(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> Option<Fate> {
        let text = match self.place(&self.options, row, args) {
            Place::Here => return None,
            Place::Nowhere => errors::CROSSOWNER,
            Place::There(_) if self.transaction.is_some() => errors::OWNED_IN_MULTI,
            Place::There(owner) => {
                self.owner = Some(owner);
                let is_answered = self.reply_mode == ReplyMode::On;
                return Some(Fate::Done(After::Forward { is_answered }));
            }
        };
        self.context.statistics.add_rejected(row);
        self.refuse(reply, |reply| reply.error(text));
        Some(Fate::Refused)
    }

    /// Carries out a command over data here, whoever owns its keys.
    pub(super) fn run_here(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        if row.flags.has(Flags::BLOCKING) {
            return self.run_blocking(row, args, reply);
        }
        self.run_data(row, args, None, reply);
        After::Next
    }

    /// `MESH OWNED`: nothing is carried out yet, but all is checked.
    pub(super) fn owned(&self, args: Args<'_>, reply: &mut Reply) -> After {
        match self.check_owned(args) {
            Ok(_) => After::Owned,
            Err(text) => {
                reply.error(&text);
                After::Next
            }
        }
    }

    /// Reads `MESH OWNED`; the error is what to reply.
    pub(super) fn check_owned(&self, args: Args<'_>) -> Result<Request, String> {
        let text = |at: usize| String::from_utf8_lossy(args.try_get(at).unwrap_or_default());
        let number = |at: usize| args.try_get(at).and_then(parse_u64);
        let node = u128::from_str_radix(&text(2), 16);
        if node == Ok(self.context.replication.origin().node.0) {
            return Err(format!("{ITSELF} this node asks itself"));
        }
        let db = number(5).and_then(|db| u32::try_from(db).ok());
        let db = db.filter(|db| *db < self.options.databases);
        let positions = args.try_get(6).and_then(parse_positions);
        let (Ok(_), Some(db), Some(positions), Some(wait)) = (node, db, positions, number(7))
        else {
            return Err(errors::SYNTAX.to_owned());
        };
        let protocol = match args.try_get(8).and_then(parse_i64) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            _ => return Err(errors::SYNTAX.to_owned()),
        };
        let command = args.skip(COMMAND_AT);
        let row = lookup_built_in(command.name()).filter(|row| row.accepts(command.len()));
        let row = row.ok_or("ERR no such command, or a wrong number of its arguments")?;
        if let Some(text) = self.refusal(row) {
            // As if its client were connected here: loading, or a replica.
            return Err(text.to_owned());
        }
        if is_wait(row) {
            return Ok(Request {
                row,
                db,
                positions,
                wait: Duration::from_millis(wait),
                protocol,
            });
        }
        let (host, port) = (text(3), number(4));
        let mut claimed = claims::keys(row, command).peekable();
        let is_one = claimed.peek().is_some();
        let owns = |at: usize| {
            let key = command.try_get(at).unwrap_or_default();
            let Some(line) = line_of(&self.options.queue_owner, key) else {
                return false;
            };
            let owner = self.context.owners.at(line);
            if line.host == host && port == Some(u64::from(line.port)) {
                // Whoever asks has come by this address.
                owner.found_itself();
            }
            owner.is_itself(&self.context, &self.options)
        };
        if !is_one || !claimed.all(owns) {
            return Err(format!(
                "{NOT_OWNER} the node at {host}:{} does not own this key by its own queue-owner lines: \
                 all masters must have the same",
                text(4)
            ));
        }
        Ok(Request {
            row,
            db,
            positions,
            wait: Duration::from_millis(wait),
            protocol,
        })
    }
}
