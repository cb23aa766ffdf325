//! Partitions whose values lie apart from their keys beside partitions whose values do not: whatever happens to them in whatever
//! order, they show, send and settle the same, and count what they hold.

mod within;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ablation::set_far_from;
use crate::db::bitfield::Program;
use crate::db::body::{Body, Limits};
use crate::db::item;
use crate::db::live::{Ground, Live};
use crate::db::op::{Expiry, Op};
use crate::db::origin::{Incarnation, NodeId, Origin, OriginIndex};
use crate::db::snapshot::{WalkId, Walked};
use crate::db::stamp::EPOCH_MS;
use crate::db::varint::Reader;

/// Values this long lie apart in one of each pair.
const FAR: usize = 8;
const KEYS: [&[u8]; 3] = [b"a", b"b", b"a longer name"];

/// An operation with its content; the time of deadlines counts from that of the operation.
#[derive(Debug, Clone)]
enum Made {
    Set(Vec<u8>, Option<i64>),
    SetKeep(Vec<u8>),
    Del,
    Incr(i64),
    Append(Vec<u8>),
    SetRange(u32, Vec<u8>),
    SetBit(u32, bool),
    BitField(Vec<u8>),
    Expire(Option<i64>),
    Import(u64, Vec<u8>),
}

impl Made {
    fn at(&self, now: i64) -> Op<'_> {
        let after = |ms: &i64| UnixMillis(now + ms);
        match self {
            Self::Set(value, None) => Op::Set(value, Expiry::Clear),
            Self::Set(value, Some(ms)) => Op::Set(value, Expiry::At(after(ms))),
            Self::SetKeep(value) => Op::Set(value, Expiry::Keep),
            Self::Del => Op::Del,
            Self::Incr(delta) => Op::Incr(*delta),
            Self::Append(tail) => Op::Append(tail),
            Self::SetRange(offset, bytes) => Op::SetRange(*offset, bytes),
            Self::SetBit(offset, bit) => Op::SetBit(*offset, *bit),
            Self::BitField(bytes) => Op::BitField(Program::new(bytes).unwrap()),
            Self::Expire(ms) => Op::Expire(ms.as_ref().map(after)),
            Self::Import(ms, value) => {
                let written = Hlc::at(UnixMillis(EPOCH_MS + *ms as i64));
                Op::Import(written, None, value)
            }
        }
    }
}

fn made() -> impl Strategy<Value = Made> {
    let bytes = |max| proptest::collection::vec(any::<u8>(), 0..max);
    let digits = "[1-9][0-9]{0,11}".prop_map(String::into_bytes);
    let ms = || proptest::option::of(1_i64..30);
    let program = (0_u8..250, 0_u8..9).prop_map(|(at, by)| vec![40, 8, 8, 0x80 | at, at >> 7, by]);
    prop_oneof![
        4 => (bytes(24), ms()).prop_map(|(value, ms)| Made::Set(value, ms)),
        1 => digits.prop_map(|value| Made::Set(value, None)),
        1 => bytes(24).prop_map(Made::SetKeep),
        1 => Just(Made::Del),
        2 => (-9_i64..9).prop_map(Made::Incr),
        9 => bytes(9).prop_map(Made::Append),
        3 => (0_u32..40, bytes(5)).prop_map(|(at, bytes)| Made::SetRange(at, bytes)),
        3 => (0_u32..320, any::<bool>()).prop_map(|(at, bit)| Made::SetBit(at, bit)),
        2 => program.prop_map(Made::BitField),
        3 => ms().prop_map(Made::Expire),
        1 => (0_u64..90, bytes(24)).prop_map(|(ms, value)| Made::Import(ms, value)),
    ]
}

/// One operation, how far behind its time it arrives, and what happens after it.
type Step = (usize, Made, usize, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((0..KEYS.len(), made(), 0_usize..6, any::<u8>()), 1..60)
}

struct Pair {
    /// The near one, the far one.
    both: [Partition; 2],
    origins: Origins,
}

impl Pair {
    fn new(stamped: bool) -> Self {
        let origins = Origins::default();
        for node in 1..=2 {
            let incarnation = Incarnation(1);
            let node = NodeId(node);
            origins.intern(Origin { node, incarnation }).unwrap();
        }
        let both = [3, 3].map(|seed| Partition::new(KeyHasher::new(seed), 2, stamped));
        Self { both, origins }
    }

    /// Does the same with both.
    fn each<R>(&mut self, f: impl Fn(&mut Partition, &Origins) -> R) -> [R; 2] {
        let [near, far] = &mut self.both;
        let one = |partition: &mut Partition, far_from| {
            let _far = set_far_from(far_from);
            f(partition, &self.origins)
        };
        [one(near, usize::MAX), one(far, FAR)]
    }

    fn apply(&mut self, at: usize, op: Op<'_>, stamp: Stamp, now: UnixMillis, settled: Hlc) {
        let [near, far] = self.each(|partition, origins| {
            let key = key_of(partition, at);
            let stamp = if partition.stamped {
                stamp
            } else {
                Stamp::ZERO
            };
            let context = WriteContext {
                stamp,
                now,
                settled,
                origins,
            };
            match op {
                Op::Set(value, Expiry::Clear) if value.len().is_multiple_of(2) => {
                    partition.apply_whole(0, key, Body::String(value.to_vec()), None, &context)
                }
                _ => partition.apply(0, key, op, &context),
            }
        });
        assert_eq!(near, far, "{op:?}");
    }

    /// Both hold and send the same, and count it.
    fn check(&mut self, whole: bool) {
        for partition in &self.both {
            let records = || partition.dbs[1].table.iter();
            let bytes: usize = records().map(Record::len_bytes).sum();
            assert_eq!(partition.dbs[1].table.records_bytes(), bytes);
            let live = records().filter(|record| !record.is_tombstone()).count();
            let timed = records().filter(|record| record.deadline().is_some());
            assert_eq!(partition.len(0), live);
            assert_eq!(partition.timed_len(0), timed.count());
            for record in records().filter(|record| record.spare() > 0) {
                assert!(partition.spare.has(0, record.key()));
            }
        }
        let [near, far] = &self.both;
        for at in 0..KEYS.len() {
            let shown = |partition: &Partition| {
                let key = key_of(partition, at);
                let record = partition.dbs[1].table.get(key.bytes, key.hash)?;
                Some((format!("{:?}", record.shown()), record.meta()))
            };
            assert_eq!(shown(near), shown(far));
        }
        if whole {
            let [near, far] = self.each(|partition, _| {
                partition.begin_walk(WALK);
                walked(partition)
            });
            assert_eq!(near, far);
        }
    }
}

fn key_of(partition: &Partition, at: usize) -> Key<'static> {
    let bytes = KEYS[at];
    let hash = partition.hasher.hash(bytes);
    Key { bytes, hash }
}

const WALK: WalkId = WalkId(1);

type Sent = BTreeMap<Vec<u8>, String>;

/// What is left of a walk.
fn walked(partition: &mut Partition) -> Sent {
    let (mut out, mut shared) = (Vec::new(), Vec::new());
    while partition.walk_next(WALK, &mut out, &mut shared) == Walked::More {}
    shared.iter().for_each(|large| large.encode(&mut out));
    let (mut reader, mut sent) = (Reader::new(&out), Sent::new());
    while !reader.is_empty() {
        let item = item::decode(&mut reader, &Some).unwrap();
        sent.insert(item.key.to_vec(), format!("{item:?}"));
    }
    sent
}

proptest! {
    #[test]
    fn stamped_values_apart_are_what_values_at_their_keys_are(steps in steps()) {
        let mut pair = Pair::new(true);
        let mut order: Vec<usize> = (0..steps.len()).collect();
        order.sort_by_key(|nth| nth + steps[*nth].2);
        let ms = |nth: usize| EPOCH_MS + 100 + 5 * nth as i64;
        let mut arrived = vec![false; steps.len()];
        let mut is_walking = false;
        for nth in order {
            let (at, made, _, then) = &steps[nth];
            let now = UnixMillis(ms(nth));
            let missing = arrived.iter().position(|arrived| !arrived).unwrap_or(0);
            let settled = Hlc::at(UnixMillis(ms(missing) - 1));
            let stamp = Stamp::new(Hlc::at(now), OriginIndex(1 + (nth % 2) as u16));
            pair.apply(*at, made.at(now.0), stamp, now, settled);
            arrived[nth] = true;
            match then % 8 {
                0 | 1 => {
                    let missing = arrived.iter().position(|arrived| !arrived);
                    let settled = Hlc::at(UnixMillis(ms(missing.unwrap_or(steps.len())) - 1));
                    pair.each(|partition, _| partition.settle(settled, usize::MAX));
                }
                2 => drop(pair.each(|partition, _| partition.give_back_spare())),
                3 if !is_walking => {
                    pair.each(|partition, _| partition.begin_walk(WALK));
                    is_walking = true;
                }
                4 if is_walking => {
                    let [near, far] = pair.each(|partition, _| walked(partition));
                    prop_assert_eq!(near, far);
                    is_walking = false;
                }
                _ => {}
            }
            pair.check(!is_walking);
        }
        let all = Hlc::at(UnixMillis(ms(steps.len())));
        pair.each(|partition, _| while partition.settle(all, usize::MAX) > 0 {});
        pair.check(true);
        prop_assert_eq!(pair.both[1].pending(), (0, 0));
        for at in 0..KEYS.len() {
            let (mut expected, limits, origins) = (Live::default(), Limits::default(), Origins::default());
            let hasher = KeyHasher::new(3);
            let ground = Ground { hasher: &hasher, limits, origins: &origins, has_ids: true, made: None };
            for (nth, (of, made, ..)) in steps.iter().enumerate() {
                let now = UnixMillis(ms(nth));
                if *of == at {
                    let stamp = Stamp::new(Hlc::at(now), OriginIndex(1 + (nth % 2) as u16));
                    expected.apply(&ground, stamp, made.at(now.0));
                }
            }
            let key = key_of(&pair.both[1], at);
            let record = pair.both[1].dbs[1].table.get(key.bytes, key.hash);
            let shown = record.filter(|record| !record.is_tombstone());
            let shown = shown.map(|record| (format!("{:?}", record.shown()), record.deadline()));
            let expected = expected.value.map(|value| (format!("{:?}", value.body.shown()), value.deadline));
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn plain_values_apart_are_what_values_at_their_keys_are(steps in steps()) {
        let mut pair = Pair::new(false);
        for (nth, (at, made, to, then)) in steps.iter().enumerate() {
            let now = UnixMillis(EPOCH_MS + 100 + 5 * nth as i64);
            let to = to % KEYS.len();
            match then % 8 {
                0 => drop(pair.each(|partition, _| partition.give_back_spare())),
                1 if *at != to && pair.both[0].view(0, key_of(&pair.both[0], *at), now).is_some() => {
                    // Another name.
                    let moved = pair.each(|partition, origins| {
                        let context = WriteContext { stamp: Stamp::ZERO, now, settled: Hlc::ZERO, origins };
                        let (from, to) = (key_of(partition, *at), key_of(partition, to));
                        let deadline = partition.view(0, from, now).unwrap().deadline;
                        let value = partition.take_body(0, from, &context).unwrap();
                        partition.apply_whole(0, to, value, deadline, &context);
                        partition.apply(0, from, Op::Del, &context)
                    });
                    prop_assert_eq!(moved, [Outcome::Applied; 2]);
                }
                2 => drop(pair.each(|partition, _| partition.swap(0, 1))),
                _ => pair.apply(*at, made.at(now.0), Stamp::ZERO, now, Hlc::ZERO),
            }
            pair.check(true);
        }
    }
}

#[test]
fn room_is_given_back_once_a_value_has_not_grown_from_one_look_to_the_next() {
    let mut pair = Pair::new(false);
    let append = |pair: &mut Pair| {
        pair.apply(
            0,
            Op::Append(b"0123456789"),
            Stamp::ZERO,
            UnixMillis(0),
            Hlc::ZERO,
        );
    };
    let bytes = |pair: &Pair| pair.both[1].dbs[1].table.records_bytes();
    append(&mut pair);
    let exact = bytes(&pair);
    append(&mut pair);
    assert_eq!(bytes(&pair), exact + 30);
    pair.each(|partition, _| partition.give_back_spare());
    append(&mut pair);
    pair.each(|partition, _| partition.give_back_spare());
    assert_eq!(bytes(&pair), exact + 30);
    pair.each(|partition, _| partition.give_back_spare());
    assert_eq!(bytes(&pair), exact + 20);
    pair.check(true);
}
