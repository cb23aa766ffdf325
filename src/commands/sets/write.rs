//! Members come into a set, go, or go to another one.

use crate::commands::call::DataCall;
use crate::commands::element_draw::{Dice, distinct};
use crate::commands::errors;
use crate::db::news::Attention;
use crate::db::op::{Kind, Names};
use crate::db::varint::{all_bytes, put_bytes};
use crate::db::{Key, Op};
use crate::resp::parse_i64;

pub(super) fn sadd(call: &mut DataCall<'_, '_>) {
    let (key, members) = (call.key(1), call.args.skip(2));
    let brings = call.look_set(key, |set| {
        set.is_none_or(|set| members.iter().any(|member| !set.contains(member)))
    });
    let Some(brings) = brings else { return };
    let names = all_bytes(members.iter());
    let added = add(call, key, Names::of(&names, members.len()), brings);
    call.reply.integer(i64::from(added));
}

/// How many of these came in; `brings` where any does. Others may not have them, so that they are told of all.
fn add(call: &mut DataCall<'_, '_>, key: Key<'_>, names: Names<'_>, brings: bool) -> u32 {
    if brings {
        call.apply(key, Op::SAdd(names));
        return call.last_count(key);
    }
    if call.stamp.is_some() {
        call.apply_quietly(key, Op::SAdd(names));
    }
    0
}

pub(super) fn srem(call: &mut DataCall<'_, '_>) {
    let (key, members) = (call.key(1), call.args.skip(2));
    let (mut names, mut len) = (Vec::new(), 0);
    let looked = call.look_set(key, |set| {
        let Some(set) = set else { return };
        for member in members.iter().filter(|member| set.contains(member)) {
            put_bytes(&mut names, member);
            len += 1;
        }
    });
    if looked.is_none() {
        return;
    }
    let mut count = 0;
    if len > 0 {
        call.apply(key, Op::Remove(Kind::Set, Names::of(&names, len)));
        count = call.last_count(key);
    }
    call.reply.integer(i64::from(count));
}

pub(super) fn smove(call: &mut DataCall<'_, '_>) {
    let (from, to, member) = (call.key(1), call.key(2), call.args.get(3));
    let is_there = call.look_set(from, |set| set.map(|set| set.contains(member)));
    let Some(is_there) = is_there else { return };
    // Without a source nobody judges the destination.
    let Some(is_there) = is_there else {
        return call.reply.integer(0);
    };
    let brings = call.look_set(to, |set| set.is_none_or(|set| !set.contains(member)));
    let Some(brings) = brings else { return };
    if is_there && from.bytes != to.bytes {
        let mut name = Vec::new();
        put_bytes(&mut name, member);
        let name = Names::of(&name, 1);
        call.apply(from, Op::Remove(Kind::Set, name));
        add(call, to, name, brings);
    }
    call.reply.integer(i64::from(is_there));
}

pub(super) fn spop(call: &mut DataCall<'_, '_>) {
    match call.args.len() {
        2 => pop_one(call),
        3 => pop_some(call),
        _ => call.reply.error(errors::SYNTAX),
    }
}

/// The effect names the member, and not the key even where it goes with it: who adds another one elsewhere keeps it.
fn pop_one(call: &mut DataCall<'_, '_>) {
    let (key, mut dice) = (call.key(1), Dice::new(&call.setting));
    let mut name = Vec::new();
    let popped = call.look_set(key, |set| {
        let member = set.and_then(|set| set.random(|| dice.roll()));
        member.map(|member| put_bytes(&mut name, member))
    });
    match popped {
        None => {}
        Some(None) => call.reply.null(),
        Some(Some(())) => {
            let name = Names::of(&name, 1);
            name.iter().for_each(|member| call.reply.bulk(member));
            take(call, key, Op::Remove(Kind::Set, name));
        }
    }
}

fn pop_some(call: &mut DataCall<'_, '_>) {
    let count = parse_i64(call.args.get(2)).and_then(|count| usize::try_from(count).ok());
    let Some(count) = count else {
        return call
            .reply
            .error("ERR value is out of range, must be positive");
    };
    let (key, dice) = (call.key(1), Dice::new(&call.setting));
    let (mut names, mut len) = (Vec::new(), 0);
    let all = call.look_set(key, |set| {
        let Some(set) = set else { return false };
        for member in distinct(set, count, dice) {
            put_bytes(&mut names, member);
            len += 1;
        }
        len == set.len()
    });
    let Some(all) = all else { return };
    let names = Names::of(&names, len);
    call.reply.set(len);
    names.iter().for_each(|member| call.reply.bulk(member));
    if len > 0 {
        let op = if all {
            Op::Del
        } else {
            Op::Remove(Kind::Set, names)
        };
        take(call, key, op);
    }
}

/// Takes members out as Redis tells it: a pop, and a DEL if none is left.
fn take(call: &mut DataCall<'_, '_>, key: Key<'_>, op: Op<'_>) {
    call.apply_quietly(key, op);
    call.tell_of(key, Attention::SET, "spop");
    if !call.exists(key) {
        call.tell(key, "del");
    }
}
