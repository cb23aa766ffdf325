//! Rows of the subcommands of ACL.

use super::server;
use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// What everybody may ask.
const HARMLESS: Flags = Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE);
/// What shows or changes who may do what.
const ADMIN: Flags = HARMLESS.and(Flags::ADMIN);

const DOCS: Docs = Docs {
    since: "6.0.0",
    group: Group::Server,
    ..Docs::NONE
};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "acl|cat",
        -2,
        HARMLESS,
        ServerCommand::Acl,
        &Docs {
            summary: "Lists the categories, or the commands of one",
            arguments: &[Argument::string("categoryname").optional()],
            ..DOCS
        },
    ),
    server(
        "acl|deluser",
        -3,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Deletes users and ends their connections",
            complexity: "O(N) for N users",
            arguments: &[Argument::string("username").multiple()],
            ..DOCS
        },
    ),
    server(
        "acl|dryrun",
        -4,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Tells whether a user may do something, without doing it",
            since: "7.0.0",
            arguments: &[
                Argument::string("username"),
                Argument::string("command"),
                Argument::string("arg").optional().multiple(),
            ],
            ..DOCS
        },
    ),
    server(
        "acl|genpass",
        -2,
        HARMLESS,
        ServerCommand::Acl,
        &Docs {
            summary: "Makes a password that nobody guesses",
            arguments: &[Argument::integer("bits").optional()],
            ..DOCS
        },
    ),
    server(
        "acl|getuser",
        3,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Returns the rules of a user",
            complexity: "O(N) for N rules of the user",
            arguments: &[Argument::string("username")],
            ..DOCS
        },
    ),
    server(
        "acl|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Acl,
        &Docs {
            summary: "Returns the subcommands",
            ..DOCS
        },
    ),
    server(
        "acl|list",
        2,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Returns all users with their rules, as an ACL file has them",
            complexity: "O(N) for N users",
            ..DOCS
        },
    ),
    server(
        "acl|load",
        2,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Reads the ACL file anew",
            complexity: "O(N) for N users",
            ..DOCS
        },
    ),
    server(
        "acl|log",
        -2,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Returns what was refused lately, or forgets it",
            complexity: "O(N) for N entries returned",
            arguments: &[Argument::one_of(
                "operation",
                &[Argument::integer("count"), Argument::word("reset", "RESET")],
            )
            .optional()],
            ..DOCS
        },
    ),
    server(
        "acl|save",
        2,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Writes the ACL file",
            complexity: "O(N) for N users",
            ..DOCS
        },
    ),
    server(
        "acl|setuser",
        -3,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Makes a user or changes its rules",
            complexity: "O(N) for N rules",
            arguments: &[
                Argument::string("username"),
                Argument::string("rule").optional().multiple(),
            ],
            ..DOCS
        },
    ),
    server(
        "acl|users",
        2,
        ADMIN,
        ServerCommand::Acl,
        &Docs {
            summary: "Returns the names of all users",
            complexity: "O(N) for N users",
            ..DOCS
        },
    ),
    server(
        "acl|whoami",
        2,
        HARMLESS,
        ServerCommand::Acl,
        &Docs {
            summary: "Returns the user of the connection",
            ..DOCS
        },
    ),
];
