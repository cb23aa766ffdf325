//! What INFO's stats section counts. Sessions add once per batch, so that the hot path pays a handful of atomics per pipeline.

mod calls;

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use parking_lot::Mutex;

pub use crate::clients::statistics::calls::{
    BatchCalls, CommandCounters, CommandStatistics, Histogram, histogram,
};
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
    /// By command.
    pub of_commands: CommandStatistics,
    samples: Mutex<Samples>,
    recent_buffers: Mutex<RecentBuffers>,
    /// The most memory that was in use when somebody looked.
    pub memory_peak: AtomicU64,
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

impl Statistics {
    /// Adds the calls of one batch that took `nanos` altogether, to their histograms too where latencies are tracked, and forgets
    /// them there.
    #[inline]
    pub fn add_calls(&self, calls: &mut BatchCalls, nanos: u64, is_tracking: bool) {
        let count = self.of_commands.take(calls, nanos, is_tracking);
        self.commands.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts a refused call.
    pub fn add_rejected(&self, row: &'static Row) {
        self.of_commands.add_rejected(row);
    }

    /// Counts a failed call.
    pub fn add_failed(&self, row: &'static Row) {
        self.of_commands.add_failed(row);
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
        self.of_commands.reset();
        *self.samples.lock() = Samples::default();
    }
}
