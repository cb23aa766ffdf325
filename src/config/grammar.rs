//! The grammar of redis.conf: lines of words with Redis's quoting, comments and blank lines.
//!
//! Words are bytes. A line that parses has at least one word, the directive's name. Any bytes may come in; the only
//! error is a quote that does not close, or is not followed by a space.

use super::error::{LoadError, Place};

/// One line of configuration that says something, with the place it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands, for error messages and for `CONFIG` origins.
    pub place: Place,
    /// The line as written, trimmed, for error messages.
    pub text: String,
    /// The directive's name and its arguments, unquoted.
    pub words: Vec<Vec<u8>>,
}

impl Line {
    /// The error that stops the start because of this line.
    pub(super) fn fatal(&self, reason: impl Into<String>) -> LoadError {
        LoadError::fatal(self.place.clone(), &self.text, reason)
    }
}

/// What Redis says about a line whose quotes do not close.
pub(super) const UNBALANCED: &str = "Unbalanced quotes in configuration line";

/// A quote that does not close, or is followed by something other than a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unbalanced quotes")]
pub struct UnbalancedQuotes;

/// Parses a whole configuration text; `place` names a line by its number, counted from 1.
pub fn parse(text: &[u8], place: impl Fn(usize) -> Place) -> Result<Vec<Line>, LoadError> {
    let mut lines = Vec::new();
    for (index, raw) in text.split(|byte| *byte == b'\n').enumerate() {
        let trimmed = trim(raw);
        if trimmed.is_empty() || trimmed.starts_with(b"#") {
            continue;
        }
        let (place, text) = (place(index + 1), String::from_utf8_lossy(trimmed).into_owned());
        match split_words(trimmed) {
            Ok(words) if words.is_empty() => {}
            Ok(words) => lines.push(Line { place, text, words }),
            Err(UnbalancedQuotes) => return Err(LoadError::fatal(place, &text, UNBALANCED)),
        }
    }
    Ok(lines)
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let Some(start) = line.iter().position(|byte| !blank(byte)) else {
        return &[];
    };
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// C's `isspace`, which knows the vertical tab too.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Splits a line into words: `"..."` with `\n \r \t \b \a \xHH` and `\` before any other byte, `'...'` with `\'`,
/// anything else up to a blank. Quotes may open within a word. A NUL byte outside quotes ends the line.
pub fn split_words(line: &[u8]) -> Result<Vec<Vec<u8>>, UnbalancedQuotes> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while line.get(at).is_some_and(|byte| is_space(*byte)) {
            at += 1;
        }
        if matches!(line.get(at), None | Some(0)) {
            return Ok(words);
        }
        let mut word = Vec::new();
        loop {
            match line.get(at).copied() {
                None | Some(0 | b' ' | b'\n' | b'\r' | b'\t') => break,
                Some(quote @ (b'"' | b'\'')) => {
                    at = if quote == b'"' {
                        double_quoted(line, at + 1, &mut word)?
                    } else {
                        single_quoted(line, at + 1, &mut word)?
                    };
                    match line.get(at) {
                        None | Some(0) => {}
                        Some(byte) if is_space(*byte) => {}
                        Some(_) => return Err(UnbalancedQuotes),
                    }
                    // A closing quote ends the word, whichever blank follows.
                    break;
                }
                Some(byte) => {
                    word.push(byte);
                    at += 1;
                }
            }
        }
        words.push(word);
    }
}

/// Reads up to the closing `"`; returns the place behind it.
fn double_quoted(line: &[u8], mut at: usize, word: &mut Vec<u8>) -> Result<usize, UnbalancedQuotes> {
    loop {
        match line.get(at..).unwrap_or_default() {
            [] | [0, ..] => return Err(UnbalancedQuotes),
            [b'"', ..] => return Ok(at + 1),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex(*high) << 4 | hex(*low));
                at += 4;
            }
            [b'\\', escaped, ..] if *escaped != 0 => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                at += 2;
            }
            [byte, ..] => {
                word.push(*byte);
                at += 1;
            }
        }
    }
}

/// Reads up to the closing `'`; returns the place behind it.
fn single_quoted(line: &[u8], mut at: usize, word: &mut Vec<u8>) -> Result<usize, UnbalancedQuotes> {
    loop {
        match line.get(at..).unwrap_or_default() {
            [] | [0, ..] => return Err(UnbalancedQuotes),
            [b'\\', b'\'', ..] => {
                word.push(b'\'');
                at += 2;
            }
            [b'\'', ..] => return Ok(at + 1),
            [byte, ..] => {
                word.push(*byte);
                at += 1;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A word in double quotes, such that [`split_words`] reads the same bytes back. Printable ASCII stays readable.
#[must_use]
pub fn quote(word: &[u8]) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    for byte in word {
        match byte {
            b'\\' => quoted.push_str("\\\\"),
            b'"' => quoted.push_str("\\\""),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            b'\t' => quoted.push_str("\\t"),
            0x07 => quoted.push_str("\\a"),
            0x08 => quoted.push_str("\\b"),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            other => quoted.push_str(&format!("\\x{other:02x}")),
        }
    }
    quoted.push('"');
    quoted
}
