//! Listpacks: the small collections of Redis 7 and the nodes of its lists.
//!
//! ```text
//! all bytes u32 LE | elements u16 LE, 0xffff = not counted | element... | 0xff
//! element = 0b0 7 bits unsigned | 0b110 13 bits signed BE
//!         | 0xf1 i16 LE | 0xf2 i24 LE | 0xf3 i32 LE | 0xf4 i64 LE
//!         | 0b10 6 bits length, bytes | 0xe 12 bits length BE, bytes | 0xf0 u32 LE length, bytes
//!         then the element's length in groups of 7 bits, most significant first, all but the first marked
//! ```
//!
//! Invariant: what is written is the one spelling that Redis uses; what is read is checked to the last byte.

use super::PayloadError;
use super::item::{Item, Walked};
use super::strings::take;
use crate::db::varint::Reader;
use crate::resp::parse_i64;

const HEAD_LEN: usize = 6;
const END: u8 = 0xff;
/// Stands where elements are too many to be counted.
const UNCOUNTED: u16 = u16::MAX;

/// A listpack that is being written.
///
/// Lengths are 32 bits: whoever chooses a listpack keeps it far shorter.
pub(super) struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Writer {
    pub fn new() -> Self {
        Self {
            bytes: vec![0; HEAD_LEN],
            count: 0,
        }
    }

    /// How long the listpack is as it stands, with its end.
    pub fn len(&self) -> usize {
        self.bytes.len() + 1
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds an element, as a number if it is the text of one.
    pub fn push(&mut self, element: &[u8]) {
        if let Some(number) = parse_i64(element) {
            return self.push_number(number);
        }
        let start = self.bytes.len();
        let len = element.len();
        match len {
            0..0x40 => self.bytes.push(0x80 | len as u8),
            0x40..0x1000 => {
                let head = (0xe000 | len as u16).to_be_bytes();
                self.bytes.extend_from_slice(&head);
            }
            _ => {
                self.bytes.push(0xf0);
                self.bytes.extend_from_slice(&(len as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(element);
        self.end_element(start);
    }

    pub fn push_number(&mut self, number: i64) {
        let start = self.bytes.len();
        let bytes = number.to_le_bytes();
        let (kind, len) = match number {
            0..=0x7f => (number as u8, 0),
            -0x1000..=0xfff => {
                let head = 0xc000 | (number as u16 & 0x1fff);
                self.bytes.extend_from_slice(&head.to_be_bytes());
                return self.end_element(start);
            }
            -0x8000..=0x7fff => (0xf1, 2),
            -0x80_0000..=0x7f_ffff => (0xf2, 3),
            -0x8000_0000..=0x7fff_ffff => (0xf3, 4),
            _ => (0xf4, 8),
        };
        self.bytes.push(kind);
        self.bytes.extend(bytes.into_iter().take(len));
        self.end_element(start);
    }

    fn end_element(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        put_back_len(&mut self.bytes, len);
        self.count += 1;
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let len = self.bytes.len() as u32;
        let count = u16::try_from(self.count).unwrap_or(UNCOUNTED);
        let head = len.to_le_bytes().into_iter().chain(count.to_le_bytes());
        for (place, byte) in self.bytes.iter_mut().zip(head) {
            *place = byte;
        }
        self.bytes
    }
}

/// How many groups the length of an element takes. Redis's bounds leave the last value of each size to the next.
fn back_len_len(len: usize) -> usize {
    match len {
        0..=0x7f => 1,
        0x80..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

fn back_len(len: usize) -> impl Iterator<Item = u8> {
    let groups = back_len_len(len);
    (0..groups).rev().map(move |group| {
        let mark = if group + 1 == groups { 0 } else { 0x80 };
        (len >> (7 * group)) as u8 & 0x7f | mark
    })
}

fn put_back_len(out: &mut Vec<u8>, len: usize) {
    out.extend(back_len(len));
}

/// The elements of a listpack that is all of `bytes`.
pub(super) fn walk(bytes: &[u8]) -> impl Iterator<Item = Walked<'_>> {
    let mut walk = Walk::begin(bytes);
    std::iter::from_fn(move || match walk.as_mut() {
        Ok(inner) => inner.next().transpose(),
        Err(error) => Some(Err(*error)),
    })
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// As the head says.
    count: u16,
    seen: usize,
}

impl<'a> Walk<'a> {
    fn begin(bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(bytes);
        let len = u32::from_le_bytes(take(&mut reader)?);
        let count = u16::from_le_bytes(take(&mut reader)?);
        if u64::from(len) != bytes.len() as u64 {
            return Err(PayloadError::Format);
        }
        Ok(Self {
            reader,
            count,
            seen: 0,
        })
    }

    /// The next element; after the last one, whether the end is right.
    fn next(&mut self) -> Result<Option<Item<'a>>, PayloadError> {
        let mut reader = self.reader;
        let before = reader.rest().len();
        let kind = reader.u8()?;
        let item = match kind {
            0..0x80 => Item::Number(i64::from(kind)),
            0x80..0xc0 => Item::Text(reader.take(usize::from(kind & 0x3f))?),
            0xc0..0xe0 => {
                let bits = u16::from_be_bytes([kind, reader.u8()?]);
                // The sign is the 13th bit.
                Item::Number(i64::from((bits << 3) as i16 >> 3))
            }
            0xe0..0xf0 => {
                let len = u16::from_be_bytes([kind & 0xf, reader.u8()?]);
                Item::Text(reader.take(usize::from(len))?)
            }
            0xf0 => {
                let len = u32::from_le_bytes(take(&mut reader)?);
                let len = usize::try_from(len).map_err(|_| PayloadError::Format)?;
                Item::Text(reader.take(len)?)
            }
            0xf1 => Item::Number(number::<2>(&mut reader)?),
            0xf2 => Item::Number(number::<3>(&mut reader)?),
            0xf3 => Item::Number(number::<4>(&mut reader)?),
            0xf4 => Item::Number(number::<8>(&mut reader)?),
            END => {
                let counted = self.count == UNCOUNTED || usize::from(self.count) == self.seen;
                return if reader.is_empty() && counted {
                    Ok(None)
                } else {
                    Err(PayloadError::Format)
                };
            }
            _ => return Err(PayloadError::Format),
        };
        let len = before - reader.rest().len();
        let written = reader.take(back_len_len(len))?;
        if !written.iter().copied().eq(back_len(len)) {
            return Err(PayloadError::Format);
        }
        self.reader = reader;
        self.seen += 1;
        Ok(Some(item))
    }
}

/// A signed number of `N` (at most 8) bytes, least significant first.
pub(super) fn number<const N: usize>(reader: &mut Reader<'_>) -> Result<i64, PayloadError> {
    let bytes: [u8; N] = take(reader)?;
    let fill = if bytes.last().is_some_and(|last| *last >= 0x80) {
        0xff
    } else {
        0
    };
    let mut wide = [fill; 8];
    for (place, byte) in wide.iter_mut().zip(bytes) {
        *place = byte;
    }
    Ok(i64::from_le_bytes(wide))
}
