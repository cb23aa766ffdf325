//! Rows of commands of the connection, which the session carries out. Those that change how later commands run end a batch.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, SessionCommand, Stamps};
mod client;
mod pubsub;

pub use pubsub::ROWS as PUBSUB_ROWS;

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "auth",
        arity: -2,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Auth),
        docs: &Docs {
            summary: "Authenticates the connection",
            group: Group::Connection,
            complexity: "O(N) for N passwords of the user",
            categories: Categories::CONNECTION,
            arguments: &[
                Argument::string("username").since("6.0.0").optional(),
                Argument::string("password"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "client",
        arity: -2,
        flags: Flags::BARRIER,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Client),
        docs: &Docs {
            summary: "Commands about client connections",
            since: "2.4.0",
            group: Group::Connection,
            complexity: "Depends on the subcommand",
            subcommands: client::ROWS,
            ..Docs::NONE
        },
    },
    Row {
        name: "discard",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Discard),
        docs: &Docs {
            summary: "Forgets the queued commands of a transaction",
            since: "2.0.0",
            group: Group::Transactions,
            complexity: "O(N) for N queued commands",
            categories: Categories::TRANSACTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "echo",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Echo),
        docs: &Docs {
            summary: "Returns its argument",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::string("message")],
            ..Docs::NONE
        },
    },
    Row {
        name: "exec",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::SKIP_SLOWLOG)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Exec),
        docs: &Docs {
            summary: "Runs the queued commands of a transaction",
            since: "1.2.0",
            group: Group::Transactions,
            complexity: "Depends on the queued commands",
            categories: Categories::TRANSACTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "hello",
        arity: -1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Hello),
        docs: &Docs {
            summary: "Chooses the protocol, and authenticates and names the connection if asked",
            since: "6.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::block(
                "arguments",
                &[
                    Argument::integer("protover"),
                    Argument::block(
                        "username_password",
                        &[Argument::string("username"), Argument::string("password")],
                    )
                    .after("AUTH")
                    .optional(),
                    Argument::string("clientname").after("SETNAME").optional(),
                ],
            )
            .optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "multi",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Multi),
        docs: &Docs {
            summary: "Begins a transaction",
            since: "1.2.0",
            group: Group::Transactions,
            categories: Categories::TRANSACTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "ping",
        arity: -1,
        flags: Flags::FAST,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Ping),
        docs: &Docs {
            summary: "Returns PONG or its argument",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            arguments: &[Argument::string("message").optional()],
            ..Docs::NONE
        },
    },
    Row {
        name: "quit",
        arity: -1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Quit),
        docs: &Docs {
            summary: "Closes the connection",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "reset",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_AUTH)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Reset),
        docs: &Docs {
            summary: "Makes the connection as if it were new",
            since: "6.2.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "rreplay",
        arity: -3,
        flags: Flags::READONLY
            .and(Flags::NOSCRIPT)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::NO_MULTI)
            .and(Flags::MAY_REPLICATE)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Rreplay),
        docs: &Docs {
            summary: "Carries out what a server of a KeyDB mesh has carried out; from clients of DEBUG FORCE-MASTER",
            group: Group::Server,
            complexity: "That of the commands in it",
            arguments: &[
                Argument::string("uuid"),
                Argument::string("commands"),
                Argument::integer("db").optional(),
                Argument::integer("mvcc").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "select",
        arity: 2,
        flags: Flags::LOADING
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Select),
        docs: &Docs {
            summary: "Chooses the database",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::integer("index")],
            ..Docs::NONE
        },
    },
    Row {
        name: "unwatch",
        arity: 1,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Unwatch),
        docs: &Docs {
            summary: "Forgets the watched keys",
            since: "2.2.0",
            group: Group::Transactions,
            categories: Categories::TRANSACTION,
            ..Docs::NONE
        },
    },
    Row {
        name: "wait",
        arity: 3,
        flags: Flags::NOSCRIPT.and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Wait),
        docs: &Docs {
            summary: "Waits until replicas have the connection's writes",
            since: "3.0.0",
            categories: Categories::CONNECTION,
            tips: &["request_policy:all_shards", "response_policy:agg_min"],
            arguments: &[
                Argument::integer("numreplicas"),
                Argument::integer("timeout"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "waitaof",
        arity: 4,
        flags: Flags::BLOCKING.and(Flags::BARRIER),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Waitaof),
        docs: &Docs {
            summary: "Waits until replicas have the connection's writes in their append-only files",
            since: "7.2.0",
            categories: Categories::CONNECTION,
            tips: &["request_policy:all_shards", "response_policy:agg_min"],
            arguments: &[
                Argument::integer("numlocal"),
                Argument::integer("numreplicas"),
                Argument::integer("timeout"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "watch",
        arity: -2,
        flags: Flags::NOSCRIPT
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::ALLOW_BUSY)
            .and(Flags::BARRIER),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Watch),
        docs: &Docs {
            summary: "Makes the next transaction depend on keys staying as they are",
            since: "2.2.0",
            group: Group::Transactions,
            complexity: "O(N) for N keys",
            categories: Categories::TRANSACTION,
            access: &["RO"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
];
