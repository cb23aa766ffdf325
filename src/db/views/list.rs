//! A list, small or large: elements in their order, with or without ids.
//!
//! Invariant: see [`crate::db::views`].

use smallvec::SmallVec;

use super::Form;
use crate::db::list::{self, Element, List, packed};
use crate::db::stamp::Stamp;

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub enum ListView<'a> {
    /// The bytes of a small one.
    Small(&'a [u8]),
    /// A large one.
    Large(&'a List),
}

impl<'a> ListView<'a> {
    /// How many elements there are.
    pub fn len(self) -> usize {
        match self {
            Self::Small(bytes) => packed::len(bytes),
            Self::Large(list) => list.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether elements bear ids.
    pub fn has_ids(self) -> bool {
        match self {
            Self::Small(bytes) => packed::has_ids(bytes),
            Self::Large(list) => list.has_ids(),
        }
    }

    /// The position that Redis's index stands for, which counts from -1 at the tail, too; none outside of the list.
    pub fn position(self, index: i64) -> Option<usize> {
        list::position(self.len(), index)
    }

    /// The element at an index.
    pub fn get(self, index: i64) -> Option<&'a [u8]> {
        match self {
            Self::Small(bytes) => {
                let (_, element) = packed::get(bytes, self.position(index)?)?;
                Some(element)
            }
            Self::Large(list) => list.get(index),
        }
    }

    /// The id of the element at a position; none where there is none, or where elements bear none.
    pub fn id(self, position: usize) -> Option<Stamp> {
        match self {
            Self::Small(bytes) => {
                let (id, _) = packed::get(bytes, position)?;
                packed::has_ids(bytes).then_some(id)
            }
            Self::Large(list) => list.id(position),
        }
    }

    /// All elements from the head to the tail.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        self.iter_from(0)
    }

    /// The element at `position` and those behind it.
    pub fn iter_from(self, position: usize) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => Form::Small(packed::iter(bytes).skip(position)),
            Self::Large(list) => Form::Large(list.iter_from(position)),
        }
    }

    /// The element at `position`, or the last one where there is none, and those before it, towards the head.
    pub fn iter_back_from(self, position: usize) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => {
                // Nothing in the bytes tells where the element before one begins.
                let walk = packed::iter(bytes).take(position.saturating_add(1));
                let elements: SmallVec<[Element<'a>; 8]> = walk.collect();
                Form::Small(elements.into_iter().rev())
            }
            Self::Large(list) => Form::Large(list.iter_back_from(position)),
        }
    }
}
