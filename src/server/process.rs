//! The server as a process of its system: its directory, its way into the background, its pid file, its pages of memory, whom it tells
//! that it is ready.
//!
//! Invariant: going into the background forks, so all of that is done before there is a second thread.

use std::path::PathBuf;

use anyhow::Context as _;
use daemonize::Daemonize;
use keymesh_observability::log;
use rustix::process::{Signal, getpid, kill_process};
use sd_notify::NotifyState;

use crate::config::{LoadError, Options, Supervised, system_words};

/// Where the process id is written in the background when nobody says where.
const PID_FILE: &str = "/var/run/keymesh.pid";
/// Files made by a process that cannot tell its mask get these permissions less.
const MASK: u32 = 0o022;

/// Whom the server tells how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supervision {
    Nobody,
    Systemd,
    Upstart,
}

impl Supervision {
    /// As the options say and the environment lets it, like Redis.
    fn new(options: &Options) -> Self {
        let has = |name: &str| std::env::var_os(name).is_some();
        let (upstart, systemd) = (has("UPSTART_JOB"), has("NOTIFY_SOCKET"));
        match options.supervised {
            Supervised::Upstart | Supervised::Auto if upstart => Self::Upstart,
            Supervised::Systemd | Supervised::Auto if systemd => Self::Systemd,
            _ => Self::Nobody,
        }
    }

    /// As INFO shows it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "no",
            Self::Systemd => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// Says what was asked for and is not, once there is a log.
    pub(super) fn tell(self, options: &Options) {
        match (self, options.supervised) {
            (Self::Systemd, _) => tracing::warn!(
                "WARNING supervised by systemd - you MUST set appropriate values for TimeoutStartSec and TimeoutStopSec in your service unit."
            ),
            (Self::Nobody, Supervised::Systemd) => tracing::warn!(
                "systemd supervision requested or auto-detected, but NOTIFY_SOCKET not found"
            ),
            (Self::Nobody, Supervised::Upstart) => {
                tracing::warn!("upstart supervision requested, but UPSTART_JOB not found");
            }
            _ => {}
        }
        self.notify(&[NotifyState::Status("Keymesh is starting")]);
    }

    /// Clients are served.
    pub(super) fn ready(self) {
        let status = NotifyState::Status("Ready to accept connections");
        self.notify(&[status, NotifyState::Ready]);
        if self == Self::Upstart {
            tracing::info!("supervised by upstart, will stop to signal readiness");
            if let Err(error) = kill_process(getpid(), Signal::STOP) {
                tracing::warn!(%error, "could not stop");
            }
        }
    }

    /// The end is off.
    pub(super) fn ready_again(self) {
        self.notify(&[NotifyState::Status("Ready to accept connections")]);
    }

    /// The end has begun.
    pub(super) fn stopping(self) {
        self.notify(&[NotifyState::Stopping]);
    }

    fn notify(self, states: &[NotifyState<'_>]) {
        if self == Self::Systemd
            && let Err(error) = sd_notify::notify(states)
        {
            tracing::warn!(%error, "systemd could not be told");
        }
    }
}

/// Goes to `dir`, looks whether the log can be written, and into the background where that is asked for: the process that was started
/// ends with success then, and this returns in another one.
pub(super) fn prepare(options: &Options) -> anyhow::Result<Supervision> {
    std::env::set_current_dir(&options.dir)
        .with_context(|| format!("Can't chdir to '{}'", options.dir.display()))?;
    if let Some(path) = &options.logfile {
        log::check_file(path).map_err(|error| LoadError::LogFile {
            reason: system_words(&error),
        })?;
    }
    let supervision = Supervision::new(options);
    if options.daemonize && supervision == Supervision::Nobody {
        Daemonize::new()
            .working_directory(&options.dir)
            .umask(mask())
            .start()
            .context("Can't go into the background")?;
    }
    Ok(supervision)
}

/// Has the system give memory in small pages, where the options say so. A huge one is cleared when it is first touched, by a client's
/// write that holds a partition: that took up to 20 ms on a virtual machine, and less than 1 ms without.
pub(super) fn refuse_huge_pages(options: &Options) {
    if options.disable_thp
        && let Err(error) = rustix::thread::disable_transparent_huge_pages(true)
    {
        tracing::warn!(%error, "transparent huge pages could not be disabled");
    }
}

/// The process's mask of permissions, which nobody can read without setting it but the system.
fn mask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
        .unwrap_or(MASK)
}

/// The file that names the process, removed at the end.
#[derive(Debug)]
pub(super) struct PidFile(Option<PathBuf>);

impl PidFile {
    /// Writes it where the options want one. As in Redis, a failure ends nothing.
    pub(super) fn write(options: &Options, supervision: Supervision) -> Self {
        let in_background = options.daemonize && supervision == Supervision::Nobody;
        let path = match &options.pidfile {
            Some(path) => path.clone(),
            None if in_background => PathBuf::from(PID_FILE),
            None => return Self(None),
        };
        // `dir` may be another one at the end.
        let path = std::path::absolute(&path).unwrap_or(path);
        match std::fs::write(&path, format!("{}\n", std::process::id())) {
            Ok(()) => Self(Some(path)),
            Err(error) => {
                let why = system_words(&error);
                tracing::warn!("Failed to write PID file: {why}");
                Self(None)
            }
        }
    }

    pub(super) fn remove(self) {
        if let Some(path) = self.0 {
            tracing::info!("Removing the pid file.");
            // It may have been taken away already.
            let _ = std::fs::remove_file(path);
        }
    }
}
