//! The only file that knows every room: it builds the tree, starts it in order, waits for a reason to stop, and drains it.
//!
//! ```text
//! root              one_for_one
//! ├─ data           mesh clock (promises, settled time, routes), keyspace workers (settling, expiry)
//! ├─ settings-watch what CONFIG SET changes for links
//! ├─ replication    one worker per replicaof entry, one per attached replica
//! ├─ link-keeper    starts and ends links
//! ├─ metrics        answers scrapes, where metrics-port is set
//! ├─ cron           runs jobs of KEYDB.CRON
//! ├─ snapshots      writes files where save points say so
//! └─ clients        the acceptor and its sessions
//! ```
//! The data itself is held by `Arc`s in here and in the specs: no actor's end takes a key with it. [`serve`] is the process around it.

mod process;
mod run;
mod shutdown;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use keymesh_observability::{SampleRatio, Telemetry};
use keymesh_supervisors::{
    Backoff, ChildSpec, Intensity, Restart, Slot, SupervisorHandle, SupervisorMessage,
    SupervisorSpec, Work, Worker, WorkerMessage,
};

use crate::clients::acceptor::{Acceptor, AcceptorArguments, AcceptorMessage};
use crate::clients::acl_files;
use crate::clients::context::Tracing;
use crate::clients::latency::Event;
use crate::clients::listener::bind_metrics;
use crate::clients::{Configuration, Context, Listeners, persistence};
use crate::config::{Options, Settings};
use crate::db::garbage;
use crate::db::{NodeId, Origin};
use crate::keyspace::{Keyspace, KeyspaceConfig, PURGE_PERIOD_MS};
use crate::replication::ReplicationControl;
use crate::replication::aside::aside;
use crate::replication::clock;
use crate::replication::life::begin_life;
use crate::replication::manager::{Replication, ReplicationConfig};
use crate::replication::master_link::Credentials;
use crate::replication::node::Node;
use crate::replication::node_state::{FileStore, Forgetful, NodeState, StateStore};
use crate::replication::tracing::LinkTracer;

pub use run::serve;

/// How long clients may take to read their last replies.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);
/// How long an actor that has failed waits before it is started again, at first and at most.
const RESTART_SOONEST: Duration = Duration::from_millis(20);
const RESTART_LATEST: Duration = Duration::from_secs(1);
/// How many rounds of its workers lie between two measurements of what waits to be settled.
const MEASURE_ROUNDS: u64 = 10;
/// The same of two looks at long values that have grown: after the second they give back the room that they did not use.
const SPARE_ROUNDS: u64 = 100;
/// How often a node makes its promise and looks what has settled.
const TICK: Duration = Duration::from_millis(50);
/// Traces per second that clients may start by bringing a context.
const CLIENT_TRACES_PER_SECOND: u32 = 100;
/// The keyspace workers: each keeps a share of the partitions.
const KEYSPACE_WORKERS: usize = 4;

/// A node and what runs around it, before it serves anybody.
pub struct Parts {
    /// What sessions share.
    pub context: Arc<Context>,
    /// The links.
    pub replication: Arc<Replication>,
    root: SupervisorSpec,
    /// Whether the file of the last save is loaded.
    loads: bool,
}

/// Who a node is, before its next life begins.
pub struct Identity {
    /// Its id: the one on disk, or a new one.
    pub node: NodeId,
    known: Option<NodeState>,
    store: Box<dyn StateStore>,
}

impl Identity {
    /// Reads `node.state`. One that cannot be trusted is an error: nobody but an operator may decide who this node is.
    pub fn load(options: &Options) -> anyhow::Result<Self> {
        let path = PathBuf::from(&options.node_state_file);
        let dir = options.dir.display();
        let Some(store) = FileStore::open(path)
            .with_context(|| format!("cannot write {} in {dir}", options.node_state_file))?
        else {
            // Servers that are no masters of a mesh may share a directory, as those of Redis do.
            anyhow::ensure!(
                !options.active_replica,
                "another server runs in {dir}: each master needs a 'dir' of its own, which holds who it is"
            );
            return Ok(Self {
                node: NodeId(rand::random()),
                known: None,
                store: Box::new(Forgetful),
            });
        };
        let known = store.load().context("node.state cannot be used")?;
        let node = known
            .as_ref()
            .map_or_else(|| NodeId(rand::random()), |state| state.node);
        Ok(Self {
            node,
            known,
            store: Box::new(store),
        })
    }
}

/// Builds a node: its identity from `node.state`, its data, its links. Nothing runs yet.
pub fn build(
    settings: Settings,
    identity: Identity,
    port: u16,
    telemetry: Option<&Telemetry>,
) -> anyhow::Result<Parts> {
    let options = settings.options().clone();
    let Identity { node, known, store } = identity;
    let loads = may_load(&options, known.as_ref());
    let state = begin_life(known, node, clock::now(), store.as_ref()).with_context(|| {
        format!(
            "cannot write {} in {}",
            options.node_state_file,
            options.dir.display()
        )
    })?;
    let config = KeyspaceConfig {
        partitions: options.partitions,
        databases: options.databases,
        hash_seed: rand::random(),
        stamped: options.active_replica,
    };
    let node = Node::begin(state, store, config, options.repl_backlog_size, port)?;
    let node = Arc::new(node);
    let keyspace = Arc::clone(&node.keyspace);

    let tracer = telemetry.map_or_else(LinkTracer::default, |telemetry| {
        LinkTracer::new(telemetry.tracer(), &node, CLIENT_TRACES_PER_SECOND)
    });
    let (links_spec, links) = SupervisorSpec::new("replication").into_child();
    let backoff = Backoff::new(options.link_backoff_initial, options.link_backoff_max)
        .context("link-backoff-initial-ms and link-backoff-max-ms do not fit")?;
    let replication = Arc::new(Replication::new(
        Arc::clone(&node),
        ReplicationConfig {
            backoff,
            merging: options.active_replica,
        },
        credentials(&options),
        links.clone(),
        tokio::runtime::Handle::current(),
        tracer.clone(),
    ));
    let declared = settings.lines("user");
    let configuration = Arc::new(Configuration::new(settings));
    let context = Context::new(
        Arc::clone(&keyspace),
        Arc::clone(&replication) as Arc<dyn ReplicationControl>,
        configuration,
    );
    acl_files::load_at_start(&context, &declared).map_err(anyhow::Error::msg)?;
    let context = Arc::new(match telemetry {
        Some(telemetry) => context.with_tracing(Tracing {
            tracer: tracer.clone(),
            sampler: telemetry.sampler(),
        }),
        None => context,
    });
    name_supervisor(&context, "replication", &links);
    let data_spec = supervisor(&context, data(&node, &context, tracer)?)?;
    let root = SupervisorSpec::new("root")
        .child(data_spec)
        .child(settings_watch(&replication, &context)?)
        .child(indispensable(links_spec)?)
        .child(link_keeper(&replication, &context)?);
    Ok(Parts {
        context,
        replication,
        root,
        loads,
    })
}

/// Whether a file may be loaded. Among masters it would bring back what was deleted since: the others have the data.
fn may_load(options: &Options, known: Option<&NodeState>) -> bool {
    let has_others = |known: &NodeState| {
        let members = &known.table.members;
        members.nodes.iter().any(|(node, member)| {
            let newest = member.newest().map(|(incarnation, _)| Origin {
                node: *node,
                incarnation,
            });
            *node != known.node && newest.is_some_and(|life| !members.is_retired(life))
        })
    };
    !options.active_replica || options.rdb_load_among_masters || !known.is_some_and(has_others)
}

fn set_limits(node: &Node, options: &Options) {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    node.limits.set_silence(options.repl_timeout);
    node.limits.set(
        ms(options.replication_max_clock_ahead),
        options.replication_tombstone_memory,
        ms(options.replication_forget_replaced_after),
    );
}

fn credentials(options: &Options) -> Credentials {
    let password = options.masterauth.as_ref();
    Credentials {
        user: options.masteruser.clone(),
        password: password.map(|secret| secret.expose().to_owned()),
    }
}

/// A worker that is started again for ever and that DEBUG PANIC-ACTOR finds.
fn worker(context: &Context, name: &str, work: Work) -> anyhow::Result<ChildSpec> {
    let slot = Slot::new();
    let told = || WorkerMessage::Panic;
    context.actors.add(name, slot.clone(), told);
    let spec = ChildSpec::in_slot(name, slot, move || (Worker, Arc::clone(&work)));
    indispensable(spec)
}

/// A part of the tree that is started again for ever, with its children, and that DEBUG PANIC-ACTOR finds.
fn supervisor(context: &Context, spec: SupervisorSpec) -> anyhow::Result<ChildSpec> {
    let name = spec.name().to_owned();
    let (child, handle) = spec.into_child();
    name_supervisor(context, &name, &handle);
    indispensable(child)
}

fn name_supervisor(context: &Context, name: &str, handle: &SupervisorHandle) {
    let told = || SupervisorMessage::Panic;
    context.actors.add(name, handle.slot().clone(), told);
}

/// A child without which the server is none: whatever happens to it, it is soon there again.
fn indispensable(spec: ChildSpec) -> anyhow::Result<ChildSpec> {
    let backoff = Backoff::new(RESTART_SOONEST, RESTART_LATEST)?;
    Ok(spec
        .restart(Restart::Permanent)
        .intensity(Intensity::Unlimited)
        .backoff(backoff))
}

/// Starts and ends links.
fn link_keeper(replication: &Arc<Replication>, context: &Context) -> anyhow::Result<ChildSpec> {
    let replication = Arc::clone(replication);
    let work: Work = Arc::new(move || {
        let replication = Arc::clone(&replication);
        Box::pin(async move { replication.keep_links().await })
    });
    worker(context, "link-keeper", work)
}

/// Answers who asks for metrics. The socket is held here, whatever becomes of the worker.
fn metrics(context: &Arc<Context>, listener: std::net::TcpListener) -> anyhow::Result<ChildSpec> {
    let kept = Arc::clone(context);
    let work: Work = Arc::new(move || {
        let (context, listener) = (Arc::clone(&kept), listener.try_clone());
        Box::pin(async move {
            match listener {
                Ok(listener) => crate::clients::metrics::serve(context, listener).await,
                Err(error) => tracing::error!(%error, "metrics cannot be served"),
            }
        })
    });
    worker(context, "metrics", work)
}

/// Carries what CONFIG SET changes to where it is used apart from sessions.
fn settings_watch(
    replication: &Arc<Replication>,
    context: &Arc<Context>,
) -> anyhow::Result<ChildSpec> {
    let configuration = Arc::clone(&context.configuration);
    let replication = Arc::clone(replication);
    let sampler = context.tracing.sampler.fork();
    worker(
        context,
        "settings-watch",
        Arc::new(move || {
            let (replication, configuration) =
                (Arc::clone(&replication), Arc::clone(&configuration));
            let sampler = sampler.fork();
            Box::pin(async move {
                let mut changes = configuration.subscribe();
                let mut sampled = None;
                loop {
                    {
                        let options = changes.borrow_and_update();
                        replication.set_credentials(credentials(&options));
                        set_limits(replication.node(), &options);
                        replication.node().set_port(options.port);
                        let journal = &replication.node().keyspace.journal;
                        journal.set_budget(options.repl_backlog_size);
                        // Only what was changed: the environment may have said otherwise at the start.
                        let now = (options.trace_sample_ratio, options.trace_max_per_second);
                        if *sampled.get_or_insert(now) != now {
                            sampled = Some(now);
                            SampleRatio::from_fraction(now.0)
                                .into_iter()
                                .for_each(|ratio| sampler.set_ratio(ratio));
                            sampler.set_traces_per_second(now.1);
                        }
                    }
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
            })
        }),
    )
}

/// The workers that own the data's life.
fn data(
    node: &Arc<Node>,
    context: &Arc<Context>,
    tracer: LinkTracer,
) -> anyhow::Result<SupervisorSpec> {
    let ticking = Arc::clone(node);
    let mesh_clock = worker(
        context,
        "mesh-clock",
        Arc::new(move || {
            let (node, tracer) = (Arc::clone(&ticking), tracer.clone());
            Box::pin(async move {
                loop {
                    let now = clock::now();
                    if let Err(error) = node.tick(now) {
                        tracing::error!(%error, "the node's state could not be written");
                    }
                    tracer.tick(now);
                    let mut is_more = node.has_merge_work();
                    while is_more {
                        // Its link may be gone.
                        let merging = Arc::clone(&node);
                        let (_, step) = aside(merging, |node| node.merge_step()).await;
                        is_more = match step {
                            Ok(is_more) => is_more && node.has_merge_work(),
                            Err(error) => {
                                // It came from a node that speaks this version and was checked when it was received.
                                tracing::error!(%error, "a full sync could not be merged");
                                false
                            }
                        };
                    }
                    tokio::time::sleep(TICK).await;
                }
            })
        }),
    );
    let mut spec = SupervisorSpec::new("data").child(mesh_clock?);
    let workers = KEYSPACE_WORKERS.min(context.keyspace.partitions_len());
    for share in 0..workers {
        let name = format!("keyspace {share}");
        let kept = Arc::clone(context);
        let keeper: Work = Arc::new(move || Box::pin(keep(Arc::clone(&kept), share, workers)));
        spec = spec.child(worker(context, &name, keeper)?);
    }
    Ok(spec)
}

/// What is freed between two looks at others who have something to do: some tens of microseconds.
const FREED_BYTES: usize = 128 * 1024;

/// How long upkeep works before others have their turn.
const TURN: Duration = Duration::from_micros(500);

/// Work in small pieces that lets others have theirs.
struct Turn {
    since: Instant,
    before: Duration,
}

impl Turn {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            before: Duration::ZERO,
        }
    }

    async fn give_way(&mut self, keyspace: &Keyspace) {
        let took = self.since.elapsed();
        if took >= TURN {
            tokio::task::yield_now().await;
            // Not while a script may hold partitions: this thread answers clients.
            keyspace.gate.opened().await;
            (self.since, self.before) = (Instant::now(), self.before + took);
        }
    }

    /// How long it worked.
    fn end(self) -> Duration {
        self.before + self.since.elapsed()
    }
}

/// Settles and purges every `workers`-th partition, for ever.
async fn keep(context: Arc<Context>, worker: usize, workers: usize) {
    let keyspace = &context.keyspace;
    garbage::defer();
    for round in 0_u64.. {
        let threshold = context.configuration.options().latency_monitor_threshold;
        for partition in (worker..keyspace.partitions_len()).step_by(workers) {
            keyspace.gate.opened().await;
            let mut turn = Turn::begin();
            while keyspace.settle_some(partition) {
                turn.give_way(keyspace).await;
            }
            if round.is_multiple_of(MEASURE_ROUNDS) {
                keyspace.measure_pending(partition);
            }
            if round.is_multiple_of(SPARE_ROUNDS) {
                keyspace.give_back_spare(partition);
            }
            if context.active_expire.load(Ordering::Relaxed) {
                let now = keyspace.time(clock::now());
                let mut purge = keyspace.begin_purge(partition, now);
                let mut turn = Turn::begin();
                while keyspace.purge_some(&mut purge) {
                    turn.give_way(keyspace).await;
                }
                let took = turn.end();
                if threshold.is_some_and(|threshold| took >= threshold) {
                    let event = Event::ExpireCycle;
                    context.latency.add(event, now, took.as_millis() as u64);
                }
            }
            tokio::task::yield_now().await;
        }
        while garbage::free_some(FREED_BYTES) {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(PURGE_PERIOD_MS)).await;
    }
}

/// Starts everything around the data and connects to the configured masters.
pub async fn start(parts: Parts, listeners: Listeners) -> anyhow::Result<Running> {
    let Parts {
        context,
        replication,
        root,
        loads,
    } = parts;
    let listeners = Arc::new(listeners);
    context.configuration.set_listeners(Arc::clone(&listeners));
    let arguments = AcceptorArguments {
        context: Arc::clone(&context),
        listeners,
    };
    let acceptor = Slot::new();
    let told = || AcceptorMessage::Panic;
    context.actors.add("acceptor", acceptor.clone(), told);
    let clients =
        SupervisorSpec::new("clients").child(indispensable(Acceptor::spec(arguments, acceptor))?);
    let root = match bind_metrics(&context.configuration.options())? {
        Some(listener) => root.child(metrics(&context, listener)?),
        None => root,
    };
    let kept = Arc::clone(&context);
    let cron: Work = Arc::new(move || Box::pin(crate::clients::cron::run(Arc::clone(&kept))));
    let kept = Arc::clone(&context);
    let snapshots: Work = Arc::new(move || Box::pin(persistence::run(Arc::clone(&kept))));
    let file = persistence::file_at_start(&context, loads)?;
    let root = root
        .child(worker(&context, "cron", cron)?)
        .child(worker(&context, "snapshots", snapshots)?)
        .child(supervisor(&context, clients)?)
        .spawn()
        .await
        .context("the server did not start")?;
    name_supervisor(&context, "root", &root.handle);
    if let Some(file) = file {
        persistence::load_at_start(&context, file).await?;
    }
    let options = context.configuration.options();
    let masters = options.replicaof.iter();
    replication.begin(masters.map(|master| (master.host.as_str(), master.port)));
    Ok(Running { context, root })
}

/// A server that serves.
pub struct Running {
    /// What sessions share.
    pub context: Arc<Context>,
    root: keymesh_supervisors::Root,
}

impl Running {
    /// Stops in order: no new clients, last replies, links, data.
    pub async fn stop(self) {
        self.root.handle.shutdown().await;
        self.context.clients.drain(DRAIN_PATIENCE).await;
    }
}
