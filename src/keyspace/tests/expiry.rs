//! Expiry as a master, its replica and a mesh judge it: all alike, whoever's clock is ahead.

use super::{Node, WRITER};
use crate::db::{Hlc, NodeId, Origin, UnixMillis};
use crate::keyspace::Counts;

/// A plain master that somebody reads from.
fn master() -> Node {
    let node = Node::plain();
    node.keyspace.record(UnixMillis(0));
    node
}

/// A plain replica that holds what `master` holds: its records carry on from here.
fn replica(master: &Node) -> Node {
    let other = Origin {
        node: NodeId(2),
        ..WRITER
    };
    let node = Node::new(false, 8, other);
    node.keyspace.follow(true);
    node.keyspace.reset(false);
    let origin = node.keyspace.origins.intern(WRITER).unwrap();
    let begun = master
        .keyspace
        .journal
        .position(master.keyspace.journal.own());
    node.keyspace.journal.begin(origin, begun.base);
    node
}

impl Node {
    fn purge(&self) {
        for index in 0..self.keyspace.partitions_len() {
            self.keyspace.purge_partition(index, self.caller.now);
        }
    }

    fn keys(&mut self) -> String {
        self.run("DBSIZE")
    }

    /// The records after the place where a plain master began to record.
    fn recorded(&self) -> Vec<crate::journal::Entry> {
        let (mut entries, own) = (Vec::new(), self.keyspace.journal.own());
        let begun = self.keyspace.journal.position(own).base;
        self.keyspace
            .journal
            .read(own, begun, usize::MAX, &mut entries)
            .unwrap();
        entries
    }
}

#[test]
fn a_clock_that_runs_ahead_makes_no_time_to_live_longer() {
    let mut node = Node::stamped();
    let ahead = UnixMillis(node.caller.now.0 + 2_000);
    node.keyspace.journal.observe(Hlc::at(ahead));
    node.run("SET k v PX 1500");
    assert_eq!(node.run("PTTL k"), ":1500\r\n");
    let (replies, _) = node.transaction(&["SET n 1", "EXPIRE n 1", "PTTL n", "GET n"], false);
    assert_eq!(replies, "+OK\r\n:1\r\n:1000\r\n$1\r\n1\r\n");
    node.caller.now.0 += 1_000;
    assert_eq!(node.run("MGET n k"), "*2\r\n$-1\r\n$1\r\nv\r\n");
    node.caller.now.0 += 500;
    assert_eq!(node.run("MGET n k"), "*2\r\n$-1\r\n$-1\r\n");
    assert_eq!(super::replay(&node).digest(), node.digest());
}

#[test]
fn a_plain_master_whose_clock_runs_ahead_judges_expiry_as_its_replica_does() {
    let mut master = master();
    let mut copy = replica(&master);
    let ahead = UnixMillis(master.caller.now.0 + 2_000);
    master.keyspace.journal.observe(Hlc::at(ahead));
    master.run("SET k 5 PX 1000");
    master.run("INCR k");
    master.run("SET n 5 PX 3000");
    master.run("INCR n");
    copy.ingest(&master.recorded());
    assert_eq!(copy.run("MGET k n"), master.run("MGET k n"));
    assert_eq!(copy.run("PTTL k"), master.run("PTTL k"));
    assert_eq!(copy.digest(), master.digest());
}

#[test]
fn a_key_that_was_changed_just_before_its_deadline_expires_at_the_replica_too() {
    let mut master = master();
    let mut copy = replica(&master);
    master.run("SET k 5 PX 100");
    copy.ingest(&master.recorded());
    master.caller.now.0 += 99;
    master.run("INCR k");
    // The record is still on its way when the time has come.
    copy.caller.now.0 += 150;
    assert_eq!(copy.run("GET k"), "$-1\r\n");
    copy.purge();
    copy.ingest(&master.recorded());
    master.caller.now = copy.caller.now;
    assert_eq!(copy.run("GET k"), "$-1\r\n");
    assert_eq!(copy.digest(), master.digest());
    // Once all that may still change it has arrived, it goes for good.
    let promise = master.keyspace.journal.promise(master.caller.now);
    copy.keyspace.raise_settled(promise);
    for node in [&mut master, &mut copy] {
        node.purge();
        assert_eq!(node.keys(), ":0\r\n");
        assert_eq!(node.keyspace.counts().expired, 1);
    }
}

#[test]
fn what_a_plain_master_removed_stays_removed_for_a_writer_whose_clock_is_behind() {
    for reads_only in [true, false] {
        let mut master = master();
        let mut copy = replica(&master);
        let before = UnixMillis(master.caller.now.0 + 99);
        master.run("SET k 5 PX 100");
        master.caller.now.0 += 101;
        if reads_only {
            assert_eq!(master.run("GET k"), "$-1\r\n");
        } else {
            master.purge();
        }
        // Another client's batch read the clock before.
        master.caller.now = before;
        master.run("INCR k");
        copy.caller.now = before;
        copy.ingest(&master.recorded());
        assert_eq!(copy.run("GET k"), master.run("GET k"));
        assert_eq!(copy.digest(), master.digest(), "reads only: {reads_only}");
    }
}

#[test]
fn nobody_but_a_lone_server_removes_what_a_reader_found_expired() {
    for (mut node, left) in [(Node::plain(), ":0\r\n"), (master(), ":1\r\n")] {
        node.run("SET k v PX 5");
        node.caller.now.0 += 6;
        assert_eq!(node.run("GET k"), "$-1\r\n");
        assert_eq!(node.keys(), left);
        node.purge();
        assert_eq!(node.keys(), ":0\r\n");
        let expected = Counts {
            misses: 1,
            expired: 1,
            ..Counts::default()
        };
        assert_eq!(node.keyspace.counts(), expected);
    }
}

#[test]
fn a_replica_that_becomes_a_master_removes_by_its_own_clock_again() {
    let master = master();
    let mut node = replica(&master);
    node.run("SET k v PX 5");
    node.caller.now.0 += 6;
    node.purge();
    assert_eq!(node.keys(), ":1\r\n");
    node.keyspace.follow(false);
    node.purge();
    assert_eq!(node.keys(), ":0\r\n");
}
