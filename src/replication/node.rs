//! A node as a member of the mesh: its identity, whom it knows, how far everybody has arrived, which way each origin's records
//! come. Pure but for the store: sockets and timers are outside, so that the simulator runs the same code.
//!
//! Invariant: what a node concluded from its membership or its clock is on disk before it acts upon it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;

use crate::db::conflict::KINDS;
use crate::db::origin::TooManyOrigins;
use crate::db::{Hlc, NodeId, Origin, OriginIndex, UnixMillis};
#[cfg(feature = "ablation")]
use crate::journal::Record;
use crate::keyspace::Keyspace;
use crate::replication::alarms::{Limits, Watch};
use crate::replication::frame::{Hello, VERSION};
use crate::replication::identity::Replaced;
use crate::replication::members::{Entry, Members};
use crate::replication::merging::Merge;
use crate::replication::meters::Meters;
use crate::replication::node_state::{NodeState, StateStore};
use crate::replication::routes::{LinkInfo, SnapshotWish};
use crate::replication::table::Table;

/// How far ahead the clock's upper bound is written down.
/// This is also how far a restarted node's clock may run ahead at first, so it is short.
pub(super) const LEASE_AHEAD_MS: u64 = 2_000;
pub(super) const HLC_PER_MS: u64 = 4096;

/// A connection to a master, one number per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// What a node cannot get over.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The state could not be written.
    #[error("cannot write node.state: {0}")]
    Store(#[from] std::io::Error),
    /// See [`TooManyOrigins`].
    #[error(transparent)]
    Origins(#[from] TooManyOrigins),
}

/// What a node counts, for INFO and for tests that must know that something happened.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NodeCounters {
    pub merges_begun: AtomicU64,
    pub merges_done: AtomicU64,
    pub merges_aborted: AtomicU64,
    pub reroutes: AtomicU64,
    pub records_in: AtomicU64,
    pub records_out: AtomicU64,
    pub duplicates: AtomicU64,
    pub gaps: AtomicU64,
    pub input_bytes: AtomicU64,
    pub output_bytes: AtomicU64,
    /// By kind of conflict.
    pub superseded: [AtomicU64; KINDS],
    pub admissions: AtomicU64,
    pub adoptions: AtomicU64,
    pub snapshots_sent: AtomicU64,
    pub partial_resyncs: AtomicU64,
    pub partial_refused: AtomicU64,
    pub sealed: AtomicU64,
    pub clock_alarms: AtomicU64,
    pub stamps_ahead: AtomicU64,
}

impl NodeCounters {
    /// A link has read or written so many bytes.
    pub(super) fn carried(counter: &AtomicU64, bytes: usize) {
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// See the head of the file.
pub struct Node {
    /// The data.
    pub keyspace: Arc<Keyspace>,
    /// What happened.
    pub counters: NodeCounters,
    /// What is measured.
    pub meters: Meters,
    /// From where on something is alarming.
    pub limits: Limits,
    pub(super) inner: Mutex<Inner>,
    pub(super) snapshot_owner: Mutex<Option<u64>>,
    pub(super) merge_driver: Mutex<()>,
    pub(super) store: Box<dyn StateStore>,
    pub(super) ids: AtomicU64,
    pub(super) port: AtomicU16,
    /// What this node said anew when it was admitted: whose records, their first time, what they hold.
    #[cfg(feature = "ablation")]
    pub said_anew: Mutex<Vec<(Origin, Hlc, Record)>>,
}

pub(super) struct Inner {
    pub(super) state: NodeState,
    /// Rises with every change of the table.
    pub(super) version: u64,
    pub(super) links: BTreeMap<LinkId, LinkInfo>,
    pub(super) routes: HashMap<OriginIndex, LinkId>,
    pub(super) merge: Option<Merge>,
    pub(super) merge_wait: u32,
    /// What the senders of merged snapshots had settled: keys that were gone there by then are gone here without a trace.
    pub(super) covered: Hlc,
    /// Ticks since this node began to wait for its admission.
    pub(super) alone_ticks: u32,
    /// What masters told is to be looked at again.
    pub(super) relearn: bool,
    pub(super) follower: bool,
    /// The life of the master whose data this follower has taken over.
    pub(super) followed: Option<Origin>,
    /// Lives seen retired at the tick before: their last words may still be on a link.
    pub(super) retired_seen: HashSet<Origin>,
    pub(super) watch: Watch,
    /// Others have another life of this node than it knows.
    pub(super) usurped: bool,
    pub(super) replaced: Replaced,
    /// Where the present life begins: what others list under its name may be another one.
    pub(super) floor: Hlc,
    pub(super) own: OriginIndex,
}

impl Inner {
    pub(super) fn origin(&self) -> Origin {
        Origin {
            node: self.state.node,
            incarnation: self.state.incarnation,
        }
    }

    /// Forgets what was asked for and by which way what comes: another mesh, another life.
    pub(super) fn drop_routes(&mut self) {
        self.routes.clear();
        self.merge = None;
        for link in self.links.values_mut() {
            link.overtaken.clone_from(&link.subscribed);
            link.snapshot = SnapshotWish::None;
        }
    }

    /// Whether a merge under way brings more of an origin.
    pub(super) fn is_merging(&self, origin: Origin, keyspace: &Keyspace) -> bool {
        let blocks = |merge: &Merge| {
            let index = keyspace.origins.find(origin);
            index.is_some_and(|index| merge.blocks(index))
        };
        self.merge.as_ref().is_some_and(blocks)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

impl Node {
    /// A number that no link or feed of this node had before.
    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// The present life.
    pub fn origin(&self) -> Origin {
        self.inner.lock().origin()
    }

    /// Where the present life begins.
    pub fn floor(&self) -> Hlc {
        self.inner.lock().floor
    }

    /// What this node tells of its mesh, and the version of that.
    pub fn table(&self) -> (Table, u64) {
        let inner = self.inner.lock();
        (inner.state.table.clone(), inner.version)
    }

    /// Whom this node counts.
    pub fn members(&self) -> Members {
        self.inner.lock().state.table.members.clone()
    }

    /// Whether this node does what is to be done once in the mesh, on behalf of `node`.
    pub fn stands_in_for(&self, node: NodeId) -> bool {
        let inner = self.inner.lock();
        inner.state.table.stands_in(inner.state.node, node)
    }

    /// The table's version.
    pub fn members_version(&self) -> u64 {
        self.inner.lock().version
    }

    /// Whether every configured master was met once.
    pub fn is_established(&self) -> bool {
        self.inner.lock().state.established
    }

    /// Makes this node follow its master instead of merging with it (plain `replicaof`), or stop following.
    pub fn set_follower(&self, follower: bool) {
        let mut inner = self.inner.lock();
        inner.follower = follower;
        inner.followed = inner.followed.filter(|_| follower);
    }

    /// Whether this node follows.
    pub fn is_follower(&self) -> bool {
        self.inner.lock().follower
    }

    /// The introduction that this node gives now.
    pub fn hello(&self) -> Hello {
        let inner = self.inner.lock();
        Hello {
            version: VERSION,
            features: 0,
            origin: inner.origin(),
            clock: self.keyspace.journal.clock(),
            stamped: self.keyspace.is_stamped(),
            follower: inner.follower,
            port: self.port.load(Ordering::Relaxed),
            table: inner.state.table.clone(),
        }
    }

    /// The port that clients reach from now on; later introductions name it.
    pub fn set_port(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    /// Replaces this node's `replicaof` entries.
    pub fn set_entries(&self, addresses: &[String]) -> Result<(), NodeError> {
        let version = self.keyspace.journal.clock().plus(1);
        self.keyspace.journal.observe(version);
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let node = inner.state.node;
        let member = inner.state.table.members.nodes.entry(node).or_default();
        // Whoever answers there now counts as met, whatever was written of the entry before.
        let answers = inner.links.values();
        let mut known: HashMap<String, Option<NodeId>> = answers
            .filter_map(|link| Some((link.address.clone(), Some(link.master?.node))))
            .collect();
        known.extend(
            member
                .entries
                .drain(..)
                .filter(|entry| entry.met.is_some())
                .map(|entry| (entry.address, entry.met)),
        );
        member.entries = addresses
            .iter()
            .map(|address| Entry {
                address: address.clone(),
                met: known.get(address).copied().flatten(),
            })
            .collect();
        member.entries_version = version;
        self.changed(inner)
    }

    /// Somebody answered at one of this node's entries.
    pub(super) fn met(
        &self,
        inner: &mut Inner,
        address: &str,
        who: NodeId,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let node = inner.state.node;
        let version = self.keyspace.journal.clock().plus(1);
        let member = inner.state.table.members.nodes.entry(node).or_default();
        let Some(entry) = member
            .entries
            .iter_mut()
            .find(|entry| entry.address == address)
        else {
            return Ok(());
        };
        if entry.met == Some(who) {
            return Ok(());
        }
        let before = entry.met.replace(who);
        member.entries_version = version;
        self.keyspace.journal.observe(version);
        if let Some(before) = before {
            self.replaced(inner, before, now);
        }
        self.changed(inner)
    }

    /// Writes the state down and lets every feed tell its replica.
    pub(super) fn changed(&self, inner: &mut Inner) -> Result<(), NodeError> {
        inner.version += 1;
        let (me, life) = (inner.state.node, inner.state.incarnation);
        let mine = inner.state.table.members.nodes.get_mut(&me);
        if let Some(life) = mine.and_then(|me| me.lives.get_mut(&life)) {
            life.floor = inner.floor;
        }
        self.begin_logs(inner);
        self.store.save(&inner.state)?;
        Ok(())
    }

    /// Starts a log for every life that has none.
    pub(super) fn begin_logs(&self, inner: &mut Inner) {
        for (origin, life) in inner.state.table.members.lives() {
            if let Ok(index) = self.keyspace.origins.intern(origin)
                && index != inner.own
            {
                self.keyspace.journal.begin(index, life.floor);
            }
        }
    }

    /// Drops a member for good: if it comes back it goes on under a new id. False where nobody has that id.
    pub fn forget(&self, node: NodeId) -> Result<bool, NodeError> {
        self.forget_locked(&mut self.inner.lock(), node)
    }

    pub(super) fn forget_locked(&self, inner: &mut Inner, node: NodeId) -> Result<bool, NodeError> {
        let Some(member) = inner.state.table.members.nodes.get_mut(&node) else {
            return Ok(false);
        };
        member.forgotten = member.newest().map_or(1, |(incarnation, _)| incarnation.0);
        for known in inner.state.table.members.nodes.values_mut() {
            for entry in &mut known.entries {
                if entry.met.is_none() {
                    entry.met = Some(node);
                }
            }
        }
        self.changed(inner)?;
        Ok(true)
    }

    /// Makes sure that no stamp given out before the next tick exceeds what is written down.
    pub(super) fn extend_lease(&self, time: Hlc) -> Result<(), NodeError> {
        self.extend_lease_locked(&mut self.inner.lock(), time)
    }

    pub(super) fn extend_lease_locked(
        &self,
        inner: &mut Inner,
        time: Hlc,
    ) -> Result<(), NodeError> {
        let needed = time
            .max(self.keyspace.journal.clock())
            .plus(LEASE_AHEAD_MS / 2 * HLC_PER_MS);
        if needed > inner.state.lease {
            inner.state.lease = needed.plus(LEASE_AHEAD_MS / 2 * HLC_PER_MS);
            self.store.save(&inner.state)?;
        }
        Ok(())
    }

    pub(super) fn set_own(&self, inner: &mut Inner, own: OriginIndex) {
        inner.own = own;
    }
}
