//! At most [`LEAF_LEN_MAX`] elements of a sorted set in their order, their bytes one behind the other.
//!
//! ```text
//! score f64 little endian | member
//! ```
//! A member longer than [`NEAR_MAX`] has an allocation of its own in `far`, so that no move of the others copies it; the place
//! of its allocation, one byte, is then in the place of the member. Its position is kept there too: to hash it takes long.
//!
//! Invariant: `ends` and `tags` have a value for each element; every allocation in `far` belongs to one element.

use crate::db::table::{KeyHasher, position};

use super::arena::Paged;
use super::bounds::Cut;

/// How many elements a leaf may hold.
pub(super) const LEAF_LEN_MAX: usize = 64;
/// A leaf that has so many bytes takes no more; what it takes at last may be longer by one element.
const LEAF_BYTES_MAX: usize = 4096;
/// A leaf with fewer elements is joined with a neighbour,
pub(super) const LEAF_LEN_MIN: usize = 16;
/// where both together have no more than so many
const JOINED_LEN_MAX: usize = 48;
/// and so many bytes.
const JOINED_BYTES_MAX: usize = 3072;
/// The longest member that lies among the others.
const NEAR_MAX: usize = 1024;
/// Set in the end of an element whose member lies apart.
const FAR: u16 = 1 << 15;
/// Bytes of a score.
const SCORE_LEN: usize = 8;

/// A member with an allocation of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Far {
    pub member: Box<[u8]>,
    position: u32,
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The last bits of each member's position, so that a member is found without reading the others.
    tags: [u8; LEAF_LEN_MAX],
    /// Where each element ends in `bytes`.
    ends: [u16; LEAF_LEN_MAX],
    len: u8,
    /// The node above, or [`super::tree::NONE`].
    pub parent: u32,
    bytes: Vec<u8>,
    far: Vec<Far>,
}

impl Paged for Leaf {
    const PAGE_LEN: usize = 16;

    fn copy(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.capacity());
        bytes.extend_from_slice(&self.bytes);
        let mut far = Vec::with_capacity(self.far.capacity());
        far.extend_from_slice(&self.far);
        Self {
            bytes,
            far,
            ..*self
        }
    }
}

/// The tag of a member at a position.
#[inline]
fn tag(position: u32) -> u8 {
    position as u8
}

impl Leaf {
    pub fn new(parent: u32) -> Self {
        Self {
            tags: [0; LEAF_LEN_MAX],
            ends: [0; LEAF_LEN_MAX],
            len: 0,
            parent,
            bytes: Vec::new(),
            far: Vec::new(),
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Memory that it owns, without its own fields.
    pub fn len_bytes(&self) -> usize {
        let far = self.far.iter().map(|far| far.member.len());
        self.bytes.capacity() + self.far.capacity() * size_of::<Far>() + far.sum::<usize>()
    }

    #[inline]
    fn start(&self, nth: usize) -> usize {
        match nth.checked_sub(1) {
            Some(before) => usize::from(self.ends[before] & !FAR),
            None => 0,
        }
    }

    #[inline]
    fn end(&self, nth: usize) -> usize {
        usize::from(self.ends[nth] & !FAR)
    }

    #[inline]
    pub fn is_far(&self, nth: usize) -> bool {
        self.ends[nth] & FAR != 0
    }

    /// The place in `far` of an element whose member lies there.
    fn far_place(&self, nth: usize) -> usize {
        usize::from(self.bytes[self.end(nth) - 1])
    }

    fn set_far_place(&mut self, nth: usize, place: usize) {
        let end = self.end(nth);
        self.bytes[end - 1] = place as u8;
    }

    /// The score of an element.
    #[inline]
    pub fn score(&self, nth: usize) -> f64 {
        let start = self.start(nth);
        let bytes = &self.bytes[start..start + SCORE_LEN];
        bytes.try_into().map_or(0.0, f64::from_le_bytes)
    }

    /// The member of an element.
    #[inline]
    pub fn member(&self, nth: usize) -> &[u8] {
        if self.is_far(nth) {
            &self.far[self.far_place(nth)].member
        } else {
            &self.bytes[self.start(nth) + SCORE_LEN..self.end(nth)]
        }
    }

    /// The position of an element's member.
    pub fn position(&self, nth: usize, hasher: &KeyHasher) -> u32 {
        if self.is_far(nth) {
            self.far[self.far_place(nth)].position
        } else {
            position(hasher.hash(self.member(nth)))
        }
    }

    /// Which element has a member, whose position is known.
    #[inline]
    pub fn find(&self, position: u32, member: &[u8]) -> Option<usize> {
        let tags = &self.tags[..self.len()];
        memchr::memchr_iter(tag(position), tags).find(|nth| self.member(*nth) == member)
    }

    /// Which elements have members at a position.
    pub fn at(&self, at: u32, hasher: &KeyHasher) -> impl Iterator<Item = usize> {
        let tags = &self.tags[..self.len()];
        memchr::memchr_iter(tag(at), tags).filter(move |nth| self.position(*nth, hasher) == at)
    }

    /// How many elements lie before a cut.
    pub fn count_before(&self, cut: Cut<'_>) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if cut.is_behind(self.score(middle), || self.member(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Whether a member may come in.
    pub fn has_room(&self, member: &[u8]) -> bool {
        let len = SCORE_LEN + member.len().min(NEAR_MAX);
        self.len() < LEAF_LEN_MAX && self.bytes.len() + len <= LEAF_BYTES_MAX
    }

    /// Where a full one is best split: before which element.
    pub fn middle(&self) -> usize {
        if self.len() == LEAF_LEN_MAX {
            return LEAF_LEN_MAX / 2;
        }
        let half = self.bytes.len() / 2;
        let count = (0..self.len()).take_while(|nth| self.end(*nth) <= half);
        count.count().clamp(1, self.len().max(2) - 1)
    }

    /// Whether it and a neighbour are better one leaf.
    pub fn fits(&self, other: &Self) -> bool {
        self.len() + other.len() <= JOINED_LEN_MAX
            && self.bytes.len() + other.bytes.len() <= JOINED_BYTES_MAX
    }

    /// Puts an element in before the `nth`. There must be room. A member that lies apart needs no copy where `own` is one.
    pub fn insert(
        &mut self,
        nth: usize,
        score: f64,
        member: &[u8],
        own: Option<Box<[u8]>>,
        position: u32,
    ) {
        let (start, old_len, is_far) = (self.start(nth), self.bytes.len(), member.len() > NEAR_MAX);
        let place = [self.far.len() as u8];
        let shown = if is_far { &place } else { member };
        let len = SCORE_LEN + shown.len();
        if self.bytes.capacity() < old_len + len {
            self.bytes.reserve_exact(len.max(old_len / 8));
        }
        self.bytes.resize(old_len + len, 0);
        self.bytes.copy_within(start..old_len, start + len);
        self.bytes[start..start + SCORE_LEN].copy_from_slice(&score.to_le_bytes());
        self.bytes[start + SCORE_LEN..start + len].copy_from_slice(shown);
        if is_far {
            let member = own.unwrap_or_else(|| member.into());
            self.far.push(Far { member, position });
        }
        let count = self.len();
        self.tags.copy_within(nth..count, nth + 1);
        self.tags[nth] = tag(position);
        self.ends.copy_within(nth..count, nth + 1);
        for end in &mut self.ends[nth + 1..=count] {
            *end += len as u16;
        }
        self.ends[nth] = (start + len) as u16 | if is_far { FAR } else { 0 };
        self.len += 1;
    }

    /// Takes an element out; its member, where that had an allocation of its own.
    pub fn remove(&mut self, nth: usize) -> Option<Far> {
        let far = self.is_far(nth).then(|| self.take_far(nth));
        let (start, end, count) = (self.start(nth), self.end(nth), self.len());
        self.bytes.drain(start..end);
        self.tags.copy_within(nth + 1..count, nth);
        self.ends.copy_within(nth + 1..count, nth);
        self.len -= 1;
        for later in &mut self.ends[nth..count - 1] {
            *later -= (end - start) as u16;
        }
        self.shrink();
        far
    }

    /// The last one takes the place of one that goes.
    fn take_far(&mut self, nth: usize) -> Far {
        let (place, last) = (self.far_place(nth), self.far.len() - 1);
        let of_last = |at: &usize| self.is_far(*at) && self.far_place(*at) == last;
        if let Some(moved) = (0..self.len()).find(of_last) {
            self.set_far_place(moved, place);
        }
        self.far.swap_remove(place)
    }

    /// Another score, which leaves the order as it is.
    pub fn set_score(&mut self, nth: usize, score: f64) {
        let start = self.start(nth);
        self.bytes[start..start + SCORE_LEN].copy_from_slice(&score.to_le_bytes());
    }

    /// Moves the elements of another leaf from the `from`th on to the end of this one. There must be room.
    pub fn append(&mut self, other: &mut Self, from: usize) {
        let (start, own) = (other.start(from), self.bytes.len());
        self.bytes.reserve_exact(other.bytes.len() - start);
        self.bytes.extend_from_slice(&other.bytes[start..]);
        for nth in from..other.len() {
            let at = self.len();
            self.tags[at] = other.tags[nth];
            self.ends[at] = (other.end(nth) - start + own) as u16 | (other.ends[nth] & FAR);
            self.len += 1;
            if other.is_far(nth) {
                let place = other.far_place(nth);
                self.set_far_place(at, self.far.len());
                self.far.push(std::mem::take(&mut other.far[place]));
            }
        }
        other.truncate(from);
    }

    fn truncate(&mut self, count: usize) {
        self.bytes.truncate(self.start(count));
        self.len = count as u8;
        let mut kept = Vec::new();
        for nth in 0..count {
            if self.is_far(nth) {
                let place = self.far_place(nth);
                self.set_far_place(nth, kept.len());
                kept.push(std::mem::take(&mut self.far[place]));
            }
        }
        self.far = kept;
        self.shrink();
    }

    fn shrink(&mut self) {
        let len = self.bytes.len();
        if len + len / 2 < self.bytes.capacity() {
            self.bytes.shrink_to(len + len / 8);
        }
        if self.far.len() * 4 < self.far.capacity() {
            self.far.shrink_to(self.far.len() * 2);
        }
    }
}
