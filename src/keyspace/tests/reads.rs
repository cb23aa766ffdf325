//! What reads count, and what is fetched ahead of them.

use super::Node;
use crate::keyspace::{Counts, WARM_MAX};

#[test]
fn look_ups_are_counted() {
    let mut node = Node::plain();
    node.run("SET k v");
    node.run("MGET k k nothing");
    let counts = node.keyspace.counts();
    assert_eq!((counts.hits, counts.misses), (2, 1));
    node.keyspace.reset_counts();
    assert_eq!(node.keyspace.counts(), Counts::default());
}

#[test]
fn a_key_that_a_reader_found_expired_counts_as_expired() {
    let mut node = Node::plain();
    node.run("SET k v PX 5");
    node.caller.now.0 += 6;
    assert_eq!(node.run("GET k"), "$-1\r\n");
    assert_eq!(node.keyspace.counts().expired, 1);
}

#[test]
fn warming_up_waits_for_nobody_and_changes_nothing() {
    for mut node in [Node::plain(), Node::stamped()] {
        for nth in 0..2_000 {
            node.run(&format!("SET key:{nth} v"));
        }
        let digest = node.digest();
        let hashes: Vec<u64> = (0..3_000)
            .map(|nth| node.keyspace.hash(format!("key:{nth}").as_bytes()))
            .collect();
        let held = node.keyspace.lock_hash(hashes[0]);
        for hashes in hashes.chunks(WARM_MAX + 1) {
            node.keyspace.warm(0, hashes.iter().copied());
        }
        drop(held);
        node.keyspace.warm(3, std::iter::empty());
        assert_eq!(node.digest(), digest);
        assert_eq!(node.keyspace.counts(), Counts::default());
    }
}
