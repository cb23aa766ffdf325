//! The elements of a large sorted set, by their ranks, without those whose time has come and that have only not been cleared away
//! yet.
//!
//! A rank among those that are there is one among all less those before it that have gone; of these, deadlines know how many lie
//! before any place, since those that go in one moment lie in the sorted set's order.
//!
//! Invariant: who looks finds what would be there if all of those that have gone had been cleared away.

use std::ops::Range;

use super::{Form, below};
use crate::db::deadlines::Deadlines;
use crate::db::ordered::{self, Element, LexBound, Ordered, ScoreBound};
use crate::db::stamp::UnixMillis;
use crate::db::table::KeyHasher;

/// So many that have gone are passed one by one before the next that is there is found by its rank.
const PASSED: usize = 32;

/// See the head of the file.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    ordered: &'a Ordered,
    hasher: &'a KeyHasher,
    /// Where some have gone.
    gone: Option<&'a Deadlines>,
}

impl<'a> Ranked<'a> {
    /// Of this sorted set, of which some members have such deadlines.
    #[inline]
    pub fn new(
        ordered: &'a Ordered,
        hasher: &'a KeyHasher,
        deadlines: Option<&'a Deadlines>,
    ) -> Self {
        Self {
            ordered,
            hasher,
            gone: deadlines.filter(|deadlines| deadlines.have_gone()),
        }
    }

    fn is_gone(&self, element: Element<'_>) -> bool {
        self.gone
            .is_some_and(|gone| gone.has_gone(self.hasher, element.into()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let gone = self.gone.map_or(0, Deadlines::gone_len);
        self.ordered.len().saturating_sub(gone)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        let score = self.ordered.score(self.hasher, member);
        score.filter(|score| !self.is_gone((member, *score)))
    }

    /// How many elements lie before a member, if it is there.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let Some(gone) = self.gone else {
            return self.ordered.rank(self.hasher, member);
        };
        let score = self.score(member)?;
        Some(self.before(gone.gone_moments(), (member, score)))
    }

    /// How many are there before one of this score and member, be it there or not.
    fn before(
        &self,
        moments: impl Iterator<Item = (UnixMillis, Range<usize>)>,
        (member, score): Element<'_>,
    ) -> usize {
        let gone = moments.map(|(at, ranks)| {
            let before = |gone: &Deadlines| gone.before(at, ranks.start, (member, score));
            self.gone.map_or(0, before)
        });
        let all = self.ordered.rank_before(score, member);
        all.saturating_sub(gone.sum())
    }

    /// Which rank among all the element of a rank has; behind all of them for one that nothing has.
    fn rank_of_all(&self, rank: usize) -> usize {
        let Some(gone) = self.gone else {
            return rank;
        };
        let moments: Vec<_> = gone.gone_moments().collect();
        let (mut low, mut high) = (rank, self.ordered.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(element) = self.ordered.at_rank(middle) else {
                break;
            };
            let before = self.before(moments.iter().cloned(), element);
            if before + usize::from(!self.is_gone(element)) > rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The element of a rank, counted from 0.
    pub fn at_rank(self, rank: usize) -> Option<Element<'a>> {
        self.ordered.at_rank(self.rank_of_all(rank))
    }

    /// The ranks of the elements whose scores lie between two bounds; empty, but in the right place, where there are none.
    pub fn score_ranks(self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        let Some(gone) = self.gone else {
            return self.ordered.score_ranks(min, max);
        };
        let up_to = |score: f64, is_before: bool| match score {
            _ if score.is_nan() => 0,
            _ if is_before => self.before(gone.gone_moments(), (b"", score)),
            f64::INFINITY => self.len(),
            _ => self.before(gone.gone_moments(), (b"", score.next_up())),
        };
        let start = match min {
            ScoreBound::Inclusive(score) => up_to(score, true),
            ScoreBound::Exclusive(score) => up_to(score, false),
        };
        let end = match max {
            ScoreBound::Inclusive(score) => up_to(score, false),
            ScoreBound::Exclusive(score) => up_to(score, true),
        };
        start..end.max(start)
    }

    /// The ranks of the elements whose members lie between two bounds, where all scores are equal. Where they are not, some ranks.
    pub fn lex_ranks(self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        let Some(gone) = self.gone else {
            return self.ordered.lex_ranks(min, max);
        };
        let score = self.at_rank(0).map_or(0.0, |(_, score)| score);
        let before = |member: &[u8]| self.before(gone.gone_moments(), (member, score));
        // Nothing lies between a member and this one.
        let behind = |member: &[u8]| before(&[member, b"\0"].concat());
        let start = match min {
            LexBound::Min => 0,
            LexBound::Max => self.len(),
            LexBound::Inclusive(member) => before(member),
            LexBound::Exclusive(member) => behind(member),
        };
        let end = match max {
            LexBound::Min => 0,
            LexBound::Max => self.len(),
            LexBound::Inclusive(member) => behind(member),
            LexBound::Exclusive(member) => before(member),
        };
        start..end.max(start)
    }

    /// The elements of some ranks in their order. Ranks that nothing has are left out.
    pub fn range(self, ranks: Range<usize>) -> impl Iterator<Item = Element<'a>> {
        match self.gone {
            None => Form::Small(self.ordered.range(ranks)),
            Some(_) => Form::Large(Walk::new(self, ranks)),
        }
    }

    /// As [`Self::range`], the last one first.
    pub fn range_rev(self, ranks: Range<usize>) -> impl Iterator<Item = Element<'a>> {
        match self.gone {
            None => Form::Small(self.ordered.range(ranks).rev()),
            Some(_) => Form::Large(Walk::new(self, ranks).rev()),
        }
    }

    /// All elements in their order.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        self.range(0..self.len())
    }

    /// One at random, each as likely as any other; `random` gives numbers of 64 bits.
    pub fn random(self, mut random: impl FnMut() -> u64) -> Option<Element<'a>> {
        if self.gone.is_none() {
            return self.ordered.random(random);
        }
        self.at_rank(below(self.len(), random()))
    }

    /// A step of a walk, and the next one.
    pub fn scan(self, cursor: u32) -> (impl Iterator<Item = Element<'a>>, Option<u32>) {
        let some = self.ordered.at(self.hasher, cursor);
        let living = some.filter(move |element| !self.is_gone(*element));
        (living, self.ordered.end(cursor))
    }
}

/// A walk through some that are there, from either end.
#[derive(Debug, Clone)]
struct Walk<'a> {
    ranked: Ranked<'a>,
    /// What is still to come.
    ranks: Range<usize>,
    /// The same among all; none until somebody asks for it.
    all: Option<ordered::Range<'a>>,
}

impl<'a> Walk<'a> {
    fn new(ranked: Ranked<'a>, ranks: Range<usize>) -> Self {
        let end = ranks.end.min(ranked.len());
        Self {
            ranked,
            ranks: ranks.start.min(end)..end,
            all: None,
        }
    }

    /// Finds what is still to come by its ranks.
    fn seek(&self) -> ordered::Range<'a> {
        let start = self.ranked.rank_of_all(self.ranks.start);
        let last = self.ranked.rank_of_all(self.ranks.end.saturating_sub(1));
        self.ranked.ordered.range(start..last + 1)
    }

    fn step(
        &mut self,
        next: impl Fn(&mut ordered::Range<'a>) -> Option<Element<'a>>,
    ) -> Option<Element<'a>> {
        if self.ranks.is_empty() {
            return None;
        }
        let mut all = self.all.take().unwrap_or_else(|| self.seek());
        let mut passed = 0;
        let found = loop {
            let element = next(&mut all)?;
            if !self.ranked.is_gone(element) {
                break element;
            }
            passed += 1;
            if passed == PASSED {
                all = self.seek();
            }
        };
        self.all = Some(all);
        Some(found)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let found = self.step(ordered::Range::next)?;
        self.ranks.start += 1;
        Some(found)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ranks.len(), Some(self.ranks.len()))
    }
}

impl DoubleEndedIterator for Walk<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let found = self.step(ordered::Range::next_back)?;
        self.ranks.end -= 1;
        Some(found)
    }
}
