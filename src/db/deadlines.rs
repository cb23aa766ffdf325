//! When members of a collection go by themselves: fields of a hash, members of a set or of a sorted set. The others need nothing.
//!
//! Members whose time has come go at once, or, where they are many, are held to be gone from then on and cleared away by and by.
//!
//! Invariant: whoever has a deadline here is in the collection, and there is at least one; a key without any holds its collection
//! alone. Of who has gone no question here tells, but for those that say so.

mod named;

use std::collections::HashSet;
use std::ops::Range;

use crate::db::body::{Body, Form, Large, Shown};
use crate::db::garbage;
use crate::db::op::Kind;
use crate::db::ordered::{self, Ordered, ScoreBound};
use crate::db::stamp::UnixMillis;
use crate::db::table::KeyHasher;
pub use named::Named;
use named::Room;

/// The latest deadline of a member, in milliseconds since 1970: Redis's own limit. All up to there are exact as scores.
pub const MEMBER_DEADLINE_MAX: i64 = (1 << 46) - 1;

/// Before all deadlines.
pub const NEVER: UnixMillis = UnixMillis(i64::MIN);

/// Members and their deadlines, in the order of these; those of a sorted set that have the same in the order of their scores.
#[derive(Debug, Clone)]
pub struct Deadlines {
    kept: Ordered,
    /// Whether it is of a sorted set.
    scored: bool,
    /// Whose time had come by then has gone.
    gone: UnixMillis,
}

impl Deadlines {
    /// None yet, of a collection of this type.
    pub fn of(kind: Kind) -> Self {
        Self {
            kept: Ordered::default(),
            scored: kind == Kind::Zset,
            gone: NEVER,
        }
    }

    /// How many members have one, those that have gone among them.
    pub fn kept_len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none has, not even of those.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Memory in bytes, without the field itself.
    pub fn len_bytes(&self) -> usize {
        self.kept.len_bytes()
    }

    /// Whether some may have gone.
    #[inline]
    pub fn have_gone(&self) -> bool {
        self.gone != NEVER
    }

    /// How many have.
    pub fn gone_len(&self) -> usize {
        match self.have_gone() {
            true => self.until(self.gone),
            false => 0,
        }
    }

    /// Whether a member has.
    pub fn has_gone(&self, hasher: &KeyHasher, who: Named<'_>) -> bool {
        let deadline = || self.kept.score(hasher, who.key(&mut Room::new()));
        self.have_gone() && deadline().is_some_and(|score| moment(score) <= self.gone)
    }

    /// The moment by which they had gone.
    pub fn gone(&self) -> UnixMillis {
        self.gone
    }

    /// Says so; what it was before.
    pub fn set_gone(&mut self, gone: UnixMillis) -> UnixMillis {
        std::mem::replace(&mut self.gone, gone)
    }

    /// Those that had gone by `at`, the earliest first.
    pub fn gone_by(&self, at: UnixMillis) -> impl ExactSizeIterator<Item = &[u8]> {
        let until = match self.have_gone() {
            true => self.until(self.gone.min(at)),
            false => 0,
        };
        self.members(0..until)
    }

    /// Those of some ranks.
    pub fn members(&self, ranks: Range<usize>) -> impl ExactSizeIterator<Item = &[u8]> {
        let all = self.kept.range(ranks);
        all.map(|(key, _)| Named::member_of(key, self.scored))
    }

    /// The moments of those that have gone, and of how many ranks each is.
    pub fn gone_moments(&self) -> impl Iterator<Item = (UnixMillis, Range<usize>)> + Clone {
        self.moments(0..self.gone_len())
    }

    /// The same of those whose time has come at `at`.
    pub fn due_moments(&self, at: UnixMillis) -> impl Iterator<Item = (UnixMillis, Range<usize>)> {
        self.moments(self.due_ranks(at))
    }

    fn moments(
        &self,
        ranks: Range<usize>,
    ) -> impl Iterator<Item = (UnixMillis, Range<usize>)> + Clone {
        let (mut from, end) = (ranks.start, ranks.end);
        std::iter::from_fn(move || {
            let next = self.kept.at_rank(from).filter(|_| from < end);
            let next = next.map(|(_, score)| moment(score))?;
            let start = from;
            from = self.until(next);
            Some((next, start..from))
        })
    }

    /// Of a sorted set: how many that go at a moment lie before a member of this score and name, be it there or not; `from` is the
    /// rank of the moment's first.
    pub fn before(&self, at: UnixMillis, from: usize, place: ordered::Element<'_>) -> usize {
        let mut room = Room::new();
        let key = Named::from(place).key(&mut room);
        self.kept.rank_before(at.0 as f64, key).saturating_sub(from)
    }

    /// The rank of the first whose time has not come at `at`.
    fn until(&self, at: UnixMillis) -> usize {
        let min = ScoreBound::Inclusive(f64::NEG_INFINITY);
        let max = ScoreBound::Inclusive(at.0 as f64);
        self.kept.score_ranks(min, max).end
    }

    /// That of a member.
    pub fn get(&self, hasher: &KeyHasher, who: Named<'_>) -> Option<UnixMillis> {
        let deadline = self.kept.score(hasher, who.key(&mut Room::new()));
        let deadline = deadline.map(moment);
        deadline.filter(|deadline| *deadline > self.gone)
    }

    /// Gives a member one, or takes it away; what it had.
    pub fn set(
        &mut self,
        hasher: &KeyHasher,
        who: Named<'_>,
        deadline: Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        let mut room = Room::new();
        let key = who.key(&mut room);
        let old = match deadline {
            Some(deadline) => self.kept.insert(hasher, key, deadline.0 as f64),
            None => self.kept.remove(hasher, key),
        };
        old.map(moment)
    }

    /// A member of a sorted set has another score now.
    pub fn rescore(&mut self, hasher: &KeyHasher, member: &[u8], from: f64, to: f64) {
        if let Some(deadline) = self.set(hasher, (member, from).into(), None) {
            self.set(hasher, (member, to).into(), Some(deadline));
        }
    }

    /// The earliest.
    pub fn first(&self) -> Option<UnixMillis> {
        let first = match self.have_gone() {
            true => self.kept.at_rank(self.gone_len()),
            false => self.kept.first(),
        };
        first.map(|(_, score)| moment(score))
    }

    /// The earliest, of those that have gone too: something is to be done about it.
    pub fn first_kept(&self) -> Option<UnixMillis> {
        self.kept.first().map(|(_, score)| moment(score))
    }

    /// The latest.
    pub fn last(&self) -> Option<UnixMillis> {
        self.kept.last().map(|(_, score)| moment(score))
    }

    /// A moment up to `at` by which about `most` members' time has come, at most: more where they have the same.
    pub fn some_until(&self, at: UnixMillis, most: usize) -> UnixMillis {
        let nth = self.kept.at_rank(self.gone_len().saturating_add(most));
        nth.map_or(at, |(_, score)| moment(score).min(at))
    }

    /// The members whose time has come at `at`, the earliest first.
    pub fn due(&self, at: UnixMillis) -> impl ExactSizeIterator<Item = &[u8]> {
        self.members(self.due_ranks(at))
    }

    fn due_ranks(&self, at: UnixMillis) -> Range<usize> {
        let from = self.gone_len();
        from..self.until(at).max(from)
    }

    /// All, the earliest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], UnixMillis)> {
        let all = self.kept.range(self.gone_len()..self.kept.len());
        all.map(|(key, score)| (Named::member_of(key, self.scored), moment(score)))
    }
}

impl Drop for Deadlines {
    fn drop(&mut self) {
        garbage::empty_ordered(&mut self.kept);
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

    /// Says by when members have gone; what it was before, where some have deadlines.
    pub fn set_gone(&mut self, gone: UnixMillis) -> Option<UnixMillis> {
        match self {
            Self::Timed(timed) => Some(timed.deadlines.set_gone(gone)),
            _ => None,
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        let gone = self.deadlines().map_or(0, Deadlines::gone_len);
        self.shown().len().saturating_sub(gone)
    }

    /// How a member is found among deadlines; none where it is a sorted set's that is not there.
    pub fn named<'m>(&self, hasher: &KeyHasher, member: &'m [u8]) -> Option<Named<'m>> {
        let score = match self.untimed() {
            Self::Small(Form::Zset, bytes) => ordered::packed::score(bytes, member)?,
            Self::Large(Large::Zset(ordered)) => ordered.score(hasher, member)?,
            _ => return Some(Named::from(member)),
        };
        Some(Named::from((member, score)))
    }

    /// Gives a member a deadline, or takes it away; what it had. Whether it is there is for the caller to see to.
    pub fn set_deadline(
        &mut self,
        hasher: &KeyHasher,
        member: &[u8],
        deadline: Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        if deadline.is_none() && !matches!(self, Self::Timed(_)) {
            return None;
        }
        let who = self.named(hasher, member)?;
        if let Self::Timed(timed) = self {
            let old = timed.deadlines.set(hasher, who, deadline);
            if timed.deadlines.is_empty() {
                let body = std::mem::replace(&mut timed.body, Self::String(Vec::new()));
                *self = body;
            }
            return old;
        }
        let mut deadlines = Deadlines::of(self.kind());
        deadlines.set(hasher, who, deadline);
        let body = std::mem::replace(self, Self::String(Vec::new()));
        *self = Self::Timed(Box::new(Timed { body, deadlines }));
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

impl<'a> Whole<'a> {
    /// Those of these elements that are there.
    pub fn living<P>(
        &self,
        elements: impl Iterator<Item = (&'a [u8], P)>,
    ) -> impl Iterator<Item = (&'a [u8], P)> {
        let by = self.deadlines.map_or(NEVER, Deadlines::gone);
        let gone = self.deadlines.into_iter().flat_map(|all| all.gone_by(by));
        let gone: HashSet<&[u8]> = gone.collect();
        elements.filter(move |(name, _)| gone.is_empty() || !gone.contains(name))
    }

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
