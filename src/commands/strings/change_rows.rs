//! Rows of the strings family: numbers and parts of strings.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Deprecated, Docs, Group};
use crate::commands::strings::{lcs, numbers, parts};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "incr",
        arity: 2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::incr),
        docs: &Docs {
            summary: "Adds one to an integer",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "incrby",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::incrby),
        docs: &Docs {
            summary: "Adds to an integer",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            arguments: &[Argument::KEY, Argument::integer("increment")],
            ..Docs::NONE
        },
    },
    Row {
        name: "decr",
        arity: 2,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::decr),
        docs: &Docs {
            summary: "Takes one from an integer",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "decrby",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::decrby),
        docs: &Docs {
            summary: "Takes from an integer",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            arguments: &[Argument::KEY, Argument::integer("decrement")],
            ..Docs::NONE
        },
    },
    Row {
        name: "incrbyfloat",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::incrbyfloat),
        docs: &Docs {
            summary: "Adds to a floating point number",
            since: "2.6.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            arguments: &[
                Argument::KEY,
                Argument::new("increment", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "append",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(parts::append),
        docs: &Docs {
            summary: "Makes a string longer",
            since: "2.0.0",
            group: Group::String,
            complexity: "O(N) for N bytes of the result",
            categories: Categories::STRING,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("value")],
            ..Docs::NONE
        },
    },
    Row {
        name: "setrange",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(parts::setrange),
        docs: &Docs {
            summary: "Overwrites part of a string",
            since: "2.2.0",
            group: Group::String,
            complexity: "O(N) for N bytes of the result",
            categories: Categories::STRING,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("offset"),
                Argument::string("value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "getrange",
        arity: 4,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(parts::getrange),
        docs: &Docs {
            summary: "Returns part of a string",
            since: "2.4.0",
            group: Group::String,
            complexity: "O(N) for N bytes returned",
            categories: Categories::STRING,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("start"),
                Argument::integer("end"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "substr",
        arity: 4,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(parts::getrange),
        docs: &Docs {
            summary: "Returns part of a string",
            group: Group::String,
            complexity: "O(N) for N bytes returned",
            categories: Categories::STRING,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "2.0.0",
                replaced_by: "`GETRANGE`",
            }),
            arguments: &[
                Argument::KEY,
                Argument::integer("start"),
                Argument::integer("end"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "lcs",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(lcs::lcs),
        docs: &Docs {
            summary: "Finds the longest common subsequence of two strings",
            since: "7.0.0",
            group: Group::String,
            complexity: "O(N*M) for strings of N and M bytes",
            categories: Categories::STRING,
            access: &["RO", "access"],
            arguments: &[
                Argument::key("key1", 0),
                Argument::key("key2", 0),
                Argument::word("len", "LEN").optional(),
                Argument::word("idx", "IDX").optional(),
                Argument::integer("len").after("MINMATCHLEN").optional(),
                Argument::word("withmatchlen", "WITHMATCHLEN").optional(),
            ],
            ..Docs::NONE
        },
    },
];
