//! Rows of the lists family: changes within a list, and elements that go elsewhere.

use crate::commands::docs::{Argument, Categories, Deprecated, Docs, Group, KeySpec};
use crate::commands::lists::{change, relocate};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "lset",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(change::lset),
        docs: &Docs {
            summary: "Replaces the element at an index of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("index"),
                Argument::string("element"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "linsert",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(change::linsert),
        docs: &Docs {
            summary: "Puts an element before or behind another one of a list",
            since: "2.2.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "insert"],
            arguments: &[
                Argument::KEY,
                Argument::one_of(
                    "where",
                    &[
                        Argument::word("before", "BEFORE"),
                        Argument::word("after", "AFTER"),
                    ],
                ),
                Argument::string("pivot"),
                Argument::string("element"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "lrem",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(change::lrem),
        docs: &Docs {
            summary: "Takes equal elements out of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count"),
                Argument::string("element"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "ltrim",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(change::ltrim),
        docs: &Docs {
            summary: "Keeps the elements between two indices of a list alone",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::integer("start"),
                Argument::integer("stop"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "rpoplpush",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(relocate::rpoplpush),
        docs: &Docs {
            summary: "Moves an element from the tail of a list to the head of another",
            since: "1.2.0",
            group: Group::List,
            complexity: "O(1)",
            categories: Categories::LIST,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["RW", "insert"]),
            ],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
            }),
            arguments: &[Argument::key("source", 0), Argument::key("destination", 1)],
            ..Docs::NONE
        },
    },
    Row {
        name: "lmove",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(relocate::lmove),
        docs: &Docs {
            summary: "Moves an element from an end of a list to an end of another",
            since: "6.2.0",
            group: Group::List,
            complexity: "O(1)",
            categories: Categories::LIST,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["RW", "insert"]),
            ],
            arguments: &[
                Argument::key("source", 0),
                Argument::key("destination", 1),
                Argument::one_of(
                    "wherefrom",
                    &[
                        Argument::word("left", "LEFT"),
                        Argument::word("right", "RIGHT"),
                    ],
                ),
                Argument::one_of(
                    "whereto",
                    &[
                        Argument::word("left", "LEFT"),
                        Argument::word("right", "RIGHT"),
                    ],
                ),
            ],
            ..Docs::NONE
        },
    },
];
