//! What lies in `observability/` for Prometheus and Grafana, and the guide to it, name only what a server really shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::YamlLoader;

use crate::peer_metrics::Pair;
use crate::support::eventually;

fn observability() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("observability")
}

/// All files below a directory that end so.
fn files(directory: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.extension().is_some_and(|known| known == end) {
            found.push(path);
        }
    }
    found
}

/// The words of a text that are names of metrics.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    let metrics = words.filter(|word| word.starts_with("keymesh_"));
    metrics.map(str::to_owned).collect()
}

/// Family names by what a server says of their types, and the samples of each.
fn shown(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        families.insert(name.to_owned());
        if kind == "histogram" {
            for end in ["bucket", "sum", "count"] {
                samples.insert(format!("{name}_{end}"));
            }
        } else {
            samples.insert(name.to_owned());
        }
    }
    (families, samples)
}

/// The names in a text that are none of these.
fn unknown(text: &str, known: &BTreeSet<String>) -> Vec<String> {
    named(text).difference(known).cloned().collect()
}

#[test]
fn dashboards_alerts_and_the_guide_name_what_a_server_shows() {
    let pair = Pair::start();
    let mut clients = [pair.nodes[0].client(), pair.nodes[1].client()];
    clients[0].set("k", "v");
    assert!(clients[0].call("INCR k").is_error("ERR"));
    eventually("it has arrived", || clients[1].get("k").is_some());
    let mut text = String::new();
    eventually("both have settled something", || {
        text = pair.text(0) + &pair.text(1);
        text.matches("\nkeymesh_watermark_age_seconds{").count() == 2
    });
    let (families, samples) = shown(&text);

    let stack = observability().join("stack");
    let mut texts = 0;
    for end in ["json", "yaml"] {
        for path in files(&stack, end) {
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(unknown(&text, &samples), [""; 0], "{}", path.display());
            texts += usize::from(!named(&text).is_empty());
        }
    }
    assert_eq!(texts, 2, "the dashboard and the alerts name metrics");

    let guide = fs::read_to_string(observability().join("README.md")).unwrap();
    let known: BTreeSet<String> = families.union(&samples).cloned().collect();
    assert_eq!(unknown(&guide, &known), [""; 0], "the guide");
    let told = named(&guide);
    let untold: Vec<_> = families.difference(&told).collect();
    assert_eq!(untold, [""; 0], "the guide tells of all");

    // The check itself: a name that is wrong by a letter is noticed.
    let wrong = "rate(keymesh_lag_second_bucket[5m])";
    assert_eq!(unknown(wrong, &samples), ["keymesh_lag_second_bucket"]);
}

#[test]
fn configurations_are_well_formed_and_fit_together() {
    let stack = observability().join("stack");
    let yaml = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let parsed = YamlLoader::load_from_str(&text);
        let documents = parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        documents.into_iter().next().expect("a document")
    };
    let all = files(&stack, "yaml");
    assert_eq!(all.len(), 6);
    for path in &all {
        yaml(path);
    }
    let compose = yaml(&stack.join("compose.yaml"));
    for service in ["collector", "jaeger", "prometheus", "grafana"] {
        let service = &compose["services"][service];
        assert!(service["image"].as_str().unwrap().contains(':'), "pinned");
        for volume in service["volumes"].as_vec().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            let is_named = compose["volumes"]
                .as_hash()
                .unwrap()
                .keys()
                .any(|name| name.as_str() == Some(from));
            assert!(is_named || stack.join(from).exists(), "{from}");
        }
    }
    let prometheus = yaml(&stack.join("prometheus.yaml"));
    let rules = prometheus["rule_files"][0].as_str().unwrap();
    let rules = yaml(&stack.join(rules));
    assert!(!rules["groups"][0]["rules"].as_vec().unwrap().is_empty());
    let targets = &prometheus["scrape_configs"][0]["static_configs"][0]["targets"];
    assert_eq!(targets.as_vec().unwrap().len(), 3);

    let sources = yaml(&stack.join("grafana/provisioning/datasources/keymesh.yaml"));
    let uids: Vec<&str> = sources["datasources"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|source| source["uid"].as_str().unwrap())
        .collect();
    let exemplars = &sources["datasources"][0]["jsonData"]["exemplarTraceIdDestinations"][0];
    assert_eq!(
        exemplars["name"].as_str(),
        Some("trace_id"),
        "as in the exposition"
    );
    assert!(uids.contains(&exemplars["datasourceUid"].as_str().unwrap()));
    let dashboard = fs::read_to_string(stack.join("grafana/dashboards/keymesh.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets: Vec<_> = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .collect();
    assert!(targets.len() > 30);
    for target in targets {
        let uid = target["datasource"]["uid"].as_str().unwrap();
        assert!(uids.contains(&uid), "{target}");
    }
}
