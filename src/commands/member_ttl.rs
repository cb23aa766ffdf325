//! Deadlines of members: HEXPIRE and its kin of a hash's fields, as Redis has them since 7.4, and KeyDB's EXPIREMEMBER and its kin of
//! fields, members of sets and members of sorted sets.
//!
//! Invariant: a deadline that has passed when it is set is a removal, so that no node ever shows such a member.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::expire::Unit;
use crate::db::deadlines::MEMBER_DEADLINE_MAX;
use crate::db::op::{Kind, Names};
use crate::db::partition::View;
use crate::db::varint::put_bytes;
use crate::db::{Key, Op, UnixMillis};
use crate::resp::{Args, parse_i64};

mod fields;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::ROWS;

/// The type of a collection whose members may have deadlines, and whether this one is there.
fn find(view: &View<'_>, member: &[u8]) -> Option<(Kind, bool)> {
    if let Some(hash) = view.hash() {
        return Some((Kind::Hash, hash.contains(member)));
    }
    if let Some(set) = view.set() {
        return Some((Kind::Set, set.contains(member)));
    }
    let zset = view.zset()?;
    Some((Kind::Zset, zset.score(member).is_some()))
}

/// When a member goes; none where it has no deadline.
pub(super) fn deadline_of(view: &View<'_>, member: &[u8]) -> Option<UnixMillis> {
    view.member_deadline(member)
}

/// Members to be changed alike, as they travel.
#[derive(Debug, Default)]
struct Chosen {
    bytes: Vec<u8>,
    len: usize,
}

impl Chosen {
    fn push(&mut self, member: &[u8]) {
        put_bytes(&mut self.bytes, member);
        self.len += 1;
    }

    /// Gives them a deadline, or takes it away.
    fn expire(
        &self,
        call: &mut DataCall<'_, '_>,
        key: Key<'_>,
        kind: Kind,
        to: Option<UnixMillis>,
    ) {
        if self.len > 0 {
            let names = Names::of(&self.bytes, self.len);
            call.apply(key, Op::ExpireMembers(kind, to, names));
        }
    }

    /// Removes them.
    fn remove(&self, call: &mut DataCall<'_, '_>, key: Key<'_>, kind: Kind) {
        if self.len > 0 {
            call.apply(key, Op::Remove(kind, Names::of(&self.bytes, self.len)));
        }
    }
}

fn expiremember(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let Some(value) = parse_i64(args.get(3)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let unit = match args.len() {
        4 => Unit::Seconds,
        5 if args.get(4).eq_ignore_ascii_case(b"s") => Unit::Seconds,
        5 if args.get(4).eq_ignore_ascii_case(b"ms") => Unit::Milliseconds,
        5 => return call.reply.error("ERR Invalid unit arg"),
        _ => return call.reply.error("ERR Invalid number of arguments"),
    };
    expire_member(call, value, unit, "expiremember");
}

fn expirememberat(call: &mut DataCall<'_, '_>) {
    at(call, Unit::UnixSeconds, "expirememberat");
}

fn pexpirememberat(call: &mut DataCall<'_, '_>) {
    at(call, Unit::UnixMilliseconds, "pexpirememberat");
}

fn at(call: &mut DataCall<'_, '_>, unit: Unit, name: &str) {
    match parse_i64(call.args.get(3)) {
        Some(value) => expire_member(call, value, unit, name),
        None => call.reply.error(errors::NOT_AN_INTEGER),
    }
}

fn expire_member(call: &mut DataCall<'_, '_>, value: i64, unit: Unit, name: &str) {
    let moment = unit.moment(value, call.wall);
    let Some(moment) = moment.filter(|moment| *moment <= MEMBER_DEADLINE_MAX) else {
        return errors::invalid_expire_time(call.reply, name);
    };
    let (key, member) = (call.key(1), call.args.get(2));
    let found = call.look(key, |view| view.map(|view| find(&view, member)));
    let kind = match found {
        None | Some(Some((_, false))) => return call.reply.integer(0),
        Some(None) => return call.reply.error("ERR object type is unsupported"),
        Some(Some((kind, true))) => kind,
    };
    let mut chosen = Chosen::default();
    chosen.push(member);
    if moment <= call.wall.0 {
        chosen.remove(call, key, kind);
    } else {
        chosen.expire(call, key, kind, Some(UnixMillis(moment)));
    }
    call.reply.integer(1);
}

/// PERSIST of a member: whether it had a deadline.
pub(super) fn persist(call: &mut DataCall<'_, '_>, member: &[u8]) {
    let key = call.key(1);
    let kind = call.look(key, |view| {
        let view = view?;
        deadline_of(&view, member)?;
        find(&view, member).map(|(kind, _)| kind)
    });
    if let Some(kind) = kind {
        let mut chosen = Chosen::default();
        chosen.push(member);
        chosen.expire(call, key, kind, None);
    }
    call.reply.integer(i64::from(kind.is_some()));
}

/// The fields that `FIELDS numfields field ...` names, from this argument on; where it does not fit, writes the error, of which
/// `not_positive` is one.
fn fields_from<'a>(
    call: &mut DataCall<'a, '_>,
    from: usize,
    not_positive: &str,
) -> Option<Args<'a>> {
    let args = call.args;
    if !args.get(from).eq_ignore_ascii_case(b"fields") {
        call.reply
            .error("ERR Mandatory argument FIELDS is missing or not at the right position");
        return None;
    }
    let count = (from + 1 < args.len()).then(|| parse_i64(args.get(from + 1)));
    let Some(count) = count.flatten().filter(|count| *count >= 1) else {
        call.reply.error(not_positive);
        return None;
    };
    let fields = args.skip(from + 2);
    if usize::try_from(count) != Ok(fields.len()) {
        call.reply
            .error("ERR The `numfields` parameter must match the number of arguments");
        return None;
    }
    Some(fields)
}
