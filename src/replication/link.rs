//! The replica's side of a link, without its socket: introductions, what to ask the master for, and what to do with what comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;

use crate::ablation::{Rule, is_off};
use crate::commands::effects::{self, Effect};
use crate::db::varint::Malformed;
use crate::db::{Hlc, Origin, OriginIndex, Stamp, UnixMillis};
use crate::keyspace::{Foreign, IngestError, Ingested};
use crate::replication::frame::{Frame, FrameWriter, Hello, RecordsReader};
use crate::replication::identity::is_impostor;
use crate::replication::members::Member;
use crate::replication::merging::SnapshotHead;
use crate::replication::node::{LinkId, Node, NodeError};
use crate::replication::routes::Request;
use crate::replication::table::Table;
use crate::replication::tracing::RecordObserver;

/// Why a connection has to end.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LinkError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("the peer says: {0}")]
    Peer(String),
    #[error("a frame that has no place here")]
    Unexpected,
    #[error("this is the node itself")]
    Itself,
    #[error("the peer has begun a new life")]
    Retired,
    #[error("another node has this id")]
    Impostor,
    #[error("this node has begun a new life")]
    Anew,
    #[error("another full sync is under way")]
    Busy,
    #[error("the full sync was given up")]
    Aborted,
    #[error("the journal could not hold what a full sync needs")]
    PinBroken,
    #[error("an index that was not announced")]
    UnknownIndex,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Link {
    id: LinkId,
    address: String,
    /// As whom this node said hello.
    introduced: Option<u64>,
    master: Option<Hello>,
    indices: HashMap<OriginIndex, OriginIndex>,
    acknowledged: Hlc,
    merging: bool,
}

impl Link {
    /// The link of a connection that has just been made to a `replicaof` entry.
    pub fn new(node: &Node, address: &str) -> Self {
        Self {
            id: node.link_up(address),
            address: address.to_owned(),
            introduced: None,
            master: None,
            indices: HashMap::new(),
            acknowledged: Hlc::ZERO,
            merging: false,
        }
    }

    /// Who is at the other end.
    pub fn master(&self) -> Option<Origin> {
        self.master.as_ref().map(|hello| hello.origin)
    }

    /// The connection's number.
    pub fn id(&self) -> LinkId {
        self.id
    }

    /// Whether a full sync is under way.
    pub fn is_merging(&self) -> bool {
        self.merging
    }

    /// Writes what is to be said; true where there is work left that needs no frame.
    pub fn poll(&mut self, node: &Node, out: &mut Vec<u8>) -> Result<bool, LinkError> {
        let now = node.introduction();
        if self.introduced.is_some_and(|introduced| introduced != now) {
            return Err(LinkError::Anew);
        }
        if self.introduced.replace(now).is_none() {
            FrameWriter::new(out).hello(&node.hello());
        }
        if self.merging {
            self.merging = node.merge_step()?;
        }
        let mut frames = FrameWriter::new(out);
        for request in node.requests(self.id) {
            match request {
                Request::Subscribe(origin, after) => frames.subscribe(origin, after),
                Request::Unsubscribe(origin) => frames.unsubscribe(origin),
                Request::Snapshot => frames.want_snapshot(),
                Request::Adopt(table) => frames.adopt(&table),
            }
        }
        if let Some(index) = self
            .master()
            .and_then(|origin| node.keyspace.origins.find(origin))
        {
            let arrived = node.keyspace.journal.position(index).arrived;
            if arrived > self.acknowledged {
                self.acknowledged = arrived;
                frames.ack(arrived);
            }
        }
        Ok(self.merging && node.has_merge_work())
    }

    /// Takes in a frame of the master. `observer` hears of every record.
    pub fn on_frame(
        &mut self,
        node: &Node,
        frame: Frame<'_>,
        wall: UnixMillis,
        observer: &mut dyn RecordObserver,
    ) -> Result<(), LinkError> {
        let now = node.keyspace.time(wall);
        match frame {
            Frame::Hello(hello) => {
                node.on_hello(self.id, &self.address, &hello, now)?;
                self.master = Some(*hello);
            }
            Frame::Error(text) => return Err(LinkError::Peer(text.to_owned())),
            _ if self.master.is_none() => return Err(LinkError::Unexpected),
            Frame::Origin(theirs, origin) => {
                let ours = node
                    .keyspace
                    .origins
                    .intern(origin)
                    .map_err(NodeError::from)?;
                self.indices.insert(theirs, ours);
            }
            Frame::Records(index, records) => {
                self.on_records(node, index, records, now, observer)?;
            }
            Frame::Vector {
                wall: theirs,
                ahead_ms,
                settled,
                positions,
            } => {
                let positions = self.translate(&positions)?;
                node.compare_clocks(self.id, theirs, wall, ahead_ms);
                node.on_vector(self.id, settled, &positions);
            }
            Frame::Members(table) => node.on_members(self.id, *table, now)?,
            Frame::Gap(index, _) => {
                let index = self.ours(index)?;
                node.on_gap(self.id, index);
            }
            Frame::Snapshot {
                settled,
                clock,
                positions,
                cuts,
            } => {
                let positions = self.translate(&positions)?;
                let mut ours = Vec::with_capacity(cuts.len());
                for (db, cut) in cuts {
                    ours.push((db, Stamp::new(cut.time(), self.ours(cut.origin())?)));
                }
                node.extend_lease(clock)?;
                let stamped = self.master.as_ref().is_some_and(|hello| hello.stamped);
                let head = SnapshotHead {
                    settled,
                    positions,
                    cuts: ours,
                    stamped,
                };
                node.begin_merge(self.id, clock, head)?;
                self.merging = true;
            }
            Frame::Items(items) => node.keep_items(self.id, items)?,
            Frame::End(positions) => {
                let positions = self.translate(&positions)?;
                node.end_items(self.id, positions, self.indices.clone())?;
            }
            Frame::Busy => node.on_busy(self.id),
            _ => return Err(LinkError::Unexpected),
        }
        Ok(())
    }

    fn ours(&self, theirs: OriginIndex) -> Result<OriginIndex, LinkError> {
        self.indices
            .get(&theirs)
            .copied()
            .ok_or(LinkError::UnknownIndex)
    }

    fn translate<T: Copy>(
        &self,
        positions: &[(OriginIndex, T)],
    ) -> Result<Vec<(OriginIndex, T)>, LinkError> {
        positions
            .iter()
            .map(|(theirs, position)| Ok((self.ours(*theirs)?, *position)))
            .collect()
    }

    fn on_records(
        &self,
        node: &Node,
        index: OriginIndex,
        mut records: RecordsReader<'_>,
        now: UnixMillis,
        observer: &mut dyn RecordObserver,
    ) -> Result<(), LinkError> {
        let index = self.ours(index)?;
        let origin = node
            .keyspace
            .origins
            .get(index)
            .ok_or(LinkError::UnknownIndex)?;
        if !node.accepts(self.id, index)? {
            // What is not taken in now must be asked for again.
            node.on_gap(self.id, index);
            return Ok(());
        }
        while let Some(entry) = records.next_entry()? {
            node.watch_stamp(entry.stamp, origin, now);
            node.extend_lease(entry.stamp.max(Hlc::at(now)))?;
            if effects::admits(&entry.record.payload) {
                for effect in effects::decode_all(&entry.record.payload, entry.record.count)? {
                    if let Effect::Admit { node: newcomer } = effect {
                        node.announced(newcomer, entry.stamp, origin)?;
                    }
                }
            }
            let mut foreign = Foreign {
                origin: index,
                prev: entry.prev,
                stamp: entry.stamp,
                count: entry.record.count,
                payload: entry.record.payload,
                trace: entry.record.trace,
            };
            observer.receiving(&mut foreign);
            let ingested = node.keyspace.ingest(&foreign)?;
            observer.received(&foreign, ingested);
            node.count(ingested);
            if ingested == Ingested::Gap {
                node.on_gap(self.id, index);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says that this side is alive, where nothing else is to be said.
    pub fn keep_alive(&self, out: &mut Vec<u8>) {
        FrameWriter::new(out).ack(self.acknowledged);
    }

    /// The connection is gone.
    pub fn close(&self, node: &Node) {
        node.link_down(self.id);
    }
}

impl Node {
    fn count(&self, ingested: Ingested) {
        let counter = match ingested {
            Ingested::Applied { superseded, .. } => {
                for (counter, count) in self.counters.superseded.iter().zip(superseded) {
                    if count > 0 {
                        counter.fetch_add(u64::from(count), Ordering::Relaxed);
                    }
                }
                &self.counters.records_in
            }
            Ingested::Duplicate => &self.counters.duplicates,
            Ingested::Gap => &self.counters.gaps,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn on_hello(
        &self,
        link: LinkId,
        address: &str,
        hello: &Hello,
        now: UnixMillis,
    ) -> Result<(), LinkError> {
        let mut inner = self.inner.lock();
        let me = inner.state.node;
        if is_impostor(
            &inner.state.table.members,
            hello.origin,
            &hello.table.members,
        ) {
            return Err(LinkError::Impostor);
        }
        self.met(&mut inner, address, hello.origin.node, now)?;
        if hello.origin.node == me {
            return Err(LinkError::Itself);
        }
        self.extend_lease_locked(&mut inner, hello.clock)?;
        self.keyspace.journal.observe(hello.clock);
        if let Some(info) = inner.links.get_mut(&link) {
            info.master = Some(hello.origin);
            info.told = Some(Arc::new(hello.table.clone()));
        }
        self.learn_from(&mut inner, link, now)?;
        let members = &inner.state.table.members;
        let is_heard = is_off(Rule::ForgottenIsHeardNoMore)
            && members
                .nodes
                .get(&hello.origin.node)
                .is_some_and(Member::is_forgotten);
        if members.is_retired(hello.origin) && !is_heard {
            return Err(LinkError::Retired);
        }
        Ok(())
    }

    fn on_members(&self, link: LinkId, table: Table, now: UnixMillis) -> Result<(), LinkError> {
        let mut inner = self.inner.lock();
        let Some(info) = inner.links.get_mut(&link) else {
            return Ok(());
        };
        // A master that was admitted to a mesh goes on under its new life.
        let newest = info
            .master
            .and_then(|master| table.members.newest(master.node));
        let told = Arc::new(table);
        info.told = Some(told);
        if newest > info.master.map(|master| master.incarnation) {
            return Err(LinkError::Retired);
        }
        self.learn_from(&mut inner, link, now)
            .map_err(LinkError::from)
    }

    fn on_vector(
        &self,
        link: LinkId,
        settled: Hlc,
        positions: &[(OriginIndex, crate::journal::Position)],
    ) {
        let mut inner = self.inner.lock();
        if let Some(info) = inner.links.get_mut(&link) {
            info.settled = settled;
        }
        let taken = inner
            .links
            .get(&link)
            .is_some_and(|info| info.is_taken_from(&inner.state.table, inner.follower));
        let own = self.keyspace.journal.own();
        for (index, position) in positions {
            let Some(info) = inner.links.get_mut(&link) else {
                return;
            };
            info.advertised.insert(*index, *position);
            let blocked = inner
                .merge
                .as_ref()
                .is_some_and(|merge| merge.blocks(*index));
            let known = self
                .keyspace
                .origins
                .get(*index)
                .is_some_and(|origin| inner.state.table.members.life(origin).is_some());
            if taken && known && !blocked && *index != own {
                self.keyspace
                    .journal
                    .progress(*index, position.last, position.arrived);
            }
        }
        let vector = self.keyspace.journal.vector();
        self.plan(&mut inner, &vector);
    }

    /// What was asked for does not follow on what is here, or is not taken in now. The master is told so in any case: it may go
    /// on sending, or have been asked anew since it said that there is a gap.
    fn on_gap(&self, link: LinkId, index: OriginIndex) {
        let mut inner = self.inner.lock();
        if let Some(info) = inner.links.get_mut(&link)
            && info.subscribed.contains(&index)
        {
            info.overtaken.insert(index);
        }
        // Asked for again when the plan is made anew, perhaps elsewhere.
        inner.routes.remove(&index);
    }

    /// Whether a link's master counts here, so that what it brings is taken in; at a follower, whether its snapshot is here.
    pub fn takes_from(&self, link: LinkId) -> bool {
        let inner = self.inner.lock();
        let Some(info) = inner.links.get(&link) else {
            return false;
        };
        let is_begun = !inner.follower || inner.followed == info.master;
        is_begun && info.is_taken_from(&inner.state.table, inner.follower)
    }

    /// Whether records of an origin may be taken in over a link now.
    fn accepts(&self, link: LinkId, index: OriginIndex) -> Result<bool, LinkError> {
        let inner = self.inner.lock();
        let Some(origin) = self.keyspace.origins.get(index) else {
            return Ok(false);
        };
        let info = inner.links.get(&link);
        let taken = info.is_some_and(|info| info.is_taken_from(&inner.state.table, inner.follower));
        let master = info.and_then(|info| info.master);
        // Once a new life is known, the old one's last words count only through those who stated how much they hold.
        if master == Some(origin) && inner.state.table.members.is_retired(origin) {
            return Err(LinkError::Retired);
        }
        let blocked = inner
            .merge
            .as_ref()
            .is_some_and(|merge| merge.blocks(index));
        Ok(taken && !blocked && inner.state.table.members.life(origin).is_some())
    }
}
