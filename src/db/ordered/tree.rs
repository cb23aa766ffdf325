//! The tree above the leaves of a sorted set: what it knows, and how it is searched.
//!
//! Invariant: all leaves are equally deep; a node counts the elements below each of its children and knows the score of the first
//! one; a child knows its node. A node has a child, the topmost one two; only a topmost leaf is empty.

use super::Ordered;
use super::arena::Paged;
use super::bounds::Cut;

/// In the place of a node above, where there is none.
pub(super) const NONE: u32 = u32::MAX;
/// How many children a node may have.
pub(super) const CHILDREN_MAX: usize = 64;

/// What a node knows of one below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child {
    /// Of its first element.
    pub score: f64,
    /// How many elements are below.
    pub count: usize,
    pub id: u32,
}

/// A node above leaves, at height 1, or above nodes.
#[derive(Debug)]
pub(super) struct Node {
    pub parent: u32,
    pub height: u32,
    /// Always with room for [`CHILDREN_MAX`].
    pub children: Vec<Child>,
}

impl Paged for Node {
    const PAGE_LEN: usize = 8;

    fn copy(&self) -> Self {
        let mut copy = Self::new(self.height);
        copy.parent = self.parent;
        copy.children.extend_from_slice(&self.children);
        copy
    }
}

impl Node {
    /// Memory that each owns, without its own fields.
    pub const LEN_BYTES: usize = CHILDREN_MAX * size_of::<Child>();

    pub fn new(height: u32) -> Self {
        Self {
            parent: NONE,
            height,
            children: Vec::with_capacity(CHILDREN_MAX),
        }
    }

    pub fn nth(&self, id: u32) -> usize {
        let found = self.children.iter().position(|child| child.id == id);
        // A child's node has it.
        found.unwrap_or_default()
    }
}

/// An element, or the end of a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub leaf: u32,
    pub nth: usize,
}

impl Ordered {
    pub(super) fn parent(&self, height: u32, id: u32) -> u32 {
        if height == 0 {
            self.leaves[id].parent
        } else {
            self.nodes[id].parent
        }
    }

    pub(super) fn set_parent(&mut self, height: u32, id: u32, parent: u32) {
        if height == 0 {
            self.leaves[id].parent = parent;
        } else {
            self.nodes[id].parent = parent;
        }
    }

    /// How many elements there are from a leaf or a node on downwards.
    pub(super) fn count(&self, height: u32, id: u32) -> usize {
        if height == 0 {
            self.leaves[id].len()
        } else {
            self.nodes[id].children.iter().map(|c| c.count).sum()
        }
    }

    /// The score of the first of these.
    pub(super) fn first_score(&self, height: u32, id: u32) -> Option<f64> {
        if height == 0 {
            let leaf = &self.leaves[id];
            (leaf.len() > 0).then(|| leaf.score(0))
        } else {
            self.nodes[id].children.first().map(|child| child.score)
        }
    }

    /// The leaf at an end of what is below.
    pub(super) fn end_leaf(&self, height: u32, mut id: u32, is_first: bool) -> u32 {
        for _ in 0..height {
            let children = &self.nodes[id].children;
            let end = if is_first {
                children.first()
            } else {
                children.last()
            };
            id = end.map_or(id, |child| child.id);
        }
        id
    }

    /// The member of the first element of what is below.
    fn first_member(&self, height: u32, id: u32) -> &[u8] {
        self.leaves[self.end_leaf(height, id, true)].member(0)
    }

    /// Where a cut is, and how many elements lie before it.
    pub(super) fn seek(&self, cut: Cut<'_>) -> (Place, usize) {
        let (mut id, mut rank) = (self.root, 0);
        for height in (0..self.height).rev() {
            let children = &self.nodes[id].children;
            let before = children.partition_point(|child| {
                cut.is_behind(child.score, || self.first_member(height, child.id))
            });
            // The last whose first element lies before the cut.
            let nth = before.saturating_sub(1);
            rank += children[..nth].iter().map(|c| c.count).sum::<usize>();
            id = children[nth].id;
        }
        let nth = self.leaves[id].count_before(cut);
        (Place { leaf: id, nth }, rank + nth)
    }

    /// Where the element of a rank is; behind the last one for any higher rank.
    pub(super) fn place(&self, mut rank: usize) -> Place {
        let mut id = self.root;
        for _ in 0..self.height {
            let children = &self.nodes[id].children;
            let mut nth = 0;
            while nth + 1 < children.len() && rank >= children[nth].count {
                rank -= children[nth].count;
                nth += 1;
            }
            id = children[nth].id;
        }
        let nth = rank.min(self.leaves[id].len());
        Place { leaf: id, nth }
    }

    /// The rank of what is at a place.
    pub(super) fn rank_of(&self, place: Place) -> usize {
        let (mut id, mut rank) = (place.leaf, place.nth);
        let mut parent = self.leaves[id].parent;
        while parent != NONE {
            let node = &self.nodes[parent];
            let before = node.children.iter().take_while(|child| child.id != id);
            rank += before.map(|child| child.count).sum::<usize>();
            (id, parent) = (parent, node.parent);
        }
        rank
    }

    /// The leaf behind or before one.
    pub(super) fn neighbour(&self, leaf: u32, is_behind: bool) -> Option<u32> {
        let (mut id, mut parent, mut height) = (leaf, self.leaves[leaf].parent, 0);
        while parent != NONE {
            let node = &self.nodes[parent];
            let nth = node.nth(id);
            let nth = if is_behind {
                Some(nth + 1)
            } else {
                nth.checked_sub(1)
            };
            if let Some(child) = nth.and_then(|nth| node.children.get(nth)) {
                return Some(self.end_leaf(height, child.id, is_behind));
            }
            (id, parent) = (parent, node.parent);
            height += 1;
        }
        None
    }

    /// Tells all above of so many elements more, and of the score of the first.
    pub(super) fn climb(&mut self, height: u32, mut id: u32, more: isize) {
        let mut first = self.first_score(height, id);
        let mut parent = self.parent(height, id);
        while parent != NONE {
            let node = &mut self.nodes[parent];
            let nth = node.nth(id);
            let child = &mut node.children[nth];
            child.count = child.count.wrapping_add_signed(more);
            if let Some(score) = first {
                child.score = score;
            }
            if nth > 0 {
                first = None;
            }
            (id, parent) = (parent, node.parent);
        }
    }

    /// Checks the invariant from a leaf or node on downwards; how many elements there are.
    #[cfg(test)]
    pub(super) fn check_below(&self, height: u32, id: u32, leaves: &mut Vec<u32>) -> usize {
        if height == 0 {
            leaves.push(id);
            let count = self.leaves[id].len();
            assert!(count > 0 || self.height == 0);
            return count;
        }
        let node = &self.nodes[id];
        assert_eq!(node.height, height);
        assert_eq!(node.children.capacity(), CHILDREN_MAX);
        assert!(node.children.len() > usize::from(height == self.height));
        for child in &node.children {
            assert_eq!(self.parent(height - 1, child.id), id);
            let first = self.end_leaf(height - 1, child.id, true);
            assert_eq!(self.leaves[first].score(0), child.score);
            let count = self.check_below(height - 1, child.id, leaves);
            assert_eq!(count, child.count);
        }
        self.count(height, id)
    }
}
