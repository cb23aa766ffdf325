//! ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT: what is asked of single members, and counts.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::zsets::bounds::{Bounds, By};

pub(super) fn zcard(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        reply.integer(zset.map_or(0, |zset| zset.len()) as i64);
    });
}

pub(super) fn zscore(call: &mut DataCall<'_, '_>) {
    let (key, member) = (call.key(1), call.args.get(2));
    call.read_zset(key, |zset, reply| {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
    });
}

pub(super) fn zmscore(call: &mut DataCall<'_, '_>) {
    let (key, members) = (call.key(1), call.args.skip(2));
    call.read_zset(key, |zset, reply| {
        reply.array(members.len());
        for member in members {
            match zset.and_then(|zset| zset.score(member)) {
                Some(score) => reply.double(score),
                None => reply.null(),
            }
        }
    });
}

pub(super) fn zrank(call: &mut DataCall<'_, '_>) {
    rank(call, "zrank", false);
}

pub(super) fn zrevrank(call: &mut DataCall<'_, '_>) {
    rank(call, "zrevrank", true);
}

fn rank(call: &mut DataCall<'_, '_>, command: &str, reverse: bool) {
    if call.args.len() > 4 {
        return errors::wrong_arity(call.reply, command);
    }
    let word = call.args.try_get(3);
    if word.is_some_and(|word| !word.eq_ignore_ascii_case(b"withscore")) {
        return call.reply.error(errors::SYNTAX);
    }
    let (key, member) = (call.key(1), call.args.get(2));
    call.read_zset(key, |zset, reply| {
        let found = zset.and_then(|zset| {
            let rank = zset.rank(member)?;
            let rank = if reverse { zset.len() - 1 - rank } else { rank };
            Some((zset, rank))
        });
        match (found, word) {
            (Some((_, rank)), None) => reply.integer(rank as i64),
            (Some((zset, rank)), Some(_)) => {
                reply.array(2);
                reply.integer(rank as i64);
                reply.double(zset.score(member).unwrap_or_default());
            }
            (None, None) => reply.null(),
            (None, Some(_)) => reply.null_array(),
        }
    });
}

pub(super) fn zcount(call: &mut DataCall<'_, '_>) {
    count(call, By::Score);
}

pub(super) fn zlexcount(call: &mut DataCall<'_, '_>) {
    count(call, By::Lex);
}

fn count(call: &mut DataCall<'_, '_>, by: By) {
    let bounds = match Bounds::parse(by, call.args.get(2), call.args.get(3)) {
        Ok(bounds) => bounds,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        let count = zset.map_or(0, |zset| bounds.ranks(zset, false).len());
        reply.integer(count as i64);
    });
}
