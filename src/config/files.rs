//! Reads configuration files and what they include.
//!
//! `include` takes a path or a glob, relative to the working directory, as Redis 7 does: a glob that matches nothing is
//! ignored, a plain path that is missing stops the start. The lines of an included file stand where the `include` stood.
//! Depth, number and size of files are limited, so a file that includes itself is an error, not a crash.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{LoadError, Place, system_words};
use super::grammar::{self, Line};

/// How deep files may include files.
pub const INCLUDE_DEPTH_LIMIT: usize = 16;
/// How many files one configuration may consist of.
pub const FILES_LIMIT: usize = 1024;
/// How many bytes one file, or standard input, may have.
pub const FILE_BYTES_LIMIT: u64 = 16 * 1024 * 1024;

/// The lines of a configuration file, includes resolved.
pub fn read_file(path: &Path) -> Result<Vec<Line>, LoadError> {
    Reader { files: 0 }
        .file(path, 0)
        .map_err(|failure| match failure {
            Failure::Line(error) => error,
            Failure::Open(reason) => LoadError::CannotOpen { path: path.to_owned(), reason },
        })
}

/// The lines of a configuration text that came over standard input, includes resolved.
pub fn read_standard_input(input: impl Read) -> Result<Vec<Line>, LoadError> {
    let whole = |reason| LoadError::CannotOpen { path: PathBuf::from("-"), reason };
    let text = read_limited(input).map_err(whole)?;
    resolve_includes(grammar::parse(&text, |line| Place::StandardInput { line })?)
}

/// Replaces every `include` by the lines it stands for.
pub fn resolve_includes(lines: Vec<Line>) -> Result<Vec<Line>, LoadError> {
    Reader { files: 0 }.resolve(lines, 0)
}

enum Failure {
    /// A line of the file, or of one it includes, is at fault.
    Line(LoadError),
    /// The file itself cannot be read.
    Open(String),
}

struct Reader {
    files: usize,
}

impl Reader {
    fn file(&mut self, path: &Path, depth: usize) -> Result<Vec<Line>, Failure> {
        self.files += 1;
        if self.files > FILES_LIMIT {
            return Err(Failure::Open(format!("more than {FILES_LIMIT} configuration files")));
        }
        let text = File::open(path)
            .map_err(|error| system_words(&error))
            .and_then(read_limited)
            .map_err(Failure::Open)?;
        let place = |line| Place::File { path: path.to_owned(), line };
        let lines = grammar::parse(&text, place).map_err(Failure::Line)?;
        self.resolve(lines, depth).map_err(Failure::Line)
    }

    fn resolve(&mut self, lines: Vec<Line>, depth: usize) -> Result<Vec<Line>, LoadError> {
        let mut resolved = Vec::with_capacity(lines.len());
        for line in lines {
            if line.words[0].eq_ignore_ascii_case(b"include") {
                resolved.extend(self.include(&line, depth + 1)?);
            } else {
                resolved.push(line);
            }
        }
        Ok(resolved)
    }

    fn include(&mut self, line: &Line, depth: usize) -> Result<Vec<Line>, LoadError> {
        let [_, pattern] = line.words.as_slice() else {
            return Err(line.fatal(super::BAD_DIRECTIVE));
        };
        if depth > INCLUDE_DEPTH_LIMIT {
            return Err(line.fatal(format!("include goes deeper than {INCLUDE_DEPTH_LIMIT} files")));
        }
        let Ok(pattern) = std::str::from_utf8(pattern) else {
            return Err(line.fatal(super::NOT_UTF8));
        };
        let mut lines = Vec::new();
        for path in matching(pattern).map_err(|reason| line.fatal(reason))? {
            lines.extend(self.file(&path, depth).map_err(|failure| match failure {
                Failure::Line(error) => error,
                Failure::Open(reason) => {
                    line.fatal(format!("can't open config file '{}': {reason}", path.display()))
                }
            })?);
        }
        Ok(lines)
    }
}

/// The files an include names, in the order of their names.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob::glob_with(pattern, options).map_err(|error| format!("bad include pattern: {error}"))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| {
            format!("can't read '{}': {}", error.path().display(), system_words(error.error()))
        })?;
        if paths.len() == FILES_LIMIT {
            return Err(format!("more than {FILES_LIMIT} files match"));
        }
        paths.push(path);
    }
    Ok(paths)
}

fn read_limited(input: impl Read) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    input
        .take(FILE_BYTES_LIMIT + 1)
        .read_to_end(&mut text)
        .map_err(|error| system_words(&error))?;
    if text.len() as u64 > FILE_BYTES_LIMIT {
        return Err(format!("more than {FILE_BYTES_LIMIT} bytes"));
    }
    Ok(text)
}
