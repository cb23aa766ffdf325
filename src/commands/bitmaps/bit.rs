//! SETBIT and GETBIT, and how an argument says the place of a bit.

use crate::commands::call::DataCall;
use crate::db::Op;
use crate::resp::parse_i64;

/// A text that is no place of a bit, or one behind the longest string.
pub(super) const BAD_OFFSET: &str = "ERR bit offset is not an integer or out of range";

/// Reads the place of a bit. `#n` is the n-th field of this width, where a width is given.
pub(super) fn parse_offset(text: &[u8], width: Option<u8>, len_max: usize) -> Option<u32> {
    let offset = match (text, width) {
        ([b'#', nth @ ..], Some(width)) => parse_i64(nth)?.checked_mul(i64::from(width))?,
        _ => parse_i64(text)?,
    };
    let fits = offset >= 0 && offset >> 3 < len_max as i64;
    u32::try_from(offset).ok().filter(|_| fits)
}

pub(super) fn setbit(call: &mut DataCall<'_, '_>) {
    let len_max = call.setting.string_len_max();
    let Some(offset) = parse_offset(call.args.get(2), None, len_max) else {
        return call.reply.error(BAD_OFFSET);
    };
    let bit = match parse_i64(call.args.get(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => {
            return call
                .reply
                .error("ERR bit is not an integer or out of range");
        }
    };
    let key = call.key(1);
    let old = call.look_string(key, |value| {
        let byte = value.unwrap_or_default().get(offset as usize / 8);
        byte.map(|byte| byte & 0x80 >> (offset % 8) != 0)
    });
    let Some(old) = old else { return };
    // As in Redis, a bit that is said again is no change for who watches the key; other masters must hear of it all the
    // same, for theirs may differ.
    if old != Some(bit) || call.stamp.is_some() {
        call.apply(key, Op::SetBit(offset, bit));
    }
    call.reply.integer(i64::from(old == Some(true)));
}

pub(super) fn getbit(call: &mut DataCall<'_, '_>) {
    let len_max = call.setting.string_len_max();
    let Some(offset) = parse_offset(call.args.get(2), None, len_max) else {
        return call.reply.error(BAD_OFFSET);
    };
    let key = call.key(1);
    call.read_string(key, |value, reply| {
        let byte = value
            .unwrap_or_default()
            .get(offset as usize / 8)
            .copied()
            .unwrap_or(0);
        reply.integer(i64::from(byte >> (7 - offset % 8) & 1));
    });
}
