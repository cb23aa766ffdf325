//! What connections and the server say about themselves.

use super::support::{TestServer, eventually};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn hello_chooses_the_protocol_and_tells_who_serves() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("HELLO 3 SETNAME me", "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n").await;
    client.check("GET nothing", "_\r\n").await;
    client.check("CLIENT GETNAME", "$2\r\nme\r\n").await;
    client
        .check("HELLO 4", "-NOPROTO unsupported protocol version\r\n")
        .await;
    client
        .check("HELLO 2 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n")
        .await;
    client.check("RESET", "+RESET\r\n").await;
    client.check("GET nothing", "$-1\r\n").await;
}

#[tokio::test]
async fn without_the_password_nothing_is_told() {
    let server = TestServer::start(&["--port", "1", "--requirepass", "sesame"]).await;
    let mut client = server.connect().await;
    for (command, reply) in [
        ("GET a", "-NOAUTH Authentication required.\r\n"),
        ("PING", "-NOAUTH Authentication required.\r\n"),
        ("KEYMESH.LINK 1", "-NOAUTH Authentication required.\r\n"),
        ("KEYMESH.LINK 9", "-NOAUTH Authentication required.\r\n"),
        (
            "AUTH wrong",
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        ),
        (
            "AUTH nobody sesame",
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        ),
        ("AUTH a b c", "-ERR syntax error\r\n"),
        (
            "HELLO",
            "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time\r\n",
        ),
        ("AUTH default sesame", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        ("RESET", "+RESET\r\n"),
        ("PING", "-NOAUTH Authentication required.\r\n"),
        ("AUTH sesame", "+OK\r\n"),
    ] {
        client.check(command, reply).await;
    }
    // Commands behind AUTH in the same pipeline are judged after it.
    let mut quick = server.connect().await;
    quick.send("GET a\r\nAUTH sesame\r\nGET a\r\n").await;
    quick
        .expect("-NOAUTH Authentication required.\r\n+OK\r\n$-1\r\n")
        .await;
    let mut big = server.connect().await;
    big.send("*11\r\n").await;
    big.expect("-ERR Protocol error: unauthenticated multibulk length\r\n")
        .await;
    big.expect_closed().await;

    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("AUTH x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n").await;
    client.check("AUTH default x", "+OK\r\n").await;
}

#[tokio::test]
async fn client_reply_turns_replies_off_and_on() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .send("CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n")
        .await;
    client.expect("$1\r\nb\r\n").await;
    client
        .send("CLIENT REPLY OFF\r\nPING\r\nNOSUCH\r\nCLIENT REPLY SKIP\r\nPING\r\n")
        .await;
    client.send("CLIENT REPLY ON\r\nPING c\r\n").await;
    client.expect("+OK\r\n$1\r\nc\r\n").await;
}

#[tokio::test]
async fn client_list_shows_each_connection() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    one.check("CLIENT SETNAME first", "+OK\r\n").await;
    two.send("SELECT 5\r\nCLIENT SETINFO LIB-NAME lib\r\nMULTI\r\nPING\r\n")
        .await;
    two.expect("+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n").await;
    super::support::eventually(|| {
        server
            .context
            .clients
            .list()
            .iter()
            .any(|client| client.shown.lock().multi == Some(1))
    })
    .await;
    let list = one.bulk("CLIENT LIST").await;
    let lines: Vec<&str> = list.lines().collect();
    assert!(
        lines[0].contains("name=first ") && lines[0].contains("flags=N db=0 "),
        "{list}"
    );
    assert!(
        lines[1].contains("flags=x db=5 ") && lines[1].contains(" multi=1 "),
        "{list}"
    );
    assert!(lines[1].contains(" lib-name=lib lib-ver="), "{list}");
    assert_eq!(one.bulk("CLIENT LIST ID 2").await.lines().count(), 1);
    assert_eq!(one.bulk("CLIENT LIST TYPE pubsub").await, "");
    assert!(
        one.bulk("CLIENT INFO")
            .await
            .starts_with("id=1 addr=127.0.0.1:")
    );
    one.check(
        "CLIENT SETNAME \"a b\"",
        "-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
    )
    .await;
    one.check(
        "CLIENT FOO",
        "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n",
    )
    .await;
    one.check(
        "CLIENT REPLY",
        "-ERR wrong number of arguments for 'client|reply' command\r\n",
    )
    .await;
}

#[tokio::test]
async fn a_trace_context_goes_with_the_next_write_or_with_all() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "CLIENT TRACEPARENT nonsense",
            "-ERR invalid traceparent: wrong length of a trace context\r\n",
        )
        .await;
    client
        .check(&format!("CLIENT TRACEPARENT {TRACEPARENT}"), "+OK\r\n")
        .await;
    client.send("SET a 1\r\nSET b 1\r\n").await;
    client.expect("+OK\r\n+OK\r\n").await;
    client
        .check(
            &format!("CLIENT TRACEPARENT {TRACEPARENT} STICKY"),
            "+OK\r\n",
        )
        .await;
    client.send("SET c 1\r\nSET d 1\r\n").await;
    client.expect("+OK\r\n+OK\r\n").await;
    client.check("CLIENT TRACEPARENT OFF", "+OK\r\n").await;
    client.check("SET e 1", "+OK\r\n").await;
    let journal = &server.context.keyspace.journal;
    let mut entries = Vec::new();
    journal
        .read(journal.own(), crate::db::Hlc::ZERO, 1 << 20, &mut entries)
        .unwrap();
    let traced: Vec<bool> = entries
        .iter()
        .map(|entry| entry.record.trace.is_some())
        .collect();
    assert_eq!(traced, [true, false, true, true, false]);
}

#[tokio::test]
async fn config_is_read_and_changed_at_run_time() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "CONFIG GET maxclients",
            "*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n",
        )
        .await;
    client
        .check("CONFIG SET maxclients 1 timeout 9", "+OK\r\n")
        .await;
    client
        .check("CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n9\r\n")
        .await;
    server
        .connect()
        .await
        .expect("-ERR max number of clients reached\r\n")
        .await;
    client
        .check(
            "CONFIG SET foo bar",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'\r\n",
        )
        .await;
    client
        .check("CONFIG SET maxclients 1 timeout", "-ERR syntax error\r\n")
        .await;
    client
        .check(
            "CONFIG REWRITE",
            "-ERR The server is running without a config file\r\n",
        )
        .await;
    client
        .check(
            "CONFIG FOO",
            "-ERR unknown subcommand 'FOO'. Try CONFIG HELP.\r\n",
        )
        .await;
    client.check("CONFIG RESETSTAT", "+OK\r\n").await;
}

#[tokio::test]
async fn info_has_the_sections_that_were_asked_for() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .send("SET a 1\r\nGET a\r\nGET b\r\nSET c 1 EX 100\r\nNOSUCH\r\n")
        .await;
    client.expect("+OK\r\n$1\r\n1\r\n$-1\r\n+OK\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n").await;
    let all = client.bulk("INFO everything").await;
    for expected in [
        "# Server\r\nredis_version:7.2.0\r\n",
        "connected_clients:1\r\n",
        "keyspace_hits:1\r\nkeyspace_misses:1\r\n",
        "total_commands_processed:4\r\n",
        "total_net_repl_input_bytes:4\r\ntotal_net_repl_output_bytes:5\r\n",
        "sync_full:1\r\nsync_partial_ok:2\r\nsync_partial_err:3\r\n",
        "role:master\r\nconnected_slaves:0\r\n",
        "mesh_members:1\r\n",
        "errorstat_ERR:count=1\r\n",
        "cmdstat_get:calls=2,",
        "# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=",
    ] {
        assert!(all.contains(expected), "{expected} is not in {all}");
    }
    let two = client.bulk("INFO replication KEYSPACE").await;
    assert!(two.starts_with("# Replication\r\n") && two.contains("\r\n\r\n# Keyspace\r\n"));
    assert!(!client.bulk("INFO").await.contains("# Commandstats"));
    assert_eq!(client.bulk("INFO nothing").await, "");
}

#[tokio::test]
async fn debug_is_for_those_who_may() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("DEBUG SLEEP 0", "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.\r\n").await;
    let server = TestServer::start(&["--port", "1", "--enable-debug-command", "yes"]).await;
    let (mut client, mut other) = (server.connect().await, server.connect().await);
    let empty = format!("+{}\r\n", "0".repeat(40));
    client.check("DEBUG DIGEST", &empty).await;
    client.send("DEBUG SLEEP 0.05\r\nPING\r\n").await;
    other.check("PING", "+PONG\r\n").await;
    client.expect("+OK\r\n+PONG\r\n").await;
    client
        .check("DEBUG PANIC-ACTOR replica-feed 1", "+OK\r\n")
        .await;
    client
        .check("DEBUG PANIC-ACTOR nobody here", "-ERR no such actor\r\n")
        .await;
    client.check("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n").await;
}

#[tokio::test]
async fn a_pause_holds_back_writes_until_it_ends() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    one.check("CLIENT PAUSE 100000 WRITE", "+OK\r\n").await;
    two.check("GET a", "$-1\r\n").await;
    two.send("SET a 1\r\n").await;
    one.check("GET a", "$-1\r\n").await;
    one.check("CLIENT UNPAUSE", "+OK\r\n").await;
    two.expect("+OK\r\n").await;
    one.check("CLIENT PAUSE 100000 WRITE", "+OK\r\n").await;
    // What stands before the first write is answered, and a transaction that only reads is carried out.
    two.send("GET a\r\nMULTI\r\nGET a\r\nEXEC\r\nPING\r\nPUBLISH c m\r\nGET a\r\n")
        .await;
    two.expect("$1\r\n1\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n+PONG\r\n")
        .await;
    one.check("CLIENT UNPAUSE", "+OK\r\n").await;
    two.expect(":0\r\n$1\r\n1\r\n").await;
    two.send("MULTI\r\nINCR a\r\nPING\r\n").await;
    two.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n").await;
    one.check("CLIENT PAUSE 100000 WRITE", "+OK\r\n").await;
    two.send("EXEC\r\n").await;
    eventually(|| server.context.clients.blocked() == (1, 0)).await;
    one.check("CLIENT UNPAUSE", "+OK\r\n").await;
    two.expect("*2\r\n:2\r\n+PONG\r\n").await;
    one.check(
        "CLIENT PAUSE x",
        "-ERR timeout is not an integer or out of range\r\n",
    )
    .await;
}

#[tokio::test]
async fn what_waits_for_replicas_is_unblocked_by_those_who_mean_it() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    two.send("CLIENT ID\r\n").await;
    let id = two.line().await.trim_start_matches(':').to_owned();
    let unblock = format!("CLIENT UNBLOCK {id}");
    one.check(&unblock, ":0\r\n").await;
    let clients = &server.context.clients;
    let is_blocked = || {
        clients
            .list()
            .iter()
            .any(|client| client.shown.lock().blocked)
    };
    two.send("WAIT 9 0\r\n").await;
    eventually(is_blocked).await;
    // The end of a pause is nothing to it.
    one.check("CLIENT UNPAUSE", "+OK\r\n").await;
    one.check("PING", "+PONG\r\n").await;
    assert!(is_blocked());
    one.check(&format!("{unblock} TIMEOUT"), ":1\r\n").await;
    two.expect(":0\r\n").await;
    two.send("WAIT 9 0\r\nPING\r\n").await;
    eventually(is_blocked).await;
    one.check(&format!("{unblock} ERROR"), ":1\r\n").await;
    two.expect("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n+PONG\r\n")
        .await;
    one.check(&unblock, ":0\r\n").await;
}

#[tokio::test]
async fn proto_max_bulk_len_bounds_what_append_and_setrange_make() {
    let server = TestServer::start(&["--port", "1", "--proto-max-bulk-len", "2097152"]).await;
    let mut client = server.connect().await;
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    for (command, reply) in [
        ("SETRANGE long 2097152 a", too_long),
        ("SETRANGE long 1500000 a", ":1500001\r\n"),
        ("CONFIG SET proto-max-bulk-len 1048576", "+OK\r\n"),
        ("SETRANGE k 1048576 a", too_long),
        ("SETRANGE k 1048575 a", ":1048576\r\n"),
        ("APPEND k \"\"", ":1048576\r\n"),
        ("APPEND k a", too_long),
        ("SETRANGE k 1048576 \"\"", ":1048576\r\n"),
        // What is too long already stays, and only where it is looked at as a whole it is refused.
        ("APPEND long \"\"", too_long),
        ("SETRANGE long 0 a", ":1500001\r\n"),
        ("CONFIG SET proto-max-bulk-len 1gb", "+OK\r\n"),
        ("SETRANGE k 536870912 a", too_long),
    ] {
        client.check(command, reply).await;
    }
}

#[tokio::test]
async fn who_sets_proto_max_bulk_len_is_bound_by_it_at_once() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .check("CONFIG SET proto-max-bulk-len 1mb", "+OK\r\n")
        .await;
    client.send("*2\r\n$4\r\nECHO\r\n$1048577\r\n").await;
    client
        .expect("-ERR Protocol error: invalid bulk length\r\n")
        .await;
    client.expect_closed().await;
}

#[tokio::test]
async fn what_an_error_repeats_ends_at_a_zero_byte() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    for (command, reply) in [
        (
            r#""ab\x00c" "x\x00y" z"#,
            "-ERR unknown command 'ab', with args beginning with: 'x' 'z' \r\n",
        ),
        (
            r#"CONFIG "a\x00b""#,
            "-ERR unknown subcommand 'a'. Try CONFIG HELP.\r\n",
        ),
        (
            r#"OBJECT "E\x00X" k"#,
            "-ERR unknown subcommand 'E'. Try OBJECT HELP.\r\n",
        ),
        (
            r#"CONFIG SET "a\x00b" c"#,
            "-ERR Unknown option or number of arguments for CONFIG SET - 'a'\r\n",
        ),
    ] {
        client.check(command, reply).await;
    }
}

#[tokio::test]
async fn a_pause_is_no_time_of_the_command_that_it_holds_back() {
    let server = TestServer::start(&["--port", "1", "--slowlog-log-slower-than", "250000"]).await;
    let (mut pauses, mut held) = (server.connect().await, server.connect().await);
    pauses.check("CLIENT PAUSE 400 ALL", "+OK\r\n").await;
    held.check("GET a", "$-1\r\n").await;
    held.check("SLOWLOG LEN", ":0\r\n").await;
    let stats = held.bulk("INFO commandstats").await;
    let micros = stats.split("cmdstat_get:calls=1,usec=").nth(1).unwrap();
    let micros: u64 = micros.split(',').next().unwrap().parse().unwrap();
    assert!(micros < 250_000, "{stats}");
}

#[tokio::test]
async fn a_skipped_reply_may_be_that_of_reset() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.send("CLIENT REPLY SKIP\r\nRESET\r\nPING\r\n").await;
    client.expect("+PONG\r\n").await;
    client.send("CLIENT REPLY OFF\r\nRESET\r\nPING\r\n").await;
    client.expect("+RESET\r\n+PONG\r\n").await;
}
