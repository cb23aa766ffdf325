//! A set, small or large: members, whose payloads nobody looks at.
//!
//! Invariant: see [`crate::db::views`].

use super::{HashView, Living};
use crate::db::elements::packed;
use crate::resp::parse_i64;

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub enum SetView<'a> {
    /// The bytes of a small one.
    Small(&'a [u8]),
    /// A large one.
    Large(Living<'a>),
}

impl<'a> SetView<'a> {
    /// Members are fields of a hash whose payloads tell nothing.
    fn as_hash(self) -> HashView<'a> {
        match self {
            Self::Small(bytes) => HashView::Small(bytes),
            Self::Large(living) => HashView::Large(living),
        }
    }

    /// How many members there are.
    pub fn len(self) -> usize {
        self.as_hash().len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether a member is there.
    pub fn contains(self, member: &[u8]) -> bool {
        self.as_hash().contains(member)
    }

    /// All members, those of a large one in no order.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.as_hash().iter().map(|(member, _)| member)
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(self, random: impl FnMut() -> u64) -> Option<&'a [u8]> {
        self.as_hash().random(random).map(|(member, _)| member)
    }

    /// A step of a walk; see [`HashView::scan`].
    pub fn scan(self, cursor: u32) -> (impl Iterator<Item = &'a [u8]>, Option<u32>) {
        let (elements, next) = self.as_hash().scan(cursor);
        (elements.map(|(member, _)| member), next)
    }

    /// Whether all members are integers as Redis writes them, so that OBJECT ENCODING may call it an intset. Never of a large one,
    /// which nobody looks through for that.
    pub fn is_ints(self) -> bool {
        match self {
            Self::Small(bytes) => {
                packed::iter(bytes).all(|(member, _)| parse_i64(member).is_some())
            }
            Self::Large(..) => false,
        }
    }
}
