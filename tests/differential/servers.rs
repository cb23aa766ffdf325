//! The servers that are compared, each a child process with a port and a directory of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::wire::Connection;

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

const PATIENCE: Duration = Duration::from_secs(20);

/// What a server writes down, in its directory.
const LOG: &str = "log";

/// What it saves, there.
const FILE: &str = "dump.rdb";

const OPTIONS: &[&str] = &["--enable-debug-command", "yes"];

/// Bytes of it that are shown of one that is gone: a report of a crash of Redis.
const LAST_WORDS: usize = 8 << 10;

/// See the head of the file.
pub struct Server {
    pub name: String,
    port: u16,
    child: Child,
    directory: PathBuf,
}

impl Server {
    /// A server of this build.
    pub fn keymesh() -> Self {
        Self::keymesh_beside(None).unwrap()
    }

    /// One that finds this file of a save.
    pub fn keymesh_beside(file: Option<&[u8]>) -> Option<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_keymesh-server"));
        Self::start("keymesh", program, OPTIONS, file)
    }

    /// The same of Redis; none where there is none.
    pub fn redis_beside(file: Option<&[u8]>) -> Option<Self> {
        Self::start("redis", Path::new("redis-server"), OPTIONS, file)
    }

    /// One of several masters.
    pub fn keymesh_master() -> Option<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_keymesh-server"));
        let options = ["--active-replica", "yes", "--multi-master", "yes"];
        Self::start("master", program, &[OPTIONS, &options].concat(), None)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file that it has saved.
    pub fn saved(&self) -> Vec<u8> {
        std::fs::read(self.directory.join(FILE)).unwrap()
    }

    fn start(name: &str, program: &Path, options: &[&str], file: Option<&[u8]>) -> Option<Self> {
        // Taken below the range of outgoing connections, and tried again should somebody else have been faster.
        for _ in 0..50 {
            // Another one for each server of this process: what answers there is this one.
            let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
            let port = 9_000 + ((std::process::id() * 7 + attempt * 131) % 900) as u16;
            if TcpListener::bind(("127.0.0.1", port)).is_err() {
                continue;
            }
            let directory = std::env::temp_dir().join(format!("differential-{name}-{port}"));
            std::fs::create_dir_all(&directory).unwrap();
            if let Some(bytes) = file {
                std::fs::write(directory.join(FILE), bytes).unwrap();
            }
            let child = Command::new(program)
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--dir", directory.to_str().unwrap()])
                .args(["--save", "", "--appendonly", "no"])
                // What DUMP gives is compared byte for byte.
                .args(["--rdbcompression", "no"])
                .args(options)
                .stdout(log(&directory)?)
                .stderr(log(&directory)?)
                .spawn()
                .ok()?;
            let mut server = Self {
                name: name.to_owned(),
                port,
                child,
                directory,
            };
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                if server.is_itself() {
                    return Some(server);
                }
                if server.child.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        None
    }

    /// Whether it is what answers at its port, where somebody else's server may have been faster, and has read its file: INFO is
    /// answered before.
    fn is_itself(&self) -> bool {
        let Some(mut connection) = Connection::open(self.port) else {
            return false;
        };
        connection.send(&[vec![b"INFO".to_vec(), b"server".to_vec()]]);
        let Some(reply) = connection.read_reply() else {
            return false;
        };
        let own = format!("process_id:{}", self.child.id());
        let text = String::from_utf8_lossy(&reply.body);
        text.lines().any(|line| line == own) && !connection.call(&[b"PING"]).is_error()
    }

    pub fn connect(&self) -> Connection {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(connection) = Connection::open(self.port) {
                return connection;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} is gone:\n{}", self.name, self.last_words());
    }

    /// The end of what it wrote down.
    fn last_words(&self) -> String {
        let written = std::fs::read(self.directory.join(LOG)).unwrap_or_default();
        let from = written.len().saturating_sub(LAST_WORDS);
        String::from_utf8_lossy(&written[from..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // They may have ended by themselves, and what is left lies in the temporary directory.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn log(directory: &Path) -> Option<Stdio> {
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .create(true)
        .append(true)
        .open(directory.join(LOG))
        .ok()?;
    Some(Stdio::from(file))
}

/// Redis first, and Valkey.
pub fn peers() -> Vec<Server> {
    let valkey = std::env::var_os("VALKEY_SERVER").unwrap_or_else(|| "valkey-server".into());
    let Some(redis) = Server::redis_beside(None) else {
        return Vec::new();
    };
    let valkey = Server::start("valkey", Path::new(&valkey), OPTIONS, None);
    std::iter::once(redis).chain(valkey).collect()
}
