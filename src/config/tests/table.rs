//! Properties of the table as a whole.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::config::directives::{
    Access, Directive, Kind, Support, Visibility, find, suggestion, table,
};

#[test]
fn names_are_unique_and_lower_case_and_every_row_is_documented() {
    let mut seen = HashSet::new();
    for directive in table() {
        for name in directive.names() {
            assert!(seen.insert(name), "{name} occurs twice");
            assert_eq!(name, name.to_ascii_lowercase());
            assert!(
                find(&name.to_ascii_uppercase()).is_some_and(|found| found.name == directive.name)
            );
        }
        assert!(!directive.doc.is_empty(), "{}", directive.name);
        assert!(!directive.doc.contains('\n'), "{}", directive.name);
    }
}

#[test]
fn every_default_parses() {
    for directive in table()
        .iter()
        .filter(|row| !matches!(row.kind, Kind::Lines(..)))
    {
        let parsed = directive.kind.parse(&[directive.default], None);
        assert!(parsed.is_ok(), "{}: {parsed:?}", directive.name);
    }
    assert_eq!(Settings::default().warnings(), []);
}

#[test]
fn defaults_are_those_of_redis_and_keydb() {
    let settings = Settings::default();
    for (name, expected) in [
        ("bind", "* -::*"),
        ("port", "6379"),
        ("maxclients", "10000"),
        ("replica-quorum", "-1"),
        ("repl-backlog-size", "67108864"),
        ("proto-max-bulk-len", "536870912"),
        (
            "client-output-buffer-limit",
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        ),
        ("replication-tombstone-memory", "268435456"),
        ("trace-sample-ratio", "0.001"),
        ("node-state-file", "node.state"),
        ("enable-debug-command", "no"),
        ("latency-tracking-info-percentiles", "50 99 99.9"),
        ("oom-score-adj-values", "0 200 800"),
    ] {
        assert_eq!(shown(&settings, name), expected, "{name}");
    }
    assert_eq!(settings.dir, std::env::current_dir().unwrap());
}

#[test]
fn slips_are_recognized_and_nonsense_is_not() {
    for (unknown, expected) in [
        ("prot", Some("port")),
        ("Repl-Backlog-Siez", Some("repl-backlog-size")),
        ("multimaster", Some("multi-master")),
        ("xyzzyxyzzy", None),
        ("", None),
    ] {
        assert_eq!(suggestion(unknown), expected, "{unknown}");
    }
    assert_eq!(suggestion(&"port".repeat(1000)), None);
}

/// A value that the directive accepts, as somebody might write it.
fn acceptable(directive: &Directive) -> BoxedStrategy<String> {
    let words = |known: &'static [&'static str]| {
        prop::sample::select(known).prop_map(str::to_owned).boxed()
    };
    match directive.kind {
        Kind::Bool => words(&["yes", "no"]),
        Kind::Affinity => words(&["true", "false", "3"]),
        Kind::Integer(least, most) => (least..=most).prop_map(|number| number.to_string()).boxed(),
        Kind::Clamped(least, most) => (least..=most).prop_map(|number| number.to_string()).boxed(),
        Kind::PowerOfTwo(..) => words(&["1", "16", "1024"]),
        Kind::Octal(most) => (0..=most).prop_map(|number| format!("{number:o}")).boxed(),
        Kind::Memory(least, most) => (least..=most).prop_map(|number| number.to_string()).boxed(),
        Kind::MemoryOrPercent => words(&["0", "5%", "1048576"]),
        Kind::Ratio => (0.0..=1.0_f64).prop_map(|ratio| ratio.to_string()).boxed(),
        Kind::Enum(known) => words(known),
        Kind::Flags(known) => words(known),
        Kind::Text => any::<String>().boxed(),
        Kind::FileName(_) | Kind::TitleTemplate => "[a-z .]{1,20}".boxed(),
        Kind::Directory => words(&["/tmp", "/"]),
        Kind::Addresses => "(-?[a-z0-9.:]{1,9}){1}( -?[a-z0-9.:]{1,9}){0,3}".boxed(),
        Kind::SavePoints => "([1-9][0-9]{0,5} [1-9][0-9]{0,5})?".boxed(),
        Kind::OutputBufferLimits => (0..9_u64, 0..9_u64, 0..9_u32)
            .prop_map(|(a, b, c)| format!("normal {a} {b} {c} slave 0 0 0 pubsub 1 1 1"))
            .boxed(),
        Kind::Masters => "[a-z]{1,9} [1-9][0-9]{0,3}".boxed(),
        Kind::Owners => "([a-z:*]{1,9} [a-z.]{1,9} [1-9][0-9]{0,3})?".boxed(),
        Kind::KeyspaceEvents => words(&["", "AKE", "g$K", "nKEm"]),
        Kind::OomScores => words(&["0 200 800", "-2000 0 2000"]),
        Kind::Percentiles => words(&["", "50", "0.5 100"]),
        Kind::Lines(..) => words(&["x"]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_set_is_shown(
        (directive, value) in prop::sample::select(table().to_vec())
            .prop_filter("may be set", |row| row.access != Access::Immutable && row.name != "link-backoff-initial-ms" && row.name != "link-backoff-max-ms")
            .prop_flat_map(|row| (Just(row), acceptable(row)))
    ) {
        let mut settings = load_text("enable-protected-configs yes").unwrap();
        settings.set(&[(directive.name, &value)]).unwrap();
        for name in directive.names() {
            prop_assert_eq!(shown(&settings, name), value.clone());
        }
        // What CONFIG GET shows can be set again.
        let mut again = load_text("enable-protected-configs yes").unwrap();
        again.set(&settings.get(&[directive.name])).unwrap();
        prop_assert_eq!(again.get(&["*"]), settings.get(&["*"]));
    }

    #[test]
    fn what_a_file_says_is_shown(
        (directive, value) in prop::sample::select(table().to_vec())
            .prop_filter("stands alone", |row| row.visibility != Visibility::FileOnly && !matches!(row.support, Support::Refused(_))
                && row.name != "multi-master" && !row.name.starts_with("link-backoff"))
            .prop_flat_map(|row| (Just(row), acceptable(row)))
    ) {
        let line = format!("{} {}", directive.name, crate::config::grammar::quote(value.as_bytes()));
        let settings = load_text(&line.replace("\\x00", "")).unwrap();
        if !line.contains("\\x00") {
            prop_assert_eq!(shown(&settings, directive.name), value);
        }
    }

    #[test]
    fn any_pair_and_any_pattern_are_survived(name: Vec<u8>, value: Vec<u8>, row in prop::sample::select(table().to_vec())) {
        let mut settings = Settings::default();
        let _ = settings.get(&[&name]);
        let _ = settings.set(&[(&name, &value)]);
        let _ = settings.set(&[(row.name.as_bytes(), &value[..])]);
    }

    #[test]
    fn any_file_and_any_arguments_are_survived(text: String, words: Vec<String>) {
        prop_assume!(!text.contains("include"));
        let words = words.iter().map(|word| format!("-{word}")).collect::<Vec<_>>();
        let _ = load_all(&text, &[], &words.iter().map(String::as_str).filter(|word| !matches!(*word, "-v" | "-h")).collect::<Vec<_>>());
    }
}
