//! XGROUP.

use crate::commands::call::DataCall;
use crate::commands::streams::deliver::tell;
use crate::commands::streams::no_such_group;
use crate::commands::streams::parse::{Read, any_id, integer, strict_id};
use crate::commands::{help as help_text, registry};
use crate::db::stream::change::{Action, Ids};
use crate::db::stream::{Stream, StreamId};

const NO_STREAM: &str = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.";

pub(super) fn help(call: &mut DataCall<'_, '_>) {
    if let Some(row) = registry::lookup_built_in(b"xgroup") {
        help_text::help_reply(row, call.args.name(), call.reply);
    }
}

/// The options of CREATE and SETID.
#[derive(Debug, Default)]
struct Options {
    makes_stream: bool,
    read: Option<u64>,
}

/// Reads them; an empty error stands for Redis's words on a subcommand that is not right.
fn parse(call: &DataCall<'_, '_>, is_create: bool) -> Read<Options> {
    let (mut options, mut at) = (Options::default(), 5);
    while let Some(word) = call.args.try_get(at) {
        match call.args.try_get(at + 1) {
            _ if is_create && word.eq_ignore_ascii_case(b"mkstream") => {
                options.makes_stream = true;
            }
            Some(text) if word.eq_ignore_ascii_case(b"entriesread") => {
                options.read = match integer(text)? {
                    -1 => None,
                    read => Some(
                        u64::try_from(read)
                            .map_err(|_| "ERR value for ENTRIESREAD must be positive or -1")?,
                    ),
                };
                at += 1;
            }
            _ => return Err(""),
        }
        at += 1;
    }
    Ok(options)
}

fn refuse(call: &mut DataCall<'_, '_>, error: &str) {
    if error.is_empty() {
        super::syntax(call.reply, call.args.get(1), "XGROUP");
    } else {
        call.reply.error(error);
    }
}

/// What there is of the key and the group that are named, as `f` sees it; none where the error was written.
fn look<R>(
    call: &mut DataCall<'_, '_>,
    needs_group: bool,
    f: impl FnOnce(&Stream) -> R,
) -> Option<R> {
    let (key, name) = (call.key(2), call.args.get(3));
    let looked = call.look_stream(key, |stream| {
        let stream = stream?;
        let is_there = !needs_group || stream.group(name).is_some();
        Some(is_there.then(|| f(stream)))
    })?;
    match looked {
        None => call.reply.error(NO_STREAM),
        Some(None) => no_such_group(call.reply, key.bytes, name),
        Some(found) => return found,
    }
    None
}

/// The id that a group reads behind. Redis takes `-` and `+` of SETID only.
fn id_of(text: &[u8], last: StreamId, is_create: bool) -> Read<StreamId> {
    match text {
        b"$" => Ok(last),
        _ if is_create => strict_id(text, 0),
        _ => any_id(text, 0),
    }
}

pub(super) fn create(call: &mut DataCall<'_, '_>) {
    let options = match parse(call, true) {
        Ok(options) => options,
        Err(error) => return refuse(call, error),
    };
    let (key, name) = (call.key(2), call.args.get(3));
    let looked = call.look_stream(key, |stream| {
        stream.map(|stream| (stream.head.last_id, stream.group(name).is_some()))
    });
    let Some(looked) = looked else { return };
    if looked.is_none() && !options.makes_stream {
        return call.reply.error(NO_STREAM);
    }
    if call.args.len() > 8 {
        return refuse(call, "");
    }
    let (last, exists) = looked.unwrap_or_default();
    let id = match id_of(call.args.get(4), last, true) {
        Ok(id) => id,
        Err(error) => return call.reply.error(error),
    };
    if exists {
        return call
            .reply
            .error("BUSYGROUP Consumer Group name already exists");
    }
    let action = Action::Created {
        makes_stream: options.makes_stream,
        id,
        read: options.read,
    };
    tell(call, key, name, action);
    call.reply.ok();
}

pub(super) fn setid(call: &mut DataCall<'_, '_>) {
    let options = match parse(call, false) {
        Ok(options) => options,
        Err(error) => return refuse(call, error),
    };
    let Some(last) = look(call, true, |stream| stream.head.last_id) else {
        return;
    };
    if call.args.len() > 7 {
        return refuse(call, "");
    }
    match id_of(call.args.get(4), last, false) {
        Err(error) => call.reply.error(error),
        Ok(id) => {
            let read = options.read;
            let (key, name) = (call.key(2), call.args.get(3));
            tell(call, key, name, Action::SetId { id, read });
            call.reply.ok();
        }
    }
}

pub(super) fn destroy(call: &mut DataCall<'_, '_>) {
    let (key, name) = (call.key(2), call.args.get(3));
    let Some(exists) = look(call, false, |stream| stream.group(name).is_some()) else {
        return;
    };
    if exists {
        tell(call, key, name, Action::Destroyed);
    }
    call.reply.integer(i64::from(exists));
}

pub(super) fn create_consumer(call: &mut DataCall<'_, '_>) {
    let (key, name, consumer) = (call.key(2), call.args.get(3), call.args.get(4));
    let exists = look(call, true, |stream| {
        let group = stream.group(name);
        group.is_some_and(|group| group.consumer(consumer).is_some())
    });
    let Some(exists) = exists else { return };
    if !exists {
        let now = call.wall.0;
        tell(call, key, name, Action::Consumer { consumer, now });
    }
    call.reply.integer(i64::from(!exists));
}

pub(super) fn del_consumer(call: &mut DataCall<'_, '_>) {
    let (key, name, consumer) = (call.key(2), call.args.get(3), call.args.get(4));
    let held = look(call, true, |stream| {
        let consumer = stream.group(name)?.consumer(consumer)?;
        Some((consumer.pending().len(), Ids::encode(consumer.pending())))
    });
    let Some(held) = held else { return };
    if let Some((_, ids)) = &held {
        let ids = Ids::of(ids);
        tell(call, key, name, Action::ConsumerGone { consumer, ids });
    }
    call.reply.integer(held.map_or(0, |(len, _)| len) as i64);
}
