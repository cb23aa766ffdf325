//! A list that is given up: its nodes go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no list any more.

use std::collections::VecDeque;
use std::sync::Arc;

use super::List;
use super::block::Block;
use super::node::Node;
use crate::db::shared;

/// Frees a node whenever the next one is asked for, and tells how many bytes it had, few where somebody else has it, too; what
/// is left goes with it.
#[derive(Debug)]
pub struct Pieces {
    blocks: VecDeque<Block>,
    nodes: VecDeque<Arc<Node>>,
}

impl Pieces {
    pub(super) fn new(list: List) -> Self {
        Self {
            blocks: list.blocks,
            nodes: VecDeque::new(),
        }
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.nodes.is_empty() {
            self.nodes = self.blocks.pop_back()?.into_nodes();
        }
        let node = shared::give_up(self.nodes.pop_back()?);
        Some(node.map_or(shared::LEFT_BYTES, |node| {
            shared::len_bytes::<Node>(1, 1) + node.len_bytes()
        }))
    }
}
