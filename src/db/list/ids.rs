//! The ids of the elements of one node: the first and the last as they are, and between any two neighbours what changes.
//!
//! ```text
//! [varint: origins xor | 1 << 0] varint: zigzag of the time's change << 1
//! ```
//! The first part is there where the origins differ. A change reads the same from both ends, and varints can be parsed from both,
//! so that elements come and go at either end without a look at the others. Ids of a burst take one byte each, those of pushes up
//! to 127 ms apart three, and one more where another node made the one before; four reach to 16 seconds.
//!
//! Invariant: `between` holds one change less than there are ids; every id is within `low` and `high`, which may be too wide after
//! ids have gone.

use crate::db::list::strip::Strip;
use crate::db::origin::OriginIndex;
use crate::db::stamp::{Hlc, Stamp};
use crate::db::varint;

/// What changes from one id to the next.
#[derive(Debug, Clone, Copy)]
struct Change {
    time: i64,
    origins: u16,
}

impl Change {
    fn between(a: Stamp, b: Stamp) -> Self {
        Self {
            time: b.time().raw() as i64 - a.time().raw() as i64,
            origins: a.origin().0 ^ b.origin().0,
        }
    }

    #[inline]
    fn apply(self, id: Stamp, time: i64) -> Stamp {
        let time = Hlc::from_raw((id.time().raw() as i64).wrapping_add(time) as u64);
        Stamp::new(time, OriginIndex(id.origin().0 ^ self.origins))
    }

    #[inline]
    fn forward(self, id: Stamp) -> Stamp {
        self.apply(id, self.time)
    }

    #[inline]
    fn back(self, id: Stamp) -> Stamp {
        self.apply(id, self.time.wrapping_neg())
    }
}

/// The bytes of a change: at most two of origins and eight of time.
#[derive(Default)]
struct Encoded {
    bytes: [u8; 12],
    len: usize,
}

impl Encoded {
    fn between(a: Stamp, b: Stamp) -> Self {
        let change = Change::between(a, b);
        let mut out = Self::default();
        if change.origins != 0 {
            out.put(u64::from(change.origins) << 1 | 1);
        }
        out.put(varint::zigzag(change.time) << 1);
        out
    }

    fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A varint at the front and how long it is.
#[inline]
fn varint_front(bytes: &[u8]) -> (u64, usize) {
    let (mut value, mut shift) = (0, 0);
    for (at, &byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 || shift > 63 {
            return (value, at + 1);
        }
    }
    (value, bytes.len())
}

/// Where the varint begins that ends the bytes: all its bytes but the last one have the high bit.
#[inline]
fn varint_back(bytes: &[u8]) -> usize {
    let others = bytes.split_last().map_or(bytes, |(_, others)| others);
    let run = others.iter().rev().take_while(|byte| **byte & 0x80 != 0);
    others.len() - run.count()
}

/// The change at the front and how long it is.
#[inline]
fn change_front(bytes: &[u8]) -> (Change, usize) {
    let (first, len) = varint_front(bytes);
    if first & 1 == 0 {
        let time = varint::unzigzag(first >> 1);
        return (Change { time, origins: 0 }, len);
    }
    let (second, more) = varint_front(&bytes[len..]);
    let change = Change {
        time: varint::unzigzag(second >> 1),
        origins: (first >> 1) as u16,
    };
    (change, len + more)
}

/// The change at the back and how long it is.
#[inline]
fn change_back(bytes: &[u8]) -> (Change, usize) {
    let last = varint_back(bytes);
    let before = varint_back(&bytes[..last]);
    let start = match bytes[..last].get(before) {
        Some(first) if first & 1 != 0 => before,
        _ => last,
    };
    (change_front(&bytes[start..]).0, bytes.len() - start)
}

/// See the head of the file.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    first: Stamp,
    last: Stamp,
    low: u64,
    high: u64,
    between: Strip,
}

impl Ids {
    pub fn new(id: Stamp) -> Self {
        Self {
            first: id,
            last: id,
            low: id.raw(),
            high: id.raw(),
            between: Strip::default(),
        }
    }

    /// Memory of it, without its own fields.
    pub fn len_bytes(&self) -> usize {
        self.between.len_bytes()
    }

    /// Bounds that no id is outside of.
    #[inline]
    pub fn bounds(&self) -> (u64, u64) {
        (self.low, self.high)
    }

    /// Puts an id in before the one at `at` of `len`.
    pub fn insert(&mut self, at: usize, len: usize, id: Stamp) {
        if at >= len {
            let change = Encoded::between(self.last, id);
            self.between
                .insert(self.between.len(), &[change.as_slice()]);
            self.last = id;
        } else if at == 0 {
            let change = Encoded::between(id, self.first);
            self.between.insert(0, &[change.as_slice()]);
            self.first = id;
        } else {
            let (place, next) = self.place(at, len);
            let (change, old) = change_back(&self.between.as_slice()[..place]);
            let parts = [
                Encoded::between(change.back(next), id),
                Encoded::between(id, next),
            ];
            self.between.remove(place - old, old);
            self.between
                .insert(place - old, &[parts[0].as_slice(), parts[1].as_slice()]);
        }
        self.low = self.low.min(id.raw());
        self.high = self.high.max(id.raw());
    }

    /// Takes out the id at `at` of `len`, which are two at least.
    pub fn remove(&mut self, at: usize, len: usize) -> Stamp {
        if at + 1 >= len {
            let (change, old) = change_back(self.between.as_slice());
            self.between.remove(self.between.len() - old, old);
            let gone = self.last;
            self.last = change.back(gone);
            return gone;
        }
        let (place, id) = self.place(at, len);
        let (behind, behind_len) = change_front(&self.between.as_slice()[place..]);
        if at == 0 {
            self.between.remove(0, behind_len);
            self.first = behind.forward(id);
            return id;
        }
        let (before, before_len) = change_back(&self.between.as_slice()[..place]);
        let change = Encoded::between(before.back(id), behind.forward(id));
        let from = place - before_len;
        self.between.remove(from, before_len + behind_len);
        self.between.insert(from, &[change.as_slice()]);
        id
    }

    /// Where the changes behind the id at `at` of `len` begin, and that id.
    fn place(&self, at: usize, len: usize) -> (usize, Stamp) {
        let bytes = self.between.as_slice();
        if at < len / 2 {
            let (mut place, mut id) = (0, self.first);
            for _ in 0..at {
                let (change, len) = change_front(&bytes[place..]);
                id = change.forward(id);
                place += len;
            }
            (place, id)
        } else {
            let (mut end, mut id) = (bytes.len(), self.last);
            for _ in at + 1..len {
                let (change, old) = change_back(&bytes[..end]);
                id = change.back(id);
                end -= old;
            }
            (end, id)
        }
    }

    /// The ids from `at` of `len` on, which are not here any more. `at` is not 0.
    pub fn split_off(&mut self, at: usize, len: usize) -> Self {
        let (place, first) = self.place(at, len);
        let (change, old) = change_back(&self.between.as_slice()[..place]);
        let mut behind = Self {
            first,
            last: self.last,
            between: self.between.split_off(place),
            ..Self::new(first)
        };
        self.last = change.back(first);
        self.between.remove(place - old, old);
        behind.measure(len - at);
        behind
    }

    /// The ids from `from` on up to before `to` of `len`, which are not all of them, and are not here any more.
    pub fn take(&mut self, from: usize, to: usize, len: usize) -> Self {
        let behind = (to < len).then(|| self.split_off(to, len));
        match behind {
            Some(behind) if from == 0 => std::mem::replace(self, behind),
            behind => {
                let taken = self.split_off(from, to);
                if let Some(behind) = behind {
                    self.append(&behind);
                }
                taken
            }
        }
    }

    /// Draws the bounds as narrow as they can be around `len` ids.
    pub fn measure(&mut self, len: usize) {
        let (mut low, mut high) = (u64::MAX, 0);
        for id in self.iter(len) {
            low = low.min(id.raw());
            high = high.max(id.raw());
        }
        (self.low, self.high) = (low, high);
    }

    /// Those of the node behind this one come here.
    pub fn append(&mut self, behind: &Self) {
        let change = Encoded::between(self.last, behind.first);
        self.between
            .append(&[change.as_slice(), behind.between.as_slice()]);
        self.last = behind.last;
        self.low = self.low.min(behind.low);
        self.high = self.high.max(behind.high);
    }

    /// Makes every id by so much more; none changes its origin by that.
    pub fn raise(&mut self, by: u64) {
        let raised = |id: Stamp| Stamp::from_raw(id.raw().wrapping_add(by));
        (self.first, self.last) = (raised(self.first), raised(self.last));
        (self.low, self.high) = (self.low.wrapping_add(by), self.high.wrapping_add(by));
    }

    pub fn seal(&mut self) {
        self.between.seal();
    }

    /// All `len` of them, from either end.
    pub fn iter(&self, len: usize) -> IdsIter<'_> {
        IdsIter {
            bytes: self.between.as_slice(),
            front: self.first,
            back: self.last,
            left: len,
        }
    }
}

/// Ids from either end.
#[derive(Debug, Clone)]
pub(super) struct IdsIter<'i> {
    /// The changes between `front` and `back`.
    bytes: &'i [u8],
    front: Stamp,
    back: Stamp,
    left: usize,
}

impl IdsIter<'_> {
    /// Leaves out so many in front.
    pub fn skip_front(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// Leaves out so many at the back.
    pub fn skip_back(&mut self, count: usize) {
        for _ in 0..count {
            self.next_back();
        }
    }
}

impl Iterator for IdsIter<'_> {
    type Item = Stamp;

    #[inline]
    fn next(&mut self) -> Option<Stamp> {
        self.left = self.left.checked_sub(1)?;
        let id = self.front;
        if self.left > 0 {
            let (change, len) = change_front(self.bytes);
            self.front = change.forward(id);
            self.bytes = &self.bytes[len..];
        }
        Some(id)
    }
}

impl DoubleEndedIterator for IdsIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Stamp> {
        self.left = self.left.checked_sub(1)?;
        let id = self.back;
        if self.left > 0 {
            let (change, len) = change_back(self.bytes);
            self.back = change.back(id);
            self.bytes = &self.bytes[..self.bytes.len() - len];
        }
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_two_ids_are_neighbours_from_both_sides(a: u64, b: u64) {
            let (a, b) = (Stamp::from_raw(a), Stamp::from_raw(b));
            let change = Encoded::between(a, b);
            let before = [0x80, 0x01, 0x02];
            let bytes = [&before, change.as_slice()].concat();
            let (front, len) = change_front(&bytes[before.len()..]);
            prop_assert_eq!((front.forward(a), len), (b, change.len));
            let (back, len) = change_back(&bytes);
            prop_assert_eq!((back.back(b), len), (a, change.len));
        }
    }

    #[test]
    fn changes_have_these_lengths() {
        let id = |ms: u64, counter: u64, origin: u16| {
            Stamp::new(Hlc::from_raw(ms << 12 | counter), OriginIndex(origin))
        };
        let len = |a: Stamp, b: Stamp| Encoded::between(a, b).len;
        assert_eq!(len(id(9, 0, 1), id(9, 1, 1)), 1);
        assert_eq!(len(id(9, 1, 1), id(9, 0, 1)), 1);
        assert_eq!(len(id(9, 7, 1), id(10, 0, 1)), 2);
        assert_eq!(len(id(9, 7, 1), id(130, 90, 1)), 3);
        assert_eq!(len(id(9, 7, 1), id(130, 90, 60)), 4);
        assert_eq!(len(id(9, 7, 1), id(16_000, 90, 1)), 4);
        assert_eq!(len(Stamp::ZERO, Stamp::from_raw(u64::MAX)), 10);
    }
}
