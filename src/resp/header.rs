//! Request lines: the number behind `*` or `$`, and where a line ends.
//!
//! Invariant: no byte is searched twice, and none beyond what a line may have, so a result does
//! not depend on how much has been received behind it.

use memchr::memchr;

use super::split::MAX_LINE_LEN;

/// Outcome of a search for the end of a line.
pub(super) enum Line {
    /// Length of the line without its ending.
    Ends(usize),
    /// Not yet there; so many bytes were searched.
    Open(usize),
    /// More than [`MAX_LINE_LEN`] bytes without an end.
    TooLong,
}

/// The common header: `prefix`, one to three digits, `\r\n`. Returns the number and the offset
/// behind the header. Whatever else stands there is left to the careful readers.
#[inline(always)]
pub(super) fn short_number(buf: &[u8], at: usize, prefix: u8) -> Option<(usize, usize)> {
    // No element is shorter than the 6 bytes of `$0\r\n\r\n`, so the common case has them.
    let head: &[u8; 6] = buf.get(at..)?.first_chunk()?;
    let first = head[1].wrapping_sub(b'0');
    if head[0] != prefix || first > 9 {
        return None;
    }
    let first = usize::from(first);
    if head[2] == b'\r' {
        return Some((first, at + 4));
    }
    let second = head[2].wrapping_sub(b'0');
    if first == 0 || second > 9 {
        return None;
    }
    let two = first * 10 + usize::from(second);
    if head[3] == b'\r' {
        return Some((two, at + 5));
    }
    let third = head[3].wrapping_sub(b'0');
    if third > 9 || head[4] != b'\r' {
        return None;
    }
    Some((two * 10 + usize::from(third), at + 6))
}

/// Finds the `\r` of a header line; the byte behind it must have arrived too.
pub(super) fn count_line(text: &[u8], searched: usize) -> Line {
    match find_line_end(text, b'\r', searched) {
        Line::Ends(width) if width + 1 == text.len() => Line::Open(width),
        line => line,
    }
}

/// Finds `ending`, looking at no byte twice and at no more than a line may have.
pub(super) fn find_line_end(text: &[u8], ending: u8, searched: usize) -> Line {
    let searchable = &text[..text.len().min(MAX_LINE_LEN + 1)];
    let searched = searched.min(searchable.len());
    match memchr(ending, &searchable[searched..]) {
        Some(found) => Line::Ends(searched + found),
        None if text.len() > MAX_LINE_LEN => Line::TooLong,
        None => Line::Open(searchable.len()),
    }
}
