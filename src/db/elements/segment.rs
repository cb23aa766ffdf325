//! Some hundred elements of one collection, their bytes (see `entry`) one behind the other.
//!
//! An element lies in `near`; one longer than [`NEAR_MAX`] has an allocation of its own in `far`, so that no move of the others
//! copies it. The index holds places, not pointers: four bytes for each element.
//!
//! Invariant: the index names every element once; `dead` counts the bytes of `near` that none of its places covers.

use hashbrown::HashTable;

use crate::db::elements::Element;
use crate::db::elements::entry::{self, encode, encoded_len};
use crate::db::varint::Reader;

/// The longest element, with its lengths, that lies among the others.
const NEAR_MAX: usize = 1024;
/// Set in places in `far`.
const FAR: u32 = 1 << 31;
/// An index of so many places does not get smaller.
const SLOTS_MIN: usize = 16;
/// Fewer dead bytes are never cleared away.
const DEAD_MIN: usize = 256;

/// The hash of a key.
pub(super) trait HashOf: Fn(&[u8]) -> u64 {}
impl<F: Fn(&[u8]) -> u64> HashOf for F {}

/// See the head of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Segment {
    index: HashTable<u32>,
    near: Vec<u8>,
    dead: usize,
    far: Vec<Box<[u8]>>,
    /// Bytes in `far`.
    far_len: usize,
}

/// The element at the beginning of bytes that begin with one.
fn parts(bytes: &[u8]) -> Element<'_> {
    entry::split(bytes).map_or((&[], &[]), |(element, _)| element)
}

/// The key alone, at the beginning of bytes that begin with an element.
fn key_of(bytes: &[u8]) -> &[u8] {
    Reader::new(bytes).bytes().unwrap_or_default()
}

/// The bytes from a place on; of one in `near`, those behind the element too.
fn at<'s>(near: &'s [u8], far: &'s [Box<[u8]>], place: u32) -> &'s [u8] {
    if place & FAR == 0 {
        &near[place as usize..]
    } else {
        &far[(place & !FAR) as usize]
    }
}

impl Segment {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Memory of it, without its own fields.
    pub fn len_bytes(&self) -> usize {
        self.index.allocation_size()
            + self.near.capacity()
            + self.far.capacity() * size_of::<Box<[u8]>>()
            + self.far_len
    }

    pub fn get(&self, hash: u64, key: &[u8]) -> Option<&[u8]> {
        let place = self.index.find(hash, |place| self.key(*place) == key)?;
        Some(self.element(*place).1)
    }

    fn element(&self, place: u32) -> (&[u8], &[u8]) {
        parts(at(&self.near, &self.far, place))
    }

    fn key(&self, place: u32) -> &[u8] {
        key_of(at(&self.near, &self.far, place))
    }

    /// Puts an element in that is not there.
    pub fn insert(&mut self, hash: u64, hash_of: &impl HashOf, key: &[u8], payload: &[u8]) {
        let len = encoded_len(key, payload);
        let place = if len > NEAR_MAX {
            let mut bytes = Vec::with_capacity(len);
            encode(&mut bytes, key, payload);
            self.far_len += len;
            self.far.push(bytes.into_boxed_slice());
            (self.far.len() as u32 - 1) | FAR
        } else {
            self.make_room(len);
            let place = self.near.len() as u32;
            encode(&mut self.near, key, payload);
            place
        };
        let Self {
            index, near, far, ..
        } = self;
        index.insert_unique(hash, place, |place| hash_of(key_of(at(near, far, *place))));
    }

    /// Room for so many bytes more, and little beside it.
    fn make_room(&mut self, len: usize) {
        if self.near.capacity() - self.near.len() < len {
            self.clear_away();
            let more = len.max(self.near.len() / 8);
            self.near.reserve_exact(more);
        }
    }

    /// Another payload for an element that is there; false where it is not.
    pub fn replace(
        &mut self,
        hash: u64,
        hash_of: &impl HashOf,
        key: &[u8],
        payload: &[u8],
    ) -> bool {
        let Self {
            index, near, far, ..
        } = self;
        let Some(place) = index.find(hash, |place| key_of(at(near, far, *place)) == key) else {
            return false;
        };
        let start = at(near, far, *place);
        let old = parts(start).1;
        if old.len() == payload.len() {
            // The payload ends the element.
            let end = encoded_len(key, old);
            let bytes = if place & FAR == 0 {
                &mut near[*place as usize..]
            } else {
                &mut far[(place & !FAR) as usize]
            };
            bytes[end - payload.len()..end].copy_from_slice(payload);
        } else {
            self.remove(hash, hash_of, key, |_| ());
            self.insert(hash, hash_of, key, payload);
        }
        true
    }

    /// Takes an element out and shows its payload; none where it is not there.
    pub fn remove<R>(
        &mut self,
        hash: u64,
        hash_of: &impl HashOf,
        key: &[u8],
        show: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        let Self {
            index, near, far, ..
        } = self;
        let found = index.find_entry(hash, |place| key_of(at(near, far, *place)) == key);
        let (place, _) = found.ok()?.remove();
        let payload = self.element(place).1;
        let (len, shown) = (encoded_len(key, payload), show(payload));
        if place & FAR == 0 {
            self.dead += len;
            if self.dead >= DEAD_MIN && self.dead > self.near.len() / 4 {
                self.clear_away();
            }
        } else {
            self.far_len -= len;
            self.drop_far((place & !FAR) as usize, hash_of);
        }
        if self.slots() > SLOTS_MIN && self.len() * 8 < self.slots() {
            let Self {
                index, near, far, ..
            } = self;
            let len = index.len() * 2;
            index.shrink_to(len, |place| hash_of(key_of(at(near, far, *place))));
        }
        Some(shown)
    }

    /// The last one takes the place of one that goes.
    fn drop_far(&mut self, index: usize, hash_of: &impl HashOf) {
        let last = self.far.len() - 1;
        if index != last {
            let hash = hash_of(key_of(&self.far[last]));
            let moved = last as u32 | FAR;
            if let Some(place) = self.index.find_mut(hash, |place| *place == moved) {
                *place = index as u32 | FAR;
            }
        }
        self.far.swap_remove(index);
        if self.far.len() * 4 < self.far.capacity() {
            self.far.shrink_to(self.far.len() * 2);
        }
    }

    /// Moves the elements together, where dead bytes lie between them.
    fn clear_away(&mut self) {
        if self.dead == 0 {
            return;
        }
        let mut near = Vec::with_capacity(self.near.len() - self.dead);
        for place in &mut self.index {
            if *place & FAR == 0 {
                let (key, payload) = parts(&self.near[*place as usize..]);
                *place = near.len() as u32;
                encode(&mut near, key, payload);
            }
        }
        (self.near, self.dead) = (near, 0);
    }

    /// All elements, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.index.iter().map(|place| self.element(*place))
    }

    /// What lies in one of `slots` places of the index, some of which are empty.
    pub fn slot(&self, slot: usize) -> Option<(&[u8], &[u8])> {
        let place = self.index.get_bucket(slot)?;
        Some(self.element(*place))
    }

    /// How many places the index has.
    pub fn slots(&self) -> usize {
        self.index.num_buckets()
    }

    /// Room for so many elements with so many bytes.
    pub fn reserve(&mut self, len: usize, bytes: usize) {
        self.index.reserve(len, |_| 0);
        self.near.reserve_exact(bytes);
    }

    /// Bytes of the elements that lie one behind the other.
    pub fn near_len(&self) -> usize {
        self.near.len() - self.dead
    }
}
