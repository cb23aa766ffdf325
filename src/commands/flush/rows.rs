//! Rows of the flush family.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "flushdb",
        arity: -1,
        flags: Flags::WRITE,
        keys: Keys::All,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(super::flushdb),
        docs: &Docs {
            summary: "Deletes all keys of the database",
            group: Group::Server,
            complexity: "O(N) for N keys of the database",
            categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            arguments: &[Argument::one_of(
                "async",
                &[
                    Argument::word("async", "ASYNC").since("4.0.0"),
                    Argument::word("sync", "SYNC").since("6.2.0"),
                ],
            )
            .optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "flushall",
        arity: -1,
        flags: Flags::WRITE,
        keys: Keys::All,
        stamps: Stamps::PerDatabase,
        handler: Handler::Data(super::flushall),
        docs: &Docs {
            summary: "Deletes all keys of all databases",
            group: Group::Server,
            complexity: "O(N) for N keys of all databases",
            categories: Categories::DANGEROUS.and(Categories::KEYSPACE),
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            arguments: &[Argument::one_of(
                "async",
                &[
                    Argument::word("async", "ASYNC").since("4.0.0"),
                    Argument::word("sync", "SYNC").since("6.2.0"),
                ],
            )
            .optional()],
            ..Docs::NONE
        },
    },
];
