//! Rows of commands of the server, which the rooms of configuration, links and clients carry out.

use crate::commands::docs::{Argument, Categories, Deprecated, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};
mod command;
mod config;
mod mesh;

/// What REPLICAOF and SLAVEOF take.
const MASTERS: &[Argument] = &[Argument::one_of(
    "args",
    &[
        Argument::block(
            "host-port",
            &[Argument::string("host"), Argument::integer("port")],
        ),
        Argument::block(
            "no-one",
            &[Argument::word("no", "NO"), Argument::word("one", "ONE")],
        ),
        Argument::block(
            "change",
            &[
                Argument::one_of(
                    "what",
                    &[
                        Argument::word("add", "ADD"),
                        Argument::word("remove", "REMOVE"),
                    ],
                ),
                Argument::string("host"),
                Argument::integer("port"),
            ],
        ),
    ],
)];

/// Of who becomes a replica.
const SYNCS: Flags = Flags::ADMIN
    .and(Flags::NOSCRIPT)
    .and(Flags::NO_ASYNC_LOADING)
    .and(Flags::NO_MULTI)
    .and(Flags::BARRIER);

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "command",
        arity: -1,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Command),
        docs: &Docs {
            summary: "Returns what is known of all commands",
            since: "2.8.13",
            group: Group::Server,
            complexity: "O(N) for N commands",
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output_order"],
            subcommands: command::ROWS,
            ..Docs::NONE
        },
    },
    Row {
        name: "config",
        arity: -2,
        flags: Flags::NONE,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Config),
        docs: &Docs {
            summary: "Commands about the configuration",
            since: "2.0.0",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: config::ROWS,
            ..Docs::NONE
        },
    },
    Row {
        name: "debug",
        arity: -2,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Debug),
        docs: &Docs {
            summary: "Commands for tests",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            system: true,
            ..Docs::NONE
        },
    },
    Row {
        name: "info",
        arity: -1,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Info),
        docs: &Docs {
            summary: "Returns figures of the server",
            group: Group::Server,
            categories: Categories::DANGEROUS,
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            arguments: &[Argument::string("section").optional().multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "psync",
        arity: -3,
        flags: SYNCS,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Psync),
        docs: &Docs {
            summary: "Makes the connection that of a replica of Redis's kind",
            since: "2.8.0",
            group: Group::Server,
            arguments: &[
                Argument::string("replicationid"),
                Argument::integer("offset"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "sync",
        arity: 1,
        flags: SYNCS,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Psync),
        docs: &Docs {
            summary: "Makes the connection that of a replica which says nothing",
            group: Group::Server,
            ..Docs::NONE
        },
    },
    Row {
        name: "replconf",
        arity: -1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Replconf),
        docs: &Docs {
            summary: "Tells a master about its replica",
            since: "3.0.0",
            group: Group::Server,
            system: true,
            ..Docs::NONE
        },
    },
    Row {
        name: "replicaof",
        arity: -3,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::STALE)
            .and(Flags::NO_ASYNC_LOADING),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Replicaof),
        docs: &Docs {
            summary: "Adds, replaces or removes masters of this server",
            since: "5.0.0",
            group: Group::Server,
            arguments: MASTERS,
            ..Docs::NONE
        },
    },
    Row {
        name: "slaveof",
        arity: -3,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::STALE)
            .and(Flags::NO_ASYNC_LOADING),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Replicaof),
        docs: &Docs {
            summary: "Adds, replaces or removes masters of this server",
            group: Group::Server,
            deprecated: Some(Deprecated {
                since: "5.0.0",
                replaced_by: "`REPLICAOF`",
            }),
            arguments: MASTERS,
            ..Docs::NONE
        },
    },
    Row {
        name: "role",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Role),
        docs: &Docs {
            summary: "Returns the part that the server plays in replication",
            since: "2.8.12",
            group: Group::Server,
            categories: Categories::ADMIN.and(Categories::DANGEROUS),
            ..Docs::NONE
        },
    },
    Row {
        name: "shutdown",
        arity: -1,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::NO_MULTI)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Shutdown),
        docs: &Docs {
            summary: "Stops the server",
            group: Group::Server,
            complexity: "O(N) for N keys where it saves",
            arguments: &[
                Argument::one_of(
                    "nosave_save",
                    &[
                        Argument::word("nosave", "NOSAVE"),
                        Argument::word("save", "SAVE"),
                    ],
                )
                .optional(),
                Argument::word("soft", "SOFT").since("6.0.0").optional(),
                Argument::word("now", "NOW").since("7.0.0").optional(),
                Argument::word("force", "FORCE").since("7.0.0").optional(),
                Argument::word("abort", "ABORT").since("7.0.0").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "lfence",
        arity: 1,
        flags: Flags::READONLY
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Lfence),
        docs: &Docs {
            summary: "Returns once what arrived before it shows",
            since: "1.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    },
    Row {
        name: "mesh",
        arity: -2,
        flags: Flags::NONE,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Mesh),
        docs: &Docs {
            summary: "Shows and changes how masters are joined",
            since: "1.0.0",
            group: Group::Server,
            complexity: "Depends on the subcommand",
            subcommands: mesh::ROWS,
            ..Docs::NONE
        },
    },
    Row {
        name: "replping",
        arity: -1,
        flags: Flags::STALE.and(Flags::FAST),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Replping),
        docs: &Docs {
            summary: "Returns PONG unless the server is loading",
            since: "1.0.0",
            group: Group::Server,
            system: true,
            arguments: &[Argument::string("message").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "keymesh.link",
        arity: -2,
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::NO_MULTI)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Link),
        docs: &Docs {
            summary: "Makes the connection a link between masters",
            since: "1.0.0",
            group: Group::Server,
            system: true,
            ..Docs::NONE
        },
    },
];
