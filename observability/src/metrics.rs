//! Counters, gauges and histograms in plain atomics, and the registry that holds them.
//!
//! The registry is a value. Handles are taken once, at the start or when a link appears, and then cost an
//! atomic operation; the registry's lock is held only to take a handle and to render. A family that holds
//! its limit of label sets refuses more: the handle works, but is not rendered, and the refusal is counted.
//! Values are base units: seconds, bytes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::context::TraceId;

pub use crate::exposition::Exposition;

/// Label sets of one family.
pub const MAX_SERIES: usize = 1000;
/// Upper bounds, in seconds, for times from microseconds to a minute.
pub const SECONDS_BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0,
];

/// The same for times that are known to the millisecond, up to an hour.
pub const LAG_BUCKETS: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 3600.0,
];

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds so many.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Takes over a total that is counted elsewhere; it never goes back.
    pub fn set_total(&self, total: u64) {
        self.0.fetch_max(total, Relaxed);
    }

    /// The total.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the number.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// The number.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

/// A distribution over fixed buckets, with the latest traced value of each bucket.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above all of them.
    cells: Vec<Bucket>,
    sum: AtomicU64,
}

#[derive(Debug, Default)]
struct Bucket {
    count: AtomicU64,
    exemplar: Mutex<Option<Exemplar>>,
}

/// A value that belongs to a trace, kept with the bucket it fell into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// The value.
    pub value: f64,
    /// The trace.
    pub trace_id: TraceId,
    /// When it was seen.
    pub at: SystemTime,
}

impl Histogram {
    /// An empty one that no registry holds yet; the bounds ascend, such as [`SECONDS_BUCKETS`].
    pub fn new(bounds: &'static [f64]) -> Self {
        let cells = (0..=bounds.len()).map(|_| Bucket::default()).collect();
        Self(Arc::new(Buckets {
            bounds,
            cells,
            sum: AtomicU64::new(0),
        }))
    }

    fn record(&self, value: f64) -> Option<&Bucket> {
        let bucket = self
            .0
            .cells
            .get(self.0.bounds.partition_point(|bound| *bound < value))?;
        bucket.count.fetch_add(1, Relaxed);
        // fails never: the closure always gives a value
        let _ = self.0.sum.fetch_update(Relaxed, Relaxed, |sum| {
            Some((f64::from_bits(sum) + value).to_bits())
        });
        Some(bucket)
    }

    /// Counts a value. One that is no number is ignored.
    pub fn observe(&self, value: f64) {
        if !value.is_nan() {
            self.record(value);
        }
    }

    /// Counts a time, in seconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(time.as_secs_f64());
    }

    /// Counts a value that belongs to a trace. Only for sampled operations: it takes a lock, though one
    /// that is left alone when another thread holds it.
    pub fn observe_traced(&self, value: f64, trace_id: TraceId, at: SystemTime) {
        if value.is_nan() {
            return;
        }
        if let Some(bucket) = self.record(value)
            && let Ok(mut exemplar) = bucket.exemplar.try_lock()
        {
            *exemplar = Some(Exemplar {
                value,
                trace_id,
                at,
            });
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.0
            .cells
            .iter()
            .map(|bucket| bucket.count.load(Relaxed))
            .sum()
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        f64::from_bits(self.0.sum.load(Relaxed))
    }

    /// Upper bound, count and exemplar of each bucket, the last one without a bound.
    pub(crate) fn buckets(
        &self,
    ) -> impl Iterator<Item = (Option<f64>, u64, Option<Exemplar>)> + '_ {
        self.0.cells.iter().enumerate().map(|(index, bucket)| {
            let exemplar = *bucket
                .exemplar
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            (
                self.0.bounds.get(index).copied(),
                bucket.count.load(Relaxed),
                exemplar,
            )
        })
    }
}

/// What kind of number a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Debug)]
pub(crate) enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// Label names and values, in the order in which they were given.
pub(crate) type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) series: BTreeMap<Labels, Series>,
}

/// All metrics of one node.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
    refused: Counter,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn series(
        &self,
        (name, help, kind): (&'static str, &'static str, Kind),
        labels: &[(&'static str, &str)],
        make: impl FnOnce() -> Series,
    ) -> Series {
        let mut families = self.lock();
        let family = families.entry(name).or_insert_with(|| Family {
            kind,
            help,
            series: BTreeMap::new(),
        });
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        if family.kind == kind
            && let Some(known) = family.series.get(&labels)
        {
            return known.clone();
        }
        let made = make();
        if family.kind == kind && family.series.len() < MAX_SERIES {
            family.series.insert(labels, made.clone());
        } else {
            self.refused.increment();
        }
        made
    }

    /// The counter of this name and these labels.
    pub fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Counter {
        match self.series((name, help, Kind::Counter), labels, || {
            Series::Counter(Counter::default())
        }) {
            Series::Counter(counter) => counter,
            Series::Gauge(_) | Series::Histogram(_) => Counter::default(),
        }
    }

    /// A counter of what is no whole number, such as seconds, and is counted elsewhere.
    pub fn amount(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Gauge {
        match self.series((name, help, Kind::Counter), labels, || {
            Series::Gauge(Gauge::default())
        }) {
            Series::Gauge(amount) => amount,
            Series::Counter(_) | Series::Histogram(_) => Gauge::default(),
        }
    }

    /// The gauge of this name and these labels.
    pub fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Gauge {
        match self.series((name, help, Kind::Gauge), labels, || {
            Series::Gauge(Gauge::default())
        }) {
            Series::Gauge(gauge) => gauge,
            Series::Counter(_) | Series::Histogram(_) => Gauge::default(),
        }
    }

    /// The histogram of this name and these labels; the bounds ascend, such as [`SECONDS_BUCKETS`].
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        bounds: &'static [f64],
    ) -> Histogram {
        match self.series((name, help, Kind::Histogram), labels, || {
            Series::Histogram(Histogram::new(bounds))
        }) {
            Series::Histogram(histogram) => histogram,
            Series::Counter(_) | Series::Gauge(_) => Histogram::new(bounds),
        }
    }

    /// Shows a histogram that is kept elsewhere, until its series is forgotten.
    pub fn show(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        histogram: &Histogram,
    ) {
        self.series((name, help, Kind::Histogram), labels, || {
            Series::Histogram(histogram.clone())
        });
    }

    /// Forgets all series with this label value, such as those of a peer that was removed.
    pub fn forget(&self, label: &str, value: &str) {
        for family in self.lock().values_mut() {
            family.series.retain(|labels, _| {
                !labels
                    .iter()
                    .any(|(name, known)| *name == label && known == value)
            });
        }
    }

    /// Forgets all series of one name, such as those of states that may have ended.
    pub fn forget_family(&self, name: &str) {
        if let Some(family) = self.lock().get_mut(name) {
            family.series.clear();
        }
    }

    /// Label sets that were refused.
    pub fn refused(&self) -> u64 {
        self.refused.value()
    }

    /// The text that a Prometheus server reads.
    pub fn render(&self, exposition: Exposition) -> String {
        crate::exposition::render(&self.lock(), self.refused(), exposition)
    }
}

#[cfg(test)]
mod tests;
