//! `MESH OWNED`, by which another node has a command carried out here, as it is read: a command that claims something, a script, a
//! transaction, WAIT for what an owner wrote, or a count of who hears messages.
//!
//! ```text
//! MESH OWNED <node> <host> <port> <db> <positions> <milliseconds> <protover> <command...>
//! ... PUBSUB NUMSUB <channel...>
//! ... AS <user> <rights> <EVAL or FCALL ...>
//! ... AS <user> <rights> EXEC <watched> (<db> <key> <digest>)... (<words> <word...>)...
//! ```
//!
//! Invariant: nothing is carried out of a request of which anything cannot be read, or whose keys are not this node's to hand out.

use std::time::Duration;

use crate::clients::conversation::{After, Conversation};
use crate::clients::errors;
use crate::clients::identity::Identity;
use crate::clients::owned::may_be_sent;
use crate::clients::owners::line_of;
use crate::clients::transaction::Transaction;
use crate::commands::registry::lookup_built_in;
use crate::commands::table::SessionCommand;
use crate::commands::{Handler, Row, claims};
use crate::replication::owner_link::{ITSELF, NOT_OWNER, Positions, parse_positions};
use crate::resp::{Args, Protocol, Reply, parse_i64, parse_u64};

/// Where the command stands.
pub(super) const COMMAND_AT: usize = 9;
/// Stands before the user and the rights of a client whose commands are to be judged here.
pub(super) const GUEST: &[u8] = b"as";
/// Where the command stands behind these.
pub(super) const GUEST_COMMAND_AT: usize = COMMAND_AT + 3;

const NO_COMMAND: &str = "ERR no such command, or a wrong number of its arguments";

/// A key that the asking node's client watches.
#[derive(Debug)]
pub(super) struct Watched {
    /// In which database.
    pub db: u32,
    /// Which.
    pub key: Vec<u8>,
    /// What it shows there.
    pub digest: u128,
}

/// What is to be carried out.
#[derive(Debug)]
pub(super) enum Call {
    /// A command that was checked where it was asked.
    Command,
    /// A script.
    Script(Box<Identity>),
    /// A transaction.
    Transaction(Box<Identity>, Vec<Watched>, Transaction),
}

/// What is to be carried out for another node.
#[derive(Debug)]
pub(super) struct Request {
    /// The command.
    pub row: &'static Row,
    /// What belongs to it.
    pub call: Call,
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

/// Whether another node counts who hears messages.
pub(super) fn is_count(row: &Row) -> bool {
    matches!(row.name, "pubsub|numsub" | "pubsub|shardnumsub")
}

/// A command by the names that every node knows.
pub(super) fn words_of(row: &Row, args: Args<'_>) -> Vec<Vec<u8>> {
    let mut words = args.to_vec();
    let name = row.name.split('|').next().unwrap_or_default();
    if let Some(word) = words.first_mut() {
        *word = name.as_bytes().to_vec();
    }
    words
}

/// The row that such words mean, where their number is right.
fn row_of(args: Args<'_>) -> Option<&'static Row> {
    let row = lookup_built_in(args.name())?;
    let row = match args.try_get(1).filter(|_| row.has_subcommands()) {
        Some(word) => row.subcommand(word)?,
        None => row,
    };
    row.accepts(args.len()).then_some(row)
}

fn number<T: TryFrom<u64>>(args: Args<'_>, at: usize) -> Option<T> {
    let number = args.try_get(at).and_then(parse_u64)?;
    T::try_from(number).ok()
}

/// The watched keys behind EXEC, and where the queue begins.
fn watched(args: Args<'_>) -> Option<(Vec<Watched>, usize)> {
    let count: usize = number(args, 1)?;
    let mut all = Vec::new();
    let mut at = 2;
    for _ in 0..count {
        let digest = std::str::from_utf8(args.try_get(at + 2)?).ok()?;
        all.push(Watched {
            db: number(args, at)?,
            key: args.try_get(at + 1)?.to_vec(),
            digest: u128::from_str_radix(digest, 16).ok()?,
        });
        at += 3;
    }
    Some((all, at))
}

/// The queue that begins there.
fn queue(args: Args<'_>, mut at: usize) -> Option<Transaction> {
    let mut transaction = Transaction::default();
    while at < args.len() {
        let len: usize = number(args, at)?;
        let end = (at + 1).checked_add(len).filter(|end| *end <= args.len())?;
        let own = args.range(at + 1..end);
        if own.is_empty() {
            return None;
        }
        transaction.queue(row_of(own)?, own);
        at = end;
    }
    (!transaction.spoilt).then_some(transaction)
}

impl Conversation {
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
        let node = u128::from_str_radix(&text(2), 16);
        if node == Ok(self.context.replication.origin().node.0) {
            return Err(format!("{ITSELF} this node asks itself"));
        }
        let db = number(args, 5).filter(|db| *db < self.options.databases);
        let positions = args.try_get(6).and_then(parse_positions);
        let (Ok(_), Some(db), Some(positions), Some(wait)) = (node, db, positions, number(args, 7))
        else {
            return Err(errors::SYNTAX.to_owned());
        };
        let protocol = match args.try_get(8).and_then(parse_i64) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            _ => return Err(errors::SYNTAX.to_owned()),
        };
        let command = args.skip(COMMAND_AT);
        let (row, call) = if command.name() == GUEST {
            self.guest_call(command)?
        } else {
            let row = row_of(command).filter(|row| !row.name.contains('|') || is_count(row));
            (row.ok_or(NO_COMMAND)?, Call::Command)
        };
        if let Some(text) = self.refusal(row) {
            // As if its client were connected here: loading, or a replica.
            return Err(text.to_owned());
        }
        let (host, port) = (text(3), number(args, 4));
        let is_mine = match &call {
            _ if is_wait(row) || is_count(row) => Some(true),
            Call::Command => self.owns(row, command, false, (&host, port)),
            Call::Script(_) => {
                let command = args.skip(GUEST_COMMAND_AT);
                self.owns(row, command, true, (&host, port))
            }
            Call::Transaction(_, watched, transaction) => {
                let keys = watched.iter().map(|watched| watched.key.as_slice());
                let mut is_mine = match transaction.may_replicate() {
                    true => self.owns_all(keys, true, (&host, port)),
                    false => None,
                };
                for queued in &transaction.queue {
                    if let Some(text) = self.refusal(queued.row) {
                        return Err(text.to_owned());
                    }
                    let claimed = queued.args.as_args();
                    if claims::is_script(queued.row) && self.only_reads(queued.row, claimed) {
                        continue;
                    }
                    let own = self.owns(queued.row, claimed, true, (&host, port));
                    is_mine = match (is_mine, own) {
                        (known, None) => known,
                        (known, Some(own)) => Some(own && known.unwrap_or(true)),
                    };
                }
                is_mine
            }
        };
        if is_mine != Some(true) {
            return Err(format!(
                "{NOT_OWNER} the node at {host}:{} does not own this key by its own queue-owner lines: \
                 all masters must have the same",
                text(4)
            ));
        }
        Ok(Request {
            row,
            call,
            db,
            positions,
            wait: Duration::from_millis(wait),
            protocol,
        })
    }

    /// What stands behind [`GUEST`].
    fn guest_call(&self, words: Args<'_>) -> Result<(&'static Row, Call), String> {
        let user = words.try_get(1).unwrap_or_default();
        let guest = Identity::guest(user, words.try_get(2).unwrap_or_default());
        let guest = Box::new(guest.ok_or("ERR the rights of the client are none of this server")?);
        let command = words.skip(3);
        let row = lookup_built_in(command.name()).ok_or(NO_COMMAND)?;
        if claims::is_script(row) && row.accepts(command.len()) {
            return Ok((row, Call::Script(guest)));
        }
        if !matches!(row.handler, Handler::Session(SessionCommand::Exec)) {
            return Err(NO_COMMAND.to_owned());
        }
        let read = watched(command).and_then(|(watched, at)| Some((watched, queue(command, at)?)));
        let (watched, transaction) = read.ok_or(NO_COMMAND)?;
        let mut queue = transaction.queue.iter();
        let databases = self.options.databases;
        if !queue.all(|queued| may_be_sent(queued.row))
            || watched.iter().any(|watched| watched.db >= databases)
        {
            return Err(NO_COMMAND.to_owned());
        }
        Ok((row, Call::Transaction(guest, watched, transaction)))
    }

    /// Whether what a command claims is this node's to hand out, whom the asking one knows by this address; none where it claims
    /// nothing, or only what is nobody's and may be so.
    fn owns(
        &self,
        row: &'static Row,
        command: Args<'_>,
        takes_nobodys: bool,
        address: (&str, Option<u16>),
    ) -> Option<bool> {
        let claimed = claims::keys(row, command);
        let keys = claimed.map(|at| command.try_get(at).unwrap_or_default());
        self.owns_all(keys, takes_nobodys, address)
    }

    fn owns_all<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]>,
        takes_nobodys: bool,
        (host, port): (&str, Option<u16>),
    ) -> Option<bool> {
        let mut is_mine = None;
        for key in keys {
            let Some(line) = line_of(&self.options.queue_owner, key) else {
                if takes_nobodys {
                    continue;
                }
                return Some(false);
            };
            let owner = self.context.owners.of(line);
            if line.host == host && port == Some(line.port) {
                // Whoever asks has come by this address.
                owner.found_itself();
            }
            if !owner.is_itself(&self.context, &self.options) {
                return Some(false);
            }
            is_mine = Some(true);
        }
        is_mine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::ArgsBuffer;

    fn read(words: &[&str]) -> Option<(Vec<Watched>, Transaction)> {
        let words = words.iter().map(|word| word.as_bytes());
        let buffer = ArgsBuffer::from_args(words).unwrap();
        let args = buffer.as_args();
        let (watched, at) = watched(args)?;
        Some((watched, queue(args, at)?))
    }

    #[test]
    fn a_transaction_is_read_with_what_is_watched() {
        let words = [
            "exec", "1", "3", "key", "ff", "2", "lpop", "a", "3", "object", "encoding", "a",
        ];
        let (watched, transaction) = read(&words).unwrap();
        assert_eq!(watched.len(), 1);
        let one = &watched[0];
        assert_eq!(
            (one.db, one.key.as_slice(), one.digest),
            (3, &b"key"[..], 255)
        );
        let names: Vec<&str> = transaction
            .queue
            .iter()
            .map(|queued| queued.row.name)
            .collect();
        assert_eq!(names, ["lpop", "object|encoding"]);
    }

    #[test]
    fn a_transaction_that_is_cut_off_or_holds_what_is_no_command_is_none() {
        for words in [
            &["exec"][..],
            &["exec", "1", "0", "key"],
            &["exec", "0", "2", "lpop"],
            &["exec", "0", "0"],
            &["exec", "0", "x", "lpop", "a"],
            &["exec", "0", "2", "no", "command"],
            &["exec", "0", "1", "lpop"],
            &["exec", "0", "18446744073709551615", "lpop", "a"],
        ] {
            assert!(read(words).is_none(), "{words:?}");
        }
    }
}
