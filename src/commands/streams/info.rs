//! XINFO.

use crate::commands::call::DataCall;
use crate::commands::streams::parse::integer;
use crate::commands::streams::reply;
use crate::commands::{errors, help, registry};
use crate::db::stream::{Group, Stream, StreamId, radix};
use crate::resp::Reply;

/// How many entries FULL shows where nobody says.
const FULL_COUNT: usize = 10;

pub(super) fn help(call: &mut DataCall<'_, '_>) {
    if let Some(row) = registry::lookup_built_in(b"xinfo") {
        help::help_reply(row, call.args.name(), call.reply);
    }
}

/// What FULL shows at most of each; none without it. The error is what to reply.
fn parse(call: &DataCall<'_, '_>) -> Result<Option<usize>, &'static str> {
    let is = |at: usize, name: &[u8]| {
        call.args
            .try_get(at)
            .is_some_and(|word| word.eq_ignore_ascii_case(name))
    };
    match call.args.len() {
        3 => Ok(None),
        4 if is(3, b"full") => Ok(Some(FULL_COUNT)),
        6 if is(3, b"full") && is(4, b"count") => {
            let count = integer(call.args.get(5))?;
            Ok(Some(match usize::try_from(count) {
                Ok(0) => usize::MAX,
                Ok(count) => count,
                Err(_) => FULL_COUNT,
            }))
        }
        _ => Err(""),
    }
}

pub(super) fn stream(call: &mut DataCall<'_, '_>) {
    let (key, parsed) = (call.key(2), parse(call));
    let sub = call.args.get(1);
    call.read_stream(key, |stream, reply| {
        let Some(stream) = stream else {
            return reply.error(errors::NO_SUCH_KEY);
        };
        match parsed {
            Err("") => super::syntax(reply, sub, "XINFO"),
            Err(error) => reply.error(error),
            Ok(None) => short(stream, reply),
            Ok(Some(count)) => full(stream, count, reply),
        }
    });
}

fn head(stream: &Stream, reply: &mut Reply) {
    let nodes = radix::nodes_len(stream.entries.blocks().map(|(base, _)| base));
    let head = &stream.head;
    for (name, number) in [
        ("length", stream.entries.len() as u64),
        ("radix-tree-keys", stream.entries.blocks_len() as u64),
        ("radix-tree-nodes", nodes as u64),
    ] {
        reply.bulk(name.as_bytes());
        reply.integer(number as i64);
    }
    reply.bulk(b"last-generated-id");
    reply::id(reply, head.last_id);
    reply.bulk(b"max-deleted-entry-id");
    reply::id(reply, head.max_deleted);
    reply.bulk(b"entries-added");
    reply.integer(head.added as i64);
    reply.bulk(b"recorded-first-entry-id");
    reply::id(reply, stream.first_id());
}

fn short(stream: &Stream, reply: &mut Reply) {
    reply.map(10);
    head(stream, reply);
    reply.bulk(b"groups");
    reply.integer(stream.groups().len() as i64);
    let entries = &stream.entries;
    let first = entries.range(StreamId::MIN, StreamId::MAX).next();
    let last = entries.range_back(StreamId::MIN, StreamId::MAX).next();
    for (name, entry) in [("first-entry", first), ("last-entry", last)] {
        reply.bulk(name.as_bytes());
        match entry {
            Some(entry) => reply::entry(reply, entry),
            None => reply.null(),
        }
    }
}

fn full(stream: &Stream, count: usize, reply: &mut Reply) {
    reply.map(9);
    head(stream, reply);
    reply.bulk(b"entries");
    let entries = stream.entries.range(StreamId::MIN, StreamId::MAX);
    reply::entries(reply, entries, count);
    reply.bulk(b"groups");
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        full_group(stream, (name, group), count, reply);
    }
}

/// How far a group has read, and what is left.
fn progress(stream: &Stream, group: &Group, reply: &mut Reply) {
    reply.bulk(b"entries-read");
    or_null(reply, group.read);
    reply.bulk(b"lag");
    or_null(reply, lag(stream, group));
}

fn or_null(reply: &mut Reply, number: Option<u64>) {
    match number {
        Some(number) => reply.integer(number as i64),
        None => reply.null(),
    }
}

/// How many entries a group has before it, where that is known.
fn lag(stream: &Stream, group: &Group) -> Option<u64> {
    let added = stream.head.added;
    if added == 0 {
        return Some(0);
    }
    let read = match group.read {
        Some(read) if !stream.has_gaps_from(group.last_id) => read,
        _ => stream.added_up_to(group.last_id)?,
    };
    Some(added.wrapping_sub(read))
}

fn full_group(stream: &Stream, (name, group): (&[u8], &Group), count: usize, reply: &mut Reply) {
    reply.map(7);
    reply.bulk(b"name");
    reply.bulk(name);
    reply.bulk(b"last-delivered-id");
    reply::id(reply, group.last_id);
    progress(stream, group, reply);
    reply.bulk(b"pel-count");
    reply.integer(group.pending().len() as i64);
    reply.bulk(b"pending");
    reply.array(group.pending().len().min(count));
    for (id, pending) in group.pending().iter().take(count) {
        reply.array(4);
        reply::id(reply, *id);
        reply.bulk(&pending.consumer);
        reply.integer(pending.at);
        reply.integer(pending.count as i64);
    }
    reply.bulk(b"consumers");
    reply.array(group.consumers().len());
    for (name, consumer) in group.consumers() {
        reply.map(5);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"seen-time");
        reply.integer(consumer.seen);
        reply.bulk(b"active-time");
        reply.integer(consumer.active.unwrap_or(-1));
        reply.bulk(b"pel-count");
        reply.integer(consumer.pending().len() as i64);
        reply.bulk(b"pending");
        reply.array(consumer.pending().len().min(count));
        for id in consumer.pending().take(count) {
            let pending = group.pending().get(&id);
            reply.array(3);
            reply::id(reply, id);
            reply.integer(pending.map_or(0, |pending| pending.at));
            reply.integer(pending.map_or(0, |pending| pending.count as i64));
        }
    }
}

pub(super) fn groups(call: &mut DataCall<'_, '_>) {
    let key = call.key(2);
    call.read_stream(key, |stream, reply| {
        let Some(stream) = stream else {
            return reply.error(errors::NO_SUCH_KEY);
        };
        reply.array(stream.groups().len());
        for (name, group) in stream.groups() {
            reply.map(6);
            reply.bulk(b"name");
            reply.bulk(name);
            reply.bulk(b"consumers");
            reply.integer(group.consumers().len() as i64);
            reply.bulk(b"pending");
            reply.integer(group.pending().len() as i64);
            reply.bulk(b"last-delivered-id");
            reply::id(reply, group.last_id);
            progress(stream, group, reply);
        }
    });
}

pub(super) fn consumers(call: &mut DataCall<'_, '_>) {
    let (key, name, now) = (call.key(2), call.args.get(3), call.wall.0);
    call.read_stream(key, |stream, reply| {
        let Some(stream) = stream else {
            return reply.error(errors::NO_SUCH_KEY);
        };
        let Some(group) = stream.group(name) else {
            return super::no_such_group(reply, key.bytes, name);
        };
        reply.array(group.consumers().len());
        for (name, consumer) in group.consumers() {
            let since = |then: i64| now.saturating_sub(then).max(0);
            reply.map(4);
            reply.bulk(b"name");
            reply.bulk(name);
            reply.bulk(b"pending");
            reply.integer(consumer.pending().len() as i64);
            reply.bulk(b"idle");
            reply.integer(since(consumer.seen));
            reply.bulk(b"inactive");
            reply.integer(consumer.active.map_or(-1, since));
        }
    });
}
