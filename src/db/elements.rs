//! The elements of one large collection: keys, each with a payload - the fields of a hash with their values, the members of a
//! set. Compact, and without an operation that takes long: it grows by splitting a segment of some hundred elements.
//!
//! Elements are walked in the order of their positions, upwards: one that is there from the start of a walk to its end is met
//! once, however many come or go meanwhile.
//!
//! A copy shares the segments; who writes to one that others have, too, writes to a copy of that.
//!
//! Invariant: an element lies in the segment that the directory names for its position, so a key is there once.

pub(in crate::db) mod entry;
pub mod packed;
mod pieces;
mod segment;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::db::directory::Directory;
use crate::db::shared;
use crate::db::table::{KeyHasher, position};
pub use pieces::Pieces;
use segment::Segment;

/// A segment with more elements is split: what fills an index of 1,024 places.
const SEGMENT_LEN_MAX: usize = 896;
/// A segment with fewer is joined with its other half,
const SEGMENT_LEN_MIN: usize = 128;
/// where both together have no more.
const JOINED_LEN_MAX: usize = 448;
/// Places of the index of a full segment.
const SLOTS_MAX: usize = 1024;

/// A payload that was taken out.
pub type Payload = SmallVec<[u8; 32]>;

/// An element: its key and its payload.
pub type Element<'e> = (&'e [u8], &'e [u8]);

/// See the head of the file.
#[derive(Debug)]
pub struct Elements {
    directory: Directory,
    segments: Vec<Arc<Segment>>,
    len: usize,
    /// Memory of all segments, without their fields; of those that are shared, too.
    segments_bytes: usize,
}

impl Default for Elements {
    fn default() -> Self {
        Self {
            directory: Directory::default(),
            segments: vec![Arc::default()],
            len: 0,
            segments_bytes: 0,
        }
    }
}

impl Clone for Elements {
    /// A copy shares all segments.
    fn clone(&self) -> Self {
        Self {
            directory: self.directory.clone(),
            segments: shared::all(&self.segments),
            ..*self
        }
    }
}

impl Elements {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory of all of it, with what it shares.
    pub fn len_bytes(&self) -> usize {
        self.segments_bytes
            + shared::len_bytes::<Segment>(self.segments.len(), self.segments.capacity())
            + self.directory.len_bytes()
    }

    /// The payload of a key.
    #[inline]
    pub fn get(&self, hasher: &KeyHasher, key: &[u8]) -> Option<&[u8]> {
        let hash = hasher.hash(key);
        let index = self.directory.segment(position(hash));
        self.segments[index].get(hash, key)
    }

    /// Whether a key is there.
    pub fn contains(&self, hasher: &KeyHasher, key: &[u8]) -> bool {
        self.get(hasher, key).is_some()
    }

    /// Puts an element in, in the place of the one with the same key; says whether it is a new one.
    pub fn insert(&mut self, hasher: &KeyHasher, key: &[u8], payload: &[u8]) -> bool {
        let hash = hasher.hash(key);
        let hash_of = |key: &[u8]| hasher.hash(key);
        let index = self.directory.segment(position(hash));
        let segment = &self.segments[index];
        if shared::is_shared(segment) && segment.get(hash, key) == Some(payload) {
            return false;
        }
        let is_full = segment.len() >= SEGMENT_LEN_MAX;
        let (replaced, inserted) = self.change(index, |segment| {
            let replaced = segment.replace(hash, &hash_of, key, payload);
            let inserts = !replaced && !is_full;
            if inserts {
                segment.insert(hash, &hash_of, key, payload);
            }
            (replaced, inserts)
        });
        if replaced {
            return false;
        }
        if !inserted {
            let index = self.split(hasher, index, hash);
            self.change(index, |segment| {
                segment.insert(hash, &hash_of, key, payload);
            });
        }
        self.len += 1;
        true
    }

    /// Takes an element out; its payload, if it was there.
    pub fn remove(&mut self, hasher: &KeyHasher, key: &[u8]) -> Option<Payload> {
        let hash = hasher.hash(key);
        let hash_of = |key: &[u8]| hasher.hash(key);
        let index = self.directory.segment(position(hash));
        let segment = &self.segments[index];
        if shared::is_shared(segment) && segment.get(hash, key).is_none() {
            return None;
        }
        let payload = self.change(index, |segment| {
            segment.remove(hash, &hash_of, key, Payload::from_slice)
        })?;
        self.len -= 1;
        if self.segments[index].len() < SEGMENT_LEN_MIN {
            self.join(hasher, position(hash));
        }
        Some(payload)
    }

    /// Joins the segment of a position with its other half, where they are small.
    fn join(&mut self, hasher: &KeyHasher, position: u32) {
        let len = |index: usize| self.segments[index].len();
        let own = len(self.directory.segment(position));
        let other = self.directory.other_half(position).map(len);
        if other.is_none_or(|other| own + other > JOINED_LEN_MAX) {
            return;
        }
        let Some((kept, gone)) = self.directory.join(position) else {
            return;
        };
        let gone = self.segments.swap_remove(gone);
        let kept = &mut self.segments[kept];
        let before = kept.len_bytes() + gone.len_bytes();
        // Both anew: the index of either may have been larger.
        let mut joined = Segment::default();
        joined.reserve(kept.len() + gone.len(), kept.near_len() + gone.near_len());
        let hash_of = |key: &[u8]| hasher.hash(key);
        for (key, payload) in kept.iter().chain(gone.iter()) {
            joined.insert(hasher.hash(key), &hash_of, key, payload);
        }
        *kept = Arc::new(joined);
        self.segments_bytes = self.segments_bytes - before + kept.len_bytes();
        self.segments.shrink_to(self.segments.len() * 2);
    }

    fn change<R>(&mut self, index: usize, f: impl FnOnce(&mut Segment) -> R) -> R {
        let segment = &mut self.segments[index];
        let before = segment.len_bytes();
        let segment = shared::own(segment);
        let result = f(segment);
        self.segments_bytes = self.segments_bytes - before + segment.len_bytes();
        result
    }

    /// Splits a segment; says which one a hash of it belongs to now.
    fn split(&mut self, hasher: &KeyHasher, index: usize, hash: u64) -> usize {
        let Some(bit) = self.directory.split(position(hash)) else {
            return index;
        };
        let whole = &self.segments[index];
        let (mut lower, mut upper) = (Segment::default(), Segment::default());
        let (len, bytes) = (whole.len() / 2, whole.near_len() / 2);
        let hash_of = |key: &[u8]| hasher.hash(key);
        for side in [&mut lower, &mut upper] {
            side.reserve(len, bytes);
        }
        for (key, payload) in whole.iter() {
            let hash = hasher.hash(key);
            let side = if position(hash) & bit == 0 {
                &mut lower
            } else {
                &mut upper
            };
            side.insert(hash, &hash_of, key, payload);
        }
        self.segments_bytes += lower.len_bytes() + upper.len_bytes();
        self.segments_bytes -= whole.len_bytes();
        self.segments[index] = Arc::new(lower);
        self.segments.push(Arc::new(upper));
        self.directory.segment(position(hash))
    }

    /// Gives all of it up in pieces, a segment of some hundred elements at a time.
    pub fn into_pieces(self) -> Pieces {
        Pieces::new(self)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        self.segments.iter().flat_map(|segment| segment.iter())
    }

    /// Those of the segment that holds the position `from` whose positions are no lower.
    pub fn at(&self, hasher: &KeyHasher, from: u32) -> impl Iterator<Item = Element<'_>> {
        // Where a walk comes in the middle of a segment, it has seen the others: two segments have been joined meanwhile.
        let is_start = self.directory.start(from) == from;
        let elements = self.segments[self.directory.segment(from)].iter();
        elements.filter(move |(key, _)| is_start || position(hasher.hash(key)) >= from)
    }

    /// Where the segment behind that one begins; none behind the last.
    pub fn end(&self, from: u32) -> Option<u32> {
        self.directory.end(from)
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Element<'_>> {
        if self.is_empty() {
            return None;
        }
        // An empty place is drawn again, and so is one that a smaller index does not have.
        let slots = match self.segments.as_slice() {
            [only] => only.slots(),
            _ => SLOTS_MAX,
        };
        loop {
            let drawn = random();
            let segment = &self.segments[(drawn >> 32) as usize % self.segments.len()];
            let slot = drawn as u32 as usize % slots;
            if slot < segment.slots()
                && let Some(element) = segment.slot(slot)
            {
                return Some(element);
            }
        }
    }
}

#[cfg(test)]
mod tests;
