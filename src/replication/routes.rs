//! By which link each origin's records come. Directly from their node where there is a link to it; else by whichever link has
//! more than this node and still holds what follows. A route that brings nothing while another could is left.
//!
//! Invariant: an origin is subscribed on at most one link, so that nothing is sent twice but what was under way when a route
//! changed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::{HashMap, HashSet};

use crate::ablation::{Rule, is_off};
use crate::db::{Hlc, Origin, OriginIndex};
use crate::journal::Position;
use crate::replication::node::{Inner, LinkId, Node};
use crate::replication::table::Table;

/// Ticks that a gap may last before a state merge is asked for: other links may still offer the records.
const MERGE_PATIENCE_TICKS: u32 = 3;

/// Ticks of a life in which an origin is not asked for elsewhere while the link to its own node is not up yet.
const DIRECT_PATIENCE_TICKS: u32 = 8;

/// Ticks for which a master that had no snapshot to give is not asked again.
const REFUSED_TICKS: u32 = 4;

/// How far a direct link may lag behind what others say of its master: one second of stamps.
const SILENCE: u64 = 1_000 * 4096;

/// What a node knows of one of its links.
#[derive(Debug, Default)]
pub struct LinkInfo {
    /// The `replicaof` entry it belongs to.
    pub address: String,
    /// Who is at the other end.
    pub master: Option<Origin>,
    /// How far the master has arrived, by our indices.
    pub advertised: HashMap<OriginIndex, Position>,
    /// What had settled there by then.
    pub settled: Hlc,
    /// What is subscribed there.
    pub subscribed: HashSet<OriginIndex>,
    /// What of it must be asked for anew or no more: a full sync has brought more, there was a gap, or another link was asked.
    pub overtaken: HashSet<OriginIndex>,
    /// A snapshot is to be asked for, or was.
    pub snapshot: SnapshotWish,
    /// For so long its master is not asked for a snapshot again: it had none to give.
    pub refused_ticks: u32,
    /// What the master told of its mesh.
    pub told: Option<Arc<Table>>,
    /// How far the master's clock is ahead of this node's, at least.
    pub theirs_ahead_ms: i64,
    /// How far the master says that this node's clock is ahead of its own, at least.
    pub ours_ahead_ms: i64,
    /// The master counts strangers: it is to be told whom this node announces.
    pub adopt: bool,
}

impl LinkInfo {
    /// Whether what it brings may be taken: its master counts and was not forgotten, or is followed.
    pub(super) fn is_taken_from(&self, table: &Table, follower: bool) -> bool {
        let is_over =
            |master| table.members.is_retired(master) && !is_off(Rule::ForgottenIsHeardNoMore);
        let counts = |master| table.counts(master) && !is_over(master);
        self.master.is_some_and(|master| follower || counts(master))
    }
}

/// Whether a link's master is to send a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotWish {
    /// No.
    #[default]
    None,
    /// It has not been told yet.
    Wanted,
    /// It was told and has not begun.
    Asked,
}

/// What a link must say to its master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Send this origin's records after this.
    Subscribe(Origin, Hlc),
    /// Stop that.
    Unsubscribe(Origin),
    /// Send everything.
    Snapshot,
    /// These are announced and are to confirm that.
    Adopt(Box<Table>),
}

impl Node {
    /// Registers a connection to a master.
    pub fn link_up(&self, address: &str) -> LinkId {
        let id = LinkId(self.next_id());
        let info = LinkInfo {
            address: address.to_owned(),
            ..LinkInfo::default()
        };
        self.inner.lock().links.insert(id, info);
        id
    }

    /// A connection is gone: its routes move at the next tick, a merge over it is given up.
    pub fn link_down(&self, link: LinkId) {
        let mut inner = self.inner.lock();
        inner.links.remove(&link);
        inner.routes.retain(|_, by| *by != link);
        if inner
            .merge
            .as_ref()
            .is_some_and(|merge| merge.link == link && !merge.is_whole())
        {
            inner.merge = None;
            self.counters.merges_aborted.fetch_add(1, Ordering::Relaxed);
        }
        let vector = self.keyspace.journal.vector();
        self.plan(&mut inner, &vector);
    }

    /// By which `replicaof` entry each origin's records come now, and whether directly.
    pub fn routes(&self) -> Vec<(Origin, String, bool)> {
        let inner = self.inner.lock();
        let mut routes: Vec<(Origin, String, bool)> = inner
            .routes
            .iter()
            .filter_map(|(index, by)| {
                let (origin, link) = (self.keyspace.origins.get(*index)?, inner.links.get(by)?);
                Some((origin, link.address.clone(), link.master == Some(origin)))
            })
            .collect();
        routes.sort();
        routes
    }

    /// Decides the routes anew.
    pub(super) fn plan(&self, inner: &mut Inner, vector: &[Position]) {
        if self.is_waiting(inner) {
            inner.routes.clear();
            return;
        }
        if let Some(link) = inner.to_follow_anew() {
            inner.routes.clear();
            return self.plan_merge(inner, Some(link));
        }
        let own = self.keyspace.journal.own();
        let (table, follower) = (&inner.state.table, inner.follower);
        let links: Vec<(LinkId, &LinkInfo)> = inner
            .links
            .iter()
            .filter(|(_, link)| link.is_taken_from(table, follower))
            .map(|(id, link)| (*id, link))
            .collect();
        let mut wanted: Option<(Hlc, LinkId)> = None;
        let me = inner.state.table.members.nodes.get(&inner.state.node);
        let entries = me.map_or(Vec::new(), |me| me.entries.clone());
        let origins: Vec<(Origin, OriginIndex)> = inner
            .state
            .table
            .members
            .lives()
            .filter_map(|(origin, _)| Some((origin, self.keyspace.origins.find(origin)?)))
            .filter(|(_, index)| *index != own)
            .collect();
        for (origin, index) in origins {
            if inner
                .merge
                .as_ref()
                .is_some_and(|merge| merge.blocks(index))
            {
                if inner.routes.remove(&index).is_some() {
                    self.counters.reroutes.fetch_add(1, Ordering::Relaxed);
                }
                continue;
            }
            let mine = vector
                .get(usize::from(index.0))
                .copied()
                .unwrap_or_default()
                .arrived;
            let reach = |link: &LinkInfo| {
                link.advertised
                    .get(&index)
                    .map_or(Hlc::ZERO, |position| position.arrived)
            };
            let usable = |link: &LinkInfo| {
                let position = link.advertised.get(&index);
                position.is_some_and(|position| position.base <= mine)
            };
            let usable_links = || links.iter().copied().filter(|(_, link)| usable(link));
            let direct = usable_links().find(|(_, link)| link.master == Some(origin));
            let best = usable_links().max_by_key(|(_, link)| reach(link));
            let by = inner.routes.get(&index);
            let current = usable_links().find(|(id, _)| Some(id) == by);
            // Somebody has records that this node lacks, and whoever could send them one by one no longer has them all.
            let unreachable = best.is_none_or(|(_, link)| reach(link) <= mine)
                && links.iter().any(|(_, link)| {
                    let position = link.advertised.get(&index);
                    position.is_some_and(|position| position.last > mine)
                });
            // A direct link that says nothing while others hear of its master has gone silent.
            let heard = |link: &LinkInfo| {
                best.is_none_or(|(_, best)| reach(best) <= reach(link).max(mine).plus(SILENCE))
            };
            let direct = direct.filter(|(_, link)| heard(link));
            // Soon after a start the direct links are still coming up: whoever changes its way half-way gets things twice.
            let is_awaited = current.is_none()
                && inner.alone_ticks < DIRECT_PATIENCE_TICKS
                && entries.iter().any(|entry| entry.met == Some(origin.node));
            let choice = match (direct, current, best) {
                (Some((direct, _)), _, _) => Some(direct),
                _ if is_awaited => continue,
                _ if unreachable => None,
                (None, Some((current, link)), Some((best, other))) => {
                    let stuck = reach(link) <= mine && reach(other) > mine;
                    Some(if stuck { best } else { current })
                }
                (None, _, best) => best.map(|(id, _)| id),
            };
            match choice {
                Some(link) => {
                    let before = inner.routes.insert(index, link);
                    if before.is_some_and(|before| before != link) {
                        self.counters.reroutes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                None => {
                    inner.routes.remove(&index);
                    let ahead = links
                        .iter()
                        .filter(|(_, link)| {
                            let position = link.advertised.get(&index);
                            link.refused_ticks == 0
                                && position.is_some_and(|position| position.last > mine)
                        })
                        .max_by_key(|(_, link)| reach(link));
                    if let Some((id, link)) = ahead {
                        wanted = wanted.max(Some((reach(link), *id)));
                    }
                }
            }
        }
        drop(links);
        self.plan_merge(inner, wanted.map(|(_, link)| link));
    }

    fn plan_merge(&self, inner: &mut Inner, wanted: Option<LinkId>) {
        let Some(link) = wanted.filter(|_| inner.merge.is_none()) else {
            inner.merge_wait = 0;
            return;
        };
        if inner
            .links
            .values()
            .any(|link| link.snapshot != SnapshotWish::None)
        {
            return;
        }
        inner.merge_wait += 1;
        let patience = if inner.follower || inner.links.len() == 1 {
            0
        } else {
            MERGE_PATIENCE_TICKS
        };
        if inner.merge_wait > patience
            && let Some(info) = inner.links.get_mut(&link)
        {
            info.snapshot = SnapshotWish::Wanted;
            inner.merge_wait = 0;
            self.counters.gaps.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The master has no snapshot to give now: somebody else may.
    pub(super) fn on_busy(&self, link: LinkId) {
        if let Some(info) = self.inner.lock().links.get_mut(&link) {
            info.snapshot = SnapshotWish::None;
            info.refused_ticks = REFUSED_TICKS;
        }
    }

    /// What a link has to say to its master now.
    pub(super) fn requests(&self, link: LinkId) -> Vec<Request> {
        let vector = self.keyspace.journal.vector();
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let Some(info) = inner.links.get_mut(&link) else {
            return Vec::new();
        };
        if info.master.is_none() {
            return Vec::new();
        }
        let mut requests = Vec::new();
        if std::mem::take(&mut info.adopt) {
            requests.push(Request::Adopt(Box::new(inner.state.table.clone())));
        }
        let over: Vec<OriginIndex> = info
            .subscribed
            .iter()
            .copied()
            .filter(|index| inner.routes.get(index) != Some(&link))
            .collect();
        for index in over {
            info.subscribed.remove(&index);
            info.overtaken.remove(&index);
            if let Some(origin) = self.keyspace.origins.get(index) {
                requests.push(Request::Unsubscribe(origin));
            }
        }
        let mut asked = Vec::new();
        for (&index, _) in inner.routes.iter().filter(|(_, by)| **by == link) {
            let is_new = info.subscribed.insert(index);
            let is_overtaken = info.overtaken.remove(&index);
            if (is_new || is_overtaken)
                && let Some(origin) = self.keyspace.origins.get(index)
            {
                asked.push(index);
                let after = vector
                    .get(usize::from(index.0))
                    .copied()
                    .unwrap_or_default()
                    .arrived;
                requests.push(Request::Subscribe(origin, after));
            }
        }
        if info.snapshot == SnapshotWish::Wanted {
            info.snapshot = SnapshotWish::Asked;
            requests.push(Request::Snapshot);
        }
        // Whoever was asked before is told, even where the way comes back to it before it could be.
        for (_, other) in inner.links.iter_mut().filter(|(id, _)| **id != link) {
            let before = asked
                .iter()
                .filter(|index| other.subscribed.contains(*index));
            other.overtaken.extend(before);
        }
        // Hash order is not the same from run to run; the simulator's runs must be.
        requests.sort_by_key(|request| match request {
            Request::Adopt(..) => (0, None),
            Request::Unsubscribe(origin) => (1, Some(*origin)),
            Request::Subscribe(origin, _) => (2, Some(*origin)),
            Request::Snapshot => (3, None),
        });
        requests
    }
}
