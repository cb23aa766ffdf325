//! RREPLAY: what a server of a KeyDB mesh hands on.

use super::support::{TestClient, TestServer};

const DIRECTIVES: &[&str] = &["--port", "1", "--enable-debug-command", "yes"];
const ORIGIN: &str = "f4d5b2b5-4f07-4ee5-a4f2-5dc98507dfce";
const OTHER: &str = "0a0b0c0d-4f07-4ee5-a4f2-5dc98507dfce";

/// A command as it travels.
fn command(words: &[&str]) -> String {
    let word = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
    let text: Vec<String> = words.iter().map(word).collect();
    format!("*{}\r\n{}", words.len(), text.concat())
}

/// An RREPLAY of commands, with a database and a number.
fn wrapped(origin: &str, inner: &str, rest: &[&str]) -> String {
    command(&[&["RREPLAY", origin, inner], rest].concat())
}

async fn master(server: &TestServer) -> TestClient {
    let mut client = server.connect().await;
    client.check("DEBUG FORCE-MASTER", "+OK\r\n").await;
    client
}

async fn replay(client: &mut TestClient, origin: &str, words: &[&str], rest: &[&str]) {
    client.send(wrapped(origin, &command(words), rest)).await;
    client.expect("+OK\r\n").await;
}

#[tokio::test]
async fn nobody_but_a_master_has_anything_replayed() {
    let server = TestServer::start(DIRECTIVES).await;
    let mut client = server.connect().await;
    client
        .send(wrapped(ORIGIN, &command(&["SET", "a", "1"]), &["2"]))
        .await;
    client
        .expect("-ERR Command must be sent from a master\r\n")
        .await;
    client.check("EXISTS a", ":0\r\n").await;
}

#[tokio::test]
async fn it_is_carried_out_in_the_database_that_is_named_or_else_in_the_present_one() {
    let server = TestServer::start(DIRECTIVES).await;
    let mut client = master(&server).await;
    client.check("SELECT 4", "+OK\r\n").await;
    client.check("SET a four", "+OK\r\n").await;
    replay(&mut client, ORIGIN, &["SET", "b", "here"], &[]).await;
    client.check("GET b", "$4\r\nhere\r\n").await;
    replay(&mut client, ORIGIN, &["SET", "a", "there"], &["2"]).await;
    // As in KeyDB the connection stays there.
    client.check("GET a", "$5\r\nthere\r\n").await;
    client.check("SELECT 4", "+OK\r\n").await;
    client.check("GET a", "$4\r\nfour\r\n").await;
}

#[tokio::test]
async fn what_comes_again_or_comes_home_is_not_carried_out() {
    let server = TestServer::start(DIRECTIVES).await;
    let mut client = master(&server).await;
    for (number, count) in [("5", 1), ("5", 1), ("4", 1), ("6", 2), ("0", 3)] {
        replay(&mut client, ORIGIN, &["INCR", "n"], &["0", number]).await;
        client.check("GET n", &format!("$1\r\n{count}\r\n")).await;
    }
    replay(&mut client, OTHER, &["INCR", "n"], &["0", "1"]).await;
    client.check("GET n", "$1\r\n4\r\n").await;
    // Handed on by another: each of the two is counted by itself.
    for (outer, inner, count) in [("2", "7", 5), ("3", "7", 5), ("3", "8", 5), ("4", "8", 6)] {
        let inner = wrapped(ORIGIN, &command(&["INCR", "n"]), &["0", inner]);
        client.send(wrapped(OTHER, &inner, &["0", outer])).await;
        client.expect("+OK\r\n").await;
        client.check("GET n", &format!("$1\r\n{count}\r\n")).await;
    }
    client.send(format!("REPLCONF uuid {ORIGIN}\r\n")).await;
    let own = client.line().await;
    let own = own.trim_start_matches('+').trim_end().to_owned();
    replay(&mut client, &own, &["INCR", "n"], &["0"]).await;
    client.check("GET n", "$1\r\n6\r\n").await;
}

#[tokio::test]
async fn a_transaction_may_come_in_parts_and_by_several_connections() {
    let server = TestServer::start(DIRECTIVES).await;
    let (mut client, mut second) = (master(&server).await, master(&server).await);
    replay(&mut client, ORIGIN, &["MULTI"], &["3", "1"]).await;
    replay(&mut client, ORIGIN, &["SET", "a", "1"], &["3", "2"]).await;
    replay(&mut second, ORIGIN, &["INCR", "a"], &["3", "3"]).await;
    // Another origin's is its own.
    replay(&mut second, OTHER, &["SET", "b", "1"], &["3", "1"]).await;
    second.check("MGET a b", "*2\r\n$-1\r\n$1\r\n1\r\n").await;
    replay(&mut second, ORIGIN, &["EXEC"], &["3", "4"]).await;
    second.check("GET a", "$1\r\n2\r\n").await;
    let whole = [
        command(&["MULTI"]),
        command(&["INCR", "a"]),
        command(&["NOTHING"]),
        command(&["EXEC"]),
        command(&["INCR", "b"]),
    ];
    client.send(wrapped(ORIGIN, &whole.concat(), &["3"])).await;
    client.expect("+OK\r\n").await;
    client
        .check("MGET a b", "*2\r\n$1\r\n2\r\n$1\r\n2\r\n")
        .await;
}

#[tokio::test]
async fn scripts_run_and_whoever_waits_is_served() {
    let server = TestServer::start(DIRECTIVES).await;
    let (mut client, mut waiting) = (master(&server).await, server.connect().await);
    let script = "redis.call('rpush', KEYS[1], ARGV[1]) return redis.call('ping')";
    waiting.send("BLPOP list 0\r\n").await;
    let mut looking = server.connect().await;
    while looking
        .bulk("INFO clients")
        .await
        .contains("blocked_clients:0")
    {
        tokio::task::yield_now().await;
    }
    replay(
        &mut client,
        ORIGIN,
        &["EVAL", script, "1", "list", "x"],
        &["0"],
    )
    .await;
    waiting.expect("*2\r\n$4\r\nlist\r\n$1\r\nx\r\n").await;
    // A command that would wait finds nothing, and its failure is nobody's but the log's.
    replay(&mut client, ORIGIN, &["BLPOP", "list", "0"], &[]).await;
    replay(&mut client, ORIGIN, &["LPUSH", "list", "x"], &[]).await;
    replay(&mut client, ORIGIN, &["INCR", "list"], &[]).await;
    client.check("LLEN list", ":1\r\n").await;
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_is_no_command_ends_the_connection() {
    let server = TestServer::start(DIRECTIVES).await;
    let mut client = master(&server).await;
    let ping = command(&["PING"]);
    for (words, error) in [
        (wrapped("x", &ping, &[]), "Expected UUID arg1"),
        (wrapped(ORIGIN, &ping, &["16"]), "Invalid database ID"),
        (wrapped(ORIGIN, &ping, &["-1"]), "Invalid database ID"),
        (
            wrapped(ORIGIN, &ping, &["0", "x"]),
            "Invalid MVCC Timestamp",
        ),
        (wrapped(ORIGIN, "", &[]), "command did not execute"),
        (
            wrapped(ORIGIN, &command(&["NOTHING"]), &["0", "9"]),
            "command did not execute",
        ),
        (
            wrapped(ORIGIN, &command(&["SUBSCRIBE", "a"]), &[]),
            "command did not execute",
        ),
    ] {
        client.send(words).await;
        client.expect(format!("-ERR {error}\r\n")).await;
    }
    // What was not carried out counts as not come.
    replay(&mut client, ORIGIN, &["SET", "a", "1"], &["0", "9"]).await;
    client.check("EXISTS a", ":1\r\n").await;
    let mut deep = command(&["SET", "deep", "1"]);
    for _ in 0..70 {
        deep = wrapped(ORIGIN, &deep, &[]);
    }
    client.send(deep).await;
    client.expect("+OK\r\n").await;
    client.check("EXISTS deep", ":0\r\n").await;
    client.check("MULTI", "+OK\r\n").await;
    client.send(wrapped(ORIGIN, &ping, &[])).await;
    client
        .expect("-ERR Command not allowed inside a transaction\r\n")
        .await;
    client.check("DISCARD", "+OK\r\n").await;
    for broken in ["*1\r\n$4\r\nPIN", "*1\r\n!4\r\nPING\r\n"] {
        let mut client = master(&server).await;
        client.send(wrapped(ORIGIN, broken, &[])).await;
        client.expect("-ERR command did not execute\r\n").await;
        client.expect_closed().await;
    }
}
