//! Ids, ends of ranges and counts as Redis reads them, and where the keys of XREAD and XREADGROUP are.

use std::ops::Range;

use crate::commands::errors;
use crate::db::stream::StreamId;
use crate::resp::{Args, parse_i64};

/// What is no id.
pub(super) const INVALID_ID: &str = "ERR Invalid stream ID specified as stream command argument";

/// What was read; the error is what to reply.
pub(super) type Read<T> = Result<T, &'static str>;

/// An id in full, with this number where it has none; `-` and `+` are none.
pub(super) fn strict_id(text: &[u8], seq: u64) -> Read<StreamId> {
    StreamId::parse(text, seq).ok_or(INVALID_ID)
}

/// The same where `-` and `+` are the least and the greatest.
pub(super) fn any_id(text: &[u8], seq: u64) -> Read<StreamId> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => strict_id(text, seq),
    }
}

/// Ids in full, in their order, each once.
pub(super) fn ids(texts: Args<'_>) -> Read<Vec<StreamId>> {
    let ids: Read<Vec<_>> = texts.iter().map(|text| strict_id(text, 0)).collect();
    let mut ids = ids?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// An end of a range; says whether it is itself left out.
fn bound(text: &[u8], seq: u64) -> Read<(StreamId, bool)> {
    match text.split_first() {
        Some((b'(', rest)) if !rest.is_empty() => Ok((strict_id(rest, seq)?, true)),
        _ => Ok((any_id(text, seq)?, false)),
    }
}

/// The first id of a range.
pub(super) fn range_start(text: &[u8]) -> Read<StreamId> {
    const INVALID: &str = "ERR invalid start ID for the interval";
    match bound(text, 0)? {
        (id, false) => Ok(id),
        (id, true) => id.next().ok_or(INVALID),
    }
}

/// The last id of a range.
pub(super) fn range_end(text: &[u8]) -> Read<StreamId> {
    const INVALID: &str = "ERR invalid end ID for the interval";
    match bound(text, u64::MAX)? {
        (id, false) => Ok(id),
        (id, true) => id.prev().ok_or(INVALID),
    }
}

/// An integer.
pub(super) fn integer(text: &[u8]) -> Read<i64> {
    parse_i64(text).ok_or(errors::NOT_AN_INTEGER)
}

/// The arguments of an XREAD or XREADGROUP that are keys. Of one that is wrong, whose handler looks at none, what Redis says: the first
/// half behind a `STREAMS` that stands from an argument on.
pub fn key_range(args: Args<'_>, from: usize) -> Option<Range<usize>> {
    exact_key_range(args).or_else(|| {
        let is_word = |at: &usize| args.get(*at).eq_ignore_ascii_case(b"streams");
        let first = (from..args.len()).find(is_word)? + 1;
        let len = (args.len() - first) / 2;
        (len > 0).then_some(first..first + len)
    })
}

/// The same of one that is right.
pub(super) fn exact_key_range(args: Args<'_>) -> Option<Range<usize>> {
    let mut at = 1;
    loop {
        let word = args.try_get(at)?;
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        at += match () {
            () if is(b"block") || is(b"count") => 2,
            () if is(b"group") => 3,
            () if is(b"noack") || is(b"stable") => 1,
            () if is(b"streams") => break,
            () => return None,
        };
    }
    let first = at + 1;
    let len = args.len().saturating_sub(first);
    (len > 0 && len.is_multiple_of(2)).then_some(first..first + len / 2)
}
