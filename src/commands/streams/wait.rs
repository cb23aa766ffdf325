//! XREAD and XREADGROUP: entries behind ids, or a wait for some.
//!
//! Who has waited is not asked twice what `$` was: his place in the lines says behind which ids he reads. All who only read are given
//! the same; of those who read for one group, who came first.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::commands::blocking::Timeout;
use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::parse::{exact_key_range, integer, strict_id};
use crate::commands::streams::{deliver, reply, stable};
use crate::db::stream::{Group, Stream, StreamId};
use crate::db::{Key, Reads, Waiter};
use crate::resp::{Args, Deferred, Protocol, Reply};

/// What XREAD and XREADGROUP are asked.
pub(super) struct Asked<'a> {
    /// Whether to wait, and how long.
    timeout: Option<Timeout>,
    /// How many entries of each stream at most.
    pub most: usize,
    keys: Range<usize>,
    /// The group and its consumer.
    pub group: Option<(&'a [u8], &'a [u8])>,
    /// Nothing is to be acknowledged.
    pub no_ack: bool,
    /// Only what no master can precede any more.
    stable: bool,
}

fn timeout(text: &[u8], now_ms: i64) -> Result<Timeout, &'static str> {
    let ms = crate::resp::parse_i64(text).ok_or("ERR timeout is not an integer or out of range")?;
    if ms < 0 {
        return Err("ERR timeout is negative");
    }
    if ms > i64::MAX - now_ms {
        return Err("ERR timeout is out of range");
    }
    Ok((ms > 0).then(|| Duration::from_millis(ms.unsigned_abs())))
}

/// How long an XREAD or XREADGROUP waits, if it does.
pub fn block_timeout(args: Args<'_>, now_ms: i64) -> Option<Timeout> {
    let keys = exact_key_range(args)?;
    let words = 1..keys.start.saturating_sub(2);
    let at = words
        .rev()
        .find(|at| args.get(*at).eq_ignore_ascii_case(b"block"))?;
    Some(timeout(args.get(at + 1), now_ms).unwrap_or(None))
}

fn parse<'a>(call: &DataCall<'a, '_>, is_group: bool) -> Result<Asked<'a>, &'static str> {
    let args = call.args;
    let mut asked = Asked {
        timeout: None,
        most: usize::MAX,
        keys: 0..0,
        group: None,
        no_ack: false,
        stable: false,
    };
    let mut at = 1;
    while let Some(word) = args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let operands = (args.try_get(at + 1), args.try_get(at + 2));
        match operands {
            (Some(text), _) if is(b"block") => {
                asked.timeout = Some(timeout(text, call.wall.0)?);
                at += 1;
            }
            (Some(text), _) if is(b"count") => {
                asked.most = match usize::try_from(integer(text)?) {
                    Ok(count) if count > 0 => count,
                    _ => usize::MAX,
                };
                at += 1;
            }
            (Some(_), _) if is(b"streams") => {
                let len = args.len() - at - 1;
                if !len.is_multiple_of(2) {
                    return Err(if is_group {
                        "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
                    } else {
                        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
                    });
                }
                asked.keys = at + 1..at + 1 + len / 2;
                break;
            }
            (Some(group), Some(consumer)) if is(b"group") => {
                if !is_group {
                    return Err(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                    );
                }
                asked.group = Some((group, consumer));
                at += 2;
            }
            _ if is(b"noack") => {
                if !is_group {
                    return Err(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                    );
                }
                asked.no_ack = true;
            }
            _ if is(b"stable") => asked.stable = true,
            _ => return Err(errors::SYNTAX),
        }
        at += 1;
    }
    if asked.keys.is_empty() {
        return Err(errors::SYNTAX);
    }
    if is_group && asked.group.is_none() {
        return Err("ERR Missing GROUP option for XREADGROUP");
    }
    Ok(asked)
}

/// From where on a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Behind this id; for a group, what its consumer has not acknowledged.
    Behind(StreamId),
    /// What the group has not read.
    New,
}

/// Reads an id argument; `last` is the last id that there was, and the last entry's.
fn parse_id(
    text: &[u8],
    last: Option<(StreamId, Option<StreamId>)>,
    is_group: bool,
) -> Result<From, &'static str> {
    match text {
        b"$" if is_group => Err(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
        ),
        b"+" if is_group => Err(
            "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set.",
        ),
        b"$" => Ok(From::Behind(last.map_or(StreamId::MIN, |(last, _)| last))),
        b"+" => Ok(From::Behind(match last {
            None => StreamId::MIN,
            Some((last, None)) => last,
            Some((_, Some(entry))) => entry.prev().unwrap_or_default(),
        })),
        b">" if !is_group => Err(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        ),
        b">" => Ok(From::New),
        _ => match strict_id(text, 0)? {
            // What Redis makes of `>`.
            StreamId::MAX if is_group => Ok(From::New),
            id => Ok(From::Behind(id)),
        },
    }
}

/// One of the streams that are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub key: Key<'a>,
    pub from: From,
    /// The last id that may be shown; none where none may.
    pub last: Option<StreamId>,
}

/// Where each stream is read from; none where the error was written.
fn sources<'a>(call: &mut DataCall<'a, '_>, asked: &Asked<'a>) -> Option<Vec<Source<'a>>> {
    let waited = call.blocking.waiter.as_ref();
    let waited = waited.and_then(|waiter| waiter.reads.clone());
    let mut sources = Vec::with_capacity(asked.keys.len());
    for (nth, index) in asked.keys.clone().enumerate() {
        let key = call.key(index);
        let text = call.args.get(asked.keys.end + nth);
        let last = match asked.stable {
            true => stable::last_stable(call, key),
            false => Some(StreamId::MAX),
        };
        let looked = call.read_stream(key, |stream, _| {
            let has_group = asked.group.is_none_or(|(group, _)| {
                stream.is_some_and(|stream| stream.group(group).is_some())
            });
            has_group.then(|| {
                let stream = stream?;
                let stable = last.unwrap_or_default();
                let newest = || stream.entries.range_back(StreamId::MIN, stable).next();
                // Nobody else asks for it.
                let entry = (text == b"+").then(newest).flatten();
                Some((stream.head.last_id.min(stable), entry.map(|entry| entry.id)))
            })
        })?;
        let Some(known) = looked else {
            let group = asked.group.map_or(&b""[..], |(group, _)| group);
            no_group(call.reply, key.bytes, group);
            return None;
        };
        let from = match (&waited, asked.group) {
            (Some(reads), None) => reads.behind.get(nth).copied().map(From::Behind),
            _ => None,
        };
        let from = match from.map_or_else(|| parse_id(text, known, asked.group.is_some()), Ok) {
            Ok(from) => from,
            Err(error) => {
                call.reply.error(error);
                return None;
            }
        };
        sources.push(Source { key, from, last });
    }
    Some(sources)
}

fn no_group(reply: &mut Reply, key: &[u8], group: &[u8]) {
    let text = [
        &b"NOGROUP No such key '"[..],
        key,
        b"' or consumer group '",
        group,
        b"' in XREADGROUP with GROUP option",
    ];
    reply.error_bytes(&text.concat());
}

/// The streams of a reply, until it is known how many there are.
pub(super) struct Streams {
    len: usize,
    deferred: Option<Deferred>,
}

impl Streams {
    /// One more, of which the entries are to follow.
    pub fn push(&mut self, reply: &mut Reply, key: &[u8]) {
        let is_map = reply.protocol() == Protocol::Resp3;
        if self.deferred.is_none() {
            self.deferred = Some(match is_map {
                true => reply.deferred_map(),
                false => reply.deferred_array(),
            });
        }
        self.len += 1;
        if !is_map {
            reply.array(2);
        }
        reply.bulk(key);
    }
}

/// Whether there is an entry that a group has not read.
pub(super) fn has_news(stream: &Stream, group: &Group, last: Option<StreamId>) -> bool {
    has_more(stream, group.last_id, last)
        || last.is_some_and(|last| {
            let mut missed = group.missed(last);
            missed.any(|id| stream.entries.get(id).is_some())
        })
}

/// Whether there is an entry behind an id that may be shown.
pub(super) fn has_more(stream: &Stream, behind: StreamId, last: Option<StreamId>) -> bool {
    let (Some(last), Some(newest)) = (last, stream.entries.last()) else {
        return false;
    };
    if last == StreamId::MAX {
        return newest > behind;
    }
    let from = behind.next().filter(|from| *from <= last);
    from.is_some_and(|from| stream.entries.range(from, last).next().is_some())
}

pub(super) fn xread(call: &mut DataCall<'_, '_>) {
    run(call, false);
}

pub(super) fn xreadgroup(call: &mut DataCall<'_, '_>) {
    run(call, true);
}

fn run(call: &mut DataCall<'_, '_>, is_group: bool) {
    let asked = match parse(call, is_group) {
        Ok(asked) => asked,
        Err(error) => return call.reply.error(error),
    };
    let Some(sources) = sources(call, &asked) else {
        return;
    };
    let mut streams = Streams {
        len: 0,
        deferred: None,
    };
    for source in &sources {
        match asked.group {
            Some(of) => {
                let may_take = asked.timeout.is_none() || is_turn(call, source.key, of.0);
                deliver::serve(call, &asked, *source, of, may_take, &mut streams);
            }
            None => read(call, &asked, *source, &mut streams),
        }
    }
    if let Some(deferred) = streams.deferred {
        return call.reply.set_len(deferred, streams.len);
    }
    match asked.timeout {
        Some(timeout) if call.blocking.can_wait => wait(call, &asked, &sources, timeout),
        _ => call.reply.null_array(),
    }
}

/// Whether nobody of the group has waited longer.
fn is_turn(call: &mut DataCall<'_, '_>, key: Key<'_>, group: &[u8]) -> bool {
    if !call.blocking.can_wait {
        return true;
    }
    let (db, own) = (call.db, call.blocking.waiter.as_ref());
    let partition = call.access.partition(key.hash);
    partition.is_first_of_group(db, key, group, own)
}

fn read(call: &mut DataCall<'_, '_>, asked: &Asked<'_>, source: Source<'_>, streams: &mut Streams) {
    let From::Behind(behind) = source.from else {
        return;
    };
    call.read_stream(source.key, |stream, reply| {
        let Some(stream) = stream.filter(|stream| has_more(stream, behind, source.last)) else {
            return;
        };
        streams.push(reply, source.key.bytes);
        let (Some(from), Some(last)) = (behind.next(), source.last) else {
            return;
        };
        reply::entries(reply, stream.entries.range(from, last), asked.most);
    });
}

/// Lines the caller up at its keys, where it does not stand there.
fn wait(call: &mut DataCall<'_, '_>, asked: &Asked<'_>, sources: &[Source<'_>], timeout: Timeout) {
    if call.blocking.waiter.is_none() {
        let behind = sources.iter().map(|source| match source.from {
            From::Behind(id) => id,
            From::New => StreamId::MAX,
        });
        let waiter = Arc::new(Waiter::of_streams(Reads {
            group: asked.group.map(|(group, _)| group.into()),
            behind: behind.collect(),
            stable: asked.stable && call.is_stamped(),
        }));
        for source in sources {
            let db = call.db;
            let partition = call.access.partition(source.key.hash);
            partition.line_up(db, source.key, &waiter);
        }
        call.blocking.waiter = Some(waiter);
    }
    call.blocking.waits = Some(timeout);
}
