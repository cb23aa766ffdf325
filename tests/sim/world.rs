//! One run: a number of nodes, a topology, clients, and everything that can go wrong, all from one seed. At the end everything is
//! healed, and all nodes must equal each other and one server that executed every surviving operation in stamp order.

mod clients;
mod departure;
mod disks;
mod faults;
mod follower;
mod jobs;
mod messages;
mod sketches;
mod streams;
mod timed;
mod verdict;

use std::sync::Arc;

use keymesh::ablation;
use keymesh::db::NodeId;
use keymesh::db::stamp::EPOCH_MS;

use crate::network::Network;
use crate::node::SimNode;
use crate::oracle::Published;
use crate::rng::Rng;
use crate::world::departure::Departure;
use crate::world::disks::Disks;
use crate::world::messages::Messages;

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
    /// Members that went because their time came.
    pub swept: u64,
    pub superseded: u64,
    pub crashes: u64,
    pub joins: u64,
    pub leaves: u64,
    pub cuts: u64,
    pub cold_starts: u64,
    pub adoptions: u64,
    pub sealed: u64,
    pub slow_writes: u64,
    pub crashed_writes: u64,
    pub transactions: u64,
    pub duplicates: u64,
    pub under_way: u64,
    pub departures: u64,
    pub returns: u64,
    pub lost_disks: u64,
    pub old_disks: u64,
    pub replaced: u64,
    pub followers: u64,
    pub clock_alarms: u64,
    pub stamps_ahead: u64,
    pub publishes: u64,
    pub heard_all: u64,
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
    /// Chance of its own for commands that came later, so that all else in a seed stays as it was.
    later: Rng,
    /// The same for commands of collections.
    collections: Rng,
    /// The same for those of HyperLogLogs.
    sketches: Rng,
    /// How many of a hundred commands those are. In most seeds none, so that these stay as they were.
    sketch_share: u64,
    /// The same of both for streams.
    streams: Rng,
    stream_share: u64,
    /// The same of both for jobs.
    jobs: Rng,
    job_share: u64,
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
    profile: Profile,
    departure: Departure,
    disks: Disks,
    messages: Messages,
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

/// What clients mostly do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Everything.
    Usual,
    /// Members that go by themselves, and journals that hold so little that most of it comes with full syncs.
    Timed,
    /// HyperLogLogs.
    Sketches,
    /// Streams.
    Streams,
    /// Jobs of KEYDB.CRON.
    Jobs,
    /// Everything, and in every run somebody departs.
    Departures,
}

/// Runs a seed.
pub fn run(seed: u64) -> Report {
    run_as(seed, Profile::Usual)
}

/// Runs a seed with clients of a kind.
pub fn run_as(seed: u64, profile: Profile) -> Report {
    // Values are short here, and some of them are to lie apart from their keys all the same.
    let _far = ablation::set_far_from(1 + (seed % 4) as usize);
    let _large = ablation::set_large_from(4 * (seed / 4 % 4) as usize);
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
    let mut journal_bytes = rng.pick(&[300, 900, 3_000, 100_000]);
    if profile == Profile::Timed {
        journal_bytes = journal_bytes.min(500);
    }
    let now = EPOCH_MS + 90_000_000_000;
    let nodes = (0..count)
        .map(|index| {
            let skew = rng.pick(&[0, 0, -50, 50, 400]);
            let id = NodeId(u128::from(rng.next()) << 64 | index as u128);
            SimNode::start(id, skew, topology.entries(index, count), journal_bytes, now)
        })
        .collect();
    let calm = rng.percent(30);
    let departures = match profile {
        Profile::Departures => 100,
        _ => 20,
    };
    let mut world = World {
        rng,
        later: Rng::new(!seed),
        collections: Rng::new(seed ^ 0x5555_5555_5555_5555),
        sketches: Rng::new(seed ^ 0x3333_3333_3333_3333),
        sketch_share: match profile {
            Profile::Sketches => 75,
            Profile::Usual if seed % 21 == 14 => 25,
            _ => 0,
        },
        streams: Rng::new(seed ^ 0x7777_7777_7777_7777),
        stream_share: match profile {
            Profile::Streams => 75,
            Profile::Usual if seed % 21 == 11 => 25,
            _ => 0,
        },
        jobs: Rng::new(seed ^ 0x1111_1111_1111_1111),
        job_share: match profile {
            Profile::Jobs => 60,
            Profile::Usual if seed % 21 == 17 => 15,
            _ => 0,
        },
        now,
        nodes,
        network: Network::default(),
        published: Vec::new(),
        topology,
        coverage: Coverage::default(),
        gone: Vec::new(),
        in_slow_write: false,
        calm,
        profile,
        departure: Departure::drawn(seed, departures),
        disks: Disks::drawn(seed),
        messages: Messages::drawn(seed),
    };
    world.listen();
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
            if node.node.has_merge_work() {
                node.node.merge_step().expect("it was checked when it came");
            }
            node.node.tick(wall).expect("the simulated disk writes");
            let time = node.time(self.now);
            ablation::set_wall_clock(time.0);
            for partition in 0..2 {
                node.node.keyspace.settle_partition(partition);
                node.node.keyspace.purge_partition(partition, time);
                node.node.keyspace.give_back_spare(partition);
            }
        }
    }

    fn step(&mut self) {
        self.advance();
        self.listen();
        self.publish();
        self.hear();
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

    /// Says what happens, where somebody wants to read it.
    #[expect(clippy::print_stdout, reason = "a run that is looked at")]
    fn tell(&self, what: &str) {
        if std::env::var_os("KEYMESH_DESCRIBE").is_some() {
            println!("{}: {what}", self.now - EPOCH_MS - 90_000_000_000);
        }
    }
}
