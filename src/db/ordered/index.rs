//! From the position of a member (32 bits of its hash, see [`crate::db::table::position`]) to the leaf that holds it: sorted slots
//! in segments of some hundred, which are split in halves and joined again. Positions are spread evenly, so the place of one
//! within its segment is guessed well: a look-up reads a few neighbouring slots.
//!
//! Invariant: a slot lies in the segment that the directory names for its position; the slots of a segment are in order. Slots
//! that are the same twice are two members of one position in one leaf.

use crate::db::directory::Directory;

use super::arena::{Arena, Paged, Pieces};

/// A segment with more slots is split.
const SEGMENT_LEN_MAX: usize = 512;
/// A segment with fewer is joined with its other half,
const SEGMENT_LEN_MIN: usize = 64;
/// where both together have no more.
const JOINED_LEN_MAX: usize = 256;

/// A position above, the number of a leaf below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(u64);

impl Slot {
    #[inline]
    pub fn new(position: u32, leaf: u32) -> Self {
        Self(u64::from(position) << 32 | u64::from(leaf))
    }

    #[inline]
    pub fn position(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub fn leaf(self) -> u32 {
        self.0 as u32
    }
}

/// Those of one segment.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// Memory that they take.
    pub fn len_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Slot>()
    }
}

impl Paged for Slots {
    const PAGE_LEN: usize = 2;

    fn copy(&self) -> Self {
        let mut copy = Vec::with_capacity(self.0.capacity());
        copy.extend_from_slice(&self.0);
        Self(copy)
    }
}

/// See the head of the file. A copy shares the segments.
#[derive(Debug, Clone)]
pub(super) struct Index {
    directory: Directory,
    segments: Arena<Slots>,
    /// Slots there is room for, in all segments.
    room: usize,
}

impl Default for Index {
    fn default() -> Self {
        let mut segments = Arena::default();
        segments.push(Slots::default());
        Self {
            directory: Directory::default(),
            segments,
            room: 0,
        }
    }
}

/// How many of the slots are below one. Searches outwards from where it would lie if positions were spread evenly.
#[inline]
fn lower_bound(slots: &[Slot], wanted: Slot, start: u32, width: u64) -> usize {
    let ahead = u64::from(wanted.position().saturating_sub(start));
    let guess = (slots.len() as u64 * ahead / width) as usize;
    let guess = guess.min(slots.len());
    let (mut low, mut high) = (guess, guess);
    let mut step = 4;
    while low > 0 && slots[low - 1] >= wanted {
        high = low - 1;
        low = low.saturating_sub(step);
        step *= 2;
    }
    step = 4;
    while high < slots.len() && slots[high] < wanted {
        low = high + 1;
        high = (high + step).min(slots.len());
        step *= 2;
    }
    if low >= high {
        return low;
    }
    low + slots[low..high].partition_point(|slot| *slot < wanted)
}

impl Index {
    /// Memory of all of it.
    pub fn len_bytes(&self) -> usize {
        self.room * size_of::<Slot>() + self.segments.len_bytes() + self.directory.len_bytes()
    }

    /// The number of the segment that a slot belongs to, and its place there, whether it is there or not.
    #[inline]
    fn place(&self, slot: Slot) -> (u32, usize) {
        let position = slot.position();
        let segment = self.directory.segment(position) as u32;
        let start = self.directory.start(position);
        let end = self.directory.end(position).map_or(1 << 32, u64::from);
        let width = end - u64::from(start);
        let place = lower_bound(&self.segments[segment].0, slot, start, width);
        (segment, place)
    }

    /// The leaves that hold members of a position: one at most, unless two members share it.
    #[inline]
    pub fn leaves(&self, position: u32) -> impl Iterator<Item = u32> {
        let (segment, place) = self.place(Slot::new(position, 0));
        let slots = &self.segments[segment].0[place..];
        let same = slots.iter().take_while(move |s| s.position() == position);
        same.map(|slot| slot.leaf())
    }

    pub fn insert(&mut self, slot: Slot) {
        let (mut segment, mut place) = self.place(slot);
        if self.segments[segment].0.len() >= SEGMENT_LEN_MAX {
            self.split(segment, slot.position());
            (segment, place) = self.place(slot);
        }
        let slots = &mut self.segments[segment].0;
        if slots.len() == slots.capacity() {
            self.room -= slots.capacity();
            slots.reserve_exact(1 + slots.len() / 8);
            self.room += slots.capacity();
        }
        slots.insert(place, slot);
    }

    /// Takes a slot out, if it is there.
    pub fn remove(&mut self, slot: Slot) {
        let (segment, place) = self.place(slot);
        if self.segments[segment].0.get(place) != Some(&slot) {
            return;
        }
        let slots = &mut self.segments[segment].0;
        slots.remove(place);
        if slots.len() * 2 < slots.capacity() {
            self.room -= slots.capacity();
            slots.shrink_to(slots.len() + slots.len() / 8);
            self.room += slots.capacity();
        }
        if slots.len() < SEGMENT_LEN_MIN {
            self.join(slot.position());
        }
    }

    /// Notes that a member lies in another leaf now.
    pub fn relocate(&mut self, position: u32, from: u32, to: u32) {
        let (segment, place) = self.place(Slot::new(position, from));
        let old = Slot::new(position, from);
        if self.segments[segment].0.get(place) != Some(&old) {
            return;
        }
        let slots = &mut self.segments[segment].0;
        slots[place] = Slot::new(position, to);
        // Almost always alone; where two share a position, they stay in order.
        let is_same = |slot: &Slot| slot.position() == position;
        let first = place
            - slots[..place]
                .iter()
                .rev()
                .take_while(|s| is_same(s))
                .count();
        let end = place + slots[place..].iter().take_while(|s| is_same(s)).count();
        slots[first..end].sort_unstable();
    }

    fn split(&mut self, segment: u32, position: u32) {
        let Some(bit) = self.directory.split(position) else {
            return;
        };
        let slots = &mut self.segments[segment].0;
        self.room -= slots.capacity();
        let lower = slots.partition_point(|slot| slot.position() & bit == 0);
        let upper = slots.split_off(lower);
        slots.shrink_to(lower + lower / 8);
        self.room += slots.capacity() + upper.capacity();
        self.segments.push(Slots(upper));
    }

    fn join(&mut self, position: u32) {
        let len = |segment: usize| self.segments[segment as u32].0.len();
        let own = len(self.directory.segment(position));
        let other = self.directory.other_half(position).map(len);
        if other.is_none_or(|other| own + other > JOINED_LEN_MAX) {
            return;
        }
        let Some((kept, gone)) = self.directory.join(position) else {
            return;
        };
        let Some(Slots(gone)) = self.segments.swap_remove(gone as u32) else {
            return;
        };
        let kept = &mut self.segments[kept as u32].0;
        self.room -= kept.capacity() + gone.capacity();
        let mut joined = Vec::with_capacity(kept.len() + gone.len());
        let in_order = kept.first() <= gone.first();
        let (lower, upper) = if in_order {
            (&*kept, &gone)
        } else {
            (&gone, &*kept)
        };
        joined.extend_from_slice(lower);
        joined.extend_from_slice(upper);
        self.room += joined.capacity();
        *kept = joined;
    }

    /// The slots of the segment that holds the position `from` whose positions are no lower.
    pub fn at(&self, from: u32) -> &[Slot] {
        let (segment, place) = self.place(Slot::new(from, 0));
        &self.segments[segment].0[place..]
    }

    /// Where the segment behind that one begins; none behind the last.
    pub fn end(&self, from: u32) -> Option<u32> {
        self.directory.end(from)
    }

    /// Gives all of it up in pieces.
    pub fn into_pieces(self) -> Pieces<Slots> {
        self.segments.into_pieces()
    }

    /// Checks the invariant; how many slots there are.
    #[cfg(test)]
    pub fn check(&self) -> usize {
        let (mut from, mut count, mut room) = (Some(0), 0, 0);
        while let Some(position) = from {
            from = self.directory.end(position);
            let slots = &self.segments[self.directory.segment(position) as u32].0;
            assert!(slots.is_sorted());
            let last = from.map_or(u32::MAX, |end| end - 1);
            assert!(slots.first().is_none_or(|s| s.position() >= position));
            assert!(slots.last().is_none_or(|s| s.position() <= last));
            count += slots.len();
            room += slots.capacity();
        }
        assert_eq!(self.room, room);
        assert_eq!(self.segments.len(), self.directory.len());
        count
    }
}
