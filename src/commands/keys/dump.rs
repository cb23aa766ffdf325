//! DUMP and RESTORE: a value as bytes that other servers take, and back. What RESTORE does is recorded as the
//! SET, or the PUT of a whole value, that it is.

use crate::commands::call::DataCall;
use crate::commands::docs::Docs;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::commands::whole::Whole;
use crate::commands::{errors, payload};
use crate::db::body::{Form, Shown};
use crate::db::op::{Content, Kind, Scores};
use crate::db::{Expiry, Key, Op, UnixMillis, View, stream, varint};
use crate::resp::parse_i64;

pub(super) fn dump(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read(key, |view, reply| match view {
        // KeyDB's payload does not say whether a job runs once, and makes it one that goes on for ever.
        Some(view) if view.job().is_some() => reply.error(errors::NO_PAYLOAD_OF_JOB),
        Some(view) => reply.bulk(&payload_of(&view).seal()),
        None => reply.null(),
    });
}

/// A value in RDB's bytes, encoded as Redis 7.0 would.
pub fn payload_of(view: &View<'_>) -> payload::Body {
    let is_small = matches!(view.shown, Shown::Small(..));
    if let Some(hash) = view.hash() {
        let pairs: Vec<_> = hash.iter().collect();
        return payload::Body::hash(pairs.into_iter(), is_small);
    }
    if let Some(set) = view.set() {
        let members: Vec<_> = set.iter().collect();
        let form = match view.shown {
            Shown::Small(Form::Ints, _) => payload::SetForm::Ints,
            _ => payload::SetForm::Table,
        };
        return payload::Body::set(members.into_iter(), form);
    }
    if let Some(zset) = view.zset() {
        let members: Vec<_> = zset.iter().collect();
        return payload::Body::zset(members.into_iter(), is_small);
    }
    if let Some(stream) = view.stream() {
        return payload::Body::stream(stream);
    }
    match view.list() {
        Some(list) => payload::Body::list(list.iter().map(|(_, element)| element)),
        None => payload::Body::string(view.string().unwrap_or_default()),
    }
}

/// A value as an operation brings it.
pub fn content_of(value: &payload::Content) -> Vec<u8> {
    let mut out = Vec::new();
    let kind = |out: &mut Vec<u8>, kind: Kind| out.push(kind as u8);
    match value {
        payload::Content::String(bytes) => {
            kind(&mut out, Kind::String);
            out.extend_from_slice(bytes);
        }
        payload::Content::Hash(pairs) => {
            kind(&mut out, Kind::Hash);
            for (field, value) in pairs {
                varint::put_bytes(&mut out, field);
                varint::put_bytes(&mut out, value);
            }
        }
        payload::Content::Set(names) => {
            kind(&mut out, Kind::Set);
            names
                .iter()
                .for_each(|name| varint::put_bytes(&mut out, name));
        }
        payload::Content::List(elements) => {
            kind(&mut out, Kind::List);
            elements
                .iter()
                .for_each(|element| varint::put_bytes(&mut out, element));
        }
        payload::Content::Stream(stream) => {
            kind(&mut out, Kind::Stream);
            stream::content::write(stream, &mut out);
        }
        payload::Content::Zset(members) => {
            kind(&mut out, Kind::Zset);
            members
                .iter()
                .for_each(|(member, score)| Scores::put(&mut out, *score, member));
        }
    }
    out
}

/// Puts a value that was read of a file at a key: key, value as an operation brings it, deadline in milliseconds (i64 LE) or nothing.
/// No client calls this by name.
pub static LOAD: Row = Row {
    name: "load",
    arity: 4,
    flags: Flags::WRITE.and(Flags::SKIP_MONITOR),
    keys: Keys::One,
    stamps: Stamps::Fixed(1),
    handler: Handler::Data(load),
    docs: &Docs::NONE,
};

fn load(call: &mut DataCall<'_, '_>) {
    let (key, bytes) = (call.key(1), call.args.get(2));
    let deadline = <[u8; 8]>::try_from(call.args.get(3)).ok();
    let deadline = deadline.map(|ms| UnixMillis(i64::from_le_bytes(ms)));
    match bytes.split_first() {
        Some((&kind, value)) if kind == Kind::String as u8 => {
            let expiry = deadline.map_or(Expiry::Clear, Expiry::At);
            call.apply_quietly(key, Op::Set(value, expiry));
        }
        _ => {
            call.apply_quietly(key, Op::Put(Content::of(bytes), deadline));
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Options {
    replace: bool,
    absolute: bool,
}

/// Reads the options; the error is what to reply. IDLETIME and FREQ are checked, and nobody counts them here.
fn parse(call: &DataCall<'_, '_>) -> Result<Options, &'static str> {
    let mut options = Options::default();
    let (mut idle, mut frequency) = (false, false);
    let mut at = 4;
    while let Some(word) = call.args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let operand = call.args.try_get(at + 1);
        let number = |text| parse_i64(text).ok_or(errors::NOT_AN_INTEGER);
        match operand {
            _ if is(b"replace") => options.replace = true,
            _ if is(b"absttl") => options.absolute = true,
            Some(text) if is(b"idletime") && !frequency => {
                if number(text)? < 0 {
                    return Err("ERR Invalid IDLETIME value, must be >= 0");
                }
                idle = true;
                at += 1;
            }
            Some(text) if is(b"freq") && !idle => {
                if !(0..=255).contains(&number(text)?) {
                    return Err("ERR Invalid FREQ value, must be >= 0 and <= 255");
                }
                frequency = true;
                at += 1;
            }
            _ => return Err(errors::SYNTAX),
        }
        at += 1;
    }
    Ok(options)
}

/// What the payload in an argument holds; none where the reply says what is wrong, or where reading it ahead is all there is to do.
pub(super) fn restored(call: &mut DataCall<'_, '_>, at: usize) -> Option<Whole> {
    let payload = call.args.get(at);
    let computed = call.compute(|_| match payload::restore_content(payload) {
        Ok(value) => Ok(Whole::of(content_of(&value), 1)),
        Err(error) => Err(format!("ERR {error}").into()),
    });
    match computed? {
        Ok(whole) => Some(whole),
        Err(error) => {
            call.reply.error(&error);
            None
        }
    }
}

/// Puts it at a key, whatever was there.
pub(super) fn put_restored(
    call: &mut DataCall<'_, '_>,
    key: Key<'_>,
    whole: Whole,
    deadline: Option<UnixMillis>,
) {
    // A look at the parts of a large collection would be one at each of its elements.
    match whole.bytes.split_first() {
        Some((&kind, bytes)) if kind == Kind::String as u8 => {
            let expiry = deadline.map_or(Expiry::Clear, Expiry::At);
            call.apply_quietly(key, Op::Set(bytes, expiry));
        }
        _ => whole.put_quietly(call, key, deadline),
    }
}

pub(super) fn restore(call: &mut DataCall<'_, '_>) {
    let options = match parse(call) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    let found = call.exists(key);
    if found && !options.replace {
        return call.reply.error("BUSYKEY Target key name already exists.");
    }
    let Some(time_to_live) = parse_i64(call.args.get(2)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    if time_to_live < 0 {
        return call.reply.error("ERR Invalid TTL value, must be >= 0");
    }
    let Some(whole) = restored(call, 3) else {
        return;
    };
    let expiry = match time_to_live {
        0 => Expiry::Clear,
        deadline if options.absolute => Expiry::At(UnixMillis(deadline)),
        // Beyond 64 bits Redis comes out before 1970, too.
        span => Expiry::At(UnixMillis(span.wrapping_add(call.wall.0))),
    };
    match expiry {
        Expiry::At(deadline) if deadline <= call.wall => {
            if found {
                call.apply(key, Op::Del);
            }
        }
        _ => {
            let deadline = match expiry {
                Expiry::At(deadline) => Some(deadline),
                _ => None,
            };
            put_restored(call, key, whole, deadline);
            call.tell(key, "restore");
        }
    }
    call.reply.ok();
}
