//! The hot request splitter: bytes read from a client become argument spans, nothing is copied.
//!
//! Contract with the caller, who owns the read buffer:
//! - `next` is called until it answers [`Split::Incomplete`]; `pos` then stands at the first byte
//!   of the unfinished command. Spans of all commands of the pipeline stand in one `Vec`.
//! - Before more bytes are appended the caller may drop `..pos` (then `pos = 0`) and clear the
//!   spans. The bytes from `pos` on must stay as they are: what the splitter remembers about them
//!   is relative to `pos`, so a large command is looked at once, however many reads it takes.
//! - After an error the connection is to be closed once the error reply is written.
//!
//! Invariant: the commands do not depend on how the bytes were cut into reads. Error texts are
//! Redis's. As in Redis the `\n` of a `\r\n` and the two bytes behind a bulk are not looked at.
//! Unlike Redis a NUL byte in a line is a byte like others (Redis would wait forever).

use super::args::Span;
use super::header::{Line, count_line, find_line_end, short_number};
use super::inline;
use super::number::parse_i64;
use super::protocol_error::ProtocolError;

/// Longest argument in bytes (`proto-max-bulk-len`).
pub const DEFAULT_MAX_BULK_LEN: usize = 512 * 1024 * 1024;
/// Most arguments of one command. Memory grows with those that come, not with how many are announced.
pub const DEFAULT_MAX_MULTIBULK_LEN: usize = i32::MAX as usize;
/// Longest inline request, and longest text in which a count or length must end.
pub const MAX_LINE_LEN: usize = 64 * 1024;
/// Most arguments of one command before authentication.
pub const UNAUTHENTICATED_MAX_MULTIBULK_LEN: usize = 10;
/// Longest argument before authentication.
pub const UNAUTHENTICATED_MAX_BULK_LEN: usize = 16 * 1024;

/// Spans kept between reads beyond this many are given back to the allocator.
const KEPT_SPANS: usize = 1024;
/// Spans hold 32 bit offsets.
const MAX_BUFFER_LEN: usize = u32::MAX as usize;

/// What `next` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// A command: `spans[first_span..first_span + argc]`, `argc` at least 1.
    Command {
        /// Index of the span of the command's name.
        first_span: usize,
        /// How many spans belong to the command.
        argc: usize,
    },
    /// More bytes are needed.
    Incomplete {
        /// At least so many; a hint for the size of the next read. Never 0.
        bytes_wanted: usize,
    },
}

/// Where splitting goes on inside a command. Offsets count from the same byte as the spans do.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Arguments still to come; 0 while no multibulk header has been read.
    missing: usize,
    /// The next byte to look at.
    cursor: usize,
    /// Length of the argument that begins at `cursor`, if its header has been read.
    bulk_len: Option<usize>,
    /// Bytes from `cursor` on that are known to hold no line end.
    searched: usize,
}

/// Splits the requests of one connection. Holds limits and the state of an unfinished command.
#[derive(Debug)]
pub struct Splitter {
    max_bulk_len: usize,
    max_multibulk_len: usize,
    authenticated: bool,
    progress: Progress,
    /// Spans of the unfinished command, counted from its first byte.
    unfinished: Vec<Span>,
    unfinished_len: usize,
}

fn len_of(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.range().len()).sum()
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter with the default limits for an authenticated client.
    pub const fn new() -> Self {
        Self {
            max_bulk_len: DEFAULT_MAX_BULK_LEN,
            max_multibulk_len: DEFAULT_MAX_MULTIBULK_LEN,
            authenticated: true,
            progress: Progress {
                missing: 0,
                cursor: 0,
                bulk_len: None,
                searched: 0,
            },
            unfinished: Vec::new(),
            unfinished_len: 0,
        }
    }

    /// Changes the longest argument (`proto-max-bulk-len`); applies to headers read from now on.
    pub fn set_max_bulk_len(&mut self, bytes: usize) {
        self.max_bulk_len = bytes.min(MAX_BUFFER_LEN);
    }

    /// Changes the most arguments of a command; applies to headers read from now on.
    pub fn set_max_multibulk_len(&mut self, count: usize) {
        self.max_multibulk_len = count.min(i32::MAX as usize);
    }

    /// Says whether the client may send more than an AUTH or HELLO needs.
    pub fn set_authenticated(&mut self, authenticated: bool) {
        self.authenticated = authenticated;
    }

    /// Whether a part of a command has been read (the client is not between two commands).
    pub fn in_command(&self) -> bool {
        self.progress.missing > 0 || self.progress.searched > 0
    }

    /// Bytes of the arguments that have come of an unfinished command.
    pub fn unfinished_len(&self) -> usize {
        self.unfinished_len
    }

    /// Forgets an unfinished command (the connection starts over with new bytes).
    pub fn reset(&mut self) {
        self.progress = Progress::default();
        self.unfinished = Vec::new();
        self.unfinished_len = 0;
    }

    /// Splits the command at `buf[*pos..]`, appends its spans and moves `pos` behind it.
    ///
    /// Empty commands (`*0`, `*-1`, an empty line) are skipped. See the contract at the top.
    #[inline]
    pub fn next(
        &mut self,
        buf: &mut [u8],
        pos: &mut usize,
        spans: &mut Vec<Span>,
    ) -> Result<Split, ProtocolError> {
        if buf.len() > MAX_BUFFER_LEN {
            return Err(ProtocolError::BufferTooLarge);
        }
        if self.progress.missing > 0 {
            return self.resume(buf, pos, spans);
        }
        loop {
            let start = *pos;
            // Known of the line at `start` only, whichever way it is read now.
            let searched = std::mem::take(&mut self.progress.searched);
            match buf.get(start) {
                None => return Ok(Split::Incomplete { bytes_wanted: 1 }),
                Some(b'*') => {}
                Some(_) => {
                    if let Some(split) = self.inline(buf, pos, searched, spans)? {
                        return Ok(split);
                    }
                    continue;
                }
            }
            let (missing, cursor) = match short_number(buf, start, b'*') {
                Some((count, cursor)) if count <= self.multibulk_limit() => (count, cursor),
                _ => match self.multibulk_header(&buf[start..], searched)? {
                    Some((count, width)) => (count, start + width),
                    None => return Ok(Split::Incomplete { bytes_wanted: 1 }),
                },
            };
            if missing == 0 {
                *pos = cursor;
                continue;
            }
            let first_span = spans.len();
            let mut progress = Progress {
                missing,
                cursor,
                bulk_len: None,
                searched: 0,
            };
            return match self.arguments(buf, start, &mut progress, spans)? {
                None => {
                    *pos = progress.cursor;
                    Ok(Split::Command {
                        first_span,
                        argc: missing,
                    })
                }
                Some(bytes_wanted) => {
                    self.suspend(start, first_span, progress, spans);
                    Ok(Split::Incomplete { bytes_wanted })
                }
            };
        }
    }

    /// Keeps what is known about the command at `start` until more bytes arrive.
    #[cold]
    fn suspend(
        &mut self,
        start: usize,
        first_span: usize,
        mut progress: Progress,
        spans: &mut Vec<Span>,
    ) {
        progress.cursor -= start;
        self.progress = progress;
        self.unfinished.clear();
        self.unfinished.extend(
            spans
                .drain(first_span..)
                .map(|span| span.earlier(start as u32)),
        );
        self.unfinished_len = len_of(&self.unfinished);
    }

    /// Goes on with the unfinished command at `pos`.
    #[cold]
    fn resume(
        &mut self,
        buf: &[u8],
        pos: &mut usize,
        spans: &mut Vec<Span>,
    ) -> Result<Split, ProtocolError> {
        let command = buf.get(*pos..).unwrap_or_default();
        let mut progress = self.progress;
        let mut unfinished = std::mem::take(&mut self.unfinished);
        let known = unfinished.len();
        let wanted = self.arguments(command, 0, &mut progress, &mut unfinished)?;
        if let Some(bytes_wanted) = wanted {
            self.progress = progress;
            self.unfinished_len += len_of(&unfinished[known..]);
            self.unfinished = unfinished;
            return Ok(Split::Incomplete { bytes_wanted });
        }
        let first_span = spans.len();
        let argc = unfinished.len();
        let offset = *pos as u32;
        spans.extend(unfinished.drain(..).map(|span| span.later(offset)));
        *pos += progress.cursor;
        self.progress = Progress::default();
        self.unfinished_len = 0;
        if unfinished.capacity() <= KEPT_SPANS {
            self.unfinished = unfinished;
        }
        Ok(Split::Command { first_span, argc })
    }

    /// Reads the arguments that are missing. Returns how many bytes it lacks, if any. `start` is
    /// where the command begins in `buf`.
    #[inline]
    fn arguments(
        &self,
        buf: &[u8],
        start: usize,
        progress: &mut Progress,
        spans: &mut Vec<Span>,
    ) -> Result<Option<usize>, ProtocolError> {
        while progress.missing > 0 {
            let (len, payload) = match progress.bulk_len {
                Some(len) => (len, progress.cursor),
                None => match short_number(buf, progress.cursor, b'$') {
                    Some((len, payload)) if len <= self.max_bulk_len => (len, payload),
                    _ => match self.bulk_header(buf, progress)? {
                        Some(header) => header,
                        None => return Ok(Some(1)),
                    },
                },
            };
            let end = payload + len;
            if end + 2 > buf.len() {
                // Not absolute: dropping what lies before the command may make room.
                if end + 2 - start > MAX_BUFFER_LEN {
                    return Err(ProtocolError::BufferTooLarge);
                }
                progress.bulk_len = Some(len);
                progress.cursor = payload;
                progress.searched = 0;
                return Ok(Some(end + 2 - buf.len()));
            }
            spans.push(Span {
                start: payload as u32,
                end: end as u32,
            });
            progress.bulk_len = None;
            progress.searched = 0;
            progress.cursor = end + 2;
            progress.missing -= 1;
        }
        Ok(None)
    }

    /// Reads any `$<length>\r\n` at the cursor: `(length, offset behind it)`, or `None` if it is
    /// not all there.
    #[cold]
    fn bulk_header(
        &self,
        buf: &[u8],
        progress: &mut Progress,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let text = buf.get(progress.cursor..).unwrap_or_default();
        let width = match count_line(text, progress.searched) {
            Line::Ends(width) => width,
            Line::Open(searched) => {
                progress.searched = searched;
                return Ok(None);
            }
            Line::TooLong => return Err(ProtocolError::TooBigBulkCount),
        };
        if text[0] != b'$' {
            return Err(ProtocolError::ExpectedBulk(text[0]));
        }
        let len = parse_i64(&text[1..width])
            .and_then(|len| usize::try_from(len).ok())
            .filter(|len| *len <= self.max_bulk_len)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if len > UNAUTHENTICATED_MAX_BULK_LEN && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        Ok(Some((len, progress.cursor + width + 2)))
    }

    /// Reads any `*<count>\r\n`: `(count, width)`, or `None` if it is not all there. Counts below
    /// 1 are 0.
    #[cold]
    fn multibulk_header(
        &mut self,
        text: &[u8],
        searched: usize,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let width = match count_line(text, searched) {
            Line::Ends(width) => width,
            Line::Open(searched) => {
                self.progress.searched = searched;
                return Ok(None);
            }
            Line::TooLong => return Err(ProtocolError::TooBigMultibulkCount),
        };
        let count = parse_i64(&text[1..width]).ok_or(ProtocolError::InvalidMultibulkLength)?;
        let count = usize::try_from(count).unwrap_or(0);
        if count > self.max_multibulk_len {
            return Err(ProtocolError::InvalidMultibulkLength);
        }
        if count > UNAUTHENTICATED_MAX_MULTIBULK_LEN && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        Ok(Some((count, width + 2)))
    }

    #[inline]
    fn multibulk_limit(&self) -> usize {
        if self.authenticated {
            self.max_multibulk_len
        } else {
            self.max_multibulk_len
                .min(UNAUTHENTICATED_MAX_MULTIBULK_LEN)
        }
    }

    /// Splits an inline request; `None` if the line was empty and has been skipped.
    #[cold]
    fn inline(
        &mut self,
        buf: &mut [u8],
        pos: &mut usize,
        searched: usize,
        spans: &mut Vec<Span>,
    ) -> Result<Option<Split>, ProtocolError> {
        let start = *pos;
        let width = match find_line_end(&buf[start..], b'\n', searched) {
            Line::Ends(width) => width,
            Line::Open(searched) => {
                self.progress.searched = searched;
                return Ok(Some(Split::Incomplete { bytes_wanted: 1 }));
            }
            Line::TooLong => return Err(ProtocolError::TooBigInline),
        };
        let mut end = start + width;
        *pos = end + 1;
        if width > 0 && buf[end - 1] == b'\r' {
            end -= 1;
        }
        let first_span = spans.len();
        inline::split_line(buf, start, end, spans)?;
        let argc = spans.len() - first_span;
        Ok((argc > 0).then_some(Split::Command { first_span, argc }))
    }
}
