//! A stream: entries in the order of their ids, in blocks, so that appending costs no more the longer it grows, and one that comes
//! late finds its place.
//!
//! A copy shares the blocks; who writes to one that others have, too, writes to a copy of that.
//!
//! Invariant: no block is empty, each lies under the id that its entries are counted from, which none of them precedes, and all
//! ids of a block come before those of the next; `len` is the number of all entries.

mod apply;
mod block;
pub mod change;
pub mod content;
mod group;
pub mod id;
mod pack;
mod pieces;
pub mod radix;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::shared;
pub use apply::Before;
use block::Block;
pub use block::{Entry, Fields, NodeLimits};
pub use group::{Consumer, Group, Pending};
pub use id::StreamId;
pub use pieces::Pieces;
pub use state::{Head, Stream};

/// A block is split where it has so many times the entries or bytes that one takes when entries are appended.
const SPLIT_AT: usize = 2;
/// Memory of a block's place in the tree.
const PLACE_LEN: usize = size_of::<StreamId>() + size_of::<Arc<Block>>() + 8;

/// See the head of the file.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    blocks: BTreeMap<StreamId, Arc<Block>>,
    len: usize,
    /// Memory of all blocks.
    blocks_bytes: usize,
}

impl Entries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks they lie in.
    pub fn blocks_len(&self) -> usize {
        self.blocks.len()
    }

    /// Memory of all of it, with what it shares.
    pub fn len_bytes(&self) -> usize {
        self.blocks_bytes + self.blocks.len() * PLACE_LEN
    }

    /// The block that holds an id, if any does.
    fn block_of(&self, id: StreamId) -> Option<(StreamId, &Block)> {
        let (base, block) = self.blocks.range(..=id).next_back()?;
        Some((*base, block))
    }

    /// Puts an entry in that is not there; says whether it was not. The fields are an even number of names and values.
    pub fn insert(&mut self, id: StreamId, fields: Fields<'_>, limits: NodeLimits) -> bool {
        let last = self.blocks.last_key_value();
        let is_newest = last.is_none_or(|(base, block)| block.last(*base) < id);
        let base = match self.block_of(id) {
            None => None,
            Some((base, block)) if is_newest => block.takes_more(fields, limits).then_some(base),
            Some((base, block)) if block.get(base, id).is_some() => return false,
            Some((base, _)) => Some(base),
        };
        let Some(base) = base else {
            let block = Block::of(id, fields);
            self.blocks_bytes += block.len_bytes();
            self.blocks.insert(id, Arc::new(block));
            self.len += 1;
            return true;
        };
        let halves = self.change(base, |block| {
            block.insert(base, id, fields);
            block
                .is_overfull(limits, SPLIT_AT)
                .then(|| block.split(base))
        });
        if let Some(Some((middle, upper))) = halves {
            self.blocks_bytes += upper.len_bytes();
            self.blocks.insert(middle, Arc::new(upper));
        }
        self.len += 1;
        true
    }

    /// Changes a block and counts its memory.
    fn change<R>(&mut self, base: StreamId, f: impl FnOnce(&mut Block) -> R) -> Option<R> {
        let block = self.blocks.get_mut(&base)?;
        // Before it is copied where others have it, too: a copy has no room to grow.
        let before = block.len_bytes();
        let block = shared::own(block);
        let result = f(block);
        self.blocks_bytes = self.blocks_bytes - before + block.len_bytes();
        Some(result)
    }

    fn drop_block(&mut self, base: StreamId) {
        if let Some(block) = self.blocks.remove(&base) {
            self.blocks_bytes -= block.len_bytes();
            self.len -= block.len();
        }
    }

    /// The fields of an entry.
    pub fn get(&self, id: StreamId) -> Option<Fields<'_>> {
        let (base, block) = self.block_of(id)?;
        block.get(base, id)
    }

    /// Takes an entry out; says whether it was there.
    pub fn remove(&mut self, id: StreamId) -> bool {
        self.take_out(id, false)
    }

    /// Takes an entry out that is to have never been there.
    pub fn take_back(&mut self, id: StreamId) -> bool {
        self.take_out(id, true)
    }

    fn take_out(&mut self, id: StreamId, put_back: bool) -> bool {
        let Some((base, block)) = self.block_of(id) else {
            return false;
        };
        if block.get(base, id).is_none() {
            return false;
        }
        if block.len() == 1 {
            self.drop_block(base);
        } else {
            self.change(base, |block| block.remove(base, id, put_back));
            self.len -= 1;
        }
        true
    }

    /// The first entry's id.
    pub fn first(&self) -> Option<StreamId> {
        let (base, block) = self.blocks.first_key_value()?;
        block.iter(*base).next().map(|entry| entry.id)
    }

    /// The last entry's id.
    pub fn last(&self) -> Option<StreamId> {
        let (base, block) = self.blocks.last_key_value()?;
        Some(block.last(*base))
    }

    /// About how many entries there are from one id to another, as far as `most`: by their blocks.
    pub fn len_between(&self, from: StreamId, to: StreamId, most: usize) -> usize {
        let first = self.block_of(from).map_or(from, |(base, _)| base);
        if first > to {
            return 0;
        }
        let mut len = 0;
        for block in self.blocks.range(first..=to).map(|(_, block)| block) {
            len += block.len();
            if len >= most {
                return most;
            }
        }
        len
    }

    /// The entries from one id to another, both included, upwards.
    pub fn range(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let begin = self.block_of(from).map_or(from, |(base, _)| base);
        let blocks = (begin <= to).then(|| self.blocks.range(begin..=to));
        blocks
            .into_iter()
            .flatten()
            .flat_map(move |(base, block)| block.iter_from(*base, from))
            .take_while(move |entry| entry.id <= to)
    }

    /// The same downwards.
    pub fn range_back(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let begin = self.block_of(from).map_or(from, |(base, _)| base);
        let blocks = (begin <= to).then(|| self.blocks.range(begin..=to).rev());
        blocks
            .into_iter()
            .flatten()
            .flat_map(|(base, block)| block.iter_back(*base))
            .skip_while(move |entry| entry.id > to)
            .take_while(move |entry| entry.id >= from)
    }

    /// Takes out all entries up to an id; how many there were.
    pub fn trim_through(&mut self, id: StreamId) -> usize {
        let before = self.len;
        while let Some((base, last)) = self
            .blocks
            .first_key_value()
            .map(|(base, block)| (*base, block.last(*base)))
            && last <= id
        {
            self.drop_block(base);
        }
        if let Some(base) = self.blocks.first_key_value().map(|(base, _)| *base)
            && base <= id
        {
            let gone = self.change(base, |block| block.trim_through(base, id));
            self.len -= gone.unwrap_or_default();
        }
        before - self.len
    }

    /// The last id to go so that at most so many entries remain; none where there are no more anyway.
    pub fn cut_for_len(&self, most: usize) -> Option<StreamId> {
        let mut surplus = self.len.checked_sub(most).filter(|surplus| *surplus > 0)?;
        for (base, block) in &self.blocks {
            if surplus <= block.len() {
                return block.iter(*base).nth(surplus - 1).map(|entry| entry.id);
            }
            surplus -= block.len();
        }
        None
    }

    /// The same in whole blocks, at most so many entries of them: what `~` asks for.
    pub fn cut_blocks_for_len(&self, most: usize, limit: usize) -> Option<StreamId> {
        let surplus = self.len.saturating_sub(most);
        self.cut_blocks(limit, |gone, block| gone + block.len() <= surplus)
    }

    /// Whole blocks whose entries all come before an id, at most so many entries of them.
    pub fn cut_blocks_before(&self, id: StreamId, limit: usize) -> Option<StreamId> {
        self.cut_blocks(limit, |_, block| block.edge() < id)
    }

    fn cut_blocks(&self, limit: usize, may_go: impl Fn(usize, &Block) -> bool) -> Option<StreamId> {
        let (mut gone, mut cut) = (0, None);
        for (base, block) in &self.blocks {
            if !may_go(gone, block) || gone + block.len() > limit {
                break;
            }
            gone += block.len();
            cut = Some(block.last(*base));
        }
        cut
    }

    /// The blocks, each with the id that it is counted from.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = (StreamId, &Block)> {
        self.blocks.iter().map(|(base, block)| (*base, &**block))
    }
}

#[cfg(test)]
mod tests;
