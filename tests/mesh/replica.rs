//! One master, one replica, as in Redis: the replica follows and does not write.

use crate::client::Value;
use crate::daemon::Daemon;
use crate::support::{Mesh, eventually};

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

/// Keys that are there, expired ones that nobody has removed included.
fn size(daemon: &Daemon) -> i64 {
    daemon.call("DBSIZE").integer()
}

#[test]
fn a_replica_of_one_of_several_masters_holds_what_its_master_holds() {
    let mesh = Mesh::full(2);
    let mut writers = mesh.clients();
    for number in 0..50 {
        writers[1].set(&format!("newer:{number}"), "old");
        writers[1].set(&format!("deleted:{number}"), "v");
    }
    mesh.wait_until_equal();
    for number in 0..50 {
        writers[0].set(&format!("newer:{number}"), "new");
        writers[0].call(&format!("DEL deleted:{number}"));
        writers[0].call(&format!("SET soon:{number} v PX 20"));
    }
    let replica = replica_of(&mesh.nodes[0]);
    writers[1].set("last", "v");
    mesh.wait_until_equal();
    eventually("the replica has it all", || replica.get("last").is_some());
    same(&mesh.nodes[0], &replica);
    assert_eq!(replica.get("newer:0").as_deref(), Some("new"));
    assert_eq!(replica.get("deleted:0"), None);
    for number in 0..50 {
        writers[1].call(&format!("SET late:{number} v PX 20"));
        writers[1].call(&format!("DEL newer:{number}"));
        writers[0].call("INCR count");
    }
    writers[1].set("very last", "v");
    eventually("it has what came since", || {
        replica.get("very last").is_some()
    });
    eventually("nothing is pending and nothing expired is left", || {
        let mut client = replica.client();
        client.mesh_status("tombstones") == 0
            && client.mesh_status("unsettled_keys") == 0
            && size(&replica) == size(&mesh.nodes[0])
    });
    same(&mesh.nodes[0], &replica);
}

#[test]
fn expired_keys_go_at_a_replica_too() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    let mut writer = master.client();
    for number in 0..200 {
        writer.call(&format!("SET soon:{number} v PX 30"));
    }
    writer.set("stays", "v");
    eventually("it has arrived", || replica.get("stays").is_some());
    eventually("only what stays is there", || size(&replica) == 1);
    same(&master, &replica);
}

#[test]
fn members_go_at_a_replica_too_by_its_masters_word() {
    let master = Daemon::start(QUICK);
    let replica = replica_of(&master);
    let mut writer = master.client();
    for number in 0..50 {
        writer.call(&format!("HSET hash:{number} soon v kept v late v"));
        writer.call(&format!("HPEXPIRE hash:{number} 30 FIELDS 1 soon"));
        writer.call(&format!("HEXPIRE hash:{number} 1000 FIELDS 2 kept late"));
        writer.call(&format!("HPERSIST hash:{number} FIELDS 1 kept"));
        writer.call(&format!("SADD set:{number} only"));
        writer.call(&format!("EXPIREMEMBER set:{number} only 30 ms"));
    }
    writer.set("last", "v");
    eventually("it has arrived", || replica.get("last").is_some());
    eventually("sets have gone with their only members", || {
        size(&replica) == 51
    });
    for server in [&master, &replica] {
        assert_eq!(server.call("HLEN hash:7").integer(), 2);
        assert_eq!(
            server.call("HTTL hash:7 FIELDS 1 kept").array()[0],
            Value::Integer(-1)
        );
        assert!(server.call("HTTL hash:7 FIELDS 1 late").array()[0].integer() > 900);
    }
    same(&master, &replica);
}

#[test]
fn a_replica_drops_what_it_had_and_follows_a_master_that_starts_anew() {
    let master = Daemon::start(QUICK);
    master.client().set("of the master", "v");
    let replica = Daemon::start(QUICK);
    replica.client().set("its own", "v");
    let reply = replica.call(&format!("REPLICAOF 127.0.0.1 {}", master.port));
    assert_eq!(reply.text(), "OK");
    eventually("it follows", || replica.get("of the master").is_some());
    assert_eq!(replica.get("its own"), None);
    master.kill();
    master.restart();
    master.client().set("since", "v");
    eventually("it follows again", || replica.get("since").is_some());
    assert_eq!(replica.get("of the master"), None);
    same(&master, &replica);
}
