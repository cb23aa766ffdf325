//! Fields of a hash get values, go, or get other names.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::Op;
use crate::db::op::{Kind, Names, Pairs};
use crate::db::varint::{all_bytes, put_bytes};
use crate::resp::Args;

pub(super) fn hset(call: &mut DataCall<'_, '_>) {
    if let Some(count) = set(call, "hset") {
        call.reply.integer(i64::from(count));
    }
}

pub(super) fn hmset(call: &mut DataCall<'_, '_>) {
    if set(call, "hmset").is_some() {
        call.reply.ok();
    }
}

/// The arguments from the second on, each a length and that many bytes.
fn encoded(args: Args<'_>) -> Vec<u8> {
    all_bytes(args.skip(2).iter())
}

/// How many fields are new; none where the error is written.
fn set(call: &mut DataCall<'_, '_>, name: &str) -> Option<u32> {
    if !call.args.len().is_multiple_of(2) {
        errors::wrong_arity(call.reply, name);
        return None;
    }
    let key = call.key(1);
    call.look_hash(key, |_| ())?;
    let pairs = encoded(call.args);
    call.apply(key, Op::HSet(Pairs::of(&pairs)));
    Some(call.last_count(key))
}

pub(super) fn hsetnx(call: &mut DataCall<'_, '_>) {
    let (key, field) = (call.key(1), call.args.get(2));
    let is_there = call.look_hash(key, |hash| hash.is_some_and(|hash| hash.contains(field)));
    let Some(is_there) = is_there else { return };
    if !is_there {
        let pairs = encoded(call.args);
        call.apply(key, Op::HSet(Pairs::of(&pairs)));
    }
    call.reply.integer(i64::from(!is_there));
}

pub(super) fn hdel(call: &mut DataCall<'_, '_>) {
    let (key, fields) = (call.key(1), call.args.skip(2));
    let (mut names, mut len) = (Vec::new(), 0);
    let looked = call.look_hash(key, |hash| {
        let Some(hash) = hash else { return };
        for field in fields.iter().filter(|field| hash.contains(field)) {
            put_bytes(&mut names, field);
            len += 1;
        }
    });
    if looked.is_none() {
        return;
    }
    let mut count = 0;
    if len > 0 {
        call.apply(key, Op::Remove(Kind::Hash, Names::of(&names, len)));
        count = call.last_count(key);
    }
    call.reply.integer(i64::from(count));
}

/// KEYDB.HRENAME: what the new name had before is gone.
pub(super) fn hrename(call: &mut DataCall<'_, '_>) {
    let (key, old, new) = (call.key(1), call.args.get(2), call.args.get(3));
    let mut pairs = Vec::new();
    let found = call.look_hash(key, |hash| {
        let value = hash.map(|hash| hash.get(old));
        if let Some(Some(value)) = value {
            put_bytes(&mut pairs, new);
            put_bytes(&mut pairs, value);
        }
        value.map(|value| value.is_some())
    });
    match found {
        None => return,
        Some(None) => return call.reply.null(),
        Some(Some(false)) => return call.reply.error("ERR hash key doesn't exist"),
        Some(Some(true)) => {}
    }
    if old != new {
        // The new one first: without any field the key would go, and its time to live with it.
        call.apply(key, Op::HSet(Pairs::of(&pairs)));
        let mut name = Vec::new();
        put_bytes(&mut name, old);
        call.apply(key, Op::Remove(Kind::Hash, Names::of(&name, 1)));
    }
    call.reply.integer(1);
}
