//! Finds where a received frame ends, before anything is allocated for its contents.
//!
//! Invariant: each byte is looked at once however many reads a frame takes; depth, number of
//! values and length are bounded by [`FrameLimits`] (the decoder behind it recurses).

use memchr::memchr;
use smallvec::SmallVec;

use super::decode::DecodeError;
use super::number::parse_i64;
use super::reply::Protocol;
use super::split::MAX_LINE_LEN;

/// Longest frame in bytes.
pub const DEFAULT_MAX_FRAME_LEN: usize = 1024 * 1024 * 1024;
/// Most values in a frame, those of nested aggregates included.
pub const DEFAULT_MAX_ELEMENTS: usize = 1024 * 1024;
/// Most aggregates inside each other.
pub const DEFAULT_MAX_DEPTH: usize = 32;

/// What a peer may send as one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Longest frame in bytes.
    pub max_frame_len: usize,
    /// Most values in a frame, those of nested aggregates included.
    pub max_elements: usize,
    /// Most aggregates inside each other.
    pub max_depth: usize,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self {
            max_frame_len: DEFAULT_MAX_FRAME_LEN,
            max_elements: DEFAULT_MAX_ELEMENTS,
            max_depth: DEFAULT_MAX_DEPTH,
        }
    }
}

/// How far the frame at the start of the buffer is known.
#[derive(Clone, Debug, Default)]
pub struct FrameScanner {
    /// The next byte to look at.
    cursor: usize,
    /// Bytes from `cursor` on without a line end.
    searched: usize,
    /// End of the payload that begins at `cursor`, line end excluded.
    payload_end: Option<usize>,
    /// Values missing in each open aggregate, the outermost first.
    open: SmallVec<[usize; 8]>,
    /// Values seen or announced.
    elements: usize,
}

/// What a header line announces.
enum Header {
    /// The line is the value.
    Value,
    /// So many bytes and a line end follow.
    Payload(usize),
    /// So many values follow.
    Aggregate(usize),
}

impl FrameScanner {
    /// The length of the frame at the start of `buf`, or `None` if more bytes are needed.
    pub fn scan(
        &mut self,
        buf: &[u8],
        protocol: Protocol,
        limits: &FrameLimits,
    ) -> Result<Option<usize>, DecodeError> {
        loop {
            if let Some(end) = self.payload_end {
                match buf.get(end..end + 2) {
                    None => return Ok(None),
                    Some(b"\r\n") => self.payload_end = None,
                    Some(_) => return Err(DecodeError::MissingLineEnd),
                }
                self.cursor = end + 2;
            } else {
                let Some(width) = self.line(buf)? else {
                    return Ok(None);
                };
                let line = &buf[self.cursor..self.cursor + width];
                let header = header(line, protocol)?;
                self.cursor += width + 2;
                if self.cursor > limits.max_frame_len {
                    return Err(DecodeError::TooLong(limits.max_frame_len));
                }
                match header {
                    Header::Payload(len) => {
                        let end = self.cursor.saturating_add(len);
                        if end.saturating_add(2) > limits.max_frame_len {
                            return Err(DecodeError::TooLong(limits.max_frame_len));
                        }
                        self.payload_end = Some(end);
                        continue;
                    }
                    Header::Aggregate(count) if count > 0 => {
                        self.open_aggregate(count, limits)?;
                        continue;
                    }
                    Header::Aggregate(_) | Header::Value => {}
                }
            }
            if self.close_value() {
                let len = self.cursor;
                *self = Self::default();
                return Ok(Some(len));
            }
        }
    }

    fn open_aggregate(&mut self, count: usize, limits: &FrameLimits) -> Result<(), DecodeError> {
        self.elements = self.elements.saturating_add(count);
        if self.elements > limits.max_elements {
            return Err(DecodeError::TooManyElements(limits.max_elements));
        }
        if self.open.len() >= limits.max_depth {
            return Err(DecodeError::TooDeep(limits.max_depth));
        }
        self.open.push(count);
        Ok(())
    }

    /// Counts a finished value; `true` if the whole frame is finished with it.
    fn close_value(&mut self) -> bool {
        while let Some(missing) = self.open.last_mut() {
            *missing -= 1;
            if *missing > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }

    /// Length of the line at the cursor without its `\r\n`.
    fn line(&mut self, buf: &[u8]) -> Result<Option<usize>, DecodeError> {
        let text = buf.get(self.cursor..).unwrap_or_default();
        while let Some(found) = memchr(b'\n', text.get(self.searched..).unwrap_or_default()) {
            let feed = self.searched + found;
            if feed > 0 && text[feed - 1] == b'\r' {
                self.searched = 0;
                return Ok(Some(feed - 1));
            }
            self.searched = feed + 1;
        }
        self.searched = text.len();
        if text.len() > MAX_LINE_LEN {
            return Err(DecodeError::LineTooLong);
        }
        Ok(None)
    }
}

fn header(line: &[u8], protocol: Protocol) -> Result<Header, DecodeError> {
    let (&kind, text) = line.split_first().ok_or(DecodeError::EmptyLine)?;
    let resp2 = protocol == Protocol::Resp2;
    match kind {
        b'+' | b'-' | b':' => Ok(Header::Value),
        b'$' | b'*' if resp2 && text == b"-1" => Ok(Header::Value),
        b'$' => Ok(Header::Payload(length(text)?)),
        b'*' => Ok(Header::Aggregate(length(text)?)),
        _ if resp2 => Err(DecodeError::UnknownType(kind)),
        b'_' | b',' | b'#' | b'(' => Ok(Header::Value),
        b'!' | b'=' => Ok(Header::Payload(length(text)?)),
        b'~' | b'>' => Ok(Header::Aggregate(length(text)?)),
        b'%' => Ok(Header::Aggregate(length(text)?.saturating_mul(2))),
        // The value that the attribute belongs to follows its pairs.
        b'|' => Ok(Header::Aggregate(
            length(text)?.saturating_mul(2).saturating_add(1),
        )),
        _ => Err(DecodeError::UnknownType(kind)),
    }
}

fn length(text: &[u8]) -> Result<usize, DecodeError> {
    parse_i64(text)
        .and_then(|len| usize::try_from(len).ok())
        .ok_or(DecodeError::InvalidLength)
}
