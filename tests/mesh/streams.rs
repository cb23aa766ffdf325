//! Streams of two masters: no entry is lost, none comes twice, and who reads by ids misses none.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
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
