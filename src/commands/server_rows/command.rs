//! Rows of the subcommands of COMMAND.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "command|count",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Counts the commands",
            since: "2.8.13",
            group: Group::Server,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "command|docs",
        arity: -2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns documentation of commands",
            since: "7.0.0",
            group: Group::Server,
            complexity: "O(N) for N commands asked for",
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output_order"],
            arguments: &[Argument::string("command-name").optional().multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "command|getkeys",
        arity: -4,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns the keys of a full command",
            since: "2.8.13",
            group: Group::Server,
            complexity: "O(N) for N arguments",
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "command|getkeysandflags",
        arity: -4,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns the keys of a full command and what is done with them",
            since: "7.0.0",
            group: Group::Server,
            complexity: "O(N) for N arguments",
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "command|help",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            group: Group::Server,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "command|info",
        arity: -2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns what is known of commands",
            since: "2.8.13",
            group: Group::Server,
            complexity: "O(N) for N commands asked for",
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output_order"],
            arguments: &[Argument::string("command-name").optional().multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "command|list",
        arity: -2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Lists the names of commands",
            since: "7.0.0",
            group: Group::Server,
            complexity: "O(N) for N commands",
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output_order"],
            arguments: &[Argument::one_of(
                "filterby",
                &[
                    Argument::string("module-name").after("MODULE"),
                    Argument::string("category").after("ACLCAT"),
                    Argument::pattern("pattern").after("PATTERN"),
                ],
            )
            .after("FILTERBY")
            .optional()],
            ..Docs::NONE
        },
    },
];
