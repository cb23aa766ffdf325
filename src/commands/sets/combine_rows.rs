//! Rows of the sets family: several sets.

use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::sets::combine;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "sinter",
        arity: -2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(combine::sinter),
        docs: &Docs {
            summary: "Returns the members that all sets have",
            group: Group::Set,
            complexity: "O(N*M) for M sets, the smallest of N members",
            categories: Categories::SET,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "sintercard",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: Keys::Counted {
            count: 1,
            has_destination: false,
        },
        stamps: Stamps::None,
        handler: Handler::Data(combine::sintercard),
        docs: &Docs {
            summary: "Counts the members that all sets have",
            since: "7.0.0",
            group: Group::Set,
            complexity: "O(N*M) for M sets, the smallest of N members",
            categories: Categories::SET,
            access: &["RO", "access"],
            arguments: &[
                Argument::integer("numkeys"),
                Argument::KEY.multiple(),
                Argument::integer("limit").after("LIMIT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sinterstore",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(combine::sinterstore),
        docs: &Docs {
            summary: "Stores the members that all sets have",
            group: Group::Set,
            complexity: "O(N*M) for M sets, the smallest of N members",
            categories: Categories::SET,
            key_specs: &[
                KeySpec::one(1, &["RW", "update"]),
                KeySpec {
                    first: 2,
                    last: -1,
                    access: &["RO", "access"],
                },
            ],
            arguments: &[
                Argument::key("destination", 0),
                Argument::key("key", 1).multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sunion",
        arity: -2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(combine::sunion),
        docs: &Docs {
            summary: "Returns the members that any of the sets has",
            group: Group::Set,
            complexity: "O(N) for N members of all sets",
            categories: Categories::SET,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "sunionstore",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(combine::sunionstore),
        docs: &Docs {
            summary: "Stores the members that any of the sets has",
            group: Group::Set,
            complexity: "O(N) for N members of all sets",
            categories: Categories::SET,
            key_specs: &[
                KeySpec::one(1, &["OW", "update"]),
                KeySpec {
                    first: 2,
                    last: -1,
                    access: &["RO", "access"],
                },
            ],
            arguments: &[
                Argument::key("destination", 0),
                Argument::key("key", 1).multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sdiff",
        arity: -2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(combine::sdiff),
        docs: &Docs {
            summary: "Returns the members of the first set that no other has",
            group: Group::Set,
            complexity: "O(N) for N members of all sets",
            categories: Categories::SET,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "sdiffstore",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(combine::sdiffstore),
        docs: &Docs {
            summary: "Stores the members of the first set that no other has",
            group: Group::Set,
            complexity: "O(N) for N members of all sets",
            categories: Categories::SET,
            key_specs: &[
                KeySpec::one(1, &["OW", "update"]),
                KeySpec {
                    first: 2,
                    last: -1,
                    access: &["RO", "access"],
                },
            ],
            arguments: &[
                Argument::key("destination", 0),
                Argument::key("key", 1).multiple(),
            ],
            ..Docs::NONE
        },
    },
];
