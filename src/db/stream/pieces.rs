//! A stream that is given up: its blocks and groups go one by one, so that nobody waits for all of them.
//!
//! Invariant: what is left is memory only; it is no stream any more.

use std::collections::btree_map::IntoIter;
use std::sync::Arc;

use super::block::Block;
use super::group::Group;
use super::state::Stream;
use super::{PLACE_LEN, StreamId};
use crate::db::shared;

/// Frees a block or a group whenever the next one is asked for, and tells how many bytes it had, few where somebody else has it,
/// too; what is left goes with it.
#[derive(Debug)]
pub struct Pieces {
    blocks: IntoIter<StreamId, Arc<Block>>,
    groups: IntoIter<Box<[u8]>, Arc<Group>>,
}

impl Pieces {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            blocks: stream.entries.blocks.into_iter(),
            groups: stream.groups.into_iter(),
        }
    }
}

impl Iterator for Pieces {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if let Some((_, block)) = self.blocks.next() {
            let block = shared::give_up(block);
            return Some(block.map_or(shared::LEFT_BYTES, |block| PLACE_LEN + block.len_bytes()));
        }
        let (_, group) = self.groups.next()?;
        Some(shared::give_up(group).map_or(shared::LEFT_BYTES, |group| group.len_bytes()))
    }
}
