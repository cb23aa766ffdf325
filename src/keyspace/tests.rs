//! The executor's promises.

mod ahead;
mod expiry;
mod flushes;
mod follow;
mod gone;
mod large;
mod left;
mod reads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use crate::commands::world::{START, typed};
use crate::commands::{Handler, registry};
use crate::db::{Hlc, Incarnation, NodeId, Origin, Origins, UnixMillis};
use crate::journal::{Entry, Journal};
use crate::keyspace::{
    Caller, Conductor, Foreign, Ingested, Keyspace, KeyspaceConfig, Queued, Ran, Scratch,
    TransactionEnd,
};
use crate::resp::{Mark, Protocol, Reply};

const WRITER: Origin = Origin {
    node: NodeId(1),
    incarnation: Incarnation(1),
};

/// Carries out SELECT 1 besides.
struct Selecting;

impl Conductor<'_> for Selecting {
    fn before(
        &mut self,
        queued: &Queued,
        caller: &mut Caller,
        _: &mut Scratch,
        reply: &mut Reply,
    ) -> bool {
        if queued.is_data() {
            return false;
        }
        assert_eq!(queued.row.name, "select");
        caller.db = 1;
        reply.ok();
        true
    }

    fn after(&mut self, _: &Queued, _: &mut Reply, _: Mark) {}
}

/// A keyspace, a clock that stands still, and one client.
pub(crate) struct Node {
    pub keyspace: Arc<Keyspace>,
    pub caller: Caller,
    scratch: Scratch,
}

impl Node {
    fn new(stamped: bool, partitions: usize, origin: Origin) -> Self {
        let origins = Arc::new(Origins::default());
        let own = origins.intern(origin).unwrap();
        let config = KeyspaceConfig {
            partitions,
            databases: 4,
            hash_seed: 5,
            stamped,
        };
        Self {
            keyspace: Arc::new(Keyspace::new(
                config,
                origins,
                Journal::new(own, Hlc::ZERO, 1 << 24),
            )),
            caller: Caller {
                db: 0,
                now: START,
                trace: None,
            },
            scratch: Scratch::default(),
        }
    }

    pub fn plain() -> Self {
        Self::new(false, 8, WRITER)
    }

    pub fn stamped() -> Self {
        Self::new(true, 8, WRITER)
    }

    fn execute(&mut self, line: &str) -> (String, Ran) {
        let args = typed(line);
        let args = args.as_args();
        let mut reply = Reply::new(Protocol::Resp2);
        let row = registry::lookup(args.name()).unwrap();
        let ran = if let Some(judging) = row.resolve(args, &mut reply) {
            let row = match row.handler {
                Handler::Subcommands => judging,
                _ => row,
            };
            let (caller, scratch) = (&self.caller, &mut self.scratch);
            self.keyspace
                .execute(row, args, None, caller, scratch, &mut reply)
        } else {
            Ran::default()
        };
        (String::from_utf8_lossy(reply.as_bytes()).into_owned(), ran)
    }

    pub fn run(&mut self, line: &str) -> String {
        self.execute(line).0
    }

    fn transaction(&mut self, lines: &[&str], watched: bool) -> (String, TransactionEnd) {
        let queue: Vec<_> = lines
            .iter()
            .map(|line| {
                let args = typed(line);
                let row = registry::lookup(args.as_args().name()).unwrap();
                let row = match row.handler {
                    Handler::Subcommands => row.subcommand(args.as_args().get(1)).unwrap(),
                    _ => row,
                };
                Queued::new(row, args.as_args()).unwrap()
            })
            .collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let end = self.keyspace.execute_transaction(
            &queue,
            &AtomicBool::new(watched),
            &mut self.caller,
            &mut self.scratch,
            &mut reply,
            &mut Selecting,
        );
        (String::from_utf8_lossy(reply.as_bytes()).into_owned(), end)
    }

    /// Everything written so far has arrived everywhere.
    fn settle(&self) {
        let promise = self.keyspace.journal.promise(self.caller.now);
        self.keyspace.raise_settled(promise);
        for index in 0..self.keyspace.partitions_len() {
            self.keyspace.settle_partition(index);
        }
    }

    pub fn digest(&self) -> u128 {
        self.keyspace.digest(self.caller.now)
    }

    /// What this node itself wrote.
    fn records(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let own = self.keyspace.journal.own();
        self.keyspace
            .journal
            .read(own, Hlc::ZERO, usize::MAX, &mut entries)
            .unwrap();
        entries
    }

    /// Takes over what another node wrote.
    fn ingest(&mut self, entries: &[Entry]) -> Vec<Ingested> {
        let origin = self.keyspace.origins.intern(WRITER).unwrap();
        let foreign = |entry: &Entry| Foreign {
            origin,
            prev: entry.prev,
            stamp: entry.stamp,
            count: entry.record.count,
            payload: entry.record.payload.clone(),
            trace: None,
        };
        entries
            .iter()
            .map(|entry| self.keyspace.ingest(&foreign(entry)).unwrap())
            .collect()
    }
}

/// A node that has read the journal of another one.
fn replay(of: &Node) -> Node {
    let other = Origin {
        node: NodeId(2),
        ..WRITER
    };
    let mut copy = Node::new(true, 2, other);
    copy.caller.now = of.caller.now;
    for ingested in copy.ingest(&of.records()) {
        assert!(matches!(
            ingested,
            Ingested::Applied {
                superseded: [0, 0, 0],
                ..
            }
        ));
    }
    copy
}

#[test]
fn a_write_that_changes_nothing_leaves_no_record() {
    let mut node = Node::stamped();
    for line in [
        "SET k v",
        "SET k w NX",
        "DEL nothing",
        "PERSIST k",
        "EXPIRE nothing 10",
        "GETDEL nothing",
        "MSETNX k 1 n 2",
        "INCR k",
        "SETRANGE k 4 \"\"",
        "SET k",
        "GET k",
    ] {
        let (_, ran) = node.execute(line);
        assert_eq!(ran.stamp.is_some(), line == "SET k v", "{line}");
    }
    assert_eq!(node.records().len(), 1);
}

#[test]
fn a_command_is_one_record_and_each_effect_has_its_stamp() {
    let mut node = Node::stamped();
    node.run("MSET a 1 b 2 c 3");
    node.run("DEL a b nothing c");
    node.run("FLUSHALL");
    let counts: Vec<_> = node.records().iter().map(|e| e.record.count).collect();
    assert_eq!(counts, [3, 3, 4]);
    let mut last = Hlc::ZERO;
    for entry in node.records() {
        assert!(entry.stamp.minus(u64::from(entry.record.count)) >= last);
        last = entry.stamp;
    }
}

#[test]
fn a_plain_keyspace_records_only_for_readers() {
    let mut node = Node::plain();
    assert_eq!(node.execute("SET k v").1.stamp, None);
    node.keyspace.record(crate::db::UnixMillis(0));
    let begun = node.keyspace.journal.position(node.keyspace.journal.own());
    assert!(node.execute("SET k w").1.stamp.is_some());
    let mut entries = Vec::new();
    let own = node.keyspace.journal.own();
    node.keyspace
        .journal
        .read(own, begun.arrived, usize::MAX, &mut entries)
        .unwrap();
    assert_eq!(entries.len(), 1);
    let from_before = node
        .keyspace
        .journal
        .read(own, Hlc::ZERO, usize::MAX, &mut entries);
    assert!(
        from_before.is_err(),
        "what was written before is in nobody's journal"
    );
}

#[test]
fn a_replica_of_a_plain_master_swaps_and_moves_as_its_master_does() {
    let mut node = Node::plain();
    node.keyspace.record(crate::db::UnixMillis(0));
    let begun = node.keyspace.journal.position(node.keyspace.journal.own());
    for line in [
        "SET a 1",
        "SET b 2 PX 1000",
        "MOVE b 2",
        "SWAPDB 0 2",
        "RENAME b c",
        "SETBIT c 3 0",
        "COPY c d DB 3",
        "SWAPDB 3 1",
    ] {
        node.run(line);
    }
    assert_eq!(node.run("KEYS *"), "*1\r\n$1\r\nc\r\n");
    let mut entries = Vec::new();
    let own = node.keyspace.journal.own();
    let journal = &node.keyspace.journal;
    journal
        .read(own, begun.arrived, usize::MAX, &mut entries)
        .unwrap();
    assert_eq!(entries.len(), 8);
    // What the replica's snapshot had shown.
    entries[0].prev = Hlc::ZERO;
    let mut copy = Node::new(
        false,
        4,
        Origin {
            node: NodeId(2),
            incarnation: Incarnation(1),
        },
    );
    for entry in &entries {
        copy.ingest(std::slice::from_ref(entry));
    }
    assert_eq!(copy.digest(), node.digest());
    for db in 0..4 {
        (node.caller.db, copy.caller.db) = (db, db);
        assert_eq!(copy.run("DBSIZE"), node.run("DBSIZE"), "{db}");
    }
}

#[test]
fn a_panicking_command_costs_an_error_and_publishes_what_it_did() {
    let mut node = Node::stamped();
    let asked = &node.keyspace.panic_after_mutation;
    asked.store(true, Ordering::Relaxed);
    let (reply, ran) = node.execute("MSET a 1 b 2");
    assert!(reply.starts_with("-ERR internal error"), "{reply}");
    assert!(ran.panicked && ran.stamp.is_some());
    assert_eq!(node.run("MGET a b"), "*2\r\n$1\r\n1\r\n$-1\r\n");
    assert_eq!(replay(&node).digest(), node.digest());
    assert_eq!(node.run("MSET a 2 b 2"), "+OK\r\n");
}

#[test]
fn a_transaction_is_one_record_and_may_change_the_database() {
    let mut node = Node::stamped();
    node.run("SET n 1");
    let lines = ["INCR n", "GET n", "SELECT 1", "SET other v", "DEL n"];
    let (replies, end) = node.transaction(&lines, false);
    assert_eq!(replies, ":2\r\n$1\r\n2\r\n+OK\r\n+OK\r\n:0\r\n");
    let TransactionEnd::Done(ran) = end else {
        panic!("aborted");
    };
    let last = node.records().pop().unwrap();
    assert_eq!(last.record.count, 2);
    assert_eq!(ran.stamp.unwrap().time(), last.stamp);
    assert_eq!(node.caller.db, 1);
    assert_eq!(node.run("GET other"), "$1\r\nv\r\n");
    assert_eq!(replay(&node).digest(), node.digest());
}

#[test]
fn a_transaction_whose_watched_key_changed_does_nothing() {
    let mut node = Node::stamped();
    let (replies, end) = node.transaction(&["SET k v"], true);
    assert_eq!((replies.as_str(), end), ("", TransactionEnd::Aborted));
    assert!(node.records().is_empty());
}

#[test]
fn a_scan_locks_the_partitions_from_its_cursor_on() {
    for stamped in [false, true] {
        let mut node = Node::new(stamped, 16, WRITER);
        for key in 0..500 {
            node.run(&format!("SET key:{key} v"));
        }
        let (mut cursor, mut keys) = ("0".to_owned(), 0);
        loop {
            let reply = node.run(&format!("SCAN {cursor} COUNT 20"));
            keys += reply.matches("key:").count();
            cursor = reply.split("\r\n").nth(2).unwrap().to_owned();
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(keys, 500);
        for cursor in ["-1", "18446744073709551615", "x", ""] {
            node.run(&format!("SCAN \"{cursor}\""));
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let values = [
        "v",
        "\"\"",
        "5",
        "-17",
        "3.5",
        "9223372036854775807",
        "abcdefghijklmnopqrstuvwxyz0123456789",
    ];
    prop::sample::select(values.to_vec()).prop_map(str::to_owned)
}

/// Anything that a client may send, most of it fit to do something.
fn command() -> impl Strategy<Value = String> {
    let number = || prop::sample::select(vec!["1", "-3", "7", "0", "9223372036854775807", "x"]);
    let ms = || prop::sample::select(vec!["-1", "3", "10", "20", "1000"]);
    let set_options = prop::sample::select(vec![
        "",
        "NX",
        "XX",
        "GET",
        "KEEPTTL",
        "PX 5",
        "PX 30 NX",
        "EX 1 GET",
        "KEEPTTL XX",
        "PXAT 1",
        "FOO",
    ]);
    let getex_options = prop::sample::select(vec!["", "PERSIST", "PX 7", "EX 1", "PXAT 1", "EX 0"]);
    let expire_options = prop::sample::select(vec!["", "NX", "XX", "GT", "LT", "NX XX"]);
    let one_key = prop::sample::select(vec![
        "GET",
        "GETDEL",
        "INCR",
        "DECR",
        "STRLEN",
        "PTTL",
        "TTL",
        "PEXPIRETIME",
        "PERSIST",
        "TYPE",
    ]);
    let some_keys = prop::sample::select(vec!["DEL", "UNLINK", "EXISTS", "TOUCH", "MGET"]);
    prop_oneof![
        4 => (key(), value(), set_options).prop_map(|(k, v, o)| format!("SET {k} {v} {o}")),
        4 => (one_key, key()).prop_map(|(c, k)| format!("{c} {k}")),
        2 => (some_keys, key(), key()).prop_map(|(c, k, l)| format!("{c} {k} {l}")),
        2 => (prop::sample::select(vec!["MSET", "MSETNX"]), key(), value(), key(), value())
            .prop_map(|(c, k, v, l, w)| format!("{c} {k} {v} {l} {w}")),
        3 => (prop::sample::select(vec!["INCRBY", "DECRBY", "INCRBYFLOAT"]), key(), number())
            .prop_map(|(c, k, n)| format!("{c} {k} {n}")),
        2 => (prop::sample::select(vec!["APPEND", "SETNX", "GETSET"]), key(), value())
            .prop_map(|(c, k, v)| format!("{c} {k} {v}")),
        1 => (key(), 0u32..9, value()).prop_map(|(k, n, v)| format!("SETRANGE {k} {n} {v}")),
        1 => (key(), -9i32..9, -9i32..9).prop_map(|(k, s, e)| format!("GETRANGE {k} {s} {e}")),
        2 => (key(), getex_options).prop_map(|(k, o)| format!("GETEX {k} {o}")),
        4 => (key(), ms(), expire_options).prop_map(|(k, n, o)| format!("PEXPIRE {k} {n} {o}")),
        1 => (key(), ms(), value()).prop_map(|(k, n, v)| format!("PSETEX {k} {n} {v}")),
        4 => bits(),
        3 => elsewhere(),
        1 => prop::sample::select(vec!["FLUSHDB", "FLUSHALL", "SCAN 0 COUNT 0", "KEYS *"])
            .prop_map(str::to_owned),
    ]
}

/// Bits of strings, read and written.
fn bits() -> impl Strategy<Value = String> {
    let place = || prop::sample::select(vec!["0", "7", "9", "23", "70", "#1", "-1"]);
    let kind = || prop::sample::select(vec!["u1", "u5", "u8", "i3", "i16", "u63", "i64", "u64"]);
    let number = || prop::sample::select(vec!["0", "1", "-1", "9", "-200", "9223372036854775807"]);
    let overflow = || prop::sample::select(vec!["", "OVERFLOW SAT", "OVERFLOW FAIL"]);
    let write = || {
        (
            overflow(),
            prop::sample::select(vec!["SET", "INCRBY"]),
            kind(),
            place(),
            number(),
        )
            .prop_map(|(o, c, k, p, n)| format!("{o} {c} {k} {p} {n}"))
    };
    let operation = prop::sample::select(vec!["AND", "OR", "XOR", "NOT"]);
    prop_oneof![
        3 => (key(), place(), 0..3).prop_map(|(k, p, b)| format!("SETBIT {k} {p} {b}")),
        3 => (key(), write()).prop_map(|(k, w)| format!("BITFIELD {k} {w}")),
        1 => (key(), write(), kind(), place(), write())
            .prop_map(|(k, w, t, p, x)| format!("BITFIELD {k} {w} GET {t} {p} {x}")),
        1 => (key(), place()).prop_map(|(k, p)| format!("GETBIT {k} {p}")),
        1 => (key(), -9i32..9, -9i32..9).prop_map(|(k, s, e)| format!("BITCOUNT {k} {s} {e} BIT")),
        1 => (key(), 0..2, -9i32..9).prop_map(|(k, b, s)| format!("BITPOS {k} {b} {s}")),
        2 => (operation, key(), key(), key()).prop_map(|(o, d, k, l)| format!("BITOP {o} {d} {k} {l}")),
        1 => (key(), key()).prop_map(|(k, l)| format!("LCS {k} {l} IDX")),
    ]
}

/// Keys that go elsewhere, and what is said of them.
fn elsewhere() -> impl Strategy<Value = String> {
    let copy_options = prop::sample::select(vec!["", "REPLACE", "DB 1", "DB 0 REPLACE", "DB 9"]);
    let restore_options = prop::sample::select(vec!["", "REPLACE", "REPLACE ABSTTL"]);
    let said = prop::sample::select(vec![
        "OBJECT ENCODING",
        "OBJECT REFCOUNT",
        "OBJECT FREQ",
        "DUMP",
    ]);
    prop_oneof![
        2 => (prop::sample::select(vec!["RENAME", "RENAMENX"]), key(), key())
            .prop_map(|(c, k, l)| format!("{c} {k} {l}")),
        2 => (key(), key(), copy_options).prop_map(|(k, l, o)| format!("COPY {k} {l} {o}")),
        2 => (key(), 0..3).prop_map(|(k, db)| format!("MOVE {k} {db}")),
        1 => (said, key()).prop_map(|(c, k)| format!("{c} {k}")),
        // The payload of 77.
        1 => (key(), 0..40, restore_options).prop_map(|(k, ms, o)| format!(
            "RESTORE {k} {ms} \"\\x00\\xc0\\x4d\\x0a\\x00\\x37\\x48\\x39\\xb9\\x37\\xe8\\xae\\xdc\" {o}"
        )),
    ]
}

/// What happens between commands.
#[derive(Debug, Clone)]
enum Step {
    Command(String),
    Advance(i64),
    Settle,
    Purge,
    Select(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => command().prop_map(Step::Command),
        2 => (1i64..15).prop_map(Step::Advance),
        1 => Just(Step::Settle),
        1 => Just(Step::Purge),
        1 => (0u32..2).prop_map(Step::Select),
    ]
}

fn sorted_if_keys(line: &str, reply: String) -> String {
    if !line.starts_with("KEYS") {
        return reply;
    }
    let mut lines: Vec<_> = reply.split("\r\n").collect();
    lines.sort_unstable();
    lines.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn both_manners_answer_alike_and_the_journal_tells_it_all(
        steps in prop::collection::vec(step(), 1..80), far_from in 1_usize..9,
    ) {
        let _far = crate::ablation::set_far_from(far_from);
        let (mut plain, mut stamped) = (Node::plain(), Node::stamped());
        for step in steps {
            match step {
                Step::Command(line) => {
                    let expected = sorted_if_keys(&line, plain.run(&line));
                    let reply = sorted_if_keys(&line, stamped.run(&line));
                    prop_assert_eq!(reply, expected, "{}", line);
                }
                Step::Advance(ms) => {
                    let now = UnixMillis(plain.caller.now.0 + ms);
                    (plain.caller.now, stamped.caller.now) = (now, now);
                }
                Step::Settle => stamped.settle(),
                Step::Purge => {
                    for node in [&plain, &stamped] {
                        for index in 0..node.keyspace.partitions_len() {
                            node.keyspace.purge_partition(index, node.caller.now);
                        }
                    }
                }
                Step::Select(db) => (plain.caller.db, stamped.caller.db) = (db, db),
            }
        }
        prop_assert_eq!(plain.digest(), stamped.digest());
        let copy = replay(&stamped);
        prop_assert_eq!(copy.digest(), stamped.digest());
        stamped.settle();
        prop_assert_eq!(copy.digest(), stamped.digest());
        prop_assert_eq!(stamped.keyspace.pending(), (0, 0));
    }

    #[test]
    fn a_transaction_does_what_its_commands_would_do_one_by_one(
        lines in prop::collection::vec(command(), 1..12), stamped: bool,
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut one_by_one = Node::new(stamped, 8, WRITER);
        let expected: String = lines.iter().map(|line| one_by_one.run(line)).collect();
        let mut whole = Node::new(stamped, 8, WRITER);
        let (replies, _) = whole.transaction(&lines, false);
        prop_assert_eq!(replies, expected);
        prop_assert_eq!(whole.digest(), one_by_one.digest());
        if stamped {
            prop_assert!(whole.records().len() <= 1);
            prop_assert_eq!(replay(&whole).digest(), whole.digest());
        }
    }
}
