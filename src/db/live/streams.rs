//! Operations of streams.
//!
//! Invariant: as of [`crate::db::stream`]; what an operation took out is only written down where it may be taken back.

use crate::db::body::{Body, Large};
use crate::db::live::{Changed, Ground, Memo};
use crate::db::op::{Op, Pairs};
use crate::db::stream::{Before, Fields, Stream};

fn stream_of(body: &mut Body) -> Option<&mut Stream> {
    match body {
        Body::Large(Large::Stream(stream)) => Some(stream),
        _ => None,
    }
}

/// The fields of an entry.
fn fields_of(pairs: Pairs<'_>) -> Fields<'_> {
    Fields::of(pairs.as_bytes(), pairs.iter().count())
}

/// Carries out an operation of streams. Counts entries that came or went, and what a change of a group counts.
pub(super) fn change(body: &mut Body, ground: &Ground<'_>, op: Op<'_>, memo: &mut Memo) -> Changed {
    let Some(stream) = stream_of(body) else {
        return Changed::Nothing;
    };
    let done = match op {
        Op::XAdd(id, pairs) => stream
            .add(id, fields_of(pairs), ground.limits.stream)
            .map(|before| (before, 1)),
        Op::XDel(is_deleted, ids) => stream.remove(ids, !is_deleted, memo.keeps),
        Op::XTrim(id) => stream.trim_through(id, memo.keeps),
        Op::XSetId(set) => Some((stream.set_id(set), 0)),
        Op::XGroup(change) => stream.change(change, ground.has_ids),
        _ => None,
    };
    match done {
        Some((before, count)) => {
            memo.count = count;
            Changed::Stream(Box::new(before))
        }
        None => Changed::Nothing,
    }
}

/// Undoes.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, before: Before) {
    if let Some(stream) = stream_of(body) {
        stream.take_back(before, ground.limits.stream);
    }
}
