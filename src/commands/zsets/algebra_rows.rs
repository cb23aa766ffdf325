//! Rows of the sorted sets family: what combines several.

use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::commands::zsets::algebra;

const WEIGHTS: Argument = Argument::integer("weight")
    .after("WEIGHTS")
    .optional()
    .multiple();
const AGGREGATE: Argument = Argument::one_of(
    "aggregate",
    &[
        Argument::word("sum", "SUM"),
        Argument::word("min", "MIN"),
        Argument::word("max", "MAX"),
    ],
)
.after("AGGREGATE")
.optional();
const WITHSCORES: Argument = Argument::word("withscores", "WITHSCORES").optional();
const SOURCES: Argument = Argument::key("key", 0).multiple();
const NUMKEYS: Argument = Argument::integer("numkeys");
const DESTINATION: Argument = Argument::key("destination", 0);
const SOURCES_BEHIND: Argument = Argument::key("key", 1).multiple();
const STORING: &[KeySpec] = &[
    KeySpec::one(1, &["OW", "update"]),
    KeySpec {
        first: 3,
        last: -1,
        access: &["RO", "access"],
    },
];
const READ: Keys = Keys::Counted {
    count: 1,
    has_destination: false,
};
const STORED: Keys = Keys::Counted {
    count: 2,
    has_destination: true,
};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "zunion",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: READ,
        stamps: Stamps::None,
        handler: Handler::Data(algebra::zunion),
        docs: &Docs {
            summary: "Returns the union of sorted sets",
            since: "6.2.0",
            complexity: "O(N+M*log(M)) for N members of which M come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[NUMKEYS, SOURCES, WEIGHTS, AGGREGATE, WITHSCORES],
            ..Docs::NONE
        },
    },
    Row {
        name: "zunionstore",
        arity: -4,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::MOVABLE_KEYS)
            .and(Flags::AHEAD),
        keys: STORED,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(algebra::zunionstore),
        docs: &Docs {
            summary: "Stores the union of sorted sets",
            since: "2.0.0",
            complexity: "O(N+M*log(M)) for N members of which M come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            key_specs: STORING,
            arguments: &[DESTINATION, NUMKEYS, SOURCES_BEHIND, WEIGHTS, AGGREGATE],
            ..Docs::NONE
        },
    },
    Row {
        name: "zinter",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: READ,
        stamps: Stamps::None,
        handler: Handler::Data(algebra::zinter),
        docs: &Docs {
            summary: "Returns the intersection of sorted sets",
            since: "6.2.0",
            complexity: "O(N*K+M*log(M)) for K keys, N members of the smallest and M that come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[NUMKEYS, SOURCES, WEIGHTS, AGGREGATE, WITHSCORES],
            ..Docs::NONE
        },
    },
    Row {
        name: "zinterstore",
        arity: -4,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::MOVABLE_KEYS)
            .and(Flags::AHEAD),
        keys: STORED,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(algebra::zinterstore),
        docs: &Docs {
            summary: "Stores the intersection of sorted sets",
            since: "2.0.0",
            complexity: "O(N*K+M*log(M)) for K keys, N members of the smallest and M that come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            key_specs: STORING,
            arguments: &[DESTINATION, NUMKEYS, SOURCES_BEHIND, WEIGHTS, AGGREGATE],
            ..Docs::NONE
        },
    },
    Row {
        name: "zintercard",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: READ,
        stamps: Stamps::None,
        handler: Handler::Data(algebra::zintercard),
        docs: &Docs {
            summary: "Counts the members that sorted sets have in common",
            since: "7.0.0",
            complexity: "O(N*K) for K keys and N members of the smallest",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                NUMKEYS,
                SOURCES,
                Argument::integer("limit").after("LIMIT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zdiff",
        arity: -3,
        flags: Flags::READONLY.and(Flags::MOVABLE_KEYS).and(Flags::WHOLE),
        keys: READ,
        stamps: Stamps::None,
        handler: Handler::Data(algebra::zdiff),
        docs: &Docs {
            summary: "Returns what the first sorted set has and the others have not",
            since: "6.2.0",
            complexity: "O(N*K+M*log(M)) for K keys, N members of the first and M that come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[NUMKEYS, SOURCES, WITHSCORES],
            ..Docs::NONE
        },
    },
    Row {
        name: "zdiffstore",
        arity: -4,
        flags: Flags::WRITE
            .and(Flags::DENYOOM)
            .and(Flags::MOVABLE_KEYS)
            .and(Flags::AHEAD),
        keys: STORED,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(algebra::zdiffstore),
        docs: &Docs {
            summary: "Stores what the first sorted set has and the others have not",
            since: "6.2.0",
            complexity: "O(N*K+M*log(M)) for K keys, N members of the first and M that come out",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            key_specs: STORING,
            arguments: &[DESTINATION, NUMKEYS, SOURCES_BEHIND],
            ..Docs::NONE
        },
    },
];
