//! How a node begins: the next life of what `node.state` tells of, and the node that lives it.
//!
//! Invariant: a life is on disk before anything is done in it, and starts above every stamp that an earlier one may have given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64};

use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;

use crate::ablation::{Rule, is_off};
use crate::db::{Hlc, Incarnation, NodeId, Origin, Origins, UnixMillis};
use crate::journal::Journal;
use crate::keyspace::{Keyspace, KeyspaceConfig};
use crate::replication::alarms::{Limits, Watch};
use crate::replication::identity::Replaced;
use crate::replication::members::{Life, Members};
use crate::replication::meters::Meters;
use crate::replication::node::{HLC_PER_MS, Inner, LEASE_AHEAD_MS, Node, NodeCounters, NodeError};
use crate::replication::node_state::{NodeState, StateStore};
use crate::replication::table::{MeshId, Table};

/// What a start makes of the state on disk: the next life of the node, or the first of a new one. `fresh_id` is used where
/// there is no state. The result is written before anything is done with it.
pub fn begin_life(
    known: Option<NodeState>,
    fresh_id: NodeId,
    now: UnixMillis,
    store: &dyn StateStore,
) -> std::io::Result<NodeState> {
    let mut state = known.unwrap_or_else(|| NodeState {
        node: fresh_id,
        incarnation: Incarnation(0),
        lease: Hlc::ZERO,
        established: false,
        sponsors: Vec::new(),
        table: Table {
            mesh: MeshId {
                born: Hlc::at(now),
                founder: fresh_id,
                founders: 0,
            },
            formed: false,
            members: Members::default(),
        },
    });
    let floor = state.lease.max(Hlc::at(now));
    if is_off(Rule::NewLife) && state.incarnation.0 > 0 {
        // The old life goes on as if nothing had been lost.
    } else {
        state.incarnation = Incarnation(state.incarnation.0 + 1);
        let member = state.table.members.nodes.entry(state.node).or_default();
        member.lives.insert(state.incarnation, Life { floor });
    }
    state.lease = floor.plus(LEASE_AHEAD_MS * HLC_PER_MS);
    store.save(&state)?;
    Ok(state)
}

/// The floor of the present life: where its clock starts.
fn life_floor(state: &NodeState) -> Hlc {
    let origin = Origin {
        node: state.node,
        incarnation: state.incarnation,
    };
    state
        .table
        .members
        .life(origin)
        .map_or(Hlc::ZERO, |life| life.floor)
}

impl Node {
    /// A node that lives the life that `state` speaks of, without data. Its clients reach it at `port`.
    pub fn begin(
        state: NodeState,
        store: Box<dyn StateStore>,
        config: KeyspaceConfig,
        journal_bytes: u64,
        port: u16,
    ) -> Result<Self, NodeError> {
        let origins = Arc::new(Origins::default());
        let own = origins.intern(Origin {
            node: state.node,
            incarnation: state.incarnation,
        })?;
        let journal = Journal::new(own, life_floor(&state), journal_bytes);
        let keyspace = Arc::new(Keyspace::new(config, origins, journal));
        let node = Self {
            keyspace,
            counters: NodeCounters::default(),
            meters: Meters::default(),
            limits: Limits::default(),
            inner: Mutex::new(Inner {
                floor: life_floor(&state),
                state,
                version: 1,
                links: BTreeMap::new(),
                routes: HashMap::new(),
                merge: None,
                merge_wait: 0,
                covered: Hlc::ZERO,
                alone_ticks: 0,
                relearn: false,
                follower: false,
                followed: None,
                retired_seen: HashSet::new(),
                watch: Watch::default(),
                usurped: false,
                replaced: Replaced::default(),
                own,
            }),
            snapshot_owner: Mutex::new(None),
            merge_driver: Mutex::new(()),
            store,
            ids: AtomicU64::new(1),
            port: AtomicU16::new(port),
            #[cfg(feature = "ablation")]
            said_anew: Mutex::default(),
        };
        node.begin_logs(&mut node.inner.lock());
        Ok(node)
    }
}
