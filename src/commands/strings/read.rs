//! GET, MGET, STRLEN, and the reads that also change: GETDEL, GETEX, GETSET.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::expire::deadline_of;
use crate::commands::strings::set::{Options, TimeToLive, parse_getex};
use crate::db::{Expiry, Key, Op};
use crate::resp::Reply;

/// The string or null.
#[inline]
fn write_value(value: Option<&[u8]>, reply: &mut Reply) {
    match value {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
}

/// Replies with the string or null; says whether there is one. None where there is something else, and the error is written.
pub(super) fn reply_value(call: &mut DataCall<'_, '_>, key: Key<'_>) -> Option<bool> {
    call.read_string(key, |value, reply| {
        write_value(value, reply);
        value.is_some()
    })
}

pub(super) fn get(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_string(key, write_value);
}

pub(super) fn mget(call: &mut DataCall<'_, '_>) {
    call.reply.array(call.args.len() - 1);
    for index in 1..call.args.len() {
        let key = call.key(index);
        call.read(key, |view, reply| {
            // What is no string is as good as absent.
            write_value(view.and_then(|view| view.string()), reply);
        });
    }
}

pub(super) fn strlen(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_string(key, |value, reply| {
        reply.integer(value.map_or(0, |value| value.len() as i64));
    });
}

pub(super) fn getdel(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    if reply_value(call, key) == Some(true) {
        call.apply(key, Op::Del);
    }
}

pub(super) fn getset(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    if reply_value(call, key).is_some() {
        call.apply(key, Op::Set(call.args.get(2), Expiry::Clear));
    }
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
    let mut deadline = None;
    let current = call.read(key, |view, reply| {
        let value = match view.map(|view| (view.string(), view.deadline)) {
            Some((None, _)) => {
                reply.error(errors::WRONG_TYPE);
                return None;
            }
            Some((value, until)) => {
                deadline = until;
                value
            }
            None => None,
        };
        // A wrong time is an error only where there is a key.
        if value.is_none() || change.is_ok() {
            write_value(value, reply);
        }
        value.map(drop)
    });
    let Some(()) = current else {
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
