//! What XREADGROUP gives a consumer: entries that its group has not read, or what the consumer has not acknowledged.
//!
//! The effect says which entries were delivered, when, and how far the group has read then. Two masters may deliver the same entry
//! before they hear of each other: then the later stamp says whose it is, and both have it.

use crate::commands::call::DataCall;
use crate::commands::streams::reply;
use crate::commands::streams::wait::{Asked, From, Source, Streams, has_news};
use crate::db::stream::change::{Action, Claimed, Claims, GroupChange, Ids};
use crate::db::stream::{Entry, Group, Stream, StreamId};
use crate::db::{Key, Op};

/// That somebody looked is said again after so many milliseconds.
const SEEN_MS: i64 = 1000;

/// What is to be said of a group behind the look at it.
enum Told {
    Nothing,
    Consumer,
    Delivered {
        last: StreamId,
        read: Option<u64>,
        ids: Vec<StreamId>,
    },
    Again(Vec<Claimed>),
}

/// Says what happens to a group.
pub(super) fn tell(call: &mut DataCall<'_, '_>, key: Key<'_>, group: &[u8], action: Action<'_>) {
    let bytes = GroupChange::encode(group, action);
    call.apply(key, Op::XGroup(GroupChange::of(&bytes)));
}

/// How many entries of all that ever were a group has read once it has read this one, too, behind the last one.
fn read_with(stream: &Stream, read: Option<u64>, last: StreamId, id: StreamId) -> Option<u64> {
    match read {
        Some(read) if last >= stream.first_id() && !stream.has_gaps_from(last) => {
            Some(read.wrapping_add(1))
        }
        _ if stream.head.added > 0 => stream.added_up_to(id),
        read => read,
    }
}

/// Gives a consumer what there is for it in one stream.
pub(super) fn serve(
    call: &mut DataCall<'_, '_>,
    asked: &Asked<'_>,
    source: Source<'_>,
    (group_name, consumer_name): (&[u8], &[u8]),
    may_take: bool,
    streams: &mut Streams,
) {
    let (key, now) = (source.key, call.wall.0);
    let told = call.read_stream(key, |stream, reply| {
        let Some((stream, group)) =
            stream.and_then(|stream| Some((stream, stream.group(group_name)?)))
        else {
            return (Told::Nothing, false);
        };
        let consumer = group.consumer(consumer_name);
        let seen = consumer.is_none_or(|consumer| now - consumer.seen >= SEEN_MS);
        let told = match source.from {
            From::Behind(behind) => {
                streams.push(reply, key.bytes);
                Told::Again(history(
                    stream,
                    group,
                    consumer_name,
                    behind,
                    asked,
                    now,
                    reply,
                ))
            }
            From::New if may_take && has_news(stream, group, source.last) => {
                streams.push(reply, key.bytes);
                new(stream, group, source.last, asked, reply)
            }
            From::New if seen => Told::Consumer,
            From::New => Told::Nothing,
        };
        (told, consumer.is_none())
    });
    let Some((told, is_new)) = told else { return };
    let consumer = consumer_name;
    if is_new {
        // Redis tells of it as an event of its own.
        tell(call, key, group_name, Action::Consumer { consumer, now });
    }
    match told {
        Told::Nothing => {}
        Told::Consumer if is_new => {}
        Told::Consumer => tell_seen(call, key, group_name, consumer),
        Told::Again(claims) => {
            if claims.is_empty() {
                return tell_seen(call, key, group_name, consumer);
            }
            let claims = Claims::encode(claims);
            let action = Action::Claimed {
                consumer,
                now,
                last: StreamId::MIN,
                force: false,
                again: true,
                claims: Claims::of(&claims),
            };
            tell(call, key, group_name, action);
        }
        Told::Delivered { last, read, ids } => {
            let ids = Ids::encode(ids);
            let action = Action::Delivered {
                consumer,
                now,
                no_ack: asked.no_ack,
                last,
                read,
                ids: Ids::of(&ids),
            };
            tell(call, key, group_name, action);
        }
    }
}

/// Says that a consumer looked, and found nothing; not each time.
pub(super) fn tell_seen(call: &mut DataCall<'_, '_>, key: Key<'_>, group: &[u8], consumer: &[u8]) {
    let now = call.wall.0;
    let seen = call.look(key, |view| {
        let stream = view.as_ref().and_then(|view| view.stream())?;
        Some(stream.group(group)?.consumer(consumer)?.seen)
    });
    if seen.is_some_and(|seen| now - seen >= SEEN_MS) {
        let action = Action::Claimed {
            consumer,
            now,
            last: StreamId::MIN,
            force: false,
            again: true,
            claims: Claims::of(&[]),
        };
        tell(call, key, group, action);
    }
}

/// Entries that the group has not read: those it has missed first.
fn new(
    stream: &Stream,
    group: &Group,
    last: Option<StreamId>,
    asked: &Asked<'_>,
    reply: &mut crate::resp::Reply,
) -> Told {
    let from = group.last_id.next().unwrap_or(StreamId::MAX);
    let (mut ids, mut read) = (Vec::new(), group.read);
    let (mut at, last) = (group.last_id, last.unwrap_or_default());
    let missed = group.missed(last).filter_map(|id| {
        let fields = stream.entries.get(id)?;
        Some(Entry { id, fields })
    });
    // Nothing lies behind the greatest id.
    let unread = (group.last_id < last).then(|| stream.entries.range(from, last));
    let entries = missed.chain(unread.into_iter().flatten());
    let entries = entries.inspect(|entry| {
        let is_missed = entry.id <= group.last_id;
        if is_missed {
            read = read.map(|read| read.wrapping_add(1));
        } else {
            read = read_with(stream, read, at, entry.id);
            at = entry.id;
        }
        if is_missed || !asked.no_ack {
            ids.push(entry.id);
        }
    });
    reply::entries(reply, entries, asked.most);
    Told::Delivered {
        last: at,
        read,
        ids,
    }
}

/// What a consumer has not acknowledged; of what is still there, that it was delivered once more.
fn history(
    stream: &Stream,
    group: &Group,
    consumer: &[u8],
    behind: StreamId,
    asked: &Asked<'_>,
    now: i64,
    reply: &mut crate::resp::Reply,
) -> Vec<Claimed> {
    let array = reply.deferred_array();
    let (mut len, mut again) = (0, Vec::new());
    let from = behind.next();
    let held = group.consumer(consumer).into_iter().flat_map(|consumer| {
        from.into_iter()
            .flat_map(|from| consumer.pending_from(from))
    });
    for id in held.take(asked.most) {
        len += 1;
        match stream.entries.get(id) {
            Some(fields) => {
                reply::entry(reply, Entry { id, fields });
                let count = group.pending().get(&id).map_or(0, |pending| pending.count);
                again.push(Claimed {
                    id,
                    at: now,
                    count: count.saturating_add(1),
                });
            }
            None => {
                reply.array(2);
                reply::id(reply, id);
                reply.null_array();
            }
        }
    }
    reply.set_len(array, len);
    again
}
