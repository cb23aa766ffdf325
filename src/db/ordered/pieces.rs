//! A sorted set that is given up: its parts go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no set any more.

use super::Ordered;
use super::arena::Arena;
use super::index::Index;
use super::leaf::Leaf;
use super::tree::Node;

/// Frees a part of a sorted set whenever the next one is asked for, and tells how many bytes it had; what is left goes with it.
#[derive(Debug)]
pub struct Pieces {
    leaves: Arena<Leaf>,
    nodes: Arena<Node>,
    index: Index,
}

impl Pieces {
    pub(super) fn new(ordered: Ordered) -> Self {
        Self {
            leaves: ordered.leaves,
            nodes: ordered.nodes,
            index: ordered.index,
        }
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if let Some(leaf) = self.leaves.pop() {
            return Some(size_of::<Leaf>() + leaf.len_bytes());
        }
        if self.nodes.pop().is_some() {
            return Some(size_of::<Node>() + Node::LEN_BYTES);
        }
        self.index.pop()
    }
}
