//! Rows of the sets family: one set, and moves between two.

use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::sets::{read, write};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "sismember",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::sismember),
        docs: &Docs {
            summary: "Tells whether a set has a member",
            group: Group::Set,
            categories: Categories::SET,
            access: &["RO"],
            arguments: &[Argument::KEY, Argument::string("member")],
            ..Docs::NONE
        },
    },
    Row {
        name: "smismember",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::smismember),
        docs: &Docs {
            summary: "Tells which of several members a set has",
            since: "6.2.0",
            group: Group::Set,
            complexity: "O(N) for N members asked for",
            categories: Categories::SET,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "scard",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::scard),
        docs: &Docs {
            summary: "Counts the members of a set",
            group: Group::Set,
            categories: Categories::SET,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "smembers",
        arity: 2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::smembers),
        docs: &Docs {
            summary: "Returns all members of a set",
            group: Group::Set,
            complexity: "O(N) for N members of the set",
            categories: Categories::SET,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "srandmember",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::srandmember),
        docs: &Docs {
            summary: "Returns members of a set at random",
            group: Group::Set,
            complexity: "O(N) for N members returned",
            categories: Categories::SET,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count").since("2.6.0").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sscan",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::sscan),
        docs: &Docs {
            summary: "Walks over the members of a set, some per call",
            since: "2.8.0",
            group: Group::Set,
            complexity: "O(1) per call, O(N) for all N elements",
            categories: Categories::SET,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("cursor"),
                Argument::pattern("pattern").after("MATCH").optional(),
                Argument::integer("count").after("COUNT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sadd",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::sadd),
        docs: &Docs {
            summary: "Puts members into a set",
            group: Group::Set,
            complexity: "O(N) for N members",
            categories: Categories::SET,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "srem",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::srem),
        docs: &Docs {
            summary: "Takes members out of a set",
            group: Group::Set,
            complexity: "O(N) for N members",
            categories: Categories::SET,
            access: &["RW", "delete"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "spop",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(write::spop),
        docs: &Docs {
            summary: "Takes members at random out of a set and returns them",
            group: Group::Set,
            complexity: "O(N) for N members returned",
            categories: Categories::SET,
            tips: &["nondeterministic_output"],
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count").since("3.2.0").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "smove",
        arity: 4,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(write::smove),
        docs: &Docs {
            summary: "Moves a member from one set to another",
            group: Group::Set,
            categories: Categories::SET,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["RW", "insert"]),
            ],
            arguments: &[
                Argument::key("source", 0),
                Argument::key("destination", 1),
                Argument::string("member"),
            ],
            ..Docs::NONE
        },
    },
];
