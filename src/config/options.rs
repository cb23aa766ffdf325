//! The typed view of the settings: one field per directive that the server applies.
//!
//! Made by serde from the same values `CONFIG GET` shows, so the two cannot differ. A field has its directive's name.
//! Durations are `Duration`s, sizes are bytes; an empty text or a timeout of 0 is `None` where it means "none".

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The settings the server applies. What a field means stands in the table of directives under the same name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "each field has the name and the meaning of its directive; the table is the one place that says it"
)]
pub struct Options {
    pub bind: Vec<BindAddress>,
    pub port: u16,
    pub tcp_backlog: u32,
    #[serde(deserialize_with = "some_seconds")]
    pub timeout: Option<Duration>,
    #[serde(deserialize_with = "some_seconds")]
    pub tcp_keepalive: Option<Duration>,
    pub maxclients: u32,
    pub protected_mode: bool,
    #[serde(deserialize_with = "some_text")]
    pub unixsocket: Option<PathBuf>,
    pub unixsocketperm: u32,
    pub proto_max_bulk_len: u64,
    pub client_output_buffer_limit: OutputBufferLimits,
    pub tracking_table_max_keys: u64,
    /// The letters.
    pub notify_keyspace_events: String,

    pub databases: u32,
    #[serde(deserialize_with = "some_text")]
    pub requirepass: Option<Secret>,
    #[serde(deserialize_with = "some_text")]
    pub aclfile: Option<PathBuf>,
    pub acllog_max_len: u64,
    pub acl_pubsub_default: PubsubDefault,
    pub daemonize: bool,
    pub disable_thp: bool,
    #[serde(deserialize_with = "some_text")]
    pub pidfile: Option<PathBuf>,
    pub loglevel: LogLevel,
    #[serde(deserialize_with = "some_text")]
    pub logfile: Option<PathBuf>,
    pub log_format: LogFormat,
    pub syslog_enabled: bool,
    pub syslog_ident: String,
    pub syslog_facility: String,
    pub supervised: Supervised,
    /// Zero waits for no replica.
    #[serde(deserialize_with = "seconds")]
    pub shutdown_timeout: Duration,
    /// SIGINT is SHUTDOWN SOFT.
    pub soft_shutdown: bool,
    pub shutdown_on_sigint: Vec<OnSignal>,
    pub shutdown_on_sigterm: Vec<OnSignal>,
    pub dir: PathBuf,
    pub hz: u32,
    pub server_threads: usize,
    pub always_show_logo: bool,
    /// Microseconds; -1 logs nothing.
    pub slowlog_log_slower_than: i64,
    pub slowlog_max_len: u64,
    #[serde(deserialize_with = "some_milliseconds")]
    pub latency_monitor_threshold: Option<Duration>,
    /// How long a script may run before clients are told; none for ever.
    #[serde(deserialize_with = "some_milliseconds")]
    pub busy_reply_threshold: Option<Duration>,
    pub latency_tracking: bool,
    pub latency_tracking_info_percentiles: Vec<f64>,
    pub enable_debug_command: Who,
    pub enable_module_command: Who,
    pub enable_protected_configs: Who,
    pub testmode: bool,
    pub hash_max_listpack_entries: usize,
    pub hash_max_listpack_value: usize,
    pub list_max_listpack_size: i64,
    pub set_max_intset_entries: usize,
    pub set_max_listpack_entries: usize,
    pub set_max_listpack_value: usize,
    pub zset_max_listpack_entries: usize,
    pub zset_max_listpack_value: usize,
    pub hll_sparse_max_bytes: usize,
    pub stream_node_max_bytes: usize,
    pub stream_node_max_entries: usize,
    pub lazyfree_lazy_eviction: bool,
    pub lazyfree_lazy_expire: bool,
    pub lazyfree_lazy_server_del: bool,
    pub lazyfree_lazy_user_del: bool,
    pub lazyfree_lazy_user_flush: bool,
    #[serde(deserialize_with = "some_text")]
    pub availability_zone: Option<String>,

    /// The masters in effect: without multi-master at most one.
    pub replicaof: Vec<Endpoint>,
    #[serde(deserialize_with = "some_text")]
    pub masterauth: Option<Secret>,
    #[serde(deserialize_with = "some_text")]
    pub masteruser: Option<String>,
    pub active_replica: bool,
    pub multi_master: bool,
    pub multi_master_no_forward: bool,
    pub replica_read_only: bool,
    pub replica_serve_stale_data: bool,
    /// Masters that must be connected; -1 means all.
    pub replica_quorum: i32,
    #[serde(deserialize_with = "seconds")]
    pub repl_timeout: Duration,
    #[serde(deserialize_with = "seconds")]
    pub repl_ping_replica_period: Duration,
    /// The memory of the journal.
    pub repl_backlog_size: u64,
    pub repl_diskless_sync: bool,
    #[serde(deserialize_with = "seconds")]
    pub repl_diskless_sync_delay: Duration,
    pub repl_diskless_sync_max_replicas: u32,
    pub repl_diskless_load: ReplDisklessLoad,
    pub replica_lazy_flush: bool,
    #[serde(deserialize_with = "some_text")]
    pub replica_announce_ip: Option<String>,
    /// 0 means the port listened on.
    pub replica_announce_port: u16,

    pub save: Vec<SavePoint>,
    /// A file's name inside `dir`.
    pub dbfilename: String,
    pub rdb_load_among_masters: bool,
    pub rdbchecksum: bool,
    pub rdb_save_incremental_fsync: bool,
    pub stop_writes_on_bgsave_error: bool,
    pub appendonly: bool,
    pub appendfilename: String,
    pub appenddirname: String,

    pub partitions: usize,
    /// A file's name inside `dir`.
    pub node_state_file: String,
    #[serde(deserialize_with = "milliseconds")]
    pub replication_max_clock_ahead: Duration,
    pub replication_tombstone_memory: u64,
    /// Zero means never.
    #[serde(deserialize_with = "milliseconds")]
    pub replication_forget_replaced_after: Duration,
    #[serde(rename = "link-backoff-initial-ms", deserialize_with = "milliseconds")]
    pub link_backoff_initial: Duration,
    #[serde(rename = "link-backoff-max-ms", deserialize_with = "milliseconds")]
    pub link_backoff_max: Duration,
    /// Of the /metrics endpoint; 0 means none.
    pub metrics_port: u16,
    pub metrics_bind: String,
    #[serde(deserialize_with = "some_text")]
    pub otlp_endpoint: Option<String>,
    pub otlp_protocol: OtlpProtocol,
    pub trace_sample_ratio: f64,
    pub trace_max_per_second: u32,
    pub trace_keys: bool,
    pub replicate_publish: bool,
    /// The first line that matches a key counts.
    pub queue_owner: Vec<QueueOwner>,
    pub queue_owner_unreachable: OwnerUnreachable,
}

/// An address of `bind`: `*` is every IPv4 address, `::*` every IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct BindAddress {
    /// The address without its `-`.
    pub address: String,
    /// Whether a system without this address is fine (`-` in front).
    pub optional: bool,
}

impl From<String> for BindAddress {
    fn from(word: String) -> Self {
        match word.strip_prefix('-') {
            Some(address) => Self {
                address: address.to_owned(),
                optional: true,
            },
            None => Self {
                address: word,
                optional: false,
            },
        }
    }
}

impl BindAddress {
    /// The address as the system's resolver understands it.
    #[must_use]
    pub fn host(&self) -> &str {
        match self.address.as_str() {
            "*" => "0.0.0.0",
            "::*" => "::",
            other => other,
        }
    }
}

/// Host and port of another server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// Who hands out what the keys of a pattern hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QueueOwner {
    /// As in KEYS.
    pub pattern: String,
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What is done with a command whose key's owner cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerUnreachable {
    /// It is refused, or waits.
    Error,
    /// It is carried out here; another master may hand out the same.
    Local,
}

/// A snapshot after this time if at least so many changes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SavePoint {
    /// Seconds since the last snapshot.
    pub seconds: u64,
    /// Changes since then.
    pub changes: u64,
}

/// When a client of some class is closed because it does not read its replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct OutputBufferLimit {
    /// Bytes at which it is closed at once; 0 means never.
    pub hard: u64,
    /// Bytes at which it is closed after some seconds; 0 means never.
    pub soft: u64,
    /// Those seconds.
    pub soft_seconds: u64,
}

/// The limits of each class of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct OutputBufferLimits {
    /// Ordinary clients.
    pub normal: OutputBufferLimit,
    /// Replicas.
    pub replica: OutputBufferLimit,
    /// Clients that subscribed.
    pub pubsub: OutputBufferLimit,
}

/// The least severity of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// Rarely useful details too.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// Only what is wrong.
    Warning,
    /// No log lines.
    Nothing,
}

/// Which channels new users may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PubsubDefault {
    /// All.
    Allchannels,
    /// None.
    Resetchannels,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// As Redis's.
    Redis,
    /// One line of text with its source.
    Plain,
    /// One object per line.
    Json,
}

/// Whom the server tells that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Supervised {
    /// Nobody.
    No,
    /// Whoever started it, as the environment tells.
    Auto,
    /// systemd, over the socket that the environment names.
    Systemd,
    /// Upstart, by stopping until it is continued.
    Upstart,
}

/// A word of SHUTDOWN that a signal stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSignal {
    /// None.
    Default,
    /// SAVE.
    Save,
    /// NOSAVE.
    Nosave,
    /// NOW.
    Now,
    /// FORCE.
    Force,
}

/// Who may use something dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Nobody.
    No,
    /// Everybody.
    Yes,
    /// Clients on this machine.
    Local,
}

impl Who {
    /// Whether a client may, given whether it is on this machine.
    #[must_use]
    pub fn allows(self, local: bool) -> bool {
        self == Self::Yes || (self == Self::Local && local)
    }
}

/// How a replica loads a full synchronization that comes over the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplDisklessLoad {
    /// By a file.
    Disabled,
    /// Directly, if there is no data.
    OnEmptyDb,
    /// Beside the data, which is replaced at the end.
    Swapdb,
}

/// How telemetry is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OtlpProtocol {
    /// gRPC.
    #[serde(rename = "grpc")]
    Grpc,
    /// HTTP with protobuf bodies.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

/// A text that does not appear in logs.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

fn some_text<'de, D: Deserializer<'de>, T: From<String>>(from: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    Ok((!text.is_empty()).then(|| T::from(text)))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_secs)
}

fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}

fn some_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    seconds(from).map(|duration| (!duration.is_zero()).then_some(duration))
}

fn some_milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    milliseconds(from).map(|duration| (!duration.is_zero()).then_some(duration))
}
