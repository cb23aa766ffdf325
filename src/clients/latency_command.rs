//! LATENCY: what [`crate::clients::latency`] and the counters of commands know, as replies.

use std::fmt::Write as _;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::latency::Series;
use crate::clients::sparkline::{self, Column};
use crate::clients::statistics::{Histogram, histogram};
use crate::commands::registry;
use crate::resp::{Args, Reply};

/// Columns of a graph.
const GRAPH_WIDTH: usize = 80;
/// The first limit of a histogram, in nanoseconds; each further one is twice as high.
const FIRST_BUCKET_NS: u64 = 1024;

/// The name of what is no command: how long partitions are held.
const PARTITION_HOLD: &[u8] = b"partition-hold";

const HELP: &[&str] = &[
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
];

impl Conversation {
    pub(super) fn latency_command(&self, args: Args<'_>, reply: &mut Reply) {
        let events = &self.context.latency;
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"latest", 2) => {
                let all = events.all();
                reply.array(all.len());
                for (name, series) in all {
                    let last = series.samples.back();
                    reply.array(4);
                    reply.bulk(name.as_bytes());
                    reply.integer(last.map_or(0, |last| last.second));
                    reply.integer(last.map_or(0, |last| last.millis as i64));
                    reply.integer(series.longest as i64);
                }
            }
            (b"history", 3) => {
                let series = events.series(args.get(2)).unwrap_or_default().1;
                reply.array(series.samples.len());
                for sample in series.samples {
                    reply.array(2);
                    reply.integer(sample.second);
                    reply.integer(sample.millis as i64);
                }
            }
            (b"graph", 3) => match events.series(args.get(2)) {
                Some((name, series)) => {
                    let graph = graph(name, &series, self.context.now().0 / 1000);
                    reply.verbatim(b"txt", graph.as_bytes());
                }
                None => {
                    let mut text = b"ERR No samples available for event '".to_vec();
                    text.extend_from_slice(args.get(2));
                    text.push(b'\'');
                    reply.error_bytes(&text);
                }
            },
            (b"doctor", 2) => {
                let report = self.latency_report();
                reply.verbatim(b"txt", report.as_bytes());
            }
            (b"reset", _) => {
                let names = args.skip(2);
                let is_all = names.is_empty();
                if is_all || names.iter().any(is_partition_hold) {
                    self.context.keyspace.holds.reset();
                }
                reply.integer(events.reset(names.iter(), is_all) as i64);
            }
            (b"histogram", _) => self.latency_histograms(args.skip(2), reply),
            (b"help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
    }

    /// Of the named commands, a container's name standing for its subcommands; of all that were called where none is named.
    fn latency_histograms(&self, names: Args<'_>, reply: &mut Reply) {
        let rows: Vec<_> = names.iter().filter_map(registry::lookup_full).collect();
        let is_meant = |name: &str| {
            names.is_empty()
                || rows.iter().any(|row| {
                    let container = name.split_once('|').map(|(container, _)| container);
                    row.name == name || container == Some(row.name)
                })
        };
        let histograms = self.context.statistics.of_commands.histograms();
        let meant: Vec<_> = histograms
            .iter()
            .filter(|(name, _)| is_meant(name))
            .collect();
        // No command, and so shown only to who asks for it.
        let holds = names.iter().any(is_partition_hold);
        let holds = holds.then(|| self.partition_holds()).flatten();
        reply.map(meant.len() + usize::from(holds.is_some()));
        for (name, histogram) in meant {
            reply.bulk(name.as_bytes());
            write_histogram(histogram, reply);
        }
        if let Some(holds) = holds {
            reply.bulk(PARTITION_HOLD);
            write_histogram(&holds, reply);
        }
    }

    /// How long partitions were held; none where none was.
    fn partition_holds(&self) -> Option<Histogram> {
        let mut histogram = histogram()?;
        for (nanos, count) in self.context.keyspace.holds.counts() {
            histogram.saturating_record_n(nanos.max(1), count);
        }
        (!histogram.is_empty()).then_some(histogram)
    }

    /// The same as INFO shows it, and the longest; in microseconds.
    pub(super) fn partition_hold_percentiles(&self) -> String {
        let histogram = self.partition_holds();
        let at = |percentile| {
            let nanos = histogram
                .as_ref()
                .map(|h| h.value_at_percentile(percentile));
            nanos.unwrap_or(0) as f64 / 1000.0
        };
        let longest = self.context.keyspace.holds.longest() as f64 / 1000.0;
        let [p50, p99, p999] = [50.0, 99.0, 99.9].map(at);
        format!("p50={p50:.3},p99={p99:.3},p99.9={p999:.3},max={longest:.3}")
    }

    fn latency_report(&self) -> String {
        let Some(threshold) = self.options.latency_monitor_threshold else {
            return "Latency events are not watched: latency-monitor-threshold is 0. CONFIG SET latency-monitor-threshold \
                    <milliseconds> begins it.\n"
                .to_owned();
        };
        let all = self.context.latency.all();
        if all.is_empty() {
            return format!(
                "No event took {} ms or longer since the start or the last LATENCY RESET.\n",
                threshold.as_millis()
            );
        }
        let mut report = String::new();
        for (name, series) in &all {
            let count = series.samples.len().max(1) as u64;
            let mean = series
                .samples
                .iter()
                .map(|sample| sample.millis)
                .sum::<u64>()
                / count;
            let last = series.samples.back().map_or(0, |sample| sample.second);
            let _ = writeln!(
                report,
                "{name}: {count} seconds with a spike, {mean} ms on average, at most {} ms, the last one {} s ago",
                series.longest,
                (self.context.now().0 / 1000 - last).max(0)
            );
        }
        let slow_log = self.options.slowlog_log_slower_than;
        if slow_log < 0 || slow_log as u128 > threshold.as_micros() {
            let _ = writeln!(
                report,
                "The slow log leaves out commands that are counted here: slowlog-log-slower-than {} would show them.",
                threshold.as_micros()
            );
        } else if all.iter().any(|(name, _)| name.ends_with("command")) {
            report.push_str("SLOWLOG GET shows which commands they were.\n");
        }
        report
    }
}

fn is_partition_hold(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(PARTITION_HOLD)
}

fn graph(name: &str, series: &Series, now: i64) -> String {
    let low = series.samples.iter().map(|sample| sample.millis).min();
    let high = series.samples.iter().map(|sample| sample.millis).max();
    let mut out = format!(
        "{name} - high {} ms, low {} ms (all time high {} ms)\n{}\n",
        high.unwrap_or(0),
        low.unwrap_or(0),
        series.longest,
        "-".repeat(GRAPH_WIDTH)
    );
    let columns: Vec<Column> = series
        .samples
        .iter()
        .map(|sample| Column {
            value: sample.millis as f64,
            label: age(now - sample.second),
        })
        .collect();
    sparkline::draw(&columns, GRAPH_WIDTH, &mut out);
    out
}

/// Seconds in the largest unit that fits.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn write_histogram(histogram: &Histogram, reply: &mut Reply) {
    reply.map(2);
    reply.bulk(b"calls");
    reply.integer(histogram.len() as i64);
    reply.bulk(b"histogram_usec");
    let mut buckets = Vec::new();
    let (mut limit, mut below) = (FIRST_BUCKET_NS, 0);
    while below < histogram.len() && limit < u64::MAX / 2 {
        let highest = histogram.highest_equivalent(limit);
        let count = histogram.count_between(0, highest);
        if count > below {
            buckets.push((highest / 1000, count));
            below = count;
        }
        limit *= 2;
    }
    reply.map(buckets.len());
    for (micros, count) in buckets {
        reply.integer(micros as i64);
        reply.integer(count as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Protocol;

    #[test]
    fn histograms_have_the_limits_of_redis() {
        let mut histogram = histogram().unwrap();
        for (nanos, count) in [
            (900, 2),
            (8_400_000, 1),
            (31_000_000, 1),
            (2_000_000_000, 1),
        ] {
            histogram.saturating_record_n(nanos, count);
        }
        let mut reply = Reply::new(Protocol::Resp3);
        write_histogram(&histogram, &mut reply);
        let text = String::from_utf8(reply.as_bytes().to_vec()).unwrap();
        assert_eq!(
            text.replace("\r\n", " "),
            "%2 $5 calls :5 $14 histogram_usec %4 :1 :2 :8454 :3 :33816 :4 :1082130 :5 "
        );
    }

    #[test]
    fn ages_are_in_the_largest_unit_that_fits() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 200_000].map(age);
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "23h", "2d"]);
    }
}
