//! Rows of the deadlines family.

use crate::commands::docs::{Argument, Categories, Docs};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "expire",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::expire),
        docs: &Docs {
            summary: "Sets a key's time to live in seconds",
            categories: Categories::KEYSPACE,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("seconds"),
                Argument::one_of(
                    "condition",
                    &[
                        Argument::word("nx", "NX"),
                        Argument::word("xx", "XX"),
                        Argument::word("gt", "GT"),
                        Argument::word("lt", "LT"),
                    ],
                )
                .since("7.0.0")
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "pexpire",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::pexpire),
        docs: &Docs {
            summary: "Sets a key's time to live in milliseconds",
            since: "2.6.0",
            categories: Categories::KEYSPACE,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("milliseconds"),
                Argument::one_of(
                    "condition",
                    &[
                        Argument::word("nx", "NX"),
                        Argument::word("xx", "XX"),
                        Argument::word("gt", "GT"),
                        Argument::word("lt", "LT"),
                    ],
                )
                .since("7.0.0")
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "expireat",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::expireat),
        docs: &Docs {
            summary: "Sets the second at which a key expires",
            since: "1.2.0",
            categories: Categories::KEYSPACE,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::unix_time("unix-time-seconds"),
                Argument::one_of(
                    "condition",
                    &[
                        Argument::word("nx", "NX"),
                        Argument::word("xx", "XX"),
                        Argument::word("gt", "GT"),
                        Argument::word("lt", "LT"),
                    ],
                )
                .since("7.0.0")
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "pexpireat",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::pexpireat),
        docs: &Docs {
            summary: "Sets the millisecond at which a key expires",
            since: "2.6.0",
            categories: Categories::KEYSPACE,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::unix_time("unix-time-milliseconds"),
                Argument::one_of(
                    "condition",
                    &[
                        Argument::word("nx", "NX"),
                        Argument::word("xx", "XX"),
                        Argument::word("gt", "GT"),
                        Argument::word("lt", "LT"),
                    ],
                )
                .since("7.0.0")
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "persist",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::persist),
        docs: &Docs {
            summary: "Takes a key's time to live away",
            since: "2.2.0",
            categories: Categories::KEYSPACE,
            access: &["RW", "update"],
            arguments: &[Argument::KEY, Argument::string("member").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "ttl",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(super::ttl),
        docs: &Docs {
            summary: "Returns a key's time to live in seconds",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "pttl",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(super::pttl),
        docs: &Docs {
            summary: "Returns a key's time to live in milliseconds",
            since: "2.6.0",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "expiretime",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(super::expiretime),
        docs: &Docs {
            summary: "Returns the second at which a key expires",
            since: "7.0.0",
            categories: Categories::KEYSPACE,
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "pexpiretime",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(super::pexpiretime),
        docs: &Docs {
            summary: "Returns the millisecond at which a key expires",
            since: "7.0.0",
            categories: Categories::KEYSPACE,
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
];
