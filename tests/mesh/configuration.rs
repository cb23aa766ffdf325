//! The three example files that the README shows make a mesh; each server has its state to itself.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::daemon::{Daemon, Directory, free_port};
use crate::support::{MASTER, eventually};

/// From the last server's start until each is connected to each. The product promises one second; the rest is for a machine
/// that builds and tests at the same time.
const FORMED_WITHIN: Duration = Duration::from_secs(3);

/// The files as they are shipped.
const FILES: [&str; 3] = [
    include_str!("../../examples/multi-master/one.conf"),
    include_str!("../../examples/multi-master/two.conf"),
    include_str!("../../examples/multi-master/three.conf"),
];
const PORTS: [u16; 3] = [6379, 6380, 6381];

/// One of them with other ports and another directory; nothing else is changed.
fn example(ports: [u16; 3], this: usize) -> String {
    let lines = FILES[this].lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let other = |port: &str| {
            let at = PORTS.iter().position(|known| known.to_string() == port);
            ports[at.expect("a port of the three")]
        };
        match words.as_slice() {
            ["port", port] => format!("port {}", other(port)),
            ["dir", _] => "dir %dir%".to_owned(),
            ["replicaof", host, port] => format!("replicaof {host} {}", other(port)),
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_three_example_files_make_a_mesh_where_a_write_on_any_is_read_on_all() {
    let ports = [free_port(), free_port(), free_port()];
    let nodes: Vec<Daemon> = (0..3)
        .map(|this| Daemon::start_with_file(ports[this], &example(ports, this)))
        .collect();
    let since = Instant::now();
    let mut clients: Vec<Client> = nodes.iter().map(Daemon::client).collect();
    eventually("all links are up", || {
        clients.iter_mut().all(|client| {
            let info = client.info();
            info["connected_masters"] == "2" && info["mesh_established"] == "1"
        })
    });
    assert!(since.elapsed() < FORMED_WITHIN, "{:?}", since.elapsed());

    for (from, client) in clients.iter_mut().enumerate() {
        client.set(&format!("from:{from}"), "hello");
    }
    for client in &mut clients {
        for from in 0..3 {
            let key = format!("from:{from}");
            eventually("the write arrives", || {
                client.get(&key).as_deref() == Some("hello")
            });
        }
        assert_eq!(client.info()["role"], "active-replica");
    }
    let digests: Vec<String> = nodes.iter().map(Daemon::digest).collect();
    assert!(
        digests.iter().all(|digest| *digest == digests[0]),
        "{digests:?}"
    );
}

#[test]
fn a_server_that_is_told_to_end_ends_in_order() {
    let node = Daemon::start(MASTER);
    assert_eq!(node.terminate().code(), Some(0));
}

#[test]
fn a_master_is_not_started_where_another_server_has_its_state() {
    let directory = Directory::new("shared");
    let dir = directory.path().display().to_string();
    let start = |port: u16| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keymesh-server"));
        command
            .args(["--port", &port.to_string(), "--dir", &dir])
            .args(MASTER);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_clear();
        command.spawn().unwrap()
    };
    let port = free_port();
    let mut first = start(port);
    eventually("the first one answers", || {
        Client::try_connect(port).is_some_and(|mut client| client.try_call("PING").is_ok())
    });
    let second = start(free_port()).wait_with_output().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another server runs in"), "{said}");
}
