//! What concurrent writes mean: the same on every master.

use std::thread;
use std::time::Instant;

use crate::client::Value;
use crate::support::{Mesh, eventually};

const STEPS: usize = 200;

#[test]
fn increments_on_all_masters_add_up_across_cuts() {
    let mesh = Mesh::full(3);
    let (edges, mut clients) = (mesh.edges(), mesh.clients());
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| {
                for _ in 0..STEPS {
                    client.call("INCR total").integer();
                    client.call("INCRBY by -3").integer();
                }
            });
        }
        for (a, b) in edges {
            mesh.cut(a, b);
            mesh.nodes[a].client().call("INCR total").integer();
            mesh.heal(a, b);
        }
    });
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for client in &mut clients {
        assert_eq!(client.get("total"), Some((3 * STEPS + 3).to_string()));
        assert_eq!(client.get("by"), Some((-9 * STEPS as i64).to_string()));
    }
}

#[test]
fn appended_pieces_are_all_there_once_and_in_the_same_order_everywhere() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    thread::scope(|scope| {
        for (node, client) in clients.iter_mut().enumerate() {
            scope.spawn(move || {
                for step in 0..STEPS {
                    client
                        .call(&format!("APPEND text {node}.{step};"))
                        .integer();
                }
            });
        }
        mesh.cut(0, 1);
        mesh.heal(0, 1);
    });
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    let text = clients[0].get("text").unwrap();
    for client in &mut clients {
        assert_eq!(client.get("text").as_ref(), Some(&text));
    }
    let mut pieces: Vec<&str> = text.split_terminator(';').collect();
    for node in 0..3 {
        let own = pieces
            .iter()
            .filter(|piece| piece.starts_with(&format!("{node}.")));
        let expected: Vec<String> = (0..STEPS).map(|step| format!("{node}.{step}")).collect();
        assert!(
            own.eq(expected.iter()),
            "the pieces of {node} are out of order"
        );
    }
    pieces.sort_unstable();
    pieces.dedup();
    assert_eq!(pieces.len(), 3 * STEPS);
}

#[test]
fn a_key_deleted_while_a_master_was_away_stays_deleted() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    for key in ["one", "two", "three"] {
        clients[2].set(key, "v");
    }
    mesh.wait_until_equal();
    mesh.isolate(2);
    assert_eq!(clients[0].call("DEL one two"), Value::Integer(2));
    assert_eq!(clients[2].get("one").as_deref(), Some("v"));
    mesh.rejoin(2);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for client in &mut clients {
        assert_eq!(client.get("one"), None);
        assert_eq!(client.get("two"), None);
        assert_eq!(client.get("three").as_deref(), Some("v"));
    }
}

#[test]
fn the_later_of_concurrent_writes_counts_everywhere() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    for key in ["set-last", "del-last"] {
        clients[0].set(key, "old");
    }
    mesh.wait_until_equal();
    mesh.isolate(0);
    mesh.isolate(1);
    // One machine, one clock: the second of two writes in a row bears the later stamp unless their masters' clocks differ, and they
    // have met until a moment ago.
    clients[0].call("DEL set-last");
    clients[0].set("del-last", "new");
    let since = Instant::now();
    eventually("time passes", || since.elapsed().as_millis() > 2);
    clients[1].set("set-last", "new");
    clients[1].call("DEL del-last");
    mesh.rejoin(0);
    mesh.rejoin(1);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for client in &mut clients {
        assert_eq!(client.get("set-last").as_deref(), Some("new"));
        assert_eq!(client.get("del-last"), None);
    }
}

#[test]
fn concurrent_sets_and_deletes_of_the_same_keys_end_equal() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    thread::scope(|scope| {
        for (node, client) in clients.iter_mut().enumerate() {
            scope.spawn(move || {
                for step in 0..STEPS {
                    let key = format!("key:{}", step % 7);
                    if (step + node) % 3 == 0 {
                        client.call(&format!("DEL {key}")).integer();
                    } else {
                        client.set(&key, &format!("{node}:{step}"));
                    }
                }
            });
        }
        mesh.cut(1, 2);
        mesh.heal(1, 2);
    });
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for key in 0..7 {
        let key = format!("key:{key}");
        let values: Vec<_> = clients.iter_mut().map(|client| client.get(&key)).collect();
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
    }
}

#[test]
fn a_key_with_a_deadline_disappears_everywhere() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    clients[0].call("SET short v PX 700");
    eventually("all have it", || {
        clients
            .iter_mut()
            .all(|client| client.get("short").is_some())
    });
    eventually("it is gone everywhere", || {
        clients
            .iter_mut()
            .all(|client| client.get("short").is_none())
    });
    mesh.wait_until_equal();
}

#[test]
fn persist_on_another_master_before_the_deadline_keeps_the_key_everywhere() {
    let mesh = Mesh::full(3);
    let mut clients = mesh.clients();
    clients[0].call("SET kept v PX 3000");
    eventually("it has arrived", || clients[1].get("kept").is_some());
    assert_eq!(clients[1].call("PERSIST kept"), Value::Integer(1));
    eventually("all know", || {
        clients
            .iter_mut()
            .all(|client| client.call("PTTL kept") == Value::Integer(-1))
    });
    // Bears a later deadline than the kept key bore: once this is gone, that one's time has passed.
    clients[2].call("SET witness v PX 3100");
    eventually("its time has passed everywhere", || {
        clients
            .iter_mut()
            .all(|client| client.get("witness").is_none())
    });
    for client in &mut clients {
        assert_eq!(client.get("kept").as_deref(), Some("v"));
    }
    mesh.wait_until_equal();
}
