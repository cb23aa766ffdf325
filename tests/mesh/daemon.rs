//! A server of this build as a child process, with a directory and a port of its own that it keeps over restarts.
//!
//! Ports are taken from below those that the system gives to outgoing connections: no connection of another test takes the port
//! of a server that was killed and is about to come back.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::{Client, Value};
use crate::support::eventually;

const PORTS_FROM: u32 = 10_000;
const PORTS: u32 = 22_000;
/// Ports between the first ones of two test processes.
const STRIDE: u32 = 61;
/// Lines of a log shown when a test fails.
const LOG_LINES: usize = 25;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS_FROM + (std::process::id().wrapping_mul(STRIDE) % PORTS + step) % PORTS;
        let port = u16::try_from(port).expect("below 32000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// A directory of its own, removed at the end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("keymesh-{name}-{}-{step}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left lies in the system's temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// See the head of the file.
pub struct Daemon {
    pub port: u16,
    arguments: Vec<String>,
    directory: Directory,
    child: Mutex<Option<Child>>,
    password: Option<String>,
}

impl Daemon {
    /// Starts a server with these options and waits until it answers.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_at(free_port(), arguments)
    }

    pub fn start_at(port: u16, arguments: &[&str]) -> Self {
        let directory = Directory::new(&port.to_string());
        let mut all = vec![
            "--port".to_owned(),
            port.to_string(),
            "--dir".to_owned(),
            directory.path().display().to_string(),
        ];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::launch(port, directory, all)
    }

    /// Starts a server with this configuration file alone; `%dir%` in it becomes its directory.
    pub fn start_with_file(port: u16, text: &str) -> Self {
        let directory = Directory::new(&port.to_string());
        let path = directory.path().join("keymesh.conf");
        let text = text.replace("%dir%", &directory.path().display().to_string());
        fs::write(&path, text).unwrap();
        Self::launch(port, directory, vec![path.display().to_string()])
    }

    /// Starts a server with this configuration file and further arguments, which say where it listens and works.
    pub fn start_with(text: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let directory = Directory::new(&port.to_string());
        let path = directory.path().join("keymesh.conf");
        fs::write(&path, text).unwrap();
        let dir = directory.path().display().to_string();
        let port_word = port.to_string();
        let mut all = vec![path.display().to_string()];
        let own = ["--port", &port_word, "--dir", &dir];
        all.extend(own.iter().chain(arguments).map(|word| (*word).to_owned()));
        Self::launch(port, directory, all)
    }

    /// Starts a server that finds this file of a save in its directory.
    pub fn start_beside(file: &[u8], arguments: &[&str]) -> Self {
        let port = free_port();
        let directory = Directory::new(&port.to_string());
        fs::write(directory.path().join("dump.rdb"), file).unwrap();
        let dir = directory.path().display().to_string();
        let port_word = port.to_string();
        let own = ["--port", &port_word, "--dir", &dir];
        let all = own.iter().chain(arguments);
        let all = all.map(|word| (*word).to_owned()).collect();
        Self::launch(port, directory, all)
    }

    fn launch(port: u16, directory: Directory, arguments: Vec<String>) -> Self {
        let after = |name: &str| {
            let at = arguments.iter().position(|word| word == name)?;
            arguments.get(at + 1).cloned()
        };
        let daemon = Self {
            port,
            password: after("--requirepass"),
            arguments,
            directory,
            child: Mutex::new(None),
        };
        daemon.restart();
        daemon
    }

    /// Starts the server again, at the same port and directory.
    pub fn restart(&self) {
        self.restart_with(&[]);
    }

    /// The same with further options.
    pub fn restart_with(&self, options: &[&str]) {
        assert!(self.child.lock().unwrap().is_none(), "it runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_keymesh-server"))
            .args(&self.arguments)
            .args(options)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(child);
        eventually(&format!("the server at {} answers", self.port), || {
            let ended = self.child.lock().unwrap().as_mut().unwrap().try_wait();
            if let Some(status) = ended.unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            Client::try_connect(self.port)
                .and_then(|mut client| client.try_call("PING").ok())
                .is_some_and(|reply| !reply.is_error("LOADING"))
        });
    }

    /// Ends the process as a power cut would.
    pub fn kill(&self) {
        let mut child = self.take();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the process to end, and waits for it.
    pub fn terminate(&self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        let child = self.child.lock().unwrap().as_ref().map(Child::id);
        child.expect("it runs")
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits until the process has ended.
    pub fn wait(&self) -> ExitStatus {
        let mut child = self.take();
        let mut ended = None;
        eventually("the server ends", || {
            ended = child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    fn take(&self) -> Child {
        let child = self.child.lock().unwrap().take();
        child.expect("it runs")
    }

    /// A new connection, authenticated where that is asked for.
    pub fn client(&self) -> Client {
        let mut client = Client::connect(self.port);
        if let Some(password) = &self.password {
            assert_eq!(
                client.call_words(&["AUTH", password]),
                Value::Simple("OK".to_owned())
            );
        }
        client
    }

    /// One command over a connection of its own.
    pub fn call(&self, command: &str) -> Value {
        self.client().call(command)
    }

    pub fn get(&self, key: &str) -> Option<String> {
        self.client().get(key)
    }

    pub fn digest(&self) -> String {
        self.call("MESH DIGEST").text().to_owned()
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where it keeps its identity.
    pub fn state_path(&self) -> PathBuf {
        self.directory.path().join("node.state")
    }

    /// Everything the server has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

/// Sends a signal to a process by its name.
pub fn signal(process: u32, name: &str) {
    let told = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(told.unwrap().success());
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("--- the server at {}\n{}", self.port, tail.join("\n"));
        }
    }
}
