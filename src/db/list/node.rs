//! Some hundred elements of a list, their bytes one behind the other, and their ids.
//!
//! ```text
//! length varint | element | the same varint, its bytes in reverse order
//! ```
//! The second length lets elements be walked from the back.
//!
//! Invariant: `bytes` holds exactly `len` elements, and `ids`, where the list bears ids, as many ids in the same order.

use crate::db::list::ids::{Ids, IdsIter};
use crate::db::list::strip::Strip;
use crate::db::list::{Element, Taken};
use crate::db::stamp::Stamp;
use crate::db::varint;

/// See the head of the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    bytes: Strip,
    len: usize,
    /// Apart, for most lists bear none.
    ids: Option<Box<Ids>>,
}

/// The lengths in front of an element and behind it.
struct Lengths {
    front: [u8; 10],
    back: [u8; 10],
    len: usize,
}

impl Lengths {
    fn of(element: &[u8]) -> Self {
        let (mut front, mut back, mut len) = ([0; 10], [0; 10], 0);
        let mut value = element.len() as u64;
        for (front, back) in front.iter_mut().zip(back.iter_mut().rev()) {
            let more = if value >= 0x80 { 0x80 } else { 0 };
            (*front, *back) = (value as u8 & 0x7f | more, value as u8 & 0x7f | more);
            (len, value) = (len + 1, value >> 7);
            if more == 0 {
                break;
            }
        }
        Self { front, back, len }
    }

    fn parts<'p>(&'p self, element: &'p [u8]) -> [&'p [u8]; 3] {
        let back = &self.back[self.back.len() - self.len..];
        [&self.front[..self.len], element, back]
    }
}

/// Bytes that an element takes in a node.
#[inline]
pub(super) fn entry_len(element: &[u8]) -> usize {
    2 * varint::len(element.len() as u64) + element.len()
}

/// A length whose bytes come in this order, and how many they are.
#[inline]
fn length<'b>(mut bytes: impl Iterator<Item = &'b u8>) -> (usize, usize) {
    let (mut value, mut count) = (0, 0);
    while let Some(byte) = bytes.next()
        && count < 9
    {
        value |= usize::from(byte & 0x7f) << (7 * count);
        count += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value, count)
}

/// The element in front, and what it takes with its lengths.
#[inline]
fn front(bytes: &[u8]) -> (&[u8], usize) {
    let (len, count) = length(bytes.iter());
    let element = bytes.get(count..count + len).unwrap_or_default();
    (element, len + 2 * count)
}

/// The element at the back, and what it takes with its lengths.
#[inline]
fn back(bytes: &[u8]) -> (&[u8], usize) {
    let (len, count) = length(bytes.iter().rev());
    let end = bytes.len() - count;
    let element = bytes.get(end - len..end).unwrap_or_default();
    (element, len + 2 * count)
}

impl Node {
    /// A node with one element; with an id where the list bears ids.
    pub fn new(id: Option<Stamp>, element: &[u8]) -> Self {
        let mut node = Self {
            bytes: Strip::default(),
            len: 1,
            ids: id.map(|id| Box::new(Ids::new(id))),
        };
        let lengths = Lengths::of(element);
        node.bytes.insert(0, &lengths.parts(element));
        node
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the elements with their lengths.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Memory of it, without its own fields.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        let ids = self.ids.as_deref();
        self.bytes.len_bytes() + ids.map_or(0, |ids| size_of::<Ids>() + ids.len_bytes())
    }

    /// Makes every id by so much more.
    pub fn raise_ids(&mut self, by: u64) {
        if let Some(ids) = &mut self.ids {
            ids.raise(by);
        }
    }

    /// Bounds that no id is outside of; those of a node without ids hold nothing.
    #[inline]
    pub fn bounds(&self) -> (u64, u64) {
        self.ids.as_ref().map_or((u64::MAX, 0), |ids| ids.bounds())
    }

    /// Where the element at `at` begins; sought from the nearer end.
    fn place(&self, at: usize) -> usize {
        let bytes = self.bytes.as_slice();
        if at <= self.len / 2 {
            (0..at).fold(0, |place, _| place + front(&bytes[place..]).1)
        } else {
            (at..self.len).fold(bytes.len(), |end, _| end - back(&bytes[..end]).1)
        }
    }

    /// The element at `at`.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        (at < self.len).then(|| front(&self.bytes.as_slice()[self.place(at)..]).0)
    }

    /// Puts an element in before the one at `at`; at the end, where there is none.
    pub fn insert(&mut self, at: usize, id: Stamp, element: &[u8]) {
        let at = at.min(self.len);
        let lengths = Lengths::of(element);
        self.bytes.insert(self.place(at), &lengths.parts(element));
        if let Some(ids) = &mut self.ids {
            ids.insert(at, self.len, id);
        }
        self.len += 1;
    }

    /// Takes the element at `at` out.
    pub fn remove(&mut self, at: usize) -> Option<(Stamp, Taken)> {
        if at >= self.len {
            return None;
        }
        let place = self.place(at);
        let (element, entry_len) = front(&self.bytes.as_slice()[place..]);
        let element = Taken::from_slice(element);
        self.bytes.remove(place, entry_len);
        let id = match &mut self.ids {
            None => Stamp::ZERO,
            Some(ids) if self.len > 1 => ids.remove(at, self.len),
            Some(ids) => ids.iter(1).next().unwrap_or_default(),
        };
        self.len -= 1;
        Some((id, element))
    }

    /// Another element in the place of the one at `at`, with the same id.
    pub fn set(&mut self, at: usize, element: &[u8]) {
        if at >= self.len {
            return;
        }
        let place = self.place(at);
        let old = front(&self.bytes.as_slice()[place..]).1;
        let lengths = Lengths::of(element);
        self.bytes.remove(place, old);
        self.bytes.insert(place, &lengths.parts(element));
    }

    /// The elements from `from` on up to before `to`, which are not all of them, and are not here any more.
    pub fn take(&mut self, from: usize, to: usize) -> Self {
        let (start, end) = (self.place(from), self.place(to));
        let ids = self.ids.as_mut();
        let taken = Self {
            ids: ids.map(|ids| Box::new(ids.take(from, to, self.len))),
            bytes: self.bytes.take(start, end - start),
            len: to - from,
        };
        self.len -= taken.len;
        taken
    }

    /// As [`Self::take`], where both parts stay for long.
    pub fn split(&mut self, from: usize, to: usize) -> Self {
        let taken = self.take(from, to);
        if let Some(ids) = &mut self.ids {
            ids.measure(self.len);
        }
        taken
    }

    /// Where the node is best split in halves: before an element that is not the first.
    pub fn middle(&self) -> usize {
        let (bytes, half) = (self.bytes.as_slice(), self.bytes.len() / 2);
        let (mut at, mut place) = (0, 0);
        while at < self.len {
            let end = place + front(&bytes[place..]).1;
            // The element in the middle goes to the half that is the shorter one without it.
            if end > half {
                let cut = if end - half < half - place {
                    at + 1
                } else {
                    at
                };
                return cut.min(self.len - 1).max(1);
            }
            (at, place) = (at + 1, end);
        }
        1
    }

    /// The elements of the node behind this one come here.
    pub fn append(&mut self, behind: &Self) {
        self.bytes.append(&[behind.bytes.as_slice()]);
        self.len += behind.len;
        if let (Some(ids), Some(behind)) = (&mut self.ids, &behind.ids) {
            ids.append(behind);
        }
    }

    /// Gives room back that was held for elements to come.
    pub fn seal(&mut self) {
        self.bytes.seal();
        if let Some(ids) = &mut self.ids {
            ids.seal();
        }
    }

    /// Where the element with this id is; sought from the back, if told so.
    pub fn find(&self, id: Stamp, is_it: impl Fn(&[u8]) -> bool, from_back: bool) -> Option<usize> {
        let (low, high) = self.bounds();
        if !(low..=high).contains(&id.raw()) {
            return None;
        }
        let ids = self.ids.as_ref()?.iter(self.len);
        let is_at = |at: usize, other| other == id && self.get(at).is_some_and(&is_it);
        if from_back {
            let mut ids = ids.rev().enumerate();
            ids.find_map(|(nth, other)| {
                let at = self.len - 1 - nth;
                is_at(at, other).then_some(at)
            })
        } else {
            let mut ids = ids.enumerate();
            ids.find_map(|(at, other)| is_at(at, other).then_some(at))
        }
    }

    /// The id of the element at `at`.
    pub fn id(&self, at: usize) -> Option<Stamp> {
        let ids = self.ids.as_ref().filter(|_| at < self.len)?;
        let mut iter = ids.iter(self.len);
        if at < self.len / 2 {
            iter.nth(at)
        } else {
            iter.nth_back(self.len - 1 - at)
        }
    }

    /// Those from `from` on up to before `to`, from either end; ids only if wanted.
    pub fn iter(&self, from: usize, to: usize, with_ids: bool) -> NodeIter<'_> {
        let to = to.min(self.len);
        let from = from.min(to);
        let mut iter = self.iter_all(with_ids);
        if let Some(ids) = &mut iter.ids {
            ids.skip_front(from);
            ids.skip_back(self.len - to);
        }
        let (start, end) = (self.place(from), self.place(to));
        iter.bytes = iter.bytes.get(start..end).unwrap_or_default();
        iter.left = to - from;
        iter
    }

    /// All of them.
    pub fn iter_all(&self, with_ids: bool) -> NodeIter<'_> {
        let ids = self.ids.as_ref().filter(|_| with_ids);
        NodeIter {
            bytes: self.bytes.as_slice(),
            ids: ids.map(|ids| ids.iter(self.len)),
            left: self.len,
        }
    }
}

/// Elements of a node from either end.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeIter<'n> {
    bytes: &'n [u8],
    ids: Option<IdsIter<'n>>,
    left: usize,
}

impl<'n> Iterator for NodeIter<'n> {
    type Item = Element<'n>;

    #[inline]
    fn next(&mut self) -> Option<Element<'n>> {
        self.left = self.left.checked_sub(1)?;
        let (element, len) = front(self.bytes);
        self.bytes = self.bytes.get(len..).unwrap_or_default();
        let id = self.ids.as_mut().and_then(Iterator::next);
        Some((id.unwrap_or_default(), element))
    }
}

impl<'n> DoubleEndedIterator for NodeIter<'n> {
    #[inline]
    fn next_back(&mut self) -> Option<Element<'n>> {
        self.left = self.left.checked_sub(1)?;
        let (element, len) = back(self.bytes);
        let end = self.bytes.len().saturating_sub(len);
        self.bytes = &self.bytes[..end];
        let id = self.ids.as_mut().and_then(DoubleEndedIterator::next_back);
        Some((id.unwrap_or_default(), element))
    }
}
