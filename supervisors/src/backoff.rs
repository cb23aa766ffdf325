//! How long to wait before trying again: exponential, capped, jittered.
//!
//! Pure: values and a random generator in, a delay out; no clock, no task. With `base(n)` the
//! smaller of `initial * 2^n` and `max`, the n-th delay in a row (from 0) lies within
//! `base(n) * (100 - jitter_percent) / 100 ..= base(n)`, so no delay ever exceeds `max`.
//! Jitter shortens and never lengthens; its purpose is that many that failed together do not
//! come back together.

use rand::{Rng, RngExt as _};
use std::time::Duration;

/// A [`Backoff`] that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// A first delay of zero would retry in a busy loop.
    #[error("backoff must start above zero")]
    ZeroInitial,
    /// The delays could only shrink.
    #[error("backoff maximum {max:?} is below its start {initial:?}")]
    MaxBelowInitial {
        /// The first delay asked for.
        initial: Duration,
        /// The longest delay asked for.
        max: Duration,
    },
    /// Longer than [`Backoff::LONGEST`].
    #[error("backoff maximum {max:?} is above {:?}", Backoff::LONGEST)]
    MaxTooLong {
        /// The longest delay asked for.
        max: Duration,
    },
    /// Jitter is a part of the delay.
    #[error("jitter of {percent} percent is above 100")]
    JitterAboveWhole {
        /// The jitter asked for.
        percent: u8,
    },
}

/// The policy: where delays start, where they end, and when they start anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    jitter_percent: u8,
    reset_after: Duration,
}

impl Backoff {
    /// The longest `max` accepted: beyond a day a retry is no retry.
    pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// 100 ms doubling to 30 s, the last fifth of each delay random, anew after a minute of life.
    ///
    /// With at most half of the delay random, one delay never undercuts the one before it.
    /// A minute is twice the longest delay: what lives that long is not flapping.
    pub const DEFAULT: Self = Self {
        initial: Duration::from_millis(100),
        max: Duration::from_secs(30),
        jitter_percent: 20,
        reset_after: Duration::from_secs(60),
    };

    /// Doubles from `initial` to `max`, with the jitter and the reset of [`Backoff::DEFAULT`].
    pub fn new(initial: Duration, max: Duration) -> Result<Self, BackoffError> {
        if initial.is_zero() {
            return Err(BackoffError::ZeroInitial);
        }
        if max < initial {
            return Err(BackoffError::MaxBelowInitial { initial, max });
        }
        if max > Self::LONGEST {
            return Err(BackoffError::MaxTooLong { max });
        }
        Ok(Self {
            initial,
            max,
            ..Self::DEFAULT
        })
    }

    /// Sets how much of each delay is random, 0 to 100 percent.
    pub fn with_jitter_percent(self, percent: u8) -> Result<Self, BackoffError> {
        if percent > 100 {
            return Err(BackoffError::JitterAboveWhole { percent });
        }
        Ok(Self {
            jitter_percent: percent,
            ..self
        })
    }

    /// Sets how long something must have lived for its next failure to count as the first.
    #[must_use]
    pub const fn with_reset_after(self, reset_after: Duration) -> Self {
        Self {
            reset_after,
            ..self
        }
    }

    /// The delay after `failures` failures in a row before this one, without jitter.
    pub fn base(&self, failures: u32) -> Duration {
        2_u32
            .checked_pow(failures)
            .and_then(|factor| self.initial.checked_mul(factor))
            .map_or(self.max, |delay| delay.min(self.max))
    }

    /// The delay after `failures` failures in a row before this one, jittered.
    pub fn delay(&self, failures: u32, random: &mut impl Rng) -> Duration {
        let base = self.base(failures);
        let longest_cut = base.as_nanos() * u128::from(self.jitter_percent) / 100;
        let longest_cut = u64::try_from(longest_cut).expect("a day of nanoseconds fits u64");
        base - Duration::from_nanos(random.random_range(0..=longest_cut))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where one retried thing stands: how often it failed in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    failures: u32,
}

impl Attempts {
    /// Counts one more failure of something that had lived for `lived`; returns the delay to wait.
    pub fn next_delay(
        &mut self,
        backoff: &Backoff,
        lived: Duration,
        random: &mut impl Rng,
    ) -> Duration {
        if lived >= backoff.reset_after {
            self.failures = 0;
        }
        let delay = backoff.delay(self.failures, random);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// Failures in a row since the last reset.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets all failures.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;
