//! OBJECT, MEMORY USAGE: what can be said of a value that its type does not say.
//!
//! Encodings are those that Redis would choose for the value: strings are held in one way here. Nothing is shared, and nobody
//! counts reads; where keys bear stamps, the time of the last write is known.

use crate::commands::call::DataCall;
use crate::commands::{errors, help, registry};
use crate::db::View;
use crate::db::body::{Form, Large, Shown};
use crate::resp::parse_i64;

/// The longest string that Redis holds in one piece with its head.
const EMBEDDED_LEN_MAX: usize = 44;

/// The encoding that Redis would choose.
pub fn encoding_name(shown: Shown<'_>) -> &'static str {
    match shown {
        Shown::String(value) if parse_i64(value).is_some() => "int",
        Shown::String(value) if value.len() <= EMBEDDED_LEN_MAX => "embstr",
        Shown::String(_) => "raw",
        Shown::Small(Form::Ints, _) => "intset",
        // As in KeyDB.
        Shown::Small(Form::Job, _) => "raw",
        Shown::Small(..) => "listpack",
        Shown::Large(Large::Hash(_) | Large::Set(_)) => "hashtable",
        Shown::Large(Large::Zset(_)) => "skiplist",
        Shown::Large(Large::List(_)) => "quicklist",
        Shown::Large(Large::Stream(_)) => "stream",
    }
}

pub(super) fn encoding(call: &mut DataCall<'_, '_>) {
    let key = call.key(2);
    call.read(key, |view, reply| match view {
        Some(view) => reply.bulk(encoding_name(view.shown).as_bytes()),
        None => reply.null(),
    });
}

pub(super) fn refcount(call: &mut DataCall<'_, '_>) {
    let key = call.key(2);
    call.read(key, |view, reply| match view {
        Some(_) => reply.integer(1),
        None => reply.null(),
    });
}

pub(super) fn freq(call: &mut DataCall<'_, '_>) {
    let key = call.key(2);
    call.read(key, |view, reply| match view {
        Some(_) => reply.error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ),
        None => reply.null(),
    });
}

/// IDLETIME and LASTMODIFIED: seconds since the last write.
pub(super) fn since_written(call: &mut DataCall<'_, '_>) {
    let (key, wall) = (call.key(2), call.wall);
    call.read(key, |view, reply| {
        let Some(View { stamp, .. }) = view else {
            return reply.null();
        };
        match stamp {
            Some(stamp) => {
                let milliseconds = wall.0.saturating_sub(stamp.time().millis().0);
                reply.integer(milliseconds.max(0) / 1000);
            }
            None => reply.error(
                "ERR idle time is not tracked: only the time of writes is, with active-replica",
            ),
        }
    });
}

/// MEMORY USAGE.
pub fn usage(call: &mut DataCall<'_, '_>) {
    // Every value is one piece so far: nothing is sampled.
    let mut index = 3;
    while let Some(option) = call.args.try_get(index) {
        let count = call.args.try_get(index + 1);
        let Some(count) = count.filter(|_| option.eq_ignore_ascii_case(b"samples")) else {
            return call.reply.error(errors::SYNTAX);
        };
        match parse_i64(count) {
            None => return call.reply.error(errors::NOT_AN_INTEGER),
            Some(..0) => return call.reply.error(errors::SYNTAX),
            Some(_) => index += 2,
        }
    }
    let key = call.key(2);
    let (db, now) = (call.db, call.now);
    match call.access.partition(key.hash).key_bytes(db, key, now) {
        Some(len) => call.reply.integer(len as i64),
        None => call.reply.null(),
    }
}

pub(super) fn object_help(call: &mut DataCall<'_, '_>) {
    if let Some(row) = registry::lookup_built_in(b"object") {
        help::help_reply(row, call.args.name(), call.reply);
    }
}
