//! A base that is not copied: of a long string that only gets longer, it is the beginning of what the key shows.
//!
//! Invariant: while a base is lent, what the key shows lies apart from its head and begins with the base's string; no operation
//! over it writes into that beginning or finds that its time had come. Whoever is about to change that takes a copy first,
//! with [`Unsettled::own_base`].

use crate::db::far;
use crate::db::op::{self, Op};
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::unsettled::{Live, Unsettled, Value};

impl Unsettled {
    /// Over what a settled record shows, which lends it.
    pub fn lent(record: &Record, stamp: Stamp) -> Self {
        let base = Live {
            value: Some(Value {
                bytes: Vec::new(),
                deadline: record.deadline(),
            }),
            written: record.original().unwrap_or(stamp.time()),
        };
        Self {
            lent: Some(record.value().len()),
            ..Self::new(base, stamp)
        }
    }

    /// Whether the base is lent.
    pub fn is_lent(&self) -> bool {
        self.lent.is_some()
    }

    /// The base's string, empty where there is none.
    pub fn base_bytes<'a>(&'a self, shown: &'a [u8]) -> &'a [u8] {
        match (self.lent, &self.base.value) {
            (Some(len), _) => shown.get(..len).unwrap_or_default(),
            (None, Some(value)) => &value.bytes,
            (None, None) => &[],
        }
    }

    /// From now on the base is a string of its own.
    pub fn own_base(&mut self, shown: &[u8]) {
        if self.is_lent() {
            let bytes = self.base_bytes(shown).to_vec();
            self.lent = None;
            if let Some(value) = &mut self.base.value {
                value.bytes = bytes;
            }
        }
    }

    /// A copy whose base is a string of its own.
    #[must_use]
    pub fn whole(&self, shown: &[u8]) -> Self {
        let mut whole = self.clone();
        whole.own_base(shown);
        whole
    }

    /// Whether an operation leaves a lent base as it is; true where none is lent.
    pub fn leaves_base(&self, op: Op<'_>) -> bool {
        self.lent.is_none_or(|len| op.leaves_first(len))
    }

    /// Replays everything over the string that lends the base, which begins with it; says which deadline that ends with. None
    /// where an operation would write into the base, or come after its time: then nothing has changed.
    pub fn replay_lent(&self, shown: &mut Vec<u8>) -> Option<Option<UnixMillis>> {
        let len = self.lent.filter(|len| *len <= shown.len())?;
        let mut deadline = self.base.value.as_ref()?.deadline;
        for (stamp, bytes) in self.ops() {
            let op = Op::decode(bytes).ok()?;
            if !op.leaves_first(len) || op::is_expired(deadline, stamp.time().millis()) {
                return None;
            }
            if let Op::Expire(until) = op {
                deadline = until;
            }
        }
        shown.truncate(len);
        for op in self.ops().filter_map(|(_, bytes)| Op::decode(bytes).ok()) {
            far::write(op, shown);
        }
        Some(deadline)
    }

    /// Folds a lent base, unless what comes after `settled` writes into what it would become; says whether it could.
    pub(super) fn fold_lent(&mut self, settled: Hlc) -> bool {
        let (Some(mut len), Some(base)) = (self.lent, &self.base.value) else {
            return false;
        };
        let mut deadline = base.deadline;
        let due = |stamp: Stamp| stamp.time() <= settled;
        let count = self.ops.iter().take_while(|(stamp, _)| due(*stamp)).count();
        for (nth, (_, bytes)) in self.ops.iter().enumerate() {
            match Op::decode(bytes) {
                Ok(op) if nth >= count && !op.leaves_first(len) => return false,
                Ok(Op::Expire(until)) if nth < count => deadline = until,
                Ok(op) if nth < count => len = op::grown_len(op, len).unwrap_or(len),
                _ => {}
            }
        }
        let last = self.ops.drain(..count).next_back().map(|(stamp, _)| stamp);
        if let Some(stamp) = last {
            (self.base_stamp, self.base.written) = (stamp, stamp.time());
            self.base.value = Some(Value {
                bytes: Vec::new(),
                deadline,
            });
            self.lent = Some(len);
            self.recount();
        }
        true
    }
}
