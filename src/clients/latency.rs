//! Latency events: when something took longer than `latency-monitor-threshold`, and how long; what LATENCY shows.
//!
//! Invariant: [`SAMPLES_MAX`] samples per event at most, and at most one per second, which is the longest of it.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

use crate::db::UnixMillis;

/// Samples kept of an event.
pub const SAMPLES_MAX: usize = 160;

/// What can take long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A command.
    Command,
    /// A command of constant or logarithmic time.
    FastCommand,
    /// The removal of what has expired, in one partition.
    ExpireCycle,
}

impl Event {
    /// As Redis calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::FastCommand => "fast-command",
            Self::ExpireCycle => "expire-cycle",
        }
    }
}

/// The longest of one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Unix seconds.
    pub second: i64,
    /// Milliseconds.
    pub millis: u64,
}

/// The samples of one event.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// The oldest first.
    pub samples: VecDeque<Sample>,
    /// The longest ever, in milliseconds.
    pub longest: u64,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct LatencyEvents(Mutex<BTreeMap<&'static str, Series>>);

impl LatencyEvents {
    /// Takes down that an event took so long.
    pub fn add(&self, event: Event, now: UnixMillis, millis: u64) {
        let second = now.0 / 1000;
        let mut all = self.0.lock();
        let series = all.entry(event.as_str()).or_default();
        series.longest = series.longest.max(millis);
        match series.samples.back_mut() {
            Some(last) if last.second == second => last.millis = last.millis.max(millis),
            _ => {
                if series.samples.len() == SAMPLES_MAX {
                    series.samples.pop_front();
                }
                series.samples.push_back(Sample { second, millis });
            }
        }
    }

    /// All events that were ever met, by name.
    pub fn all(&self) -> Vec<(&'static str, Series)> {
        let all = self.0.lock();
        all.iter()
            .map(|(name, series)| (*name, series.clone()))
            .collect()
    }

    /// One of them.
    pub fn series(&self, name: &[u8]) -> Option<(&'static str, Series)> {
        let name = str::from_utf8(name).ok()?;
        let all = self.0.lock();
        all.get_key_value::<str>(name)
            .map(|(name, series)| (*name, series.clone()))
    }

    /// Forgets all, or those of these names; how many there were.
    pub fn reset<'a>(&self, names: impl Iterator<Item = &'a [u8]>, is_all: bool) -> usize {
        let mut all = self.0.lock();
        if is_all {
            return std::mem::take(&mut *all).len();
        }
        names
            .filter_map(|name| str::from_utf8(name).ok())
            .filter(|name| all.remove::<str>(name).is_some())
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_one_sample_which_is_its_longest() {
        let events = LatencyEvents::default();
        for (at, millis) in [(1_000, 5), (1_900, 9), (1_950, 7), (2_000, 3)] {
            events.add(Event::Command, UnixMillis(at), millis);
        }
        let (_, series) = events.series(b"command").unwrap();
        let samples: Vec<_> = series
            .samples
            .iter()
            .map(|s| (s.second, s.millis))
            .collect();
        assert_eq!(samples, [(1, 9), (2, 3)]);
        assert_eq!(series.longest, 9);
        assert!(events.series(b"fork").is_none());
    }

    #[test]
    fn old_samples_go_and_the_longest_stays_known() {
        let events = LatencyEvents::default();
        events.add(Event::FastCommand, UnixMillis(0), 1_000);
        for second in 1..=SAMPLES_MAX as i64 {
            events.add(Event::FastCommand, UnixMillis(second * 1_000), 1);
        }
        let (_, series) = events.series(b"fast-command").unwrap();
        assert_eq!(series.samples.len(), SAMPLES_MAX);
        assert_eq!(series.samples[0].second, 1);
        assert_eq!(series.longest, 1_000);
    }

    #[test]
    fn events_are_forgotten_by_name_or_all_together() {
        let events = LatencyEvents::default();
        events.add(Event::Command, UnixMillis(0), 1);
        events.add(Event::ExpireCycle, UnixMillis(0), 1);
        let names = [&b"command"[..], b"nothing", b"\xff"];
        assert_eq!(events.reset(names.into_iter(), false), 1);
        assert_eq!(events.all().len(), 1);
        assert_eq!(events.reset(std::iter::empty(), true), 1);
        assert!(events.all().is_empty());
    }
}
