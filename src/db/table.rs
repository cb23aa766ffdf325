//! The segmented hash table: an extendible directory of small tables, so that growth moves at most one segment's keys at a
//! time and no client waits for a rehash of everything.
//!
//! A key's *position* is 32 bits of its hash. A segment holds one contiguous range of positions; a full one is split in
//! halves. SCAN walks positions upwards, so a key that is there from the start of a scan to its end is seen exactly once,
//! however much the table grows meanwhile.

use hashbrown::HashTable;

use crate::db::deadlines::Deadlines;
use crate::db::directory::Directory;
use crate::db::record::Record;

/// A segment with more keys is split: keeps the longest pause near 0.1 ms.
const SEGMENT_LEN_MAX: usize = 850;

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

#[derive(Debug)]
struct Segment {
    keys: HashTable<Record>,
    /// No key here has an earlier deadline (milliseconds since 1970).
    deadline_min: i64,
    /// Nor a member of any.
    member_deadline_min: i64,
}

/// Keys and their records.
#[derive(Debug)]
pub struct Table {
    directory: Directory,
    segments: Vec<Segment>,
    len: usize,
    records_bytes: usize,
    /// Memory of all segments' slots.
    slots_bytes: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            directory: Directory::default(),
            segments: vec![Segment::new()],
            len: 0,
            records_bytes: 0,
            slots_bytes: 0,
        }
    }
}

impl Segment {
    fn new() -> Self {
        Self {
            keys: HashTable::new(),
            deadline_min: i64::MAX,
            member_deadline_min: i64::MAX,
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

    /// Memory of what finds them.
    pub fn index_bytes(&self) -> usize {
        self.slots_bytes
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.len_bytes()
    }

    #[inline]
    fn segment_index(&self, hash: u64) -> usize {
        self.directory.segment(position(hash))
    }

    /// The record of a key.
    #[inline]
    pub fn get(&self, key: &[u8], hash: u64) -> Option<&Record> {
        self.segments[self.segment_index(hash)]
            .keys
            .find(hash, |record| record.key() == key)
    }

    /// Fetches the cache lines that a look-up of this hash will read. Names no key, so that nothing waits for one: several calls
    /// in a row overlap their waits for memory.
    #[inline]
    pub fn touch(&self, hash: u64) {
        let segment = &self.segments[self.segment_index(hash)];
        std::hint::black_box(segment.keys.find(hash, Record::touch).is_some());
    }

    /// The record of a key, to change in place without changing its size: see [`Self::change`]. A deadline that comes earlier must be noted with [`Self::note_deadline`].
    #[inline]
    pub fn get_mut(&mut self, key: &[u8], hash: u64) -> Option<&mut Record> {
        let index = self.segment_index(hash);
        self.segments[index]
            .keys
            .find_mut(hash, |record| record.key() == key)
    }

    /// Changes a record in place, its size too, but for its key. A deadline that comes earlier must be noted as well.
    pub fn change<R>(
        &mut self,
        key: &[u8],
        hash: u64,
        f: impl FnOnce(&mut Record) -> R,
    ) -> Option<R> {
        let record = self.get_mut(key, hash)?;
        let before = record.len_bytes();
        let result = f(record);
        let after = record.len_bytes();
        self.records_bytes = self.records_bytes - before + after;
        Some(result)
    }

    /// Says that a key with this hash has this deadline.
    #[inline]
    pub fn note_deadline(&mut self, hash: u64, deadline_ms: i64) {
        let index = self.segment_index(hash);
        let segment = &mut self.segments[index];
        segment.deadline_min = segment.deadline_min.min(deadline_ms);
    }

    /// Puts a record in, in the place of one with the same key; returns that one.
    pub fn insert(&mut self, hasher: &KeyHasher, hash: u64, record: Record) -> Option<Record> {
        if let Some(deadline) = record.deadline() {
            self.note_deadline(hash, deadline.0);
        }
        if let Some(first) = record.member_deadlines().and_then(Deadlines::first) {
            self.note_member_deadline(hash, first.0);
        }
        let index = self.segment_index(hash);
        self.records_bytes += record.len_bytes();
        if let Some(old) = self.segments[index]
            .keys
            .find_mut(hash, |old| old.key() == record.key())
        {
            self.records_bytes -= old.len_bytes();
            return Some(std::mem::replace(old, record));
        }
        let index = if self.segments[index].keys.len() >= SEGMENT_LEN_MAX {
            self.split(hasher, index, hash);
            self.segment_index(hash)
        } else {
            index
        };
        let keys = &mut self.segments[index].keys;
        let before = keys.allocation_size();
        keys.insert_unique(hash, record, |record| hasher.hash(record.key()));
        // Slots are never given back by a key that goes.
        self.slots_bytes += keys.allocation_size() - before;
        self.len += 1;
        None
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: &[u8], hash: u64) -> Option<Record> {
        let index = self.segment_index(hash);
        let found = self.segments[index]
            .keys
            .find_entry(hash, |record| record.key() == key)
            .ok()?;
        self.len -= 1;
        let (record, _) = found.remove();
        self.records_bytes -= record.len_bytes();
        Some(record)
    }

    fn split(&mut self, hasher: &KeyHasher, index: usize, hash: u64) {
        let Some(bit) = self.directory.split(position(hash)) else {
            return;
        };
        let whole = std::mem::replace(&mut self.segments[index], Segment::new());
        self.slots_bytes -= whole.keys.allocation_size();
        let mut upper = Segment::new();
        upper.deadline_min = whole.deadline_min;
        upper.member_deadline_min = whole.member_deadline_min;
        self.segments[index].deadline_min = whole.deadline_min;
        self.segments[index].member_deadline_min = whole.member_deadline_min;
        let half = whole.keys.len() / 2 + whole.keys.len() / 16;
        upper.keys.reserve(half, |record| hasher.hash(record.key()));
        self.segments[index]
            .keys
            .reserve(half, |record| hasher.hash(record.key()));
        for record in whole.keys {
            let hash = hasher.hash(record.key());
            let side = if position(hash) & bit == 0 {
                &mut self.segments[index]
            } else {
                &mut upper
            };
            side.keys
                .insert_unique(hash, record, |record| hasher.hash(record.key()));
        }
        self.slots_bytes += self.segments[index].keys.allocation_size();
        self.slots_bytes += upper.keys.allocation_size();
        self.segments.push(upper);
    }

    /// The first position after the segment that holds `from`, or none where it is the last.
    pub fn segment_end(&self, from: u32) -> Option<u32> {
        self.directory.end(from)
    }

    /// The records of the segment that holds `from`, in no order.
    pub fn segment(&self, from: u32) -> impl Iterator<Item = &Record> {
        self.segments[self.directory.segment(from)].keys.iter()
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
        let segment = &mut self.segments[self.directory.segment(from)];
        let first = |record: &Record| record.member_deadlines().and_then(Deadlines::first);
        let all = segment.keys.iter().filter_map(first);
        segment.member_deadline_min = all.map(|first| first.0).min().unwrap_or(i64::MAX);
    }

    /// The earliest deadline that may be found in the segment that holds `from`.
    pub fn segment_deadline_min(&self, from: u32) -> i64 {
        self.segments[self.directory.segment(from)].deadline_min
    }

    /// Recomputes what [`Self::segment_deadline_min`] says.
    pub fn refresh_deadline_min(&mut self, from: u32) {
        let segment = &mut self.segments[self.directory.segment(from)];
        segment.deadline_min = segment
            .keys
            .iter()
            .filter_map(Record::deadline)
            .map(|d| d.0)
            .min()
            .unwrap_or(i64::MAX);
    }

    /// Every record, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.segments.iter().flat_map(|segment| segment.keys.iter())
    }

    /// Every record, to change what is not its key.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.segments
            .iter_mut()
            .flat_map(|segment| segment.keys.iter_mut())
    }

    /// A record at random: a segment by `pick`, then one of its keys; none where there is none.
    pub fn random(&self, pick: u64) -> Option<&Record> {
        if self.len == 0 {
            return None;
        }
        let start = (pick as usize) % self.segments.len();
        let order = (start..self.segments.len()).chain(0..start);
        order
            .map(|index| &self.segments[index].keys)
            .find(|keys| !keys.is_empty())
            .and_then(|keys| {
                let nth = (pick >> 32) as usize % keys.len();
                keys.iter().nth(nth)
            })
    }

    /// How many segments there are.
    pub fn segments_len(&self) -> usize {
        self.segments.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::record::Meta;
    use std::collections::BTreeSet;

    fn filled(n: u32) -> (Table, KeyHasher) {
        let (mut table, hasher) = (Table::default(), KeyHasher::new(7));
        for i in 0..n {
            let key = format!("key:{i}");
            let hash = hasher.hash(key.as_bytes());
            assert!(
                table
                    .insert(
                        &hasher,
                        hash,
                        Record::new(key.as_bytes(), b"v", &Meta::default())
                    )
                    .is_none()
            );
        }
        (table, hasher)
    }

    #[test]
    fn a_record_in_the_place_of_another_counts_instead_of_it() {
        let (mut table, hasher) = filled(3);
        let hash = hasher.hash(b"key:1");
        for value in [&b"longer"[..], b"", b"v"] {
            table.insert(
                &hasher,
                hash,
                Record::new(b"key:1", value, &Meta::default()),
            );
            let records = table.iter().map(Record::len_bytes);
            assert_eq!(table.records_bytes(), records.sum::<usize>());
        }
        for key in [&b"key:0"[..], b"key:1", b"key:2", b"key:3"] {
            table.remove(key, hasher.hash(key));
        }
        assert_eq!(table.records_bytes(), 0);
    }

    fn scan_from(
        table: &Table,
        mut from: u32,
        seen: &mut Vec<Vec<u8>>,
        segments: usize,
    ) -> Option<u32> {
        for _ in 0..segments {
            seen.extend(table.segment(from).map(|record| record.key().to_vec()));
            from = table.segment_end(from)?;
        }
        Some(from)
    }

    #[test]
    fn every_key_is_found_after_many_splits_and_gone_after_removal() {
        let (mut table, hasher) = filled(20_000);
        assert!(table.segments_len() > 20);
        for i in 0..20_000 {
            let key = format!("key:{i}");
            let hash = hasher.hash(key.as_bytes());
            let shown = table.get(key.as_bytes(), hash).unwrap().shown();
            assert!(matches!(shown, crate::db::body::Shown::String(b"v")));
            if i % 2 == 0 {
                assert!(table.remove(key.as_bytes(), hash).is_some());
            }
        }
        assert_eq!(table.len(), 10_000);
        let records = table.iter().map(Record::len_bytes);
        assert_eq!(table.records_bytes(), records.sum::<usize>());
        assert!(table.index_bytes() > 10_000 * size_of::<Record>());
        assert_eq!(table.iter().count(), 10_000);
    }

    #[test]
    fn a_walk_sees_each_key_once_while_the_table_grows_tenfold() {
        let (mut table, hasher) = filled(3_000);
        let mut seen = Vec::new();
        let mut from = Some(0);
        let mut next = 3_000;
        while let Some(position) = from {
            from = scan_from(&table, position, &mut seen, 1);
            for _ in 0..3_000 {
                let key = format!("key:{next}");
                let hash = hasher.hash(key.as_bytes());
                table.insert(
                    &hasher,
                    hash,
                    Record::new(key.as_bytes(), b"v", &Meta::default()),
                );
                next += 1;
            }
        }
        let old: Vec<_> = seen
            .iter()
            .filter(|key| {
                std::str::from_utf8(&key[4..])
                    .unwrap()
                    .parse::<u32>()
                    .unwrap()
                    < 3_000
            })
            .collect();
        assert_eq!(old.len(), 3_000);
        assert_eq!(old.iter().collect::<BTreeSet<_>>().len(), 3_000);
    }

    #[test]
    fn the_directory_covers_all_positions_without_gap_or_overlap() {
        let (table, _) = filled(30_000);
        let mut seen = Vec::new();
        assert_eq!(scan_from(&table, 0, &mut seen, usize::MAX), None);
        assert_eq!(seen.len(), 30_000);
    }
}
