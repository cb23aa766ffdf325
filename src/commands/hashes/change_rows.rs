//! Rows of the hashes family: writes.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Deprecated, Docs, Group};
use crate::commands::hashes::{numbers, write};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "hset",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::hset),
        docs: &Docs {
            summary: "Gives fields of a hash values",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields",
            categories: Categories::HASH,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "field_value",
                    &[Argument::string("field"), Argument::string("value")],
                )
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "hsetnx",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::hsetnx),
        docs: &Docs {
            summary: "Gives a field of a hash a value unless it has one",
            since: "2.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RW", "insert"],
            arguments: &[
                Argument::KEY,
                Argument::string("field"),
                Argument::string("value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "hmset",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::hmset),
        docs: &Docs {
            summary: "Gives fields of a hash values",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields",
            categories: Categories::HASH,
            access: &["RW", "update"],
            deprecated: Some(Deprecated {
                since: "4.0.0",
                replaced_by: "`HSET` with multiple field-value pairs",
            }),
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "field_value",
                    &[Argument::string("field"), Argument::string("value")],
                )
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "hdel",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::hdel),
        docs: &Docs {
            summary: "Takes fields out of a hash",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields",
            categories: Categories::HASH,
            access: &["RW", "delete"],
            arguments: &[Argument::KEY, Argument::string("field").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "hincrby",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::hincrby),
        docs: &Docs {
            summary: "Adds to an integer in a field of a hash",
            since: "2.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RW", "access", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("field"),
                Argument::integer("increment"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "hincrbyfloat",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(numbers::hincrbyfloat),
        docs: &Docs {
            summary: "Adds to a floating point number in a field of a hash",
            since: "2.6.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RW", "access", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("field"),
                Argument::new("increment", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "keydb.hrename",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(write::hrename),
        docs: &Docs {
            summary: "Gives a field of a hash another name",
            since: "6.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RW", "access", "update", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::string("oldfield"),
                Argument::string("newfield"),
            ],
            ..Docs::NONE
        },
    },
];
