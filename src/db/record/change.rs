//! What of a record may change where it lies, without laying it out anew.
//!
//! Invariant: what comes of it equals the record laid out anew, but for the room behind a long value.

use crate::db::body::{Body, Shown};
use crate::db::far;
use crate::db::op::{self, Op};
use crate::db::record::{
    FIELDS, HAS_DEADLINE, HAS_ORIGINAL, HAS_STAMP, Kind, MERGE_MARK, Meta, Record, TOMBSTONE,
    TYPED, UNSETTLED, fields_of, flags_of, laid_out,
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
            head[0] = flags_of(meta) | head[0] & TYPED;
            for (place, raw) in head[at..].chunks_exact_mut(8).zip(fields_of(meta)) {
                place.copy_from_slice(&raw);
            }
            return;
        }
        let head = match (&self.0, self.shown()) {
            (Kind::Near(_), Shown::String(value)) => laid_out(self.key(), None, value, meta),
            (Kind::Near(_), Shown::Small(form, value)) => {
                laid_out(self.key(), Some(form), value, meta)
            }
            _ => laid_out(self.key(), None, b"", meta),
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
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE | UNSETTLED | TYPED) == 0
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
            Kind::Far(far) => match &mut far.body {
                Body::String(value) => (&mut far.head[..], &mut value[..]),
                _ => return false,
            },
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
        let fits = self.flags() & (HAS_ORIGINAL | TOMBSTONE | TYPED | HAS_STAMP) == 0
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
                true
            }
            Kind::Far(far) => match &mut far.body {
                Body::String(value) => far::write(op, value),
                _ => false,
            },
        }
    }

    /// Takes the value out and leaves an empty string; one that lies within is copied to `room`.
    pub(in crate::db) fn take_body(&mut self, mut room: Vec<u8>) -> Body {
        if let Kind::Far(far) = &mut self.0 {
            return std::mem::replace(&mut far.body, Body::String(Vec::new()));
        }
        room.clear();
        match self.shown() {
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

    /// Shows this from now on, with the same key; gives the room back that a value which now lies within had.
    pub(in crate::db) fn set_body(&mut self, body: Body, meta: &Meta) -> Vec<u8> {
        let (form, bytes) = match body {
            Body::String(bytes) if !far::is_far(bytes.len()) => (None, bytes),
            Body::Small(form, bytes) if !far::is_far(bytes.len()) => (Some(form), bytes),
            body => {
                if let Kind::Far(far) = &mut self.0 {
                    far.body = body;
                    self.set_meta(meta);
                } else {
                    *self = Self::of(self.key(), body, meta);
                }
                return Vec::new();
            }
        };
        if !self.overlay(form.map(|form| form as u8), &bytes, meta) {
            self.0 = Kind::Near(laid_out(self.key(), form, &bytes, meta));
        }
        bytes
    }

    /// Writes value and fields over those that are there, where all have their sizes.
    fn overlay(&mut self, form: Option<u8>, value: &[u8], meta: &Meta) -> bool {
        let typed = if form.is_some() { TYPED } else { 0 };
        let flags = flags_of(meta) | typed;
        let (at, key_len) = self.layout();
        let value_at = at + self.fields_len() + key_len;
        let Kind::Near(bytes) = &mut self.0 else {
            return false;
        };
        let form_len = usize::from(form.is_some());
        if (flags ^ bytes[0]) & (FIELDS | TYPED) != 0
            || bytes.len() != value_at + form_len + value.len()
        {
            return false;
        }
        bytes[0] = flags;
        for (place, raw) in bytes[at..].chunks_exact_mut(8).zip(fields_of(meta)) {
            place.copy_from_slice(&raw);
        }
        let place = &mut bytes[value_at..];
        if let Some(form) = form {
            place[0] = form;
        }
        place[form_len..].copy_from_slice(value);
        true
    }

    /// Gives the room behind the value back, unless that takes too long.
    pub(in crate::db) fn give_back(&mut self) {
        if let Kind::Far(far) = &mut self.0 {
            far.give_back();
        }
    }
}
