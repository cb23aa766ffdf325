//! Client-side caching and keyspace notifications over real sockets.

use crate::clients::tests::support::{TestClient, TestServer, eventually};

const GONE: &str = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

async fn resp3(server: &TestServer) -> TestClient {
    let mut client = server.connect().await;
    client.send("HELLO 3\r\n").await;
    while client.line().await != "*0" {}
    client
}

/// Waits until the purging, which a whole server does by itself, has met a key.
async fn purged(server: &TestServer) {
    let keyspace = &server.context.keyspace;
    let before = keyspace.counts().expired;
    eventually(|| {
        let now = server.context.now();
        (0..keyspace.partitions_len()).for_each(|index| keyspace.purge_partition(index, now));
        keyspace.counts().expired > before
    })
    .await;
}

#[tokio::test]
async fn what_was_read_is_told_when_it_changes_after_the_reply_of_who_changed_it() {
    let server = TestServer::start(&[]).await;
    let (mut client, mut other) = (resp3(&server).await, server.connect().await);
    client.check("CLIENT TRACKING on", "+OK\r\n").await;
    client.check("GET k", "_\r\n").await;
    client.check("SET k 1", &format!("+OK\r\n{GONE}")).await;
    client.check("SET k 2", "+OK\r\n").await;
    client.check("GET k", "$1\r\n2\r\n").await;
    other.check("SET k 3", "+OK\r\n").await;
    client.expect(GONE).await;
    client
        .check(
            "MULTI\r\nGET k\r\nEXEC",
            "+OK\r\n+QUEUED\r\n*1\r\n$1\r\n3\r\n",
        )
        .await;
    other.check("PEXPIRE k 100000", ":1\r\n").await;
    client.expect(GONE).await;
    other.check("SET k 1 PX 300", "+OK\r\n").await;
    client.send("GET k\r\n").await;
    if client.line().await == "$1" {
        client.expect("1\r\n").await;
        purged(&server).await;
        client.expect(GONE).await;
    }
    client.check("GET l", "_\r\n").await;
    other.check("FLUSHALL", "+OK\r\n").await;
    client.expect(">2\r\n$10\r\ninvalidate\r\n_\r\n").await;
    let info = other.bulk("INFO").await;
    assert!(info.contains("tracking_clients:1\r\n"));
    assert!(info.contains(
        "tracking_total_keys:0\r\ntracking_total_items:0\r\ntracking_total_prefixes:0\r\n"
    ));
    client.check("CLIENT TRACKING off", "+OK\r\n").await;
    client.check("SET k 1", "+OK\r\n").await;
}

#[tokio::test]
async fn opt_in_and_no_loop_and_broadcast_are_kept() {
    let server = TestServer::start(&[]).await;
    let (mut client, mut other) = (resp3(&server).await, server.connect().await);
    client.check("CLIENT TRACKING on OPTIN", "+OK\r\n").await;
    client.check("GET k", "_\r\n").await;
    client.check("SET k 1", "+OK\r\n").await;
    client.check("CLIENT CACHING yes", "+OK\r\n").await;
    client.check("GET k", "$1\r\n1\r\n").await;
    client.check("SET k 1", &format!("+OK\r\n{GONE}")).await;
    client
        .check(
            "CLIENT CACHING yes\r\nPING\r\nGET k\r\nSET k 2",
            "+OK\r\n+PONG\r\n$1\r\n1\r\n+OK\r\n",
        )
        .await;
    client.check("CLIENT TRACKING off", "+OK\r\n").await;
    client
        .check(
            "CLIENT TRACKING on NOLOOP BCAST PREFIX k PREFIX l",
            "+OK\r\n",
        )
        .await;
    client.check("SET k 3", "+OK\r\n").await;
    other.check("MSET k 1 z 2 l 3", "+OK\r\n").await;
    for key in ["k", "l"] {
        client
            .expect(format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\n{key}\r\n"))
            .await;
    }
    client.send("CLIENT TRACKINGINFO\r\n").await;
    client
        .expect("%3\r\n$5\r\nflags\r\n~3\r\n$2\r\non\r\n$5\r\nbcast\r\n$6\r\nnoloop\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*2\r\n$1\r\nk\r\n$1\r\nl\r\n")
        .await;
}

#[tokio::test]
async fn a_resp2_connection_redirects_and_is_shown_broken_when_its_target_goes() {
    let server = TestServer::start(&[]).await;
    let (mut client, mut target, mut other) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    target.send("CLIENT ID\r\n").await;
    let id = target.line().await[1..].to_owned();
    target
        .check(
            "SUBSCRIBE __redis__:invalidate",
            "*3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n",
        )
        .await;
    client
        .check(&format!("CLIENT TRACKING on REDIRECT {id}"), "+OK\r\n")
        .await;
    client.check("CLIENT GETREDIR", &format!(":{id}\r\n")).await;
    client.check("GET k", "$-1\r\n").await;
    other.check("SET k 1", "+OK\r\n").await;
    target
        .expect("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n")
        .await;
    other.check(&format!("CLIENT KILL ID {id}"), ":1\r\n").await;
    target.expect_closed().await;
    while !other.bulk("CLIENT LIST").await.contains(" flags=tR ") {
        client.check("GET k", "$1\r\n1\r\n").await;
        other.check("SET k 1", "+OK\r\n").await;
    }
}

#[tokio::test]
async fn events_have_redis_names_and_come_in_the_order_of_the_command() {
    let server = TestServer::start(&["--notify-keyspace-events", "EAnm"]).await;
    let (mut hears, mut says) = (server.connect().await, server.connect().await);
    hears
        .check(
            "PSUBSCRIBE __key*",
            "*3\r\n$10\r\npsubscribe\r\n$6\r\n__key*\r\n:1\r\n",
        )
        .await;
    for (command, events) in [
        ("SET k 1", &["new k", "set k"][..]),
        ("SET k 2 EX 100", &["set k", "expire k"]),
        ("PERSIST k", &["persist k"]),
        ("EXPIRE k 5", &["expire k"]),
        ("EXPIRE k -1", &["del k"]),
        ("INCR n", &["new n", "incrby n"]),
        ("DECR n", &["incrby n"]),
        ("INCRBY n 0", &["incrby n"]),
        ("INCRBYFLOAT n 1.5", &["incrbyfloat n"]),
        ("APPEND s x", &["new s", "append s"]),
        ("SETRANGE s 3 y", &["setrange s"]),
        ("GETEX s EX 5", &["expire s"]),
        ("GETEX s PERSIST", &["persist s"]),
        ("GETDEL s", &["del s"]),
        ("GETDEL s", &["keymiss s"]),
        (
            "MSET z 1 y 2 x 3",
            &["new z", "set z", "new y", "set y", "new x", "set x"],
        ),
        ("DEL z nosuch y", &["del z", "del y"]),
        ("GETSET x 4", &["set x"]),
        ("EXISTS q", &["keymiss q"]),
        (
            "SET p 1 PX 20",
            &["new p", "set p", "expire p", "expired p"],
        ),
        ("SETBIT b 1 1", &["new b", "setbit b"]),
        ("BITFIELD b SET u8 0 1", &["setbit b"]),
        ("BITOP NOT c b", &["new c", "set c"]),
        ("RENAME c d", &["new d", "rename_from c", "rename_to d"]),
        ("RENAMENX d b", &[]),
        ("COPY d c", &["new c", "copy_to c"]),
        ("COPY d c REPLACE", &["copy_to c"]),
        ("FLUSHALL", &[]),
        ("SET last 1", &["new last", "set last"]),
    ] {
        says.send(format!("{command}\r\n")).await;
        for event in events {
            if event.starts_with("expired") {
                purged(&server).await;
            }
            let (event, key) = event.split_once(' ').unwrap();
            let channel = format!("__keyevent@0__:{event}");
            let expected = format!(
                "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n${}\r\n{channel}\r\n${}\r\n{key}\r\n",
                channel.len(),
                key.len()
            );
            hears.expect(expected).await;
        }
    }
    let mut config = server.connect().await;
    config
        .check("CONFIG SET notify-keyspace-events Kx", "+OK\r\n")
        .await;
    config.check("SET k 1", "+OK\r\n").await;
    config.check("SET k 1 PX 1", "+OK\r\n").await;
    while config.bulk_or_null("GET k").await.is_some() {}
    hears
        .expect(
            "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@0__:k\r\n$7\r\nexpired\r\n",
        )
        .await;
}

#[tokio::test]
async fn tracking_and_caching_count_from_their_places_in_a_transaction() {
    let server = TestServer::start(&[]).await;
    let (mut client, mut other) = (resp3(&server).await, server.connect().await);
    client
        .send("MULTI\r\nGET a\r\nCLIENT TRACKING on OPTIN\r\nGET b\r\nCLIENT CACHING yes\r\nGET k\r\nGET c\r\nEXEC\r\n")
        .await;
    client
        .expect(&format!(
            "+OK\r\n{}*6\r\n_\r\n+OK\r\n_\r\n+OK\r\n_\r\n_\r\n",
            "+QUEUED\r\n".repeat(6)
        ))
        .await;
    // CACHING holds until the end of the transaction, and no longer.
    client.check("GET d", "_\r\n").await;
    for key in ["a", "b", "d", "k"] {
        other.check(&format!("SET {key} 1"), "+OK\r\n").await;
    }
    client.expect(GONE).await;
    other.check("SET c 1", "+OK\r\n").await;
    client.expect(&GONE.replace('k', "c")).await;
    // Off in a transaction: its own writes are told until then.
    client.send("CLIENT CACHING yes\r\nGET k\r\n").await;
    client.expect("+OK\r\n$1\r\n1\r\n").await;
    client
        .send("MULTI\r\nCLIENT TRACKING off\r\nSET k 2\r\nEXEC\r\nPING\r\n")
        .await;
    client
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n+PONG\r\n")
        .await;
    other.check("SET k 3", "+OK\r\n").await;
    client.check("PING", "+PONG\r\n").await;
}
