//! XADD and XTRIM.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::parse::{Read, integer, strict_id};
use crate::commands::streams::reply;
use crate::db::op::Pairs;
use crate::db::stream::change::Ids;
use crate::db::stream::{Stream, StreamId};
use crate::db::{Key, Op, varint};

/// Nobody asked for another limit of what `~` removes: so many nodes.
const LIMIT_NODES: usize = 100;
/// Where nodes have no limit, and at most.
const LIMITS: [usize; 2] = [10_000, 1_000_000];
/// The longest names and values of an entry together.
const ENTRY_LEN_MAX: usize = 1 << 30;
/// In a generated id, the number's bits that tell masters apart.
const NODE_BITS: u32 = 32;

/// What a stream is to be trimmed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    Len(usize),
    Id(StreamId),
}

/// How a stream is to be trimmed.
#[derive(Debug, Clone, Copy)]
struct Trim {
    least: Least,
    /// In whole nodes only, at most so many entries.
    limit: Option<usize>,
}

/// The id that an entry is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    /// Of this millisecond.
    Open(u64),
    This(StreamId),
}

/// The options of XADD and XTRIM.
#[derive(Debug, Default)]
struct Options {
    trim: Option<Trim>,
    no_make: bool,
    /// XADD's id, and where what comes behind it begins.
    id: Option<(Wanted, usize)>,
}

fn parse(call: &mut DataCall<'_, '_>, is_add: bool) -> Read<Options> {
    const BOTH: &str =
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
    let (mut options, mut least, mut is_about) = (Options::default(), None, false);
    let (mut limit, mut at) = (None, 2);
    while let Some(word) = call.args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let next = call.args.try_get(at + 1);
        match next {
            _ if is_add && word == b"*" => {
                options.id = Some((Wanted::Any, at + 1));
                break;
            }
            Some(next) if is(b"maxlen") || is(b"minid") => {
                if least.is_some() {
                    return Err(BOTH);
                }
                let operand = call.args.try_get(at + 2);
                is_about = next == b"~" && operand.is_some();
                let value = match operand {
                    Some(operand) if matches!(next, b"~" | b"=") => {
                        at += 1;
                        operand
                    }
                    _ => next,
                };
                at += 1;
                least = Some(if is(b"maxlen") {
                    let len = integer(value)?;
                    let len = usize::try_from(len);
                    Least::Len(len.map_err(|_| "ERR The MAXLEN argument must be >= 0.")?)
                } else {
                    Least::Id(strict_id(value, 0)?)
                });
            }
            Some(next) if is(b"limit") => {
                let number = usize::try_from(integer(next)?);
                limit = Some(number.map_err(|_| "ERR The LIMIT argument must be >= 0.")?);
                at += 1;
            }
            _ if is_add && is(b"nomkstream") => options.no_make = true,
            _ if is_add => {
                let wanted = match StreamId::parse_open(word) {
                    Some(ms) => Wanted::Open(ms),
                    None => Wanted::This(strict_id(word, 0)?),
                };
                options.id = Some((wanted, at + 1));
                break;
            }
            _ => return Err(errors::SYNTAX),
        }
        at += 1;
    }
    let Some(least) = least else {
        if limit.is_some_and(|limit| limit > 0) {
            return Err(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            );
        }
        if !is_add {
            return Err("ERR syntax error, XTRIM must be called with a trimming strategy");
        }
        if limit.is_some() {
            return Err("ERR syntax error, LIMIT cannot be used without the special ~ option");
        }
        return Ok(options);
    };
    if limit.is_some() && !is_about {
        return Err("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    let limit = is_about.then(|| match limit {
        // None at all.
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None => {
            let key = call.key(1);
            let limits = call.access.partition(key.hash).limits();
            match limits.stream.entries.saturating_mul(LIMIT_NODES) {
                0 => LIMITS[0],
                limit => limit.min(LIMITS[1]),
            }
        }
    });
    options.trim = Some(Trim { least, limit });
    Ok(options)
}

impl Trim {
    /// The last id to go, if any goes.
    fn cut(&self, stream: &Stream) -> Option<StreamId> {
        let entries = &stream.entries;
        match (self.least, self.limit) {
            (Least::Len(most), None) => entries.cut_for_len(most),
            (Least::Len(most), Some(limit)) => entries.cut_blocks_for_len(most, limit),
            (Least::Id(id), Some(limit)) => entries.cut_blocks_before(id, limit),
            (Least::Id(id), None) => {
                let cut = id.prev()?;
                entries
                    .first()
                    .is_some_and(|first| first <= cut)
                    .then_some(cut)
            }
        }
    }
}

/// Trims the stream at a key; how many entries went. Where keys bear stamps, those that went here go elsewhere, and no others.
fn trim(call: &mut DataCall<'_, '_>, key: Key<'_>, trim: Trim) -> u32 {
    let is_stamped = call.is_stamped();
    let cut = call.look(key, |view| {
        let stream = view.as_ref().and_then(|view| view.stream())?;
        let cut = trim.cut(stream)?;
        let gone = is_stamped.then(|| {
            let gone = stream.entries.range(StreamId::MIN, cut);
            Ids::encode(gone.map(|entry| entry.id))
        });
        Some((cut, gone))
    });
    match cut {
        None => return 0,
        Some((cut, None)) => call.apply(key, Op::XTrim(cut)),
        Some((_, Some(gone))) => call.apply(key, Op::XDel(false, Ids::of(&gone))),
    };
    call.last_count(key)
}

pub(super) fn xtrim(call: &mut DataCall<'_, '_>) {
    let options = match parse(call, false) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    if call.look_stream(key, |_| ()).is_none() {
        return;
    }
    let gone = options.trim.map_or(0, |how| trim(call, key, how));
    call.reply.integer(i64::from(gone));
}

/// The id that comes behind the last one, as Redis chooses it; where keys bear stamps, one that only this node gives.
fn choose(
    call: &DataCall<'_, '_>,
    last: StreamId,
    wanted: Wanted,
    is_stamped: bool,
) -> Option<StreamId> {
    let node = call.stamp.filter(|_| is_stamped);
    let node = node.map(|stamp| call.setting.origins.stream_tag(stamp.origin()));
    let first = |ms| match node {
        None => StreamId { ms, seq: 0 },
        Some(node) => StreamId {
            ms,
            seq: u64::from(node),
        },
    };
    // The least that is greater than the last and bears the node's name.
    let behind = |last: StreamId| match node {
        None => last.next(),
        Some(node) => {
            let mut seq = last.seq >> NODE_BITS << NODE_BITS | u64::from(node);
            if seq <= last.seq {
                match seq.checked_add(1 << NODE_BITS) {
                    Some(more) => seq = more,
                    None => return last.ms.checked_add(1).map(first),
                }
            }
            Some(StreamId { seq, ..last })
        }
    };
    match wanted {
        Wanted::This(id) => Some(id),
        Wanted::Open(ms) if ms == last.ms => behind(last).filter(|id| id.ms == ms),
        // No entry is 0-0.
        Wanted::Open(ms) => Some(first(ms)),
        Wanted::Any => {
            // Not before its stamp: see `stable`.
            let now = if is_stamped { call.now } else { call.wall };
            let now = u64::try_from(now.0).unwrap_or(0);
            if now > last.ms {
                Some(first(now))
            } else {
                behind(last)
            }
        }
    }
}

pub(super) fn xadd(call: &mut DataCall<'_, '_>) {
    let options = match parse(call, true) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let len = call.args.len();
    let (wanted, from) = match options.id {
        Some((wanted, from)) if len >= from + 2 && (len - from).is_multiple_of(2) => (wanted, from),
        _ => return errors::wrong_arity(call.reply, "xadd"),
    };
    if wanted == Wanted::This(StreamId::MIN) {
        let error = "ERR The ID specified in XADD must be greater than 0-0";
        return call.reply.error(error);
    }
    let key = call.key(1);
    let last = call.look_stream(key, |stream| stream.map(|stream| stream.head.last_id));
    let Some(last) = last else { return };
    if last.is_none() && options.no_make {
        return call.reply.null();
    }
    let last = last.unwrap_or_default();
    if last == StreamId::MAX {
        let error = "ERR The stream has exhausted the last possible ID, unable to add more items";
        return call.reply.error(error);
    }
    let id = choose(call, last, wanted, call.is_stamped()).filter(|id| *id > last);
    let Some(id) = id else {
        let error =
            "ERR The ID specified in XADD is equal or smaller than the target stream top item";
        return call.reply.error(error);
    };
    let fields = call.args.skip(from);
    if fields.iter().map(<[u8]>::len).sum::<usize>() > ENTRY_LEN_MAX {
        return call.reply.error("ERR Elements are too large to be stored");
    }
    let pairs = varint::all_bytes(fields.iter());
    call.apply(key, Op::XAdd(id, Pairs::of(&pairs)));
    reply::id(call.reply, id);
    if let Some(how) = options.trim {
        trim(call, key, how);
    }
}
