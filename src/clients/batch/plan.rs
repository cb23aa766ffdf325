//! What a batch finds out about a command before any is carried out: its row, the hash of its key, whether it is a barrier, and
//! whether a pause concerns it.
//!
//! Invariant: nothing is carried out here, and nothing but the command's words and its row is asked.

use crate::clients::context::PauseMode;
use crate::clients::conversation::Conversation;
use crate::clients::transaction::Transaction;
use crate::commands::table::{Flags, Handler, Keys, Row, SessionCommand};
use crate::keyspace::Keyspace;
use crate::resp::{Args, ProtocolError};

/// The longest name that is remembered from one command to the next.
const NAME_LEN: usize = 16;
/// Where the first key stands that a script declares, behind their number.
const FIRST_DECLARED: usize = 3;

/// What phase one found out about a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A data command with a right number of arguments, and the hash of its key where it has one at argument 1.
    Data(&'static Row, Option<u64>),
    /// A command of the session or of the server, or a subcommand of such, with a right number of arguments; of a script the hash
    /// of the first key that it declares.
    Own(&'static Row, Option<u64>),
    /// A wrong number of arguments.
    WrongArity(&'static Row),
    /// No such subcommand.
    UnknownSubcommand,
    /// No such command.
    Unknown,
}

impl Step {
    /// As CLIENT LIST shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data(row, _) | Self::Own(row, _) | Self::WrongArity(row) => row.name,
            Self::UnknownSubcommand | Self::Unknown => "NULL",
        }
    }
}

/// From names to rows; remembers the last one, for pipelines of one kind.
#[derive(Debug)]
pub(super) struct Names {
    last_name: [u8; NAME_LEN],
    last_name_len: usize,
    last_row: Option<&'static Row>,
}

impl Names {
    pub fn new() -> Self {
        Self {
            last_name: [0; NAME_LEN],
            last_name_len: usize::MAX,
            last_row: None,
        }
    }

    #[inline]
    pub fn resolve(&mut self, args: Args<'_>, keyspace: &Keyspace) -> (Step, bool) {
        let name = args.name();
        let known = if name.len() == self.last_name_len && name == &self.last_name[..name.len()] {
            self.last_row
        } else {
            self.look_up(name)
        };
        let Some(row) = known else {
            return (Step::Unknown, false);
        };
        if !row.accepts(args.len()) {
            return (Step::WrongArity(row), false);
        }
        match row.handler {
            Handler::Data(_) => {
                let hash = match row.keys {
                    Keys::One | Keys::Sort | Keys::Stored { .. } | Keys::Range { first: 1, .. } => {
                        args.try_get(1).map(|key| keyspace.hash(key))
                    }
                    _ => None,
                };
                if row.may_block(args) {
                    // With all checks, and nothing behind it: it may wait.
                    return (Step::Own(row, None), true);
                }
                (Step::Data(row, hash), row.flags.has(Flags::BARRIER))
            }
            Handler::Session(
                SessionCommand::Ping | SessionCommand::Echo | SessionCommand::Publish,
            ) => (Step::Own(row, None), false),
            // One that leaves this thread comes back before the next command.
            Handler::Session(SessionCommand::Eval | SessionCommand::Fcall) => {
                let key = args.try_get(FIRST_DECLARED).filter(|_| args.get(2) != b"0");
                (Step::Own(row, key.map(|key| keyspace.hash(key))), false)
            }
            // Whatever its row says: these may change what the following bytes mean, or wait.
            Handler::Session(_) | Handler::Server(_) | Handler::Subcommands => {
                let step = match args.try_get(1).filter(|_| row.has_subcommands()) {
                    None => Step::Own(row, None),
                    Some(word) => match row.subcommand(word) {
                        None => Step::UnknownSubcommand,
                        Some(sub) if !sub.accepts(args.len()) => Step::WrongArity(sub),
                        Some(sub) if matches!(sub.handler, Handler::Data(_)) => {
                            return (Step::Data(sub, None), false);
                        }
                        Some(sub) => Step::Own(sub, None),
                    },
                };
                (step, true)
            }
        }
    }

    fn look_up(&mut self, name: &[u8]) -> Option<&'static Row> {
        let row = crate::commands::lookup(name);
        self.last_row = row;
        self.last_name_len = usize::MAX;
        if let Some(kept) = self.last_name.get_mut(..name.len()) {
            kept.copy_from_slice(name);
            self.last_name_len = name.len();
        }
        row
    }
}

/// How phase one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    /// All bytes were looked at; at least so many more are needed for another command.
    NeedsBytes(usize),
    /// There may be more commands behind the batch.
    Full,
    /// What follows the batch is no command.
    Fault(ProtocolError),
}

/// Whether a pause holds a command back. CLIENT UNPAUSE must get through.
pub(super) fn is_held(step: Step, pause: PauseMode, conversation: &Conversation) -> bool {
    let row = match step {
        Step::Data(row, _) | Step::Own(row, _) => Some(row),
        _ => None,
    };
    let is = |command| {
        row.is_some_and(|row| matches!(row.handler, Handler::Session(own) if own == command))
    };
    match pause {
        PauseMode::All => !is(SessionCommand::Client),
        PauseMode::Write if is(SessionCommand::Exec) => conversation
            .transaction
            .iter()
            .any(Transaction::may_replicate),
        PauseMode::Write => row.is_some_and(Row::may_replicate),
    }
}
