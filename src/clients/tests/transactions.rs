//! MULTI, EXEC, WATCH over several connections.

use super::support::TestServer;

#[tokio::test]
async fn queued_commands_run_together_and_answer_together() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.send("MULTI\r\nSET a 1\r\nINCR a\r\nPING hi\r\nSELECT 3\r\nSET b x\r\n")
        .await;
    one.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n")
        .await;
    other.check("GET a", "$-1\r\n").await;
    one.check("EXEC", "*5\r\n+OK\r\n:2\r\n$2\r\nhi\r\n+OK\r\n+OK\r\n")
        .await;
    other.check("GET a", "$1\r\n2\r\n").await;
    one.check("GET b", "$1\r\nx\r\n").await;
    other.check("GET b", "$-1\r\n").await;
}

#[tokio::test]
async fn a_changed_watched_key_aborts_and_an_unchanged_one_does_not() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.check("WATCH a b", "+OK\r\n").await;
    other.check("SET b 1", "+OK\r\n").await;
    one.send("MULTI\r\nSET a 1\r\nEXEC\r\n").await;
    one.expect("+OK\r\n+QUEUED\r\n*-1\r\n").await;
    // The watch ended with EXEC.
    one.send("MULTI\r\nSET a 1\r\nEXEC\r\n").await;
    one.expect("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n").await;
    one.check("WATCH b", "+OK\r\n").await;
    other.check("SET c 1", "+OK\r\n").await;
    one.send("MULTI\r\nGET a\r\nEXEC\r\n").await;
    one.expect("+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n").await;
    one.check("WATCH b", "+OK\r\n").await;
    other.check("SET b 2", "+OK\r\n").await;
    one.check("UNWATCH", "+OK\r\n").await;
    one.send("MULTI\r\nEXEC\r\n").await;
    one.expect("+OK\r\n*0\r\n").await;
}

#[tokio::test]
async fn a_watched_key_whose_time_comes_aborts_unless_it_had_come_before() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("SET gone v PX 1", "+OK\r\n").await;
    while client.bulk_or_null("GET gone").await.is_some() {}
    client.send("WATCH gone\r\nMULTI\r\nPING\r\nEXEC\r\n").await;
    client
        .expect("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n")
        .await;
    client.check("SET soon v PX 40", "+OK\r\n").await;
    client.check("WATCH soon", "+OK\r\n").await;
    let mut other = server.connect().await;
    while other.bulk_or_null("GET soon").await.is_some() {}
    other.check("DEL soon", ":0\r\n").await;
    client.send("MULTI\r\nPING\r\nEXEC\r\n").await;
    client.expect("+OK\r\n+QUEUED\r\n*-1\r\n").await;
    // What had gone before is not changed by being removed, but by being written.
    client.check("SET gone v PX 1", "+OK\r\n").await;
    while client.bulk_or_null("GET gone").await.is_some() {}
    client
        .send("WATCH gone\r\nDEL gone\r\nMULTI\r\nPING\r\nEXEC\r\n")
        .await;
    client
        .expect("+OK\r\n:0\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n")
        .await;
    client
        .send("WATCH gone\r\nSET gone v\r\nMULTI\r\nPING\r\nEXEC\r\n")
        .await;
    client
        .expect("+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n")
        .await;
}

#[tokio::test]
async fn wrong_uses_get_rediss_words() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    for (command, reply) in [
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
        ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
        ("MULTI", "+OK\r\n"),
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed\r\n"),
        ("SET a 1", "+QUEUED\r\n"),
        ("EXEC", "*1\r\n+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        (
            "SET a",
            "-ERR wrong number of arguments for 'set' command\r\n",
        ),
        ("SET a 2", "+QUEUED\r\n"),
        (
            "EXEC",
            "-EXECABORT Transaction discarded because of previous errors.\r\n",
        ),
        ("MULTI", "+OK\r\n"),
        (
            "NOSUCH",
            "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
        ),
        ("DISCARD", "+OK\r\n"),
        ("GET a", "$1\r\n1\r\n"),
    ] {
        client.check(command, reply).await;
    }
}

#[tokio::test]
async fn server_commands_within_a_transaction_answer_in_their_places() {
    let server = TestServer::start(&["--port", "1", "--testmode", "yes"]).await;
    let mut client = server.connect().await;
    client
        .send("MULTI\r\nSET a 1\r\nDEBUG SLEEP 0\r\nDBSIZE\r\nWAIT 5 0\r\nROLE\r\nEXEC\r\n")
        .await;
    client
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n")
        .await;
    client
        .expect("*5\r\n+OK\r\n+OK\r\n:1\r\n:0\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")
        .await;
    client.check("PING", "+PONG\r\n").await;
}
