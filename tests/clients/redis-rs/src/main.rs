//! What redis-rs gets: exact answers over RESP2 and RESP3, pipelines, transactions with a conflict, iterators and error kinds.
//!
//! `keymesh-redis-rs <port>` deletes the server's data. Ends with one line, `redis-rs <version>: <n> checks, <n> failed`, and with
//! status 1 where one failed. The server may be a real redis-server: what is expected here is what that one answers.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::process::ExitCode;

use redis::{
    Client, Commands, Connection, ErrorKind, ProtocolVersion, RedisError, RedisResult,
    ServerErrorKind, Value, cmd, pipe, transaction,
};

/// As Cargo.toml pins it.
const VERSION: &str = "1.8.1";

struct Checks {
    count: usize,
    failures: usize,
    place: &'static str,
}

impl Checks {
    fn equal<T: PartialEq + Debug>(&mut self, what: &str, actual: RedisResult<T>, expected: T) {
        self.count += 1;
        if !actual.as_ref().is_ok_and(|actual| *actual == expected) {
            self.failures += 1;
            eprintln!(
                "redis-rs, {}: {what}: {actual:?} instead of {expected:?}",
                self.place
            );
        }
    }

    fn refused(&mut self, what: &str, actual: RedisResult<Value>, kind: ErrorKind, detail: &str) {
        let seen = actual.map_err(|error| (error.kind(), error.detail().map(str::to_owned)));
        let expected = Err((kind, Some(detail.to_owned())));
        self.equal(what, Ok(seen), expected);
    }
}

fn values(check: &mut Checks, redis: &mut Connection) {
    check.equal("flushall", cmd("FLUSHALL").query(redis), "OK".to_owned());
    check.equal("set", redis.set("s", "value"), "OK".to_owned());
    check.equal("get", redis.get("s"), Some("value".to_owned()));
    check.equal("get of nothing", redis.get("nothing"), None::<String>);
    check.equal("set_nx", redis.set_nx("s", 1), false);
    check.equal("incr", redis.incr("i", 41), 41);
    check.equal("incr of a float", redis.incr("f", 10.5), 10.5);
    check.equal("decr", redis.decr("i", 1), 40);
    check.equal("mset", redis.mset(&[("a", "1"), ("b", "2")]), ());
    let got = redis.mget(&["a", "nothing", "b"]);
    check.equal("mget", got, vec![Some(1), None, Some(2)]);
    check.equal("append", redis.append("s", "!"), 6);
    check.equal("getrange", redis.getrange("s", 1, 3), "alu".to_owned());
    check.equal("exists", redis.exists("s"), true);
    check.equal("set_ex", redis.set_ex("e", 1, 100), ());
    check.equal("ttl", redis.ttl("e"), 100);
    check.equal("persist", redis.persist("e"), true);
    check.equal("ttl without one", redis.ttl("e"), -1);
    check.equal("get_del", redis.get_del("e"), Some(1));
    check.equal("del", redis.del(&["a", "b", "nothing"]), 2);
    let binary: Vec<u8> = (0..=255).collect();
    check.equal("set of bytes", redis.set(&binary, &binary), ());
    check.equal("get of bytes", redis.get(&binary), binary);
}

fn many(check: &mut Checks, redis: &mut Connection) {
    let names: BTreeSet<String> = (0..500).map(|at| format!("scan:{at}")).collect();
    let mut writes = pipe();
    for name in &names {
        writes.set(name, 1).ignore();
    }
    check.equal("a pipeline of 500", writes.query(redis), ());
    let found: RedisResult<BTreeSet<String>> =
        redis.scan_match("scan:*").and_then(|found| found.collect());
    check.equal("scan_match", found, names);
    let replies = pipe().set("p", 1).incr("p", 1).get("p").query(redis);
    check.equal("a pipeline", replies, ("OK".to_owned(), 2, "2".to_owned()));
    let replies = pipe()
        .atomic()
        .set("p", 5)
        .ignore()
        .incr("p", 1)
        .query(redis);
    check.equal("a transaction", replies, (6,));
}

/// Another connection writes between WATCH and EXEC of the first attempt.
fn conflicts(check: &mut Checks, redis: &mut Connection, other: &mut Connection) {
    check.equal("before", redis.set("t", 1), ());
    let mut seen = Vec::new();
    let replies: RedisResult<(i64,)> = transaction(redis, &["t"], |redis, pipe| {
        let value: i64 = redis.get("t")?;
        seen.push(value);
        if seen.len() == 1 {
            let _: () = other.set("t", 70)?;
        }
        pipe.set("t", value + 1).ignore().incr("t", 10).query(redis)
    });
    check.equal("transaction() tries again", replies, (81,));
    check.equal("what it saw", Ok(seen), vec![1, 70]);
}

fn refusals(check: &mut Checks, redis: &mut Connection) {
    let general = ErrorKind::Server(ServerErrorKind::ResponseError);
    check.equal("text", redis.set("text", "abc"), ());
    let answer = redis.incr("text", 1);
    let detail = "value is not an integer or out of range";
    check.refused("incr of text", answer, general, detail);
    let answer = cmd("NOSUCH").arg("a").query(redis);
    let detail = "unknown command 'NOSUCH', with args beginning with: 'a' ";
    check.refused("no such command", answer, general, detail);
    let answer = cmd("EXEC").query(redis);
    check.refused("exec alone", answer, general, "EXEC without MULTI");
    check.equal(
        "the connection goes on",
        cmd("PING").query(redis),
        "PONG".to_owned(),
    );
}

fn connections(
    check: &mut Checks,
    client: &Client,
    protocol: i64,
    redis: &mut Connection,
) -> RedisResult<()> {
    check.equal(
        "client setname",
        cmd("CLIENT").arg("SETNAME").arg("smoke").query(redis),
        (),
    );
    check.equal(
        "client getname",
        cmd("CLIENT").arg("GETNAME").query(redis),
        "smoke".to_owned(),
    );
    let hello: HashMap<String, Value> = cmd("HELLO").arg(protocol).query(redis)?;
    check.equal(
        "hello",
        Ok(hello.get("proto").cloned()),
        Some(Value::Int(protocol)),
    );
    let config: HashMap<String, String> = cmd("CONFIG")
        .arg("GET")
        .arg("maxmemory-policy")
        .query(redis)?;
    let policy = config.get("maxmemory-policy").cloned();
    check.equal("config get", Ok(policy), Some("noeviction".to_owned()));
    let info: redis::InfoDict = cmd("INFO").query(redis)?;
    check.equal(
        "info",
        Ok(info.get::<String>("role")),
        Some("master".to_owned()),
    );
    check.equal("wait", cmd("WAIT").arg(0).arg(10).query(redis), 0);

    let mut other = client.get_connection()?;
    let id: i64 = cmd("CLIENT").arg("ID").query(redis)?;
    check.equal(
        "client kill",
        cmd("CLIENT")
            .arg("KILL")
            .arg("ID")
            .arg(id)
            .query(&mut other),
        1,
    );
    let ended = cmd("PING")
        .query::<String>(redis)
        .is_err_and(|error: RedisError| error.is_connection_dropped() || error.is_io_error());
    check.equal("the killed connection ends", Ok(ended), true);
    check.equal(
        "and is closed",
        Ok(redis::ConnectionLike::is_open(redis)),
        false,
    );
    check.equal(
        "another one",
        cmd("PING").query(&mut client.get_connection()?),
        "PONG".to_owned(),
    );
    Ok(())
}

fn run(check: &mut Checks, port: &str) -> RedisResult<()> {
    for (place, protocol, number) in [
        ("RESP2", ProtocolVersion::RESP2, 2),
        ("RESP3", ProtocolVersion::RESP3, 3),
    ] {
        check.place = place;
        let client = Client::open(format!("redis://127.0.0.1:{port}/?protocol=resp{number}"))?;
        let set = client.get_connection_info().redis_settings().protocol();
        check.equal("the protocol asked for", Ok(set == protocol), true);
        let (mut redis, mut other) = (client.get_connection()?, client.get_connection()?);
        values(check, &mut redis);
        many(check, &mut redis);
        conflicts(check, &mut redis, &mut other);
        refusals(check, &mut redis);
        connections(check, &client, number, &mut redis)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let Some(port) = std::env::args().nth(1) else {
        eprintln!("keymesh-redis-rs <port>");
        return ExitCode::from(2);
    };
    let mut check = Checks {
        count: 0,
        failures: 0,
        place: "start",
    };
    if let Err(error) = run(&mut check, &port) {
        check.failures += 1;
        eprintln!("redis-rs, {}: {error}", check.place);
    }
    println!(
        "redis-rs {VERSION}: {} checks, {} failed",
        check.count, check.failures
    );
    ExitCode::from(u8::from(check.failures > 0))
}
