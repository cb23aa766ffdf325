//! INFO: figures that are true, and lines as Redis has them.

use std::collections::HashMap;
use std::time::Duration;

use super::support::{TestClient, TestServer};
use crate::clients::Listeners;
use crate::config::cli::{Invocation, parse};
use crate::config::load;
use crate::replication::LinkState;

/// The lines of a section by their names.
async fn info(client: &mut TestClient, section: &str) -> HashMap<String, String> {
    let text = client.bulk(&format!("INFO {section}")).await;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

async fn used_memory(client: &mut TestClient) -> u64 {
    info(client, "memory").await["used_memory"].parse().unwrap()
}

#[tokio::test]
async fn used_memory_falls_with_what_is_deleted() {
    for directives in [
        &["--port", "1"][..],
        &["--port", "1", "--active-replica", "yes"],
    ] {
        let server = TestServer::start(directives).await;
        let mut client = server.connect().await;
        let before = used_memory(&mut client).await;
        client
            .check("SETRANGE big 9999999 x", ":10000000\r\n")
            .await;
        for key in 0..2_000 {
            client
                .check(&format!("SET key:{key} 0123456789"), "+OK\r\n")
                .await;
        }
        let filled = used_memory(&mut client).await;
        let grown = filled - before;
        // What is stamped is kept for peers, too.
        assert!((10_040_000..12_000_000).contains(&grown), "{grown}");
        client.check("DEL big", ":1\r\n").await;
        let deleted = used_memory(&mut client).await;
        assert!(filled - deleted > 9_900_000, "{filled} {deleted}");
        client.check("FLUSHALL", "+OK\r\n").await;
        let flushed = used_memory(&mut client).await;
        assert!(deleted - flushed > 40_000, "{deleted} {flushed}");
        let memory = info(&mut client, "memory").await;
        let peak: u64 = memory["used_memory_peak"].parse().unwrap();
        assert!(peak >= filled, "{peak} {filled}");
        let number = |name: &str| memory[name].parse::<u64>().unwrap();
        assert_eq!(
            number("used_memory_overhead") + number("used_memory_dataset"),
            number("used_memory")
        );
        assert!(number("used_memory_startup") > 0);
        assert_eq!(number("allocator_allocated"), number("used_memory"));
        assert_eq!(number("allocator_active"), number("used_memory_rss"));
        let more: i64 = memory["allocator_frag_bytes"].parse().unwrap();
        let (active, allocated) = (number("allocator_active"), number("used_memory"));
        assert_eq!(more, active as i64 - allocated as i64);
    }
}

#[tokio::test]
async fn the_average_time_to_live_is_that_of_the_keys_that_have_one() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    for (key, ms) in [("a", 100_000_000), ("b", 300_000_000)] {
        client
            .check(&format!("SET {key} v PX {ms}"), "+OK\r\n")
            .await;
    }
    client.check("SET c v", "+OK\r\n").await;
    client.send("SELECT 1\r\nSET d v\r\n").await;
    client.expect("+OK\r\n+OK\r\n").await;
    let keyspace = info(&mut client, "keyspace").await;
    let ttl = keyspace["db0"].strip_prefix("keys=3,expires=2,avg_ttl=");
    let ttl: i64 = ttl.unwrap().parse().unwrap();
    assert!((199_000_000..=200_000_000).contains(&ttl), "{ttl}");
    assert_eq!(keyspace["db1"], "keys=1,expires=0,avg_ttl=0");
}

#[tokio::test]
async fn keys_that_are_past_their_deadline_and_still_there_are_told() {
    // Nobody removes keys here: that is a worker's work.
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    client
        .send("SET a v PX 1\r\nSET b v EX 1000\r\nSET c v\r\n")
        .await;
    client.expect("+OK\r\n+OK\r\n+OK\r\n").await;
    let stale =
        async { while info(&mut client, "stats").await["expired_stale_perc"] != "50.00" {} };
    let told = tokio::time::timeout(Duration::from_secs(20), stale).await;
    told.expect("half of those with a deadline");
}

#[tokio::test]
async fn lines_that_programs_look_for_are_there() {
    let server = TestServer::start(&["--port", "1"]).await;
    let mut client = server.connect().await;
    let all = info(&mut client, "all").await;
    for (name, value) in [
        ("process_supervised", "no"),
        ("io_threads_active", "0"),
        ("number_of_functions", "0"),
        ("used_memory_lua", "0"),
        ("used_memory_lua_human", "0B"),
        ("used_memory_scripts", "0"),
        ("allocator_rss_ratio", "1.00"),
        ("mem_clients_slaves", "0"),
        ("mem_not_counted_for_evict", "0"),
        ("lazyfree_pending_objects", "0"),
        ("rdb_saves", "0"),
        ("rdb_last_bgsave_time_sec", "-1"),
        ("aof_rewrites", "0"),
        ("evicted_clients", "0"),
        ("pubsubshard_channels", "0"),
        ("total_forks", "0"),
        ("tracking_total_keys", "0"),
        ("unexpected_error_replies", "0"),
        ("instantaneous_input_repl_kbps", "0.00"),
    ] {
        assert_eq!(all[name], value, "{name}");
    }
    let number = |name: &str| all[name].parse::<u64>().unwrap();
    let started = number("server_time_usec") / 1_000_000 - number("uptime_in_seconds");
    assert!(started.abs_diff(number("rdb_last_save_time")) <= 1);
    let replication = number("mem_total_replication_buffers");
    assert_eq!(replication, number("mem_replication_backlog"));
    // As the round over all clients took them down.
    let statistics = &server.context.statistics;
    statistics.note_buffers(300, 20);
    statistics.note_buffers(100, 50);
    let clients = info(&mut client, "clients").await;
    let largest = |name: &str| clients[name].parse::<usize>().unwrap();
    assert!(largest("client_recent_max_input_buffer") >= 300);
    assert!(largest("client_recent_max_output_buffer") >= 50);
}

#[tokio::test]
async fn a_link_that_was_never_up_is_not_said_to_be_down_since_some_time() {
    let server = TestServer::start(&["--port", "1", "--replicaof", "h 1"]).await;
    let mut client = server.connect().await;
    let role = |state: &str, offset: i64| {
        format!(
            "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n${}\r\n{state}\r\n:{offset}\r\n",
            state.len()
        )
    };
    for (state, name, offset) in [
        (LinkState::Connect, "connect", -1),
        (LinkState::Connecting, "connecting", -1),
        (LinkState::Handshake, "handshake", -1),
        (LinkState::Sync, "sync", -1),
        (LinkState::Connected, "connected", 0),
    ] {
        server.links.set_state(state);
        client.check("ROLE", &role(name, offset)).await;
        let lines = info(&mut client, "replication").await;
        let since = lines.get("master_link_down_since_seconds");
        let expected = (state != LinkState::Connected).then_some("-1");
        assert_eq!(since.map(String::as_str), expected, "{name}");
        assert_eq!(lines["slave_repl_offset"], "0");
    }
}

#[tokio::test]
async fn an_address_in_use_is_told_once_in_the_words_of_redis() {
    let taken = Listeners::bind_any_port().unwrap();
    let port = taken.port().to_string();
    let words = ["--port", &port, "--bind", "127.0.0.1"].map(Into::into);
    let Invocation::Run(arguments) = parse(words).unwrap() else {
        panic!("no directives");
    };
    let settings = load(&arguments, [], std::io::empty()).unwrap();
    let error = anyhow::Error::from(Listeners::bind(&settings).unwrap_err());
    assert_eq!(
        format!("{error:#}"),
        format!(
            "Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
        )
    );
}
