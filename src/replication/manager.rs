//! Who starts links and feeds, finds them, and answers for them: the server's side of [`ReplicationControl`].
//!
//! Links and feeds are workers under one supervisor; what others see of them lives here and outlives them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use keymesh_supervisors::{Backoff, ChildSpec, Restart, SupervisorHandle, WorkerMessage};
use parking_lot::Mutex;
use ractor::ActorRef;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::db::{Hlc, NodeId, Origin};
use crate::replication::control::{
    AddMaster, LinkCounts, MasterStatus, ReplicaStatus, ReplicationControl,
};
use crate::replication::figures::MeshFigures;
use crate::replication::link_keeper::{self, LinkKeeper};
use crate::replication::master_link::{Credentials, LinkShared, LinkTemplate};
use crate::replication::members::Member;
use crate::replication::node::Node;
use crate::replication::owner_link::Positions;
use crate::replication::redis_feed::{self, Wish};
use crate::replication::replica_feed::{self, FeedSetting, FeedShared};
use crate::replication::tracing::LinkTracer;
use crate::replication::{mesh_command, mesh_info};
use crate::resp::{Args, Reply};

/// How replication behaves.
#[derive(Debug, Clone)]
pub struct ReplicationConfig {
    /// Between attempts to connect.
    pub backoff: Backoff,
    /// Several masters at a time, merged (`multi-master`, `active-replica`).
    pub merging: bool,
}

/// See the head of the file.
pub struct Replication {
    node: Arc<Node>,
    config: ReplicationConfig,
    credentials: Arc<Mutex<Credentials>>,
    supervisor: SupervisorHandle,
    runtime: Handle,
    links: Arc<Mutex<Vec<Arc<LinkShared>>>>,
    keeper: LinkKeeper,
    feeds: Arc<DashMap<u64, Arc<FeedShared>>>,
    acknowledgements: Arc<Notify>,
    tracer: LinkTracer,
}

impl Replication {
    /// Over a node; links and feeds become children of `supervisor`.
    pub fn new(
        node: Arc<Node>,
        config: ReplicationConfig,
        credentials: Credentials,
        supervisor: SupervisorHandle,
        runtime: Handle,
        tracer: LinkTracer,
    ) -> Self {
        let credentials = Arc::new(Mutex::new(credentials));
        let links = Arc::default();
        let template = LinkTemplate {
            node: Arc::clone(&node),
            credentials: Arc::clone(&credentials),
            backoff: config.backoff,
            tracer: tracer.clone(),
        };
        let keeper = LinkKeeper::new(Arc::clone(&links), supervisor.clone(), template);
        Self {
            node,
            config,
            credentials,
            supervisor,
            runtime,
            links,
            keeper,
            feeds: Arc::new(DashMap::new()),
            acknowledgements: Arc::new(Notify::new()),
            tracer,
        }
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Where spans of writes begin.
    pub fn tracer(&self) -> &LinkTracer {
        &self.tracer
    }

    /// Changes what links authenticate with from their next connection on.
    pub fn set_credentials(&self, credentials: Credentials) {
        *self.credentials.lock() = credentials;
    }

    /// The peers that read from this node now.
    pub fn peers(&self) -> Vec<NodeId> {
        self.feeds
            .iter()
            .filter_map(|feed| feed.status().and_then(|status| status.node))
            .collect()
    }

    /// Begins to read the configured masters: all of them, perhaps none, are known before any of them answers.
    pub fn begin<'a>(&self, masters: impl Iterator<Item = (&'a str, u16)>) {
        let mut links = self.links.lock();
        for (host, port) in masters {
            if !links
                .iter()
                .any(|link| link.host == host && link.port == port)
            {
                links.push(Arc::new(LinkShared::new(host, port)));
            }
        }
        self.entries_changed(&links);
    }

    /// Starts and ends links as the entries say, for ever: the future of a worker.
    pub async fn keep_links(&self) {
        self.keeper.keep().await;
    }

    fn entries_changed(&self, links: &[Arc<LinkShared>]) {
        let addresses: Vec<String> = links.iter().map(|link| link.address()).collect();
        let is_follower = !self.config.merging && !links.is_empty();
        self.node.set_follower(is_follower);
        self.node.keyspace.follow(is_follower);
        if let Err(error) = self.node.set_entries(&addresses) {
            tracing::error!(%error, "the node's state could not be written");
        }
        self.keeper.changed();
    }
}

impl ReplicationControl for Replication {
    fn origin(&self) -> Origin {
        self.node.origin()
    }

    fn add_master(&self, host: &str, port: u16) -> AddMaster {
        let mut links = self.links.lock();
        if links
            .iter()
            .any(|link| link.host == host && link.port == port)
        {
            return AddMaster::Already;
        }
        let shared = Arc::new(LinkShared::new(host, port));
        links.push(shared);
        self.entries_changed(&links);
        AddMaster::Added
    }

    fn replace_masters(&self, host: &str, port: u16) -> AddMaster {
        let mut links = self.links.lock();
        if matches!(&links[..], [only] if only.host == host && only.port == port) {
            return AddMaster::Already;
        }
        *links = vec![Arc::new(LinkShared::new(host, port))];
        self.entries_changed(&links);
        AddMaster::Added
    }

    fn remove_master(&self, host: &str, port: u16) -> bool {
        let mut links = self.links.lock();
        let Some(at) = links
            .iter()
            .position(|link| link.host == host && link.port == port)
        else {
            return false;
        };
        links.remove(at);
        self.entries_changed(&links);
        true
    }

    fn clear_masters(&self) {
        let mut links = self.links.lock();
        links.clear();
        self.entries_changed(&links);
    }

    fn masters(&self) -> Vec<MasterStatus> {
        self.links.lock().iter().map(|link| link.status()).collect()
    }

    fn replicas(&self) -> Vec<ReplicaStatus> {
        let mut replicas: Vec<(u64, ReplicaStatus)> = self
            .feeds
            .iter()
            .filter_map(|feed| Some((feed.id, feed.status()?)))
            .collect();
        replicas.sort_by_key(|(id, _)| *id);
        replicas.into_iter().map(|(_, status)| status).collect()
    }

    fn acknowledged(&self, time: Hlc) -> usize {
        self.feeds
            .iter()
            .filter(|feed| feed.status().is_some() && feed.acknowledged() >= time)
            .count()
    }

    fn acknowledgement(&self) -> tokio::sync::futures::Notified<'_> {
        self.acknowledgements.notified()
    }

    fn link_counts(&self) -> LinkCounts {
        let counters = &self.node.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LinkCounts {
            full: get(&counters.snapshots_sent),
            partial: get(&counters.partial_resyncs),
            refused: get(&counters.partial_refused),
            input_bytes: get(&counters.input_bytes),
            output_bytes: get(&counters.output_bytes),
        }
    }

    fn stands_in_for(&self, node: NodeId) -> bool {
        self.node.stands_in_for(node)
    }

    fn figures(&self) -> MeshFigures {
        MeshFigures::of(&self.node)
    }

    fn kill_masters(&self, address: Option<&str>) -> usize {
        let links = self.links.lock();
        let meant = links
            .iter()
            .filter(|link| address.is_none_or(|address| link.address() == address));
        meant.map(|link| link.kill.notify_one()).count()
    }

    fn kill_replicas(&self, address: Option<&str>) -> usize {
        self.feeds.iter().filter(|feed| feed.kill(address)).count()
    }

    fn positions(&self) -> Positions {
        let (keyspace, members) = (&self.node.keyspace, self.node.members());
        let lives = members.nodes.iter().flat_map(|(id, member)| {
            member.lives.keys().map(|incarnation| Origin {
                node: *id,
                incarnation: *incarnation,
            })
        });
        lives
            .filter(|life| !members.is_retired(*life))
            .filter_map(|life| {
                let index = keyspace.origins.find(life)?;
                let last = keyspace.journal.position(index).last;
                (last > Hlc::ZERO).then_some((life, last))
            })
            .collect()
    }

    fn has_arrived(&self, positions: &[(Origin, Hlc)]) -> bool {
        let keyspace = &self.node.keyspace;
        positions.iter().all(|(origin, time)| {
            let index = keyspace.origins.find(*origin);
            index.is_some_and(|index| keyspace.journal.position(index).arrived >= *time)
        })
    }

    fn was_met_at(&self, address: &str) -> bool {
        let (own, members) = (self.node.origin().node, self.node.members());
        let mut entries = members.nodes.values().flat_map(|member| &member.entries);
        entries.any(|entry| entry.met == Some(own) && entry.address == address)
    }

    fn others(&self) -> Vec<(String, u16)> {
        let (own, members) = (self.node.origin().node, self.node.members());
        let is_here = |node: NodeId, member: &Member| {
            let newest = member.newest();
            let origin = newest.map(|(incarnation, _)| Origin { node, incarnation });
            origin.is_some_and(|origin| !members.is_retired(origin))
        };
        let met_by = |member: &Member, node: NodeId| {
            let mut entries = member.entries.iter();
            let entry = entries.find(|entry| entry.met == Some(node))?;
            let (host, port) = entry.address.rsplit_once(':')?;
            Some((host.to_owned(), port.parse().ok()?))
        };
        let nodes = members.nodes.iter();
        nodes
            .filter(|(node, member)| **node != own && is_here(**node, member))
            .filter_map(|(node, _)| {
                let by_own = members.nodes.get(&own).and_then(|me| met_by(me, *node));
                let mut others = members.nodes.values();
                by_own.or_else(|| others.find_map(|member| met_by(member, *node)))
            })
            .collect()
    }

    fn mesh(&self, args: Args<'_>, db: u32, reply: &mut Reply) {
        mesh_command::run(self, args, db, reply);
    }

    fn info(&self, out: &mut String) {
        mesh_info::write(&self.node, out);
    }

    fn attach(&self, stream: TcpStream, peer: SocketAddr, greeting: Vec<Vec<u8>>, unread: Vec<u8>) {
        let wish = Wish::of(&greeting);
        let shared = Arc::new(FeedShared::new(self.node.next_id(), peer));
        let id = shared.id;
        self.feeds.insert(id, Arc::clone(&shared));
        let setting = FeedSetting {
            node: Arc::clone(&self.node),
            shared,
            links: Arc::clone(&self.links),
            acknowledgements: Arc::clone(&self.acknowledgements),
            tracer: self.tracer.clone(),
        };
        // One start, one connection: a feed that fails is not started again, its replica reconnects.
        let once = Mutex::new(Some((setting, stream, unread)));
        let feeds = Arc::clone(&self.feeds);
        let spec = ChildSpec::worker(
            format!("replica-feed {id}").as_str(),
            Arc::new(move || {
                let (taken, gone) = (once.lock().take(), Registered(Arc::clone(&feeds), id));
                Box::pin(async move {
                    let _gone = gone;
                    if let Some((setting, stream, unread)) = taken {
                        match wish {
                            Some(wish) => redis_feed::run(setting, stream, wish).await,
                            None => replica_feed::run(setting, stream, unread).await,
                        }
                    }
                })
            }),
        )
        .restart(Restart::Temporary);
        let supervisor = self.supervisor.clone();
        self.runtime.spawn(async move {
            if let Err(error) = supervisor.add(spec).await {
                tracing::error!(%error, "a replica could not be served");
            }
        });
    }

    fn panic_actor(&self, name: &str) -> bool {
        let known = self
            .links
            .lock()
            .iter()
            .any(|link| name == link_keeper::name(link))
            || name
                .strip_prefix("replica-feed ")
                .and_then(|id| id.parse().ok())
                .is_some_and(|id: u64| self.feeds.contains_key(&id));
        if known {
            let (supervisor, name) = (self.supervisor.clone(), name.to_owned());
            self.runtime.spawn(async move {
                if let Ok(Some(cell)) = supervisor.child(name.as_str()).await {
                    // Gone already means that it has what was asked for.
                    let _ = ActorRef::<WorkerMessage>::from(cell).cast(WorkerMessage::Panic);
                }
            });
        }
        known
    }
}

/// Takes a feed off the list on every way out.
struct Registered(Arc<DashMap<u64, Arc<FeedShared>>>, u64);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.remove(&self.1);
    }
}
