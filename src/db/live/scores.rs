//! Operations of sorted sets.
//!
//! Invariant: no score is NaN. A member's deadline lies under the score that it has.

use crate::db::body::{Body, Form, Large};
use crate::db::elements::packed::LEN_MAX;
use crate::db::live::elements::grow;
use crate::db::live::{Changed, Ground, Memo, Name};
use crate::db::op::{Names, Scores};
use crate::db::ordered::packed;

type Was = Vec<(Name, Option<f64>)>;

/// The score of a member.
pub fn score(body: &Body, ground: &Ground<'_>, member: &[u8]) -> Option<f64> {
    match body.untimed() {
        Body::Small(Form::Zset, bytes) => packed::score(bytes, member),
        Body::Large(Large::Zset(ordered)) => ordered.score(ground.hasher, member),
        _ => None,
    }
}

/// Gives a member a score; its old one, if it was there.
pub(super) fn put(body: &mut Body, ground: &Ground<'_>, member: &[u8], score: f64) -> Option<f64> {
    let old = put_untimed(body.untimed_mut(), ground, member, score);
    if let (Body::Timed(timed), Some(old)) = (body, old)
        && old != score
    {
        timed.deadlines.rescore(ground.hasher, member, old, score);
    }
    old
}

fn put_untimed(body: &mut Body, ground: &Ground<'_>, member: &[u8], score: f64) -> Option<f64> {
    let limits = ground.limits;
    if let Body::Small(Form::Zset, bytes) = body {
        let old = packed::score(bytes, member);
        let fits = old.is_some()
            || member.len() <= limits.zset_value
                && packed::len(bytes) < limits.zset_entries.min(LEN_MAX);
        if fits {
            if old != Some(score) {
                packed::insert(bytes, member, score);
            }
            return old;
        }
        grow(body, ground);
    }
    match body {
        Body::Large(Large::Zset(ordered)) => ordered.insert(ground.hasher, member, score),
        _ => None,
    }
}

fn take(body: &mut Body, ground: &Ground<'_>, member: &[u8]) -> Option<f64> {
    match body.untimed_mut() {
        Body::Small(Form::Zset, bytes) => packed::remove(bytes, member),
        Body::Large(Large::Zset(ordered)) => ordered.remove(ground.hasher, member),
        _ => None,
    }
}

/// ZADD. Counts members that came.
pub(super) fn add(
    body: &mut Body,
    ground: &Ground<'_>,
    members: Scores<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    let mut changes = false;
    for (score, member) in members.iter() {
        let old = put(body, ground, member, score);
        memo.count += u32::from(old.is_none());
        if old != Some(score) {
            changes = true;
            if memo.keeps {
                was.push((Name::from_slice(member), old));
            }
        }
    }
    if changes {
        Changed::Scores(was, None)
    } else {
        Changed::Nothing
    }
}

/// ZINCRBY. No effect where the sum is no number.
pub(super) fn incr(
    body: &mut Body,
    ground: &Ground<'_>,
    member: &[u8],
    delta: f64,
    memo: &mut Memo,
) -> Changed {
    let old = score(body, ground, member);
    let sum = old.unwrap_or(0.0) + delta;
    if sum.is_nan() {
        return Changed::Nothing;
    }
    put(body, ground, member, sum);
    memo.count += u32::from(old.is_none());
    let was = if memo.keeps {
        vec![(Name::from_slice(member), old)]
    } else {
        Was::new()
    };
    Changed::Scores(was, None)
}

/// ZREM.
pub(super) fn remove(
    body: &mut Body,
    ground: &Ground<'_>,
    names: Names<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    for member in names.iter() {
        if let Some(score) = take(body, ground, member) {
            memo.count += 1;
            if memo.keeps {
                was.push((Name::from_slice(member), Some(score)));
            }
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Scores(was, None)
}

/// Undoes: the last that was changed comes first.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, was: Was) {
    for (member, score) in was.into_iter().rev() {
        match score {
            Some(score) => drop(put(body, ground, &member, score)),
            None => drop(take(body, ground, &member)),
        }
    }
}
