//! `queue-owner`: one master hands out what the keys of a pattern hold, whichever master is asked.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

/// Elements of the queue that all consume.
const ELEMENTS: usize = 500;
const PER_NODE: usize = ELEMENTS / 4;

/// A full mesh whose first node owns the keys `jobs:*`.
fn owned(count: usize, is_local: bool) -> Mesh {
    let mode = if is_local { "local" } else { "error" };
    let line = ["--queue-owner", "jobs:*", "127.0.0.1", "%first%"];
    let options = [&line[..], &["--queue-owner-unreachable", mode]].concat();
    Mesh::full_with(count, &options)
}

fn texts(value: &Value) -> Vec<&str> {
    value.array().iter().map(Value::text).collect()
}

/// Sends a command that waits, and waits until it does at the node that `observer` sees.
fn wait_in(client: &mut Client, observer: &mut Client, command: &str) {
    client.send_raw(format!("{command}\r\n").as_bytes());
    eventually("the client waits", || {
        observer.info_number("blocked_clients") == 1
    });
}

fn consume(client: &mut Client, is_blocking: bool, left: &AtomicUsize) -> Vec<String> {
    let mut got = Vec::new();
    while left.load(Ordering::Relaxed) > 0 {
        let element = if is_blocking {
            match client.call("BLPOP jobs:all 0.2") {
                Value::Array(both) => Some(both[1].text().to_owned()),
                Value::Null => None,
                other => panic!("{other:?}"),
            }
        } else {
            match client.call("LPOP jobs:all") {
                Value::Bulk(text) => Some(text),
                Value::Null => None,
                other => panic!("{other:?}"),
            }
        };
        if let Some(element) = element {
            left.fetch_sub(1, Ordering::Relaxed);
            got.push(element);
        }
    }
    got
}

#[test]
fn consumers_at_all_masters_get_every_element_exactly_once() {
    let mesh = owned(3, false);
    // The last quarter is there before.
    let mut client = mesh.nodes[2].client();
    for number in 0..PER_NODE {
        client.call(&format!("RPUSH jobs:all before:{number}"));
    }
    let left = AtomicUsize::new(ELEMENTS);
    let got: Vec<String> = thread::scope(|scope| {
        let mut consumers = Vec::new();
        for (at, node) in mesh.nodes.iter().enumerate() {
            scope.spawn(move || {
                let mut client = node.client();
                for number in 0..PER_NODE {
                    client.call(&format!("RPUSH jobs:all {at}:{number}"));
                }
            });
            for is_blocking in [false, true] {
                let (mut client, left) = (node.client(), &left);
                consumers.push(scope.spawn(move || consume(&mut client, is_blocking, left)));
            }
        }
        let all = consumers.into_iter().map(|one| one.join().unwrap());
        all.collect::<Vec<_>>().concat()
    });
    assert_eq!(got.len(), ELEMENTS);
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), ELEMENTS);
    mesh.wait_until_equal();
    for node in &mesh.nodes {
        assert_eq!(node.call("LLEN jobs:all").integer(), 0);
        assert_eq!(node.call("LPOP jobs:all"), Value::Null);
    }
    let forwarded = mesh.numbers("mesh_owner_forwarded");
    assert_eq!(forwarded[0], 0);
    assert!(forwarded[1] > 0 && forwarded[2] > 0, "{forwarded:?}");
    let served = mesh.numbers("mesh_owner_served");
    assert_eq!(served[1..], [0, 0]);
}

#[test]
fn a_client_finds_what_it_pushed_and_sees_what_it_took() {
    let mesh = owned(3, false);
    let mut client = mesh.nodes[1].client();
    for number in 1..=100 {
        assert_eq!(
            client.call(&format!("RPUSH jobs:a {number} x")).integer(),
            2
        );
        let expected = number.to_string();
        assert_eq!(client.call("LPOP jobs:a").text(), expected);
        assert_eq!(client.call("LLEN jobs:a").integer(), 1);
        assert_eq!(texts(&client.call("BRPOP jobs:a 0")), ["jobs:a", "x"]);
        assert_eq!(client.call("EXISTS jobs:a").integer(), 0);
    }
    client.call("SADD jobs:s a b c");
    assert_eq!(client.call("SREM jobs:s a z").integer(), 1);
    assert_eq!(client.call("SPOP jobs:s 5").array().len(), 2);
    assert_eq!(client.call("SCARD jobs:s").integer(), 0);
    assert_eq!(client.call("SET jobs:lock me NX PX 100000").text(), "OK");
    assert_eq!(client.call("GET jobs:lock").text(), "me");
    let mut other = mesh.nodes[2].client();
    assert_eq!(other.call("SET jobs:lock you NX"), Value::Null);
    assert_eq!(other.call("SETNX jobs:lock you").integer(), 0);
    assert_eq!(other.call("DEL jobs:lock").integer(), 1);
    assert_eq!(client.call("DEL jobs:lock").integer(), 0);
    client.call("ZADD jobs:z 1.5 m");
}

#[test]
fn who_is_given_an_element_finds_what_was_written_before_it_though_it_comes_by_a_slow_link() {
    let mesh = owned(3, false);
    let [mut owner, mut pusher, mut taker] = [0, 1, 2].map(|node| mesh.nodes[node].client());
    mesh.links[&(2, 1)].stall();
    let job: [&[&str]; 4] = [
        &["MULTI"],
        &["SET", "job:1", "what to do"],
        &["RPUSH", "jobs:all", "1"],
        &["EXEC"],
    ];
    for words in job {
        pusher.call_words(words);
    }
    eventually("the owner has it", || {
        owner.call("LLEN jobs:all").integer() == 1
    });
    taker.send_raw(b"LPOP jobs:all\r\nGET job:1\r\n");
    eventually("the owner hands it out", || {
        owner.info_number("mesh_owner_served") == 1
    });
    mesh.links[&(2, 1)].heal();
    assert_eq!(taker.next().text(), "1");
    assert_eq!(taker.next().text(), "what to do");
}

#[test]
fn who_is_refused_a_lock_sees_who_has_it() {
    let mesh = owned(2, false);
    let [mut owner, mut other] = [0, 1].map(|node| mesh.nodes[node].client());
    mesh.links[&(1, 0)].stall();
    assert_eq!(owner.call("SET jobs:lock me NX").text(), "OK");
    other.send_raw(b"SET jobs:lock you NX\r\nGET jobs:lock\r\n");
    eventually("the owner refuses it", || {
        owner.info_number("mesh_owner_served") == 1
    });
    mesh.links[&(1, 0)].heal();
    assert_eq!(other.next(), Value::Null);
    assert_eq!(other.next().text(), "me");
}

#[test]
fn errors_of_commands_and_of_keys_reach_the_client() {
    let mesh = owned(2, false);
    let mut client = mesh.nodes[1].client();
    client.call("SET jobs:text x");
    assert!(client.call("LPOP jobs:text").is_error("WRONGTYPE"));
    assert!(client.call("BLPOP jobs:text x").is_error("ERR timeout"));
    assert!(client.call("DEL jobs:a other").is_error("CROSSOWNER"));
    client.call("SELECT 3");
    client.call("RPUSH jobs:db a");
    assert_eq!(client.call("LPOP jobs:db").text(), "a");
    // What it does not own by its own lines it does not carry out.
    let mut owner = mesh.nodes[0].client();
    let words = ["CONFIG", "SET", "queue-owner", ""];
    assert_eq!(owner.call_words(&words).text(), "OK");
    assert!(client.call("LPOP jobs:a").is_error("NOTOWNER"));
}

#[test]
fn while_the_owner_is_away_commands_fail_or_wait_and_when_it_is_back_they_work() {
    let mesh = owned(3, false);
    let mut client = mesh.nodes[1].client();
    client.call("RPUSH jobs:a 1 2 3");
    assert_eq!(client.call("LPOP jobs:a").text(), "1");
    mesh.nodes[0].kill();
    assert!(client.call("LPOP jobs:a").is_error("OWNERDOWN"));
    assert_eq!(client.call("BLPOP jobs:a 0.3"), Value::Null);
    assert_eq!(client.call("LLEN jobs:a").integer(), 2);
    assert!(client.info_number("mesh_owner_failed") >= 2);
    let (mut waiter, mut observer) = (mesh.nodes[2].client(), mesh.nodes[2].client());
    wait_in(&mut waiter, &mut observer, "BLPOP jobs:a 0");
    mesh.nodes[0].restart();
    assert_eq!(texts(&waiter.next()), ["jobs:a", "2"]);
    assert_eq!(client.call("LPOP jobs:a").text(), "3");
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    assert_eq!(client.call("LPOP jobs:a"), Value::Null);
}

#[test]
fn where_it_is_told_so_a_master_goes_on_without_the_owner() {
    let mesh = owned(3, true);
    let mut client = mesh.nodes[1].client();
    client.call("RPUSH jobs:a 1 2 3");
    assert_eq!(client.call("LPOP jobs:a").text(), "1");
    mesh.nodes[0].kill();
    assert_eq!(client.call("LPOP jobs:a").text(), "2");
    assert_eq!(texts(&client.call("BLPOP jobs:a 0")), ["jobs:a", "3"]);
    wait_in(&mut client, &mut mesh.nodes[1].client(), "BLPOP jobs:a 0");
    mesh.nodes[2].call("RPUSH jobs:a 4");
    assert_eq!(texts(&client.next()), ["jobs:a", "4"]);
    assert!(client.info_number("mesh_owner_local") >= 3);
}

#[test]
fn who_waits_is_woken_by_a_third_master_and_who_goes_takes_nothing() {
    let mesh = owned(3, false);
    let mut owner = mesh.nodes[0].client();
    let mut client = mesh.nodes[1].client();
    wait_in(&mut client, &mut owner, "BLPOP jobs:a jobs:b 0");
    assert_eq!(mesh.nodes[1].client().info_number("blocked_clients"), 1);
    mesh.nodes[2].call("RPUSH jobs:b x");
    assert_eq!(texts(&client.next()), ["jobs:b", "x"]);
    wait_in(&mut client, &mut owner, "BLPOP jobs:a 0");
    drop(client);
    eventually("nobody waits at the owner", || {
        owner.info_number("blocked_clients") == 0
    });
    mesh.nodes[2].call("RPUSH jobs:a y");
    mesh.wait_until_equal();
    for node in &mesh.nodes {
        assert_eq!(node.call("LLEN jobs:a").integer(), 1);
    }
    assert_eq!(mesh.nodes[1].call("LPOP jobs:a").text(), "y");
}

#[test]
fn who_is_unblocked_or_waits_for_more_than_one_turn_is_answered() {
    let mesh = owned(2, false);
    let (mut client, mut observer) = (mesh.nodes[1].client(), mesh.nodes[1].client());
    let id = client.call("CLIENT ID").integer();
    let mut owner = mesh.nodes[0].client();
    wait_in(&mut client, &mut owner, "BLPOP jobs:a 0");
    let unblock = format!("CLIENT UNBLOCK {id} ERROR");
    assert_eq!(observer.call(&unblock).integer(), 1);
    assert!(matches!(client.next(), Value::Error(text) if text.starts_with("UNBLOCKED")));
    // Longer than an owner is asked to wait at a time.
    assert_eq!(client.call("BLPOP jobs:a 6"), Value::Null);
}

#[test]
fn a_paused_owner_hands_nothing_out_to_clients_of_others_either() {
    let mesh = owned(2, false);
    let (mut owner, mut client) = (mesh.nodes[0].client(), mesh.nodes[1].client());
    client.call("RPUSH jobs:a 1");
    mesh.wait_until_equal();
    assert_eq!(owner.call("CLIENT PAUSE 100000 WRITE").text(), "OK");
    client.send_raw(b"LPOP jobs:a\r\n");
    eventually("it is held back", || {
        owner.info_number("blocked_clients") == 1
    });
    assert_eq!(owner.call("LLEN jobs:a").integer(), 1);
    assert_eq!(owner.call("CLIENT UNPAUSE").text(), "OK");
    assert_eq!(client.next().text(), "1");
    assert_eq!(owner.call("LLEN jobs:a").integer(), 0);
}

#[test]
fn wait_asks_the_owner_who_has_what_it_wrote() {
    let mesh = owned(3, false);
    let mut client = mesh.nodes[1].client();
    assert_eq!(client.call("SET jobs:lock me NX").text(), "OK");
    // The owner's write is at both others.
    assert_eq!(client.call("WAIT 2 20000").integer(), 2);
    client.call("RPUSH own 1");
    assert_eq!(client.call("WAIT 2 20000").integer(), 2);
    mesh.isolate(2);
    assert_eq!(client.call("DEL jobs:lock").integer(), 1);
    assert_eq!(client.call("WAIT 1 20000").integer(), 1);
    assert_eq!(client.call("WAIT 2 300").integer(), 1);
    mesh.rejoin(2);
    assert_eq!(client.call("WAIT 2 60000").integer(), 2);
    assert_eq!(client.call("MULTI").text(), "OK");
    client.call("WAIT 2 0");
    let replies = client.call("EXEC");
    assert_eq!(replies.array()[0].integer(), 1);
    mesh.nodes[0].kill();
    assert_eq!(client.call("WAIT 1 300").integer(), 0);
}

#[test]
fn whoever_waits_for_replicas_of_an_owner_can_be_unblocked() {
    let mesh = owned(2, false);
    let (mut client, mut observer) = (mesh.nodes[1].client(), mesh.nodes[1].client());
    let id = client.call("CLIENT ID").integer();
    client.call("SET jobs:lock me NX");
    // More than there are, and longer than an owner is asked at a time.
    client.send_raw(b"WAIT 9 0\r\n");
    eventually("the client waits", || {
        observer.info_number("blocked_clients") == 1
    });
    let unblock = format!("CLIENT UNBLOCK {id}");
    assert_eq!(observer.call(&unblock).integer(), 1);
    client.next().integer();
    assert_eq!(client.call("WAIT 9 5500").integer(), 1);
}

#[test]
fn what_was_queued_goes_to_the_owner_of_by_now_and_what_waits_is_unblocked() {
    let mesh = owned(2, false);
    let (mut client, mut other) = (mesh.nodes[1].client(), mesh.nodes[1].client());
    let shown = other.call("CONFIG GET queue-owner");
    let lines = shown.array()[1].text().to_owned();
    let mut set_owner = |value: &str| {
        let words = ["CONFIG", "SET", "queue-owner", value];
        assert_eq!(other.call_words(&words).text(), "OK");
    };
    set_owner("");
    client.call("RPUSH jobs:a 1 2");
    assert_eq!(client.call("MULTI").text(), "OK");
    assert_eq!(client.call("LPOP jobs:a").text(), "QUEUED");
    set_owner(&lines);
    assert_eq!(client.call("EXEC").array()[0].text(), "1");
    assert_eq!(mesh.numbers("mesh_owner_forwarded")[1], 1);
    assert_eq!(client.call("LLEN jobs:a").integer(), 1);
    assert_eq!(client.call("MULTI").text(), "OK");
    assert_eq!(client.call("LLEN jobs:a").text(), "QUEUED");
    assert_eq!(client.call("EXEC").array()[0].integer(), 1);
    set_owner("");
    let mut observer = mesh.nodes[1].client();
    wait_in(&mut client, &mut observer, "BLPOP jobs:b 0");
    set_owner(&lines);
    observer.call("RPUSH jobs:b x");
    assert!(client.next().is_error("UNBLOCKED the queue-owner"));
    assert_eq!(observer.call("LLEN jobs:b").integer(), 1);
    assert_eq!(texts(&client.call("BLPOP jobs:b 0")), ["jobs:b", "x"]);
}
