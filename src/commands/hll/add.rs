//! PFADD and PFMERGE.

use crate::commands::call::DataCall;
use crate::commands::hll::{limit, look, read};
use crate::db::hll::{self, Adds, Change, Form, Merge};
use crate::db::{Op, Outcome, varint};

pub(super) fn pfadd(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let mut bytes = Vec::new();
    varint::put(&mut bytes, limit(call, key));
    for element in call.args.skip(2) {
        hll::put_add(&mut bytes, hll::place_of(element));
    }
    // What this very function encoded is one.
    let Ok(adds) = Adds::new(&bytes) else { return };
    let looked = look(call, key, |value| match value {
        None => Ok(true),
        Some(value) => Change::Add(adds).changes(value),
    });
    let Some(changes) = looked else { return };
    // What changes nothing here is said all the same: elsewhere a removal may come before it.
    if changes || call.stamp.is_some() {
        call.apply(key, Op::PfAdd(adds));
    }
    call.reply.integer(i64::from(changes));
}

pub(super) fn pfmerge(call: &mut DataCall<'_, '_>) {
    let (mut registers, mut is_dense) = (hll::no_registers(), false);
    for index in 1..call.args.len() {
        let key = call.key(index);
        let merged = read(call, key, |value| {
            let Some(value) = value else { return Ok(()) };
            is_dense |= hll::form_of(value) == Some(Form::Dense);
            if index == 1 {
                // Its own registers stay as they are, wherever it is.
                return hll::merge_into(&mut hll::no_registers(), value);
            }
            hll::merge_into(&mut registers, value)
        });
        if merged.is_none() {
            return;
        }
    }
    let key = call.key(1);
    let bytes = hll::encode_merge(&registers, is_dense, limit(call, key));
    let Ok(merge) = Merge::new(&bytes) else {
        return;
    };
    let op = Op::PfMerge(merge);
    if call.apply(key, op) == Outcome::NoEffect {
        call.touch_as(key, &op);
    }
    call.reply.ok();
}
