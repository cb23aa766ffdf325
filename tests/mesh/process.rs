//! The server as a process: the background, its pid file, its log, and the supervisor it tells how it is.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::Client;
use crate::daemon::{Daemon, Directory, free_port, signal};
use crate::support::eventually;

fn server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keymesh-server"));
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn server_info(client: &mut Client) -> String {
    client.call("INFO server").text().to_owned()
}

/// A process that is no daemon of these tests, killed at the end.
struct Stray(u32);

impl Drop for Stray {
    fn drop(&mut self) {
        if Path::new(&format!("/proc/{}", self.0)).exists() {
            signal(self.0, "KILL");
        }
    }
}

#[test]
fn in_the_background_a_server_leaves_its_parent_and_its_terminal_and_writes_its_pid() {
    let directory = Directory::new("background");
    let (dir, port) = (directory.path(), free_port());
    let ended = server()
        .args(["--port", &port.to_string(), "--daemonize", "yes"])
        .arg("--dir")
        .arg(dir)
        .args(["--pidfile", "here.pid", "--logfile", "here.log"])
        .status()
        .unwrap();
    assert!(ended.success(), "who started it is done");
    let pid_file = dir.join("here.pid");
    eventually("the pid is written", || text(&pid_file).ends_with('\n'));
    let process = Stray(text(&pid_file).trim().parse().unwrap());
    eventually("it answers", || Client::try_connect(port).is_some());
    let mut client = Client::connect(port);
    assert!(server_info(&mut client).contains(&format!("process_id:{}\r\n", process.0)));
    let stat = text(Path::new(&format!("/proc/{}/stat", process.0)));
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    assert_ne!(fields[1], std::process::id().to_string(), "not our child");
    assert_eq!(fields[4], "0", "no terminal");
    let input = fs::read_link(format!("/proc/{}/fd/0", process.0)).unwrap();
    assert_eq!(input, Path::new("/dev/null"));
    let log = dir.join("here.log");
    assert!(text(&log).contains("Ready to accept connections"));

    signal(process.0, "TERM");
    eventually("it has ended", || text(&log).contains("bye bye..."));
    eventually("the pid file is gone", || !pid_file.exists());
    let said = text(&log);
    for line in [
        "Received SIGTERM scheduling shutdown...",
        "User requested shutdown...",
        "Removing the pid file.",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn what_stops_a_start_in_the_background_is_in_the_log() {
    let directory = Directory::new("unstarted");
    let taken = std::net::TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    server()
        .args([
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--daemonize",
            "yes",
            "--logfile",
            "log",
        ])
        .arg("--dir")
        .arg(directory.path())
        .status()
        .unwrap();
    let log = directory.path().join("log");
    let expected = format!(
        "# Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use\n"
    );
    eventually("it is said", || text(&log).contains(&expected));
    assert!(text(&log).contains(&format!("Failed listening on port {port} (TCP), aborting.")));
}

#[test]
fn a_supervisor_hears_that_the_server_is_ready_and_that_it_ends() {
    for (word, is_told) in [("systemd", true), ("auto", true), ("no", false)] {
        let directory = Directory::new("supervised");
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let heard = || {
            let mut bytes = [0; 1024];
            let len = socket.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..len].to_vec()).unwrap()
        };
        let port = free_port();
        let mut child = server()
            .args([
                "--port",
                &port.to_string(),
                "--supervised",
                word,
                "--daemonize",
            ])
            // Who is supervised stays in the foreground.
            .arg(if is_told { "yes" } else { "no" })
            .arg("--dir")
            .arg(directory.path())
            .env("NOTIFY_SOCKET", &path)
            .spawn()
            .unwrap();
        let _ended = Stray(child.id());
        let shown = if is_told {
            assert_eq!(heard().trim(), "STATUS=Keymesh is starting");
            let ready = heard();
            assert!(
                ready.contains("READY=1") && ready.contains("STATUS=Ready to accept connections"),
                "{ready}"
            );
            "systemd"
        } else {
            eventually("it answers", || Client::try_connect(port).is_some());
            "no"
        };
        let mut client = Client::connect(port);
        let info = server_info(&mut client);
        assert!(
            info.contains(&format!("process_supervised:{shown}\r\n")),
            "{info}"
        );
        assert!(
            info.contains(&format!("process_id:{}\r\n", child.id())),
            "{info}"
        );
        signal(child.id(), "TERM");
        if is_told {
            assert_eq!(heard().trim(), "STOPPING=1");
        }
        assert!(child.wait().unwrap().success());
        if !is_told {
            socket.set_nonblocking(true).unwrap();
            assert!(socket.recv(&mut [0; 16]).is_err(), "nobody was told");
        }
    }
}

#[test]
fn log_lines_look_like_redis_lines() {
    let node = Daemon::start(&[]);
    let log = node.log();
    let ready = log
        .lines()
        .find(|line| line.contains("Ready to accept connections"));
    let ready = ready.unwrap();
    assert!(ready.starts_with(&format!("{}:M ", node.id())), "{ready}");
    let words: Vec<&str> = ready.split(' ').collect();
    assert_eq!(
        (words[1].len(), words[2].len(), words[3].len()),
        (2, 3, 4),
        "{ready}"
    );
    assert_eq!(
        (words[4].len(), words[5], words[6]),
        (12, "*", "Ready"),
        "{ready}"
    );
    let started = log.find("Thread 0 alive.").unwrap();
    assert!(started < log.find("Ready to accept").unwrap());
}

#[test]
fn a_replica_says_in_each_line_that_it_is_one() {
    let node = Daemon::start(&["--replicaof", "127.0.0.1", "1"]);
    assert!(node.log().contains(&format!("{}:S ", node.id())));
    node.call("REPLICAOF NO ONE");
    eventually("it is a master", || {
        // An address that this machine does not have, which is logged.
        assert!(node.call("CONFIG SET bind 192.0.2.1").is_error("ERR"));
        let log = node.log();
        let last = log.lines().last().unwrap_or_default();
        last.starts_with(&format!("{}:M ", node.id()))
    });
}

#[test]
fn a_log_file_that_was_moved_away_is_made_anew() {
    let node = Daemon::start(&["--logfile", "server.log", "--loglevel", "notice"]);
    let (path, moved) = (
        node.path().join("server.log"),
        node.path().join("server.log.1"),
    );
    assert!(text(&path).contains("Ready to accept connections"));
    assert!(
        !node.log().contains("Ready"),
        "standard output has none of it"
    );
    fs::rename(&path, &moved).unwrap();
    node.signal("HUP");
    eventually("there is another one", || path.exists());
    node.terminate();
    assert!(text(&path).contains("bye bye..."));
    assert!(!text(&moved).contains("bye bye..."));
}

#[test]
fn memory_comes_in_small_pages_unless_huge_ones_are_asked_for() {
    let has_huge_pages = |node: &Daemon| {
        let status = text(Path::new(&format!("/proc/{}/status", node.id())));
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("THP_enabled:"));
        line.map(|value| value.trim() == "1")
    };
    for (options, expected) in [(&[][..], false), (&["--disable-thp", "no"], true)] {
        let node = Daemon::start(options);
        // A system without them says nothing.
        assert_eq!(has_huge_pages(&node).unwrap_or(expected), expected);
    }
}

#[test]
fn log_lines_may_be_objects() {
    let node = Daemon::start(&["--log-format", "json", "--logfile", "server.log"]);
    let said = text(&node.path().join("server.log"));
    assert!(
        said.lines()
            .all(|line| line.starts_with('{') && line.ends_with('}')),
        "{said}"
    );
    assert!(
        said.contains("\"message\":\"Ready to accept connections\""),
        "{said}"
    );
}

#[test]
fn a_logo_that_is_asked_for_tells_port_and_pid() {
    let node = Daemon::start(&["--always-show-logo", "yes"]);
    let log = node.log();
    assert!(log.contains(&format!(" PID: {}", node.id())), "{log}");
    assert!(log.contains(&format!(" Port: {}", node.port)), "{log}");
}

#[test]
fn a_probe_for_flash_is_answered_with_no() {
    assert!(
        !server()
            .arg("--is-flash-enabled")
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_log_that_is_switched_off_says_nothing_until_it_is_switched_on() {
    let node = Daemon::start(&["--loglevel", "nothing"]);
    assert_eq!(node.log(), "");
    node.call("CONFIG SET loglevel notice");
    eventually("it is switched on", || {
        // An address that this machine does not have, which is logged.
        assert!(node.call("CONFIG SET bind 192.0.2.1").is_error("ERR"));
        node.log().contains("192.0.2.1")
    });
}
