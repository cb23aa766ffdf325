//! MIGRATE: keys that go to another server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use crate::client::{Client, Value};
use crate::daemon::{Daemon, free_port};
use crate::support::{Mesh, eventually};

fn pair() -> (Daemon, Daemon) {
    (Daemon::start(&[]), Daemon::start(&[]))
}

fn migrate(client: &mut Client, to: u16, rest: &[&str]) -> Value {
    let port = to.to_string();
    client.call_words(&[&["MIGRATE", "127.0.0.1", &port][..], rest].concat())
}

/// A server that reads all and answers whatever it is told to, once something has come; gives what has come so far.
fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = stream.read(&mut bytes) {
                let reply = answer(&bytes[..len]);
                let _ = sender.send(bytes[..len].to_vec());
                if reply.is_empty() || stream.write_all(&reply).is_err() {
                    break;
                }
            }
        }
    });
    (port, receiver)
}

#[test]
fn keys_of_all_kinds_go_with_their_deadlines_and_are_here_no_more() {
    let (here, there) = pair();
    let (mut client, mut target) = (here.client(), there.client());
    for command in [
        "SET text value PX 100000",
        "RPUSH list a b c",
        "HSET hash f v",
        "SADD set a b",
        "ZADD zset 1 a",
        "XADD stream 1-1 f v",
        "PFADD hll a",
    ] {
        client.call(command);
    }
    let rest = [
        "", "3", "5000", "KEYS", "text", "list", "hash", "none", "set", "zset", "stream", "hll",
    ];
    assert_eq!(migrate(&mut client, there.port, &rest).text(), "OK");
    assert_eq!(client.call("DBSIZE").integer(), 0);
    assert_eq!(target.call("DBSIZE").integer(), 0);
    target.call("SELECT 3");
    assert_eq!(target.call("DBSIZE").integer(), 7);
    assert_eq!(target.call("GET text").text(), "value");
    let left = target.call("PTTL text").integer();
    assert!((1..=100_000).contains(&left), "{left}");
    assert_eq!(target.call("PTTL list").integer(), -1);
    assert_eq!(target.call("LRANGE list 0 -1").array().len(), 3);
    assert_eq!(
        migrate(&mut client, there.port, &["text", "3", "5000"]).text(),
        "NOKEY"
    );
    assert_eq!(client.info_number("migrate_cached_sockets"), 1);
}

#[test]
fn a_copy_stays_and_what_is_there_goes_only_where_it_is_told_to() {
    let (here, there) = pair();
    let (mut client, mut target) = (here.client(), there.client());
    client.call("MSET a 1 b 2 c 3");
    assert_eq!(
        migrate(&mut client, there.port, &["a", "0", "5000", "COPY"]).text(),
        "OK"
    );
    assert_eq!(client.call("GET a").text(), "1");
    target.call("SET b old");
    let error = migrate(
        &mut client,
        there.port,
        &["", "0", "5000", "KEYS", "a", "b", "c"],
    );
    assert_eq!(
        error,
        Value::Error(
            "ERR Target instance replied with error: BUSYKEY Target key name already exists."
                .to_owned()
        )
    );
    // What could go has gone.
    assert_eq!(client.call("EXISTS a b c").integer(), 2);
    assert_eq!(target.call("GET c").text(), "3");
    let rest = ["", "0", "5000", "REPLACE", "KEYS", "a", "b"];
    assert_eq!(migrate(&mut client, there.port, &rest).text(), "OK");
    assert_eq!(target.call("GET b").text(), "2");
    assert_eq!(client.call("DBSIZE").integer(), 0);
    assert_eq!(client.call("WAIT 0 0").integer(), 0);
}

#[test]
fn passwords_are_sent_and_errors_are_told_in_redis_words() {
    let (here, there) = pair();
    let (mut client, mut target) = (here.client(), there.client());
    client.call("SET a 1");
    target.call("ACL SETUSER mover on >pass ~* +@all");
    target.call("CONFIG SET requirepass secret");
    let told = |text: &str| Value::Error(format!("ERR Target instance replied with error: {text}"));
    let mut send = |rest: &[&str]| migrate(&mut client, there.port, rest);
    assert_eq!(
        send(&["a", "0", "5000"]),
        told("NOAUTH Authentication required.")
    );
    let wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(send(&["a", "0", "5000", "AUTH", "no"]), told(wrong));
    assert_eq!(
        send(&["a", "99", "5000", "AUTH", "secret"]),
        told("ERR DB index is out of range")
    );
    assert_eq!(
        send(&["a", "0", "5000", "REPLACE", "COPY", "AUTH", "secret"]).text(),
        "OK"
    );
    let rest = ["a", "0", "5000", "REPLACE", "AUTH2", "mover", "pass"];
    assert_eq!(send(&rest).text(), "OK");
    assert_eq!(send(&rest).text(), "NOKEY");
    client.call("SET a 1");
    let error = migrate(&mut client, free_port(), &["a", "0", "5000"]);
    assert_eq!(
        error,
        Value::Error("IOERR error or timeout writing to target instance".to_owned())
    );
    let (silent, _heard) = answering(|_| Vec::new());
    let error = migrate(&mut client, silent, &["a", "0", "5000"]);
    assert_eq!(
        error,
        Value::Error("IOERR error or timeout reading to target instance".to_owned())
    );
    assert_eq!(client.call("EXISTS a").integer(), 1);
    assert_eq!(client.call("MULTI").text(), "OK");
    migrate(&mut client, silent, &["a", "0", "5000"]);
    assert!(
        client.call("EXEC").array()[0].is_error("ERR MIGRATE is not allowed inside a transaction")
    );
}

#[test]
fn nobody_waits_for_the_other_server_and_what_changes_meanwhile_stays() {
    let here = Daemon::start(&[]);
    let (mut client, mut other) = (here.client(), here.client());
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let (port, heard) = answering(move |_| {
        let _ = gone.lock().unwrap().recv();
        b"+OK\r\n+OK\r\n+OK\r\n".to_vec()
    });
    client.call("MSET a 1 b 2");
    client.send_raw(format!("MIGRATE 127.0.0.1 {port} \"\" 0 9000 KEYS a b\r\n").as_bytes());
    eventually("it is on its way", || {
        other.call("PING").text() == "PONG" && {
            other.call("CLIENT LIST").text().contains("cmd=migrate")
        }
    });
    assert_eq!(other.call("GET a").text(), "1");
    assert_eq!(other.call("INCR a").integer(), 2);
    go.send(()).unwrap();
    assert!(
        client
            .next()
            .is_error("ERR 1 of the keys were changed here while they were sent")
    );
    assert_eq!(client.call("GET a").text(), "2");
    assert_eq!(client.call("EXISTS b").integer(), 0);
    let sent = heard.recv().unwrap();
    assert!(sent.starts_with(
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*4\r\n$7\r\nRESTORE\r\n$1\r\na\r\n$1\r\n0\r\n"
    ));
}

#[test]
fn a_connection_that_has_ended_is_made_anew_and_one_whose_database_is_known_selects_nothing() {
    let here = Daemon::start(&[]);
    let mut client = here.client();
    let (port, heard) = answering(|bytes| {
        if bytes.starts_with(b"*2\r\n$6\r\nSELECT") {
            b"+OK\r\n+OK\r\n".to_vec()
        } else {
            // The second time nothing but its end comes.
            Vec::new()
        }
    });
    client.call("MSET a 1 b 2");
    assert_eq!(migrate(&mut client, port, &["a", "0", "9000"]).text(), "OK");
    assert_eq!(migrate(&mut client, port, &["b", "0", "9000"]).text(), "OK");
    let sent: Vec<Vec<u8>> = heard.try_iter().collect();
    let begins = |sent: &[u8]| sent.starts_with(b"*2\r\n$6\r\nSELECT");
    let selected: Vec<bool> = sent.iter().map(|sent| begins(sent)).collect();
    assert_eq!(selected, [true, false, true]);
}

#[test]
fn what_has_gone_is_deleted_at_all_masters() {
    let mesh = Mesh::full(2);
    let there = Daemon::start(&[]);
    let mut client = mesh.nodes[0].client();
    client.call("MSET a 1 b 2");
    mesh.wait_until_equal();
    let rest = ["", "0", "5000", "KEYS", "a", "b"];
    assert_eq!(migrate(&mut client, there.port, &rest).text(), "OK");
    assert_eq!(client.call("WAIT 1 20000").integer(), 1);
    mesh.wait_until_equal();
    assert_eq!(mesh.nodes[1].call("EXISTS a b").integer(), 0);
    assert_eq!(there.call("MGET a b").array().len(), 2);
}
