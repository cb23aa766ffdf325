//! Looks at collections that hide whether they are small, one piece of bytes, or large: [`HashView`], [`SetView`], [`ZsetView`],
//! [`ListView`]. They are copied freely and change nothing.
//!
//! Invariant: the same elements give the same answers in either form, but for their order where there is none.

mod hash;
mod list;
mod living;
mod ranked;
mod set;
mod zset;

use crate::db::body::{self, Large, Shown};
use crate::db::deadlines::Named;
use crate::db::elements::{Elements, packed};
use crate::db::partition::View;
use crate::db::stamp::UnixMillis;
use crate::db::stream::Stream;
pub use hash::HashView;
pub use list::ListView;
pub use living::Living;
pub use ranked::Ranked;
pub use set::SetView;
pub use zset::ZsetView;

impl<'a> View<'a> {
    /// The hash; none where it is something else.
    #[inline]
    pub fn hash(&self) -> Option<HashView<'a>> {
        match self.shown {
            Shown::Small(body::Form::Hash, bytes) => Some(HashView::Small(bytes)),
            Shown::Large(Large::Hash(elements)) => Some(HashView::Large(self.living(elements))),
            _ => None,
        }
    }

    /// The set; none where it is something else.
    #[inline]
    pub fn set(&self) -> Option<SetView<'a>> {
        match self.shown {
            Shown::Small(body::Form::Set | body::Form::Ints, bytes) => Some(SetView::Small(bytes)),
            Shown::Large(Large::Set(elements)) => Some(SetView::Large(self.living(elements))),
            _ => None,
        }
    }

    #[inline]
    fn living(&self, elements: &'a Elements) -> Living<'a> {
        Living::new(elements, self.hasher, self.member_deadlines)
    }

    /// The sorted set; none where it is something else.
    #[inline]
    pub fn zset(&self) -> Option<ZsetView<'a>> {
        match self.shown {
            Shown::Small(body::Form::Zset, bytes) => Some(ZsetView::Small(bytes)),
            Shown::Large(Large::Zset(ordered)) => {
                let ranked = Ranked::new(ordered, self.hasher, self.member_deadlines);
                Some(ZsetView::Large(ranked))
            }
            _ => None,
        }
    }

    /// When a field or member goes; none where it has no deadline.
    pub fn member_deadline(&self, member: &[u8]) -> Option<UnixMillis> {
        let deadlines = self.member_deadlines?;
        let who = match self.zset() {
            Some(zset) => Named::from((member, zset.score(member)?)),
            None => Named::from(member),
        };
        deadlines.get(self.hasher, who)
    }

    /// The stream; none where it is something else.
    #[inline]
    pub fn stream(&self) -> Option<&'a Stream> {
        match self.shown {
            Shown::Large(Large::Stream(stream)) => Some(stream),
            _ => None,
        }
    }

    /// A job's bytes, see [`job`](crate::db::job); none where it is something else.
    pub fn job(&self) -> Option<&'a [u8]> {
        match self.shown {
            Shown::Small(body::Form::Job, bytes) => packed::iter(bytes).next().map(|(job, _)| job),
            _ => None,
        }
    }

    /// The list; none where it is something else.
    #[inline]
    pub fn list(&self) -> Option<ListView<'a>> {
        match self.shown {
            Shown::Small(body::Form::List, bytes) => Some(ListView::Small(bytes)),
            Shown::Large(Large::List(list)) => Some(ListView::Large(list)),
            _ => None,
        }
    }
}

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
