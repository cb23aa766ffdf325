//! Rows of the keys family.

use crate::commands::docs::{Argument, Categories, Docs};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "del",
        arity: -2,
        flags: Flags::WRITE.and(Flags::BRIEF),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(super::del),
        docs: &Docs {
            summary: "Deletes keys",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            access: &["RM", "delete"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "expdel",
        arity: -2,
        flags: Flags::WRITE.and(Flags::BRIEF),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(super::del),
        docs: &Docs {
            summary: "Deletes keys, as DEL does; KeyDB's other name for it",
            since: "6.0.0",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            access: &["RM", "delete"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "unlink",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(super::del),
        docs: &Docs {
            summary: "Deletes keys; their memory is freed later",
            since: "4.0.0",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            access: &["RM", "delete"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "exists",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(super::exists),
        docs: &Docs {
            summary: "Counts which of the keys exist",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            access: &["RO"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "keydb.mexists",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(super::mexists),
        docs: &Docs {
            summary: "Returns of each key whether it exists",
            since: "6.0.0",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard"],
            access: &["RO"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "touch",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(super::exists),
        docs: &Docs {
            summary: "Counts which of the keys exist and marks them as used",
            since: "3.2.1",
            complexity: "O(N) for N keys",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            access: &["RO"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "type",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(super::type_of),
        docs: &Docs {
            summary: "Returns the type of the value at a key",
            categories: Categories::KEYSPACE,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
];
