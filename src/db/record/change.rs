//! What of a record may change where it lies, without laying it out anew.
//!
//! Invariant: what comes of it equals the record laid out anew, but for the room behind a long value.

use smallvec::SmallVec;

use crate::db::body::{Body, Form, Shown};
use crate::db::far;
use crate::db::op::{self, Op};
use crate::db::record::{
    FIELDS, Fresh, HAS_DEADLINE, HAS_ORIGINAL, HAS_STAMP, MERGE_MARK, Meta, Place, Record, Records,
    TOMBSTONE, TYPED, UNSETTLED, fields_of, flags_of, laid_out,
};
use crate::db::stamp::{Stamp, UnixMillis};

/// Bytes of a record, kept while it is laid out anew.
type Kept = SmallVec<[u8; 128]>;

/// One key, to be changed; its key stays.
#[derive(Debug)]
pub struct RecordMut<'r> {
    pub(in crate::db) records: &'r mut Records,
    pub(in crate::db) place: &'r mut Place,
}

impl RecordMut<'_> {
    /// As it is now.
    #[inline]
    pub fn get(&self) -> Record<'_> {
        self.records.get(*self.place)
    }

    #[inline]
    fn head_mut(&mut self) -> &mut [u8] {
        self.records.head_mut(*self.place)
    }

    fn set_flag(&mut self, flag: u8, is_set: bool) {
        let flags = &mut self.head_mut()[0];
        *flags = if is_set {
            *flags | flag
        } else {
            *flags & !flag
        };
    }

    /// Sets or clears the merge mark.
    pub fn set_merge_mark(&mut self, mark: bool) {
        self.set_flag(MERGE_MARK, mark);
    }

    /// Sets or clears "unsettled".
    pub fn set_unsettled(&mut self, unsettled: bool) {
        self.set_flag(UNSETTLED, unsettled);
    }

    /// Says this beside key and value from now on; the value is not copied where it lies elsewhere.
    pub fn set_meta(&mut self, meta: &Meta) {
        let record = self.get();
        if (flags_of(meta) ^ record.flags()) & FIELDS == 0 {
            let at = record.layout().0;
            let head = self.head_mut();
            head[0] = flags_of(meta) | head[0] & TYPED;
            put_fields(&mut head[at..], meta);
            return;
        }
        if record.is_far() {
            let head = laid_out(record.key(), None, b"", meta);
            if let Some(far) = self.records.far_mut(*self.place) {
                far.head = head;
            }
            return;
        }
        let (form, value) = match record.shown() {
            Shown::Small(form, value) => (Some(form), Kept::from_slice(value)),
            Shown::String(value) => (None, Kept::from_slice(value)),
            Shown::Large(_) => return,
        };
        self.lay_anew(Fresh::Bytes(form, &value), meta);
    }

    /// Another record with the same key.
    fn lay_anew(&mut self, value: Fresh<'_>, meta: &Meta) {
        let key = Kept::from_slice(self.get().key());
        self.records.remove(*self.place);
        *self.place = self.records.add(&key, value, meta);
    }

    /// Writes over value and fields where they keep their sizes, and leave no room behind the value; says whether it could.
    #[inline]
    pub fn overwrite(
        &mut self,
        value: &[u8],
        stamp: Option<Stamp>,
        deadline: Option<UnixMillis>,
    ) -> bool {
        let record = self.get();
        let flags = record.flags();
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE | UNSETTLED | TYPED) == 0
            && (flags & HAS_STAMP != 0) == stamp.is_some()
            && (flags & HAS_DEADLINE != 0) == deadline.is_some();
        if !fits {
            return false;
        }
        let (mut at, key_len) = record.layout();
        let key_end = at + record.fields_len() + key_len;
        let (head, place) = if record.is_far() {
            match self.records.far_mut(*self.place) {
                Some(far) if far.spare() == 0 => match &mut far.body {
                    Body::String(value) => (&mut far.head[..], &mut value[..]),
                    _ => return false,
                },
                _ => return false,
            }
        } else {
            self.head_mut().split_at_mut(key_end)
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

    /// Carries out an operation that writes into the string or behind it, in plain manner, where that keeps its size or it has
    /// room of its own; says whether it could. Long strings are not copied for one bit.
    pub fn write_within(&mut self, op: Op<'_>, now: UnixMillis) -> bool {
        let record = self.get();
        let fits = record.flags() & (HAS_ORIGINAL | TOMBSTONE | TYPED | HAS_STAMP) == 0
            && !op::is_expired(record.deadline(), now);
        if !fits {
            return false;
        }
        let (at, key_len) = record.layout();
        let key_end = at + record.fields_len() + key_len;
        if let Some(far) = self.records.far_mut(*self.place) {
            return match &mut far.body {
                Body::String(value) => far::write(op, value),
                _ => false,
            };
        }
        let value = &mut self.head_mut()[key_end..];
        let keeps_size = op::written_len(op, value.len()) == Some(value.len());
        if keeps_size {
            op::write_within(op, value);
        }
        keeps_size
    }

    /// A large collection where it lies, and its key's deadline untouched: in plain manner, where no member of it has a deadline.
    #[inline]
    pub(in crate::db) fn large_mut(&mut self, now: UnixMillis) -> Option<&mut Body> {
        let record = self.get();
        let is_plain = record.flags() & (HAS_ORIGINAL | TOMBSTONE | HAS_STAMP | UNSETTLED) == 0;
        if !is_plain || op::is_expired(record.deadline(), now) {
            return None;
        }
        let far = self.records.far_mut(*self.place)?;
        matches!(far.body, Body::Large(_)).then_some(&mut far.body)
    }

    /// Takes the value out and leaves an empty string; one that lies within is copied to `room`.
    pub(in crate::db) fn take_body(&mut self, mut room: Vec<u8>) -> Body {
        if let Some(far) = self.records.far_mut(*self.place) {
            return std::mem::replace(&mut far.body, Body::String(Vec::new()));
        }
        room.clear();
        match self.get().shown() {
            Shown::Small(form, bytes) => {
                room.extend_from_slice(bytes);
                Body::Small(form, room)
            }
            Shown::String(bytes) => {
                room.extend_from_slice(bytes);
                Body::String(room)
            }
            Shown::Large(_) => Body::String(room),
        }
    }

    /// Shows this from now on; gives the room back that a value which now lies within had.
    pub(in crate::db) fn set_body(&mut self, body: Body, meta: &Meta) -> Vec<u8> {
        let mut kept = Vec::new();
        let fresh = Fresh::of(body, &mut kept);
        self.set(fresh, meta);
        kept
    }

    /// Shows this from now on.
    pub(in crate::db) fn set(&mut self, value: Fresh<'_>, meta: &Meta) {
        match value {
            Fresh::Far(body) => match self.records.far_mut(*self.place) {
                Some(far) => {
                    far.body = body;
                    self.set_meta(meta);
                }
                None => self.lay_anew(Fresh::Far(body), meta),
            },
            Fresh::Bytes(form, bytes) => {
                if !self.overlay(form, bytes, meta) {
                    self.lay_anew(Fresh::Bytes(form, bytes), meta);
                }
            }
        }
    }

    /// Writes value and fields over those that are there, where all have their sizes.
    fn overlay(&mut self, form: Option<Form>, value: &[u8], meta: &Meta) -> bool {
        let typed = if form.is_some() { TYPED } else { 0 };
        let flags = flags_of(meta) | typed;
        let record = self.get();
        let (at, key_len) = record.layout();
        let value_at = at + record.fields_len() + key_len;
        let form_len = usize::from(form.is_some());
        if record.is_far()
            || (flags ^ record.flags()) & (FIELDS | TYPED) != 0
            || record.head.len() != value_at + form_len + value.len()
        {
            return false;
        }
        let bytes = self.head_mut();
        bytes[0] = flags;
        put_fields(&mut bytes[at..], meta);
        let place = &mut bytes[value_at..];
        if let Some(form) = form {
            place[0] = form as u8;
        }
        place[form_len..].copy_from_slice(value);
        true
    }

    /// Gives the room behind the value back, unless that takes too long.
    pub(in crate::db) fn give_back(&mut self) {
        if let Some(far) = self.records.far_mut(*self.place) {
            far.give_back();
        }
    }
}

/// Writes the fields that there are over those that are there.
fn put_fields(place: &mut [u8], meta: &Meta) {
    for (place, raw) in place.chunks_exact_mut(8).zip(fields_of(meta)) {
        place.copy_from_slice(&raw);
    }
}
