//! The master's side of a link, without its socket: what the other node asked for, and what is to be sent next.
//!
//! Invariant: an origin's records leave in stamp order from where the subscription began; an index is announced before it is used.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use hashbrown::HashSet;

use crate::db::snapshot::Walked;
use crate::db::{Hlc, NodeId, OriginIndex, Stamp, UnixMillis};
use crate::journal::{Pin, Position};
use crate::keyspace::Walk;
use crate::replication::frame::{Frame, FrameWriter, Hello};
use crate::replication::link::LinkError;
use crate::replication::node::Node;
use crate::replication::tracing::RecordObserver;

/// How often a node says how far it has arrived.
pub const VECTOR_PERIOD_MS: i64 = 100;
/// Items of a snapshot per frame, about.
const ITEMS_BYTES: usize = 64 * 1024;

/// What a snapshot shows: its walk and a pin on what follows, how far each origin has arrived, what is settled, the flushes.
type Instant = (Sending, Vec<Position>, Hlc, Vec<(u32, Stamp)>);

#[derive(Debug)]
struct Sending {
    pin: Pin,
    walk: Walk,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Feed {
    id: u64,
    peer: Option<Hello>,
    /// As whom this node said hello.
    introduced: Option<u64>,
    announced: HashSet<OriginIndex>,
    subscriptions: BTreeMap<OriginIndex, Hlc>,
    snapshot_wanted: bool,
    sending: Option<Sending>,
    vector_due: i64,
    members_sent: u64,
    acknowledged: Hlc,
}

impl Feed {
    /// The feed of a connection that has just been made.
    pub fn new(node: &Node) -> Self {
        Self {
            id: node.next_id(),
            peer: None,
            introduced: None,
            announced: HashSet::new(),
            subscriptions: BTreeMap::new(),
            snapshot_wanted: false,
            sending: None,
            vector_due: i64::MIN,
            members_sent: 0,
            acknowledged: Hlc::ZERO,
        }
    }

    /// Who reads.
    pub fn peer(&self) -> Option<NodeId> {
        self.peer.as_ref().map(|hello| hello.origin.node)
    }

    /// The port the reader serves clients at.
    pub fn peer_port(&self) -> u16 {
        self.peer.as_ref().map_or(0, |hello| hello.port)
    }

    /// How much of this node's own writes the reader has.
    pub fn acknowledged(&self) -> Hlc {
        self.acknowledged
    }

    /// Whether a full sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.sending.is_some() || self.snapshot_wanted
    }

    /// Takes in a frame of the reader.
    pub fn on_frame(
        &mut self,
        node: &Node,
        frame: Frame<'_>,
        wall: UnixMillis,
    ) -> Result<(), LinkError> {
        let now = node.keyspace.time(wall);
        match frame {
            Frame::Hello(hello) => {
                node.keyspace.record(now);
                self.peer = Some(*hello);
            }
            Frame::Subscribe(origin, after) => {
                if let Some(index) = node.keyspace.origins.find(origin) {
                    self.subscriptions.insert(index, after);
                    node.counters
                        .partial_resyncs
                        .fetch_add(1, Ordering::Relaxed);
                }
            }
            Frame::Unsubscribe(origin) => {
                if let Some(index) = node.keyspace.origins.find(origin) {
                    self.subscriptions.remove(&index);
                }
            }
            Frame::Ack(arrived) => self.acknowledged = self.acknowledged.max(arrived),
            Frame::WantSnapshot => self.snapshot_wanted = true,
            Frame::Adopt(table) => {
                let reader = self.peer.as_ref().map(|peer| peer.origin);
                node.adopt(reader, &table, now)?;
            }
            Frame::Error(text) => return Err(LinkError::Peer(text.to_owned())),
            _ => return Err(LinkError::Unexpected),
        }
        Ok(())
    }

    /// Writes what is to be sent, about `budget` bytes; true where more waits.
    pub fn poll(
        &mut self,
        node: &Node,
        wall: UnixMillis,
        budget: usize,
        out: &mut Vec<u8>,
        observer: &mut dyn RecordObserver,
    ) -> Result<bool, LinkError> {
        let more = self.poll_news(node, wall, budget, out, observer)?;
        let is_sending = self.is_sending();
        self.poll_items(node, budget, out)?;
        Ok(more || is_sending)
    }

    /// All of it but the items of a full sync.
    pub fn poll_news(
        &mut self,
        node: &Node,
        wall: UnixMillis,
        budget: usize,
        out: &mut Vec<u8>,
        observer: &mut dyn RecordObserver,
    ) -> Result<bool, LinkError> {
        let now = node.introduction();
        if self.introduced.is_some_and(|introduced| introduced != now) {
            return Err(LinkError::Anew);
        }
        if self.introduced.replace(now).is_none() {
            self.members_sent = node.members_version();
            FrameWriter::new(out).hello(&node.hello());
        }
        if self.peer.is_none() {
            return Ok(false);
        }
        let version = node.members_version();
        if version != self.members_sent {
            let (table, version) = node.table();
            self.members_sent = version;
            FrameWriter::new(out).members(&table);
        }
        if wall.0 >= self.vector_due {
            self.vector_due = wall.0 + VECTOR_PERIOD_MS;
            // Before the positions: they speak of all that is settled.
            let settled = node.keyspace.settled();
            let positions = self.positions(node, &node.keyspace.journal.vector(), out);
            let ahead_ms = self.peer.as_ref();
            let ahead_ms = ahead_ms.map_or(0, |peer| node.clock_ahead_of_mine(peer.origin));
            FrameWriter::new(out).vector(wall, ahead_ms, settled, &positions);
        }
        let more = self.poll_records(node, budget, out, observer);
        // Not while a script may hold partitions: this thread answers clients.
        if self.snapshot_wanted && node.keyspace.gate.is_open() {
            self.begin_snapshot(node, out);
        }
        Ok(more)
    }

    /// Whether [`Self::poll_items`] has something to write.
    pub fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    fn poll_records(
        &mut self,
        node: &Node,
        budget: usize,
        out: &mut Vec<u8>,
        observer: &mut dyn RecordObserver,
    ) -> bool {
        let (mut more, mut gaps, mut entries) = (false, Vec::new(), Vec::new());
        let subscriptions: Vec<(OriginIndex, Hlc)> = self
            .subscriptions
            .iter()
            .map(|(index, after)| (*index, *after))
            .collect();
        for (index, after) in subscriptions {
            entries.clear();
            match node
                .keyspace
                .journal
                .read(index, after, budget, &mut entries)
            {
                Ok(()) => {}
                Err(error) => {
                    gaps.push((index, error.base));
                    continue;
                }
            }
            let Some(last) = entries.last() else { continue };
            self.subscriptions.insert(index, last.stamp);
            let own = index == node.keyspace.journal.own();
            for entry in entries
                .iter_mut()
                .filter(|entry| entry.record.trace.is_some())
            {
                observer.sending(own, self.peer(), entry);
            }
            self.announce(node, index, out);
            FrameWriter::new(out).records(index, &entries);
            node.counters
                .records_out
                .fetch_add(entries.len() as u64, Ordering::Relaxed);
            observer.sent(own, entries.len());
            more |= out.len() >= budget;
        }
        for (index, base) in gaps {
            self.subscriptions.remove(&index);
            node.counters
                .partial_refused
                .fetch_add(1, Ordering::Relaxed);
            self.announce(node, index, out);
            FrameWriter::new(out).gap(index, base);
        }
        more
    }

    fn announce(&mut self, node: &Node, index: OriginIndex, out: &mut Vec<u8>) {
        if self.announced.insert(index)
            && let Some(origin) = node.keyspace.origins.get(index)
        {
            FrameWriter::new(out).origin(index, origin);
        }
    }

    /// The known positions, their origins announced.
    fn positions(
        &mut self,
        node: &Node,
        vector: &[Position],
        out: &mut Vec<u8>,
    ) -> Vec<(OriginIndex, Position)> {
        let known = vector
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, position)| position.arrived > Hlc::ZERO);
        let positions: Vec<_> = known
            .map(|(index, position)| (OriginIndex(index as u16), *position))
            .collect();
        for (index, _) in &positions {
            self.announce(node, *index, out);
        }
        positions
    }

    fn begin_snapshot(&mut self, node: &Node, out: &mut Vec<u8>) {
        self.snapshot_wanted = false;
        let Some((sending, vector, settled, cuts)) = node.claim_snapshot(self.id) else {
            FrameWriter::new(out).busy();
            return;
        };
        let keyspace = &node.keyspace;
        // Items bear stamps of any origin that this node ever saw.
        for index in 1..=keyspace.origins.list().len() {
            self.announce(node, OriginIndex(index as u16), out);
        }
        let positions = self.positions(node, &vector, out);
        FrameWriter::new(out).snapshot(settled, keyspace.journal.clock(), &positions, &cuts);
        self.sending = Some(sending);
        node.counters.snapshots_sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes items of a full sync that is under way, about `budget` bytes.
    pub fn poll_items(
        &mut self,
        node: &Node,
        budget: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), LinkError> {
        let Some(sending) = &mut self.sending else {
            return Ok(());
        };
        let mut walked = Walked::More;
        while out.len() < budget && walked == Walked::More {
            if sending.pin.is_broken() {
                walked = Walked::Lost;
                break;
            }
            FrameWriter::new(out).items(|out| {
                let start = out.len();
                while walked == Walked::More && out.len() - start < ITEMS_BYTES {
                    walked = node.keyspace.walk_some(&mut sending.walk, out);
                }
            });
        }
        match walked {
            Walked::More => Ok(()),
            Walked::All => {
                self.end_snapshot(node);
                let positions = self.positions(node, &node.keyspace.journal.vector(), out);
                FrameWriter::new(out).end(&positions);
                Ok(())
            }
            Walked::Lost => {
                self.end_snapshot(node);
                Err(LinkError::PinBroken)
            }
        }
    }

    fn end_snapshot(&mut self, node: &Node) {
        if let Some(sending) = self.sending.take() {
            node.keyspace.end_walk(&sending.walk);
            node.release_snapshot(self.id);
        }
    }

    /// The connection is gone.
    pub fn close(&mut self, node: &Node) {
        self.end_snapshot(node);
    }
}

impl Node {
    /// Begins the walk for a snapshot, one at a time: each partition shows one instant. None where this node cannot serve one
    /// now: to somebody else it does already, it is merging itself, or it has merged what another node had settled and has not
    /// settled that much. Keys that are gone would then be taken for keys that it never heard of.
    fn claim_snapshot(&self, feed: u64) -> Option<Instant> {
        let mut owner = self.snapshot_owner.lock();
        let inner = self.inner.lock();
        let keyspace = &self.keyspace;
        let settled = keyspace.settled();
        if owner.is_some() || inner.merge.is_some() || inner.covered > settled {
            return None;
        }
        let mut guards = keyspace.lock_all();
        let (pin, vector) = keyspace.journal.pin()?;
        *owner = Some(feed);
        let walk = keyspace.begin_walk_in(&mut guards);
        let cuts = guards.first().map_or(Vec::new(), |guard| {
            (0..guard.databases())
                .map(|db| (db, guard.cut(db)))
                .filter(|(_, cut)| *cut != Stamp::ZERO)
                .collect()
        });
        Some((Sending { pin, walk }, vector, settled, cuts))
    }

    fn release_snapshot(&self, feed: u64) {
        let mut owner = self.snapshot_owner.lock();
        if *owner == Some(feed) {
            *owner = None;
        }
    }
}
