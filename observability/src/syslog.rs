//! The system's log: one datagram per event to `/dev/log`, in the form that the C library's `syslog` sends.
//!
//! Invariant: nobody waits for the system's log. Where it is away or full, the line is lost and the next one tries again.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::log::message;

/// Where the system's log listens.
const SOCKET: &str = "/dev/log";
/// Longer messages are cut: what a datagram may carry everywhere.
const MESSAGE_LEN_MAX: usize = 8 * 1024;

/// Settings of the system's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogConfig {
    /// What lines begin with.
    pub ident: String,
    /// The facility's number: 1 for `user`, 16 to 23 for `local0` to `local7`.
    pub facility: u8,
    /// Where it listens.
    pub socket: PathBuf,
}

impl SyslogConfig {
    /// By the facility's name: `user` or `local0` to `local7`.
    pub fn new(ident: &str, facility: &str) -> Self {
        let local = facility
            .strip_prefix("local")
            .and_then(|number| number.parse::<u8>().ok());
        Self {
            ident: ident.to_owned(),
            facility: local.map_or(1, |number| 16 + number.min(7)),
            socket: PathBuf::from(SOCKET),
        }
    }
}

/// A connection to the system's log.
#[derive(Debug)]
pub(crate) struct Syslog {
    config: SyslogConfig,
    socket: Mutex<Option<UnixDatagram>>,
}

impl Syslog {
    pub(crate) fn open(config: &SyslogConfig) -> Self {
        Self {
            config: config.clone(),
            socket: Mutex::new(connect(&config.socket)),
        }
    }

    pub(crate) fn send(&self, level: Level, text: &str) {
        let line = self.datagram(level, text);
        let mut socket = self.socket.lock();
        let sent = |socket: &UnixDatagram| socket.send(line.as_bytes()).is_ok();
        if socket.as_ref().is_none_or(|socket| !sent(socket)) {
            *socket = connect(&self.config.socket);
            // Once more, should the system's log have been started anew; then it is lost.
            let _ = socket.as_ref().map(sent);
        }
    }

    fn datagram(&self, level: Level, text: &str) -> String {
        let priority = u32::from(self.config.facility) << 3 | severity(level);
        let now = chrono::Local::now().format("%b %e %H:%M:%S");
        let (ident, process) = (&self.config.ident, std::process::id());
        let text = cut(text, MESSAGE_LEN_MAX);
        format!("<{priority}>{now} {ident}[{process}]: {text}")
    }
}

/// As Redis maps its levels: debug, verbose, notice, warning.
fn severity(level: Level) -> u32 {
    match level {
        Level::TRACE => 7,
        Level::DEBUG => 6,
        Level::INFO => 5,
        _ => 4,
    }
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, len: usize) -> &str {
    let mut end = len.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn connect(path: &Path) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

impl<S: Subscriber> Layer<S> for Syslog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.send(*event.metadata().level(), &message(event));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 1024];
        let len = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    #[test]
    fn events_reach_the_system_log_with_ident_facility_and_severity_also_when_it_was_away() {
        let dir = std::env::temp_dir().join(format!("keymesh-syslog-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("log");
        let config = SyslogConfig {
            socket: path.clone(),
            ..SyslogConfig::new("mesh-1", "local3")
        };
        let log = tracing_subscriber::registry().with(Syslog::open(&config));
        tracing::subscriber::with_default(log, || {
            tracing::info!("nobody listens yet");
            let first = UnixDatagram::bind(&path).unwrap();
            tracing::info!(port = 7, "Ready");
            let line = received(&first);
            let id = std::process::id();
            assert!(line.starts_with("<157>"), "19 * 8 + 5: {line}");
            assert!(
                line.ends_with(&format!(" mesh-1[{id}]: Ready port=7")),
                "{line}"
            );
            drop(first);
            std::fs::remove_file(&path).unwrap();
            let second = UnixDatagram::bind(&path).unwrap();
            tracing::warn!("still there");
            assert!(received(&second).starts_with("<156>"));
        });
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn long_messages_are_cut_between_letters() {
        assert_eq!(cut("aäö", 2), "a");
        assert_eq!(cut("aäö", 3), "aä");
        assert_eq!(cut("aäö", 9), "aäö");
    }

    #[test]
    fn facilities_have_their_numbers() {
        let number = |name| SyslogConfig::new("", name).facility;
        assert_eq!(
            (number("user"), number("local0"), number("local7")),
            (1, 16, 23)
        );
    }
}
