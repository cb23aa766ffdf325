//! Ids of stream entries, as Redis writes them: milliseconds and a number among those of the same millisecond.

use std::fmt;

/// No longer text is an id.
const TEXT_LEN_MAX: usize = 127;

/// A number of milliseconds and a number among those of the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Milliseconds, mostly since 1970.
    pub ms: u64,
    /// Which of the same millisecond.
    pub seq: u64,
}

impl StreamId {
    /// No entry's.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest there is.
    pub const MAX: Self = Self {
        ms: u64::MAX,
        seq: u64::MAX,
    };

    /// The one behind it; none behind the greatest.
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self {
                ms: self.ms.checked_add(1)?,
                seq: 0,
            }),
        }
    }

    /// The one before it; none before the least.
    pub fn prev(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => Some(Self {
                ms: self.ms.checked_sub(1)?,
                seq: u64::MAX,
            }),
        }
    }

    /// Reads `ms-seq` or `ms`, where `seq` is what a missing one stands for.
    pub fn parse(text: &[u8], seq: u64) -> Option<Self> {
        let text = text.split(|byte| *byte == 0).next()?;
        let mut parts = text.splitn(2, |byte| *byte == b'-');
        let ms = number(parts.next()?).filter(|_| text.len() <= TEXT_LEN_MAX)?;
        let seq = parts.next().map_or(Some(seq), number)?;
        Some(Self { ms, seq })
    }

    /// Reads `ms-*`: the milliseconds.
    pub fn parse_open(text: &[u8]) -> Option<u64> {
        number(text.strip_suffix(b"-*")?)
    }
}

/// A number as C's `strtoull` reads it, which Redis leaves the rest to that its own function refuses: with blanks, a plus and zeros
/// in front, and behind a minus, where zeros follow, what wraps around.
fn number(text: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let begin = text.iter().position(|byte| !is_blank(byte))?;
    let text = &text[begin..];
    let (digits, is_negative) = match text.split_first()? {
        (b'+', digits) => (digits, false),
        (b'-', digits) => (digits, true),
        _ => (text, false),
    };
    let is_plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let value: u64 = std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()?;
    let is_small = begin == 0 && !digits.starts_with(b"0") && value <= i64::MIN.unsigned_abs();
    match is_negative {
        true if is_small => None,
        true => Some(value.wrapping_neg()),
        false => Some(value),
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written_as_redis_does() {
        let id = |ms, seq| Some(StreamId { ms, seq });
        assert_eq!(StreamId::parse(b"12-3", 9), id(12, 3));
        assert_eq!(StreamId::parse(b"12", 9), id(12, 9));
        assert_eq!(StreamId::parse(b"0-0", 9), id(0, 0));
        let max = b"18446744073709551615-18446744073709551615";
        assert_eq!(StreamId::parse(max, 0), Some(StreamId::MAX));
        assert_eq!(StreamId::MAX.to_string().as_bytes(), max);
        let loose: [(&[u8], _); 5] = [
            (b"01-02", id(1, 2)),
            (b"+9-1", id(9, 1)),
            (b"11- 1", id(11, 1)),
            (b"1--05", id(1, 5_u64.wrapping_neg())),
            (b"1-2\0x", id(1, 2)),
        ];
        for (text, read) in loose {
            assert_eq!(StreamId::parse(text, 0), read, "{text:?}");
        }
        let wrong: [&[u8]; 9] = [
            b"",
            b"-",
            b"1-",
            b"-1",
            b"a",
            b"1-a",
            b"1-2-3",
            b"1-*",
            b"18446744073709551616",
        ];
        for text in wrong {
            assert_eq!(StreamId::parse(text, 0), None, "{text:?}");
        }
        assert_eq!(StreamId::parse(&[b'1'; 128], 0), None);
        assert_eq!(StreamId::parse_open(b"5-*"), Some(5));
        assert_eq!(StreamId::parse_open(b"*"), None);
    }

    #[test]
    fn neighbours_go_over_the_ends_of_a_millisecond() {
        let end = StreamId {
            ms: 4,
            seq: u64::MAX,
        };
        let begin = StreamId { ms: 5, seq: 0 };
        assert_eq!((end.next(), begin.prev()), (Some(begin), Some(end)));
        assert_eq!((StreamId::MAX.next(), StreamId::MIN.prev()), (None, None));
    }
}
