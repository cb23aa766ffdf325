//! One key at rest: a single allocation without slack.
//!
//! ```text
//! flags 1 | key length varint | [stamp u64] | [deadline i64] | [original time u64] | key | value
//! ```
//! The bracketed fields are there only where their flag is set, so that a server without masters pays for none of them.
//! A tombstone has a stamp and no value. "Unsettled" says that the key has an entry in the table of unsettled operations.

use crate::db::op::{self, Op};
use crate::db::stamp::{Hlc, Stamp, UnixMillis};

/// A line of the processor's cache.
const LINE_LEN: usize = 64;
const HAS_STAMP: u8 = 1;
const HAS_DEADLINE: u8 = 2;
const HAS_ORIGINAL: u8 = 4;
const TOMBSTONE: u8 = 8;
const UNSETTLED: u8 = 16;
const MERGE_MARK: u8 = 32;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Box<[u8]>);

impl Record {
    /// Lays out a record.
    pub fn new(key: &[u8], value: &[u8], meta: &Meta) -> Self {
        let mut bytes = Vec::with_capacity(Self::size(key, value, meta));
        let mut flags = 0;
        if meta.stamp.is_some() {
            flags |= HAS_STAMP;
        }
        if meta.deadline.is_some() {
            flags |= HAS_DEADLINE;
        }
        if meta.original.is_some() {
            flags |= HAS_ORIGINAL;
        }
        if meta.tombstone {
            flags |= TOMBSTONE;
        }
        if meta.unsettled {
            flags |= UNSETTLED;
        }
        if meta.merge_mark {
            flags |= MERGE_MARK;
        }
        bytes.push(flags);
        crate::db::varint::put(&mut bytes, key.len() as u64);
        if let Some(stamp) = meta.stamp {
            bytes.extend_from_slice(&stamp.raw().to_le_bytes());
        }
        if let Some(deadline) = meta.deadline {
            bytes.extend_from_slice(&deadline.0.to_le_bytes());
        }
        if let Some(original) = meta.original {
            bytes.extend_from_slice(&original.raw().to_le_bytes());
        }
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        Self(bytes.into_boxed_slice())
    }

    fn size(key: &[u8], value: &[u8], meta: &Meta) -> usize {
        let fields = usize::from(meta.stamp.is_some())
            + usize::from(meta.deadline.is_some())
            + usize::from(meta.original.is_some());
        1 + varint_len(key.len()) + 8 * fields + key.len() + value.len()
    }

    /// Reads the lines that flags and key lie in; always true, but the compiler cannot know that.
    #[inline]
    pub fn touch(&self) -> bool {
        let last = self.0.len().min(LINE_LEN) - 1;
        std::hint::black_box(self.0.get(last).copied());
        self.0.first() != Some(&u8::MAX)
    }

    /// Where the optional fields begin, and how long the key is.
    #[inline]
    fn layout(&self) -> (usize, usize) {
        let first = self.0[1];
        if first < 0x80 {
            return (2, usize::from(first));
        }
        let mut len = usize::from(first & 0x7f);
        let mut at = 2;
        let mut shift = 7;
        loop {
            let byte = self.0[at];
            at += 1;
            len |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (at, len);
            }
            shift += 7;
        }
    }

    #[inline]
    fn fields_len(&self) -> usize {
        8 * (self.0[0] & (HAS_STAMP | HAS_DEADLINE | HAS_ORIGINAL)).count_ones() as usize
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let (at, len) = self.layout();
        let start = at + self.fields_len();
        &self.0[start..start + len]
    }

    /// The value; empty for a tombstone.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let (at, len) = self.layout();
        &self.0[at + self.fields_len() + len..]
    }

    fn field(&self, flag: u8) -> Option<u64> {
        let flags = self.0[0];
        if flags & flag == 0 {
            return None;
        }
        let before =
            (flags & (flag - 1) & (HAS_STAMP | HAS_DEADLINE | HAS_ORIGINAL)).count_ones() as usize;
        let start = self.layout().0 + 8 * before;
        let mut raw = [0; 8];
        raw.copy_from_slice(&self.0[start..start + 8]);
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
        if self.0[0] & HAS_DEADLINE == 0 {
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
        self.0[0] & TOMBSTONE != 0
    }

    /// Whether operations wait beside the table.
    #[inline]
    pub fn is_unsettled(&self) -> bool {
        self.0[0] & UNSETTLED != 0
    }

    /// The merge mark.
    pub fn merge_mark(&self) -> bool {
        self.0[0] & MERGE_MARK != 0
    }

    /// Sets or clears the merge mark.
    pub fn set_merge_mark(&mut self, mark: bool) {
        if mark {
            self.0[0] |= MERGE_MARK;
        } else {
            self.0[0] &= !MERGE_MARK;
        }
    }

    /// Sets or clears "unsettled".
    pub fn set_unsettled(&mut self, unsettled: bool) {
        if unsettled {
            self.0[0] |= UNSETTLED;
        } else {
            self.0[0] &= !UNSETTLED;
        }
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

    /// Writes over value and fields where they keep their sizes; says whether it could.
    #[inline]
    pub fn overwrite(
        &mut self,
        value: &[u8],
        stamp: Option<Stamp>,
        deadline: Option<UnixMillis>,
    ) -> bool {
        let flags = self.0[0];
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE | UNSETTLED) == 0
            && (flags & HAS_STAMP != 0) == stamp.is_some()
            && (flags & HAS_DEADLINE != 0) == deadline.is_some();
        if !fits {
            return false;
        }
        let (mut at, key_len) = self.layout();
        let value_at = at + self.fields_len() + key_len;
        if self.0.len() - value_at != value.len() {
            return false;
        }
        if let Some(stamp) = stamp {
            self.0[at..at + 8].copy_from_slice(&stamp.raw().to_le_bytes());
            at += 8;
        }
        if let Some(deadline) = deadline {
            self.0[at..at + 8].copy_from_slice(&deadline.0.to_le_bytes());
        }
        self.0[value_at..].copy_from_slice(value);
        true
    }

    /// Carries out a positional operation where it keeps the value's size, under this stamp where the record bears one; says
    /// whether it could. Long strings are not copied for one bit of theirs.
    pub fn write_within(&mut self, op: Op<'_>, stamp: Option<Stamp>, now: UnixMillis) -> bool {
        let flags = self.0[0];
        let fits = flags & (HAS_ORIGINAL | TOMBSTONE) == 0
            && (flags & HAS_STAMP != 0) == stamp.is_some()
            && !op::is_expired(self.deadline(), now)
            && op::written_len(op, self.value().len()) == Some(self.value().len());
        if !fits {
            return false;
        }
        let (at, key_len) = self.layout();
        let value_at = at + self.fields_len() + key_len;
        if let Some(stamp) = stamp {
            self.0[at..at + 8].copy_from_slice(&stamp.raw().to_le_bytes());
        }
        op::write_within(op, &mut self.0[value_at..]);
        true
    }

    /// Bytes of memory this record takes, without the allocator's own.
    pub fn len_bytes(&self) -> usize {
        self.0.len()
    }
}

fn varint_len(len: usize) -> usize {
    let mut n = 1;
    let mut rest = len >> 7;
    while rest > 0 {
        n += 1;
        rest >>= 7;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_have_these_bytes() {
        let plain = Record::new(b"key", b"value", &Meta::default());
        assert_eq!(&plain.0[..], b"\x00\x03keyvalue");
        let all = Meta {
            stamp: Some(Stamp::from_raw(0x0102)),
            deadline: Some(UnixMillis(0x0304)),
            original: Some(Hlc::from_raw(0x0506)),
            tombstone: false,
            unsettled: true,
            merge_mark: true,
        };
        let golden = [
            &[1 | 2 | 4 | 16 | 32, 0xac, 0x02][..],
            &[2, 1, 0, 0, 0, 0, 0, 0],
            &[4, 3, 0, 0, 0, 0, 0, 0],
            &[6, 5, 0, 0, 0, 0, 0, 0],
            &[b'k'; 300],
            b"v",
        ]
        .concat();
        assert_eq!(&Record::new(&[b'k'; 300], b"v", &all).0[..], golden);
        let tombstone = Meta {
            stamp: Some(Stamp::from_raw(7)),
            tombstone: true,
            ..Meta::default()
        };
        let record = Record::new(b"k", b"", &tombstone);
        assert_eq!(&record.0[..], [1 | 8, 1, 7, 0, 0, 0, 0, 0, 0, 0, b'k']);
    }

    proptest! {
        #[test]
        fn a_record_gives_back_what_went_in(
            key in proptest::collection::vec(any::<u8>(), 0..300),
            value in proptest::collection::vec(any::<u8>(), 0..300),
            stamp: Option<u64>, deadline: Option<i64>, original in proptest::option::of(0u64..1 << 54), flags: [bool; 3],
        ) {
            let meta = Meta {
                stamp: stamp.map(Stamp::from_raw), deadline: deadline.map(UnixMillis), original: original.map(Hlc::from_raw),
                tombstone: flags[0], unsettled: flags[1], merge_mark: flags[2],
            };
            let record = Record::new(&key, &value, &meta);
            prop_assert_eq!(record.key(), &key[..]);
            prop_assert_eq!(record.value(), &value[..]);
            prop_assert_eq!(record.meta(), meta);
            prop_assert_eq!(record.len_bytes(), Record::size(&key, &value, &meta));
        }

        #[test]
        fn writing_within_equals_computing_anew(
            key in proptest::collection::vec(any::<u8>(), 0..200), old in proptest::collection::vec(any::<u8>(), 0..20),
            offset in 0_u32..160, bit: bool, stamped: bool, deadline in proptest::option::of(0_i64..10),
        ) {
            let meta = |n: u64| Meta {
                stamp: stamped.then(|| Stamp::from_raw(n)), deadline: deadline.map(UnixMillis), ..Meta::default()
            };
            let (op, now) = (Op::SetBit(offset, bit), UnixMillis(5));
            let mut record = Record::new(&key, &old, &meta(1));
            let fits = offset as usize / 8 < old.len() && deadline.is_none_or(|deadline| deadline > 5);
            prop_assert_eq!(record.write_within(op, meta(2).stamp, now), fits);
            if fits {
                let mut new = old.clone();
                op::write_within(op, &mut new);
                prop_assert_eq!(record, Record::new(&key, &new, &meta(2)));
            } else {
                prop_assert_eq!(record, Record::new(&key, &old, &meta(1)));
            }
        }

        #[test]
        fn overwriting_in_place_equals_laying_out_anew(
            key in proptest::collection::vec(any::<u8>(), 0..200), old: [u8; 8], new: [u8; 8], stamped: bool, timed: bool,
        ) {
            let meta = |n: u64| Meta {
                stamp: stamped.then(|| Stamp::from_raw(n)), deadline: timed.then_some(UnixMillis(n as i64)), ..Meta::default()
            };
            let mut record = Record::new(&key, &old, &meta(1));
            prop_assert!(record.overwrite(&new, meta(2).stamp, meta(2).deadline));
            prop_assert_eq!(record, Record::new(&key, &new, &meta(2)));
        }
    }
}
