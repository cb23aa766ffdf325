//! Rows of the subcommands of CONFIG.

use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "config|get",
        arity: -3,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Returns the values of directives",
            since: "2.0.0",
            group: Group::Server,
            complexity: "O(N) for N directives",
            arguments: &[Argument::block("parameter", &[Argument::string("parameter")]).multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "config|help",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    },
    Row {
        name: "config|resetstat",
        arity: 2,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Sets the counters of INFO to zero",
            since: "2.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    },
    Row {
        name: "config|rewrite",
        arity: 2,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Writes the configuration file anew",
            since: "2.8.0",
            group: Group::Server,
            ..Docs::NONE
        },
    },
    Row {
        name: "config|set",
        arity: -4,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Changes directives while the server runs",
            since: "2.0.0",
            group: Group::Server,
            complexity: "O(N) for N directives",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            arguments: &[Argument::block(
                "parameter_value",
                &[Argument::string("parameter"), Argument::string("value")],
            )
            .multiple()],
            ..Docs::NONE
        },
    },
];
