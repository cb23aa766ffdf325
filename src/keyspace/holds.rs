//! How long partitions are held, as a histogram in atomics.
//!
//! A hold is timed by itself ([`Held`]), but for brief commands of a pipeline: of these [`LAP_LEN`] at most make a *lap* between
//! two looks at the clock, most of which somebody takes anyway. A lap that is long counts as one hold of all its length.
//!
//! Invariant: no hold is counted shorter than it was, but for those of short laps, each of which counts as the mean of its lap.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use crate::db::Partition;

/// Buckets of each power of two are as many as two to this.
const FINE_BITS: u32 = 5;
/// Times from this one on, a minute, are not told apart.
const NANOS_MAX: u64 = 1 << 36;
const BUCKETS: usize = ((36 - FINE_BITS + 1) << FINE_BITS) as usize;
/// Commands of one lap.
const LAP_LEN: u32 = 16;
/// A lap of so many nanoseconds is long.
const LONG_LAP: u64 = 100_000;

/// See the head of the file.
#[derive(Debug)]
pub struct Holds {
    buckets: Box<[AtomicU64]>,
    longest: AtomicU64,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            longest: AtomicU64::new(0),
        }
    }
}

/// The bucket of a time: exact below 64, within a thirty-second above.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min(NANOS_MAX - 1);
    let coarse = (63 - FINE_BITS).saturating_sub((nanos | 1).leading_zeros());
    ((coarse << FINE_BITS) as usize) + (nanos >> coarse) as usize
}

/// The longest time of a bucket.
fn upper(bucket: usize) -> u64 {
    let coarse = (bucket >> FINE_BITS).saturating_sub(1);
    let fine = bucket - (coarse << FINE_BITS);
    ((fine as u64 + 1) << coarse) - 1
}

impl Holds {
    /// Counts some holds, each so long.
    #[inline]
    pub(super) fn record(&self, nanos: u64, count: u64) {
        if let Some(place) = self.buckets.get(bucket(nanos)) {
            place.fetch_add(count, Ordering::Relaxed);
        }
        if nanos > self.longest.load(Ordering::Relaxed) {
            self.longest.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    /// The longest hold, in nanoseconds.
    pub fn longest(&self) -> u64 {
        self.longest.load(Ordering::Relaxed)
    }

    /// All holds, the shortest first: a length in nanoseconds that none is longer than, and how many.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.buckets.iter().enumerate();
        let counts = counts.map(|(nth, count)| (upper(nth), count.load(Ordering::Relaxed)));
        let longest = self.longest();
        counts
            .filter(|(_, count)| *count > 0)
            .map(move |(nanos, count)| (nanos.min(longest), count))
    }

    /// Forgets them.
    pub fn reset(&self) {
        for count in &self.buckets {
            count.store(0, Ordering::Relaxed);
        }
        self.longest.store(0, Ordering::Relaxed);
    }
}

/// A partition that is held, and timed.
#[derive(Debug)]
pub struct Held<'k> {
    partition: MutexGuard<'k, Partition>,
    since: Instant,
    holds: &'k Holds,
}

impl<'k> Held<'k> {
    pub(super) fn new(partition: MutexGuard<'k, Partition>, holds: &'k Holds) -> Self {
        Self {
            partition,
            since: Instant::now(),
            holds,
        }
    }
}

impl Held<'_> {
    /// Since when it is held.
    pub(super) fn since(&self) -> Instant {
        self.since
    }
}

impl Deref for Held<'_> {
    type Target = Partition;

    fn deref(&self) -> &Partition {
        &self.partition
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Partition {
        &mut self.partition
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.partition.call_ready();
        self.holds.record(nanos(self.since.elapsed()), 1);
    }
}

/// Brief commands that follow each other; see the head of the file.
#[derive(Debug, Default)]
pub struct Laps {
    since: Option<Instant>,
    count: u32,
}

impl Laps {
    /// A lap begins.
    pub fn begin(&mut self, at: Instant) {
        *self = Self {
            since: Some(at),
            count: 0,
        };
    }

    /// Whether a lap is under way.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.since.is_some()
    }

    /// The lap ends at a moment that is known.
    pub fn end(&mut self, at: Instant, holds: &Holds) {
        if let Some(since) = self.since.take() {
            self.file(at.saturating_duration_since(since), holds);
        }
    }

    /// The lap ends now; where nothing was done in it nobody looks at the clock.
    pub fn end_now(&mut self, holds: &Holds) {
        if self.count == 0 {
            self.since = None;
        } else {
            self.end(Instant::now(), holds);
        }
    }

    /// Another hold in this lap.
    #[inline]
    pub(super) fn add(&mut self, holds: &Holds) {
        self.count += 1;
        if self.count == LAP_LEN {
            self.turn(holds);
        }
    }

    /// One lap ends, the next begins.
    #[inline(never)]
    fn turn(&mut self, holds: &Holds) {
        let now = Instant::now();
        self.end(now, holds);
        self.begin(now);
    }

    /// A hold that was timed by itself is no part of the lap.
    pub(super) fn leave_out(&mut self, since: Instant, until: Instant, holds: &Holds) {
        if self.is_open() {
            self.end(since, holds);
            self.begin(until);
        }
    }

    #[inline(never)]
    fn file(&mut self, took: Duration, holds: &Holds) {
        let (took, count) = (nanos(took), u64::from(std::mem::take(&mut self.count)));
        if count == 0 {
            return;
        }
        let mean = took.min(LONG_LAP) / count;
        if took < LONG_LAP {
            holds.record(mean, count);
        } else {
            holds.record(took, 1);
            holds.record(mean, count - 1);
        }
    }
}

/// In nanoseconds, of which 64 bits hold centuries.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_within_a_thirty_second_and_never_too_short() {
        for nanos in (0..200_000).chain([1 << 20, 5_000_001, NANOS_MAX - 1]) {
            let shown = upper(bucket(nanos));
            assert!(shown >= nanos && shown - nanos <= nanos / 32, "{nanos}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(upper(BUCKETS - 1), NANOS_MAX - 1);
    }

    #[test]
    fn a_long_lap_is_one_long_hold_and_a_short_one_many_short_ones() {
        let (holds, mut laps) = (Holds::default(), Laps::default());
        let start = Instant::now();
        laps.begin(start);
        (0..4).for_each(|_| laps.add(&holds));
        laps.end(start + Duration::from_nanos(160), &holds);
        assert_eq!(holds.counts().collect::<Vec<_>>(), [(40, 4)]);
        laps.begin(start);
        (0..10).for_each(|_| laps.add(&holds));
        laps.end(start + Duration::from_millis(3), &holds);
        let counts: Vec<_> = holds.counts().collect();
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 14);
        assert_eq!(counts.last(), Some(&(3_000_000, 1)));
        assert_eq!(holds.longest(), 3_000_000);
        holds.reset();
        assert_eq!(holds.counts().count(), 0);
    }

    #[test]
    fn what_was_timed_by_itself_is_no_part_of_its_lap() {
        let (holds, mut laps) = (Holds::default(), Laps::default());
        let start = Instant::now();
        let at = |nanos| start + Duration::from_nanos(nanos);
        laps.begin(start);
        laps.add(&holds);
        laps.leave_out(at(50), at(5_000_000), &holds);
        laps.add(&holds);
        laps.end(at(5_000_060), &holds);
        assert_eq!(holds.counts().collect::<Vec<_>>(), [(50, 1), (60, 1)]);
    }
}
