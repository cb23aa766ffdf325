//! One run: a number of nodes, a topology, clients, and everything that can go wrong, all from one seed. At the end everything is
//! healed, and all nodes must equal each other and one server that executed every surviving operation in stamp order.

mod departure;
mod disks;
mod follower;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keymesh::ablation;
use keymesh::commands::effects::{self, Effect};
use keymesh::db::stamp::EPOCH_MS;
use keymesh::db::{Expiry, NodeId, Op, Origin, UnixMillis};

use crate::network::Network;
use crate::node::{OwnedOp, SimNode};
use crate::oracle::{self, Data, Published};
use crate::rng::Rng;
use crate::world::departure::Departure;
use crate::world::disks::Disks;

/// Simulated milliseconds per round while everything heals.
const HEAL_STEP_MS: i64 = 25;
/// Rounds after which a run that has not come to rest has failed.
const HEAL_ROUNDS: usize = 400;

/// What happened in a run, to know that it could.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    pub writes: u64,
    pub merges: u64,
    pub merges_aborted: u64,
    pub reroutes: u64,
    pub purges: u64,
    pub superseded: u64,
    pub crashes: u64,
    pub joins: u64,
    pub leaves: u64,
    pub cuts: u64,
    pub cold_starts: u64,
    pub adoptions: u64,
    pub sealed: u64,
    pub slow_writes: u64,
    pub duplicates: u64,
    pub departures: u64,
    pub returns: u64,
    pub lost_disks: u64,
    pub old_disks: u64,
    pub replaced: u64,
    pub followers: u64,
    pub clock_alarms: u64,
    pub stamps_ahead: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What happened.
    pub coverage: Coverage,
    /// What was wrong; empty if nothing was.
    pub failures: Vec<String>,
}

/// See the head of the file.
pub struct World {
    rng: Rng,
    now: i64,
    nodes: Vec<SimNode>,
    network: Network,
    published: Vec<Published>,
    topology: Topology,
    coverage: Coverage,
    /// Counters of processes that have crashed.
    gone: Vec<Arc<keymesh::replication::node::Node>>,
    in_slow_write: bool,
    calm: bool,
    departure: Departure,
    disks: Disks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topology {
    Mesh,
    Ring,
    OneWayRing,
    Star,
    Line,
}

impl Topology {
    fn entries(self, node: usize, count: usize) -> Vec<usize> {
        let (next, before) = ((node + 1) % count, (node + count - 1) % count);
        let mut entries: Vec<usize> = match self {
            Self::Mesh => (0..count).collect(),
            Self::Ring => vec![before, next],
            Self::OneWayRing => vec![before],
            Self::Star if node == 0 => (1..count).collect(),
            Self::Star => vec![0],
            Self::Line => [
                node.checked_sub(1),
                Some(node + 1).filter(|next| *next < count),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        entries.sort_unstable();
        entries.dedup();
        entries.retain(|other| *other != node);
        entries
    }
}

/// Runs a seed.
pub fn run(seed: u64) -> Report {
    let mut rng = Rng::new(seed);
    let count = 2 + rng.below(3);
    let topology = rng.pick(&[
        Topology::Mesh,
        Topology::Mesh,
        Topology::Ring,
        Topology::OneWayRing,
        Topology::Star,
        Topology::Line,
    ]);
    let journal_bytes = rng.pick(&[300, 900, 3_000, 100_000]);
    let now = EPOCH_MS + 90_000_000_000;
    let nodes = (0..count)
        .map(|index| {
            let skew = rng.pick(&[0, 0, -50, 50, 400]);
            let id = NodeId(u128::from(rng.next()) << 64 | index as u128);
            SimNode::start(id, skew, topology.entries(index, count), journal_bytes, now)
        })
        .collect();
    let calm = rng.percent(30);
    let mut world = World {
        rng,
        now,
        nodes,
        network: Network::default(),
        published: Vec::new(),
        topology,
        coverage: Coverage::default(),
        gone: Vec::new(),
        in_slow_write: false,
        calm,
        departure: Departure::drawn(seed),
        disks: Disks::drawn(seed),
    };
    if world.rng.percent(40) {
        world.cold_start();
    }
    world.add_follower(seed);
    let steps = world.rng.pick(&[40, 90, 160]);
    for _ in 0..steps {
        world.step();
    }
    world.heal()
}

impl World {
    /// Clients write on nodes that have not met yet.
    fn cold_start(&mut self) {
        self.coverage.cold_starts += 1;
        for _ in 0..self.rng.below(25) {
            self.advance();
            self.client_write();
        }
    }

    fn advance(&mut self) {
        self.now += self.rng.pick(&[0, 0, 1, 1, 5, 30]);
        self.tick();
    }

    fn tick(&mut self) {
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            if node.departed || node.tick_due > self.now {
                continue;
            }
            node.tick_due = self.now + 50 + self.rng.below(60) as i64;
            let wall = node.wall(self.now);
            node.node.tick(wall).expect("the simulated disk writes");
            let time = node.time(self.now);
            ablation::set_wall_clock(time.0);
            for partition in 0..2 {
                node.node.keyspace.settle_partition(partition);
                node.node.keyspace.purge_partition(partition, time);
            }
        }
    }

    fn step(&mut self) {
        self.advance();
        if !self.calm {
            self.faults();
        }
        if self.rng.percent(60) {
            self.client_write();
        }
        if !self.in_slow_write {
            self.departures();
        }
        if !self.in_slow_write && self.rng.percent(4) {
            self.slow_write();
        }
        self.network
            .step(&self.nodes, self.now, &mut self.rng, false);
    }

    fn faults(&mut self) {
        let count = self.nodes.len();
        if self.rng.percent(4) {
            let index = self.rng.below(count);
            self.nodes[index].skew_ms += self.rng.pick(&[-500, -60, 60, 500]);
        }
        if self.rng.percent(7) {
            let (a, b) = (self.rng.below(count), self.rng.below(count));
            self.network.cut.insert((a, b));
            if self.rng.percent(50) {
                self.network.cut.insert((b, a));
            }
            self.coverage.cuts += 1;
        }
        if self.rng.percent(8) && !self.network.cut.is_empty() {
            let cuts: Vec<_> = self.network.cut.iter().copied().collect();
            let healed = self.rng.pick(&cuts);
            self.network.cut.remove(&healed);
        }
        if self.rng.percent(4) && self.network.len() > 0 {
            let pairs = self.network.pairs();
            let pair = self.rng.pick(&pairs);
            self.network.disconnect(&self.nodes, pair);
        }
        if self.rng.percent(2) && self.coverage.crashes < 3 && !self.in_slow_write {
            let drawn = self.rng.below(count);
            let index = self.copied_disk().unwrap_or(drawn);
            if self.nodes[index].departed {
                return;
            }
            self.network.crash(&self.nodes, index);
            self.gone.push(Arc::clone(&self.nodes[index].node));
            self.restart(index);
            self.coverage.crashes += 1;
            self.tell(&format!(
                "node {index} crashed and began {}",
                self.nodes[index].node.origin()
            ));
        }
        self.copy_disk();
        if !self.in_slow_write {
            self.newcomers();
        }
        let mut masters = self.nodes.iter().filter(|node| !node.follows);
        let settled_mesh = masters.all(|node| node.node.is_established());
        if self.rng.percent(2) && !self.in_slow_write && settled_mesh {
            self.retopologize();
        }
    }

    /// Says what happens, where somebody wants to read it.
    #[expect(clippy::print_stdout, reason = "a run that is looked at")]
    fn tell(&self, what: &str) {
        if std::env::var_os("KEYMESH_DESCRIBE").is_some() {
            println!("{}: {what}", self.now - EPOCH_MS - 90_000_000_000);
        }
    }

    /// Nodes start that belong to no mesh, alone or as an island of two, and some time later join the others.
    fn newcomers(&mut self) {
        let outside = self.outside();
        if self.rng.percent(3) && self.coverage.joins + (outside as u64) < 2 && self.nodes.len() < 6
        {
            let index = self.nodes.len();
            let id = NodeId(u128::from(self.rng.next()) << 64 | index as u128);
            let skew = self.rng.pick(&[0, -400, 50, 400]);
            let bytes = self.nodes[0].journal_bytes;
            self.nodes
                .push(SimNode::start(id, skew, Vec::new(), bytes, self.now));
            self.nodes[index].attached = false;
            self.tell(&format!("node {index} starts"));
            if outside == 1 && self.rng.percent(50) {
                self.nodes[index].set_entries(vec![index - 1]);
                self.nodes[index - 1].set_entries(vec![index]);
                self.tell(&format!("nodes {} and {index} make an island", index - 1));
            }
        }
        let outside = self.outside();
        let formed = self
            .live_attached()
            .iter()
            .all(|index| self.nodes[*index].node.is_established());
        if outside > 0 && formed && self.rng.percent(15) {
            self.attach();
        }
    }

    /// How many nodes have yet to join.
    fn outside(&self) -> usize {
        self.nodes.iter().filter(|node| !node.attached).count()
    }

    /// Whoever is outside joins.
    fn attach(&mut self) {
        let outside = self.outside();
        self.nodes.iter_mut().for_each(|node| node.attached = true);
        self.coverage.joins += outside as u64;
        self.tell(&format!("{outside} nodes join"));
        self.rewire();
    }

    fn retopologize(&mut self) {
        self.topology = self.rng.pick(&[
            Topology::Mesh,
            Topology::Ring,
            Topology::Star,
            Topology::Line,
        ]);
        self.rewire();
        self.coverage.leaves += 1;
    }

    fn rewire(&mut self) {
        self.rewire_follower();
        let live = self.live_attached();
        for (place, &index) in live.iter().enumerate() {
            let entries = self.topology.entries(place, live.len());
            let entries: Vec<usize> = entries.into_iter().map(|place| live[place]).collect();
            if entries != self.nodes[index].entries {
                self.nodes[index].set_entries(entries);
            }
        }
    }

    fn client_write(&mut self) {
        let index = self.rng.below(self.nodes.len());
        if !self.nodes[index].is_live() {
            return;
        }
        let wall = self.nodes[index].time(self.now);
        ablation::set_wall_clock(wall.0);
        if self.rng.percent(2) {
            let db = self.rng.below(2) as u32;
            let flush = self.nodes[index].flush(db, wall);
            self.tell(&format!("node {index} flushes {db} at {}", flush.order.0));
            self.published.push(flush);
            self.coverage.writes += 1;
            return;
        }
        let count = if self.rng.percent(15) {
            2 + self.rng.below(3)
        } else {
            1
        };
        let operations: Vec<_> = (0..count).map(|_| self.operation(index)).collect();
        let published = self.nodes[index].write(&operations, wall);
        for (operation, (_, _, op)) in published.iter().zip(&operations) {
            let settled = self.nodes[index].node.keyspace.settled().raw();
            self.tell(&format!(
                "node {index} settled {settled} writes {} {:?} {:?} at {}",
                operation.db,
                operation
                    .key
                    .as_ref()
                    .map(|key| String::from_utf8_lossy(key).into_owned()),
                op.as_op(),
                operation.order.0
            ));
        }
        self.check_own_write(index, &published, wall);
        self.published.extend(published);
        self.coverage.writes += 1;
    }

    /// A client reads its own write: a SET shows, a DEL hides, at once.
    fn check_own_write(&mut self, index: usize, published: &[Published], wall: UnixMillis) {
        let [only] = published else { return };
        let (Some(key), Ok(op)) = (&only.key, Op::decode(&only.op)) else {
            return;
        };
        let keyspace = &self.nodes[index].node.keyspace;
        let hash = keyspace.hash(key);
        let guard = keyspace.lock_hash(hash);
        let view = guard.view(
            only.db,
            keymesh::db::Key { bytes: key, hash },
            UnixMillis(wall.0.min(0)),
        );
        match op {
            Op::Set(value, _) => {
                let shown = view.is_some_and(|view| view.value == value);
                assert!(shown || ablated(), "a SET does not show at its own node");
            }
            Op::Del => assert!(
                view.is_none() || ablated(),
                "a DEL does not hide at its own node"
            ),
            _ => {}
        }
    }

    /// A write whose place in the journal stays open while the world goes on.
    fn slow_write(&mut self) {
        let index = self.rng.below(self.nodes.len());
        if !self.nodes[index].is_live() {
            return;
        }
        self.in_slow_write = true;
        self.coverage.slow_writes += 1;
        let node = Arc::clone(&self.nodes[index].node);
        let life = node.origin().incarnation;
        let reservation = node
            .keyspace
            .journal
            .reserve(1, self.nodes[index].time(self.now));
        for _ in 0..1 + self.rng.below(12) {
            self.step();
        }
        self.in_slow_write = false;
        if node.origin().incarnation != life {
            // A server's write holds its partition, so that the node cannot begin a new life meanwhile.
            return;
        }
        let value = vec![b'a' + self.rng.below(26) as u8];
        let operation = (0, b"slow".to_vec(), OwnedOp::new(Op::Append(&value)));
        let (published, record) = self.nodes[index].apply(&reservation, &[operation]);
        reservation.publish(record);
        self.published.extend(published);
    }

    fn operation(&mut self, index: usize) -> (u32, Vec<u8>, OwnedOp) {
        let db = u32::from(self.rng.percent(10));
        let key = vec![self.rng.pick(b"abcdef")];
        let value = (1 + self.rng.below(99)).to_string().into_bytes();
        let wall = self.nodes[index].time(self.now).0;
        let deadline = UnixMillis(wall + self.rng.pick(&[20, 60, 150, 400, 100_000]));
        let op = match self.rng.below(100) {
            0..15 => Op::Del,
            15..32 => Op::Set(&value, Expiry::Clear),
            32..42 => Op::Set(&value, Expiry::At(deadline)),
            42..47 => Op::Set(&value, Expiry::Keep),
            47..70 => Op::Incr(self.rng.pick(&[1, 2, 7, -3])),
            70..80 => Op::Append(&value[..1]),
            80..85 => Op::SetRange(self.rng.below(4) as u32, &value),
            85..95 => Op::Expire(Some(deadline)),
            _ => Op::Expire(None),
        };
        (db, key, OwnedOp::new(op))
    }

    fn heal(mut self) -> Report {
        self.network.cut.clear();
        if self.outside() > 0 {
            self.attach();
        }
        self.forget_departed();
        self.come_back();
        let live = self.live();
        let mut rest = false;
        for round in 0..HEAL_ROUNDS {
            if round == HEAL_ROUNDS / 2 {
                self.forget_lost();
            }
            self.now += HEAL_STEP_MS;
            self.tick();
            self.forget_again();
            self.network
                .step(&self.nodes, self.now, &mut self.rng, true);
            rest = self.at_rest();
            if rest {
                break;
            }
        }
        // Every deadline is past by then.
        let later = self.now + 10_000_000;
        let mut failures = std::mem::take(&mut self.network.broken);
        if !rest {
            failures.push(self.unrest());
        }
        for (now, what) in [(self.now, "now"), (later, "after all deadlines")] {
            let views: Vec<_> = live
                .iter()
                .map(|index| self.nodes[*index].data(UnixMillis(now + 10_000)))
                .collect();
            if let Some(other) = views.iter().position(|view| *view != views[0]) {
                failures.push(format!(
                    "node {} differs from node {} {what}: {:?} / {:?}",
                    live[other], live[0], views[other], views[0]
                ));
            }
            let expected = oracle::replay(&self.surviving(), UnixMillis(now + 10_000));
            if views[0] != expected {
                self.tell_history(&views[0], &expected);
                failures.push(format!(
                    "node {} differs from the oracle {what}: {:?} / {expected:?}",
                    live[0], views[0]
                ));
            }
        }
        failures.extend(self.follower_fault());
        let late: u64 = live
            .iter()
            .map(|index| &self.nodes[*index])
            .map(|node| {
                (0..2)
                    .map(|p| node.node.keyspace.lock(p).stats.late)
                    .sum::<u64>()
            })
            .sum();
        if late > 0 {
            failures.push(format!(
                "{late} effects arrived although they counted as arrived"
            ));
        }
        if !failures.is_empty() {
            for node in &self.nodes {
                self.tell(&node.node.describe());
            }
        }
        self.count();
        Report {
            coverage: self.coverage,
            failures,
        }
    }

    /// Everything has arrived, is settled, and leaves nothing behind.
    fn at_rest(&self) -> bool {
        let said_anew = self.said_anew();
        let all = self.published.iter().chain(&said_anew);
        let after = all.map(|operation| operation.order.0).max().unwrap_or(0);
        let live = self.live();
        live.iter().all(|index| {
            let node = &self.nodes[*index].node;
            node.keyspace.settled().raw() > after
                && node.is_established()
                && node.keyspace.pending() == (0, 0)
        }) && self.follower_is_at_rest(after)
            && live.iter().all(|index| self.is_counted_by_all(*index))
    }

    /// Whether everybody counts a node's present life.
    fn is_counted_by_all(&self, index: usize) -> bool {
        let life = self.nodes[index].node.origin();
        self.live().iter().all(|other| {
            let members = self.nodes[*other].node.members();
            members.life(life).is_some() && !members.is_retired(life)
        })
    }

    fn unrest(&self) -> String {
        let states: Vec<String> = self
            .nodes
            .iter()
            .map(|node| {
                format!(
                    "{:x}: established {} settled {} pending {:?} behind {:?}",
                    node.id.0 & 0xff,
                    node.node.is_established(),
                    node.node.keyspace.settled().millis().0 - self.now,
                    node.node.keyspace.pending(),
                    node.node.laggard().map(|(origin, time)| (
                        origin.node.0 & 0xff,
                        origin.incarnation.0,
                        time.millis().0 - self.now
                    )),
                )
            })
            .collect();
        let links = self.network.len();
        let mut text = format!("no rest ({:?}, {links} links): {states:#?}", self.topology);
        if std::env::var_os("KEYMESH_DESCRIBE").is_some() {
            for node in &self.nodes {
                text.push('\n');
                text.push_str(&node.node.describe());
            }
        }
        text
    }

    /// Says which operations the oracle knows of keys that differ.
    fn tell_history(&self, node: &Data, oracle: &Data) {
        let mut surviving = self.surviving();
        surviving.sort_by_key(|operation| operation.order);
        for operation in surviving {
            let Some(key) = &operation.key else { continue };
            let place = (operation.db, key.clone());
            if node.get(&place) != oracle.get(&place) {
                let (time, node, life) = operation.order;
                self.tell(&format!(
                    "oracle: {} {} at {time} by {:x}/{life} {:?}",
                    operation.db,
                    String::from_utf8_lossy(key),
                    node.0 & 0xff,
                    Op::decode(&operation.op)
                ));
            }
        }
    }

    /// The operations that somebody still holds.
    fn surviving(&self) -> Vec<Published> {
        let mut most: BTreeMap<(NodeId, u32), u64> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.is_live()) {
            let keyspace = &node.node.keyspace;
            for (place, origin) in keyspace.origins.list().into_iter().enumerate() {
                let Origin { node, incarnation } = origin;
                let arrived = keyspace
                    .journal
                    .position(keymesh::db::OriginIndex(place as u16 + 1))
                    .arrived;
                let known = most.entry((node, incarnation.0)).or_default();
                *known = (*known).max(arrived.raw());
            }
        }
        let members = self.nodes[self.live()[0]].node.members();
        let counts = |operation: &Published| {
            let (time, node, life) = operation.order;
            let origin = Origin {
                node,
                incarnation: keymesh::db::Incarnation(life),
            };
            let arrived = most.get(&(node, life)).copied().unwrap_or_default();
            let life = members.life(origin);
            let is_it =
                life.is_some_and(|life| operation.floor.is_none_or(|floor| floor == life.floor));
            time <= arrived && (is_it || ablated_admission())
        };
        let said_anew = self.said_anew();
        let all = self.published.iter().chain(&said_anew);
        all.filter(|operation| counts(operation)).cloned().collect()
    }

    /// What nodes said anew under a new life when they were admitted.
    fn said_anew(&self) -> Vec<Published> {
        let mut published = Vec::new();
        for node in self.nodes.iter().map(|node| &node.node).chain(&self.gone) {
            for (origin, first, record) in node.said_anew.lock().iter() {
                let effects = effects::decode_all(&record.payload, record.count)
                    .expect("it was encoded by a node");
                for (nth, effect) in effects.iter().enumerate() {
                    let Effect::Key { db, key, op } = effect else {
                        continue;
                    };
                    let mut bytes = Vec::new();
                    op.encode(&mut bytes);
                    published.push(Published {
                        order: (
                            first.plus(nth as u64).raw(),
                            origin.node,
                            origin.incarnation.0,
                        ),
                        floor: None,
                        db: *db,
                        key: Some(key.to_vec()),
                        op: bytes,
                    });
                }
            }
        }
        published
    }

    fn count(&mut self) {
        self.coverage.replaced += u64::from(self.is_replaced());
        let coverage = &mut self.coverage;
        for node in self.nodes.iter().map(|node| &node.node).chain(&self.gone) {
            let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            coverage.merges += get(&node.counters.merges_done);
            coverage.merges_aborted += get(&node.counters.merges_aborted);
            coverage.reroutes += get(&node.counters.reroutes);
            coverage.superseded += get(&node.counters.superseded);
            coverage.adoptions += get(&node.counters.adoptions);
            coverage.clock_alarms += get(&node.counters.clock_alarms);
            coverage.stamps_ahead += get(&node.counters.stamps_ahead);
            coverage.sealed += get(&node.counters.sealed);
            coverage.duplicates += get(&node.counters.duplicates);
            for partition in 0..2 {
                coverage.purges += node.keyspace.lock(partition).stats.expired;
            }
        }
    }
}

fn ablated_admission() -> bool {
    ablation::is_off(ablation::Rule::Admission)
}

fn ablated() -> bool {
    use keymesh::ablation::{Rule, is_off};
    [
        Rule::ClockMerge,
        Rule::Watermark,
        Rule::ExpiryByStamp,
        Rule::NewLife,
        Rule::Reservation,
    ]
    .into_iter()
    .any(is_off)
}
