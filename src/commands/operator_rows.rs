//! Rows of what operators ask a server: users, the slow log, latencies, memory, and what a server without a cluster and without modules
//! says to those who ask for them.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, SessionCommand, Stamps};

mod acl;
mod cluster;
mod files;
mod latency;
mod memory;
mod module;
mod slowlog;

pub use files::ROWS as FILE_ROWS;

/// A command without keys and stamps.
const fn row(
    name: &'static str,
    arity: i16,
    flags: Flags,
    handler: Handler,
    docs: &'static Docs,
) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler,
        docs,
    }
}

/// One of the server.
const fn server(
    name: &'static str,
    arity: i16,
    flags: Flags,
    command: ServerCommand,
    docs: &'static Docs,
) -> Row {
    row(name, arity, flags, Handler::Server(command), docs)
}

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "acl",
        -2,
        Flags::NONE,
        ServerCommand::Acl,
        &Docs {
            summary: "Commands about users and what they may do",
            since: "6.0.0",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: acl::ROWS,
            ..Docs::NONE
        },
    ),
    server(
        "cluster",
        -2,
        Flags::NONE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Commands about a cluster",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "Depends on the subcommand",
            subcommands: cluster::ROWS,
            ..Docs::NONE
        },
    ),
    server(
        "asking",
        1,
        Flags::FAST,
        ServerCommand::Cluster,
        &Docs {
            summary: "Lets the next command into a slot that is being imported",
            since: "3.0.0",
            group: Group::Cluster,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    server(
        "readonly",
        1,
        Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        ServerCommand::Cluster,
        &Docs {
            summary: "Allows reads from a replica of a cluster",
            since: "3.0.0",
            group: Group::Cluster,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    server(
        "readwrite",
        1,
        Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        ServerCommand::Cluster,
        &Docs {
            summary: "Ends what READONLY began",
            since: "3.0.0",
            group: Group::Cluster,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    server(
        "failover",
        -1,
        Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE),
        ServerCommand::Failover,
        &Docs {
            summary: "Makes a replica take over from its master",
            since: "6.2.0",
            group: Group::Server,
            arguments: &[
                Argument::block(
                    "target",
                    &[
                        Argument::string("host"),
                        Argument::integer("port"),
                        Argument::word("force", "FORCE").optional(),
                    ],
                )
                .after("TO")
                .optional(),
                Argument::word("abort", "ABORT").optional(),
                Argument::integer("milliseconds")
                    .after("TIMEOUT")
                    .optional(),
            ],
            ..Docs::NONE
        },
    ),
    server(
        "latency",
        -2,
        Flags::NONE,
        ServerCommand::Latency,
        &Docs {
            summary: "Commands about latencies",
            since: "2.8.13",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: latency::ROWS,
            ..Docs::NONE
        },
    ),
    server(
        "lolwut",
        -1,
        Flags::READONLY.and(Flags::FAST),
        ServerCommand::Lolwut,
        &Docs {
            summary: "Shows a picture and the version",
            since: "5.0.0",
            group: Group::Server,
            arguments: &[Argument::integer("version").after("VERSION").optional()],
            ..Docs::NONE
        },
    ),
    server(
        "memory",
        -2,
        Flags::NONE,
        ServerCommand::Memory,
        &Docs {
            summary: "Commands about memory",
            since: "4.0.0",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: memory::ROWS,
            ..Docs::NONE
        },
    ),
    server(
        "module",
        -2,
        Flags::NONE,
        ServerCommand::Module,
        &Docs {
            summary: "Commands about modules",
            since: "4.0.0",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: module::ROWS,
            ..Docs::NONE
        },
    ),
    row(
        "monitor",
        1,
        Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE),
        Handler::Session(SessionCommand::Monitor),
        &Docs {
            summary: "Shows every command that is carried out from now on",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "slowlog",
        -2,
        Flags::NONE,
        ServerCommand::Slowlog,
        &Docs {
            summary: "Commands about the slow log",
            since: "2.2.12",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: slowlog::ROWS,
            ..Docs::NONE
        },
    ),
    server(
        "time",
        1,
        Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        ServerCommand::Time,
        &Docs {
            summary: "Returns the time of the server",
            since: "2.6.0",
            group: Group::Server,
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
];
