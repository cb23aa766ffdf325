//! What DUMP gives and RESTORE takes, and files keep: a value in the bytes of RDB, the version of RDB, and a checksum. Interchangeable with
//! Redis 7.0 and 7.2.
//!
//! ```text
//! type | value | anything | version u16 LE | CRC-64 (Jones) of all before, u64 LE
//! ```
//! What stands between value and footer is skipped, as in Redis: KeyDB puts a stamp there.
//!
//! - `body`: values as they are written, [`Body`]; `content`: values as they are read, [`Content`].
//! - `stream`: streams.
//! - `strings`: lengths and strings; `lzf`: strings that are compressed.
//! - `listpack`, `ziplist`, `intset`: small collections within one string; `item`: their elements.
//!
//! Invariant: any bytes are refused or taken; none cost more memory than what they hold, which is no more than LZF can really
//! make of them.

mod body;
mod content;
mod functions;
mod intset;
mod item;
mod listpack;
mod lzf;
mod stream;
mod strings;
mod ziplist;

use crc::{CRC_64_REDIS, Crc, Table};

use crate::db::varint::{Malformed, Reader};

pub use body::{Body, SetForm};
pub use content::{Content, take_value};
pub use functions::{FUNCTION, dump_functions, restore_functions};
pub use strings::{put_len, put_string, take, take_len, take_string};

/// The version written, that of Redis 7.0.
const VERSION: u16 = 10;
/// The latest version read, that of Redis 7.2.
const VERSION_MAX: u16 = 11;
const FOOTER_LEN: usize = 10;

/// The sum of payloads and files.
pub static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

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
    Body::string(value).seal()
}

/// How long a string is in a payload, without type and footer.
pub fn serialized_len(value: &[u8]) -> usize {
    Body::string(value).serialized_len()
}

/// The string in a payload.
pub fn restore(payload: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let mut reader = open(payload)?;
    // Of another type, nothing is read in vain.
    if reader.rest().first() != Some(&content::kind::STRING) {
        return Err(PayloadError::Format);
    }
    match content::take_content(&mut reader)? {
        Content::String(value) => Ok(value),
        _ => Err(PayloadError::Format),
    }
}

/// The value in a payload.
pub fn restore_content(payload: &[u8]) -> Result<Content, PayloadError> {
    content::take_content(&mut open(payload)?)
}

fn seal(mut out: Vec<u8>) -> Vec<u8> {
    out.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = CRC.checksum(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// A reader at the type, if the footer is right.
fn open(payload: &[u8]) -> Result<Reader<'_>, PayloadError> {
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
    Ok(Reader::new(payload))
}

#[cfg(test)]
mod tests;
