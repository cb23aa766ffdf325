//! The segmented hash table: an extendible directory of small tables, so that growth moves at most one segment's keys at a
//! time and no client waits for a rehash of everything.
//!
//! A key's *position* is 32 bits of its hash. A segment holds one contiguous range of positions; a full one is split in
//! halves. SCAN walks positions upwards, so a key that is there from the start of a scan to its end is seen exactly once,
//! however much the table grows meanwhile.

mod segment;

use std::collections::HashSet;

use crate::db::directory::Directory;
use crate::db::record::{Fresh, Meta, Record, RecordMut};
use crate::db::stamp::Hlc;
use segment::{SEGMENT_LEN_MAX, Segment};

/// The hash function of keys, seeded per process.
#[derive(Debug, Clone)]
pub struct KeyHasher(foldhash::quality::FixedState);

impl KeyHasher {
    /// A hasher with this seed.
    pub fn new(seed: u64) -> Self {
        Self(foldhash::quality::FixedState::with_seed(seed))
    }

    /// The hash of a key.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.0.build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}

/// The place of a hash in the order of SCAN.
#[inline]
pub fn position(hash: u64) -> u32 {
    (hash >> 16) as u32
}

/// What a record showed that is there no more, or in another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) struct Was {
    /// It was no tombstone.
    pub shown: bool,
    /// It had a deadline.
    pub timed: bool,
    /// It had a history.
    pub unsettled: bool,
}

impl Was {
    /// What this one shows.
    #[inline]
    pub fn of(record: Record<'_>) -> Self {
        Self {
            shown: !record.is_tombstone(),
            timed: record.deadline().is_some(),
            unsettled: record.is_unsettled(),
        }
    }
}

/// Keys and their records.
#[derive(Debug)]
pub struct Table {
    directory: Directory,
    segments: Vec<Segment>,
    len: usize,
    records_bytes: usize,
    jobs: JobKeys,
}

/// Which keys show a job.
#[derive(Debug, Default)]
struct JobKeys {
    /// All that do, and some that did.
    keys: HashSet<Box<[u8]>>,
    /// How often one was shown, or shown anew.
    changes: u64,
}

impl JobKeys {
    #[cold]
    fn note(&mut self, key: &[u8]) {
        self.changes = self.changes.wrapping_add(1);
        if !self.keys.contains(key) {
            self.keys.insert(key.into());
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            directory: Directory::default(),
            segments: vec![Segment::default()],
            len: 0,
            records_bytes: 0,
            jobs: JobKeys::default(),
        }
    }
}

impl Table {
    /// How many records, tombstones included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory of all records.
    pub fn records_bytes(&self) -> usize {
        self.records_bytes
    }

    /// Memory of what finds them; goes by all segments.
    pub fn index_bytes(&self) -> usize {
        let segments = self.segments.iter().map(Segment::overhead);
        segments.sum::<usize>()
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.len_bytes()
    }

    #[inline]
    fn segment_index(&self, hash: u64) -> usize {
        self.directory.segment(position(hash))
    }

    /// The record of a key.
    #[inline]
    pub fn get(&self, key: &[u8], hash: u64) -> Option<Record<'_>> {
        self.segments[self.segment_index(hash)].get(key, hash)
    }

    /// Fetches the cache lines that a look-up of this hash will read. Names no key, so that nothing waits for one: several calls
    /// in a row overlap their waits for memory.
    #[inline]
    pub fn touch(&self, hash: u64) {
        self.segments[self.segment_index(hash)].touch(hash);
    }

    /// The record of a key, to change in place without changing its size: see [`Self::change`]. A deadline that comes earlier must be noted with [`Self::note_deadline`].
    #[inline]
    pub fn get_mut(&mut self, key: &[u8], hash: u64) -> Option<RecordMut<'_>> {
        let index = self.segment_index(hash);
        self.segments[index].get_mut(key, hash)
    }

    /// Changes a record in place, its size too, but for its key. A deadline that comes earlier must be noted as well.
    pub fn change<R>(
        &mut self,
        key: &[u8],
        hash: u64,
        f: impl FnOnce(&mut RecordMut<'_>) -> R,
    ) -> Option<R> {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        let mut record = segment.get_mut(key, hash)?;
        let before = record.get().len_bytes();
        let result = f(&mut record);
        let after = record.get();
        if after.is_job() {
            self.jobs.note(key);
        }
        self.records_bytes = self.records_bytes - before + after.len_bytes();
        segment.tidy();
        Some(result)
    }

    /// Says that a key with this hash has this deadline.
    #[inline]
    pub fn note_deadline(&mut self, hash: u64, deadline_ms: i64) {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        segment.deadline_min = segment.deadline_min.min(deadline_ms);
    }

    /// Says that a key with this hash is written to at this time.
    #[inline]
    pub fn note_written(&mut self, hash: u64, time: Hlc) {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        segment.newest = segment.newest.max(time);
    }

    /// Records among which are all that were written to at this time or later, as [`Self::note_written`] was told.
    pub fn written_since(&self, time: Hlc) -> impl Iterator<Item = Record<'_>> {
        let segments = self.segments.iter();
        segments
            .filter(move |segment| segment.newest >= time)
            .flat_map(Segment::iter)
    }

    /// Shows a value instead of what its key showed, which is returned. A key that was there keeps its merge mark.
    pub(in crate::db) fn put(
        &mut self,
        hasher: &KeyHasher,
        hash: u64,
        key: &[u8],
        value: Fresh<'_>,
        meta: &Meta,
    ) -> Option<Was> {
        if let Some(deadline) = meta.deadline {
            self.note_deadline(hash, deadline.0);
        }
        if let Some(first) = value.member_deadline() {
            self.note_member_deadline(hash, first.0);
        }
        let mut value = Some(value);
        let was = self.change(key, hash, |record| {
            let merge_mark = record.get().merge_mark();
            let was = Was::of(record.get());
            // Here or below, once.
            if let Some(value) = value.take() {
                record.set(
                    value,
                    &Meta {
                        merge_mark,
                        ..*meta
                    },
                );
            }
            was
        });
        if let Some(value) = value {
            self.insert(hasher, hash, key, value, meta);
        }
        was
    }

    /// Puts a record in whose key is not there.
    fn insert(&mut self, hasher: &KeyHasher, hash: u64, key: &[u8], value: Fresh<'_>, meta: &Meta) {
        let mut index = self.segment_index(hash);
        if self.segments[index].len() >= SEGMENT_LEN_MAX {
            self.split(hasher, index, hash);
            index = self.segment_index(hash);
        }
        let record = self.segments[index].insert(hasher, hash, key, value, meta);
        if record.is_job() {
            self.jobs.note(key);
        }
        self.records_bytes += record.len_bytes();
        self.len += 1;
    }

    /// Takes a record out.
    pub(in crate::db) fn remove(
        &mut self,
        hasher: &KeyHasher,
        hash: u64,
        key: &[u8],
    ) -> Option<Was> {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        let show = |record: Record<'_>| (Was::of(record), record.len_bytes());
        let (was, len) = segment.remove(hasher, hash, key, show)?;
        segment.tidy();
        self.len -= 1;
        self.records_bytes -= len;
        Some(was)
    }

    fn split(&mut self, hasher: &KeyHasher, index: usize, hash: u64) {
        let Some(bit) = self.directory.split(position(hash)) else {
            return;
        };
        let upper = self.segments[index].split(hasher, bit);
        self.segments.push(upper);
    }

    /// The first position after the segment that holds `from`, or none where it is the last.
    pub fn segment_end(&self, from: u32) -> Option<u32> {
        self.directory.end(from)
    }

    /// The records of the segment that holds `from`, in no order.
    pub fn segment(&self, from: u32) -> impl Iterator<Item = Record<'_>> {
        self.segments[self.directory.segment(from)].iter()
    }

    /// Says that members of a key with this hash have deadlines, of which this is the earliest.
    pub fn note_member_deadline(&mut self, hash: u64, deadline_ms: i64) {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        segment.member_deadline_min = segment.member_deadline_min.min(deadline_ms);
    }

    /// The earliest deadline of a member that may be found in the segment that holds `from`.
    pub fn segment_member_deadline_min(&self, from: u32) -> i64 {
        self.segments[self.directory.segment(from)].member_deadline_min
    }

    /// Recomputes what [`Self::segment_member_deadline_min`] says.
    pub fn refresh_member_deadline_min(&mut self, from: u32) {
        self.segments[self.directory.segment(from)].refresh_member_deadline_min();
    }

    /// The earliest deadline that may be found in the segment that holds `from`.
    pub fn segment_deadline_min(&self, from: u32) -> i64 {
        self.segments[self.directory.segment(from)].deadline_min
    }

    /// Recomputes what [`Self::segment_deadline_min`] says.
    pub fn refresh_deadline_min(&mut self, from: u32) {
        self.segments[self.directory.segment(from)].refresh_deadline_min();
    }

    /// Every record, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.segments.iter().flat_map(Segment::iter)
    }

    /// Shows every record, to change what is not its key and keeps its size.
    pub fn for_each_mut(&mut self, mut f: impl FnMut(RecordMut<'_>)) {
        for segment in &mut self.segments {
            segment.for_each_mut(&mut f);
        }
    }

    /// A record at random: a segment by `pick`, then one of its keys; none where there is none.
    pub fn random(&self, pick: u64) -> Option<Record<'_>> {
        if self.len == 0 {
            return None;
        }
        let start = (pick as usize) % self.segments.len();
        let order = (start..self.segments.len()).chain(0..start);
        order
            .map(|index| &self.segments[index])
            .find(|segment| segment.len() > 0)
            .and_then(|segment| {
                let nth = (pick >> 32) as usize % segment.len();
                segment.iter().nth(nth)
            })
    }

    /// All keys that show a job, and some that did.
    pub fn jobs(&self) -> impl Iterator<Item = &[u8]> {
        self.jobs.keys.iter().map(|key| &**key)
    }

    /// A number that changes when a job is shown, or shown anew.
    pub fn job_changes(&self) -> u64 {
        self.jobs.changes
    }

    /// Takes a key off that list, which shows none.
    pub fn forget_job(&mut self, key: &[u8]) {
        self.jobs.keys.remove(key);
    }

    /// How many segments there are.
    pub fn segments_len(&self) -> usize {
        self.segments.len()
    }
}

#[cfg(test)]
mod tests;
