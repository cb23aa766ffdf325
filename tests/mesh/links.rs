//! Links that are cut, stalled and restored while clients write.

use crate::client::Client;
use crate::client::Value;
use crate::proxy::Proxy;
use crate::support::{Mesh, eventually};

const WRITES: usize = 300;

#[test]
fn each_link_in_turn_is_cut_and_restored_and_no_write_is_lost() {
    let mesh = Mesh::full(3);
    let before = mesh.numbers("mesh_merges");
    let mut written = Vec::new();
    for (round, (a, b)) in mesh.edges().into_iter().enumerate() {
        let load = mesh.load(&[0, 1, 2], &format!("r{round}"), WRITES, |progress| {
            eventually("writes are under way", || progress() > WRITES / 4);
            mesh.cut(a, b);
            eventually("writes go on", || progress() > WRITES / 2);
            mesh.heal(a, b);
        });
        written.extend(load.into_values().flatten());
        mesh.wait_until_whole();
    }
    assert_eq!(written.len(), 3 * 3 * WRITES, "a cut link refused writes");
    mesh.wait_until_equal();
    for node in 0..3 {
        mesh.assert_present(node, &written);
    }
    assert_eq!(
        mesh.numbers("mesh_merges"),
        before,
        "a cut ended in a full sync"
    );
}

#[test]
fn while_a_direct_link_is_cut_the_third_master_carries_its_writes() {
    let mesh = Mesh::full(3);
    mesh.cut(0, 1);
    let mut clients = mesh.clients();
    clients[0].set("a", "1");
    clients[1].set("b", "2");
    eventually("each has the other's write", || {
        clients[1].get("a").is_some() && clients[0].get("b").is_some()
    });
    mesh.heal(0, 1);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
}

#[test]
fn a_direct_link_that_has_gone_silent_is_given_up_and_the_third_master_carries_its_writes() {
    let mesh = Mesh::full_with(3, &["--repl-timeout", "2"]);
    let mut clients = mesh.clients();
    mesh.links[&(1, 0)].stall();
    clients[0].set("a", "1");
    eventually("the write takes the other way", || {
        clients[1].get("a").is_some()
    });
    mesh.links[&(1, 0)].heal();
    clients[0].set("b", "1");
    eventually("writes go on", || clients[1].get("b").is_some());
    mesh.wait_until_equal();
}

#[test]
fn an_entry_that_names_its_own_node_is_nothing_to_wait_for() {
    let mesh = Mesh::full(2);
    let mut client = mesh.nodes[0].client();
    let lines_before = client.call("CLIENT LIST").text().lines().count();
    let itself = format!("REPLICAOF 127.0.0.1 {}", mesh.nodes[0].port);
    assert_eq!(client.call(&itself), Value::Simple("OK".to_owned()));
    eventually("all entries are up", || {
        let info = client.info();
        info["connected_masters"] == "2" && info["master_global_link_status"] == "up"
    });
    eventually("no connection is shown for it", || {
        client.call("CLIENT LIST").text().lines().count() == lines_before
    });
    let load = mesh.load(&[0, 1], "k", 50, |_| {});
    mesh.wait_until_equal();
    mesh.assert_present(0, &load[&1]);
}

#[test]
fn one_direction_of_a_link_may_be_cut_alone() {
    let mesh = Mesh::full(3);
    mesh.links[&(2, 0)].cut();
    let load = mesh.load(&[0, 1, 2], "k", WRITES, |_| {});
    mesh.wait_until_equal();
    for node in 0..3 {
        mesh.assert_present(node, &load.values().flatten().cloned().collect::<Vec<_>>());
    }
}

#[test]
fn in_a_full_mesh_each_write_crosses_each_direct_link_once() {
    let mesh = Mesh::full(3);
    mesh.wait_until_equal();
    mesh.wait_until_direct();
    let sum = |name: &str| mesh.numbers(name).into_iter().sum::<i64>();
    let (out, duplicates) = (sum("mesh_records_out"), sum("mesh_duplicates"));
    let (sent, received) = (
        sum("total_net_repl_output_bytes"),
        sum("total_net_repl_input_bytes"),
    );
    let carried = |proxy: &Proxy| proxy.bytes_from_server() as usize;
    let before: Vec<usize> = mesh.links.values().map(carried).collect();
    // Long, so that the links' other talk counts for little beside them.
    let prefix = "k".repeat(1_000);
    let load = mesh.load(&[0, 1, 2], &prefix, WRITES, |_| {});
    let written: Vec<String> = load.into_values().flatten().collect();
    eventually("all have arrived", || {
        let mut clients = mesh.clients();
        clients
            .iter_mut()
            .all(|client| crate::support::present(client, &written).len() == written.len())
    });
    assert_eq!(sum("mesh_records_out") - out, 2 * written.len() as i64);
    assert_eq!(sum("mesh_duplicates"), duplicates);
    // Key and value of each write once, on each link.
    let once = WRITES * 2 * prefix.len();
    for ((link, proxy), before) in mesh.links.iter().zip(before) {
        let bytes = carried(proxy) - before;
        assert!(once < bytes && bytes < once + once / 2, "{link:?}: {bytes}");
    }
    let all = (once * mesh.links.len()) as i64;
    for (name, before) in [
        ("total_net_repl_output_bytes", sent),
        ("total_net_repl_input_bytes", received),
    ] {
        let bytes = sum(name) - before;
        assert!(all < bytes && bytes < all + all / 2, "{name}: {bytes}");
    }
}

#[test]
fn wait_counts_the_masters_that_have_the_write() {
    let mesh = Mesh::full(3);
    let mut client = mesh.nodes[0].client();
    client.set("k", "v");
    assert_eq!(client.call("WAIT 2 5000").integer(), 2);
    mesh.isolate(0);
    eventually("the readers are gone", || {
        client.info()["connected_slaves"] == "0"
    });
    client.set("k", "w");
    assert_eq!(client.call("WAIT 2 50").integer(), 0);
}

/// A journal that holds little, so that a link that was down for long cannot go on where it was.
const SMALL_JOURNAL: &[&str] = &["--repl-backlog-size", "16kb"];

#[test]
fn a_node_that_was_away_for_longer_than_the_journal_holds_merges_and_deletes_stay_deleted() {
    let mesh = Mesh::full_with(3, SMALL_JOURNAL);
    let mut clients = mesh.clients();
    let doomed: Vec<String> = (0..50).map(|number| format!("doomed:{number}")).collect();
    for key in &doomed {
        clients[0].set(key, key);
    }
    mesh.wait_until_equal();
    let merges = mesh.numbers("mesh_merges")[0];

    mesh.each_link_of(0, |link| link.stall());
    for key in &doomed {
        clients[1].call(&format!("DEL {key}"));
    }
    clients[0].set("alone", "alone");
    let filler = "x".repeat(200);
    for number in 0..1000 {
        clients[1 + number % 2].set(&format!("filler:{number}"), &filler);
    }
    // What the stalled links hold is lost with them.
    mesh.isolate(0);
    mesh.rejoin(0);
    mesh.wait_until_whole();
    mesh.wait_until_equal();

    // All may be there before the last word of it is.
    eventually("a full sync has ended", || {
        mesh.numbers("mesh_merges")[0] > merges
    });
    for client in &mut clients {
        for key in &doomed {
            assert_eq!(client.get(key), None);
        }
        assert_eq!(client.get("alone").as_deref(), Some("alone"));
        assert_eq!(client.get("filler:999").as_deref(), Some(filler.as_str()));
    }
}

#[test]
fn a_stalled_link_that_comes_to_life_again_goes_on_where_it_was() {
    let mesh = Mesh::full(2);
    mesh.each_link_of(0, |link| link.stall());
    let load = mesh.load(&[0, 1], "k", WRITES, |_| {});
    let (mut first, second) = (mesh.nodes[0].client(), &load[&1]);
    assert!(crate::support::present(&mut first, second).is_empty());
    mesh.rejoin(0);
    mesh.wait_until_equal();
    mesh.assert_present(0, second);
    mesh.assert_present(1, &load[&0]);
}

#[test]
fn whoever_reads_is_listed_as_a_client_and_comes_again_after_it_was_killed() {
    let mesh = Mesh::full(2);
    let mut client = mesh.nodes[0].client();
    let listed = |client: &mut Client, kind: &str| {
        let list = client.call(&format!("CLIENT LIST TYPE {kind}"));
        list.text().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let replicas = listed(&mut client, "replica");
    assert_eq!(replicas.len(), 1, "{replicas:?}");
    assert!(replicas[0].contains(" flags=S "));
    let masters = listed(&mut client, "master");
    assert!(masters.len() == 1 && masters[0].contains(" flags=M "));
    assert_eq!(client.call("CLIENT KILL TYPE replica").integer(), 1);
    eventually("another connection is listed", || {
        let now = listed(&mut client, "replica");
        now.len() == 1 && now != replicas
    });
    mesh.wait_until_whole();
    mesh.wait_until_equal();
}

#[test]
fn a_write_that_is_longer_than_a_frame_reaches_the_others_and_so_does_what_follows() {
    let mesh = Mesh::full_with(2, &["--repl-backlog-size", "1gb"]);
    let mut clients = mesh.clients();
    let value = "v".repeat(40 * 1024 * 1024);
    let told = clients[0].call_words(&["MSET", "a", &value, "b", &value]);
    assert_eq!(told.text(), "OK");
    clients[0].call("INCR later");
    eventually("what followed is there", || {
        clients[1].get("later").is_some()
    });
    let len = Value::Integer(value.len() as i64);
    assert_eq!(clients[1].call("STRLEN a"), len);
    assert_eq!(clients[1].call("STRLEN b"), len);
    assert_eq!(mesh.numbers("mesh_merges"), [0, 0]);
}
