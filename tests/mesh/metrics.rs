//! The /metrics endpoint of a daemon.

use crate::daemon::{Daemon, Directory, free_port};
use crate::http::ask;
use crate::support::{MASTER, eventually};

/// The value of a series, named with its labels.
pub fn value(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{series} ")))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn metrics_tell_what_is_true() {
    let (port, metrics) = (free_port(), free_port().to_string());
    let mut options = MASTER.to_vec();
    options.extend(["--metrics-port", &metrics]);
    let server = Daemon::start_at(port, &options);
    let own = port.to_string();
    let mut options = MASTER.to_vec();
    options.extend(["--replicaof", "127.0.0.1", &own]);
    let reader = Daemon::start(&options);
    let mut client = server.client();
    for key in 0..20 {
        client.set(&format!("k{key}"), "v");
    }
    client.call("SET timed v EX 1000");
    client.call("GET nothing");
    client.call("INCR timed");
    eventually("all has arrived", || reader.get("timed").is_some());

    let port: u16 = metrics.parse().unwrap();
    let get = || ask(port, "GET /metrics", "", "");
    let text = get();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("content-type: text/plain; version=0.0.4"));
    let is = |series: &str| value(&text, series).unwrap_or_else(|| panic!("{series}: {text}"));
    assert_eq!(is("keymesh_keys{db=\"0\"}"), 21.0);
    assert_eq!(is("keymesh_timed_keys{db=\"0\"}"), 1.0);
    assert_eq!(is("keymesh_commands_total{command=\"set\"}"), 21.0);
    assert_eq!(is("keymesh_commands_failed_total{command=\"incr\"}"), 1.0);
    assert_eq!(is("keymesh_errors_total{code=\"ERR\"}"), 1.0);
    assert_eq!(is("keymesh_keyspace_misses_total"), 1.0);
    assert!(is("keymesh_memory_bytes{kind=\"records\"}") > 100.0);
    // It reads nobody, so that it knows of itself alone.
    assert_eq!(is("keymesh_members"), 1.0);
    let linked = |text: &str| {
        text.lines()
            .any(|line| line.starts_with("keymesh_link_up") && line.contains("to-replica"))
    };
    assert!(linked(&text), "{text}");

    // What is gone is not shown any more, and counters go on.
    reader.kill();
    eventually("the link's series are gone", || !linked(&get()));
    client.set("k", "v");
    assert_eq!(
        value(&get(), "keymesh_commands_total{command=\"set\"}"),
        Some(22.0)
    );
    let open = ask(
        port,
        "GET /metrics",
        "Accept: application/openmetrics-text\r\n",
        "",
    );
    assert!(open.contains("\n# EOF\n"), "{open}");
    assert!(ask(port, "GET /", "", "").starts_with("HTTP/1.1 404"));
    assert!(ask(port, "POST /metrics", "", "").starts_with("HTTP/1.1 405"));
    assert!(ask(port, "\0\r\n\r\n", "", "").starts_with("HTTP/1.1 400"));
    assert!(get().starts_with("HTTP/1.1 200"));
}

#[test]
fn metrics_that_cannot_be_served_stop_the_start() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let own = free_port().to_string();
    let directory = Directory::new("metrics");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keymesh-server"))
        .args(["--port", &own, "--metrics-port", &port, "--dir"])
        .arg(directory.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains(&port) && said.contains("Address already in use"),
        "{said}"
    );
}
