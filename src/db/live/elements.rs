//! Operations of hashes and sets.
//!
//! Invariant: members of a small set that is read as [`Form::Ints`] are all integers, in their order.

use std::cmp::Ordering;

use crate::db::body::{Body, Form, Large, grown};
use crate::db::elements::{Payload, packed};
use crate::db::live::{Changed, Ground, Memo, Name};
use crate::db::op::{Names, Pairs};
use crate::resp::{LongDouble, parse_i64};

type Was = Vec<(Name, Option<Payload>)>;

impl Memo {
    fn note(&self, was: &mut Was, body: &Body, ground: &Ground<'_>, name: &[u8]) {
        if self.keeps {
            let old = get(body, ground, name).map(Payload::from_slice);
            was.push((Name::from_slice(name), old));
        }
    }
}

/// The payload of a field or member.
pub fn get<'b>(body: &'b Body, ground: &Ground<'_>, name: &[u8]) -> Option<&'b [u8]> {
    match body {
        Body::Small(Form::Hash | Form::Set | Form::Ints, bytes) => packed::get(bytes, name),
        Body::Large(Large::Hash(elements) | Large::Set(elements)) => {
            elements.get(ground.hasher, name)
        }
        _ => None,
    }
}

/// Makes a small collection large.
pub(super) fn grow(body: &mut Body, ground: &Ground<'_>) {
    if let Body::Small(form, bytes) = body {
        *body = Body::Large(grown(*form, bytes, ground.hasher, &ground.limits));
    }
}

fn put_field(body: &mut Body, ground: &Ground<'_>, field: &[u8], value: &[u8]) -> bool {
    let limits = ground.limits;
    if let Body::Small(Form::Hash, bytes) = body {
        let is_short = field.len() <= limits.hash_value && value.len() <= limits.hash_value;
        if is_short && packed::len(bytes) < packed::LEN_MAX {
            let is_new = packed::insert(bytes, field, value);
            if is_new && packed::len(bytes) > limits.hash_entries {
                grow(body, ground);
            }
            return is_new;
        }
        grow(body, ground);
    }
    match body {
        Body::Large(Large::Hash(elements)) => elements.insert(ground.hasher, field, value),
        _ => false,
    }
}

/// Where an integer has its place among others, and whether it is there.
fn find_int(bytes: &[u8], number: i64) -> (usize, bool) {
    for (nth, (member, _)) in packed::iter(bytes).enumerate() {
        match parse_i64(member).map_or(Ordering::Less, |other| other.cmp(&number)) {
            Ordering::Less => {}
            Ordering::Equal => return (nth, true),
            Ordering::Greater => return (nth, false),
        }
    }
    (packed::len(bytes), false)
}

fn put_member(body: &mut Body, ground: &Ground<'_>, member: &[u8]) -> bool {
    let limits = ground.limits;
    let number = match body {
        Body::Small(Form::Ints, _) => parse_i64(member),
        _ => None,
    };
    match body {
        Body::Small(Form::Ints, bytes) => match number {
            Some(number) => {
                let (place, is_there) = find_int(bytes, number);
                if is_there {
                    return false;
                }
                packed::insert_at(bytes, place, member);
                if packed::len(bytes) > limits.intset_entries.min(packed::LEN_MAX - 1) {
                    grow(body, ground);
                }
                return true;
            }
            None => {
                let len = packed::len(bytes);
                if len < limits.set_entries && member.len() <= limits.set_value {
                    *body = Body::Small(Form::Set, std::mem::take(bytes));
                } else {
                    grow(body, ground);
                }
            }
        },
        Body::Small(Form::Set, bytes) => {
            let fits = member.len() <= limits.set_value
                && packed::len(bytes) < limits.set_entries.min(packed::LEN_MAX);
            if !fits && packed::get(bytes, member).is_none() {
                grow(body, ground);
            }
        }
        _ => {}
    }
    match body {
        Body::Small(_, bytes) => packed::insert(bytes, member, b""),
        Body::Large(Large::Set(elements)) => elements.insert(ground.hasher, member, b""),
        _ => false,
    }
}

fn take(body: &mut Body, ground: &Ground<'_>, name: &[u8]) -> Option<Payload> {
    match body {
        Body::Small(Form::Hash | Form::Set | Form::Ints, bytes) => packed::remove(bytes, name),
        Body::Large(Large::Hash(elements) | Large::Set(elements)) => {
            elements.remove(ground.hasher, name)
        }
        _ => None,
    }
}

/// HSET. It always counts as a change, as in Redis.
pub(super) fn set(
    body: &mut Body,
    ground: &Ground<'_>,
    pairs: Pairs<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    for (field, value) in pairs.iter() {
        memo.note(&mut was, body, ground, field);
        memo.count += u32::from(put_field(body, ground, field, value));
    }
    Changed::Elements(was, None)
}

/// SADD.
pub(super) fn add(
    body: &mut Body,
    ground: &Ground<'_>,
    names: Names<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    // Redis makes no small set for more members than one may have.
    if body.is_empty() && names.len() > ground.limits.intset_entries.max(ground.limits.set_entries)
    {
        grow(body, ground);
    }
    for name in names.iter() {
        if put_member(body, ground, name) {
            memo.count += 1;
            if memo.keeps {
                was.push((Name::from_slice(name), None));
            }
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Elements(was, None)
}

/// HDEL, SREM.
pub(super) fn remove(
    body: &mut Body,
    ground: &Ground<'_>,
    names: Names<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    for name in names.iter() {
        if let Some(payload) = take(body, ground, name) {
            memo.count += 1;
            if memo.keeps {
                was.push((Name::from_slice(name), Some(payload)));
            }
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Elements(was, None)
}

fn put_computed(
    body: &mut Body,
    ground: &Ground<'_>,
    field: &[u8],
    value: &[u8],
    memo: &mut Memo,
) -> Changed {
    let mut was = Was::new();
    memo.note(&mut was, body, ground, field);
    memo.count += u32::from(put_field(body, ground, field, value));
    Changed::Elements(was, None)
}

/// HINCRBY. No effect where the field is no integer or would be none any more.
pub(super) fn incr(
    body: &mut Body,
    ground: &Ground<'_>,
    field: &[u8],
    delta: i64,
    memo: &mut Memo,
) -> Changed {
    let old = get(body, ground, field).map_or(Some(0), parse_i64);
    let Some(sum) = old.and_then(|old| old.checked_add(delta)) else {
        return Changed::Nothing;
    };
    let mut text = itoa::Buffer::new();
    put_computed(body, ground, field, text.format(sum).as_bytes(), memo)
}

/// HINCRBYFLOAT, alike.
pub(super) fn incr_by_float(
    body: &mut Body,
    ground: &Ground<'_>,
    field: &[u8],
    delta: &[u8],
    memo: &mut Memo,
) -> Changed {
    let zero = || Some(LongDouble::from_i64(0));
    let old = get(body, ground, field).map_or_else(zero, LongDouble::parse);
    let sum = old
        .zip(LongDouble::parse(delta))
        .map(|(old, delta)| old.add(delta));
    match sum {
        Some(sum) if sum.is_finite() => {
            put_computed(body, ground, field, sum.to_human_string().as_bytes(), memo)
        }
        _ => Changed::Nothing,
    }
}

/// Undoes: the last that was changed comes first.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, was: Was) {
    for (name, payload) in was.into_iter().rev() {
        match (payload, body.kind()) {
            (Some(payload), crate::db::op::Kind::Hash) => {
                put_field(body, ground, &name, &payload);
            }
            (Some(_), _) => {
                put_member(body, ground, &name);
            }
            (None, _) => drop(take(body, ground, &name)),
        }
    }
}

/// Puts a member of a whole value in.
pub(super) fn put_whole(body: &mut Body, ground: &Ground<'_>, name: &[u8], payload: Option<&[u8]>) {
    match payload {
        Some(value) => drop(put_field(body, ground, name, value)),
        None => drop(put_member(body, ground, name)),
    }
}
