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

#[tokio::test]
async fn hello_within_a_transaction_changes_what_the_rest_of_it_answers() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .send("MULTI\r\nGET no\r\nCONFIG GET maxclients\r\nHELLO 3\r\nGET no\r\nCONFIG GET maxclients\r\nEXEC\r\n")
        .await;
    client.expect("+OK\r\n").await;
    client.expect("+QUEUED\r\n".repeat(5)).await;
    let greeting = |proto| {
        format!(
            "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:{proto}\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
        )
    };
    let maxclients = "$10\r\nmaxclients\r\n$5\r\n10000\r\n";
    client
        .expect(format!("*5\r\n$-1\r\n*2\r\n{maxclients}"))
        .await;
    client.expect(format!("%7\r\n{}", greeting(3))).await;
    client.expect(format!("_\r\n%1\r\n{maxclients}")).await;
    client.check("GET no", "_\r\n").await;
    client
        .send("MULTI\r\nHELLO 4\r\nGET no\r\nHELLO 2\r\nGET no\r\nEXEC\r\n")
        .await;
    client.expect("+OK\r\n").await;
    client.expect("+QUEUED\r\n".repeat(4)).await;
    client
        .expect("*4\r\n-NOPROTO unsupported protocol version\r\n_\r\n")
        .await;
    client
        .expect(format!("*14\r\n{}$-1\r\n", greeting(2)))
        .await;
    client.check("GET no", "$-1\r\n").await;
}

#[tokio::test]
async fn writes_that_leave_everything_as_it_was_touch_watched_keys_where_redis_does() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    for (value, write, is_touched) in [
        ("v", "APPEND k \"\"", true),
        ("1", "INCRBY k 0", true),
        ("1", "DECRBY k 0", true),
        ("1", "INCRBYFLOAT k 0", true),
        ("v EXAT 33177117420", "EXPIREAT k 33177117420", true),
        ("v EXAT 33177117420", "GETEX k EXAT 33177117420", true),
        ("v", "SET k v", true),
        ("v EXAT 33177117420", "EXPIREAT k 33177117420 NX", false),
        ("v", "SETRANGE k 0 \"\"", false),
        ("v", "PERSIST k", false),
        ("v", "GETEX k", false),
        ("v", "GETEX k PERSIST", false),
        ("v", "SET k v NX", false),
        ("v", "DEL other", false),
        ("v", "TOUCH k", false),
    ] {
        let journal = &server.context.keyspace.journal;
        one.check(&format!("SET k {value}"), "+OK\r\n").await;
        one.check("WATCH k", "+OK\r\n").await;
        let before = journal.position(journal.own()).last;
        other.send(format!("{write}\r\nECHO done\r\n")).await;
        while other.line().await != "done" {}
        let is_recorded = journal.position(journal.own()).last != before;
        assert_eq!(is_recorded, write == "SET k v", "{write}");
        one.send("MULTI\r\nEXEC\r\n").await;
        let expected = if is_touched { "*-1\r\n" } else { "*0\r\n" };
        one.expect(format!("+OK\r\n{expected}")).await;
    }
}

#[tokio::test]
async fn client_reply_within_a_transaction_silences_what_stands_behind_it() {
    let server = TestServer::start(&["--port", "1"]).await;
    for (commands, replies) in [
        (
            &[
                "MULTI",
                "CLIENT REPLY OFF",
                "PING",
                "EXEC",
                "PING",
                "CLIENT REPLY ON",
                "PING",
            ][..],
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+PONG\r\n",
        ),
        (
            &[
                "MULTI",
                "PING",
                "CLIENT REPLY SKIP",
                "PING",
                "EXEC",
                "PING",
                "ECHO x",
            ],
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n+PONG\r\n$1\r\nx\r\n",
        ),
        (
            &["MULTI", "CLIENT REPLY ON", "PING", "EXEC", "PING"],
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+PONG\r\n+PONG\r\n",
        ),
        (
            &[
                "CLIENT REPLY OFF",
                "MULTI",
                "PING",
                "CLIENT REPLY ON",
                "PING",
                "EXEC",
                "PING",
            ],
            "+OK\r\n+PONG\r\n+PONG\r\n",
        ),
        (
            &[
                "MULTI",
                "CLIENT REPLY OFF",
                "CLIENT REPLY ON",
                "PING",
                "EXEC",
                "PING",
            ],
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n+PONG\r\n+PONG\r\n",
        ),
        (
            &["CLIENT REPLY SKIP", "MULTI", "PING", "EXEC"],
            "+QUEUED\r\n*1\r\n+PONG\r\n",
        ),
        (
            &["MULTI", "CLIENT REPLY SKIP", "EXEC", "PING", "ECHO x"],
            "+OK\r\n+QUEUED\r\n*1\r\n$1\r\nx\r\n",
        ),
        (
            &[
                "MULTI",
                "CLIENT REPLY OFF",
                "HELLO 3",
                "GET no",
                "CLIENT REPLY ON",
                "GET no",
                "EXEC",
                "ECHO x",
            ],
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*5\r\n+OK\r\n_\r\n$1\r\nx\r\n",
        ),
    ] {
        let mut client = server.connect().await;
        client.send(commands.join("\r\n") + "\r\n").await;
        client.expect(replies).await;
        client.check("ECHO end", "$3\r\nend\r\n").await;
    }
}

#[tokio::test]
async fn commands_that_are_not_about_data_are_carried_out_in_their_places() {
    let server = TestServer::start(&["--enable-debug-command", "yes"]).await;
    let mut client = server.connect().await;
    let none = "+0000000000000000000000000000000000000000\r\n";
    let script = [
        ("MEMORY USAGE k", "$-1\r\n"),
        ("DEBUG DIGEST-VALUE k", &format!("*1\r\n{none}")),
        ("DEBUG OBJECT k", "-ERR no such key\r\n"),
        ("CONFIG SET proto-max-bulk-len 1mb", "+OK\r\n"),
        (
            "SETRANGE k 1048576 x",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
        ),
        ("CONFIG SET proto-max-bulk-len 512mb", "+OK\r\n"),
        ("SET k v", "+OK\r\n"),
        ("ACL SETUSER default -get", "+OK\r\n"),
        (
            "GET k",
            "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand\r\n",
        ),
        ("ACL SETUSER default +get", "+OK\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("ECHO in", "$2\r\nin\r\n"),
    ];
    client.check("MULTI", "+OK\r\n").await;
    for (command, _) in script {
        client.check(command, "+QUEUED\r\n").await;
    }
    let replies: Vec<&str> = script.iter().map(|(_, reply)| *reply).collect();
    let all = format!("*{}\r\n{}", script.len(), replies.concat());
    client.check("EXEC", &all).await;
}

#[tokio::test]
async fn who_waits_for_replication_is_carried_out_behind_and_answered_in_its_place() {
    let server = TestServer::start(&[]).await;
    let mut client = server.connect().await;
    client
        .send("MULTI\r\nSET k 1\r\nROLE\r\nWAIT 0 0\r\nGET k\r\nCLIENT REPLY OFF\r\nGET k\r\nCLIENT REPLY ON\r\nPING\r\nEXEC\r\n")
        .await;
    client
        .expect(&format!("+OK\r\n{}", "+QUEUED\r\n".repeat(8)))
        .await;
    client
        .expect("*8\r\n+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n:0\r\n$1\r\n1\r\n+OK\r\n+PONG\r\n")
        .await;
}

#[tokio::test]
async fn what_is_carried_out_behind_keeps_its_database_and_its_rights() {
    let server = TestServer::start(&["--enable-debug-command", "yes"]).await;
    let mut client = server.connect().await;
    client
        .check("ACL SETUSER u on nopass ~* +@all -role", "+OK\r\n")
        .await;
    client
        .send("MULTI\r\nSELECT 1\r\nDEBUG POPULATE 3\r\nROLE\r\nSELECT 2\r\nAUTH u x\r\nROLE\r\nEXEC\r\n")
        .await;
    client
        .expect(&format!("+OK\r\n{}", "+QUEUED\r\n".repeat(6)))
        .await;
    client
        .expect("*6\r\n+OK\r\n+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+OK\r\n+OK\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand\r\n")
        .await;
    client.check("DBSIZE", ":0\r\n").await;
    client.check("SELECT 1\r\nDBSIZE", "+OK\r\n:3\r\n").await;
}

#[tokio::test]
async fn nothing_is_answered_behind_the_end_of_the_own_connection() {
    let server = TestServer::start(&[]).await;
    let mut other = server.connect().await;
    for (command, written) in [
        // Who is no user any more may do nothing.
        ("ACL DELUSER u", "$-1\r\n"),
        ("CLIENT KILL USER u SKIPME no", "$1\r\nv\r\n"),
    ] {
        let mut client = server.connect().await;
        client
            .check("ACL SETUSER u on nopass ~* +@all", "+OK\r\n")
            .await;
        client.check("AUTH u x", "+OK\r\n").await;
        client
            .send(&format!(
                "MULTI\r\n{command}\r\nSET k v\r\nGET k\r\nEXEC\r\n"
            ))
            .await;
        client
            .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n")
            .await;
        client.expect_closed().await;
        other.check("GET k", written).await;
    }
}

#[tokio::test]
async fn messages_and_events_of_a_transaction_are_told_in_its_order() {
    let server = TestServer::start(&[]).await;
    let (mut client, mut hearer) = (server.connect().await, server.connect().await);
    hearer
        .check(
            "PSUBSCRIBE *",
            "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n",
        )
        .await;
    let commands = [
        "SET a 1",
        "CONFIG SET notify-keyspace-events E$",
        "SET b 1",
        "PUBLISH c m",
        "SET d 1",
        "DEL d",
        "CONFIG SET notify-keyspace-events \"\"",
        "SET e 1",
        "PUBLISH f m",
    ];
    client.check("MULTI", "+OK\r\n").await;
    for command in commands {
        client.check(command, "+QUEUED\r\n").await;
    }
    client
        .check(
            "EXEC",
            "*9\r\n+OK\r\n+OK\r\n+OK\r\n:1\r\n+OK\r\n:1\r\n+OK\r\n+OK\r\n:1\r\n",
        )
        .await;
    let event = "__keyevent@0__:set";
    for (channel, text) in [(event, "b"), ("c", "m"), (event, "d"), ("f", "m")] {
        let len = channel.len();
        hearer
            .expect(&format!(
                "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n${len}\r\n{channel}\r\n$1\r\n{text}\r\n"
            ))
            .await;
    }
}

#[tokio::test]
async fn what_leaves_a_score_as_it_is_touches_nobody_though_it_is_told_to_replicas() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    server
        .context
        .keyspace
        .record(crate::db::UnixMillis(1_750_000_000_000));
    client.check("ZADD z 1 m", ":1\r\n").await;
    for (command, reply) in [
        ("ZADD z INCR 0 m", "$1\r\n1\r\n"),
        ("ZINCRBY z 0 m", "$1\r\n1\r\n"),
        ("ZADD z XX 1 m", ":0\r\n"),
        ("ZADD z 1 m", ":0\r\n"),
    ] {
        client.check("WATCH z", "+OK\r\n").await;
        client.check(command, reply).await;
        client.send("MULTI\r\nPING\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n").await;
    }
}
