//! Who waits for an element at one master: served by what another one writes, and gone everywhere afterwards.

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

fn wait_in(client: &mut Client, observer: &mut Client, command: &str, blocked: i64) {
    client.send_raw(format!("{command}\r\n").as_bytes());
    eventually("the client waits", || {
        observer.info_number("blocked_clients") == blocked
    });
}

fn texts(value: &Value) -> Vec<&str> {
    value.array().iter().map(Value::text).collect()
}

#[test]
fn a_write_of_another_master_serves_who_waits_here() {
    let mesh = Mesh::full(2);
    let mut observer = mesh.nodes[0].client();
    let (mut first, mut second) = (mesh.nodes[0].client(), mesh.nodes[0].client());
    let mut sorted = mesh.nodes[0].client();
    wait_in(&mut first, &mut observer, "BLPOP none list 0", 1);
    wait_in(
        &mut second,
        &mut observer,
        "BLMOVE list other LEFT LEFT 0",
        2,
    );
    wait_in(&mut sorted, &mut observer, "BZPOPMAX zset 0", 3);
    let mut writer = mesh.nodes[1].client();
    assert_eq!(writer.call("RPUSH list a b").integer(), 2);
    assert_eq!(texts(&first.next()), ["list", "a"]);
    assert_eq!(second.next().text(), "b");
    assert_eq!(writer.call("ZADD zset 1 m").integer(), 1);
    assert_eq!(texts(&sorted.next()), ["zset", "m", "1"]);
    mesh.wait_until_equal();
    assert_eq!(writer.call("EXISTS list zset").integer(), 0);
    assert_eq!(writer.call("LLEN other").integer(), 1);
}

#[test]
fn an_element_that_two_masters_handed_out_is_gone_at_both() {
    let mesh = Mesh::full(2);
    assert_eq!(mesh.nodes[0].call("RPUSH list a b").integer(), 2);
    mesh.wait_until_equal();
    mesh.cut(0, 1);
    for node in &mesh.nodes {
        assert_eq!(texts(&node.call("BLPOP list 0")), ["list", "a"]);
    }
    mesh.heal(0, 1);
    mesh.wait_until_equal();
    for node in &mesh.nodes {
        assert_eq!(texts(&node.call("LRANGE list 0 -1")), ["b"]);
    }
}
