//! What is counted of commands, and what is shown of connections while they work and wait.

use super::support::{TestClient, TestServer, eventually};

/// Sends commands and reads their replies, whatever they are, up to the echo behind them.
async fn run(client: &mut TestClient, commands: &[&str]) {
    for command in commands {
        client.send(format!("{command}\r\n")).await;
    }
    client.send("PING end-of-all\r\n").await;
    while client.line().await != "end-of-all" {}
}

/// `calls, rejected, failed` of a command.
fn counters(info: &str, name: &str) -> Option<[u64; 3]> {
    let prefix = format!("cmdstat_{name}:");
    let line = info.lines().find_map(|line| line.strip_prefix(&*prefix))?;
    let field = |name: &str| {
        let mut fields = line.split(',');
        let value = fields.find_map(|field| field.strip_prefix(name)).unwrap();
        value.parse().unwrap()
    };
    Some([
        field("calls="),
        field("rejected_calls="),
        field("failed_calls="),
    ])
}

/// A field of the line of this client.
async fn shown(client: &mut TestClient, name: &str, field: &str) -> String {
    let list = client.bulk("CLIENT LIST").await;
    let of_client = format!(" name={name} ");
    let line = list.lines().find(|line| line.contains(&of_client)).unwrap();
    let prefix = format!("{field}=");
    let mut fields = line.split(' ');
    let value = fields.find_map(|field| field.strip_prefix(&*prefix));
    value.unwrap().to_owned()
}

#[tokio::test]
async fn commandstats_count_as_redis_counts() {
    let server = TestServer::start(&["--port", "1", "--testmode", "yes"]).await;
    let mut client = server.connect().await;
    let script = [
        "MULTI",
        "SET a x",
        "INCR a",
        "GET",
        "NOSUCH",
        "EXEC",
        "MULTI",
        "SET a x",
        "INCR a",
        "GET a",
        "CONFIG GET maxclients",
        "CONFIG SET foo bar",
        "CLIENT LIST",
        "EXEC",
        "CONFIG GET a",
        "CONFIG FOO",
        "CONFIG GET",
        "CLIENT ID",
        "CLIENT NOSUCH",
        "CLIENT SETNAME",
        "COMMAND COUNT",
        "INCR a",
        "GET",
        "EXEC",
        "WATCH a",
        "SET a y",
        "MULTI",
        "GET a",
        "EXEC",
        "MULTI",
        "MULTI",
        "WATCH a",
        "EXEC x",
        "DISCARD",
        "SELECT 99",
        "WAIT bad 0",
        "MULTI",
        "DEBUG SLEEP 0",
        "SELECT 99",
        "EXEC",
        "RESET",
    ];
    run(&mut client, &script).await;
    let info = client.bulk("INFO all").await;
    for (name, expected) in [
        ("get", [1, 2, 0]),
        ("set", [2, 0, 0]),
        ("incr", [2, 0, 2]),
        ("multi", [6, 0, 1]),
        ("exec", [5, 1, 2]),
        ("discard", [1, 0, 1]),
        ("watch", [2, 0, 1]),
        ("select", [2, 0, 2]),
        ("wait", [1, 0, 1]),
        ("debug", [1, 0, 0]),
        ("config|get", [2, 1, 0]),
        ("config|set", [1, 0, 1]),
        ("client|list", [1, 0, 0]),
        ("client|id", [1, 0, 0]),
        ("client|setname", [0, 1, 0]),
        ("command|count", [1, 0, 0]),
        ("ping", [1, 0, 0]),
    ] {
        assert_eq!(counters(&info, name), Some(expected), "{name} in {info}");
    }
    for name in ["config", "client", "command"] {
        assert_eq!(counters(&info, name), None, "{name}");
    }
    assert!(info.contains("errorstat_ERR:count=17\r\n"), "{info}");
    assert!(info.contains("errorstat_EXECABORT:count=2\r\n"), "{info}");
    assert!(info.contains("total_error_replies:19\r\n"), "{info}");
    assert!(info.contains("total_commands_processed:31\r\n"), "{info}");
}

#[tokio::test]
async fn exec_is_rejected_where_its_writes_have_become_forbidden() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut client, mut other) = (server.connect().await, server.connect().await);
    client.send("MULTI\r\nSET a 1\r\n").await;
    client.expect("+OK\r\n+QUEUED\r\n").await;
    other.check("REPLICAOF 127.0.0.1 1", "+OK\r\n").await;
    client
        .check(
            "EXEC",
            "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.\r\n",
        )
        .await;
    let info = client.bulk("INFO commandstats").await;
    assert_eq!(counters(&info, "exec"), Some([0, 1, 0]), "{info}");
}

#[tokio::test]
async fn a_client_that_waits_is_shown_and_counted_as_one() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    two.check("CLIENT SETNAME two", "+OK\r\n").await;
    let blocked = "blocked_clients:1\r\ntracking_clients:0\r\nclients_in_timeout_table:";
    for (command, timed, len) in [("WAIT 9 0", 0, "6"), ("WAIT 9 1000000", 1, "12")] {
        two.send(format!("{command}\r\n")).await;
        eventually(|| server.context.clients.blocked() == (1, timed)).await;
        let info = one.bulk("INFO clients").await;
        assert!(info.contains(&format!("{blocked}{timed}\r\n")), "{info}");
        assert_eq!(shown(&mut one, "two", "flags").await, "b");
        assert_eq!(shown(&mut one, "two", "cmd").await, "wait");
        assert_eq!(shown(&mut one, "two", "argv-mem").await, len);
        let info = one.bulk("INFO commandstats").await;
        assert!(counters(&info, "wait").is_some(), "{info}");
        one.check("CLIENT UNBLOCK 2", ":1\r\n").await;
        two.expect(":0\r\n").await;
    }
    eventually(|| server.context.clients.blocked() == (0, 0)).await;
    assert_eq!(shown(&mut one, "two", "flags").await, "N");
    // One that is gone waits no more.
    two.send("WAIT 9 0\r\n").await;
    eventually(|| server.context.clients.blocked() == (1, 0)).await;
    one.check("CLIENT KILL ID 2", ":1\r\n").await;
    two.expect_closed().await;
    eventually(|| server.context.clients.blocked() == (0, 0)).await;
}

#[tokio::test]
async fn a_client_that_is_paused_is_shown_and_counted_as_blocked() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    two.check("CLIENT SETNAME two", "+OK\r\n").await;
    one.check("CLIENT PAUSE 1000000 WRITE", "+OK\r\n").await;
    two.send("SET a b\r\n").await;
    eventually(|| server.context.clients.blocked() == (1, 0)).await;
    assert_eq!(shown(&mut one, "two", "flags").await, "b");
    assert_eq!(shown(&mut one, "two", "cmd").await, "set");
    assert_eq!(shown(&mut one, "two", "argv-mem").await, "5");
    one.check("CLIENT UNBLOCK 2", ":0\r\n").await;
    one.check("CLIENT UNPAUSE", "+OK\r\n").await;
    two.expect("+OK\r\n").await;
    eventually(|| server.context.clients.blocked() == (0, 0)).await;
}

#[tokio::test]
async fn client_list_shows_the_command_of_the_moment_and_the_memory_it_takes() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    one.check("CLIENT SETNAME one", "+OK\r\n").await;
    assert_eq!(shown(&mut one, "one", "cmd").await, "client|list");
    assert_eq!(shown(&mut one, "one", "argv-mem").await, "10");
    let info = one.bulk("CLIENT INFO").await;
    assert!(info.contains(" cmd=client|info "), "{info}");
    for (command, name) in [
        ("CLIENT SETNAME two", "client|setname"),
        ("CONFIG GET port", "config|get"),
        ("GET", "get"),
        ("CLIENT NOSUCH", "NULL"),
        ("PING", "ping"),
        ("NOSUCH", "NULL"),
    ] {
        two.send(format!("{command}\r\n")).await;
        let clients = &server.context.clients;
        let two = clients.get(crate::clients::registry::ClientId(2)).unwrap();
        eventually(|| two.shown.lock().command == name).await;
    }
    // A new connection holds its read buffer, and nothing else.
    let mut new = server.connect().await;
    new.check("CLIENT SETNAME new", "+OK\r\n").await;
    let clients = &server.context.clients;
    let client = clients.get(crate::clients::registry::ClientId(3)).unwrap();
    // What has come of a command that is not whole is shown.
    new.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100000\r\nabc")
        .await;
    eventually(|| client.shown.lock().query_len > 0).await;
    assert_eq!(shown(&mut one, "new", "qbuf").await, "32");
    assert_eq!(shown(&mut one, "new", "argv-mem").await, "4");
    // As is what is queued.
    new.send("c".repeat(99_997)).await;
    new.send("\r\nMULTI\r\nSET a 0123456789\r\nGET a\r\n").await;
    new.expect("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n").await;
    eventually(|| client.shown.lock().multi == Some(2)).await;
    assert_eq!(shown(&mut one, "new", "qbuf").await, "0");
    assert_eq!(shown(&mut one, "new", "argv-mem").await, "0");
    let queued: usize = shown(&mut one, "new", "multi-mem").await.parse().unwrap();
    assert!((18..500).contains(&queued), "{queued}");
    new.check("DISCARD", "+OK\r\n").await;
    eventually(|| client.shown.lock().multi.is_none()).await;
    assert_eq!(shown(&mut one, "new", "multi-mem").await, "0");
}

#[tokio::test]
async fn replies_that_were_read_late_are_no_longer_shown() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    two.check("CLIENT SETNAME two", "+OK\r\n").await;
    one.check("SETRANGE big 29999999 x", ":30000000\r\n").await;
    two.send("GET big\r\n").await;
    let clients = &server.context.clients;
    let client = clients.get(crate::clients::registry::ClientId(2)).unwrap();
    eventually(|| client.shown.lock().unsent > 0).await;
    assert_eq!(shown(&mut one, "two", "events").await, "rw");
    assert_eq!(shown(&mut one, "two", "oll").await, "1");
    assert_eq!(two.line().await, "$30000000");
    let mut rest = vec![0; 30_000_002];
    tokio::io::AsyncReadExt::read_exact(&mut two.stream, &mut rest)
        .await
        .unwrap();
    eventually(|| client.shown.lock().unsent == 0).await;
    assert_eq!(shown(&mut one, "two", "omem").await, "0");
    assert_eq!(shown(&mut one, "two", "events").await, "r");
}
