//! The elements of one list: a deque of nodes, each some KiB of elements one behind the other, in blocks of neighbouring nodes
//! that know how many elements they hold. No operation moves the bytes of more than a node or two, and a position is found by
//! looks at about as many blocks and nodes as the square root of all nodes.
//!
//! An element may bear an id, the stamp of what put it there, by which any other node can name it. Whether elements do is settled
//! when a list is made: a server without other masters needs none. Ids are the caller's: none is checked for being there twice.
//!
//! A copy shares the nodes; who writes to one that others have, too, writes to a copy of that.
//!
//! Positions count from 0 at the head; an index is Redis's, which counts from -1 at the tail, too.
//!
//! Invariant: no node and no block is empty; `len`, `nodes` and `bytes` are the sums over the blocks; of two neighbouring nodes
//! that are not at an end, none is less than a quarter full, unless both together are more than half of what one may hold.

mod balance;
mod block;
mod fill;
mod ids;
mod node;
pub mod packed;
mod pieces;
mod range;
mod strip;
mod walk;

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::db::stamp::Stamp;
use balance::At;
use block::{Block, locate, start};
pub use fill::Fill;
use node::entry_len;
pub use pieces::Pieces;
pub use walk::Walk;

/// An element that was taken out.
pub type Taken = SmallVec<[u8; 32]>;

/// An element with its id, which is [`Stamp::ZERO`] in a list without ids.
pub type Element<'l> = (Stamp, &'l [u8]);

/// The position that an index stands for in a list of so many elements; none outside of it.
pub fn position(len: usize, index: i64) -> Option<usize> {
    let back = usize::try_from(index.unsigned_abs()).ok()?;
    let position = if index < 0 {
        len.checked_sub(back)?
    } else {
        back
    };
    (position < len).then_some(position)
}

/// See the head of the file.
#[derive(Debug)]
pub struct List {
    blocks: VecDeque<Block>,
    /// Elements.
    len: usize,
    nodes: usize,
    /// Memory of all blocks, without their fields.
    bytes: usize,
    fill: Fill,
    has_ids: bool,
}

impl Clone for List {
    /// A copy shares the nodes. Its blocks have no room for more, and so are counted anew.
    fn clone(&self) -> Self {
        let blocks = self.blocks.clone();
        Self {
            bytes: blocks.iter().map(Block::len_bytes).sum(),
            blocks,
            ..*self
        }
    }
}

impl List {
    /// An empty list whose elements bear no ids.
    pub fn new(fill: Fill) -> Self {
        Self {
            blocks: VecDeque::new(),
            len: 0,
            nodes: 0,
            bytes: 0,
            fill,
            has_ids: false,
        }
    }

    /// An empty list whose elements bear ids.
    pub fn with_ids(fill: Fill) -> Self {
        Self {
            has_ids: true,
            ..Self::new(fill)
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether elements bear ids.
    pub fn has_ids(&self) -> bool {
        self.has_ids
    }

    /// How many nodes hold them.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Memory of all of it with what it shares in bytes, room for elements to come included; without the fields of the list itself.
    pub fn len_bytes(&self) -> usize {
        self.bytes + self.blocks.capacity() * size_of::<Block>()
    }

    /// The position that an index stands for; none outside of the list.
    pub fn position(&self, index: i64) -> Option<usize> {
        position(self.len, index)
    }

    /// The element at an index.
    pub fn get(&self, index: i64) -> Option<&[u8]> {
        let at = self.locate(self.position(index)?)?;
        self.node(at)?.get(at.element)
    }

    /// The id of the element at a position; none where there is none, or where elements bear none.
    pub fn id(&self, position: usize) -> Option<Stamp> {
        let at = self.locate(position)?;
        self.node(at)?.id(at.element)
    }

    /// Puts an element in at the head. Lists without ids do not look at `id`, here and elsewhere.
    pub fn push_front(&mut self, id: Stamp, element: &[u8]) {
        let head = At::default();
        if self.takes(head, element) {
            self.change(head, |node| node.insert(0, id, element));
        } else {
            self.open(head, id, element);
        }
    }

    /// Puts an element in at the tail.
    pub fn push_back(&mut self, id: Stamp, element: &[u8]) {
        let tail = self.last();
        if self.takes(tail, element) {
            self.change(tail, |node| node.insert(node.len(), id, element));
        } else {
            self.open(tail.behind(), id, element);
        }
    }

    /// Takes the element at the head out.
    pub fn pop_front(&mut self) -> Option<(Stamp, Taken)> {
        self.pop(At::default())
    }

    /// Takes the element at the tail out.
    pub fn pop_back(&mut self) -> Option<(Stamp, Taken)> {
        let tail = self.last();
        let element = self.node(tail)?.len().checked_sub(1)?;
        self.pop(At { element, ..tail })
    }

    /// Takes one out without a look at whether the node goes well with its neighbours.
    fn pop(&mut self, at: At) -> Option<(Stamp, Taken)> {
        let taken = self.change(at, |node| node.remove(at.element))?;
        if self.node(at).is_some_and(|node| node.len() == 0) {
            self.take_node(at);
        }
        taken
    }

    /// Another element in the place of the one at an index, with the same id; false where there is none.
    pub fn set(&mut self, index: i64, element: &[u8]) -> bool {
        let at = self.position(index).and_then(|place| self.locate(place));
        let Some((at, node)) = at.and_then(|at| Some((at, self.node(at)?))) else {
            return false;
        };
        let old = node.get(at.element).map_or(0, entry_len);
        let bytes = node.bytes() - old + entry_len(element);
        if node.len() == 1 || bytes <= self.fill.bytes() {
            self.change(at, |node| node.set(at.element, element));
            if entry_len(element) < old {
                self.settle(at);
            }
            return true;
        }
        // The node has others, too, and so does not go with the old one.
        if let Some((id, _)) = self.pop(at) {
            let is_last = self.node(at).is_none_or(|node| at.element >= node.len());
            let place = if is_last {
                self.behind(at).unwrap_or(at.behind())
            } else {
                at
            };
            self.insert_at(place, id, element);
            self.settle(at);
        }
        true
    }

    /// Puts an element in so that it has this position: before the one that has it now, and behind the one at `position - 1`.
    /// False, and nothing done, where `position` is more than the length.
    pub fn insert(&mut self, position: usize, id: Stamp, element: &[u8]) -> bool {
        if position == 0 {
            self.push_front(id, element);
        } else if position == self.len {
            self.push_back(id, element);
        } else if let Some(at) = self.locate(position) {
            self.insert_at(at, id, element);
        } else {
            return false;
        }
        true
    }

    /// Takes the element at a position out.
    pub fn remove(&mut self, position: usize) -> Option<(Stamp, Taken)> {
        // How full a node at an end is matters to nobody.
        if position == 0 {
            return self.pop_front();
        }
        if position + 1 == self.len {
            return self.pop_back();
        }
        let at = self.locate(position)?;
        self.remove_at(at)
    }

    fn remove_at(&mut self, at: At) -> Option<(Stamp, Taken)> {
        let taken = self.pop(at);
        self.settle(at);
        taken
    }

    /// The position of the element with an id of which `is_it` holds: of two pushed in the same moment both may have it. Those near either end are found at once, others by a walk over the bounds of ids.
    pub fn find_id(&self, id: Stamp, is_it: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let at = self.find(id, is_it)?;
        let block = self.blocks.get(at.block)?;
        let blocks = self.blocks.iter().map(Block::len);
        let nodes = block.nodes().iter().map(|node| node.len());
        Some(start(blocks, self.len, at.block) + start(nodes, block.len(), at.node) + at.element)
    }

    /// Makes every id by so much more, where there are any, with a look at each node, but at no element; no origin may change by
    /// that.
    pub fn raise_ids(&mut self, by: u64) {
        if self.has_ids {
            self.blocks.iter_mut().for_each(|block| block.raise_ids(by));
        }
    }

    fn find(&self, id: Stamp, is_it: impl Fn(&[u8]) -> bool) -> Option<At> {
        if !self.has_ids {
            return None;
        }
        let find_in = |at: At, from_back| {
            let element = self.node(at)?.find(id, &is_it, from_back)?;
            Some(At { element, ..at })
        };
        // What another node took is most often what was at an end.
        let ends = find_in(At::default(), false).or_else(|| find_in(self.last(), true));
        if ends.is_some() {
            return ends;
        }
        let count = self.blocks.len();
        let inwards = (0..count).map(|nth| match nth % 2 {
            0 => nth / 2,
            _ => count - 1 - nth / 2,
        });
        for block in inwards {
            let Some(held) = self.blocks.get(block) else {
                continue;
            };
            if held.may_hold(id.raw()) {
                let nodes = 0..held.nodes().len();
                let found = nodes
                    .map(|node| At::node(block, node))
                    .find_map(|at| find_in(at, false));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Gives all of it up in pieces, a node at a time.
    pub fn into_pieces(self) -> Pieces {
        Pieces::new(self)
    }

    /// Where the element at a position is.
    fn locate(&self, position: usize) -> Option<At> {
        let (block, at) = locate(self.blocks.iter().map(Block::len), self.len, position)?;
        let (node, element) = self.blocks.get(block)?.locate(at)?;
        Some(At {
            block,
            node,
            element,
        })
    }
}

#[cfg(test)]
mod tests;
