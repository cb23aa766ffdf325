//! LPUSH, RPUSH, LPUSHX, RPUSHX.

use crate::commands::call::DataCall;
use crate::db::op::{End, Names};
use crate::db::{Op, varint};

pub(super) fn lpush(call: &mut DataCall<'_, '_>) {
    push(call, End::Head, false);
}

pub(super) fn rpush(call: &mut DataCall<'_, '_>) {
    push(call, End::Tail, false);
}

pub(super) fn lpushx(call: &mut DataCall<'_, '_>) {
    push(call, End::Head, true);
}

pub(super) fn rpushx(call: &mut DataCall<'_, '_>) {
    push(call, End::Tail, true);
}

fn push(call: &mut DataCall<'_, '_>, end: End, only_to_list: bool) {
    let key = call.key(1);
    let Some(old_len) = call.look_list(key, |list| list.map_or(0, |list| list.len())) else {
        return;
    };
    if old_len == 0 && only_to_list {
        return call.reply.integer(0);
    }
    let elements = call.args.skip(2);
    let bytes = varint::all_bytes(elements.iter());
    call.apply(key, Op::Push(end, Names::of(&bytes, elements.len())));
    call.reply.integer((old_len + elements.len()) as i64);
}
