//! What all sessions of a server share. Made once by the server; everything in it outlives the actors.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keymesh_observability::{HeadSampler, SampleRatio};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::acl::{AclLog, Defaults, Users};
use crate::clients::actors::Actors;
use crate::clients::configuration::Configuration;
use crate::clients::latency::LatencyEvents;
use crate::clients::link_accounts::LinkAccounts;
use crate::clients::migrate::Links;
use crate::clients::monitor::Monitors;
use crate::clients::owners::Owners;
use crate::clients::process;
use crate::clients::registry::{Clients, signal};
use crate::clients::replay::Replayed;
use crate::clients::scripting::Scripts;
use crate::clients::slowlog::SlowLog;
use crate::clients::soft_shutdown::SoftShutdown;
use crate::clients::statistics::Statistics;
use crate::config::{PubsubDefault, Secret};
use crate::db::UnixMillis;
use crate::db::body::Limits;
use crate::db::list::Fill;
use crate::keyspace::Keyspace;
use crate::persistence::Saver;
use crate::pubsub::events::Events;
use crate::replication::ReplicationControl;
use crate::replication::tracing::LinkTracer;

/// The Redis version that clients are told: what the commands follow.
pub const REDIS_VERSION: &str = "7.2.0";
/// Our own version.
pub const KEYMESH_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What SHUTDOWN asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownRequest {
    /// `SAVE` or `NOSAVE`, where one was said.
    pub save: Option<bool>,
    /// Do not wait for replicas.
    pub now: bool,
    /// Go down whatever fails.
    pub force: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Context {
    /// The data.
    pub keyspace: Arc<Keyspace>,
    /// The files that keep it.
    pub saver: Arc<Saver>,
    /// The links.
    pub replication: Replication,
    /// The settings.
    pub configuration: Arc<Configuration>,
    /// Who is connected.
    pub clients: Arc<Clients>,
    /// Who may do what.
    pub users: Users,
    /// Whose links stand.
    pub link_accounts: LinkAccounts,
    /// What was refused lately.
    pub acl_log: AclLog,
    /// What was counted.
    pub statistics: Statistics,
    /// Commands that took long.
    pub slowlog: SlowLog,
    /// When what took long.
    pub latency: LatencyEvents,
    /// Who hands out what keys hold.
    pub owners: Owners,
    /// Connections to servers that keys were sent to.
    pub(super) migrations: Links,
    /// What RREPLAY has carried out.
    pub(super) replayed: Replayed,
    /// Scripts.
    pub scripts: Arc<Scripts>,
    /// MONITOR.
    pub monitors: Arc<Monitors>,
    /// Random, new with each start: 40 hexadecimal digits.
    pub run_id: String,
    /// What the process took before there was any data.
    pub memory_startup: u64,
    /// When the server started.
    pub started: Instant,
    /// The port that TCP clients reach, 0 for none.
    pub port: AtomicU16,
    /// Data commands get `-LOADING`.
    pub loading: AtomicBool,
    /// Raised by SHUTDOWN.
    pub shutdown: watch::Sender<Option<ShutdownRequest>>,
    /// Raised by SHUTDOWN SOFT.
    pub soft_shutdown: SoftShutdown,
    /// Who was told that the server is ready, as INFO shows it; empty for nobody.
    pub supervised: OnceLock<&'static str>,
    /// DEBUG SET-ACTIVE-EXPIRE: whoever purges asks here.
    pub active_expire: AtomicBool,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// The tree's actors, for tests.
    pub actors: Actors,
    /// Where spans of writes begin.
    pub tracing: Tracing,
    /// Who may have long work done by another thread: so many at once as there are processors.
    pub workers: Arc<Semaphore>,
}

/// What decides which writes are traced, and where their spans go.
#[derive(Debug)]
pub struct Tracing {
    /// Makes the spans.
    pub tracer: LinkTracer,
    /// Picks writes that nobody asked to trace.
    pub sampler: HeadSampler,
}

impl Tracing {
    /// No spans.
    pub fn off() -> Self {
        Self {
            tracer: LinkTracer::default(),
            sampler: HeadSampler::new(SampleRatio::NEVER, 0),
        }
    }
}

/// The links behind a pointer that can be shown.
#[derive(Clone)]
pub struct Replication(pub Arc<dyn ReplicationControl>);

impl std::fmt::Debug for Replication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replication")
    }
}

impl std::ops::Deref for Replication {
    type Target = dyn ReplicationControl;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Context {
    /// A server's shared state; nobody is connected yet.
    pub fn new(
        keyspace: Arc<Keyspace>,
        replication: Arc<dyn ReplicationControl>,
        configuration: Arc<Configuration>,
    ) -> Self {
        let scripts = Arc::new(Scripts::new(&keyspace));
        let context = Self {
            saver: Arc::new(Saver::new(Arc::clone(&keyspace))),
            keyspace,
            scripts,
            replication: Replication(replication),
            configuration,
            clients: Arc::default(),
            users: Users::default(),
            link_accounts: LinkAccounts::default(),
            acl_log: AclLog::default(),
            statistics: Statistics::default(),
            slowlog: SlowLog::default(),
            latency: LatencyEvents::default(),
            owners: Owners::default(),
            migrations: Links::default(),
            replayed: Replayed::default(),
            monitors: Arc::default(),
            run_id: format!(
                "{:032x}{:08x}",
                rand::random::<u128>(),
                rand::random::<u32>()
            ),
            memory_startup: process::memory().anonymous,
            started: Instant::now(),
            port: AtomicU16::new(0),
            loading: AtomicBool::new(false),
            shutdown: watch::Sender::new(None),
            soft_shutdown: SoftShutdown::default(),
            supervised: OnceLock::new(),
            active_expire: AtomicBool::new(true),
            pause: Pause::default(),
            actors: Actors::default(),
            tracing: Tracing::off(),
            workers: Arc::new(Semaphore::new(workers())),
        };
        context.apply_settings();
        context
    }

    /// Carries settings to where the hot path reads them, before CONFIG SET is answered.
    pub fn apply_settings(&self) {
        let options = self.configuration.options();
        self.users.set_defaults(Defaults {
            all_channels: options.acl_pubsub_default == PubsubDefault::Allchannels,
        });
        let password = options.requirepass.as_ref().map(Secret::expose);
        self.users.follow_requirepass(password);
        self.owners.forget();
        let keyspace = &self.keyspace;
        keyspace.set_string_len_max(options.proto_max_bulk_len);
        keyspace.set_limits(Limits {
            hash_entries: options.hash_max_listpack_entries,
            hash_value: options.hash_max_listpack_value,
            set_entries: options.set_max_listpack_entries,
            set_value: options.set_max_listpack_value,
            intset_entries: options.set_max_intset_entries,
            zset_entries: options.zset_max_listpack_entries,
            zset_value: options.zset_max_listpack_value,
            hll_sparse: options.hll_sparse_max_bytes,
            stream: crate::db::stream::NodeLimits {
                entries: options.stream_node_max_entries,
                bytes: options.stream_node_max_bytes,
            },
            list: Fill::new(options.list_max_listpack_size),
        });
        let pubsub = &keyspace.pubsub;
        pubsub.set_events(Events::parse(&options.notify_keyspace_events));
        pubsub
            .tracking
            .set_keys_max(options.tracking_table_max_keys);
        keyspace.refresh_attention();
        let (limits, shared) = (&options.client_output_buffer_limit, &self.clients.limits);
        shared.normal.store(limits.normal.hard, Ordering::Relaxed);
        shared.pubsub.store(limits.pubsub.hard, Ordering::Relaxed);
    }

    /// The same, with writes traced.
    #[must_use]
    pub fn with_tracing(mut self, tracing: Tracing) -> Self {
        self.tracing = tracing;
        self
    }

    /// The clock.
    #[inline]
    pub fn now(&self) -> UnixMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis(since.as_millis() as i64)
    }
}

/// How much long work is done at once.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Which commands CLIENT PAUSE holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseMode {
    /// Those that may write.
    Write,
    /// All.
    All,
}

/// CLIENT PAUSE: until when which commands wait.
#[derive(Debug, Default)]
pub struct Pause {
    /// Unix milliseconds; 0 for no pause, so that the usual look is one load.
    until: AtomicI64,
    mode: Mutex<Option<PauseMode>>,
}

impl Pause {
    /// Whether a pause is on, and which.
    #[inline]
    pub fn get(&self, now: UnixMillis) -> Option<(PauseMode, UnixMillis)> {
        let until = self.until.load(Ordering::Relaxed);
        if until <= now.0 {
            return None;
        }
        self.mode.lock().map(|mode| (mode, UnixMillis(until)))
    }

    /// Starts or lengthens a pause; a pause of all is not weakened by one of writes.
    pub fn set(&self, mode: PauseMode, until: UnixMillis, now: UnixMillis) {
        let before = self.get(now);
        let all = mode == PauseMode::All || matches!(before, Some((PauseMode::All, _)));
        *self.mode.lock() = Some(if all {
            PauseMode::All
        } else {
            PauseMode::Write
        });
        let until = before.map_or(until, |(_, before)| before.max(until));
        self.until.store(until.0, Ordering::Relaxed);
    }

    /// Ends a pause.
    pub fn clear(&self, clients: &Clients) {
        self.until.store(0, Ordering::Relaxed);
        *self.mode.lock() = None;
        clients.signal_all(signal::RESUME);
    }
}
