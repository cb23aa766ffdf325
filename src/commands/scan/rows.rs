//! Rows of the commands that look over whole databases.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "scan",
        arity: -2,
        flags: Flags::READONLY,
        keys: Keys::Cursor(1),
        stamps: Stamps::None,
        handler: Handler::Data(super::scan),
        docs: &Docs {
            summary: "Walks over the keys of the database, some per call",
            since: "2.8.0",
            complexity: "O(1) per call, O(N) for all N keys of the database",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output", "request_policy:special"],
            arguments: &[
                Argument::integer("cursor"),
                Argument::pattern("pattern").after("MATCH").optional(),
                Argument::integer("count").after("COUNT").optional(),
                Argument::string("type")
                    .after("TYPE")
                    .since("6.0.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "keys",
        arity: 2,
        flags: Flags::READONLY,
        keys: Keys::All,
        stamps: Stamps::None,
        handler: Handler::Data(super::keys_matching),
        docs: &Docs {
            summary: "Returns all keys that match a pattern",
            complexity: "O(N) for N keys of the database",
            categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
            tips: &["request_policy:all_shards", "nondeterministic_output_order"],
            arguments: &[Argument::pattern("pattern")],
            ..Docs::NONE
        },
    },
    Row {
        name: "dbsize",
        arity: 1,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::All,
        stamps: Stamps::None,
        handler: Handler::Data(super::dbsize),
        docs: &Docs {
            summary: "Counts the keys of the database",
            group: Group::Server,
            categories: Categories::KEYSPACE,
            tips: &["request_policy:all_shards", "response_policy:agg_sum"],
            ..Docs::NONE
        },
    },
    Row {
        name: "randomkey",
        arity: 1,
        flags: Flags::READONLY,
        keys: Keys::All,
        stamps: Stamps::None,
        handler: Handler::Data(super::randomkey),
        docs: &Docs {
            summary: "Returns a key at random",
            categories: Categories::KEYSPACE,
            tips: &["request_policy:all_shards", "nondeterministic_output"],
            ..Docs::NONE
        },
    },
];
