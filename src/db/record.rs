//! One key at rest: how its bytes are laid out, and what is read of them.
//!
//! ```text
//! flags 1 | key length varint | [stamp u64] | [deadline i64] | [original time u64] | key | [form 1] | value
//! ```
//! The bracketed parts are there only where their flag is set, so that a server without masters pays for none of them, and a
//! string not for its type. A tombstone has a stamp and no value. "Unsettled" says that the key has a history.
//!
//! Where a value is long, or a large collection, the record is a head that ends with the key, and the value lies elsewhere (see
//! [`far`]). Which of the two kinds a record is depends on its value alone: on the length of a string or of a small collection,
//! and on whether members of it have deadlines. Where a record lies is said in [`store`].

#[cfg(test)]
pub(in crate::db) mod alone;
mod change;
mod store;

pub use change::RecordMut;
pub(in crate::db) use store::{Place, Records};

use crate::db::body::{Body, Form, Shown};
use crate::db::deadlines::{Deadlines, Whole};
use crate::db::far::{self, Far};
use crate::db::op;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};

/// A line of the processor's cache.
const LINE_LEN: usize = 64;
const HAS_STAMP: u8 = 1;
const HAS_DEADLINE: u8 = 2;
const HAS_ORIGINAL: u8 = 4;
const TOMBSTONE: u8 = 8;
const UNSETTLED: u8 = 16;
const MERGE_MARK: u8 = 32;
/// A small collection, whose form stands before its bytes.
const TYPED: u8 = 64;
/// Each of these has eight bytes of its own.
const FIELDS: u8 = HAS_STAMP | HAS_DEADLINE | HAS_ORIGINAL;

/// What a record says beside key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// The stamp of the last operation that the value shows; none where nothing is stamped.
    pub stamp: Option<Stamp>,
    /// When the key goes by itself.
    pub deadline: Option<UnixMillis>,
    /// For an imported value, when it was written before its import.
    pub original: Option<Hlc>,
    /// No value: the key was deleted and the delete is not yet settled.
    pub tombstone: bool,
    /// Operations of this key wait in the table of unsettled operations.
    pub unsettled: bool,
    /// Set to the partition's parity when a state merge has dealt with the key.
    pub merge_mark: bool,
}

/// One key, its value and what goes with them, where they lie.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// All of it, or what stands before a value that lies elsewhere.
    head: &'r [u8],
    far: Option<&'r Far>,
}

/// A value for a record, and whether it is copied there or taken over.
#[derive(Debug)]
pub(in crate::db) enum Fresh<'v> {
    /// A string, or the bytes of a small collection, to be copied.
    Bytes(Option<Form>, &'v [u8]),
    /// One that lies elsewhere.
    Far(Body),
}

impl<'v> Fresh<'v> {
    /// A string.
    pub fn string(value: &'v [u8]) -> Self {
        if far::is_far(value.len()) {
            return Self::Far(Body::String(value.to_vec()));
        }
        Self::Bytes(None, value)
    }

    /// Any value: those that lie within their records are left in `kept`.
    pub fn of(body: Body, kept: &'v mut Vec<u8>) -> Self {
        let (form, bytes) = match body {
            Body::String(bytes) if !far::is_far(bytes.len()) => (None, bytes),
            Body::Small(form, bytes) if !far::is_far(bytes.len()) => (Some(form), bytes),
            body => return Self::Far(body),
        };
        *kept = bytes;
        Self::Bytes(form, kept)
    }

    /// When the first member goes by itself, or is to be cleared away; none where no member has a deadline.
    pub fn member_deadline(&self) -> Option<UnixMillis> {
        match self {
            Self::Bytes(..) => None,
            Self::Far(body) => body.deadlines().and_then(Deadlines::first_kept),
        }
    }

    /// Whether there will be room behind the value.
    pub fn has_spare(&self) -> bool {
        matches!(self, Self::Far(body) if body.spare() > 0)
    }
}

impl<'r> Record<'r> {
    /// Reads the lines that flags and key lie in; always true, but the compiler cannot know that.
    #[inline]
    pub fn touch(self) -> bool {
        let head = self.head;
        let last = head.len().min(LINE_LEN) - 1;
        std::hint::black_box(head.get(last).copied());
        head.first() != Some(&u8::MAX)
    }

    /// Where the optional fields begin, and how long the key is.
    #[inline]
    fn layout(self) -> (usize, usize) {
        let head = self.head;
        let first = head[1];
        if first < 0x80 {
            return (2, usize::from(first));
        }
        let mut len = usize::from(first & 0x7f);
        let mut at = 2;
        let mut shift = 7;
        loop {
            let byte = head[at];
            at += 1;
            len |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (at, len);
            }
            shift += 7;
        }
    }

    #[inline]
    fn flags(self) -> u8 {
        self.head[0]
    }

    #[inline]
    fn fields_len(self) -> usize {
        8 * (self.flags() & FIELDS).count_ones() as usize
    }

    /// The key.
    #[inline]
    pub fn key(self) -> &'r [u8] {
        let (at, len) = self.layout();
        let start = at + self.fields_len();
        &self.head[start..start + len]
    }

    /// What the key shows; an empty string for a tombstone.
    #[inline]
    pub fn shown(self) -> Shown<'r> {
        if let Some(far) = self.far {
            return far.body.shown();
        }
        let (at, len) = self.layout();
        let value = &self.head[at + self.fields_len() + len..];
        if self.flags() & TYPED == 0 {
            return Shown::String(value);
        }
        match value.split_first() {
            Some((&form, rest)) => Shown::Small(Form::from_byte(form), rest),
            None => Shown::String(value),
        }
    }

    /// Whether it shows a job.
    #[inline]
    pub fn is_job(self) -> bool {
        match self.far {
            Some(far) => matches!(far.body, Body::Small(Form::Job, _)),
            None if self.flags() & TYPED == 0 => false,
            None => matches!(self.shown(), Shown::Small(Form::Job, _)),
        }
    }

    /// When members of the value go by themselves; none where no member has a deadline.
    #[inline]
    pub fn member_deadlines(self) -> Option<&'r Deadlines> {
        self.far.and_then(|far| far.body.deadlines())
    }

    /// All of the value.
    pub fn whole(self) -> Whole<'r> {
        Whole {
            shown: self.shown(),
            deadlines: self.member_deadlines(),
        }
    }

    /// Whether nothing is shown at `now`: deleted, past its deadline, or all its members past theirs.
    pub fn is_gone(self, now: UnixMillis) -> bool {
        let are_all_gone = |deadlines: &Deadlines| {
            deadlines.kept_len() == self.shown().len()
                && deadlines.last().is_some_and(|last| last <= now)
        };
        self.is_tombstone()
            || op::is_expired(self.deadline(), now)
            || self.member_deadlines().is_some_and(are_all_gone)
    }

    fn field(self, flag: u8) -> Option<u64> {
        let flags = self.flags();
        if flags & flag == 0 {
            return None;
        }
        let before = (flags & (flag - 1) & FIELDS).count_ones() as usize;
        let start = self.layout().0 + 8 * before;
        let mut raw = [0; 8];
        raw.copy_from_slice(&self.head[start..start + 8]);
        Some(u64::from_le_bytes(raw))
    }

    /// The stamp of the last operation shown.
    #[inline]
    pub fn stamp(self) -> Option<Stamp> {
        self.field(HAS_STAMP).map(Stamp::from_raw)
    }

    /// The deadline.
    #[inline]
    pub fn deadline(self) -> Option<UnixMillis> {
        if self.flags() & HAS_DEADLINE == 0 {
            return None;
        }
        self.field(HAS_DEADLINE).map(|raw| UnixMillis(raw as i64))
    }

    /// The original time of an imported value.
    pub fn original(self) -> Option<Hlc> {
        self.field(HAS_ORIGINAL).map(Hlc::from_raw)
    }

    /// Whether the key is deleted.
    #[inline]
    pub fn is_tombstone(self) -> bool {
        self.flags() & TOMBSTONE != 0
    }

    /// Whether operations wait beside the table.
    #[inline]
    pub fn is_unsettled(self) -> bool {
        self.flags() & UNSETTLED != 0
    }

    /// The merge mark.
    pub fn merge_mark(self) -> bool {
        self.flags() & MERGE_MARK != 0
    }

    /// All that is said beside key and value.
    pub fn meta(self) -> Meta {
        Meta {
            stamp: self.stamp(),
            deadline: self.deadline(),
            original: self.original(),
            tombstone: self.is_tombstone(),
            unsettled: self.is_unsettled(),
            merge_mark: self.merge_mark(),
        }
    }

    /// Whether the value lies elsewhere.
    pub fn is_far(self) -> bool {
        self.far.is_some()
    }

    /// Room behind the value.
    pub fn spare(self) -> usize {
        self.far.map_or(0, Far::spare)
    }

    /// Bytes of this record, without what finds it.
    #[inline]
    pub fn len_bytes(self) -> usize {
        self.far.map_or(self.head.len(), Far::len_bytes)
    }
}

fn flags_of(meta: &Meta) -> u8 {
    let flag = |is_set, flag| if is_set { flag } else { 0 };
    flag(meta.stamp.is_some(), HAS_STAMP)
        | flag(meta.deadline.is_some(), HAS_DEADLINE)
        | flag(meta.original.is_some(), HAS_ORIGINAL)
        | flag(meta.tombstone, TOMBSTONE)
        | flag(meta.unsettled, UNSETTLED)
        | flag(meta.merge_mark, MERGE_MARK)
}

fn fields_of(meta: &Meta) -> impl Iterator<Item = [u8; 8]> {
    let stamp = meta.stamp.map(|stamp| stamp.raw().to_le_bytes());
    let deadline = meta.deadline.map(|deadline| deadline.0.to_le_bytes());
    let original = meta.original.map(|original| original.raw().to_le_bytes());
    [stamp, deadline, original].into_iter().flatten()
}

/// How many bytes [`lay_out`] appends.
fn laid_len(key: &[u8], form: Option<Form>, value: &[u8], meta: &Meta) -> usize {
    let fields = (flags_of(meta) & FIELDS).count_ones() as usize;
    let varint_len = crate::db::varint::len(key.len() as u64);
    1 + varint_len + 8 * fields + key.len() + usize::from(form.is_some()) + value.len()
}

/// Appends a record's bytes.
fn lay_out(out: &mut Vec<u8>, key: &[u8], form: Option<Form>, value: &[u8], meta: &Meta) {
    out.push(flags_of(meta) | if form.is_some() { TYPED } else { 0 });
    crate::db::varint::put(out, key.len() as u64);
    fields_of(meta).for_each(|raw| out.extend_from_slice(&raw));
    out.extend_from_slice(key);
    if let Some(form) = form {
        out.push(form as u8);
    }
    out.extend_from_slice(value);
}

/// The bytes of a record on their own.
fn laid_out(key: &[u8], form: Option<Form>, value: &[u8], meta: &Meta) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(laid_len(key, form, value, meta));
    lay_out(&mut bytes, key, form, value, meta);
    bytes.into_boxed_slice()
}

#[cfg(test)]
mod tests;
