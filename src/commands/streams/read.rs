//! XLEN, XRANGE, XREVRANGE.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::parse::{Read, integer, range_end, range_start};
use crate::commands::streams::reply;
use crate::db::stream::{Stream, StreamId};
use crate::resp::Args;

pub(super) fn xlen(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_stream(key, |stream, reply| {
        let len = stream.map_or(0, |stream| stream.entries.len());
        reply.integer(len as i64);
    });
}

pub(super) fn xrange(call: &mut DataCall<'_, '_>) {
    range(call, false);
}

pub(super) fn xrevrange(call: &mut DataCall<'_, '_>) {
    range(call, true);
}

/// First and last id, and how many at most.
fn parse(args: Args<'_>, is_back: bool) -> Read<(StreamId, StreamId, Option<i64>)> {
    let (from, to) = if is_back { (3, 2) } else { (2, 3) };
    let from = range_start(args.get(from))?;
    let to = range_end(args.get(to))?;
    let (mut count, mut at) = (None, 4);
    while let Some(word) = args.try_get(at) {
        match args.try_get(at + 1) {
            Some(text) if word.eq_ignore_ascii_case(b"count") => {
                count = Some(integer(text)?.max(0));
            }
            _ => return Err(errors::SYNTAX),
        }
        at += 2;
    }
    Ok((from, to, count))
}

/// About how many entries XRANGE or XREVRANGE reads, as far as `most`.
pub fn range_len(name: &str, args: Args<'_>, stream: &Stream, most: usize) -> usize {
    let Ok((from, to, count)) = parse(args, name == "xrevrange") else {
        return 0;
    };
    let count = count.map_or(most, |count| usize::try_from(count).unwrap_or(most));
    stream.entries.len_between(from, to, count.min(most))
}

fn range(call: &mut DataCall<'_, '_>, is_back: bool) {
    let (from, to, count) = match parse(call.args, is_back) {
        Ok(range) => range,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    call.read_stream(key, |stream, reply| {
        let Some(stream) = stream else {
            return reply.array(0);
        };
        let most = match count {
            Some(0) => return reply.null_array(),
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        if is_back {
            reply::entries(reply, stream.entries.range_back(from, to), most);
        } else {
            reply::entries(reply, stream.entries.range(from, to), most);
        }
    });
}
