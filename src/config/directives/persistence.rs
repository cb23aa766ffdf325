//! Directives about files on disk.

use super::{BYTES, Directive, INT, Kind, accepted, row};

const NO_DELAY: &str = "it slows tests of Redis down, and nothing here";
const NO_AOF: &str = "there is no append only file yet: data is kept in memory, in other masters and in the file of the last save";

pub(super) const ROWS: &[Directive] = &[
    row(
        "save",
        Kind::SavePoints,
        "3600 1 300 100 60 10000",
        "When a file is written: after so many seconds, if there were so many changes; several pairs; `\"\"` for never, then SHUTDOWN and signals write none either",
    ),
    row(
        "dbfilename",
        Kind::FileName("dbfilename"),
        "dump.rdb",
        "The file in `dir` that keeps the data, in Redis's format",
    )
    .protected(),
    row(
        "rdb-load-among-masters",
        Kind::Bool,
        "no",
        "Whether a master that has been in a mesh loads its file when it starts: what was deleted since comes back with it. For the day on which all masters were down",
    ),
    accepted(
        "rdbcompression",
        Kind::Bool,
        "yes",
        "strings are written as they are",
    ),
    row(
        "rdbchecksum",
        Kind::Bool,
        "yes",
        "Whether a file bears a sum of its bytes, and whether that is compared",
    )
    .immutable(),
    accepted(
        "rdb-del-sync-files",
        Kind::Bool,
        "no",
        "no file is needed for a sync",
    ),
    row(
        "rdb-save-incremental-fsync",
        Kind::Bool,
        "yes",
        "Whether the disk is waited for while a file is written, so that there is little to wait for in the end",
    ),
    row(
        "stop-writes-on-bgsave-error",
        Kind::Bool,
        "yes",
        "Whether writes are refused once a file could not be written in the background, as long as there are save points",
    ),
    accepted(
        "sanitize-dump-payload",
        Kind::Enum(&["no", "yes", "clients"]),
        "no",
        "payloads are always checked",
    ),
    accepted(
        "rdb-key-save-delay",
        Kind::Integer(i32::MIN as i64, INT),
        "0",
        NO_DELAY,
    )
    .hidden(),
    accepted(
        "key-load-delay",
        Kind::Integer(i32::MIN as i64, INT),
        "0",
        NO_DELAY,
    )
    .hidden(),
    accepted(
        "loading-process-events-interval-bytes",
        Kind::Integer(1024, INT),
        "2097152",
        NO_DELAY,
    )
    .hidden(),
    accepted(
        "loading-process-events-interval-keys",
        Kind::Integer(0, INT),
        "8192",
        NO_DELAY,
    )
    .hidden(),
    accepted("appendonly", Kind::Bool, "no", NO_AOF),
    row(
        "appendfilename",
        Kind::FileName("appendfilename"),
        "appendonly.aof",
        "How the names of the files begin that BGREWRITEAOF writes",
    )
    .immutable(),
    row(
        "appenddirname",
        Kind::FileName("appenddirname"),
        "appendonlydir",
        "The directory in `dir` of the files that BGREWRITEAOF writes",
    )
    .immutable(),
    accepted(
        "appendfsync",
        Kind::Enum(&["everysec", "always", "no"]),
        "everysec",
        NO_AOF,
    ),
    accepted("no-appendfsync-on-rewrite", Kind::Bool, "no", NO_AOF),
    accepted(
        "auto-aof-rewrite-percentage",
        Kind::Integer(0, INT),
        "100",
        NO_AOF,
    ),
    accepted(
        "auto-aof-rewrite-min-size",
        Kind::Memory(0, BYTES),
        "64mb",
        NO_AOF,
    ),
    accepted("aof-load-truncated", Kind::Bool, "yes", NO_AOF),
    accepted("aof-use-rdb-preamble", Kind::Bool, "yes", NO_AOF),
    accepted("aof-timestamp-enabled", Kind::Bool, "no", NO_AOF),
    accepted("aof-rewrite-incremental-fsync", Kind::Bool, "yes", NO_AOF),
    accepted("aof-disable-auto-gc", Kind::Bool, "no", NO_AOF),
];
