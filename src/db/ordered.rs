//! The large form of a sorted set: members, each with a score, in the order of scores and, where those are equal, of the members'
//! bytes. Compact, and without an operation that takes long: what is full is split, what is small is joined, a few hundred
//! elements at a time.
//!
//! A counted tree holds the elements in its leaves, so ranks and ranges are found from above; an index by hash finds the leaf of
//! a member. Ranges of any kind are ranges of ranks here: see [`Ordered::score_ranks`] and [`Ordered::lex_ranks`].
//!
//! Elements are walked in the order of their positions too, upwards: one that is there from the start of a walk to its end is met
//! once, however many come or go meanwhile, and whatever scores change.
//!
//! A copy shares all parts, some hundred elements each; who writes to one that others have, too, writes to a copy of that.
//!
//! Invariant: every element lies in one leaf, and its slot in the index names that leaf.

mod arena;
mod balance;
mod bounds;
mod index;
mod leaf;
pub mod packed;
mod pieces;
mod range;
mod tree;

use crate::db::table::{KeyHasher, position};

use arena::Arena;
use bounds::Cut;
use index::{Index, Slot};
use leaf::Leaf;
use tree::{NONE, Node, Place};

pub use bounds::{LexBound, ScoreBound};
pub use pieces::Pieces;
pub use range::Range;

type Hasher<'h> = &'h KeyHasher;

/// An element: its member and its score.
pub type Element<'o> = (&'o [u8], f64);

/// See the head of the file. The hasher must be the same in all calls. A copy shares leaves, nodes and index.
#[derive(Debug, Clone)]
pub struct Ordered {
    leaves: Arena<Leaf>,
    nodes: Arena<Node>,
    /// The topmost leaf or node.
    root: u32,
    /// How many nodes are above each leaf.
    height: u32,
    index: Index,
    len: usize,
    /// Memory that leaves own, without their fields; that of shared ones, too.
    leaves_bytes: usize,
    /// How many elements have been moved from leaf to leaf.
    #[cfg(test)]
    moved: usize,
}

impl Default for Ordered {
    fn default() -> Self {
        let mut leaves = Arena::default();
        let root = leaves.push(Leaf::new(NONE));
        Self {
            leaves,
            nodes: Arena::default(),
            root,
            height: 0,
            index: Index::default(),
            len: 0,
            leaves_bytes: 0,
            #[cfg(test)]
            moved: 0,
        }
    }
}

impl Ordered {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory of all of it with what it shares, in bytes.
    pub fn len_bytes(&self) -> usize {
        let trees = self.leaves.len_bytes() + self.nodes.len_bytes();
        let nodes = self.nodes.len() * Node::LEN_BYTES;
        trees + nodes + self.leaves_bytes + self.index.len_bytes()
    }

    fn find(&self, member: &[u8], position: u32) -> Option<Place> {
        let mut leaves = self.index.leaves(position);
        leaves.find_map(|leaf| {
            let nth = self.leaves[leaf].find(position, member)?;
            Some(Place { leaf, nth })
        })
    }

    fn element(&self, place: Place) -> Element<'_> {
        let leaf = &self.leaves[place.leaf];
        (leaf.member(place.nth), leaf.score(place.nth))
    }

    /// The score of a member.
    pub fn score(&self, hasher: &KeyHasher, member: &[u8]) -> Option<f64> {
        let place = self.find(member, position(hasher.hash(member)))?;
        Some(self.element(place).1)
    }

    /// Whether a member is there.
    pub fn contains(&self, hasher: &KeyHasher, member: &[u8]) -> bool {
        self.find(member, position(hasher.hash(member))).is_some()
    }

    /// Gives a member a score; the one that it had before, if it was there. A score equal to that one changes nothing, 0.0 and
    /// -0.0 being equal; and neither does NaN, which is no score.
    pub fn insert(&mut self, hasher: &KeyHasher, member: &[u8], score: f64) -> Option<f64> {
        let position = position(hasher.hash(member));
        let found = self.find(member, position);
        let old = found.map(|place| self.element(place).1);
        if score.is_nan() || old == Some(score) {
            return old;
        }
        let (Some(place), Some(old)) = (found, old) else {
            let (place, _) = self.seek(Cut::Element(score, member));
            let leaf = self.insert_at(hasher, place, (member, None), score, position);
            self.index.insert(Slot::new(position, leaf));
            self.len += 1;
            return None;
        };
        if self.stays(place, old, score) {
            self.set_score_at(place, score);
            return Some(old);
        }
        // Its slot is meanwhile one too many that names the old leaf: whatever moves there moves slots that are there for it.
        let own = self.remove_at(hasher, place);
        let (to, _) = self.seek(Cut::Element(score, member));
        let leaf = self.insert_at(hasher, to, (member, own), score, position);
        if leaf != place.leaf {
            self.index.relocate(position, place.leaf, leaf);
        }
        Some(old)
    }

    /// Whether an element is seen to be in the right place with another score too: between its neighbours in the leaf.
    fn stays(&self, place: Place, old: f64, score: f64) -> bool {
        let leaf = &self.leaves[place.leaf];
        let cut = Cut::Element(score, leaf.member(place.nth));
        let is_behind = |nth: usize| cut.is_behind(leaf.score(nth), || leaf.member(nth));
        if score > old {
            place.nth + 1 < leaf.len() && !is_behind(place.nth + 1)
        } else {
            place.nth > 0 && is_behind(place.nth - 1)
        }
    }

    /// Takes a member out; its score, if it was there.
    pub fn remove(&mut self, hasher: &KeyHasher, member: &[u8]) -> Option<f64> {
        let position = position(hasher.hash(member));
        let place = self.find(member, position)?;
        let score = self.element(place).1;
        self.remove_from(hasher, place, position);
        Some(score)
    }

    /// Takes an element out; its member, where that had an allocation of its own.
    fn remove_from(&mut self, hasher: &KeyHasher, place: Place, at: u32) -> Option<Box<[u8]>> {
        // First: leaves may be joined, which changes the slots of what is left.
        self.index.remove(Slot::new(at, place.leaf));
        self.len -= 1;
        self.remove_at(hasher, place)
    }

    /// Takes the last elements out, the last one first: so many, or all that there are. Repeated, it empties the set in pieces.
    pub fn take_some(&mut self, hasher: &KeyHasher, limit: usize) -> Vec<(Box<[u8]>, f64)> {
        let mut taken = Vec::with_capacity(limit.min(self.len));
        while taken.len() < limit && !self.is_empty() {
            let place = self.place(self.len - 1);
            let leaf = &self.leaves[place.leaf];
            let (score, at) = (leaf.score(place.nth), leaf.position(place.nth, hasher));
            let near = if leaf.is_far(place.nth) {
                Box::default()
            } else {
                leaf.member(place.nth).into()
            };
            let far = self.remove_from(hasher, place, at);
            taken.push((far.unwrap_or(near), score));
        }
        taken
    }

    /// Gives all of it up in pieces, a leaf of at most 64 elements at a time: much less work than to take them out.
    pub fn into_pieces(self) -> Pieces {
        Pieces::new(self)
    }

    /// How many elements lie before a member, if it is there.
    pub fn rank(&self, hasher: &KeyHasher, member: &[u8]) -> Option<usize> {
        let place = self.find(member, position(hasher.hash(member)))?;
        Some(self.rank_of(place))
    }

    /// How many elements lie before one of this score and member, be it there or not.
    pub fn rank_before(&self, score: f64, member: &[u8]) -> usize {
        self.seek(Cut::Element(score, member)).1
    }

    /// The element of a rank, counted from 0.
    pub fn at_rank(&self, rank: usize) -> Option<Element<'_>> {
        (rank < self.len).then(|| self.element(self.place(rank)))
    }

    /// The first element.
    pub fn first(&self) -> Option<Element<'_>> {
        self.at_rank(0)
    }

    /// The last element.
    pub fn last(&self) -> Option<Element<'_>> {
        self.at_rank(self.len.checked_sub(1)?)
    }

    /// The ranks of the elements whose scores lie between two bounds: as many as there are such elements; empty, but in the right
    /// place, where there are none.
    pub fn score_ranks(&self, min: ScoreBound, max: ScoreBound) -> std::ops::Range<usize> {
        self.ranks(min.as_min(), max.as_max())
    }

    /// The ranks of the elements whose members lie between two bounds, where all scores are equal. Where they are not, some ranks.
    pub fn lex_ranks(&self, min: LexBound<'_>, max: LexBound<'_>) -> std::ops::Range<usize> {
        self.ranks(min.as_min(), max.as_max())
    }

    fn ranks(&self, start: Cut<'_>, end: Cut<'_>) -> std::ops::Range<usize> {
        let start = self.seek(start).1;
        start..self.seek(end).1.max(start)
    }

    /// The elements of some ranks in their order; `rev` for the other direction. Ranks that nothing has are left out.
    pub fn range(&self, ranks: std::ops::Range<usize>) -> Range<'_> {
        Range::new(self, ranks)
    }

    /// All elements in their order.
    pub fn iter(&self) -> Range<'_> {
        self.range(0..self.len)
    }

    /// The elements of the part that holds the position `from` whose positions are no lower.
    pub fn at(&self, hasher: &KeyHasher, from: u32) -> impl Iterator<Item = Element<'_>> {
        let slots = self.index.at(from);
        slots.iter().enumerate().filter_map(move |(at, slot)| {
            // Of two members of one position in one leaf each has a slot, which look the same.
            let same = slots[..at].iter().rev().take_while(|s| *s == slot).count();
            let leaf = &self.leaves[slot.leaf()];
            let nth = leaf.at(slot.position(), hasher).nth(same)?;
            Some((leaf.member(nth), leaf.score(nth)))
        })
    }

    /// Where the part behind that one begins; none behind the last.
    pub fn end(&self, from: u32) -> Option<u32> {
        self.index.end(from)
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Element<'_>> {
        let drawn = u128::from(random()) * self.len as u128;
        self.at_rank((drawn >> 64) as usize)
    }
}

#[cfg(test)]
mod tests;
