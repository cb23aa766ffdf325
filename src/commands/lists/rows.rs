//! Rows of the lists family: pushes, pops and reads.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::lists::{pop, push, read};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "lpush",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::PerArgument,
        handler: Handler::Data(push::lpush),
        docs: &Docs {
            summary: "Puts elements at the head of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("element").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "rpush",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::PerArgument,
        handler: Handler::Data(push::rpush),
        docs: &Docs {
            summary: "Puts elements at the tail of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("element").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "lpushx",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::PerArgument,
        handler: Handler::Data(push::lpushx),
        docs: &Docs {
            summary: "Puts elements at the head of a list that is there",
            since: "2.2.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("element").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "rpushx",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::PerArgument,
        handler: Handler::Data(push::rpushx),
        docs: &Docs {
            summary: "Puts elements at the tail of a list that is there",
            since: "2.2.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "insert"],
            arguments: &[Argument::KEY, Argument::string("element").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "lpop",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(pop::lpop),
        docs: &Docs {
            summary: "Takes elements from the head of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count").since("6.2.0").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "rpop",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(pop::rpop),
        docs: &Docs {
            summary: "Takes elements from the tail of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count").since("6.2.0").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "lmpop",
        arity: -4,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        keys: Keys::Counted {
            count: 1,
            has_destination: false,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(pop::lmpop),
        docs: &Docs {
            summary: "Takes elements from the first of several lists that has any",
            since: "7.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RW", "access", "delete"],
            arguments: &[
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
        name: "llen",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::llen),
        docs: &Docs {
            summary: "How many elements a list has",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(1)",
            categories: Categories::LIST,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "lindex",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::lindex),
        docs: &Docs {
            summary: "The element at an index of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::integer("index")],
            ..Docs::NONE
        },
    },
    Row {
        name: "lrange",
        arity: 4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::lrange),
        docs: &Docs {
            summary: "The elements between two indices of a list",
            since: "1.0.0",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("start"),
                Argument::integer("stop"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "lpos",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::lpos),
        docs: &Docs {
            summary: "Where an element stands in a list",
            since: "6.0.6",
            group: Group::List,
            complexity: "O(N) for N elements",
            categories: Categories::LIST,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("element"),
                Argument::integer("rank").after("RANK").optional(),
                Argument::integer("num-matches").after("COUNT").optional(),
                Argument::integer("len").after("MAXLEN").optional(),
            ],
            ..Docs::NONE
        },
    },
];
