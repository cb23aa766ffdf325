//! Connections come and go: limits, kills, panics, the end.

use std::time::Duration;

use super::support::{TestServer, eventually};
use crate::clients::AcceptorMessage;

#[tokio::test]
async fn more_clients_than_allowed_are_told_so() {
    let server = TestServer::start(&["--port", "1", "--maxclients", "2"]).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.check("PING", "+PONG\r\n").await;
    second.check("PING", "+PONG\r\n").await;
    let mut third = server.connect().await;
    third.expect("-ERR max number of clients reached\r\n").await;
    third.expect_closed().await;
    let info = first.bulk("INFO stats").await;
    assert!(info.contains("rejected_connections:1\r\n"), "{info}");
    drop(second);
    let clients = &server.context.clients;
    eventually(|| clients.len() == 1).await;
    server.connect().await.check("PING", "+PONG\r\n").await;
}

#[tokio::test]
async fn quit_is_answered_and_what_follows_is_not() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.send("PING\r\nQUIT\r\nPING\r\n").await;
    client.expect("+PONG\r\n+OK\r\n").await;
    client.expect_closed().await;
}

#[tokio::test]
async fn client_kill_in_its_forms() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut killer = server.connect().await;
    killer.check("CLIENT ID", ":1\r\n").await;
    let mut victim = server.connect().await;
    victim.check("CLIENT ID", ":2\r\n").await;
    killer.check("CLIENT KILL ID 2", ":1\r\n").await;
    victim.expect_closed().await;
    killer.check("CLIENT KILL ID 2", ":0\r\n").await;

    let mut victim = server.connect().await;
    victim.check("PING", "+PONG\r\n").await;
    let address = victim.stream.local_addr().unwrap();
    killer
        .check(&format!("CLIENT KILL {address}"), "+OK\r\n")
        .await;
    victim.expect_closed().await;
    killer
        .check("CLIENT KILL 1.2.3.4:5", "-ERR No such client\r\n")
        .await;

    let mut victims = [server.connect().await, server.connect().await];
    for victim in &mut victims {
        victim.check("PING", "+PONG\r\n").await;
    }
    killer
        .check("CLIENT KILL TYPE normal USER default", ":2\r\n")
        .await;
    for victim in &mut victims {
        victim.expect_closed().await;
    }
    for (command, reply) in [
        ("CLIENT KILL TYPE x", "-ERR Unknown client type 'x'\r\n"),
        ("CLIENT KILL ID 5 TYPE", "-ERR syntax error\r\n"),
        (
            "CLIENT KILL ID 0",
            "-ERR client-id should be greater than 0\r\n",
        ),
        ("CLIENT KILL USER nobody", "-ERR No such user 'nobody'\r\n"),
    ] {
        killer.check(command, reply).await;
    }
    killer.check("CLIENT KILL ID 1 SKIPME no", ":1\r\n").await;
    killer.expect_closed().await;
}

#[tokio::test]
async fn an_idle_client_is_closed_after_the_timeout() {
    let server = TestServer::start(&["--port", "1", "--timeout", "1"]).await;
    let mut client = server.connect().await;
    client.check("PING", "+PONG\r\n").await;
    client.expect_closed().await;
}

#[tokio::test]
async fn who_listens_watches_or_waits_is_not_closed_after_the_timeout() {
    let server = TestServer::start(&["--port", "1", "--timeout", "1"]).await;
    let (mut hears, mut watches, mut waits, mut idles) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    hears
        .check("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
        .await;
    watches.check("MONITOR", "+OK\r\n").await;
    waits.send("WAIT 1 4000\r\n").await;
    idles.check("PING", "+PONG\r\n").await;
    idles.expect_closed().await;
    // The others began before it and have been looked at as often.
    waits.expect(":0\r\n").await;
    waits.check("PING", "+PONG\r\n").await;
    let mut says = server.connect().await;
    says.check("PUBLISH a b", ":1\r\n").await;
    hears
        .expect("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n")
        .await;
    while !watches.line().await.contains("\"PUBLISH\"") {}
}

#[tokio::test]
async fn a_command_that_panics_costs_an_error_reply_only() {
    let server = TestServer::start(&["--port", "1", "--enable-debug-command", "local"]).await;
    let mut client = server.connect().await;
    client.check("DEBUG PANIC-COMMAND", "+OK\r\n").await;
    client.send("SET a 1\r\nPING\r\nSET a 2\r\nGET a\r\n").await;
    client
        .expect("-ERR internal error: the command failed and was logged; the server goes on\r\n")
        .await;
    client.expect("+PONG\r\n+OK\r\n$1\r\n2\r\n").await;
}

#[tokio::test]
async fn an_acceptor_that_panics_loses_no_client_and_accepts_again() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut before = server.connect().await;
    before.check("PING", "+PONG\r\n").await;
    let first = server.acceptor.actor().unwrap().get_id();
    server.acceptor.cast(AcceptorMessage::Panic).unwrap();
    before.check("PING", "+PONG\r\n").await;
    eventually(|| {
        server
            .acceptor
            .actor()
            .is_some_and(|actor| actor.get_id() != first)
    })
    .await;
    before.check("PING", "+PONG\r\n").await;
    server.connect().await.check("PING", "+PONG\r\n").await;
}

#[tokio::test]
async fn a_drain_answers_what_was_read_and_closes_the_rest() {
    let server = TestServer::start(&["--port", "1", "--testmode", "yes"]).await;
    let (mut idle, mut busy) = (server.connect().await, server.connect().await);
    idle.check("PING", "+PONG\r\n").await;
    busy.send("SET a 1\r\nWAIT 1 0\r\nGET a\r\n").await;
    busy.expect("+OK\r\n").await;
    server.root.handle.shutdown().await;
    server.context.clients.drain(Duration::from_secs(20)).await;
    busy.expect(":0\r\n$1\r\n1\r\n").await;
    busy.expect_closed().await;
    idle.expect_closed().await;
    assert!(server.context.clients.is_empty());
}

#[tokio::test]
async fn shutdown_says_nothing_and_raises_the_signal() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut signal = server.context.shutdown.subscribe();
    let mut client = server.connect().await;
    client
        .check("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n")
        .await;
    client
        .check("SHUTDOWN SAVE NOSAVE", "-ERR syntax error\r\n")
        .await;
    client
        .send("SET a 1\r\nSHUTDOWN NOSAVE NOSAVE NOW\r\nSET a 2\r\n")
        .await;
    client.expect("+OK\r\n").await;
    client.expect_closed().await;
    let request = signal.wait_for(Option::is_some).await.unwrap().unwrap();
    assert_eq!(
        (request.save, request.now, request.force),
        (Some(false), true, false)
    );
}

#[tokio::test]
async fn a_soft_shutdown_lets_clients_go_on_and_lets_none_in() {
    let server = TestServer::start(&["--port", "1", "--enable-debug-command", "local"]).await;
    let mut client = server.connect().await;
    for wrong in ["SHUTDOWN SOFT NOW", "SHUTDOWN NOSAVE SOFT"] {
        client.check(wrong, "-ERR syntax error\r\n").await;
    }
    let (mut watches, mut hears) = (server.connect().await, server.connect().await);
    watches.check("MONITOR", "+OK\r\n").await;
    hears
        .check("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
        .await;
    client.check("SHUTDOWN soft", "+OK\r\n").await;
    client.check("SHUTDOWN SOFT", "+OK\r\n").await;
    client.check("PING", "-SHUTDOWN PENDING\r\n").await;
    client.check("PING a", "-SHUTDOWN PENDING\r\n").await;
    let arity = "-ERR wrong number of arguments for 'ping' command\r\n";
    client.check("PING a b", arity).await;
    hears.check("PING", "-SHUTDOWN PENDING\r\n").await;
    client.check("SET a 1", "+OK\r\n").await;
    client.check("GET a", "$1\r\n1\r\n").await;
    while !watches.line().await.contains("\"GET\"") {}
    watches.check("PING", "+PONG\r\n").await;
    client.check("DEBUG FORCE-MASTER yes", "+OK\r\n").await;
    client.check("PING", "+PONG\r\n").await;
    client.check("DEBUG FORCE-MASTER no", "+OK\r\n").await;

    let (mut says, mut is_silent) = (server.connect().await, server.connect().await);
    says.send("PING\r\n").await;
    for late in [&mut says, &mut is_silent] {
        late.expect("-SHUTDOWN PENDING\r\n").await;
        late.expect_closed().await;
    }
    let info = client.bulk("INFO stats").await;
    assert!(info.contains("rejected_connections:2\r\n"), "{info}");

    client.check("SHUTDOWN ABORT", "+OK\r\n").await;
    client.check("PING", "+PONG\r\n").await;
    server.connect().await.check("PING", "+PONG\r\n").await;
    client
        .check("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n")
        .await;
}

#[tokio::test]
async fn who_reads_from_the_node_comes_in_while_it_waits_for_its_clients() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("SHUTDOWN SOFT", "+OK\r\n").await;
    let mut peer = server.connect().await;
    peer.send("*3\r\n$12\r\nKEYMESH.LINK\r\n$1\r\n1\r\n$2\r\nid\r\n")
        .await;
    let links = &server.links;
    eventually(|| !links.attached.lock().is_empty()).await;
}

#[tokio::test]
async fn those_that_watch_or_wait_are_not_waited_for() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut watches, mut waits) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    watches.check("MONITOR", "+OK\r\n").await;
    waits.send("BLPOP nothing 0\r\n").await;
    let context = std::sync::Arc::clone(&server.context);
    eventually(|| context.clients.blocked().0 == 1).await;
    let ended = tokio::spawn(async move { context.soft_shutdown.all_left(&context.clients).await });
    client.check("SHUTDOWN SOFT", "+OK\r\n").await;
    client.check("SET a 1", "+OK\r\n").await;
    assert!(!ended.is_finished(), "there is a client");
    drop(client);
    tokio::time::timeout(Duration::from_secs(30), ended)
        .await
        .expect("nobody else is waited for")
        .unwrap();
}

#[tokio::test]
async fn a_web_page_that_speaks_to_the_port_is_not_listened_to() {
    let server = TestServer::start(&["--port", "1"]).await;
    for request in [
        "POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a 1\r\n",
        "*1\r\n$5\r\nHoSt:\r\nSET a 1\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(request).await;
        client.expect_closed().await;
    }
    let mut client = server.connect().await;
    client.check("EXISTS a", ":0\r\n").await;
}

#[tokio::test]
async fn what_a_running_server_cannot_take_over_is_refused() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    for (command, reason) in [
        (
            "port 2",
            "'port') - Unable to listen on this port. Check server logs.",
        ),
        (
            "bind 127.0.0.2",
            "'bind') - Failed to bind to specified addresses.",
        ),
        (
            "link-backoff-max-ms 9000",
            "'link-backoff-max-ms') - it is read at the start only",
        ),
    ] {
        let expected = format!("-ERR CONFIG SET failed (possibly related to argument {reason}\r\n");
        client
            .check(&format!("CONFIG SET {command}"), &expected)
            .await;
    }
    client.check("CONFIG SET port 1", "+OK\r\n").await;
    client
        .check("CONFIG GET port", "*2\r\n$4\r\nport\r\n$1\r\n1\r\n")
        .await;
}
