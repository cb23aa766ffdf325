//! Error replies: one line, whatever the text holds.
//!
//! Invariant: a line end in a text (a client chose it, or a script) never ends the reply's line;
//! at its borders it is dropped, inside it becomes a blank, as in Redis.

use std::fmt;
use std::io::Write as _;

use super::protocol_error::ProtocolError;
use super::reply::Reply;

impl Reply {
    /// An error. `text` begins with its code: `ERR no such key`. Line ends at its borders are cut
    /// off, those inside become blanks.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// An error whose text may hold bytes of the client that are not UTF-8.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.line(b"-", trim_line_ends(text));
    }

    /// An error from `format_args!`, without an intermediate string. Line ends as in [`error`],
    /// but those at its start become blanks too.
    ///
    /// [`error`]: Self::error
    pub fn error_format(&mut self, text: fmt::Arguments<'_>) {
        self.raw(b"-");
        let start = self.out.len();
        // Only a Display that fails can make this fail; what it wrote until then stands.
        let _ = self.out.write_fmt(text);
        let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        let kept = self.out[start..]
            .iter()
            .rposition(is_text)
            .map_or(0, |last| last + 1);
        self.out.truncate(start + kept);
        blank_line_ends(&mut self.out[start..]);
        self.raw(b"\r\n");
    }

    /// The error for a request that cannot be split: `-ERR Protocol error: ...`.
    pub fn protocol_error(&mut self, error: &ProtocolError) {
        if let ProtocolError::ExpectedBulk(byte) = error {
            let quoted = [b'\'', *byte, b'\''];
            let text = [&b"ERR Protocol error: expected '$', got "[..], &quoted].concat();
            self.error_bytes(&text);
        } else {
            self.error_format(format_args!("ERR {error}"));
        }
    }
}

fn trim_line_ends(text: &[u8]) -> &[u8] {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let Some(first) = text.iter().position(|byte| !is_line_end(byte)) else {
        return &[];
    };
    let last = text
        .iter()
        .rposition(|byte| !is_line_end(byte))
        .unwrap_or(first);
    &text[first..=last]
}

/// Makes blanks of the line ends in `text`.
#[inline]
pub(super) fn blank_line_ends(text: &mut [u8]) {
    if memchr::memchr2(b'\r', b'\n', text).is_some() {
        for byte in text {
            if matches!(*byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }
}
