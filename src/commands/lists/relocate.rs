//! LMOVE and RPOPLPUSH: an element leaves one list and comes into another, or to the other end of the same.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::lists::parse_end;
use crate::commands::lists::pop::{removal_of, take_out};
use crate::commands::lists::removal::Removal;
use crate::db::op::{End, Names};
use crate::db::{Key, Op, varint};

pub(super) fn rpoplpush(call: &mut DataCall<'_, '_>) {
    let keys = (call.key(1), call.key(2));
    if !relocate(call, keys, End::Tail, End::Head) {
        call.reply.null();
    }
}

pub(super) fn lmove(call: &mut DataCall<'_, '_>) {
    let ends = (parse_end(call.args.get(3)), parse_end(call.args.get(4)));
    let (Some(from), Some(to)) = ends else {
        return call.reply.error(errors::SYNTAX);
    };
    let keys = (call.key(1), call.key(2));
    if !relocate(call, keys, from, to) {
        call.reply.null();
    }
}

/// Moves an element and replies with it, or with an error; false, and nothing written, where there is none.
pub(super) fn relocate(
    call: &mut DataCall<'_, '_>,
    (source, destination): (Key<'_>, Key<'_>),
    from: End,
    to: End,
) -> bool {
    let is_rotation = source.bytes == destination.bytes;
    let looked = call.look_list(source, |list| {
        let list = list?;
        let element = list.get(if from == End::Head { 0 } else { -1 })?.to_vec();
        // With positions, the element is to be found where it stands when its copy has come.
        let removal = match removal_of(list, from, 1) {
            Removal::Positions(_) if is_rotation => {
                let position = match (from, to) {
                    (End::Head, End::Head) => 1,
                    (End::Head, End::Tail) => 0,
                    (End::Tail, End::Head) => list.len(),
                    (End::Tail, End::Tail) => list.len() - 1,
                };
                let mut bytes = Vec::new();
                crate::db::op::Positions::put(&mut bytes, position, 1);
                Removal::Positions(bytes)
            }
            removal => removal,
        };
        Some((element, removal))
    });
    let Some(found) = looked else {
        return true;
    };
    let Some((element, removal)) = found else {
        return false;
    };
    if call.look_list(destination, |_| ()).is_none() {
        return true;
    }
    let mut bytes = Vec::with_capacity(element.len() + 5);
    varint::put_bytes(&mut bytes, &element);
    call.apply(destination, Op::Push(to, Names::of(&bytes, 1)));
    take_out(call, source, from, &removal);
    call.reply.bulk(&element);
    true
}
