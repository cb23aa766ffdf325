//! INFO memory and persistence.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::conversation::Conversation;
use crate::clients::info::{line, title, zeros};
use crate::clients::memory::MemoryUse;
use crate::clients::process;

/// What Redis keeps of a child that saves; there is none.
const SAVING: &[&str] = &[
    "current_cow_peak",
    "current_cow_size",
    "current_cow_size_age",
];

impl Conversation {
    pub(super) fn memory_section(&self, out: &mut String) {
        let process = process::memory();
        let memory = MemoryUse::of(&self.context);
        let (used, overhead) = (memory.total(), memory.overhead());
        title(out, "Memory");
        sized(out, "used_memory", used);
        sized(out, "used_memory_rss", process.resident);
        sized(out, "used_memory_peak", memory.peak);
        percent(out, "used_memory_peak_perc", used, memory.peak);
        line(out, "used_memory_overhead", overhead);
        line(out, "used_memory_startup", memory.startup);
        line(out, "used_memory_dataset", memory.records);
        let of_all = used.saturating_sub(memory.startup);
        percent(out, "used_memory_dataset_perc", memory.records, of_all);
        sized(out, "total_system_memory", process::total_memory());
        let (machine, texts, count) = self.context.scripts.memory();
        let (machine, texts) = (machine as u64, texts as u64);
        line(out, "used_memory_vm_eval", machine);
        line(out, "used_memory_scripts_eval", texts);
        line(out, "number_of_cached_scripts", count);
        let (libraries, functions, codes) = self.context.scripts.libraries.counts();
        line(out, "number_of_functions", functions);
        line(out, "number_of_libraries", libraries);
        zeros(out, &["used_memory_vm_functions"]);
        line(out, "used_memory_functions", codes);
        sized(out, "used_memory_lua", machine);
        sized(out, "used_memory_vm_total", machine);
        sized(out, "used_memory_scripts", texts + codes as u64);
        sized(out, "maxmemory", 0);
        line(out, "maxmemory_policy", "noeviction");
        allocator(used, process.resident, out);
        fragmentation(out, "mem_fragmentation", process.resident, used);
        zeros(out, &["mem_not_counted_for_evict"]);
        line(out, "mem_replication_backlog", memory.journal);
        let replicas = self.context.replication.replicas();
        let buffers = replicas.iter().map(|replica| replica.buffer_bytes);
        let buffers: u64 = buffers.sum();
        let replication = memory.journal + buffers;
        line(out, "mem_total_replication_buffers", replication);
        line(out, "mem_clients_slaves", buffers);
        line(out, "mem_clients_normal", memory.clients);
        zeros(out, &["mem_cluster_links", "mem_aof_buffer"]);
        line(out, "mem_allocator", "mimalloc");
        zeros(out, &["active_defrag_running"]);
        // Nothing is freed by a thread apart.
        zeros(out, &["lazyfree_pending_objects", "lazyfreed_objects"]);
    }

    pub(super) fn persistence_section(&self, out: &mut String) {
        title(out, "Persistence");
        let loading = self.context.loading.load(Ordering::Relaxed);
        line(out, "loading", u8::from(loading));
        line(out, "async_loading", 0);
        let saver = self.context.saver.status();
        let status = |has_failed| if has_failed { "err" } else { "ok" };
        // -1 where there is, or was, none.
        let seconds = |took: Option<Duration>| {
            took.map_or(-1, |took| i64::try_from(took.as_secs()).unwrap_or(i64::MAX))
        };
        zeros(out, SAVING);
        line(out, "current_fork_perc", "0.00");
        let is_saving = saver.running.is_some() || saver.rewriting.is_some();
        let counts = if is_saving {
            self.context.keyspace.key_counts()
        } else {
            Vec::new()
        };
        let keys: usize = counts.iter().map(|(keys, _)| keys).sum();
        line(out, "current_save_keys_processed", saver.keys_written);
        line(out, "current_save_keys_total", keys);
        line(out, "rdb_changes_since_last_save", saver.changes);
        line(
            out,
            "rdb_bgsave_in_progress",
            u8::from(saver.running.is_some()),
        );
        line(out, "rdb_last_save_time", saver.last_save);
        line(out, "rdb_last_bgsave_status", status(saver.has_failed));
        line(out, "rdb_last_bgsave_time_sec", seconds(saver.last_took));
        line(out, "rdb_current_bgsave_time_sec", seconds(saver.running));
        line(out, "rdb_saves", saver.saves);
        zeros(out, &["rdb_last_cow_size"]);
        line(out, "rdb_last_load_keys_expired", saver.loaded.1);
        line(out, "rdb_last_load_keys_loaded", saver.loaded.0);
        // Whatever 'appendonly' says: there is none.
        zeros(out, &["aof_enabled"]);
        let rewrites = saver.rewrites;
        line(
            out,
            "aof_rewrite_in_progress",
            u8::from(saver.rewriting.is_some()),
        );
        line(
            out,
            "aof_rewrite_scheduled",
            u8::from(saver.is_rewrite_scheduled),
        );
        line(
            out,
            "aof_last_rewrite_time_sec",
            seconds(rewrites.last_took),
        );
        line(
            out,
            "aof_current_rewrite_time_sec",
            seconds(saver.rewriting),
        );
        line(
            out,
            "aof_last_bgrewrite_status",
            status(rewrites.has_failed),
        );
        line(out, "aof_rewrites", rewrites.begun);
        line(out, "aof_rewrites_consecutive_failures", rewrites.failures);
        line(out, "aof_last_write_status", "ok");
        zeros(
            out,
            &[
                "aof_last_cow_size",
                "module_fork_in_progress",
                "module_fork_last_cow_size",
            ],
        );
    }
}

/// The allocator tells nothing of itself: what Redis then shows is what it uses, and what the process has.
fn allocator(used: u64, resident: u64, out: &mut String) {
    line(out, "allocator_allocated", used);
    line(out, "allocator_active", resident);
    line(out, "allocator_resident", resident);
    fragmentation(out, "allocator_frag", resident, used);
    fragmentation(out, "allocator_rss", resident, resident);
    fragmentation(out, "rss_overhead", resident, resident);
}

/// How much more one is than the other, as a ratio and in bytes.
fn fragmentation(out: &mut String, name: &str, more: u64, less: u64) {
    let ratio = more as f64 / less.max(1) as f64;
    // Writing to a String does not fail.
    let _ = write!(out, "{name}_ratio:{ratio:.2}\r\n");
    line(out, &format!("{name}_bytes"), more as i64 - less as i64);
}

fn percent(out: &mut String, name: &str, part: u64, whole: u64) {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    let _ = write!(out, "{name}:{percent:.2}%\r\n");
}

/// A size and the same for people.
fn sized(out: &mut String, name: &str, bytes: u64) {
    line(out, name, bytes);
    line(out, &format!("{name}_human"), for_people(bytes));
}

fn for_people(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["K", "M", "G", "T"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS[unit])
}
