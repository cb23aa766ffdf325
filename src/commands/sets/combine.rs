//! Several sets at once: what all have, what any has, what only the first has; as a reply, a number, or another set. What is stored
//! is the whole content of the destination: a PUT, or a DEL where it is empty.
//!
//! Invariant: the types of all keys are checked before anything is computed, and members are not copied but into the reply or
//! the effect.

use std::collections::HashSet;

use crate::commands::call::{Access, DataCall, partition_of};
use crate::commands::errors;
use crate::commands::whole::Whole;
use crate::db::news::Attention;
use crate::db::op::Kind;
use crate::db::varint::put_bytes;
use crate::db::views::SetView;
use crate::db::{Key, UnixMillis};
use crate::resp::parse_i64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combination {
    Intersection,
    Union,
    Difference,
}

pub(super) fn sinter(call: &mut DataCall<'_, '_>) {
    reply(call, Combination::Intersection);
}

pub(super) fn sunion(call: &mut DataCall<'_, '_>) {
    reply(call, Combination::Union);
}

pub(super) fn sdiff(call: &mut DataCall<'_, '_>) {
    reply(call, Combination::Difference);
}

pub(super) fn sinterstore(call: &mut DataCall<'_, '_>) {
    store(call, Combination::Intersection, "sinterstore");
}

pub(super) fn sunionstore(call: &mut DataCall<'_, '_>) {
    store(call, Combination::Union, "sunionstore");
}

pub(super) fn sdiffstore(call: &mut DataCall<'_, '_>) {
    store(call, Combination::Difference, "sdiffstore");
}

pub(super) fn sintercard(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let keys = parse_i64(args.get(1)).and_then(|keys| usize::try_from(keys).ok());
    let Some(keys) = keys.filter(|keys| *keys > 0) else {
        return call.reply.error("ERR numkeys should be greater than 0");
    };
    if keys > args.len() - 2 {
        return call
            .reply
            .error("ERR Number of keys can't be greater than number of args");
    }
    let mut limit = 0;
    let mut options = args.skip(2 + keys).iter();
    while let Some(word) = options.next() {
        let Some(value) = options
            .next()
            .filter(|_| word.eq_ignore_ascii_case(b"limit"))
        else {
            return call.reply.error(errors::SYNTAX);
        };
        let value = parse_i64(value).and_then(|value| usize::try_from(value).ok());
        let Some(value) = value else {
            return call.reply.error("ERR LIMIT can't be negative");
        };
        limit = value;
    }
    let Some(keys) = checked(call, 2..2 + keys) else {
        return;
    };
    let limit = if limit == 0 { usize::MAX } else { limit };
    let sets = sets(call.access, call.db, call.now, &keys);
    let count = intersection(sets).take(limit).count();
    call.reply.integer(count as i64);
}

/// The keys at these arguments; none where one holds something else, and the error is written.
fn checked<'a>(
    call: &mut DataCall<'a, '_>,
    arguments: std::ops::Range<usize>,
) -> Option<Vec<Key<'a>>> {
    let mut keys = Vec::with_capacity(arguments.len());
    for index in arguments {
        let key = call.key(index);
        call.read_set(key, |_, _| ())?;
        keys.push(key);
    }
    Some(keys)
}

/// The sets at these keys; none where there is nothing.
fn sets<'v>(
    access: &'v Access<'_>,
    db: u32,
    now: UnixMillis,
    keys: &[Key<'_>],
) -> Vec<Option<SetView<'v>>> {
    let count = access.count();
    let set = |key: &Key<'_>| {
        let partition = access.at(partition_of(key.hash, count))?;
        partition.seen(db, *key, now)?.set()
    };
    keys.iter().map(set).collect()
}

fn intersection<'v>(sets: Vec<Option<SetView<'v>>>) -> impl Iterator<Item = &'v [u8]> {
    // With one that is not there nothing is left.
    let mut sets: Vec<SetView<'v>> = sets.into_iter().collect::<Option<_>>().unwrap_or_default();
    sets.sort_by_key(|set| set.len());
    let smallest = sets.first().copied();
    let members = smallest.into_iter().flat_map(SetView::iter);
    members.filter(move |member| sets.iter().skip(1).all(|set| set.contains(member)))
}

fn union<'v>(sets: Vec<Option<SetView<'v>>>) -> impl Iterator<Item = &'v [u8]> {
    let mut seen = HashSet::new();
    let members = sets.into_iter().flatten().flat_map(SetView::iter);
    members.filter(move |member| seen.insert(*member))
}

fn difference<'v>(sets: &[Option<SetView<'v>>]) -> Vec<&'v [u8]> {
    let Some((Some(first), others)) = sets.split_first() else {
        return Vec::new();
    };
    let mut others: Vec<SetView<'v>> = others.iter().flatten().copied().collect();
    let others_len: usize = others.iter().map(|set| set.len()).sum();
    // Asking every other set for every member is no work where there are few of either; else each member of all is touched once.
    if first.len().saturating_mul(others.len()) > first.len() + others_len {
        let mut left: HashSet<&[u8]> = first.iter().collect();
        for member in others.iter().flat_map(|set| set.iter()) {
            left.remove(member);
        }
        return first
            .iter()
            .filter(|member| left.contains(member))
            .collect();
    }
    // The largest one is the likeliest to have a member.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let is_left = |member: &&[u8]| !others.iter().any(|set| set.contains(member));
    first.iter().filter(is_left).collect()
}

fn combined<'v>(sets: Vec<Option<SetView<'v>>>, how: Combination) -> Vec<&'v [u8]> {
    match how {
        Combination::Intersection => intersection(sets).collect(),
        Combination::Union => union(sets).collect(),
        Combination::Difference => difference(&sets),
    }
}

fn reply(call: &mut DataCall<'_, '_>, how: Combination) {
    let Some(keys) = checked(call, 1..call.args.len()) else {
        return;
    };
    let members = combined(sets(call.access, call.db, call.now, &keys), how);
    call.reply.set(members.len());
    for member in members {
        call.reply.bulk(member);
    }
}

fn store(call: &mut DataCall<'_, '_>, how: Combination, event: &'static str) {
    let Some(keys) = checked(call, 2..call.args.len()) else {
        return;
    };
    let computed = call.compute(|call| {
        let members = combined(sets(call.access, call.db, call.now, &keys), how);
        let len = members.len();
        let mut content = vec![Kind::Set as u8];
        for member in members {
            put_bytes(&mut content, member);
        }
        Ok(Whole::of(content, len))
    });
    if let Some(Ok(whole)) = computed {
        whole.store(call, call.key(1), (Attention::SET, event));
    }
}
