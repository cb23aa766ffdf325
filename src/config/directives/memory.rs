//! Directives about memory, which are not applied yet, and the compact forms of collections.

use super::{BYTES, Directive, INT, Kind, LONG, accepted, row};

const NOT_LIMITED: &str = "memory is not limited yet and nothing is evicted";
const NO_DEFRAG: &str = "the allocator returns memory by itself";
const COMPACT: &str = "what it is about has a compact form by limits of its own, or none";
const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

pub(super) const ROWS: &[Directive] = &[
    accepted("maxmemory", Kind::Memory(0, u64::MAX), "0", NOT_LIMITED),
    accepted(
        "maxmemory-policy",
        Kind::Enum(POLICIES),
        "noeviction",
        NOT_LIMITED,
    ),
    accepted("maxmemory-samples", Kind::Integer(1, INT), "5", NOT_LIMITED),
    accepted(
        "maxmemory-eviction-tenacity",
        Kind::Integer(0, 100),
        "10",
        NOT_LIMITED,
    ),
    accepted("lfu-log-factor", Kind::Integer(0, INT), "10", NOT_LIMITED),
    accepted("lfu-decay-time", Kind::Integer(0, INT), "1", NOT_LIMITED),
    accepted(
        "active-expire-effort",
        Kind::Integer(1, 10),
        "1",
        "sweeps look only where something is due, and find every expired key",
    ),
    accepted(
        "lazyexpire-nested-arbitrary-keys",
        Kind::Bool,
        "yes",
        "expired keys are always removed",
    )
    .hidden(),
    accepted("activedefrag", Kind::Bool, "no", NO_DEFRAG),
    accepted(
        "active-defrag-ignore-bytes",
        Kind::Memory(1, BYTES),
        "100mb",
        NO_DEFRAG,
    ),
    accepted(
        "active-defrag-threshold-lower",
        Kind::Integer(0, 1000),
        "10",
        NO_DEFRAG,
    ),
    accepted(
        "active-defrag-threshold-upper",
        Kind::Integer(0, 1000),
        "100",
        NO_DEFRAG,
    ),
    accepted(
        "active-defrag-cycle-min",
        Kind::Integer(1, 99),
        "1",
        NO_DEFRAG,
    ),
    accepted(
        "active-defrag-cycle-max",
        Kind::Integer(1, 99),
        "25",
        NO_DEFRAG,
    ),
    accepted(
        "active-defrag-max-scan-fields",
        Kind::Integer(1, LONG),
        "1000",
        NO_DEFRAG,
    ),
    accepted("jemalloc-bg-thread", Kind::Bool, "yes", NO_DEFRAG),
    row(
        "hash-max-listpack-entries",
        Kind::Integer(0, LONG),
        "512",
        "fields up to which a hash is small",
    )
    .alias(&["hash-max-ziplist-entries"]),
    row(
        "hash-max-listpack-value",
        Kind::Memory(0, BYTES),
        "64",
        "bytes of a field or value up to which a hash is small",
    )
    .alias(&["hash-max-ziplist-value"]),
    row(
        "list-max-listpack-size",
        Kind::Integer(i32::MIN as i64, INT),
        "-2",
        "elements of one node of a list, or -1 to -5 for 4, 8, 16, 32 or 64 KiB; a list that fits into one is small",
    )
    .alias(&["list-max-ziplist-size"]),
    accepted("list-compress-depth", Kind::Integer(0, INT), "0", COMPACT),
    row(
        "set-max-intset-entries",
        Kind::Integer(0, LONG),
        "512",
        "members up to which a set of integers is small",
    ),
    row(
        "set-max-listpack-entries",
        Kind::Integer(0, LONG),
        "128",
        "members up to which another set is small",
    ),
    row(
        "set-max-listpack-value",
        Kind::Memory(0, BYTES),
        "64",
        "bytes of a member up to which a set is small",
    ),
    row(
        "zset-max-listpack-entries",
        Kind::Integer(0, LONG),
        "128",
        "members up to which a sorted set is small",
    )
    .alias(&["zset-max-ziplist-entries"]),
    row(
        "zset-max-listpack-value",
        Kind::Memory(0, BYTES),
        "64",
        "bytes of a member up to which a sorted set is small",
    )
    .alias(&["zset-max-ziplist-value"]),
    row(
        "hll-sparse-max-bytes",
        Kind::Memory(0, BYTES),
        "3000",
        "bytes up to which a HyperLogLog is sparse",
    ),
    row(
        "stream-node-max-bytes",
        Kind::Memory(0, BYTES),
        "4096",
        "bytes that a node of a stream takes, as Redis counts them; 0 for as many as it can",
    ),
    row(
        "stream-node-max-entries",
        Kind::Integer(0, LONG),
        "100",
        "entries that a node of a stream takes; 0 for as many as its bytes allow",
    ),
    accepted("list-max-ziplist-entries", Kind::Lines(1, 1), "", COMPACT).file_only(),
    accepted("list-max-ziplist-value", Kind::Lines(1, 1), "", COMPACT).file_only(),
];
