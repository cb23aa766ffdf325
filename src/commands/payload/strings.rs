//! Lengths and strings as RDB spells them; all else in a payload is made of these.
//!
//! ```text
//! string = length | that many bytes
//!        | 0xc0 | i8       | 0xc1 | i16 LE      | 0xc2 | i32 LE         the number's decimal text
//!        | 0xc3 | length compressed | length | LZF                      read only
//! length = 0b00 6 bits | 0b01 14 bits BE | 0x80 u32 BE | 0x81 u64 BE
//! ```
//!
//! Invariant: what is read costs no memory beyond what is there, but for LZF, which cannot grow without bound.

use std::borrow::Cow;

use super::{PayloadError, lzf};
use crate::db::op::STRING_LEN_MAX;
use crate::db::varint::Reader;
use crate::resp::parse_i64;

/// Texts that are longer are no number of 32 bits.
const NUMBER_LEN_MAX: usize = 11;

/// Appends a string.
pub fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    let number = Some(value).filter(|value| value.len() <= NUMBER_LEN_MAX);
    let number = number.and_then(parse_i64);
    let number = number.and_then(|number| i32::try_from(number).ok());
    if let Some(number) = number {
        if let Ok(number) = i8::try_from(number) {
            out.push(0xc0);
            out.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i16::try_from(number) {
            out.push(0xc1);
            out.extend_from_slice(&number.to_le_bytes());
        } else {
            out.push(0xc2);
            out.extend_from_slice(&number.to_le_bytes());
        }
        return;
    }
    put_len(out, value.len());
    out.extend_from_slice(value);
}

/// Appends a length.
pub fn put_len(out: &mut Vec<u8>, len: usize) {
    match len {
        0..0x40 => out.push(len as u8),
        0x40..0x4000 => out.extend_from_slice(&(0x4000 | len as u16).to_be_bytes()),
        _ => match u32::try_from(len) {
            Ok(len) => {
                out.push(0x80);
                out.extend_from_slice(&len.to_be_bytes());
            }
            Err(_) => {
                out.push(0x81);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        },
    }
}

/// A length, or the kind of what stands in its place.
enum Length {
    Of(usize),
    Encoded(u8),
}

fn take_length(reader: &mut Reader<'_>) -> Result<Length, PayloadError> {
    let first = reader.u8()?;
    let len = match (first >> 6, first) {
        (0, _) => u64::from(first),
        (1, _) => u64::from(first & 0x3f) << 8 | u64::from(reader.u8()?),
        (3, _) => return Ok(Length::Encoded(first & 0x3f)),
        (_, 0x80) => u64::from(u32::from_be_bytes(take(reader)?)),
        (_, 0x81) => u64::from_be_bytes(take(reader)?),
        _ => return Err(PayloadError::Format),
    };
    usize::try_from(len)
        .map(Length::Of)
        .map_err(|_| PayloadError::Format)
}

/// A length that no string's encoding stands in place of.
pub fn take_len(reader: &mut Reader<'_>) -> Result<usize, PayloadError> {
    match take_length(reader)? {
        Length::Of(len) => Ok(len),
        Length::Encoded(_) => Err(PayloadError::Format),
    }
}

/// So many bytes.
pub fn take<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], PayloadError> {
    let bytes = reader.take(N)?;
    bytes.try_into().map_err(|_| PayloadError::Format)
}

/// A string.
pub fn take_string<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, [u8]>, PayloadError> {
    let number = match take_length(reader)? {
        Length::Of(len) if len > STRING_LEN_MAX => return Err(PayloadError::Format),
        Length::Of(len) => return Ok(Cow::Borrowed(reader.take(len)?)),
        Length::Encoded(0) => i32::from(i8::from_le_bytes(take(reader)?)),
        Length::Encoded(1) => i32::from(i16::from_le_bytes(take(reader)?)),
        Length::Encoded(2) => i32::from_le_bytes(take(reader)?),
        Length::Encoded(3) => {
            let compressed_len = take_len(reader)?;
            let len = take_len(reader)?;
            return lzf::decompress(reader.take(compressed_len)?, len).map(Cow::Owned);
        }
        Length::Encoded(_) => return Err(PayloadError::Format),
    };
    let text = itoa::Buffer::new().format(number).as_bytes().to_vec();
    Ok(Cow::Owned(text))
}
