//! The three configuration files that the README shows make a mesh.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::daemon::{Daemon, free_port};
use crate::support::eventually;

/// From the last server's start until each is connected to each. The product promises two seconds; the rest is for a machine
/// that builds and tests at the same time.
const FORMED_WITHIN: Duration = Duration::from_secs(6);

fn example(ports: [u16; 3], this: usize) -> String {
    let others = ports.iter().enumerate().filter(|(at, _)| *at != this);
    let masters: String = others
        .map(|(_, port)| format!("replicaof 127.0.0.1 {port}\n"))
        .collect();
    let port = ports[this];
    format!(
        "# One of three masters\nport {port}\nbind 127.0.0.1\ndir %dir%\nactive-replica yes\nmulti-master yes\n{masters}"
    )
}

#[test]
fn three_configuration_files_make_a_mesh_where_a_write_on_any_is_read_on_all() {
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
    let node = Daemon::start(crate::support::MASTER);
    assert_eq!(node.terminate().code(), Some(0));
}
