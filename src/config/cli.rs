//! The command line: `keymesh-server [file] [-] [--directive value ...]`, with Redis's rules.
//!
//! The word behind a directive is always its value, even when it begins with `--`; further values reach up to the next
//! word that begins with `--`. `--save` without a value means `--save ""`. `-` as first or last word reads standard input.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::{LoadError, Place};
use super::grammar::{Line, UNBALANCED, quote, split_words};

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Start the server.
    Run(Arguments),
    /// Print [`version`] and exit.
    Version,
    /// Print [`HELP`] and exit.
    Help,
}

/// Where the configuration of a start comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The configuration file, absolute.
    pub config_file: Option<PathBuf>,
    /// Whether standard input holds more configuration.
    pub read_standard_input: bool,
    /// The directives on the command line.
    pub lines: Vec<Line>,
}

/// The text of `--help`.
pub const HELP: &str = "\
Usage: keymesh-server [/path/to/keymesh.conf] [options] [-]
       keymesh-server - (read the configuration from standard input)
       keymesh-server -v or --version
       keymesh-server -h or --help
       keymesh-server playground [--workload] [--port <port>] (three masters and a page that shows the way of every write)

Options are the directives of the configuration file with '--' in front.
Environment variables named KEYMESH_<DIRECTIVE> override the file, options override both.

Examples:
       keymesh-server (run with the defaults)
       keymesh-server /etc/keymesh.conf
       keymesh-server --port 7777
       keymesh-server /etc/keymesh.conf --loglevel verbose
       keymesh-server --active-replica yes --multi-master yes --replicaof 10.0.0.2 6379 --replicaof 10.0.0.3 6379
       echo 'maxclients 128' | keymesh-server -
       KEYMESH_PORT=7777 KEYMESH_REPLICAOF='10.0.0.2 6379, 10.0.0.3 6379' keymesh-server
";

/// What was built, where the build was told.
pub const COMMIT: &str = match option_env!("KEYMESH_GIT_SHA1") {
    Some(commit) => commit,
    None => "00000000",
};
/// Whether it was changed since: 0 or 1.
pub const MODIFIED: &str = match option_env!("KEYMESH_GIT_DIRTY") {
    Some(dirty) => dirty,
    None => "0",
};

/// The text of `--version`, in the form of Redis's.
#[must_use]
pub fn version() -> String {
    format!(
        "Keymesh server v={} sha={COMMIT}:{MODIFIED} malloc=mimalloc bits={} build={:08x}",
        super::VERSION,
        usize::BITS,
        build_id(COMMIT),
    )
}

/// Differs between builds of different versions, commits, targets or profiles.
fn build_id(commit: &str) -> u32 {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let what = [
        super::VERSION,
        commit,
        std::env::consts::OS,
        std::env::consts::ARCH,
        profile,
    ]
    .join("/");
    crc32fast::hash(what.as_bytes())
}

/// Reads the arguments, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, LoadError> {
    let arguments = arguments.into_iter().collect::<Vec<_>>();
    match arguments.first().and_then(|first| first.to_str()) {
        Some("-v" | "--version") => return Ok(Invocation::Version),
        Some("-h" | "--help") => return Ok(Invocation::Help),
        _ => {}
    }
    let mut run = Arguments::default();
    let mut rest = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if index == 0 && !argument.as_encoded_bytes().starts_with(b"-") {
            let path = PathBuf::from(argument);
            run.config_file = Some(std::path::absolute(&path).unwrap_or(path));
        } else if argument == "-" && (index == 0 || index + 1 == arguments.len()) {
            run.read_standard_input = true;
        } else {
            rest.push((index + 1, argument.as_encoded_bytes()));
        }
    }
    run.lines = lines(&rest)?;
    Ok(Invocation::Run(run))
}

/// Groups numbered arguments into lines.
fn lines(arguments: &[(usize, &[u8])]) -> Result<Vec<Line>, LoadError> {
    let mut lines: Vec<Line> = Vec::new();
    let mut value_expected = false;
    for (at, (index, argument)) in arguments.iter().enumerate() {
        let place = Place::CommandLine { argument: *index };
        match argument.strip_prefix(b"--") {
            Some(option) if !value_expected => {
                let text = String::from_utf8_lossy(option).into_owned();
                let Ok(words) = split_words(option) else {
                    return Err(LoadError::fatal(place, &text, UNBALANCED));
                };
                // `"--port 7777"` as one argument brings its value along.
                value_expected = words.len() < 2;
                if words.is_empty() {
                    return Err(LoadError::fatal(place, &text, super::BAD_DIRECTIVE));
                }
                let mut line = Line { place, text, words };
                let next_is_option = arguments
                    .get(at + 1)
                    .is_none_or(|(_, next)| next.starts_with(b"--"));
                if value_expected && next_is_option && option.eq_ignore_ascii_case(b"save") {
                    line.words.push(Vec::new());
                    value_expected = false;
                }
                lines.push(line);
            }
            _ => {
                value_expected = false;
                match lines.last_mut() {
                    Some(line) => {
                        line.words.push(argument.to_vec());
                        line.text = format!("{} {}", line.text, quote(argument));
                    }
                    None => {
                        return Err(LoadError::fatal(
                            place,
                            &quote(argument),
                            super::BAD_DIRECTIVE,
                        ));
                    }
                }
            }
        }
    }
    Ok(lines)
}
