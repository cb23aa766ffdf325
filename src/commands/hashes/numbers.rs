//! HINCRBY and HINCRBYFLOAT. A missing field counts as 0; the effect is the difference, so that increments made at several
//! masters add up.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::{Key, Op};
use crate::resp::{LongDouble, parse_i64};

pub(super) fn hincrby(call: &mut DataCall<'_, '_>) {
    let Some(delta) = parse_i64(call.args.get(3)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let (key, field) = (call.key(1), call.args.get(2));
    let current = call.look_hash(key, |hash| match hash.and_then(|hash| hash.get(field)) {
        Some(value) => parse_i64(value).map(|number| (number, true)),
        None => Some((0, false)),
    });
    let Some(current) = current else { return };
    let Some((number, found)) = current else {
        return call.reply.error("ERR hash value is not an integer");
    };
    let Some(sum) = number.checked_add(delta) else {
        return call.reply.error(errors::WOULD_OVERFLOW);
    };
    change(call, key, Op::HIncr(delta, field), !found || delta != 0);
    call.reply.integer(sum);
}

pub(super) fn hincrbyfloat(call: &mut DataCall<'_, '_>) {
    let text = call.args.get(3);
    let delta = match LongDouble::parse(text) {
        None => return call.reply.error(errors::NOT_A_FLOAT),
        Some(delta) if !delta.is_finite() => {
            return call.reply.error("ERR value is NaN or Infinity");
        }
        Some(delta) => delta,
    };
    let (key, field) = (call.key(1), call.args.get(2));
    let sum = call.look_hash(key, |hash| {
        let value = hash.and_then(|hash| hash.get(field));
        let current = match value {
            Some(value) => LongDouble::parse(value)?,
            None => LongDouble::ZERO,
        };
        let sum = current.add(delta);
        let shown = sum.is_finite().then(|| sum.to_human_string());
        let changes = value != shown.as_deref().map(str::as_bytes);
        Some((shown, changes))
    });
    let Some(sum) = sum else { return };
    match sum {
        None => call.reply.error("ERR hash value is not a float"),
        Some((None, _)) => call
            .reply
            .error("ERR increment would produce NaN or Infinity"),
        Some((Some(shown), changes)) => {
            change(call, key, Op::HIncrByFloat(text, field), changes);
            call.reply.bulk(shown.as_bytes());
        }
    }
}

/// What changes nothing here may change something elsewhere, where the field went and that is not known here yet.
fn change(call: &mut DataCall<'_, '_>, key: Key<'_>, op: Op<'_>, changes: bool) {
    if changes || call.stamp.is_some() {
        call.apply(key, op);
    } else {
        call.touch_as(key, &op);
    }
}
