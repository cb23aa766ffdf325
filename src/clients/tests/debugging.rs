//! DEBUG, byte for byte as a Redis of release 7.0 answers it.

use super::support::TestServer;

const DEBUGGING: &[&str] = &["--port", "1", "--enable-debug-command", "yes"];

#[tokio::test]
async fn protocol_samples_are_those_of_redis_in_both_protocols() {
    let server = TestServer::start(DEBUGGING).await;
    let mut client = server.connect().await;
    for (kind, reply) in [
        ("string", "$11\r\nHello World\r\n"),
        ("integer", ":12345\r\n"),
        ("double", "$5\r\n3.141\r\n"),
        ("null", "$-1\r\n"),
        ("array", "*3\r\n:0\r\n:1\r\n:2\r\n"),
        ("set", "*3\r\n:0\r\n:1\r\n:2\r\n"),
        ("map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n"),
        (
            "attrib",
            "$39\r\nSome real reply following the attribute\r\n",
        ),
        ("push", "-ERR RESP2 is not supported by this command\r\n"),
        ("verbatim", "$25\r\nThis is a verbatim\nstring\r\n"),
        ("TRUE", ":1\r\n"),
        ("BiGnum", "$37\r\n1234567999999999999999999999999999999\r\n"),
    ] {
        client.check(&format!("DEBUG PROTOCOL {kind}"), reply).await;
    }
    client.send("HELLO 3\r\n").await;
    while client.line().await != "modules" {}
    client.expect("*0\r\n").await;
    for (kind, reply) in [
        ("double", ",3.141\r\n"),
        ("null", "_\r\n"),
        ("set", "~3\r\n:0\r\n:1\r\n:2\r\n"),
        ("map", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"),
        (
            "attrib",
            "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n",
        ),
        (
            "push",
            ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n",
        ),
        ("verbatim", "=29\r\ntxt:This is a verbatim\nstring\r\n"),
        ("false", "#f\r\n"),
        ("bignum", "(1234567999999999999999999999999999999\r\n"),
        (
            "foo",
            "-ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false\r\n",
        ),
    ] {
        client.check(&format!("DEBUG PROTOCOL {kind}"), reply).await;
    }
}

#[tokio::test]
async fn keys_are_made_described_and_digested() {
    let server = TestServer::start(DEBUGGING).await;
    let mut client = server.connect().await;
    client.check("SET p:1 kept", "+OK\r\n").await;
    client.check("DEBUG POPULATE 3 p 4", "+OK\r\n").await;
    client
        .check(
            "MGET p:0 p:1 p:2",
            "*3\r\n$4\r\nvalu\r\n$4\r\nkept\r\n$4\r\nvalu\r\n",
        )
        .await;
    client
        .check(r#"DEBUG POPULATE 1 "z\x00z""#, "+OK\r\n")
        .await;
    client.check("GET z:0", "$7\r\nvalue:0\r\n").await;
    client.check("DEBUG POPULATE 1", "+OK\r\n").await;
    client.check("GET key:0", "$7\r\nvalue:0\r\n").await;
    let positive = "-ERR value is out of range, must be positive\r\n";
    for wrong in ["-1", "x", "1 p -1"] {
        client
            .check(&format!("DEBUG POPULATE {wrong}"), positive)
            .await;
    }

    client.check("SET a b", "+OK\r\n").await;
    client.check("SET e 1 EX 100", "+OK\r\n").await;
    client
        .check(
            "DEBUG DIGEST-VALUE a gone e",
            "*3\r\n+b78559cd22bce6e6df712eb99ce7f3b08e8f8f1f\r\n+0000000000000000000000000000000000000000\r\n+5279988c5d1911f474bcbbf2f0a87012d40f8459\r\n",
        )
        .await;
    client.check("DEBUG DIGEST-VALUE", "*0\r\n").await;
    client
        .check("DEBUG OBJECT gone", "-ERR no such key\r\n")
        .await;
    client.send("DEBUG OBJECT a\r\n").await;
    let line = client.line().await;
    assert!(line.starts_with("+Value at:0x"), "{line}");
    assert!(
        line.contains(" refcount:1 encoding:embstr serializedlength:2 lru:"),
        "{line}"
    );
}

#[tokio::test]
async fn errors_and_thresholds_are_taken_as_redis_takes_them() {
    let server = TestServer::start(DEBUGGING).await;
    let mut client = server.connect().await;
    client
        .check("DEBUG ERROR \"OOPS x\\r\\ny\"", "-OOPS x  y\r\n")
        .await;
    client.check("DEBUG ERROR \"\"", "-\r\n").await;
    client.check("DEBUG LOG hello", "+OK\r\n").await;
    for taken in ["100b", "0", "4095mb"] {
        client
            .check(
                &format!("DEBUG QUICKLIST-PACKED-THRESHOLD {taken}"),
                "+OK\r\n",
            )
            .await;
    }
    let refused = "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n";
    for wrong in ["x", "4gb", "5gb", "-1"] {
        client
            .check(
                &format!("DEBUG QUICKLIST-PACKED-THRESHOLD {wrong}"),
                refused,
            )
            .await;
    }
    client
        .check(
            "DEBUG OBJECT",
            "-ERR unknown subcommand or wrong number of arguments for 'OBJECT'. Try DEBUG HELP.\r\n",
        )
        .await;
}

#[tokio::test]
async fn a_forced_master_writes_to_a_read_only_replica_until_it_is_none() {
    let directives = [DEBUGGING, &["--replicaof", "localhost", "1"]].concat();
    let server = TestServer::start(&directives).await;
    let mut client = server.connect().await;
    let refused = "-READONLY You can't write against a read only replica.\r\n";
    client.check("SET a 1", refused).await;
    client.check("DEBUG FORCE-MASTER yes", "+OK\r\n").await;
    client.check("SET a 1", "+OK\r\n").await;
    assert!(client.bulk("CLIENT INFO").await.contains(" flags=M "));
    client.check("DEBUG FORCE-MASTER no", "+OK\r\n").await;
    client.check("SET a 2", refused).await;
    client.check("DEBUG FORCE-MASTER flagonly", "+OK\r\n").await;
    client.check("SET a 3", "+OK\r\n").await;
    client.check("RESET", "+RESET\r\n").await;
    client.check("SET a 4", refused).await;
}
