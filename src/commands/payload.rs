//! What DUMP gives and RESTORE takes: a value in the bytes of RDB, the version of RDB, and a checksum. Interchangeable with
//! Redis 7.0 and 7.2.
//!
//! ```text
//! type 0 = string | string | anything | version u16 LE | CRC-64 (Jones) of all before, u64 LE
//! string = length | that many bytes
//!        | 0xc0 | i8       | 0xc1 | i16 LE      | 0xc2 | i32 LE         the number's decimal text
//!        | 0xc3 | length compressed | length | LZF                      read only
//! length = 0b00 6 bits | 0b01 14 bits BE | 0x80 u32 BE | 0x81 u64 BE
//! ```
//! What stands between value and footer is skipped, as in Redis: KeyDB puts a stamp there.
//!
//! Invariant: any bytes are refused or taken; none cost more memory than the longest string, nor much more than LZF can
//! really make of them.

use crc::{CRC_64_REDIS, Crc, Table};

use crate::db::op::STRING_LEN_MAX;
use crate::db::varint::{Malformed, Reader};
use crate::resp::parse_i64;

/// The version written, that of Redis 7.0.
const VERSION: u16 = 10;
/// The latest version read, that of Redis 7.2.
const VERSION_MAX: u16 = 11;
const FOOTER_LEN: usize = 10;
const STRING: u8 = 0;
/// Texts that are longer are no number of 32 bits.
const NUMBER_LEN_MAX: usize = 11;
/// More bytes than a byte of LZF can stand for.
const LZF_RATIO_MAX: usize = 128;

static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

/// Why a payload is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Its footer is missing, of a later version, or not that of these bytes.
    #[error("DUMP payload version or checksum are wrong")]
    Footer,
    /// No value of a type that is known here.
    #[error("Bad data format")]
    Format,
}

impl From<Malformed> for PayloadError {
    fn from(_: Malformed) -> Self {
        Self::Format
    }
}

/// The payload of a string.
pub fn dump(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + 9 + value.len() + FOOTER_LEN);
    out.push(STRING);
    put_string(&mut out, value);
    out.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = CRC.checksum(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// How long a string is in a payload, without type and footer.
pub fn serialized_len(value: &[u8]) -> usize {
    let mut out = Vec::new();
    put_string(&mut out, value);
    out.len()
}

/// The string in a payload.
pub fn restore(payload: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let (checked, checksum) = payload
        .split_last_chunk::<8>()
        .ok_or(PayloadError::Footer)?;
    let (_, version) = checked
        .split_last_chunk::<2>()
        .ok_or(PayloadError::Footer)?;
    if u16::from_le_bytes(*version) > VERSION_MAX
        || CRC.checksum(checked) != u64::from_le_bytes(*checksum)
    {
        return Err(PayloadError::Footer);
    }
    // As in Redis, a length that is too large may lead into the footer.
    let mut reader = Reader::new(payload);
    if reader.u8()? != STRING {
        return Err(PayloadError::Format);
    }
    take_string(&mut reader)
}

fn put_string(out: &mut Vec<u8>, value: &[u8]) {
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

fn put_len(out: &mut Vec<u8>, len: usize) {
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

fn take_plain_length(reader: &mut Reader<'_>) -> Result<usize, PayloadError> {
    match take_length(reader)? {
        Length::Of(len) => Ok(len),
        Length::Encoded(_) => Err(PayloadError::Format),
    }
}

fn take<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], PayloadError> {
    let bytes = reader.take(N)?;
    bytes.try_into().map_err(|_| PayloadError::Format)
}

fn take_string(reader: &mut Reader<'_>) -> Result<Vec<u8>, PayloadError> {
    let number = match take_length(reader)? {
        Length::Of(len) if len > STRING_LEN_MAX => return Err(PayloadError::Format),
        Length::Of(len) => return Ok(reader.take(len)?.to_vec()),
        Length::Encoded(0) => i32::from(i8::from_le_bytes(take(reader)?)),
        Length::Encoded(1) => i32::from(i16::from_le_bytes(take(reader)?)),
        Length::Encoded(2) => i32::from_le_bytes(take(reader)?),
        Length::Encoded(3) => {
            let compressed_len = take_plain_length(reader)?;
            let len = take_plain_length(reader)?;
            return decompress(reader.take(compressed_len)?, len);
        }
        Length::Encoded(_) => return Err(PayloadError::Format),
    };
    Ok(itoa::Buffer::new().format(number).as_bytes().to_vec())
}

/// LZF: a control byte below 32 is followed by one literal more than it says; another one copies from what is there already,
/// its upper three bits and two more saying how much (7: the next byte is added), the others and the next byte how far back.
fn decompress(bytes: &[u8], len: usize) -> Result<Vec<u8>, PayloadError> {
    if len > STRING_LEN_MAX || len > bytes.len().saturating_mul(LZF_RATIO_MAX) {
        return Err(PayloadError::Format);
    }
    let mut out = Vec::with_capacity(len);
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let control = usize::from(reader.u8()?);
        if control < 32 {
            out.extend_from_slice(reader.take(control + 1)?);
        } else {
            let mut count = (control >> 5) + 2;
            if count == 9 {
                count += usize::from(reader.u8()?);
            }
            let back = ((control & 0x1f) << 8 | usize::from(reader.u8()?)) + 1;
            let from = out.len().checked_sub(back).ok_or(PayloadError::Format)?;
            // What is copied may overlap what it is copied to: then it repeats.
            for at in from..from + count {
                out.push(out[at]);
            }
        }
        if out.len() > len {
            return Err(PayloadError::Format);
        }
    }
    if out.len() == len && len > 0 {
        Ok(out)
    } else {
        Err(PayloadError::Format)
    }
}

#[cfg(test)]
mod tests;
