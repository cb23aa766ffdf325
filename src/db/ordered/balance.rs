//! How the tree above a sorted set's leaves changes: what is full is split, what is small is joined.
//!
//! Invariant: that of the tree, before and after each of these; a leaf or node is put in empty, before anything is moved to it,
//! and is empty when it goes. Numbers may be others once something has gone.

use super::leaf::{LEAF_LEN_MIN, Leaf};
use super::tree::{CHILDREN_MAX, Child, NONE, Node, Place};
use super::{Hasher, Ordered};

/// A node with fewer children is joined with a neighbour,
const CHILDREN_MIN: usize = 16;
/// where both together have no more.
const JOINED_MAX: usize = 48;

impl Ordered {
    /// Puts an element in where a cut has shown that it belongs; the leaf that it is in then. A member of its own spares a copy.
    pub(super) fn insert_at(
        &mut self,
        hasher: Hasher<'_>,
        place: Place,
        (member, own): (&[u8], Option<Box<[u8]>>),
        score: f64,
        position: u32,
    ) -> u32 {
        let Place { mut leaf, mut nth } = place;
        if !self.leaves[leaf].has_room(member) {
            let is_last = nth == self.leaves[leaf].len() && self.neighbour(leaf, true).is_none();
            let is_first = nth == 0 && self.neighbour(leaf, false).is_none();
            if is_last || is_first {
                // What comes in order leaves full leaves behind it.
                leaf = self.add_leaf(leaf, is_first);
                nth = 0;
            } else {
                let middle = self.leaves[leaf].middle();
                let upper = self.split_leaf(hasher, leaf, middle);
                if nth > middle {
                    (leaf, nth) = (upper, nth - middle);
                }
            }
        }
        self.change(leaf, |leaf| leaf.insert(nth, score, member, own, position));
        self.climb(0, leaf, 1);
        leaf
    }

    /// Another score for an element that stays where it is.
    pub(super) fn set_score_at(&mut self, place: Place, score: f64) {
        self.leaves[place.leaf].set_score(place.nth, score);
        if place.nth == 0 {
            self.climb(0, place.leaf, 0);
        }
    }

    /// Takes an element out; its member, where that had an allocation of its own.
    pub(super) fn remove_at(&mut self, hasher: Hasher<'_>, place: Place) -> Option<Box<[u8]>> {
        let Place { leaf, nth } = place;
        let far = self.change(leaf, |leaf| leaf.remove(nth));
        self.climb(0, leaf, -1);
        if self.leaves[leaf].len() == 0 {
            self.detach(hasher, 0, leaf);
        } else if self.leaves[leaf].len() < LEAF_LEN_MIN {
            self.join(hasher, 0, leaf);
        }
        far.map(|far| far.member)
    }

    /// Changes a leaf, and what is known of its memory.
    fn change<R>(&mut self, id: u32, f: impl FnOnce(&mut Leaf) -> R) -> R {
        let leaf = &mut self.leaves[id];
        let before = leaf.len_bytes();
        let result = f(leaf);
        self.leaves_bytes = self.leaves_bytes - before + leaf.len_bytes();
        result
    }

    /// A new empty leaf behind or before one.
    fn add_leaf(&mut self, of: u32, is_before: bool) -> u32 {
        let new = self.leaves.push(Leaf::new(NONE));
        self.add_sibling(0, of, new, is_before);
        new
    }

    /// Puts an empty leaf or node behind or before another one.
    fn add_sibling(&mut self, height: u32, of: u32, new: u32, is_before: bool) {
        if self.parent(height, of) == NONE {
            let mut node = Node::new(height + 1);
            node.children.push(Child {
                score: self.first_score(height, of).unwrap_or_default(),
                count: self.count(height, of),
                id: of,
            });
            self.root = self.nodes.push(node);
            self.height += 1;
            self.set_parent(height, of, self.root);
        }
        let parent = self.parent(height, of);
        if self.nodes[parent].children.len() == CHILDREN_MAX {
            self.split_node(parent);
        }
        // May be another one by now.
        let parent = self.parent(height, of);
        let node = &mut self.nodes[parent];
        let nth = node.nth(of);
        let child = Child {
            score: node.children[nth].score,
            count: 0,
            id: new,
        };
        let nth = if is_before { nth } else { nth + 1 };
        node.children.insert(nth, child);
        self.set_parent(height, new, parent);
    }

    /// Moves the elements from the `nth` on to a new leaf behind.
    fn split_leaf(&mut self, hasher: Hasher<'_>, id: u32, nth: usize) -> u32 {
        let new = self.add_leaf(id, false);
        self.move_elements(hasher, id, nth, new);
        new
    }

    /// Moves the upper half of a node's children to a new one behind.
    fn split_node(&mut self, id: u32) {
        let height = self.nodes[id].height;
        let new = self.nodes.push(Node::new(height));
        self.add_sibling(height, id, new, false);
        self.move_children(id, CHILDREN_MAX / 2, new);
    }

    /// Moves the elements from the `nth` on to the end of another leaf.
    fn move_elements(&mut self, hasher: Hasher<'_>, from: u32, nth: usize, to: u32) {
        let before = self.leaves[to].len();
        let mut source = std::mem::replace(&mut self.leaves[from], Leaf::new(NONE));
        let len_bytes = source.len_bytes() + self.leaves[to].len_bytes();
        self.leaves[to].append(&mut source, nth);
        let after = source.len_bytes() + self.leaves[to].len_bytes();
        self.leaves_bytes = self.leaves_bytes - len_bytes + after;
        self.leaves[from] = source;
        self.relocate(hasher, from, to, before);
        let moved = (self.leaves[to].len() - before) as isize;
        self.climb(0, from, -moved);
        self.climb(0, to, moved);
    }

    /// Tells the index which leaf the elements of `to` from the `nth` on lie in now.
    fn relocate(&mut self, hasher: Hasher<'_>, from: u32, to: u32, nth: usize) {
        let leaf = &self.leaves[to];
        for nth in nth..leaf.len() {
            let position = leaf.position(nth, hasher);
            self.index.relocate(position, from, to);
        }
        #[cfg(test)]
        {
            self.moved += leaf.len() - nth;
        }
    }

    /// Moves the children from the `nth` on to the end of another node.
    fn move_children(&mut self, from: u32, nth: usize, to: u32) {
        let height = self.nodes[from].height;
        let moved = self.nodes[from].children.split_off(nth);
        let mut count = 0;
        for child in &moved {
            count += child.count as isize;
            self.set_parent(height - 1, child.id, to);
        }
        self.nodes[to].children.extend(moved);
        self.climb(height, from, -count);
        self.climb(height, to, count);
    }

    /// Joins a small leaf or node with a neighbour below the same node, where that one is small too.
    fn join(&mut self, hasher: Hasher<'_>, height: u32, id: u32) {
        let parent = self.parent(height, id);
        if parent == NONE {
            return;
        }
        let children = &self.nodes[parent].children;
        let nth = self.nodes[parent].nth(id);
        let fits = |left: &usize| {
            let (Some(left), Some(right)) = (children.get(*left), children.get(left + 1)) else {
                return false;
            };
            if height == 0 {
                self.leaves[left.id].fits(&self.leaves[right.id])
            } else {
                let len = |id: u32| self.nodes[id].children.len();
                len(left.id) + len(right.id) <= JOINED_MAX
            }
        };
        let lefts = [nth.checked_sub(1), Some(nth)];
        let Some(left) = lefts.into_iter().flatten().find(fits) else {
            return;
        };
        let (left, right) = (children[left].id, children[left + 1].id);
        if height == 0 {
            self.move_elements(hasher, right, 0, left);
        } else {
            self.move_children(right, 0, left);
        }
        self.detach(hasher, height, right);
    }

    /// Takes an empty leaf or node away.
    fn detach(&mut self, hasher: Hasher<'_>, height: u32, id: u32) {
        let parent = self.parent(height, id);
        if parent == NONE {
            // The last leaf stays.
            return;
        }
        let nth = self.nodes[parent].nth(id);
        self.nodes[parent].children.remove(nth);
        let parent = if height == 0 {
            self.free_leaf(hasher, id);
            parent
        } else {
            self.free_node(id, parent)
        };
        let len = self.nodes[parent].children.len();
        if len == 0 {
            self.detach(hasher, height + 1, parent);
            return;
        }
        // Another one may be the first now.
        self.climb(height + 1, parent, 0);
        if self.root == parent && len == 1 {
            self.lower();
        } else if len < CHILDREN_MIN {
            self.join(hasher, height + 1, parent);
        }
    }

    /// Takes topmost nodes away that have one child only.
    fn lower(&mut self) {
        while self.height > 0
            && let [only] = self.nodes[self.root].children[..]
        {
            let gone = self.root;
            self.height -= 1;
            self.root = only.id;
            self.set_parent(self.height, only.id, NONE);
            self.free_node(gone, NONE);
        }
    }

    /// Takes an empty leaf out; the last one has its number from now on.
    fn free_leaf(&mut self, hasher: Hasher<'_>, id: u32) {
        let last = self.leaves.len() as u32 - 1;
        if let Some(gone) = self.leaves.swap_remove(id) {
            self.leaves_bytes -= gone.len_bytes();
        }
        if id != last {
            self.renumber(0, last, id);
            self.relocate(hasher, last, id, 0);
        }
    }

    /// Takes a node out that nothing refers to; the last one has its number from now on. Returns the number of `other`.
    fn free_node(&mut self, id: u32, other: u32) -> u32 {
        let last = self.nodes.len() as u32 - 1;
        self.nodes.swap_remove(id);
        if id != last {
            let height = self.nodes[id].height;
            self.renumber(height, last, id);
            for nth in 0..self.nodes[id].children.len() {
                let child = self.nodes[id].children[nth].id;
                self.set_parent(height - 1, child, id);
            }
        }
        if other == last { id } else { other }
    }

    /// Tells the node above that a leaf or node has another number.
    fn renumber(&mut self, height: u32, from: u32, to: u32) {
        let parent = self.parent(height, to);
        if parent == NONE {
            self.root = to;
        } else {
            let nth = self.nodes[parent].nth(from);
            self.nodes[parent].children[nth].id = to;
        }
    }
}
