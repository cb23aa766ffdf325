//! What one effect does to one key, and the bytes it travels as (`code`, `parts`, `content`). What an operation means is said by [`step()`] of
//! strings and by [`crate::db::live`] of all else.
//!
//! An operation is deterministic: absolute times, no conditions, no randomness. One that does not fit what it meets (a number, a
//! size, an element that is not there) has no effect, on every node alike. One that adds to a key of another type deletes that first.

mod code;
pub mod content;
pub mod parts;
mod step;

use crate::db::bitfield::Program;
use crate::db::hll::{Adds, Change as HllChange, Merge};
use crate::db::stamp::{Hlc, UnixMillis};
use crate::db::stream::StreamId;
use crate::db::stream::change::{Action, GroupChange, Ids, SetId};
pub use content::Content;
pub use parts::{ElementName, ElementNames, End, Kind, Names, Pairs, Positions, Scores};
pub use step::*;

/// The largest string an operation may make: Redis's own limit, the same on every node so that all judge alike.
pub const STRING_LEN_MAX: usize = 512 * 1024 * 1024;

/// What SET does to the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Takes it away.
    Clear,
    /// Leaves it as it is (KEEPTTL).
    Keep,
    /// Sets it.
    At(UnixMillis),
}

/// One operation on one key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op<'a> {
    /// The value becomes this string.
    Set(&'a [u8], Expiry),
    /// The key goes.
    Del,
    /// The number grows by this much.
    Incr(i64),
    /// The number grows by this decimal.
    IncrByFloat(&'a [u8]),
    /// The string gets longer.
    Append(&'a [u8]),
    /// The string is overwritten from this offset on.
    SetRange(u32, &'a [u8]),
    /// The deadline becomes this, or goes.
    Expire(Option<UnixMillis>),
    /// A string from before its node was a member: it counts only where the key is absent or older than the original time.
    Import(Hlc, Option<UnixMillis>, &'a [u8]),
    /// A delete from before its node was a member: it counts only where the key is older than the original time.
    ImportDel(Hlc),
    /// One bit of the string, counted from the highest of the first byte, becomes 0 or 1.
    SetBit(u32, bool),
    /// Integers within the string change.
    BitField(Program<'a>),
    /// Registers of the HyperLogLog are raised, one after the other.
    PfAdd(Adds<'a>),
    /// The registers of others are merged into the HyperLogLog.
    PfMerge(Merge<'a>),
    /// Fields of the hash get values.
    HSet(Pairs<'a>),
    /// The number in a field of the hash grows by this much.
    HIncr(i64, &'a [u8]),
    /// The number in a field of the hash, the second, grows by this decimal.
    HIncrByFloat(&'a [u8], &'a [u8]),
    /// Members come into the set.
    SAdd(Names<'a>),
    /// Members of the sorted set get scores.
    ZAdd(Scores<'a>),
    /// The score of a member of the sorted set grows by this much.
    ZIncr(f64, &'a [u8]),
    /// Fields or members go.
    Remove(Kind, Names<'a>),
    /// Fields or members, those that are there, get a deadline or lose it.
    ExpireMembers(Kind, Option<UnixMillis>, Names<'a>),
    /// Elements come to one end of the list, one after the other, each with a stamp of its own.
    Push(End, Names<'a>),
    /// Elements of the list go.
    ListRemove(ElementNames<'a>),
    /// An element of the list becomes this.
    ListSet(ElementName, &'a [u8]),
    /// An element comes into the list beside another one.
    ListInsert(Beside, &'a [u8]),
    /// Elements of the list at these positions go. This and the next two are for lists whose elements bear no names: where
    /// there is one master, and everything comes in its order.
    ListCut(Positions<'a>),
    /// The element of the list at this position becomes this.
    ListSetAt(u32, &'a [u8]),
    /// An element comes into the list at this position.
    ListInsertAt(u32, &'a [u8]),
    /// An entry comes into the stream, wherever its place is; where the id is there, nothing happens.
    XAdd(StreamId, Pairs<'a>),
    /// Entries of the stream go: these, whatever else came with lower ids. Deleted, or else trimmed.
    XDel(bool, Ids<'a>),
    /// Entries of the stream up to this id go: for streams that bear no stamps, where everything comes in its order.
    XTrim(StreamId),
    /// What the stream remembers beside its entries becomes this.
    XSetId(SetId),
    /// Something happens to a consumer group.
    XGroup(GroupChange<'a>),
    /// The value becomes this, of whatever type.
    Put(Content<'a>, Option<UnixMillis>),
    /// The same as [`Op::Import`] of any type.
    ImportContent(Hlc, Option<UnixMillis>, Content<'a>),
}

/// Where an element comes into a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The element it comes beside.
    pub anchor: ElementName,
    /// Before that one, not behind it.
    pub is_before: bool,
    /// Where it stands, counted from the head, if that one is gone: as far as the list reaches.
    pub position: u32,
}

impl<'a> Op<'a> {
    /// Whether nothing that came earlier can show through.
    pub fn dominates(&self) -> bool {
        matches!(
            self,
            Self::Del | Self::Set(_, Expiry::Clear | Expiry::At(_)) | Self::Put(..)
        )
    }

    /// Whether it writes at places of a string that stays otherwise as it is, but for getting longer.
    #[inline]
    pub fn is_positional(&self) -> bool {
        matches!(
            self,
            Self::SetRange(..) | Self::SetBit(..) | Self::BitField(_)
        )
    }

    /// Whether all it does is to write into a string or behind it.
    #[inline]
    pub fn writes(&self) -> bool {
        self.is_positional() || matches!(self, Self::Append(_))
    }

    /// The type of the key that it adds to, or makes; none where it fits any type.
    #[inline]
    pub fn adds_to(&self) -> Option<Kind> {
        match self {
            Self::Incr(_)
            | Self::IncrByFloat(_)
            | Self::Append(_)
            | Self::SetRange(..)
            | Self::SetBit(..)
            | Self::BitField(_)
            | Self::PfAdd(_) => Some(Kind::String),
            Self::PfMerge(merge) if !merge.is_of_form() => Some(Kind::String),
            Self::HSet(_) | Self::HIncr(..) | Self::HIncrByFloat(..) => Some(Kind::Hash),
            Self::SAdd(_) => Some(Kind::Set),
            Self::ZAdd(_) | Self::ZIncr(..) => Some(Kind::Zset),
            Self::Push(..) => Some(Kind::List),
            Self::XAdd(..) => Some(Kind::Stream),
            Self::XGroup(change) if change.makes_stream() => Some(Kind::Stream),
            _ => None,
        }
    }

    /// What it does to a HyperLogLog, if it is of these.
    #[inline]
    pub fn hll_change(&self) -> Option<HllChange<'a>> {
        match *self {
            Self::PfAdd(adds) => Some(HllChange::Add(adds)),
            Self::PfMerge(merge) => Some(HllChange::Merge(merge)),
            _ => None,
        }
    }

    /// Whether it is of strings, or of any type as they are.
    #[inline]
    pub fn is_of_elements(&self) -> bool {
        matches!(
            self,
            Self::HSet(_)
                | Self::HIncr(..)
                | Self::HIncrByFloat(..)
                | Self::SAdd(_)
                | Self::ZAdd(_)
                | Self::ZIncr(..)
                | Self::Remove(..)
                | Self::ExpireMembers(..)
                | Self::Push(..)
                | Self::ListRemove(_)
                | Self::ListSet(..)
                | Self::ListInsert(..)
                | Self::ListCut(_)
                | Self::ListSetAt(..)
                | Self::ListInsertAt(..)
                | Self::XAdd(..)
                | Self::XDel(..)
                | Self::XTrim(_)
                | Self::XSetId(_)
                | Self::XGroup(_)
        )
    }

    /// Whether Redis tells it nobody who watches or caches the key: what becomes of groups, and of what a stream remembers.
    pub fn is_untold(&self) -> bool {
        match self {
            Self::XSetId(_) => true,
            Self::XGroup(change) => !change.makes_stream(),
            _ => false,
        }
    }

    /// Whether it takes away what a reader for a group may wait for.
    pub fn ends_group(&self) -> bool {
        let Self::XGroup(change) = self else {
            return false;
        };
        matches!(change.parts(), Some((_, Action::Destroyed)))
    }

    /// How many stamps it takes, of which the last is its own.
    #[inline]
    pub fn stamps(&self) -> u32 {
        match self {
            Self::Push(_, elements) => elements.len().max(1) as u32,
            _ => 1,
        }
    }

    /// Whether it bears a time of its own beside its stamp.
    pub fn is_import(&self) -> bool {
        matches!(
            self,
            Self::Import(..) | Self::ImportDel(_) | Self::ImportContent(..)
        )
    }
}

#[cfg(test)]
mod tests;
