//! Walks along a list, in either direction.
//!
//! Invariant: a walk gives every element from where it begins once, in order.

use crate::db::list::balance::At;
use crate::db::list::node::NodeIter;
use crate::db::list::{Element, List};

/// Elements with their ids, from one place to one end of the list.
#[derive(Debug, Clone)]
pub struct Walk<'l> {
    list: &'l List,
    at: At,
    elements: NodeIter<'l>,
    to_head: bool,
    with_ids: bool,
}

impl<'l> Iterator for Walk<'l> {
    type Item = Element<'l>;

    #[inline]
    fn next(&mut self) -> Option<Element<'l>> {
        loop {
            let element = if self.to_head {
                self.elements.next_back()
            } else {
                self.elements.next()
            };
            if element.is_some() {
                return element;
            }
            self.at = if self.to_head {
                self.list.before(self.at)?
            } else {
                self.list.behind(self.at)?
            };
            let node = self.list.node(self.at)?;
            self.elements = node.iter_all(self.with_ids);
        }
    }
}

impl List {
    fn walk(&self, from: usize, to_head: bool, with_ids: bool) -> Walk<'_> {
        let at = self.locate(from);
        let elements = at.and_then(|at| {
            let node = self.node(at)?;
            let (from, to) = if to_head {
                (0, at.element + 1)
            } else {
                (at.element, node.len())
            };
            Some(node.iter(from, to, with_ids))
        });
        Walk {
            list: self,
            // Behind the last block there is nothing to go on to.
            at: at.unwrap_or(At::node(if to_head { 0 } else { self.blocks.len() }, 0)),
            elements: elements.unwrap_or_default(),
            to_head,
            with_ids,
        }
    }

    /// All elements from the head to the tail.
    pub fn iter(&self) -> Walk<'_> {
        self.iter_from(0)
    }

    /// The element at `position` and those behind it.
    pub fn iter_from(&self, position: usize) -> Walk<'_> {
        self.walk(position, false, true)
    }

    /// The element at `position`, or the last one where there is none, and those before it, towards the head.
    pub fn iter_back_from(&self, position: usize) -> Walk<'_> {
        self.walk(position.min(self.len.saturating_sub(1)), true, true)
    }

    /// As [`Self::iter_from`], without a look at ids.
    pub fn elements_from(&self, position: usize) -> impl Iterator<Item = &[u8]> {
        self.walk(position, false, false)
            .map(|(_, element)| element)
    }

    /// Positions of elements with these bytes, from the head, or from the tail where `from_tail` is set. At most `maxlen` elements
    /// are looked at.
    pub fn positions(
        &self,
        element: &[u8],
        from_tail: bool,
        maxlen: usize,
    ) -> impl Iterator<Item = usize> {
        let last = self.len.saturating_sub(1);
        let walk = self.walk(if from_tail { last } else { 0 }, from_tail, false);
        let found = walk.take(maxlen).enumerate();
        let found = found.filter(move |(_, (_, other))| *other == element);
        found.map(move |(nth, _)| if from_tail { last - nth } else { nth })
    }
}

impl<'l> IntoIterator for &'l List {
    type Item = Element<'l>;
    type IntoIter = Walk<'l>;

    fn into_iter(self) -> Walk<'l> {
        self.iter()
    }
}
