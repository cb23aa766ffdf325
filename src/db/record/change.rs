//! What of a record may change where it lies, without laying it out anew.
//!
//! Invariant: what comes of it equals the record laid out anew, but for the room behind a long value.

use crate::db::far;
use crate::db::op::{self, Op};
use crate::db::record::{
    FIELDS, HAS_DEADLINE, HAS_ORIGINAL, HAS_STAMP, Kind, MERGE_MARK, Meta, Record, TOMBSTONE,
    UNSETTLED, fields_of, flags_of, laid_out,
};
use crate::db::stamp::{Stamp, UnixMillis};

impl Record {
    #[inline]
    fn head_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Kind::Near(bytes) => bytes,
            Kind::Far(far) => &mut far.head,
        }
    }

    /// Sets or clears the merge mark.
    pub fn set_merge_mark(&mut self, mark: bool) {
        if mark {
            self.head_mut()[0] |= MERGE_MARK;
        } else {
            self.head_mut()[0] &= !MERGE_MARK;
        }
    }

    /// Sets or clears "unsettled".
    pub fn set_unsettled(&mut self, unsettled: bool) {
        if unsettled {
            self.head_mut()[0] |= UNSETTLED;
        } else {
            self.head_mut()[0] &= !UNSETTLED;
        }
    }

    /// Says this beside key and value from now on; the value is not copied where it lies elsewhere.
    pub fn set_meta(&mut self, meta: &Meta) {
        if (flags_of(meta) ^ self.flags()) & FIELDS == 0 {
            let at = self.layout().0;
            let head = self.head_mut();
            head[0] = flags_of(meta);
            for (place, raw) in head[at..].chunks_exact_mut(8).zip(fields_of(meta)) {
                place.copy_from_slice(&raw);
            }
            return;
        }
        let head = match &self.0 {
            Kind::Near(_) => laid_out(self.key(), self.value(), meta),
            Kind::Far(_) => laid_out(self.key(), b"", meta),
        };
        match &mut self.0 {
            Kind::Near(bytes) => *bytes = head,
            Kind::Far(far) => far.head = head,
        }
    }

    /// Writes over value and fields where they keep their sizes, and leave no room behind the value; says whether it could.
    #[inline]
    pub fn overwrite(
        &mut self,
        value: &[u8],
        stamp: Option<Stamp>,
        deadline: Option<UnixMillis>,
    ) -> bool {
        let flags = self.flags();
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE | UNSETTLED) == 0
            && (flags & HAS_STAMP != 0) == stamp.is_some()
            && (flags & HAS_DEADLINE != 0) == deadline.is_some();
        if !fits {
            return false;
        }
        let (mut at, key_len) = self.layout();
        let key_end = at + self.fields_len() + key_len;
        let (head, place) = match &mut self.0 {
            Kind::Near(bytes) => bytes.split_at_mut(key_end),
            Kind::Far(far) if far.spare() > 0 => return false,
            Kind::Far(far) => (&mut far.head[..], &mut far.value[..]),
        };
        if place.len() != value.len() {
            return false;
        }
        if let Some(stamp) = stamp {
            head[at..at + 8].copy_from_slice(&stamp.raw().to_le_bytes());
            at += 8;
        }
        if let Some(deadline) = deadline {
            head[at..at + 8].copy_from_slice(&deadline.0.to_le_bytes());
        }
        place.copy_from_slice(value);
        true
    }

    /// Carries out an operation that writes into the value or behind it, under this stamp where the record bears one, where that
    /// keeps the value's size or the value has room of its own; says whether it could. Long strings are not copied for one bit.
    pub fn write_within(&mut self, op: Op<'_>, stamp: Option<Stamp>, now: UnixMillis) -> bool {
        let flags = self.flags();
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE) == 0
            && (flags & HAS_STAMP != 0) == stamp.is_some()
            && !op::is_expired(self.deadline(), now);
        if !fits {
            return false;
        }
        let (at, key_len) = self.layout();
        let key_end = at + self.fields_len() + key_len;
        match &mut self.0 {
            Kind::Near(bytes) => {
                let value = &mut bytes[key_end..];
                if op::written_len(op, value.len()) != Some(value.len()) {
                    return false;
                }
                op::write_within(op, value);
            }
            Kind::Far(far) => {
                if !far::write(op, &mut far.value) {
                    return false;
                }
            }
        }
        if let Some(stamp) = stamp {
            self.head_mut()[at..at + 8].copy_from_slice(&stamp.raw().to_le_bytes());
        }
        true
    }

    /// A value that lies elsewhere, to change as long as it stays long.
    pub(in crate::db) fn far_value(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.0 {
            Kind::Near(_) => None,
            Kind::Far(far) => Some(&mut far.value),
        }
    }

    /// Takes the value out and leaves an empty one.
    pub(in crate::db) fn take_value(&mut self) -> Vec<u8> {
        let (head, value) = match &mut self.0 {
            Kind::Near(_) => {
                let head = laid_out(self.key(), b"", &self.meta());
                (head, self.value().to_vec())
            }
            Kind::Far(far) => (
                std::mem::take(&mut far.head),
                std::mem::take(&mut far.value),
            ),
        };
        self.0 = Kind::Near(head);
        value
    }

    /// Gives the room behind the value back, unless that takes too long.
    pub(in crate::db) fn give_back(&mut self) {
        if let Kind::Far(far) = &mut self.0 {
            far.give_back();
        }
    }
}
