//! Keys that go elsewhere: RENAME, RENAMENX, COPY, MOVE, SWAPDB. The destination is a SET of the whole content, whatever was
//! there before, the source a DEL; both are one record, which no master shows half of.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::View;
use crate::resp::parse_i64;

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
    if !call.exists(from) {
        call.reply.error(errors::NO_SUCH_KEY);
        return None;
    }
    if from.bytes == to.bytes || only_to_absent && call.exists(to) {
        return Some(false);
    }
    call.move_quietly(from, to, call.db);
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
    let (is_there, is_job) = call.read(from, |view, _| {
        (
            view.is_some(),
            view.is_some_and(|view| view.job().is_some()),
        )
    });
    if is_job && (replace || call.in_database(db, |call| !call.exists(to))) {
        return call.reply.error(errors::UNKNOWN_TYPE);
    }
    let copied = is_there && (replace || call.in_database(db, |call| !call.exists(to)));
    let content = |view: View<'_>| (view.whole().to_body(), view.deadline);
    if copied && let Some((value, deadline)) = call.look(from, |view| view.map(content)) {
        call.in_database(db, |call| {
            call.put_quietly(to, value, deadline);
            call.tell(to, "copy_to");
        });
    }
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
    let moved = call.exists(key) && call.in_database(db, |call| !call.exists(key));
    if moved {
        call.move_quietly(key, key, db);
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
