//! The command table: a row per command says its name, arity, flags, keys and handler. Everything that wants to know about a
//! command - ACL, COMMAND, batching, locking, stamps - reads its row; there is no second list.

use crate::commands::call::DataCall;
use crate::commands::docs::{Categories, Docs};
use crate::commands::keys::migrate;
use crate::commands::{errors, geo, sort, streams};
use crate::resp::{Args, Reply, parse_i64};

/// Which arguments are keys. Argument 0 is the command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// None.
    None,
    /// One key, at argument 1.
    One,
    /// From argument `first`, every `step`-th, up to `last` (negative: from the end, -1 is the last argument).
    Range {
        /// The first key.
        first: u16,
        /// The last key.
        last: i16,
        /// The distance between keys.
        step: u16,
    },
    /// Their number at argument `count`, and behind it the keys; where `has_destination` is set, argument 1 is one, too.
    Counted {
        /// Where their number is.
        count: u16,
        /// Argument 1 is a key that is written.
        has_destination: bool,
    },
    /// One at argument 1 and, of a command that writes, one behind the last `STORE`. Where there is a `BY` or a `GET`, all partitions are locked.
    Sort,
    /// One at argument 1, and those behind `STORE` and `STOREDIST`, which may stand from this argument on.
    Stored {
        /// Where options begin.
        from: u16,
    },
    /// The first half of those behind the word `STREAMS`, which may stand from this argument on.
    Streams {
        /// Where it may stand at first.
        from: u16,
    },
    /// One at argument 3 or, where that is empty, those behind `KEYS`.
    Migrate,
    /// The command looks at whole databases: all partitions are locked.
    All,
    /// The command walks with a cursor at this argument, which names the one partition to lock.
    Cursor(u16),
}

/// What a command is like, in Redis's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// May change data.
    pub const WRITE: Self = Self(1);
    /// Never changes data.
    pub const READONLY: Self = Self(1 << 1);
    /// May use more memory.
    pub const DENYOOM: Self = Self(1 << 2);
    /// O(1) or O(log n).
    pub const FAST: Self = Self(1 << 3);
    /// For operators.
    pub const ADMIN: Self = Self(1 << 4);
    /// Refused in scripts.
    pub const NOSCRIPT: Self = Self(1 << 5);
    /// Answered while loading.
    pub const LOADING: Self = Self(1 << 6);
    /// Answered on a replica without its master.
    pub const STALE: Self = Self(1 << 7);
    /// Not shown by MONITOR.
    pub const SKIP_MONITOR: Self = Self(1 << 8);
    /// Not in the slow log.
    pub const SKIP_SLOWLOG: Self = Self(1 << 9);
    /// Allowed before AUTH.
    pub const NO_AUTH: Self = Self(1 << 10);
    /// May wait.
    pub const BLOCKING: Self = Self(1 << 11);
    /// Refused within MULTI.
    pub const NO_MULTI: Self = Self(1 << 12);
    /// The request splitter's batch ends before and after it.
    pub const BARRIER: Self = Self(1 << 13);
    /// Not for a replica that follows.
    pub const NO_ASYNC_LOADING: Self = Self(1 << 14);
    /// Allowed while the server is busy.
    pub const ALLOW_BUSY: Self = Self(1 << 15);
    /// May bring about something on other nodes although it is no write.
    pub const MAY_REPLICATE: Self = Self(1 << 16);

    /// Its work is bounded by its arguments, though Redis does not call it fast.
    pub const BRIEF: Self = Self(1 << 17);
    /// Of channels, not of data.
    pub const PUBSUB: Self = Self(1 << 18);
    /// Which arguments are keys depends on others.
    pub const MOVABLE_KEYS: Self = Self(1 << 19);
    /// May read all elements of its keys, and looks at nothing but those.
    pub const WHOLE: Self = Self(1 << 20);
    /// What it stores may be computed ahead: see [`crate::commands::whole`].
    pub const AHEAD: Self = Self(1 << 21);
    /// It has keys, and a call may have none.
    pub const NO_MANDATORY_KEYS: Self = Self(1 << 22);

    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are there.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is there.
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How many stamps a call can need at most, known before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    /// It changes nothing.
    None,
    /// This many.
    Fixed(u32),
    /// One per argument.
    PerArgument,
    /// One per database.
    PerDatabase,
}

/// Who carries a command out.
#[derive(Clone, Copy)]
pub enum Handler {
    /// A function over partitions.
    Data(fn(&mut DataCall<'_, '_>)),
    /// The session: its own state, its transaction, its name.
    Session(SessionCommand),
    /// The server: configuration, clients, links.
    Server(ServerCommand),
    /// Nobody: its subcommands are functions over partitions.
    Subcommands,
}

/// Commands of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the command of that name")]
pub enum SessionCommand {
    Auth,
    Client,
    Discard,
    Echo,
    Eval,
    Exec,
    Fcall,
    Hello,
    Migrate,
    Monitor,
    Multi,
    Ping,
    Publish,
    Pubsub,
    Quit,
    Reset,
    Rreplay,
    Select,
    Subscribe,
    Unsubscribe,
    Unwatch,
    Wait,
    Waitaof,
    Watch,
}

/// Commands of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the command of that name")]
pub enum ServerCommand {
    Acl,
    Cluster,
    Command,
    Config,
    Debug,
    Failover,
    Function,
    Info,
    Latency,
    Lfence,
    Link,
    Lolwut,
    Memory,
    Mesh,
    Module,
    Persistence,
    Psync,
    Replconf,
    Replicaof,
    Replping,
    Role,
    Script,
    Shutdown,
    Slowlog,
    Time,
}

/// One command.
pub struct Row {
    /// Lower case.
    pub name: &'static str,
    /// Number of arguments with the name; negative: at least that many.
    pub arity: i16,
    /// What it is like.
    pub flags: Flags,
    /// Where its keys are.
    pub keys: Keys,
    /// How many stamps it may need.
    pub stamps: Stamps,
    /// Who carries it out.
    pub handler: Handler,
    /// What COMMAND and ACL say of it.
    pub docs: &'static Docs,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Row {
    /// Whether `argc` arguments, the name counted, are right.
    #[inline]
    pub fn accepts(&self, argc: usize) -> bool {
        if self.arity >= 0 {
            argc == self.arity as usize
        } else {
            argc >= self.arity.unsigned_abs() as usize
        }
    }

    /// Whether a call may wait for what it seeks; of streams only one that says so.
    #[inline]
    pub fn may_block(&self, args: Args<'_>) -> bool {
        let says_so = || args.iter().any(|word| word.eq_ignore_ascii_case(b"block"));
        self.flags.has(Flags::BLOCKING) && (!matches!(self.keys, Keys::Streams { .. }) || says_so())
    }

    /// Whether its work is bounded by its arguments.
    #[inline]
    pub const fn is_brief(&self) -> bool {
        self.flags.0 & (Flags::FAST.0 | Flags::BRIEF.0) != 0
    }

    /// Whether it reads, and writes down within the value what it found, where it may.
    #[inline]
    pub fn takes_notes(&self) -> bool {
        self.stamps != Stamps::None && self.flags.has(Flags::READONLY)
    }

    /// Whether it may bring about something on other nodes.
    pub fn may_replicate(&self) -> bool {
        self.flags.has(Flags::WRITE) || self.flags.has(Flags::MAY_REPLICATE)
    }

    /// All its ACL categories: those its flags imply and those its docs add.
    pub fn categories(&self) -> Categories {
        let mut categories = self.docs.categories;
        for (flag, implied) in [
            (Flags::WRITE, Categories::WRITE),
            (Flags::READONLY, Categories::READ),
            (Flags::ADMIN, Categories::ADMIN.and(Categories::DANGEROUS)),
            (Flags::BLOCKING, Categories::BLOCKING),
        ] {
            // As in Redis: what a script reads is not its own doing.
            let is_script = flag == Flags::READONLY && categories.has(Categories::SCRIPTING);
            if self.flags.has(flag) && !is_script {
                categories = categories.and(implied);
            }
        }
        categories.and(if self.flags.has(Flags::FAST) {
            Categories::FAST
        } else {
            Categories::SLOW
        })
    }

    /// Whether the first argument names a subcommand.
    pub fn has_subcommands(&self) -> bool {
        !self.docs.subcommands.is_empty()
    }

    /// The row of this command's subcommand of that name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Self> {
        self.docs.subcommands.iter().find(|row| {
            let (_, sub) = row.name.split_once('|').unwrap_or_default();
            sub.as_bytes().eq_ignore_ascii_case(name)
        })
    }

    /// The row that judges a call: the subcommand's where the command has subcommands, else this one. Where there is no such
    /// subcommand or the number of arguments is wrong, the error is written and none returned.
    pub fn resolve(&'static self, args: Args<'_>, reply: &mut Reply) -> Option<&'static Self> {
        let row = match args.try_get(1) {
            Some(sub) if !self.docs.subcommands.is_empty() => {
                let Some(row) = self.subcommand(sub) else {
                    let shown = String::from_utf8_lossy(sub.get(..128).unwrap_or(sub));
                    reply.error_format(format_args!(
                        "ERR unknown subcommand '{shown}'. Try {} HELP.",
                        self.name.to_ascii_uppercase()
                    ));
                    return None;
                };
                row
            }
            _ => self,
        };
        if !row.accepts(args.len()) {
            errors::wrong_arity(reply, row.name);
            return None;
        }
        Some(row)
    }

    /// An upper bound of the stamps a call with `argc` arguments needs.
    pub fn stamps_max(&self, argc: usize, databases: u32) -> u32 {
        match self.stamps {
            Stamps::None => 0,
            Stamps::Fixed(n) => n,
            Stamps::PerArgument => argc as u32,
            Stamps::PerDatabase => databases,
        }
    }

    /// The arguments of a call that are keys.
    pub fn key_arguments(&self, args: Args<'_>) -> impl Iterator<Item = usize> + use<> {
        let argc = args.len();
        let (mut written, mut stored) = (None, [None; 3]);
        let (first, last, step) = match self.keys {
            Keys::None | Keys::All | Keys::Cursor(_) => (1, 0, 1),
            Keys::One => (1, 1, 1),
            Keys::Range { first, last, step } => {
                let last = if last < 0 {
                    argc as i64 + i64::from(last)
                } else {
                    i64::from(last)
                };
                (
                    usize::from(first),
                    last.max(0) as usize,
                    usize::from(step.max(1)),
                )
            }
            Keys::Counted {
                count,
                has_destination,
            } => {
                let count = usize::from(count);
                let keys = args.try_get(count).map_or(0, leading_integer);
                // With a number that cannot be, there are none.
                let keys = usize::try_from(keys).ok();
                let keys = keys
                    .filter(|keys| *keys < argc.saturating_sub(count))
                    .unwrap_or(0);
                let destination = (has_destination && keys > 0).then_some(1);
                if is_number_of_keys(args, count) {
                    written = destination;
                } else {
                    stored[0] = destination;
                }
                (count + 1, count + keys, 1)
            }
            Keys::Streams { from } => streams::key_range(args, usize::from(from))
                .map_or((1, 0, 1), |keys| {
                    (keys.start, keys.end.saturating_sub(1), 1)
                }),
            Keys::Migrate => {
                let keys = migrate::key_range(args);
                (keys.start, keys.end.saturating_sub(1), 1)
            }
            Keys::Sort => {
                if self.flags.has(Flags::WRITE) {
                    stored = [sort::destination(args), None, None];
                }
                (1, 1, 1)
            }
            Keys::Stored { from } => {
                stored = geo::destinations(args, usize::from(from));
                (1, 1, 1)
            }
        };
        let written = written.filter(|index| *index < argc);
        let keys = (first..last.saturating_add(1).min(argc)).step_by(step);
        let stored = stored.into_iter().flatten();
        written.into_iter().chain(keys).chain(stored)
    }

    /// Whether a call may look at any key.
    pub fn looks_anywhere(&self, args: Args<'_>) -> bool {
        let is_pattern =
            |word: &[u8]| word.eq_ignore_ascii_case(b"by") || word.eq_ignore_ascii_case(b"get");
        match self.keys {
            Keys::All => true,
            Keys::Sort => args.skip(2).iter().any(is_pattern),
            _ => false,
        }
    }
}

/// Whether the argument that counts the keys is a number. Where it is none, Redis tells of the keys that it would find by the
/// digits at its start, the destination last, and not what is done with them.
pub(super) fn is_number_of_keys(args: Args<'_>, count: usize) -> bool {
    let number = args.try_get(count).and_then(parse_i64);
    number.is_some_and(|number| number >= 0)
}

/// A number of keys as C's `atoi` takes it, which Redis asks where it looks for them: whatever follows the digits. The command itself
/// may refuse it after that.
fn leading_integer(text: &[u8]) -> i32 {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().take_while(|byte| is_blank(byte)).count();
    let (negative, digits) = match text.get(start..).unwrap_or_default() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0_i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        let digit = if negative { -digit } else { digit };
        number.saturating_mul(10).saturating_add(digit)
    });
    // As C does, from a `long` to an `int`.
    number as i32
}

#[cfg(test)]
mod tests {
    use super::leading_integer;

    #[test]
    fn numbers_of_keys_are_read_as_c_does() {
        for (text, number) in [
            ("2", 2),
            (" \t+2x", 2),
            ("-3", -3),
            ("1.5", 1),
            ("1e3", 1),
            ("", 0),
            ("x", 0),
            ("4294967297", 1),
            ("2147483648", i32::MIN),
            ("9223372036854775808", -1),
            ("-9223372036854775809", 0),
        ] {
            assert_eq!(leading_integer(text.as_bytes()), number, "{text}");
        }
    }
}
