//! What XREADGROUP gives a consumer: entries that its group has not read, or what the consumer has not acknowledged.
//!
//! The effect says which entries were delivered, when, and how far the group has read then. Two masters may deliver the same entry
//! before they hear of each other: then the later stamp says whose it is, and both have it. A delivery may be heard of before its
//! entry, too, which then is nothing to show, and nothing to give up.

use crate::commands::call::DataCall;
use crate::commands::streams::reply;
use crate::commands::streams::wait::{Asked, From, Source, Streams, has_news};
use crate::db::stream::change::{Action, Claimed, Claims, GroupChange, Ids};
use crate::db::stream::{Entry, Group, Pending, Stream, StreamId};
use crate::db::{Hlc, Key, Op, UnixMillis};
use crate::resp::Reply;

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

/// An id far behind the clock's time was chosen by somebody, and says nothing of when its entry was added.
const AHEAD_MS: i64 = 24 * 60 * 60 * 1000;
/// How far clocks may be apart before an entry is taken for deleted that is on its way.
const SLACK_MS: i64 = 1000;

/// Whether an entry that is pending and not here is deleted, and not one that was added elsewhere and has yet to come: it was here
/// when it was delivered, or everything has come that was written by then.
pub(super) fn is_deleted(id: StreamId, pending: &Pending, settled: Hlc, now: i64) -> bool {
    let made = i64::try_from(id.ms).unwrap_or(i64::MAX);
    let made = Some(made).filter(|made| *made <= now.saturating_add(AHEAD_MS));
    let delivered = made.map_or(pending.at, |made| made.max(pending.at));
    !pending.unseen || Hlc::at(UnixMillis(delivered.saturating_add(SLACK_MS))) <= settled
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
    let (settled, is_stamped) = (call.setting.settled, call.stamp.is_some());
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
                    (settled, now),
                    reply,
                ))
            }
            From::New if may_take && has_news(stream, group, source.last) => {
                streams.push(reply, key.bytes);
                let names_all = is_stamped || !asked.no_ack;
                new(stream, group, source.last, asked.most, names_all, reply)
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
    most: usize,
    names_all: bool,
    reply: &mut Reply,
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
        if is_missed || names_all {
            ids.push(entry.id);
        }
    });
    reply::entries(reply, entries, most);
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
    (settled, now): (Hlc, i64),
    reply: &mut Reply,
) -> Vec<Claimed> {
    let array = reply.deferred_array();
    let (mut len, mut again) = (0, Vec::new());
    let from = behind.next();
    let held = group.consumer(consumer).into_iter().flat_map(|consumer| {
        from.into_iter()
            .flat_map(|from| consumer.pending_from(from))
    });
    let held = held.filter_map(|id| Some((id, group.pending().get(&id)?, stream.entries.get(id))));
    let shown = held
        .filter(|(id, pending, fields)| fields.is_some() || is_deleted(*id, pending, settled, now));
    for (id, pending, fields) in shown.take(asked.most) {
        len += 1;
        match fields {
            Some(fields) => {
                reply::entry(reply, Entry { id, fields });
                again.push(Claimed {
                    id,
                    at: now,
                    count: pending.count.saturating_add(1),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_been_seen_is_deleted_once_everything_has_come_that_was_written_by_then() {
        let now = 1_800_000_000_000;
        let settled = |ms: i64| Hlc::at(UnixMillis(now + ms));
        let pending = |at: i64, unseen| Pending {
            consumer: (&b"c"[..]).into(),
            at: now + at,
            count: 1,
            unseen,
        };
        let id = |ms: i64| StreamId {
            ms: (now + ms) as u64,
            seq: 1,
        };
        let is_deleted = |id, one, until| is_deleted(id, &one, settled(until), now);
        // It was here when it was delivered.
        assert!(is_deleted(id(-9), pending(-5, false), -100_000));
        assert!(!is_deleted(id(-9), pending(-5, true), -5));
        assert!(is_deleted(id(-9), pending(-5, true), -5 + SLACK_MS));
        // A claim may say that it was delivered long ago: its id tells when it was made.
        assert!(!is_deleted(id(-9), pending(-90_000, true), -80_000));
        assert!(is_deleted(id(-9), pending(-90_000, true), SLACK_MS));
        // An id that somebody chose may be far ahead, and tells nothing.
        assert!(is_deleted(
            id(2 * AHEAD_MS),
            pending(-90_000, true),
            -80_000
        ));
        assert!(is_deleted(StreamId::MAX, pending(-90_000, true), -80_000));
    }
}
