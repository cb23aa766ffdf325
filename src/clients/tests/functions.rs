//! FUNCTION and FCALL over real connections.

use super::support::{TestClient, TestServer, eventually};

fn command(words: &[&str]) -> String {
    let words = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let words: Vec<_> = words.collect();
    format!("*{}\r\n{}", words.len(), words.concat())
}

async fn ask(client: &mut TestClient, words: &[&str], expected: &str) {
    client.send(command(words)).await;
    client.expect(expected).await;
}

const LIBRARY: &str = "#!lua name=lib\nlocal calls = 0\nredis.register_function('count', function(keys, args) calls = calls + 1 return {keys[1], args[1], calls} end)\nredis.register_function{function_name='read', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}, description='reads'}\nredis.register_function('write', function(keys) return redis.call('incr', keys[1]) end)";

#[tokio::test]
async fn a_library_is_loaded_called_and_dropped() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    ask(&mut client, &["FUNCTION", "LOAD", LIBRARY], "$3\r\nlib\r\n").await;
    ask(
        &mut client,
        &["FUNCTION", "LOAD", LIBRARY],
        "-ERR Library 'lib' already exists\r\n",
    )
    .await;
    for nth in 1..4 {
        let reply = format!("*3\r\n$1\r\nk\r\n$1\r\na\r\n:{nth}\r\n");
        ask(&mut client, &["FCALL", "count", "1", "k", "a"], &reply).await;
    }
    ask(&mut client, &["FCALL", "write", "1", "n"], ":1\r\n").await;
    ask(&mut client, &["FCALL_RO", "read", "1", "n"], "$1\r\n1\r\n").await;
    ask(
        &mut client,
        &["FCALL_RO", "write", "1", "n"],
        "-ERR Can not execute a script with write flag using *_ro command.\r\n",
    )
    .await;
    ask(&mut client, &["FLUSHALL"], "+OK\r\n").await;
    ask(&mut client, &["FCALL", "write", "1", "n"], ":1\r\n").await;
    ask(&mut client, &["DBSIZE"], ":1\r\n").await;
    let memory = client.bulk("INFO memory").await;
    assert!(
        memory.contains("number_of_functions:3\r\nnumber_of_libraries:1\r\n"),
        "{memory}"
    );
    // A library loaded anew begins anew.
    ask(
        &mut client,
        &["FUNCTION", "LOAD", "REPLACE", LIBRARY],
        "$3\r\nlib\r\n",
    )
    .await;
    ask(
        &mut client,
        &["FCALL", "count", "1", "k", "a"],
        "*3\r\n$1\r\nk\r\n$1\r\na\r\n:1\r\n",
    )
    .await;
    ask(&mut client, &["FUNCTION", "DELETE", "lib"], "+OK\r\n").await;
    ask(
        &mut client,
        &["FCALL", "count", "0"],
        "-ERR Function not found\r\n",
    )
    .await;
}

#[tokio::test]
async fn libraries_are_dumped_and_restored() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    let code = "#!lua name=a\nredis.register_function(\"fa\",function() return 1 end)";
    ask(&mut client, &["FUNCTION", "LOAD", code], "$1\r\na\r\n").await;
    let payload = [
        b"\xf5\x40\x42",
        code.as_bytes(),
        b"\x0a\x00\x90\x8b+\\p\xbd7\xd6",
    ]
    .concat();
    client.send("FUNCTION DUMP\r\n").await;
    client
        .expect([b"$79\r\n", &payload[..], b"\r\n"].concat())
        .await;
    let restore = |policy: &str| {
        let words: [&[u8]; 4] = [b"FUNCTION", b"RESTORE", &payload, policy.as_bytes()];
        let mut request = b"*4\r\n".to_vec();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        request
    };
    client.send(restore("APPEND")).await;
    client.expect("-ERR Library a already exists\r\n").await;
    client.send(restore("REPLACE")).await;
    client.expect("+OK\r\n").await;
    ask(&mut client, &["FUNCTION", "FLUSH"], "+OK\r\n").await;
    let other = "#!lua name=b\nredis.register_function(\"FA\",function() return 2 end)";
    ask(&mut client, &["FUNCTION", "LOAD", other], "$1\r\nb\r\n").await;
    client.send(restore("REPLACE")).await;
    client.expect("-ERR Function fa already exists\r\n").await;
    client.send(restore("FLUSH")).await;
    client.expect("+OK\r\n").await;
    ask(&mut client, &["FCALL", "fa", "0"], ":1\r\n").await;
}

#[tokio::test]
async fn a_function_that_runs_is_shown_and_killed() {
    let server = TestServer::start(&["--port", "1", "--busy-reply-threshold", "1"]).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    let code = "#!lua name=a\nredis.register_function('endless',function() while true do end end)";
    ask(&mut one, &["FUNCTION", "LOAD", code], "$1\r\na\r\n").await;
    one.send("FCALL endless 0\r\n").await;
    eventually(|| server.context.scripts.running.present().is_some()).await;
    let busy = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.\r\n";
    other.check("PING", busy).await;
    other.check("SCRIPT KILL", busy).await;
    other.send("FUNCTION STATS\r\n").await;
    other.expect("*4\r\n$14\r\nrunning_script\r\n*6\r\n$4\r\nname\r\n$7\r\nendless\r\n$7\r\ncommand\r\n*3\r\n$5\r\nFCALL\r\n$7\r\nendless\r\n$1\r\n0\r\n$11\r\nduration_ms\r\n:").await;
    while other.line().await != "functions_count" {}
    other.expect(":1\r\n").await;
    other.check("FUNCTION KILL", "+OK\r\n").await;
    one.expect(
        "-ERR Script killed by user with FUNCTION KILL. script: endless, on @user_function:2.\r\n",
    )
    .await;
    one.check("FCALL endless x", "-ERR Bad number of keys provided\r\n")
        .await;
    // Loading has a limit of its own.
    let code = "#!lua name=b\nwhile true do end";
    ask(
        &mut one,
        &["FUNCTION", "LOAD", code],
        "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n",
    )
    .await;
}

#[tokio::test]
async fn functions_run_within_transactions_and_are_one_record() {
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    ask(&mut client, &["FUNCTION", "LOAD", LIBRARY], "$3\r\nlib\r\n").await;
    let code = "#!lua name=new\nredis.register_function('fresh',function(keys) return redis.call('incr',keys[1]) end)";
    ask(&mut client, &["MULTI"], "+OK\r\n").await;
    for words in [
        &["FUNCTION", "LOAD", code][..],
        &["FUNCTION", "STATS"],
        &["FCALL", "fresh", "1", "f"],
        &["FUNCTION", "DELETE", "new"],
        &["FUNCTION", "STATS"],
        &["FCALL", "fresh", "1", "f"],
    ] {
        ask(&mut client, words, "+QUEUED\r\n").await;
    }
    let stats = |libraries, functions| {
        format!(
            "*4\r\n$14\r\nrunning_script\r\n$-1\r\n$7\r\nengines\r\n*2\r\n$3\r\nLUA\r\n*4\r\n$15\r\nlibraries_count\r\n:{libraries}\r\n$15\r\nfunctions_count\r\n:{functions}\r\n"
        )
    };
    let (with, without) = (stats(2, 4), stats(1, 3));
    let replies =
        format!("*6\r\n$3\r\nnew\r\n{with}:1\r\n+OK\r\n{without}-ERR Function not found\r\n");
    ask(&mut client, &["EXEC"], &replies).await;
    client
        .send("MULTI\r\nFCALL write 1 n\r\nINCR n\r\nFCALL none 0\r\nFCALL read 1 n\r\nEXEC\r\n")
        .await;
    client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n:1\r\n:2\r\n-ERR Function not found\r\n$1\r\n2\r\n").await;
}

#[tokio::test]
async fn the_first_line_of_a_library_is_split_as_redis_splits_it_and_flags_have_no_case() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let code = "#!lua \"NAME=lib\"\nredis.register_function{function_name='f', callback=function(keys) return redis.call('get', 'k') end, flags={'NO-WRITES', 'Allow-OOM'}}";
    ask(&mut client, &["FUNCTION", "LOAD", code], "$3\r\nlib\r\n").await;
    ask(&mut client, &["FCALL_RO", "f", "0"], "$-1\r\n").await;
    ask(
        &mut client,
        &["FUNCTION", "LOAD", "#!lua name=\"lib\n"],
        "-ERR Invalid library metadata\r\n",
    )
    .await;
}

#[tokio::test]
async fn values_deep_within_each_other_are_replied_wherever_a_script_runs() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let code = "#!lua name=lib\nredis.register_function('deep', function() local t={} t[1]=t return t end)";
    ask(&mut client, &["FUNCTION", "LOAD", code], "$3\r\nlib\r\n").await;
    let cycle = "*1\r\n".repeat(7995) + "-ERR reached lua stack limit\r\n";
    ask(&mut client, &["FCALL", "deep", "0"], &cycle).await;
    let script = "local t={} t[1]=t return t";
    ask(&mut client, &["EVAL", script, "0"], &cycle).await;
    ask(&mut client, &["MULTI"], "+OK\r\n").await;
    ask(&mut client, &["EVAL", script, "0"], "+QUEUED\r\n").await;
    ask(&mut client, &["EXEC"], &format!("*1\r\n{cycle}")).await;
    // One that takes long goes on on a thread of its own.
    let slow = "for i=1,1e7 do end local t={} t[1]=t return t";
    ask(&mut client, &["EVAL", slow, "0"], &cycle).await;
    ask(&mut client, &["PING"], "+PONG\r\n").await;
}

#[tokio::test]
async fn what_only_reads_in_redis_but_tells_replicas_is_refused_to_scripts_that_write_nothing() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let refused = "-ERR Write commands are not allowed from read-only scripts.";
    let script = "return redis.pcall('pfcount', KEYS[1])";
    ask(&mut client, &["EVAL_RO", script, "1", "h"], refused).await;
    client.expect("\r\n").await;
    let flagged = format!("#!lua flags=no-writes\n{script}");
    ask(&mut client, &["EVAL", &flagged, "1", "h"], refused).await;
    client.expect("\r\n").await;
    ask(&mut client, &["EVAL", script, "1", "h"], ":0\r\n").await;
}

#[tokio::test]
async fn errors_within_what_a_script_returns_are_counted() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let nested = "*3\r\n-MYE x\r\n-MYE y\r\n*1\r\n-OTHER z\r\n";
    let script = "return {{err='MYE x'},{err='MYE y'},{{err='OTHER z'}}}";
    ask(&mut client, &["EVAL", script, "0"], nested).await;
    let script = "local t = {} t[1] = redis.pcall('nosuch') t[2] = {err='FOO bar'} return t";
    ask(&mut client, &["EVAL", script, "0"], "*2\r\n-ERR ").await;
    client
        .expect("Unknown Redis command called from script\r\n-FOO bar\r\n")
        .await;
    let counts = "$108\r\n# Errorstats\r\nerrorstat_ERR:count=1\r\nerrorstat_FOO:count=1\r\nerrorstat_MYE:count=2\r\nerrorstat_OTHER:count=1\r\n";
    ask(&mut client, &["INFO", "errorstats"], counts).await;
}
