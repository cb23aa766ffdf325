//! What a history shows is a replay of everything in stamp order: compared with one that begins anew each time.

use proptest::prelude::*;

use super::*;
use crate::ablation::set_large_from;
use crate::db::body::Limits;
use crate::db::deadlines::Deadlines;
use crate::db::job::Job;
use crate::db::live::content_of;
use crate::db::op::content::Parts;
use crate::db::op::parts::{ElementName, ElementNames};
use crate::db::op::{Beside, Content, End, Expiry, Kind, Names, Pairs, Scores};
use crate::db::origin::{Incarnation, NodeId, Origin, OriginIndex};
use crate::db::stamp::UnixMillis;
use crate::db::stream::change::{Action, Claimed, Claims, GroupChange, Ids, SetId};
use crate::db::stream::{NodeLimits, StreamId};
use crate::db::table::KeyHasher;
use crate::db::varint;

/// Moments of the tests are milliseconds from here.
const START: i64 = 1_800_000_000_000;
/// As many origins as there may be events.
const ORIGINS: u16 = 200;

fn moment(at: u64) -> UnixMillis {
    UnixMillis(START + at as i64)
}

fn time(at: u64) -> Hlc {
    Hlc::at(moment(at))
}

#[derive(Debug, Clone)]
enum Event {
    /// An operation so many moments before the newest.
    Insert(u64, Vec<u8>),
    /// A push of so many elements to an end, so many moments before the newest.
    Push(u64, End, u8),
    /// The element at this position of what is shown goes, changes or gets a neighbour.
    Element(usize, u8),
    /// The one that came so many before comes again.
    Again(usize),
    /// Everything but the newest so many moments is settled.
    Settle(u64),
    /// A flush so many moments before the newest.
    Cut(u64),
    /// A look so many moments after the newest: members whose time has come go.
    Sweep(u64),
}

fn encoded(op: Op<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    op.encode(&mut out);
    out
}

fn packed(names: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        varint::put_bytes(&mut out, name);
    }
    out
}

/// Registers of a HyperLogLog that is sparse up to 40 bytes.
fn pf_add() -> impl Strategy<Value = Vec<u8>> {
    let registers = proptest::collection::vec((0_u16..40, 1_u8..40), 0..5);
    registers.prop_map(|registers| {
        let mut bytes = vec![40];
        for register in registers {
            crate::db::hll::put_add(&mut bytes, register);
        }
        encoded(Op::PfAdd(crate::db::hll::Adds::new(&bytes).unwrap()))
    })
}

fn string_op() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..9);
    let deadline = || (1_000_u64..1_300).prop_map(moment);
    prop_oneof![
        4 => bytes().prop_map(|value| encoded(Op::Set(&value, Expiry::Clear))),
        2 => bytes().prop_map(|value| encoded(Op::Set(&value, Expiry::Keep))),
        2 => (bytes(), deadline()).prop_map(|(value, at)| encoded(Op::Set(&value, Expiry::At(at)))),
        2 => Just(encoded(Op::Set(b"12", Expiry::Keep))),
        3 => Just(encoded(Op::Del)),
        9 => (-9_i64..9).prop_map(|delta| encoded(Op::Incr(delta))),
        4 => Just(encoded(Op::IncrByFloat(b"0.1"))),
        6 => bytes().prop_map(|tail| encoded(Op::Append(&tail))),
        6 => (0_u32..30, bytes()).prop_map(|(at, bytes)| encoded(Op::SetRange(at, &bytes))),
        6 => (0_u32..200, any::<bool>()).prop_map(|(at, bit)| encoded(Op::SetBit(at, bit))),
        8 => pf_add(),
        3 => (proptest::collection::btree_map(0_usize..40, 1_u8..40, 0..5), any::<bool>()).prop_map(|(raised, dense)| {
            let mut registers = crate::db::hll::no_registers();
            for (index, count) in raised {
                registers[index] = count;
            }
            let bytes = crate::db::hll::encode_merge(&registers, dense, 40);
            encoded(Op::PfMerge(crate::db::hll::Merge::new(&bytes).unwrap()))
        }),
        5 => deadline().prop_map(|at| encoded(Op::Expire(Some(at)))),
        3 => Just(encoded(Op::Expire(None))),
        2 => (900_u64..1_300, bytes()).prop_map(|(at, value)| {
            encoded(Op::Import(time(at), None, &value))
        }),
        1 => (900_u64..1_300).prop_map(|at| encoded(Op::ImportDel(time(at)))),
    ]
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let long = proptest::collection::vec(any::<u8>(), 60..70);
    prop_oneof![
        8 => (0_u8..12).prop_map(|nth| nth.to_string().into_bytes()),
        4 => (b'a'..b'f').prop_map(|letter| vec![letter]),
        1 => long,
    ]
}

fn names() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(name(), 1..4).prop_map(|names| packed(&names))
}

fn element_op() -> impl Strategy<Value = Vec<u8>> {
    let pairs = proptest::collection::vec((name(), name()), 1..4);
    let scores = || proptest::collection::vec((-3_i32..4, name()), 1..4);
    let kind = prop_oneof![Just(Kind::Hash), Just(Kind::Set), Just(Kind::Zset)];
    let scored = |scores: &[(i32, Vec<u8>)]| {
        let mut out = Vec::new();
        for (score, member) in scores {
            Scores::put(&mut out, f64::from(*score) / 2.0, member);
        }
        out
    };
    prop_oneof![
        6 => pairs.prop_map(|pairs| {
            let flat: Vec<Vec<u8>> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
            encoded(Op::HSet(Pairs::new(&packed(&flat)).unwrap()))
        }),
        4 => (-5_i64..5, name()).prop_map(|(by, field)| encoded(Op::HIncr(by, &field))),
        2 => name().prop_map(|field| encoded(Op::HIncrByFloat(b"0.5", &field))),
        6 => names().prop_map(|names| encoded(Op::SAdd(Names::new(&names).unwrap()))),
        6 => scores().prop_map(move |scores| {
            encoded(Op::ZAdd(Scores::new(&scored(&scores)).unwrap()))
        }),
        4 => (-3_i32..4, name()).prop_map(|(by, member)| {
            encoded(Op::ZIncr(f64::from(by) / 2.0, &member))
        }),
        8 => (kind.clone(), proptest::option::of(1_000_u64..1_200), names()).prop_map(|(kind, at, names)| {
            let names = Names::new(&names).unwrap();
            encoded(Op::ExpireMembers(kind, at.map(moment), names))
        }),
        8 => (kind, names()).prop_map(|(kind, names)| {
            encoded(Op::Remove(kind, Names::new(&names).unwrap()))
        }),
        2 => names().prop_map(|names| {
            let content = [&[Kind::List as u8], &names[..]].concat();
            encoded(Op::Put(Content::new(&content).unwrap(), None))
        }),
        2 => (any::<bool>(), 0_i64..5).prop_map(|(is_once, first)| {
            let mut content = vec![Kind::Job as u8];
            let job = Job {
                is_once,
                node: NodeId(1),
                first: UnixMillis(first),
                anchor: UnixMillis(0),
                interval: 1,
                script: b"return 1",
                keys: vec![b"k"],
                arguments: Vec::new(),
            };
            job.encode(&mut content);
            encoded(Op::Put(Content::new(&content).unwrap(), None))
        }),
        1 => scores().prop_map(move |scores| {
            let content = [&[Kind::Zset as u8], &scored(&scores)[..]].concat();
            encoded(Op::ImportContent(time(1_010), None, Content::new(&content).unwrap()))
        }),
    ]
}

fn stream_op() -> impl Strategy<Value = Vec<u8>> {
    let id = || (1_u64..9, 0_u64..3).prop_map(|(ms, seq)| StreamId { ms, seq });
    let ids = || proptest::collection::btree_set(id(), 1..5).prop_map(Ids::encode);
    let letter = || (b'a'..b'd').prop_map(|letter| vec![letter]);
    let now = || 0_i64..50;
    let group = |change: Vec<u8>| encoded(Op::XGroup(GroupChange::new(&change).unwrap()));
    let read = || proptest::option::of(0_u64..9);
    prop_oneof![
        20 => (id(), letter(), name()).prop_map(|(id, field, value)| {
            encoded(Op::XAdd(id, Pairs::new(&packed(&[field, value])).unwrap()))
        }),
        6 => (any::<bool>(), ids()).prop_map(|(is_deleted, ids)| {
            encoded(Op::XDel(is_deleted, Ids::new(&ids).unwrap()))
        }),
        2 => id().prop_map(|id| encoded(Op::XTrim(id))),
        3 => (id(), read(), proptest::option::of(id())).prop_map(|(id, added, max_deleted)| {
            encoded(Op::XSetId(SetId { id, added, max_deleted }))
        }),
        8 => (letter(), id(), read(), any::<bool>()).prop_map(move |(name, id, read, makes_stream)| {
            group(GroupChange::encode(&name, Action::Created { makes_stream, id, read }))
        }),
        2 => (letter(), id(), read()).prop_map(move |(name, id, read)| {
            group(GroupChange::encode(&name, Action::SetId { id, read }))
        }),
        2 => letter().prop_map(move |name| group(GroupChange::encode(&name, Action::Destroyed))),
        3 => (letter(), letter(), now()).prop_map(move |(name, consumer, now)| {
            let consumer = &consumer;
            group(GroupChange::encode(&name, Action::Consumer { consumer, now }))
        }),
        3 => (letter(), letter(), ids()).prop_map(move |(name, consumer, ids)| {
            let (consumer, ids) = (&consumer[..], Ids::of(&ids));
            group(GroupChange::encode(&name, Action::ConsumerGone { consumer, ids }))
        }),
        12 => (letter(), letter(), now(), any::<bool>(), id(), read(), ids()).prop_map(
            move |(name, consumer, now, no_ack, last, read, ids)| {
                let (consumer, ids) = (&consumer[..], Ids::of(&ids));
                let action = Action::Delivered { consumer, now, no_ack, last, read, ids };
                group(GroupChange::encode(&name, action))
            }
        ),
        6 => (letter(), ids()).prop_map(move |(name, ids)| {
            group(GroupChange::encode(&name, Action::Acknowledged(Ids::of(&ids))))
        }),
        6 => (letter(), letter(), now(), id(), any::<bool>(), proptest::collection::btree_set(id(), 0..4)).prop_map(
            move |(name, consumer, now, last, force, ids)| {
                let claims = Claims::encode(ids.into_iter().map(|id| Claimed { id, at: now, count: 3 }));
                let (consumer, claims) = (&consumer[..], Claims::of(&claims));
                let action = Action::Claimed { consumer, now, last, force, again: !force, claims };
                group(GroupChange::encode(&name, action))
            }
        ),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let late = || prop_oneof![5 => Just(0), 5 => 1_u64..12, 1 => 1_u64..200];
    let end = prop_oneof![Just(End::Head), Just(End::Tail)];
    prop_oneof![
        20 => (late(), string_op()).prop_map(|(late, op)| Event::Insert(late, op)),
        60 => (late(), element_op()).prop_map(|(late, op)| Event::Insert(late, op)),
        90 => (late(), stream_op()).prop_map(|(late, op)| Event::Insert(late, op)),
        40 => (late(), end, 1_u8..5).prop_map(|(late, end, count)| Event::Push(late, end, count)),
        40 => (0_usize..12, 0_u8..4).prop_map(|(at, what)| Event::Element(at, what)),
        4 => (0_usize..20).prop_map(Event::Again),
        4 => (0_u64..60).prop_map(Event::Settle),
        1 => (0_u64..60).prop_map(Event::Cut),
        20 => (0_u64..30).prop_map(Event::Sweep),
    ]
}

/// All that a state says, ids of list elements included; fields and members in order.
fn said(live: &Live) -> Option<(Vec<Vec<u8>>, Option<UnixMillis>)> {
    let value = live.value.as_ref()?;
    let mut bytes = Vec::new();
    content_of(value.body.whole(), true, &mut bytes);
    let content = Content::new(&bytes).unwrap();
    let timed = |(member, deadline): (&[u8], UnixMillis)| format!("{member:?} until {deadline:?}");
    let mut parts: Vec<Vec<u8>> = content.deadlines().map(|one| timed(one).into()).collect();
    parts.push(vec![content.kind() as u8]);
    let mut elements: Vec<Vec<u8>> = match content.parts() {
        Parts::Hash(pairs) => pairs.iter().map(|(a, b)| [a, b].join(&0)).collect(),
        Parts::Set(names) => names.iter().map(<[u8]>::to_vec).collect(),
        _ => vec![bytes],
    };
    elements.sort();
    parts.extend(elements);
    Some((parts, value.deadline))
}

/// A key with a history beside everything that ever came.
struct Pair<'g> {
    ground: Ground<'g>,
    history: History,
    live: Live,
    /// Nothing stands for a flush.
    came: Vec<(Stamp, Option<Vec<u8>>)>,
    /// Up to here nothing comes any more.
    settled: Hlc,
    /// The latest look.
    looked: UnixMillis,
}

impl Pair<'_> {
    fn insert(&mut self, stamp: Stamp, op: &[u8]) {
        if !self.came.iter().any(|(other, _)| *other == stamp) {
            self.came.push((stamp, Some(op.to_vec())));
            self.came
                .sort_by(|(a, _), (b, _)| self.ground.origins.compare(*a, *b));
        }
        let op = Op::decode(op).unwrap();
        self.history.insert(&mut self.live, &self.ground, stamp, op);
    }

    /// Here all go in one piece.
    fn replay(&self, until: Option<Stamp>) -> Live {
        let _large = set_large_from(usize::MAX);
        let mut live = Live::default();
        for (stamp, op) in &self.came {
            let is_behind = |until| self.ground.origins.compare(*stamp, until) == Ordering::Greater;
            if until.is_some_and(is_behind) {
                break;
            }
            match op {
                Some(op) => drop(live.apply(&self.ground, *stamp, Op::decode(op).unwrap())),
                None => live = Live::default(),
            }
        }
        live
    }

    fn check(&mut self) {
        self.history.catch_up(&mut self.live, &self.ground);
        let at_look = |live: &Live| {
            let mut live = live.clone();
            live.sweep_for_good(&self.ground, self.looked);
            said(&live)
        };
        let expected = self.replay(None);
        assert_eq!(at_look(&self.live), at_look(&expected));
        if self.live.value.is_some() {
            assert_eq!(self.live.written, expected.written);
        }
        let floor = self.history.floor();
        let (before, base) = (said(&self.live), at_look(&self.replay(Some(floor))));
        let shown = self
            .history
            .with_base(&mut self.live, &self.ground, |live, _| at_look(live));
        assert_eq!(shown, base);
        assert_eq!(said(&self.live), before);
    }

    /// An operation of the element at a position.
    fn element(&mut self, at: usize, what: u8) -> Option<Vec<u8>> {
        self.history.catch_up(&mut self.live, &self.ground);
        let value = self.live.value.as_ref()?;
        let mut bytes = Vec::new();
        content_of(value.body.whole(), true, &mut bytes);
        let content = Content::of(&bytes);
        let Parts::ListWithIds(elements) = content.parts() else {
            return None;
        };
        let names: Vec<ElementName> = elements
            .iter()
            .map(|(id, element)| ElementName::new(id, element))
            .collect();
        let anchor = *names.get(at % names.len())?;
        let mut removed = Vec::new();
        ElementNames::put(&mut removed, Stamp::ZERO, anchor);
        if what == 1 {
            ElementNames::put(&mut removed, anchor.id, *names.last()?);
        }
        let (is_before, position) = (what == 3, at as u32);
        let beside = Beside {
            anchor,
            is_before,
            position,
        };
        Some(match what {
            0 | 1 => encoded(Op::ListRemove(ElementNames::of(&removed))),
            2 => encoded(Op::ListSet(anchor, b"set")),
            _ => encoded(Op::ListInsert(beside, b"inserted")),
        })
    }
}

fn origins() -> Origins {
    let origins = Origins::default();
    for node in 1..=ORIGINS {
        let origin = Origin {
            node: NodeId(u128::from(node)),
            incarnation: Incarnation(1),
        };
        origins.intern(origin).unwrap();
    }
    origins
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 192 } else { 3_000 }))]

    #[test]
    fn what_is_shown_is_a_replay_of_everything_in_stamp_order(
        events in proptest::collection::vec(event(), 1..120),
        is_small in any::<bool>(),
        stay_gone in any::<bool>(),
    ) {
        let _large = set_large_from(if stay_gone { 0 } else { usize::MAX });
        let small = Limits { hash_entries: 3, set_entries: 3, intset_entries: 3, zset_entries: 3, stream: NodeLimits { entries: 3, bytes: 0 }, ..Limits::default() };
        let limits = if is_small { Limits::default() } else { small };
        let (origins, hasher) = (origins(), KeyHasher::new(7));
        let ground = Ground { hasher: &hasher, limits, origins: &origins, has_ids: true, made: None };
        let mut pair = Pair {
            ground,
            history: History::new(Stamp::ZERO),
            live: Live::default(),
            came: Vec::new(),
            settled: Hlc::ZERO,
            looked: moment(0),
        };
        let mut newest = 1_000;
        for (nth, event) in events.into_iter().enumerate() {
            // Every stamp is used once: the origin tells late ones from those that were there.
            let origin = OriginIndex(nth as u16 + 1);
            newest += 1;
            match event {
                Event::Insert(late, op) => {
                    pair.insert_late(Stamp::new(time(newest - late), origin), &op);
                }
                Event::Push(late, end, count) => {
                    let names: Vec<Vec<u8>> =
                        (0..count).map(|at| format!("e{nth}.{at}").into_bytes()).collect();
                    let names = packed(&names);
                    let op = encoded(Op::Push(end, Names::new(&names).unwrap()));
                    pair.insert_late(Stamp::new(time(newest - late).plus(u64::from(count)), origin), &op);
                }
                Event::Element(at, what) => {
                    if let Some(op) = pair.element(at, what) {
                        pair.insert_late(Stamp::new(time(newest).plus(9), origin), &op);
                    }
                }
                Event::Again(back) => {
                    if let Some((stamp, Some(op))) = pair.came.iter().rev().nth(back).cloned() {
                        pair.insert(stamp, &op);
                    }
                }
                Event::Settle(left) => {
                    pair.settled = pair.settled.max(time(newest - left));
                    pair.history.settle(&mut pair.live, &pair.ground, pair.settled);
                    if let Some(gone) = pair.history.gone_for_good() {
                        pair.live.clear_gone(&pair.ground, Some(gone), 2);
                    }
                }
                Event::Sweep(ahead) => {
                    pair.looked = pair.looked.max(moment(newest + ahead));
                    pair.history.catch_up(&mut pair.live, &pair.ground);
                    pair.history.sweep(&mut pair.live, &pair.ground, pair.looked);
                    let deadlines = pair.live.value.as_ref().and_then(|value| value.body.deadlines());
                    let first = deadlines.and_then(Deadlines::first);
                    assert!(first.is_none_or(|first| first > pair.looked));
                }
                Event::Cut(left) => {
                    let cut = Stamp::new(time(newest - left), OriginIndex(ORIGINS));
                    if pair.is_open(cut) && cut.time() > pair.settled {
                        pair.history.cut(&mut pair.live, &pair.ground, cut);
                        pair.came.push((cut, None));
                        pair.came.sort_by(|(a, _), (b, _)| origins.compare(*a, *b));
                    }
                }
            }
            // Many may come late before somebody looks.
            if nth % 3 == 0 || is_small {
                pair.check();
            }
        }
        pair.check();
    }
}

impl Pair<'_> {
    /// Whether a stamp comes after what is past recall.
    fn is_open(&self, stamp: Stamp) -> bool {
        self.ground.origins.compare(stamp, self.history.floor()) == Ordering::Greater
    }

    /// What is settled has come whole: nothing comes before it.
    fn insert_late(&mut self, stamp: Stamp, op: &[u8]) {
        if stamp.time() <= self.settled {
            return;
        }
        if self.is_open(stamp) {
            self.insert(stamp, op);
        } else {
            let op = Op::decode(op).unwrap();
            let placing = self.history.insert(&mut self.live, &self.ground, stamp, op);
            assert_eq!(placing, Placing::Known);
        }
    }
}
