//! INCR and its kin. A missing key counts as 0; the effect is the difference, so that increments made at several masters add up.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::Op;
use crate::resp::{LongDouble, parse_i64};

pub(super) fn incr(call: &mut DataCall<'_, '_>) {
    add(call, 1);
}

pub(super) fn decr(call: &mut DataCall<'_, '_>) {
    add(call, -1);
}

pub(super) fn incrby(call: &mut DataCall<'_, '_>) {
    match parse_i64(call.args.get(2)) {
        Some(delta) => add(call, delta),
        None => call.reply.error(errors::NOT_AN_INTEGER),
    }
}

pub(super) fn decrby(call: &mut DataCall<'_, '_>) {
    match parse_i64(call.args.get(2)).map(i64::checked_neg) {
        Some(Some(delta)) => add(call, delta),
        Some(None) => call.reply.error("ERR decrement would overflow"),
        None => call.reply.error(errors::NOT_AN_INTEGER),
    }
}

fn add(call: &mut DataCall<'_, '_>, delta: i64) {
    let key = call.key(1);
    let current = call.look_string(key, |value| match value {
        Some(value) => parse_i64(value).map(|number| (number, true)),
        None => Some((0, false)),
    });
    let Some(current) = current else { return };
    let Some((number, found)) = current else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let Some(sum) = number.checked_add(delta) else {
        return call.reply.error(errors::WOULD_OVERFLOW);
    };
    if !found || delta != 0 {
        call.apply(key, Op::Incr(delta));
    } else {
        call.touch_as(key, &Op::Incr(delta));
    }
    call.reply.integer(sum);
}

pub(super) fn incrbyfloat(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let text = call.args.get(2);
    let sum = call.look_string(key, |value| {
        let current = match value {
            Some(value) => LongDouble::parse(value)?,
            None => LongDouble::ZERO,
        };
        let sum = current.add(LongDouble::parse(text)?);
        let shown = sum.is_finite().then(|| sum.to_human_string());
        let changes = value != shown.as_deref().map(str::as_bytes);
        Some((shown, changes))
    });
    let Some(sum) = sum else { return };
    match sum {
        None => call.reply.error(errors::NOT_A_FLOAT),
        Some((None, _)) => call
            .reply
            .error("ERR increment would produce NaN or Infinity"),
        Some((Some(shown), changes)) => {
            if changes {
                call.apply(key, Op::IncrByFloat(text));
            } else {
                call.touch_as(key, &Op::IncrByFloat(text));
            }
            call.reply.bulk(shown.as_bytes());
        }
    }
}
