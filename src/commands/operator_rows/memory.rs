//! Rows of the subcommands of MEMORY.

use super::server;
use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::keys::usage;
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "memory|doctor",
        2,
        Flags::NONE,
        ServerCommand::Memory,
        &Docs {
            summary: "Returns a report on memory in words",
            since: "4.0.0",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            ..Docs::NONE
        },
    ),
    server(
        "memory|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Memory,
        &Docs {
            summary: "Returns the subcommands",
            since: "4.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "memory|malloc-stats",
        2,
        Flags::NONE,
        ServerCommand::Memory,
        &Docs {
            summary: "Returns what the allocator tells of itself",
            since: "4.0.0",
            group: Group::Server,
            complexity: "Depends on how much is allocated",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            ..Docs::NONE
        },
    ),
    server(
        "memory|purge",
        2,
        Flags::NONE,
        ServerCommand::Memory,
        &Docs {
            summary: "Asks the allocator to give memory back",
            since: "4.0.0",
            group: Group::Server,
            complexity: "Depends on how much is allocated",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            ..Docs::NONE
        },
    ),
    server(
        "memory|stats",
        2,
        Flags::NONE,
        ServerCommand::Memory,
        &Docs {
            summary: "Returns what memory is used for",
            since: "4.0.0",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            ..Docs::NONE
        },
    ),
    Row {
        name: "memory|usage",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(usage),
        docs: &Docs {
            summary: "Estimates the memory of a key",
            since: "4.0.0",
            group: Group::Server,
            complexity: "O(N) for N samples",
            access: &["RO"],
            arguments: &[
                Argument::KEY,
                Argument::integer("count").after("SAMPLES").optional(),
            ],
            ..Docs::NONE
        },
    },
];
