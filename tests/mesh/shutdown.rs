//! How a server ends: by command and by signal, with replicas that are behind, and not after all.

use std::thread;

use crate::client::{Client, Value};
use crate::daemon::Daemon;
use crate::support::eventually;

/// A master with a replica that has stopped reading, and a write that it lacks.
fn lagging(options: &[&str]) -> (Daemon, Daemon) {
    let master = Daemon::start(options);
    let port = master.port.to_string();
    let replica = Daemon::start(&["--replicaof", "127.0.0.1", &port]);
    let mut client = master.client();
    client.set("before", "1");
    eventually("the replica has it", || replica.get("before").is_some());
    eventually("and says so", || client.call("WAIT 1 100").integer() == 1);
    replica.signal("STOP");
    client.set("after", "2");
    (master, replica)
}

fn waits(master: &Daemon) {
    eventually("it waits", || {
        master
            .log()
            .contains("Waiting for replicas before shutting down.")
    });
}

#[test]
fn a_signal_ends_a_server_with_success_and_says_so() {
    for name in ["TERM", "INT"] {
        let node = Daemon::start(&[]);
        node.signal(name);
        assert_eq!(node.wait().code(), Some(0));
        let log = node.log();
        for line in [
            &*format!("Received SIG{name} scheduling shutdown..."),
            "User requested shutdown...",
            "Keymesh is now ready to exit, bye bye...",
        ] {
            assert!(log.contains(line), "{log}");
        }
    }
}

#[test]
fn shutdown_without_replicas_ends_at_once() {
    let node = Daemon::start(&[]);
    let mut client = node.client();
    assert!(client.try_call("SHUTDOWN NOSAVE").is_err(), "no reply");
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn replicas_that_are_behind_are_waited_for() {
    let (master, replica) = lagging(&["--shutdown-timeout", "3600"]);
    master.signal("TERM");
    waits(&master);
    replica.signal("CONT");
    assert_eq!(master.wait().code(), Some(0));
    assert!(
        master
            .log()
            .contains("1 of 1 replicas are in sync when shutting down.")
    );
    assert_eq!(replica.get("after").as_deref(), Some("2"));
}

#[test]
fn the_wait_has_an_end() {
    let (master, replica) = lagging(&["--shutdown-timeout", "1"]);
    master.signal("TERM");
    assert_eq!(master.wait().code(), Some(0));
    assert!(
        master
            .log()
            .contains("0 of 1 replicas are in sync when shutting down.")
    );
    replica.signal("CONT");
}

#[test]
fn nobody_is_waited_for_where_now_is_said() {
    let (master, replica) =
        lagging(&["--shutdown-timeout", "3600", "--shutdown-on-sigterm", "now"]);
    master.signal("TERM");
    assert_eq!(master.wait().code(), Some(0));
    replica.signal("CONT");
}

#[test]
fn a_shutdown_that_is_called_off_leaves_everything_as_it_was() {
    let (master, replica) = lagging(&["--shutdown-timeout", "3600"]);
    let port = master.port;
    let asking = thread::spawn(move || Client::connect(port).try_call("SHUTDOWN"));
    waits(&master);
    let mut client = master.client();
    assert_eq!(
        client.call("SHUTDOWN ABORT NOW"),
        Value::Error("ERR syntax error".to_owned())
    );
    let mut writer = master.client();
    writer.send_raw(b"SET held 3\r\n");
    assert_eq!(client.get("held"), None, "writes are held back");
    assert_eq!(
        client.call("SHUTDOWN ABORT"),
        Value::Simple("OK".to_owned())
    );
    assert_eq!(
        asking.join().unwrap().unwrap(),
        Value::Error("ERR Errors trying to SHUTDOWN. Check logs.".to_owned())
    );
    eventually("the write goes on", || {
        client.get("held").as_deref() == Some("3")
    });
    assert_eq!(
        client.call("SHUTDOWN ABORT"),
        Value::Error("ERR No shutdown in progress.".to_owned())
    );
    assert!(master.log().contains("Shutdown manually aborted."));
    replica.signal("CONT");
    assert_eq!(master.terminate().code(), Some(0));
}

#[test]
fn who_insists_gets_an_end_at_once() {
    let (master, replica) = lagging(&["--shutdown-timeout", "3600"]);
    master.signal("INT");
    waits(&master);
    master.signal("INT");
    assert_eq!(master.wait().code(), Some(1), "it was no clean end");
    assert!(master.log().contains("You insist... exiting now."));
    replica.signal("CONT");
}

#[test]
fn a_soft_shutdown_ends_the_server_when_its_clients_have_left() {
    let node = Daemon::start(&[]);
    let (mut first, mut second) = (node.client(), node.client());
    assert_eq!(first.call("SHUTDOWN SOFT"), Value::Simple("OK".to_owned()));
    let pending = Value::Error("SHUTDOWN PENDING".to_owned());
    assert_eq!(second.call("PING"), pending);
    drop(first);
    second.set("still", "here");
    assert_eq!(second.get("still").as_deref(), Some("here"));
    drop(second);
    assert_eq!(node.wait().code(), Some(0));
    assert!(node.log().contains("All clients have left"));
}

#[test]
fn with_soft_shutdown_the_first_interrupt_asks_and_the_second_one_ends() {
    let node = Daemon::start(&["--soft-shutdown", "yes"]);
    let mut client = node.client();
    node.signal("INT");
    eventually("it is pending", || {
        client.call("PING").is_error("SHUTDOWN PENDING")
    });
    client.set("still", "here");
    node.signal("INT");
    assert_eq!(node.wait().code(), Some(0));
    assert!(client.try_call("PING").is_err());
}

#[test]
fn what_is_written_while_clients_are_waited_for_reaches_a_replica_whose_link_broke() {
    let master = Daemon::start(&[]);
    let port = master.port.to_string();
    let replica = Daemon::start(&["--replicaof", "127.0.0.1", &port]);
    let mut client = master.client();
    client.set("before", "1");
    eventually("the replica has it", || replica.get("before").is_some());
    assert_eq!(client.call("SHUTDOWN SOFT"), Value::Simple("OK".to_owned()));
    assert_eq!(client.call("CLIENT KILL TYPE replica").integer(), 1);
    client.set("after", "2");
    assert_eq!(client.call("WAIT 1 0").integer(), 1, "the link comes again");
    drop(client);
    assert_eq!(master.wait().code(), Some(0));
    assert_eq!(replica.get("after").as_deref(), Some("2"));
}
