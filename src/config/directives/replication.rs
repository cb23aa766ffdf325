//! Directives about masters and replicas that Redis and KeyDB know.

use super::{BYTES, Directive, INT, Kind, LONG, accepted, row};

const LOADS: &[&str] = &["disabled", "on-empty-db", "swapdb"];
const NO_RESERVE: &str = "a reader of the journal that falls too far behind is synchronized again";
const NO_FAILOVER: &str = "failover is not offered here; every master accepts writes";

pub(super) const ROWS: &[Directive] = &[
    row(
        "replicaof",
        Kind::Masters,
        "",
        "host and port of a master; repeats with multi-master; 'no one' clears",
    )
    .alias(&["slaveof"])
    .immutable(),
    row("masterauth", Kind::Text, "", "password for the masters"),
    row(
        "masteruser",
        Kind::Text,
        "",
        "user for the masters; empty means the default user",
    ),
    row(
        "active-replica",
        Kind::Bool,
        "no",
        "accept writes while replicating, and merge",
    )
    .immutable(),
    row(
        "multi-master",
        Kind::Bool,
        "no",
        "replicate from several masters; needs active-replica",
    )
    .immutable(),
    row(
        "replica-read-only",
        Kind::Bool,
        "yes",
        "refuse writes of clients while replicating",
    )
    .alias(&["slave-read-only"]),
    row(
        "replica-serve-stale-data",
        Kind::Bool,
        "yes",
        "answer clients while no master is connected",
    )
    .alias(&["slave-serve-stale-data"]),
    row(
        "replica-quorum",
        Kind::Integer(-1, INT),
        "-1",
        "masters that must be connected; -1 means all",
    ),
    row(
        "repl-timeout",
        Kind::Integer(1, INT),
        "60",
        "seconds of silence after which a link is broken",
    ),
    row(
        "repl-ping-replica-period",
        Kind::Integer(1, INT),
        "10",
        "seconds between pings to replicas",
    )
    .alias(&["repl-ping-slave-period"]),
    row(
        "repl-backlog-size",
        Kind::Memory(1, BYTES),
        "64mb",
        "bytes of memory the journal keeps for its readers",
    ),
    row(
        "repl-diskless-sync",
        Kind::Bool,
        "yes",
        "send a full synchronization without a file",
    ),
    row(
        "repl-diskless-sync-delay",
        Kind::Integer(0, INT),
        "5",
        "seconds to wait for more replicas before one",
    ),
    row(
        "repl-diskless-sync-max-replicas",
        Kind::Integer(0, INT),
        "0",
        "replicas that end that wait; 0 means none",
    ),
    row(
        "repl-diskless-load",
        Kind::Enum(LOADS),
        "disabled",
        "how a replica loads a full synchronization",
    ),
    row(
        "replica-announce-ip",
        Kind::Text,
        "",
        "the address other nodes shall use for this one",
    )
    .alias(&["slave-announce-ip"]),
    row(
        "replica-announce-port",
        Kind::Integer(0, 65535),
        "0",
        "the port other nodes shall use; 0 means port",
    )
    .alias(&["slave-announce-port"]),
    row(
        "replica-lazy-flush",
        Kind::Bool,
        "no",
        "free the old data in the background before a full synchronization",
    )
    .alias(&["slave-lazy-flush"]),
    accepted(
        "multi-master-no-forward",
        Kind::Bool,
        "no",
        "writes are forwarded only to masters that have no direct link to their origin",
    ),
    accepted(
        "repl-backlog-ttl",
        Kind::Integer(0, LONG),
        "3600",
        "the journal is kept while multi-master is on",
    ),
    accepted(
        "repl-disable-tcp-nodelay",
        Kind::Bool,
        "no",
        "links never delay small writes",
    ),
    accepted(
        "replica-priority",
        Kind::Integer(0, INT),
        "100",
        NO_FAILOVER,
    )
    .alias(&["slave-priority"]),
    accepted("replica-announced", Kind::Bool, "yes", NO_FAILOVER),
    accepted(
        "replica-ignore-maxmemory",
        Kind::Bool,
        "yes",
        "memory is not limited yet",
    )
    .alias(&["slave-ignore-maxmemory"]),
    accepted(
        "replica-ignore-disk-write-errors",
        Kind::Bool,
        "no",
        "a replica that cannot write a file takes what its master sends all the same",
    ),
    accepted(
        "min-replicas-to-write",
        Kind::Integer(0, INT),
        "0",
        "writes are accepted with any number of replicas",
    )
    .alias(&["min-slaves-to-write"]),
    accepted(
        "min-replicas-max-lag",
        Kind::Integer(0, INT),
        "10",
        "writes are accepted with any number of replicas",
    )
    .alias(&["min-slaves-max-lag"]),
    accepted(
        "propagation-error-behavior",
        Kind::Enum(&["ignore", "panic", "panic-on-replicas"]),
        "ignore",
        "an effect that cannot be applied is logged, and its link is synchronized again",
    ),
    accepted(
        "repl-backlog-disk-reserve",
        Kind::Memory(0, BYTES),
        "0",
        NO_RESERVE,
    )
    .immutable(),
    accepted("force-backlog-disk-reserve", Kind::Bool, "no", NO_RESERVE).immutable(),
];
