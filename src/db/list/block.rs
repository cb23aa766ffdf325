//! Neighbouring nodes of a list with what they come to, so that a position or an id is found without a look at every node.
//!
//! A copy shares the nodes; who writes to one that others have, too, writes to a copy of that.
//!
//! Invariant: `len` and `bytes` are the sums over the nodes; the ids of all nodes are within `low` and `high`.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::db::list::node::Node;
use crate::db::shared;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Block {
    nodes: VecDeque<Arc<Node>>,
    /// Elements.
    len: usize,
    /// Memory of the nodes, without their fields; of shared ones, too.
    bytes: usize,
    low: u64,
    high: u64,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            nodes: VecDeque::new(),
            len: 0,
            bytes: 0,
            low: u64::MAX,
            high: 0,
        }
    }
}

impl Clone for Block {
    /// A copy shares all nodes.
    fn clone(&self) -> Self {
        Self {
            nodes: shared::all_of(&self.nodes),
            ..*self
        }
    }
}

impl Block {
    /// Elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn nodes(&self) -> &VecDeque<Arc<Node>> {
        &self.nodes
    }

    /// Memory of it, without its own fields.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.bytes + shared::len_bytes::<Node>(self.nodes.len(), self.nodes.capacity())
    }

    /// Whether an element with this id may be here.
    #[inline]
    pub fn may_hold(&self, id: u64) -> bool {
        (self.low..=self.high).contains(&id)
    }

    fn count_in(&mut self, node: &Node) {
        let (low, high) = node.bounds();
        self.len += node.len();
        self.bytes += node.len_bytes();
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }

    fn count_out(&mut self, node: &Node) {
        self.len -= node.len();
        self.bytes -= node.len_bytes();
    }

    /// Changes one node.
    #[inline]
    pub fn change<R>(&mut self, node: usize, f: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let node = self.nodes.get_mut(node)?;
        let (len, bytes) = (node.len(), node.len_bytes());
        let node = shared::own(node);
        let result = f(node);
        let (low, high) = node.bounds();
        self.len = self.len - len + node.len();
        self.bytes = self.bytes - bytes + node.len_bytes();
        self.low = self.low.min(low);
        self.high = self.high.max(high);
        Some(result)
    }

    /// Makes every id by so much more.
    pub fn raise_ids(&mut self, by: u64) {
        for node in &mut self.nodes {
            shared::own(node).raise_ids(by);
        }
        (self.low, self.high) = (self.low.wrapping_add(by), self.high.wrapping_add(by));
    }

    /// Puts a node in before the one at `at`.
    pub fn insert(&mut self, at: usize, node: Arc<Node>) {
        self.count_in(&node);
        if self.nodes.is_empty() {
            // A short list is one node.
            self.nodes.reserve_exact(1);
        }
        self.nodes.insert(at.min(self.nodes.len()), node);
    }

    pub fn remove(&mut self, at: usize) -> Option<Arc<Node>> {
        let node = self.nodes.remove(at)?;
        self.count_out(&node);
        if self.nodes.len() * 4 < self.nodes.capacity() {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
        Some(node)
    }

    /// The nodes from `at` on, which are not here any more.
    pub fn split_off(&mut self, at: usize) -> Self {
        let mut behind = Self {
            nodes: self.nodes.split_off(at.min(self.nodes.len())),
            ..Self::default()
        };
        behind.measure();
        self.measure();
        self.seal();
        behind
    }

    fn measure(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        *self = Self::default();
        for node in &nodes {
            self.count_in(node);
        }
        self.nodes = nodes;
    }

    /// The nodes of the block behind this one come here.
    pub fn append(&mut self, mut behind: Self) {
        self.nodes.append(&mut behind.nodes);
        self.len += behind.len;
        self.bytes += behind.bytes;
        self.low = self.low.min(behind.low);
        self.high = self.high.max(behind.high);
    }

    /// Gives room back that was held for nodes to come.
    pub fn seal(&mut self) {
        self.nodes.shrink_to_fit();
    }

    /// The nodes of a block that is given up.
    pub fn into_nodes(self) -> VecDeque<Arc<Node>> {
        self.nodes
    }

    /// The node of the element at `at`, and where in it that is.
    pub fn locate(&self, at: usize) -> Option<(usize, usize)> {
        let lens = self.nodes.iter().map(|node| node.len());
        locate(lens, self.len, at)
    }
}

/// Which of so many parts, of these lengths and `len` together, holds the position `at`, and where in it; sought from the nearer
/// end.
pub(super) fn locate(
    parts: impl ExactSizeIterator<Item = usize> + DoubleEndedIterator,
    len: usize,
    at: usize,
) -> Option<(usize, usize)> {
    if at >= len {
        return None;
    }
    if at < len / 2 {
        let mut start = 0;
        for (index, part) in parts.enumerate() {
            if at < start + part {
                return Some((index, at - start));
            }
            start += part;
        }
    } else {
        let mut end = len;
        for (index, part) in parts.enumerate().rev() {
            let start = end.checked_sub(part)?;
            if at >= start {
                return Some((index, at - start));
            }
            end = start;
        }
    }
    None
}

/// The position at which one of so many parts begins, of these lengths and `len` together; summed from the nearer end.
pub(super) fn start(
    parts: impl ExactSizeIterator<Item = usize> + DoubleEndedIterator,
    len: usize,
    index: usize,
) -> usize {
    let count = parts.len();
    if index < count / 2 {
        parts.take(index).sum()
    } else {
        let behind: usize = parts.rev().take(count.saturating_sub(index)).sum();
        len.saturating_sub(behind)
    }
}
