//! The arguments of one command: views into a buffer, never copies.
//!
//! Invariant: every [`Span`] lies inside the buffer it is used with. The splitter guarantees that
//! for the spans it writes, [`ArgsBuffer`] for its own.

use std::ops::{Index, Range};

/// Where one argument lies: byte offsets into the read buffer, `end` excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The offsets as a range for slicing.
    #[inline]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The span seen from a buffer that begins `offset` bytes later.
    #[inline]
    pub(super) const fn earlier(self, offset: u32) -> Self {
        Self {
            start: self.start - offset,
            end: self.end - offset,
        }
    }

    /// The span seen from a buffer that begins `offset` bytes earlier.
    #[inline]
    pub(super) const fn later(self, offset: u32) -> Self {
        Self {
            start: self.start + offset,
            end: self.end + offset,
        }
    }
}

/// The arguments of a command, its name first. Two words and a length: copy it freely.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Arguments at `spans` of `buf`.
    #[inline]
    pub const fn new(buf: &'a [u8], spans: &'a [Span]) -> Self {
        Self { buf, spans }
    }

    /// How many arguments there are, the name included.
    #[inline]
    pub const fn len(self) -> usize {
        self.spans.len()
    }

    /// Whether there is no argument at all.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`. Panics beyond the end, as slices do: arity is checked before.
    #[inline]
    pub fn get(self, index: usize) -> &'a [u8] {
        &self.buf[self.spans[index].range()]
    }

    /// Argument `index`, or `None` beyond the end.
    #[inline]
    pub fn try_get(self, index: usize) -> Option<&'a [u8]> {
        self.buf.get(self.spans.get(index)?.range())
    }

    /// The command's name as the client wrote it; empty if there is no argument.
    #[inline]
    pub fn name(self) -> &'a [u8] {
        self.try_get(0).unwrap_or_default()
    }

    /// The last argument.
    #[inline]
    pub fn last(self) -> Option<&'a [u8]> {
        self.try_get(self.len().checked_sub(1)?)
    }

    /// The arguments without the first `count`; empty if there are fewer.
    #[inline]
    pub fn skip(self, count: usize) -> Self {
        Self {
            buf: self.buf,
            spans: self.spans.get(count..).unwrap_or_default(),
        }
    }

    /// The arguments of `range`. Panics beyond the end, as slices do.
    #[inline]
    pub fn range(self, range: Range<usize>) -> Self {
        Self {
            buf: self.buf,
            spans: &self.spans[range],
        }
    }

    /// All arguments in order.
    #[inline]
    pub fn iter(self) -> ArgsIter<'a> {
        ArgsIter {
            buf: self.buf,
            spans: self.spans.iter(),
        }
    }

    /// The arguments as owned byte strings (a queued transaction, a slow log entry).
    pub fn to_vec(self) -> Vec<Vec<u8>> {
        self.iter().map(<[u8]>::to_vec).collect()
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        self.get(index)
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.iter().map(String::from_utf8_lossy))
            .finish()
    }
}

impl<'a> IntoIterator for Args<'a> {
    type Item = &'a [u8];
    type IntoIter = ArgsIter<'a>;

    #[inline]
    fn into_iter(self) -> ArgsIter<'a> {
        self.iter()
    }
}

/// Iterator over the arguments of a command.
#[derive(Clone)]
pub struct ArgsIter<'a> {
    buf: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for ArgsIter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        Some(&self.buf[self.spans.next()?.range()])
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl DoubleEndedIterator for ArgsIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        Some(&self.buf[self.spans.next_back()?.range()])
    }
}

impl ExactSizeIterator for ArgsIter<'_> {}

/// A command put together by the server itself (script, rewritten effect, queued transaction)
/// in the form that [`Args`] needs. Reusable: `clear` keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct ArgsBuffer {
    buf: Vec<u8>,
    spans: Vec<Span>,
}

impl ArgsBuffer {
    /// An empty command.
    pub fn new() -> Self {
        Self::default()
    }

    /// A command that holds a copy of `args`, or `None` if they pass 4 GB.
    pub fn from_args<'a>(args: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut buffer = Self::new();
        args.into_iter()
            .all(|argument| buffer.push(argument))
            .then_some(buffer)
    }

    /// Appends one argument. Returns `false`, changing nothing, if the whole would pass 4 GB.
    #[must_use = "the argument may not fit"]
    pub fn push(&mut self, argument: &[u8]) -> bool {
        let (Ok(start), Ok(end)) = (
            u32::try_from(self.buf.len()),
            u32::try_from(self.buf.len() + argument.len()),
        ) else {
            return false;
        };
        self.buf.extend_from_slice(argument);
        self.spans.push(Span { start, end });
        true
    }

    /// Forgets the arguments, keeps the memory.
    pub fn clear(&mut self) {
        self.buf.clear();
        self.spans.clear();
    }

    /// The command as handlers see it.
    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.buf, &self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_command_reads_like_a_split_one() {
        let buffer = ArgsBuffer::from_args([&b"SET"[..], b"key", b""]).unwrap();
        let args = buffer.as_args();
        assert_eq!(args.len(), 3);
        assert_eq!(args.name(), b"SET");
        assert_eq!(&args[1], b"key");
        assert_eq!(args.get(2), b"");
        assert_eq!(args.last(), Some(&b""[..]));
        assert_eq!(args.try_get(3), None);
        assert_eq!(args.iter().rev().next_back(), Some(&b"SET"[..]));
        assert_eq!(format!("{args:?}"), r#"["SET", "key", ""]"#);
    }

    #[test]
    fn sub_views_borrow_the_same_buffer() {
        let buffer = ArgsBuffer::from_args([&b"MSET"[..], b"a", b"1", b"b", b"2"]).unwrap();
        let args = buffer.as_args();
        let pairs = args.skip(1);
        assert_eq!(pairs.len(), 4);
        assert_eq!(
            pairs.range(2..4).to_vec(),
            [&b"b"[..], b"2"].map(<[u8]>::to_vec)
        );
        assert!(args.skip(9).is_empty());
        assert_eq!(args.skip(9).name(), b"");
        assert_eq!(args.skip(9).last(), None);
    }

    #[test]
    fn a_cleared_buffer_takes_the_next_command() {
        let mut buffer = ArgsBuffer::from_args([&b"GET"[..], b"a"]).unwrap();
        buffer.clear();
        assert!(buffer.push(b"PING"));
        assert_eq!(buffer.as_args().to_vec(), vec![b"PING".to_vec()]);
    }
}
