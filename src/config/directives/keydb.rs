//! Directives that only KeyDB has, apart from those of its replication.

use super::{BYTES, Directive, INT, Kind, LONG, accepted, refused, row};

const THREADS: &str = "work is spread over the server threads without settings";
const INTERNAL: &str = "this switch of KeyDB's internals has no counterpart";
const NO_EVICTION: &str = "memory is not limited yet and nothing is evicted";
const NO_TLS: &str = "TLS is not offered yet: connections are not encrypted";
const NO_FLASH: &str = "storage providers (FLASH) are not supported: data is kept in memory";
const NO_S3: &str = "snapshots in S3 are not supported";

pub(super) const ROWS: &[Directive] = &[
    row(
        "availability-zone",
        Kind::Text,
        "",
        "shown by INFO; empty means none",
    ),
    accepted(
        "allow-write-during-load",
        Kind::Bool,
        "no",
        "a full synchronization never stops writes in active-replica mode",
    ),
    accepted(
        "server-thread-affinity",
        Kind::Affinity,
        "false",
        "threads are not pinned to processors",
    )
    .immutable(),
    accepted(
        "min-clients-per-thread",
        Kind::Integer(0, 400),
        "20",
        THREADS,
    ),
    accepted("active-client-balancing", Kind::Bool, "yes", THREADS),
    accepted(
        "replica-weighting-factor",
        Kind::Integer(1, INT),
        "2",
        THREADS,
    ),
    accepted("time-thread-priority", Kind::Bool, "no", THREADS).immutable(),
    row(
        "soft-shutdown",
        Kind::Bool,
        "no",
        "SIGINT means SHUTDOWN SOFT: the server ends when its clients have left, or at a second SIGINT",
    ),
    accepted(
        "overload-protect-percent",
        Kind::Integer(0, 200),
        "0",
        "clients are not turned away under load",
    ),
    accepted(
        "maxclients-reserved",
        Kind::Integer(0, INT),
        "0",
        "no connections are reserved for local clients",
    ),
    accepted(
        "force-eviction-percent",
        Kind::Integer(0, 100),
        "0",
        NO_EVICTION,
    ),
    accepted("maxstorage", Kind::Memory(0, BYTES), "0", NO_EVICTION),
    accepted("delete-on-evict", Kind::Bool, "no", NO_EVICTION),
    accepted("tls-allowlist", Kind::Lines(1, usize::MAX), "", NO_TLS).file_only(),
    accepted(
        "tls-auditlog-blocklist",
        Kind::Lines(1, usize::MAX),
        "",
        NO_TLS,
    )
    .file_only(),
    accepted("tls-rotation", Kind::Bool, "no", NO_TLS),
    accepted("enable-keydb-fastsync", Kind::Bool, "no", INTERNAL),
    accepted("multithread-load-enabled", Kind::Bool, "no", INTERNAL),
    accepted("enable-async-commands", Kind::Bool, "no", INTERNAL),
    accepted("prefetch-enabled", Kind::Bool, "yes", INTERNAL),
    accepted("enable-async-rehash", Kind::Bool, "yes", INTERNAL),
    accepted("max-snapshot-slip", Kind::Integer(0, LONG), "400", INTERNAL),
    accepted(
        "semi-ordered-set-bucket-size",
        Kind::Integer(0, 1024),
        "0",
        INTERNAL,
    )
    .immutable(),
    accepted("allow-rdb-resize-op", Kind::Bool, "yes", INTERNAL),
    accepted(
        "max-rand-count",
        Kind::Integer(0, LONG),
        "4611686018427387903",
        INTERNAL,
    ),
    accepted("use-fork", Kind::Bool, "no", "the server never forks"),
    accepted(
        "enable-motd",
        Kind::Bool,
        "yes",
        "there is no message of the day",
    )
    .immutable(),
    accepted(
        "version-override",
        Kind::Lines(1, 1),
        "",
        "the version is not overridden",
    )
    .file_only(),
    accepted(
        "blob-support",
        Kind::Lines(1, 1),
        "",
        "large values are kept in memory like all others",
    )
    .file_only(),
    accepted("enable-pro", Kind::Lines(0, usize::MAX), "", INTERNAL).file_only(),
    accepted("rdbfuzz-mode", Kind::Lines(0, usize::MAX), "", INTERNAL).file_only(),
    refused("storage-provider", NO_FLASH),
    refused("storage-provider-options", NO_FLASH),
    refused("storage-cache-mode", NO_FLASH),
    refused("storage-flush-period", NO_FLASH),
    refused("flash-disable-key-cache", NO_FLASH),
    refused("scratch-file-path", NO_FLASH),
    refused("db-s3-object", NO_S3),
];
