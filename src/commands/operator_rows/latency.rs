//! Rows of the subcommands of LATENCY.

use super::server;
use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "latency|doctor",
        2,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns a report on latency events in words",
            since: "2.8.13",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            ..Docs::NONE
        },
    ),
    server(
        "latency|graph",
        3,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns a graph of an event's latencies",
            since: "2.8.13",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            arguments: &[Argument::string("event")],
            ..Docs::NONE
        },
    ),
    server(
        "latency|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns the subcommands",
            since: "2.8.13",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "latency|histogram",
        -2,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns how long commands took, as cumulative histograms",
            since: "7.0.0",
            group: Group::Server,
            complexity: "O(N) for N commands",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            arguments: &[Argument::string("command").optional().multiple()],
            ..Docs::NONE
        },
    ),
    server(
        "latency|history",
        3,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns the samples of an event",
            since: "2.8.13",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            arguments: &[Argument::string("event")],
            ..Docs::NONE
        },
    ),
    server(
        "latency|latest",
        2,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Returns the latest sample of each event",
            since: "2.8.13",
            group: Group::Server,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            ..Docs::NONE
        },
    ),
    server(
        "latency|reset",
        -2,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        ServerCommand::Latency,
        &Docs {
            summary: "Forgets the samples of events",
            since: "2.8.13",
            group: Group::Server,
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            arguments: &[Argument::string("event").optional().multiple()],
            ..Docs::NONE
        },
    ),
];
