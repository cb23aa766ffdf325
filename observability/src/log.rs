//! Where log lines go and how they look: standard output or a file, the system's log beside it, in Redis's look, in plain text or as
//! JSON.
//!
//! Invariant: a line is written whole or not at all, and writing never ends the process. A log file that was renamed or removed is
//! opened anew with the next line, as Redis's is.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogConfig;
use crate::syslog::Syslog;

/// The letter of Redis's log lines that says what this node is: `M` for a master, `S` for a replica.
#[derive(Clone, Debug)]
pub struct LogRole(Arc<AtomicU8>);

impl Default for LogRole {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(b'M')))
    }
}

impl LogRole {
    /// From the next line on.
    pub fn set(&self, is_replica: bool) {
        let letter = if is_replica { b'S' } else { b'M' };
        self.0.store(letter, Ordering::Relaxed);
    }

    fn letter(&self) -> char {
        char::from(self.0.load(Ordering::Relaxed))
    }
}

/// What stands before a message of this severity.
fn mark(level: Level) -> char {
    match level {
        Level::TRACE => '.',
        Level::DEBUG => '-',
        Level::INFO => '*',
        _ => '#',
    }
}

/// `pid:role day month year time mark `, as Redis begins its lines.
fn beginning(role: char, level: Level) -> String {
    let now = chrono::Local::now().format("%d %b %Y %H:%M:%S%.3f");
    format!("{}:{role} {now} {} ", std::process::id(), mark(level))
}

/// Redis's look; fields follow the message as `name=value`.
#[derive(Debug, Default)]
pub(crate) struct RedisLines {
    pub(crate) role: LogRole,
}

impl<S, N> FormatEvent<S, N> for RedisLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        writer.write_str(&beginning(self.role.letter(), level))?;
        context.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

/// The message and the fields of an event, without anything before them.
pub(crate) fn message(event: &Event<'_>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = DefaultFields::new().format_fields(Writer::new(&mut text), event);
    text
}

/// Standard output, or a file.
#[derive(Debug)]
pub(crate) struct Output {
    file: Option<Mutex<LogFile>>,
}

impl Output {
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(LogFile::open).transpose()?.map(Mutex::new);
        Ok(Self { file })
    }

    /// Opens the file anew, whatever has become of it.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        match &self.file {
            Some(file) => file.lock().reopen(),
            None => Ok(()),
        }
    }
}

impl Write for &Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &self.file {
            Some(file) => file.lock().write(line)?,
            None => io::stdout().lock().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    /// Device and number of the open file.
    identity: (u64, u64),
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let file = File::options().create(true).append(true).open(&path)?;
        let identity = identity(&file.metadata()?);
        Ok(Self {
            path,
            file,
            identity,
        })
    }

    fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let found = std::fs::metadata(&self.path).ok();
        if found.as_ref().map(identity) != Some(self.identity) {
            // Where it cannot be opened, the lines stay together in the file that was.
            let _ = self.reopen();
        }
        self.file.write_all(line)
    }
}

fn identity(metadata: &std::fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether the file can be written to; it is made where there is none.
pub fn check_file(path: &Path) -> io::Result<()> {
    Output::open(Some(path)).map(drop)
}

/// One line of the highest severity to the file and the system's log that the settings name, for what ends the process before or after
/// its log stands. Standard output is not written to: who starts the process reads its standard error.
pub fn last_words(config: &LogConfig, is_replica: bool, text: &str) {
    let role = LogRole::default();
    role.set(is_replica);
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(path) = &config.file
            && let Ok(output) = Output::open(Some(path))
        {
            let line = format!("{}{line}\n", beginning(role.letter(), Level::ERROR));
            // Nobody is left to be told.
            let _ = (&output).write_all(line.as_bytes());
        }
        if let Some(syslog) = &config.syslog {
            Syslog::open(syslog).send(Level::ERROR, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("keymesh-log-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn a_line_begins_as_redis_begins_it() {
        let line = beginning('M', Level::INFO);
        let words: Vec<&str> = line.split_whitespace().collect();
        let [process, day, month, year, time, mark] = words.as_slice() else {
            panic!("{line}");
        };
        assert_eq!(*process, format!("{}:M", std::process::id()));
        assert!(day.len() == 2 && month.len() == 3 && year.len() == 4 && *mark == "*");
        assert_eq!((time.len(), &time[2..3], &time[8..9]), (12, ":", "."));
    }

    #[test]
    fn a_log_file_that_was_renamed_or_removed_is_made_anew() {
        let dir = scratch("renamed");
        let (path, old) = (dir.join("log"), dir.join("log.1"));
        let output = Output::open(Some(&path)).unwrap();
        let write = |line: &str| (&output).write_all(line.as_bytes()).unwrap();
        write("one\n");
        std::fs::rename(&path, &old).unwrap();
        write("two\n");
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        std::fs::remove_file(&path).unwrap();
        write("three\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        std::fs::remove_dir_all(&dir).unwrap();
        write("nowhere to go, and nobody falls over it\n");
    }

    #[test]
    fn last_words_reach_the_file_line_by_line() {
        let dir = scratch("last");
        let config = LogConfig {
            file: Some(dir.join("log")),
            ..LogConfig::default()
        };
        last_words(&config, true, "\nfirst\nsecond");
        let text = std::fs::read_to_string(dir.join("log")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains(":S ") && lines[0].ends_with(" # first"),
            "{text}"
        );
        assert!(lines[1].ends_with(" # second"), "{text}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
