//! Ranges of a list: what is taken out together, and a list that goes a piece at a time.
//!
//! Invariant: whole nodes and blocks within a range are not looked into.

use std::sync::Arc;

use crate::db::list::List;
use crate::db::list::balance::At;
use crate::db::list::block::Block;
use crate::db::list::node::Node;

impl List {
    /// Takes the elements from `from` on up to before `to` out, as a list of their own, which may be told of, walked, and freed by
    /// and by. What is outside of the list counts for nothing.
    pub fn remove_range(&mut self, from: usize, to: usize) -> Self {
        let mut taken = Self {
            has_ids: self.has_ids,
            ..Self::new(self.fill)
        };
        let to = to.min(self.len);
        if from >= to {
            return taken;
        }
        let (first, last) = (self.locate(from), self.locate(to - 1));
        let Some((first, last)) = first.zip(last) else {
            return taken;
        };
        if (first.block, first.node) == (last.block, last.node) {
            if let Some(node) = self.take_within(first, last.element + 1) {
                let mut block = Block::default();
                block.insert(0, node);
                taken.put_block(0, block);
            }
            self.settle(first);
            return taken;
        }
        let begin = self.cut(from);
        let end = self.cut(to);
        // Blocks move at once, so that those behind are moved once.
        let blocks: Vec<Block> = self.blocks.drain(begin..end.max(begin)).collect();
        for block in blocks {
            self.count_out(&block);
            taken.put_block(taken.blocks.len(), block);
        }
        self.shrink_blocks();
        self.settle(At::node(begin, 0));
        taken
    }

    /// Takes the elements of one node from `first` on up to before `to` out.
    fn take_within(&mut self, first: At, to: usize) -> Option<Arc<Node>> {
        let from = first.element;
        if from == 0 && self.node(first)?.len() == to {
            return self.take_node(first);
        }
        let taken = self.change(first, |node| node.take(from, to))?;
        Some(Arc::new(taken))
    }

    /// Makes a block begin at a position; says which one, or how many there are where the position is the end.
    fn cut(&mut self, position: usize) -> usize {
        let Some(mut at) = self.locate(position) else {
            return self.blocks.len();
        };
        if at.element > 0 {
            at = self.split_node(at, at.element).unwrap_or(at);
        }
        if at.node == 0 {
            return at.block;
        }
        self.split_block(at.block, at.node);
        at.block + 1
    }

    /// Drops whole nodes from the tail until they were `limit` elements at least, or none is left; says how many elements those
    /// were. So a long list goes in pieces, each as short as its caller wants it.
    pub fn drop_some(&mut self, limit: usize) -> usize {
        let before = self.len;
        while before - self.len < limit && self.take_node(self.last()).is_some() {}
        before - self.len
    }
}
