//! Commands that wait for elements, over several connections.

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

#[tokio::test]
async fn who_has_waited_longest_is_served_first() {
    let server = start().await;
    let mut first = waiting(&server, "BLPOP list 0", 1).await;
    let mut second = waiting(&server, "BRPOP other list 0", 2).await;
    let mut third = waiting(&server, "BLMPOP 0 2 list other LEFT COUNT 5", 3).await;
    let mut pusher = server.connect().await;
    for (nth, (client, expected)) in [
        (&mut first, "*2\r\n$4\r\nlist\r\n$1\r\n0\r\n"),
        (&mut second, "*2\r\n$4\r\nlist\r\n$1\r\n1\r\n"),
        (&mut third, "*2\r\n$4\r\nlist\r\n*1\r\n$1\r\n2\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        pusher.check(&format!("RPUSH list {nth}"), ":1\r\n").await;
        client.expect(expected).await;
    }
    until_blocked(&server, 0).await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn one_push_of_several_elements_serves_several_in_their_order() {
    let server = start().await;
    let mut clients = Vec::new();
    for nth in 1..=3 {
        clients.push(waiting(&server, "BLPOP list 0", nth).await);
    }
    let mut pusher = server.connect().await;
    pusher.check("RPUSH list 0 1 2 3", ":4\r\n").await;
    for (nth, client) in clients.iter_mut().enumerate() {
        client
            .expect(format!("*2\r\n$4\r\nlist\r\n$1\r\n{nth}\r\n"))
            .await;
    }
    pusher.check("LPOP list", "$1\r\n3\r\n").await;
}

#[tokio::test]
async fn a_transaction_is_seen_whole_and_the_first_key_with_something_is_taken() {
    let server = start().await;
    let mut client = waiting(&server, "BLPOP a b c 0", 1).await;
    let mut pusher = server.connect().await;
    pusher
        .send("MULTI\r\nRPUSH c 1\r\nRPUSH b 2 3\r\nRPUSH a x\r\nDEL a\r\nEXEC\r\n")
        .await;
    pusher
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n:1\r\n:2\r\n:1\r\n:1\r\n")
        .await;
    client.expect("*2\r\n$1\r\nb\r\n$1\r\n2\r\n").await;
    // What came and went within one transaction wakes nobody for good.
    client.send("BLPOP a 0\r\n").await;
    until_blocked(&server, 1).await;
    pusher
        .send("MULTI\r\nRPUSH a x\r\nDEL a\r\nEXEC\r\nRPUSH a y\r\n")
        .await;
    client.expect("*2\r\n$1\r\na\r\n$1\r\ny\r\n").await;
}

#[tokio::test]
async fn within_a_transaction_nobody_waits() {
    let server = start().await;
    let mut client = server.connect().await;
    client
        .send("MULTI\r\nBLPOP a 0\r\nBLMOVE a b LEFT LEFT 0\r\nBRPOPLPUSH a b 0\r\nBZPOPMIN a 0\r\nBLMPOP 0 1 a LEFT\r\nBZMPOP 0 1 a MIN\r\nRPUSH a 1\r\nBRPOP a 0\r\nEXEC\r\n")
        .await;
    client.expect("+OK\r\n").await;
    client.expect("+QUEUED\r\n".repeat(8)).await;
    client
        .expect(
            "*8\r\n*-1\r\n$-1\r\n$-1\r\n*-1\r\n*-1\r\n*-1\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        )
        .await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn time_ends_a_wait_and_so_does_client_unblock() {
    let server = start().await;
    let mut client = server.connect().await;
    client.check("BLPOP a 0.01", "*-1\r\n").await;
    client.check("BZPOPMIN a 0.01", "*-1\r\n").await;
    client.check("BLMOVE a b LEFT LEFT 0.01", "*-1\r\n").await;
    client
        .check(
            "BLPOP a x",
            "-ERR timeout is not a float or out of range\r\n",
        )
        .await;
    client
        .check("BLPOP a -1", "-ERR timeout is negative\r\n")
        .await;
    client.check("CLIENT ID", ":1\r\n").await;
    let mut other = server.connect().await;
    for (how, expected) in [
        ("", "*-1\r\n"),
        (" TIMEOUT", "*-1\r\n"),
        (
            " ERROR",
            "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n",
        ),
    ] {
        client.send("BLPOP a 0\r\n").await;
        until_blocked(&server, 1).await;
        assert!(other.bulk("CLIENT LIST ID 1").await.contains(" flags=b "));
        assert!(
            other
                .bulk("INFO clients")
                .await
                .contains("blocked_clients:1")
        );
        other
            .check(&format!("CLIENT UNBLOCK 1{how}"), ":1\r\n")
            .await;
        client.expect(expected).await;
    }
    assert_no_lines(&server);
    other.check("RPUSH a 1", ":1\r\n").await;
    other.check("LLEN a", ":1\r\n").await;
}

#[tokio::test]
async fn moves_feed_those_who_wait_behind_them() {
    let server = start().await;
    let mut last = waiting(&server, "BLPOP c 0", 1).await;
    let mut middle = waiting(&server, "BRPOPLPUSH b c 0", 2).await;
    let mut first = waiting(&server, "BLMOVE a b LEFT RIGHT 0", 3).await;
    let mut pusher = server.connect().await;
    pusher.check("RPUSH a x", ":1\r\n").await;
    first.expect("$1\r\nx\r\n").await;
    middle.expect("$1\r\nx\r\n").await;
    last.expect("*2\r\n$1\r\nc\r\n$1\r\nx\r\n").await;
    pusher.check("EXISTS a b c", ":0\r\n").await;
    // A destination of another type is seen when there is something to move; who waits behind gets it.
    pusher.check("SET b string", "+OK\r\n").await;
    let mut first = waiting(&server, "BLMOVE a b LEFT RIGHT 0", 1).await;
    let mut second = waiting(&server, "BLPOP a 0", 2).await;
    pusher.check("RPUSH a y", ":1\r\n").await;
    first
        .expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")
        .await;
    second.expect("*2\r\n$1\r\na\r\n$1\r\ny\r\n").await;
}

#[tokio::test]
async fn another_type_is_an_error_at_the_call_only() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut other = server.connect().await;
    client.check("SET string x", "+OK\r\n").await;
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    client.check("BLPOP a string 0", wrong).await;
    client.check("BZPOPMAX a string 0", wrong).await;
    client.check("BLMOVE string a LEFT LEFT 0", wrong).await;
    client.send("BLPOP a b 0\r\n").await;
    until_blocked(&server, 1).await;
    let mut sorted = waiting(&server, "BZPOPMAX b 0", 2).await;
    other.check("SET a x", "+OK\r\n").await;
    other.check("ZADD b 1 one 2.5 two", ":2\r\n").await;
    sorted
        .expect("*3\r\n$1\r\nb\r\n$3\r\ntwo\r\n$3\r\n2.5\r\n")
        .await;
    other.check("DEL b", ":1\r\n").await;
    other.check("RPUSH b e", ":1\r\n").await;
    client.expect("*2\r\n$1\r\nb\r\n$1\r\ne\r\n").await;
}

#[tokio::test]
async fn whatever_makes_a_list_or_a_sorted_set_appear_serves_who_waits() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut other = server.connect().await;
    other.check("RPUSH src 1", ":1\r\n").await;
    for (command, expected) in [
        ("COPY src list", ":1\r\n"),
        ("RPOPLPUSH src list", "$1\r\n1\r\n"),
        ("RENAME l list", "+OK\r\n"),
    ] {
        if command.contains(" l ") {
            other.check("RPUSH l 1", ":1\r\n").await;
        }
        client.send("BLPOP list 0\r\n").await;
        until_blocked(&server, 1).await;
        other.check(command, expected).await;
        client.expect("*2\r\n$4\r\nlist\r\n$1\r\n1\r\n").await;
    }
    other.check("ZADD z 1 m", ":1\r\n").await;
    client.send("BZMPOP 0 2 none zset MIN COUNT 2\r\n").await;
    until_blocked(&server, 1).await;
    other.check("ZUNIONSTORE zset 1 z", ":1\r\n").await;
    client
        .expect("*2\r\n$4\r\nzset\r\n*1\r\n*2\r\n$1\r\nm\r\n$1\r\n1\r\n")
        .await;
    other.check("SELECT 1", "+OK\r\n").await;
    client.send("BZPOPMIN z 0\r\nBZPOPMIN q 0\r\n").await;
    client
        .expect("*3\r\n$1\r\nz\r\n$1\r\nm\r\n$1\r\n1\r\n")
        .await;
    until_blocked(&server, 1).await;
    other.check("ZADD q 1 m", ":1\r\n").await;
    other.check("SWAPDB 0 1", "+OK\r\n").await;
    client
        .expect("*3\r\n$1\r\nq\r\n$1\r\nm\r\n$1\r\n1\r\n")
        .await;
}

#[tokio::test]
async fn a_client_that_went_takes_nothing() {
    let server = start().await;
    let mut pusher = server.connect().await;
    let gone = waiting(&server, "BLPOP list 0", 1).await;
    let mut killed = waiting(&server, "BLPOP list 0", 2).await;
    let mut stays = waiting(&server, "BLPOP list 0", 3).await;
    // Its end is on its way when the element comes.
    drop(gone);
    pusher.check("CLIENT KILL ID 3", ":1\r\n").await;
    killed.expect_closed().await;
    until_blocked(&server, 1).await;
    pusher.check("RPUSH list 1", ":1\r\n").await;
    stays.expect("*2\r\n$4\r\nlist\r\n$1\r\n1\r\n").await;
    let last = waiting(&server, "BLPOP list 0", 1).await;
    drop(last);
    until_blocked(&server, 0).await;
    pusher.check("RPUSH list 1", ":1\r\n").await;
    pusher.check("LLEN list", ":1\r\n").await;
    assert_no_lines(&server);
}

#[tokio::test]
async fn a_pause_holds_back_who_was_called() {
    let server = start().await;
    let mut other = server.connect().await;
    let mut client = waiting(&server, "BLPOP list 0", 1).await;
    let mut second = waiting(&server, "BLPOP list 0.05", 2).await;
    other
        .send("MULTI\r\nRPUSH list 1\r\nCLIENT PAUSE 100000 WRITE\r\nEXEC\r\n")
        .await;
    other
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n+OK\r\n")
        .await;
    second.expect("*-1\r\n").await;
    other.check("LLEN list", ":1\r\n").await;
    other.check("CLIENT UNPAUSE", "+OK\r\n").await;
    client.expect("*2\r\n$4\r\nlist\r\n$1\r\n1\r\n").await;
}

#[tokio::test]
async fn what_follows_in_a_pipeline_waits_and_silence_is_kept() {
    let server = start().await;
    let mut other = server.connect().await;
    let mut client = waiting(
        &server,
        "PING\r\nCLIENT REPLY SKIP\r\nBLPOP list 0\r\nLLEN list",
        1,
    )
    .await;
    client.expect("+PONG\r\n").await;
    other.check("RPUSH list 1 2", ":2\r\n").await;
    client.expect(":1\r\n").await;
}

#[tokio::test]
async fn many_who_take_and_many_who_give_lose_nothing() {
    let server = start().await;
    let mut takers = tokio::task::JoinSet::new();
    for nth in 0..20 {
        let mut client = server.connect().await;
        takers.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..50 {
                let command = ["BLPOP a b 0", "BRPOP b a 0", "BLMPOP 0 2 a b LEFT"][nth % 3];
                client.send(format!("{command}\r\n")).await;
                let lines = if nth % 3 == 2 { 6 } else { 5 };
                let mut last = String::new();
                for _ in 0..lines {
                    last = client.line().await;
                }
                taken.push(last.parse::<u32>().unwrap());
            }
            taken
        });
    }
    let mut givers = tokio::task::JoinSet::new();
    for nth in 0..4 {
        let mut client = server.connect().await;
        givers.spawn(async move {
            for number in nth * 250..(nth + 1) * 250 {
                let key = ["a", "b"][number % 2];
                client.send(format!("RPUSH {key} {number}\r\n")).await;
                client.line().await;
            }
        });
    }
    givers.join_all().await;
    let mut taken = takers.join_all().await.concat();
    taken.sort_unstable();
    assert_eq!(taken, (0..1000).collect::<Vec<_>>());
    assert_no_lines(&server);
}

#[tokio::test]
async fn a_drain_ends_who_waits() {
    let server = start().await;
    let mut client = waiting(&server, "BLPOP list 0", 1).await;
    server
        .context
        .clients
        .drain(std::time::Duration::from_secs(30))
        .await;
    client.expect_closed().await;
}

#[tokio::test]
async fn who_waits_is_served_before_the_next_command_of_a_pipeline() {
    let server = start().await;
    let mut other = server.connect().await;
    for nth in 0..200 {
        let mut client = waiting(&server, "BLPOP list 0", 1).await;
        other
            .send(format!("RPUSH list {nth}\r\nLPOP list\r\nEXISTS list\r\n"))
            .await;
        other.expect(":1\r\n$-1\r\n:0\r\n").await;
        let line = nth.to_string();
        let expected = format!("*2\r\n$4\r\nlist\r\n${}\r\n{line}\r\n", line.len());
        client.expect(expected).await;
    }
    assert_no_lines(&server);
}

#[tokio::test]
async fn who_was_unblocked_before_the_push_takes_nothing() {
    let server = start().await;
    let mut client = server.connect().await;
    client.check("CLIENT ID", ":1\r\n").await;
    let mut other = server.connect().await;
    client.send("BLPOP list 0\r\n").await;
    until_blocked(&server, 1).await;
    let mut second = waiting(&server, "BLPOP list 0", 2).await;
    other
        .send("CLIENT UNBLOCK 1\r\nCLIENT UNBLOCK 1\r\nRPUSH list 1\r\nLLEN list\r\n")
        .await;
    other.expect(":1\r\n:0\r\n:1\r\n:0\r\n").await;
    client.expect("*-1\r\n").await;
    second.expect("*2\r\n$4\r\nlist\r\n$1\r\n1\r\n").await;
}

#[tokio::test]
async fn who_waits_at_a_master_that_becomes_a_replica_is_told_and_goes() {
    let server = start().await;
    let mut list = waiting(&server, "BLPOP list 0", 1).await;
    let mut replicas = waiting(&server, "WAIT 3 0", 2).await;
    let mut other = server.connect().await;
    other.check("REPLICAOF 127.0.0.1 1", "+OK\r\n").await;
    for client in [&mut list, &mut replicas] {
        client
            .expect("-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n")
            .await;
        client.expect_closed().await;
    }
    until_blocked(&server, 0).await;
    assert_no_lines(&server);
    other.check("REPLICAOF NO ONE", "+OK\r\n").await;
}

#[tokio::test]
async fn a_trace_context_is_that_of_what_is_taken_in_the_end() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut other = server.connect().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let command = format!("CLIENT TRACEPARENT {parent}\r\nBLPOP list 0");
    let mut client = waiting(&server, &command, 1).await;
    other.check("RPUSH list 1", ":1\r\n").await;
    client
        .expect("+OK\r\n*2\r\n$4\r\nlist\r\n$1\r\n1\r\n")
        .await;
    client.check("SET a 1", "+OK\r\n").await;
    let journal = &server.context.keyspace.journal;
    let mut entries = Vec::new();
    journal
        .read(journal.own(), crate::db::Hlc::ZERO, 1 << 20, &mut entries)
        .unwrap();
    let traced = entries.iter().map(|entry| entry.record.trace.is_some());
    assert_eq!(traced.collect::<Vec<_>>(), [false, true, false]);
}
