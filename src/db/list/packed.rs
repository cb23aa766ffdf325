//! A small list in one piece of bytes, its elements one behind the other from the head to the tail.
//!
//! ```text
//! number of elements u16 LE | flags u8, 1: elements bear ids | elements
//! element: [id less the one before it, zigzag varint] | length varint | bytes
//! ```
//! Ids that follow each other are mostly near each other, so a difference is short. It wraps around; the first is the difference to
//! 0. Everything walks from the head: there are as few as one node of a large list would hold.
//!
//! Invariant: the number is that of the elements, and no more flags are set. Bytes from elsewhere are checked by [`is_whole`] before
//! they are taken for such.

use crate::db::list::{Element, Fill, List, Taken};
use crate::db::stamp::Stamp;
use crate::db::varint::{self, Reader, unzigzag, zigzag};

/// Bytes of the number and the flags.
const HEAD_LEN: usize = 3;
/// Where the flags are.
const FLAGS_AT: usize = 2;
/// The flag of ids.
const HAS_IDS: u8 = 1;
/// No more elements fit.
pub const LEN_MAX: usize = u16::MAX as usize;

/// The bytes of no elements.
pub fn empty(has_ids: bool) -> Vec<u8> {
    vec![0, 0, if has_ids { HAS_IDS } else { 0 }]
}

/// How many elements there are.
pub fn len(bytes: &[u8]) -> usize {
    let head = bytes.first_chunk().copied().unwrap_or_default();
    usize::from(u16::from_le_bytes(head))
}

fn set_len(bytes: &mut [u8], len: usize) {
    if let Some(head) = bytes.first_chunk_mut() {
        *head = (len.min(LEN_MAX) as u16).to_le_bytes();
    }
}

/// Whether elements bear ids.
pub fn has_ids(bytes: &[u8]) -> bool {
    bytes
        .get(FLAGS_AT)
        .is_some_and(|flags| flags & HAS_IDS != 0)
}

/// Elements with their ids, towards the tail.
#[derive(Debug, Clone)]
pub struct Iter<'b> {
    reader: Reader<'b>,
    has_ids: bool,
    /// Of the element before.
    id: u64,
}

impl<'b> Iter<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self {
            reader: Reader::new(bytes.get(HEAD_LEN..).unwrap_or_default()),
            has_ids: has_ids(bytes),
            id: 0,
        }
    }

    /// How many bytes are still to come.
    fn left(&self) -> usize {
        self.reader.rest().len()
    }

    /// Walks on to the id of the next element and stops before its length.
    fn read_id(&mut self) -> Option<()> {
        if self.has_ids {
            let more = unzigzag(self.reader.varint().ok()?);
            self.id = self.id.wrapping_add_signed(more);
        } else if self.reader.is_empty() {
            return None;
        }
        Some(())
    }
}

impl<'b> Iterator for Iter<'b> {
    type Item = Element<'b>;

    #[inline]
    fn next(&mut self) -> Option<Element<'b>> {
        self.read_id()?;
        let element = self.reader.bytes().ok()?;
        Some((Stamp::from_raw(self.id), element))
    }
}

/// All elements from the head to the tail.
pub fn iter(bytes: &[u8]) -> Iter<'_> {
    Iter::new(bytes)
}

/// Whether bytes are those of a small list.
pub fn is_whole(bytes: &[u8]) -> bool {
    let Some(flags) = bytes.get(FLAGS_AT) else {
        return false;
    };
    let (count, mut iter) = (len(bytes), iter(bytes));
    flags & !HAS_IDS == 0 && iter.by_ref().take(count).count() == count && iter.left() == 0
}

/// The element at a position, with its id.
pub fn get(bytes: &[u8], position: usize) -> Option<Element<'_>> {
    iter(bytes).nth(position)
}

/// The position of the first element with an id of which `is_it` holds.
pub fn find_id(bytes: &[u8], id: Stamp, is_it: impl Fn(&[u8]) -> bool) -> Option<usize> {
    if !has_ids(bytes) {
        return None;
    }
    iter(bytes).position(|(other, element)| other == id && is_it(element))
}

fn put_id(bytes: &mut Vec<u8>, before: u64, id: u64) {
    varint::put(bytes, zigzag(id.wrapping_sub(before) as i64));
}

/// The walk at a position; none where there are fewer elements before it.
fn walk_to(bytes: &[u8], position: usize) -> Option<Iter<'_>> {
    let mut iter = iter(bytes);
    if let Some(before) = position.checked_sub(1) {
        iter.nth(before)?;
    }
    Some(iter)
}

/// Bytes of the longest id.
const ID_LEN_MAX: usize = 10;

/// Puts what `encode` appends in the place of the bytes `from..to`.
fn replace(bytes: &mut Vec<u8>, from: usize, to: usize, encode: impl FnOnce(&mut Vec<u8>)) {
    bytes.drain(from..to);
    let before = bytes.len();
    encode(bytes);
    let more = bytes.len() - before;
    if let Some(tail) = bytes.get_mut(from..) {
        tail.rotate_right(more);
    }
}

/// Puts an element in so that it has this position. False, and nothing done, where `position` is more than the length, or where
/// there are [`LEN_MAX`] already. Lists without ids do not look at `id`.
pub fn insert(bytes: &mut Vec<u8>, position: usize, id: Stamp, element: &[u8]) -> bool {
    let count = len(bytes);
    if position > count || count == LEN_MAX || bytes.len() < HEAD_LEN {
        return false;
    }
    let Some(mut walk) = walk_to(bytes, position) else {
        return false;
    };
    let (has_ids, before, from) = (walk.has_ids, walk.id, bytes.len() - walk.left());
    // What stands behind bears the difference to another one now.
    let behind = (has_ids && walk.read_id().is_some()).then_some(walk.id);
    let to = behind.map_or(from, |_| bytes.len() - walk.left());
    let mut more = varint::len(element.len() as u64) + element.len();
    if has_ids {
        more += ID_LEN_MAX;
    }
    bytes.reserve_exact(more);
    replace(bytes, from, to, |out| {
        if has_ids {
            put_id(out, before, id.raw());
        }
        varint::put_bytes(out, element);
        if let Some(behind) = behind {
            put_id(out, id.raw(), behind);
        }
    });
    set_len(bytes, count + 1);
    true
}

/// Puts an element in at the head; see [`insert`].
pub fn push_front(bytes: &mut Vec<u8>, id: Stamp, element: &[u8]) -> bool {
    insert(bytes, 0, id, element)
}

/// Puts an element in at the tail; see [`insert`].
pub fn push_back(bytes: &mut Vec<u8>, id: Stamp, element: &[u8]) -> bool {
    insert(bytes, len(bytes), id, element)
}

/// Takes the element at a position out.
pub fn remove(bytes: &mut Vec<u8>, position: usize) -> Option<(Stamp, Taken)> {
    let count = len(bytes);
    let mut walk = walk_to(bytes, position)?;
    let (before, from) = (walk.id, bytes.len() - walk.left());
    let (id, element) = walk.next()?;
    let element = Taken::from_slice(element);
    let mut to = bytes.len() - walk.left();
    let behind = (walk.has_ids && walk.read_id().is_some()).then_some(walk.id);
    if behind.is_some() {
        to = bytes.len() - walk.left();
    }
    replace(bytes, from, to, |out| {
        if let Some(behind) = behind {
            put_id(out, before, behind);
        }
    });
    set_len(bytes, count.saturating_sub(1));
    Some((id, element))
}

/// Another element in the place of the one at a position, with the same id; false where there is none.
pub fn set(bytes: &mut Vec<u8>, position: usize, element: &[u8]) -> bool {
    let Some(mut walk) = walk_to(bytes, position) else {
        return false;
    };
    if walk.read_id().is_none() {
        return false;
    }
    let from = bytes.len() - walk.left();
    let Ok(old) = walk.reader.bytes() else {
        return false;
    };
    let (old_len, to) = (old.len(), bytes.len() - walk.left());
    if old_len == element.len() {
        if let Some(place) = bytes.get_mut(to - old_len..to) {
            place.copy_from_slice(element);
        }
        return true;
    }
    bytes.reserve_exact(
        (varint::len(element.len() as u64) + element.len()).saturating_sub(to - from),
    );
    replace(bytes, from, to, |out| varint::put_bytes(out, element));
    true
}

/// The large list of the same elements.
pub fn grow(bytes: &[u8], fill: Fill) -> List {
    let mut list = if has_ids(bytes) {
        List::with_ids(fill)
    } else {
        List::new(fill)
    };
    for (id, element) in iter(bytes) {
        list.push_back(id, element);
    }
    list
}

/// The small list of the same elements; none where they are more than [`LEN_MAX`].
pub fn shrink(list: &List) -> Option<Vec<u8>> {
    if list.len() > LEN_MAX {
        return None;
    }
    let (mut bytes, mut before) = (empty(list.has_ids()), 0);
    for (id, element) in list {
        if list.has_ids() {
            put_id(&mut bytes, before, id.raw());
            before = id.raw();
        }
        varint::put_bytes(&mut bytes, element);
    }
    set_len(&mut bytes, list.len());
    bytes.shrink_to_fit();
    Some(bytes)
}

#[cfg(test)]
mod tests;
