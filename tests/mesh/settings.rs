//! The configuration of a running server: stock files, CONFIG REWRITE, renamed commands, other ports and addresses, limits.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::client::{Client, Value};
use crate::daemon::{Daemon, Directory, free_port};
use crate::support::eventually;

const REDIS: &str = include_str!("../stock/redis-7.2.conf");
const KEYDB: &str = include_str!("../stock/keydb-6.3.4.conf");

fn ok() -> Value {
    Value::Simple("OK".to_owned())
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.to_owned())
}

/// CONFIG GET of one directive.
fn config(client: &mut Client, name: &str) -> String {
    match client.call(&format!("CONFIG GET {name}")).array() {
        [_, value] => value.text().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Starts with a stock file as it is, writes it, starts with what was written; gives what the log says once `last` stands there.
fn starts_unchanged_and_again_after_a_rewrite(stock: &str, last: &str) -> String {
    let node = Daemon::start_with(stock, &["--pidfile", "stock.pid"]);
    let mut client = node.client();
    client.set("a", "1");
    let dir = node.path().display().to_string();
    assert_eq!(config(&mut client, "dir"), dir);
    assert_eq!(client.call("CONFIG REWRITE"), ok());
    let before = client.call("CONFIG GET *");
    let written = fs::read_to_string(node.path().join("keymesh.conf")).unwrap();
    assert!(
        written.contains(&format!("\nport {}\n", node.port)),
        "{written}"
    );
    assert!(written.contains(&format!("\ndir \"{dir}\"\n")), "{written}");
    node.terminate();
    node.restart();
    assert_eq!(node.call("CONFIG GET *"), before);
    eventually(last, || node.log().contains(last));
    node.log()
}

#[test]
fn the_stock_file_of_redis_starts_unchanged_and_without_a_warning() {
    let log = starts_unchanged_and_again_after_a_rewrite(REDIS, "Ready to accept connections");
    assert!(!log.contains("not applied"), "{log}");
}

#[test]
fn the_stock_file_of_keydb_starts_unchanged_with_two_threads_and_without_a_warning() {
    let log = starts_unchanged_and_again_after_a_rewrite(KEYDB, "Thread 1 alive.");
    assert!(!log.contains("not applied"), "{log}");
}

#[test]
fn a_file_is_written_only_where_the_server_was_started_with_one() {
    let node = Daemon::start(&[]);
    let error = Value::Error("ERR The server is running without a config file".to_owned());
    assert_eq!(node.call("CONFIG REWRITE"), error);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_in_redis_words() {
    let node = Daemon::start_with("hz 11\n", &[]);
    let path = node.path().join("keymesh.conf");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = Value::Error("ERR Rewriting config file: Is a directory".to_owned());
    assert_eq!(node.call("CONFIG REWRITE"), error);
    assert!(node.log().contains("CONFIG REWRITE failed: Is a directory"));
}

#[test]
fn renamed_commands_are_known_by_their_new_names_only() {
    let text = "rename-command FLUSHALL \"\"\nrename-command get HOLE\nrename-command CONFIG a-name-that-nobody-guesses\n";
    let node = Daemon::start_with(text, &["--rename-command", "ECHO", "Say"]);
    let mut client = node.client();
    client.set("a", "1");
    let error = |text: &str| Value::Error(text.to_owned());
    assert_eq!(
        client.call("FLUSHALL"),
        error("ERR unknown command 'FLUSHALL', with args beginning with: ")
    );
    assert_eq!(
        client.call("get a"),
        error("ERR unknown command 'get', with args beginning with: 'a' ")
    );
    assert_eq!(client.call("hole a"), bulk("1"));
    assert_eq!(client.call("sAY x"), bulk("x"));
    // As in Redis, a command goes on telling its own name.
    assert_eq!(
        client.call("HOLE"),
        error("ERR wrong number of arguments for 'get' command")
    );
    assert_eq!(
        client.call("COMMAND GETKEYS hole a"),
        Value::Array(vec![bulk("a")])
    );
    assert_eq!(
        client.call("COMMAND GETKEYS get a"),
        error("ERR Invalid command specified")
    );
    assert_eq!(
        client.call("COMMAND INFO get"),
        Value::Array(vec![Value::Null])
    );
    let info = client.call("COMMAND INFO hole");
    assert_eq!(info.array()[0].array()[0], bulk("get"));
    let listed = client.call("COMMAND LIST");
    let has = |name: &str| listed.array().contains(&bulk(name));
    assert!(has("get") && has("config") && !has("flushall"));
    let whole = listed
        .array()
        .iter()
        .filter(|name| !name.text().contains('|'));
    assert_eq!(
        client.call("COMMAND COUNT").integer() as usize,
        whole.count()
    );
    let hz = client.call("a-name-that-nobody-guesses GET hz");
    assert_eq!(hz, Value::Array(vec![bulk("hz"), bulk("10")]));
}

/// What a server that does not start says on standard error.
fn refusal(text: &str) -> String {
    let directory = Directory::new("refused");
    let path = directory.path().join("a.conf");
    fs::write(&path, text).unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_keymesh-server"))
        .arg(&path)
        .args(["--port", &free_port().to_string()])
        .env_clear()
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{text}");
    let said = String::from_utf8(ended.stderr).unwrap();
    said.replace(&path.display().to_string(), "FILE")
}

#[test]
fn wrong_renames_and_log_files_stop_the_start_in_redis_words() {
    for (text, expected) in [
        (
            "port 1\nrename-command nosuch x",
            "Reading the configuration file, at line 2 of FILE\n>>> 'rename-command nosuch x'\nNo such command in rename-command\n",
        ),
        (
            "rename-command get set",
            "at line 1 of FILE\n>>> 'rename-command get set'\nTarget command name already exists\n",
        ),
        (
            "rename-command get \"\"\nrename-command get x",
            "at line 2 of FILE\n>>> 'rename-command get x'\nNo such command in rename-command\n",
        ),
        (
            "rename-command get",
            "Bad directive or wrong number of arguments\n",
        ),
        (
            "logfile /nonexistent/x",
            "***\nCan't open the log file: No such file or directory\n",
        ),
        (
            "logfile /tmp",
            "***\nCan't open the log file: Is a directory\n",
        ),
        (
            "proc-title-template {title}{nothing}",
            "template format is invalid or contains unknown variables\n",
        ),
    ] {
        let said = refusal(text);
        assert!(said.ends_with(expected), "{text}: {said}");
    }
}

#[test]
fn another_port_is_listened_at_at_once_and_the_old_one_no_more() {
    let node = Daemon::start(&[]);
    let mut before = node.client();
    let port = free_port();
    assert_eq!(before.call(&format!("CONFIG SET port {port}")), ok());
    before.set("a", "1");
    let mut after = Client::connect(port);
    assert_eq!(after.get("a").as_deref(), Some("1"));
    assert!(Client::try_connect(node.port).is_none(), "nobody listens");
    let info = after.call("INFO server");
    assert!(info.text().contains(&format!("tcp_port:{port}\r\n")));

    let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let number = taken.local_addr().unwrap().port();
    let error = "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.";
    assert_eq!(
        before.call(&format!("CONFIG SET hz 77 port {number}")),
        Value::Error(error.to_owned())
    );
    assert_eq!(config(&mut before, "port"), port.to_string());
    assert_eq!(config(&mut before, "hz"), "10", "all or nothing");
    assert_eq!(
        Client::connect(port).call("PING"),
        Value::Simple("PONG".to_owned())
    );

    assert_eq!(before.call("CONFIG SET port 0"), ok());
    assert!(Client::try_connect(port).is_none(), "nobody listens");
    assert_eq!(before.call(&format!("CONFIG SET port {}", node.port)), ok());
    assert_eq!(node.get("a").as_deref(), Some("1"));
}

#[test]
fn other_addresses_are_listened_at_or_the_old_ones_still() {
    let node = Daemon::start(&["--bind", "127.0.0.1"]);
    let mut client = node.client();
    let reaches = |address: &str| std::net::TcpStream::connect((address, node.port)).is_ok();
    assert!(reaches("127.0.0.1") && !reaches("127.0.0.2"));
    assert_eq!(
        client.call_words(&["CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2 -192.0.2.1"]),
        ok()
    );
    assert!(reaches("127.0.0.1") && reaches("127.0.0.2") && !reaches("127.0.0.3"));
    // An address that this machine does not have.
    let error = "ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.";
    assert_eq!(
        client.call_words(&["CONFIG", "SET", "bind", "127.0.0.1 192.0.2.1"]),
        Value::Error(error.to_owned())
    );
    assert!(reaches("127.0.0.1") && reaches("127.0.0.2"), "as before");
    assert_eq!(
        config(&mut client, "bind"),
        "127.0.0.1 127.0.0.2 -192.0.2.1"
    );
    assert_eq!(client.call_words(&["CONFIG", "SET", "bind", "*"]), ok());
    assert!(reaches("127.0.0.3"));
}

/// The system's limit on open files of a process.
fn files_limit(process: u32) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    words[3].parse().unwrap()
}

#[test]
fn maxclients_is_what_the_limit_on_open_files_lets_it_be() {
    let node = Daemon::start(&["--maxclients", "4000000000"]);
    let mut client = node.client();
    let shown: u64 = config(&mut client, "maxclients").parse().unwrap();
    assert_eq!(shown, (files_limit(node.id()) - 32).min(4_000_000_000));
    if shown < 4_000_000_000 {
        assert!(
            node.log()
                .contains(&format!("maxclients has been reduced to {shown}"))
        );
        let error = format!(
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle the specified number of clients, try with {shown}"
        );
        assert_eq!(
            client.call("CONFIG SET maxclients 4000000000"),
            Value::Error(error)
        );
    }
    assert_eq!(client.call("CONFIG SET maxclients 100"), ok());
}
