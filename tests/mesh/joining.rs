//! Masters that come, go and meet while everything runs.

use crate::client::Value;
use crate::daemon::Daemon;
use crate::support::{MASTER, Mesh, eventually};

fn ok() -> Value {
    Value::Simple("OK".to_owned())
}

fn follow(reader: &Daemon, master: &Daemon) {
    let reply = reader.call(&format!("REPLICAOF 127.0.0.1 {}", master.port));
    assert_eq!(reply, ok());
}

fn have(nodes: &[&Daemon], key: &str) {
    eventually(&format!("all have {key}"), || {
        nodes.iter().all(|node| node.get(key).is_some())
    });
}

fn are_equal(nodes: &[&Daemon]) {
    for (from, node) in nodes.iter().enumerate() {
        node.client().set(&format!("marker:{from}"), "here");
    }
    for from in 0..nodes.len() {
        have(nodes, &format!("marker:{from}"));
    }
    eventually("all are equal", || {
        let first = nodes[0].digest();
        nodes.iter().all(|node| node.digest() == first)
    });
}

#[test]
fn replicaof_adds_removes_and_clears_masters_while_the_server_runs() {
    let (first, second, third) = (
        Daemon::start(MASTER),
        Daemon::start(MASTER),
        Daemon::start(MASTER),
    );
    let mut client = first.client();
    assert_eq!(client.info()["role"], "master");
    follow(&first, &second);
    follow(&first, &third);
    eventually("both are connected", || {
        client.info().get("connected_masters").map(String::as_str) == Some("2")
    });
    assert_eq!(client.call("ROLE").array().len(), 2);
    let again = client.call(&format!("REPLICAOF 127.0.0.1 {}", second.port));
    assert_eq!(again.text(), "OK Already connected to specified master");
    second.client().set("from:second", "v");
    third.client().set("from:third", "v");
    have(&[&first], "from:second");
    have(&[&first], "from:third");

    let removed = client.call(&format!("REPLICAOF REMOVE 127.0.0.1 {}", second.port));
    assert_eq!(removed, ok());
    let removed = client.call(&format!("REPLICAOF REMOVE 127.0.0.1 {}", second.port));
    assert!(removed.is_error("ERR Master not found"));
    assert_eq!(client.info()["connected_masters"], "1");
    eventually("its connection is gone", || {
        second.client().info()["connected_slaves"] == "0"
    });
    second.client().set("unheard", "v");
    third.client().set("heard", "v");
    have(&[&first], "heard");
    assert_eq!(client.get("unheard"), None);

    assert_eq!(client.call("REPLICAOF NO ONE"), ok());
    assert_eq!(client.info()["role"], "master");
    eventually("its connection is gone", || {
        third.client().info()["connected_slaves"] == "0"
    });
    assert_eq!(client.get("from:third").as_deref(), Some("v"));
}

#[test]
fn a_master_that_has_no_others_settles_what_it_wrote() {
    let alone = Daemon::start(MASTER);
    let mut client = alone.client();
    client.set("key", "v");
    client.call("DEL key");
    client.call("INCR count");
    eventually("nothing is pending", || {
        client.mesh_status("established") == 1
            && client.mesh_status("tombstones") == 0
            && client.mesh_status("unsettled_keys") == 0
    });
}

#[test]
fn an_empty_node_that_joins_gets_everything() {
    let mesh = Mesh::full(2);
    let load = mesh.load(&[0, 1], "k", 200, |_| {});
    mesh.nodes[0].call("DEL k:0:0");
    let newcomer = Daemon::start(MASTER);
    for node in &mesh.nodes {
        follow(&newcomer, node);
        follow(node, &newcomer);
    }
    let all = [&mesh.nodes[0], &mesh.nodes[1], &newcomer];
    are_equal(&all);
    assert_eq!(newcomer.get("k:0:0"), None);
    let keys: Vec<String> = load.into_values().flatten().skip(1).collect();
    let held = crate::support::present(&mut newcomer.client(), &keys);
    assert_eq!(held.len(), keys.len());
}

#[test]
fn two_servers_with_data_that_meet_keep_the_data_of_both() {
    let (first, second) = (Daemon::start(MASTER), Daemon::start(MASTER));
    for number in 0..100 {
        first.client().set(&format!("first:{number}"), "v");
        second.client().set(&format!("second:{number}"), "v");
    }
    first.client().set("both", "of the first");
    second.client().set("both", "of the second");
    follow(&first, &second);
    follow(&second, &first);
    are_equal(&[&first, &second]);
    for node in [&first, &second] {
        for number in 0..100 {
            assert!(node.get(&format!("first:{number}")).is_some(), "{number}");
            assert!(node.get(&format!("second:{number}")).is_some(), "{number}");
        }
    }
    assert_eq!(first.get("both"), second.get("both"));
}

#[test]
fn a_server_with_data_that_joins_a_mesh_brings_its_data() {
    let mesh = Mesh::full(2);
    mesh.load(&[0, 1], "k", 50, |_| {});
    let newcomer = Daemon::start(MASTER);
    for number in 0..100 {
        newcomer.client().set(&format!("new:{number}"), "v");
    }
    for node in &mesh.nodes {
        follow(&newcomer, node);
        follow(node, &newcomer);
    }
    let all = [&mesh.nodes[0], &mesh.nodes[1], &newcomer];
    for number in 0..100 {
        have(&all, &format!("new:{number}"));
    }
    have(&all, "k:0:49");
    have(&all, "k:1:49");
    are_equal(&all);
}
