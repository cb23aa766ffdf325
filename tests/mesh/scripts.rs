//! Scripts and functions among masters: what a script writes is one record, and a library that one master loaded is there on all.

use std::thread;

use crate::client::{Client, Value};
use crate::support::{Mesh, eventually};

const SCRIPTS: usize = 300;
const CHECKS: usize = 600;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn what_a_script_writes_is_never_seen_in_half_on_another_master() {
    let mesh = Mesh::full(3);
    // The first key is declared, the others turn out.
    let script = "redis.call('set',KEYS[1],ARGV[1]) redis.call('set','right',ARGV[1]) return redis.call('incr','count')";
    let look =
        "return {redis.call('get','left'),redis.call('get','right'),redis.call('get','count')}";
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = mesh.nodes[0].client();
            for number in 0..SCRIPTS {
                let reply = writer.call_words(&["EVAL", script, "1", "left", &number.to_string()]);
                assert_eq!(reply, Value::Integer(number as i64 + 1));
            }
        });
        for node in 1..3 {
            let mesh = &mesh;
            scope.spawn(move || {
                let mut reader = mesh.nodes[node].client();
                for _ in 0..CHECKS {
                    let reply =
                        reader.call_words(&["EVAL_RO", look, "3", "left", "right", "count"]);
                    let Value::Array(parts) = &reply else {
                        panic!("{reply:?}");
                    };
                    let [left, right, count] = &parts[..] else {
                        panic!("{reply:?}");
                    };
                    assert_eq!(left, right, "half a script");
                    if *left == Value::Null {
                        assert_eq!(*count, Value::Null, "half a script");
                        continue;
                    }
                    let of = |value: &Value| value.text().parse::<i64>().unwrap();
                    assert_eq!(of(left) + 1, of(count), "half a script");
                }
            });
        }
    });
    mesh.wait_until_equal();
    assert_eq!(mesh.nodes[2].get("count"), Some(SCRIPTS.to_string()));
}

fn library(name: &str, function: &str, answer: &str) -> String {
    format!(
        "#!lua name={name}\nredis.register_function('{function}',function() return '{answer}' end)"
    )
}

fn load(client: &mut Client, name: &str, function: &str, answer: &str) {
    let code = library(name, function, answer);
    let reply = client.call_words(&["FUNCTION", "LOAD", "REPLACE", &code]);
    assert_eq!(reply.text(), name);
}

fn answers(clients: &mut [Client], function: &str, answer: Option<&str>) {
    eventually("all masters have the function", || {
        clients.iter_mut().all(|client| {
            let reply = client.call(&format!("FCALL {function} 0"));
            match answer {
                Some(answer) => reply == Value::Bulk(answer.to_owned()),
                None => reply.is_error("ERR Function not found"),
            }
        })
    });
}

fn libraries_come_to_the_same(options: &[&str]) {
    let mesh = Mesh::start(3, &[(0, 1), (1, 2), (0, 2)], options);
    let mut clients = mesh.clients();
    load(&mut clients[0], "one", "f", "first");
    load(&mut clients[1], "two", "g", "other");
    answers(&mut clients, "f", Some("first"));
    answers(&mut clients, "g", Some("other"));
    load(&mut clients[2], "one", "f", "second");
    answers(&mut clients, "f", Some("second"));
    // Written apart: the later one counts.
    mesh.isolate(2);
    load(&mut clients[0], "one", "f", "third");
    eventually("the clock goes on", || {
        clients[1].call("FCALL f 0") == Value::Bulk("third".to_owned())
    });
    load(&mut clients[2], "one", "f", "fourth");
    clients[0].call("FUNCTION DELETE two");
    // More than a small journal holds.
    let value = "x".repeat(1000);
    for number in 0..100 {
        clients[0].set(&format!("key{number}"), &value);
    }
    mesh.rejoin(2);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    let answer = clients[0].call("FCALL f 0").text().to_owned();
    answers(&mut clients, "f", Some(&answer));
    answers(&mut clients, "g", None);
    for client in &mut clients {
        assert_eq!(client.call("FUNCTION LIST").array().len(), 1);
        // Libraries are no keys that a client sees.
        let keys = client.call("KEYS *");
        let names = keys.array().iter().map(Value::text);
        assert!(names.into_iter().all(|name| name != "one" && name != "two"));
    }
    clients[1].call("FLUSHALL");
    // What is written elsewhere before it is heard of there may be stamped before it, and goes with the rest.
    eventually("it has arrived", || {
        clients
            .iter_mut()
            .all(|client| client.call("DBSIZE").integer() == 0)
    });
    mesh.wait_until_equal();
    answers(&mut clients, "f", Some(&answer));
    clients[1].call("FUNCTION FLUSH");
    answers(&mut clients, "f", None);
}

#[test]
fn libraries_of_all_masters_come_to_the_same_from_the_journals() {
    libraries_come_to_the_same(&[]);
}

#[test]
fn libraries_of_all_masters_come_to_the_same_by_merges() {
    libraries_come_to_the_same(&["--repl-backlog-size", "16kb"]);
}

#[test]
fn who_comes_new_has_the_libraries_of_the_mesh() {
    let mesh = Mesh::full(2);
    let mut clients = mesh.clients();
    load(&mut clients[0], "one", "f", "first");
    answers(&mut clients, "f", Some("first"));
    mesh.nodes[1].kill();
    mesh.nodes[1].restart();
    mesh.wait_until_whole();
    let mut clients = mesh.clients();
    answers(&mut clients, "f", Some("first"));
    let commands = [words(&["FUNCTION", "DELETE", "one"])];
    clients[1].pipeline(&commands);
    answers(&mut clients, "f", None);
}
