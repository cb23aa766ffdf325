//! Rows of the sorted sets family: ranges, and ZSCAN.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Deprecated, Docs, Group, KeySpec};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::commands::zsets::{range, scan};

const LIMIT: Argument = Argument::block(
    "offset_count",
    &[Argument::integer("offset"), Argument::integer("count")],
)
.after("LIMIT")
.optional();
const WITHSCORES: Argument = Argument::word("withscores", "WITHSCORES").optional();
const REV: Argument = Argument::word("rev", "REV").optional();
const SORT_BY: Argument = Argument::one_of(
    "sortby",
    &[
        Argument::word("byscore", "BYSCORE"),
        Argument::word("bylex", "BYLEX"),
    ],
)
.optional();

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "zrange",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrange),
        docs: &Docs {
            summary: "Returns a range of members",
            since: "1.2.0",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("start"),
                Argument::string("stop"),
                SORT_BY.since("6.2.0"),
                REV.since("6.2.0"),
                LIMIT.since("6.2.0"),
                WITHSCORES,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrangebyscore",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrangebyscore),
        docs: &Docs {
            summary: "Returns the members whose scores lie between two",
            since: "1.0.5",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `BYSCORE` argument",
            }),
            arguments: &[
                Argument::KEY,
                Argument::new("min", ArgumentKind::Double),
                Argument::new("max", ArgumentKind::Double),
                WITHSCORES.since("2.0.0"),
                LIMIT,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrevrangebyscore",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrevrangebyscore),
        docs: &Docs {
            summary: "Returns the members whose scores lie between two, the highest first",
            since: "2.2.0",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
            }),
            arguments: &[
                Argument::KEY,
                Argument::new("max", ArgumentKind::Double),
                Argument::new("min", ArgumentKind::Double),
                WITHSCORES,
                LIMIT,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrangebylex",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrangebylex),
        docs: &Docs {
            summary: "Returns the members that lie between two, all scores being equal",
            since: "2.8.9",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `BYLEX` argument",
            }),
            arguments: &[
                Argument::KEY,
                Argument::string("min"),
                Argument::string("max"),
                LIMIT,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrevrangebylex",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrevrangebylex),
        docs: &Docs {
            summary: "Returns the members that lie between two, all scores being equal, the last first",
            since: "2.8.9",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `REV` and `BYLEX` arguments",
            }),
            arguments: &[
                Argument::KEY,
                Argument::string("max"),
                Argument::string("min"),
                LIMIT,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrevrange",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(range::zrevrange),
        docs: &Docs {
            summary: "Returns the members of some ranks, counted from the highest score",
            since: "1.2.0",
            complexity: "O(log(N)+M) for N members of which M are returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `REV` argument",
            }),
            arguments: &[
                Argument::KEY,
                Argument::integer("start"),
                Argument::integer("stop"),
                WITHSCORES,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrangestore",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(range::zrangestore),
        docs: &Docs {
            summary: "Stores a range of members at another key",
            since: "6.2.0",
            complexity: "O(log(N)+M) for N members of which M are stored",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            key_specs: &[
                KeySpec::one(1, &["OW", "update"]),
                KeySpec::one(2, &["RO", "access"]),
            ],
            arguments: &[
                Argument::key("dst", 0),
                Argument::key("src", 1),
                Argument::string("min"),
                Argument::string("max"),
                SORT_BY,
                REV,
                LIMIT,
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zscan",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(scan::zscan),
        docs: &Docs {
            summary: "Walks over members with their scores",
            since: "2.8.0",
            complexity: "O(1) for each call, O(N) for a whole walk",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
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
];
