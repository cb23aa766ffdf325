//! A list that is given up: its blocks go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no list any more.

use std::collections::VecDeque;

use super::List;
use super::block::Block;

/// Frees a block whenever the next one is asked for, and tells how many bytes it had; what is left goes with it.
#[derive(Debug)]
pub struct Pieces(VecDeque<Block>);

impl Pieces {
    pub(super) fn new(list: List) -> Self {
        Self(list.blocks)
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let block = self.0.pop_back()?;
        Some(size_of::<Block>() + block.len_bytes())
    }
}
