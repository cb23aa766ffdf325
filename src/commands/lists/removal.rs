//! How elements are named in the effect that takes them out or changes them.
//!
//! Invariant: of a list whose elements bear ids, they are named by these, so that other masters find them wherever they stand
//! there; else by positions, which are right where everything comes in one order.

use crate::db::Op;
use crate::db::op::{Beside, ElementName, ElementNames, Positions};
use crate::db::stamp::Stamp;
use crate::db::views::ListView;

/// Elements to be taken out.
#[derive(Debug)]
pub(super) enum Removal {
    Names(Vec<u8>),
    Positions(Vec<u8>),
}

impl Removal {
    /// Of these ranges of a list, in rising order: position and count.
    pub fn of(list: ListView<'_>, ranges: impl Iterator<Item = (usize, usize)>) -> Self {
        if !list.has_ids() {
            let (mut out, mut gone) = (Vec::new(), 0);
            for (position, count) in ranges.filter(|(_, count)| *count > 0) {
                Positions::put(&mut out, position - gone, count);
                gone += count;
            }
            return Self::Positions(out);
        }
        let (mut out, mut before) = (Vec::new(), Stamp::ZERO);
        for (position, count) in ranges {
            for (id, element) in list.iter_from(position).take(count) {
                ElementNames::put(&mut out, before, ElementName::new(id, element));
                before = id;
            }
        }
        Self::Names(out)
    }

    /// The operation; none where there is nothing to take out.
    pub fn op(&self) -> Option<Op<'_>> {
        match self {
            Self::Names(bytes) | Self::Positions(bytes) if bytes.is_empty() => None,
            Self::Names(bytes) => Some(Op::ListRemove(ElementNames::of(bytes))),
            Self::Positions(bytes) => Some(Op::ListCut(Positions::of(bytes))),
        }
    }
}

/// The name of the element at a position, where it bears one.
fn name_at(list: ListView<'_>, position: usize) -> Option<ElementName> {
    if !list.has_ids() {
        return None;
    }
    let (id, element) = list.iter_from(position).next()?;
    Some(ElementName::new(id, element))
}

/// The operation that makes the element at a position this one; positions beyond 32 bits do not occur.
pub(super) fn set_at<'e>(list: ListView<'_>, position: usize, element: &'e [u8]) -> Op<'e> {
    match name_at(list, position) {
        Some(name) => Op::ListSet(name, element),
        None => Op::ListSetAt(position as u32, element),
    }
}

/// The operation that puts an element before or behind the one at a position.
pub(super) fn insert_beside<'e>(
    list: ListView<'_>,
    pivot: usize,
    is_before: bool,
    element: &'e [u8],
) -> Op<'e> {
    let position = (pivot + usize::from(!is_before)) as u32;
    match name_at(list, pivot) {
        Some(anchor) => {
            let beside = Beside {
                anchor,
                is_before,
                position,
            };
            Op::ListInsert(beside, element)
        }
        None => Op::ListInsertAt(position, element),
    }
}
