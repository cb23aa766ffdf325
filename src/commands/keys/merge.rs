//! KEYDB.MVCCRESTORE: RESTORE of a value that was written elsewhere at a time which it names. What the key holds since goes before it.
//!
//! Invariant: which of the two a key keeps depends on their times alone, at whatever master, where keys bear stamps. Where they bear
//! none, nothing is known of the time of what is there, and what comes replaces it, as RESTORE does.

use crate::commands::call::DataCall;
use crate::commands::keys::dump::{put_restored, restored};
use crate::db::op::{Content, Kind};
use crate::db::{Hlc, Op, UnixMillis};
use crate::resp::parse_i64;

/// A time as KeyDB counts it: milliseconds since 1970, and below them a counter of so many bits.
const COUNTER_BITS: u32 = 20;
/// Bits of that counter that are more than a [`Hlc`] has.
const COUNTER_EXCESS: u32 = 8;

/// What the call says beside its payload.
struct Said {
    /// When it was written; not before 2024, and not after now.
    written: Hlc,
    deadline: Option<UnixMillis>,
}

fn parse(call: &DataCall<'_, '_>) -> Result<Said, &'static str> {
    let mvcc = parse_i64(call.args.get(2)).ok_or("ERR Invalid MVCC Tstamp")?;
    let expire = parse_i64(call.args.get(3)).ok_or("ERR Invalid expire")?;
    // A negative one is KeyDB's "no time is known", which wins.
    let mvcc = mvcc as u64;
    let moment = UnixMillis((mvcc >> COUNTER_BITS) as i64);
    let counter = (mvcc % (1 << COUNTER_BITS)) >> COUNTER_EXCESS;
    let written = Hlc::at(moment).plus(counter);
    Ok(Said {
        // Nothing was written behind the write that brings it.
        written: call.stamp.map_or(written, |now| written.min(now.time())),
        deadline: (0..i64::MAX)
            .contains(&expire)
            .then_some(UnixMillis(expire)),
    })
}

pub(super) fn mvcc_restore(call: &mut DataCall<'_, '_>) {
    let said = match parse(call) {
        Ok(said) => said,
        Err(error) => return call.reply.error(error),
    };
    let Some(whole) = restored(call, 4) else {
        return;
    };
    let key = call.key(1);
    let is_past = said.deadline.is_some_and(|deadline| deadline <= call.wall);
    match (is_past, call.stamp.is_some()) {
        (true, true) => {
            call.apply_quietly(key, Op::ImportDel(said.written));
        }
        (true, false) => {
            if call.exists(key) {
                call.apply_quietly(key, Op::Del);
            }
        }
        (false, true) => {
            let op = match whole.bytes.split_first() {
                Some((&kind, bytes)) if kind == Kind::String as u8 => {
                    Op::Import(said.written, said.deadline, bytes)
                }
                _ => Op::ImportContent(said.written, said.deadline, Content::of(&whole.bytes)),
            };
            call.apply_quietly(key, op);
        }
        (false, false) => put_restored(call, key, whole, said.deadline),
    }
    call.tell(key, "restore");
    call.reply.ok();
}

#[cfg(test)]
mod tests;
