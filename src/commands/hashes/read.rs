//! Fields of a hash are looked at: one, some, all, some at random, some after the other.

use crate::commands::call::DataCall;
use crate::commands::element_draw::{Dice, Draw, OUT_OF_RANGE};
use crate::commands::element_scan::ElementScan;
use crate::commands::errors;
use crate::db::views::HashView;
use crate::resp::{Protocol, Reply};

/// The value or null.
fn write_value(value: Option<&[u8]>, reply: &mut Reply) {
    match value {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
}

pub(super) fn hget(call: &mut DataCall<'_, '_>) {
    let (key, field) = (call.key(1), call.args.get(2));
    call.read_hash(key, |hash, reply| {
        write_value(hash.and_then(|hash| hash.get(field)), reply);
    });
}

pub(super) fn hmget(call: &mut DataCall<'_, '_>) {
    let (key, fields) = (call.key(1), call.args.skip(2));
    call.read_hash(key, |hash, reply| {
        reply.array(fields.len());
        for field in fields {
            write_value(hash.and_then(|hash| hash.get(field)), reply);
        }
    });
}

pub(super) fn hexists(call: &mut DataCall<'_, '_>) {
    let (key, field) = (call.key(1), call.args.get(2));
    call.read_hash(key, |hash, reply| {
        let is_there = hash.is_some_and(|hash| hash.contains(field));
        reply.integer(i64::from(is_there));
    });
}

pub(super) fn hlen(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_hash(key, |hash, reply| {
        reply.integer(hash.map_or(0, HashView::len) as i64);
    });
}

pub(super) fn hstrlen(call: &mut DataCall<'_, '_>) {
    let (key, field) = (call.key(1), call.args.get(2));
    call.read_hash(key, |hash, reply| {
        let value = hash.and_then(|hash| hash.get(field));
        reply.integer(value.map_or(0, <[u8]>::len) as i64);
    });
}

pub(super) fn hkeys(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_hash(key, |hash, reply| {
        reply.array(hash.map_or(0, HashView::len));
        for (field, _) in hash.into_iter().flat_map(HashView::iter) {
            reply.bulk(field);
        }
    });
}

pub(super) fn hvals(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_hash(key, |hash, reply| {
        reply.array(hash.map_or(0, HashView::len));
        for (_, value) in hash.into_iter().flat_map(HashView::iter) {
            reply.bulk(value);
        }
    });
}

pub(super) fn hgetall(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_hash(key, |hash, reply| {
        reply.map(hash.map_or(0, HashView::len));
        for (field, value) in hash.into_iter().flat_map(HashView::iter) {
            reply.bulk(field);
            reply.bulk(value);
        }
    });
}

pub(super) fn hrandfield(call: &mut DataCall<'_, '_>) {
    let (key, dice) = (call.key(1), Dice::new(&call.setting));
    let Some(count) = call.args.try_get(2) else {
        return one_at_random(call);
    };
    let draw = match Draw::parse(count) {
        Ok(draw) => draw,
        Err(error) => return call.reply.error(error),
    };
    let with_values = match call.args.try_get(3) {
        None => false,
        Some(word) if call.args.len() == 4 && word.eq_ignore_ascii_case(b"withvalues") => true,
        Some(_) => return call.reply.error(errors::SYNTAX),
    };
    // Twice as many elements must be countable.
    if with_values && draw.amount() > (i64::MAX / 2) as usize {
        return call.reply.error(OUT_OF_RANGE);
    }
    call.read_hash(key, |hash, reply| {
        let Some(hash) = hash else {
            return reply.array(0);
        };
        let is_nested = with_values && reply.protocol() == Protocol::Resp3;
        let width = 1 + usize::from(with_values && !is_nested);
        draw.reply(
            hash,
            dice,
            reply,
            |len, reply| reply.array(len * width),
            |(field, value), reply| {
                if is_nested {
                    reply.array(2);
                }
                reply.bulk(field);
                if with_values {
                    reply.bulk(value);
                }
            },
        );
    });
}

fn one_at_random(call: &mut DataCall<'_, '_>) {
    let (key, mut dice) = (call.key(1), Dice::new(&call.setting));
    call.read_hash(key, |hash, reply| {
        let drawn = hash.and_then(|hash| hash.random(|| dice.roll()));
        write_value(drawn.map(|(field, _)| field), reply);
    });
}

pub(super) fn hscan(call: &mut DataCall<'_, '_>) {
    let Some(scan) = ElementScan::begin(call) else {
        return;
    };
    let key = call.key(1);
    call.read_hash(key, |hash, reply| {
        let Some(found) = scan.walk(hash, true, reply) else {
            return;
        };
        let with_values = !found.without_values;
        let width = 1 + usize::from(with_values);
        found.reply(reply, width, |(field, value), reply| {
            reply.bulk(field);
            if with_values {
                reply.bulk(value);
            }
        });
    });
}
