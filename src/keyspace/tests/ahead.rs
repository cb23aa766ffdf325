//! Commands that store what they compute without their partitions: what others do meanwhile counts, and nobody notices else.

use super::*;
use crate::ablation::{set_elapsed_ms, set_large_from};
use crate::commands::payload;
use crate::db::Key;
use crate::db::made::MADE_HELD;
use crate::db::news::{Attention, News};
use crate::keyspace::execute::Begun;

pub(super) const SOURCES: &[&str] = &[
    "SADD s a b c d 5 6",
    "SADD t c d e 6",
    "SADD ints 1 2 3 10",
    "ZADD z 1 a 2 b 3 c 1.5 d",
    "ZADD y 10 c 20 d 30 e",
    "RPUSH l 3 1 2 10 7",
    "RPUSH words one two three",
    "SADD d old",
    "SET string 1",
    "PEXPIRE t 100000",
];

pub(super) const STORES: &[&str] = &[
    "SUNIONSTORE d s t",
    "SUNIONSTORE d s nothing ints",
    "SUNIONSTORE s s t",
    "SINTERSTORE d s t",
    "SINTERSTORE new t s t",
    "SINTERSTORE d s nothing",
    "SINTERSTORE nothing ints t",
    "SDIFFSTORE d s t nothing",
    "SDIFFSTORE d ints ints",
    "SDIFFSTORE d s string",
    "ZUNIONSTORE d 2 z y WEIGHTS 2 3 AGGREGATE MAX",
    "ZUNIONSTORE d 2 z s",
    "ZUNIONSTORE d 2 z string",
    "ZUNIONSTORE d 9 z s",
    "ZUNIONSTORE d 2 z s AGGREGATE x",
    "ZINTERSTORE d 3 z y s",
    "ZDIFFSTORE new:2 2 z y",
    "ZDIFFSTORE d 1 nothing",
    "ZRANGESTORE d z 0 -1",
    "ZRANGESTORE d z 1 2 REV",
    "ZRANGESTORE d z 1.5 3 BYSCORE LIMIT 1 5",
    "ZRANGESTORE z z 7 8",
    "ZRANGESTORE d z x 8",
    "SORT l STORE d",
    "SORT l LIMIT 1 3 DESC STORE l",
    "SORT words STORE d",
    "SORT words ALPHA STORE new:3",
    "SORT t STORE d",
    "SORT s ALPHA STORE d",
    "SORT l BY nosort GET # STORE d",
    "SORT nothing STORE d",
    "SORT string STORE d",
    "SORT y LIMIT 9 1 STORE d",
];

fn quoted(bytes: &[u8]) -> String {
    let bytes: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{bytes}\"")
}

fn restores() -> Vec<String> {
    let elements = [&b"one"[..], b"2", b"three"];
    let list = payload::Body::list(elements.into_iter()).seal();
    let set = payload::Body::set(elements.into_iter(), payload::SetForm::Table).seal();
    let string = payload::dump(b"text");
    let mut broken = list.clone();
    broken[3] ^= 1;
    let mut lines = Vec::new();
    for payload in [list, set, string, broken] {
        let payload = quoted(&payload);
        lines.push(format!("RESTORE restored 0 {payload}"));
        lines.push(format!("RESTORE restored 5000 {payload} REPLACE"));
        lines.push(format!("RESTORE restored 5 {payload} REPLACE ABSTTL"));
        lines.push(format!("RESTORE restored 0 {payload} REPLACE"));
        lines.push(format!("RESTORE restored x {payload} REPLACE"));
    }
    lines
}

pub(super) fn listening(node: Node) -> Node {
    for index in 0..node.keyspace.partitions_len() {
        let mut partition = node.keyspace.lock(index);
        partition.listen(Attention::ALL, &node.keyspace.tickets);
    }
    node
}

pub(super) fn news(node: &Node) -> Vec<News> {
    let mut news = Vec::new();
    for index in 0..node.keyspace.partitions_len() {
        node.keyspace.lock(index).take_news(&mut news);
    }
    news.sort_by_key(|(ticket, _)| *ticket);
    news.into_iter().map(|(_, news)| news).collect()
}

pub(super) fn watchers(node: &Node) -> usize {
    let each = (0..node.keyspace.partitions_len()).map(|at| node.keyspace.lock(at).watchers_len());
    each.sum()
}

/// The first hold of a command, in which its sources are copied.
fn begin<'n>(node: &'n mut Node, line: &str) -> Begun<'n> {
    let args = typed(line);
    let args = args.as_args();
    let row = registry::lookup(args.name()).unwrap();
    let mut guards = node.keyspace.lock_for(row, args);
    let mut refs: Vec<_> = guards.iter_mut().map(|g| g.as_deref_mut()).collect();
    let mut access = crate::commands::call::Access::Many(&mut refs);
    let (caller, scratch) = (&node.caller, &mut node.scratch);
    let mut reply = Reply::new(Protocol::Resp2);
    node.keyspace
        .begin(row, args, None, caller, scratch, &mut reply, &mut access)
}

/// Carries a command out; its sources are copied first, and `meanwhile` happens before anything is computed.
fn with(node: &mut Node, line: &str, meanwhile: impl FnOnce(&mut Node)) -> String {
    let Begun::Ahead(sources) = begin(node, line) else {
        panic!("{line} is carried out in one piece");
    };
    meanwhile(node);
    let args = typed(line);
    let args = args.as_args();
    let row = registry::lookup(args.name()).unwrap();
    let mut reply = Reply::new(Protocol::Resp2);
    let begun = Begun::Ahead(sources);
    let (caller, scratch) = (&node.caller, &mut node.scratch);
    node.keyspace
        .finish_call(begun, row, args, caller, scratch, &mut reply);
    assert_eq!(watchers(node), 0);
    String::from_utf8_lossy(reply.as_bytes()).into_owned()
}

#[test]
fn what_is_computed_ahead_is_replied_recorded_and_told_as_what_is_not() {
    let recording = || {
        let node = Node::plain();
        node.keyspace.record(UnixMillis(0));
        node
    };
    for make in [
        &Node::stamped as &dyn Fn() -> Node,
        &Node::plain,
        &recording,
    ] {
        let (mut node, mut usual) = (listening(make()), listening(make()));
        let restores = restores();
        let stores = STORES.iter().map(|line| (*line, true));
        let restores = restores.iter().map(|line| (&**line, false));
        for (line, renews) in stores.chain(restores) {
            for node in [&mut node, &mut usual].into_iter().filter(|_| renews) {
                node.run("DEL s z l");
                SOURCES.iter().for_each(|line| {
                    node.run(line);
                });
                news(node);
            }
            let expected = {
                let _large = set_large_from(usize::MAX);
                usual.execute(line)
            };
            let done = {
                let _large = set_large_from(0);
                node.execute(line)
            };
            assert_eq!(done, expected, "{line}");
            assert_eq!(news(&node), news(&usual), "{line}");
            assert_eq!(node.digest(), usual.digest(), "{line}");
            assert_eq!(watchers(&node), 0, "{line}");
        }
        let stats = |node: &Node| {
            let each = (0..node.keyspace.partitions_len()).map(|at| node.keyspace.lock(at).stats);
            each.fold((0, 0), |(hits, misses), stats| {
                (hits + stats.hits, misses + stats.misses)
            })
        };
        assert_eq!(stats(&node), stats(&usual));
        if node.keyspace.is_stamped() {
            let payloads = |node: &Node| {
                let records = node.records().into_iter();
                let parts = records.map(|entry| (entry.prev, entry.stamp, entry.record.payload));
                parts.collect::<Vec<_>>()
            };
            assert_eq!(payloads(&node), payloads(&usual));
            assert_eq!(replay(&node).digest(), node.digest());
        }
    }
}

#[test]
fn what_changes_a_source_meanwhile_is_in_the_result() {
    let _large = set_large_from(0);
    let cases: &[(&str, &str, &str, &str)] = &[
        ("SUNIONSTORE d s t", "SADD s new", "SCARD d", ":8\r\n"),
        (
            "SUNIONSTORE d s nothing",
            "SADD nothing x",
            "SCARD d",
            ":7\r\n",
        ),
        ("SINTERSTORE d s t", "SREM t c", "SCARD d", ":2\r\n"),
        ("SDIFFSTORE d s t", "DEL t", "SCARD d", ":6\r\n"),
        ("SDIFFSTORE d s t", "FLUSHALL", "EXISTS d", ":0\r\n"),
        ("SUNIONSTORE d s t", "RENAME z s", "EXISTS d", ":1\r\n"),
        (
            "ZUNIONSTORE d 2 z y",
            "ZINCRBY z 5 a",
            "ZSCORE d a",
            "$1\r\n6\r\n",
        ),
        ("ZINTERSTORE d 2 z t", "SADD t a", "ZCARD d", ":3\r\n"),
        ("ZDIFFSTORE d 2 z y", "ZREM y c", "ZCARD d", ":3\r\n"),
        ("ZRANGESTORE d z 0 -1", "ZADD z 9 nine", "ZCARD d", ":5\r\n"),
        ("SORT l STORE d", "RPUSH l 0", "LINDEX d 0", "$1\r\n0\r\n"),
        ("SORT l STORE l", "RPUSH l 0", "LINDEX l 0", "$1\r\n0\r\n"),
        (
            "SORT l STORE d",
            "RPUSH l word",
            "LINDEX d 0",
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
    ];
    for make in [Node::stamped, Node::plain] {
        for (line, meanwhile, look, expected) in cases {
            let mut node = make();
            SOURCES.iter().for_each(|line| {
                node.run(line);
            });
            with(&mut node, line, |node| {
                node.run(meanwhile);
            });
            assert_eq!(node.run(look), *expected, "{line}, {meanwhile}");
        }
        let mut node = make();
        SOURCES.iter().for_each(|line| {
            node.run(line);
        });
        // It is of the destination alone that nothing is asked.
        MADE_HELD.set(0);
        let reply = with(&mut node, "SUNIONSTORE d s t", |node| {
            node.run("SADD d another");
        });
        assert_eq!((&*reply, MADE_HELD.get()), (":7\r\n", 0));
        assert_eq!(node.run("SCARD d"), ":7\r\n");
    }
}

#[test]
fn a_swap_of_databases_meanwhile_counts() {
    let _large = set_large_from(0);
    let mut node = Node::plain();
    node.run("SADD s a b");
    node.run("SWAPDB 0 1");
    node.run("SADD s c");
    let reply = with(&mut node, "SUNIONSTORE d s", |node| {
        node.run("SWAPDB 0 1");
    });
    assert_eq!(reply, ":2\r\n");
}

#[test]
fn what_another_master_does_to_a_source_meanwhile_counts() {
    let _large = set_large_from(0);
    let own = Origin {
        node: NodeId(2),
        ..WRITER
    };
    for meanwhile in ["SREM s b", "SADD s late", "DEL s", "FLUSHALL", "SET s x"] {
        let (mut node, mut other) = (Node::stamped(), Node::new(true, 4, own));
        node.run("SADD s a b c");
        node.run("SADD t x");
        other.ingest(&node.records());
        node.caller.now = UnixMillis(START.0 + 20);
        other.caller.now = UnixMillis(START.0 + 5);
        // What is here already comes later than what will come.
        node.run("SADD s d");
        other.run(meanwhile);
        let expected = match meanwhile {
            "SREM s b" => ":4\r\n",
            "SADD s late" => ":6\r\n",
            "FLUSHALL" => ":1\r\n",
            // What came later than that stays.
            _ => ":2\r\n",
        };
        let entries = other.records();
        let origin = node.keyspace.origins.intern(own).unwrap();
        let reply = with(&mut node, "SUNIONSTORE d s t", |node| {
            for entry in &entries {
                let foreign = Foreign {
                    origin,
                    prev: entry.prev,
                    stamp: entry.stamp,
                    count: entry.record.count,
                    payload: entry.record.payload.clone(),
                    trace: None,
                };
                node.keyspace.ingest(&foreign).unwrap();
            }
        });
        assert_eq!(reply, expected, "{meanwhile}");
    }
}

#[test]
fn a_deadline_that_passes_meanwhile_counts() {
    let _large = set_large_from(0);
    for make in [Node::stamped, Node::plain] {
        for (deadline, expected) in [
            ("PEXPIRE t 50", ":6\r\n"),
            ("PEXPIRE t 51", ":7\r\n"),
            ("EXPIREMEMBER t e 50 ms", ":6\r\n"),
            ("EXPIREMEMBER t e 51 ms", ":7\r\n"),
        ] {
            let mut node = make();
            SOURCES.iter().for_each(|line| {
                node.run(line);
            });
            assert_eq!(node.run(deadline), ":1\r\n");
            set_elapsed_ms(50);
            let reply = with(&mut node, "SUNIONSTORE d s t", |_| ());
            set_elapsed_ms(0);
            assert_eq!(reply, expected, "{deadline}");
        }
    }
}

#[test]
fn elements_of_a_list_that_was_sorted_ahead_have_the_names_that_all_nodes_give_them() {
    for count in [40, 12_000] {
        let mut node = Node::stamped();
        for start in (0..count).step_by(40) {
            let numbers: String = (start..start + 40).map(|n| format!(" {n}")).collect();
            node.run(&format!("SADD numbers{numbers}"));
        }
        let _large = set_large_from(0);
        MADE_HELD.set(0);
        assert_eq!(
            node.run("SORT numbers DESC STORE list"),
            format!(":{count}\r\n")
        );
        // A small list is made where it is stored.
        assert_eq!(MADE_HELD.get(), usize::from(count == 40));
        let own = Origin {
            node: NodeId(2),
            ..WRITER
        };
        let mut other = Node::new(true, 4, own);
        other.ingest(&node.records());
        other.caller.now = UnixMillis(START.0 + 5);
        other.run("LPOP list");
        other.run("LSET list 20 twenty");
        other.run("LREM list 1 7");
        let origin = node.keyspace.origins.intern(own).unwrap();
        for entry in other.records() {
            let foreign = Foreign {
                origin,
                prev: entry.prev,
                stamp: entry.stamp,
                count: entry.record.count,
                payload: entry.record.payload.clone(),
                trace: None,
            };
            node.keyspace.ingest(&foreign).unwrap();
        }
        node.caller.now = other.caller.now;
        for line in ["LLEN list", "LRANGE list 0 -1"] {
            assert_eq!(node.run(line), other.run(line), "{line}");
        }
        assert_eq!(node.run("LLEN list"), format!(":{}\r\n", count - 2));
        assert_eq!(node.run("LINDEX list 20"), "$6\r\ntwenty\r\n");
    }
}

#[test]
fn what_is_stored_was_there_in_one_moment_whoever_writes_meanwhile() {
    let node = Node::stamped();
    let (keyspace, caller) = (&node.keyspace, node.caller);
    let run = |line: &str, scratch: &mut Scratch| {
        let args = typed(line);
        let args = args.as_args();
        let row = registry::lookup(args.name()).unwrap();
        let mut reply = Reply::new(Protocol::Resp2);
        keyspace.execute(row, args, None, &caller, scratch, &mut reply);
        String::from_utf8_lossy(reply.as_bytes()).into_owned()
    };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut scratch = Scratch::default();
            for number in 0.. {
                // The same member in both at every moment, and in neither after the last.
                run(&format!("SADD one {number}"), &mut scratch);
                run(&format!("SADD other {number}"), &mut scratch);
                run(&format!("SREM one {number}"), &mut scratch);
                run(&format!("SREM other {number}"), &mut scratch);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _large = set_large_from(0);
        let mut scratch = Scratch::default();
        for _ in 0..3_000 {
            let both = run("SUNIONSTORE both one other", &mut scratch);
            assert!([":0\r\n", ":1\r\n"].contains(&&*both), "{both}");
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(watchers(&node), 0);
    assert_eq!(replay(&node).digest(), node.digest());
}

#[test]
fn a_panic_behind_the_store_publishes_it() {
    let _large = set_large_from(0);
    let mut node = Node::stamped();
    node.run("SADD s a b");
    let asked = &node.keyspace.panic_after_mutation;
    asked.store(true, Ordering::Relaxed);
    let (reply, ran) = node.execute("SUNIONSTORE d s");
    assert!(reply.starts_with("-ERR internal error"), "{reply}");
    assert!(ran.panicked && ran.stamp.is_some());
    assert_eq!(node.run("SCARD d"), ":2\r\n");
    assert_eq!(replay(&node).digest(), node.digest());
}

#[test]
fn watched_destinations_and_transactions_are_as_ever() {
    let _large = set_large_from(0);
    let mut node = Node::stamped();
    node.run("SADD s a b");
    let flag = Arc::<AtomicBool>::default();
    let (bytes, hash) = (&b"d"[..], node.keyspace.hash(b"d"));
    let key = Key { bytes, hash };
    node.keyspace
        .lock_hash(key.hash)
        .watch(0, key.bytes, Arc::clone(&flag));
    node.run("SUNIONSTORE d s");
    assert!(flag.load(Ordering::Relaxed));
    let lines = ["SUNIONSTORE e s d", "SADD s c", "SUNIONSTORE e s d"];
    let (reply, _) = node.transaction(&lines, false);
    assert_eq!(reply, ":2\r\n:1\r\n:3\r\n");
    assert_eq!(replay(&node).digest(), node.digest());
}
