//! `queue-owner`: scripts, functions and whole transactions go to the owner of their keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

const PER_NODE: usize = 100;
/// What a lock of redis-py is released by.
const RELEASE: &str = "if redis.call('get',KEYS[1]) == ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end";
/// Takes a job and remembers who has it, under a key that it does not declare.
const TAKE: &str = "local job = redis.call('lpop',KEYS[1]) \
    if job then redis.call('hset','taken',job,ARGV[1]) end return job";
const LIBRARY: &str = "#!lua name=queue\n\
    redis.register_function('take',function(keys,args) return redis.call('lpop',keys[1]) end)\n\
    redis.register_function{function_name='peek',flags={'no-writes'},\
    callback=function(keys,args) return redis.call('lindex',keys[1],0) end}";

/// A full mesh whose first node owns `jobs:*`, and where there are three, the second `other:*`.
fn owned(count: usize) -> Mesh {
    let options = ["--queue-owner", "jobs:*", "127.0.0.1", "%first%"];
    let mesh = Mesh::full_with(count, &options);
    if count > 2 {
        let lines = format!(
            "jobs:* 127.0.0.1 {} other:* 127.0.0.1 {}",
            mesh.nodes[0].port, mesh.nodes[1].port
        );
        for node in &mesh.nodes {
            let words = ["CONFIG", "SET", "queue-owner", &lines];
            assert_eq!(node.client().call_words(&words).text(), "OK");
        }
    }
    mesh
}

fn eval(client: &mut Client, script: &str, keys: &[&str], arguments: &[&str]) -> Value {
    let count = keys.len().to_string();
    let words = [&["EVAL", script, &count][..], keys, arguments].concat();
    client.call_words(&words)
}

fn exec(client: &mut Client, commands: &[&str]) -> Value {
    assert_eq!(client.call("MULTI").text(), "OK");
    for command in commands {
        assert_eq!(client.call(command).text(), "QUEUED", "{command}");
    }
    client.call("EXEC")
}

#[test]
fn scripts_at_all_masters_take_every_job_once() {
    let mesh = owned(3);
    let left = AtomicUsize::new(3 * PER_NODE);
    let got: Vec<String> = thread::scope(|scope| {
        let mut consumers = Vec::new();
        for (at, node) in mesh.nodes.iter().enumerate() {
            let (mut client, left) = (node.client(), &left);
            scope.spawn(move || {
                let mut client = node.client();
                for number in 0..PER_NODE {
                    client.call(&format!("RPUSH jobs:all {at}:{number}"));
                }
            });
            consumers.push(scope.spawn(move || {
                let (mut got, who) = (Vec::new(), at.to_string());
                while left.load(Ordering::Relaxed) > 0 {
                    match eval(&mut client, TAKE, &["jobs:all"], &[&who]) {
                        Value::Bulk(job) => {
                            // What the script wrote is seen where it was asked for.
                            let taken = client.call(&format!("HGET taken {job}"));
                            assert_eq!(taken.text(), who);
                            left.fetch_sub(1, Ordering::Relaxed);
                            got.push(job);
                        }
                        other => assert_eq!(other, Value::Null),
                    }
                }
                got
            }));
        }
        let all = consumers.into_iter().map(|one| one.join().unwrap());
        all.collect::<Vec<_>>().concat()
    });
    assert_eq!(got.len(), 3 * PER_NODE);
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), 3 * PER_NODE);
    mesh.wait_until_equal();
    assert_eq!(mesh.numbers("mesh_owner_served")[1..], [0, 0]);
}

#[test]
fn a_lock_is_released_where_it_was_acquired_by_the_digest_of_a_script_that_the_owner_never_saw() {
    let mesh = owned(2);
    let mut client = mesh.nodes[1].client();
    let sha = client.call_words(&["SCRIPT", "LOAD", RELEASE]);
    let release = |client: &mut Client, token: &str| {
        client.call_words(&["EVALSHA", sha.text(), "1", "jobs:lock", token])
    };
    assert_eq!(client.call("SET jobs:lock me NX PX 100000").text(), "OK");
    assert_eq!(release(&mut client, "you").integer(), 0);
    assert_eq!(release(&mut client, "me").integer(), 1);
    assert_eq!(client.call("SET jobs:lock you NX").text(), "OK");
    // The owner keeps what it has run, as of any other EVAL.
    assert_eq!(release(&mut mesh.nodes[0].client(), "you").integer(), 1);
    mesh.wait_until_equal();
    assert_eq!(client.call("EXISTS jobs:lock").integer(), 0);
    let unknown = "0".repeat(40);
    let words = ["EVALSHA", &unknown, "1", "jobs:lock"];
    assert!(client.call_words(&words).is_error("NOSCRIPT"));
    // What EVAL sent is known here, too.
    let script = "return redis.sha1hex(ARGV[1])";
    let digest = eval(&mut client, script, &["jobs:a"], &[script]);
    let words = ["SCRIPT", "EXISTS", digest.text()];
    assert_eq!(client.call_words(&words).array()[0].integer(), 1);
}

#[test]
fn functions_go_to_the_owner_and_what_only_reads_stays() {
    let mesh = owned(2);
    let mut client = mesh.nodes[1].client();
    assert_eq!(
        client.call_words(&["FUNCTION", "LOAD", LIBRARY]).text(),
        "queue"
    );
    client.call("RPUSH jobs:a 1 2");
    // At once: the owner waits for the library.
    assert_eq!(client.call("FCALL take 1 jobs:a").text(), "1");
    assert_eq!(client.call("LLEN jobs:a").integer(), 1);
    let before = client.info_number("mesh_owner_forwarded");
    assert_eq!(client.call("FCALL peek 1 jobs:a").text(), "2");
    assert_eq!(client.call("FCALL_RO peek 1 jobs:a").text(), "2");
    let script = "#!lua flags=no-writes\nreturn redis.call('llen',KEYS[1])";
    assert_eq!(eval(&mut client, script, &["jobs:a"], &[]).integer(), 1);
    assert_eq!(eval(&mut client, "return 1", &["free"], &[]).integer(), 1);
    assert_eq!(client.info_number("mesh_owner_forwarded"), before);
    assert!(
        client
            .call("FCALL none 1 jobs:a")
            .is_error("ERR Function not found")
    );
}

#[test]
fn errors_and_kinds_of_replies_are_those_of_a_script_that_runs_here() {
    let mesh = owned(3);
    let mut client = mesh.nodes[2].client();
    let mut run = |script: &str, keys: &[&str]| eval(&mut client, script, keys, &[]);
    assert!(
        run("return redis.call('lpop','jobs:a')", &[])
            .is_error("ERR the key has another master as its queue-owner: a script")
    );
    assert!(run("return 1", &["jobs:a", "other:a"]).is_error("CROSSOWNER"));
    assert_eq!(
        run("return #KEYS", &["jobs:a", "free", "jobs:b"]).integer(),
        3
    );
    assert!(run("return +", &["jobs:a"]).is_error("ERR Error compiling script"));
    assert!(run("#!lua x\nreturn 1", &["jobs:a"]).is_error("ERR Unknown lua shebang option: x"));
    assert!(run("return redis.error_reply('MINE x')", &["jobs:a"]).is_error("MINE x"));
    assert!(
        run("return redis.call('lpop','other:a')", &["jobs:a"])
            .is_error("ERR the key has another master")
    );
    run("redis.call('set','jobs:text','x')", &["jobs:text"]);
    assert!(run("return redis.call('lpop',KEYS[1])", &["jobs:text"]).is_error("WRONGTYPE"));
    client.call("SELECT 5");
    assert_eq!(
        eval(
            &mut client,
            "return redis.call('setnx',KEYS[1],'x')",
            &["jobs:db"],
            &[]
        )
        .integer(),
        1
    );
    assert_eq!(client.call("GET jobs:db").text(), "x");
    client.call("HSET jobs:h f v");
    client.send_raw(
        b"HELLO 3\r\nEVAL \"redis.setresp(3) return redis.call('hgetall',KEYS[1])\" 1 jobs:h\r\nQUIT\r\n",
    );
    let all = client.read_to_end();
    let end = b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n+OK\r\n";
    assert!(all.ends_with(end), "{}", String::from_utf8_lossy(&all));
}

#[test]
fn a_script_has_the_rights_of_the_client_that_asked_for_it() {
    let mesh = owned(2);
    let mut admin = mesh.nodes[1].client();
    let words = "ACL SETUSER worker on nopass ~jobs:* resetchannels &news -@all +eval +lpop +publish +multi +exec";
    assert_eq!(admin.call(words).text(), "OK");
    let mut client = mesh.nodes[1].client();
    assert_eq!(client.call("AUTH worker x").text(), "OK");
    admin.call("RPUSH jobs:a 1 2 3");
    let mut run = |script: &str| eval(&mut client, script, &["jobs:a"], &[]);
    assert_eq!(run("return redis.call('lpop',KEYS[1])").text(), "1");
    assert!(run("return redis.call('rpush',KEYS[1],'x')").is_error(
        "NOPERM ACL failure in script: User worker has no permissions to run the 'rpush' command"
    ));
    assert!(
        run("return redis.call('lpop','free')")
            .is_error("NOPERM ACL failure in script: No permissions to access a key")
    );
    assert!(
        run("return redis.call('publish','olds','x')")
            .is_error("NOPERM ACL failure in script: No permissions to access a channel")
    );
    assert_eq!(run("return redis.call('publish','news','x')").integer(), 0);
    let replies = exec(
        &mut client,
        &[
            "LPOP jobs:a",
            "EVAL return(redis.call('del',KEYS[1])) 1 jobs:a",
        ],
    );
    assert_eq!(replies.array()[0].text(), "2");
    assert!(replies.array()[1].is_error("NOPERM ACL failure in script"));
    // The connection to the owner is nobody's afterwards.
    assert_eq!(
        eval(
            &mut admin,
            "return redis.call('rpush',KEYS[1],'x')",
            &["jobs:a"],
            &[]
        )
        .integer(),
        2
    );
    assert!(eval(&mut client, "return 1", &["free"], &[]).is_error("NOPERM"));
}

#[test]
fn a_transaction_goes_to_the_owner_as_one() {
    let mesh = owned(3);
    let mut client = mesh.nodes[2].client();
    client.call("RPUSH jobs:a 1 2 3");
    let replies = exec(
        &mut client,
        &[
            "LPOP jobs:a",
            "SET free x",
            "RPUSH other:a y",
            "LLEN jobs:a",
            "INCR free",
            "PING",
        ],
    );
    let replies = replies.array();
    assert_eq!(replies[0].text(), "1");
    assert_eq!(replies[1].text(), "OK");
    assert_eq!(replies[2].integer(), 1);
    assert_eq!(replies[3].integer(), 2);
    assert!(replies[4].is_error("ERR value is not an integer"));
    assert_eq!(replies[5].text(), "PONG");
    assert_eq!(client.call("GET free").text(), "x");
    assert_eq!(client.call("LLEN jobs:a").integer(), 2);
    // Scripts among it, one of them by its digest.
    let sha = client.call_words(&["SCRIPT", "LOAD", "return redis.call('lpop',KEYS[1])"]);
    let script = format!("EVALSHA {} 1 jobs:a", sha.text());
    let replies = exec(&mut client, &[&script, "LPOP jobs:a", "LPOP jobs:a"]);
    assert_eq!(replies.array()[0].text(), "2");
    assert_eq!(replies.array()[1].text(), "3");
    assert_eq!(replies.array()[2], Value::Null);
    assert_eq!(mesh.numbers("mesh_owner_served")[0], 2);
    // Nothing that is claimed: it stays.
    exec(&mut client, &["RPUSH jobs:a 4", "LLEN jobs:a"]);
    assert_eq!(mesh.numbers("mesh_owner_served")[0], 2);
    // In another database, and the connection is there afterwards.
    client.call("SELECT 3");
    let replies = exec(&mut client, &["SETNX jobs:lock me", "GET jobs:lock"]);
    assert_eq!(replies.array()[1].text(), "me");
    assert_eq!(client.call("GET jobs:lock").text(), "me");
    mesh.wait_until_equal();
}

#[test]
fn a_transaction_that_no_one_owner_can_carry_out_is_refused_whole() {
    let mesh = owned(3);
    let mut client = mesh.nodes[2].client();
    client.call("RPUSH jobs:a 1");
    client.call("RPUSH other:a 1");
    let refused = "EXECABORT Transaction discarded because of: ";
    let error = exec(&mut client, &["LPOP jobs:a", "LPOP other:a"]);
    assert!(error.is_error(&format!("{refused}CROSSOWNER")), "{error:?}");
    let error = exec(&mut client, &["LPOP jobs:a", "SELECT 1"]);
    assert!(
        error.is_error(&format!(
            "{refused}'select' is not allowed inside a transaction that another master carries out"
        )),
        "{error:?}"
    );
    // One of the two owners has keys of its own to hand out.
    let mut second = mesh.nodes[1].client();
    let error = exec(&mut second, &["LPOP jobs:a", "LPOP other:a"]);
    assert!(error.is_error(&format!("{refused}CROSSOWNER")), "{error:?}");
    assert_eq!(client.call("MULTI").text(), "OK");
    assert!(client.call("DEL jobs:a other:a").is_error("CROSSOWNER"));
    assert!(client.call("EXEC").is_error("EXECABORT"));
    for key in ["jobs:a", "other:a"] {
        assert_eq!(client.call(&format!("LLEN {key}")).integer(), 1);
    }
    assert_eq!(exec(&mut client, &["LPOP jobs:a"]).array()[0].text(), "1");
}

#[test]
fn what_is_watched_must_be_at_the_owner_as_it_is_here() {
    let mesh = owned(3);
    let [mut owner, mut client, mut third] = [0, 1, 2].map(|node| mesh.nodes[node].client());
    client.call("RPUSH jobs:a 1 2 3 4");
    client.call("HSET jobs:h f v");
    assert_eq!(client.call("WATCH jobs:a jobs:h none").text(), "OK");
    assert_eq!(exec(&mut client, &["LPOP jobs:a"]).array()[0].text(), "1");
    // Nothing is watched any more.
    third.call("LPOP jobs:a");
    assert_eq!(exec(&mut client, &["LPOP jobs:a"]).array()[0].text(), "3");
    // A change that has come here.
    assert_eq!(client.call("WATCH jobs:h").text(), "OK");
    third.call("HSET jobs:h f w");
    eventually("it has come", || client.call("HGET jobs:h f").text() == "w");
    assert_eq!(exec(&mut client, &["LPOP jobs:a"]), Value::Null);
    // One that only the owner knows of yet.
    mesh.wait_until_equal();
    mesh.links[&(1, 0)].stall();
    mesh.links[&(1, 2)].stall();
    assert_eq!(client.call("WATCH jobs:h").text(), "OK");
    owner.call("HSET jobs:h f x");
    assert_eq!(client.call("MULTI").text(), "OK");
    client.call("LPOP jobs:a");
    client.send_raw(b"EXEC\r\n");
    eventually("the owner has answered", || {
        owner.info_number("mesh_owner_served") >= 4
    });
    mesh.links[&(1, 0)].heal();
    mesh.links[&(1, 2)].heal();
    assert_eq!(client.next(), Value::Null);
    assert_eq!(owner.call("LLEN jobs:a").integer(), 1);
}

#[test]
fn of_those_who_watch_a_counter_at_all_masters_each_count_counts_and_one_sees_its_end() {
    let mesh = owned(3);
    let parties = 3 * PER_NODE;
    let mut first = mesh.nodes[2].client();
    first.call(&format!("SET jobs:barrier {parties} NX"));
    mesh.wait_until_equal();
    let ends: usize = thread::scope(|scope| {
        let mut counters = Vec::new();
        for node in &mesh.nodes {
            let mut client = node.client();
            counters.push(scope.spawn(move || {
                let mut ends = 0;
                for _ in 0..PER_NODE {
                    loop {
                        client.call("WATCH jobs:barrier");
                        let left: i64 = client.call("GET jobs:barrier").text().parse().unwrap();
                        let set = format!("SET jobs:barrier {}", left - 1);
                        if exec(&mut client, &[&set]) != Value::Null {
                            ends += usize::from(left == 1);
                            break;
                        }
                    }
                }
                ends
            }));
        }
        let ends = counters.into_iter().map(|one| one.join().unwrap());
        ends.sum()
    });
    mesh.wait_until_equal();
    assert_eq!(first.call("GET jobs:barrier").text(), "0");
    assert_eq!(ends, 1);
    // What only reads needs nobody, wherever it is watched.
    let forwarded = mesh.numbers("mesh_owner_forwarded");
    first.call("WATCH jobs:barrier");
    assert_eq!(
        exec(&mut first, &["GET jobs:barrier"]).array()[0].text(),
        "0"
    );
    assert_eq!(mesh.numbers("mesh_owner_forwarded"), forwarded);
}

#[test]
fn a_script_that_runs_for_long_keeps_the_owner_busy_and_is_killed_there() {
    let mesh = owned(2);
    let [mut owner, mut client] = [0, 1].map(|node| mesh.nodes[node].client());
    owner.call("CONFIG SET busy-reply-threshold 50");
    let words = ["EVAL", "while true do end", "1", "jobs:a"];
    let sent: Vec<String> = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()))
        .collect();
    client.send_raw(format!("*4\r\n{}", sent.concat()).as_bytes());
    eventually("the owner is busy", || owner.call("PING").is_error("BUSY"));
    let mut other = mesh.nodes[1].client();
    assert!(other.call("LPOP jobs:b").is_error("BUSY"));
    assert_eq!(other.call("PING").text(), "PONG");
    assert!(other.call("SCRIPT KILL").is_error("NOTBUSY"));
    assert_eq!(owner.call("SCRIPT KILL").text(), "OK");
    assert!(
        client
            .next()
            .is_error("ERR Script killed by user with SCRIPT KILL")
    );
    eventually("it goes on", || !other.call("LPOP jobs:b").is_error("BUSY"));
    // One that takes longer than the owner of a single command may.
    let slow = "local t = redis.call('time')[1] + 0 while redis.call('time')[1] - t < 6 do end return 'done'";
    owner.call("CONFIG SET busy-reply-threshold 60000");
    assert_eq!(eval(&mut client, slow, &["jobs:a"], &[]).text(), "done");
}

#[test]
fn while_the_owner_is_away_scripts_and_transactions_fail_or_are_carried_out_here() {
    let mesh = owned(2);
    let mut client = mesh.nodes[1].client();
    client.call("RPUSH jobs:a 1 2 3 4");
    assert_eq!(eval(&mut client, TAKE, &["jobs:a"], &["x"]).text(), "1");
    mesh.nodes[0].kill();
    assert!(eval(&mut client, TAKE, &["jobs:a"], &["x"]).is_error("OWNERDOWN"));
    assert!(exec(&mut client, &["LPOP jobs:a"]).is_error("OWNERDOWN"));
    assert!(client.call("EXEC").is_error("ERR EXEC without MULTI"));
    client.call("CONFIG SET queue-owner-unreachable local");
    assert_eq!(eval(&mut client, TAKE, &["jobs:a"], &["x"]).text(), "2");
    let script = "EVAL return(redis.call('lpop',KEYS[1])) 1 jobs:a";
    let replies = exec(&mut client, &["LPOP jobs:a", script]);
    assert_eq!(replies.array()[0].text(), "3");
    assert_eq!(replies.array()[1].text(), "4");
    assert!(client.call("EXEC").is_error("ERR EXEC without MULTI"));
    client.call("CONFIG SET queue-owner-unreachable error");
    mesh.nodes[0].restart();
    mesh.wait_until_whole();
    assert_eq!(eval(&mut client, TAKE, &["jobs:a"], &["x"]), Value::Null);
}
