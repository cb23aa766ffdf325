//! Messages, events and invalidations over a mesh: told once on every master, in their origin's order, and kept nowhere.

use std::collections::BTreeMap;

use crate::client::{Client, Value};
use crate::daemon::Daemon;
use crate::support::{MASTER, Mesh, eventually};

const MESSAGES: usize = 50;

/// One subscriber per master.
fn subscribers(mesh: &Mesh) -> Vec<Client> {
    let mut clients = mesh.clients();
    for client in &mut clients {
        assert_eq!(client.call("SUBSCRIBE news").array()[2], Value::Integer(1));
    }
    clients
}

fn payload(message: &Value) -> &str {
    let parts = message.array();
    assert_eq!(parts[0].text(), "message");
    assert_eq!(parts[1].text(), "news");
    parts[2].text()
}

/// Every subscriber hears, of each of these masters, the messages of this round once and in order, and nothing else before them.
fn all_hear(subscribers: &mut [Client], round: &str, origins: &[usize]) {
    for subscriber in subscribers {
        let mut next: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..origins.len() * MESSAGES {
            let message = subscriber.next();
            let words: Vec<&str> = payload(&message).split(':').collect();
            let [of, origin, number] = words[..] else {
                panic!("{message:?}");
            };
            assert_eq!(of, round, "comes twice or late");
            let next = next.entry(origin.to_owned()).or_default();
            assert_eq!(number, next.to_string(), "of {origin}");
            *next += 1;
        }
        assert_eq!(next.len(), origins.len());
    }
}

fn publish(mesh: &Mesh, round: &str, origins: &[usize]) {
    for number in 0..MESSAGES {
        for origin in origins {
            let message = format!("PUBLISH news {round}:{origin}:{number}");
            assert_eq!(
                mesh.nodes[*origin].client().call(&message),
                Value::Integer(1)
            );
        }
    }
}

fn exactly_once(mesh: &Mesh) {
    let mut subscribers = subscribers(mesh);
    let all: Vec<usize> = (0..mesh.nodes.len()).collect();
    publish(mesh, "whole", &all);
    all_hear(&mut subscribers, "whole", &all);
    let (a, b) = mesh.edges()[0];
    mesh.cut(a, b);
    publish(mesh, "cut", &all);
    mesh.heal(a, b);
    mesh.wait_until_whole();
    all_hear(&mut subscribers, "cut", &all);
    publish(mesh, "healed", &all);
    all_hear(&mut subscribers, "healed", &all);
    for node in &mesh.nodes {
        assert_eq!(node.client().call("DBSIZE"), Value::Integer(0));
    }
}

#[test]
fn in_a_full_mesh_every_master_tells_every_message_once() {
    exactly_once(&Mesh::full(3));
}

#[test]
fn in_a_ring_every_master_tells_every_message_once() {
    exactly_once(&Mesh::ring(4));
}

#[test]
fn in_a_star_every_master_tells_every_message_once() {
    exactly_once(&Mesh::star(4));
}

#[test]
fn shard_messages_travel_and_a_switch_keeps_them_at_home() {
    let mesh = Mesh::full(2);
    let mut hears = mesh.nodes[1].client();
    assert_eq!(hears.call("SSUBSCRIBE s").array()[2], Value::Integer(1));
    let mut says = mesh.nodes[0].client();
    says.call("CONFIG SET replicate-publish no");
    assert_eq!(says.call("SPUBLISH s home"), Value::Integer(0));
    says.call("CONFIG SET replicate-publish yes");
    assert_eq!(says.call("SPUBLISH s away"), Value::Integer(0));
    let message = hears.next();
    assert_eq!(message.array()[0].text(), "smessage");
    assert_eq!(message.array()[2].text(), "away");
}

#[test]
fn a_plain_replica_tells_the_messages_of_its_master_and_a_master_without_readers_keeps_none() {
    let master = Daemon::start(&[]);
    let mut says = master.client();
    assert_eq!(says.call("PUBLISH news alone"), Value::Integer(0));
    let replica = Daemon::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    let mut hears = replica.client();
    assert_eq!(hears.call("SUBSCRIBE news").array()[2], Value::Integer(1));
    let mut looks = replica.client();
    eventually("the link is up", || {
        looks.info().get("master_link_status").map(String::as_str) == Some("up")
    });
    says.call("PUBLISH news hello");
    assert_eq!(payload(&hears.next()), "hello");
}

#[test]
fn effects_of_other_masters_fire_events_and_invalidations() {
    let mesh = Mesh::full_with(2, &["--notify-keyspace-events", "KA"]);
    let mut writer = mesh.nodes[0].client();
    let (mut hears, mut reads, mut told) = (
        mesh.nodes[1].client(),
        mesh.nodes[1].client(),
        mesh.nodes[1].client(),
    );
    hears.call("SUBSCRIBE __keyspace@0__:k");
    let id = told.call("CLIENT ID").integer();
    told.call("SUBSCRIBE __redis__:invalidate");
    reads.call(&format!("CLIENT TRACKING on REDIRECT {id}"));
    assert_eq!(reads.call("GET k"), Value::Null);
    for (command, events) in [
        ("SET k 1 EX 100", &["set", "expire"][..]),
        ("INCR k", &["incrby"]),
        ("APPEND k 0", &["append"]),
        ("PERSIST k", &["persist"]),
        ("DEL k", &["del"]),
    ] {
        writer.call(command);
        for event in events {
            assert_eq!(hears.next().array()[2].text(), *event);
        }
        let keys = told.next();
        assert_eq!(keys.array()[2].array()[0].text(), "k", "after {command}");
        reads.call("GET k");
    }
    writer.call("SET k 1");
    assert_eq!(hears.next().array()[2].text(), "set");
    told.next();
    reads.call("GET k");
    writer.call("FLUSHALL");
    assert_eq!(told.next().array()[2], Value::Null);
    assert!(MASTER.contains(&"--multi-master"));
}

#[test]
fn a_link_ends_by_its_number_and_comes_again() {
    let mesh = Mesh::full(2);
    let mut client = mesh.nodes[0].client();
    for flags in [" flags=M ", " flags=S "] {
        let list = client.call("CLIENT LIST");
        let line = list.text().lines().find(|line| line.contains(flags));
        let line = line.unwrap_or_else(|| panic!("no {flags} in {list:?}"));
        let id = line.split(' ').next().unwrap().replace("id=", "");
        let one = client.call(&format!("CLIENT LIST ID {id}"));
        assert_eq!(one.text().lines().count(), 1);
        assert_eq!(
            client.call(&format!("CLIENT KILL ID {id}")),
            Value::Integer(1)
        );
        mesh.wait_until_whole();
        // The other direction's link may still be coming back.
        eventually("both links show again", || {
            let list = client.call("CLIENT LIST");
            [" flags=M ", " flags=S "]
                .iter()
                .all(|flags| list.text().contains(flags))
        });
    }
}

#[test]
fn subscribers_of_all_masters_are_counted_but_for_those_that_cannot_be_asked() {
    let mesh = Mesh::full(3);
    let mut hears: Vec<Client> = mesh.clients();
    for (nth, client) in hears.iter_mut().enumerate() {
        client.call("SUBSCRIBE news");
        client.call(&format!("SUBSCRIBE own:{nth}"));
        client.call("SSUBSCRIBE shard");
    }
    let asks = "PUBSUB NUMSUB news own:2 nobody";
    let counted = |client: &mut Client| {
        let reply = client.call(asks);
        let reply = reply.array();
        assert_eq!(reply[0].text(), "news");
        assert_eq!(reply[2].text(), "own:2");
        assert_eq!(reply[4].text(), "nobody");
        [reply[1].clone(), reply[3].clone(), reply[5].clone()]
    };
    let numbers = |all: [i64; 3]| all.map(Value::Integer);
    for mut client in mesh.clients() {
        assert_eq!(counted(&mut client), numbers([3, 1, 0]));
        let shard = client.call("PUBSUB SHARDNUMSUB shard");
        assert_eq!(shard.array()[1], Value::Integer(3));
        assert_eq!(client.call("PUBSUB NUMSUB").array().len(), 0);
        // Where nobody may wait, this master's own.
        client.call("MULTI");
        client.call(asks);
        assert_eq!(client.call("EXEC").array()[0].array()[1], Value::Integer(1));
        let script = "return redis.call('pubsub', 'numsub', 'news')";
        let reply = client.call_words(&["EVAL", script, "0"]);
        assert_eq!(reply.array()[1], Value::Integer(1));
        client.call("CONFIG SET replicate-publish no");
        assert_eq!(client.call(asks).array()[1], Value::Integer(1));
        client.call("CONFIG SET replicate-publish yes");
    }
    mesh.cut(0, 2);
    let mut client = mesh.nodes[0].client();
    eventually("the third cannot be asked", || {
        counted(&mut client) == numbers([2, 0, 0])
    });
    mesh.heal(0, 2);
    mesh.wait_until_whole();
    assert_eq!(counted(&mut client), numbers([3, 1, 0]));
    // One that goes is counted no more.
    drop(hears.pop());
    eventually("it is gone", || counted(&mut client) == numbers([2, 0, 0]));
}
