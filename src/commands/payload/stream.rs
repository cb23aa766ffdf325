//! Streams in a payload: listpacks of entries, what the stream remembers, and its consumer groups.
//!
//! ```text
//! 15, 19 and 21 = nodes: length, (string of 16 bytes: id of the node, string: listpack)...
//!         entries | last id | from 19 on: first id, max deleted id, entries added
//!         groups: length, (name, last id, from 19 on: entries read, pending, consumers)...
//! pending = length, (16 bytes: id, u64 LE time, deliveries)...
//! consumers = length, (name, u64 LE seen, from 21 on: u64 LE active, length, 16 bytes: id...)...
//! listpack = entries, deleted, fields, name..., 0, entry...
//! entry = flags: 1 deleted, 2 same fields | ms less the node's | seq less the node's | [fields, (name, value)... | value...] | elements
//! ```
//! An id is two lengths, where not said otherwise; in 16 bytes it is big endian. 15 is Redis 5 to 6, 19 Redis 7.0, 21 Redis 7.2.
//!
//! Invariant: 19 is written; what is read has ids that ascend and none behind the last one.

use super::PayloadError;
use super::content::kind;
use super::item::{Item, Walked};
use super::listpack;
use super::strings::{put_len, put_string, take, take_len, take_string};
use crate::db::stream::radix::key_of;
use crate::db::stream::{Entries, Fields, Group, Head, NodeLimits, Stream, StreamId};
use crate::db::varint::{self, Reader};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// Entries whose names are said once are no longer than so many times the payload.
const RATIO_MAX: usize = 128;
/// Or than this.
const ALWAYS: usize = 1 << 20;
/// What entries read is where nobody knows.
const NOT_KNOWN: u64 = u64::MAX;

/// Appends a stream, its type first.
pub(super) fn write(out: &mut Vec<u8>, stream: &Stream) {
    out.push(kind::STREAM_2);
    put_len(out, stream.entries.blocks_len());
    for (base, block) in stream.entries.blocks() {
        put_string_raw(out, &key_of(base));
        let mut pack = listpack::Writer::new();
        pack.push_number(block.len() as i64);
        pack.push_number(0);
        pack.push_number(block.names().len() as i64);
        block.names().for_each(|name| pack.push(name));
        pack.push_number(0);
        for entry in block.iter(base) {
            let fields = entry.fields;
            let is_same = fields.len() == block.names().len()
                && fields.iter().map(|(name, _)| name).eq(block.names());
            let len = fields.len() as i64;
            pack.push_number(if is_same { SAME_FIELDS } else { 0 });
            pack.push_number(entry.id.ms.wrapping_sub(base.ms) as i64);
            pack.push_number(entry.id.seq.wrapping_sub(base.seq) as i64);
            if !is_same {
                pack.push_number(len);
            }
            for (name, value) in fields.iter() {
                if !is_same {
                    pack.push(name);
                }
                pack.push(value);
            }
            pack.push_number(if is_same { len + 3 } else { 2 * len + 4 });
        }
        put_string_raw(out, &pack.finish());
    }
    let head = &stream.head;
    put_number(out, stream.entries.len() as u64);
    put_id(out, head.last_id);
    put_id(out, stream.first_id());
    put_id(out, head.max_deleted);
    put_number(out, head.added);
    put_len(out, stream.groups().len());
    for (name, group) in stream.groups() {
        put_string(out, name);
        put_id(out, group.last_id);
        put_number(out, group.read.unwrap_or(NOT_KNOWN));
        put_len(out, group.pending().len());
        for (id, pending) in group.pending() {
            out.extend_from_slice(&key_of(*id));
            out.extend_from_slice(&pending.at.to_le_bytes());
            put_number(out, pending.count);
        }
        put_len(out, group.consumers().len());
        for (name, consumer) in group.consumers() {
            put_string(out, name);
            out.extend_from_slice(&consumer.seen.to_le_bytes());
            put_len(out, consumer.pending().len());
            consumer
                .pending()
                .for_each(|id| out.extend_from_slice(&key_of(id)));
        }
    }
}

/// A string that is none of the numbers that have a form of their own.
fn put_string_raw(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    put_len(out, number as usize);
}

fn put_id(out: &mut Vec<u8>, id: StreamId) {
    put_number(out, id.ms);
    put_number(out, id.seq);
}

fn take_number(reader: &mut Reader<'_>) -> Result<u64, PayloadError> {
    Ok(take_len(reader)? as u64)
}

fn take_id(reader: &mut Reader<'_>) -> Result<StreamId, PayloadError> {
    Ok(StreamId {
        ms: take_number(reader)?,
        seq: take_number(reader)?,
    })
}

fn id_of(key: [u8; 16]) -> StreamId {
    let number = u128::from_be_bytes(key);
    StreamId {
        ms: (number >> 64) as u64,
        seq: number as u64,
    }
}

/// Reads a stream of this type.
pub(super) fn read(reader: &mut Reader<'_>, kind: u8) -> Result<Stream, PayloadError> {
    let mut entries = Entries::default();
    let len = reader.rest().len();
    let mut budget = len.saturating_mul(RATIO_MAX).max(ALWAYS);
    for _ in 0..take_len(reader)? {
        let key = take_string(reader)?;
        let key = key.as_ref().try_into().map_err(|_| PayloadError::Format)?;
        read_node(id_of(key), &take_string(reader)?, &mut entries, &mut budget)?;
    }
    let len = take_number(reader)?;
    let mut head = Head {
        last_id: take_id(reader)?,
        added: len,
        ..Head::default()
    };
    if kind != kind::STREAM {
        take_id(reader)?;
        head.max_deleted = take_id(reader)?;
        head.added = take_number(reader)?;
    }
    let is_sound = entries.len() as u64 == len
        && entries.last().is_none_or(|last| last <= head.last_id)
        && !(len > 0 && head.last_id == StreamId::MIN);
    if !is_sound {
        return Err(PayloadError::Format);
    }
    let mut groups: Vec<(Box<[u8]>, Group)> = Vec::new();
    for _ in 0..take_len(reader)? {
        let name: Box<[u8]> = take_string(reader)?.as_ref().into();
        if groups.iter().any(|(other, _)| *other == name) {
            return Err(PayloadError::Format);
        }
        let last_id = take_id(reader)?;
        let read = match kind {
            // As Redis reckons it when it loads what does not say it.
            kind::STREAM => None,
            _ => Some(take_number(reader)?).filter(|read| *read != NOT_KNOWN),
        };
        groups.push((name, read_group(reader, kind, last_id, read)?));
    }
    let mut stream = Stream::from_parts(entries, head, groups);
    if kind == kind::STREAM {
        stream.estimate_read();
    }
    Ok(stream)
}

fn read_group(
    reader: &mut Reader<'_>,
    kind: u8,
    last_id: StreamId,
    read: Option<u64>,
) -> Result<Group, PayloadError> {
    let mut pending = std::collections::BTreeMap::new();
    for _ in 0..take_len(reader)? {
        let id = id_of(take(reader)?);
        let at = i64::from_le_bytes(take(reader)?);
        if pending.insert(id, (at, take_number(reader)?)).is_some() {
            return Err(PayloadError::Format);
        }
    }
    let mut group = Group::new(last_id, read);
    for _ in 0..take_len(reader)? {
        let name = take_string(reader)?;
        let seen = i64::from_le_bytes(take(reader)?);
        let active = match kind {
            kind::STREAM_3 => i64::from_le_bytes(take(reader)?),
            _ => seen,
        };
        if group.consumer(&name).is_some() {
            return Err(PayloadError::Format);
        }
        group.add_consumer(&name, seen, (active >= 0).then_some(active));
        for _ in 0..take_len(reader)? {
            let id = id_of(take(reader)?);
            // Each has one consumer.
            let (at, count) = pending.remove(&id).ok_or(PayloadError::Format)?;
            group.add_pending(id, &name, at, count);
        }
    }
    if pending.is_empty() {
        Ok(group)
    } else {
        Err(PayloadError::Format)
    }
}

fn next<'i>(items: &mut impl Iterator<Item = Walked<'i>>) -> Result<Item<'i>, PayloadError> {
    items.next().ok_or(PayloadError::Format)?
}

fn number<'i>(items: &mut impl Iterator<Item = Walked<'i>>) -> Result<i64, PayloadError> {
    match next(items)? {
        Item::Number(number) => Ok(number),
        Item::Text(_) => Err(PayloadError::Format),
    }
}

/// Reads the entries of a node that are not deleted.
fn read_node(
    base: StreamId,
    bytes: &[u8],
    entries: &mut Entries,
    budget: &mut usize,
) -> Result<(), PayloadError> {
    let mut items = listpack::walk(bytes);
    let count = number(&mut items)?;
    let deleted = number(&mut items)?;
    let names_len = number(&mut items)?;
    let mut names = Vec::new();
    for _ in 0..names_len {
        names.push(next(&mut items)?.text().into_owned());
    }
    if number(&mut items)? != 0 || count < 0 || deleted < 0 {
        return Err(PayloadError::Format);
    }
    let (mut live, mut gone) = (0, 0);
    let mut pairs = Vec::new();
    while live + gone < count.saturating_add(deleted) {
        let flags = number(&mut items)?;
        let ms = base.ms.wrapping_add(number(&mut items)? as u64);
        let seq = base.seq.wrapping_add(number(&mut items)? as u64);
        let is_same = flags & SAME_FIELDS != 0;
        let len = if is_same {
            names_len
        } else {
            number(&mut items)?
        };
        pairs.clear();
        for nth in 0..len {
            let name = match (is_same, usize::try_from(nth).map(|nth| names.get(nth))) {
                (true, Ok(Some(name))) => name.clone(),
                (true, _) => return Err(PayloadError::Format),
                (false, _) => next(&mut items)?.text().into_owned(),
            };
            varint::put_bytes(&mut pairs, &name);
            varint::put_bytes(&mut pairs, &next(&mut items)?.text());
        }
        *budget = budget
            .checked_sub(pairs.len())
            .ok_or(PayloadError::Format)?;
        let elements = if is_same {
            len.saturating_add(3)
        } else {
            len.saturating_mul(2).saturating_add(4)
        };
        if number(&mut items)? != elements || len <= 0 {
            return Err(PayloadError::Format);
        }
        if flags & DELETED != 0 {
            gone += 1;
            continue;
        }
        live += 1;
        let id = StreamId { ms, seq };
        let ascends = entries.last().is_none_or(|last| last < id);
        let fields = Fields::of(&pairs, len as usize);
        if !ascends || id < base || !entries.insert(id, fields, NodeLimits::default()) {
            return Err(PayloadError::Format);
        }
    }
    if live != count || items.next().is_some() {
        return Err(PayloadError::Format);
    }
    Ok(())
}
