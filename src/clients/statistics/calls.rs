//! What is counted of each command: for INFO's `commandstats` and `latencystats`, and LATENCY HISTOGRAM.
//!
//! A session counts a batch first and adds it to what is shared once; whoever counts keeps at hand what he added to last, since
//! most call one command over and over. Invariant: what is shared of a command is made once and stays, so that nobody adds to
//! what is no longer shown.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::commands::Row;

/// What `commandstats` shows of one command.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandCounters {
    /// Its name.
    pub name: &'static str,
    /// Times carried out.
    pub calls: u64,
    /// Time, in nanoseconds: its part of the batches it ran in.
    pub nanos: u64,
    /// Refused before it ran.
    pub rejected: u64,
    /// Ended in an error.
    pub failed: u64,
}

/// How long calls of one command took, in nanoseconds.
pub type Histogram = hdrhistogram::Histogram<u64>;

/// The longest time that a histogram tells apart, in nanoseconds.
const HISTOGRAM_MAX_NS: u64 = 1_000_000_000;
/// Decimal digits that it tells apart.
const HISTOGRAM_DIGITS: u8 = 2;

/// An empty one, as exact as Redis's.
pub fn histogram() -> Option<Histogram> {
    // These limits are ones that it takes.
    Histogram::new_with_bounds(1, HISTOGRAM_MAX_NS, HISTOGRAM_DIGITS).ok()
}

#[derive(Debug)]
struct OfCommand {
    counters: CommandCounters,
    /// None until a call was measured.
    histogram: Option<Box<Histogram>>,
}

impl OfCommand {
    fn new(name: &'static str) -> Self {
        let counters = CommandCounters {
            name,
            ..CommandCounters::default()
        };
        Self {
            counters,
            histogram: None,
        }
    }

    /// Adds calls that took `nanos` each.
    #[inline]
    fn add(&mut self, count: u32, nanos: u64, is_tracking: bool) {
        if count == 0 {
            return;
        }
        self.counters.calls += u64::from(count);
        self.counters.nanos += nanos * u64::from(count);
        if !is_tracking {
            return;
        }
        if self.histogram.is_none() {
            self.histogram = histogram().map(Box::new);
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record_n(nanos.max(1), u64::from(count));
        }
    }
}

type Shared = Arc<Mutex<OfCommand>>;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct CommandStatistics {
    /// By the address of the row, which is static.
    all: DashMap<usize, Shared, foldhash::fast::FixedState>,
}

impl CommandStatistics {
    /// Adds the calls of one batch that took `nanos` altogether, to their histograms too where latencies are tracked, and forgets
    /// them. Returns how many they were.
    #[inline]
    pub fn take(&self, calls: &mut BatchCalls, nanos: u64, is_tracking: bool) -> u64 {
        let Some(row) = calls.only() else {
            return self.take_many(calls, nanos, is_tracking);
        };
        calls.counted.clear();
        let of = self.keep(&mut calls.last, row);
        of.lock().add(1, nanos, is_tracking);
        1
    }

    fn take_many(&self, calls: &mut BatchCalls, nanos: u64, is_tracking: bool) -> u64 {
        let sum = |count: fn(&Calls) -> u64| calls.counted.iter().map(count).sum::<u64>();
        let total = sum(|calls| u64::from(calls.count));
        let shared = total - sum(|calls| u64::from(calls.timed));
        let share = nanos.saturating_sub(sum(|calls| calls.nanos)) / shared.max(1);
        let last = &mut calls.last;
        for calls in calls.counted.drain(..) {
            let mut of = self.keep(last, calls.row).lock();
            of.add(calls.count - calls.timed, share, is_tracking);
            let each = calls.nanos / u64::from(calls.timed.max(1));
            of.add(calls.timed, each, is_tracking);
            of.counters.nanos += calls.nanos - each * u64::from(calls.timed);
        }
        total
    }

    /// What is shared of this command, to be at hand the next time.
    #[inline]
    fn keep<'l>(&self, last: &'l mut Option<Last>, row: &'static Row) -> &'l Mutex<OfCommand> {
        if !last
            .as_ref()
            .is_some_and(|last| std::ptr::eq(last.row, row))
        {
            *last = None;
        }
        let last = last.get_or_insert_with(|| Last {
            row,
            shared: self.of(row),
        });
        &last.shared
    }

    /// Counts a refused call.
    pub fn add_rejected(&self, row: &'static Row) {
        self.of(row).lock().counters.rejected += 1;
    }

    /// Counts a failed call.
    pub fn add_failed(&self, row: &'static Row) {
        self.of(row).lock().counters.failed += 1;
    }

    #[cold]
    fn of(&self, row: &'static Row) -> Shared {
        let place = std::ptr::from_ref(row) as usize;
        let entry = self.all.entry(place);
        let shared = entry.or_insert_with(|| Arc::new(Mutex::new(OfCommand::new(row.name))));
        Arc::clone(&shared)
    }

    fn each<T>(&self, mut seen: impl FnMut(&OfCommand) -> Option<T>) -> Vec<T> {
        let all = self.all.iter();
        all.filter_map(|entry| seen(&entry.lock())).collect()
    }

    /// All commands that were called, by name.
    pub fn counters(&self) -> Vec<CommandCounters> {
        let is_counted = |of: &OfCommand| {
            let CommandCounters {
                calls,
                rejected,
                failed,
                ..
            } = of.counters;
            calls + rejected + failed > 0
        };
        let mut all = self.each(|of| is_counted(of).then_some(of.counters));
        all.sort_by_key(|counters| counters.name);
        all
    }

    /// How long commands took, by name; those that were never measured are left out.
    pub fn histograms(&self) -> Vec<(&'static str, Histogram)> {
        let mut all = self.each(|of| Some((of.counters.name, of.histogram.as_deref()?.clone())));
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        for entry in &self.all {
            let mut of = entry.lock();
            *of = OfCommand::new(of.counters.name);
        }
    }
}

/// The calls of one command in one batch.
#[derive(Debug, Clone, Copy)]
struct Calls {
    row: &'static Row,
    /// How many there were.
    count: u32,
    /// How many of them were timed by themselves.
    timed: u32,
    /// How long those took.
    nanos: u64,
}

/// What was added to last.
#[derive(Debug)]
struct Last {
    row: &'static Row,
    shared: Shared,
}

/// Calls of one batch by row: batches seldom hold more than a few different commands. All that is counted in one is added to the
/// statistics of one server.
#[derive(Debug, Default)]
pub struct BatchCalls {
    counted: SmallVec<[Calls; 4]>,
    last: Option<Last>,
}

impl BatchCalls {
    /// Counts a call.
    #[inline]
    pub fn add(&mut self, row: &'static Row) {
        self.of(row).count += 1;
    }

    /// Counts a call that was timed by itself.
    pub fn add_timed(&mut self, row: &'static Row, took: Duration) {
        let calls = self.of(row);
        calls.count += 1;
        calls.timed += 1;
        calls.nanos += took.as_nanos() as u64;
    }

    /// Counts what was counted elsewhere.
    pub fn add_all(&mut self, others: &Self) {
        for other in &others.counted {
            let calls = self.of(other.row);
            calls.count += other.count;
            calls.timed += other.timed;
            calls.nanos += other.nanos;
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counted.is_empty()
    }

    /// The only call, if there is but one and it was not timed by itself.
    #[inline]
    pub fn only(&self) -> Option<&'static Row> {
        match self.counted.as_slice() {
            [
                Calls {
                    row,
                    count: 1,
                    timed: 0,
                    ..
                },
            ] => Some(row),
            _ => None,
        }
    }

    #[inline]
    fn of(&mut self, row: &'static Row) -> &mut Calls {
        // The one counted last stands last.
        let last = self.counted.last();
        if !last.is_some_and(|last| std::ptr::eq(last.row, row)) {
            self.bring_forward(row);
        }
        let last = self.counted.len() - 1;
        &mut self.counted[last]
    }

    #[inline(never)]
    fn bring_forward(&mut self, row: &'static Row) {
        let mut known = self.counted.iter();
        match known.position(|calls| std::ptr::eq(calls.row, row)) {
            Some(index) => {
                let last = self.counted.len() - 1;
                self.counted.swap(index, last);
            }
            None => self.counted.push(Calls {
                row,
                count: 0,
                timed: 0,
                nanos: 0,
            }),
        }
    }
}
