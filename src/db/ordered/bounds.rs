//! What ends a range of a sorted set, and the cuts that it makes in the order.
//!
//! Invariant: a cut has every element that lies before it ahead of every one that does not.

use std::cmp::Ordering;

/// A score that ends a range of scores, as `5` and `(5` do. A NaN ends it before anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreBound {
    /// The score belongs to the range.
    Inclusive(f64),
    /// It does not.
    Exclusive(f64),
}

/// A member that ends a range of members, as `-`, `+`, `[a` and `(a` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexBound<'b> {
    /// `-`, before all.
    Min,
    /// `+`, behind all.
    Max,
    /// The member belongs to the range.
    Inclusive(&'b [u8]),
    /// It does not.
    Exclusive(&'b [u8]),
}

/// A place between elements.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut<'c> {
    Start,
    End,
    /// Before all of this score.
    BeforeScore(f64),
    /// Behind them.
    AfterScore(f64),
    /// Before this member, where all scores are equal.
    BeforeMember(&'c [u8]),
    /// Behind it.
    AfterMember(&'c [u8]),
    /// Before the element of this score and member.
    Element(f64, &'c [u8]),
}

impl ScoreBound {
    pub(super) fn as_min(self) -> Cut<'static> {
        match self {
            Self::Inclusive(score) => Cut::BeforeScore(score),
            Self::Exclusive(score) => Cut::AfterScore(score),
        }
    }

    pub(super) fn as_max(self) -> Cut<'static> {
        match self {
            Self::Inclusive(score) => Cut::AfterScore(score),
            Self::Exclusive(score) => Cut::BeforeScore(score),
        }
    }
}

impl<'b> LexBound<'b> {
    pub(super) fn as_min(self) -> Cut<'b> {
        match self {
            Self::Min => Cut::Start,
            Self::Max => Cut::End,
            Self::Inclusive(member) => Cut::BeforeMember(member),
            Self::Exclusive(member) => Cut::AfterMember(member),
        }
    }

    pub(super) fn as_max(self) -> Cut<'b> {
        match self {
            Self::Min => Cut::Start,
            Self::Max => Cut::End,
            Self::Inclusive(member) => Cut::AfterMember(member),
            Self::Exclusive(member) => Cut::BeforeMember(member),
        }
    }
}

impl Cut<'_> {
    /// Whether it lies behind an element. The member is asked for only where the score does not tell.
    #[inline]
    pub fn is_behind<'m>(self, score: f64, member: impl FnOnce() -> &'m [u8]) -> bool {
        match self {
            Self::Start => false,
            Self::End => true,
            Self::BeforeScore(bound) => score < bound,
            Self::AfterScore(bound) => score <= bound,
            Self::BeforeMember(bound) => member() < bound,
            Self::AfterMember(bound) => member() <= bound,
            Self::Element(bound, own) => match score.partial_cmp(&bound) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => member() < own,
                _ => false,
            },
        }
    }
}
