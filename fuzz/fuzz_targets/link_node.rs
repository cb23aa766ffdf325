//! Any frames at a real node: its link and its feed refuse or take them, and the node goes on.
//!
//! Two nodes read from each other. The first byte says how many rounds they may talk undisturbed; then each step of the input lets time
//! go by and gives the first node a frame of the input's own, or what the second one really says with some bytes changed. A connection
//! that ends is made anew, as the server does. No disk, no socket, no clock: what is found is found again.
#![no_main]

use std::sync::Arc;

use keymesh::commands::{Effect, Effects};
use keymesh::db::{Key, NodeId, Op, UnixMillis, WriteContext};
use keymesh::journal::Record;
use keymesh::keyspace::KeyspaceConfig;
use keymesh::replication::feed::Feed;
use keymesh::replication::frame;
use keymesh::replication::link::{Link, LinkError};
use keymesh::replication::life::begin_life;
use keymesh::replication::node::Node;
use keymesh::replication::node_state::{NodeState, StateStore};
use keymesh::replication::tracing::Unobserved;

const DATABASES: u32 = 2;
const JOURNAL_BYTES: u64 = 16 * 1024;
const BUDGET: usize = 4_096;
const BEGIN_MS: i64 = 1_700_000_000_000;
/// How much time a step may take.
const STEPS_MS: [i64; 8] = [0, 1, 40, 100, 1_000, 10_000, 3_600_000, 86_400_000];
/// More steps only make an input slow.
const STEPS: usize = 24;

/// What a step does, by the low bits of its first byte.
mod how {
    pub const TO_FEED: u8 = 1;
    /// The bytes of the step change what the other node says: offset, mask; offset, mask.
    pub const TAMPER: u8 = 2;
    pub const TICK: u8 = 4;
    pub const TALK: u8 = 8;
    pub const TIME_SHIFT: u32 = 4;
    pub const TIME_MASK: u8 = 7;
    pub const WRITE: u8 = 128;
}

struct Nowhere;

impl StateStore for Nowhere {
    fn save(&self, state: &NodeState) -> std::io::Result<()> {
        // What it would find at its next start.
        let bytes = state.encode();
        assert_eq!(NodeState::decode(&bytes).as_ref(), Ok(state));
        Ok(())
    }
}

fn boot(id: u128, reads: &str) -> Arc<Node> {
    let now = UnixMillis(BEGIN_MS);
    let state = begin_life(None, NodeId(id), now, &Nowhere).expect("nothing is written");
    let config = KeyspaceConfig {
        partitions: 2,
        databases: DATABASES,
        hash_seed: 42,
        stamped: true,
    };
    let node = Node::begin(state, Box::new(Nowhere), config, JOURNAL_BYTES, 6379);
    let node = Arc::new(node.expect("the first origin fits"));
    node.limits.set(1_000, u64::MAX, 5_000);
    node.set_entries(&[reads.to_owned()])
        .expect("nothing is written");
    node
}

fn write(node: &Node, key: &[u8], op: Op<'_>, wall: UnixMillis) {
    let keyspace = &node.keyspace;
    let reservation = keyspace.journal.reserve(1, keyspace.time(wall));
    let stamp = reservation.first();
    let context = WriteContext {
        stamp,
        now: stamp.time().millis(),
        settled: keyspace.settled(),
        origins: &keyspace.origins,
    };
    let hash = keyspace.hash(key);
    let key = Key { bytes: key, hash };
    keyspace.lock_hash(hash).apply(0, key, op, &context);
    let mut effects = Effects::default();
    effects.push(Effect::Key {
        db: 0,
        key: key.bytes,
        op,
    });
    reservation.publish(Record {
        count: effects.count(),
        payload: bytes::Bytes::copy_from_slice(effects.payload()),
        trace: None,
    });
}

/// One node with its own two connections to the other.
struct Side {
    node: Arc<Node>,
    reads: &'static str,
    link: Link,
    feed: Feed,
}

impl Side {
    fn new(id: u128, reads: &'static str) -> Self {
        let node = boot(id, reads);
        Self {
            link: Link::new(&node, reads),
            feed: Feed::new(&node),
            node,
            reads,
        }
    }

    fn connect_link(&mut self) {
        self.link.close(&self.node);
        self.link = Link::new(&self.node, self.reads);
    }

    fn connect_feed(&mut self) {
        self.feed.close(&self.node);
        self.feed = Feed::new(&self.node);
    }

    /// What the feed has to say.
    fn told(&mut self, wall: UnixMillis) -> Result<Vec<u8>, LinkError> {
        let mut out = Vec::new();
        self.feed
            .poll(&self.node, wall, BUDGET, &mut out, &mut Unobserved)?;
        Ok(out)
    }

    /// What the link asks for.
    fn asked(&mut self) -> Result<Vec<u8>, LinkError> {
        let mut out = Vec::new();
        self.link.poll(&self.node, &mut out)?;
        Ok(out)
    }

    fn tell(&mut self, mut bytes: &[u8], wall: UnixMillis) -> Result<(), LinkError> {
        while let Some(len) = frame::frame_len(bytes)? {
            let decoded = frame::decode(&bytes[..len])?;
            self.link
                .on_frame(&self.node, decoded, wall, &mut Unobserved)?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    fn ask(&mut self, mut bytes: &[u8], wall: UnixMillis) -> Result<(), LinkError> {
        while let Some(len) = frame::frame_len(bytes)? {
            self.feed
                .on_frame(&self.node, frame::decode(&bytes[..len])?, wall)?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    /// What the server's actors do from time to time.
    fn tick(&self, wall: UnixMillis) {
        self.node.tick(wall).expect("nothing is written");
        let now = self.node.keyspace.time(wall);
        for index in 0..self.node.keyspace.partitions_len() {
            self.node.keyspace.settle_partition(index);
            self.node.keyspace.purge_partition(index, now);
        }
    }
}

/// Everything that one side says reaches the other. `tamper` changes what `master` says to `replica`, or what `replica` asks.
fn talk(replica: &mut Side, master: &mut Side, wall: UnixMillis, tamper: &[u8], asked: bool) {
    let outcome = (|| {
        let mut bytes = replica.asked()?;
        if asked {
            change(&mut bytes, tamper);
        }
        master.ask(&bytes, wall)?;
        let mut bytes = master.told(wall)?;
        if !asked {
            change(&mut bytes, tamper);
        }
        replica.tell(&bytes, wall)
    })();
    if outcome.is_err() {
        replica.connect_link();
        master.connect_feed();
    }
}

fn change(bytes: &mut [u8], changes: &[u8]) {
    let len = bytes.len();
    for pair in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        if let Some(byte) = bytes.get_mut(at % len.max(1)) {
            *byte ^= pair[2];
        }
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((rounds, mut rest)) = input.split_first() else {
        return;
    };
    let (mut first, mut second) = (Side::new(1, "second:6379"), Side::new(2, "first:6379"));
    let mut now = BEGIN_MS;
    for round in 0..rounds % 8 {
        let wall = UnixMillis(now);
        write(&first.node, b"both", Op::Incr(1), wall);
        write(&second.node, &[round % 4], Op::Append(b"x"), wall);
        talk(&mut first, &mut second, wall, b"", false);
        talk(&mut second, &mut first, wall, b"", false);
        first.tick(wall);
        second.tick(wall);
        now += 100;
    }
    if rounds % 8 == 7 {
        // Undisturbed they do talk: else nothing below would be tried.
        let wall = UnixMillis(now);
        talk(&mut first, &mut second, wall, b"", false);
        talk(&mut second, &mut first, wall, b"", false);
        let digest = |side: &Side| side.node.keyspace.digest(wall);
        assert_eq!(digest(&first), digest(&second));
        assert!(first.node.is_established() && second.node.is_established());
    }
    for _ in 0..STEPS {
        let [how, len, tail @ ..] = rest else { break };
        let (body, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        now += STEPS_MS[usize::from(how >> how::TIME_SHIFT & how::TIME_MASK)];
        let wall = UnixMillis(now);
        let to_feed = how & how::TO_FEED != 0;
        if how & how::WRITE != 0 {
            write(&first.node, &[*len % 4], Op::Del, wall);
            write(&second.node, b"both", Op::Incr(2), wall);
        }
        if how & how::TAMPER != 0 {
            if to_feed {
                talk(&mut second, &mut first, wall, body, true);
            } else {
                talk(&mut first, &mut second, wall, body, false);
            }
        } else if !body.is_empty() {
            let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
            bytes.extend_from_slice(body);
            if to_feed {
                if first.ask(&bytes, wall).is_err() {
                    first.connect_feed();
                }
            } else if first.tell(&bytes, wall).is_err() {
                first.connect_link();
            }
        }
        if how & how::TALK != 0 {
            talk(&mut first, &mut second, wall, b"", false);
            talk(&mut second, &mut first, wall, b"", false);
        }
        if how & how::TICK != 0 {
            first.tick(wall);
            second.tick(wall);
        }
    }
    // The node still serves.
    let wall = UnixMillis(now);
    write(&first.node, b"last", Op::Append(b"x"), wall);
    first.tick(wall);
    let _ = (
        first.node.keyspace.digest(wall),
        first.told(wall),
        first.asked(),
    );
});
