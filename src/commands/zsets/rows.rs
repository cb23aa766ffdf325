//! Rows of the sorted sets family: single members, removal, and ZRANDMEMBER.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::commands::zsets::{add, random, read, remove};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "zadd",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::zadd),
        docs: &Docs {
            summary: "Gives members scores, and adds those that are not there",
            since: "1.2.0",
            complexity: "O(log(N)) for each member, of N",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::one_of(
                    "condition",
                    &[Argument::word("nx", "NX"), Argument::word("xx", "XX")],
                )
                .since("3.0.2")
                .optional(),
                Argument::one_of(
                    "comparison",
                    &[Argument::word("gt", "GT"), Argument::word("lt", "LT")],
                )
                .since("6.2.0")
                .optional(),
                Argument::word("change", "CH").since("3.0.2").optional(),
                Argument::word("increment", "INCR")
                    .since("3.0.2")
                    .optional(),
                Argument::block(
                    "score_member",
                    &[
                        Argument::new("score", ArgumentKind::Double),
                        Argument::string("member"),
                    ],
                )
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zincrby",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::zincrby),
        docs: &Docs {
            summary: "Adds to the score of a member",
            since: "1.2.0",
            complexity: "O(log(N)) for N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("increment"),
                Argument::string("member"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrem",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zrem),
        docs: &Docs {
            summary: "Removes members",
            since: "1.2.0",
            complexity: "O(M*log(N)) for M arguments and N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "delete"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "zcard",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zcard),
        docs: &Docs {
            summary: "Counts the members of a sorted set",
            since: "1.2.0",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "zscore",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zscore),
        docs: &Docs {
            summary: "Returns the score of a member",
            since: "1.2.0",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member")],
            ..Docs::NONE
        },
    },
    Row {
        name: "zmscore",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zmscore),
        docs: &Docs {
            summary: "Returns the scores of members",
            since: "6.2.0",
            complexity: "O(N) for N arguments",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("member").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrank",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zrank),
        docs: &Docs {
            summary: "Returns the rank of a member, counted from the lowest score",
            since: "2.0.0",
            complexity: "O(log(N)) for N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("member"),
                Argument::word("withscore", "WITHSCORE")
                    .since("7.2.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zrevrank",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zrevrank),
        docs: &Docs {
            summary: "Returns the rank of a member, counted from the highest score",
            since: "2.0.0",
            complexity: "O(log(N)) for N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("member"),
                Argument::word("withscore", "WITHSCORE")
                    .since("7.2.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zcount",
        arity: 4,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zcount),
        docs: &Docs {
            summary: "Counts the members whose scores lie between two",
            since: "2.0.0",
            complexity: "O(log(N)) for N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::new("min", ArgumentKind::Double),
                Argument::new("max", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zlexcount",
        arity: 4,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::zlexcount),
        docs: &Docs {
            summary: "Counts the members that lie between two, all scores being equal",
            since: "2.8.9",
            complexity: "O(log(N)) for N members",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("min"),
                Argument::string("max"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zremrangebyrank",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zremrangebyrank),
        docs: &Docs {
            summary: "Removes the members of some ranks",
            since: "2.0.0",
            complexity: "O(log(N)+M) for N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
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
        name: "zremrangebyscore",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zremrangebyscore),
        docs: &Docs {
            summary: "Removes the members whose scores lie between two",
            since: "1.2.0",
            complexity: "O(log(N)+M) for N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::new("min", ArgumentKind::Double),
                Argument::new("max", ArgumentKind::Double),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zremrangebylex",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zremrangebylex),
        docs: &Docs {
            summary: "Removes the members that lie between two, all scores being equal",
            since: "2.8.9",
            complexity: "O(log(N)+M) for N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::string("min"),
                Argument::string("max"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "zpopmin",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zpopmin),
        docs: &Docs {
            summary: "Removes and returns the members with the lowest scores",
            since: "5.0.0",
            complexity: "O(M*log(N)) for N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[Argument::KEY, Argument::integer("count").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "zpopmax",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zpopmax),
        docs: &Docs {
            summary: "Removes and returns the members with the highest scores",
            since: "5.0.0",
            complexity: "O(M*log(N)) for N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[Argument::KEY, Argument::integer("count").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "zmpop",
        arity: -4,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        keys: Keys::Counted {
            count: 1,
            has_destination: false,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::zmpop),
        docs: &Docs {
            summary: "Removes and returns members of the first key that has any",
            since: "7.0.0",
            complexity: "O(K+M*log(N)) for K keys and N members of which M go",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            access: &["RW", "access", "delete"],
            arguments: &[
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
    Row {
        name: "zrandmember",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(random::zrandmember),
        docs: &Docs {
            summary: "Returns members at random",
            since: "6.2.0",
            complexity: "O(N) for N members returned",
            group: Group::SortedSet,
            categories: Categories::SORTEDSET,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "options",
                    &[
                        Argument::integer("count"),
                        Argument::word("withscores", "WITHSCORES").optional(),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
];
