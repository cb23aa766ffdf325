//! Streams of two masters: no entry is lost, none comes twice, and who reads by ids misses none.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

/// Entries that each master adds.
const ENTRIES: usize = 500;

/// The ids and values of entries.
fn entries(reply: &Value) -> Vec<(String, String)> {
    let entries = reply.array().iter().map(|entry| {
        let [id, fields] = entry.array() else {
            panic!("{entry:?}")
        };
        (id.text().to_owned(), fields.array()[1].text().to_owned())
    });
    entries.collect()
}

/// All of a stream.
fn all(client: &mut Client, key: &str) -> Vec<(String, String)> {
    entries(&client.call(&format!("XRANGE {key} - +")))
}

/// What a read of one stream brings.
fn read(client: &mut Client, command: &str) -> Vec<(String, String)> {
    match client.call(command) {
        Value::Null => Vec::new(),
        reply => entries(&reply.array()[0].array()[1]),
    }
}

/// The parts of an id, to be compared.
fn order(id: &str) -> (u64, u64) {
    let (ms, seq) = id.split_once('-').unwrap();
    (ms.parse().unwrap(), seq.parse().unwrap())
}

#[test]
fn what_two_masters_add_apart_is_all_there_once_and_in_the_order_of_ids() {
    for options in [&[][..], &["--repl-backlog-size", "16kb"]] {
        let mesh = Mesh::start(2, &[(0, 1)], options);
        mesh.wait_until_whole();
        let mut clients = mesh.clients();
        for number in 0..20 {
            clients[0].call(&format!("XADD s * n before:{number}"));
        }
        mesh.wait_until_equal();
        mesh.isolate(1);
        for number in 0..ENTRIES {
            for (at, client) in clients.iter_mut().enumerate() {
                client.call(&format!("XADD s * n {at}:{number}"));
            }
        }
        // What is trimmed here is what was here.
        assert_eq!(clients[0].call("XTRIM s MAXLEN 400").integer(), 120);
        let first = all(&mut clients[1], "s")[0].0.clone();
        assert_eq!(clients[1].call(&format!("XDEL s {first}")).integer(), 1);
        mesh.rejoin(1);
        mesh.wait_until_whole();
        mesh.wait_until_equal();
        let both = clients.iter_mut().map(|client| all(client, "s"));
        let [a, b] = &both.collect::<Vec<_>>()[..] else {
            panic!("there are two")
        };
        assert_eq!(a, b);
        assert_eq!(a.len(), 400 + ENTRIES);
        assert!(a.is_sorted_by(|(one, _), (other, _)| order(one) < order(other)));
        let values: BTreeSet<_> = a.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values.len(), a.len());
        for number in 0..ENTRIES {
            assert!(values.contains(format!("1:{number}").as_str()), "{number}");
        }
        let added = clients[0].call("XINFO STREAM s");
        assert_eq!(added.array()[11].integer(), 20 + 2 * ENTRIES as i64);
    }
}

#[test]
fn who_reads_stable_entries_by_their_ids_misses_none() {
    let mesh = Mesh::full(2);
    let is_over = AtomicBool::new(false);
    let got = thread::scope(|scope| {
        let writers: Vec<_> = mesh
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| {
                scope.spawn(move || {
                    let mut client = node.client();
                    for number in 0..ENTRIES {
                        client.call(&format!("XADD s * n {at}:{number}"));
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut client = mesh.nodes[1].client();
            let (mut last, mut got) = ("0-0".to_owned(), Vec::new());
            while !(is_over.load(Ordering::Relaxed) && got.len() >= 2 * ENTRIES) {
                let command = format!("XREAD STABLE COUNT 50 BLOCK 2000 STREAMS s {last}");
                let more = read(&mut client, &command);
                if let Some((id, _)) = more.last() {
                    last = id.clone();
                }
                got.extend(more);
            }
            got
        });
        writers.into_iter().for_each(|one| one.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert_eq!(got.len(), 2 * ENTRIES);
    mesh.wait_until_equal();
    assert_eq!(got, all(&mut mesh.nodes[0].client(), "s"));
}

/// How many are pending for a group.
fn pending(client: &mut Client, key: &str) -> i64 {
    client.call(&format!("XPENDING {key} g")).array()[0].integer()
}

#[test]
fn what_is_acknowledged_at_one_master_is_pending_at_none() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    clients[0].call("XGROUP CREATE s g $ MKSTREAM");
    for number in 0..100 {
        clients[0].call(&format!("XADD s * n {number}"));
    }
    mesh.wait_until_equal();
    let got = read(&mut clients[0], "XREADGROUP GROUP g c COUNT 60 STREAMS s >");
    assert_eq!(got.len(), 60);
    mesh.wait_until_equal();
    assert_eq!(pending(&mut clients[1], "s"), 60);
    // The other master goes on where this one has come to.
    let more = read(&mut clients[1], "XREADGROUP GROUP g d STREAMS s >");
    assert_eq!(more.len(), 40);
    for (id, _) in got.iter().chain(&more) {
        assert_eq!(clients[1].call(&format!("XACK s g {id}")).integer(), 1);
    }
    mesh.wait_until_equal();
    for client in &mut clients {
        assert_eq!(pending(client, "s"), 0);
        let group = client.call("XINFO GROUPS s");
        let group = group.array()[0].array();
        assert_eq!((group[9].integer(), group[11].integer()), (100, 0));
    }
}

#[test]
fn entries_that_two_masters_deliver_apart_are_gone_once_either_consumer_is_done() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    clients[0].call("XGROUP CREATE s g $ MKSTREAM");
    for number in 0..10 {
        clients[0].call(&format!("XADD s * n {number}"));
    }
    mesh.wait_until_equal();
    mesh.isolate(1);
    let [a, b] = &mut clients[..] else {
        panic!("there are two")
    };
    let at_a = read(a, "XREADGROUP GROUP g of-a STREAMS s >");
    let at_b = read(b, "XREADGROUP GROUP g of-b STREAMS s >");
    // At least once: both have all of them.
    assert_eq!((at_a.len(), &at_a), (10, &at_b));
    mesh.rejoin(1);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    assert_eq!(pending(a, "s"), 10);
    for (id, _) in &at_a {
        assert_eq!(a.call(&format!("XACK s g {id}")).integer(), 1);
    }
    mesh.wait_until_equal();
    assert_eq!((pending(a, "s"), pending(b, "s")), (0, 0));
}

#[test]
fn a_group_is_given_what_it_had_gone_past_before_that_came() {
    for no_ack in ["", "NOACK "] {
        let mesh = Mesh::full(2);
        let mut clients = mesh.clients();
        clients[0].call("XGROUP CREATE s g 0 MKSTREAM");
        mesh.wait_until_equal();
        mesh.isolate(1);
        let command = format!("XREADGROUP GROUP g c {no_ack}STREAMS s >");
        let mut got = Vec::new();
        for number in 0..20 {
            // Those of the second master have lower ids than the first one's that are read at once.
            for at in [1, 0] {
                clients[at].call(&format!("XADD s * n {at}:{number}"));
            }
            got.extend(read(&mut clients[0], &command));
        }
        assert_eq!(got.len(), 20);
        mesh.rejoin(1);
        mesh.wait_until_whole();
        mesh.wait_until_equal();
        for client in &mut clients {
            got.extend(read(client, &command));
            mesh.wait_until_equal();
        }
        let values: BTreeSet<&str> = got.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!((got.len(), values.len()), (40, 40));
        let left = if no_ack.is_empty() { 40 } else { 0 };
        assert_eq!(pending(&mut clients[1], "s"), left);
    }
}

#[test]
fn a_consumer_that_is_deleted_keeps_what_it_was_given_at_another_master_meanwhile() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    clients[0].call("XGROUP CREATE s g 0 MKSTREAM");
    clients[0].call("XADD s * n here");
    assert_eq!(
        read(&mut clients[0], "XREADGROUP GROUP g c STREAMS s >").len(),
        1
    );
    clients[0].call("XADD s * n there");
    mesh.wait_until_equal();
    mesh.isolate(1);
    assert_eq!(
        read(&mut clients[1], "XREADGROUP GROUP g c STREAMS s >").len(),
        1
    );
    assert_eq!(clients[0].call("XGROUP DELCONSUMER s g c").integer(), 1);
    mesh.rejoin(1);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for client in &mut clients {
        assert_eq!(pending(client, "s"), 1);
    }
    let claimed = clients[0].call("XAUTOCLAIM s g d 0 0");
    let claimed = entries(&claimed.array()[1]);
    assert_eq!(
        claimed
            .iter()
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>(),
        ["there"]
    );
}

#[test]
fn an_owner_of_a_stream_gives_each_entry_to_one_consumer_wherever_that_asks() {
    let line = ["--queue-owner", "jobs:*", "127.0.0.1", "%first%"];
    let options = [&line[..], &["--queue-owner-unreachable", "error"]].concat();
    let mesh = Mesh::full_with(2, &options);
    let mut clients = mesh.clients();
    clients[0].call("XGROUP CREATE jobs:s g $ MKSTREAM");
    mesh.wait_until_equal();
    let left = AtomicUsize::new(ENTRIES);
    let got = thread::scope(|scope| {
        let mut consumers = Vec::new();
        for (at, node) in mesh.nodes.iter().enumerate() {
            let left = &left;
            consumers.push(scope.spawn(move || {
                let (mut client, mut got) = (node.client(), Vec::new());
                let command =
                    format!("XREADGROUP GROUP g c{at} COUNT 3 BLOCK 100 STREAMS jobs:s >");
                while left.load(Ordering::Relaxed) > 0 {
                    for (id, value) in read(&mut client, &command) {
                        assert_eq!(client.call(&format!("XACK jobs:s g {id}")).integer(), 1);
                        got.push(value);
                        left.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                got
            }));
        }
        for number in 0..ENTRIES {
            clients[number % 2].call(&format!("XADD jobs:s * n {number}"));
        }
        let all = consumers.into_iter().map(|one| one.join().unwrap());
        all.collect::<Vec<_>>().concat()
    });
    assert_eq!(got.len(), ENTRIES);
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), ENTRIES);
    mesh.wait_until_equal();
    assert_eq!(pending(&mut clients[1], "jobs:s"), 0);
    assert!(mesh.numbers("mesh_owner_forwarded")[1] > 0);
}

#[test]
fn a_reader_that_waits_is_given_what_another_master_adds() {
    let mesh = Mesh::full(2);
    let [mut a, mut b] = [0, 1].map(|node: usize| mesh.nodes[node].client());
    a.call("XADD s 1-1 n before");
    mesh.wait_until_equal();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut client = mesh.nodes[1].client();
                scope.spawn(move || read(&mut client, "XREAD BLOCK 0 STREAMS s $"))
            })
            .collect();
        eventually("they wait", || b.info_number("blocked_clients") == 3);
        a.call("XADD s * n after");
        for reader in readers {
            let got = reader.join().unwrap();
            assert_eq!(got.len(), 1);
            assert_eq!(got[0].1, "after");
        }
    });
}
