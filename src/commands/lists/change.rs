//! LSET, LINSERT, LREM, LTRIM.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::lists::read::range_of;
use crate::commands::lists::removal::{Removal, insert_beside, set_at};
use crate::db::news::Attention;
use crate::resp::parse_i64;

pub(super) fn lset(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let index = parse_i64(call.args.get(2));
    let element = call.args.get(3);
    let op = call.look_list(key, |list| {
        let list = list.ok_or(errors::NO_SUCH_KEY)?;
        let index = index.ok_or(errors::NOT_AN_INTEGER)?;
        let position = list.position(index).ok_or("ERR index out of range")?;
        Ok(set_at(list, position, element))
    });
    match op {
        None => {}
        Some(Err(error)) => call.reply.error(error),
        Some(Ok(op)) => {
            call.apply(key, op);
            call.reply.ok();
        }
    }
}

pub(super) fn linsert(call: &mut DataCall<'_, '_>) {
    let place = call.args.get(2);
    let is_before = place.eq_ignore_ascii_case(b"before");
    if !is_before && !place.eq_ignore_ascii_case(b"after") {
        return call.reply.error(errors::SYNTAX);
    }
    let (key, pivot, element) = (call.key(1), call.args.get(3), call.args.get(4));
    let op = call.look_list(key, |list| {
        let list = list?;
        let found = list.iter().position(|(_, other)| other == pivot);
        Some((
            list.len(),
            found.map(|pivot| insert_beside(list, pivot, is_before, element)),
        ))
    });
    match op {
        None => {}
        Some(None) => call.reply.integer(0),
        Some(Some((_, None))) => call.reply.integer(-1),
        Some(Some((len, Some(op)))) => {
            call.apply(key, op);
            call.reply.integer(len as i64 + 1);
        }
    }
}

pub(super) fn lrem(call: &mut DataCall<'_, '_>) {
    let Some(count) = parse_i64(call.args.get(2)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let (key, element) = (call.key(1), call.args.get(3));
    let looked = call.look_list(key, |list| {
        let list = list?;
        let wanted = match count {
            0 => usize::MAX,
            count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
        };
        let is_it = |(_, other): &(_, &[u8])| *other == element;
        let mut positions: Vec<usize> = if count >= 0 {
            let met = list.iter().enumerate().filter(|(_, met)| is_it(met));
            met.map(|(nth, _)| nth).take(wanted).collect()
        } else {
            let last = list.len().saturating_sub(1);
            let met = list.iter_back_from(last).enumerate();
            let met = met.filter(|(_, met)| is_it(met));
            met.map(|(nth, _)| last - nth).take(wanted).collect()
        };
        positions.sort_unstable();
        let ranges = positions.iter().map(|position| (*position, 1));
        Some((positions.len(), Removal::of(list, ranges)))
    });
    let Some(found) = looked else { return };
    let Some((removed, removal)) = found else {
        return call.reply.integer(0);
    };
    if let Some(op) = removal.op() {
        call.apply_quietly(key, op);
        call.tell_as(key, (Attention::LIST, "lrem"));
    }
    call.reply.integer(removed as i64);
}

pub(super) fn ltrim(call: &mut DataCall<'_, '_>) {
    let (Some(start), Some(end)) = (parse_i64(call.args.get(2)), parse_i64(call.args.get(3)))
    else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let key = call.key(1);
    let removal = call.look_list(key, |list| {
        let list = list?;
        let (position, count) = range_of(list.len(), start, end);
        let behind = position + count;
        let ranges = [(0, position), (behind, list.len() - behind)];
        Some(Removal::of(list, ranges.into_iter()))
    });
    match removal {
        None => return,
        Some(None) => {}
        Some(Some(removal)) => {
            match removal.op() {
                Some(op) => drop(call.apply_quietly(key, op)),
                None => call.touch(key),
            }
            call.tell_as(key, (Attention::LIST, "ltrim"));
        }
    }
    call.reply.ok();
}
