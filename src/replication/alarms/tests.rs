//! Each alarm goes on and off, and what the clock's does.

use parking_lot::Mutex;

use super::*;
use crate::db::op::Op;
use crate::db::partition::{Key, WriteContext};
use crate::db::{Incarnation, NodeId, Stamp};
use crate::keyspace::KeyspaceConfig;
use crate::replication::life::begin_life;
use crate::replication::members::{Entry, Member};
use crate::replication::node_state::{NodeState, StateStore};

const NOW: UnixMillis = UnixMillis(1_750_000_000_000);
const LIMIT_MS: i64 = 5_000;

#[derive(Debug, Default)]
struct Memory(Mutex<Option<NodeState>>);

impl StateStore for Memory {
    fn save(&self, state: &NodeState) -> std::io::Result<()> {
        *self.0.lock() = Some(state.clone());
        Ok(())
    }
}

fn node() -> Node {
    let store = Memory::default();
    let state = begin_life(None, NodeId(1), NOW, &store).unwrap();
    let config = KeyspaceConfig {
        partitions: 2,
        databases: 1,
        hash_seed: 1,
        stamped: true,
    };
    let node = Node::begin(state, Box::new(store), config, 1024 * 1024, 0).unwrap();
    node.limits.set(LIMIT_MS, 5_000, 0);
    node
}

fn master(id: u128) -> Origin {
    Origin {
        node: NodeId(id),
        incarnation: Incarnation(1),
    }
}

/// Links to three masters who have introduced themselves.
fn linked(node: &Node) -> [LinkId; 3] {
    [2, 3, 4].map(|id| {
        let link = node.link_up(&format!("host:{id}"));
        let mut inner = node.inner.lock();
        inner.links.get_mut(&link).unwrap().master = Some(master(id));
        link
    })
}

#[test]
fn a_clock_that_most_masters_see_ahead_runs_by_theirs_until_it_is_right() {
    let node = node();
    let links = linked(&node);
    let say = |ahead: [i64; 3]| {
        for (link, ahead) in links.iter().zip(ahead) {
            node.compare_clocks(*link, UnixMillis(NOW.0 - ahead), NOW, ahead);
        }
        node.tick(NOW).unwrap();
    };
    say([0, 60_000, 0]);
    assert_eq!((node.alarms().as_str(), node.keyspace.time(NOW)), ("", NOW));
    say([4_900, 4_900, 60_000]);
    assert_eq!((node.alarms().as_str(), node.keyspace.time(NOW)), ("", NOW));
    say([0, 60_000, 61_000]);
    assert_eq!(node.alarms(), "clock-ahead");
    assert_eq!(node.keyspace.time(NOW).0, NOW.0 - 60_000);
    let later = UnixMillis(NOW.0 + 30_000);
    let stamped = |wall| {
        let journal = &node.keyspace.journal;
        let stamp = journal.reserve(1, node.keyspace.time(wall)).first();
        stamp.time().millis()
    };
    // Stamps never go back: they stand still until the others' time is there.
    assert_eq!(stamped(later), NOW);
    assert_eq!(stamped(UnixMillis(NOW.0 + 61_000)).0, NOW.0 + 1_000);
    say([0, 0, 61_000]);
    assert_eq!((node.alarms().as_str(), node.keyspace.time(NOW)), ("", NOW));
    assert_eq!(node.counters.clock_alarms.load(Ordering::Relaxed), 1);
}

#[test]
fn a_master_whose_links_are_gone_leaves_the_clock_as_it_was() {
    let node = node();
    let links = linked(&node);
    for link in links {
        node.compare_clocks(link, UnixMillis(NOW.0 - 60_000), NOW, 60_000);
    }
    node.tick(NOW).unwrap();
    for link in links {
        node.link_down(link);
    }
    node.tick(NOW).unwrap();
    assert_eq!(node.keyspace.clock_excess_ms(), 60_000);
}

#[test]
fn a_peer_is_told_only_what_is_certain_of_its_clock() {
    let node = node();
    let [link, ..] = linked(&node);
    node.compare_clocks(link, UnixMillis(NOW.0 + 7_000), NOW, 0);
    assert_eq!(node.clock_ahead_of_mine(master(2)), 7_000);
    // A message that was long under way says nothing.
    node.compare_clocks(link, UnixMillis(NOW.0 - 7_000), NOW, 0);
    assert_eq!(node.clock_ahead_of_mine(master(2)), 0);
    assert_eq!(node.clock_ahead_of_mine(master(9)), 0);
    // Nonsense from the wire is nonsense, not an overflow.
    node.compare_clocks(link, UnixMillis(i64::MAX), UnixMillis(i64::MIN), i64::MAX);
    node.compare_clocks(link, UnixMillis(i64::MIN), UnixMillis(i64::MAX), i64::MIN);
    node.tick(NOW).unwrap();
}

#[test]
fn stamps_from_the_future_are_counted() {
    let node = node();
    let at = |ms| Hlc::at(UnixMillis(NOW.0 + ms));
    node.watch_stamp(at(LIMIT_MS), master(2), NOW);
    assert_eq!(node.counters.stamps_ahead.load(Ordering::Relaxed), 0);
    node.watch_stamp(at(LIMIT_MS + 1), master(2), NOW);
    assert_eq!(node.counters.stamps_ahead.load(Ordering::Relaxed), 1);
}

#[test]
fn deletes_that_wait_for_somebody_are_alarming_until_they_settle() {
    let node = node();
    let keyspace = &node.keyspace;
    let mut last = Hlc::ZERO;
    for nth in 0..200 {
        let key = format!("key:{nth}");
        let hash = keyspace.hash(key.as_bytes());
        last = Hlc::at(NOW).plus(nth);
        let context = WriteContext {
            stamp: Stamp::new(last, keyspace.journal.own()),
            now: NOW,
            settled: Hlc::ZERO,
            origins: &keyspace.origins,
        };
        let key = Key {
            bytes: key.as_bytes(),
            hash,
        };
        keyspace.lock_hash(hash).apply(0, key, Op::Del, &context);
    }
    let look = || {
        (0..2).for_each(|index| keyspace.measure_pending(index));
        node.watch_memory(&mut node.inner.lock());
        node.alarms()
    };
    assert_eq!(look(), "tombstone-memory");
    keyspace.raise_settled(last);
    while keyspace.pending().1 > 0 {
        (0..2).for_each(|index| keyspace.settle_partition(index));
    }
    assert_eq!(look(), "");
    assert_eq!(keyspace.pending_bytes(), 0);
}

#[test]
fn lives_that_pile_up_are_alarming() {
    let node = node();
    let look = || {
        node.watch_lives(&mut node.inner.lock());
        node.alarms()
    };
    for life in 1..LIVES_ALARMING as u32 {
        assert_eq!(look(), "");
        let origin = Origin {
            node: NodeId(7),
            incarnation: Incarnation(life),
        };
        node.keyspace.origins.intern(origin).unwrap();
    }
    assert_eq!(look(), "many-lives");
}

#[test]
fn being_read_without_reading_is_alarming() {
    let node = node();
    let reader = Member {
        entries: vec![Entry {
            address: "host:1".to_owned(),
            met: Some(NodeId(1)),
        }],
        ..Member::default()
    };
    let look = || {
        node.watch_entries(&mut node.inner.lock());
        node.alarms()
    };
    assert_eq!(look(), "");
    let mut inner = node.inner.lock();
    let members = &mut inner.state.table.members;
    members.nodes.insert(NodeId(2), reader);
    drop(inner);
    assert_eq!(look(), "reads-nobody");
    node.set_entries(&["host:2".to_owned()]).unwrap();
    assert_eq!(look(), "");
}
