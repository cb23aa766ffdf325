//! The three masters: processes of this program, each in a directory of its own that goes with them.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How many there are.
pub const COUNT: usize = 3;
/// How long they may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long they may take to end when they are asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// What the last lines of a log are when a master has ended.
const LOG_TAIL: usize = 5;

/// See the head of the file.
pub struct Masters {
    running: Vec<(u16, Child)>,
    directory: PathBuf,
}

impl Masters {
    /// Starts them; their spans go to `collector`.
    pub async fn start(collector: SocketAddr) -> anyhow::Result<Self> {
        let name = format!("keymesh-playground-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let ports = free_ports()?;
        let mut masters = Self {
            running: Vec::new(),
            directory,
        };
        for port in ports {
            let child = masters.spawn(port, &ports, collector);
            masters.running.push((port, child?));
        }
        for port in ports {
            let answers = timeout(START_TIMEOUT, answers(port));
            tokio::select! {
                answer = answers => answer.map_err(|_| anyhow!("the master at port {port} does not answer"))?,
                ended = masters.ended() => return Err(ended),
            }
        }
        Ok(masters)
    }

    fn spawn(
        &self,
        port: u16,
        ports: &[u16; COUNT],
        collector: SocketAddr,
    ) -> anyhow::Result<Child> {
        let directory = self.directory.join(port.to_string());
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let log = std::fs::File::create(log_path(&directory))?;
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut command = Command::new(program);
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--active-replica", "yes", "--multi-master", "yes"])
            .args(["--save", ""])
            .args(["--otlp-endpoint", &format!("http://{collector}")])
            .args(["--otlp-protocol", "http/protobuf"])
            .args(["--trace-sample-ratio", "1", "--trace-keys", "yes"])
            .arg("--dir")
            .arg(&directory);
        for other in ports.iter().filter(|other| **other != port) {
            command.args(["--replicaof", "127.0.0.1", &other.to_string()]);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command.spawn().context("a master did not start")
    }

    /// Where they listen.
    pub fn ports(&self) -> Vec<u16> {
        self.running.iter().map(|(port, _)| *port).collect()
    }

    /// Completes when one of them has ended, with what it said last.
    pub async fn ended(&mut self) -> anyhow::Error {
        loop {
            for (port, child) in &mut self.running {
                if let Some(status) = has_ended(child) {
                    let log = log_path(&self.directory.join(port.to_string()));
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    let lines: Vec<&str> = log.lines().collect();
                    let tail = lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n");
                    return anyhow!("the master at port {port} ended with {status}\n{tail}");
                }
            }
            sleep(LOOK_PERIOD).await;
        }
    }

    /// Ends them.
    pub async fn stop(mut self) {
        for (_, child) in &mut self.running {
            if has_ended(child).is_none()
                && let Ok(pid) = i32::try_from(child.id())
                && let Some(pid) = rustix::process::Pid::from_raw(pid)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        let all_ended = async {
            for (_, child) in &mut self.running {
                while has_ended(child).is_none() {
                    sleep(LOOK_PERIOD).await;
                }
            }
        };
        // Whoever is late is killed with the rest of this.
        let _ = timeout(STOP_TIMEOUT, all_ended).await;
    }
}

/// How it ended, if it has.
fn has_ended(child: &mut Child) -> Option<ExitStatus> {
    child.try_wait().ok().flatten()
}

impl Drop for Masters {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // Of those that have ended nothing is left to kill or to wait for.
            let _ = child.kill();
            let _ = child.wait();
        }
        // What is left lies in the system's temporary directory.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("log")
}

/// Ports that nobody listens at; all are held until the last is known, so that they differ.
fn free_ports() -> anyhow::Result<[u16; COUNT]> {
    let mut held = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

async fn answers(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        sleep(LOOK_PERIOD).await;
    }
}
