//! Jobs of KEYDB.CRON at work, one look at a time.

use std::time::{Duration, Instant};

use super::support::{TestClient, TestServer, eventually};
use crate::clients::cron::{Schedule, tick};
use crate::db::{Hlc, UnixMillis};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, and what it remembers of its jobs.
async fn server(directives: &[&str]) -> (TestServer, Schedule) {
    let server = TestServer::start(&[&["--port", "1"], directives].concat()).await;
    let schedule = Schedule::new(server.context.now());
    (server, schedule)
}

/// Looks until a key shows this.
async fn until(
    server: &TestServer,
    schedule: &mut Schedule,
    client: &mut TestClient,
    (key, expected): (&str, i64),
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        tick(&server.context, schedule).await;
        let reply = client.bulk_or_null(&format!("GET {key}")).await;
        let number = reply.map_or(0, |text| text.parse::<i64>().unwrap());
        if number >= expected {
            return;
        }
        assert!(Instant::now() < deadline, "{key} is {number}");
    }
}

#[tokio::test]
async fn a_job_runs_once_where_it_was_made_and_is_gone_before_it_does() {
    let (server, mut schedule) = server(&[]).await;
    let mut client = server.connect().await;
    client.check("SELECT 3", "+OK\r\n").await;
    client
        .check(
            "KEYDB.CRON j single 0 1 \"redis.call('set',KEYS[1],ARGV[1]..redis.call('exists','j'))\" 1 k v",
            "+OK\r\n",
        )
        .await;
    client
        .check(
            "KEYDB.CRON later single 3600000 \"redis.call('set','k','no')\"",
            "+OK\r\n",
        )
        .await;
    client.check("GET k", "$-1\r\n").await;
    for _ in 0..2 {
        let wait = tick(&server.context, &mut schedule).await;
        assert!(!wait.is_zero());
        client.check("GET k", "$2\r\nv0\r\n").await;
        client
            .check("KEYDB.MEXISTS j later", "*2\r\n:0\r\n:1\r\n")
            .await;
    }
    client.check("SELECT 0", "+OK\r\n").await;
    client.check("DBSIZE", ":0\r\n").await;
}

#[tokio::test]
async fn a_job_that_repeats_goes_on_whatever_its_script_says_until_it_is_deleted() {
    let (server, mut schedule) = server(&["--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "KEYDB.CRON j repeat 0 2 \"redis.call('incr','n') error('it fails')\"",
            "+OK\r\n",
        )
        .await;
    until(&server, &mut schedule, &mut client, ("n", 3)).await;
    client.check("EXISTS j", ":1\r\n").await;
    // One without a script that can be read stands in nobody's way.
    client
        .check("KEYDB.CRON broken repeat 0 1 \"(\"", "+OK\r\n")
        .await;
    client.check("RENAME j moved", "+OK\r\n").await;
    until(&server, &mut schedule, &mut client, ("n", 5)).await;
    client.check("DEL moved", ":1\r\n").await;
    client.check("SET n 0", "+OK\r\n").await;
    client
        .check(
            "KEYDB.CRON other repeat 0 1 \"redis.call('incr','m')\"",
            "+OK\r\n",
        )
        .await;
    until(&server, &mut schedule, &mut client, ("m", 5)).await;
    client.check("GET n", "$1\r\n0\r\n").await;
    client.check("FLUSHALL", "+OK\r\n").await;
    let deadline = Instant::now() + PATIENCE;
    while schedule.next().is_some() {
        tick(&server.context, &mut schedule).await;
        assert!(Instant::now() < deadline, "they are remembered");
    }
    client.check("DBSIZE", ":0\r\n").await;
}

#[tokio::test]
async fn what_runs_once_goes_in_the_record_of_what_its_script_writes() {
    let (server, mut schedule) = server(&["--active-replica", "yes"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "KEYDB.CRON j single 0 1 \"redis.call('incr',KEYS[1]) redis.call('incr','other')\" 1 n",
            "+OK\r\n",
        )
        .await;
    client
        .check(
            "KEYDB.CRON k repeat 0 1000000 \"redis.call('incr',KEYS[1])\" 1 n",
            "+OK\r\n",
        )
        .await;
    tick(&server.context, &mut schedule).await;
    client.check("GET n", "$1\r\n2\r\n").await;
    let (journal, mut out) = (&server.context.keyspace.journal, Vec::new());
    let own = journal.own();
    journal.read(own, Hlc::ZERO, usize::MAX, &mut out).unwrap();
    let counts: Vec<_> = out.iter().map(|entry| entry.record.count).collect();
    // Both jobs; in either order, what they did.
    assert_eq!(counts[..2], [1, 1]);
    assert_eq!(counts[2..].iter().sum::<u32>(), 4);
    assert_eq!(counts.len(), 4);
}

#[tokio::test]
async fn a_job_may_make_itself_anew() {
    let (server, mut schedule) = server(&[]).await;
    let mut client = server.connect().await;
    let script = "if redis.call('incr','n') < 3 then redis.call('KEYDB.CRON','j','single','0','1',ARGV[1],'0',ARGV[1]) end";
    client
        .check(
            &format!("KEYDB.CRON j single 0 1 \"{script}\" 0 \"{script}\""),
            "+OK\r\n",
        )
        .await;
    until(&server, &mut schedule, &mut client, ("n", 3)).await;
    tick(&server.context, &mut schedule).await;
    client.check("GET n", "$1\r\n3\r\n").await;
    client.check("EXISTS j", ":0\r\n").await;
}

#[tokio::test]
async fn a_jobs_script_that_goes_on_for_ever_is_killed_like_any() {
    let (server, mut schedule) = server(&["--busy-reply-threshold", "1"]).await;
    let mut client = server.connect().await;
    client
        .check("KEYDB.CRON j single 0 1 \"while true do end\"", "+OK\r\n")
        .await;
    let context = std::sync::Arc::clone(&server.context);
    let looks = tokio::spawn(async move {
        tick(&context, &mut schedule).await;
        schedule
    });
    eventually(|| server.context.scripts.running.present().is_some()).await;
    client
        .check(
            "PING",
            "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n",
        )
        .await;
    client.check("SCRIPT KILL", "+OK\r\n").await;
    let mut schedule = looks.await.unwrap();
    client.check("EXISTS j", ":0\r\n").await;
    client
        .check(
            "KEYDB.CRON k single 0 1 \"redis.call('incr','n')\"",
            "+OK\r\n",
        )
        .await;
    until(&server, &mut schedule, &mut client, ("n", 1)).await;
}

#[tokio::test]
async fn only_who_may_do_everything_makes_jobs() {
    let (server, mut schedule) = server(&[]).await;
    let (mut admin, mut user) = (server.connect().await, server.connect().await);
    admin
        .check(
            "ACL SETUSER me on nopass +@all -debug allkeys allchannels",
            "+OK\r\n",
        )
        .await;
    user.check("AUTH me x", "+OK\r\n").await;
    const REFUSED: &str =
        "-NOPERM A job of KEYDB.CRON may do everything: only users who may do so can make one\r\n";
    user.check("KEYDB.CRON j single 1 s", REFUSED).await;
    user.check("MULTI", "+OK\r\n").await;
    user.check("KEYDB.CRON j single 1 s", "+QUEUED\r\n").await;
    user.check("EXEC", &format!("*1\r\n{REFUSED}")).await;
    user.send("EVAL \"return redis.call('keydb.cron','j','single','1','s')\" 0\r\n")
        .await;
    assert!(user.line().await.starts_with("-NOPERM A job of KEYDB.CRON"));
    admin
        .check(
            "KEYDB.CRON j single 0 1 \"redis.call('incr','n')\"",
            "+OK\r\n",
        )
        .await;
    // Whatever becomes of users.
    admin
        .check("ACL SETUSER default -@all +get", "+OK\r\n")
        .await;
    until(&server, &mut schedule, &mut admin, ("n", 1)).await;
}

#[tokio::test]
async fn nobody_runs_jobs_while_writes_are_held_back_nor_on_a_replica() {
    let (server, mut schedule) = server(&["--enable-debug-command", "local"]).await;
    let mut client = server.connect().await;
    client
        .check(
            "KEYDB.CRON j single 0 1 \"redis.call('incr','n')\"",
            "+OK\r\n",
        )
        .await;
    client.check("CLIENT PAUSE 3600000 WRITE", "+OK\r\n").await;
    tick(&server.context, &mut schedule).await;
    client
        .check("KEYDB.MEXISTS j n", "*2\r\n:1\r\n:0\r\n")
        .await;
    client.check("CLIENT UNPAUSE", "+OK\r\n").await;
    client.check("REPLICAOF 127.0.0.1 1", "+OK\r\n").await;
    tick(&server.context, &mut schedule).await;
    client
        .check("KEYDB.MEXISTS j n", "*2\r\n:1\r\n:0\r\n")
        .await;
    client.check("REPLICAOF NO ONE", "+OK\r\n").await;
    until(&server, &mut schedule, &mut client, ("n", 1)).await;
    client.check("EXISTS j", ":0\r\n").await;
    assert!(Schedule::new(UnixMillis(0)).next().is_none());
}
