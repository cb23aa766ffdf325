//! Parts of large collections that a copy has in common with its original: a copy of ten million elements is some ten thousand
//! counts, and who writes to a part that somebody else has, too, gets one of his own first.
//!
//! Invariant: nobody sees what another writes, and no part is copied that is not written.

use std::collections::VecDeque;
use std::sync::Arc;

/// What is counted for a part that was given up and that somebody else still has.
pub(in crate::db) const LEFT_BYTES: usize = 64;
/// Counts that are read before any of them is raised.
const AHEAD: usize = 32;

/// The same parts once more.
pub(in crate::db) fn all<T>(parts: &[Arc<T>]) -> Vec<Arc<T>> {
    all_of_both([parts, &[]])
}

/// The same of those in a deque.
pub(in crate::db) fn all_of<T>(parts: &VecDeque<Arc<T>>) -> VecDeque<Arc<T>> {
    all_of_both(parts.as_slices().into()).into()
}

fn all_of_both<T>([front, back]: [&[Arc<T>]; 2]) -> Vec<Arc<T>> {
    let mut same = Vec::with_capacity(front.len() + back.len());
    for some in front.chunks(AHEAD).chain(back.chunks(AHEAD)) {
        fetch(some);
        same.extend(some.iter().map(Arc::clone));
    }
    same
}

/// Reads the counts of parts that are to be shared. They lie far apart, and reads of memory overlap, but changes of counts wait
/// for each other.
fn fetch<T>(parts: &[Arc<T>]) {
    std::hint::black_box(parts.iter().map(Arc::strong_count).sum::<usize>());
}

/// A part to be written to: a copy, where somebody else has it, too.
#[inline]
pub(in crate::db) fn own<T: Clone>(part: &mut Arc<T>) -> &mut T {
    #[cfg(test)]
    if is_shared(part) {
        COPIED.set(COPIED.get() + 1);
    }
    Arc::make_mut(part)
}

/// Whether somebody else has a part, too.
#[inline]
pub(in crate::db) fn is_shared<T>(part: &Arc<T>) -> bool {
    Arc::strong_count(part) > 1
}

/// Gives a part up: it is handed back to be freed by who was the last to have it.
pub(in crate::db) fn give_up<T>(part: Arc<T>) -> Option<T> {
    Arc::into_inner(part)
}

/// Memory of so many parts, in a vector with this room, without what they own.
pub(in crate::db) const fn len_bytes<T>(len: usize, room: usize) -> usize {
    // Two counts lie with each.
    len * (size_of::<T>() + 2 * size_of::<usize>()) + room * size_of::<Arc<T>>()
}

#[cfg(test)]
thread_local! {
    /// Parts that were copied in this thread, because somebody else had them.
    pub(in crate::db) static COPIED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
