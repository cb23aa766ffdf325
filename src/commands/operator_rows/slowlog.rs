//! Rows of the subcommands of SLOWLOG.

use super::server;
use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "slowlog|get",
        -2,
        Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        ServerCommand::Slowlog,
        &Docs {
            summary: "Returns entries of the slow log",
            since: "2.2.12",
            group: Group::Server,
            complexity: "O(N) for N entries returned",
            tips: &["request_policy:all_nodes", "nondeterministic_output"],
            arguments: &[Argument::integer("count").optional()],
            ..Docs::NONE
        },
    ),
    server(
        "slowlog|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Slowlog,
        &Docs {
            summary: "Returns the subcommands",
            since: "6.2.0",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "slowlog|len",
        2,
        Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        ServerCommand::Slowlog,
        &Docs {
            summary: "Returns how many entries the slow log has",
            since: "2.2.12",
            group: Group::Server,
            tips: &[
                "request_policy:all_nodes",
                "response_policy:agg_sum",
                "nondeterministic_output",
            ],
            ..Docs::NONE
        },
    ),
    server(
        "slowlog|reset",
        2,
        Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE),
        ServerCommand::Slowlog,
        &Docs {
            summary: "Empties the slow log",
            since: "2.2.12",
            group: Group::Server,
            complexity: "O(N) for N entries",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Docs::NONE
        },
    ),
];
