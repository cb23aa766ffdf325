//! The simulated network: connections between replicas and masters, each with bytes under way in both directions, and cuts that
//! may stop one direction only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keymesh::replication::feed::Feed;
use keymesh::replication::frame::{self, Frame};
use keymesh::replication::link::{Link, LinkError};
use keymesh::replication::tracing::Unobserved;

use crate::crossings::{Crossings, Said, Watch};
use crate::node::{SimNode, address};
use crate::rng::Rng;

/// How long a connection may be silent before both sides give it up.
const SILENCE_MS: i64 = 1_500;

/// Messages under way: when each arrives, its bytes, and what its sender had heard.
type Queue = VecDeque<(i64, Vec<u8>, Said)>;

/// When a connection is served, and whether without delay.
#[derive(Clone, Copy)]
struct Moment {
    now: i64,
    hurry: bool,
}

struct Connection {
    link: Link,
    feed: Feed,
    down: Queue,
    up: Queue,
    heard: i64,
    /// What the replica has said, and what its master has heard of that.
    said: Said,
    listened: Said,
}

/// Who reads from whom, and what is under way.
#[derive(Default)]
pub struct Network {
    connections: BTreeMap<(usize, usize), Connection>,
    /// Directions that carry nothing: from, to.
    pub cut: BTreeSet<(usize, usize)>,
    /// Connections that ended with an error of the protocol, which no run may have.
    pub broken: Vec<String>,
    /// How often records cross.
    pub crossings: Crossings,
}

impl Network {
    /// Connects, cuts off and pumps what is configured, each with some chance.
    pub fn step(&mut self, nodes: &[SimNode], now: i64, rng: &mut Rng, hurry: bool) {
        for (replica, node) in nodes.iter().enumerate() {
            if node.is_out_of_reach() {
                continue;
            }
            for &master in &node.entries {
                let pair = (replica, master);
                let open = !self.cut.contains(&pair) && !self.cut.contains(&(master, replica));
                if master < nodes.len()
                    && !nodes[master].is_out_of_reach()
                    && open
                    && !self.connections.contains_key(&pair)
                    && (hurry || rng.percent(30))
                {
                    self.connect(nodes, replica, master, now);
                }
            }
        }
        let pairs: Vec<(usize, usize)> = self.connections.keys().copied().collect();
        for pair in pairs {
            if !nodes[pair.0].entries.contains(&pair.1) {
                self.disconnect(nodes, pair);
            } else if hurry || rng.percent(60) {
                self.pump(nodes, pair, now, rng, hurry);
            }
        }
    }

    fn connect(&mut self, nodes: &[SimNode], replica: usize, master: usize, now: i64) {
        let link = Link::new(&nodes[replica].node, &address(master));
        let feed = Feed::new(&nodes[master].node);
        let connection = Connection {
            link,
            feed,
            down: VecDeque::new(),
            up: VecDeque::new(),
            heard: now,
            said: Said::new(),
            listened: Said::new(),
        };
        self.connections.insert((replica, master), connection);
    }

    /// Ends a connection; what was under way is lost.
    pub fn disconnect(&mut self, nodes: &[SimNode], pair: (usize, usize)) {
        if let Some(mut connection) = self.connections.remove(&pair) {
            connection.link.close(&nodes[pair.0].node);
            connection.feed.close(&nodes[pair.1].node);
        }
    }

    /// A node's process is gone: so are its connections. Called before the node is replaced.
    pub fn crash(&mut self, nodes: &[SimNode], index: usize) {
        let pairs: Vec<_> = self
            .connections
            .keys()
            .copied()
            .filter(|(r, m)| *r == index || *m == index)
            .collect();
        for pair in pairs {
            self.disconnect(nodes, pair);
        }
        self.crossings.crashed(index);
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// The connections.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        self.connections.keys().copied().collect()
    }

    fn pump(
        &mut self,
        nodes: &[SimNode],
        pair: (usize, usize),
        now: i64,
        rng: &mut Rng,
        hurry: bool,
    ) {
        let Some(connection) = self.connections.get_mut(&pair) else {
            return;
        };
        let at = Moment { now, hurry };
        match connection.pump(nodes, pair, at, rng, &self.cut, &mut self.crossings) {
            Ok(()) if now - connection.heard <= SILENCE_MS => {}
            Ok(()) => self.disconnect(nodes, pair),
            Err(error) => {
                if matches!(
                    error,
                    LinkError::Malformed(_) | LinkError::Ingest(_) | LinkError::UnknownIndex
                ) {
                    self.broken.push(format!("{pair:?}: {error}"));
                }
                self.disconnect(nodes, pair);
            }
        }
    }
}

impl Connection {
    fn pump(
        &mut self,
        nodes: &[SimNode],
        pair: (usize, usize),
        at: Moment,
        rng: &mut Rng,
        cut: &BTreeSet<(usize, usize)>,
        crossings: &mut Crossings,
    ) -> Result<(), LinkError> {
        let (replica, master) = (&nodes[pair.0], &nodes[pair.1]);
        let budget = if at.hurry {
            1 << 20
        } else {
            rng.pick(&[1, 100, 400, 4_000])
        };
        let mut out = Vec::new();
        self.feed.poll(
            &master.node,
            master.wall(at.now),
            budget,
            &mut out,
            &mut Unobserved,
        )?;
        send(&mut self.down, (out, self.listened.clone()), at, rng);
        let mut out = Vec::new();
        self.link.poll(&replica.node, &mut out)?;
        each_frame(&out, |frame| {
            note(&mut self.said, &frame);
            Ok(())
        })?;
        send(&mut self.up, (out, Said::new()), at, rng);
        if !cut.contains(&(pair.1, pair.0)) {
            while let Some((bytes, heard)) = arrived(&mut self.down, at.now) {
                self.heard = at.now;
                let mut watch = Watch {
                    crossings: &mut *crossings,
                    replica: (pair.0, &replica.node),
                    said: &self.said,
                    heard: &heard,
                };
                each_frame(&bytes, |frame| {
                    self.link
                        .on_frame(&replica.node, frame, replica.wall(at.now), &mut watch)
                })?;
            }
        }
        if !cut.contains(&pair) {
            while let Some((bytes, _)) = arrived(&mut self.up, at.now) {
                each_frame(&bytes, |frame| {
                    note(&mut self.listened, &frame);
                    self.feed.on_frame(&master.node, frame, master.wall(at.now))
                })?;
            }
        }
        Ok(())
    }
}

/// Counts what a frame says of what is wanted.
fn note(said: &mut Said, frame: &Frame<'_>) {
    if let Frame::Subscribe(origin, _) | Frame::Unsubscribe(origin) = frame {
        *said.entry(*origin).or_default() += 1;
    }
}

fn send(queue: &mut Queue, (bytes, heard): (Vec<u8>, Said), at: Moment, rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let delay = if at.hurry {
        0
    } else {
        rng.pick(&[0, 1, 5, 40, 200])
    };
    let due = queue
        .back()
        .map_or(at.now + delay, |(last, ..)| (*last).max(at.now + delay));
    queue.push_back((due, bytes, heard));
}

fn arrived(queue: &mut Queue, now: i64) -> Option<(Vec<u8>, Said)> {
    let (due, ..) = queue.front()?;
    let (_, bytes, heard) = (*due <= now).then(|| queue.pop_front())??;
    Some((bytes, heard))
}

fn each_frame(
    mut bytes: &[u8],
    mut handle: impl FnMut(frame::Frame<'_>) -> Result<(), LinkError>,
) -> Result<(), LinkError> {
    while let Some(len) = frame::frame_len(bytes)? {
        // Nothing here is so long that it would be cut.
        handle(frame::decode(&bytes[..len])?)?;
        bytes = &bytes[len..];
    }
    assert!(bytes.is_empty(), "a poll writes whole frames");
    Ok(())
}
