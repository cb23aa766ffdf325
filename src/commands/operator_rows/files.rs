//! Rows of the commands that keep data in files.

use super::server;
use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// Of who writes a file.
const WRITES: Flags = Flags::ADMIN
    .and(Flags::NOSCRIPT)
    .and(Flags::NO_ASYNC_LOADING);

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "bgrewriteaof",
        1,
        WRITES,
        ServerCommand::Persistence,
        &Docs {
            summary: "Writes the base of an append-only file in the background",
            group: Group::Server,
            ..Docs::NONE
        },
    ),
    server(
        "bgsave",
        -1,
        WRITES,
        ServerCommand::Persistence,
        &Docs {
            summary: "Writes all data to a file in the background",
            group: Group::Server,
            arguments: &[Argument::word("schedule", "SCHEDULE")
                .since("3.2.2")
                .optional()],
            ..Docs::NONE
        },
    ),
    server(
        "lastsave",
        1,
        Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        ServerCommand::Persistence,
        &Docs {
            summary: "Returns when all data was last written to a file",
            group: Group::Server,
            categories: Categories::ADMIN.and(Categories::DANGEROUS),
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "save",
        1,
        WRITES.and(Flags::NO_MULTI),
        ServerCommand::Persistence,
        &Docs {
            summary: "Writes all data to a file and waits for it",
            group: Group::Server,
            complexity: "O(N) for N keys",
            ..Docs::NONE
        },
    ),
];
