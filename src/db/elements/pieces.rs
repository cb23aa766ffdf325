//! A collection that is given up: its segments go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no collection any more.

use std::sync::Arc;

use super::Elements;
use super::segment::Segment;
use crate::db::shared;

/// Frees a segment whenever the next one is asked for, and tells how many bytes it had, few where somebody else has it, too;
/// what is left goes with it.
#[derive(Debug)]
pub struct Pieces {
    segments: Vec<Arc<Segment>>,
}

impl Pieces {
    pub(super) fn new(elements: Elements) -> Self {
        Self {
            segments: elements.segments,
        }
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let segment = shared::give_up(self.segments.pop()?);
        Some(segment.map_or(shared::LEFT_BYTES, |segment| {
            shared::len_bytes::<Segment>(1, 1) + segment.len_bytes()
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.segments.len(), Some(self.segments.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::table::KeyHasher;

    #[test]
    fn a_collection_goes_a_segment_at_a_time() {
        let (mut elements, hasher) = (Elements::default(), KeyHasher::new(3));
        for number in 0..20_000_u32 {
            let len = if number % 900 == 0 { 3_000 } else { 9 };
            elements.insert(&hasher, &number.to_le_bytes(), &vec![1; len]);
        }
        let room = elements.segments.capacity() - elements.segments.len();
        let left = room * size_of::<Arc<Segment>>() + elements.directory.len_bytes();
        let (len_bytes, count) = (elements.len_bytes(), elements.segments.len());
        let mut pieces = elements.into_pieces();
        let sizes: Vec<usize> = pieces.by_ref().collect();
        assert_eq!(sizes.len(), count);
        assert!(count > 20);
        assert_eq!(sizes.iter().sum::<usize>() + left, len_bytes);
        assert_eq!(pieces.next(), None);
    }
}
