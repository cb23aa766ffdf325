//! What a node does by itself: its clients, commands, memory and keys.

use std::sync::atomic::Ordering;

use keymesh_observability::names::{label, metric};

use crate::clients::context::{Context, KEYMESH_VERSION};
use crate::clients::memory::MemoryUse;
use crate::clients::metrics::{Set, Total};
use crate::clients::process;

/// All of it.
pub(super) fn gather(context: &Context, set: Set<'_>, total: Total<'_>, amount: Set<'_>) {
    server(context, set, total);
    processor(amount);
    commands(context, total, amount);
    keyspace(context, set, total);
}

fn server(context: &Context, set: Set<'_>, total: Total<'_>) {
    let statistics = &context.statistics;
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let node = context.replication.origin().node.to_string();
    let labels = [
        (label::NODE, node.as_str()),
        (label::VERSION, KEYMESH_VERSION),
    ];
    set(metric::NODE_INFO, "Which node this is.", &labels, 1.0);
    let uptime = context.started.elapsed().as_secs_f64();
    set(metric::UPTIME_SECONDS, "Time since the start.", &[], uptime);
    let connected = context.clients.len() as f64;
    set(
        metric::CONNECTED_CLIENTS,
        "Connections of clients.",
        &[],
        connected,
    );
    let help = "Connections of clients that were accepted.";
    total(
        metric::CONNECTIONS_TOTAL,
        help,
        &[],
        get(&statistics.connections),
    );
    let help = "Connections of clients that were refused.";
    let refused = get(&statistics.rejected_connections);
    total(metric::CONNECTIONS_REJECTED_TOTAL, help, &[], refused);
    let help = "Bytes of clients.";
    for (direction, counter) in [
        ("in", &statistics.input_bytes),
        ("out", &statistics.output_bytes),
    ] {
        let labels = [(label::DIRECTION, direction)];
        total(metric::CLIENT_BYTES_TOTAL, help, &labels, get(counter));
    }
    let memory = MemoryUse::of(context);
    let help = "Memory, by what it is used for.";
    for (kind, bytes) in [
        ("startup", memory.startup),
        ("records", memory.records),
        ("index", memory.index),
        ("pending", memory.pending),
        ("journal", memory.journal),
        ("clients", memory.clients),
    ] {
        set(
            metric::MEMORY_BYTES,
            help,
            &[(label::KIND, kind)],
            bytes as f64,
        );
    }
    let help = "Memory of the process.";
    let resident = process::memory().resident as f64;
    set(metric::RESIDENT_BYTES, help, &[], resident);
}

fn processor(amount: Set<'_>) {
    let cpu = process::cpu(false);
    let help = "Processor time of the process.";
    for (kind, seconds) in [("user", cpu.user), ("system", cpu.system)] {
        let labels = [(label::KIND, kind)];
        amount(metric::CPU_SECONDS_TOTAL, help, &labels, seconds);
    }
}

fn commands(context: &Context, total: Total<'_>, amount: Set<'_>) {
    for counters in context.statistics.of_commands.counters() {
        let labels = [(label::COMMAND, counters.name)];
        let help = "Commands carried out.";
        total(metric::COMMANDS_TOTAL, help, &labels, counters.calls);
        let help = "Time of commands.";
        let seconds = counters.nanos as f64 / 1e9;
        amount(metric::COMMAND_SECONDS_TOTAL, help, &labels, seconds);
        let help = "Commands that ended in an error.";
        total(
            metric::COMMANDS_FAILED_TOTAL,
            help,
            &labels,
            counters.failed,
        );
    }
    let help = "Error replies, by their first word.";
    for (code, count) in context.statistics.errors() {
        total(metric::ERRORS_TOTAL, help, &[(label::CODE, &code)], count);
    }
}

fn keyspace(context: &Context, set: Set<'_>, total: Total<'_>) {
    let counts = context.keyspace.counts();
    total(
        metric::HITS_TOTAL,
        "Look-ups that found a key.",
        &[],
        counts.hits,
    );
    total(
        metric::MISSES_TOTAL,
        "Look-ups that found none.",
        &[],
        counts.misses,
    );
    total(
        metric::EXPIRED_TOTAL,
        "Keys that expired.",
        &[],
        counts.expired,
    );
    for (db, (keys, timed)) in context.keyspace.key_counts().into_iter().enumerate() {
        let db = db.to_string();
        let labels = [(label::DB, db.as_str())];
        set(metric::KEYS, "Keys.", &labels, keys as f64);
        set(
            metric::TIMED_KEYS,
            "Keys with a deadline.",
            &labels,
            timed as f64,
        );
    }
}
