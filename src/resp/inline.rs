//! Inline requests: one line, arguments between blanks, quotes and escapes undone in place.
//!
//! Invariant: an argument never grows while it is unescaped, so it is written over its own text
//! and nothing outside the line is touched. Redis's grammar: `"..."` knows `\xHH \n \r \t \b \a`
//! and `\c` for any other byte c, `'...'` knows `\'`; a closing quote ends the argument.

use super::args::Span;
use super::protocol_error::ProtocolError;

/// What `isspace` of the C locale accepts between two arguments.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// What ends an argument outside quotes. Vertical tab and form feed do not, as in Redis.
const fn ends_argument(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// One byte of a double quoted text and how many bytes spelled it. `text` starts at a backslash.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    if let [b'\\', b'x', high, low, ..] = *text
        && let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low))
    {
        return Some((high << 4 | low, 4));
    }
    let byte = match *text.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    };
    Some((byte, 2))
}

/// Splits the line `start..end` of `buf` (line ending excluded) and appends its arguments.
///
/// `end` must fit `u32`; the splitter has checked the length of the buffer.
pub(super) fn split_line(
    buf: &mut [u8],
    start: usize,
    end: usize,
    spans: &mut Vec<Span>,
) -> Result<(), ProtocolError> {
    let line = &mut buf[start..end];
    let mut read = 0;
    loop {
        while line.get(read).is_some_and(|byte| is_blank(*byte)) {
            read += 1;
        }
        if read == line.len() {
            return Ok(());
        }
        let argument = read;
        let mut written = read;
        while let Some(&byte) = line.get(read) {
            match byte {
                b'"' | b'\'' => {
                    let quoted = undo_quotes(line, read, written)?;
                    read = quoted.read;
                    written = quoted.written;
                    break;
                }
                _ if ends_argument(byte) => break,
                _ => {
                    line[written] = byte;
                    written += 1;
                    read += 1;
                }
            }
        }
        spans.push(Span {
            start: (start + argument) as u32,
            end: (start + written) as u32,
        });
    }
}

/// Positions behind a quoted text.
struct Quoted {
    read: usize,
    written: usize,
}

/// Copies the text between the quote at `read` and its partner down to `written`.
fn undo_quotes(line: &mut [u8], read: usize, written: usize) -> Result<Quoted, ProtocolError> {
    let quote = line[read];
    let mut read = read + 1;
    let mut written = written;
    loop {
        let rest = &line[read..];
        let (byte, width) = match *rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [first, ..] if first == quote => {
                read += 1;
                if line.get(read).is_some_and(|byte| !is_blank(*byte)) {
                    return Err(ProtocolError::UnbalancedQuotes);
                }
                return Ok(Quoted { read, written });
            }
            [b'\\', ..] if quote == b'"' => escaped(rest).ok_or(ProtocolError::UnbalancedQuotes)?,
            [b'\\', b'\'', ..] => (b'\'', 2),
            [first, ..] => (first, 1),
        };
        line[written] = byte;
        written += 1;
        read += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
        // Guard bytes show that nothing outside the line is read or written.
        let mut buf = [b"\"(", text, b")\""].concat();
        let mut spans = Vec::new();
        let end = 2 + text.len();
        split_line(&mut buf, 2, end, &mut spans)?;
        assert_eq!((&buf[..2], &buf[end..]), (&b"\"("[..], &b")\""[..]));
        Ok(spans
            .iter()
            .map(|span| buf[span.range()].to_vec())
            .collect())
    }

    #[track_caller]
    fn splits_into(text: &[u8], expected: &[&[u8]]) {
        let expected: Vec<_> = expected.iter().map(|argument| argument.to_vec()).collect();
        assert_eq!(split(text), Ok(expected));
    }

    #[test]
    fn blanks_separate_arguments() {
        splits_into(b"PING", &[b"PING"]);
        splits_into(b"  SET\t a  b ", &[b"SET", b"a", b"b"]);
        splits_into(b"", &[]);
        splits_into(b" \t\x0b\x0c", &[]);
        splits_into(b"a\rb", &[b"a", b"b"]);
    }

    #[test]
    fn vertical_tab_separates_only_before_an_argument() {
        splits_into(b"PING \x0bab\x0bc", &[b"PING", b"ab\x0bc"]);
        splits_into(b"PING \"a\"\x0bb", &[b"PING", b"a", b"b"]);
    }

    #[test]
    fn double_quotes_keep_blanks_and_undo_escapes() {
        splits_into(br#"PING "a b""#, &[b"PING", b"a b"]);
        splits_into(
            br#""\x41\n\r\t\b\a\q\xZZ\\\"" z"#,
            &[b"A\n\r\t\x08\x07qxZZ\\\"", b"z"],
        );
        splits_into(br#""" ''"#, &[b"", b""]);
        splits_into(br#""\x4""#, &[b"x4"]);
    }

    #[test]
    fn single_quotes_undo_only_the_quote_itself() {
        splits_into(br"'it\'s\n' x", &[br"it's\n", b"x"]);
    }

    #[test]
    fn a_quote_may_open_inside_an_argument() {
        splits_into(br#"a"b c" d'e'"#, &[b"ab c", b"de"]);
        splits_into(br"\x41", &[br"\x41"]);
    }

    #[test]
    fn quotes_without_a_partner_are_refused() {
        for text in [
            &br#""a"#[..],
            b"'a",
            br#""a"b"#,
            br#""a\""#,
            br#""a\"#,
            b"''x",
        ] {
            assert_eq!(split(text), Err(ProtocolError::UnbalancedQuotes));
        }
    }
}
