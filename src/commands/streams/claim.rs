//! XCLAIM and XAUTOCLAIM: pending entries become another consumer's.
//!
//! What is pending and has been deleted is acknowledged; what is pending and has not come yet stays as it is.
//!
//! The effect says what is pending afterwards, and whose. What was acknowledged elsewhere before that does not become pending again,
//! unless FORCE asked for it.

use std::collections::BTreeMap;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::deliver::{is_deleted, tell, tell_seen};
use crate::commands::streams::parse::{Read, integer, range_start, strict_id};
use crate::commands::streams::{no_key_or_group, reply};
use crate::db::stream::change::{Action, Claimed, Claims, Ids};
use crate::db::stream::{Entry, Group, Stream, StreamId};
use crate::db::{Hlc, Key};
use crate::resp::{Reply, parse_i64};

/// How many pending entries XAUTOCLAIM looks at for each that it may return.
const ATTEMPTS: usize = 10;
/// What XAUTOCLAIM returns at most where nobody says.
const AUTO_COUNT: usize = 100;
/// More than this is more than Redis finds memory for.
const COUNT_MAX: usize = 1 << 41;

/// What is to be said of a group behind the look at it.
#[derive(Default)]
struct Told {
    claimed: BTreeMap<StreamId, Claimed>,
    /// Entries that are there no more.
    gone: Vec<StreamId>,
    is_new: bool,
    last: StreamId,
    force: bool,
}

impl Told {
    fn say(self, call: &mut DataCall<'_, '_>, key: Key<'_>, group: &[u8], consumer: &[u8]) {
        let now = call.wall.0;
        if self.is_new {
            tell(call, key, group, Action::Consumer { consumer, now });
        }
        if !self.gone.is_empty() {
            let ids = Ids::encode(self.gone);
            tell(call, key, group, Action::Acknowledged(Ids::of(&ids)));
        }
        if self.claimed.is_empty() && self.last == StreamId::MIN {
            if !self.is_new {
                tell_seen(call, key, group, consumer);
            }
            return;
        }
        let claims = Claims::encode(self.claimed.into_values());
        let action = Action::Claimed {
            consumer,
            now,
            last: self.last,
            force: self.force,
            again: false,
            claims: Claims::of(&claims),
        };
        tell(call, key, group, action);
    }
}

/// Shows a claimed entry, or its id alone.
fn show(stream: &Stream, id: StreamId, just_id: bool, reply: &mut Reply) {
    match stream.entries.get(id).filter(|_| !just_id) {
        Some(fields) => reply::entry(reply, Entry { id, fields }),
        None => reply::id(reply, id),
    }
}

/// What XCLAIM is asked.
#[derive(Debug, Default)]
struct Wanted {
    ids: Vec<StreamId>,
    at: Option<i64>,
    count: Option<i64>,
    force: bool,
    just_id: bool,
    last: StreamId,
}

/// Reads what stands behind the least time; the error is what to reply.
fn parse(call: &DataCall<'_, '_>) -> Result<Wanted, Vec<u8>> {
    let (args, now) = (call.args, call.wall.0);
    let mut wanted = Wanted::default();
    let mut at = 5;
    while let Some(id) = args.try_get(at).and_then(|text| strict_id(text, 0).ok()) {
        wanted.ids.push(id);
        at += 1;
    }
    while let Some(word) = args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let number = |text, error: &str| parse_i64(text).ok_or_else(|| error.as_bytes().to_vec());
        match args.try_get(at + 1) {
            _ if is(b"force") => wanted.force = true,
            _ if is(b"justid") => wanted.just_id = true,
            Some(text) if is(b"idle") => {
                let idle = number(text, "ERR Invalid IDLE option argument for XCLAIM")?;
                wanted.at = Some(now.wrapping_sub(idle));
                at += 1;
            }
            Some(text) if is(b"time") => {
                wanted.at = Some(number(text, "ERR Invalid TIME option argument for XCLAIM")?);
                at += 1;
            }
            Some(text) if is(b"retrycount") => {
                let error = "ERR Invalid RETRYCOUNT option argument for XCLAIM";
                wanted.count = Some(number(text, error)?);
                at += 1;
            }
            Some(text) if is(b"lastid") => {
                wanted.last = strict_id(text, 0).map_err(|error| error.as_bytes().to_vec())?;
                at += 1;
            }
            _ => {
                return Err([b"ERR Unrecognized XCLAIM option '", word, b"'"].concat());
            }
        }
        at += 1;
    }
    Ok(wanted)
}

pub(super) fn xclaim(call: &mut DataCall<'_, '_>) {
    let (key, name, consumer) = (call.key(1), call.args.get(2), call.args.get(3));
    let exists = call.look_stream(key, |stream| {
        stream.is_some_and(|stream| stream.group(name).is_some())
    });
    match exists {
        None => return,
        Some(false) => return no_key_or_group(call.reply, key.bytes, name),
        Some(true) => {}
    }
    let Some(idle) = parse_i64(call.args.get(4)) else {
        let error = "ERR Invalid min-idle-time argument for XCLAIM";
        return call.reply.error(error);
    };
    let wanted = match parse(call) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error_bytes(&error),
    };
    let times = (call.setting.settled, call.wall.0);
    let told = call.read_stream(key, |stream, reply| {
        let stream = stream?;
        let group = stream.group(name)?;
        let mut told = claim(stream, group, &wanted, idle.max(0), times, reply);
        told.is_new = group.consumer(consumer).is_none();
        Some(told)
    });
    if let Some(Some(told)) = told {
        told.say(call, key, name, consumer);
    }
}

fn claim(
    stream: &Stream,
    group: &Group,
    wanted: &Wanted,
    idle: i64,
    (settled, now): (Hlc, i64),
    reply: &mut Reply,
) -> Told {
    let mut told = Told {
        force: wanted.force,
        ..Told::default()
    };
    if wanted.last > group.last_id {
        told.last = wanted.last;
    }
    let sane = wanted.at.filter(|at| (0..=now).contains(at));
    let at = sane.unwrap_or(now);
    let array = reply.deferred_array();
    let mut len = 0;
    for id in wanted.ids.iter().copied() {
        let pending = group.pending().get(&id);
        if stream.entries.get(id).is_none() {
            let is_gone = pending.is_some_and(|one| is_deleted(id, one, settled, now));
            if is_gone && !told.gone.contains(&id) {
                told.gone.push(id);
            }
            continue;
        }
        let pending = pending.map(|pending| Claimed {
            id,
            at: pending.at,
            count: pending.count,
        });
        let pending = told.claimed.get(&id).copied().or(pending);
        let before = match pending {
            Some(pending) if idle > 0 && now.saturating_sub(pending.at) < idle => continue,
            Some(pending) => pending,
            None if wanted.force => Claimed { id, at, count: 1 },
            None => continue,
        };
        let count = match wanted.count.and_then(|count| u64::try_from(count).ok()) {
            Some(count) => count,
            None if wanted.just_id => before.count,
            None => before.count.saturating_add(1),
        };
        told.claimed.insert(id, Claimed { id, at, count });
        show(stream, id, wanted.just_id, reply);
        len += 1;
    }
    reply.set_len(array, len);
    told.gone.sort_unstable();
    told
}

/// What XAUTOCLAIM is asked.
struct Auto {
    idle: i64,
    from: StreamId,
    most: usize,
    just_id: bool,
}

fn parse_auto(call: &DataCall<'_, '_>) -> Read<Auto> {
    let args = call.args;
    let idle = parse_i64(args.get(4)).ok_or("ERR Invalid min-idle-time argument for XAUTOCLAIM")?;
    let mut auto = Auto {
        idle: idle.max(0),
        from: range_start(args.get(5))?,
        most: AUTO_COUNT,
        just_id: false,
    };
    let mut at = 6;
    while let Some(word) = args.try_get(at) {
        match args.try_get(at + 1) {
            Some(text) if word.eq_ignore_ascii_case(b"count") => {
                let range = 1..=i64::MAX / size_of::<StreamId>() as i64;
                let count = integer(text).ok().filter(|count| range.contains(count));
                let count = count.and_then(|count| usize::try_from(count).ok());
                auto.most = count.ok_or("ERR COUNT must be > 0")?;
                at += 1;
            }
            _ if word.eq_ignore_ascii_case(b"justid") => auto.just_id = true,
            _ => return Err(errors::SYNTAX),
        }
        at += 1;
    }
    Ok(auto)
}

pub(super) fn xautoclaim(call: &mut DataCall<'_, '_>) {
    let auto = match parse_auto(call) {
        Ok(auto) => auto,
        Err(error) => return call.reply.error(error),
    };
    let (key, name, consumer) = (call.key(1), call.args.get(2), call.args.get(3));
    let times = (call.setting.settled, call.wall.0);
    let told = call.read_stream(key, |stream, reply| {
        let found = stream.and_then(|stream| Some((stream, stream.group(name)?)));
        let Some((stream, group)) = found else {
            no_key_or_group(reply, key.bytes, name);
            return None;
        };
        if auto.most > COUNT_MAX {
            reply.error(
                "ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
            );
            return None;
        }
        let mut told = claim_next(stream, group, &auto, times, reply);
        told.is_new = group.consumer(consumer).is_none();
        Some(told)
    });
    if let Some(Some(told)) = told {
        told.say(call, key, name, consumer);
    }
}

fn claim_next(
    stream: &Stream,
    group: &Group,
    auto: &Auto,
    (settled, now): (Hlc, i64),
    reply: &mut Reply,
) -> Told {
    let mut told = Told::default();
    let (mut left, mut attempts) = (auto.most, auto.most.saturating_mul(ATTEMPTS));
    let mut range = group.pending().range(auto.from..);
    let mut claimed = Vec::new();
    while attempts > 0
        && left > 0
        && let Some((id, pending)) = range.next()
    {
        attempts -= 1;
        if stream.entries.get(*id).is_none() {
            if is_deleted(*id, pending, settled, now) {
                told.gone.push(*id);
                left -= 1;
            }
            continue;
        }
        if auto.idle > 0 && now.saturating_sub(pending.at) < auto.idle {
            continue;
        }
        let count = pending.count.saturating_add(u64::from(!auto.just_id));
        claimed.push(Claimed {
            id: *id,
            at: now,
            count,
        });
        left -= 1;
    }
    reply.array(3);
    let cursor = range.next().map_or(StreamId::MIN, |(id, _)| *id);
    reply::id(reply, cursor);
    reply.array(claimed.len());
    for one in claimed {
        show(stream, one.id, auto.just_id, reply);
        told.claimed.insert(one.id, one);
    }
    reply.array(told.gone.len());
    told.gone.iter().for_each(|id| reply::id(reply, *id));
    told
}
