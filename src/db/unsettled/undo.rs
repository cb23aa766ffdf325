//! Operations of strings, taken back.
//!
//! Invariant: after [`Reversible::undo`] a key holds what it held before the operation, its deadline and its time of writing too;
//! of a long string an undo keeps only what was written over.

use crate::db::far;
use crate::db::history::Reversible;
use crate::db::op::{self, Change, Op, State};
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::unsettled::{Live, OpBytes, Value};

/// What takes an operation on a string back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    written: Hlc,
    change: Changed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Changed {
    Nothing,
    /// The string was so long, and this stood from an offset on.
    Bytes(usize, usize, OpBytes),
    Deadline(Option<UnixMillis>),
    Whole(Option<Value>),
}

impl Live {
    /// Writes into the string or behind it, where an operation does that.
    fn write(&mut self, op: Op<'_>, at: UnixMillis) -> Option<Changed> {
        let value = self
            .value
            .as_mut()
            .filter(|value| !op::is_expired(value.deadline, at))?;
        let len = value.bytes.len();
        if !op.writes() || op::grown_len(op, len).is_none() {
            return None;
        }
        let (from, to) = op::written_range(op, len);
        let old = OpBytes::from_slice(value.bytes.get(from..to.min(len)).unwrap_or_default());
        far::write(op, &mut value.bytes).then_some(Changed::Bytes(len, from, old))
    }

    fn change(&mut self, stamp: Stamp, op: Op<'_>) -> Changed {
        let at = stamp.time().millis();
        if let Some(changed) = self.write(op, at) {
            return changed;
        }
        let state = self.value.as_ref().map(|value| State {
            value: &value.bytes,
            deadline: value.deadline,
            written: self.written,
        });
        let whole = |bytes: &[u8], deadline| {
            let bytes = bytes.to_vec();
            Some(Value { bytes, deadline })
        };
        let new = match op::step(state, op, at) {
            Change::Nothing => return Changed::Nothing,
            Change::Remove => None,
            Change::Put(bytes, deadline) => whole(bytes, deadline),
            Change::Import(bytes, deadline, original) => {
                self.written = original;
                whole(bytes, deadline)
            }
            Change::Compute(bytes, deadline) => {
                let bytes = bytes.into_vec();
                Some(Value { bytes, deadline })
            }
            Change::Deadline(deadline) => {
                let Some(value) = &mut self.value else {
                    return Changed::Nothing;
                };
                return Changed::Deadline(std::mem::replace(&mut value.deadline, deadline));
            }
        };
        Changed::Whole(std::mem::replace(&mut self.value, new))
    }
}

impl Reversible for Live {
    type Undo = Undo;

    fn apply(&mut self, stamp: Stamp, op: &[u8]) -> Undo {
        let written = self.written;
        let Ok(op) = Op::decode(op) else {
            let change = Changed::Nothing;
            return Undo { written, change };
        };
        let change = self.change(stamp, op);
        if !op.is_import() {
            self.written = stamp.time();
        }
        Undo { written, change }
    }

    fn undo(&mut self, undo: Undo) {
        self.written = undo.written;
        match (undo.change, &mut self.value) {
            (Changed::Whole(value), _) => self.value = value,
            (Changed::Bytes(len, from, old), Some(value)) => {
                value.bytes.truncate(len);
                if let Some(place) = value.bytes.get_mut(from..from + old.len()) {
                    place.copy_from_slice(&old);
                }
            }
            (Changed::Deadline(deadline), Some(value)) => value.deadline = deadline,
            (Changed::Nothing | Changed::Bytes(..) | Changed::Deadline(_), _) => {}
        }
    }

    fn dominates(op: &[u8]) -> bool {
        Op::decode(op).is_ok_and(|op| op.dominates())
    }

    fn clear(&mut self, stamp: Stamp) -> Undo {
        let written = std::mem::replace(&mut self.written, stamp.time());
        let change = Changed::Whole(self.value.take());
        Undo { written, change }
    }
}
