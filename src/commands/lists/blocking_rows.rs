//! Rows of the lists family: what waits for elements.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Deprecated, Docs, Group, KeySpec};
use crate::commands::lists::blocking;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "blpop",
        arity: -3,
        flags: Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING),
        keys: Keys::Range {
            first: 1,
            last: -2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::blpop),
        docs: &Docs {
            summary: "Takes an element from the head of the first list that has any, or waits for one",
            since: "2.0.0",
            group: Group::List,
            complexity: "O(N) for N keys",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY.multiple(),
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "brpop",
        arity: -3,
        flags: Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING),
        keys: Keys::Range {
            first: 1,
            last: -2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::brpop),
        docs: &Docs {
            summary: "Takes an element from the tail of the first list that has any, or waits for one",
            since: "2.0.0",
            group: Group::List,
            complexity: "O(N) for N keys",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY.multiple(),
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "blmpop",
        arity: -5,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        keys: Keys::Counted {
            count: 2,
            has_destination: false,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::blmpop),
        docs: &Docs {
            summary: "Takes elements from the first list that has any, or waits for some",
            since: "7.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::new("timeout", ArgumentKind::Double),
                Argument::integer("numkeys"),
                Argument::KEY.multiple(),
                Argument::one_of(
                    "where",
                    &[
                        Argument::word("left", "LEFT"),
                        Argument::word("right", "RIGHT"),
                    ],
                ),
                Argument::integer("count").after("COUNT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "blmove",
        arity: 6,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(blocking::blmove),
        docs: &Docs {
            summary: "Moves an element from an end of a list to an end of another, or waits for one",
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
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "brpoplpush",
        arity: 4,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(blocking::brpoplpush),
        docs: &Docs {
            summary: "Moves an element from the tail of a list to the head of another, or waits for one",
            since: "2.2.0",
            group: Group::List,
            complexity: "O(1)",
            categories: Categories::LIST,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["RW", "insert"]),
            ],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
            }),
            arguments: &[
                Argument::key("source", 0),
                Argument::key("destination", 1),
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
];
