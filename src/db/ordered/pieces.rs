//! A sorted set that is given up: its parts go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no set any more.

use super::Ordered;
use super::arena;
use super::index::Slots;
use super::leaf::Leaf;
use super::tree::Node;
use crate::db::shared;

/// Frees a part of a sorted set whenever the next one is asked for, and tells how many bytes it had, few where somebody else has
/// it, too; what is left goes with it.
#[derive(Debug)]
pub struct Pieces {
    leaves: arena::Pieces<Leaf>,
    nodes: arena::Pieces<Node>,
    index: arena::Pieces<Slots>,
}

impl Pieces {
    pub(super) fn new(ordered: Ordered) -> Self {
        Self {
            leaves: ordered.leaves.into_pieces(),
            nodes: ordered.nodes.into_pieces(),
            index: ordered.index.into_pieces(),
        }
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bytes = if let Some(leaf) = self.leaves.next() {
            leaf.map(|leaf| size_of::<Leaf>() + leaf.len_bytes())
        } else if let Some(node) = self.nodes.next() {
            node.map(|_| size_of::<Node>() + Node::LEN_BYTES)
        } else {
            self.index.next()?.map(|slots| slots.len_bytes())
        };
        Some(bytes.unwrap_or(shared::LEFT_BYTES))
    }
}
