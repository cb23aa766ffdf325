//! What a reader sees of a key.
//!
//! Invariant: a tombstone, and a key whose deadline has passed, show nothing. A look removes no key: at most members whose deadlines
//! have passed go first.

use crate::db::body::Shown;
use crate::db::deadlines::{Deadlines, Whole};
use crate::db::op;
use crate::db::partition::{Partition, place_of};
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::table::KeyHasher;

/// A key and its hash, computed once per command.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// [`KeyHasher::hash`] of them.
    pub hash: u64,
}

/// What a reader sees of a key.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The value.
    pub shown: Shown<'a>,
    /// Hashes elements.
    pub hasher: &'a KeyHasher,
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
    /// When members of it go by themselves; none where no member has a deadline.
    pub member_deadlines: Option<&'a Deadlines>,
    /// The last operation shown; none in plain manner.
    pub stamp: Option<Stamp>,
}

impl<'a> View<'a> {
    /// All of the value.
    pub fn whole(&self) -> Whole<'a> {
        Whole {
            shown: self.shown,
            deadlines: self.member_deadlines,
        }
    }

    /// The members that go by themselves, and when.
    pub fn timed_members(&self) -> impl Iterator<Item = (&'a [u8], UnixMillis)> {
        self.member_deadlines.into_iter().flat_map(Deadlines::iter)
    }

    /// The string; none where it is something else.
    #[inline]
    pub fn string(&self) -> Option<&'a [u8]> {
        match self.shown {
            Shown::String(value) => Some(value),
            _ => None,
        }
    }
}

/// What a look at a key found.
#[derive(Debug, Clone, Copy)]
pub enum Look<'a> {
    /// It shows this.
    Live(View<'a>),
    /// It shows nothing any more because its deadline has passed.
    Expired,
    /// There is nothing.
    Absent,
}

impl Partition {
    /// What the key shows at `now`.
    #[inline]
    pub fn view(&mut self, db: u32, key: Key<'_>, now: UnixMillis) -> Option<View<'_>> {
        match self.look(db, key, now) {
            Look::Live(view) => Some(view),
            Look::Expired | Look::Absent => None,
        }
    }

    /// What the key shows at `now`, and whether it shows nothing only because it has expired: one look-up for both.
    #[inline]
    pub fn look(&mut self, db: u32, key: Key<'_>, now: UnixMillis) -> Look<'_> {
        if !self.behind.is_empty() {
            self.catch_up(db, key);
        }
        if self.dbs[place_of(db)].timed_members {
            self.sweep_looked_at(db, key, now);
        }
        self.look_again(db, key, now)
    }

    /// What a key shows that was looked at before under the same lock.
    pub fn seen(&self, db: u32, key: Key<'_>, now: UnixMillis) -> Option<View<'_>> {
        match self.look_again(db, key, now) {
            Look::Live(view) => Some(view),
            Look::Expired | Look::Absent => None,
        }
    }

    #[inline]
    fn look_again(&self, db: u32, key: Key<'_>, now: UnixMillis) -> Look<'_> {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return Look::Absent;
        };
        if record.is_tombstone() {
            return Look::Absent;
        }
        let deadline = record.deadline();
        if op::is_expired(deadline, now) {
            return Look::Expired;
        }
        Look::Live(View {
            shown: record.shown(),
            hasher: &self.hasher,
            deadline,
            member_deadlines: record.member_deadlines(),
            stamp: record.stamp(),
        })
    }

    /// Fetches what [`Self::look`] will read of the key with this hash, and says nothing about it.
    #[inline]
    pub fn touch_ahead(&self, db: u32, hash: u64) {
        self.dbs[place_of(db)].table.touch(hash);
    }

    /// Whether the key's record shows nothing any more only because its deadline has passed.
    pub fn is_expired(&self, db: u32, key: Key<'_>, now: UnixMillis) -> bool {
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        record
            .is_some_and(|record| !record.is_tombstone() && op::is_expired(record.deadline(), now))
    }
}
