//! Operations of elements on keys of a partition without masters beside the same on values by themselves: wherever a large
//! collection is changed where it lies, it comes out as one that was taken out of its record, changed and put back.

use super::*;
use crate::db::body::SharedLimits;
use crate::db::live::content_of;
use crate::db::op::{End, Kind, Names, Pairs, Positions, Scores};
use crate::db::stream::NodeLimits;
use crate::db::varint;
use std::sync::Arc;

/// An operation with its content. Deadlines count from the time of the operation.
#[derive(Debug, Clone)]
enum Done {
    HSet(Vec<(u8, Vec<u8>)>),
    HIncr(u8, i64),
    SAdd(Vec<u8>),
    ZAdd(Vec<(u8, i8)>),
    ZIncr(u8, i8),
    Remove(u8, Vec<u8>),
    Push(bool, Vec<Vec<u8>>),
    Cut(Vec<(usize, usize)>),
    ExpireMembers(u8, Option<i64>, Vec<u8>),
    Expire(Option<i64>),
    Set(Vec<u8>),
    Del,
}

fn done() -> impl Strategy<Value = Done> {
    let names = || proptest::collection::vec(0..12_u8, 1..6);
    let value = || proptest::collection::vec(any::<u8>(), 0..20);
    let ms = || proptest::option::of(1_i64..30);
    prop_oneof![
        4 => proptest::collection::vec((0..12_u8, value()), 1..6).prop_map(Done::HSet),
        2 => (0..12_u8, any::<i64>()).prop_map(|(field, by)| Done::HIncr(field, by)),
        4 => names().prop_map(Done::SAdd),
        4 => proptest::collection::vec((0..12_u8, any::<i8>()), 1..6).prop_map(Done::ZAdd),
        2 => (0..12_u8, any::<i8>()).prop_map(|(member, by)| Done::ZIncr(member, by)),
        6 => (0..3_u8, names()).prop_map(|(kind, names)| Done::Remove(kind, names)),
        6 => (any::<bool>(), proptest::collection::vec(value(), 1..6)).prop_map(|(end, all)| Done::Push(end, all)),
        6 => proptest::collection::vec((0..8_usize, 0..4_usize), 1..3).prop_map(Done::Cut),
        1 => (0..3_u8, ms(), names()).prop_map(|(kind, ms, names)| Done::ExpireMembers(kind, ms, names)),
        1 => ms().prop_map(Done::Expire),
        1 => value().prop_map(Done::Set),
        1 => Just(Done::Del),
    ]
}

fn names_of<'n>(names: impl Iterator<Item = &'n [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    names.for_each(|name| varint::put_bytes(&mut bytes, name));
    bytes
}

fn kind_of(kind: u8) -> Kind {
    [Kind::Hash, Kind::Set, Kind::Zset][usize::from(kind)]
}

impl Done {
    /// Its content laid out.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::HSet(pairs) => {
                for (field, value) in pairs {
                    varint::put_bytes(&mut bytes, &[*field]);
                    varint::put_bytes(&mut bytes, value);
                }
            }
            Self::ZAdd(scores) => scores
                .iter()
                .for_each(|(member, score)| Scores::put(&mut bytes, f64::from(*score), &[*member])),
            Self::SAdd(names) | Self::Remove(_, names) | Self::ExpireMembers(_, _, names) => {
                bytes = names_of(names.chunks(1));
            }
            Self::Push(_, elements) => bytes = names_of(elements.iter().map(Vec::as_slice)),
            Self::Cut(ranges) => ranges
                .iter()
                .for_each(|(at, count)| Positions::put(&mut bytes, *at, *count)),
            Self::HIncr(name, _) | Self::ZIncr(name, _) => bytes.push(*name),
            Self::Set(value) => bytes.clone_from(value),
            Self::Expire(_) | Self::Del => {}
        }
        bytes
    }

    fn op<'b>(&self, bytes: &'b [u8], now: i64) -> Op<'b> {
        let after = |ms: &i64| UnixMillis(now + ms);
        match self {
            Self::HSet(_) => Op::HSet(Pairs::of(bytes)),
            Self::HIncr(_, by) => Op::HIncr(*by, bytes),
            Self::SAdd(names) => Op::SAdd(Names::of(bytes, names.len())),
            Self::ZAdd(_) => Op::ZAdd(Scores::of(bytes)),
            Self::ZIncr(_, by) => Op::ZIncr(f64::from(*by), bytes),
            Self::Remove(kind, names) => Op::Remove(kind_of(*kind), Names::of(bytes, names.len())),
            Self::Push(true, elements) => Op::Push(End::Head, Names::of(bytes, elements.len())),
            Self::Push(false, elements) => Op::Push(End::Tail, Names::of(bytes, elements.len())),
            Self::Cut(_) => Op::ListCut(Positions::of(bytes)),
            Self::ExpireMembers(kind, ms, names) => Op::ExpireMembers(
                kind_of(*kind),
                ms.as_ref().map(after),
                Names::of(bytes, names.len()),
            ),
            Self::Expire(ms) => Op::Expire(ms.as_ref().map(after)),
            Self::Set(_) => Op::Set(bytes, Expiry::Clear),
            Self::Del => Op::Del,
        }
    }
}

/// Large from three elements on.
fn limits() -> Limits {
    Limits {
        hash_entries: 2,
        set_entries: 2,
        intset_entries: 2,
        zset_entries: 2,
        list: crate::db::list::Fill::new(2),
        stream: NodeLimits {
            entries: 2,
            bytes: 0,
        },
        ..Limits::default()
    }
}

proptest! {
    #[test]
    fn a_collection_changed_where_it_lies_is_one_that_was_taken_out_and_put_back(
        steps in proptest::collection::vec((0..KEYS.len(), done(), 0..9_i64), 1..80),
    ) {
        let origins = Origins::default();
        let mut partition = Partition::new(KeyHasher::new(3), 2, false);
        let shared = Arc::new(SharedLimits::default());
        shared.set(limits());
        partition.set_limits(&shared);
        let mut lives: [Live; KEYS.len()] = Default::default();
        let mut now = EPOCH_MS;
        for (at, done, later) in &steps {
            now += later;
            let bytes = done.bytes();
            let op = done.op(&bytes, now);
            let context = WriteContext {
                stamp: Stamp::ZERO,
                now: UnixMillis(now),
                settled: Hlc::default(),
                origins: &origins,
            };
            let key = key_of(&partition, *at);
            let outcome = partition.apply(0, key, op, &context);
            let ground = Ground {
                hasher: &KeyHasher::new(3),
                limits: limits(),
                origins: &origins,
                has_ids: false,
                made: None,
            };
            // Members whose time has come go before it.
            lives[*at].sweep_for_good(&ground, UnixMillis(now));
            let (is_changed, count) = lives[*at].apply_for_good(&ground, Stamp::ZERO, UnixMillis(now), op);
            if op.is_of_elements() {
                prop_assert_eq!(outcome == Outcome::Applied, is_changed, "{:?}", done);
                prop_assert_eq!(partition.last_count(), count, "{:?}", done);
            }
            for (at, live) in lives.iter_mut().enumerate() {
                let key = key_of(&partition, at);
                let record = partition.dbs[1].table.get(key.bytes, key.hash);
                let shown = |whole| {
                    let mut content = Vec::new();
                    content_of(whole, true, &mut content);
                    content
                };
                // What is past its time may be there still, or not.
                let record = record.filter(|record| !record.is_gone(UnixMillis(now)));
                let value = live.value.as_ref().filter(|value| {
                    let are_all_gone = value.body.deadlines().is_some_and(|all| {
                        all.kept_len() == value.body.len()
                            && all.last().is_some_and(|last| last.0 <= now)
                    });
                    !are_all_gone && value.deadline.is_none_or(|deadline| deadline.0 > now)
                });
                let theirs = record.map(|record| (shown(record.whole()), record.deadline()));
                let own = value.map(|value| (shown(value.body.whole()), value.deadline));
                prop_assert_eq!(theirs, own);
            }
            let bytes: usize = partition.dbs[1].table.iter().map(Record::len_bytes).sum();
            prop_assert_eq!(partition.dbs[1].table.records_bytes(), bytes);
            prop_assert_eq!(partition.len(0), partition.dbs[1].table.iter().count());
        }
    }
}
