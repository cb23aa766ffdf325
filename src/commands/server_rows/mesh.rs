//! Rows of the subcommands of MESH.

use crate::commands::docs::{Argument, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};

const OPERATORS: Flags = Flags::ADMIN
    .and(Flags::NOSCRIPT)
    .and(Flags::LOADING)
    .and(Flags::STALE);

const fn mesh(name: &'static str, arity: i16, flags: Flags, docs: &'static Docs) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Mesh),
        docs,
    }
}

/// The rows.
pub static ROWS: &[Row] = &[
    mesh(
        "mesh|digest",
        2,
        OPERATORS,
        &Docs {
            summary: "Returns a digest of all data, equal on two nodes that hold the same",
            since: "1.0.0",
            group: Group::Server,
            complexity: "O(N) for N keys",
            ..Docs::NONE
        },
    ),
    Row {
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        ..mesh(
            "mesh|explain",
            3,
            OPERATORS.and(Flags::READONLY),
            &Docs {
                summary: "Tells when and where what a key shows was written",
                since: "1.0.0",
                group: Group::Server,
                access: &["RO", "access"],
                arguments: &[Argument::KEY],
                ..Docs::NONE
            },
        )
    },
    mesh(
        "mesh|forget",
        3,
        OPERATORS,
        &Docs {
            summary: "Stops waiting for a node that will not come back",
            since: "1.0.0",
            group: Group::Server,
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    mesh(
        "mesh|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        &Docs {
            summary: "Returns the subcommands",
            since: "1.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    mesh(
        "mesh|members",
        2,
        OPERATORS,
        &Docs {
            summary: "Returns every node that is known, its lives and how far each has arrived here",
            since: "1.0.0",
            group: Group::Server,
            complexity: "O(N) for N nodes",
            ..Docs::NONE
        },
    ),
    mesh(
        "mesh|owned",
        -10,
        Flags::ADMIN
            .and(Flags::WRITE)
            .and(Flags::NOSCRIPT)
            .and(Flags::NO_MULTI),
        &Docs {
            summary: "Carries out a command for another master, as the owner of its keys",
            since: "1.0.0",
            group: Group::Server,
            complexity: "That of the command",
            arguments: &[
                Argument::string("node-id"),
                Argument::string("host"),
                Argument::integer("port"),
                Argument::integer("db"),
                Argument::string("positions"),
                Argument::integer("milliseconds"),
                Argument::integer("protover"),
                Argument::string("command").multiple(),
            ],
            ..Docs::NONE
        },
    ),
    mesh(
        "mesh|routes",
        2,
        OPERATORS,
        &Docs {
            summary: "Returns by which link the writes of each node come",
            since: "1.0.0",
            group: Group::Server,
            complexity: "O(N) for N nodes",
            ..Docs::NONE
        },
    ),
    mesh(
        "mesh|status",
        2,
        OPERATORS,
        &Docs {
            summary: "Returns how far this node has arrived, what holds it back and what is pending",
            since: "1.0.0",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
];
