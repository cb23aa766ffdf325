//! BZPOPMIN, BZPOPMAX, BZMPOP: the pops that wait for an element where there is none.

use crate::commands::call::DataCall;
use crate::commands::zsets::remove::{many_popped, parse_keys, popped_with_key};
use crate::db::op::Kind;

pub(super) fn bzpopmin(call: &mut DataCall<'_, '_>) {
    pop(call, false);
}

pub(super) fn bzpopmax(call: &mut DataCall<'_, '_>) {
    pop(call, true);
}

fn pop(call: &mut DataCall<'_, '_>, highest: bool) {
    let last = call.args.len() - 1;
    let Some(timeout) = call.timeout(last) else {
        return;
    };
    for index in 1..last {
        let key = call.key(index);
        match call.is_turn(key, Kind::Zset) {
            Some(false) => {}
            Some(true) => return popped_with_key(call, key, highest),
            None => return,
        }
    }
    if !call.wait_at(Kind::Zset, 1..last, timeout) {
        call.reply.null_array();
    }
}

pub(super) fn bzmpop(call: &mut DataCall<'_, '_>) {
    let wanted = match parse_keys(call, 2) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    // Its faults come last, as in Redis.
    let Some(timeout) = call.timeout(1) else {
        return;
    };
    let keys = 3..3 + wanted.keys;
    for index in keys.clone() {
        let key = call.key(index);
        match call.is_turn(key, Kind::Zset) {
            Some(false) => {}
            Some(true) => {
                many_popped(call, key, wanted);
                return;
            }
            None => return,
        }
    }
    if !call.wait_at(Kind::Zset, keys, timeout) {
        call.reply.null_array();
    }
}
