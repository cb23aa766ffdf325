//! APPEND, SETRANGE, GETRANGE and its old name SUBSTR.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::Op;
use crate::db::op::STRING_LEN_MAX;
use crate::resp::parse_i64;

pub(super) fn append(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let tail = call.args.get(2);
    let Some(old_len) = call.look_string(key, |value| value.map(<[u8]>::len)) else {
        return;
    };
    let len = old_len.unwrap_or(0) + tail.len();
    // As in Redis, what makes a key is bounded by what a request may bring, and nothing more.
    let max = match old_len {
        Some(_) => call.setting.string_len_max(),
        None => STRING_LEN_MAX,
    };
    if len > max {
        return call.reply.error(errors::TOO_LONG);
    }
    if old_len.is_none() || !tail.is_empty() {
        call.apply(key, Op::Append(tail));
    } else {
        call.touch_as(key, &Op::Append(tail));
    }
    call.reply.integer(len as i64);
}

pub(super) fn setrange(call: &mut DataCall<'_, '_>) {
    let Some(offset) = parse_i64(call.args.get(2)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let Ok(offset) = u64::try_from(offset) else {
        return call.reply.error("ERR offset is out of range");
    };
    let key = call.key(1);
    let bytes = call.args.get(3);
    let Some(old_len) = call.look_string(key, |value| value.map_or(0, <[u8]>::len)) else {
        return;
    };
    if bytes.is_empty() {
        return call.reply.integer(old_len as i64);
    }
    let end = offset.saturating_add(bytes.len() as u64);
    let (Ok(place), true) = (
        u32::try_from(offset),
        end <= call.setting.string_len_max() as u64,
    ) else {
        return call.reply.error(errors::TOO_LONG);
    };
    call.apply(key, Op::SetRange(place, bytes));
    call.reply.integer(old_len.max(end as usize) as i64);
}

pub(super) fn getrange(call: &mut DataCall<'_, '_>) {
    let (Some(start), Some(end)) = (parse_i64(call.args.get(2)), parse_i64(call.args.get(3)))
    else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let key = call.key(1);
    call.read_string(key, |value, reply| {
        reply.bulk(slice(value.unwrap_or_default(), start, end));
    });
}

/// The bytes from `start` to `end`, both counted in, negative ones from the end.
fn slice(value: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let len = value.len() as i64;
    let from_start = |at: i64| if at < 0 { (len + at).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(len - 1));
    if start > end {
        return &[];
    }
    value.get(start as usize..=end as usize).unwrap_or_default()
}
