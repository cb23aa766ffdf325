//! How often a child may be restarted before that is its supervisor's own failure.
//!
//! Pure: the caller passes the time. A window slides: `max_restarts` restarts are allowed within
//! any span of `within`; the next one inside such a span is refused.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// A bound on the restarts of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intensity {
    /// Restarted for ever; only backoff tames it. For children whose failure harms nobody else.
    Unlimited,
    /// One restart more than `max_restarts` within `within` fails the supervisor.
    Limited {
        /// Restarts allowed within the window; zero escalates at the first failure.
        max_restarts: u32,
        /// The length of the window. Backoff spends time too: with the default backoff a child
        /// that fails at once is restarted 9 times in a minute.
        within: Duration,
    },
}

impl Default for Intensity {
    /// Five restarts within a minute: with the default backoff, about three seconds of flapping.
    fn default() -> Self {
        Self::Limited {
            max_restarts: 5,
            within: Duration::from_secs(60),
        }
    }
}

/// The restarts of one child that still count. Holds at most `max_restarts` instants.
#[derive(Debug, Default)]
pub(crate) struct RestartHistory {
    recent: VecDeque<Instant>,
}

impl RestartHistory {
    /// Records a restart at `now`, or returns false when the intensity does not allow it.
    pub(crate) fn admit(&mut self, intensity: Intensity, now: Instant) -> bool {
        let Intensity::Limited {
            max_restarts,
            within,
        } = intensity
        else {
            return true;
        };
        while self
            .recent
            .front()
            .is_some_and(|&restart| now.duration_since(restart) >= within)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= usize::try_from(max_restarts).unwrap_or(usize::MAX) {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Intensity, RestartHistory};
    use std::time::Duration;
    use tokio::time::Instant;

    /// Which restarts, at the given seconds, two restarts within 10 seconds admit.
    fn check(intensity: Intensity, at_seconds: &[u64], admitted: &[bool]) {
        let start = Instant::now();
        let mut history = RestartHistory::default();
        let answers: Vec<bool> = at_seconds
            .iter()
            .map(|&at| history.admit(intensity, start + Duration::from_secs(at)))
            .collect();
        assert_eq!(answers, admitted);
    }

    const TWO_IN_TEN: Intensity = Intensity::Limited {
        max_restarts: 2,
        within: Duration::from_secs(10),
    };

    #[test]
    fn the_window_slides() {
        check(TWO_IN_TEN, &[0, 9, 9], &[true, true, false]);
        check(TWO_IN_TEN, &[0, 9, 10, 18], &[true, true, true, false]);
        check(TWO_IN_TEN, &[0, 9, 10, 19], &[true; 4]);
    }

    #[test]
    fn zero_restarts_refuses_the_first() {
        let never = Intensity::Limited {
            max_restarts: 0,
            within: Duration::from_secs(10),
        };
        check(never, &[0], &[false]);
    }

    #[test]
    fn unlimited_admits_all() {
        check(Intensity::Unlimited, &[0; 100], &[true; 100]);
    }
}
