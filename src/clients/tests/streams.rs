//! Commands that wait for entries of streams, over several connections.

use super::support::{TestClient, TestServer, eventually};

async fn start() -> TestServer {
    TestServer::start(&["--port", "1"]).await
}

/// A client that waits in this command, as the last of so many.
async fn waiting(server: &TestServer, command: &str, blocked: u32) -> TestClient {
    let mut client = server.connect().await;
    client.send(format!("{command}\r\n")).await;
    until_blocked(server, blocked).await;
    client
}

async fn until_blocked(server: &TestServer, blocked: u32) {
    eventually(|| server.context.clients.blocked().0 == blocked).await;
}

/// Nobody stands in any line.
fn assert_no_lines(server: &TestServer) {
    let lines = server.context.keyspace.lock_all();
    assert_eq!(lines.iter().map(|one| one.lines_len()).sum::<usize>(), 0);
}

/// The reply that shows one entry of one stream.
fn entry(key: &str, id: &str, value: &str) -> String {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    format!(
        "*1\r\n*2\r\n{}*1\r\n*2\r\n{}*2\r\n{}{}",
        bulk(key),
        bulk(id),
        bulk("a"),
        bulk(value)
    )
}

#[tokio::test]
async fn all_who_read_are_given_what_comes() {
    let server = start().await;
    let mut writer = server.connect().await;
    writer.check("XADD s 1-0 a 0", "$3\r\n1-0\r\n").await;
    let mut readers = Vec::new();
    for (nth, command) in [
        "XREAD BLOCK 0 STREAMS s $",
        "XREAD BLOCK 0 STREAMS other s 0 1-0",
        "XREAD COUNT 1 BLOCK 0 STREAMS s 1",
    ]
    .iter()
    .enumerate()
    {
        readers.push(waiting(&server, command, nth as u32 + 1).await);
    }
    // One waits for later ones, and stays.
    let mut patient = waiting(&server, "XREAD BLOCK 0 STREAMS s 2-0", 4).await;
    writer.check("XADD s 2-0 a 1", "$3\r\n2-0\r\n").await;
    for reader in &mut readers {
        reader.expect(entry("s", "2-0", "1")).await;
    }
    until_blocked(&server, 1).await;
    writer.check("XADD s 3-0 a 2", "$3\r\n3-0\r\n").await;
    patient.expect(entry("s", "3-0", "2")).await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn what_was_the_last_id_when_a_wait_began_stays_so() {
    let server = start().await;
    let mut writer = server.connect().await;
    writer.check("XADD s 5-0 a 0", "$3\r\n5-0\r\n").await;
    let mut reader = waiting(&server, "XREAD BLOCK 0 STREAMS s $", 1).await;
    // An empty stream, and one of another type, wake nobody for good.
    writer.check("DEL s", ":1\r\n").await;
    writer.check("SET s 1", "+OK\r\n").await;
    writer.check("DEL s", ":1\r\n").await;
    writer.check("XADD s 4-0 a 1", "$3\r\n4-0\r\n").await;
    until_blocked(&server, 1).await;
    writer.check("XADD s 6-0 a 2", "$3\r\n6-0\r\n").await;
    reader.expect(entry("s", "6-0", "2")).await;
}

#[tokio::test]
async fn transactions_renames_copies_and_restores_wake_readers() {
    let server = start().await;
    let mut writer = server.connect().await;
    let mut reader = waiting(&server, "XREAD BLOCK 0 STREAMS s 0", 1).await;
    writer
        .send("MULTI\r\nXADD s 1-0 a 0\r\nXADD s 2-0 a 1\r\nXDEL s 1-0\r\nEXEC\r\n")
        .await;
    writer
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n:1\r\n")
        .await;
    reader.expect(entry("s", "2-0", "1")).await;
    for command in ["RENAME s t", "COPY t u", "RENAME t s"] {
        let to = command.rsplit(' ').next().unwrap();
        let mut reader = waiting(&server, &format!("XREAD BLOCK 0 STREAMS {to} 0"), 1).await;
        writer.send(format!("{command}\r\n")).await;
        reader.expect(entry(to, "2-0", "1")).await;
        writer
            .expect(if command.starts_with("COPY") {
                ":1\r\n"
            } else {
                "+OK\r\n"
            })
            .await;
    }
    assert_no_lines(&server);
}

#[tokio::test]
async fn of_those_who_read_for_a_group_who_came_first_is_given_it() {
    let server = start().await;
    let mut writer = server.connect().await;
    writer
        .check("XGROUP CREATE s g $ MKSTREAM", "+OK\r\n")
        .await;
    writer.check("XGROUP CREATE s h $", "+OK\r\n").await;
    let mut first = waiting(&server, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >", 1).await;
    let mut second = waiting(&server, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >", 2).await;
    let mut other = waiting(&server, "XREADGROUP GROUP h a BLOCK 0 STREAMS s >", 3).await;
    let mut reader = waiting(&server, "XREAD BLOCK 0 STREAMS s $", 4).await;
    writer.check("XADD s 1-0 a 1", "$3\r\n1-0\r\n").await;
    for client in [&mut first, &mut other, &mut reader] {
        client.expect(entry("s", "1-0", "1")).await;
    }
    until_blocked(&server, 1).await;
    writer.check("XADD s 2-0 a 2", "$3\r\n2-0\r\n").await;
    second.expect(entry("s", "2-0", "2")).await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn who_reads_for_a_group_is_told_when_that_goes() {
    let server = start().await;
    let mut writer = server.connect().await;
    let gone = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n";
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    for (command, expected) in [
        ("XGROUP DESTROY s g", gone),
        ("DEL s", gone),
        ("RENAME s t", gone),
        ("FLUSHALL", gone),
        ("SET s 1", wrong),
    ] {
        writer
            .send("DEL s\r\nXGROUP CREATE s g $ MKSTREAM\r\n")
            .await;
        let mut client = loop {
            let reply = writer.line().await;
            if reply == "+OK" {
                break waiting(&server, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", 1).await;
            }
        };
        writer.send(format!("{command}\r\n")).await;
        client.expect(expected).await;
        writer.line().await;
    }
    assert_no_lines(&server);
}

#[tokio::test]
async fn time_and_client_unblock_end_a_read() {
    let server = start().await;
    let mut client = server.connect().await;
    client.check("XREAD BLOCK 10 STREAMS s $", "*-1\r\n").await;
    client.check("CLIENT ID", ":1\r\n").await;
    client.send("XREAD BLOCK 0 STREAMS s $\r\n").await;
    until_blocked(&server, 1).await;
    let mut other = server.connect().await;
    other.check("CLIENT UNBLOCK 1", ":1\r\n").await;
    client.expect("*-1\r\n").await;
    client
        .send("MULTI\r\nXREAD BLOCK 0 STREAMS s $\r\nEXEC\r\n")
        .await;
    client.expect("+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n").await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn who_does_not_ask_to_wait_is_answered_within_a_pipeline_and_who_does_waits_there() {
    let server = start().await;
    let mut writer = server.connect().await;
    writer.check("XADD s 1-0 a 0", "$3\r\n1-0\r\n").await;
    writer.check("XADD s 2-0 a 1", "$3\r\n2-0\r\n").await;
    writer.check("XGROUP CREATE s g 0", "+OK\r\n").await;
    let mut reader = server.connect().await;
    let read = "XREADGROUP GROUP g c COUNT 1 STREAMS s >\r\n";
    let last = "XREADGROUP GROUP g c COUNT 1 block 0 STREAMS s >\r\nPING\r\n";
    reader
        .send([&read.repeat(3), "PING\r\n", last].concat())
        .await;
    let two = entry("s", "1-0", "0") + &entry("s", "2-0", "1");
    reader.expect(two + "*-1\r\n+PONG\r\n").await;
    until_blocked(&server, 1).await;
    writer.check("XADD s 3-0 a 2", "$3\r\n3-0\r\n").await;
    reader.expect(entry("s", "3-0", "2") + "+PONG\r\n").await;
    assert_no_lines(&server);
}
