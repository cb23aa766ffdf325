//! Rows of the sorted sets family: what waits for elements.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::commands::zsets::blocking;

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "bzpopmin",
        arity: -3,
        flags: Flags::WRITE
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING)
            .and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::bzpopmin),
        docs: &Docs {
            summary: "Takes the lowest element of the first sorted set that has any, or waits for one",
            since: "5.0.0",
            group: Group::SortedSet,
            complexity: "O(log N) for a set of N",
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY.multiple(),
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bzpopmax",
        arity: -3,
        flags: Flags::WRITE
            .and(Flags::NOSCRIPT)
            .and(Flags::BLOCKING)
            .and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::bzpopmax),
        docs: &Docs {
            summary: "Takes the highest element of the first sorted set that has any, or waits for one",
            since: "5.0.0",
            group: Group::SortedSet,
            complexity: "O(log N) for a set of N",
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY.multiple(),
                Argument::new("timeout", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "bzmpop",
        arity: -5,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        keys: Keys::Counted {
            count: 2,
            has_destination: false,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(blocking::bzmpop),
        docs: &Docs {
            summary: "Takes elements from an end of the first sorted set that has any, or waits for some",
            since: "7.0.0",
            group: Group::SortedSet,
            complexity: "O(M log N) for M elements of N",
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::new("timeout", ArgumentKind::Double),
                Argument::integer("numkeys"),
                Argument::KEY.multiple(),
                Argument::one_of(
                    "where",
                    &[Argument::word("min", "MIN"), Argument::word("max", "MAX")],
                ),
                Argument::integer("count").after("COUNT").optional(),
            ],
            ..Docs::NONE
        },
    },
];
