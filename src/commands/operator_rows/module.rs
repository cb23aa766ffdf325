//! Rows of the subcommands of MODULE.

use super::server;
use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "module|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Module,
        &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "module|list",
        2,
        Flags::ADMIN.and(Flags::NOSCRIPT),
        ServerCommand::Module,
        &Docs {
            summary: "Returns the loaded modules",
            since: "4.0.0",
            group: Group::Server,
            complexity: "O(N) for N modules",
            tips: &["nondeterministic_output_order"],
            ..Docs::NONE
        },
    ),
    server(
        "module|load",
        -3,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Module,
        &Docs {
            summary: "Loads a module",
            since: "4.0.0",
            group: Group::Server,
            arguments: &[
                Argument::string("path"),
                Argument::string("arg").optional().multiple(),
            ],
            ..Docs::NONE
        },
    ),
    server(
        "module|loadex",
        -3,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Module,
        &Docs {
            summary: "Loads a module with its configuration",
            since: "7.0.0",
            group: Group::Server,
            arguments: &[
                Argument::string("path"),
                Argument::block(
                    "configs",
                    &[Argument::string("name"), Argument::string("value")],
                )
                .after("CONFIG")
                .optional()
                .multiple_token(),
                Argument::block("args", &[Argument::string("arg")])
                    .after("ARGS")
                    .optional()
                    .multiple(),
            ],
            ..Docs::NONE
        },
    ),
    server(
        "module|unload",
        3,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Module,
        &Docs {
            summary: "Unloads a module",
            since: "4.0.0",
            group: Group::Server,
            arguments: &[Argument::string("name")],
            ..Docs::NONE
        },
    ),
];
