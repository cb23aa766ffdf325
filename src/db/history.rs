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

use crate::db::origin::Origins;
use crate::db::stamp::{Hlc, Stamp};
use crate::db::unsettled::OpBytes;

/// A state whose operations can be taken back.
pub trait Reversible {
    /// What takes one operation back.
    type Undo;

    /// Carries out an operation, see [`crate::db::Op::encode`]. It may have no effect; the same of the same state always has the
    /// same.
    fn apply(&mut self, stamp: Stamp, op: &[u8]) -> Self::Undo;

    /// Takes back the last operation that was carried out and not taken back.
    fn undo(&mut self, undo: Self::Undo);

    /// Whether nothing that came before an operation can show through.
    fn dominates(op: &[u8]) -> bool;

    /// Becomes what it was before there was anything, as of this moment; what it was goes to the undo.
    fn clear(&mut self, stamp: Stamp) -> Self::Undo;
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Logged<U> {
    stamp: Stamp,
    op: OpBytes,
    undo: U,
}

/// See the head of the file. `U` is the undo of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<U> {
    floor: Stamp,
    log: VecDeque<Logged<U>>,
}

/// Where an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Behind all others.
    Last,
    /// Before so many others, which were carried out again.
    Before(usize),
    /// It is there already, or what is shown says all that it could.
    Known,
}

impl<U> History<U> {
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

    /// Puts an operation in its place and shows what it comes to.
    pub fn insert<S: Reversible<Undo = U>>(
        &mut self,
        state: &mut S,
        origins: &Origins,
        stamp: Stamp,
        op: &[u8],
    ) -> Placing {
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
        let behind = self.take_back(state, at);
        if S::dominates(op) {
            // What is dropped here can be taken back no more, and need not be.
            self.log.clear();
            state.apply(stamp, op);
            self.floor = stamp;
        } else {
            self.carry_out(state, stamp, OpBytes::from_slice(op));
        }
        let overtaken = behind.len();
        self.carry_out_again(state, behind);
        match overtaken {
            0 => Placing::Last,
            count => Placing::Before(count),
        }
    }

    fn carry_out<S: Reversible<Undo = U>>(&mut self, state: &mut S, stamp: Stamp, op: OpBytes) {
        let undo = state.apply(stamp, &op);
        self.log.push_back(Logged { stamp, op, undo });
    }

    /// Takes back all operations from this one on; the last comes first.
    fn take_back<S: Reversible<Undo = U>>(
        &mut self,
        state: &mut S,
        from: usize,
    ) -> Vec<(Stamp, OpBytes)> {
        let behind = self.log.drain(from..).rev().map(|logged| {
            state.undo(logged.undo);
            (logged.stamp, logged.op)
        });
        behind.collect()
    }

    fn carry_out_again<S: Reversible<Undo = U>>(
        &mut self,
        state: &mut S,
        behind: Vec<(Stamp, OpBytes)>,
    ) {
        for (stamp, op) in behind.into_iter().rev() {
            self.carry_out(state, stamp, op);
        }
    }

    /// Everything at or before `cut` is deleted at that moment.
    pub fn cut<S: Reversible<Undo = U>>(&mut self, state: &mut S, origins: &Origins, cut: Stamp) {
        if origins.compare(cut, self.floor) != Ordering::Greater {
            return;
        }
        let is_before =
            |logged: &Logged<U>| origins.compare(logged.stamp, cut) != Ordering::Greater;
        let from = self
            .log
            .iter()
            .take_while(|logged| is_before(logged))
            .count();
        let behind = self.take_back(state, from);
        self.log.clear();
        state.clear(cut);
        self.floor = cut;
        self.carry_out_again(state, behind);
    }

    /// Nothing up to `settled` can be overtaken any more; says how many operations that is news of. What is shown stays.
    pub fn settle(&mut self, settled: Hlc) -> usize {
        let is_settled = |logged: &&Logged<U>| logged.stamp.time() <= settled;
        let count = self.log.iter().take_while(is_settled).count();
        if let Some(last) = self.log.drain(..count).next_back() {
            self.floor = last.stamp;
        }
        count
    }

    /// Says that what is shown reflects everything up to `stamp`.
    pub fn raise_floor(&mut self, origins: &Origins, stamp: Stamp) {
        if origins.compare(stamp, self.floor) == Ordering::Greater {
            self.floor = stamp;
        }
    }

    /// Shows the state as it was at `floor`, as long as `look` takes.
    pub fn with_base<S: Reversible<Undo = U>, R>(
        &mut self,
        state: &mut S,
        look: impl FnOnce(&S) -> R,
    ) -> R {
        let behind = self.take_back(state, 0);
        let result = look(state);
        self.carry_out_again(state, behind);
        result
    }
}

#[cfg(test)]
mod tests;
