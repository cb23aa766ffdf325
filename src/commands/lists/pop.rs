//! LPOP, RPOP, LMPOP. What is popped is told by the names of the elements: each master pops at once, so an element may come out
//! at two masters that do not hear of each other in time, and is gone at both.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::lists::parse_end;
use crate::commands::lists::removal::Removal;
use crate::db::Key;
use crate::db::news::{Attention, Event};
use crate::db::op::End;
use crate::db::views::ListView;
use crate::resp::{Reply, parse_i64};

/// The event of a pop.
pub(super) fn popped(end: End) -> Event {
    match end {
        End::Head => (Attention::LIST, "lpop"),
        End::Tail => (Attention::LIST, "rpop"),
    }
}

/// Takes out what was written to the reply, and tells of it.
pub(super) fn take_out(call: &mut DataCall<'_, '_>, key: Key<'_>, end: End, removal: &Removal) {
    if let Some(op) = removal.op() {
        call.apply_quietly(key, op);
        call.tell_as(key, popped(end));
    }
}

pub(super) fn lpop(call: &mut DataCall<'_, '_>) {
    pop(call, End::Head, "lpop");
}

pub(super) fn rpop(call: &mut DataCall<'_, '_>) {
    pop(call, End::Tail, "rpop");
}

fn pop(call: &mut DataCall<'_, '_>, end: End, name: &str) {
    if call.args.len() > 3 {
        return errors::wrong_arity(call.reply, name);
    }
    let count = match call.args.try_get(2).map(parse_i64) {
        None => None,
        Some(Some(count)) if count >= 0 => Some(usize::try_from(count).unwrap_or(usize::MAX)),
        Some(_) => return call.reply.error(errors::NOT_POSITIVE),
    };
    let key = call.key(1);
    let removal = call.take_from_list(key, |list, reply| match (list, count) {
        (None, None) => {
            reply.null();
            None
        }
        (None, Some(_)) => {
            reply.null_array();
            None
        }
        (Some(list), None) => {
            let index = if end == End::Head { 0 } else { -1 };
            match list.get(index) {
                Some(element) => reply.bulk(element),
                None => reply.null(),
            }
            Some(removal_of(list, end, 1))
        }
        (Some(list), Some(count)) => Some(reply_popped(list, end, count, reply)),
    });
    if let Some(Some(removal)) = removal {
        take_out(call, key, end, &removal);
    }
}

/// Of so many elements at an end.
pub(super) fn removal_of(list: ListView<'_>, end: End, count: usize) -> Removal {
    let count = count.min(list.len());
    let position = match end {
        End::Head => 0,
        End::Tail => list.len() - count,
    };
    Removal::of(list, std::iter::once((position, count)))
}

/// Replies with so many elements from an end, the first popped first.
pub(super) fn reply_popped(
    list: ListView<'_>,
    end: End,
    count: usize,
    reply: &mut Reply,
) -> Removal {
    let count = count.min(list.len());
    reply.array(count);
    match end {
        End::Head => {
            let elements = list.iter().take(count);
            elements.for_each(|(_, element)| reply.bulk(element));
        }
        End::Tail => {
            let elements = list
                .iter_back_from(list.len().saturating_sub(1))
                .take(count);
            elements.for_each(|(_, element)| reply.bulk(element));
        }
    }
    removal_of(list, end, count)
}

/// What LMPOP and BLMPOP ask for behind their keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub keys: usize,
    pub end: End,
    pub count: usize,
}

/// Reads `numkeys key... LEFT|RIGHT [COUNT count]` from this argument on; the error is what to reply.
pub(super) fn parse_wanted(call: &DataCall<'_, '_>, at: usize) -> Result<Wanted, &'static str> {
    let args = call.args;
    let keys = parse_i64(args.get(at)).filter(|keys| *keys > 0);
    let keys = keys.ok_or("ERR numkeys should be greater than 0")?;
    let keys = usize::try_from(keys).map_err(|_| errors::SYNTAX)?;
    let end_at = keys.checked_add(at + 1).ok_or(errors::SYNTAX)?;
    let end = args.try_get(end_at).and_then(parse_end);
    let end = end.ok_or(errors::SYNTAX)?;
    let mut count = None;
    let mut index = end_at + 1;
    while let Some(word) = args.try_get(index) {
        let operand = args.try_get(index + 1);
        match operand {
            Some(text) if count.is_none() && word.eq_ignore_ascii_case(b"count") => {
                let number = parse_i64(text).filter(|count| *count > 0);
                let number = number.ok_or("ERR count should be greater than 0")?;
                count = Some(usize::try_from(number).unwrap_or(usize::MAX));
            }
            _ => return Err(errors::SYNTAX),
        }
        index += 2;
    }
    let count = count.unwrap_or(1);
    Ok(Wanted { keys, end, count })
}

pub(super) fn lmpop(call: &mut DataCall<'_, '_>) {
    let wanted = match parse_wanted(call, 1) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    for index in 2..2 + wanted.keys {
        match pop_several(call, index, wanted) {
            Some(false) => {}
            Some(true) | None => return,
        }
    }
    call.reply.null_array();
}

/// Pops from one of several keys; says whether there was something. None where the error was written.
pub(super) fn pop_several(
    call: &mut DataCall<'_, '_>,
    index: usize,
    wanted: Wanted,
) -> Option<bool> {
    let key = call.key(index);
    let removal = call.take_from_list(key, |list, reply| {
        list.map(|list| {
            reply.array(2);
            reply.bulk(key.bytes);
            reply_popped(list, wanted.end, wanted.count, reply)
        })
    })?;
    if let Some(removal) = &removal {
        take_out(call, key, wanted.end, removal);
    }
    Some(removal.is_some())
}
