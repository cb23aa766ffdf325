//! Directives about files on disk; none is applied yet.

use super::{BYTES, Directive, INT, Kind, accepted};

const NO_RDB: &str = "there are no snapshots yet: data is kept in memory and in other masters only";
const NO_AOF: &str = "there is no append only file yet: data is kept in memory and in other masters only";

pub(super) const ROWS: &[Directive] = &[
    accepted("save", Kind::SavePoints, "", NO_RDB),
    accepted("dbfilename", Kind::FileName("dbfilename"), "dump.rdb", NO_RDB).protected(),
    accepted("rdbcompression", Kind::Bool, "yes", NO_RDB),
    accepted("rdbchecksum", Kind::Bool, "yes", NO_RDB).immutable(),
    accepted("rdb-del-sync-files", Kind::Bool, "no", NO_RDB),
    accepted("rdb-save-incremental-fsync", Kind::Bool, "yes", NO_RDB),
    accepted("stop-writes-on-bgsave-error", Kind::Bool, "yes", NO_RDB),
    accepted("sanitize-dump-payload", Kind::Enum(&["no", "yes", "clients"]), "no", "payloads are always checked"),
    accepted("rdb-key-save-delay", Kind::Integer(i32::MIN as i64, INT), "0", NO_RDB).hidden(),
    accepted("key-load-delay", Kind::Integer(i32::MIN as i64, INT), "0", NO_RDB).hidden(),
    accepted("loading-process-events-interval-bytes", Kind::Integer(1024, INT), "2097152", NO_RDB).hidden(),
    accepted("loading-process-events-interval-keys", Kind::Integer(0, INT), "8192", NO_RDB).hidden(),
    accepted("appendonly", Kind::Bool, "no", NO_AOF),
    accepted("appendfilename", Kind::FileName("appendfilename"), "appendonly.aof", NO_AOF).immutable(),
    accepted("appenddirname", Kind::FileName("appenddirname"), "appendonlydir", NO_AOF).immutable(),
    accepted("appendfsync", Kind::Enum(&["everysec", "always", "no"]), "everysec", NO_AOF),
    accepted("no-appendfsync-on-rewrite", Kind::Bool, "no", NO_AOF),
    accepted("auto-aof-rewrite-percentage", Kind::Integer(0, INT), "100", NO_AOF),
    accepted("auto-aof-rewrite-min-size", Kind::Memory(0, BYTES), "64mb", NO_AOF),
    accepted("aof-load-truncated", Kind::Bool, "yes", NO_AOF),
    accepted("aof-use-rdb-preamble", Kind::Bool, "yes", NO_AOF),
    accepted("aof-timestamp-enabled", Kind::Bool, "no", NO_AOF),
    accepted("aof-rewrite-incremental-fsync", Kind::Bool, "yes", NO_AOF),
    accepted("aof-disable-auto-gc", Kind::Bool, "no", NO_AOF),
];
