//! Values that an operation brings, made before the partition is locked: to make one of many elements takes long.
//!
//! Invariant: what was made of an operation is what carrying it out would make, and nothing but that operation takes it.

use std::cell::Cell;
use std::fmt;

use crate::ablation::large_from;
use crate::db::body::{Body, Limits};
use crate::db::live::{Ground, put_content};
use crate::db::op::{Content, Kind, Op};
use crate::db::origin::Origins;
use crate::db::stamp::Stamp;
use crate::db::table::KeyHasher;

/// The value that was made of the operation with a stamp, until it is taken.
#[derive(Default)]
pub struct Made(Cell<Option<(Stamp, Body)>>);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

impl Made {
    /// Leaves what was made for the operation with this stamp.
    pub(in crate::db) fn leave(&self, stamp: Stamp, body: Body) {
        self.0.set(Some((stamp, body)));
    }

    /// What was made for the operation with this stamp.
    pub(in crate::db) fn take(&self, stamp: Stamp) -> Option<Body> {
        let (of, body) = self.0.take()?;
        if of == stamp {
            return Some(body);
        }
        self.leave(of, body);
        None
    }

    /// What nobody has taken.
    pub(in crate::db) fn clear(&self) {
        self.0.set(None);
    }
}

/// What values are made with where no partition is at hand.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    /// Hashes elements.
    pub hasher: &'a KeyHasher,
    /// Up to what collections are small.
    pub limits: Limits,
    /// Who an operation's origin is.
    pub origins: &'a Origins,
    /// New lists' elements get ids.
    pub has_ids: bool,
}

impl Maker<'_> {
    /// What keys are changed on.
    pub(in crate::db) fn ground(&self) -> Ground<'_> {
        Ground {
            hasher: self.hasher,
            limits: self.limits,
            origins: self.origins,
            has_ids: self.has_ids,
            made: None,
        }
    }

    /// The value of an operation with this stamp.
    pub fn make(&self, stamp: Stamp, content: Content<'_>) -> Body {
        put_content(&self.ground(), stamp, content)
    }
}

/// The large collection that an operation brings, if it brings one.
#[inline]
pub fn large_content<'o>(op: &Op<'o>) -> Option<Content<'o>> {
    match *op {
        Op::Put(content, _) | Op::ImportContent(_, _, content) => {
            is_large(content).then_some(content)
        }
        _ => None,
    }
}

/// Whether a content is a large collection.
pub fn is_large(content: Content<'_>) -> bool {
    content.kind() != Kind::String && content.as_bytes().len() > large_from()
}

#[cfg(test)]
thread_local! {
    /// Large values that were made in this thread while their partition was held.
    pub(crate) static MADE_HELD: Cell<usize> = const { Cell::new(0) };
}
