//! A walk through some elements of a sorted set in their order, from either end.
//!
//! Invariant: what is still to come are the elements of the ranks `start..end`.

use super::tree::Place;
use super::{Element, Ordered};

/// See the head of the file.
#[derive(Debug, Clone)]
pub struct Range<'o> {
    ordered: &'o Ordered,
    start: usize,
    end: usize,
    /// Where the first is; none until somebody asks for it.
    front: Option<Place>,
    /// Behind the last.
    back: Option<Place>,
}

impl<'o> Range<'o> {
    pub(super) fn new(ordered: &'o Ordered, ranks: std::ops::Range<usize>) -> Self {
        let end = ranks.end.min(ordered.len());
        Self {
            ordered,
            start: ranks.start.min(end),
            end,
            front: None,
            back: None,
        }
    }
}

impl<'o> Iterator for Range<'o> {
    type Item = Element<'o>;

    fn next(&mut self) -> Option<Element<'o>> {
        if self.start == self.end {
            return None;
        }
        let ordered = self.ordered;
        let mut place = self.front.unwrap_or_else(|| ordered.place(self.start));
        if place.nth == ordered.leaves[place.leaf].len() {
            place.leaf = ordered.neighbour(place.leaf, true)?;
            place.nth = 0;
        }
        let leaf = &ordered.leaves[place.leaf];
        let element = (leaf.member(place.nth), leaf.score(place.nth));
        place.nth += 1;
        self.front = Some(place);
        self.start += 1;
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.end - self.start;
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.start == self.end {
            return None;
        }
        let ordered = self.ordered;
        let mut place = self.back.unwrap_or_else(|| ordered.place(self.end));
        if place.nth == 0 {
            place.leaf = ordered.neighbour(place.leaf, false)?;
            place.nth = ordered.leaves[place.leaf].len();
        }
        place.nth -= 1;
        let leaf = &ordered.leaves[place.leaf];
        let element = (leaf.member(place.nth), leaf.score(place.nth));
        self.back = Some(place);
        self.end -= 1;
        Some(element)
    }
}

impl ExactSizeIterator for Range<'_> {}
