//! GET, MGET, STRLEN, and the reads that also change: GETDEL, GETEX, GETSET.

use crate::commands::call::{DataCall, string_of};
use crate::commands::errors;
use crate::commands::expire::deadline_of;
use crate::commands::strings::set::{Options, TimeToLive, parse_getex};
use crate::db::{Expiry, Key, Op, View};
use crate::resp::Reply;

/// The value or null.
#[inline]
fn write_value(view: Option<View<'_>>, reply: &mut Reply) {
    match view {
        Some(view) => reply.bulk(string_of(&view)),
        None => reply.null(),
    }
}

/// Replies with the value or null; says whether there is one.
pub(super) fn reply_value(call: &mut DataCall<'_, '_>, key: Key<'_>) -> bool {
    call.read(key, |view, reply| {
        write_value(view, reply);
        view.is_some()
    })
}

pub(super) fn get(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read(key, write_value);
}

pub(super) fn mget(call: &mut DataCall<'_, '_>) {
    call.reply.array(call.args.len() - 1);
    for index in 1..call.args.len() {
        let key = call.key(index);
        call.read(key, write_value);
    }
}

pub(super) fn strlen(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read(key, |view, reply| {
        reply.integer(view.map_or(0, |view| string_of(&view).len() as i64));
    });
}

pub(super) fn getdel(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    if reply_value(call, key) {
        call.apply(key, Op::Del);
    }
}

pub(super) fn getset(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    reply_value(call, key);
    call.apply(key, Op::Set(call.args.get(2), Expiry::Clear));
}

pub(super) fn getex(call: &mut DataCall<'_, '_>) {
    let Some(Options { time_to_live, .. }) = parse_getex(call.args) else {
        return call.reply.error(errors::SYNTAX);
    };
    let wall = call.wall;
    let change = match time_to_live {
        TimeToLive::Unsaid | TimeToLive::Keep => Ok(None),
        TimeToLive::Persist => Ok(Some(Op::Expire(None))),
        TimeToLive::Until(unit, text) => deadline_of(unit, text, wall).map(|deadline| {
            Some(if deadline <= wall {
                Op::Del
            } else {
                Op::Expire(Some(deadline))
            })
        }),
    };
    let key = call.key(1);
    let current = call.read(key, |view, reply| {
        // A wrong time is an error only where there is a key.
        if view.is_none() || change.is_ok() {
            write_value(view, reply);
        }
        view.map(|view| view.deadline)
    });
    let Some(deadline) = current else {
        return;
    };
    match change {
        Err(error) => error.write(call.reply, "getex"),
        Ok(Some(op)) if op != Op::Expire(deadline) => {
            call.apply(key, op);
        }
        Ok(Some(op @ Op::Expire(Some(_)))) => call.touch_as(key, &op),
        Ok(_) => {}
    }
}
