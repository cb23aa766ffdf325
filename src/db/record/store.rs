//! Where the records of one segment of the table lie: short ones, of up to 255 bytes, one behind the other in chunks, each behind a
//! byte that says how long it is; longer ones, and heads whose values lie elsewhere, in allocations of their own. A place is four
//! bytes, not a pointer of eight and a length of eight, and a short record pays for no allocation.
//!
//! Chunks, and not one buffer that grows: growth copies nothing, and of what the allocator rounds up there is none.
//!
//! Invariant: a place that was given out shows its record until that is removed or all are moved; `live` counts the bytes that
//! short records cover, `free` names the places in `apart` that hold nothing.

use crate::db::body::Form;
use crate::db::far::Far;
use crate::db::record::{Fresh, Meta, Record, laid_len, laid_out, lay_out};

/// Bytes of a chunk.
const CHUNK_LEN: usize = 2048;
/// Set in places in `apart`.
const APART: u32 = 1 << 31;
/// Fewer bytes that nothing covers are never cleared away.
const DEAD_MIN: usize = 256;
/// Nor fewer free places.
const FREE_MIN: usize = 16;

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) struct Place(u32);

/// A record with an allocation of its own.
#[derive(Debug)]
pub(super) enum Apart {
    Whole(Box<[u8]>),
    Far(Box<Far>),
}

impl Default for Apart {
    fn default() -> Self {
        Self::Whole(Box::default())
    }
}

// One for every record that is not short.
const _: () = assert!(size_of::<Apart>() == 16);

/// See the head of the file.
#[derive(Debug, Default)]
pub(in crate::db) struct Records {
    /// Each with room for [`CHUNK_LEN`] bytes.
    chunks: Vec<Vec<u8>>,
    live: usize,
    apart: Vec<Apart>,
    free: Vec<u32>,
}

impl Records {
    /// The record at a place.
    #[inline]
    pub fn get(&self, place: Place) -> Record<'_> {
        if place.0 & APART == 0 {
            let (chunk, start) = in_chunk(place);
            let chunk = &self.chunks[chunk][..];
            let head = &chunk[start + 1..start + 1 + usize::from(chunk[start])];
            return Record { head, far: None };
        }
        match &self.apart[(place.0 & !APART) as usize] {
            Apart::Whole(head) => Record { head, far: None },
            Apart::Far(far) => Record {
                head: &far.head,
                far: Some(far),
            },
        }
    }

    /// The bytes of a record, or of its head.
    #[inline]
    pub(super) fn head_mut(&mut self, place: Place) -> &mut [u8] {
        if place.0 & APART == 0 {
            let (chunk, start) = in_chunk(place);
            let chunk = &mut self.chunks[chunk][..];
            let len = usize::from(chunk[start]);
            return &mut chunk[start + 1..start + 1 + len];
        }
        match &mut self.apart[(place.0 & !APART) as usize] {
            Apart::Whole(head) => head,
            Apart::Far(far) => &mut far.head,
        }
    }

    /// The head and the value of a record whose value lies elsewhere.
    #[inline]
    pub(super) fn far_mut(&mut self, place: Place) -> Option<&mut Far> {
        if place.0 & APART == 0 {
            return None;
        }
        match &mut self.apart[(place.0 & !APART) as usize] {
            Apart::Far(far) => Some(far),
            Apart::Whole(_) => None,
        }
    }

    /// Lays a record out.
    pub fn add(&mut self, key: &[u8], value: Fresh<'_>, meta: &Meta) -> Place {
        match value {
            Fresh::Bytes(form, bytes) => self.add_bytes(key, form, bytes, meta),
            Fresh::Far(body) => {
                let head = laid_out(key, None, b"", meta);
                self.add_apart(Apart::Far(Box::new(Far { head, body })))
            }
        }
    }

    fn add_bytes(&mut self, key: &[u8], form: Option<Form>, value: &[u8], meta: &Meta) -> Place {
        let len = laid_len(key, form, value, meta);
        let Ok(short) = u8::try_from(len) else {
            return self.add_apart(Apart::Whole(laid_out(key, form, value, meta)));
        };
        let (place, chunk) = self.next_near(len + 1);
        chunk.push(short);
        lay_out(chunk, key, form, value, meta);
        place
    }

    /// Where the next short record will lie, with the byte before it.
    fn next_near(&mut self, len: usize) -> (Place, &mut Vec<u8>) {
        let has_room = |chunk: &Vec<u8>| CHUNK_LEN - chunk.len() >= len;
        if !self.chunks.last().is_some_and(has_room) {
            self.add_chunk();
        }
        self.live += len;
        let index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[index];
        (Place((index * CHUNK_LEN + chunk.len()) as u32), chunk)
    }

    #[cold]
    fn add_chunk(&mut self) {
        if self.chunks.len() == self.chunks.capacity() {
            self.chunks.reserve_exact(1 + self.chunks.len() / 4);
        }
        self.chunks.push(Vec::with_capacity(CHUNK_LEN));
    }

    fn add_apart(&mut self, record: Apart) -> Place {
        if let Some(index) = self.free.pop() {
            self.apart[index as usize] = record;
            return Place(index | APART);
        }
        if self.apart.len() == self.apart.capacity() {
            self.apart.reserve_exact(1 + self.apart.len() / 8);
        }
        self.apart.push(record);
        Place((self.apart.len() - 1) as u32 | APART)
    }

    /// Drops a record.
    pub fn remove(&mut self, place: Place) {
        if place.0 & APART == 0 {
            let (chunk, start) = in_chunk(place);
            let is_last = chunk + 1 == self.chunks.len();
            let chunk = &mut self.chunks[chunk];
            let len = 1 + usize::from(chunk[start]);
            self.live -= len;
            if is_last && start + len == chunk.len() {
                chunk.truncate(start);
            }
        } else {
            self.apart[(place.0 & !APART) as usize] = Apart::default();
            self.free.push(place.0 & !APART);
        }
    }

    /// Takes over a record of others, which forget it as a whole.
    pub fn adopt(&mut self, others: &mut Self, place: Place) -> Place {
        if place.0 & APART == 0 {
            let (chunk, start) = in_chunk(place);
            let from = &others.chunks[chunk][start..];
            let len = 1 + usize::from(from[0]);
            let (moved, to) = self.next_near(len);
            to.extend_from_slice(&from[..len]);
            return moved;
        }
        self.add_apart(std::mem::take(
            &mut others.apart[(place.0 & !APART) as usize],
        ))
    }

    /// Whether more than a quarter of the memory, or half the places of longer ones, hold nothing.
    pub fn is_sparse(&self) -> bool {
        let (used, free) = (self.used(), self.free.len());
        let dead = used - self.live;
        dead >= DEAD_MIN && dead > used / 4 || free >= FREE_MIN && free > self.apart.len() / 2
    }

    /// Bytes of chunks up to the last record.
    fn used(&self) -> usize {
        let Some((last, full)) = self.chunks.split_last() else {
            return 0;
        };
        full.len() * CHUNK_LEN + last.len()
    }

    /// Memory that is no record's.
    pub fn overhead(&self) -> usize {
        self.chunks.len() * CHUNK_LEN - self.live
            + self.chunks.capacity() * size_of::<Vec<u8>>()
            + self.apart.capacity() * size_of::<Apart>()
            + self.free.capacity() * size_of::<u32>()
    }
}

/// The chunk of a short record, and where in it the byte before the record lies.
#[inline]
fn in_chunk(place: Place) -> (usize, usize) {
    let at = place.0 as usize;
    (at / CHUNK_LEN, at % CHUNK_LEN)
}
