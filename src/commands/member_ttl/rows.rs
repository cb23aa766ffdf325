//! Rows of the deadlines of members.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::member_ttl::{self as ttl, fields};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

const FIELDS: Argument = Argument::block(
    "fields",
    &[
        Argument::integer("numfields"),
        Argument::string("field").multiple(),
    ],
)
.after("FIELDS");

const CONDITION: Argument = Argument::one_of(
    "condition",
    &[
        Argument::word("nx", "NX"),
        Argument::word("xx", "XX"),
        Argument::word("gt", "GT"),
        Argument::word("lt", "LT"),
    ],
)
.optional();

/// A command that sets deadlines of fields: at most a removal and a change.
macro_rules! setter {
    ($name:ident, $moment:expr, $summary:literal) => {
        Row {
            name: stringify!($name),
            arity: -6,
            flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
            keys: Keys::One,
            stamps: Stamps::Fixed(2),
            handler: Handler::Data(fields::$name),
            docs: &Docs {
                summary: $summary,
                since: "7.4.0",
                group: Group::Hash,
                complexity: "O(N) for N fields",
                categories: Categories::HASH,
                access: &["RW", "update"],
                arguments: &[Argument::KEY, $moment, CONDITION, FIELDS],
                ..Docs::NONE
            },
        }
    };
}

/// A command that reads them.
macro_rules! getter {
    ($name:ident, $summary:literal) => {
        Row {
            name: stringify!($name),
            arity: -5,
            flags: Flags::READONLY.and(Flags::FAST),
            keys: Keys::One,
            stamps: Stamps::None,
            handler: Handler::Data(fields::$name),
            docs: &Docs {
                summary: $summary,
                since: "7.4.0",
                group: Group::Hash,
                complexity: "O(N) for N fields",
                categories: Categories::HASH,
                tips: &["nondeterministic_output"],
                access: &["RO", "access"],
                arguments: &[Argument::KEY, FIELDS],
                ..Docs::NONE
            },
        }
    };
}

/// A command of KeyDB.
macro_rules! member {
    ($name:ident, $arity:literal, $summary:literal, $moment:expr) => {
        Row {
            name: stringify!($name),
            arity: $arity,
            flags: Flags::WRITE.and(Flags::FAST),
            keys: Keys::One,
            stamps: Stamps::Fixed(1),
            handler: Handler::Data(ttl::$name),
            docs: &Docs {
                summary: $summary,
                group: Group::Generic,
                categories: Categories::KEYSPACE,
                access: &["RW", "update"],
                arguments: $moment,
                ..Docs::NONE
            },
        }
    };
}

const MEMBER: Argument = Argument::string("member");

/// The rows.
pub static ROWS: &[Row] = &[
    setter!(
        hexpire,
        Argument::integer("seconds"),
        "Sets the time to live of a hash's fields in seconds"
    ),
    setter!(
        hpexpire,
        Argument::integer("milliseconds"),
        "Sets the time to live of a hash's fields in milliseconds"
    ),
    setter!(
        hexpireat,
        Argument::unix_time("unix-time-seconds"),
        "Sets the second at which fields of a hash expire"
    ),
    setter!(
        hpexpireat,
        Argument::unix_time("unix-time-milliseconds"),
        "Sets the millisecond at which fields of a hash expire"
    ),
    getter!(
        httl,
        "Returns the time to live of a hash's fields in seconds"
    ),
    getter!(
        hpttl,
        "Returns the time to live of a hash's fields in milliseconds"
    ),
    getter!(
        hexpiretime,
        "Returns the second at which fields of a hash expire"
    ),
    getter!(
        hpexpiretime,
        "Returns the millisecond at which fields of a hash expire"
    ),
    Row {
        name: "hpersist",
        arity: -5,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(fields::hpersist),
        docs: &Docs {
            summary: "Takes the time to live of a hash's fields away",
            since: "7.4.0",
            group: Group::Hash,
            complexity: "O(N) for N fields",
            categories: Categories::HASH,
            access: &["RW", "update"],
            arguments: &[Argument::KEY, FIELDS],
            ..Docs::NONE
        },
    },
    member!(
        expiremember,
        -4,
        "Sets the time to live of a field or member",
        &[
            Argument::KEY,
            MEMBER,
            Argument::integer("delay"),
            Argument::one_of(
                "unit",
                &[Argument::word("s", "s"), Argument::word("ms", "ms")]
            )
            .optional(),
        ]
    ),
    member!(
        expirememberat,
        4,
        "Sets the second at which a field or member expires",
        &[
            Argument::KEY,
            MEMBER,
            Argument::unix_time("unix-time-seconds")
        ]
    ),
    member!(
        pexpirememberat,
        4,
        "Sets the millisecond at which a field or member expires",
        &[
            Argument::KEY,
            MEMBER,
            Argument::unix_time("unix-time-milliseconds")
        ]
    ),
];
