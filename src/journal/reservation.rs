//! Stamps and a place, taken before a write and filled after it; dropped or panicked over, the place is filled with nothing.

use crate::db::{Hlc, OriginIndex, Stamp};
use crate::journal::{Journal, Record};

/// A place in the own origin's log that readers wait for.
#[derive(Debug)]
pub enum Place {
    /// The write is under way.
    Open,
    /// It changed nothing.
    Empty,
    /// It did this.
    Filled(Hlc, Record),
}

/// The right to publish one record.
#[derive(Debug)]
pub struct Reservation<'a> {
    journal: &'a Journal,
    place: u64,
    own: OriginIndex,
    first: Hlc,
    len: u32,
    filled: bool,
}

impl<'a> Reservation<'a> {
    pub(super) fn new(
        journal: &'a Journal,
        place: u64,
        own: OriginIndex,
        first: Hlc,
        len: u32,
    ) -> Self {
        Self {
            journal,
            place,
            own,
            first,
            len,
            filled: false,
        }
    }

    /// How many stamps are reserved.
    pub fn stamps(&self) -> u32 {
        self.len
    }

    /// Takes so many stamps more, where nobody else has taken any behind these; says whether that was so.
    pub fn extend(&mut self, more: u32) -> bool {
        let end = self.first.minus(1).plus(u64::from(self.len));
        let Some(len) = self.len.checked_add(more) else {
            return false;
        };
        let is_longer = self.journal.extend(end, more);
        if is_longer {
            self.len = len;
        }
        is_longer
    }

    /// Gives back the stamps behind the first `used` ones, where nobody has taken any behind them.
    pub fn give_back(&mut self, used: u32) {
        let end = self.first.minus(1).plus(u64::from(self.len));
        if used < self.len {
            let kept = used.max(1);
            self.journal.give_back(end, self.len - kept);
            self.len = kept;
        }
    }

    /// The first of the reserved stamps; the others follow one by one.
    pub fn first(&self) -> Stamp {
        Stamp::new(self.first, self.own)
    }

    /// Fills the place; the record's operations bear the first `record.count` stamps. Returns the record's stamp.
    pub fn publish(mut self, record: Record) -> Stamp {
        self.filled = true;
        if record.count == 0 {
            self.journal.fill(self.place, self.first, None);
            return Stamp::new(self.first, self.own);
        }
        let stamp = self.first.plus(u64::from(record.count) - 1);
        self.journal.fill(self.place, stamp, Some(record));
        Stamp::new(stamp, self.own)
    }
}

/// A reservation without its journal. Whoever has one attaches it again, sooner or later: until then readers wait for its place.
#[derive(Debug)]
#[must_use]
pub struct Detached {
    place: u64,
    own: OriginIndex,
    first: Hlc,
    len: u32,
}

impl Reservation<'_> {
    /// For who cannot keep the journal borrowed.
    pub fn detach(mut self) -> Detached {
        self.filled = true;
        Detached {
            place: self.place,
            own: self.own,
            first: self.first,
            len: self.len,
        }
    }
}

impl Detached {
    /// The reservation, in the journal that it is of.
    pub fn attach(self, journal: &Journal) -> Reservation<'_> {
        Reservation::new(journal, self.place, self.own, self.first, self.len)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.filled {
            self.journal.fill(self.place, self.first, None);
        }
    }
}
