//! A whole stream as it travels.
//!
//! ```text
//! last id | entries added varint | max deleted id | number of groups varint | group* | entry*
//! group = name | last id | read | number of consumers varint | (name, seen, active + 1 or 0)* | number pending varint | pending*
//!         | number missed varint | id behind the one before it*
//! pending = id behind the one before it | place of its consumer varint | time | count varint | 1 where it was no entry here, else 0
//! entry = id behind the one before it | number of fields varint, (name, value)+
//! ```
//! All else is as in [`super::change`]; active is a time behind 1, or 0 alone.
//!
//! Invariant: what [`read`] makes of what [`write`] wrote shows the same; whatever else is refused.

use std::sync::Arc;

use super::change::{
    put_id, put_read, put_time, take_flag, take_id, take_next_id, take_read, take_time,
};
use super::group::{ConsumerName, Group, Pending};
use super::state::{Head, Stream};
use super::{Fields, NodeLimits, StreamId};
use crate::db::varint::{self, Malformed, Reader};

/// Appends all of a stream.
pub fn write(stream: &Stream, out: &mut Vec<u8>) {
    let head = &stream.head;
    put_id(out, StreamId::MIN, head.last_id);
    varint::put(out, head.added);
    put_id(out, StreamId::MIN, head.max_deleted);
    varint::put(out, stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        varint::put_bytes(out, name);
        write_group(group, out);
    }
    let mut before = StreamId::MIN;
    for entry in stream.entries.range(StreamId::MIN, StreamId::MAX) {
        put_id(out, before, entry.id);
        before = entry.id;
        varint::put(out, entry.fields.len() as u64);
        entry.fields.to_pairs(out);
    }
}

/// Appends a group without its name.
pub fn write_group(group: &Group, out: &mut Vec<u8>) {
    put_id(out, StreamId::MIN, group.last_id);
    put_read(out, group.read);
    varint::put(out, group.consumers().len() as u64);
    let mut places = std::collections::HashMap::new();
    for (place, (name, consumer)) in group.consumers().iter().enumerate() {
        places.insert(&**name, place as u64);
        varint::put_bytes(out, name);
        put_time(out, consumer.seen);
        out.push(u8::from(consumer.active.is_some()));
        if let Some(active) = consumer.active {
            put_time(out, active);
        }
    }
    varint::put(out, group.pending().len() as u64);
    let mut before = StreamId::MIN;
    for (id, pending) in group.pending() {
        put_id(out, before, *id);
        before = *id;
        varint::put(out, places.get(&*pending.consumer).copied().unwrap_or(0));
        put_time(out, pending.at);
        varint::put(out, pending.count);
        out.push(u8::from(pending.unseen));
    }
    varint::put(out, group.missed.len() as u64);
    let mut before = StreamId::MIN;
    for id in group.missed(StreamId::MAX) {
        put_id(out, before, id);
        before = id;
    }
}

/// Checks the bytes of a stream.
pub fn check(bytes: &[u8]) -> Result<(), Malformed> {
    parse(bytes, &mut |_| {})
}

/// The stream in these bytes, its blocks as appending makes them; what cannot be read is not there.
pub fn read(bytes: &[u8], limits: NodeLimits) -> Stream {
    let mut stream = Stream::default();
    let end = parse(bytes, &mut |part| match part {
        Part::Head(head) => stream.head = head,
        Part::Group(name, group) => stream.put_whole_group(name, group),
        Part::Entry(id, fields) => {
            stream.entries.insert(id, fields, limits);
        }
    });
    debug_assert!(end.is_ok(), "{end:?}");
    stream
}

enum Part<'a> {
    Head(Head),
    Group(&'a [u8], Group),
    Entry(StreamId, Fields<'a>),
}

fn parse<'a>(bytes: &'a [u8], hear: &mut dyn FnMut(Part<'a>)) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let head = Head {
        last_id: take_id(&mut reader, StreamId::MIN)?,
        added: reader.varint()?,
        max_deleted: take_id(&mut reader, StreamId::MIN)?,
    };
    hear(Part::Head(head));
    let mut name_before: Option<&[u8]> = None;
    for _ in 0..reader.varint()? {
        let name = reader.bytes()?;
        if name_before.is_some_and(|before| name <= before) {
            return Err(Malformed("groups do not ascend"));
        }
        name_before = Some(name);
        let group = parse_group(&mut reader)?;
        hear(Part::Group(name, group));
    }
    let mut before = None;
    while !reader.is_empty() {
        let id = take_next_id(&mut reader, before)?;
        before = Some(id);
        let len = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        let pairs = reader.rest();
        if len == 0 {
            return Err(Malformed("no fields"));
        }
        for _ in 0..len {
            reader.bytes()?;
            reader.bytes()?;
        }
        let pairs = pairs
            .get(..pairs.len() - reader.rest().len())
            .unwrap_or_default();
        hear(Part::Entry(id, Fields::of(pairs, len)));
    }
    if before.is_some_and(|last| last > head.last_id) {
        return Err(Malformed("an entry behind the last id"));
    }
    Ok(())
}

fn parse_group(reader: &mut Reader<'_>) -> Result<Group, Malformed> {
    let last_id = take_id(reader, StreamId::MIN)?;
    let mut group = Group::new(last_id, take_read(reader)?);
    let mut names: Vec<ConsumerName> = Vec::new();
    for _ in 0..reader.varint()? {
        let name: ConsumerName = reader.bytes()?.into();
        if names.last().is_some_and(|before| name <= *before) {
            return Err(Malformed("consumers do not ascend"));
        }
        let seen = take_time(reader)?;
        let active = match take_flag(reader)? {
            false => None,
            true => Some(take_time(reader)?),
        };
        group.put_consumer(&name, Some((seen, active)));
        names.push(name);
    }
    let mut before = None;
    for _ in 0..reader.varint()? {
        let id = take_next_id(reader, before)?;
        before = Some(id);
        let place = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        let consumer = names.get(place).ok_or(Malformed("no such consumer"))?;
        let pending = Pending {
            consumer: Arc::clone(consumer),
            at: take_time(reader)?,
            count: reader.varint()?,
            unseen: take_flag(reader)?,
        };
        group.put_pending(id, Some(pending));
    }
    let mut before = None;
    for _ in 0..reader.varint()? {
        let id = take_next_id(reader, before)?;
        before = Some(id);
        group.missed.insert(id);
    }
    Ok(group)
}
