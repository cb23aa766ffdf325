//! INFO: sections of `name:value` lines, named as Redis and KeyDB name them. What this server does not do is left out, or shown
//! as Redis shows it when it is off, where programs look for it.

mod memory;
mod replication;

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::acl::Reason;
use crate::clients::context::{KEYMESH_VERSION, REDIS_VERSION};
use crate::clients::conversation::Conversation;
use crate::clients::process;
use crate::pubsub::Kind;
use crate::resp::{Args, Reply};

/// All sections in their order, and whether plain INFO shows them.
const SECTIONS: &[(&str, bool)] = &[
    ("server", true),
    ("clients", true),
    ("memory", true),
    ("persistence", true),
    ("stats", true),
    ("replication", true),
    ("cpu", true),
    ("modules", true),
    ("commandstats", false),
    ("errorstats", true),
    ("latencystats", false),
    ("cluster", true),
    ("keyspace", true),
];

/// What Redis counts when it evicts, which is never done here.
const EVICTION: &[&str] = &[
    "evicted_clients",
    "total_eviction_exceeded_time",
    "current_eviction_exceeded_time",
];

/// Processes that Redis makes of itself.
const NO_FORKS: &[&str] = &["latest_fork_usec", "total_forks"];

/// What Redis counts of what is never done here: programs that look for it find that it did not happen.
const NOT_DONE: &[&str] = &[
    "slave_expires_tracked_keys",
    "active_defrag_hits",
    "active_defrag_misses",
    "active_defrag_key_hits",
    "active_defrag_key_misses",
    "total_active_defrag_time",
    "current_active_defrag_time",
];

/// The same, further below.
const NEITHER_DONE: &[&str] = &["unexpected_error_replies", "dump_payload_sanitizations"];

impl Conversation {
    pub(super) fn info_command(&self, args: Args<'_>, reply: &mut Reply) {
        let mut chosen = [false; SECTIONS.len()];
        if args.len() == 1 {
            choose(&mut chosen, b"default");
        }
        for word in args.skip(1) {
            choose(&mut chosen, word);
        }
        let mut text = String::with_capacity(4096);
        for ((name, _), _) in SECTIONS.iter().zip(chosen).filter(|(_, chosen)| *chosen) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            self.section(name, &mut text);
        }
        reply.verbatim(b"txt", text.as_bytes());
    }

    fn section(&self, name: &str, out: &mut String) {
        match name {
            "server" => self.server_section(out),
            "clients" => self.clients_section(out),
            "memory" => self.memory_section(out),
            "persistence" => self.persistence_section(out),
            "stats" => self.stats_section(out),
            "replication" => self.replication_section(out),
            "cpu" => cpu_section(out),
            "modules" => title(out, "Modules"),
            "commandstats" => self.commandstats_section(out),
            "errorstats" => self.errorstats_section(out),
            "latencystats" => self.latencystats_section(out),
            "cluster" => {
                title(out, "Cluster");
                line(out, "cluster_enabled", 0);
            }
            _ => self.keyspace_section(out),
        }
    }

    fn server_section(&self, out: &mut String) {
        let context = &self.context;
        let uptime = context.started.elapsed().as_secs();
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let executable = std::env::current_exe().unwrap_or_default();
        let config_file = context.configuration.config_file().unwrap_or_default();
        title(out, "Server");
        line(out, "redis_version", REDIS_VERSION);
        line(out, "redis_git_sha1", "00000000");
        line(out, "redis_git_dirty", 0);
        line(out, "redis_build_id", 0);
        line(out, "redis_mode", "standalone");
        line(out, "keymesh_version", KEYMESH_VERSION);
        line(out, "keymesh_node_id", context.replication.origin().node);
        line(out, "os", process::system());
        line(out, "arch_bits", usize::BITS);
        line(out, "monotonic_clock", "POSIX clock_gettime");
        line(out, "multiplexing_api", "epoll");
        line(out, "process_id", std::process::id());
        let supervised = context.supervised.get().copied().unwrap_or("no");
        line(out, "process_supervised", supervised);
        line(out, "run_id", &context.run_id);
        line(out, "tcp_port", context.port.load(Ordering::Relaxed));
        line(out, "server_time_usec", time.as_micros());
        line(out, "uptime_in_seconds", uptime);
        line(out, "uptime_in_days", uptime / 86_400);
        line(out, "hz", self.options.hz);
        line(out, "configured_hz", self.options.hz);
        line(out, "lru_clock", time.as_secs() & 0xff_ffff);
        line(out, "executable", executable.display());
        line(out, "config_file", config_file.display());
        line(out, "io_threads_active", 0);
        line(out, "server_threads", self.options.server_threads);
        let zone = self.options.availability_zone.as_deref();
        line(out, "availability_zone", zone.unwrap_or_default());
    }

    fn clients_section(&self, out: &mut String) {
        title(out, "Clients");
        line(out, "connected_clients", self.context.clients.len());
        line(out, "cluster_connections", 0);
        line(out, "maxclients", self.options.maxclients);
        let (input, output) = self.context.statistics.recent_buffers();
        line(out, "client_recent_max_input_buffer", input);
        line(out, "client_recent_max_output_buffer", output);
        let (blocked, limited) = self.context.clients.blocked();
        line(out, "blocked_clients", blocked);
        let tracking = self.context.keyspace.pubsub.tracking.counts();
        line(out, "tracking_clients", tracking.clients);
        line(out, "clients_in_timeout_table", limited);
    }

    fn stats_section(&self, out: &mut String) {
        let statistics = &self.context.statistics;
        let counts = self.context.keyspace.counts();
        let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let rates = statistics.rates();
        let links = self.context.replication.link_counts();
        title(out, "Stats");
        line(
            out,
            "total_connections_received",
            get(&statistics.connections),
        );
        line(out, "total_commands_processed", get(&statistics.commands));
        line(out, "instantaneous_ops_per_sec", rates.commands);
        line(out, "total_net_input_bytes", get(&statistics.input_bytes));
        line(out, "total_net_output_bytes", get(&statistics.output_bytes));
        line(out, "total_net_repl_input_bytes", links.input_bytes);
        line(out, "total_net_repl_output_bytes", links.output_bytes);
        let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
        line(
            out,
            "instantaneous_input_kbps",
            kilobytes(rates.input_bytes),
        );
        line(
            out,
            "instantaneous_output_kbps",
            kilobytes(rates.output_bytes),
        );
        let (input, output) = (rates.link_input_bytes, rates.link_output_bytes);
        line(out, "instantaneous_input_repl_kbps", kilobytes(input));
        line(out, "instantaneous_output_repl_kbps", kilobytes(output));
        line(
            out,
            "rejected_connections",
            get(&statistics.rejected_connections),
        );
        line(out, "sync_full", links.full);
        line(out, "sync_partial_ok", links.partial);
        line(out, "sync_partial_err", links.refused);
        line(out, "expired_keys", counts.expired);
        line(out, "expired_subkeys", counts.expired_members);
        let keyspace = &self.context.keyspace;
        let stale = keyspace.stale_percent(keyspace.time(self.context.now()));
        line(out, "expired_stale_perc", format!("{stale:.2}"));
        zeros(out, &["expired_time_cap_reached_count", "evicted_keys"]);
        zeros(out, EVICTION);
        line(out, "keyspace_hits", counts.hits);
        line(out, "keyspace_misses", counts.misses);
        let pubsub = &self.context.keyspace.pubsub;
        line(out, "pubsub_channels", pubsub.channels.len(Kind::Channel));
        line(out, "pubsub_patterns", pubsub.channels.len(Kind::Pattern));
        line(
            out,
            "pubsubshard_channels",
            pubsub.channels.len(Kind::Shard),
        );
        zeros(out, NO_FORKS);
        line(
            out,
            "migrate_cached_sockets",
            self.context.migrations.count(),
        );
        zeros(out, NOT_DONE);
        let tracking = pubsub.tracking.counts();
        line(out, "tracking_total_keys", tracking.keys);
        line(out, "tracking_total_items", tracking.items);
        line(out, "tracking_total_prefixes", tracking.prefixes);
        zeros(out, NEITHER_DONE);
        line(out, "total_error_replies", get(&statistics.error_replies));
        line(out, "total_reads_processed", get(&statistics.reads));
        line(out, "total_writes_processed", get(&statistics.writes));
        zeros(
            out,
            &[
                "io_threaded_reads_processed",
                "io_threaded_writes_processed",
            ],
        );
        let closed = get(&statistics.output_buffer_disconnections);
        line(out, "client_output_buffer_limit_disconnections", closed);
        for (reason, name) in [
            (Reason::Auth, "acl_access_denied_auth"),
            (Reason::Command, "acl_access_denied_cmd"),
            (Reason::Key, "acl_access_denied_key"),
            (Reason::Channel, "acl_access_denied_channel"),
        ] {
            line(out, name, self.context.acl_log.count(reason));
        }
        line(
            out,
            "latency_percentiles_usec_partition_hold",
            self.partition_hold_percentiles(),
        );
        let (exported, dropped) = self.context.tracing.tracer.span_counts();
        line(out, "trace_spans_exported", exported);
        line(out, "trace_spans_dropped", dropped);
    }

    fn commandstats_section(&self, out: &mut String) {
        title(out, "Commandstats");
        for counters in self.context.statistics.of_commands.counters() {
            let usec = counters.nanos / 1000;
            let per_call = counters.nanos as f64 / 1000.0 / counters.calls.max(1) as f64;
            let _ = write!(
                out,
                "cmdstat_{}:calls={},usec={usec},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}\r\n",
                counters.name, counters.calls, counters.rejected, counters.failed
            );
        }
    }

    fn errorstats_section(&self, out: &mut String) {
        title(out, "Errorstats");
        for (code, count) in self.context.statistics.errors() {
            let _ = write!(out, "errorstat_{code}:count={count}\r\n");
        }
    }

    fn latencystats_section(&self, out: &mut String) {
        title(out, "Latencystats");
        for (name, histogram) in self.context.statistics.of_commands.histograms() {
            let percentiles = self.options.latency_tracking_info_percentiles.iter();
            let texts: Vec<_> = percentiles
                .map(|percentile| {
                    let nanos = histogram.value_at_percentile(*percentile);
                    format!("p{percentile}={:.3}", nanos as f64 / 1000.0)
                })
                .collect();
            line(
                out,
                &format!("latency_percentiles_usec_{name}"),
                texts.join(","),
            );
        }
    }

    fn keyspace_section(&self, out: &mut String) {
        title(out, "Keyspace");
        let keyspace = &self.context.keyspace;
        let now = keyspace.time(self.context.now());
        for (db, (keys, expires)) in keyspace.key_counts().into_iter().enumerate() {
            if keys > 0 {
                let ttl = match expires {
                    0 => 0,
                    _ => keyspace.average_ttl_ms(db as u32, now),
                };
                let _ = write!(
                    out,
                    "db{db}:keys={keys},expires={expires},avg_ttl={ttl}\r\n"
                );
            }
        }
    }
}

fn choose(chosen: &mut [bool; SECTIONS.len()], word: &[u8]) {
    let is_all = word.eq_ignore_ascii_case(b"all") || word.eq_ignore_ascii_case(b"everything");
    let is_default = word.eq_ignore_ascii_case(b"default");
    for ((name, by_default), chosen) in SECTIONS.iter().zip(chosen) {
        *chosen |=
            is_all || is_default && *by_default || word.eq_ignore_ascii_case(name.as_bytes());
    }
}

fn cpu_section(out: &mut String) {
    let (process, main) = (process::cpu(false), process::cpu(true));
    title(out, "CPU");
    let seconds = |value: f64| format!("{value:.6}");
    line(out, "used_cpu_sys", seconds(process.system));
    line(out, "used_cpu_user", seconds(process.user));
    line(
        out,
        "used_cpu_sys_children",
        seconds(process.system_children),
    );
    line(
        out,
        "used_cpu_user_children",
        seconds(process.user_children),
    );
    line(out, "used_cpu_sys_main_thread", seconds(main.system));
    line(out, "used_cpu_user_main_thread", seconds(main.user));
}

fn title(out: &mut String, name: &str) {
    let _ = write!(out, "# {name}\r\n");
}

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = write!(out, "{name}:{value}\r\n");
}

fn zeros(out: &mut String, names: &[&str]) {
    for name in names {
        line(out, name, 0);
    }
}
