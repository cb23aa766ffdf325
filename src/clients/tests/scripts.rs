//! EVAL and SCRIPT over real connections.

use super::support::{TestServer, eventually};
use crate::db::Hlc;

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
/// Of `return 1`.
const SHA: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

#[tokio::test]
async fn a_script_runs_by_its_text_and_then_by_its_digest() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let noscript = "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    client.check(&format!("EVALSHA {SHA} 0"), noscript).await;
    for _ in 0..3 {
        client.check("EVAL \"return 1\" 0", ":1\r\n").await;
    }
    client
        .check(&format!("EVALSHA {} 0", SHA.to_uppercase()), ":1\r\n")
        .await;
    client
        .check(&format!("SCRIPT EXISTS {SHA} x"), "*2\r\n:1\r\n:0\r\n")
        .await;
    client.check("SCRIPT FLUSH", "+OK\r\n").await;
    client.check(&format!("EVALSHA {SHA} 0"), noscript).await;
    client
        .check("SCRIPT LOAD \"return 1\"", &format!("$40\r\n{SHA}\r\n"))
        .await;
    client.check(&format!("EVALSHA_RO {SHA} 0"), ":1\r\n").await;
}

#[tokio::test]
async fn pipelined_scripts_answer_in_their_places() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let line = "SET a 1\r\nEVAL \"return redis.call('incr',KEYS[1])\" 1 a\r\nGET a\r\n";
    client.send(line.repeat(3)).await;
    client.expect("+OK\r\n:2\r\n$1\r\n2\r\n".repeat(3)).await;
}

#[tokio::test]
async fn a_long_script_makes_others_busy_until_it_is_killed() {
    let server = TestServer::start(&["--port", "1", "--busy-reply-threshold", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    other
        .check(
            "SCRIPT KILL",
            "-NOTBUSY No scripts in execution right now.\r\n",
        )
        .await;
    one.send("EVAL \"while true do pcall(function() while true do end end) end\" 0\r\n")
        .await;
    eventually(|| server.context.scripts.running.present().is_some()).await;
    other.check("PING", BUSY).await;
    other.check("GET a", BUSY).await;
    other.check("SHUTDOWN", BUSY).await;
    other.check("SCRIPT KILL", "+OK\r\n").await;
    one.expect("-ERR Script killed by user with SCRIPT KILL. script: ")
        .await;
    other.check("PING", "+PONG\r\n").await;
    // And the machine is fit for the next one.
    other.check("EVAL \"return 1\" 0", ":1\r\n").await;
}

#[tokio::test]
async fn who_waits_for_keys_and_goes_away_while_a_script_runs_holds_nobody_up() {
    let server = TestServer::start(&["--port", "1", "--busy-reply-threshold", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    let (mut watching, mut tracking) = (server.connect().await, server.connect().await);
    watching.check("WATCH a b c", "+OK\r\n").await;
    tracking.check("HELLO 3", "%7\r\n").await;
    tracking.send("CLIENT TRACKING ON BCAST\r\n").await;
    eventually(|| server.context.keyspace.pubsub.tracking.counts().clients > 0).await;
    let (mut leaving, mut waiting) = (server.connect().await, server.connect().await);
    leaving.send("BLPOP l 0\r\n").await;
    waiting.send("BLPOP l 0.5\r\n").await;
    eventually(|| server.context.clients.blocked().0 == 2).await;
    one.send("EVAL \"while true do end\" 0\r\n").await;
    eventually(|| server.context.scripts.running.present().is_some()).await;
    drop((watching, tracking, leaving));
    let since = std::time::Instant::now();
    while since.elapsed() < std::time::Duration::from_secs(1) {
        other.check("PING", BUSY).await;
    }
    other.check("SCRIPT KILL", "+OK\r\n").await;
    one.expect("-ERR Script killed by user with SCRIPT KILL.")
        .await;
    waiting.expect("*-1\r\n").await;
    eventually(|| server.context.clients.list().len() == 3).await;
}

#[tokio::test]
async fn a_round_of_the_janitor_does_not_wait_for_a_script() {
    let server = TestServer::start(&["--port", "1"]).await;
    let context = &server.context;
    let _shut = context.keyspace.gate.shut();
    let _held = context.keyspace.lock_hash(0);
    // It would wait for itself.
    crate::clients::janitor::round(context);
}

#[tokio::test]
async fn a_script_that_has_written_is_not_killed_but_ended_with_the_server() {
    let server = TestServer::start(&["--port", "1", "--busy-reply-threshold", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.send("EVAL \"redis.call('set',KEYS[1],'v') while true do end\" 1 a\r\n")
        .await;
    eventually(|| server.context.scripts.running.present().is_some()).await;
    other.check("PING", BUSY).await;
    other.send("SCRIPT KILL\r\n").await;
    other
        .expect("-UNKILLABLE Sorry the script already executed write commands")
        .await;
    server.context.scripts.running.end_all();
    one.expect("-ERR the script was stopped: the server ends")
        .await;
    server.context.scripts.running.go_on();
    one.line().await;
    one.check("GET a", "$1\r\nv\r\n").await;
}

#[tokio::test]
async fn a_script_that_was_quick_and_is_slow_now_goes_where_it_can_be_killed() {
    let server = TestServer::start(&["--port", "1", "--busy-reply-threshold", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    let script = "EVAL \"for i=1,tonumber(ARGV[1]) do end return ARGV[1]\" 0";
    for _ in 0..3 {
        one.check(&format!("{script} 1"), "$1\r\n1\r\n").await;
    }
    one.send(format!("{script} 1e18\r\n")).await;
    eventually(|| server.context.scripts.running.present().is_some()).await;
    other.check("PING", BUSY).await;
    other.check("SCRIPT KILL", "+OK\r\n").await;
    one.expect("-ERR Script killed by user with SCRIPT KILL.")
        .await;
}

#[tokio::test]
async fn a_script_is_one_record_whatever_keys_it_touches() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    let journal = &server.context.keyspace.journal;
    let records = || {
        let mut out = Vec::new();
        journal
            .read(journal.own(), Hlc::ZERO, usize::MAX, &mut out)
            .unwrap();
        out.iter()
            .map(|entry| entry.record.count)
            .collect::<Vec<_>>()
    };
    // The first run holds everything, the later ones the key that is declared, until they touch another one.
    let script = "EVAL \"redis.call('incr',KEYS[1]) for i=1,tonumber(ARGV[1]) do redis.call('rpush',KEYS[1]..i,'a','b') end return 1\" 1";
    client.check(&format!("{script} k 0"), ":1\r\n").await;
    client.check(&format!("{script} k 0"), ":1\r\n").await;
    client.check(&format!("{script} k 7"), ":1\r\n").await;
    client.check(&format!("{script} k 0"), ":1\r\n").await;
    assert_eq!(records(), [1, 1, 15, 1]);
    client.check("GET k", "$1\r\n4\r\n").await;
    client
        .check(
            "EVAL \"return redis.call('get',KEYS[1])\" 1 k",
            "$1\r\n4\r\n",
        )
        .await;
    // More than is reserved to begin with.
    client
        .check(
            "EVAL \"for i=1,5000 do redis.call('set',i,i) end return redis.call('dbsize')\" 0",
            ":5008\r\n",
        )
        .await;
    assert_eq!(records().len(), 5);
    assert_eq!(records()[4], 5000);
    client.send("MULTI\r\nSET m 1\r\nEVAL \"for i=1,300 do redis.call('incr',KEYS[1]) end\" 1 m\r\nINCR m\r\nEXEC\r\n").await;
    client
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n$-1\r\n:302\r\n")
        .await;
    assert_eq!(records()[5], 302);
}

#[tokio::test]
async fn what_would_keep_writes_here_is_refused_where_they_are_told() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client
        .send("EVAL \"return redis.set_repl(redis.REPL_NONE)\" 0\r\n")
        .await;
    client.expect("-ERR redis.set_repl() is refused").await;
    client.line().await;
    client
        .check(
            "EVAL \"return redis.set_repl(redis.REPL_ALL)\" 0",
            "$-1\r\n",
        )
        .await;
}

#[tokio::test]
async fn a_script_selects_for_itself_and_a_transaction_goes_on_where_it_was() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "EVAL \"redis.call('select',3) return redis.call('set','a','3')\" 0",
            "+OK\r\n",
        )
        .await;
    client.check("GET a", "$-1\r\n").await;
    client.send("MULTI\r\nEVAL \"redis.call('select',3) return redis.call('get','a')\" 0\r\nSET a 0\r\nEXEC\r\n").await;
    client
        .expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\n3\r\n+OK\r\n")
        .await;
    client.check("GET a", "$1\r\n0\r\n").await;
}

#[tokio::test]
async fn commands_about_scripts_see_what_a_transaction_did_before_them() {
    const SEVEN: &str = "59b6ab2fbe0ee4b25733de0f62e6cda4899ef8e9";
    const EIGHT: &str = "c2db959528781f82a78b455e9842f46a02a43b61";
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("MULTI", "+OK\r\n").await;
    let steps = [
        (
            "SCRIPT LOAD \"return 7\"".to_owned(),
            format!("$40\r\n{SEVEN}\r\n"),
        ),
        (format!("EVALSHA {SEVEN} 0"), ":7\r\n".to_owned()),
        (
            format!("SCRIPT EXISTS {SEVEN} {EIGHT}"),
            "*2\r\n:1\r\n:0\r\n".to_owned(),
        ),
        ("EVAL \"return 8\" 0".to_owned(), ":8\r\n".to_owned()),
        (format!("SCRIPT EXISTS {EIGHT}"), "*1\r\n:1\r\n".to_owned()),
        ("SCRIPT FLUSH".to_owned(), "+OK\r\n".to_owned()),
        (format!("SCRIPT EXISTS {EIGHT}"), "*1\r\n:0\r\n".to_owned()),
        (
            format!("EVALSHA {EIGHT} 0"),
            "-NOSCRIPT No matching script. Please use EVAL.\r\n".to_owned(),
        ),
        (
            "SCRIPT FLUSH now".to_owned(),
            "-ERR SCRIPT FLUSH only support SYNC|ASYNC option\r\n".to_owned(),
        ),
        (
            "SCRIPT LOAD \"return 8\"".to_owned(),
            format!("$40\r\n{EIGHT}\r\n"),
        ),
        (format!("EVALSHA {EIGHT} 0"), ":8\r\n".to_owned()),
    ];
    let mut replies = format!("*{}\r\n", steps.len());
    for (step, reply) in &steps {
        client.check(step, "+QUEUED\r\n").await;
        replies.push_str(reply);
    }
    client.check("EXEC", &replies).await;
}

#[tokio::test]
async fn writes_of_scripts_end_watches_and_are_told() {
    let server = TestServer::start(&["--port", "1", "--notify-keyspace-events", "KA"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.check("WATCH a", "+OK\r\n").await;
    other
        .check(
            "SUBSCRIBE __keyspace@0__:a",
            "*3\r\n$9\r\nsubscribe\r\n$16\r\n__keyspace@0__:a\r\n:1\r\n",
        )
        .await;
    let mut third = server.connect().await;
    third
        .check(
            "EVAL \"return redis.call('set',KEYS[1],'1')\" 1 a",
            "+OK\r\n",
        )
        .await;
    other
        .expect("*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:a\r\n$3\r\nset\r\n")
        .await;
    one.send("MULTI\r\nPING\r\nEXEC\r\n").await;
    one.expect("+OK\r\n+QUEUED\r\n*-1\r\n").await;
}

#[tokio::test]
async fn whoever_waits_for_an_element_gets_what_a_script_pushed() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.send("BLPOP l 0\r\n").await;
    let is_waiting = || server.context.clients.blocked().0 == 1;
    eventually(is_waiting).await;
    other
        .check(
            "EVAL \"return redis.call('rpush',KEYS[1],'x')\" 1 l",
            ":1\r\n",
        )
        .await;
    one.expect("*2\r\n$1\r\nl\r\n$1\r\nx\r\n").await;
    other
        .send("EVAL \"return redis.call('brpoplpush',KEYS[1],KEYS[1],0)\" 1 l\r\n")
        .await;
    other
        .expect("-ERR This Redis command is not allowed from script script: ")
        .await;
}

#[tokio::test]
async fn scripts_have_the_rights_of_their_callers() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut admin, mut user) = (server.connect().await, server.connect().await);
    admin
        .check("ACL SETUSER me on nopass +eval +get ~a*", "+OK\r\n")
        .await;
    user.check("AUTH me x", "+OK\r\n").await;
    user.check("EVAL \"return redis.call('get','a1')\" 0", "$-1\r\n")
        .await;
    user.send("EVAL \"return redis.call('get','b1')\" 0\r\n")
        .await;
    user.expect("-NOPERM ACL failure in script: No permissions to access a key")
        .await;
    user.line().await;
    user.send("EVAL \"return redis.call('set','a1','x')\" 0\r\n")
        .await;
    user.expect(
        "-NOPERM ACL failure in script: User me has no permissions to run the 'set' command",
    )
    .await;
    user.line().await;
    user.check(
        "EVAL \"return {redis.acl_check_cmd('get','a'), redis.acl_check_cmd('set','a','b')}\" 0",
        "*2\r\n:1\r\n$-1\r\n",
    )
    .await;
    admin.send("ACL LOG 1\r\n").await;
    admin.expect("*1\r\n*20\r\n$5\r\ncount\r\n:1\r\n$6\r\nreason\r\n$7\r\ncommand\r\n$7\r\ncontext\r\n$3\r\nlua\r\n$6\r\nobject\r\n$3\r\nset\r\n").await;
}

#[tokio::test]
async fn monitors_see_the_script_and_behind_it_what_it_calls() {
    let server = TestServer::start(&["--port", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.check("MONITOR", "+OK\r\n").await;
    other
        .check(
            "EVAL \"redis.call('select',2) return redis.call('set','a','1')\" 0",
            "+OK\r\n",
        )
        .await;
    let line = one.line().await;
    assert!(
        line.ends_with(
            "\"EVAL\" \"redis.call('select',2) return redis.call('set','a','1')\" \"0\""
        ),
        "{line}"
    );
    let line = one.line().await;
    assert!(line.ends_with("[0 lua] \"select\" \"2\""), "{line}");
    let line = one.line().await;
    assert!(line.ends_with("[2 lua] \"set\" \"a\" \"1\""), "{line}");
}

#[tokio::test]
async fn commands_of_scripts_are_counted_and_only_the_script_is_slow() {
    let server = TestServer::start(&["--port", "1", "--slowlog-log-slower-than", "0"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "EVAL \"for i=1,5 do redis.call('set','a',i) end return redis.pcall('nosuch')\" 0",
            "-ERR Unknown Redis command called from script\r\n",
        )
        .await;
    let stats = client.bulk("INFO commandstats").await;
    assert!(stats.contains("cmdstat_set:calls=5,"), "{stats}");
    assert!(stats.contains("cmdstat_eval:calls=1,"), "{stats}");
    let errors = client.bulk("INFO errorstats").await;
    assert!(errors.contains("errorstat_ERR:count=1\r\n"), "{errors}");
    client.check("SLOWLOG LEN", ":3\r\n").await;
    let memory = client.bulk("INFO memory").await;
    assert!(
        memory.contains("number_of_cached_scripts:1\r\n"),
        "{memory}"
    );
}

#[tokio::test]
async fn a_replica_that_only_reads_refuses_what_scripts_write() {
    let server = TestServer::start(&["--port", "1", "--replicaof", "127.0.0.1 9"]).await;
    let mut client = server.connect().await;
    client
        .send("EVAL \"return redis.call('set','a','1')\" 0\r\n")
        .await;
    client
        .expect("-READONLY You can't write against a read only replica. script: ")
        .await;
    client.line().await;
    client
        .check("EVAL \"return redis.call('get','a')\" 0", "$-1\r\n")
        .await;
    client
        .send("EVAL \"#!lua\\nreturn 1\" 0\r\nEVAL \"#!lua flags=no-writes\\nreturn 1\" 0\r\n")
        .await;
    client
        .expect("-READONLY You can't write against a read only replica.\r\n:1\r\n")
        .await;
}

#[tokio::test]
async fn a_command_that_panics_within_a_script_costs_an_error() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    server
        .context
        .keyspace
        .panic_after_mutation
        .store(true, std::sync::atomic::Ordering::Relaxed);
    client
        .send("EVAL \"return redis.call('set',KEYS[1],'1')\" 1 a\r\n")
        .await;
    client.expect("-ERR internal error").await;
    client.line().await;
    client.check("GET a", "$1\r\n1\r\n").await;
    client
        .check(
            "EVAL \"return redis.call('get',KEYS[1])\" 1 a",
            "$1\r\n1\r\n",
        )
        .await;
}

#[tokio::test]
async fn a_script_reaches_beyond_the_one_key_that_it_declares() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let script = "for i = 1, 50 do redis.call('incr', 'other:' .. i) end \
                  redis.call('incr', KEYS[1]) return redis.call('dbsize') + #redis.call('keys', '*')";
    for count in 1..4 {
        let call = format!("EVAL \"{script}\" 1 own");
        client.check(&call, ":102\r\n").await;
        let number = format!("$1\r\n{count}\r\n");
        client
            .check(
                "MGET own other:1 other:50",
                &format!("*3\r\n{}", number.repeat(3)),
            )
            .await;
    }
}

#[tokio::test]
async fn keys_and_arguments_of_any_bytes_come_back_as_they_are() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let call = r#"EVAL "return {KEYS[1], KEYS[2], ARGV[1], ARGV[2], #KEYS, #ARGV}" 2 "\xff\x00k" text "\xc3\x28" """#;
    client.send(format!("{call}\r\n")).await;
    let mut expected = b"*6\r\n$3\r\n\xff\0k\r\n$4\r\ntext\r\n$2\r\n\xc3(\r\n$0\r\n\r\n".to_vec();
    expected.extend_from_slice(b":2\r\n:2\r\n");
    client.expect(&expected).await;
}

#[tokio::test]
async fn long_pipelines_of_several_connections_are_all_answered() {
    let server = TestServer::start(&["--port", "1", "--server-threads", "1"]).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.connect().await);
    }
    let script = "for i = 1, 1000 do end return redis.call('incr', KEYS[1])";
    for round in 0..5 {
        for (nth, client) in clients.iter_mut().enumerate() {
            client
                .send(format!("EVAL \"{script}\" 1 own:{nth}\r\n").repeat(20))
                .await;
        }
        for client in &mut clients {
            let replies = (1..=20).map(|count| format!(":{}\r\n", round * 20 + count));
            client.expect(replies.collect::<String>()).await;
        }
    }
}
