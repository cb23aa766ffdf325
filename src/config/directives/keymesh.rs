//! Keymesh's own directives: the mesh, its links, telemetry. Durations are milliseconds.

use super::{BYTES, Directive, INT, Kind, row};

const TOMBSTONES: &str = "bytes that may be spent on remembering deletions";
const DAY: i64 = 24 * 60 * 60 * 1000;

pub(super) const ROWS: &[Directive] = &[
    row(
        "partitions",
        Kind::PowerOfTwo(1, 1024),
        "16",
        "parts of the keyspace that work independently",
    )
    .immutable(),
    row(
        "node-state-file",
        Kind::FileName("node-state-file"),
        "node.state",
        "this node's identity, a file in dir",
    )
    .immutable(),
    row(
        "replication-max-clock-ahead",
        Kind::Integer(0, DAY),
        "5000",
        "how far a peer's clock may be ahead (ms)",
    ),
    row(
        "replication-tombstone-memory",
        Kind::Memory(0, BYTES),
        "256mb",
        TOMBSTONES,
    ),
    row(
        "replication-forget-replaced-after",
        Kind::Integer(0, DAY),
        "10000",
        "silence after which a node at whose address another one answers is forgotten (ms); 0 means never",
    ),
    row(
        "link-backoff-initial-ms",
        Kind::Integer(1, INT),
        "100",
        "first pause before a link is tried again (ms)",
    ),
    row(
        "link-backoff-max-ms",
        Kind::Integer(1, INT),
        "30000",
        "longest pause before a link is tried again (ms)",
    ),
    row(
        "metrics-port",
        Kind::Integer(0, 65_535),
        "0",
        "port of the /metrics endpoint; 0 means none",
    )
    .immutable(),
    row(
        "metrics-bind",
        Kind::Text,
        "127.0.0.1",
        "address of the /metrics endpoint",
    )
    .immutable(),
    row(
        "otlp-endpoint",
        Kind::Text,
        "",
        "where traces and metrics are sent; empty means nowhere",
    )
    .immutable(),
    row(
        "otlp-protocol",
        Kind::Enum(&["grpc", "http/protobuf"]),
        "grpc",
        "how they are sent",
    )
    .immutable(),
    row(
        "trace-sample-ratio",
        Kind::Ratio,
        "0.001",
        "part of all commands that is traced",
    ),
    row(
        "trace-max-per-second",
        Kind::Integer(0, INT),
        "50",
        "commands traced per second at most",
    ),
    row(
        "replicate-publish",
        Kind::Bool,
        "yes",
        "PUBLISH reaches subscribers of all masters and replicas",
    ),
    row(
        "queue-owner",
        Kind::Owners,
        "",
        "the one master that hands out elements of keys matching the pattern; the first line that matches counts",
    ),
    row(
        "queue-owner-unreachable",
        Kind::Enum(&["error", "local"]),
        "error",
        "what is done with such a command while the owner cannot be reached: an error, or as if there were no owner",
    ),
    row("trace-keys", Kind::Bool, "no", "name keys in traces"),
    row(
        "log-format",
        Kind::Enum(&["redis", "plain", "json"]),
        "redis",
        "how log lines look",
    )
    .immutable(),
];
