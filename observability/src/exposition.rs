//! The text that a Prometheus server reads, in its classic form and as OpenMetrics.
//!
//! Families are sorted by name and series by labels, so that equal states give equal text. Exemplars exist
//! only in OpenMetrics; there a counter's family goes without `_total`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::UNIX_EPOCH;

use crate::metrics::{Counter, Exemplar, Family, Kind, Labels, Series};
use crate::names::metric;

/// Which text to render.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposition {
    /// The classic text format, version 0.0.4.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

impl Exposition {
    /// The form that an `Accept` header asks for.
    pub fn for_accept(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The `Content-Type` of the text.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

pub(crate) fn render(
    families: &BTreeMap<&'static str, Family>,
    refused: u64,
    exposition: Exposition,
) -> String {
    let mut text = String::new();
    // writing to a string cannot fail
    let _ = write_all(&mut text, families, refused, exposition);
    text
}

fn write_all(
    text: &mut String,
    families: &BTreeMap<&'static str, Family>,
    refused: u64,
    exposition: Exposition,
) -> fmt::Result {
    for (name, family) in families
        .iter()
        .filter(|(_, family)| !family.series.is_empty())
    {
        write_family(text, name, family, exposition)?;
    }
    let refusals = Counter::default();
    refusals.add(refused);
    let family = Family {
        kind: Kind::Counter,
        help: "Label sets refused because their family was full.",
        series: BTreeMap::from([(Labels::new(), Series::Counter(refusals))]),
    };
    write_family(
        text,
        metric::METRIC_SERIES_REFUSED_TOTAL,
        &family,
        exposition,
    )?;
    if exposition == Exposition::OpenMetrics {
        text.push_str("# EOF\n");
    }
    Ok(())
}

fn write_family(
    text: &mut String,
    name: &str,
    family: &Family,
    exposition: Exposition,
) -> fmt::Result {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let open = exposition == Exposition::OpenMetrics;
    let (title, sample) = match family.kind {
        Kind::Counter if open => {
            let title = name.strip_suffix("_total").unwrap_or(name);
            (title, format!("{title}_total"))
        }
        _ => (name, name.to_owned()),
    };
    write!(text, "# HELP {title} ")?;
    escape(text, family.help, open)?;
    writeln!(text, "\n# TYPE {title} {kind}")?;
    for (labels, series) in &family.series {
        match series {
            Series::Counter(counter) => {
                write_name(text, &sample, labels, None)?;
                writeln!(text, " {}", counter.value())?;
            }
            Series::Gauge(gauge) => {
                write_name(text, &sample, labels, None)?;
                writeln!(text, " {}", Number(gauge.value()))?;
            }
            Series::Histogram(histogram) => {
                let bucket_name = format!("{name}_bucket");
                let mut total = 0;
                for (bound, count, exemplar) in histogram.buckets() {
                    total += count;
                    let bound = Number(bound.unwrap_or(f64::INFINITY)).to_string();
                    write_name(text, &bucket_name, labels, Some(("le", &bound)))?;
                    write!(text, " {total}")?;
                    if let Some(exemplar) = exemplar.filter(|_| open) {
                        write_exemplar(text, &exemplar)?;
                    }
                    text.push('\n');
                }
                write_name(text, &format!("{name}_sum"), labels, None)?;
                writeln!(text, " {}", Number(histogram.sum()))?;
                write_name(text, &format!("{name}_count"), labels, None)?;
                // the buckets' total, not a later reading, so that the text agrees with itself
                writeln!(text, " {total}")?;
            }
        }
    }
    Ok(())
}

fn write_name(
    text: &mut String,
    name: &str,
    labels: &Labels,
    extra: Option<(&str, &str)>,
) -> fmt::Result {
    text.push_str(name);
    let pairs = labels
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .chain(extra);
    let mut before = '{';
    for (label, value) in pairs {
        write!(text, "{before}{label}=\"")?;
        escape(text, value, true)?;
        text.push('"');
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
    Ok(())
}

fn write_exemplar(text: &mut String, exemplar: &Exemplar) -> fmt::Result {
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    write!(
        text,
        " # {{trace_id=\"{}\"}} {} {}.{:03}",
        exemplar.trace_id,
        Number(exemplar.value),
        at.as_secs(),
        at.subsec_millis()
    )
}

fn escape(text: &mut String, value: &str, quotes: bool) -> fmt::Result {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.write_char(other)?,
        }
    }
    Ok(())
}

/// A number as Prometheus spells it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == f64::INFINITY {
            out.write_str("+Inf")
        } else if self.0 == f64::NEG_INFINITY {
            out.write_str("-Inf")
        } else {
            write!(out, "{}", self.0)
        }
    }
}
