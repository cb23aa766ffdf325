//! The operations of one key that may still be overtaken: a folded base, and what came after it in stamp order.
//!
//! Invariant: every operation stamped at or before `base_stamp` is reflected in the base (or dominated by it), every stamp in
//! `ops` comes after it, and `ops` is sorted. What the key shows is the base with the operations replayed over it, and the base
//! of a long value may be *lent* by it (see `lent`).

mod checkpoints;
mod lent;
pub mod undo;

use std::cmp::Ordering;
use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::ablation::{Rule, is_off, wall_clock};
use crate::db::far;
use crate::db::op::{self, Change, Expiry, Op, State};
use crate::db::origin::Origins;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use checkpoints::Checkpoints;

/// An operation's bytes, see [`Op::encode`].
pub type OpBytes = SmallVec<[u8; 24]>;

/// A value with its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The string.
    pub bytes: Vec<u8>,
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
}

/// What a key holds at some point of its history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Live {
    /// The value; none where the key is absent.
    pub value: Option<Value>,
    /// When it was written: the time imports are compared with.
    pub written: Hlc,
}

impl Live {
    /// Applies one operation; says whether it did anything.
    pub fn step(&mut self, stamp: Stamp, op: Op<'_>) -> bool {
        let at = if is_off(Rule::ExpiryByStamp) {
            UnixMillis(wall_clock())
        } else {
            stamp.time().millis()
        };
        // A replay is of many operations over one value, which may be long.
        if let Some(value) = &mut self.value
            && !op::is_expired(value.deadline, at)
            && (far::write(op, &mut value.bytes) || op::change_in_place(op, &mut value.bytes))
        {
            self.written = stamp.time();
            return true;
        }
        let state = self.value.as_ref().map(|value| State {
            value: &value.bytes,
            deadline: value.deadline,
            written: self.written,
        });
        let change = op::step(state, op, at);
        let import = op.is_import();
        if !import {
            self.written = stamp.time();
        }
        match change {
            Change::Nothing => return false,
            Change::Remove => self.value = None,
            Change::Put(bytes, deadline) => {
                self.value = Some(Value {
                    bytes: bytes.to_vec(),
                    deadline,
                });
            }
            Change::Compute(bytes, deadline) => {
                self.value = Some(Value {
                    bytes: bytes.into_vec(),
                    deadline,
                });
            }
            Change::Deadline(deadline) => {
                if let Some(value) = &mut self.value {
                    value.deadline = deadline;
                }
            }
            Change::Import(bytes, deadline, original) => {
                self.written = original;
                self.value = Some(Value {
                    bytes: bytes.to_vec(),
                    deadline,
                });
            }
        }
        true
    }

    /// What a record must say beside the stamp for `written` to come back.
    pub fn original(&self, stamp: Stamp) -> Option<Hlc> {
        (self.value.is_some() && self.written != stamp.time()).then_some(self.written)
    }
}

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsettled {
    /// The folded base; where it is lent, with an empty string.
    pub base: Live,
    /// Everything up to here is in the base.
    pub base_stamp: Stamp,
    ops: VecDeque<(Stamp, OpBytes)>,
    /// Sum of the magnitudes of all increments, as long as there is nothing but increments.
    increments: Option<u64>,
    /// The base's string is this many first bytes of the one that is shown.
    lent: Option<usize>,
    checkpoints: Checkpoints,
}

/// Where an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is the newest: step over what the key shows.
    Last,
    /// It slipped in before others: replay.
    Before,
    /// It slipped in before others, and all of them only add: the order does not matter.
    Commutes(i64),
    /// It is there already, or the base has it.
    Known,
}

impl Unsettled {
    /// Over this base.
    pub fn new(base: Live, base_stamp: Stamp) -> Self {
        Self {
            base,
            base_stamp,
            ops: VecDeque::new(),
            increments: Some(0),
            lent: None,
            checkpoints: Checkpoints::default(),
        }
    }

    /// The operations in stamp order.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (Stamp, &[u8])> {
        self.ops.iter().map(|(stamp, bytes)| (*stamp, &bytes[..]))
    }

    /// Whether all is folded.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The newest stamp known of the key.
    pub fn last(&self) -> Stamp {
        self.ops.back().map_or(self.base_stamp, |(stamp, _)| *stamp)
    }

    /// Bytes held, for the budget.
    pub fn len_bytes(&self) -> usize {
        let base = self
            .base
            .value
            .as_ref()
            .map_or(0, |value| value.bytes.capacity());
        let ops = self.ops.iter().map(|(_, bytes)| bytes.len());
        base + ops.sum::<usize>()
            + self.ops.len() * size_of::<(Stamp, OpBytes)>()
            + self.checkpoints.len_bytes()
            + size_of::<Self>()
    }

    /// Puts an operation in its place. A dominating one drops all that came before it.
    pub fn place(&mut self, origins: &Origins, stamp: Stamp, op: Op<'_>) -> Placed {
        if origins.compare(stamp, self.base_stamp) != Ordering::Greater {
            return Placed::Known;
        }
        let mut at = self.ops.len();
        while at > 0 {
            match origins.compare(self.ops[at - 1].0, stamp) {
                Ordering::Less => break,
                Ordering::Equal => return Placed::Known,
                Ordering::Greater => at -= 1,
            }
        }
        let last = at == self.ops.len();
        if op.dominates() {
            self.ops.drain(..at);
            self.base = Live::default();
            self.base.step(stamp, op);
            self.lent = None;
            self.checkpoints.clear();
            self.base_stamp = stamp;
            self.recount();
            return if last { Placed::Last } else { Placed::Before };
        }
        let mut bytes = Vec::new();
        op.encode(&mut bytes);
        self.ops.insert(at, (stamp, OpBytes::from_vec(bytes)));
        self.checkpoints.keep_until(at);
        let safe = self.note_increment(op);
        match op {
            _ if last => Placed::Last,
            Op::Incr(delta) if safe => Placed::Commutes(delta),
            _ => Placed::Before,
        }
    }

    fn note_increment(&mut self, op: Op<'_>) -> bool {
        self.increments = match (self.increments, op) {
            (Some(sum), Op::Incr(delta)) => sum
                .checked_add(delta.unsigned_abs())
                .filter(|&sum| sum < 1 << 62),
            _ => None,
        };
        // No partial sum can overflow, nothing expires before the last of them: any order gives the same number.
        let last = self.last().time().millis();
        self.increments.is_some_and(|sum| match &self.base.value {
            None => true,
            Some(value) => {
                !op::is_expired(value.deadline, last)
                    && crate::resp::parse_i64(&value.bytes)
                        .is_some_and(|n| n.unsigned_abs() + sum < 1 << 62)
            }
        })
    }

    fn recount(&mut self) {
        self.increments = Some(0);
        let ops = std::mem::take(&mut self.ops);
        for (_, bytes) in &ops {
            match Op::decode(bytes) {
                Ok(op) => drop(self.note_increment(op)),
                Err(_) => self.increments = None,
            }
        }
        self.ops = ops;
    }

    /// Drops what came at or before `cut`, which deletes the key at that moment.
    pub fn cut(&mut self, origins: &Origins, cut: Stamp) {
        self.checkpoints.clear();
        while self
            .ops
            .front()
            .is_some_and(|(stamp, _)| origins.compare(*stamp, cut) != Ordering::Greater)
        {
            self.ops.pop_front();
        }
        if origins.compare(self.base_stamp, cut) == Ordering::Less {
            self.base = Live::default();
            self.lent = None;
            self.base_stamp = cut;
        }
        self.recount();
    }

    /// Says that the base reflects everything up to `stamp`.
    pub fn raise_base(&mut self, origins: &Origins, stamp: Stamp) {
        if origins.compare(stamp, self.base_stamp) == Ordering::Greater {
            self.base_stamp = stamp;
        }
    }

    /// Replays everything over a base that is not lent.
    pub fn replay(&self) -> Live {
        let mut live = self.base.clone();
        for (stamp, bytes) in self.ops() {
            if let Ok(op) = Op::decode(bytes) {
                live.step(stamp, op);
            }
        }
        live
    }

    /// Folds everything up to `settled`; nothing later may be folded, for it can still be overtaken. `shown` is the string that
    /// lends the base, where one does.
    pub fn fold(&mut self, settled: Hlc, shown: &[u8]) {
        if self.fold_lent(settled) {
            return;
        }
        self.own_base(shown);
        let mut folded = 0;
        while let Some((stamp, _)) = self.ops.front()
            && stamp.time() <= settled
        {
            let Some((stamp, bytes)) = self.ops.pop_front() else {
                break;
            };
            if let Ok(op) = Op::decode(&bytes) {
                self.base.step(stamp, op);
            }
            self.base_stamp = stamp;
            folded += 1;
        }
        self.checkpoints.drop_first(folded);
        // A base whose deadline is past stays: readers hide it by their clocks, which may be behind, and later operations see
        // that it has expired.
        if folded > 0 {
            self.recount();
        }
    }
}

/// The part of a SET that a key shows at once: the value, and its deadline where it does not depend on what was there.
pub fn set_parts<'a>(op: &Op<'a>) -> Option<(&'a [u8], Option<UnixMillis>)> {
    match *op {
        Op::Set(value, Expiry::Clear) => Some((value, None)),
        Op::Set(value, Expiry::At(deadline)) => Some((value, Some(deadline))),
        _ => None,
    }
}
