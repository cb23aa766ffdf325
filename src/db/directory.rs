//! Which segment holds which positions: an extendible directory. Growth splits one segment in halves, so that nothing waits for
//! all of a table to be moved.
//!
//! Invariant: every position belongs to exactly one segment, each segment to one contiguous range of them, whose width is a power
//! of two. Positions have 32 bits; segments are numbered in the order in which they came.

/// No directory needs more bits of a position.
const DEPTH_MAX: u32 = 28;

/// See the head of the file.
#[derive(Debug, Clone)]
pub struct Directory {
    /// `2^depth` entries: the segment for each value of the leading bits.
    entries: Vec<u32>,
    depth: u32,
    /// Of each segment, how many leading bits its positions share.
    depths: Vec<u8>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            entries: vec![0],
            depth: 0,
            depths: vec![0],
        }
    }
}

impl Directory {
    /// The segment of a position.
    #[inline]
    pub fn segment(&self, position: u32) -> usize {
        self.entries[self.entry(position, self.depth)] as usize
    }

    #[inline]
    fn entry(&self, position: u32, depth: u32) -> usize {
        // A shift by 32 of a u32 would overflow at depth 0, a shift of a u64 does not.
        (u64::from(position) >> (32 - depth)) as usize
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.depths.len()
    }

    /// Never: there is one from the start.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Splits the segment of a position: the upper half of its range belongs to a new one, the last from now on. Returns the bit
    /// that positions of the upper half have; none where ranges cannot get smaller.
    pub fn split(&mut self, position: u32) -> Option<u32> {
        let index = self.segment(position);
        let depth = u32::from(self.depths[index]);
        if depth == DEPTH_MAX {
            return None;
        }
        if depth == self.depth {
            let doubled = self.entries.iter().flat_map(|&entry| [entry, entry]);
            self.entries = doubled.collect();
            self.depth += 1;
        }
        let upper = self.depths.len() as u32;
        let span = 1usize << (self.depth - depth);
        let first = self.entry(position, depth) * span;
        self.entries[first + span / 2..first + span].fill(upper);
        self.depths[index] += 1;
        self.depths.push(self.depths[index]);
        Some(1 << (31 - depth))
    }

    /// Joins the segment of a position with its other half, where that is one segment too: both ranges belong to the first of what
    /// is returned, the second is no segment any more, and the last segment has its number from now on.
    pub fn join(&mut self, position: u32) -> Option<(usize, usize)> {
        let (own, other) = (self.segment(position), self.other_half(position)?);
        let (kept, gone) = (own.min(other), own.max(other));
        let last = self.depths.len() - 1;
        for entry in &mut self.entries {
            if *entry as usize == gone {
                *entry = kept as u32;
            } else if *entry as usize == last {
                *entry = gone as u32;
            }
        }
        self.depths[kept] -= 1;
        self.depths.swap_remove(gone);
        Some((kept, gone))
    }

    /// The other half of the range that the segment of a position is one half of, if that is one segment.
    pub fn other_half(&self, position: u32) -> Option<usize> {
        let depth = self.depths[self.segment(position)];
        if depth == 0 {
            return None;
        }
        let other = self.segment(position ^ 1 << (32 - u32::from(depth)));
        (self.depths[other] == depth).then_some(other)
    }

    /// The first position of the segment that holds `from`.
    pub fn start(&self, from: u32) -> u32 {
        match u32::from(self.depths[self.segment(from)]) {
            0 => 0,
            depth => from & (u32::MAX << (32 - depth)),
        }
    }

    /// The first position after the range of the segment that holds `from`, or none where it is the last.
    pub fn end(&self, from: u32) -> Option<u32> {
        let depth = u32::from(self.depths[self.segment(from)]);
        let width = 1u64 << (32 - depth);
        u32::try_from((u64::from(from) / width + 1) * width).ok()
    }

    /// Memory of it, without the segments.
    pub fn len_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u32>() + self.depths.capacity()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_ranges_of_segments_cover_all_positions_once(
            steps in proptest::collection::vec((any::<u32>(), any::<bool>(), any::<bool>()), 0..300),
        ) {
            let mut directory = Directory::default();
            for (position, splits, again) in steps {
                let before = directory.segment(position);
                if !splits && !again {
                    let (count, other) = (directory.len(), directory.other_half(position));
                    let joined = directory.join(position);
                    prop_assert_eq!(joined.is_some(), other.is_some());
                    if let (Some((kept, gone)), Some(other)) = (joined, other) {
                        prop_assert_eq!((kept, gone), (before.min(other), before.max(other)));
                        prop_assert_eq!(directory.segment(position), kept);
                        prop_assert_eq!(directory.len(), count - 1);
                    }
                } else if let Some(bit) = directory.split(position) {
                    let upper = directory.len() - 1;
                    prop_assert_eq!(directory.segment(position | bit), upper);
                    prop_assert_eq!(directory.segment(position & !bit), before);
                }
            }
            let mut seen = vec![false; directory.len()];
            let mut from = Some(0);
            while let Some(position) = from {
                let segment = directory.segment(position);
                prop_assert!(!std::mem::replace(&mut seen[segment], true));
                prop_assert_eq!(directory.start(position), position);
                from = directory.end(position);
                let last = from.map_or(u32::MAX, |end| end - 1);
                prop_assert_eq!(directory.segment(last), segment);
                prop_assert_eq!(directory.start(last), position);
            }
            prop_assert!(seen.into_iter().all(|seen| seen));
        }
    }

    #[test]
    fn ranges_get_no_smaller_than_they_may() {
        let mut directory = Directory {
            depth: 0,
            entries: vec![0],
            depths: vec![DEPTH_MAX as u8],
        };
        assert_eq!(directory.split(7), None);
        assert_eq!(directory.len(), 1);
    }
}
