//! Looks at collections that hide whether they are small, one piece of bytes, or large: [`HashView`], [`SetView`], [`ZsetView`],
//! [`ListView`]. They are copied freely and change nothing.
//!
//! Invariant: the same elements give the same answers in either form, but for their order where there is none.

mod hash;
mod list;
mod set;
mod zset;

pub use hash::HashView;
pub use list::ListView;
pub use set::SetView;
pub use zset::ZsetView;

/// What walks a small collection, or what walks a large one.
#[derive(Debug, Clone)]
pub enum Form<S, L> {
    /// Of a small one.
    Small(S),
    /// Of a large one.
    Large(L),
}

impl<T, S: Iterator<Item = T>, L: Iterator<Item = T>> Iterator for Form<S, L> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self {
            Self::Small(walk) => walk.next(),
            Self::Large(walk) => walk.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Small(walk) => walk.size_hint(),
            Self::Large(walk) => walk.size_hint(),
        }
    }
}

/// A number below `len`, each as likely as any other, from one of 64 bits.
fn below(len: usize, drawn: u64) -> usize {
    ((u128::from(drawn) * len as u128) >> 64) as usize
}

#[cfg(test)]
mod tests;
