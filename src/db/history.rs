//! The operations of one key that may still be overtaken, each with what takes it back.
//!
//! What a key shows is changed in place; where an operation comes late, those behind it are taken back, it is carried out, and
//! they are carried out again. That costs what came behind it, whatever the size of the value, and nothing has to be kept of how
//! the value was before all of them.
//!
//! Invariant: the log is sorted by stamp, every stamp in it comes after `floor`; what is shown is what carrying out, in stamp
//! order, everything that ever came would have made. Nothing at or before `floor` can be taken back.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::ablation::{Rule, is_off};
use crate::db::live::{Ground, Live, OpBytes, Undo};
use crate::db::op::Op;
use crate::db::origin::Origins;
use crate::db::stamp::{Hlc, Stamp};

#[derive(Debug)]
struct Logged {
    stamp: Stamp,
    op: OpBytes,
    undo: Undo,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct History {
    floor: Stamp,
    log: VecDeque<Logged>,
}

/// Where an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Behind all others; so many elements came or went by it.
    Last(u32),
    /// Before so many others, which were carried out again.
    Before(usize),
    /// It is there already, or what is shown says all that it could.
    Known,
}

impl History {
    /// Of a state that reflects everything up to `floor`.
    pub fn new(floor: Stamp) -> Self {
        Self {
            floor,
            log: VecDeque::new(),
        }
    }

    /// Everything up to here is past recall.
    pub fn floor(&self) -> Stamp {
        self.floor
    }

    /// The newest stamp known of the key.
    pub fn last(&self) -> Stamp {
        self.log.back().map_or(self.floor, |last| last.stamp)
    }

    /// How many operations may still be overtaken.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether none may.
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// The operations in stamp order.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (Stamp, &[u8])> {
        self.log.iter().map(|logged| (logged.stamp, &logged.op[..]))
    }

    /// Bytes held, for the budget.
    pub fn len_bytes(&self) -> usize {
        let held = |logged: &Logged| logged.op.len() + logged.undo.len_bytes();
        self.log.iter().map(held).sum::<usize>()
            + self.log.capacity() * size_of::<Logged>()
            + size_of::<Self>()
    }

    /// Puts an operation in its place and shows what it comes to.
    pub fn insert(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        stamp: Stamp,
        op: Op<'_>,
    ) -> Placing {
        let origins = ground.origins;
        if origins.compare(stamp, self.floor) != Ordering::Greater {
            return Placing::Known;
        }
        // From behind: late operations are seldom very late.
        let mut at = self.log.len();
        while at > 0 {
            match origins.compare(self.log[at - 1].stamp, stamp) {
                Ordering::Less => break,
                Ordering::Equal => return Placing::Known,
                Ordering::Greater => at -= 1,
            }
        }
        let behind = self.take_back(live, ground, at);
        let count = if op.dominates() {
            // What is dropped here can be taken back no more, and need not be.
            self.log.clear();
            live.apply(ground, stamp, op);
            self.floor = stamp;
            0
        } else {
            let undo = live.apply(ground, stamp, op);
            if is_off(Rule::PoppedNames) && matches!(op, Op::ListRemove(_)) && undo.count == 0 {
                live.undo(ground, undo);
                self.carry_out_again(live, ground, behind);
                return Placing::Known;
            }
            let (op, count) = (bytes_of(op), undo.count);
            self.log.push_back(Logged { stamp, op, undo });
            count
        };
        let overtaken = behind.len();
        self.carry_out_again(live, ground, behind);
        match overtaken {
            0 => Placing::Last(count),
            overtaken => Placing::Before(overtaken),
        }
    }

    /// Takes back all operations from this one on; the last comes first.
    fn take_back(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        from: usize,
    ) -> Vec<(Stamp, OpBytes)> {
        let behind = self.log.drain(from..).rev().map(|logged| {
            live.undo(ground, logged.undo);
            (logged.stamp, logged.op)
        });
        behind.collect()
    }

    fn carry_out_again(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        behind: Vec<(Stamp, OpBytes)>,
    ) {
        for (stamp, bytes) in behind.into_iter().rev() {
            // Every operation here was decoded before.
            if let Ok(op) = Op::decode(&bytes) {
                let undo = live.apply(ground, stamp, op);
                let op = bytes;
                self.log.push_back(Logged { stamp, op, undo });
            }
        }
    }

    /// Everything at or before `cut` is deleted at that moment.
    pub fn cut(&mut self, live: &mut Live, ground: &Ground<'_>, cut: Stamp) {
        let is_before = |stamp| ground.origins.compare(stamp, cut) != Ordering::Greater;
        if is_before(self.floor) && self.floor != cut {
            let from = self
                .log
                .iter()
                .take_while(|logged| is_before(logged.stamp))
                .count();
            let behind = self.take_back(live, ground, from);
            self.log.clear();
            *live = Live {
                value: None,
                written: cut.time(),
            };
            self.floor = cut;
            self.carry_out_again(live, ground, behind);
        }
    }

    /// Nothing up to `settled` can be overtaken any more. What is shown stays.
    pub fn settle(&mut self, settled: Hlc) {
        let is_settled = |logged: &&Logged| logged.stamp.time() <= settled;
        let count = self.log.iter().take_while(is_settled).count();
        if let Some(last) = self.log.drain(..count).next_back() {
            self.floor = last.stamp;
        }
    }

    /// Says that what is shown reflects everything up to `stamp`.
    pub fn raise_floor(&mut self, origins: &Origins, stamp: Stamp) {
        if origins.compare(stamp, self.floor) == Ordering::Greater {
            self.floor = stamp;
        }
    }

    /// Shows the state as it was at `floor` and the operations since then in stamp order, as long as `look` takes.
    pub fn with_base<R>(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        look: impl FnOnce(&Live, &mut dyn ExactSizeIterator<Item = (Stamp, &[u8])>) -> R,
    ) -> R {
        let behind = self.take_back(live, ground, 0);
        let mut ops = behind.iter().rev().map(|(stamp, op)| (*stamp, &op[..]));
        let result = look(live, &mut ops);
        self.carry_out_again(live, ground, behind);
        result
    }

    /// Takes all operations back; gives them in stamp order.
    pub fn into_ops(mut self, live: &mut Live, ground: &Ground<'_>) -> Vec<(Stamp, OpBytes)> {
        let mut ops = self.take_back(live, ground, 0);
        ops.reverse();
        ops
    }
}

/// An operation's bytes, without an allocation that is kept where they are few.
fn bytes_of(op: Op<'_>) -> OpBytes {
    let mut bytes = Vec::with_capacity(32);
    op.encode(&mut bytes);
    if bytes.len() <= OpBytes::new().inline_size() {
        OpBytes::from_slice(&bytes)
    } else {
        bytes.shrink_to_fit();
        OpBytes::from_vec(bytes)
    }
}

#[cfg(test)]
mod tests;
