//! What can go wrong with configuration: at the start ([`LoadError`]) and in `CONFIG SET` ([`ConfigError`]).
//!
//! The texts are Redis's own where Redis has one, for people and scripts that look for them. None contains a newline
//! that came from a client.

use std::fmt;
use std::path::PathBuf;

/// Where a piece of configuration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, counted from 1.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A line of standard input, counted from 1.
    StandardInput {
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// An argument of the command line, counted from 1 (0 is the program).
    CommandLine {
        /// Its index.
        argument: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(out, "{}:{line}", path.display()),
            Self::StandardInput { line } => write!(out, "standard input:{line}"),
            Self::Environment { variable } => out.write_str(variable),
            Self::CommandLine { argument } => write!(out, "command line, argument {argument}"),
        }
    }
}

impl Place {
    fn reading(&self) -> String {
        match self {
            Self::File { path, line } => {
                format!(
                    "Reading the configuration file, at line {line} of {}",
                    path.display()
                )
            }
            Self::StandardInput { line } => {
                format!("Reading the configuration file, at line {line} of standard input")
            }
            Self::Environment { variable } => {
                format!("Reading the environment variable {variable}")
            }
            Self::CommandLine { argument } => {
                format!("Reading the command line, at argument {argument}")
            }
        }
    }
}

/// Why the server does not start. Its text is meant for standard error, as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A line that cannot be accepted.
    #[error("{}", fatal_text(place, text, reason, suggestion.as_deref()))]
    Fatal {
        /// Where the line stands.
        place: Place,
        /// The line as written.
        text: String,
        /// What is wrong with it.
        reason: String,
        /// The known directive whose name is closest to an unknown one.
        suggestion: Option<String>,
    },
    /// The configuration file named on the command line cannot be read.
    #[error("Fatal error, can't open config file '{}': {reason}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The log file cannot be written to.
    #[error("{}\nCan't open the log file: {reason}", fatal_head())]
    LogFile {
        /// The system's words.
        reason: String,
    },
    /// Settings that contradict each other where no single line is to blame.
    #[error("Fatal error in the configuration: {0}")]
    Contradiction(String),
}

impl LoadError {
    pub(super) fn fatal(place: Place, text: &str, reason: impl Into<String>) -> Self {
        Self::Fatal {
            place,
            text: text.to_owned(),
            reason: reason.into(),
            suggestion: None,
        }
    }
}

fn fatal_head() -> String {
    format!(
        "\n*** FATAL CONFIG FILE ERROR (Keymesh {}) ***",
        super::VERSION
    )
}

fn fatal_text(place: &Place, text: &str, reason: &str, suggestion: Option<&str>) -> String {
    let mut shown = format!(
        "{}\n{}\n>>> '{text}'\n{reason}",
        fatal_head(),
        place.reading(),
    );
    if let Some(known) = suggestion {
        shown.push_str(&format!("\nDid you mean '{known}'?"));
    }
    shown
}

/// Why `CONFIG SET` changed nothing. Its text is the error reply, without the leading `-`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No directive has this name.
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{0}'")]
    UnknownOption(String),
    /// A directive that cannot be changed, or not to this value.
    #[error("ERR CONFIG SET failed (possibly related to argument '{argument}') - {reason}")]
    Failed {
        /// The directive.
        argument: String,
        /// What is wrong.
        reason: String,
    },
}

/// The system's words for an error, without Rust's error number behind them.
#[must_use]
pub fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
