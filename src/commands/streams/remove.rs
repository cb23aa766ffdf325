//! XDEL and XSETID.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::streams::parse::{Read, ids, integer, strict_id};
use crate::db::Op;
use crate::db::stream::change::{Ids, SetId};
use crate::db::stream::{Stream, StreamId};

pub(super) fn xdel(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let is_there = call.look_stream(key, |stream| stream.is_some());
    let Some(is_there) = is_there else { return };
    if !is_there {
        return call.reply.integer(0);
    }
    let mut ids = match ids(call.args.skip(2)) {
        Ok(ids) => ids,
        Err(error) => return call.reply.error(error),
    };
    call.look(key, |view| {
        let stream = view.as_ref().and_then(|view| view.stream());
        ids.retain(|id| stream.is_some_and(|stream| stream.entries.get(*id).is_some()));
    });
    if !ids.is_empty() {
        let bytes = Ids::encode(ids.iter().copied());
        call.apply(key, Op::XDel(true, Ids::of(&bytes)));
    }
    call.reply.integer(ids.len() as i64);
}

fn parse_set(call: &DataCall<'_, '_>) -> Read<SetId> {
    let mut set = SetId {
        id: strict_id(call.args.get(2), 0)?,
        added: None,
        max_deleted: None,
    };
    let mut at = 3;
    while let Some(word) = call.args.try_get(at) {
        match call.args.try_get(at + 1) {
            Some(text) if word.eq_ignore_ascii_case(b"entriesadded") => {
                let added = u64::try_from(integer(text)?);
                set.added = Some(added.map_err(|_| "ERR entries_added must be positive")?);
            }
            Some(text) if word.eq_ignore_ascii_case(b"maxdeletedid") => {
                let id = strict_id(text, 0)?;
                if set.id < id {
                    return Err(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    );
                }
                set.max_deleted = Some(id).filter(|id| *id != StreamId::MIN);
            }
            _ => return Err(errors::SYNTAX),
        }
        at += 2;
    }
    Ok(set)
}

fn check_set(stream: Option<&Stream>, set: SetId) -> Read<()> {
    let stream = stream.ok_or(errors::NO_SUCH_KEY)?;
    if set.id < stream.head.max_deleted {
        return Err("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
    }
    let Some(last) = stream.entries.last() else {
        return Ok(());
    };
    if set.id < last {
        return Err("ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if set
        .added
        .is_some_and(|added| added < stream.entries.len() as u64)
    {
        return Err(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        );
    }
    Ok(())
}

pub(super) fn xsetid(call: &mut DataCall<'_, '_>) {
    let set = match parse_set(call) {
        Ok(set) => set,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    match call.look_stream(key, |stream| check_set(stream, set)) {
        None => {}
        Some(Err(error)) => call.reply.error(error),
        Some(Ok(())) => {
            call.apply(key, Op::XSetId(set));
            call.reply.ok();
        }
    }
}
