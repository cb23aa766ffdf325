//! FLUSHDB at another node that is heard of when there are newer writes: what is left is the same whenever it comes.

use super::*;
use crate::db::{Partition, Stamp, WriteContext};

/// FLUSHDB at another node, so long after the start.
pub fn flush_elsewhere(node: &Node, ms: i64) -> usize {
    let other = Origin {
        node: NodeId(2),
        ..WRITER
    };
    let origin = node.keyspace.origins.intern(other).unwrap();
    let ctx = WriteContext {
        stamp: Stamp::new(Hlc::at(UnixMillis(START.0 + ms)), origin),
        now: UnixMillis(START.0 + ms),
        settled: Hlc::ZERO,
        origins: &node.keyspace.origins,
    };
    let mut guards = node.keyspace.lock_all();
    let each = guards.iter_mut();
    each.map(|guard| guard.flush(0, false, &ctx).1.len()).sum()
}

/// What one of some keys may be given, a second after the flush or before.
fn written(random: &mut impl FnMut(u64) -> u64) -> String {
    let key = random(60);
    match random(9) {
        0 => format!("SET k{key} new"),
        1 => format!("SET k{key} new PX 100000"),
        2 => format!("DEL k{key}"),
        3 => format!("INCR n{key}"),
        4 => format!("HSET h{key} f{} v", random(3)),
        5 => format!("SADD s{key} m{}", random(3)),
        6 => format!("PEXPIRE k{key} 50000"),
        7 => format!("RPUSH l{key} e"),
        _ => format!("EXPIREMEMBER s{key} m{} 100", random(3)),
    }
}

#[test]
fn a_flush_from_elsewhere_that_comes_late_leaves_what_it_would_have_left_in_time() {
    for seed in 0..40u64 {
        let mut state = seed;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut nodes = [(); 2].map(|()| Node::new(true, 2, WRITER));
        let before: Vec<String> = (0..random(60)).map(|_| written(&mut random)).collect();
        let behind: Vec<String> = (0..random(60)).map(|_| written(&mut random)).collect();
        for (node, is_late) in nodes.iter_mut().zip([false, true]) {
            // More than lie in one part of a table.
            for first in (0..4_000).step_by(100) {
                let pairs = (first..first + 100).map(|key| format!(" k{key} old"));
                node.run(&format!("MSET{}", pairs.collect::<String>()));
            }
            before.iter().for_each(|line| drop(node.run(line)));
            if !is_late {
                assert!(flush_elsewhere(node, 1_000) >= 3_900);
            }
            node.caller.now = UnixMillis(START.0 + 2_000);
            behind.iter().for_each(|line| drop(node.run(line)));
            if is_late {
                flush_elsewhere(node, 1_000);
            }
        }
        let shown = |node: &mut Node| {
            let sum = |of: fn(&Partition) -> usize| {
                let guards = node.keyspace.lock_all();
                guards.iter().map(|guard| of(guard)).sum::<usize>()
            };
            let counts = [sum(|guard| guard.len(0)), sum(|guard| guard.timed_len(0))];
            (node.digest(), counts)
        };
        let [usual, late] = &mut nodes;
        assert_eq!(shown(usual), shown(late), "seed {seed}: {behind:?}");
        for node in [&*usual, &*late] {
            node.settle();
            let guards = node.keyspace.lock_all();
            let pending = guards.iter().map(|guard| guard.pending());
            assert!(pending.into_iter().all(|pending| pending == (0, 0)));
        }
        assert_eq!(shown(usual), shown(late), "seed {seed}: {behind:?}");
    }
}

#[test]
fn a_flush_that_leaves_keys_in_other_databases_is_no_reason_to_save() {
    for stamped in [false, true] {
        let mut node = Node::new(stamped, 1, WRITER);
        for db in [0, 3] {
            node.caller.db = db;
            node.run("SET a 1");
        }
        node.run("FLUSHDB");
        assert_eq!(node.keyspace.flushes(), 0);
        node.run("SET a 1");
        node.run("FLUSHALL");
        let flushes = node.keyspace.flushes();
        assert!(flushes > 0);
        node.run("SET a 1");
        node.run("FLUSHDB");
        assert!(node.keyspace.flushes() > flushes);
    }
}
