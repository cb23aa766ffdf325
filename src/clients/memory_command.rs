//! MEMORY: what the whole is used for.

use std::fmt::Write as _;

use crate::clients::allocator;
use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::memory::MemoryUse;
use crate::clients::process;
use crate::resp::{Args, Reply};

const HELP: &[&str] = &[
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
];

/// With less than this in use there is nothing to find out.
const REPORTED_FROM: u64 = 5 * 1024 * 1024;

impl Conversation {
    pub(super) fn memory_command(&self, args: Args<'_>, reply: &mut Reply) {
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"stats", 2) => self.memory_stats(reply),
            (b"doctor", 2) => reply.verbatim(b"txt", self.memory_report().as_bytes()),
            (b"malloc-stats", 2) => {
                reply.verbatim(b"txt", b"Stats not supported for the current allocator");
            }
            (b"purge", 2) => {
                allocator::give_back(true);
                reply.ok();
            }
            (b"help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
    }

    fn memory_stats(&self, reply: &mut Reply) {
        let memory = MemoryUse::of(&self.context);
        let keyspace = &self.context.keyspace;
        let databases: Vec<(u32, usize, usize)> = (0..keyspace.databases())
            .map(|db| {
                let of_partitions = (0..keyspace.partitions_len()).map(|index| {
                    let partition = keyspace.lock(index);
                    (partition.len(db), partition.table(db).index_bytes())
                });
                let sum = of_partitions.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                (db, sum.0, sum.1)
            })
            .filter(|(_, keys, _)| *keys > 0)
            .collect();
        let keys: usize = databases.iter().map(|(_, keys, _)| keys).sum();
        let process = process::memory();
        let (used, startup) = (memory.total(), memory.startup);
        let over = |bytes: u64, base: u64| bytes as i64 - base as i64;
        let ratio = |bytes: u64, base: u64| bytes as f64 / base.max(1) as f64;
        let of_all = used.saturating_sub(startup);

        let numbers = |reply: &mut Reply, pairs: &[(&str, i64)]| {
            for (name, value) in pairs {
                reply.bulk(name.as_bytes());
                reply.integer(*value);
            }
        };
        let shares = |reply: &mut Reply, pairs: &[(&str, f64)]| {
            for (name, value) in pairs {
                reply.bulk(name.as_bytes());
                reply.double(*value);
            }
        };
        reply.map(27 + databases.len());
        numbers(
            reply,
            &[
                ("peak.allocated", memory.peak as i64),
                ("total.allocated", used as i64),
                ("startup.allocated", startup as i64),
                ("replication.backlog", memory.journal as i64),
                ("clients.slaves", 0),
                ("clients.normal", memory.clients as i64),
                ("cluster.links", 0),
                ("aof.buffer", 0),
                ("lua.caches", self.context.scripts.memory().1 as i64),
                (
                    "functions.caches",
                    self.context.scripts.libraries.counts().2 as i64,
                ),
            ],
        );
        for (db, _, index) in &databases {
            reply.bulk(format!("db.{db}").as_bytes());
            reply.map(3);
            numbers(
                reply,
                &[
                    ("overhead.hashtable.main", *index as i64),
                    // Deadlines lie in the records.
                    ("overhead.hashtable.expires", 0),
                    ("overhead.hashtable.slot-to-keys", 0),
                ],
            );
        }
        numbers(
            reply,
            &[
                ("overhead.total", memory.overhead() as i64),
                ("keys.count", keys as i64),
                ("keys.bytes-per-key", of_all as i64 / (keys.max(1) as i64)),
                ("dataset.bytes", memory.records as i64),
            ],
        );
        shares(
            reply,
            &[
                ("dataset.percentage", ratio(memory.records, of_all) * 100.0),
                ("peak.percentage", ratio(used, memory.peak) * 100.0),
            ],
        );
        numbers(
            reply,
            &[
                ("allocator.allocated", used as i64),
                ("allocator.active", process.anonymous as i64),
                ("allocator.resident", process.anonymous as i64),
            ],
        );
        let pairs = [
            ("allocator-fragmentation", process.anonymous, used),
            ("allocator-rss", process.anonymous, process.anonymous),
            ("rss-overhead", process.resident, process.anonymous),
        ];
        for (name, bytes, base) in pairs {
            shares(reply, &[(&format!("{name}.ratio"), ratio(bytes, base))]);
            numbers(reply, &[(&format!("{name}.bytes"), over(bytes, base))]);
        }
        shares(reply, &[("fragmentation", ratio(process.resident, used))]);
        numbers(
            reply,
            &[("fragmentation.bytes", over(process.resident, used))],
        );
    }

    fn memory_report(&self) -> String {
        let memory = MemoryUse::of(&self.context);
        let process = process::memory();
        let used = memory.total();
        if used - memory.startup < REPORTED_FROM {
            return "Too little memory is in use to tell anything from it.\n".to_owned();
        }
        let mut report = String::new();
        let mut say = |condition: bool, text: String| {
            if condition {
                let _ = writeln!(report, "{text}");
            }
        };
        say(
            memory.peak > used * 3 / 2,
            format!(
                "The peak was {} bytes, {} are in use: memory that was freed may still belong to the process.",
                memory.peak, used
            ),
        );
        say(
            process.resident > used * 7 / 5,
            format!(
                "The process holds {} bytes for {} in use: after many deletes pages are only partly filled.",
                process.resident, used
            ),
        );
        say(
            memory.pending > memory.records / 4,
            format!(
                "Operations and tombstones that are not settled take {} bytes: MESH STATUS shows whom they wait for.",
                memory.pending
            ),
        );
        say(
            memory.clients > memory.records / 2,
            format!(
                "Connections take {} bytes: CLIENT LIST shows which of them.",
                memory.clients
            ),
        );
        if report.is_empty() {
            report.push_str("Nothing is unusual.\n");
        }
        report
    }
}
