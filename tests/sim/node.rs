//! A simulated node: the real keyspace, journal and mesh member, with a disk that survives crashes and a clock that may be wrong.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use keymesh::ablation::{Rule, is_off, large_from};
use keymesh::commands::{Effect, Effects, effects, registry};
use keymesh::db::body::Limits;
use keymesh::db::list::Fill;
use keymesh::db::live::content_of;
use keymesh::db::{Hlc, Key, NodeId, Op, UnixMillis, WriteContext, op};
use keymesh::journal::{Record, Reservation};
use keymesh::keyspace::{
    Caller, DataOnly, KeyspaceConfig, Queued, Ran, Reach, Scratch, Staged, TransactionEnd,
};
use keymesh::replication::life::begin_life;
use keymesh::replication::node::Node;
use keymesh::replication::node_state::{NodeState, StateStore};
use keymesh::resp::{ArgsBuffer, Reply};
use parking_lot::Mutex;

use crate::oracle::{Data, Held, Published};

/// A command: its name and its arguments.
pub type Command = Vec<Vec<u8>>;

/// Limits beyond which even small collections are kept as large ones.
fn few() -> Limits {
    Limits {
        hash_entries: 2,
        set_entries: 2,
        intset_entries: 2,
        zset_entries: 2,
        list: Fill::new(3),
        ..Limits::default()
    }
}

/// How many databases a simulated node has.
pub const DATABASES: u32 = 2;

/// A disk that holds one file.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<Option<NodeState>>>);

/// What a disk held at some time.
#[derive(Debug, Clone)]
pub struct DiskCopy(Option<NodeState>);

impl DiskCopy {
    /// The life that it was made in.
    pub fn incarnation(&self) -> u32 {
        self.0.as_ref().map_or(0, |state| state.incarnation.0)
    }
}

impl StateStore for Disk {
    fn save(&self, state: &NodeState) -> std::io::Result<()> {
        let mut disk = self.0.lock();
        match &mut *disk {
            // Only what a start must write is kept: identity and life.
            Some(kept) if is_off(Rule::DurableMembership) => {
                let life = state.table.members.nodes.get(&state.node).cloned();
                kept.node = state.node;
                kept.incarnation = state.incarnation;
                if let Some(mut life) = life {
                    life.entries_version = keymesh::db::Hlc::ZERO;
                    life.entries.clear();
                    kept.table.members.nodes.insert(state.node, life);
                }
                kept.established = state.established;
                kept.sponsors.clone_from(&state.sponsors);
                kept.table.mesh = state.table.mesh;
                kept.table.formed = state.table.formed;
                kept.lease = state.lease;
            }
            _ => *disk = Some(state.clone()),
        }
        Ok(())
    }
}

/// From here on a clock that is ahead follows the others': less than clocks are apart here.
const CLOCK_AHEAD_MAX_MS: i64 = 300;

/// So long nothing may be heard of a node at whose address another one answers.
const REPLACED_AFTER_MS: i64 = 700;

/// A node and what outlives it.
pub struct SimNode {
    /// Its id.
    pub id: NodeId,
    /// Its wall clock's error.
    pub skew_ms: i64,
    /// Which nodes its `replicaof` lines name.
    pub entries: Vec<usize>,
    /// Its disk.
    pub disk: Disk,
    /// When it ticks next.
    pub tick_due: i64,
    /// The process, while it runs.
    pub node: Arc<Node>,
    /// How much its journal holds.
    pub journal_bytes: u64,
    /// It belongs to the others; else it has yet to join.
    pub attached: bool,
    /// It is a plain replica.
    pub follows: bool,
    /// It has gone for good.
    pub departed: bool,
    /// It runs and has clients, and nobody of the others can reach it.
    pub away: bool,
}

impl SimNode {
    /// Whether it is a master that runs.
    pub fn is_live(&self) -> bool {
        !self.departed && !self.follows
    }

    /// Whether the others cannot reach it.
    pub fn is_out_of_reach(&self) -> bool {
        self.departed || self.away
    }
}

/// The address of a node in the simulated network.
pub fn address(index: usize) -> String {
    format!("node:{index}")
}

impl SimNode {
    /// A first start.
    pub fn start(
        id: NodeId,
        skew_ms: i64,
        entries: Vec<usize>,
        journal_bytes: u64,
        now: i64,
    ) -> Self {
        let disk = Disk::default();
        let node = boot(
            id,
            &disk,
            &entries,
            journal_bytes,
            UnixMillis(now + skew_ms),
        );
        Self {
            id,
            skew_ms,
            entries,
            disk,
            tick_due: now,
            node,
            journal_bytes,
            attached: true,
            follows: false,
            departed: false,
            away: false,
        }
    }

    /// A crash and a start with nothing but the disk.
    pub fn restart(&mut self, now: i64) {
        self.node = boot(
            self.id,
            &self.disk,
            &self.entries,
            self.journal_bytes,
            UnixMillis(now + self.skew_ms),
        );
        self.tick_due = now;
        self.follow(self.follows);
    }

    /// Makes it a plain replica, or none.
    pub fn follow(&mut self, follows: bool) {
        self.follows = follows;
        self.node.set_follower(follows);
        self.node.keyspace.follow(follows);
    }

    /// What its disk holds now.
    pub fn copy_disk(&self) -> DiskCopy {
        DiskCopy(self.disk.0.lock().clone())
    }

    /// When a life would begin that starts with this copy.
    pub fn would_begin_at(&self, copy: &DiskCopy, now: i64) -> u64 {
        let lease = copy.0.as_ref().map_or(Hlc::ZERO, |state| state.lease);
        lease.max(Hlc::at(self.wall(now))).raw()
    }

    /// Whether the copy is of the mesh that this node belongs to, and knows whoever it has announced since: others may have
    /// settled behind an announcement that nobody remembers.
    pub fn is_known_to(&self, copy: &DiskCopy) -> bool {
        let (disk, copy) = (self.disk.0.lock(), copy.0.as_ref());
        let mesh = |state: &NodeState| state.table.formed.then_some(state.table.mesh);
        if disk.as_ref().map(mesh) != copy.map(mesh) {
            return false;
        }
        let announced = disk.iter().flat_map(|state| {
            let nodes = state.table.members.nodes.iter();
            nodes.filter(|(_, member)| {
                let admission = member.admission;
                admission.is_some_and(|admission| admission.by.node == state.node)
            })
        });
        let mut announced = announced.map(|(node, _)| node);
        announced.all(|node| copy.is_some_and(|copy| copy.table.members.nodes.contains_key(node)))
    }

    /// Puts an old copy back.
    pub fn put_back(&mut self, copy: DiskCopy) {
        *self.disk.0.lock() = copy.0;
    }

    /// An empty disk, on which a new node will start.
    pub fn replace_disk(&mut self, id: NodeId) {
        *self.disk.0.lock() = None;
        self.id = id;
    }

    /// What its wall clock says.
    pub fn wall(&self, now: i64) -> UnixMillis {
        UnixMillis(now + self.skew_ms)
    }

    /// What time it is for what it writes.
    pub fn time(&self, now: i64) -> UnixMillis {
        self.node.keyspace.time(self.wall(now))
    }

    /// Changes its `replicaof` entries.
    pub fn set_entries(&mut self, entries: Vec<usize>) {
        self.entries = entries;
        let addresses: Vec<String> = self.entries.iter().copied().map(address).collect();
        self.node
            .set_entries(&addresses)
            .expect("the simulated disk writes");
    }

    /// What clients see at `now`.
    pub fn data(&self, now: UnixMillis) -> Data {
        let mut data = Data::new();
        for guard in &mut self.node.keyspace.lock_all() {
            guard.catch_up_all();
            for db in 0..DATABASES {
                for record in guard
                    .table(db)
                    .iter()
                    .filter(|record| !record.is_tombstone())
                {
                    let mut bytes = Vec::new();
                    content_of(record.whole(), false, &mut bytes);
                    let held = Held::of(op::Content::of(&bytes), record.deadline(), 0);
                    if let Some(held) = held.at(now.0) {
                        let deadline = record.deadline().map(|deadline| deadline.0);
                        data.insert((db, record.key().to_vec()), (held.shown(), deadline));
                    }
                }
            }
        }
        data
    }

    /// Carries out commands as a client's session does, several as one transaction or one script; what was published, for the oracle.
    pub fn execute(&self, db: u32, commands: &[Command], now: UnixMillis) -> Vec<Published> {
        let keyspace = &self.node.keyspace;
        let (mut scratch, mut reply) = (Scratch::default(), Reply::default());
        let trace = None;
        let mut caller = Caller { db, now, trace };
        let queued = |command: &Command| {
            let row = registry::lookup(&command[0]).expect("a command of the table");
            let sub = command.get(1).and_then(|sub| row.subcommand(sub));
            let row = sub.unwrap_or(row);
            let args = ArgsBuffer::from_args(command.iter().map(Vec::as_slice));
            let args = args.expect("arguments are short");
            Queued::new(row, args.as_args()).expect("arguments are short")
        };
        let queue: Vec<Queued> = commands.iter().map(queued).collect();
        let ran = if let [only] = &queue[..] {
            let args = only.args.as_args();
            keyspace.execute(only.row, args, None, &caller, &mut scratch, &mut reply)
        } else if now.0 % 3 == 0 {
            self.run_script(&queue, &mut caller, &mut scratch, &mut reply)
        } else {
            let watched = AtomicBool::new(false);
            let (scratch, reply) = (&mut scratch, &mut reply);
            let end = keyspace.execute_transaction(
                &queue,
                &watched,
                &mut caller,
                scratch,
                reply,
                &mut DataOnly,
            );
            let TransactionEnd::Done(ran) = end else {
                panic!("nothing is watched");
            };
            ran
        };
        assert!(!ran.panicked, "{commands:?} panicked");
        let (Some(stamp), Some((count, payload))) = (ran.stamp, scratch.published) else {
            return Vec::new();
        };
        self.published(stamp.time(), count, &payload)
    }

    /// A script that declares the keys of its first command, and turns out to touch others.
    fn run_script(
        &self,
        queue: &[Queued],
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let declared = Reach::Declared(queue[0].row, queue[0].args.as_args());
        let keyspace = &self.node.keyspace;
        let ((), ran) =
            keyspace.execute_script(declared, 0, caller, scratch, |stage, caller, scratch| {
                for queued in queue {
                    let args = queued.args.as_args();
                    let staged = stage.carry_out(queued.row, args, caller, scratch, reply);
                    assert_eq!(staged, Staged::Done, "nobody else runs");
                }
            });
        ran
    }

    /// What a record comes to, each effect with its own place in the order.
    pub fn published(&self, last: Hlc, count: u32, payload: &[u8]) -> Vec<Published> {
        let origin = self.node.origin();
        let floor = self.life_floor();
        let effects = effects::decode_all(payload, count).expect("it was encoded by a node");
        let mut at = last.raw() - u64::from(count);
        let published = effects.iter().map(|effect| {
            at += u64::from(effect.stamps());
            let (db, key, op) = match effect {
                Effect::Key { db, key, op } => (*db, Some(key.to_vec()), Some(*op)),
                Effect::Flush { db } => (*db, None, None),
                Effect::Admit { .. } => panic!("clients admit nobody"),
                Effect::Publish { .. } => panic!("a message stands alone"),
                Effect::Swap { .. } => panic!("databases keep their places among masters"),
            };
            let mut bytes = Vec::new();
            if let Some(op) = op {
                op.encode(&mut bytes);
            }
            Published {
                order: (at, origin.node, origin.incarnation.0),
                floor,
                db,
                key,
                op: bytes,
            }
        });
        published.collect()
    }

    /// Ends a write that has held its place: one APPEND.
    pub fn append(&self, reservation: Reservation<'_>, key: &[u8], tail: &[u8]) -> Vec<Published> {
        let keyspace = &self.node.keyspace;
        let stamp = reservation.first();
        let context = WriteContext {
            stamp,
            now: stamp.time().millis(),
            settled: keyspace.settled(),
            origins: &keyspace.origins,
        };
        let (hash, op) = (keyspace.hash(key), Op::Append(tail));
        let place = Key { bytes: key, hash };
        keyspace.lock_hash(hash).apply(0, place, op, &context);
        let mut effects = Effects::default();
        effects.push(Effect::Key { db: 0, key, op });
        let payload = bytes::Bytes::copy_from_slice(effects.payload());
        let count = effects.count();
        let published = self.published(stamp.time(), count, &payload);
        reservation.publish(Record {
            count,
            payload,
            trace: None,
        });
        published
    }

    /// Where its present life began.
    fn life_floor(&self) -> Option<Hlc> {
        let members = self.node.members();
        members.life(self.node.origin()).map(|life| life.floor)
    }
}

fn boot(
    id: NodeId,
    disk: &Disk,
    entries: &[usize],
    journal_bytes: u64,
    now: UnixMillis,
) -> Arc<Node> {
    let known = disk.0.lock().clone();
    let state = begin_life(known, id, now, disk).expect("the simulated disk writes");
    let config = KeyspaceConfig {
        partitions: 2,
        databases: DATABASES,
        hash_seed: 42,
        stamped: true,
    };
    let node = Node::begin(state, Box::new(disk.clone()), config, journal_bytes, 0);
    let node = Arc::new(node.expect("the first origin fits"));
    if large_from() % 8 == 4 {
        // Few elements are many here.
        node.keyspace.set_limits(few());
    }
    node.limits
        .set(CLOCK_AHEAD_MAX_MS, u64::MAX, REPLACED_AFTER_MS);
    let addresses: Vec<String> = entries.iter().copied().map(address).collect();
    node.set_entries(&addresses)
        .expect("the simulated disk writes");
    node
}
