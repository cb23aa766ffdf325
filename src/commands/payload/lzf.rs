//! LZF, the compression of `rdbcompression`; only undone here.
//!
//! A control byte below 32 is followed by one literal more than it says; another one copies from what is there already, its
//! upper three bits and two more saying how much (7: the next byte is added), the others and the next byte how far back.
//!
//! Invariant: memory is taken for no more than the bytes can stand for.

use super::PayloadError;
use crate::db::op::STRING_LEN_MAX;
use crate::db::varint::Reader;

/// More bytes than a byte of LZF can stand for.
pub(super) const RATIO_MAX: usize = 128;

/// The `len` bytes that `bytes` stand for.
pub(super) fn decompress(bytes: &[u8], len: usize) -> Result<Vec<u8>, PayloadError> {
    if len > STRING_LEN_MAX || len > bytes.len().saturating_mul(RATIO_MAX) {
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
                let byte = out.get(at).copied().ok_or(PayloadError::Format)?;
                out.push(byte);
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
