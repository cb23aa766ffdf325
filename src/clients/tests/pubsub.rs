//! Channels, patterns and shard channels over real sockets, in both protocols.

use std::sync::atomic::Ordering;

use crate::clients::janitor::closing_reason;
use crate::clients::tests::support::{TestServer, eventually};
use crate::config::Options;
use crate::db::UnixMillis;
use crate::pubsub::Kind;

const CONFINED: &str =
    "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n";

#[tokio::test]
async fn a_subscriber_of_resp2_hears_messages_and_may_do_little_else() {
    let server = TestServer::start(&[]).await;
    let (mut hears, mut says) = (server.connect().await, server.connect().await);
    hears
        .check(
            "SUBSCRIBE a b a",
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n",
        )
        .await;
    hears
        .check(
            "CONFIG GET port",
            &format!("-ERR Can't execute 'config|get': {CONFINED}"),
        )
        .await;
    hears.check("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n").await;
    hears
        .check("PING hi", "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n")
        .await;
    hears
        .check(
            "PSUBSCRIBE a*",
            "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n",
        )
        .await;
    says.check("PUBLISH a hey", ":2\r\n").await;
    says.check("SPUBLISH a hey", ":0\r\n").await;
    hears
        .expect("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\nhey\r\n*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$3\r\nhey\r\n")
        .await;
    says.check(
        "PUBSUB NUMSUB a z",
        "*4\r\n$1\r\na\r\n:1\r\n$1\r\nz\r\n:0\r\n",
    )
    .await;
    says.check("PUBSUB CHANNELS b*", "*1\r\n$1\r\nb\r\n").await;
    says.check("PUBSUB NUMPAT", ":1\r\n").await;
    hears
        .check(
            "UNSUBSCRIBE zz",
            "*3\r\n$11\r\nunsubscribe\r\n$2\r\nzz\r\n:3\r\n",
        )
        .await;
    hears
        .check(
            "UNSUBSCRIBE",
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n",
        )
        .await;
    hears
        .check(
            "PUNSUBSCRIBE",
            "*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n",
        )
        .await;
    hears.check("GET x", "$-1\r\n").await;
    hears
        .check("UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n")
        .await;
}

#[tokio::test]
async fn a_subscriber_of_resp3_goes_on_as_usual_and_hears_itself_after_its_reply() {
    let server = TestServer::start(&[]).await;
    let mut client = server.connect().await;
    client.send("HELLO 3\r\nSUBSCRIBE a\r\n").await;
    while client.line().await != "*0" {}
    client
        .expect(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
        .await;
    let heard = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
    client
        .send("PUBLISH a x\r\nPING\r\nGET k\r\nPUBLISH a x\r\n")
        .await;
    client
        .expect(format!(":1\r\n{heard}+PONG\r\n_\r\n:1\r\n{heard}"))
        .await;
    client.check("MULTI", "+OK\r\n").await;
    for command in ["SUBSCRIBE b", "SSUBSCRIBE s", "PUBLISH a x"] {
        client.check(command, "+QUEUED\r\n").await;
    }
    client
        .check(
            "EXEC",
            &format!("*3\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n:1\r\n{heard}"),
        )
        .await;
    client
        .check(
            "CLIENT REPLY SKIP\r\nSUBSCRIBE c",
            ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:3\r\n",
        )
        .await;
    client.check("RESET", "+RESET\r\n").await;
    client.check("PUBLISH a x", ":0\r\n").await;
    client.check("PUBSUB CHANNELS", "*0\r\n").await;
}

#[tokio::test]
async fn who_disconnects_is_unsubscribed_and_client_list_shows_who_hears() {
    let server = TestServer::start(&[]).await;
    let (mut hears, mut says) = (server.connect().await, server.connect().await);
    hears
        .check(
            "SSUBSCRIBE s",
            "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n",
        )
        .await;
    hears
        .check(
            "PSUBSCRIBE p",
            "*3\r\n$10\r\npsubscribe\r\n$1\r\np\r\n:1\r\n",
        )
        .await;
    let list = says.bulk("CLIENT LIST TYPE pubsub").await;
    assert!(
        list.contains(" flags=P ") && list.contains(" sub=0 psub=1 ssub=1 "),
        "{list}"
    );
    assert_eq!(list.lines().count(), 1);
    let info = says.bulk("INFO stats").await;
    assert!(info.contains("pubsub_channels:0\r\npubsub_patterns:1\r\npubsubshard_channels:1\r\n"));
    says.check("CLIENT KILL TYPE pubsub", ":1\r\n").await;
    hears.expect_closed().await;
    let channels = &server.context.keyspace.pubsub.channels;
    eventually(|| channels.is_empty()).await;
    assert_eq!(channels.len(Kind::Shard), 0);
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_closed_at_its_limit_and_holds_nobody_up() {
    let directives = ["--client-output-buffer-limit", "pubsub 1mb 0 0"];
    let server = TestServer::start(&directives).await;
    let (mut stuck, mut hears, mut says) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    let subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    stuck.check("SUBSCRIBE a", subscribed).await;
    hears.check("SUBSCRIBE a", subscribed).await;
    let payload = "x".repeat(100_000);
    let message = format!("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$100000\r\n{payload}\r\n");
    let mut told = 2;
    for _ in 0..1000 {
        says.send(format!(
            "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$100000\r\n{payload}\r\n"
        ))
        .await;
        let line = says.line().await;
        hears.expect(&message).await;
        told = line[1..].parse().unwrap();
        if told == 1 {
            break;
        }
    }
    assert_eq!(told, 1, "the one that does not read is still there");
    let info = says.bulk("INFO stats").await;
    assert!(info.contains("client_output_buffer_limit_disconnections:1\r\n"));
}

#[tokio::test]
async fn a_client_above_its_soft_limit_has_so_long_to_read() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("PING", "+PONG\r\n").await;
    let clients = server.context.clients.list();
    let mut options = Options::clone(&server.context.configuration.options());
    options.client_output_buffer_limit.normal.soft = 100;
    options.client_output_buffer_limit.normal.soft_seconds = 2;
    let began = clients[0].last_interaction.load(Ordering::Relaxed);
    let closed = |unsent, after_ms| {
        clients[0].shown.lock().unsent = unsent;
        closing_reason(&clients[0], &options, UnixMillis(began + after_ms))
    };
    assert_eq!(closed(100, 0), None);
    assert_eq!(closed(5_000, 2_000), None);
    // It has read a little: its time begins anew.
    assert_eq!(closed(99, 2_001), None);
    assert_eq!(closed(100, 3_000), None);
    assert_eq!(closed(100, 5_000), None);
    assert_eq!(closed(100, 5_001), Some("output buffer soft limit"));
}
