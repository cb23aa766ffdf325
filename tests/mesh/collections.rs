//! Two masters cut off from each other write to the same hashes, sets, sorted sets and lists: afterwards both hold what one server
//! would that had executed everything in the order of the stamps, whether their journals still hold it or they merge their states.

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

/// Keys of each kind.
const KEYS: usize = 200;

/// Elements in their order, or sorted where they have none.
fn elements(client: &mut Client, command: &str, is_sorted: bool) -> Vec<String> {
    let reply = client.call(command);
    let mut texts: Vec<String> = reply
        .array()
        .iter()
        .map(|value| value.text().to_owned())
        .collect();
    if is_sorted {
        texts.sort();
    }
    texts
}

/// What both have before they are cut off.
fn prepare(client: &mut Client, nth: usize) {
    client.call(&format!("SADD again{nth} x y"));
    client.call(&format!("HSET hash{nth} old 1"));
    client.call(&format!("SADD timed{nth} x"));
    client.call(&format!("PEXPIRE timed{nth} 100000"));
    client.call(&format!("SADD members{nth} kept extended ended"));
    client.call(&format!("EXPIREMEMBER members{nth} extended 100"));
    client.call(&format!("HSET fields{nth} extended 1 written 1"));
    client.call(&format!(
        "HEXPIRE fields{nth} 100 FIELDS 2 extended written"
    ));
}

/// Waits until a server's clock has gone on, so that whatever comes now bears a later stamp than what came before elsewhere.
fn wait_a_moment(client: &mut Client) {
    let millis = |client: &mut Client| {
        let time = client.call("TIME");
        let part = |at: usize| time.array()[at].text().parse::<u64>().unwrap();
        part(0) * 1_000 + part(1) / 1_000
    };
    let before = millis(client);
    eventually("the clock goes on", || millis(client) > before + 2);
}

fn write_at_a(a: &mut Client, nth: usize) {
    a.call(&format!("SADD set{nth} a1 a2"));
    a.call(&format!("HSET hash{nth} of-a 1 both a"));
    a.call(&format!("HINCRBY hash{nth} old 10"));
    a.call(&format!("LPUSH list{nth} a1 a2"));
    a.call(&format!("ZADD zset{nth} 1 m"));
    a.call(&format!("ZINCRBY count{nth} 5 m"));
    a.call(&format!("SET typed{nth} w"));
    a.call(&format!("EXPIREMEMBER members{nth} extended 500"));
    a.call(&format!("EXPIREMEMBER members{nth} ended 500"));
    a.call(&format!("HSET fields{nth} written 2"));
}

fn write_at_b(b: &mut Client, nth: usize) {
    b.call(&format!("SADD set{nth} b1 b2"));
    b.call(&format!("HSET hash{nth} of-b 1 both b"));
    b.call(&format!("HINCRBY hash{nth} old 100"));
    b.call(&format!("LPUSH list{nth} b1 b2"));
    b.call(&format!("ZADD zset{nth} 2 m 3 n"));
    b.call(&format!("ZINCRBY count{nth} 7 m"));
    b.call(&format!("SREM again{nth} x"));
    // Of another type than what the other one wrote before.
    b.call(&format!("LPUSH typed{nth} e"));
    b.call(&format!("PEXPIRE timed{nth} 900000"));
    b.call(&format!("EXPIREMEMBER members{nth} extended 900"));
    b.call(&format!("EXPIREMEMBER members{nth} ended 1 ms"));
    b.call(&format!("HEXPIRE fields{nth} 900 FIELDS 1 extended"));
}

/// What was taken out there is taken out here, too, and put in again.
fn write_again_at_a(a: &mut Client, nth: usize) {
    a.call(&format!("SREM again{nth} x"));
    a.call(&format!("SADD again{nth} x"));
}

fn check(client: &mut Client, nth: usize) {
    assert_eq!(
        elements(client, &format!("SMEMBERS set{nth}"), true),
        ["a1", "a2", "b1", "b2"]
    );
    let hash = elements(
        client,
        &format!("HMGET hash{nth} old of-a of-b both"),
        false,
    );
    assert_eq!(hash, ["111", "1", "1", "b"]);
    assert_eq!(
        elements(client, &format!("LRANGE list{nth} 0 -1"), false),
        ["b2", "b1", "a2", "a1"]
    );
    let zset = elements(client, &format!("ZRANGE zset{nth} 0 -1 WITHSCORES"), false);
    assert_eq!(zset, ["m", "2", "n", "3"]);
    assert_eq!(client.call(&format!("ZSCORE count{nth} m")).text(), "12");
    assert_eq!(
        elements(client, &format!("SMEMBERS again{nth}"), true),
        ["x", "y"]
    );
    assert_eq!(
        elements(client, &format!("LRANGE typed{nth} 0 -1"), false),
        ["e"]
    );
    assert!(client.call(&format!("PTTL timed{nth}")).integer() > 100_000);
    assert_eq!(
        elements(client, &format!("SMEMBERS members{nth}"), true),
        ["extended", "kept"]
    );
    let of_member = client.call(&format!("TTL members{nth} extended"));
    assert!(of_member.integer() > 500);
    let of_fields = format!("HTTL fields{nth} FIELDS 2 extended written");
    let of_fields = client.call(&of_fields);
    assert!(of_fields.array()[0].integer() > 500);
    assert_eq!(of_fields.array()[1], Value::Integer(-1));
}

fn what_two_masters_wrote_apart_is_all_there(options: &[&str]) {
    let mesh = Mesh::start(2, &[(0, 1)], options);
    mesh.wait_until_whole();
    let mut clients = mesh.clients();
    for nth in 0..KEYS {
        prepare(&mut clients[0], nth);
    }
    mesh.wait_until_equal();
    mesh.isolate(1);
    let [a, b] = &mut clients[..] else {
        panic!("there are two")
    };
    (0..KEYS).for_each(|nth| write_at_a(a, nth));
    wait_a_moment(b);
    (0..KEYS).for_each(|nth| write_at_b(b, nth));
    wait_a_moment(a);
    (0..KEYS).for_each(|nth| write_again_at_a(a, nth));
    mesh.rejoin(1);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    for client in [a, b] {
        for nth in 0..KEYS {
            check(client, nth);
        }
    }
}

#[test]
fn collections_written_apart_are_put_together_from_the_journals() {
    what_two_masters_wrote_apart_is_all_there(&[]);
}

#[test]
fn collections_written_apart_are_put_together_by_merges_where_journals_were_overrun() {
    what_two_masters_wrote_apart_is_all_there(&["--repl-backlog-size", "16kb"]);
}

#[test]
fn an_element_that_both_masters_popped_is_gone_and_nothing_else_is() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    clients[0].call("RPUSH queue 1 2 3 4");
    mesh.wait_until_equal();
    mesh.isolate(1);
    for client in &mut clients {
        assert_eq!(client.call("LPOP queue").text(), "1");
    }
    assert_eq!(clients[1].call("RPUSH queue 5"), Value::Integer(4));
    mesh.rejoin(1);
    mesh.wait_until_whole();
    eventually("both hold the same queue", || {
        clients
            .iter_mut()
            .all(|client| elements(client, "LRANGE queue 0 -1", false) == ["2", "3", "4", "5"])
    });
}

#[test]
fn members_go_by_themselves_at_every_master_and_what_was_written_before_their_time_keeps_them() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    clients[0].call("ZADD z 1 short 2 long 3 kept");
    clients[0].call("SADD s only");
    mesh.wait_until_equal();
    clients[0].call("EXPIREMEMBER z short 100 ms");
    clients[0].call("EXPIREMEMBER z long 1000 s");
    clients[0].call("EXPIREMEMBER z kept 100 ms");
    clients[1].call("EXPIREMEMBER s only 100 ms");
    mesh.wait_until_equal();
    // In time, at a master that did not set it; unless this took longer than that.
    let was_in_time = clients[1].call("PERSIST z kept") == Value::Integer(1);
    let left: &[&str] = match was_in_time {
        true => &["long", "kept"],
        false => &["long"],
    };
    for client in &mut clients {
        eventually("members go", || {
            elements(client, "ZRANGE z 0 -1", false) == left
                && client.call("EXISTS s").integer() == 0
        });
    }
    mesh.wait_until_equal();
}
