//! What clients ask of replication, and how a connection becomes a link.

use super::support::{TestServer, eventually};
use crate::replication::LinkState;

#[tokio::test]
async fn replicaof_adds_removes_and_clears_masters() {
    let server = TestServer::start(&[
        "--port",
        "1",
        "--active-replica",
        "yes",
        "--multi-master",
        "yes",
    ])
    .await;
    let mut client = server.connect().await;
    let connect = |port: u16| {
        format!("*5\r\n$14\r\nactive-replica\r\n$1\r\nh\r\n:{port}\r\n$7\r\nconnect\r\n:-1\r\n")
    };
    for (command, reply) in [
        ("ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n".to_owned()),
        ("REPLICAOF h 1", "+OK\r\n".to_owned()),
        (
            "REPLICAOF h 1",
            "+OK Already connected to specified master\r\n".to_owned(),
        ),
        ("ROLE", connect(1)),
        ("SLAVEOF h 2", "+OK\r\n".to_owned()),
        ("ROLE", format!("*2\r\n{}{}", connect(1), connect(2))),
        (
            "REPLICAOF REMOVE h 3",
            "-ERR Master not found\r\n".to_owned(),
        ),
        ("REPLICAOF REMOVE h 1", "+OK\r\n".to_owned()),
        ("ROLE", connect(2)),
        ("REPLICAOF h x", "-ERR Invalid master port\r\n".to_owned()),
        ("REPLICAOF a b c d", "-ERR Invalid arguments\r\n".to_owned()),
        (
            "CONFIG GET replicaof",
            "*2\r\n$9\r\nreplicaof\r\n$3\r\nh 2\r\n".to_owned(),
        ),
        ("CLIENT KILL TYPE master", ":1\r\n".to_owned()),
        ("CLIENT KILL h:2", "+OK\r\n".to_owned()),
        ("REPLICAOF NO ONE", "+OK\r\n".to_owned()),
        ("ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n".to_owned()),
    ] {
        client.check(command, &reply).await;
    }
    assert_eq!(*server.links.killed.lock(), [None, Some("h:2".to_owned())]);
}

#[tokio::test]
async fn a_plain_replica_takes_no_writes_and_shows_no_stale_data() {
    let server = TestServer::start(&[
        "--port",
        "1",
        "--replicaof",
        "h 1",
        "--replica-serve-stale-data",
        "no",
    ])
    .await;
    let mut client = server.connect().await;
    let down =
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";
    client.check("GET a", down).await;
    client
        .check("CONFIG GET port", "*2\r\n$4\r\nport\r\n$1\r\n1\r\n")
        .await;
    server.links.set_state(LinkState::Connected);
    client.check("GET a", "$-1\r\n").await;
    let readonly = "-READONLY You can't write against a read only replica.\r\n";
    client.check("SET a 1", readonly).await;
    client.send("MULTI\r\nSET a 1\r\nEXEC\r\n").await;
    client.expect("+OK\r\n").await;
    client.expect(readonly).await;
    client
        .expect("-EXECABORT Transaction discarded because of previous errors.\r\n")
        .await;
    client
        .check("CONFIG SET replica-read-only no", "+OK\r\n")
        .await;
    client.check("SET a 1", "+OK\r\n").await;
}

#[tokio::test]
async fn a_loading_server_says_so() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    server
        .context
        .loading
        .store(true, std::sync::atomic::Ordering::Relaxed);
    client
        .check(
            "GET a",
            "-LOADING Redis is loading the dataset in memory\r\n",
        )
        .await;
    assert!(client.bulk("INFO persistence").await.contains("loading:1"));
    server
        .context
        .loading
        .store(false, std::sync::atomic::Ordering::Relaxed);
    client.check("GET a", "$-1\r\n").await;
}

#[tokio::test]
async fn wait_ends_with_enough_replicas_or_with_its_time() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client.send("SET a 1\r\nWAIT 1 10\r\n").await;
    client.expect("+OK\r\n:0\r\n").await;
    client.send("WAIT 2 0\r\nPING\r\n").await;
    let mut other = server.connect().await;
    other.check("PING", "+PONG\r\n").await;
    server.links.acknowledge(1);
    server.links.acknowledge(2);
    // A wake-up that came before the wait is no loss: the count is looked at first.
    client.expect(":2\r\n+PONG\r\n").await;
    client
        .check(
            "WAIT x 0",
            "-ERR value is not an integer or out of range\r\n",
        )
        .await;
    client
        .check("WAIT 1 -1", "-ERR timeout is negative\r\n")
        .await;
}

#[tokio::test]
async fn waitaof_says_that_nothing_is_in_any_file() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    let none = "*2\r\n:0\r\n:0\r\n";
    for (command, reply) in [
        ("WAITAOF 0 0 0", none),
        ("WAITAOF 0 1 5", none),
        (
            "WAITAOF 1 0 0",
            "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n",
        ),
        (
            "WAITAOF 2 0 0",
            "-ERR value is out of range, value must between 0 and 1\r\n",
        ),
        (
            "WAITAOF x 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "WAITAOF 1 -1 x",
            "-ERR value is out of range, must be positive\r\n",
        ),
        (
            "WAITAOF 1 0 x",
            "-ERR timeout is not an integer or out of range\r\n",
        ),
        ("WAITAOF 0 0 -1", "-ERR timeout is negative\r\n"),
    ] {
        client.check(command, reply).await;
    }
    client.send("MULTI\r\nWAITAOF 0 1 0\r\nEXEC\r\n").await;
    client
        .expect("+OK\r\n+QUEUED\r\n*1\r\n*2\r\n:0\r\n:0\r\n")
        .await;
    client.send("WAITAOF 0 1 0\r\nPING\r\n").await;
    let mut other = server.connect().await;
    eventually(|| server.context.clients.blocked() == (1, 0)).await;
    other.check("CLIENT UNBLOCK 1", ":1\r\n").await;
    client.expect("*2\r\n:0\r\n:0\r\n+PONG\r\n").await;
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_is_forgotten() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.send("PING\r\nWAIT 1 0\r\n").await;
    client.expect("+PONG\r\n").await;
    drop(client);
    let clients = &server.context.clients;
    eventually(|| clients.is_empty()).await;
}

#[tokio::test]
async fn a_peers_greeting_hands_its_socket_to_replication() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut peer = server.connect().await;
    peer.send("PING\r\n*3\r\n$12\r\nKEYMESH.LINK\r\n$1\r\n1\r\n$2\r\nid\r\n\x00\x01raw")
        .await;
    peer.expect("+PONG\r\n").await;
    let links = &server.links;
    eventually(|| !links.attached.lock().is_empty()).await;
    let (greeting, unread, stream) = links.attached.lock().pop().unwrap();
    assert_eq!(greeting, [&b"KEYMESH.LINK"[..], b"1", b"id"]);
    assert_eq!(unread, b"\x00\x01raw");
    assert!(server.context.clients.is_empty());
    stream.try_write(b"welcome").unwrap();
    peer.expect("welcome").await;
}

#[tokio::test]
async fn replconf_answers_as_keydb_does() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    for (command, reply) in [
        ("REPLPING", "+PONG\r\n"),
        ("LFENCE", "+OK\r\n"),
        ("REPLCONF listening-port 7000", "+OK\r\n"),
        (
            "REPLCONF capa eof capa psync2 capa activeExpire",
            "+OK active-replica\r\n",
        ),
        (
            "REPLCONF uuid 01234567-0123-0123-0123-0123456789ab",
            "+00000000-0000-0000-0000-000000000123\r\n",
        ),
        ("REPLCONF uuid x", "-ERR Invalid UUID\r\n"),
        (
            "REPLCONF foo bar",
            "-ERR Unrecognized REPLCONF option: foo\r\n",
        ),
        ("REPLCONF capa", "-ERR syntax error\r\n"),
        // What a replica tells its master is not answered.
        ("REPLCONF ack 0\r\nREPLCONF getack *\r\nPING", "+PONG\r\n"),
        ("MESH STATUS", "+MESH\r\n"),
    ] {
        client.check(command, reply).await;
    }
}

#[tokio::test]
async fn a_replica_carries_nothing_out_for_another_node_as_its_owner() {
    let owner = ["--queue-owner", "jobs:*", "127.0.0.1", "1"];
    let server = TestServer::start(&[&["--port", "1"][..], &owner].concat()).await;
    let mut client = server.connect().await;
    let command = "MESH OWNED 1 127.0.0.1 1 0 \"\" 0 2 LPOP jobs:a";
    let nothing = "*3\r\n$-1\r\n$0\r\n\r\n$0\r\n\r\n";
    client.check(command, nothing).await;
    client.check("REPLICAOF 127.0.0.1 1", "+OK\r\n").await;
    client
        .check(
            command,
            "-READONLY You can't write against a read only replica.\r\n",
        )
        .await;
}
