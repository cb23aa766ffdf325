//! SET and its kin, and the options that SET and GETEX share.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::expire::{Unit, deadline_of};
use crate::commands::strings::read::reply_value;
use crate::db::{Expiry, Op};
use crate::resp::Args;

/// Whether the key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Either way.
    None,
    /// NX.
    Absent,
    /// XX.
    Present,
}

/// What the options say of the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeToLive<'a> {
    /// Nothing.
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// EX, PX, EXAT, PXAT and the argument behind them.
    Until(Unit, &'a [u8]),
}

/// The options of SET or GETEX.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a> {
    pub(super) condition: Condition,
    pub(super) get: bool,
    pub(super) time_to_live: TimeToLive<'a>,
}

/// Reads SET's options; none for a syntax error.
fn parse_set(args: Args<'_>) -> Option<Options<'_>> {
    parse(args, 3, true)
}

/// Reads GETEX's options; none for a syntax error.
pub(super) fn parse_getex(args: Args<'_>) -> Option<Options<'_>> {
    parse(args, 2, false)
}

fn parse(args: Args<'_>, first: usize, is_set: bool) -> Option<Options<'_>> {
    let mut options = Options {
        condition: Condition::None,
        get: false,
        time_to_live: TimeToLive::Unsaid,
    };
    let mut index = first;
    while let Some(word) = args.try_get(index) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let ttl = options.time_to_live;
        if is_set && is(b"nx") && options.condition != Condition::Present {
            options.condition = Condition::Absent;
        } else if is_set && is(b"xx") && options.condition != Condition::Absent {
            options.condition = Condition::Present;
        } else if is_set && is(b"get") {
            options.get = true;
        } else if is_set && is(b"keepttl") && matches!(ttl, TimeToLive::Unsaid | TimeToLive::Keep) {
            options.time_to_live = TimeToLive::Keep;
        } else if !is_set
            && is(b"persist")
            && matches!(ttl, TimeToLive::Unsaid | TimeToLive::Persist)
        {
            options.time_to_live = TimeToLive::Persist;
        } else {
            let unit = Unit::of_option(word)?;
            // The same option may come again, and the last one counts; another one may not.
            let fits = match ttl {
                TimeToLive::Unsaid => true,
                TimeToLive::Until(before, _) => before == unit,
                TimeToLive::Keep | TimeToLive::Persist => false,
            };
            if !fits {
                return None;
            }
            index += 1;
            options.time_to_live = TimeToLive::Until(unit, args.try_get(index)?);
        }
        index += 1;
    }
    Some(options)
}

pub(super) fn set(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let value = call.args.get(2);
    if call.args.len() == 3 {
        call.apply(key, Op::Set(value, Expiry::Clear));
        return call.reply.ok();
    }
    let Some(options) = parse_set(call.args) else {
        return call.reply.error(errors::SYNTAX);
    };
    let expiry = match options.time_to_live {
        TimeToLive::Unsaid | TimeToLive::Persist => Expiry::Clear,
        TimeToLive::Keep => Expiry::Keep,
        TimeToLive::Until(unit, text) => match deadline_of(unit, text, call.wall) {
            Ok(deadline) => Expiry::At(deadline),
            Err(error) => return error.write(call.reply, "set"),
        },
    };
    let found = if options.get {
        let Some(found) = reply_value(call, key) else {
            return;
        };
        found
    } else {
        options.condition != Condition::None && call.exists(key)
    };
    let goes = match options.condition {
        Condition::None => true,
        Condition::Absent => !found,
        Condition::Present => found,
    };
    if goes {
        call.apply(key, Op::Set(value, expiry));
    }
    if !options.get {
        if goes {
            call.reply.ok();
        } else {
            call.reply.null();
        }
    }
}

pub(super) fn setnx(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let absent = !call.exists(key);
    if absent {
        call.apply(key, Op::Set(call.args.get(2), Expiry::Clear));
    }
    call.reply.integer(i64::from(absent));
}

pub(super) fn setex(call: &mut DataCall<'_, '_>) {
    set_for(call, Unit::Seconds, "setex");
}

pub(super) fn psetex(call: &mut DataCall<'_, '_>) {
    set_for(call, Unit::Milliseconds, "psetex");
}

fn set_for(call: &mut DataCall<'_, '_>, unit: Unit, name: &str) {
    match deadline_of(unit, call.args.get(2), call.wall) {
        Err(error) => error.write(call.reply, name),
        Ok(deadline) => {
            let key = call.key(1);
            call.apply(key, Op::Set(call.args.get(3), Expiry::At(deadline)));
            call.reply.ok();
        }
    }
}

pub(super) fn mset(call: &mut DataCall<'_, '_>) {
    if call.args.len().is_multiple_of(2) {
        return errors::wrong_arity(call.reply, "mset");
    }
    set_pairs(call);
    call.reply.ok();
}

pub(super) fn msetnx(call: &mut DataCall<'_, '_>) {
    if call.args.len().is_multiple_of(2) {
        return errors::wrong_arity(call.reply, "msetnx");
    }
    for index in (1..call.args.len()).step_by(2) {
        let key = call.key(index);
        if call.exists(key) {
            return call.reply.integer(0);
        }
    }
    set_pairs(call);
    call.reply.integer(1);
}

fn set_pairs(call: &mut DataCall<'_, '_>) {
    for index in (1..call.args.len()).step_by(2) {
        let key = call.key(index);
        call.apply(key, Op::Set(call.args.get(index + 1), Expiry::Clear));
    }
}
