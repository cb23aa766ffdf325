//! Commands whose keys have an owner, as far as no socket is concerned: which of them, which scripts and which transactions go to
//! another node.
//!
//! Invariant: what goes goes whole, to one owner; what one node would carry out and another one must not is refused before anything of
//! it is carried out. What another node has sent, and what has left its session's thread, goes nowhere.

use std::sync::Arc;

use crate::clients::conversation::{After, Conversation, Fate, ReplyMode};
use crate::clients::errors;
use crate::clients::owned_request::{GUEST, words_of};
use crate::clients::owners::{Owner, line_of};
use crate::commands::table::SessionCommand;
use crate::commands::{Flags, Handler, Row, claims};
use crate::config::Options;
use crate::resp::{Args, Reply};

/// Whether what a connection asks for may go to another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// It may.
    No,
    /// Another node has sent it.
    Guest,
    /// It is carried out as if no keys had owners: theirs is this node, or not reachable.
    Alone,
}

/// A command that goes to an owner.
#[derive(Debug)]
pub struct Errand {
    /// Who.
    pub owner: Arc<Owner>,
    /// What he is told, where that is not what the client has sent.
    pub words: Option<Vec<Vec<u8>>>,
}

/// Where a command is carried out.
#[derive(Debug)]
enum Place {
    Here,
    There(Arc<Owner>),
    /// Its keys do not agree.
    Nowhere,
}

/// Whose the keys are that something claims.
#[derive(Debug, Default)]
struct Found {
    there: Option<Arc<Owner>>,
    is_here: bool,
    is_nobodys: bool,
    is_torn: bool,
}

impl Found {
    fn add(&mut self, owner: Arc<Owner>) {
        match &self.there {
            None => self.there = Some(owner),
            Some(other) => self.is_torn |= owner.endpoint != other.endpoint,
        }
    }

    /// The keys of a part of what goes as one.
    fn join(&mut self, part: &Self, takes_nobodys: bool) {
        self.is_here |= part.is_here;
        match part.place(takes_nobodys) {
            Place::Here => {}
            Place::There(owner) => self.add(owner),
            Place::Nowhere => self.is_torn = true,
        }
    }

    /// A single command is carried out where all its keys are to be; of what may touch other keys as well, those that are nobody's
    /// may be written anywhere.
    fn place(&self, takes_nobodys: bool) -> Place {
        let is_here = self.is_here || self.is_nobodys && !takes_nobodys;
        match &self.there {
            None => Place::Here,
            Some(_) if self.is_torn || is_here => Place::Nowhere,
            Some(owner) => Place::There(Arc::clone(owner)),
        }
    }
}

/// Whether a queued command can be carried out for another node's client: it is about keys, or about nothing.
pub(super) fn may_be_sent(row: &Row) -> bool {
    match row.handler {
        Handler::Data(_) => true,
        Handler::Session(command) => matches!(
            command,
            SessionCommand::Echo
                | SessionCommand::Eval
                | SessionCommand::Fcall
                | SessionCommand::Ping
                | SessionCommand::Publish
        ),
        Handler::Server(_) | Handler::Subcommands => false,
    }
}

impl Conversation {
    /// Whether any keys have owners.
    #[inline]
    pub(super) fn has_owners(&self) -> bool {
        !self.options.queue_owner.is_empty() && self.stay != Stay::Alone
    }

    /// Whether a command is not for this node alone; asked where some keys have owners.
    pub(super) fn is_owned_elsewhere(&self, row: &'static Row, args: Args<'_>) -> bool {
        !matches!(self.place(&self.options, row, args), Place::Here)
    }

    /// Why a transaction that is not to be sent is not carried out here, if so: owners have changed since its commands were queued.
    pub(super) fn owner_refusal(&self) -> Option<&'static str> {
        if !self.has_left || self.stay != Stay::No {
            return None;
        }
        // As of now: the pipeline may have begun long ago.
        let options = self.context.configuration.options();
        if options.queue_owner.is_empty() {
            return None;
        }
        let queue = self.transaction.as_ref()?.queue.iter();
        // What scripts do is looked at when they do it.
        let mut commands = queue.filter(|queued| !claims::is_script(queued.row));
        commands.find_map(
            |queued| match self.place(&options, queued.row, queued.args.as_args()) {
                Place::Here => None,
                Place::Nowhere => Some(errors::CROSSOWNER),
                Place::There(_) => Some(errors::OWNED_IN_MULTI),
            },
        )
    }

    fn found(&self, options: &Options, row: &'static Row, args: Args<'_>) -> Found {
        let claimed = claims::keys(row, args);
        self.found_of(
            options,
            claimed.map(|at| args.try_get(at).unwrap_or_default()),
        )
    }

    fn found_of<'k>(&self, options: &Options, keys: impl Iterator<Item = &'k [u8]>) -> Found {
        let mut found = Found::default();
        for key in keys {
            let Some(line) = line_of(&options.queue_owner, key) else {
                found.is_nobodys = true;
                continue;
            };
            let owner = self.context.owners.of(line);
            if owner.is_itself(&self.context, options) {
                found.is_here = true;
            } else {
                found.add(owner);
            }
        }
        found
    }

    fn place(&self, options: &Options, row: &'static Row, args: Args<'_>) -> Place {
        let found = self.found(options, row, args);
        found.place(claims::is_script(row))
    }

    /// Sends a command on its way to the owner of its keys, where that is another node.
    pub(super) fn run_elsewhere(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> Option<Fate> {
        if self.stay != Stay::No || self.has_left {
            return None;
        }
        if matches!(row.handler, Handler::Session(SessionCommand::Exec)) {
            return self.exec_elsewhere(row, reply);
        }
        let owner = match self.place(&self.options, row, args) {
            Place::Here => return None,
            Place::Nowhere => {
                self.context.statistics.add_rejected(row);
                self.refuse(reply, |reply| reply.error(errors::CROSSOWNER));
                return Some(Fate::Refused);
            }
            // EXEC sends it.
            Place::There(_) if self.transaction.is_some() => return None,
            Place::There(owner) => owner,
        };
        if !claims::is_script(row) {
            return Some(self.send(owner, None));
        }
        if self.only_reads(row, args) || self.is_read_only() || self.is_cut_off() {
            // Carried out here, or refused here.
            return None;
        }
        self.show_monitors_whatever(args);
        let mut words = self.guest_words();
        words.extend(self.words_there(row, args));
        Some(self.send(owner, Some(words)))
    }

    fn send(&mut self, owner: Arc<Owner>, words: Option<Vec<Vec<u8>>>) -> Fate {
        self.errand = Some(Errand { owner, words });
        let is_answered = self.reply_mode == ReplyMode::On;
        Fate::Done(After::Forward { is_answered })
    }

    /// For whom an owner carries something out that looks at rights itself.
    fn guest_words(&self) -> Vec<Vec<u8>> {
        let name = self.identity.name().to_vec();
        vec![GUEST.to_vec(), name, self.identity.rights()]
    }

    /// Whether a call runs a script that says of itself that it writes nothing, or one that cannot be run at all.
    pub(super) fn only_reads(&self, row: &Row, args: Args<'_>) -> bool {
        let scripts = &self.context.scripts;
        match row.name {
            "fcall" => scripts.only_reads_function(args.get(1)),
            "evalsha" => {
                let code = scripts.code_of(args.get(1));
                code.is_none_or(|code| scripts.only_reads(&code))
            }
            _ => scripts.only_reads(args.get(1)),
        }
    }

    /// A command as another node knows it: a script by its text, where that is known here.
    fn words_there(&self, row: &Row, args: Args<'_>) -> Vec<Vec<u8>> {
        let mut words = words_of(row, args);
        if row.name == "evalsha"
            && let Some(code) = self.context.scripts.code_of(args.get(1))
        {
            words.splice(..2, [b"eval".to_vec(), code.to_vec()]);
        }
        words
    }

    /// Sends a transaction on its way to the owner of the keys that it claims something of, where that is another node.
    fn exec_elsewhere(&mut self, row: &'static Row, reply: &mut Reply) -> Option<Fate> {
        // As of now: the pipeline may have begun long ago.
        let options = self.context.configuration.options();
        let transaction = self.transaction.as_ref()?;
        if options.queue_owner.is_empty() || transaction.spoilt {
            return None;
        }
        let mut all = Found::default();
        if transaction.may_replicate() {
            // That it is carried out tells its client that nobody else was before it.

            all.join(&self.found_of(&options, self.watch.keys()), true);
        }
        for queued in &transaction.queue {
            let (row, args) = (queued.row, queued.args.as_args());
            if claims::is_script(row) && self.only_reads(row, args) {
                continue;
            }
            let found = self.found(&options, row, args);
            all.join(&found, claims::is_script(row));
        }
        if all.is_torn && all.there.is_none() {
            return Some(self.refuse_exec(row, errors::CROSSOWNER, reply));
        }
        let owner = match all.place(true) {
            Place::Here => return None,
            Place::Nowhere => return Some(self.refuse_exec(row, errors::CROSSOWNER, reply)),
            Place::There(owner) => owner,
        };
        let mut queue = transaction.queue.iter();
        if let Some(queued) = queue.find(|queued| !may_be_sent(queued.row)) {
            let text = format!(
                "ERR '{}' is not allowed inside a transaction that another master carries out, the queue-owner of its keys",
                queued.row.name
            );
            return Some(self.refuse_exec(row, &text, reply));
        }
        // Before it is looked whether any has changed: so these are as WATCH saw them.
        let watched = self.watch.digests(self.caller.now);
        if self.watch.has_changed() || self.watch.has_expired(&self.caller) {
            self.discard();
            reply.null_array();
            return Some(Fate::Done(After::Next));
        }
        let mut words = self.guest_words();
        words.push(row.name.as_bytes().to_vec());
        words.push(watched.len().to_string().into_bytes());
        for (db, key, digest) in watched {
            words.extend([db.to_string().into(), key, format!("{digest:x}").into()]);
        }
        for queued in &transaction.queue {
            let own = self.words_there(queued.row, queued.args.as_args());
            words.push(own.len().to_string().into_bytes());
            words.extend(own);
        }
        Some(self.send(owner, Some(words)))
    }

    fn refuse_exec(&mut self, row: &'static Row, text: &str, reply: &mut Reply) -> Fate {
        self.context.statistics.add_rejected(row);
        self.refuse_because(row, text, reply);
        Fate::Refused
    }

    /// Carries out a command here, whoever owns its keys.
    pub(super) fn run_here(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        if !matches!(row.handler, Handler::Data(_)) {
            return match self.run(row, args, None, reply) {
                Fate::Done(after) => after,
                Fate::Queued | Fate::Refused => After::Next,
            };
        }
        if row.flags.has(Flags::BLOCKING) {
            return self.run_blocking(row, args, reply);
        }
        self.run_data(row, args, None, reply);
        After::Next
    }
}
