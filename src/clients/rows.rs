//! The rows of the commands that sessions and servers carry out, where the registry does not know them.

use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, SessionCommand, Stamps};

const fn row(name: &'static str, arity: i16, flags: Flags, handler: Handler) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler,
    }
}

const fn session(name: &'static str, arity: i16, flags: Flags, command: SessionCommand) -> Row {
    row(name, arity, flags, Handler::Session(command))
}

const fn server(name: &'static str, arity: i16, flags: Flags, command: ServerCommand) -> Row {
    row(name, arity, flags.and(Flags::BARRIER), Handler::Server(command))
}

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE).and(Flags::NOSCRIPT);
const BARRIER: Flags = ALWAYS.and(Flags::BARRIER);
const ADMIN: Flags = ALWAYS.and(Flags::ADMIN);

static ROWS: &[Row] = &[
    session("ping", -1, Flags::FAST.and(Flags::LOADING).and(Flags::STALE), SessionCommand::Ping),
    session("echo", 2, Flags::FAST.and(Flags::LOADING).and(Flags::STALE), SessionCommand::Echo),
    session("auth", -2, BARRIER.and(Flags::NO_AUTH), SessionCommand::Auth),
    session("hello", -1, BARRIER.and(Flags::NO_AUTH), SessionCommand::Hello),
    session("quit", -1, BARRIER.and(Flags::NO_AUTH), SessionCommand::Quit),
    session("reset", 1, BARRIER.and(Flags::NO_AUTH), SessionCommand::Reset),
    session("select", 2, BARRIER, SessionCommand::Select),
    session("client", -2, BARRIER, SessionCommand::Client),
    session("multi", 1, BARRIER, SessionCommand::Multi),
    session("exec", 1, BARRIER, SessionCommand::Exec),
    session("discard", 1, BARRIER, SessionCommand::Discard),
    session("watch", -2, BARRIER, SessionCommand::Watch),
    session("unwatch", 1, BARRIER, SessionCommand::Unwatch),
    session("wait", 3, Flags::NOSCRIPT.and(Flags::BARRIER), SessionCommand::Wait),
    server("command", -1, ALWAYS, ServerCommand::Command),
    server("config", -2, ADMIN, ServerCommand::Config),
    server("debug", -2, ADMIN, ServerCommand::Debug),
    server("info", -1, ALWAYS, ServerCommand::Info),
    server("lfence", 1, Flags::READONLY, ServerCommand::Lfence),
    server("mesh", -2, ADMIN, ServerCommand::Mesh),
    server("replconf", -1, ADMIN, ServerCommand::Replconf),
    server("replicaof", -3, ADMIN, ServerCommand::Replicaof),
    server("slaveof", -3, ADMIN, ServerCommand::Replicaof),
    server("replping", -1, Flags::STALE, ServerCommand::Replping),
    server("role", 1, ALWAYS, ServerCommand::Role),
    server("shutdown", -1, ADMIN, ServerCommand::Shutdown),
];

/// The row of a lower or upper case name.
pub fn lookup(name: &[u8]) -> Option<&'static Row> {
    ROWS.iter()
        .find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
}
