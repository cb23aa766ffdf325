//! ZREM, ZREMRANGEBYRANK and its kin, ZPOPMIN, ZPOPMAX, ZMPOP. What is recorded are the members that went.

use smallvec::SmallVec;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::zsets::bounds::{Bounds, By};
use crate::commands::zsets::tell;
use crate::db::op::{Kind, Names};
use crate::db::ordered::Element;
use crate::db::{Key, Op, varint};
use crate::resp::parse_i64;

/// Elements that are about to go.
#[derive(Default)]
struct Going {
    names: Vec<u8>,
    scores: SmallVec<[f64; 8]>,
    /// The key goes with them.
    is_all: bool,
}

impl Going {
    fn of<'e>(elements: impl Iterator<Item = Element<'e>>, len: usize) -> Self {
        let mut going = Self::default();
        for (member, score) in elements {
            varint::put_bytes(&mut going.names, member);
            going.scores.push(score);
        }
        going.is_all = going.len() == len;
        going
    }

    fn len(&self) -> usize {
        self.scores.len()
    }

    fn names(&self) -> Names<'_> {
        Names::of(&self.names, self.len())
    }

    /// Takes them out, if there are any, with an event of this name.
    fn take(&self, call: &mut DataCall<'_, '_>, key: Key<'_>, event: &'static str) {
        if self.scores.is_empty() {
            return;
        }
        call.apply_quietly(key, Op::Remove(Kind::Zset, self.names()));
        tell(call, key, event);
        if self.is_all {
            call.tell(key, "del");
        }
    }

    /// Writes them behind the header that the caller wrote.
    fn write(&self, call: &mut DataCall<'_, '_>, nested: bool) {
        for (member, score) in self.names().iter().zip(&self.scores) {
            if nested {
                call.reply.array(2);
            }
            call.reply.bulk(member);
            call.reply.double(*score);
        }
    }
}

pub(super) fn zrem(call: &mut DataCall<'_, '_>) {
    let (key, members) = (call.key(1), call.args.skip(2));
    let found = call.look_zset(key, |zset| {
        let (mut names, mut count) = (Vec::new(), 0);
        for member in members {
            if zset.is_some_and(|zset| zset.score(member).is_some()) {
                varint::put_bytes(&mut names, member);
                count += 1;
            }
        }
        (names, count)
    });
    let Some((names, count)) = found else { return };
    let mut removed = 0;
    if count > 0 {
        call.apply(key, Op::Remove(Kind::Zset, Names::of(&names, count)));
        // A member that was named twice went once.
        removed = call.last_count(key);
    }
    call.reply.integer(i64::from(removed));
}

pub(super) fn zremrangebyrank(call: &mut DataCall<'_, '_>) {
    remove_range(call, By::Rank, "zremrangebyrank");
}

pub(super) fn zremrangebyscore(call: &mut DataCall<'_, '_>) {
    remove_range(call, By::Score, "zremrangebyscore");
}

pub(super) fn zremrangebylex(call: &mut DataCall<'_, '_>) {
    remove_range(call, By::Lex, "zremrangebylex");
}

fn remove_range(call: &mut DataCall<'_, '_>, by: By, event: &'static str) {
    let bounds = match Bounds::parse(by, call.args.get(2), call.args.get(3)) {
        Ok(bounds) => bounds,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(1);
    let going = call.look_zset(key, |zset| match zset {
        Some(zset) => Going::of(zset.range(bounds.ranks(zset, false)), zset.len()),
        None => Going::default(),
    });
    let Some(going) = going else { return };
    going.take(call, key, event);
    call.reply.integer(going.len() as i64);
}

pub(super) fn zpopmin(call: &mut DataCall<'_, '_>) {
    pop(call, false);
}

pub(super) fn zpopmax(call: &mut DataCall<'_, '_>) {
    pop(call, true);
}

/// The first or the last elements of a key.
fn ends(call: &mut DataCall<'_, '_>, key: Key<'_>, highest: bool, count: usize) -> Option<Going> {
    call.look_zset(key, |zset| {
        let Some(zset) = zset else {
            return Going::default();
        };
        let len = zset.len();
        let count = count.min(len);
        if highest {
            Going::of(zset.range_rev(len - count..len), len)
        } else {
            Going::of(zset.range(0..count), len)
        }
    })
}

fn event(highest: bool) -> &'static str {
    if highest { "zpopmax" } else { "zpopmin" }
}

fn pop(call: &mut DataCall<'_, '_>, highest: bool) {
    if call.args.len() > 3 {
        return call.reply.error(errors::SYNTAX);
    }
    let said = call.args.try_get(2);
    let count = match said.map(|text| parse_i64(text).and_then(|count| usize::try_from(count).ok()))
    {
        None => 1,
        Some(Some(count)) => count,
        Some(None) => {
            return call
                .reply
                .error("ERR value is out of range, must be positive");
        }
    };
    let key = call.key(1);
    let Some(going) = ends(call, key, highest, count) else {
        return;
    };
    going.take(call, key, event(highest));
    let nested = call.reply.is_resp3() && said.is_some();
    let len = going.len();
    call.reply.array(if nested { len } else { len * 2 });
    going.write(call, nested);
}

/// Pops one element and replies with its key before it. There is one.
pub(super) fn popped_with_key(call: &mut DataCall<'_, '_>, key: Key<'_>, highest: bool) {
    if let Some(going) = ends(call, key, highest, 1) {
        going.take(call, key, event(highest));
        call.reply.array(3);
        call.reply.bulk(key.bytes);
        going.write(call, false);
    }
}

/// What ZMPOP and BZMPOP ask for behind their keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub keys: usize,
    highest: bool,
    count: usize,
}

/// Reads `numkeys key... MIN|MAX [COUNT count]` from this argument on; the error is what to reply.
pub(super) fn parse_keys(call: &DataCall<'_, '_>, at: usize) -> Result<Wanted, &'static str> {
    let keys = parse_i64(call.args.get(at)).and_then(|keys| usize::try_from(keys).ok());
    let keys = keys.filter(|keys| *keys > 0);
    let keys = keys.ok_or("ERR numkeys should be greater than 0")?;
    let end_at = keys.checked_add(at + 1).ok_or(errors::SYNTAX)?;
    let highest = match call.args.try_get(end_at) {
        Some(word) if word.eq_ignore_ascii_case(b"min") => false,
        Some(word) if word.eq_ignore_ascii_case(b"max") => true,
        _ => return Err(errors::SYNTAX),
    };
    let mut count = None;
    let mut index = end_at + 1;
    while let Some(word) = call.args.try_get(index) {
        match call.args.try_get(index + 1) {
            Some(text) if count.is_none() && word.eq_ignore_ascii_case(b"count") => {
                let said = parse_i64(text).and_then(|count| usize::try_from(count).ok());
                let said = said.filter(|count| *count > 0);
                count = Some(said.ok_or("ERR count should be greater than 0")?);
            }
            _ => return Err(errors::SYNTAX),
        }
        index += 2;
    }
    let count = count.unwrap_or(1);
    Ok(Wanted {
        keys,
        highest,
        count,
    })
}

pub(super) fn zmpop(call: &mut DataCall<'_, '_>) {
    let wanted = match parse_keys(call, 1) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    for index in 2..2 + wanted.keys {
        match many_popped(call, call.key(index), wanted) {
            Some(false) => {}
            Some(true) | None => return,
        }
    }
    call.reply.null_array();
}

/// Pops from one of several keys; says whether there was something. None where the error was written.
pub(super) fn many_popped(
    call: &mut DataCall<'_, '_>,
    key: Key<'_>,
    wanted: Wanted,
) -> Option<bool> {
    let going = ends(call, key, wanted.highest, wanted.count)?;
    if going.len() == 0 {
        return Some(false);
    }
    going.take(call, key, event(wanted.highest));
    call.reply.array(2);
    call.reply.bulk(key.bytes);
    call.reply.array(going.len());
    going.write(call, true);
    Some(true)
}
