//! What INFO's stats section counts. Sessions add once per batch, so that the hot path pays a handful of atomics per pipeline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::commands::Row;
use crate::replication::LinkCounts;

/// How many samples an `instantaneous_` field is the mean of.
const SAMPLES: usize = 16;
/// How many rounds over all clients are recent.
const ROUNDS: usize = 8;
/// How often [`Statistics::sample`] is called, in milliseconds.
pub const SAMPLE_PERIOD_MS: u64 = 100;
/// The most error codes that are counted one by one; further ones are counted as `other`.
const ERROR_CODES_MAX: usize = 128;

/// Counters since the start or the last `CONFIG RESETSTAT`.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Commands carried out.
    pub commands: AtomicU64,
    /// Connections accepted.
    pub connections: AtomicU64,
    /// Connections refused for `maxclients`.
    pub rejected_connections: AtomicU64,
    /// Bytes read from clients.
    pub input_bytes: AtomicU64,
    /// Bytes written to clients.
    pub output_bytes: AtomicU64,
    /// Error replies.
    pub error_replies: AtomicU64,
    /// Read rounds.
    pub reads: AtomicU64,
    /// Write calls.
    pub writes: AtomicU64,
    /// Clients closed because they did not read their replies.
    pub output_buffer_disconnections: AtomicU64,
    errors: DashMap<String, u64>,
    /// By the address of the row, which is static.
    calls: DashMap<usize, OfCommand, foldhash::fast::FixedState>,
    samples: Mutex<Samples>,
    recent_buffers: Mutex<RecentBuffers>,
    /// The most memory that was in use when somebody looked.
    pub memory_peak: AtomicU64,
}

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

/// The calls of one command in one batch.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    /// The command.
    pub row: &'static Row,
    /// How many there were.
    pub count: u32,
    /// How many of them were timed by themselves.
    pub timed: u32,
    /// How long those took.
    pub nanos: u64,
}

/// Calls of one batch by row: batches seldom hold more than a few different commands.
#[derive(Debug, Default)]
pub struct BatchCalls(SmallVec<[Calls; 4]>);

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
        for other in &others.0 {
            let calls = self.of(other.row);
            calls.count += other.count;
            calls.timed += other.timed;
            calls.nanos += other.nanos;
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The only call, if there is but one and it was not timed by itself.
    pub fn only(&self) -> Option<&'static Row> {
        match self.0.as_slice() {
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
        let is_last = self
            .0
            .last()
            .is_some_and(|last| std::ptr::eq(last.row, row));
        if !is_last {
            self.bring_forward(row);
        }
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    fn bring_forward(&mut self, row: &'static Row) {
        match self.0.iter().position(|calls| std::ptr::eq(calls.row, row)) {
            Some(index) => {
                let last = self.0.len() - 1;
                self.0.swap(index, last);
            }
            None => self.0.push(Calls {
                row,
                count: 0,
                timed: 0,
                nanos: 0,
            }),
        }
    }
}

#[derive(Debug, Default)]
struct Samples {
    last: [u64; 5],
    rates: [[u64; SAMPLES]; 5],
    next: usize,
}

/// Means of the last samples, per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Commands.
    pub commands: u64,
    /// Bytes read.
    pub input_bytes: u64,
    /// Bytes written.
    pub output_bytes: u64,
    /// Bytes read from links.
    pub link_input_bytes: u64,
    /// Bytes written to links.
    pub link_output_bytes: u64,
}

/// The largest buffers that were met in the last rounds over all clients.
#[derive(Debug, Default)]
struct RecentBuffers {
    rounds: [(usize, usize); ROUNDS],
    next: usize,
}

#[derive(Debug, Default)]
struct OfCommand {
    counters: CommandCounters,
    /// None until a call was measured.
    histogram: Option<Box<Histogram>>,
}

impl OfCommand {
    #[inline]
    fn record(&mut self, nanos: u64, count: u32) {
        if count == 0 {
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

impl Statistics {
    /// Adds the calls of one batch that took `nanos` altogether; to their histograms where latencies are tracked.
    pub fn add_calls(&self, calls: &BatchCalls, nanos: u64, is_tracking: bool) {
        let sum = |count: fn(&Calls) -> u64| calls.0.iter().map(count).sum::<u64>();
        let total = sum(|calls| u64::from(calls.count));
        let shared = total - sum(|calls| u64::from(calls.timed));
        let share = nanos.saturating_sub(sum(|calls| calls.nanos)) / shared.max(1);
        self.commands.fetch_add(total, Ordering::Relaxed);
        for calls in &calls.0 {
            let untimed = calls.count - calls.timed;
            let mut entry = self.of_command(calls.row);
            entry.counters.calls += u64::from(calls.count);
            entry.counters.nanos += calls.nanos + share * u64::from(untimed);
            if is_tracking {
                entry.record(share, untimed);
                entry.record(calls.nanos / u64::from(calls.timed.max(1)), calls.timed);
            }
        }
    }

    /// Counts a refused call.
    pub fn add_rejected(&self, row: &'static Row) {
        self.of_command(row).counters.rejected += 1;
    }

    /// Counts a failed call.
    pub fn add_failed(&self, row: &'static Row) {
        self.of_command(row).counters.failed += 1;
    }

    fn of_command(&self, row: &'static Row) -> dashmap::mapref::one::RefMut<'_, usize, OfCommand> {
        let mut entry = self
            .calls
            .entry(std::ptr::from_ref(row) as usize)
            .or_default();
        entry.counters.name = row.name;
        entry
    }

    /// Counts an error reply by its code: `text` is the reply without its minus.
    pub fn add_error(&self, text: &[u8]) {
        self.error_replies.fetch_add(1, Ordering::Relaxed);
        let code = text
            .split(|byte| matches!(byte, b' ' | b'\r' | b'\n'))
            .next()
            .unwrap_or_default();
        let code = String::from_utf8_lossy(code);
        if let Some(mut count) = self.errors.get_mut(&*code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            *self.errors.entry(code.into_owned()).or_default() += 1;
        } else {
            *self.errors.entry("other".to_owned()).or_default() += 1;
        }
    }

    /// Error codes and their counts, by name.
    pub fn errors(&self) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self
            .errors
            .iter()
            .map(|entry| (entry.key().clone(), *entry.value()))
            .collect();
        all.sort();
        all
    }

    /// All commands that were called, by name.
    pub fn calls(&self) -> Vec<CommandCounters> {
        let mut all: Vec<_> = self.calls.iter().map(|entry| entry.counters).collect();
        all.sort_by_key(|counters| counters.name);
        all
    }

    /// How long commands took, by name; those that were never measured are left out.
    pub fn histograms(&self) -> Vec<(&'static str, Histogram)> {
        let measured = self.calls.iter().filter_map(|entry| {
            let histogram = entry.histogram.as_deref()?.clone();
            Some((entry.counters.name, histogram))
        });
        let mut all: Vec<_> = measured.collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// Takes one sample; called every [`SAMPLE_PERIOD_MS`].
    pub fn sample(&self, elapsed_ms: u64, links: LinkCounts) {
        let [commands, input, output] = [&self.commands, &self.input_bytes, &self.output_bytes]
            .map(|counter| counter.load(Ordering::Relaxed));
        let now = [
            commands,
            input,
            output,
            links.input_bytes,
            links.output_bytes,
        ];
        let mut samples = self.samples.lock();
        let slot = samples.next;
        for (kind, &value) in now.iter().enumerate() {
            let grown = value.saturating_sub(samples.last[kind]);
            samples.rates[kind][slot] = grown * 1000 / elapsed_ms.max(1);
        }
        samples.last = now;
        samples.next = (slot + 1) % SAMPLES;
    }

    /// Commands and bytes per second.
    pub fn rates(&self) -> Rates {
        let samples = self.samples.lock();
        let mean = |kind: usize| samples.rates[kind].iter().sum::<u64>() / SAMPLES as u64;
        Rates {
            commands: mean(0),
            input_bytes: mean(1),
            output_bytes: mean(2),
            link_input_bytes: mean(3),
            link_output_bytes: mean(4),
        }
    }

    /// Takes down the largest read buffer and the most unsent replies of one round over all clients.
    pub fn note_buffers(&self, input: usize, output: usize) {
        let mut recent = self.recent_buffers.lock();
        let next = recent.next;
        recent.rounds[next] = (input, output);
        recent.next = (next + 1) % ROUNDS;
    }

    /// The largest of the last rounds.
    pub fn recent_buffers(&self) -> (usize, usize) {
        let recent = self.recent_buffers.lock();
        let largest = |(input, output): (usize, usize), round: &(usize, usize)| {
            (input.max(round.0), output.max(round.1))
        };
        recent.rounds.iter().fold((0, 0), largest)
    }

    /// `CONFIG RESETSTAT`.
    pub fn reset(&self) {
        for counter in [
            &self.commands,
            &self.connections,
            &self.rejected_connections,
            &self.input_bytes,
            &self.output_bytes,
            &self.error_replies,
            &self.reads,
            &self.writes,
            &self.output_buffer_disconnections,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
        self.errors.clear();
        self.calls.clear();
        *self.samples.lock() = Samples::default();
    }
}
