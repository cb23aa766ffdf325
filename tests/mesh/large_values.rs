//! Values that take long to send and to take in, as records and as items of full syncs.

use crate::client::Client;
use crate::daemon::Daemon;
use crate::support::{MASTER, Mesh, eventually};

/// More than half a megabyte.
const ELEMENTS: usize = 40_000;
const AT_ONCE: usize = 1_000;

/// Fills a key of each kind.
fn fill(client: &mut Client) {
    for from in (0..ELEMENTS).step_by(AT_ONCE) {
        let numbers = from..from + AT_ONCE;
        let words = |each: &dyn Fn(usize) -> String| numbers.clone().map(each).collect::<String>();
        let named = words(&|number| format!(" element:{number:016}"));
        client.call(&format!("SADD set{named}"));
        client.call(&format!("RPUSH list{named}"));
        let scored = words(&|number| format!(" {number} element:{number:016}"));
        client.call(&format!("ZADD zset{scored}"));
        let paired = words(&|number| format!(" element:{number:016} {number}"));
        client.call(&format!("HSET hash{paired}"));
    }
}

const KINDS: [&str; 4] = ["set", "list", "zset", "hash"];

#[test]
fn large_values_travel_whole_as_records_and_to_who_comes_later() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    fill(&mut clients[0]);
    for kind in KINDS {
        // One record that brings all of it.
        let copied = clients[0].call(&format!("COPY {kind} copy:{kind}"));
        assert_eq!(copied.integer(), 1);
        clients[0].set(&format!("after:{kind}"), "v");
    }
    clients[0].call("SUNIONSTORE union set zset-members nothing");
    mesh.wait_until_equal();
    for kind in KINDS {
        let there = clients[1].call(&format!("EXISTS {kind} copy:{kind} after:{kind}"));
        assert_eq!(there.integer(), 3, "{kind}");
    }
    assert_eq!(clients[1].call("SCARD union").integer(), ELEMENTS as i64);
    // A write to a copy is none to its original.
    clients[1].call("SREM copy:set element:0000000000000007");
    assert_eq!(clients[1].call("SCARD set").integer(), ELEMENTS as i64);

    let newcomer = Daemon::start(MASTER);
    let mut client = newcomer.client();
    let port = mesh.nodes[1].port;
    client.call(&format!("REPLICAOF 127.0.0.1 {port}"));
    eventually("the newcomer has all of it", || {
        newcomer.digest() == mesh.nodes[1].digest()
    });
    assert_eq!(client.call("SCARD copy:set").integer(), ELEMENTS as i64 - 1);
    assert_eq!(client.call("LLEN copy:list").integer(), ELEMENTS as i64);
}
