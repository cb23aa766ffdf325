//! XACK and XPENDING.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::deliver::tell;
use crate::commands::streams::parse::{Read, ids, integer, range_end, range_start};
use crate::commands::streams::{no_key_or_group, reply};
use crate::db::stream::change::{Action, Ids};
use crate::db::stream::{Group, StreamId};
use crate::resp::Reply;

pub(super) fn xack(call: &mut DataCall<'_, '_>) {
    let (key, name) = (call.key(1), call.args.get(2));
    // What another master delivered may be acknowledged here before it is heard of.
    let takes_all = call.is_stamped() && call.stamp.is_some();
    let texts = call.args.skip(3);
    let looked = call.look_stream(key, |stream| {
        // Where there is no group, nobody looks at the ids.
        let group = stream.and_then(|stream| stream.group(name))?;
        let ids = ids(texts).map(|mut ids| {
            ids.retain(|id| takes_all || group.pending().contains_key(id));
            ids
        });
        Some(ids)
    });
    let Some(looked) = looked else { return };
    let ids = match looked {
        None => return call.reply.integer(0),
        Some(Err(error)) => return call.reply.error(error),
        Some(Ok(ids)) => ids,
    };
    let mut count = 0;
    if !ids.is_empty() {
        let bytes = Ids::encode(ids);
        tell(call, key, name, Action::Acknowledged(Ids::of(&bytes)));
        count = call.last_count(key);
    }
    call.reply.integer(i64::from(count));
}

/// What the long form of XPENDING is asked.
struct Wanted<'a> {
    idle: i64,
    from: StreamId,
    to: StreamId,
    most: usize,
    consumer: Option<&'a [u8]>,
}

fn parse<'a>(call: &DataCall<'a, '_>) -> Read<Option<Wanted<'a>>> {
    let args = call.args;
    if args.len() == 3 {
        return Ok(None);
    }
    if !(6..=9).contains(&args.len()) {
        return Err(errors::SYNTAX);
    }
    let (mut idle, mut at) = (0, 3);
    if args.get(3).eq_ignore_ascii_case(b"idle") {
        idle = integer(args.get(4))?;
        if args.len() < 8 {
            return Err(errors::SYNTAX);
        }
        at += 2;
    }
    let most = usize::try_from(integer(args.get(at + 2))?).unwrap_or(0);
    Ok(Some(Wanted {
        idle,
        from: range_start(args.get(at))?,
        to: range_end(args.get(at + 1))?,
        most,
        consumer: args.try_get(at + 3),
    }))
}

pub(super) fn xpending(call: &mut DataCall<'_, '_>) {
    let wanted = match parse(call) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    let (key, name, now) = (call.key(1), call.args.get(2), call.wall.0);
    call.read_stream(key, |stream, reply| {
        match (stream.and_then(|stream| stream.group(name)), wanted) {
            (None, _) => no_key_or_group(reply, key.bytes, name),
            (Some(group), None) => summary(group, reply),
            (Some(group), Some(wanted)) => list(group, &wanted, now, reply),
        }
    });
}

fn summary(group: &Group, reply: &mut Reply) {
    let pending = group.pending();
    reply.array(4);
    reply.integer(pending.len() as i64);
    let ends = (pending.first_key_value(), pending.last_key_value());
    let (Some((first, _)), Some((last, _))) = ends else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    reply::id(reply, *first);
    reply::id(reply, *last);
    let holds = group
        .consumers()
        .iter()
        .map(|(name, consumer)| (name, consumer.pending().len()))
        .filter(|(_, len)| *len > 0);
    reply.array(holds.clone().count());
    for (name, len) in holds {
        reply.array(2);
        reply.bulk(name);
        reply.bulk_integer(len as i64);
    }
}

fn list(group: &Group, wanted: &Wanted<'_>, now: i64, reply: &mut Reply) {
    let array = reply.deferred_array();
    let mut len = 0;
    let mut show = |id: StreamId| {
        let Some(pending) = group.pending().get(&id) else {
            return;
        };
        let idle = now.saturating_sub(pending.at);
        if len >= wanted.most || (wanted.idle != 0 && idle < wanted.idle) {
            return;
        }
        len += 1;
        reply.array(4);
        reply::id(reply, id);
        reply.bulk(&pending.consumer);
        reply.integer(idle.max(0));
        reply.integer(pending.count as i64);
    };
    if wanted.from <= wanted.to && wanted.most > 0 {
        match wanted.consumer {
            Some(name) => {
                let held = group.consumer(name).into_iter();
                held.flat_map(|consumer| consumer.pending_from(wanted.from))
                    .take_while(|id| *id <= wanted.to)
                    .for_each(&mut show);
            }
            None => {
                let range = group.pending().range(wanted.from..=wanted.to);
                range.for_each(|(id, _)| show(*id));
            }
        }
    }
    reply.set_len(array, len);
}
