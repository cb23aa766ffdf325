//! Large values that nobody shows any more: where a server frees them ([`defer`]), whoever drops one only sets it aside here, for
//! he most often holds a partition; it is freed in pieces by who holds none. However a value goes - a delete, a flush, an
//! overwrite, an operation that can be taken back no more - it comes by here, for this is what dropping it means.
//!
//! Invariant: what is set aside is memory only, and nothing that holds a lock waits for more than its place in the queue.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::db::body::Large;
use crate::db::list::{self, Fill, List};
use crate::db::ordered::Ordered;
use crate::db::{elements, ordered, stream};

/// Elements of a collection that is freed at once, and bytes of any value: some tens of microseconds.
const AT_ONCE_LEN: usize = 1024;
const AT_ONCE_BYTES: usize = 512 * 1024;

static DEFERS: AtomicBool = AtomicBool::new(false);
static ASIDE: Mutex<Vec<Garbage>> = Mutex::new(Vec::new());

/// Something to be freed.
#[derive(Debug)]
enum Garbage {
    Elements(elements::Pieces),
    Ordered(ordered::Pieces),
    List(list::Pieces),
    Stream(stream::Pieces),
    Bytes(Vec<u8>),
}

impl Iterator for Garbage {
    type Item = usize;

    /// Frees a piece; how many bytes that were.
    fn next(&mut self) -> Option<usize> {
        match self {
            Self::Elements(pieces) => pieces.next(),
            Self::Ordered(pieces) => pieces.next(),
            Self::List(pieces) => pieces.next(),
            Self::Stream(pieces) => pieces.next(),
            Self::Bytes(bytes) => {
                // From behind, a piece at a time: the system takes pages back one by one, too.
                let left = bytes.len().checked_sub(1)? / AT_ONCE_BYTES * AT_ONCE_BYTES;
                let freed = bytes.capacity() - left;
                bytes.truncate(left);
                bytes.shrink_to_fit();
                Some(freed)
            }
        }
    }
}

/// From now on large values are set aside: somebody calls [`free_some`] again and again.
pub fn defer() {
    DEFERS.store(true, Ordering::Relaxed);
}

/// Frees about so many bytes; says whether there is more.
pub fn free_some(bytes: usize) -> bool {
    let mut left = bytes;
    while left > 0 {
        let Some(mut garbage) = ASIDE.lock().pop() else {
            return false;
        };
        for freed in garbage.by_ref() {
            left = left.saturating_sub(freed);
            if left == 0 {
                ASIDE.lock().push(garbage);
                return true;
            }
        }
    }
    true
}

fn set_aside(garbage: Garbage) {
    ASIDE.lock().push(garbage);
}

/// Before a collection is dropped: leaves nothing of it where it is large.
#[inline]
pub(super) fn empty_large(large: &mut Large) {
    let is_large = large.len() > AT_ONCE_LEN || large.len_bytes() > AT_ONCE_BYTES;
    if !is_large || !DEFERS.load(Ordering::Relaxed) {
        return;
    }
    set_aside(match large {
        Large::Hash(elements) | Large::Set(elements) => {
            Garbage::Elements(std::mem::take(&mut **elements).into_pieces())
        }
        Large::Zset(ordered) => Garbage::Ordered(std::mem::take(&mut **ordered).into_pieces()),
        Large::List(list) => {
            let empty = List::new(Fill::default());
            Garbage::List(std::mem::replace(&mut **list, empty).into_pieces())
        }
        Large::Stream(stream) => Garbage::Stream(std::mem::take(&mut **stream).into_pieces()),
    });
}

/// The same of what members' deadlines are kept in.
#[inline]
pub(super) fn empty_ordered(ordered: &mut Ordered) {
    if ordered.len() > AT_ONCE_LEN && DEFERS.load(Ordering::Relaxed) {
        set_aside(Garbage::Ordered(std::mem::take(ordered).into_pieces()));
    }
}

/// The same of the bytes of a string.
#[inline]
pub(super) fn empty_bytes(bytes: &mut Vec<u8>) {
    if bytes.capacity() > AT_ONCE_BYTES && DEFERS.load(Ordering::Relaxed) {
        set_aside(Garbage::Bytes(std::mem::take(bytes)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::elements::Elements;
    use crate::db::stamp::Stamp;
    use crate::db::table::KeyHasher;

    #[test]
    fn what_is_large_is_freed_in_pieces_by_somebody_else() {
        let hasher = KeyHasher::new(5);
        let (mut elements, mut ordered) = (Elements::default(), Ordered::default());
        let mut list = List::new(Fill::default());
        for number in 0..50_000_u32 {
            let bytes = number.to_le_bytes();
            elements.insert(&hasher, &bytes, b"");
            ordered.insert(&hasher, &bytes, f64::from(number));
            list.push_back(Stamp::ZERO, &bytes);
        }
        defer();
        drop(Large::Set(Box::new(elements)));
        drop(Large::Zset(Box::new(ordered)));
        drop(Large::List(Box::new(list)));
        empty_bytes(&mut vec![1; 3 * AT_ONCE_BYTES]);
        let mut slices = 0;
        while free_some(64 * 1024) {
            slices += 1;
        }
        assert!(slices > 20, "{slices}");
        DEFERS.store(false, Ordering::Relaxed);
    }
}
