//! What operators ask: the slow log, latencies, memory.

use super::support::{TestClient, TestServer};

async fn integer(client: &mut TestClient, command: &str) -> i64 {
    client.send(format!("{command}\r\n")).await;
    let line = client.line().await;
    line.trim_start_matches(':').parse().unwrap()
}

/// Reads `lines` lines of a reply.
async fn lines(client: &mut TestClient, command: &str, lines: usize) -> Vec<String> {
    client.send(format!("{command}\r\n")).await;
    let mut read = Vec::new();
    for _ in 0..lines {
        read.push(client.line().await);
    }
    read
}

#[tokio::test]
async fn the_slow_log_has_all_commands_where_it_is_asked_for_all() {
    let server = TestServer::start(&["--port", "1", "--slowlog-log-slower-than", "0"]).await;
    let mut client = server.connect().await;
    client.check("CLIENT SETNAME me", "+OK\r\n").await;
    // In a batch, in a transaction, refused, and one whose argument is a secret.
    client
        .send("SET a 1\r\nSET b 2\r\nMULTI\r\nGET a\r\nEXEC\r\nGET\r\nAUTH secret\r\n")
        .await;
    for _ in 0..8 {
        client.line().await;
    }
    client.line().await;
    // CLIENT SETNAME, SET, SET, MULTI, GET, AUTH: EXEC is left out, what was not carried out too.
    assert_eq!(integer(&mut client, "SLOWLOG LEN").await, 6);
    let entry = lines(&mut client, "SLOWLOG GET 2", 27).await;
    assert_eq!(entry[0], "*2");
    assert_eq!(entry[1..3], ["*6", ":6"]);
    assert_eq!(entry[5..10], ["*2", "$7", "SLOWLOG", "$3", "LEN"]);
    assert_eq!(entry[12..14], ["$2", "me"]);
    assert_eq!(entry[14..16], ["*6", ":5"]);
    assert_eq!(entry[18..23], ["*2", "$4", "AUTH", "$10", "(redacted)"]);
    let micros: i64 = entry[4].trim_start_matches(':').parse().unwrap();
    assert!((0..10_000_000).contains(&micros), "{micros}");
    client.check("SLOWLOG RESET", "+OK\r\n").await;
    assert_eq!(integer(&mut client, "SLOWLOG LEN").await, 1);
    client
        .check("CONFIG SET slowlog-max-len 0", "+OK\r\n")
        .await;
    client.check("SLOWLOG RESET", "+OK\r\n").await;
    assert_eq!(integer(&mut client, "SLOWLOG LEN").await, 0);
}

#[tokio::test]
async fn what_takes_long_is_in_the_slow_log_and_an_event() {
    let directives = [
        "--port",
        "1",
        "--enable-debug-command",
        "yes",
        "--latency-monitor-threshold",
        "5",
        "--slowlog-log-slower-than",
        "5000",
    ];
    let server = TestServer::start(&directives).await;
    let mut client = server.connect().await;
    client.check("SLOWLOG GET", "*0\r\n").await;
    client.check("LATENCY LATEST", "*0\r\n").await;
    client.check("DEBUG SLEEP 0.03", "+OK\r\n").await;
    assert_eq!(integer(&mut client, "SLOWLOG LEN").await, 1);
    let latest = lines(&mut client, "LATENCY LATEST", 7).await;
    assert_eq!(latest[..4], ["*1", "*4", "$7", "command"]);
    assert_eq!(latest[5], ":30");
    assert_eq!(latest[6], ":30");
    let history = lines(&mut client, "LATENCY HISTORY command", 4).await;
    assert_eq!(history[..2], ["*1", "*2"]);
    assert_eq!(history[3], ":30");
    let graph = client.bulk("LATENCY GRAPH command").await;
    assert!(graph.starts_with("command - high 30 ms, low 30 ms (all time high 30 ms)\n---"));
    let report = client.bulk("LATENCY DOCTOR").await;
    assert!(report.contains("command: 1 seconds with a spike, 30 ms"));
    client
        .check(
            "LATENCY GRAPH fork",
            "-ERR No samples available for event 'fork'\r\n",
        )
        .await;
    assert_eq!(integer(&mut client, "LATENCY RESET fork command").await, 1);
    client.check("LATENCY LATEST", "*0\r\n").await;
    let report = client.bulk("LATENCY DOCTOR").await;
    assert!(report.starts_with("No event took 5 ms"), "{report}");
}

#[tokio::test]
async fn latencies_are_kept_by_command() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.send("SET a 1\r\nSET a 2\r\nGET a\r\n").await;
    client.expect("+OK\r\n+OK\r\n$1\r\n2\r\n").await;
    client.check("KEYS *", "*1\r\n$1\r\na\r\n").await;
    let shown = lines(&mut client, "LATENCY HISTOGRAM set nothing", 6).await;
    assert_eq!(shown[..6], ["*2", "$3", "set", "*4", "$5", "calls"]);
    assert_eq!(client.line().await, ":2");
    assert_eq!(client.line().await, "$14");
    assert_eq!(client.line().await, "histogram_usec");
    let buckets = client.line().await;
    let numbers: usize = buckets.trim_start_matches('*').parse().unwrap();
    let mut last = String::new();
    for _ in 0..numbers {
        last = client.line().await;
    }
    assert_eq!(last, ":2");
    let stats = client.bulk("INFO latencystats").await;
    for name in [
        "set:p50=",
        "get:p50=",
        "keys:p50=",
        "latency|histogram:p50=",
    ] {
        let start = format!("latency_percentiles_usec_{name}");
        assert!(stats.contains(&start), "{start} is not in {stats}");
    }
    assert!(stats.contains(",p99=") && stats.contains(",p99.9="));
    client
        .check("CONFIG SET latency-tracking no", "+OK\r\n")
        .await;
    client.check("CONFIG RESETSTAT", "+OK\r\n").await;
    client.check("GET a", "$1\r\n2\r\n").await;
    assert_eq!(client.bulk("INFO latencystats").await, "# Latencystats\r\n");
}

#[tokio::test]
async fn holds_of_partitions_are_told_to_who_asks_for_them_by_name() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.send("SET a 1\r\nGET a\r\n").await;
    client.expect("+OK\r\n$1\r\n1\r\n").await;
    client.check("KEYS *", "*1\r\n$1\r\na\r\n").await;
    let shown = lines(&mut client, "LATENCY HISTOGRAM Partition-Hold", 9).await;
    assert_eq!(shown[..3], ["*2", "$14", "partition-hold"]);
    assert_eq!(shown[3..6], ["*4", "$5", "calls"]);
    assert_eq!(shown[7..], ["$14", "histogram_usec"]);
    let buckets: usize = client.line().await[1..].parse().unwrap();
    for _ in 0..buckets {
        client.line().await;
    }
    let holds = "latency_percentiles_usec_partition_hold:p50=";
    let stats = client.bulk("INFO stats").await;
    assert!(stats.contains(holds) && stats.contains(",max="), "{stats}");
    assert!(!client.bulk("INFO latencystats").await.contains(holds));
}

#[tokio::test]
async fn memory_tells_what_keys_take() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client.check("MEMORY USAGE nothing", "$-1\r\n").await;
    client.check("SET small 1", "+OK\r\n").await;
    client.check("SETRANGE large 9999 x", ":10000\r\n").await;
    let small = integer(&mut client, "MEMORY USAGE small").await;
    let large = integer(&mut client, "MEMORY USAGE large SAMPLES 0").await;
    assert!((10..100).contains(&small), "{small}");
    assert!((10_000..11_000).contains(&large), "{large}");
    for (command, error) in [
        ("MEMORY USAGE k SAMPLES", "-ERR syntax error\r\n"),
        ("MEMORY USAGE k SAMPLES -1", "-ERR syntax error\r\n"),
        (
            "MEMORY USAGE k SAMPLES a",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "MEMORY x",
            "-ERR unknown subcommand 'x'. Try MEMORY HELP.\r\n",
        ),
    ] {
        client.check(command, error).await;
    }
    client.check("MEMORY PURGE", "+OK\r\n").await;
    assert!(client.bulk("MEMORY DOCTOR").await.starts_with("Too little"));
    client.send("HELLO 3\r\nMEMORY STATS\r\nPING\r\n").await;
    let mut read = Vec::new();
    while read.last().is_none_or(|line| line != "+PONG") {
        read.push(client.line().await);
    }
    let start = read.iter().rposition(|line| line == "%28").unwrap();
    let after = |name: &str| {
        let at = read[start..].iter().position(|line| line == name).unwrap();
        read[start + at + 1].clone()
    };
    assert_eq!(after("keys.count"), ":2");
    assert_eq!(after("db.0"), "%3");
    let dataset: i64 = after("dataset.bytes")[1..].parse().unwrap();
    assert!((10_000..12_000).contains(&dataset), "{dataset}");
}

#[tokio::test]
async fn a_server_without_cluster_and_modules_says_so_as_redis_does() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let no_cluster = "-ERR This instance has cluster support disabled\r\n";
    for command in [
        "CLUSTER INFO",
        "CLUSTER SLOTS",
        "READONLY",
        "READWRITE",
        "ASKING",
    ] {
        client.check(command, no_cluster).await;
    }
    client
        .check(
            "CLUSTER x",
            "-ERR unknown subcommand 'x'. Try CLUSTER HELP.\r\n",
        )
        .await;
    client.check("MODULE LIST", "*0\r\n").await;
    client
        .check("FAILOVER", "-ERR FAILOVER requires connected replicas.\r\n")
        .await;
    client
        .check("FAILOVER ABORT", "-ERR No failover in progress.\r\n")
        .await;
    client.check("FAILOVER TO h", "-ERR syntax error\r\n").await;
    let art = client.bulk("LOLWUT VERSION 5 1 2 3").await;
    assert!(art.ends_with("Redis ver. 7.2.0\n"), "{art}");
    let time = lines(&mut client, "TIME", 5).await;
    assert_eq!(time[0], "*2");
    assert!(time[2].parse::<u64>().unwrap() > 1_700_000_000);
    let server = TestServer::start(&["--port", "1", "--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "FAILOVER",
            "-ERR FAILOVER not allowed in active replication mode.\r\n",
        )
        .await;
}

#[tokio::test]
async fn whoever_watches_sees_what_is_carried_out_and_no_passwords() {
    let server = TestServer::start(&["--port", "1", "--requirepass", "secret"]).await;
    let (mut watches, mut asks) = (server.connect().await, server.connect().await);
    watches.check("AUTH secret", "+OK\r\n").await;
    watches.check("MONITOR", "+OK\r\n").await;
    // As in Redis, a second time is not answered, and who watches is kept from data.
    let kept = "-ERR Replica can't interact with the keyspace\r\n";
    watches.check("MONITOR\r\nGET x", kept).await;
    asks.send("AUTH secret\r\nSET \"k \\x00\" 1\r\nGET\r\nCONFIG SET timeout 0\r\n")
        .await;
    asks.send("MULTI\r\nECHO x\r\nSELECT 3\r\nPING\r\nINCR n\r\nEXEC\r\nPING\r\n")
        .await;
    for shown in [
        "[0 \"AUTH\" \"(redacted)\"",
        "[0 \"SET\" \"k \\x00\" \"1\"",
        "[0 \"MULTI\"",
        "[0 \"ECHO\" \"x\"",
        "[3 \"SELECT\" \"3\"",
        "[3 \"PING\"",
        "[3 \"INCR\" \"n\"",
        "[3 \"EXEC\"",
        "[3 \"PING\"",
    ] {
        let line = watches.line().await;
        let (time, rest) = line.split_once(" [").unwrap();
        let micros = time.split_once('.').unwrap().1;
        assert!(time.starts_with('+') && micros.len() == 6, "{line}");
        let (before, command) = rest.split_once(']').unwrap();
        let (db, address) = before.split_once(' ').unwrap();
        assert!(address.starts_with("127.0.0.1:"), "{line}");
        assert_eq!(format!("[{db}{command}"), shown);
    }
    for _ in 0..16 {
        asks.line().await;
    }
    let list = asks.bulk("CLIENT LIST").await;
    assert!(list.contains(" flags=O "), "{list}");
    watches.send("RESET\r\n").await;
    while watches.line().await != "+RESET" {}
    asks.check("SET k 1", "+OK\r\n").await;
    watches.check("AUTH secret", "+OK\r\n").await;
    asks.check("PING", "+PONG\r\n").await;
    watches.check("PING", "+PONG\r\n").await;
}
