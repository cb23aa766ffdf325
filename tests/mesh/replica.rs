//! One master, one replica, as in Redis: the replica follows and does not write.

use crate::client::Value;
use crate::daemon::Daemon;
use crate::support::eventually;

const QUICK: &[&str] = &[
    "--link-backoff-initial-ms",
    "20",
    "--link-backoff-max-ms",
    "200",
];

fn replica_of(master: &Daemon) -> Daemon {
    let port = master.port.to_string();
    let mut options = QUICK.to_vec();
    options.extend(["--replicaof", "127.0.0.1", &port]);
    Daemon::start(&options)
}

fn same(master: &Daemon, replica: &Daemon) {
    eventually("the replica holds what its master holds", || {
        replica.digest() == master.digest()
    });
}

#[test]
fn a_replica_gets_what_was_there_and_what_comes() {
    let master = Daemon::start(QUICK);
    let mut writer = master.client();
    for number in 0..200 {
        writer.set(&format!("before:{number}"), "v");
    }
    let replica = replica_of(&master);
    let mut reader = replica.client();
    eventually("the full sync is over", || {
        reader.get("before:199").is_some()
    });
    eventually("records stream", || {
        reader.info()["master_link_status"] == "up"
    });
    assert_eq!(reader.info()["role"], "slave");
    for number in 0..200 {
        writer.set(&format!("after:{number}"), "v");
    }
    for command in [
        "INCR count",
        "DEL before:0",
        "APPEND text a",
        "MSET b 1 c 2",
    ] {
        let reply = writer.call(command);
        assert!(!reply.is_error(""), "{command}: {reply:?}");
    }
    eventually("the stream has arrived", || reader.get("c").is_some());
    assert_eq!(reader.get("count").as_deref(), Some("1"));
    assert_eq!(reader.get("before:0"), None);
    assert_eq!(reader.get("after:199").as_deref(), Some("v"));
    same(&master, &replica);
    assert_eq!(writer.call("WAIT 1 5000").integer(), 1);
}

#[test]
fn a_replica_refuses_writes() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    for command in ["SET k v", "DEL k", "INCR k", "FLUSHALL"] {
        assert!(replica.call(command).is_error("READONLY"), "{command}");
    }
}

#[test]
fn flushall_and_deadlines_reach_a_replica() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    let (mut writer, mut reader) = (master.client(), replica.client());
    writer.set("k", "v");
    writer.call("SET short v PX 700");
    eventually("both are there", || {
        reader.get("k").is_some() && reader.get("short").is_some()
    });
    eventually("one has expired", || reader.get("short").is_none());
    assert_eq!(reader.get("k").as_deref(), Some("v"));
    writer.call("FLUSHALL");
    writer.set("new", "v");
    eventually("what came after has arrived", || {
        reader.get("new").is_some()
    });
    assert_eq!(reader.get("k"), None);
    assert_eq!(reader.call("DBSIZE"), Value::Integer(1));
    same(&master, &replica);
}

#[test]
fn a_server_that_becomes_a_replica_drops_what_it_had_and_keeps_the_masters_data_afterwards() {
    let (master, replica) = (Daemon::start(QUICK), Daemon::start(QUICK));
    let (mut writer, mut reader) = (master.client(), replica.client());
    writer.set("theirs", "v");
    reader.set("own", "v");
    reader.call(&format!("REPLICAOF 127.0.0.1 {}", master.port));
    eventually("it follows", || reader.get("theirs").is_some());
    assert_eq!(reader.get("own"), None);
    same(&master, &replica);
    assert_eq!(
        reader.call("REPLICAOF NO ONE"),
        Value::Simple("OK".to_owned())
    );
    reader.set("own", "w");
    assert_eq!(reader.get("theirs").as_deref(), Some("v"));
    assert_eq!(reader.info()["role"], "master");
}

#[test]
fn a_replica_that_was_killed_follows_again() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    let mut writer = master.client();
    writer.set("k", "1");
    eventually("it follows", || replica.get("k").is_some());
    replica.kill();
    writer.set("k", "2");
    replica.restart();
    eventually("it follows again", || {
        replica.get("k").as_deref() == Some("2")
    });
    same(&master, &replica);
}

#[test]
fn a_replica_follows_its_master_through_that_ones_restart() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    master.client().set("k", "1");
    eventually("it follows", || replica.get("k").is_some());
    master.kill();
    eventually("it serves what it had", || replica.get("k").is_some());
    master.restart();
    master.client().set("k", "2");
    eventually("it follows again", || {
        replica.get("k").as_deref() == Some("2")
    });
    same(&master, &replica);
}
