//! The elements of a large hash or set without those whose time has come and that have only not been cleared away yet.
//!
//! Invariant: who looks finds what would be there if all of those had been.

use crate::db::deadlines::Deadlines;
use crate::db::elements::{Element, Elements};
use crate::db::table::KeyHasher;

/// So many elements are picked at random before all are walked: most have gone then.
const PICKS: usize = 10_000;

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub struct Living<'a> {
    elements: &'a Elements,
    hasher: &'a KeyHasher,
    /// Where some have gone.
    gone: Option<&'a Deadlines>,
}

impl<'a> Living<'a> {
    /// Of these elements, of which some have such deadlines.
    #[inline]
    pub fn new(
        elements: &'a Elements,
        hasher: &'a KeyHasher,
        deadlines: Option<&'a Deadlines>,
    ) -> Self {
        Self {
            elements,
            hasher,
            gone: deadlines.filter(|deadlines| deadlines.have_gone()),
        }
    }

    fn is_gone(&self, name: &[u8]) -> bool {
        self.gone
            .is_some_and(|gone| gone.has_gone(self.hasher, name.into()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let gone = self.gone.map_or(0, Deadlines::gone_len);
        self.elements.len().saturating_sub(gone)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload of one.
    #[inline]
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        let payload = self.elements.get(self.hasher, name);
        payload.filter(|_| !self.is_gone(name))
    }

    /// All of them, in no order.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        self.elements
            .iter()
            .filter(move |(name, _)| !self.is_gone(name))
    }

    /// One at random, each as likely as any other.
    pub fn random(self, mut random: impl FnMut() -> u64) -> Option<Element<'a>> {
        if self.gone.is_none() {
            return self.elements.random(random);
        }
        for _ in 0..PICKS {
            let picked = self.elements.random(&mut random)?;
            if !self.is_gone(picked.0) {
                return Some(picked);
            }
        }
        let nth = super::below(self.len(), random());
        self.iter().nth(nth)
    }

    /// A step of a walk, and the next one.
    pub fn scan(self, cursor: u32) -> (impl Iterator<Item = Element<'a>>, Option<u32>) {
        let some = self.elements.at(self.hasher, cursor);
        let living = some.filter(move |(name, _)| !self.is_gone(name));
        (living, self.elements.end(cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::op::Kind;
    use crate::db::stamp::UnixMillis;

    fn some(count: u32) -> (KeyHasher, Elements, Deadlines) {
        let (hasher, mut elements) = (KeyHasher::new(3), Elements::default());
        let mut deadlines = Deadlines::of(Kind::Set);
        for number in 0..count {
            let name = number.to_le_bytes();
            elements.insert(&hasher, &name, b"payload");
            if number % 4 != 0 {
                deadlines.set(
                    &hasher,
                    name.as_slice().into(),
                    Some(UnixMillis(100 + i64::from(number % 4))),
                );
            }
        }
        (hasher, elements, deadlines)
    }

    #[test]
    fn what_has_gone_is_found_in_no_way() {
        for (gone, left) in [(0, 400), (101, 300), (102, 200), (103, 100), (500, 100)] {
            let (hasher, elements, mut deadlines) = some(400);
            deadlines.set_gone(UnixMillis(gone));
            let living = Living::new(&elements, &hasher, Some(&deadlines));
            let is_there = |name: &[u8]| {
                let number = u32::from_le_bytes(name.try_into().unwrap());
                number % 4 == 0 || 100 + i64::from(number % 4) > gone
            };
            assert_eq!((living.len(), living.iter().count()), (left, left));
            assert!(living.iter().all(|(name, _)| is_there(name)));
            for number in 0..400u32 {
                let name = number.to_le_bytes();
                assert_eq!(living.get(&name).is_some(), is_there(&name));
            }
            let mut state = 7u64;
            for _ in 0..200 {
                let picked = living.random(|| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    state ^ (state >> 29)
                });
                assert!(is_there(picked.unwrap().0));
            }
            let (mut cursor, mut seen) = (Some(0), 0);
            while let Some(at) = cursor {
                let (some, next) = living.scan(at);
                seen += some.inspect(|(name, _)| assert!(is_there(name))).count();
                cursor = next;
            }
            assert_eq!(seen, left);
        }
    }
}
