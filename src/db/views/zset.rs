//! A sorted set, small or large: members with their scores, in their order.
//!
//! Invariant: see [`crate::db::views`].

use std::ops::Range;

use super::{Form, Ranked, below};
use crate::db::ordered::{Element, LexBound, ScoreBound, packed};

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub enum ZsetView<'a> {
    /// The bytes of a small one.
    Small(&'a [u8]),
    /// A large one.
    Large(Ranked<'a>),
}

impl<'a> ZsetView<'a> {
    /// How many members there are.
    pub fn len(self) -> usize {
        match self {
            Self::Small(bytes) => packed::len(bytes),
            Self::Large(ranked) => ranked.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Small(bytes) => packed::score(bytes, member),
            Self::Large(ranked) => ranked.score(member),
        }
    }

    /// How many elements lie before a member, if it is there.
    pub fn rank(self, member: &[u8]) -> Option<usize> {
        match self {
            Self::Small(bytes) => packed::rank(bytes, member),
            Self::Large(ranked) => ranked.rank(member),
        }
    }

    /// The element of a rank, counted from 0.
    pub fn at_rank(self, rank: usize) -> Option<Element<'a>> {
        match self {
            Self::Small(bytes) => packed::at_rank(bytes, rank),
            Self::Large(ranked) => ranked.at_rank(rank),
        }
    }

    /// The ranks of the elements whose scores lie between two bounds; empty, but in the right place, where there are none.
    pub fn score_ranks(self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        match self {
            Self::Small(bytes) => packed::score_ranks(bytes, min, max),
            Self::Large(ranked) => ranked.score_ranks(min, max),
        }
    }

    /// The ranks of the elements whose members lie between two bounds, where all scores are equal. Where they are not, some ranks,
    /// not the same in both forms.
    pub fn lex_ranks(self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        match self {
            Self::Small(bytes) => packed::lex_ranks(bytes, min, max),
            Self::Large(ranked) => ranked.lex_ranks(min, max),
        }
    }

    /// The elements of some ranks in their order. Ranks that nothing has are left out.
    pub fn range(self, ranks: Range<usize>) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => Form::Small(packed::range(bytes, ranks)),
            Self::Large(ranked) => Form::Large(ranked.range(ranks)),
        }
    }

    /// As [`Self::range`], the last one first.
    pub fn range_rev(self, ranks: Range<usize>) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => Form::Small(packed::range_rev(bytes, ranks)),
            Self::Large(ranked) => Form::Large(ranked.range_rev(ranks)),
        }
    }

    /// All elements in their order.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::Small(bytes) => Form::Small(packed::iter(bytes)),
            Self::Large(ranked) => Form::Large(ranked.iter()),
        }
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(self, mut random: impl FnMut() -> u64) -> Option<Element<'a>> {
        match self {
            Self::Small(bytes) => packed::at_rank(bytes, below(packed::len(bytes), random())),
            Self::Large(ranked) => ranked.random(random),
        }
    }

    /// A step of a walk that begins with 0: what it comes to, in no order, and the next step, where there is one. A small one is
    /// walked in one step, whatever its number.
    pub fn scan(self, cursor: u32) -> (impl Iterator<Item = Element<'a>>, Option<u32>) {
        match self {
            Self::Small(bytes) => (Form::Small(packed::iter(bytes)), None),
            Self::Large(ranked) => {
                let (some, next) = ranked.scan(cursor);
                (Form::Large(some), next)
            }
        }
    }
}
