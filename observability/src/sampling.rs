//! Who is traced: a skip counter that costs about a nanosecond when it says no, and token buckets.
//!
//! Every serving thread holds its own fork of the [`HeadSampler`]; the forks share the ratio and the rate
//! cap. No clock is read here: the caller passes milliseconds (any steady origin), and only on a hit.
//! Lost updates between threads that share one fork only blur the ratio.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Traces per second and node that the head counter may start.
pub const DEFAULT_TRACES_PER_SECOND: u32 = 50;
/// Traces per second and node that clients may start by sending a context.
pub const DEFAULT_CLIENT_TRACES_PER_SECOND: u32 = 100;
/// Spans per second and node for untraced effects about which something odd was seen.
pub const DEFAULT_FINDINGS_PER_SECOND: u32 = 50;
/// A fork looks at the shared ratio at least once in so many operations.
const RECHECK: u32 = 4096;
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How many operations are traced: none, or one in so many on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRatio(u32);

impl SampleRatio {
    /// No operation.
    pub const NEVER: Self = Self(0);
    /// Every operation, up to the rate cap.
    pub const ALWAYS: Self = Self(1);

    /// One operation in `count`; 0 is [`Self::NEVER`].
    pub const fn one_in(count: u32) -> Self {
        // u32::MAX is kept for "not drawn yet"
        Self(if count == u32::MAX { count - 1 } else { count })
    }

    /// The nearest ratio to a fraction; none unless it lies in 0..=1.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&fraction) {
            return None;
        }
        if fraction == 0.0 {
            return Some(Self::NEVER);
        }
        // the cast saturates
        Some(Self::one_in((1.0 / fraction).round() as u32))
    }

    /// The ratio as a fraction.
    pub fn fraction(self) -> f64 {
        if self.0 == 0 {
            0.0
        } else {
            1.0 / f64::from(self.0)
        }
    }
}

impl Default for SampleRatio {
    fn default() -> Self {
        Self(1000)
    }
}

#[derive(Debug)]
struct Shared {
    one_in: AtomicU32,
    forks: AtomicU64,
    cap: TokenBucket,
}

/// The head counter. Ask [`Self::hit`] for each operation, then [`Self::admit`] on a hit.
#[derive(Debug)]
pub struct HeadSampler {
    /// Operations until the slow path, counting that one.
    left: AtomicU32,
    /// Operations until the hit after that.
    owed: AtomicU32,
    /// The ratio under which the skip was drawn; `u32::MAX` before the first draw.
    drawn_under: AtomicU32,
    random: AtomicU64,
    shared: Arc<Shared>,
}

impl HeadSampler {
    /// A sampler with its own ratio and cap.
    pub fn new(ratio: SampleRatio, traces_per_second: u32) -> Self {
        Self::on(Arc::new(Shared {
            one_in: AtomicU32::new(ratio.0),
            forks: AtomicU64::new(0),
            cap: TokenBucket::new(traces_per_second),
        }))
    }

    fn on(shared: Arc<Shared>) -> Self {
        let fork = shared.forks.fetch_add(1, Relaxed);
        Self {
            left: AtomicU32::new(1),
            owed: AtomicU32::new(0),
            drawn_under: AtomicU32::new(u32::MAX),
            random: AtomicU64::new(fork.wrapping_mul(0xa076_1d64_78bd_642f)),
            shared,
        }
    }

    /// Another counter under the same ratio and cap, for another thread.
    pub fn fork(&self) -> Self {
        Self::on(Arc::clone(&self.shared))
    }

    /// Whether this operation is one to trace, by the ratio alone.
    #[inline]
    pub fn hit(&self) -> bool {
        let left = self.left.load(Relaxed);
        if left > 1 {
            self.left.store(left - 1, Relaxed);
            return false;
        }
        self.run_out()
    }

    /// Whether the rate cap lets a hit through.
    pub fn admit(&self, now_millis: u64) -> bool {
        self.shared.cap.take(now_millis)
    }

    /// Changes the ratio for all forks; each follows within a few thousand of its operations.
    pub fn set_ratio(&self, ratio: SampleRatio) {
        self.shared.one_in.store(ratio.0, Relaxed);
    }

    /// The ratio in force.
    pub fn ratio(&self) -> SampleRatio {
        SampleRatio(self.shared.one_in.load(Relaxed))
    }

    /// Changes the rate cap for all forks.
    pub fn set_traces_per_second(&self, rate: u32) {
        self.shared.cap.set_rate(rate);
    }

    #[cold]
    fn run_out(&self) -> bool {
        let one_in = self.shared.one_in.load(Relaxed);
        let drawn_under = self.drawn_under.swap(one_in, Relaxed);
        if one_in == 0 {
            self.schedule(RECHECK);
            return false;
        }
        // operations until the hit, counting this one
        let due = if drawn_under == one_in {
            self.owed.load(Relaxed) + 1
        } else {
            self.draw(one_in)
        };
        if due > 1 {
            self.schedule(due - 1);
            return false;
        }
        self.schedule(self.draw(one_in));
        true
    }

    fn schedule(&self, operations: u32) {
        let now = operations.min(RECHECK);
        self.left.store(now, Relaxed);
        self.owed.store(operations - now, Relaxed);
    }

    /// An even draw from 1 to 2n-1, whose mean is n: a fixed stride would fall in step with clients
    /// that repeat a pattern of commands.
    fn draw(&self, one_in: u32) -> u32 {
        let state = self
            .random
            .load(Relaxed)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.store(state, Relaxed);
        let mut word = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let width = 2 * u64::from(one_in) - 1;
        let drawn = (u128::from(word) * u128::from(width)) >> 64;
        u32::try_from(drawn + 1).unwrap_or(u32::MAX)
    }
}

/// A rate limit without a lock: so many per second, with a burst of one second's worth.
#[derive(Debug)]
pub struct TokenBucket {
    /// Nanoseconds between two tokens; 0 while nothing is allowed.
    interval: AtomicU64,
    /// The time, in nanoseconds, at which the bucket is full again.
    full_at: AtomicU64,
}

impl TokenBucket {
    /// A full bucket; a rate of 0 allows nothing.
    pub fn new(per_second: u32) -> Self {
        let bucket = Self {
            interval: AtomicU64::new(0),
            full_at: AtomicU64::new(0),
        };
        bucket.set_rate(per_second);
        bucket
    }

    /// Changes the rate and the burst.
    pub fn set_rate(&self, per_second: u32) {
        let interval = NANOS_PER_SECOND
            .checked_div(u64::from(per_second))
            .map_or(0, |nanos| nanos.max(1));
        self.interval.store(interval, Relaxed);
    }

    /// Takes one token if there is one. A clock that jumps back refills the bucket.
    pub fn take(&self, now_millis: u64) -> bool {
        let interval = self.interval.load(Relaxed);
        if interval == 0 {
            return false;
        }
        let now = now_millis.saturating_mul(NANOS_PER_MILLI);
        self.full_at
            .fetch_update(Relaxed, Relaxed, |full_at| {
                let missing = full_at.saturating_sub(now);
                if missing > 2 * NANOS_PER_SECOND {
                    return Some(now.saturating_add(interval));
                }
                (missing + interval <= NANOS_PER_SECOND)
                    .then(|| now.saturating_add(missing + interval))
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(sampler: &HeadSampler, operations: u32) -> u32 {
        (0..operations).map(|_| u32::from(sampler.hit())).sum()
    }

    #[test]
    fn one_in_a_thousand_is_hit_on_average() {
        let sampler = HeadSampler::new(SampleRatio::default(), 50);
        let count = hits(&sampler, 1_000_000);
        assert!((900..1100).contains(&count), "{count}");
    }

    #[test]
    fn hits_do_not_fall_in_step_with_a_repeated_pattern() {
        let sampler = HeadSampler::new(SampleRatio::one_in(10), 50);
        let places: std::collections::HashSet<u32> = (0..10_000)
            .filter(|_| sampler.hit())
            .map(|operation| operation % 10)
            .collect();
        assert_eq!(places.len(), 10);
    }

    #[test]
    fn always_hits_all_and_never_hits_none() {
        assert_eq!(hits(&HeadSampler::new(SampleRatio::ALWAYS, 50), 5000), 5000);
        assert_eq!(hits(&HeadSampler::new(SampleRatio::NEVER, 50), 50_000), 0);
    }

    #[test]
    fn a_changed_ratio_reaches_every_fork() {
        let sampler = HeadSampler::new(SampleRatio::one_in(1_000_000_000), 50);
        let fork = sampler.fork();
        hits(&fork, 10);
        for (ratio, expected) in [
            (SampleRatio::ALWAYS, 100),
            (SampleRatio::NEVER, 0),
            (SampleRatio::ALWAYS, 100),
        ] {
            sampler.set_ratio(ratio);
            hits(&fork, RECHECK);
            assert_eq!(hits(&fork, 100), expected);
        }
    }

    #[test]
    fn forks_draw_different_skips() {
        let sampler = HeadSampler::new(SampleRatio::one_in(1000), 50);
        let first_hit = |sampler: &HeadSampler| (0..).find(|_| sampler.hit());
        assert_ne!(first_hit(&sampler), first_hit(&sampler.fork()));
    }

    #[test]
    fn fractions_become_the_nearest_ratio() {
        assert_eq!(
            SampleRatio::from_fraction(0.001),
            Some(SampleRatio::one_in(1000))
        );
        assert_eq!(SampleRatio::from_fraction(1.0), Some(SampleRatio::ALWAYS));
        assert_eq!(SampleRatio::from_fraction(0.0), Some(SampleRatio::NEVER));
        assert_eq!(
            SampleRatio::from_fraction(1e-300),
            Some(SampleRatio::one_in(u32::MAX))
        );
        for refused in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(SampleRatio::from_fraction(refused), None);
        }
    }

    #[test]
    fn the_cap_lets_a_second_of_tokens_through_and_then_its_rate() {
        let bucket = TokenBucket::new(50);
        let taken = |now| (0..1000).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(5_000), 50);
        assert_eq!(taken(5_019), 0);
        assert_eq!(taken(5_020), 1);
        assert_eq!(taken(5_120), 5);
        assert_eq!(taken(60_000), 50);
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_close_the_bucket() {
        let bucket = TokenBucket::new(10);
        assert!(bucket.take(1_000_000));
        assert!(bucket.take(10));
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through_until_raised() {
        let bucket = TokenBucket::new(0);
        assert!(!bucket.take(1000));
        bucket.set_rate(1);
        assert!(bucket.take(1000));
        assert!(!bucket.take(1000));
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let bucket = TokenBucket::new(u32::MAX);
        assert!(bucket.take(0));
        bucket.take(u64::MAX);
        bucket.take(0);
    }
}
