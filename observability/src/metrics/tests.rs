//! Behaviour of the metrics and of their text.

use std::time::{Duration, SystemTime};

use super::*;

fn after(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')
            .map(str::to_owned)
    })
}

#[test]
fn the_text_holds_help_type_and_sorted_series() {
    let registry = Registry::new();
    registry
        .counter(
            "keymesh_effects_total",
            "Effects.",
            &[("peer", "b"), ("direction", "out")],
        )
        .add(3);
    registry
        .counter(
            "keymesh_effects_total",
            "Effects.",
            &[("peer", "a"), ("direction", "in")],
        )
        .increment();
    registry
        .gauge("keymesh_backlog_seconds", "How long a cut can last.", &[])
        .set(1.5);
    assert_eq!(
        registry.render(Exposition::Prometheus),
        "# HELP keymesh_backlog_seconds How long a cut can last.\n\
         # TYPE keymesh_backlog_seconds gauge\n\
         keymesh_backlog_seconds 1.5\n\
         # HELP keymesh_effects_total Effects.\n\
         # TYPE keymesh_effects_total counter\n\
         keymesh_effects_total{peer=\"a\",direction=\"in\"} 1\n\
         keymesh_effects_total{peer=\"b\",direction=\"out\"} 3\n\
         # HELP keymesh_metric_series_refused_total Label sets refused because their family was full.\n\
         # TYPE keymesh_metric_series_refused_total counter\n\
         keymesh_metric_series_refused_total 0\n"
    );
}

#[test]
fn label_values_and_help_are_escaped() {
    let registry = Registry::new();
    registry
        .gauge("g", "one\\two\nthree \"four\"", &[("peer", "a\"b\\c\nd")])
        .set(1.0);
    let text = registry.render(Exposition::Prometheus);
    assert!(
        text.contains("# HELP g one\\\\two\\nthree \"four\"\n"),
        "{text}"
    );
    assert!(text.contains("g{peer=\"a\\\"b\\\\c\\nd\"} 1\n"), "{text}");
}

#[test]
fn a_histogram_counts_into_cumulative_buckets() {
    let registry = Registry::new();
    let lag = registry.histogram("lag", "Lag.", &[("path", "stream")], &[0.1, 1.0]);
    for value in [0.05, 0.1, 0.5, 7.0, f64::NAN] {
        lag.observe(value);
    }
    lag.observe_time(Duration::from_millis(250));
    let text = registry.render(Exposition::Prometheus);
    assert_eq!(
        after(&text, "lag_bucket{path=\"stream\",le=\"0.1\"}").as_deref(),
        Some("2")
    );
    assert_eq!(
        after(&text, "lag_bucket{path=\"stream\",le=\"1\"}").as_deref(),
        Some("4")
    );
    assert_eq!(
        after(&text, "lag_bucket{path=\"stream\",le=\"+Inf\"}").as_deref(),
        Some("5")
    );
    assert_eq!(
        after(&text, "lag_count{path=\"stream\"}").as_deref(),
        Some("5")
    );
    assert_eq!(
        after(&text, "lag_sum{path=\"stream\"}").as_deref(),
        Some("7.9")
    );
}

#[test]
fn a_histogram_that_is_kept_elsewhere_goes_on_after_its_series_was_forgotten() {
    let registry = Registry::new();
    let lag = Histogram::new(LAG_BUCKETS);
    for count in ["1", "2"] {
        lag.observe(0.5);
        registry.show("lag", "Lag.", &[], &lag);
        let text = registry.render(Exposition::Prometheus);
        assert_eq!(after(&text, "lag_count").as_deref(), Some(count));
        registry.forget_family("lag");
        let text = registry.render(Exposition::Prometheus);
        assert_eq!(after(&text, "lag_count"), None);
    }
}

#[test]
fn exemplars_appear_in_openmetrics_only() {
    let registry = Registry::new();
    let lag = registry.histogram("lag", "Lag.", &[], &[1.0]);
    let trace_id = TraceId::new(0xabc).unwrap();
    lag.observe_traced(
        0.5,
        trace_id,
        SystemTime::UNIX_EPOCH + Duration::from_millis(12_345),
    );
    let text = registry.render(Exposition::OpenMetrics);
    let expected = "1 # {trace_id=\"00000000000000000000000000000abc\"} 0.5 12.345";
    assert_eq!(
        after(&text, "lag_bucket{le=\"1\"}").as_deref(),
        Some(expected)
    );
    assert!(text.ends_with("# EOF\n"));
    assert!(!registry.render(Exposition::Prometheus).contains("trace_id"));
}

#[test]
fn openmetrics_names_a_counter_without_total() {
    let registry = Registry::new();
    registry
        .counter("keymesh_sync_total", "Syncs.", &[])
        .increment();
    let text = registry.render(Exposition::OpenMetrics);
    assert!(
        text.contains("# TYPE keymesh_sync counter\nkeymesh_sync_total 1\n"),
        "{text}"
    );
}

#[test]
fn an_amount_is_a_counter_with_a_fraction() {
    let registry = Registry::new();
    registry.amount("cpu_seconds_total", "C.", &[]).set(1.25);
    let text = registry.render(Exposition::OpenMetrics);
    let expected = "# TYPE cpu_seconds counter\ncpu_seconds_total 1.25\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_same_labels_give_the_same_cell() {
    let registry = Registry::new();
    registry.counter("c", "C.", &[("peer", "a")]).add(2);
    let again = registry.counter("c", "C.", &[("peer", "a")]);
    again.set_total(1);
    assert_eq!(again.value(), 2);
}

#[test]
fn a_full_family_refuses_and_counts() {
    let registry = Registry::new();
    for series in 0..=MAX_SERIES {
        registry
            .counter("c", "C.", &[("peer", &series.to_string())])
            .increment();
    }
    assert_eq!(registry.refused(), 1);
    assert_eq!(
        registry
            .render(Exposition::Prometheus)
            .matches("\nc{")
            .count(),
        MAX_SERIES
    );
}

#[test]
fn a_name_used_for_two_kinds_keeps_the_first() {
    let registry = Registry::new();
    registry.counter("c", "C.", &[]).increment();
    registry.gauge("c", "C.", &[]).set(9.0);
    assert_eq!(registry.refused(), 1);
    assert_eq!(
        after(&registry.render(Exposition::Prometheus), "c").as_deref(),
        Some("1")
    );
}

#[test]
fn a_removed_peer_leaves_the_text() {
    let registry = Registry::new();
    registry.gauge("up", "Up.", &[("peer", "a")]).set(1.0);
    registry.gauge("up", "Up.", &[("peer", "b")]).set(1.0);
    registry.forget("peer", "a");
    let text = registry.render(Exposition::Prometheus);
    assert!(
        !text.contains("peer=\"a\"") && text.contains("peer=\"b\""),
        "{text}"
    );
}

#[test]
fn special_numbers_are_spelled_as_prometheus_reads_them() {
    let registry = Registry::new();
    for (value, text) in [
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        registry.gauge("g", "G.", &[]).set(value);
        assert_eq!(
            after(&registry.render(Exposition::Prometheus), "g").as_deref(),
            Some(text)
        );
    }
}

#[test]
fn an_accept_header_chooses_the_text() {
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    assert_eq!(Exposition::for_accept(accept), Exposition::OpenMetrics);
    assert_eq!(Exposition::for_accept("*/*"), Exposition::Prometheus);
}
