//! What two masters measure of each other, and how a reader gets from a number to a trace.

use std::time::Instant;

use crate::client::Client;
use crate::daemon::{Daemon, free_port};
use crate::http::ask;
use crate::metrics::value;
use crate::support::{MASTER, Mesh, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const WRITES: usize = 20;

/// Two masters that read from each other and serve metrics. Nobody collects their spans; contexts travel all the same.
pub struct Pair {
    pub nodes: [Daemon; 2],
    pub metrics: [u16; 2],
    /// Their ids.
    pub ids: [String; 2],
}

impl Pair {
    pub fn start() -> Self {
        let ports = [free_port(), free_port()];
        let metrics = [free_port(), free_port()];
        let start = |node: usize| {
            let (other, shown) = (ports[1 - node].to_string(), metrics[node].to_string());
            let collector = format!("http://127.0.0.1:{}", free_port());
            let mut options = MASTER.to_vec();
            options.extend(["--replicaof", "127.0.0.1", &other, "--metrics-port", &shown]);
            options.extend(["--otlp-endpoint", &collector, "--trace-sample-ratio", "0"]);
            Daemon::start_at(ports[node], &options)
        };
        let nodes = [start(0), start(1)];
        let mut clients = [nodes[0].client(), nodes[1].client()];
        eventually("both know each other and read each other", || {
            clients.iter_mut().all(|client| {
                let info = client.info();
                info["mesh_established"] == "1"
                    && info["mesh_members"] == "2"
                    && info["connected_masters"] == "1"
                    && info
                        .get("slave0")
                        .is_some_and(|slave| slave.contains("state=online"))
            })
        });
        let ids = clients.map(|mut client| client.info()["mesh_node_id"].clone());
        Self {
            nodes,
            metrics,
            ids,
        }
    }

    pub fn text(&self, node: usize) -> String {
        ask(self.metrics[node], "GET /metrics", "", "")
    }

    fn open_text(&self, node: usize) -> String {
        let accept = "Accept: application/openmetrics-text;version=1.0.0\r\n";
        ask(self.metrics[node], "GET /metrics", accept, "")
    }

    /// The number of a series, 0 where there is none.
    fn number(&self, node: usize, series: &str) -> f64 {
        value(&self.text(node), series).unwrap_or(0.0)
    }
}

/// One number of the line that INFO has of a node.
fn of_node(client: &mut Client, id: &str, name: &str) -> u64 {
    let info = client.info();
    let mut lines = info
        .iter()
        .filter(|(known, _)| known.starts_with("mesh_peer"));
    let line = lines.find(|(_, line)| line.starts_with(&format!("node={id},")));
    let line = line.unwrap_or_else(|| panic!("{id}: {info:?}")).1;
    let mut fields = line.split(',').filter_map(|field| field.split_once('='));
    let found = fields.find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("{name}: {line}"))
        .1
        .parse()
        .unwrap()
}

/// One field of the line that INFO has of the only peer.
fn of_peer(client: &mut Client, name: &str) -> String {
    let info = client.info();
    let mut fields = info["mesh_peer0"]
        .split(',')
        .filter_map(|field| field.split_once('='));
    let found = fields.find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("{name}: {info:?}"))
        .1
        .to_owned()
}

#[test]
fn every_write_is_counted_and_its_lag_measured_at_the_other_master() {
    let pair = Pair::start();
    let [first, second] = &pair.ids;
    let lag = format!("keymesh_lag_seconds_count{{origin=\"{first}\",path=\"direct\"}}");
    let series = |peer: &str, direction: &str, source: &str| {
        format!(
            "keymesh_effects_total{{peer=\"{peer}\",direction=\"{direction}\",source=\"{source}\"}}"
        )
    };
    let (out, taken) = (
        series(second, "out", "origin"),
        series(first, "in", "origin"),
    );
    let before = [
        pair.number(1, &lag),
        pair.number(0, &out),
        pair.number(1, &taken),
    ];
    let mut clients = [pair.nodes[0].client(), pair.nodes[1].client()];
    for number in 0..WRITES {
        clients[0].set(&format!("k{number}"), "v");
    }
    let last = format!("k{}", WRITES - 1);
    eventually("all has arrived", || clients[1].get(&last).is_some());
    let writes = WRITES as f64;
    assert_eq!(pair.number(1, &lag) - before[0], writes);
    assert_eq!(pair.number(0, &out) - before[1], writes);
    assert_eq!(pair.number(1, &taken) - before[2], writes);
    assert_eq!(pair.number(1, &series(first, "in", "forward")), 0.0);
    let text = pair.text(1);
    let is = |series: String| value(&text, &series).unwrap_or_else(|| panic!("{series}: {text}"));
    let duplicates = format!("keymesh_duplicates_filtered_total{{peer=\"{first}\"}}");
    assert_eq!(is(duplicates), 0.0);
    for direction in ["in", "out"] {
        let bytes = format!("keymesh_bytes_total{{peer=\"{first}\",direction=\"{direction}\"}}");
        assert!(is(bytes) > 100.0);
    }
    let measured = is(lag.clone());
    let all =
        format!("keymesh_lag_seconds_bucket{{origin=\"{first}\",path=\"direct\",le=\"3600\"}}");
    assert_eq!(is(all), measured, "no write is older than the test");
    let version = env!("CARGO_PKG_VERSION");
    let info = format!("keymesh_node_info{{node=\"{second}\",version=\"{version}\"}}");
    assert_eq!(is(info), 1.0);
    let backlog = is("keymesh_backlog_seconds".to_owned());
    let uptime = is("keymesh_uptime_seconds".to_owned());
    assert!(
        (uptime - backlog).abs() < 5.0,
        "nothing was dropped yet: {backlog} {uptime}"
    );

    let memory = clients[1].call("INFO memory");
    let buffers = memory
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("mem_clients_slaves:"));
    assert!(buffers.unwrap().parse::<u64>().unwrap() > 0);

    // INFO has the same.
    assert_eq!(of_peer(&mut clients[1], "node"), *first);
    let count: f64 = of_peer(&mut clients[1], "lag_count").parse().unwrap();
    assert_eq!(count, measured);
    assert_eq!(of_peer(&mut clients[1], "records_in"), format!("{count}"));

    // A journal that has dropped records reaches back to the last of these.
    let small = clients[0].call("CONFIG SET repl-backlog-size 16384");
    assert!(!small.is_error(""), "{small:?}");
    let value = "x".repeat(1024);
    let begun = Instant::now();
    for number in 0..2 * WRITES {
        clients[0].set(&format!("big{number}"), &value);
    }
    let backlog = pair.number(0, "keymesh_backlog_seconds");
    // Stamps are told in milliseconds.
    let since = begun.elapsed().as_secs_f64() + 0.001;
    assert!(backlog <= since, "{backlog} {since}");

    // A master that is gone is shown until it is forgotten.
    pair.nodes[0].kill();
    let link = format!("keymesh_link_up{{peer=\"{first}\"");
    let shows = |what: &str| pair.text(1).contains(what);
    eventually("who read from here has gone", || {
        !pair.text(1).contains("direction=\"to-replica\"")
    });
    assert!(shows(&lag) && shows(&link) && shows(&taken));
    let forget = clients[1].call(&format!("MESH FORGET {first}"));
    assert!(!forget.is_error(""), "{forget:?}");
    clients[1].call("REPLICAOF NO ONE");
    eventually("nothing is left of it", || {
        !pair.text(1).contains(&format!("=\"{first}\""))
    });
    assert!(!clients[1].info().contains_key("mesh_peer0"));
}

#[test]
fn an_exemplar_names_the_trace_of_the_write() {
    let pair = Pair::start();
    let first = &pair.ids[0];
    let mut clients = [pair.nodes[0].client(), pair.nodes[1].client()];
    clients[0].set("untraced", "v");
    let parent = format!("CLIENT TRACEPARENT 00-{TRACE}-00f067aa0ba902b7-01");
    assert!(!clients[0].call(&parent).is_error(""));
    clients[0].set("traced", "v");
    eventually("it has arrived", || clients[1].get("traced").is_some());
    let converged = "keymesh_converge_seconds_count";
    eventually("it is acknowledged", || pair.number(0, converged) == 1.0);
    assert_eq!(pair.number(0, "keymesh_converge_given_up_total"), 0.0);
    let told = clients[1].call("MESH EXPLAIN traced");
    assert_eq!(told.array().last().unwrap().text(), TRACE);

    let exemplars = |node: usize, family: &str| -> Vec<String> {
        let text = pair.open_text(node);
        let lines = text.lines().filter(|line| line.starts_with(family));
        let with = lines.filter_map(|line| Some(line.split_once("# {trace_id=\"")?.1.to_owned()));
        with.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect()
    };
    assert_eq!(exemplars(0, "keymesh_converge_seconds_bucket"), [TRACE]);
    let lag = format!("keymesh_lag_seconds_bucket{{origin=\"{first}\",path=\"direct\"");
    assert_eq!(exemplars(1, &lag), [TRACE]);
}

#[test]
fn what_others_pass_on_is_told_apart_from_what_is_their_own() {
    let mesh = Mesh::line(3);
    let mut clients = mesh.clients();
    let ids: Vec<String> = clients
        .iter_mut()
        .map(|client| client.info()["mesh_node_id"].clone())
        .collect();
    // By node, whose line, which number.
    let asked = [
        (2, 1, "forwarded_in", WRITES),
        (2, 1, "records_in", 0),
        (2, 0, "lag_count", WRITES),
        (1, 2, "forwarded_out", WRITES),
        (1, 0, "records_in", WRITES),
    ];
    // An origin of which nothing has come yet, and which is no neighbour, has no line: one write goes ahead.
    clients[0].set("first", "v");
    eventually("it is at the far end", || clients[2].get("first").is_some());
    let ask = |clients: &mut [Client]| {
        asked.map(|(node, about, name, _)| of_node(&mut clients[node], &ids[about], name))
    };
    let before = ask(&mut clients);
    for number in 0..WRITES {
        clients[0].set(&format!("k{number}"), "v");
    }
    let last = format!("k{}", WRITES - 1);
    eventually("all is at the far end", || clients[2].get(&last).is_some());
    let after = ask(&mut clients);
    for ((before, after), (node, about, name, more)) in before.iter().zip(after).zip(asked) {
        assert_eq!(after - before, more as u64, "{name} of {about} at {node}");
    }
}
