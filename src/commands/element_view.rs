//! What HSCAN, SSCAN and ZSCAN, and the commands that draw at random, ask of a hash, a set or a sorted set alike.
//!
//! Invariant: an element's position is that of its name, as in [`crate::db::elements`] and [`crate::db::ordered`].

use crate::db::table::{KeyHasher, position};
use crate::db::views::{HashView, SetView, ZsetView};

/// See the head of the file.
pub trait ElementView<'e>: Copy {
    /// A field with its value, a member, or a member with its score.
    type Element: Copy;

    /// Whether it is one piece of bytes, of which every look goes through all.
    fn is_small(self) -> bool;
    /// How many elements there are.
    fn count(self) -> usize;
    /// All elements.
    fn all(self) -> impl Iterator<Item = Self::Element>;
    /// One at random.
    fn draw(self, random: impl FnMut() -> u64) -> Option<Self::Element>;
    /// A step of a walk: the elements from a position on to the end of their segment, and where the next begins.
    fn step(self, from: u32) -> (impl Iterator<Item = Self::Element>, Option<u32>);
    /// The field or the member.
    fn name(element: Self::Element) -> &'e [u8];

    /// Where an element stands in a walk.
    fn position(hasher: &KeyHasher, element: Self::Element) -> u32 {
        position(hasher.hash(Self::name(element)))
    }
}

macro_rules! element_view {
    ($view:ident, $element:ty, $name:expr) => {
        impl<'e> ElementView<'e> for $view<'e> {
            type Element = $element;

            fn is_small(self) -> bool {
                matches!(self, Self::Small(_))
            }

            fn count(self) -> usize {
                self.len()
            }

            fn all(self) -> impl Iterator<Item = Self::Element> {
                self.iter()
            }

            fn draw(self, random: impl FnMut() -> u64) -> Option<Self::Element> {
                self.random(random)
            }

            fn step(self, from: u32) -> (impl Iterator<Item = Self::Element>, Option<u32>) {
                self.scan(from)
            }

            fn name(element: Self::Element) -> &'e [u8] {
                let name: fn($element) -> &'e [u8] = $name;
                name(element)
            }
        }
    };
}

element_view!(HashView, (&'e [u8], &'e [u8]), |(field, _)| field);
element_view!(SetView, &'e [u8], |member| member);
element_view!(ZsetView, (&'e [u8], f64), |(member, _)| member);
