//! Sweeps where stamps are ahead of the clock: what a reader sees goes by its clock, whatever came in which order, and what has gone
//! can come back as long as a write from before may still come.

use super::*;
use crate::db::item;
use crate::db::live::content_of;
use crate::db::made::Maker;
use crate::db::merge::{Sender, Theirs};
use crate::db::op::content::{Content, Parts};
use crate::db::op::{Expiry, Kind, Names, Op, Pairs};
use crate::db::origin::{Incarnation, NodeId, Origin, Origins};
use crate::db::partition::WriteContext;
use crate::db::snapshot::{WalkId, Walked};
use crate::db::table::KeyHasher;
use crate::db::varint::{self, Reader};

const START: i64 = 1_800_000_000_000;

fn moment(at: i64) -> UnixMillis {
    UnixMillis(START + at)
}

fn names(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        varint::put_bytes(&mut bytes, name.as_bytes());
    }
    bytes
}

/// A master with one key.
struct Master {
    partition: Partition,
    origins: Arc<Origins>,
    settled: Hlc,
}

impl Master {
    fn new() -> Self {
        let origins = Arc::new(Origins::default());
        for node in 1..=3 {
            let origin = Origin {
                node: NodeId(node),
                incarnation: Incarnation(1),
            };
            origins.intern(origin).unwrap();
        }
        let mut partition = Partition::new(KeyHasher::new(5), 1, true);
        partition.set_origins(&origins);
        Self {
            partition,
            origins,
            settled: Hlc::ZERO,
        }
    }

    fn key(&self) -> Key<'static> {
        let bytes = b"h";
        let hash = self.partition.hasher.hash(bytes);
        Key { bytes, hash }
    }

    /// What another node has written at a moment.
    fn receive(&mut self, at: i64, by: u16, op: Op<'_>) {
        let stamp = Stamp::new(Hlc::at(moment(at)), crate::db::OriginIndex(by));
        let (origins, key) = (Arc::clone(&self.origins), self.key());
        let context = WriteContext {
            stamp,
            now: moment(at),
            settled: self.settled,
            origins: &origins,
        };
        self.partition.apply(0, key, op, &context);
        self.partition.undo_sweeps(None);
    }

    fn settle(&mut self, at: i64) {
        self.settled = Hlc::at(moment(at));
        self.partition.settle(self.settled, usize::MAX);
    }

    /// What this one has, merged into another's.
    fn sync(&mut self, other: &mut Self) {
        let origins = Arc::clone(&other.origins);
        let context = WriteContext {
            stamp: Stamp::ZERO,
            now: moment(0),
            settled: other.settled,
            origins: &origins,
        };
        let sender = Sender {
            settled: self.settled,
            is_strange: &|_| false,
        };
        let hasher = other.partition.hasher.clone();
        let maker = Maker {
            hasher: &hasher,
            limits: other.partition.limits.get(),
            origins: &origins,
            has_ids: true,
        };
        let mut sent = Vec::new();
        self.partition.begin_walk(WalkId(1));
        while self
            .partition
            .walk_next(WalkId(1), &mut sent, &mut Vec::new())
            == Walked::More
        {}
        other.partition.begin_merge();
        let mut reader = Reader::new(&sent);
        while !reader.is_empty() {
            let item = item::decode(&mut reader, &Some).unwrap();
            let theirs = Theirs::of(&item, &sender, &maker);
            other.partition.merge_item(theirs, &sender, &context);
        }
        let mut from = Some(0);
        while let Some(position) = from {
            from = other.partition.merge_absent(0, position, &sender, &context);
        }
        other.partition.end_merge();
        other.settled = other.settled.max(self.settled);
    }

    /// All that a reader sees: fields and their values, and when which of them go.
    fn seen(&mut self, at: i64) -> Vec<String> {
        let (key, mut bytes) = (self.key(), Vec::new());
        let Some(view) = self.partition.view(0, key, moment(at)) else {
            return Vec::new();
        };
        content_of(view.whole(), false, &mut bytes);
        let content = Content::new(&bytes).unwrap();
        let Parts::Hash(pairs) = content.parts() else {
            return vec!["of another type".to_owned()];
        };
        let fields = pairs.iter().map(|pair| format!("{pair:?}"));
        let timed = content.deadlines().map(|one| format!("{one:?}"));
        let mut all: Vec<String> = fields.chain(timed).collect();
        all.sort();
        all
    }

    fn fields(&mut self, at: i64) -> usize {
        let key = self.key();
        let view = self.partition.view(0, key, moment(at));
        view.and_then(|view| view.hash())
            .map_or(0, |hash| hash.len())
    }
}

fn hset(at: i64, by: u16, fields: &[&str]) -> (i64, u16, Vec<u8>) {
    let flat: Vec<&str> = fields.iter().flat_map(|field| [*field, "v"]).collect();
    let bytes = names(&flat);
    let mut op = Vec::new();
    Op::HSet(Pairs::new(&bytes).unwrap()).encode(&mut op);
    (at, by, op)
}

fn expire(at: i64, by: u16, deadline: Option<i64>, fields: &[&str]) -> (i64, u16, Vec<u8>) {
    let bytes = names(fields);
    let mut op = Vec::new();
    let names = Names::new(&bytes).unwrap();
    Op::ExpireMembers(Kind::Hash, deadline.map(moment), names).encode(&mut op);
    (at, by, op)
}

/// All orders of these.
fn orders(events: &[(i64, u16, Vec<u8>)]) -> Vec<Vec<(i64, u16, Vec<u8>)>> {
    if events.len() < 2 {
        return vec![events.to_vec()];
    }
    let mut all = Vec::new();
    for nth in 0..events.len() {
        let mut rest = events.to_vec();
        let first = rest.remove(nth);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

#[test]
fn a_late_write_hides_no_member_from_a_reader_whose_clock_is_behind_it() {
    // By a node whose stamps are ahead of its clock: the deadline is before the stamp, and the reader's clock before both.
    let events = [
        hset(1, 1, &["a", "b"]),
        expire(100, 2, Some(50), &["a"]),
        hset(60, 3, &["b"]),
    ];
    for order in orders(&events) {
        let mut master = Master::new();
        for (at, by, op) in &order {
            master.receive(*at, *by, Op::decode(op).unwrap());
        }
        assert_eq!(master.fields(20), 2, "{order:?}");
        assert_eq!(master.fields(49), 2, "{order:?}");
        assert_eq!(master.fields(50), 1, "{order:?}");
    }
}

#[test]
fn what_a_reader_has_swept_comes_back_with_a_late_write_whose_stamp_is_before_its_time() {
    // The last one is too late for the field that it names first.
    let events = [
        hset(1, 1, &["a", "b", "c"]),
        expire(100, 2, Some(50), &["a"]),
        expire(101, 2, Some(200), &["b"]),
        expire(102, 3, None, &["b"]),
        hset(160, 3, &["c"]),
    ];
    let mut shown = Vec::new();
    for order in orders(&events) {
        let mut master = Master::new();
        for (nth, (at, by, op)) in order.iter().enumerate() {
            master.receive(*at, *by, Op::decode(op).unwrap());
            // Readers look all the time, their clocks ahead of all stamps or behind.
            master.fields(if nth % 2 == 0 { 300 } else { 55 });
        }
        shown.push([55, 300].map(|at| master.fields(at)));
    }
    assert!(shown.iter().all(|one| *one == [2, 2]), "{shown:?}");
}

#[test]
fn a_write_that_is_superseded_sweeps_nothing() {
    let mut master = Master::new();
    let (at, by, op) = hset(10, 1, &["a", "b"]);
    master.receive(at, by, Op::decode(&op).unwrap());
    let (at, by, op) = expire(200, 2, Some(50), &["a"]);
    master.receive(at, by, Op::decode(&op).unwrap());
    // It would have been before all that is there.
    master.receive(5, 3, Op::Set(b"x", Expiry::Clear));
    master.receive(60, 3, Op::Expire(None));
    assert_eq!(master.fields(20), 2);
    assert_eq!(master.partition.stats.expired_members, 0);
    assert_eq!(master.fields(50), 1);
    assert_eq!(master.partition.stats.expired_members, 1);
}

#[test]
fn full_syncs_above_and_below_settled_sweeps_come_to_the_same() {
    let set = |at| {
        let mut op = Vec::new();
        Op::Set(b"x", Expiry::Clear).encode(&mut op);
        (at, 2, op)
    };
    // Deadlines before the stamps that set them, between operations, and behind all; one taken back in time, one too late.
    let stories = [
        vec![
            hset(10, 1, &["a", "b", "c"]),
            expire(20, 2, Some(15), &["a"]),
            expire(30, 3, Some(45), &["b", "c"]),
            expire(40, 1, None, &["c"]),
            expire(50, 2, None, &["b"]),
            hset(60, 3, &["b"]),
        ],
        vec![
            hset(10, 1, &["a"]),
            expire(20, 2, Some(35), &["a"]),
            hset(30, 1, &["b"]),
            expire(33, 3, Some(55), &["a", "b"]),
            expire(50, 2, Some(900), &["b"]),
            hset(58, 1, &["c"]),
        ],
        vec![
            hset(10, 1, &["a", "b"]),
            expire(20, 3, Some(25), &["a", "b"]),
            hset(30, 1, &["b"]),
            set(40),
            hset(50, 3, &["a"]),
            expire(60, 2, Some(55), &["a"]),
        ],
    ];
    for story in &stories {
        // Each has all up to what is settled there, and any of the rest.
        let masters = || {
            (0..=story.len()).flat_map(|count| {
                let rest = story.len() - count;
                (0..1_u32 << rest).map(move |some| (count, some))
            })
        };
        let has =
            |(count, some): (usize, u32), nth: usize| nth < count || some >> (nth - count) & 1 == 1;
        let made = |which: (usize, u32)| {
            let mut master = Master::new();
            let (early, late) = story.split_at(which.0);
            for (at, by, op) in early {
                master.receive(*at, *by, Op::decode(op).unwrap());
            }
            if let Some((at, ..)) = early.last() {
                // What is swept here is settled at once.
                master.fields(*at);
                master.settle(*at);
            }
            for (nth, (at, by, op)) in late.iter().enumerate() {
                if has(which, which.0 + nth) {
                    master.receive(*at, *by, Op::decode(op).unwrap());
                }
            }
            master.fields(48);
            master
        };
        for one in masters() {
            for other in masters() {
                let (mut from, mut to) = (made(one), made(other));
                from.sync(&mut to);
                let mut expected = Master::new();
                for (nth, (at, by, op)) in story.iter().enumerate() {
                    if has(one, nth) || has(other, nth) {
                        expected.receive(*at, *by, Op::decode(op).unwrap());
                    }
                }
                // Whoever has settled more may be ahead of a reader's clock: behind all of them they see the same.
                let (seen, expected) = (to.seen(70), expected.seen(70));
                assert_eq!(seen, expected, "{one:?} {other:?} {story:?}");
            }
        }
    }
}
