//! Rows of the hashes family: reads.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::hashes::read;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "hget",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hget),
        docs: &Docs {
            summary: "Returns the value of a field of a hash",
            since: "2.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("field")],
            ..Docs::NONE
        },
    },
    Row {
        name: "hmget",
        arity: -3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hmget),
        docs: &Docs {
            summary: "Returns the values of several fields of a hash",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields",
            categories: Categories::HASH,
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("field").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "hgetall",
        arity: 2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hgetall),
        docs: &Docs {
            summary: "Returns all fields of a hash with their values",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields of the hash",
            categories: Categories::HASH,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "hexists",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hexists),
        docs: &Docs {
            summary: "Tells whether a hash has a field",
            since: "2.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RO"],
            arguments: &[Argument::KEY, Argument::string("field")],
            ..Docs::NONE
        },
    },
    Row {
        name: "hlen",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hlen),
        docs: &Docs {
            summary: "Counts the fields of a hash",
            since: "2.0.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "hstrlen",
        arity: 3,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hstrlen),
        docs: &Docs {
            summary: "Returns the length of the value of a field of a hash",
            since: "3.2.0",
            group: Group::Hash,
            categories: Categories::HASH,
            access: &["RO"],
            arguments: &[Argument::KEY, Argument::string("field")],
            ..Docs::NONE
        },
    },
    Row {
        name: "hkeys",
        arity: 2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hkeys),
        docs: &Docs {
            summary: "Returns all fields of a hash",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields of the hash",
            categories: Categories::HASH,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "hvals",
        arity: 2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hvals),
        docs: &Docs {
            summary: "Returns all values of a hash",
            since: "2.0.0",
            group: Group::Hash,
            complexity: "O(N) for N fields of the hash",
            categories: Categories::HASH,
            tips: &["nondeterministic_output_order"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "hrandfield",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hrandfield),
        docs: &Docs {
            summary: "Returns fields of a hash at random",
            since: "6.2.0",
            group: Group::Hash,
            complexity: "O(N) for N fields returned",
            categories: Categories::HASH,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "options",
                    &[
                        Argument::integer("count"),
                        Argument::word("withvalues", "WITHVALUES").optional(),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "hscan",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::hscan),
        docs: &Docs {
            summary: "Walks over the fields of a hash, some per call",
            since: "2.8.0",
            group: Group::Hash,
            complexity: "O(1) per call, O(N) for all N elements",
            categories: Categories::HASH,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::integer("cursor"),
                Argument::pattern("pattern").after("MATCH").optional(),
                Argument::integer("count").after("COUNT").optional(),
                Argument::word("novalues", "NOVALUES")
                    .since("7.4.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
];
