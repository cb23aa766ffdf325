//! The keys of one range of positions: an index of places, and the records that lie there.
//!
//! Invariant: the index names every record once; what changes a record's size is followed by [`Segment::tidy`].

use hashbrown::HashTable;

use crate::db::deadlines::Deadlines;
use crate::db::record::{Fresh, Meta, Place, Record, RecordMut, Records};
use crate::db::stamp::Hlc;
use crate::db::table::{KeyHasher, position};

/// A segment with more keys is split: fills an index of 1,024 places, and keeps the longest pause near 0.1 ms.
pub(super) const SEGMENT_LEN_MAX: usize = 896;
/// With fewer keys, an index that only lacks places because keys have gone is made anew; with more, it doubles.
const REBUILT_LEN_MAX: usize = 800;
/// An index of so few places does not get smaller.
const SLOTS_MIN: usize = 16;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Segment {
    index: HashTable<Place>,
    records: Records,
    /// No key here has an earlier deadline (milliseconds since 1970).
    pub deadline_min: i64,
    /// Nor a member of any.
    pub member_deadline_min: i64,
    /// No write of any key here that bears a stamp came later.
    pub newest: Hlc,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            records: Records::default(),
            deadline_min: i64::MAX,
            member_deadline_min: i64::MAX,
            newest: Hlc::ZERO,
        }
    }
}

impl Segment {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Memory that is no record's, without this segment's own fields.
    pub fn overhead(&self) -> usize {
        self.index.allocation_size() + self.records.overhead()
    }

    #[inline]
    pub fn get(&self, key: &[u8], hash: u64) -> Option<Record<'_>> {
        let found = |place: &Place| self.records.get(*place).key() == key;
        let place = self.index.find(hash, found)?;
        Some(self.records.get(*place))
    }

    /// Reads the lines that a look-up of this hash will read.
    #[inline]
    pub fn touch(&self, hash: u64) {
        let touch = |place: &Place| self.records.get(*place).touch();
        std::hint::black_box(self.index.find(hash, touch).is_some());
    }

    #[inline]
    pub fn get_mut(&mut self, key: &[u8], hash: u64) -> Option<RecordMut<'_>> {
        let Self { index, records, .. } = self;
        let place = index.find_mut(hash, |place| records.get(*place).key() == key)?;
        Some(RecordMut { records, place })
    }

    /// Puts a record in whose key is not there.
    pub fn insert(
        &mut self,
        hasher: &KeyHasher,
        hash: u64,
        key: &[u8],
        value: Fresh<'_>,
        meta: &Meta,
    ) -> Record<'_> {
        let place = self.records.add(key, value, meta);
        self.insert_place(hasher, hash, place);
        self.records.get(place)
    }

    fn insert_place(&mut self, hasher: &KeyHasher, hash: u64, place: Place) {
        let Self { index, records, .. } = self;
        let hash_of = |place: &Place| hasher.hash(records.get(*place).key());
        let len = index.len();
        if index.capacity() == len && len > 0 && len < REBUILT_LEN_MAX {
            // Places of keys that have gone are taken up for nothing.
            let mut anew = HashTable::with_capacity(len + len / 8 + 1);
            if anew.allocation_size() <= index.allocation_size() {
                for place in index.drain() {
                    anew.insert_unique(hash_of(&place), place, hash_of);
                }
                *index = anew;
            }
        }
        index.insert_unique(hash, place, hash_of);
    }

    /// Takes a record out, as `show` saw it last.
    pub fn remove<R>(
        &mut self,
        hasher: &KeyHasher,
        hash: u64,
        key: &[u8],
        show: impl FnOnce(Record<'_>) -> R,
    ) -> Option<R> {
        let Self { index, records, .. } = self;
        let found = index.find_entry(hash, |place| records.get(*place).key() == key);
        let (place, _) = found.ok()?.remove();
        let shown = show(records.get(place));
        records.remove(place);
        let slots = index.capacity();
        if slots > SLOTS_MIN && index.len() * 8 < slots {
            let hash_of = |place: &Place| hasher.hash(records.get(*place).key());
            index.shrink_to(index.len() * 2, hash_of);
        }
        Some(shown)
    }

    /// Moves the records together, where much lies between them.
    #[inline]
    pub fn tidy(&mut self) {
        if self.records.is_sparse() {
            self.move_together();
        }
    }

    #[cold]
    fn move_together(&mut self) {
        let mut old = std::mem::take(&mut self.records);
        for place in &mut self.index {
            *place = self.records.adopt(&mut old, *place);
        }
    }

    /// Leaves here the keys whose positions lack this bit, and returns the others.
    pub fn split(&mut self, hasher: &KeyHasher, bit: u32) -> Self {
        let mut whole = std::mem::take(self);
        let mut upper = Self::default();
        let places = whole.index.drain();
        for side in [&mut *self, &mut upper] {
            side.deadline_min = whole.deadline_min;
            side.member_deadline_min = whole.member_deadline_min;
            side.newest = whole.newest;
            side.index = HashTable::with_capacity(places.len() / 2 + places.len() / 16);
        }
        for place in places {
            let hash = hasher.hash(whole.records.get(place).key());
            let side = if position(hash) & bit == 0 {
                &mut *self
            } else {
                &mut upper
            };
            let place = side.records.adopt(&mut whole.records, place);
            side.insert_place(hasher, hash, place);
        }
        upper
    }

    /// Every record, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.index.iter().map(|place| self.records.get(*place))
    }

    /// Shows every record, to change what keeps its size.
    pub fn for_each_mut(&mut self, mut f: impl FnMut(RecordMut<'_>)) {
        let Self { index, records, .. } = self;
        for place in index {
            f(RecordMut { records, place });
        }
    }

    /// Recomputes the earliest deadline of a key.
    pub fn refresh_deadline_min(&mut self) {
        let all = self.iter().filter_map(Record::deadline);
        self.deadline_min = all.map(|deadline| deadline.0).min().unwrap_or(i64::MAX);
    }

    /// Recomputes the earliest deadline of a member.
    pub fn refresh_member_deadline_min(&mut self) {
        let first = |record: Record<'_>| record.member_deadlines().and_then(Deadlines::first_kept);
        let all = self.iter().filter_map(first).map(|first| first.0);
        self.member_deadline_min = all.min().unwrap_or(i64::MAX);
    }
}
