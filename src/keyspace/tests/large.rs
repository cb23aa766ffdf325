//! Large values that are copied or renamed: what is recorded of them is made without the partitions, and nobody notices.

use super::*;
use crate::ablation::set_large_from;
use crate::db::item;
use crate::db::made::MADE_HELD;
use crate::db::merge::{Sender, Theirs};
use crate::db::snapshot::{WalkId, Walked};
use crate::db::varint::Reader;
use crate::db::{Stamp, WriteContext};
use crate::keyspace::tests::flushes::flush_elsewhere;

/// A node that has read these journals, one after the other.
fn reader(of: &[(u128, &[Entry])]) -> Node {
    let own = Origin {
        node: NodeId(99),
        ..WRITER
    };
    let mut copy = Node::new(true, 2, own);
    for (node, entries) in of {
        let origin = Origin {
            node: NodeId(*node),
            ..WRITER
        };
        let origin = copy.keyspace.origins.intern(origin).unwrap();
        for entry in *entries {
            let foreign = Foreign {
                origin,
                prev: entry.prev,
                stamp: entry.stamp,
                count: entry.record.count,
                payload: entry.record.payload.clone(),
                trace: None,
            };
            let ingested = copy.keyspace.ingest(&foreign).unwrap();
            assert!(matches!(ingested, Ingested::Applied { .. }));
        }
    }
    copy.caller.now = UnixMillis(START.0 + 60_000);
    copy
}

fn with_large_ones() -> Node {
    let mut node = Node::stamped();
    for start in (0..12_000).step_by(400) {
        let numbers = || start..start + 400;
        let members: String = numbers().map(|n| format!(" member:{n}")).collect();
        let scores: String = numbers().map(|n| format!(" {n} member:{n}")).collect();
        node.run(&format!("SADD set{members}"));
        node.run(&format!("ZADD zset{scores}"));
        node.run(&format!("RPUSH list{members}"));
    }
    node
}

#[test]
fn copies_and_renames_of_large_values_are_recorded_in_their_order() {
    let mut node = with_large_ones();
    let before = node.records().len();
    for kind in ["set", "zset", "list"] {
        let (_, ran) = node.execute(&format!("COPY {kind} {kind}:copy"));
        assert!(ran.stamp.is_some() && !ran.panicked);
        node.run(&format!("RENAME {kind} {kind}:renamed"));
        node.run(&format!("MOVE {kind}:renamed 1"));
    }
    node.run("SADD set:copy another");
    let lines = [
        "COPY zset:copy zset:again",
        "ZADD zset:again 1 one",
        "INCR n",
    ];
    let (reply, _) = node.transaction(&lines, false);
    assert_eq!(reply, ":1\r\n:1\r\n:1\r\n");
    assert_eq!(node.records().len(), before + 3 * 3 + 2);
    let mut copy = replay(&node);
    assert_eq!(copy.digest(), node.digest());
    for line in [
        "SCARD set:copy",
        "ZCARD zset:again",
        "LLEN list:copy",
        "GET n",
    ] {
        assert_eq!(copy.run(line), node.run(line), "{line}");
    }
    assert_eq!(copy.run("ZCARD zset:copy"), ":12000\r\n");
}

#[test]
fn a_panic_behind_a_large_copy_publishes_it() {
    let mut node = with_large_ones();
    let asked = &node.keyspace.panic_after_mutation;
    asked.store(true, Ordering::Relaxed);
    let (reply, ran) = node.execute("COPY set other");
    assert!(reply.starts_with("-ERR internal error"), "{reply}");
    assert!(ran.panicked && ran.stamp.is_some());
    assert_eq!(node.run("SCARD other"), ":12000\r\n");
    assert_eq!(replay(&node).digest(), node.digest());
}

#[test]
fn who_holds_all_partitions_finds_everything_published() {
    let mut node = with_large_ones();
    let before = node.records().len();
    let keyspace = &node.keyspace;
    let (caller, mut scratch) = (node.caller, std::mem::take(&mut node.scratch));
    let row = registry::lookup(b"copy").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..40 {
                let args = typed(&format!("COPY set copy:{number}"));
                let mut reply = Reply::new(Protocol::Resp2);
                keyspace.execute(row, args.as_args(), None, &caller, &mut scratch, &mut reply);
                assert_eq!(reply.as_bytes(), b":1\r\n");
            }
        });
        loop {
            let guards = keyspace.lock_all();
            let keys = guards.iter().map(|guard| guard.table(0).iter().count());
            let copies = keys.sum::<usize>() - 3;
            let mut entries = Vec::new();
            let (journal, own) = (&keyspace.journal, keyspace.journal.own());
            journal
                .read(own, Hlc::ZERO, usize::MAX, &mut entries)
                .unwrap();
            assert_eq!(entries.len(), before + copies);
            if copies == 40 {
                break;
            }
        }
    });
}

#[test]
fn what_another_master_copied_is_made_before_partitions_are_held() {
    let mut node = with_large_ones();
    for kind in ["set", "zset", "list"] {
        node.run(&format!("COPY {kind} {kind}:copy"));
        node.run(&format!("RENAME {kind} {kind}:renamed"));
    }
    node.run("SUNIONSTORE union set:copy set:renamed");
    node.run("SORT set:copy ALPHA STORE sorted");
    node.run("INCR n");
    MADE_HELD.set(0);
    let mut copy = replay(&node);
    assert_eq!(MADE_HELD.get(), 0);
    assert_eq!(copy.digest(), node.digest());
    for line in ["LLEN list:copy", "LINDEX list:renamed 777", "SCARD union"] {
        assert_eq!(copy.run(line), node.run(line), "{line}");
    }
}

#[test]
fn a_large_value_that_comes_late_finds_its_place_without_being_made_anew() {
    let (mut one, mut other) = (with_large_ones(), Node::new(true, 4, WRITER));
    for kind in ["set", "zset", "list"] {
        one.run(&format!("COPY {kind} {kind}:copy"));
    }
    other.caller.now = UnixMillis(START.0 + 1_000);
    for line in [
        "SADD set:copy member:1 another",
        "ZADD zset:copy 7 member:1",
        "RPUSH list:copy last",
    ] {
        other.run(line);
    }
    let (one, other) = (one.records(), other.records());
    let (one, other) = ((1, &one[..]), (2, &other[..]));
    MADE_HELD.set(0);
    let mut nodes = [reader(&[one, other]), reader(&[other, one])];
    assert_eq!(MADE_HELD.get(), 0);
    for line in [
        ("SCARD set:copy", ":12001\r\n"),
        ("ZSCORE zset:copy member:1", "$1\r\n7\r\n"),
        ("LINDEX list:copy -1", "$4\r\nlast\r\n"),
    ] {
        for node in &mut nodes {
            assert_eq!(node.run(line.0), line.1, "{}", line.0);
        }
    }
    assert_eq!(nodes[0].digest(), nodes[1].digest());
}

#[test]
fn elements_of_a_large_list_keep_their_names_in_copies() {
    let _large = set_large_from(0);
    let mut one = Node::stamped();
    one.run("RPUSH list a b c d");
    // Somebody has seen the list before it goes and comes back, and takes an element.
    let own = Origin {
        node: NodeId(2),
        ..WRITER
    };
    let mut other = Node::new(true, 4, own);
    other.ingest(&one.records());
    other.caller.now = UnixMillis(START.0 + 5);
    one.run("RENAME list elsewhere");
    one.run("RENAME elsewhere list");
    assert_eq!(other.run("LPOP list"), "$1\r\na\r\n");
    let both = one.records();
    let taken = other.records();
    let mut nodes = [
        reader(&[(1, &both), (2, &taken)]),
        reader(&[(1, &both[..1]), (2, &taken), (1, &both[1..])]),
    ];
    for node in &mut nodes {
        let left = "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n";
        assert_eq!(node.run("LRANGE list 0 -1"), left);
        assert_eq!(node.run("EXISTS elsewhere"), ":0\r\n");
    }
    assert_eq!(nodes[0].digest(), nodes[1].digest());
}

#[test]
fn items_of_large_keys_with_operations_to_come_are_made_without_the_partition() {
    let mut node = with_large_ones();
    for line in ["SADD set another", "ZADD zset 7 member:1", "LPOP list"] {
        node.run(line);
    }
    // A base that was settled, and operations over it.
    node.settle();
    node.caller.now = UnixMillis(START.0 + 10);
    for line in ["SREM set member:5", "ZREM zset member:3", "RPUSH list x"] {
        node.run(line);
    }
    let (mut out, mut shared) = (Vec::new(), Vec::new());
    let walk = WalkId(1);
    for index in 0..node.keyspace.partitions_len() {
        node.keyspace.lock(index).begin_walk(walk);
    }
    // One changes before the walk gets there.
    node.run("SADD set late");
    for index in 0..node.keyspace.partitions_len() {
        let mut partition = node.keyspace.lock(index);
        while partition.walk_next(walk, &mut out, &mut shared) == Walked::More {}
    }
    assert_eq!((out.len(), shared.len()), (0, 3));
    node.run("SREM set late");
    shared.iter().for_each(|large| large.encode(&mut out));
    let own = Origin {
        node: NodeId(2),
        ..WRITER
    };
    let copy = Node::new(true, 2, own);
    let origin = copy.keyspace.origins.intern(WRITER).unwrap();
    let sender = Sender {
        settled: Hlc::ZERO,
        is_strange: &|_| false,
    };
    let ctx = WriteContext {
        stamp: Stamp::ZERO,
        now: UnixMillis(0),
        settled: Hlc::ZERO,
        origins: &copy.keyspace.origins,
    };
    MADE_HELD.set(0);
    let mut reader = Reader::new(&out);
    while !reader.is_empty() {
        let item = item::decode(&mut reader, &|_| Some(origin)).unwrap();
        assert_eq!(item.ops.len(), 1);
        let theirs = Theirs::of(&item, &sender, &copy.keyspace.maker(true));
        let hash = copy.keyspace.hash(item.key);
        copy.keyspace
            .lock_hash(hash)
            .merge_item(theirs, &sender, &ctx);
    }
    assert_eq!(MADE_HELD.get(), 0);
    assert_eq!(copy.digest(), node.digest());
}

#[test]
fn whole_reads_of_large_values_are_answered_from_copies_and_nobody_notices() {
    let (mut node, mut usual) = (with_large_ones(), with_large_ones());
    for node in [&mut node, &mut usual] {
        node.run("SADD small member:1 x");
        for start in (0..3_000).step_by(300) {
            let fields = (start..start + 300).map(|n| format!(" member:{n} value:{n}"));
            node.run(&format!("HSET hash{}", fields.collect::<String>()));
        }
        node.run("EXPIRE set 1000");
    }
    let lines = [
        ("HGETALL hash", true),
        ("HKEYS hash", true),
        ("HVALS hash", true),
        ("SMEMBERS set", true),
        ("SMEMBERS small", false),
        ("SMEMBERS nothing", false),
        ("SMEMBERS list", true),
        ("LRANGE list 0 -1", true),
        ("LRANGE list 10 20", false),
        ("LRANGE list 0 x", false),
        ("ZRANGE zset 0 -1 WITHSCORES", true),
        ("ZRANGE zset 5 10", false),
        ("ZRANGEBYSCORE zset -inf +inf", true),
        ("ZRANGEBYSCORE zset -inf +inf LIMIT 1 2", false),
        ("ZRANGEBYSCORE zset 5 10000", true),
        ("ZRANGEBYSCORE zset 5 100", false),
        ("ZRANGEBYLEX zset - +", true),
        ("SORT set ALPHA", true),
        ("SORT set ALPHA STORE sorted", false),
        ("SINTER set small", false),
        ("SUNION set small", true),
        ("SUNION set nothing", false),
        ("SINTER set set", true),
        ("ZUNION 2 zset set", true),
        ("ZUNION 0 zset", false),
        ("SORT_RO set ALPHA", true),
        ("SORT_RO set BY nosort:* GET #", false),
        ("DUMP list", true),
        ("DUMP nothing", false),
    ];
    for (line, is_apart) in lines {
        let args = typed(line);
        let args = args.as_args();
        let row = registry::lookup(args.name()).unwrap();
        let copies = {
            let mut guards = node.keyspace.lock_for(row, args);
            let mut refs: Vec<_> = guards.iter_mut().map(|g| g.as_deref_mut()).collect();
            let mut access = crate::commands::call::Access::Many(&mut refs);
            let (keyspace, caller) = (&node.keyspace, &node.caller);
            keyspace.copies_to_read(row, args, caller, &mut access)
        };
        assert_eq!(copies.is_some(), is_apart, "{line}");
        let expected = {
            let _large = set_large_from(usize::MAX);
            usual.run(line)
        };
        assert!(node.run(line) == expected, "{line}");
    }
    let looked = |node: &Node| {
        let each = (0..node.keyspace.partitions_len()).map(|index| {
            let stats = node.keyspace.lock(index).stats;
            [stats.hits, stats.misses]
        });
        each.fold([0; 2], |[hits, misses], [more, fewer]| {
            [hits + more, misses + fewer]
        })
    };
    assert_eq!(looked(&node), looked(&usual));
    let (reply, _) = node.transaction(&["SADD set one", "SMEMBERS set", "SCARD set"], false);
    assert!(reply.starts_with(":1\r\n*12001\r\n") && reply.ends_with(":12001\r\n"));
}

#[test]
fn a_flush_from_elsewhere_hands_back_tables_in_which_nothing_is_newer() {
    let node = with_large_ones();
    assert_eq!(flush_elsewhere(&node, 1_000), 3);
    assert_eq!(
        node.keyspace
            .lock_all()
            .iter()
            .map(|guard| guard.len(0))
            .sum::<usize>(),
        0
    );
    // A later write stays, and what came before the flush and arrives after it shows nowhere.
    let mut node = with_large_ones();
    node.caller.now = UnixMillis(START.0 + 2_000);
    node.run("SADD set:later member");
    flush_elsewhere(&node, 1_000);
    assert_eq!(node.run("KEYS *"), "*1\r\n$9\r\nset:later\r\n");
    assert_eq!(flush_elsewhere(&node, 3_000), 1);
    assert_eq!(node.run("DBSIZE"), ":0\r\n");
}

#[test]
fn the_digest_of_a_key_is_its_share_in_the_digest_of_all_whatever_its_size() {
    for large_from in [0, 1 << 20] {
        let _large = set_large_from(large_from);
        let mut node = with_large_ones();
        node.run("SET string value PX 100000");
        node.run("HSET hash field value other value");
        node.run("EXPIREMEMBER set member:7 1000");
        node.run("EXPIREMEMBER set member:8 2");
        node.caller.now = UnixMillis(node.caller.now.0 + 5000);
        let (keyspace, now) = (&node.keyspace, node.caller.now);
        let of = |key: &str| keyspace.digest_of(0, key.as_bytes(), now);
        let sum = ["set", "zset", "list", "string", "hash"]
            .iter()
            .fold(0u128, |sum, key| sum.wrapping_add(of(key)));
        assert_eq!(sum, keyspace.digest(now));
        assert_eq!(of("none"), 0);
    }
}
