//! Nodes that are not who they were: forgotten ones that come back, states that are lost or put back from an old copy.

use std::fs;

use crate::client::Value;
use crate::daemon::Daemon;
use crate::support::{Mesh, eventually};

const FORGET_SOON: &[&str] = &["--replication-forget-replaced-after", "300"];

fn id(node: &Daemon) -> String {
    node.client().info()["mesh_node_id"].clone()
}

/// Everybody counts everybody, nothing waits for anybody, and all hold the same.
fn come_to_rest(mesh: &Mesh) {
    mesh.nodes[0].client().set("gone", "soon");
    mesh.wait_until_equal();
    mesh.nodes[0].call("DEL gone");
    eventually("nothing is pending anywhere", || {
        mesh.nodes.iter().all(|node| {
            let mut client = node.client();
            client.mesh_status("established") == 1
                && client.mesh_status("tombstones") == 0
                && client.mesh_status("unsettled_keys") == 0
        })
    });
    mesh.wait_until_equal();
}

#[test]
fn a_forgotten_node_that_comes_back_goes_on_under_a_new_id_and_brings_what_it_wrote() {
    let mesh = Mesh::full(3);
    let before = mesh.load(&[0, 1, 2], "before", 50, |_| {});
    mesh.wait_until_equal();
    let old = id(&mesh.nodes[2]);
    mesh.isolate(2);
    let alone = mesh.load(&[0, 1, 2], "alone", 50, |_| {});
    for node in &mesh.nodes {
        node.call("INCR count");
    }
    assert_eq!(
        mesh.nodes[0].call(&format!("MESH FORGET {old}")).text(),
        "OK"
    );
    mesh.nodes[0].call("DEL before:2:0");
    eventually("nothing waits for it", || {
        mesh.nodes[1].client().mesh_status("tombstones") == 0
            && mesh.nodes[1].get("before:2:0").is_none()
    });
    mesh.rejoin(2);
    eventually("it has another id", || id(&mesh.nodes[2]) != old);
    come_to_rest(&mesh);
    for node in 0..3 {
        mesh.assert_present(node, &before[&2][1..]);
        for keys in alone.values() {
            mesh.assert_present(node, keys);
        }
        assert_eq!(mesh.nodes[node].get("count").as_deref(), Some("3"));
        assert_eq!(mesh.nodes[node].get("before:2:0"), None);
    }
}

#[test]
fn a_node_that_lost_its_state_takes_its_old_place_and_nobody_waits_for_the_old_one() {
    let mesh = Mesh::full_with(3, FORGET_SOON);
    let written = mesh.load(&[0, 1, 2], "k", 50, |_| {});
    mesh.wait_until_equal();
    let old = id(&mesh.nodes[2]);
    mesh.nodes[2].kill();
    fs::remove_file(mesh.nodes[2].state_path()).unwrap();
    mesh.nodes[2].restart();
    assert_ne!(id(&mesh.nodes[2]), old);
    come_to_rest(&mesh);
    for node in 0..3 {
        for keys in written.values() {
            mesh.assert_present(node, keys);
        }
    }
}

/// How old MESH EXPLAIN says a write is.
fn explained_age_ms(explained: &Value) -> i64 {
    let mut pairs = explained.array().chunks_exact(2);
    let age = pairs.find(|pair| pair[0] == Value::Bulk("age_ms".to_owned()));
    age.expect("an age")[1].integer()
}

#[test]
fn a_node_whose_state_was_put_back_from_an_old_copy_goes_on_under_a_new_id() {
    let mesh = Mesh::full_with(3, FORGET_SOON);
    let node = &mesh.nodes[2];
    let copy = fs::read(node.state_path()).unwrap();
    for _ in 0..2 {
        node.kill();
        node.restart();
        mesh.wait_until_whole();
    }
    let written = mesh.load(&[0, 1, 2], "k", 50, |_| {});
    mesh.wait_until_equal();
    let old = id(node);
    // After a crash a node stamps from where its lease ended: a life that begins below what an earlier one has stamped is a case
    // of its own, which is not this one's.
    eventually("its stamps are not ahead of its clock any more", || {
        let mut client = node.client();
        client.set("now", "v");
        explained_age_ms(&client.call("MESH EXPLAIN now")) >= 0
    });
    node.kill();
    fs::write(node.state_path(), copy).unwrap();
    node.restart();
    node.client().set("as somebody else", "v");
    eventually("it has another id", || id(node) != old);
    come_to_rest(&mesh);
    for place in 0..3 {
        for keys in written.values() {
            mesh.assert_present(place, keys);
        }
        assert_eq!(
            mesh.nodes[place].get("as somebody else").as_deref(),
            Some("v")
        );
    }
}
