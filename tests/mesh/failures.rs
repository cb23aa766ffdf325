//! Nodes that are killed, actors and commands that panic, passwords that are wrong.

use std::collections::BTreeSet;

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually, present};

const WRITES: usize = 400;

#[test]
fn each_node_in_turn_is_killed_and_comes_back_with_everything() {
    let mesh = Mesh::full(3);
    let mut due: Vec<String> = Vec::new();
    for victim in 0..3 {
        let load = mesh.load(&[0, 1, 2], &format!("round{victim}"), WRITES, |progress| {
            eventually("writes are under way", || progress() > WRITES / 4);
            mesh.nodes[victim].kill();
        });
        let others: Vec<usize> = (0..3).filter(|node| *node != victim).collect();
        let shown: BTreeSet<String> = others
            .iter()
            .flat_map(|node| present(&mut mesh.nodes[*node].client(), &load[&victim]))
            .collect();
        due.extend(shown);
        for node in &others {
            assert_eq!(load[node].len(), WRITES);
            due.extend(load[node].iter().cloned());
        }
        mesh.wait_for_markers(&others);
        mesh.nodes[victim].restart();
        mesh.wait_until_whole();
        mesh.wait_until_equal();
        for node in 0..3 {
            mesh.assert_present(node, &due);
        }
    }
}

#[test]
fn a_node_that_ends_in_order_and_comes_back_has_everything() {
    let mesh = Mesh::full(3);
    let written = mesh.load(&[0, 1, 2], "k", 100, |_| {});
    assert_eq!(mesh.nodes[1].client().call("WAIT 2 5000").integer(), 2);
    assert!(mesh.nodes[1].terminate().success());
    mesh.nodes[0].client().set("meanwhile", "meanwhile");
    mesh.nodes[1].restart();
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    let mut keys: Vec<String> = written.into_values().flatten().collect();
    keys.push("meanwhile".to_owned());
    mesh.assert_present(1, &keys);
}

#[test]
fn a_link_that_panics_comes_back_and_nothing_else_notices() {
    let mesh = Mesh::full(3);
    let port = mesh.links[&(0, 1)].port;
    let other = mesh.links[&(0, 2)].bytes_from_server();
    let connections = |node: usize| mesh.nodes[node].client().info()["connected_slaves"].clone();
    for round in 0..3 {
        let reply = mesh.nodes[0].call(&format!("DEBUG PANIC-ACTOR master-link 127.0.0.1 {port}"));
        assert_eq!(reply, Value::Simple("OK".to_owned()));
        let written = mesh.load(&[0, 1, 2], &format!("r{round}"), 100, |_| {});
        mesh.wait_until_whole();
        mesh.wait_until_equal();
        for keys in written.values() {
            assert_eq!(keys.len(), 100);
            mesh.assert_present(0, keys);
        }
    }
    assert_eq!(connections(2), "2");
    assert!(mesh.links[&(0, 2)].bytes_from_server() > other);
    assert!(mesh.nodes[0].log().contains("panic"), "nobody said so");
    let reply = mesh.nodes[0].call("DEBUG PANIC-ACTOR master-link 127.0.0.1 1");
    assert!(reply.is_error("ERR"));
}

/// Panics one actor, waiting for it where it is just being started again.
fn panic_actor(mesh: &Mesh, name: &str) {
    eventually(name, || {
        mesh.nodes[0].call(&format!("DEBUG PANIC-ACTOR {name}")) == Value::Simple("OK".to_owned())
    });
}

#[test]
fn any_actor_that_panics_is_started_again_and_costs_nobody_anything() {
    let mesh = Mesh::full(3);
    let actors = [
        "keyspace 0",
        "keyspace 1",
        "keyspace 2",
        "keyspace 3",
        "mesh-clock",
        "settings-watch",
        "acceptor",
        "data",
        "clients",
        "replication",
        "link-keeper",
    ];
    let mut client = mesh.nodes[0].client();
    let mut due = Vec::new();
    // More often than a supervisor without patience would stand.
    for round in 0..7 {
        let load = mesh.load(&[0, 1, 2], &format!("r{round}"), 50, |_| {
            for name in actors {
                panic_actor(&mesh, name);
            }
        });
        due.extend(load.into_values().flatten());
    }
    for nth in 0..64 {
        client.call(&format!("SET passing:{nth} v PX 20"));
        client.set(&format!("gone:{nth}"), "v");
        client.call(&format!("DEL gone:{nth}"));
    }
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    mesh.assert_present(0, &due);
    // Who settles, who expires and who accepts is at work again.
    for node in &mesh.nodes {
        eventually("all has settled and expired", || {
            let mut client = node.client();
            client.mesh_status("tombstones") == 0
                && client.mesh_status("unsettled_keys") == 0
                && client.call("INFO keyspace").text().contains("expires=0")
        });
    }
    assert!(mesh.nodes[0].log().contains("panic"), "nobody said so");
}

#[test]
fn a_session_that_panics_costs_its_own_connection_alone() {
    let mesh = Mesh::full(2);
    let (mut ends, mut stays) = (mesh.nodes[0].client(), mesh.nodes[0].client());
    ends.set("key", "value");
    let connected = |client: &mut Client| client.call("CLIENT LIST").text().lines().count();
    let before = connected(&mut stays);
    assert!(ends.try_call("DEBUG PANIC-ACTOR session").is_err());
    eventually("it is off the list", || connected(&mut stays) < before);
    assert_eq!(stays.get("key").as_deref(), Some("value"));
    mesh.wait_until_equal();
}

#[test]
fn a_root_that_panics_ends_the_server_with_an_error_and_its_data_comes_back() {
    let mesh = Mesh::full(2);
    let load = mesh.load(&[0, 1], "k", 50, |_| {});
    mesh.wait_until_equal();
    panic_actor(&mesh, "root");
    assert!(!mesh.nodes[0].wait().success());
    mesh.nodes[0].restart();
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for keys in load.values() {
        mesh.assert_present(0, keys);
    }
}

#[test]
fn entries_that_change_while_their_supervisor_panics_are_what_runs_in_the_end() {
    let mesh = Mesh::full(2);
    let port = mesh.links[&(0, 1)].port;
    let mut client = mesh.nodes[0].client();
    for round in 0..20 {
        panic_actor(&mesh, ["replication", "link-keeper"][round % 2]);
        let removed = client.call(&format!("REPLICAOF REMOVE 127.0.0.1 {port}"));
        assert_eq!(removed, Value::Simple("OK".to_owned()));
        let added = client.call(&format!("REPLICAOF 127.0.0.1 {port}"));
        assert_eq!(added, Value::Simple("OK".to_owned()));
    }
    mesh.wait_until_whole();
    let load = mesh.load(&[0, 1], "k", 50, |_| {});
    mesh.wait_until_equal();
    mesh.assert_present(0, &load[&1]);
}

#[test]
fn a_feed_that_panics_makes_its_replica_come_again() {
    let mesh = Mesh::full(2);
    for round in 0..3 {
        let is_feed = |id: &i32| {
            mesh.nodes[0].call(&format!("DEBUG PANIC-ACTOR replica-feed {id}"))
                == Value::Simple("OK".to_owned())
        };
        assert!((0..1_000).any(|id| is_feed(&id)), "no feed was found");
        let load = mesh.load(&[0, 1], &format!("r{round}"), 50, |_| {});
        mesh.wait_until_whole();
        mesh.wait_until_equal();
        mesh.assert_present(1, &load[&0]);
    }
}

#[test]
fn a_command_that_panics_after_its_change_changes_every_master_alike() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    clients[0].set("count", "5");
    for command in [
        "SET key value",
        "INCR count",
        "APPEND text abc",
        "MSET a 1 b 2",
    ] {
        assert_eq!(
            clients[0].call("DEBUG PANIC-COMMAND"),
            Value::Simple("OK".to_owned())
        );
        assert!(clients[0].call(command).is_error("ERR"), "{command}");
        clients[0].set("after", command);
    }
    mesh.wait_until_equal();
    for key in ["key", "count", "text", "a", "b", "after"] {
        let values: Vec<_> = clients.iter_mut().map(|client| client.get(key)).collect();
        assert!(
            values.iter().all(|value| *value == values[0]),
            "{key} {values:?}"
        );
    }
}

#[test]
fn links_authenticate_with_the_masters_password() {
    let options = ["--requirepass", "secret", "--masterauth", "secret"];
    let mesh = Mesh::full_with(3, &options);
    mesh.load(&[0, 1, 2], "k", 20, |_| {});
    mesh.wait_until_equal();
    let mut stranger = Client::connect(mesh.nodes[0].port);
    assert!(stranger.call("GET k:0:0").is_error("NOAUTH"));
    assert!(stranger.call("KEYMESH.LINK 1").is_error("NOAUTH"));
}

#[test]
fn a_wrong_password_keeps_its_links_down_and_the_others_working() {
    use crate::daemon::Daemon;
    use crate::support::MASTER;

    let mesh = Mesh::full_with(2, &["--requirepass", "secret", "--masterauth", "secret"]);
    let ports: Vec<String> = mesh
        .nodes
        .iter()
        .map(|node| node.port.to_string())
        .collect();
    let mut options = MASTER.to_vec();
    options.extend(["--masterauth", "guess"]);
    for port in &ports {
        options.extend(["--replicaof", "127.0.0.1", port]);
    }
    let guesser = Daemon::start(&options);
    let mut client = guesser.client();
    eventually("it was refused", || guesser.log().contains("WRONGPASS"));
    let info = client.info();
    assert_eq!(info["connected_masters"], "0");
    assert_eq!(info["master_link_status"], "down");
    let written = mesh.load(&[0, 1], "k", 50, |_| {});
    mesh.wait_until_equal();
    client.set("own", "v");
    assert_eq!(client.get("own").as_deref(), Some("v"));
    assert!(present(&mut client, &written[&0]).is_empty());

    let reply = client.call("CONFIG SET masterauth secret");
    assert_eq!(reply, Value::Simple("OK".to_owned()));
    eventually("the right one opens its links", || {
        client.info()["connected_masters"] == "2"
            && present(&mut client, &written[&0]).len() == written[&0].len()
    });
}

#[test]
fn links_come_in_as_a_user_with_the_rights_of_a_replica() {
    let options = [
        "--user",
        "r",
        "on",
        ">s",
        "+psync",
        "+replconf",
        "+ping",
        "--masteruser",
        "r",
        "--masterauth",
        "s",
    ];
    let mesh = Mesh::full_with(2, &options);
    mesh.load(&[0, 1], "k", 20, |_| {});
    mesh.wait_until_equal();
    // A link ends with its user, and who has lost the right does not come in again.
    for node in &mesh.nodes {
        node.call("ACL DELUSER r");
        node.call("ACL SETUSER r on >s +@all -keymesh.link");
    }
    eventually("links are refused", || {
        mesh.nodes.iter().all(|node| {
            let info = node.client().info();
            info["connected_masters"] == "0" && info["acl_access_denied_cmd"] != "0"
        })
    });
    for node in &mesh.nodes {
        node.call("ACL SETUSER r +psync");
    }
    mesh.load(&[0, 1], "more", 20, |_| {});
    mesh.wait_until_equal();
}
