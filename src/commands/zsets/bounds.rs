//! The ends of ranges as clients write them, and the ranks that they come to.
//!
//! Invariant: ranks lie within the set, and a range's start is not behind its end.

use std::ops::Range;

use crate::commands::errors;
use crate::db::ordered::{LexBound, ScoreBound};
use crate::db::views::ZsetView;
use crate::resp::{parse_f64_loosely, parse_i64};

/// What the ends of a range are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// The lower end and the upper one. Ranks are as they were said: from the end if negative.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

/// `5` or `(5`.
fn score_bound(text: &[u8]) -> Option<ScoreBound> {
    match text {
        [b'(', text @ ..] => parse_f64_loosely(text).map(ScoreBound::Exclusive),
        text => parse_f64_loosely(text).map(ScoreBound::Inclusive),
    }
}

/// `-`, `+`, `[a` or `(a`. Of the first two Redis looks at C's string alone, which a NUL ends.
fn lex_bound(text: &[u8]) -> Option<LexBound<'_>> {
    match text {
        [b'-'] | [b'-', 0, ..] => Some(LexBound::Min),
        [b'+'] | [b'+', 0, ..] => Some(LexBound::Max),
        [b'[', member @ ..] => Some(LexBound::Inclusive(member)),
        [b'(', member @ ..] => Some(LexBound::Exclusive(member)),
        _ => None,
    }
}

impl<'a> Bounds<'a> {
    /// Reads both ends; the error is what to reply.
    pub fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self, &'static str> {
        match by {
            By::Rank => match (parse_i64(min), parse_i64(max)) {
                (Some(start), Some(stop)) => Ok(Self::Ranks(start, stop)),
                _ => Err(errors::NOT_AN_INTEGER),
            },
            By::Score => match (score_bound(min), score_bound(max)) {
                (Some(min), Some(max)) => Ok(Self::Scores(min, max)),
                _ => Err("ERR min or max is not a float"),
            },
            By::Lex => match (lex_bound(min), lex_bound(max)) {
                (Some(min), Some(max)) => Ok(Self::Lex(min, max)),
                _ => Err("ERR min or max not valid string range item"),
            },
        }
    }

    /// The ranks, counted from the lowest element. Where `reverse` is set, ranks that were said count from the highest.
    pub fn ranks(&self, zset: ZsetView<'_>, reverse: bool) -> Range<usize> {
        let len = zset.len();
        let Range { start, end } = match *self {
            Self::Ranks(start, stop) => {
                let said = ranks_of(len, start, stop);
                if reverse {
                    len - said.end..len - said.start
                } else {
                    said
                }
            }
            Self::Scores(min, max) => zset.score_ranks(min, max),
            Self::Lex(min, max) => zset.lex_ranks(min, max),
        };
        start..end.max(start)
    }
}

/// The ranks from `start` to `stop`, both of which belong to them and count from the end if they are negative.
fn ranks_of(len: usize, start: i64, stop: i64) -> Range<usize> {
    let from_start = |rank: i64| {
        if rank < 0 {
            rank.saturating_add_unsigned(len as u64)
        } else {
            rank
        }
    };
    let start = usize::try_from(from_start(start)).unwrap_or(0);
    let end = usize::try_from(from_start(stop).saturating_add(1)).unwrap_or(0);
    let end = end.min(len);
    if start < end { start..end } else { 0..0 }
}

/// What LIMIT leaves of ranks, in the direction in which they are walked. A negative count leaves all, a negative offset nothing.
pub(super) fn limited(ranks: Range<usize>, reverse: bool, offset: i64, count: i64) -> Range<usize> {
    let Range { start, end } = ranks;
    let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let skipped = size(offset).min(end - start);
    let taken = size(count).min(end - start - skipped);
    if reverse {
        end - skipped - taken..end - skipped
    } else {
        start + skipped..start + skipped + taken
    }
}
