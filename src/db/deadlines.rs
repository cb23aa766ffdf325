//! When members of a collection go by themselves: fields of a hash, members of a set or of a sorted set. The others need nothing.
//!
//! Invariant: whoever has a deadline here is in the collection, and there is at least one; a key without any holds its collection
//! alone.

use crate::db::body::{Body, Shown};
use crate::db::garbage;
use crate::db::ordered::{Ordered, ScoreBound};
use crate::db::stamp::UnixMillis;
use crate::db::table::KeyHasher;

/// The latest deadline of a member, in milliseconds since 1970: Redis's own limit. All up to there are exact as scores.
pub const MEMBER_DEADLINE_MAX: i64 = (1 << 46) - 1;

/// Members and their deadlines, in the order of these.
#[derive(Debug, Clone, Default)]
pub struct Deadlines(Ordered);

impl Deadlines {
    /// How many members have one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Memory in bytes, without the field itself.
    pub fn len_bytes(&self) -> usize {
        self.0.len_bytes()
    }

    /// That of a member.
    pub fn get(&self, hasher: &KeyHasher, member: &[u8]) -> Option<UnixMillis> {
        self.0.score(hasher, member).map(moment)
    }

    /// Gives a member one, or takes it away; what it had.
    pub fn set(
        &mut self,
        hasher: &KeyHasher,
        member: &[u8],
        deadline: Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        let old = match deadline {
            Some(deadline) => self.0.insert(hasher, member, deadline.0 as f64),
            None => self.0.remove(hasher, member),
        };
        old.map(moment)
    }

    /// The earliest.
    pub fn first(&self) -> Option<UnixMillis> {
        self.0.first().map(|(_, score)| moment(score))
    }

    /// The latest.
    pub fn last(&self) -> Option<UnixMillis> {
        self.0.last().map(|(_, score)| moment(score))
    }

    /// A moment up to `at` by which about `most` members' time has come, at most: more where they have the same.
    pub fn some_until(&self, at: UnixMillis, most: usize) -> UnixMillis {
        let nth = self.0.at_rank(most).map(|(_, score)| moment(score));
        nth.map_or(at, |nth| nth.min(at))
    }

    /// The members whose time has come at `at`, the earliest first.
    pub fn due(&self, at: UnixMillis) -> impl ExactSizeIterator<Item = &[u8]> {
        let min = ScoreBound::Inclusive(f64::NEG_INFINITY);
        let ranks = self.0.score_ranks(min, ScoreBound::Inclusive(at.0 as f64));
        self.0.range(ranks).map(|(member, _)| member)
    }

    /// All, the earliest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], UnixMillis)> {
        let all = self.0.iter();
        all.map(|(member, score)| (member, moment(score)))
    }
}

impl Drop for Deadlines {
    fn drop(&mut self) {
        garbage::empty_ordered(&mut self.0);
    }
}

fn moment(score: f64) -> UnixMillis {
    UnixMillis(score as i64)
}

/// A collection of which members go by themselves.
#[derive(Debug, Clone)]
pub struct Timed {
    /// The collection.
    pub body: Body,
    /// When which of them go.
    pub deadlines: Deadlines,
}

impl Body {
    /// The collection without its members' deadlines.
    #[inline]
    pub fn untimed(&self) -> &Self {
        match self {
            Self::Timed(timed) => &timed.body,
            body => body,
        }
    }

    /// The same, to be changed.
    #[inline]
    pub fn untimed_mut(&mut self) -> &mut Self {
        match self {
            Self::Timed(timed) => &mut timed.body,
            body => body,
        }
    }

    /// The members' deadlines; none where no member has one.
    #[inline]
    pub fn deadlines(&self) -> Option<&Deadlines> {
        match self {
            Self::Timed(timed) => Some(&timed.deadlines),
            _ => None,
        }
    }

    /// Gives a member a deadline, or takes it away; what it had. Whether it is there is for the caller to see to.
    pub fn set_deadline(
        &mut self,
        hasher: &KeyHasher,
        member: &[u8],
        deadline: Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        if let Self::Timed(timed) = self {
            let old = timed.deadlines.set(hasher, member, deadline);
            if timed.deadlines.is_empty() {
                let body = std::mem::replace(&mut timed.body, Self::String(Vec::new()));
                *self = body;
            }
            return old;
        }
        if deadline.is_some() {
            let mut deadlines = Deadlines::default();
            deadlines.set(hasher, member, deadline);
            let body = std::mem::replace(self, Self::String(Vec::new()));
            *self = Self::Timed(Box::new(Timed { body, deadlines }));
        }
        None
    }
}

/// A value as a whole, borrowed: what it shows, and when which of its members go.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// What it shows.
    pub shown: Shown<'a>,
    /// When members go.
    pub deadlines: Option<&'a Deadlines>,
}

impl Whole<'_> {
    /// A copy.
    pub fn to_body(&self) -> Body {
        let body = self.shown.to_body();
        match self.deadlines {
            None => body,
            Some(deadlines) => Body::Timed(Box::new(Timed {
                body,
                deadlines: deadlines.clone(),
            })),
        }
    }
}

impl Body {
    /// All of it.
    #[inline]
    pub fn whole(&self) -> Whole<'_> {
        Whole {
            shown: self.shown(),
            deadlines: self.deadlines(),
        }
    }
}
