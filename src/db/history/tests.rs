//! What a history shows is a replay of everything in stamp order: compared with [`Unsettled`], which replays.

use proptest::prelude::*;

use super::*;
use crate::db::op::{Expiry, Op};
use crate::db::origin::OriginIndex;
use crate::db::stamp::UnixMillis;
use crate::db::unsettled::undo::Undo;
use crate::db::unsettled::{Live, Unsettled};

/// Moments of the tests are milliseconds from here.
const START: i64 = 1_800_000_000_000;

fn moment(at: u64) -> UnixMillis {
    UnixMillis(START + at as i64)
}

#[derive(Debug, Clone)]
enum Event {
    /// An operation so many moments before the newest.
    Insert(u64, Vec<u8>),
    /// The one that came so many before comes again.
    Again(usize),
    /// Everything but the newest so many moments is settled.
    Settle(u64),
    /// A flush so many moments before the newest.
    Cut(u64),
}

fn op() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..9);
    let deadline = || (1_000_u64..1_300).prop_map(moment);
    let encoded = |op: Op<'_>| {
        let mut out = Vec::new();
        op.encode(&mut out);
        out
    };
    prop_oneof![
        4 => bytes().prop_map(move |value| encoded(Op::Set(&value, Expiry::Clear))),
        2 => bytes().prop_map(move |value| encoded(Op::Set(&value, Expiry::Keep))),
        2 => (bytes(), deadline()).prop_map(move |(value, at)| encoded(Op::Set(&value, Expiry::At(at)))),
        2 => Just(encoded(Op::Set(b"12", Expiry::Keep))),
        3 => Just(encoded(Op::Del)),
        9 => (-9_i64..9).prop_map(move |delta| encoded(Op::Incr(delta))),
        4 => Just(encoded(Op::IncrByFloat(b"0.1"))),
        6 => bytes().prop_map(move |tail| encoded(Op::Append(&tail))),
        6 => (0_u32..30, bytes()).prop_map(move |(at, bytes)| encoded(Op::SetRange(at, &bytes))),
        6 => (0_u32..200, any::<bool>()).prop_map(move |(at, bit)| encoded(Op::SetBit(at, bit))),
        5 => deadline().prop_map(move |at| encoded(Op::Expire(Some(at)))),
        3 => Just(encoded(Op::Expire(None))),
        2 => (900_u64..1_300, bytes()).prop_map(move |(at, value)| {
            encoded(Op::Import(Hlc::at(moment(at)), None, &value))
        }),
        1 => (900_u64..1_300).prop_map(move |at| encoded(Op::ImportDel(Hlc::at(moment(at))))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let late = prop_oneof![5 => Just(0), 5 => 1_u64..12, 1 => 1_u64..200];
    prop_oneof![
        60 => (late, op()).prop_map(|(late, op)| Event::Insert(late, op)),
        4 => (0_usize..20).prop_map(Event::Again),
        4 => (0_u64..60).prop_map(Event::Settle),
        1 => (0_u64..60).prop_map(Event::Cut),
    ]
}

/// A key with a history beside one that replays.
struct Pair {
    origins: Origins,
    history: History<Undo>,
    state: Live,
    replayed: Unsettled,
}

impl Pair {
    fn insert(&mut self, stamp: Stamp, op: &[u8]) {
        self.history
            .insert(&mut self.state, &self.origins, stamp, op);
        let op = Op::decode(op).unwrap();
        self.replayed.place(&self.origins, stamp, op);
    }

    fn check(&mut self) {
        let expected = self.replayed.replay();
        assert_eq!(self.state.value, expected.value);
        if expected.value.is_some() {
            assert_eq!(self.state.written, expected.written);
        }
        assert_eq!(self.history.last(), self.replayed.last());
        assert!(self.history.ops().eq(self.replayed.ops()));
        assert_eq!(self.history.floor(), self.replayed.base_stamp);
        let (before, base) = (self.state.clone(), self.replayed.base.value.clone());
        let shown = self
            .history
            .with_base(&mut self.state, |state| state.value.clone());
        assert_eq!(shown, base);
        assert_eq!(self.state, before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 128 } else { 2_000 }))]

    #[test]
    fn what_is_shown_is_a_replay_of_everything_in_stamp_order(
        events in proptest::collection::vec(event(), 1..120),
    ) {
        let mut pair = Pair {
            origins: Origins::default(),
            history: History::new(Stamp::ZERO),
            state: Live::default(),
            replayed: Unsettled::new(Live::default(), Stamp::ZERO),
        };
        let mut newest = 1_000;
        let mut came: Vec<(Stamp, Vec<u8>)> = Vec::new();
        let time = |at: u64| Hlc::at(moment(at));
        for (nth, event) in events.into_iter().enumerate() {
            match event {
                Event::Insert(late, op) => {
                    newest += 1;
                    // Every stamp is used once: the origin tells late ones from those that were there.
                    let stamp = Stamp::new(time(newest - late), OriginIndex(nth as u16 + 1));
                    pair.insert(stamp, &op);
                    came.push((stamp, op));
                }
                Event::Again(back) => {
                    if let Some((stamp, op)) = came.iter().rev().nth(back).cloned() {
                        pair.insert(stamp, &op);
                    }
                }
                Event::Settle(left) => {
                    pair.history.settle(time(newest - left));
                    pair.replayed.fold(time(newest - left), b"");
                }
                Event::Cut(left) => {
                    let cut = Stamp::new(time(newest - left), OriginIndex(200));
                    pair.history.cut(&mut pair.state, &pair.origins, cut);
                    pair.replayed.cut(&pair.origins, cut);
                }
            }
            pair.check();
        }
    }
}
