//! Keys that go elsewhere: RENAME, RENAMENX, COPY, MOVE, SWAPDB. The destination is a SET of the whole content, whatever was
//! there before, the source a DEL; both are one record, which no master shows half of.

use crate::commands::call::{DataCall, string_of};
use crate::commands::errors;
use crate::db::{Expiry, Key, Op, UnixMillis, View};
use crate::resp::parse_i64;

/// All that a key holds. The one place where other types would be taken along.
struct Content {
    value: Vec<u8>,
    deadline: Option<UnixMillis>,
}

impl Content {
    fn of(view: &View<'_>) -> Self {
        Self {
            value: string_of(view).to_vec(),
            deadline: view.deadline,
        }
    }

    fn put(&self, call: &mut DataCall<'_, '_>, key: Key<'_>) {
        let expiry = self.deadline.map_or(Expiry::Clear, Expiry::At);
        call.apply_quietly(key, Op::Set(&self.value, expiry));
    }
}

pub(super) fn rename(call: &mut DataCall<'_, '_>) {
    if rename_key(call, false).is_some() {
        call.reply.ok();
    }
}

pub(super) fn renamenx(call: &mut DataCall<'_, '_>) {
    if let Some(renamed) = rename_key(call, true) {
        call.reply.integer(i64::from(renamed));
    }
}

/// Whether the key has another name now; none where there is no key, and the error is written.
fn rename_key(call: &mut DataCall<'_, '_>, only_to_absent: bool) -> Option<bool> {
    let (from, to) = (call.key(1), call.key(2));
    let stays = from.bytes == to.bytes;
    let content = call.look(from, |view| {
        view.map(|view| (!stays).then(|| Content::of(&view)))
    });
    let Some(content) = content else {
        call.reply.error(errors::NO_SUCH_KEY);
        return None;
    };
    let Some(content) = content else {
        return Some(false);
    };
    if only_to_absent && call.exists(to) {
        return Some(false);
    }
    content.put(call, to);
    call.apply_quietly(from, Op::Del);
    call.tell(from, "rename_from");
    call.tell(to, "rename_to");
    Some(true)
}

/// Reads a database; the error is what to reply.
fn parse_database(call: &DataCall<'_, '_>, index: usize) -> Result<u32, &'static str> {
    let wanted = parse_i64(call.args.get(index)).ok_or(errors::NOT_AN_INTEGER)?;
    if i32::try_from(wanted).is_err() {
        return Err(errors::OUTSIDE_32_BITS);
    }
    let wanted = u32::try_from(wanted).ok();
    wanted
        .filter(|db| *db < call.setting.databases)
        .ok_or(errors::NO_SUCH_DATABASE)
}

pub(super) fn copy(call: &mut DataCall<'_, '_>) {
    let (mut db, mut replace) = (call.db, false);
    let mut at = 3;
    while let Some(word) = call.args.try_get(at) {
        if word.eq_ignore_ascii_case(b"replace") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"db") && at + 1 < call.args.len() {
            at += 1;
            match parse_database(call, at) {
                Ok(wanted) => db = wanted,
                Err(error) => return call.reply.error(error),
            }
        } else {
            return call.reply.error(errors::SYNTAX);
        }
        at += 1;
    }
    let (from, to) = (call.key(1), call.key(2));
    if db == call.db && from.bytes == to.bytes {
        return call.reply.error(errors::SAME_OBJECT);
    }
    let content = call.read(from, |view, _| view.map(|view| Content::of(&view)));
    let copied = content.is_some_and(|content| {
        call.in_database(db, |call| {
            let goes = replace || !call.exists(to);
            if goes {
                content.put(call, to);
                call.tell(to, "copy_to");
            }
            goes
        })
    });
    call.reply.integer(i64::from(copied));
}

pub(super) fn move_key(call: &mut DataCall<'_, '_>) {
    let db = match parse_database(call, 2) {
        Ok(db) => db,
        Err(error) => return call.reply.error(error),
    };
    if db == call.db {
        return call.reply.error(errors::SAME_OBJECT);
    }
    let key = call.key(1);
    let content = call.look(key, |view| view.map(|view| Content::of(&view)));
    let moved = content.is_some_and(|content| {
        call.in_database(db, |call| {
            let goes = !call.exists(key);
            if goes {
                content.put(call, key);
            }
            goes
        })
    });
    if moved {
        call.apply_quietly(key, Op::Del);
        call.tell(key, "move_from");
        call.in_database(db, |call| call.tell(key, "move_to"));
    }
    call.reply.integer(i64::from(moved));
}

pub(super) fn swapdb(call: &mut DataCall<'_, '_>) {
    let mut databases = [0; 2];
    let bad = ["ERR invalid first DB index", "ERR invalid second DB index"];
    for (nth, db) in databases.iter_mut().enumerate() {
        let wanted = parse_i64(call.args.get(1 + nth));
        match wanted.and_then(|wanted| i32::try_from(wanted).ok()) {
            Some(wanted) => *db = wanted,
            None => return call.reply.error(bad[nth]),
        }
    }
    let [Ok(db), Ok(with)] = databases.map(u32::try_from) else {
        return call.reply.error(errors::NO_SUCH_DATABASE);
    };
    if db.max(with) >= call.setting.databases {
        return call.reply.error(errors::NO_SUCH_DATABASE);
    }
    if call.is_stamped() {
        // What is stamped bears the number of its database, and may still be on its way.
        return call
            .reply
            .error("ERR SWAPDB is not possible while active-replica is on");
    }
    call.swap_databases(db, with);
    call.reply.ok();
}
