//! Bytes, however they are cut, become the same commands; replies come in order.

use super::support::{TestServer, eventually};
use crate::resp::MAX_LINE_LEN;

const PIPELINE: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nxy\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$3\r\nGET\r\nNOSUCH a\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n";
const REPLIES: &[u8] = b"+OK\r\n+PONG\r\n$2\r\nxy\r\n-ERR wrong number of arguments for 'get' command\r\n-ERR unknown command 'NOSUCH', with args beginning with: 'a' \r\n$0\r\n\r\n";

#[tokio::test]
async fn a_pipeline_may_be_cut_at_every_byte() {
    let server = TestServer::start(&["--port", "1"]).await;
    for cut in 1..PIPELINE.len() {
        let mut client = server.connect().await;
        client.send(&PIPELINE[..cut]).await;
        tokio::task::yield_now().await;
        client.send(&PIPELINE[cut..]).await;
        client.expect(REPLIES).await;
    }
    let mut client = server.connect().await;
    for byte in PIPELINE {
        client.send([*byte]).await;
    }
    client.expect(REPLIES).await;
}

#[tokio::test]
async fn long_pipelines_are_answered_in_order_in_one_read_and_one_write_each() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let mut request = Vec::new();
    let mut expected = Vec::new();
    for number in 0..5000 {
        request.extend_from_slice(format!("ECHO {number}\r\n").as_bytes());
        let text = number.to_string();
        expected.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
    }
    client.send(&request).await;
    client.expect(&expected).await;

    let counters = || {
        let statistics = &server.context.statistics;
        use std::sync::atomic::Ordering::Relaxed;
        (
            statistics.reads.load(Relaxed),
            statistics.writes.load(Relaxed),
        )
    };
    let before = counters();
    client.send("PING\r\n".repeat(64)).await;
    client.expect("+PONG\r\n".repeat(64)).await;
    assert_eq!(counters(), (before.0 + 1, before.1 + 1));
}

#[tokio::test]
async fn big_values_come_back_and_their_memory_goes() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let value = vec![b'v'; 5_000_000];
    let header = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n", value.len());
    client.send(header).await;
    client.send(&value).await;
    client.send("\r\n").await;
    client.expect("+OK\r\n").await;
    client.send("GET big\r\nPING\r\n").await;
    client.expect(format!("${}\r\n", value.len())).await;
    client.expect(&value).await;
    client.expect("\r\n+PONG\r\n").await;
    client.check("PING", "+PONG\r\n").await;
    let list = client.bulk("CLIENT LIST").await;
    let free = |name: &str| -> usize {
        let at = list.find(name).unwrap() + name.len();
        list[at..].split(' ').next().unwrap().parse().unwrap()
    };
    assert!(free("qbuf-free=") <= 64 * 1024, "{list}");
    assert!(free(" rbs=") <= 128 * 1024, "{list}");
}

#[tokio::test]
async fn only_unfinished_commands_hold_a_read_buffer() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut quiet, mut slow) = (server.connect().await, server.connect().await);
    quiet.check("CLIENT SETNAME quiet", "+OK\r\n").await;
    slow.check("CLIENT SETNAME slow", "+OK\r\n").await;
    slow.send("*2\r\n$4\r\nECHO\r\n$5\r\nhe").await;
    let clients = &server.context.clients;
    let buffer = |name: &str| {
        let all = clients.list();
        let client = all.iter().find(|c| c.shown.lock().name == name.as_bytes());
        let shown = client.unwrap().shown.lock();
        (shown.query_len, shown.query_free > 0)
    };
    eventually(|| buffer("slow") == (20, true)).await;
    assert_eq!(buffer("quiet"), (0, false));
    slow.send("llo\r\n").await;
    slow.expect("$5\r\nhello\r\n").await;
    eventually(|| buffer("slow") == (0, false)).await;
}

#[tokio::test]
async fn a_client_may_send_everything_before_it_reads_anything() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut writer = server.connect().await;
    let value = "x".repeat(10_000);
    writer.check(&format!("SET k {value}"), "+OK\r\n").await;
    let count = 3000;
    // 30 MB of replies, far beyond what the sockets hold, before the first is read.
    writer.send("GET k\r\n".repeat(count)).await;
    writer.send("PING\r\n".repeat(count)).await;
    let mut other = server.connect().await;
    other.check("PING", "+PONG\r\n").await;
    let reply = format!("$10000\r\n{value}\r\n");
    for _ in 0..count {
        writer.expect(&reply).await;
    }
    writer.expect("+PONG\r\n".repeat(count)).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_at_the_output_limit() {
    let limit = "--client-output-buffer-limit normal 1mb 0 0";
    let words: Vec<&str> = ["--port", "1"]
        .into_iter()
        .chain(limit.split(' '))
        .collect();
    let server = TestServer::start(&words).await;
    let mut client = server.connect().await;
    client
        .check(&format!("SET k {}", "x".repeat(60_000)), "+OK\r\n")
        .await;
    client.send("GET k\r\n".repeat(1000)).await;
    let clients = &server.context.clients;
    eventually(|| clients.is_empty()).await;
    let mut other = server.connect().await;
    let info = other.bulk("INFO stats").await;
    assert!(
        info.contains("client_output_buffer_limit_disconnections:1"),
        "{info}"
    );
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_the_connection_closed() {
    let server = TestServer::start(&["--port", "1"]).await;
    let long = vec![b'a'; MAX_LINE_LEN + 10];
    for (request, reply) in [
        (
            &b"*x\r\n"[..],
            "-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*1\r\nPING\r\n",
            "-ERR Protocol error: expected '$', got 'P'\r\n",
        ),
        (
            b"*1\r\n$-5\r\n",
            "-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"set \"a\r\n",
            "-ERR Protocol error: unbalanced quotes in request\r\n",
        ),
        (&long, "-ERR Protocol error: too big inline request\r\n"),
        (
            b"PING\r\n*1\r\n!",
            "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n",
        ),
    ] {
        let mut client = server.connect().await;
        client.send(request).await;
        if request.ends_with(b"!") {
            client.send(b"\r\n").await;
        }
        client.expect(reply).await;
        client.expect_closed().await;
    }
}

#[tokio::test]
async fn a_long_pipeline_lets_others_have_their_turn() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut greedy, mut modest) = (server.connect().await, server.connect().await);
    let count = 200_000;
    let requests = "PING\r\n".repeat(count);
    let (mut sink, mut source) = greedy.stream.split();
    let reading = async {
        let mut read = vec![0; 1 << 16];
        let mut left = count * 7;
        while left > 0 {
            left -= tokio::io::AsyncReadExt::read(&mut sink, &mut read)
                .await
                .unwrap();
        }
    };
    let writing = async {
        tokio::io::AsyncWriteExt::write_all(&mut source, requests.as_bytes())
            .await
            .unwrap();
    };
    let asking = async {
        for _ in 0..20 {
            modest.check("PING", "+PONG\r\n").await;
        }
    };
    tokio::join!(reading, writing, asking);
}

#[tokio::test]
async fn what_stood_before_the_end_of_a_connection_is_counted() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .send("SET a 1\r\nEVAL \"return redis.call('incr',KEYS[1])\" 1 a\r\nQUIT\r\n")
        .await;
    client.expect("+OK\r\n:2\r\n+OK\r\n").await;
    client.expect_closed().await;
    let shown = server.connect().await.bulk("INFO commandstats").await;
    for name in ["set", "incr", "eval", "quit"] {
        let line = format!("cmdstat_{name}:calls=1,");
        assert!(shown.contains(&line), "{line} {shown}");
    }
}
