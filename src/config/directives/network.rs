//! Directives about connections: where to listen, how many, how large.

use super::{BYTES, Directive, INT, Kind, LONG, MEBIBYTE, accepted, row};

const NOT_LIMITED: &str = "this limit does not exist here yet";

pub(super) const ROWS: &[Directive] = &[
    row(
        "bind",
        Kind::Addresses,
        "* -::*",
        "addresses to listen on; one with '-' in front may be missing",
    ),
    row(
        "port",
        Kind::Integer(0, 65535),
        "6379",
        "TCP port to listen on; 0 means none",
    ),
    row(
        "tcp-backlog",
        Kind::Integer(0, INT),
        "511",
        "connections that may wait to be accepted",
    )
    .immutable(),
    row(
        "timeout",
        Kind::Integer(0, INT),
        "0",
        "seconds after which an idle client is closed; 0 means never",
    ),
    row(
        "tcp-keepalive",
        Kind::Integer(0, INT),
        "300",
        "seconds between TCP keepalives; 0 means none",
    ),
    row(
        "maxclients",
        Kind::Integer(1, u32::MAX as i64),
        "10000",
        "clients that may be connected at once",
    ),
    row(
        "protected-mode",
        Kind::Bool,
        "yes",
        "without a password, only local clients are served",
    ),
    row(
        "unixsocket",
        Kind::Text,
        "",
        "path of a unix socket to listen on; empty means none",
    )
    .immutable(),
    row(
        "unixsocketperm",
        Kind::Octal(0o777),
        "0",
        "permissions of the unix socket, octal; 0 leaves them",
    )
    .immutable(),
    row(
        "proto-max-bulk-len",
        Kind::Memory(MEBIBYTE, BYTES),
        "512mb",
        "bytes one argument of a request may have; no string is longer than 512mb, whatever it says",
    ),
    row(
        "client-output-buffer-limit",
        Kind::OutputBufferLimits,
        "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60",
        "bytes of unsent replies at which a client is closed: at once, or after some seconds; per class",
    ),
    accepted(
        "client-query-buffer-limit",
        Kind::Memory(MEBIBYTE, BYTES),
        "1gb",
        NOT_LIMITED,
    ),
    accepted("maxmemory-clients", Kind::MemoryOrPercent, "0", NOT_LIMITED),
    accepted(
        "max-new-connections-per-cycle",
        Kind::Integer(1, 1000),
        "10",
        "connections are accepted as they come",
    ),
    accepted(
        "max-new-tls-connections-per-cycle",
        Kind::Integer(1, 1000),
        "1",
        "TLS is not offered yet",
    ),
    accepted(
        "bind-source-addr",
        Kind::Text,
        "",
        "the system chooses the address of outgoing connections",
    ),
    accepted(
        "socket-mark-id",
        Kind::Integer(0, u32::MAX as i64),
        "0",
        "sockets are not marked",
    )
    .immutable(),
    row(
        "tracking-table-max-keys",
        Kind::Integer(0, LONG),
        "1000000",
        "keys that are remembered for clients that cache them",
    ),
    row(
        "notify-keyspace-events",
        Kind::KeyspaceEvents,
        "",
        "which events of keys are published, as letters",
    ),
];
