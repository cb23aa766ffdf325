//! Where replays of a key with many operations begin: what it held behind some of them. Without these, every operation that
//! comes late would cost a replay of all that are not settled.
//!
//! Invariant: a checkpoint of `n` operations is the base with the first `n` replayed over it. They are a memo: two histories are
//! equal whatever theirs say.

use crate::db::op::Op;
use crate::db::unsettled::{Live, Unsettled};

/// Operations between two checkpoints.
const EVERY: usize = 64;
/// A longer string is not copied into checkpoints.
const LEN_MAX: usize = 64;

/// In the order of the operations.
#[derive(Debug, Clone, Default)]
pub(super) struct Checkpoints(Vec<(usize, Live)>);

impl PartialEq for Checkpoints {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Checkpoints {}

impl Checkpoints {
    /// An operation has come in behind `count` others.
    pub fn keep_until(&mut self, count: usize) {
        while self.0.last().is_some_and(|(behind, _)| *behind > count) {
            self.0.pop();
        }
    }

    /// The first `count` operations are part of the base now.
    pub fn drop_first(&mut self, count: usize) {
        self.0.retain_mut(|(behind, _)| {
            let stays = *behind > count;
            *behind = behind.saturating_sub(count);
            stays
        });
    }

    /// There is another base.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Memory of them.
    pub fn len_bytes(&self) -> usize {
        self.0.capacity() * (size_of::<(usize, Live)>() + LEN_MAX)
    }
}

impl Unsettled {
    /// Replays everything over a base that is not lent, and remembers where the next replay may begin.
    pub fn replay_on(&mut self) -> Live {
        let (mut done, mut live) = match self.checkpoints.0.last() {
            Some((behind, live)) => (*behind, live.clone()),
            None => (0, self.base.clone()),
        };
        let mut last = done;
        for (stamp, bytes) in self.ops.range(done..) {
            if let Ok(op) = Op::decode(bytes) {
                live.step(*stamp, op);
            }
            done += 1;
            let len = live.value.as_ref().map_or(0, |value| value.bytes.len());
            if done - last >= EVERY && len <= LEN_MAX {
                self.checkpoints.0.push((done, live.clone()));
                last = done;
            }
        }
        live
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::db::origin::{OriginIndex, Origins};
    use crate::db::stamp::{Hlc, Stamp};

    #[derive(Debug, Clone)]
    enum Event {
        /// An operation so many stamps before the newest.
        Place(u64, Op<'static>),
        /// Everything but the newest so many is settled.
        Fold(u64),
        /// A flush so many stamps before the newest.
        Cut(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        let op = prop_oneof![
            8 => (-9_i64..9).prop_map(Op::Incr),
            8 => Just(Op::IncrByFloat(b"0.1")),
            2 => Just(Op::Append(b"1")),
            1 => Just(Op::Set(b"7", crate::db::op::Expiry::Keep)),
            1 => (1_000_u64..1_500).prop_map(|at| Op::Expire(Some(Hlc::from_raw(at << 12).millis()))),
            1 => Just(Op::Expire(None)),
        ];
        let late = prop_oneof![6 => Just(0), 4 => 1_u64..40, 1 => 1_u64..400];
        prop_oneof![
            200 => (late, op).prop_map(|(late, op)| Event::Place(late, op)),
            4 => (0_u64..300).prop_map(Event::Fold),
            1 => (200_u64..400).prop_map(Event::Cut),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_replay_from_a_checkpoint_is_one_from_the_base(events in proptest::collection::vec(event(), 1..500)) {
            let origins = Origins::default();
            let mut unsettled = Unsettled::new(Live::default(), Stamp::ZERO);
            let mut newest = 1_000;
            // Every stamp is used once: the origin tells late ones from those that were there.
            let stamp = |time: u64, origin: u16| Stamp::new(Hlc::from_raw(time << 12), OriginIndex(origin));
            for (nth, event) in events.into_iter().enumerate() {
                match event {
                    Event::Place(late, op) => {
                        newest += 1;
                        let placed = stamp(newest - late, nth as u16 % 1_000 + 1);
                        unsettled.place(&origins, placed, op);
                    }
                    Event::Fold(left) => {
                        unsettled.fold(stamp(newest.saturating_sub(left), 0).time(), b"");
                    }
                    Event::Cut(left) => unsettled.cut(&origins, stamp(newest.saturating_sub(left), 1)),
                }
                let whole = unsettled.replay();
                prop_assert_eq!(unsettled.replay_on(), whole);
            }
        }
    }
}
