//! What COMMAND tells of a command beside its row: constant data, spelled in Redis's words.
//!
//! Invariant: nothing here changes what a command does; [`crate::commands::command_info`] turns it into replies.

use crate::commands::table::Row;

/// ACL categories, a bit each, in the order in which Redis lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Categories(u32);

impl Categories {
    /// None.
    pub const NONE: Self = Self(0);
    /// Keys whatever their type.
    pub const KEYSPACE: Self = Self(1);
    /// Reads.
    pub const READ: Self = Self(1 << 1);
    /// Writes.
    pub const WRITE: Self = Self(1 << 2);
    /// Sets.
    pub const SET: Self = Self(1 << 3);
    /// Sorted sets.
    pub const SORTEDSET: Self = Self(1 << 4);
    /// Lists.
    pub const LIST: Self = Self(1 << 5);
    /// Hashes.
    pub const HASH: Self = Self(1 << 6);
    /// Strings.
    pub const STRING: Self = Self(1 << 7);
    /// Strings as bits.
    pub const BITMAP: Self = Self(1 << 8);
    /// HyperLogLogs.
    pub const HYPERLOGLOG: Self = Self(1 << 9);
    /// Positions on earth.
    pub const GEO: Self = Self(1 << 10);
    /// Streams.
    pub const STREAM: Self = Self(1 << 11);
    /// Channels.
    pub const PUBSUB: Self = Self(1 << 12);
    /// For operators.
    pub const ADMIN: Self = Self(1 << 13);
    /// O(1) or O(log n).
    pub const FAST: Self = Self(1 << 14);
    /// Not fast.
    pub const SLOW: Self = Self(1 << 15);
    /// May wait.
    pub const BLOCKING: Self = Self(1 << 16);
    /// Can harm.
    pub const DANGEROUS: Self = Self(1 << 17);
    /// The connection.
    pub const CONNECTION: Self = Self(1 << 18);
    /// Transactions.
    pub const TRANSACTION: Self = Self(1 << 19);
    /// Scripts.
    pub const SCRIPTING: Self = Self(1 << 20);
    /// Every category by its bit.
    pub const NAMES: [&str; 21] = [
        "keyspace",
        "read",
        "write",
        "set",
        "sortedset",
        "list",
        "hash",
        "string",
        "bitmap",
        "hyperloglog",
        "geo",
        "stream",
        "pubsub",
        "admin",
        "fast",
        "slow",
        "blocking",
        "dangerous",
        "connection",
        "transaction",
        "scripting",
    ];

    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The category of this name, in any case and without its `@`.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        let bit = Self::NAMES
            .iter()
            .position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
        Some(Self(1 << bit))
    }

    /// Whether all of `other` are there.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let chosen = move |(bit, _): &(usize, _)| self.0 & 1 << bit != 0;
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(chosen)
            .map(|(_, name)| name)
    }
}

/// The group that a command is documented in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A cluster.
    Cluster,
    /// The connection.
    Connection,
    /// Keys whatever their type.
    Generic,
    /// Positions on earth.
    Geo,
    /// Channels.
    PubSub,
    /// Scripts.
    Scripting,
    /// The server.
    Server,
    /// Strings.
    String,
    /// MULTI and its kin.
    Transactions,
    /// Strings as bits.
    Bitmap,
    /// Hashes.
    Hash,
    /// HyperLogLogs.
    HyperLogLog,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
}

impl Group {
    /// As COMMAND DOCS says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Connection => "connection",
            Self::Generic => "generic",
            Self::Geo => "geo",
            Self::PubSub => "pubsub",
            Self::Scripting => "scripting",
            Self::Server => "server",
            Self::String => "string",
            Self::Transactions => "transactions",
            Self::Bitmap => "bitmap",
            Self::Hash => "hash",
            Self::HyperLogLog => "hyperloglog",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Stream => "stream",
        }
    }
}

/// A command that another one has replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecated {
    /// The version since which it should not be used.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// Keys that a command does one thing with, where it does another one with its other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// The argument of the first one.
    pub first: u16,
    /// How far behind it the last one is; negative: counted from the end, -1 is the last argument.
    pub last: i16,
    /// What is done with them (`RW`, `access`, ...).
    pub access: &'static [&'static str],
}

impl KeySpec {
    /// One key, at this argument.
    pub const fn one(first: u16, access: &'static [&'static str]) -> Self {
        Self {
            first,
            last: 0,
            access,
        }
    }

    /// Whether the key at this argument of a call is among them.
    pub fn holds(&self, index: usize) -> bool {
        let first = usize::from(self.first);
        index == first || (index > first && self.last < 0)
    }
}

/// Which arguments are channels that a user must be allowed to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// None.
    None,
    /// One, at argument 1.
    One,
    /// All arguments.
    All,
    /// All arguments, and each is a pattern.
    Patterns,
}

/// What COMMAND INFO and COMMAND DOCS say beside the row.
#[derive(Debug)]
pub struct Docs {
    /// One short sentence.
    pub summary: &'static str,
    /// The version that first had it.
    pub since: &'static str,
    /// Where it is documented.
    pub group: Group,
    /// What a call costs.
    pub complexity: &'static str,
    /// ACL categories that its flags do not imply.
    pub categories: Categories,
    /// Hints for cluster clients.
    pub tips: &'static [&'static str],
    /// What it does with its keys (`RW`, `access`, ...).
    pub access: &'static [&'static str],
    /// Set where `access` is not the same for all keys.
    pub key_specs: &'static [KeySpec],
    /// Keys that no place in the arguments tells of: a remark, and what is done with them.
    pub unknown_specs: &'static [(&'static str, &'static [&'static str])],
    /// Keys that are written, behind a word that may stand from an argument on.
    pub keyword_specs: &'static [(&'static str, u16)],
    /// A remark on `access`; empty for none.
    pub access_note: &'static str,
    /// The channels that it tells or hears.
    pub channels: Channels,
    /// Set where another command has replaced it.
    pub deprecated: Option<Deprecated>,
    /// Used between servers only.
    pub system: bool,
    /// Its grammar.
    pub arguments: &'static [Argument],
    /// Its subcommands' rows, named `command|subcommand`.
    pub subcommands: &'static [Row],
}

impl Docs {
    /// Nothing said: what rows leave out.
    pub const NONE: Self = Self {
        summary: "",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        categories: Categories::NONE,
        tips: &[],
        access: &[],
        key_specs: &[],
        unknown_specs: &[],
        keyword_specs: &[],
        access_note: "",
        channels: Channels::None,
        deprecated: None,
        system: false,
        arguments: &[],
        subcommands: &[],
    };
}

/// The kind of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Any string.
    String,
    /// An integer.
    Integer,
    /// A floating point number.
    Double,
    /// A key.
    Key,
    /// A glob pattern.
    Pattern,
    /// A moment.
    UnixTime,
    /// A word that stands for itself.
    PureToken,
    /// One of its arguments.
    OneOf,
    /// All of its arguments.
    Block,
}

impl ArgumentKind {
    /// As COMMAND DOCS says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::PureToken => "pure-token",
            Self::OneOf => "oneof",
            Self::Block => "block",
        }
    }
}

/// One argument of a command's grammar.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgumentKind,
    /// The word that stands before it; empty for none.
    pub token: &'static str,
    /// The version that first had it; empty where the command always had it.
    pub since: &'static str,
    /// The version since which it should not be used; empty for none.
    pub deprecated_since: &'static str,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// The token is repeated with it.
    pub multiple_token: bool,
    /// What it is made of.
    pub arguments: &'static [Self],
    /// For a key, which of the command's key specs it belongs to; for what leads to keys, too, unless it is the first one.
    pub key_spec: u8,
}

impl Argument {
    /// An argument of this kind.
    pub const fn new(name: &'static str, kind: ArgumentKind) -> Self {
        Self {
            name,
            kind,
            token: "",
            since: "",
            deprecated_since: "",
            optional: false,
            multiple: false,
            multiple_token: false,
            arguments: &[],
            key_spec: 0,
        }
    }

    /// The argument `key`.
    pub const KEY: Self = Self::new("key", ArgumentKind::Key);

    /// A key of this name, of the command's n-th key spec.
    pub const fn key(name: &'static str, key_spec: u8) -> Self {
        Self {
            key_spec,
            ..Self::new(name, ArgumentKind::Key)
        }
    }

    /// Any string.
    pub const fn string(name: &'static str) -> Self {
        Self::new(name, ArgumentKind::String)
    }

    /// An integer.
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, ArgumentKind::Integer)
    }

    /// A moment.
    pub const fn unix_time(name: &'static str) -> Self {
        Self::new(name, ArgumentKind::UnixTime)
    }

    /// A glob pattern.
    pub const fn pattern(name: &'static str) -> Self {
        Self::new(name, ArgumentKind::Pattern)
    }

    /// A word that stands for itself.
    pub const fn word(name: &'static str, token: &'static str) -> Self {
        Self::new(name, ArgumentKind::PureToken).after(token)
    }

    /// One of these.
    pub const fn one_of(name: &'static str, arguments: &'static [Self]) -> Self {
        Self {
            arguments,
            ..Self::new(name, ArgumentKind::OneOf)
        }
    }

    /// All of these.
    pub const fn block(name: &'static str, arguments: &'static [Self]) -> Self {
        Self {
            arguments,
            ..Self::new(name, ArgumentKind::Block)
        }
    }

    /// With this word before it.
    pub const fn after(self, token: &'static str) -> Self {
        Self { token, ..self }
    }

    /// Since this version.
    pub const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// Not to be used since this version.
    pub const fn deprecated(self, deprecated_since: &'static str) -> Self {
        Self {
            deprecated_since,
            ..self
        }
    }

    /// May be left out.
    pub const fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// Of the command's n-th key spec.
    pub const fn of_spec(self, key_spec: u8) -> Self {
        Self { key_spec, ..self }
    }

    /// May be repeated.
    pub const fn multiple(self) -> Self {
        Self {
            multiple: true,
            ..self
        }
    }

    /// May be repeated with its token.
    pub const fn multiple_token(self) -> Self {
        Self {
            multiple: true,
            multiple_token: true,
            ..self
        }
    }
}
