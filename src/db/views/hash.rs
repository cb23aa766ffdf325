//! A hash, small or large: fields with their payloads.
//!
//! Invariant: see [`crate::db::views`].

use super::{Form, Living, below};
use crate::db::elements::{Element, packed};

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub enum HashView<'a> {
    /// The bytes of a small one.
    Small(&'a [u8]),
    /// A large one.
    Large(Living<'a>),
}

impl<'a> HashView<'a> {
    /// How many fields there are.
    pub fn len(self) -> usize {
        match self {
            Self::Small(bytes) => packed::len(bytes),
            Self::Large(living) => living.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The payload of a field.
    pub fn get(self, field: &[u8]) -> Option<&'a [u8]> {
        match self {
            Self::Small(bytes) => packed::get(bytes, field),
            Self::Large(living) => living.get(field),
        }
    }

    /// Whether a field is there.
    pub fn contains(self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// All fields with their payloads, those of a large one in no order.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => Form::Small(packed::iter(bytes)),
            Self::Large(living) => Form::Large(living.iter()),
        }
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(self, mut random: impl FnMut() -> u64) -> Option<Element<'a>> {
        match self {
            Self::Small(bytes) => packed::iter(bytes).nth(below(packed::len(bytes), random())),
            Self::Large(living) => living.random(random),
        }
    }

    /// A step of a walk that begins with 0: what it comes to, and the next step, where there is one. A small one is walked in one
    /// step, whatever its number.
    pub fn scan(self, cursor: u32) -> (impl Iterator<Item = Element<'a>>, Option<u32>) {
        match self {
            Self::Small(bytes) => (Form::Small(packed::iter(bytes)), None),
            Self::Large(living) => {
                let (some, next) = living.scan(cursor);
                (Form::Large(some), next)
            }
        }
    }
}
