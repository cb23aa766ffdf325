//! Ziplists and zipmaps: the small collections of Redis before 7.0 and before 2.6. Only read.
//!
//! ```text
//! ziplist = all bytes u32 LE | offset of the last element u32 LE | elements u16 LE, 0xffff = not counted | element... | 0xff
//! element = length of the element before, u8 below 254 or 0xfe u32 LE, then
//!           0b00 6 bits length, bytes | 0b01 14 bits length BE, bytes | 0b10, u32 BE length, bytes
//!         | 0xc0 i16 LE | 0xd0 i32 LE | 0xe0 i64 LE | 0xf0 i24 LE | 0xfe i8 | 0xf1..=0xfd 0 to 12
//! zipmap = pairs u8, 0xfe = not counted | pair... | 0xff
//! pair   = length | field | length | free u8 | value | as many free bytes
//! length = u8 below 254 | 0xfe u32 LE, where no end can be 0xff, too
//! ```
//!
//! Invariant: as `ziplistValidateIntegrity` and `zipmapValidateIntegrity`, no less is checked.

use super::PayloadError;
use super::item::{Item, Walked};
use super::listpack::number;
use super::strings::take;
use crate::db::varint::Reader;

const END: u8 = 0xff;
/// From here on a length is not the byte itself.
const LONG: u8 = 0xfe;
const UNCOUNTED: u16 = u16::MAX;

/// The elements of a ziplist that is all of `bytes`.
pub(super) fn walk(bytes: &[u8]) -> impl Iterator<Item = Walked<'_>> {
    let mut walk = Ziplist::begin(bytes);
    std::iter::from_fn(move || match walk.as_mut() {
        Ok(inner) => inner.next().transpose(),
        Err(error) => Some(Err(*error)),
    })
}

struct Ziplist<'a> {
    reader: Reader<'a>,
    len: usize,
    /// As the head says.
    last: usize,
    count: u16,
    seen: usize,
    /// How long the element before was.
    before: usize,
}

impl<'a> Ziplist<'a> {
    fn begin(bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(bytes);
        let len = length(take(&mut reader)?)?;
        let last = length(take(&mut reader)?)?;
        let count = u16::from_le_bytes(take(&mut reader)?);
        if len != bytes.len() || last >= len {
            return Err(PayloadError::Format);
        }
        Ok(Self {
            reader,
            len,
            last,
            count,
            seen: 0,
            before: 0,
        })
    }

    /// The next element; after the last one, whether the end is right.
    fn next(&mut self) -> Result<Option<Item<'a>>, PayloadError> {
        let mut reader = self.reader;
        let left = reader.rest().len();
        let before = match reader.u8()? {
            END => return self.end(reader),
            LONG => length(take(&mut reader)?)?,
            len => usize::from(len),
        };
        if before != self.before {
            return Err(PayloadError::Format);
        }
        let kind = reader.u8()?;
        let item = match kind {
            0..0x40 => Item::Text(reader.take(usize::from(kind))?),
            0x40..0x80 => {
                let len = u16::from_be_bytes([kind & 0x3f, reader.u8()?]);
                Item::Text(reader.take(usize::from(len))?)
            }
            0x80..0xc0 => {
                let len = u32::from_be_bytes(take(&mut reader)?);
                Item::Text(reader.take(length(len.to_le_bytes())?)?)
            }
            0xc0 => Item::Number(number::<2>(&mut reader)?),
            0xd0 => Item::Number(number::<4>(&mut reader)?),
            0xe0 => Item::Number(number::<8>(&mut reader)?),
            0xf0 => Item::Number(number::<3>(&mut reader)?),
            0xf1..=0xfd => Item::Number(i64::from(kind) - 0xf1),
            0xfe => Item::Number(number::<1>(&mut reader)?),
            _ => return Err(PayloadError::Format),
        };
        self.before = left - reader.rest().len();
        self.seen += 1;
        self.reader = reader;
        Ok(Some(item))
    }

    fn end(&self, behind: Reader<'_>) -> Result<Option<Item<'a>>, PayloadError> {
        let counted = self.count == UNCOUNTED || usize::from(self.count) == self.seen;
        // The end is one byte, and the last element lies right before it.
        let last_found = self.seen == 0 || self.last + self.before + 1 == self.len;
        if behind.is_empty() && counted && last_found {
            Ok(None)
        } else {
            Err(PayloadError::Format)
        }
    }
}

fn length(bytes: [u8; 4]) -> Result<usize, PayloadError> {
    usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| PayloadError::Format)
}

/// Fields and values, in turn, of a zipmap that is all of `bytes`.
pub(super) fn walk_zipmap(bytes: &[u8]) -> impl Iterator<Item = Walked<'_>> {
    let mut reader = Reader::new(bytes);
    let count = reader.u8();
    let mut seen = 0_usize;
    let mut value_is_next = false;
    let mut next = move || -> Result<Option<Item<'_>>, PayloadError> {
        let count = count?;
        let is_value = value_is_next;
        let mut ahead = reader;
        let len = match ahead.u8()? {
            END if !is_value => {
                let counted = count == LONG || usize::from(count) == seen;
                return if ahead.is_empty() && counted {
                    Ok(None)
                } else {
                    Err(PayloadError::Format)
                };
            }
            // 0xff is a length where no end can be.
            LONG.. => length(take(&mut ahead)?)?,
            len => usize::from(len),
        };
        let free = if is_value { ahead.u8()? } else { 0 };
        let text = ahead.take(len)?;
        ahead.take(usize::from(free))?;
        reader = ahead;
        seen += usize::from(is_value);
        value_is_next = !is_value;
        Ok(Some(Item::Text(text)))
    };
    std::iter::from_fn(move || next().transpose())
}
