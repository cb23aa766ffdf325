//! What a payload holds, of whichever encoding: all that Redis 7.2 can RESTORE, but for modules.
//!
//! ```text
//!  0 string   | string
//!  1 list     | length, string...              10 ziplist    14 nodes: length, ziplist...
//!                                              18 nodes: length, (1, string | 2, listpack)...
//!  2 set      | length, string...              11 intset     20 listpack
//!  3 sorted   | length, (string, score text)...  5 length, (string, f64 LE)...   12 ziplist   17 listpack
//!  4 hash     | length, (string, string)...     9 zipmap     13 ziplist   16 listpack
//! 15, 19 and 21 stream, see `stream`
//! score text = 253 NaN | 254 inf | 255 -inf | u8 length, text
//! ```
//! A ziplist, listpack, zipmap or intset is the bytes of a string.
//!
//! Invariant: no collection is empty but a stream, no field or member is there twice, no score is NaN. Lengths that are read only say when
//! to stop, never how much to allocate.

use std::collections::HashSet;

use super::item::{Item, Pairs, pairs, singles};
use super::strings::{take, take_len, take_string};
use super::{PayloadError, intset, listpack, stream, ziplist};
use crate::db::stream::Stream;
use crate::db::varint::Reader;
use crate::resp::parse_f64;

/// Types, as RDB numbers them.
pub(super) mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const ZSET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const ZSET_2: u8 = 5;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const ZSET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const ZSET_LISTPACK: u8 = 17;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const STREAM_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    pub const STREAM_3: u8 = 21;
}

/// A list's node that is one element.
pub(super) const NODE_PLAIN: usize = 1;
/// A list's node that is a listpack.
pub(super) const NODE_PACKED: usize = 2;

/// A value that a payload holds; elements in the order in which they stand there.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A string.
    String(Vec<u8>),
    /// Fields, each once, with their values.
    Hash(Vec<(Vec<u8>, Vec<u8>)>),
    /// Members, each once.
    Set(Vec<Vec<u8>>),
    /// Members, each once, with their scores, in any order.
    Zset(Vec<(Vec<u8>, f64)>),
    /// Elements, head first.
    List(Vec<Vec<u8>>),
    /// A stream.
    Stream(Box<Stream>),
}

/// Reads type and value.
pub(super) fn take_content(reader: &mut Reader<'_>) -> Result<Content, PayloadError> {
    let kind = reader.u8()?;
    take_value(kind, reader)
}

/// Reads the value of a type, as RDB numbers them.
pub fn take_value(kind: u8, reader: &mut Reader<'_>) -> Result<Content, PayloadError> {
    let content = match kind {
        kind::STRING => Content::String(take_string(reader)?.into_owned()),
        kind
        @ (kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2) => {
            Content::List(take_list(reader, kind)?)
        }
        kind @ (kind::SET | kind::SET_INTSET | kind::SET_LISTPACK) => {
            Content::Set(take_set(reader, kind)?)
        }
        kind @ (kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK) => {
            Content::Zset(take_zset(reader, kind)?)
        }
        kind @ (kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK) => {
            Content::Hash(take_hash(reader, kind)?)
        }
        kind @ (kind::STREAM | kind::STREAM_2 | kind::STREAM_3) => {
            Content::Stream(Box::new(stream::read(reader, kind)?))
        }
        _ => return Err(PayloadError::Format),
    };
    if content.is_sound() {
        Ok(content)
    } else {
        Err(PayloadError::Format)
    }
}

impl Content {
    /// Whether values of a type, as RDB numbers them, can be read.
    pub fn is_known(kind: u8) -> bool {
        matches!(kind, kind::STRING..=kind::ZSET_2 | kind::HASH_ZIPMAP..=kind::STREAM_3)
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) => true,
            Self::List(elements) => !elements.is_empty(),
            Self::Set(members) => is_set(members.iter()),
            Self::Hash(fields) => is_set(fields.iter().map(|(field, _)| field)),
            Self::Zset(members) => {
                members.iter().all(|(_, score)| !score.is_nan())
                    && is_set(members.iter().map(|(member, _)| member))
            }
        }
    }
}

/// Whether there are any, and each once.
fn is_set<'a>(mut keys: impl ExactSizeIterator<Item = &'a Vec<u8>>) -> bool {
    let mut seen = HashSet::new();
    keys.len() > 0 && keys.all(|key| seen.insert(key))
}

fn take_list(reader: &mut Reader<'_>, kind: u8) -> Result<Vec<Vec<u8>>, PayloadError> {
    let mut out = Vec::new();
    if kind == kind::LIST_ZIPLIST {
        singles(&mut out, ziplist::walk(&take_string(reader)?))?;
        return Ok(out);
    }
    for _ in 0..take_len(reader)? {
        let node = match kind {
            kind::LIST_QUICKLIST_2 => take_len(reader)?,
            kind::LIST_QUICKLIST => NODE_PACKED,
            _ => NODE_PLAIN,
        };
        let bytes = take_string(reader)?;
        match (kind, node) {
            (kind::LIST_QUICKLIST, _) => singles(&mut out, ziplist::walk(&bytes))?,
            (_, NODE_PACKED) => singles(&mut out, listpack::walk(&bytes))?,
            // A node is never empty, an element of the oldest form may be.
            (kind::LIST_QUICKLIST_2, _) if bytes.is_empty() => return Err(PayloadError::Format),
            (_, NODE_PLAIN) => out.push(bytes.into_owned()),
            _ => return Err(PayloadError::Format),
        }
    }
    Ok(out)
}

fn take_set(reader: &mut Reader<'_>, kind: u8) -> Result<Vec<Vec<u8>>, PayloadError> {
    let mut out = Vec::new();
    match kind {
        kind::SET_INTSET => singles(&mut out, intset::walk(&take_string(reader)?))?,
        kind::SET_LISTPACK => singles(&mut out, listpack::walk(&take_string(reader)?))?,
        _ => {
            for _ in 0..take_len(reader)? {
                out.push(take_string(reader)?.into_owned());
            }
        }
    }
    Ok(out)
}

fn take_hash(reader: &mut Reader<'_>, kind: u8) -> Result<Pairs<Vec<u8>>, PayloadError> {
    let value = |item: Item<'_>| Ok(item.text().into_owned());
    match kind {
        kind::HASH_ZIPMAP => pairs(ziplist::walk_zipmap(&take_string(reader)?), value),
        kind::HASH_ZIPLIST => pairs(ziplist::walk(&take_string(reader)?), value),
        kind::HASH_LISTPACK => pairs(listpack::walk(&take_string(reader)?), value),
        _ => take_pairs(reader, |reader| Ok(take_string(reader)?.into_owned())),
    }
}

fn take_zset(reader: &mut Reader<'_>, kind: u8) -> Result<Pairs<f64>, PayloadError> {
    match kind {
        kind::ZSET_ZIPLIST => pairs(ziplist::walk(&take_string(reader)?), Item::score),
        kind::ZSET_LISTPACK => pairs(listpack::walk(&take_string(reader)?), Item::score),
        kind::ZSET_2 => take_pairs(reader, |reader| Ok(f64::from_le_bytes(take(reader)?))),
        _ => take_pairs(reader, take_score_text),
    }
}

fn take_pairs<T>(
    reader: &mut Reader<'_>,
    value: impl Fn(&mut Reader<'_>) -> Result<T, PayloadError>,
) -> Result<Pairs<T>, PayloadError> {
    let mut out = Vec::new();
    for _ in 0..take_len(reader)? {
        let key = take_string(reader)?.into_owned();
        out.push((key, value(reader)?));
    }
    Ok(out)
}

fn take_score_text(reader: &mut Reader<'_>) -> Result<f64, PayloadError> {
    match reader.u8()? {
        253 => Err(PayloadError::Format),
        254 => Ok(f64::INFINITY),
        255 => Ok(f64::NEG_INFINITY),
        len => parse_f64(reader.take(usize::from(len))?).ok_or(PayloadError::Format),
    }
}
