//! Files that keep data: what is saved is there after a restart, unless others know better.

use std::fs;

use crate::client::{Client, Value};
use crate::daemon::Daemon;
use crate::support::{MASTER, Mesh, eventually};

/// Save points that no test reaches.
const SELDOM: &[&str] = &["--save", "36000", "100000000"];

/// A line of INFO persistence.
fn shown(client: &mut Client, name: &str) -> String {
    let text = client.call("INFO persistence").text().to_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name}: {text}"))
        .to_owned()
}

fn simple(text: &str) -> Value {
    Value::Simple(text.to_owned())
}

#[test]
fn what_was_saved_is_there_after_a_restart() {
    let node = Daemon::start(&[]);
    let mut client = node.client();
    let started = client.call("LASTSAVE").integer();
    assert_eq!(shown(&mut client, "rdb_saves"), "0");
    client.set("a", "1");
    client.call("RPUSH list x y");
    client.call("SET timed 1 EX 1000");
    client.call("SET short 1 PX 1");
    client.call_words(&[
        "FUNCTION",
        "LOAD",
        "#!lua name=lib\nredis.register_function('f', function() return 7 end)",
    ]);
    assert_eq!(client.call("SAVE"), simple("OK"));
    assert_eq!(shown(&mut client, "rdb_saves"), "1");
    assert_eq!(shown(&mut client, "rdb_changes_since_last_save"), "0");
    assert!(client.call("LASTSAVE").integer() >= started);
    client.set("later", "1");
    assert_eq!(shown(&mut client, "rdb_changes_since_last_save"), "1");
    drop(client);
    node.kill();
    node.restart();
    let mut client = node.client();
    assert_eq!(client.get("a").as_deref(), Some("1"));
    assert_eq!(client.get("later"), None);
    assert_eq!(client.call("LLEN list").integer(), 2);
    assert!(client.call("TTL timed").integer() > 900);
    assert_eq!(client.call("FCALL f 0").integer(), 7);
    assert_eq!(shown(&mut client, "rdb_last_load_keys_loaded"), "3");
    assert_eq!(shown(&mut client, "rdb_changes_since_last_save"), "0");
    assert!(node.log().contains("DB loaded from disk"));
}

#[test]
fn a_server_that_ends_saves_where_there_are_save_points() {
    let node = Daemon::start(SELDOM);
    node.client().set("a", "1");
    assert_eq!(node.terminate().code(), Some(0));
    assert!(
        node.log()
            .contains("Saving the final RDB snapshot before exiting.")
    );
    node.restart();
    assert_eq!(node.get("a").as_deref(), Some("1"));
    node.client().set("a", "2");
    assert!(node.client().try_call("SHUTDOWN NOSAVE").is_err());
    assert_eq!(node.wait().code(), Some(0));
    node.restart();
    assert_eq!(node.get("a").as_deref(), Some("1"));

    let never = Daemon::start(&["--save", ""]);
    never.client().set("a", "1");
    assert_eq!(never.terminate().code(), Some(0));
    assert!(!never.path().join("dump.rdb").exists());
    never.restart();
    never.client().set("a", "1");
    assert!(never.client().try_call("SHUTDOWN SAVE").is_err());
    assert_eq!(never.wait().code(), Some(0));
    never.restart();
    assert_eq!(never.get("a").as_deref(), Some("1"));
}

#[test]
fn save_points_bring_a_file_by_themselves() {
    let node = Daemon::start(&["--save", "1", "2"]);
    let mut client = node.client();
    client.set("a", "1");
    client.set("b", "1");
    eventually("it is saved", || {
        shown(&mut client, "rdb_saves") == "1" && node.path().join("dump.rdb").exists()
    });
    assert_eq!(shown(&mut client, "rdb_last_bgsave_status"), "ok");
}

#[test]
fn bgsave_and_bgrewriteaof_answer_as_redis_does() {
    let node = Daemon::start(SELDOM);
    let mut client = node.client();
    let idle = |client: &mut Client| {
        eventually("nobody saves", || {
            shown(client, "rdb_bgsave_in_progress") == "0"
                && shown(client, "aof_rewrite_in_progress") == "0"
                && shown(client, "aof_rewrite_scheduled") == "0"
        });
    };
    assert_eq!(client.call("BGSAVE"), simple("Background saving started"));
    idle(&mut client);
    for words in ["BGSAVE x", "BGSAVE SCHEDULE x"] {
        assert!(client.call(words).is_error("ERR syntax error"));
    }
    assert_eq!(
        client.call("BGSAVE SCHEDULE"),
        simple("Background saving started")
    );
    idle(&mut client);
    client.call("MULTI");
    client.call("BGSAVE");
    client.call("LASTSAVE");
    let replies = client.call("EXEC");
    assert_eq!(replies.array()[0], simple("Background saving scheduled"));
    eventually("it follows", || shown(&mut client, "rdb_saves") == "3");
    client.call("MULTI");
    let refused = client.call("SAVE");
    assert!(refused.is_error("ERR Command not allowed inside a transaction"));
    client.call("DISCARD");
    assert_eq!(
        client.call("BGREWRITEAOF"),
        simple("Background append only file rewriting started")
    );
    idle(&mut client);
    assert_eq!(shown(&mut client, "aof_rewrites"), "1");
    assert!(
        node.path()
            .join("appendonlydir/appendonly.aof.1.base.rdb")
            .exists()
    );
}

#[test]
fn writes_are_refused_once_a_save_in_the_background_has_failed() {
    let node = Daemon::start(SELDOM);
    let mut client = node.client();
    client.set("a", "1");
    let place = node.path().join("dump.rdb");
    // Nothing can take the place of a directory that is not empty.
    fs::create_dir_all(place.join("full")).unwrap();
    assert_eq!(client.call("BGSAVE"), simple("Background saving started"));
    eventually("it fails", || {
        shown(&mut client, "rdb_last_bgsave_status") == "err"
    });
    let refused = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.";
    assert!(client.call("SET a 2").is_error(refused));
    assert!(client.call("SAVE").is_error("ERR"));
    let shutdown = client.call("SHUTDOWN");
    assert!(shutdown.is_error("ERR Errors trying to SHUTDOWN. Check logs."));
    assert_eq!(client.get("a").as_deref(), Some("1"));
    client.call("CONFIG SET stop-writes-on-bgsave-error no");
    client.set("a", "2");
    client.call("CONFIG SET stop-writes-on-bgsave-error yes");
    assert!(client.call("SET a 3").is_error(refused));
    fs::remove_dir_all(&place).unwrap();
    assert_eq!(client.call("SAVE"), simple("OK"));
    client.set("a", "3");
    fs::remove_file(&place).unwrap();
    fs::create_dir_all(place.join("full")).unwrap();
    assert!(client.try_call("SHUTDOWN FORCE").is_err());
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn a_file_that_cannot_be_trusted_ends_the_start() {
    let node = Daemon::start(&[]);
    node.client().set("a", "1");
    node.call("SAVE");
    node.kill();
    let place = node.path().join("dump.rdb");
    let good = fs::read(&place).unwrap();
    fs::write(&place, &good[..good.len() - 9]).unwrap();
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| node.restart()));
    assert!(failed.is_err());
    assert!(node.log().contains("Unexpected EOF"), "{}", node.log());
    assert_eq!(
        fs::read(&place).unwrap().len(),
        good.len() - 9,
        "it is left alone"
    );
}

#[test]
fn a_master_that_was_in_a_mesh_leaves_its_file_alone_and_what_was_deleted_stays_deleted() {
    let mesh = Mesh::full(2);
    let [a, b] = &mesh.nodes[..] else {
        unreachable!()
    };
    a.client().set("deleted", "1");
    a.client().set("kept", "1");
    mesh.wait_until_equal();
    assert_eq!(a.call("SAVE"), simple("OK"));
    a.kill();
    b.client().call("DEL deleted");
    a.restart();
    mesh.wait_until_equal();
    assert_eq!(a.get("deleted"), None);
    assert_eq!(a.get("kept").as_deref(), Some("1"));
    assert!(a.log().contains("dump.rdb is not loaded"));
    // The next save takes its place; for the case that it is missed it is there under another name.
    let kept = fs::read(a.path().join("dump.rdb.unloaded")).unwrap();
    a.call("FLUSHALL");
    assert_eq!(a.call("SAVE"), simple("OK"));
    a.kill();
    a.restart();
    let still = fs::read(a.path().join("dump.rdb.unloaded")).unwrap();
    assert_eq!(still, kept, "one that holds more stays");
}

#[test]
fn the_last_master_of_a_mesh_loads_its_file() {
    let mesh = Mesh::full_with(2, SELDOM);
    let [a, b] = &mesh.nodes[..] else {
        unreachable!()
    };
    a.client().set("kept", "1");
    mesh.wait_until_equal();
    let other = b.client().info()["mesh_node_id"].clone();
    b.kill();
    assert_eq!(a.call(&format!("MESH FORGET {other}")), simple("OK"));
    assert_eq!(a.terminate().code(), Some(0));
    a.restart();
    assert_eq!(a.get("kept").as_deref(), Some("1"));
}

#[test]
fn when_all_masters_have_lost_their_data_one_of_them_may_load_its_file() {
    let mesh = Mesh::full_with(2, &["--rdb-load-among-masters", "no"]);
    let [a, b] = &mesh.nodes[..] else {
        unreachable!()
    };
    for number in 0..1000 {
        a.client().set(&format!("key:{number}"), "value");
    }
    mesh.wait_until_equal();
    assert_eq!(a.call("SAVE"), simple("OK"));
    a.kill();
    b.kill();
    a.restart_with(&["--rdb-load-among-masters", "yes"]);
    b.restart();
    mesh.wait_until_equal();
    let found = b.call("KEYS key:*").array().len();
    assert_eq!(found, 1000);
    b.client().set("key:1", "other");
    a.client().call("DEL key:2");
    mesh.wait_until_equal();
    assert_eq!(b.get("key:2"), None);
}

#[test]
fn a_master_that_is_new_brings_its_file_to_the_others() {
    let old = Daemon::start(&[]);
    for number in 0..100 {
        old.client().call(&format!("SADD set:{number} a b c"));
    }
    old.call("SAVE");
    let file = fs::read(old.path().join("dump.rdb")).unwrap();
    let first = Daemon::start(MASTER);
    first.client().set("own", "1");
    let second = Daemon::start_beside(&file, MASTER);
    let (one, other) = (first.port.to_string(), second.port.to_string());
    first.call(&format!("REPLICAOF 127.0.0.1 {other}"));
    second.call(&format!("REPLICAOF 127.0.0.1 {one}"));
    eventually("both have all", || {
        first.call("DBSIZE").integer() == 101 && first.digest() == second.digest()
    });
}
