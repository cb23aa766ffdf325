//! One key at rest: a single allocation without slack, or, where the value is long, a head and a value that may have room to grow.
//!
//! ```text
//! flags 1 | key length varint | [stamp u64] | [deadline i64] | [original time u64] | key | [form 1] | value
//! ```
//! The bracketed parts are there only where their flag is set, so that a server without masters pays for none of them, and a
//! string not for its type. A tombstone has a stamp and no value. "Unsettled" says that the key has a history.
//! Which of the two kinds a record is depends on its value alone: on the length of a string or of a small collection, and on whether
//! members of it have deadlines.

mod change;

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

/// One key, its value and what goes with them.
#[derive(Debug)]
pub struct Record(Kind);

#[derive(Debug)]
enum Kind {
    /// All in one.
    Near(Box<[u8]>),
    /// The value lies elsewhere.
    Far(Box<Far>),
}

// A place in the table for every key: there are many.
const _: () = assert!(size_of::<Record>() == size_of::<Box<[u8]>>());

impl Record {
    /// Lays out a record of a string.
    #[inline]
    pub fn new(key: &[u8], value: &[u8], meta: &Meta) -> Self {
        if far::is_far(value.len()) {
            return Self::far(key, Body::String(value.to_vec()), meta);
        }
        Self(Kind::Near(laid_out(key, None, value, meta)))
    }

    /// Lays out a record of anything, which takes the value over where it is long.
    pub fn of(key: &[u8], body: Body, meta: &Meta) -> Self {
        match &body {
            Body::String(bytes) if !far::is_far(bytes.len()) => {
                Self(Kind::Near(laid_out(key, None, bytes, meta)))
            }
            Body::Small(form, bytes) if !far::is_far(bytes.len()) => {
                Self(Kind::Near(laid_out(key, Some(*form), bytes, meta)))
            }
            _ => Self::far(key, body, meta),
        }
    }

    fn far(key: &[u8], body: Body, meta: &Meta) -> Self {
        let head = laid_out(key, None, b"", meta);
        Self(Kind::Far(Box::new(Far { head, body })))
    }

    /// All of it, or what stands before a value that lies elsewhere.
    #[inline]
    fn head(&self) -> &[u8] {
        match &self.0 {
            Kind::Near(bytes) => bytes,
            Kind::Far(far) => &far.head,
        }
    }

    /// Reads the lines that flags and key lie in; always true, but the compiler cannot know that.
    #[inline]
    pub fn touch(&self) -> bool {
        let head = self.head();
        let last = head.len().min(LINE_LEN) - 1;
        std::hint::black_box(head.get(last).copied());
        head.first() != Some(&u8::MAX)
    }

    /// Where the optional fields begin, and how long the key is.
    #[inline]
    fn layout(&self) -> (usize, usize) {
        let head = self.head();
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
    fn flags(&self) -> u8 {
        self.head()[0]
    }

    #[inline]
    fn fields_len(&self) -> usize {
        8 * (self.flags() & FIELDS).count_ones() as usize
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let (at, len) = self.layout();
        let start = at + self.fields_len();
        &self.head()[start..start + len]
    }

    /// What the key shows; an empty string for a tombstone.
    #[inline]
    pub fn shown(&self) -> Shown<'_> {
        match &self.0 {
            Kind::Near(bytes) => {
                let (at, len) = self.layout();
                let value = &bytes[at + self.fields_len() + len..];
                if bytes[0] & TYPED == 0 {
                    return Shown::String(value);
                }
                match value.split_first() {
                    Some((&form, rest)) => Shown::Small(Form::from_byte(form), rest),
                    None => Shown::String(value),
                }
            }
            Kind::Far(far) => far.body.shown(),
        }
    }

    /// When members of the value go by themselves; none where no member has a deadline.
    #[inline]
    pub fn member_deadlines(&self) -> Option<&Deadlines> {
        match &self.0 {
            Kind::Near(_) => None,
            Kind::Far(far) => far.body.deadlines(),
        }
    }

    /// All of the value.
    pub fn whole(&self) -> Whole<'_> {
        Whole {
            shown: self.shown(),
            deadlines: self.member_deadlines(),
        }
    }

    /// Whether nothing is shown at `now`: deleted, past its deadline, or all its members past theirs.
    pub fn is_gone(&self, now: UnixMillis) -> bool {
        let are_all_gone = |deadlines: &Deadlines| {
            deadlines.len() == self.shown().len()
                && deadlines.last().is_some_and(|last| last <= now)
        };
        self.is_tombstone()
            || op::is_expired(self.deadline(), now)
            || self.member_deadlines().is_some_and(are_all_gone)
    }

    fn field(&self, flag: u8) -> Option<u64> {
        let flags = self.flags();
        if flags & flag == 0 {
            return None;
        }
        let before = (flags & (flag - 1) & FIELDS).count_ones() as usize;
        let start = self.layout().0 + 8 * before;
        let mut raw = [0; 8];
        raw.copy_from_slice(&self.head()[start..start + 8]);
        Some(u64::from_le_bytes(raw))
    }

    /// The stamp of the last operation shown.
    #[inline]
    pub fn stamp(&self) -> Option<Stamp> {
        self.field(HAS_STAMP).map(Stamp::from_raw)
    }

    /// The deadline.
    #[inline]
    pub fn deadline(&self) -> Option<UnixMillis> {
        if self.flags() & HAS_DEADLINE == 0 {
            return None;
        }
        self.field(HAS_DEADLINE).map(|raw| UnixMillis(raw as i64))
    }

    /// The original time of an imported value.
    pub fn original(&self) -> Option<Hlc> {
        self.field(HAS_ORIGINAL).map(Hlc::from_raw)
    }

    /// Whether the key is deleted.
    #[inline]
    pub fn is_tombstone(&self) -> bool {
        self.flags() & TOMBSTONE != 0
    }

    /// Whether operations wait beside the table.
    #[inline]
    pub fn is_unsettled(&self) -> bool {
        self.flags() & UNSETTLED != 0
    }

    /// The merge mark.
    pub fn merge_mark(&self) -> bool {
        self.flags() & MERGE_MARK != 0
    }

    /// All that is said beside key and value.
    pub fn meta(&self) -> Meta {
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
    pub fn is_far(&self) -> bool {
        matches!(self.0, Kind::Far(_))
    }

    /// Room behind the value.
    pub fn spare(&self) -> usize {
        match &self.0 {
            Kind::Near(_) => 0,
            Kind::Far(far) => far.spare(),
        }
    }

    /// Bytes of memory this record takes, without the allocator's own.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        match &self.0 {
            Kind::Near(bytes) => bytes.len(),
            Kind::Far(far) => far.len_bytes(),
        }
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

fn laid_out(key: &[u8], form: Option<Form>, value: &[u8], meta: &Meta) -> Box<[u8]> {
    let fields = (flags_of(meta) & FIELDS).count_ones() as usize;
    let varint_len = crate::db::varint::len(key.len() as u64);
    let len = 1 + varint_len + 8 * fields + key.len() + usize::from(form.is_some()) + value.len();
    let mut bytes = Vec::with_capacity(len);
    bytes.push(flags_of(meta) | if form.is_some() { TYPED } else { 0 });
    crate::db::varint::put(&mut bytes, key.len() as u64);
    fields_of(meta).for_each(|raw| bytes.extend_from_slice(&raw));
    bytes.extend_from_slice(key);
    if let Some(form) = form {
        bytes.push(form as u8);
    }
    bytes.extend_from_slice(value);
    bytes.into_boxed_slice()
}

#[cfg(test)]
mod tests;
