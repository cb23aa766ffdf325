//! Nodes and blocks come, go, split and merge.
//!
//! Invariant: what goes in or out here is counted in the sums of the list.

use std::sync::Arc;

use crate::db::list::List;
use crate::db::list::block::Block;
use crate::db::list::fill::FULL;
use crate::db::list::node::{Node, entry_len};
use crate::db::shared;
use crate::db::stamp::Stamp;

/// A block with more nodes is split, unless there are so many nodes that blocks are better larger.
const BLOCK_LEN_MIN: usize = 128;

/// Where an element is, or a node, whose element does not count then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct At {
    pub block: usize,
    pub node: usize,
    pub element: usize,
}

impl At {
    pub fn node(block: usize, node: usize) -> Self {
        Self {
            block,
            node,
            element: 0,
        }
    }

    /// Behind that node, in the same block.
    pub fn behind(self) -> Self {
        Self::node(self.block, self.node + 1)
    }
}

impl List {
    pub(super) fn node(&self, at: At) -> Option<&Node> {
        let block = self.blocks.get(at.block)?;
        block.nodes().get(at.node).map(|node| &**node)
    }

    /// The node at the tail.
    pub(super) fn last(&self) -> At {
        let nodes = self.blocks.back().map_or(0, |block| block.nodes().len());
        At::node(self.blocks.len().saturating_sub(1), nodes.saturating_sub(1))
    }

    pub(super) fn before(&self, at: At) -> Option<At> {
        if at.node > 0 {
            return Some(At::node(at.block, at.node - 1));
        }
        let block = at.block.checked_sub(1)?;
        let nodes = self.blocks.get(block)?.nodes().len();
        Some(At::node(block, nodes.checked_sub(1)?))
    }

    pub(super) fn behind(&self, at: At) -> Option<At> {
        let places = [at.behind(), At::node(at.block + 1, 0)];
        places.into_iter().find(|at| self.node(*at).is_some())
    }

    /// Whether the node has room for the element too.
    pub(super) fn takes(&self, at: At, element: &[u8]) -> bool {
        self.node(at).is_some_and(|node| {
            let bytes = node.bytes() + entry_len(element);
            self.fill.fits(node.len() + 1, bytes)
        })
    }

    fn block_len_max(&self) -> usize {
        self.nodes.isqrt().max(BLOCK_LEN_MIN)
    }

    fn count_in(&mut self, block: &Block) {
        self.len += block.len();
        self.nodes += block.nodes().len();
        self.bytes += block.len_bytes();
    }

    pub(super) fn count_out(&mut self, block: &Block) {
        self.len -= block.len();
        self.nodes -= block.nodes().len();
        self.bytes -= block.len_bytes();
    }

    /// Changes one block.
    #[inline]
    fn change_block<R>(&mut self, block: usize, f: impl FnOnce(&mut Block) -> R) -> Option<R> {
        let block = self.blocks.get_mut(block)?;
        let (len, nodes, bytes) = (block.len(), block.nodes().len(), block.len_bytes());
        let result = f(block);
        self.len = self.len - len + block.len();
        self.nodes = self.nodes - nodes + block.nodes().len();
        self.bytes = self.bytes - bytes + block.len_bytes();
        Some(result)
    }

    /// Changes one node.
    #[inline]
    pub(super) fn change<R>(&mut self, at: At, f: impl FnOnce(&mut Node) -> R) -> Option<R> {
        self.change_block(at.block, |block| block.change(at.node, f))?
    }

    pub(super) fn put_block(&mut self, at: usize, block: Block) {
        self.count_in(&block);
        if self.blocks.is_empty() {
            self.blocks.reserve_exact(1);
        }
        self.blocks.insert(at.min(self.blocks.len()), block);
    }

    pub(super) fn take_block(&mut self, at: usize) -> Option<Block> {
        let block = self.blocks.remove(at)?;
        self.count_out(&block);
        self.shrink_blocks();
        Some(block)
    }

    pub(super) fn shrink_blocks(&mut self) {
        if self.blocks.len() * 4 < self.blocks.capacity() {
            self.blocks.shrink_to(self.blocks.len() * 2);
        }
    }

    /// Puts a node in before the one at `at`, in the same block; says where it is then.
    fn put_node(&mut self, at: At, node: Arc<Node>) -> At {
        if self.blocks.is_empty() {
            self.put_block(0, Block::default());
        }
        self.change_block(at.block, |block| block.insert(at.node, node));
        let nodes = self.blocks.get(at.block).map_or(0, |b| b.nodes().len());
        if nodes <= self.block_len_max() {
            return at;
        }
        // At an end of the list more are to come there: the full block stays as it is.
        let is_tail = at.block + 1 == self.blocks.len() && at.node + 1 == nodes;
        let is_head = at.block == 0 && at.node == 0;
        let cut = match (is_head, is_tail) {
            (true, _) => 1,
            (_, true) => nodes - 1,
            _ => nodes / 2,
        };
        self.split_block(at.block, cut);
        if at.node < cut {
            at
        } else {
            At::node(at.block + 1, at.node - cut)
        }
    }

    /// The nodes of a block from `cut` on are a block of their own.
    pub(super) fn split_block(&mut self, block: usize, cut: usize) {
        if let Some(behind) = self.change_block(block, |block| block.split_off(cut)) {
            self.put_block(block + 1, behind);
        }
    }

    /// Takes a node out, and with the last one its block.
    pub(super) fn take_node(&mut self, at: At) -> Option<Arc<Node>> {
        let node = self.change_block(at.block, |block| block.remove(at.node))?;
        if self
            .blocks
            .get(at.block)
            .is_some_and(|b| b.nodes().is_empty())
        {
            self.take_block(at.block);
        }
        node
    }

    /// A new node for an element, before the one at `at`, which may be behind the last.
    pub(super) fn open(&mut self, at: At, id: Stamp, element: &[u8]) -> At {
        let node = Arc::new(Node::new(self.has_ids.then_some(id), element));
        let at = self.put_node(at, node);
        // Where the end was, no more elements will come.
        let (before, behind) = (self.before(at), self.behind(at));
        let old_end = match (before, behind) {
            (Some(old), None) => Some((self.before(old), Some(old))),
            (None, Some(old)) => Some((Some(old), self.behind(old))),
            _ => None,
        };
        if let Some(old) = behind.xor(before) {
            self.seal(old);
        }
        if let Some((Some(a), Some(b))) = old_end {
            self.merge(a, b);
        }
        at
    }

    /// Gives back the room of a node; not of one that somebody else has, too, for to write to that makes a copy.
    fn seal(&mut self, at: At) {
        let block = self.blocks.get(at.block);
        let node = block.and_then(|block| block.nodes().get(at.node));
        if node.is_some_and(|node| !shared::is_shared(node)) {
            self.change(at, Node::seal);
        }
    }

    /// The elements of a node from `cut` on are a node of their own; says where that is.
    pub(super) fn split_node(&mut self, at: At, cut: usize) -> Option<At> {
        let behind = self.change(at, |node| node.split(cut, node.len()))?;
        Some(self.put_node(at.behind(), Arc::new(behind)))
    }

    /// The elements of a node before `cut` are a node of their own; says where the others are.
    fn split_node_before(&mut self, at: At, cut: usize) -> Option<At> {
        let before = self.change(at, |node| node.split(0, cut))?;
        let before = self.put_node(At::node(at.block, at.node), Arc::new(before));
        self.behind(before)
    }

    /// Puts an element in before the one at `at`.
    pub(super) fn insert_at(&mut self, mut at: At, id: Stamp, element: &[u8]) {
        let is_long = entry_len(element) > self.fill.bytes();
        let mut is_split = false;
        while !self.takes(at, element) && at.element > 0 {
            // In halves; exactly there, where a half has no room either, or a node of its own is needed anyway.
            let middle = self.node(at).map_or(1, Node::middle);
            let cut = if is_long || is_split {
                at.element
            } else {
                middle
            };
            // What is not to get the element is moved, so that the other half keeps the room.
            let half = if at.element < cut {
                let behind = self.split_node(at, cut);
                behind.and_then(|behind| self.before(behind))
            } else {
                at.element -= cut;
                self.split_node_before(at, cut)
            };
            let Some(half) = half else {
                return;
            };
            at = At {
                element: at.element,
                ..half
            };
            is_split = true;
        }
        let before = self
            .before(at)
            .filter(|before| self.takes(*before, element));
        if self.takes(at, element) {
            self.change(at, |node| node.insert(at.element, id, element));
        } else if let Some(before) = before {
            self.change(before, |node| node.insert(node.len(), id, element));
        } else {
            at = self.open(At::node(at.block, at.node), id, element);
        }
        if is_split || is_long {
            self.settle(at);
        }
    }

    /// Joins two neighbours, where one is nearly empty and both together leave room in one.
    fn merge(&mut self, a: At, b: At) -> bool {
        let (Some(first), Some(second)) = (self.node(a), self.node(b)) else {
            return false;
        };
        let load = |node: &Node| self.fill.load(node.len(), node.bytes());
        let bytes = first.bytes() + second.bytes();
        let together = self.fill.load(first.len() + second.len(), bytes);
        if load(first).min(load(second)) >= FULL / 4 || together > FULL / 2 {
            return false;
        }
        if let Some(second) = self.take_node(b) {
            self.change(a, |node| node.append(&second));
        }
        true
    }

    /// After a change at `at`, where there may be no node any more: joins what is nearly empty there with what is beside it. One
    /// insert makes up to four nodes of one.
    pub(super) fn settle(&mut self, at: At) {
        let mut left = at;
        for _ in 0..3 {
            left = self.before(left).unwrap_or_default();
        }
        for _ in 0..6 {
            let Some(right) = self.behind(left) else {
                break;
            };
            if !self.merge(left, right) {
                left = right;
            }
        }
        self.settle_block(at.block);
        self.settle_block(at.block.saturating_sub(1));
    }

    /// Joins a block of few nodes with one beside it; where both are too many, each gets half of them.
    fn settle_block(&mut self, block: usize) {
        let max = self.block_len_max();
        let nodes = |block: usize| self.blocks.get(block).map(|b| b.nodes().len());
        if nodes(block).is_none_or(|nodes| nodes >= max / 8) || self.blocks.len() < 2 {
            return;
        }
        let first = block.min(self.blocks.len() - 2);
        if let Some(second) = self.take_block(first + 1) {
            self.change_block(first, |first| first.append(second));
        }
        let nodes = self.blocks.get(first).map_or(0, |b| b.nodes().len());
        if nodes > max {
            self.split_block(first, nodes / 2);
        }
    }
}
