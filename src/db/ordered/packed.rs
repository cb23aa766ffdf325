//! A small sorted set in one piece of bytes, its elements one behind the other in their order.
//!
//! ```text
//! number of elements u16 LE | elements: member length varint | member | 8 | score f64 LE
//! ```
//! So it is a small collection whose payloads are scores, sorted by score and, where those are equal, by the members' bytes; 0.0 and
//! -0.0 are equal. Everything walks from the first: there are as few as `zset-max-listpack-entries` says.
//!
//! Invariant: the number is that of the elements, they are in order, no member is there twice, and no score is NaN. Bytes from
//! elsewhere are checked by [`is_whole`] before they are taken for such.

use std::ops::Range;

use smallvec::SmallVec;

use super::bounds::Cut;
use super::{Element, LexBound, Ordered, ScoreBound};
use crate::db::elements::{entry, packed};
use crate::db::table::KeyHasher;

pub use crate::db::elements::packed::{EMPTY, LEN_MAX, len};

/// Bytes of the number.
const HEAD_LEN: usize = EMPTY.len();
/// Bytes of a score.
const SCORE_LEN: usize = size_of::<f64>();

/// Elements in their order.
#[derive(Debug, Clone)]
pub struct Iter<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for Iter<'b> {
    type Item = Element<'b>;

    #[inline]
    fn next(&mut self) -> Option<Element<'b>> {
        let ((member, score), behind) = entry::split(self.rest)?;
        let score = f64::from_le_bytes(score.try_into().ok()?);
        self.rest = behind;
        Some((member, score))
    }
}

/// Elements in the other direction.
pub type IterRev<'b> = std::iter::Rev<smallvec::IntoIter<[Element<'b>; 8]>>;

/// All elements in their order.
pub fn iter(bytes: &[u8]) -> Iter<'_> {
    Iter {
        rest: bytes.get(HEAD_LEN..).unwrap_or_default(),
    }
}

/// The elements of some ranks in their order. Ranks that nothing has are left out.
pub fn range(bytes: &[u8], ranks: Range<usize>) -> std::iter::Take<Iter<'_>> {
    let mut iter = iter(bytes);
    if let Some(before) = ranks.start.checked_sub(1)
        && !ranks.is_empty()
    {
        iter.nth(before);
    }
    iter.take(ranks.len())
}

/// As [`range`], the last one first.
pub fn range_rev(bytes: &[u8], ranks: Range<usize>) -> IterRev<'_> {
    let elements: SmallVec<[Element<'_>; 8]> = range(bytes, ranks).collect();
    elements.into_iter().rev()
}

/// Whether bytes are those of a small sorted set.
pub fn is_whole(bytes: &[u8]) -> bool {
    let mut before = None;
    let mut iter = iter(bytes);
    let in_order = iter.by_ref().all(|(member, score)| {
        let is_behind = before.is_none_or(|(other, its_score)| {
            Cut::Element(score, member).is_behind(its_score, || other)
        });
        before = Some((member, score));
        is_behind && !score.is_nan()
    });
    // The same member may be there twice with two scores, which only a look at all of them tells.
    in_order && iter.rest.is_empty() && packed::is_whole(bytes)
}

/// The score of a member.
pub fn score(bytes: &[u8], member: &[u8]) -> Option<f64> {
    let (_, score) = iter(bytes).find(|(other, _)| *other == member)?;
    Some(score)
}

/// How many elements lie before a member, if it is there.
pub fn rank(bytes: &[u8], member: &[u8]) -> Option<usize> {
    iter(bytes).position(|(other, _)| other == member)
}

/// The element of a rank, counted from 0.
pub fn at_rank(bytes: &[u8], rank: usize) -> Option<Element<'_>> {
    iter(bytes).nth(rank)
}

/// The ranks of the elements whose scores lie between two bounds; empty, but in the right place, where there are none.
pub fn score_ranks(bytes: &[u8], min: ScoreBound, max: ScoreBound) -> Range<usize> {
    ranks(bytes, min.as_min(), max.as_max())
}

/// The ranks of the elements whose members lie between two bounds, where all scores are equal. Where they are not, some ranks.
pub fn lex_ranks(bytes: &[u8], min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
    ranks(bytes, min.as_min(), max.as_max())
}

fn ranks(bytes: &[u8], start: Cut<'_>, end: Cut<'_>) -> Range<usize> {
    let before = |cut: Cut<'_>| {
        let is_before = |(member, score): &Element<'_>| cut.is_behind(*score, || *member);
        iter(bytes).take_while(is_before).count()
    };
    let start = before(start);
    start..before(end).max(start)
}

/// Where a member begins and ends, and its score; and where it belongs with another score.
fn places(bytes: &[u8], member: &[u8], score: f64) -> (Option<(usize, usize, f64)>, usize) {
    let cut = Cut::Element(score, member);
    let (mut iter, mut found) = (iter(bytes), None);
    let mut start = bytes.len() - iter.rest.len();
    let mut place = None;
    while let Some((other, its_score)) = iter.next() {
        let end = bytes.len() - iter.rest.len();
        if other == member {
            found = Some((start, end, its_score));
        } else if place.is_none() && !cut.is_behind(its_score, || other) {
            place = Some(start);
        }
        if found.is_some() && place.is_some() {
            break;
        }
        start = end;
    }
    (found, place.unwrap_or(start))
}

/// Gives a member a score; the one that it had before, if it was there. A score equal to that one changes nothing, 0.0 and -0.0
/// being equal; and neither does NaN, which is no score. There must be fewer than [`LEN_MAX`].
pub fn insert(bytes: &mut Vec<u8>, member: &[u8], score: f64) -> Option<f64> {
    let (found, place) = places(bytes, member, score);
    let old = found.map(|(.., old)| old);
    if score.is_nan() || old == Some(score) {
        return old;
    }
    let Some((start, end, _)) = found else {
        if bytes.len() < HEAD_LEN || len(bytes) == LEN_MAX {
            return None;
        }
        let score = score.to_le_bytes();
        bytes.reserve_exact(entry::encoded_len(member, &score));
        let before = bytes.len();
        entry::encode(bytes, member, &score);
        let more = bytes.len() - before;
        if let Some(tail) = bytes.get_mut(place..) {
            tail.rotate_right(more);
        }
        let count = len(bytes) + 1;
        packed::set_len(bytes, count);
        return None;
    };
    let own_len = end - start;
    let new_end = if place >= end {
        if let Some(moved) = bytes.get_mut(start..place) {
            moved.rotate_left(own_len);
        }
        place
    } else {
        // Its own place, too, where nothing lies between.
        let place = place.min(start);
        if let Some(moved) = bytes.get_mut(place..end) {
            moved.rotate_right(own_len);
        }
        place + own_len
    };
    // The score ends the element.
    let score_at = new_end.saturating_sub(SCORE_LEN);
    if let Some(own) = bytes.get_mut(score_at..new_end) {
        own.copy_from_slice(&score.to_le_bytes());
    }
    old
}

/// Takes a member out; its score, if it was there.
pub fn remove(bytes: &mut Vec<u8>, member: &[u8]) -> Option<f64> {
    let payload = packed::remove(bytes, member)?;
    let score = payload.as_slice().try_into().ok()?;
    Some(f64::from_le_bytes(score))
}

/// The large sorted set of the same elements.
pub fn grow(bytes: &[u8], hasher: &KeyHasher) -> Ordered {
    let mut ordered = Ordered::default();
    for (member, score) in iter(bytes) {
        ordered.insert(hasher, member, score);
    }
    ordered
}

#[cfg(test)]
mod tests;
