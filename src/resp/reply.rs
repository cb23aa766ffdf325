//! The reply buffer of one connection: values become RESP2 or RESP3 bytes at its end.
//!
//! Invariants: every method appends one whole value or one aggregate header and cannot fail; no
//! text can smuggle a line end into a reply line. A reply that turns out wrong half way is taken
//! back with [`Reply::mark`] and [`Reply::truncate`].

use smallvec::SmallVec;

use super::error_reply::blank_line_ends;
use super::float_reply::write_double;

/// Room for the longest header: type byte, sign and 20 digits, line end.
const HEADER_LEN: usize = 24;

/// The dialect that HELLO chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What every client speaks until it says HELLO 3.
    #[default]
    Resp2,
    /// Maps, sets, doubles, nulls and pushes have their own types.
    Resp3,
}

/// A place in the buffer to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(usize);

/// An aggregate whose length is not known yet. Must be given to [`Reply::set_len`]; of several,
/// the one opened last first.
#[derive(Debug)]
#[must_use = "without set_len the reply has no header"]
pub struct Deferred {
    at: usize,
    kind: u8,
    per_element: usize,
}

/// Bytes for one connection, and its dialect.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub(super) out: Vec<u8>,
    protocol: Protocol,
}

impl Reply {
    /// An empty buffer.
    pub const fn new(protocol: Protocol) -> Self {
        Self {
            out: Vec::new(),
            protocol,
        }
    }

    /// The dialect of what is appended.
    #[inline]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Changes the dialect from here on.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Whether the dialect is RESP3.
    #[inline]
    pub const fn is_resp3(&self) -> bool {
        matches!(self.protocol, Protocol::Resp3)
    }

    /// What has been written.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Bytes in the buffer.
    #[inline]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing has been written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Bytes that fit before the buffer grows.
    pub fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Makes room for `additional` bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.out.reserve(additional);
    }

    /// Empties the buffer, keeping at most `kept_capacity` bytes of memory.
    pub fn clear(&mut self, kept_capacity: usize) {
        self.out.clear();
        self.out.shrink_to(kept_capacity);
    }

    /// Drops the first `count` bytes (the socket took them); all of them if there are fewer.
    pub fn consume(&mut self, count: usize) {
        self.out.drain(..count.min(self.out.len()));
    }

    /// Takes the bytes out and leaves an empty buffer.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The present end of the buffer.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.out.len())
    }

    /// Takes back everything written since `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        self.out.truncate(mark.0);
    }

    /// What has been written since `mark`.
    pub fn since(&self, mark: Mark) -> &[u8] {
        self.out.get(mark.0..).unwrap_or_default()
    }

    /// Appends bytes that are RESP already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends what another buffer holds, and leaves that empty.
    pub fn append(&mut self, other: &mut Self) {
        if self.out.is_empty() && other.out.len() > self.out.capacity() {
            std::mem::swap(&mut self.out, &mut other.out);
        } else {
            self.out.append(&mut other.out);
        }
    }

    /// Appends a message that is RESP already: its first byte and the others.
    pub fn letter(&mut self, (first, rest): (u8, &[u8])) {
        self.out.reserve(rest.len() + 1);
        self.out.push(first);
        self.raw(rest);
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// `+QUEUED`.
    #[inline]
    pub fn queued(&mut self) {
        self.raw(b"+QUEUED\r\n");
    }

    /// A simple string; line ends in it become blanks.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        self.line(b"+", text.as_bytes());
    }

    pub(super) fn line(&mut self, prefix: &[u8], text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.raw(prefix);
        let start = self.out.len();
        self.raw(text);
        blank_line_ends(&mut self.out[start..]);
        self.raw(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.number_line(b':', value);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + HEADER_LEN + 2);
        self.length_line(b'$', bytes.len());
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    /// A bulk string of `len` bytes that `write` appends by itself. If it appends another number
    /// of bytes, the header is set right.
    pub fn bulk_with(&mut self, len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.reserve(len + HEADER_LEN + 2);
        let header = self.out.len();
        self.length_line(b'$', len);
        let start = self.out.len();
        write(&mut self.out);
        let written = self.out.len().saturating_sub(start);
        if written != len {
            self.out.splice(header..start, header_text(b'$', written));
        }
        self.raw(b"\r\n");
    }

    /// A bulk string that spells an integer.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// No value: `$-1`, in RESP3 `_`.
    #[inline]
    pub fn null(&mut self) {
        let bytes: &[u8] = if self.is_resp3() {
            b"_\r\n"
        } else {
            b"$-1\r\n"
        };
        self.raw(bytes);
    }

    /// No array: `*-1`, in RESP3 `_`.
    #[inline]
    pub fn null_array(&mut self) {
        let bytes: &[u8] = if self.is_resp3() {
            b"_\r\n"
        } else {
            b"*-1\r\n"
        };
        self.raw(bytes);
    }

    /// Header of an array; `len` values follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.length_line(b'*', len);
    }

    /// Header of a map; `len` keys, each followed by its value. In RESP2 a flat array.
    #[inline]
    pub fn map(&mut self, len: usize) {
        if self.is_resp3() {
            self.length_line(b'%', len);
        } else {
            self.length_line(b'*', len * 2);
        }
    }

    /// Header of a set; `len` values follow. In RESP2 an array.
    #[inline]
    pub fn set(&mut self, len: usize) {
        let kind = if self.is_resp3() { b'~' } else { b'*' };
        self.length_line(kind, len);
    }

    /// Header of an out of band message; `len` values follow. In RESP2 an array.
    #[inline]
    pub fn push(&mut self, len: usize) {
        let kind = if self.is_resp3() { b'>' } else { b'*' };
        self.length_line(kind, len);
    }

    /// An attribute of `len` pairs that `write` appends, before the value it belongs to. RESP2
    /// has none: nothing is written then.
    pub fn attribute(&mut self, len: usize, write: impl FnOnce(&mut Self)) {
        if self.is_resp3() {
            self.length_line(b'|', len);
            write(self);
        }
    }

    /// Opens an array whose length will be known later.
    pub fn deferred_array(&mut self) -> Deferred {
        self.deferred(b'*', 1)
    }

    /// Opens a map whose number of pairs will be known later.
    pub fn deferred_map(&mut self) -> Deferred {
        if self.is_resp3() {
            self.deferred(b'%', 1)
        } else {
            self.deferred(b'*', 2)
        }
    }

    /// Opens a set whose length will be known later.
    pub fn deferred_set(&mut self) -> Deferred {
        let kind = if self.is_resp3() { b'~' } else { b'*' };
        self.deferred(kind, 1)
    }

    fn deferred(&self, kind: u8, per_element: usize) -> Deferred {
        Deferred {
            at: self.out.len(),
            kind,
            per_element,
        }
    }

    /// Writes the header of a deferred aggregate in front of its values, which are moved.
    #[allow(clippy::needless_pass_by_value)] // taken: a header is written once
    pub fn set_len(&mut self, deferred: Deferred, len: usize) {
        let at = deferred.at.min(self.out.len());
        let header = header_text(deferred.kind, len * deferred.per_element);
        self.out.splice(at..at, header);
    }

    /// A double: a bulk string, in RESP3 `,`. Spelled as `%.17g`.
    pub fn double(&mut self, value: f64) {
        if self.is_resp3() {
            self.raw(b",");
            write_double(&mut self.out, value);
            self.raw(b"\r\n");
        } else {
            // At most 24 bytes; the header is set right if the guess of one digit is wrong.
            self.bulk_with(1, |out| write_double(out, value));
        }
    }

    /// A truth: `:1` or `:0`, in RESP3 `#t` or `#f`.
    pub fn boolean(&mut self, value: bool) {
        let bytes: &[u8] = match (self.protocol, value) {
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        };
        self.raw(bytes);
    }

    /// An integer of any size in decimal digits: a bulk string, in RESP3 `(`.
    pub fn big_number(&mut self, digits: &str) {
        if self.is_resp3() {
            self.line(b"(", digits.as_bytes());
        } else {
            self.bulk(digits.as_bytes());
        }
    }

    /// Text for people with its format (`txt`, `mkd`): in RESP2 a plain bulk string.
    pub fn verbatim(&mut self, format: &[u8; 3], text: &[u8]) {
        if self.is_resp3() {
            self.out.reserve(text.len() + HEADER_LEN + 6);
            self.length_line(b'=', text.len() + 4);
            self.raw(format);
            self.raw(b":");
            self.raw(text);
            self.raw(b"\r\n");
        } else {
            self.bulk(text);
        }
    }

    #[inline]
    fn length_line(&mut self, kind: u8, len: usize) {
        if len < 10 {
            self.raw(&[kind, b'0' + len as u8, b'\r', b'\n']);
        } else if len < 100 {
            let (tens, ones) = (len as u8 / 10, len as u8 % 10);
            self.raw(&[kind, b'0' + tens, b'0' + ones, b'\r', b'\n']);
        } else {
            self.number_line_slow(kind, len as i64);
        }
    }

    #[inline]
    fn number_line(&mut self, kind: u8, value: i64) {
        if (0..10).contains(&value) {
            self.raw(&[kind, b'0' + value as u8, b'\r', b'\n']);
        } else {
            self.number_line_slow(kind, value);
        }
    }

    fn number_line_slow(&mut self, kind: u8, value: i64) {
        self.out.reserve(HEADER_LEN);
        self.out.push(kind);
        self.raw(itoa::Buffer::new().format(value).as_bytes());
        self.raw(b"\r\n");
    }
}

/// A length header on its own, for places where it is inserted.
fn header_text(kind: u8, len: usize) -> SmallVec<[u8; HEADER_LEN]> {
    let mut text = SmallVec::new();
    text.push(kind);
    text.extend_from_slice(itoa::Buffer::new().format(len).as_bytes());
    text.extend_from_slice(b"\r\n");
    text
}
