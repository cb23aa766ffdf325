//! Commands that take long: others are served meanwhile, and the client's own next commands come behind them.

use std::sync::Arc;

use super::support::{TestClient, TestServer, eventually};

/// Enough for another thread.
const MEMBERS: usize = 30_000;

async fn fill(client: &mut TestClient, key: &str) {
    for from in (0..MEMBERS).step_by(1_000) {
        let members =
            (from..from + 1_000).map(|number| format!(" a-member-of-some-length:{number:08}"));
        let line = format!("SADD {key}{}", members.collect::<String>());
        client.check(&line, ":1000\r\n").await;
    }
}

/// Lets nobody have long work done until what it returns is dropped.
async fn busy(server: &TestServer) -> tokio::sync::OwnedSemaphorePermit {
    let workers = Arc::clone(&server.context.workers);
    let all = workers.available_permits() as u32;
    workers.acquire_many_owned(all).await.unwrap()
}

/// Until so many wait for their turn.
async fn waiting(server: &TestServer, count: usize) {
    let workers = &server.context.workers;
    // The context's, and the one of who keeps all places.
    eventually(|| Arc::strong_count(workers) == 2 + count).await;
}

#[tokio::test]
async fn others_are_served_while_long_work_waits_and_replies_keep_their_order() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut other) = (server.connect().await, server.connect().await);
    fill(&mut client, "big").await;
    let busy = busy(&server).await;
    client
        .send("SCARD big\r\nSMEMBERS big\r\nSADD big new\r\nSCARD big\r\n")
        .await;
    waiting(&server, 1).await;
    other.check("SREM big new nothing", ":0\r\n").await;
    other.check("SADD big other", ":1\r\n").await;
    drop(busy);
    // As of the moment when it began.
    client.expect(format!(":{MEMBERS}\r\n*{MEMBERS}\r\n")).await;
    for _ in 0..MEMBERS {
        assert_eq!(client.line().await, "$32");
        client.line().await;
    }
    client.expect(format!(":1\r\n:{}\r\n", MEMBERS + 2)).await;
    let stats = client.bulk("INFO commandstats").await;
    assert!(stats.contains("cmdstat_smembers:calls=1,"), "{stats}");
}

#[tokio::test]
async fn what_is_stored_is_of_the_moment_when_it_is_stored() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut other) = (server.connect().await, server.connect().await);
    fill(&mut client, "big").await;
    let busy = busy(&server).await;
    client.send("SUNIONSTORE to big more\r\nSCARD to\r\nCLIENT REPLY SKIP\r\nSUNIONSTORE silent big\r\nPING\r\n").await;
    waiting(&server, 1).await;
    other.check("SADD more 1 2 3", ":3\r\n").await;
    other.check("EXISTS to", ":0\r\n").await;
    drop(busy);
    let count = MEMBERS + 3;
    client
        .expect(format!(":{count}\r\n:{count}\r\n+PONG\r\n"))
        .await;
    other
        .check("SCARD silent", &format!(":{MEMBERS}\r\n"))
        .await;
}

#[tokio::test]
async fn who_waits_for_a_key_is_served_by_long_work_that_stores_it() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut waiter) = (server.connect().await, server.connect().await);
    fill(&mut client, "big").await;
    waiter.send("BZPOPMIN to 0\r\n").await;
    eventually(|| server.context.clients.blocked().0 == 1).await;
    client
        .check("ZUNIONSTORE to 1 big", &format!(":{MEMBERS}\r\n"))
        .await;
    waiter
        .expect("*3\r\n$2\r\nto\r\n$32\r\na-member-of-some-length:00000000\r\n$1\r\n1\r\n")
        .await;
    client
        .check("ZCARD to", &format!(":{}\r\n", MEMBERS - 1))
        .await;
}

#[tokio::test]
async fn a_client_that_goes_leaves_nothing_behind() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut other) = (server.connect().await, server.connect().await);
    fill(&mut client, "big").await;
    let busy = busy(&server).await;
    client.send("SUNIONSTORE to big\r\n").await;
    waiting(&server, 1).await;
    drop(client);
    waiting(&server, 0).await;
    drop(busy);
    other.check("EXISTS to", ":0\r\n").await;
    other
        .check("SUNIONSTORE to big", &format!(":{MEMBERS}\r\n"))
        .await;
}
