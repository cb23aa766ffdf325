//! BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH: the pops and moves that wait for an element where there is none.

use crate::commands::blocking::Timeout;
use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::lists::parse_end;
use crate::commands::lists::pop::{parse_wanted, pop_several, removal_of, take_out};
use crate::commands::lists::relocate::relocate;
use crate::db::op::{End, Kind};

pub(super) fn blpop(call: &mut DataCall<'_, '_>) {
    pop(call, End::Head);
}

pub(super) fn brpop(call: &mut DataCall<'_, '_>) {
    pop(call, End::Tail);
}

fn pop(call: &mut DataCall<'_, '_>, end: End) {
    let last = call.args.len() - 1;
    let Some(timeout) = call.timeout(last) else {
        return;
    };
    for index in 1..last {
        let key = call.key(index);
        match call.is_turn(key, Kind::List) {
            Some(false) => continue,
            Some(true) => {}
            None => return,
        }
        let removal = call.take_from_list(key, |list, reply| {
            let list = list?;
            let element = list.get(if end == End::Head { 0 } else { -1 })?;
            reply.array(2);
            reply.bulk(key.bytes);
            reply.bulk(element);
            Some(removal_of(list, end, 1))
        });
        if let Some(Some(removal)) = removal {
            return take_out(call, key, end, &removal);
        }
    }
    if !call.wait_at(Kind::List, 1..last, timeout) {
        call.reply.null_array();
    }
}

pub(super) fn blmpop(call: &mut DataCall<'_, '_>) {
    let wanted = match parse_wanted(call, 2) {
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
        match call.is_turn(key, Kind::List) {
            Some(false) => {}
            Some(true) => {
                pop_several(call, index, wanted);
                return;
            }
            None => return,
        }
    }
    if !call.wait_at(Kind::List, keys, timeout) {
        call.reply.null_array();
    }
}

pub(super) fn blmove(call: &mut DataCall<'_, '_>) {
    let ends = (parse_end(call.args.get(3)), parse_end(call.args.get(4)));
    let (Some(from), Some(to)) = ends else {
        return call.reply.error(errors::SYNTAX);
    };
    if let Some(timeout) = call.timeout(5) {
        relocate_or_wait(call, from, to, timeout);
    }
}

pub(super) fn brpoplpush(call: &mut DataCall<'_, '_>) {
    if let Some(timeout) = call.timeout(3) {
        relocate_or_wait(call, End::Tail, End::Head, timeout);
    }
}

fn relocate_or_wait(call: &mut DataCall<'_, '_>, from: End, to: End, timeout: Timeout) {
    let keys = (call.key(1), call.key(2));
    match call.is_turn(keys.0, Kind::List) {
        None => {}
        Some(true) => {
            relocate(call, keys, from, to);
        }
        Some(false) if call.wait_at(Kind::List, 1..2, timeout) => {}
        Some(false) => call.reply.null(),
    }
}
