//! Members of a set are looked at: one, some, all, some at random, some after the other.

use crate::commands::call::DataCall;
use crate::commands::element_draw::{Dice, Draw};
use crate::commands::element_scan::ElementScan;
use crate::commands::errors;
use crate::db::views::SetView;

pub(super) fn sismember(call: &mut DataCall<'_, '_>) {
    let (key, member) = (call.key(1), call.args.get(2));
    call.read_set(key, |set, reply| {
        let is_there = set.is_some_and(|set| set.contains(member));
        reply.integer(i64::from(is_there));
    });
}

pub(super) fn smismember(call: &mut DataCall<'_, '_>) {
    let (key, members) = (call.key(1), call.args.skip(2));
    call.read_set(key, |set, reply| {
        reply.array(members.len());
        for member in members {
            let is_there = set.is_some_and(|set| set.contains(member));
            reply.integer(i64::from(is_there));
        }
    });
}

pub(super) fn scard(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_set(key, |set, reply| {
        reply.integer(set.map_or(0, SetView::len) as i64);
    });
}

pub(super) fn smembers(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_set(key, |set, reply| {
        reply.set(set.map_or(0, SetView::len));
        for member in set.into_iter().flat_map(SetView::iter) {
            reply.bulk(member);
        }
    });
}

pub(super) fn srandmember(call: &mut DataCall<'_, '_>) {
    let (key, mut dice) = (call.key(1), Dice::new(&call.setting));
    let draw = match (call.args.try_get(2), call.args.len()) {
        (None, _) => None,
        (Some(count), 3) => match Draw::parse(count) {
            Ok(draw) => Some(draw),
            Err(error) => return call.reply.error(error),
        },
        _ => return call.reply.error(errors::SYNTAX),
    };
    call.read_set(key, |set, reply| match (set, draw) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.array(0),
        (Some(set), None) => match set.random(|| dice.roll()) {
            Some(member) => reply.bulk(member),
            None => reply.null(),
        },
        (Some(set), Some(draw)) => {
            draw.reply(
                set,
                dice,
                reply,
                |len, reply| reply.array(len),
                |member, reply| reply.bulk(member),
            );
        }
    });
}

pub(super) fn sscan(call: &mut DataCall<'_, '_>) {
    let Some(scan) = ElementScan::begin(call) else {
        return;
    };
    let key = call.key(1);
    call.read_set(key, |set, reply| {
        if let Some(found) = scan.walk(set, false, reply) {
            found.reply(reply, 1, |member, reply| reply.bulk(member));
        }
    });
}
