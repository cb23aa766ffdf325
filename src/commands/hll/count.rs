//! PFCOUNT. Of one key the estimate is written down within the value, so that the next one need not compute it; Redis counts that
//! as a write of the key, of which no event tells.

use crate::commands::call::DataCall;
use crate::commands::hll::read;
use crate::db::{Op, hll};

pub(super) fn pfcount(call: &mut DataCall<'_, '_>) {
    if call.args.len() > 2 {
        return count_union(call);
    }
    let key = call.key(1);
    let counted = read(call, key, |value| {
        let Some(value) = value else {
            return Ok((0, false));
        };
        match hll::cached(value) {
            Some(estimate) => Ok((estimate, false)),
            None => hll::count(value).map(|estimate| (estimate, true)),
        }
    });
    let Some((estimate, is_new)) = counted else {
        return;
    };
    let is_recorded = call.stamp.is_some();
    if is_new && call.access.partition(key.hash).takes_notes(is_recorded) {
        let offset = hll::estimate_offset() as u32;
        let bytes = estimate.to_le_bytes();
        call.apply_quietly(key, Op::SetRange(offset, &bytes));
    }
    call.reply.integer(estimate as i64);
}

fn count_union(call: &mut DataCall<'_, '_>) {
    let mut registers = hll::no_registers();
    for index in 1..call.args.len() {
        let key = call.key(index);
        let merged = read(call, key, |value| match value {
            None => Ok(()),
            Some(value) => hll::merge_into(&mut registers, value),
        });
        if merged.is_none() {
            return;
        }
    }
    let estimate = hll::count_registers(&registers);
    call.reply.integer(estimate as i64);
}
