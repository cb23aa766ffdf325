//! Intsets: sets of integers only.
//!
//! ```text
//! bytes per integer (2, 4 or 8) u32 LE | integers u32 LE | integer LE..., ascending
//! ```
//!
//! Invariant: an intset is not empty, ascends strictly, and is written as narrow as its integers allow.

use super::PayloadError;
use super::item::{Item, Walked};
use super::listpack::number;
use super::strings::take;
use crate::db::varint::Reader;

/// The intset of these integers, in any order and each once.
pub(super) fn write(mut numbers: Vec<i64>) -> Vec<u8> {
    numbers.sort_unstable();
    let fits = |low, high| numbers.iter().all(|number| (low..=high).contains(number));
    let width = if fits(i16::MIN.into(), i16::MAX.into()) {
        2
    } else if fits(i32::MIN.into(), i32::MAX.into()) {
        4
    } else {
        8
    };
    let mut out = Vec::with_capacity(8 + width * numbers.len());
    out.extend_from_slice(&(width as u32).to_le_bytes());
    out.extend_from_slice(&(numbers.len() as u32).to_le_bytes());
    for number in numbers {
        out.extend(number.to_le_bytes().into_iter().take(width));
    }
    out
}

/// The integers of an intset that is all of `bytes`.
pub(super) fn walk(bytes: &[u8]) -> impl Iterator<Item = Walked<'_>> {
    let mut reader = Reader::new(bytes);
    let width = begin(&mut reader);
    let mut before = None;
    let mut next = move || -> Result<Option<Item<'_>>, PayloadError> {
        let width = width?;
        if reader.is_empty() {
            return Ok(None);
        }
        let number = match width {
            2 => number::<2>(&mut reader)?,
            4 => number::<4>(&mut reader)?,
            _ => number::<8>(&mut reader)?,
        };
        if before.is_some_and(|before| before >= number) {
            return Err(PayloadError::Format);
        }
        before = Some(number);
        Ok(Some(Item::Number(number)))
    };
    std::iter::from_fn(move || next().transpose())
}

/// How wide the integers are, if they are as many as is said.
fn begin(reader: &mut Reader<'_>) -> Result<u32, PayloadError> {
    let width = u32::from_le_bytes(take(reader)?);
    let count = u32::from_le_bytes(take(reader)?);
    let len = u64::from(width) * u64::from(count);
    if matches!(width, 2 | 4 | 8) && count > 0 && len == reader.rest().len() as u64 {
        Ok(width)
    } else {
        Err(PayloadError::Format)
    }
}
