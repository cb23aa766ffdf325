//! Deadlines: EXPIRE and its kin, TTL and its kin, PERSIST. A deadline is a moment in milliseconds since 1970; one that has
//! passed when it is set is a delete, so that no node ever shows such a key. TTL, PTTL and PERSIST take a member too, as in KeyDB.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::member_ttl;
use crate::db::partition::View;
use crate::db::{Op, UnixMillis};
use crate::resp::{Reply, parse_i64};

mod rows;

pub use rows::ROWS;

/// How an argument says a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
}

/// Why an argument is no deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlineError {
    /// It is not an integer.
    NotAnInteger,
    /// It is not positive or too large.
    OutOfRange,
}

impl DeadlineError {
    /// Replies with the error, in the name of `command`.
    #[cold]
    pub fn write(self, reply: &mut Reply, command: &str) {
        match self {
            Self::NotAnInteger => reply.error(errors::NOT_AN_INTEGER),
            Self::OutOfRange => errors::invalid_expire_time(reply, command),
        }
    }
}

impl Unit {
    /// The unit that an option of SET or GETEX names.
    pub fn of_option(word: &[u8]) -> Option<Self> {
        let units = [
            (&b"ex"[..], Self::Seconds),
            (b"px", Self::Milliseconds),
            (b"exat", Self::UnixSeconds),
            (b"pxat", Self::UnixMilliseconds),
        ];
        let found = units
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map(|(_, unit)| unit)
    }

    /// The moment that `value` says; none beyond 64 bits.
    pub(super) fn moment(self, value: i64, wall: UnixMillis) -> Option<i64> {
        let in_ms = match self {
            Self::Seconds | Self::UnixSeconds => value.checked_mul(1000)?,
            Self::Milliseconds | Self::UnixMilliseconds => value,
        };
        match self {
            Self::Seconds | Self::Milliseconds => in_ms.checked_add(wall.0),
            Self::UnixSeconds | Self::UnixMilliseconds => Some(in_ms),
        }
    }
}

/// The deadline that an option of SET, GETEX, SETEX or PSETEX says: positive, and may have passed.
pub fn deadline_of(unit: Unit, text: &[u8], wall: UnixMillis) -> Result<UnixMillis, DeadlineError> {
    let value = parse_i64(text).ok_or(DeadlineError::NotAnInteger)?;
    if value <= 0 {
        return Err(DeadlineError::OutOfRange);
    }
    unit.moment(value, wall)
        .map(UnixMillis)
        .ok_or(DeadlineError::OutOfRange)
}

/// When EXPIRE may change a deadline.
#[derive(Debug, Clone, Copy, Default)]
struct Conditions {
    absent: bool,
    present: bool,
    greater: bool,
    less: bool,
}

impl Conditions {
    /// Reads the options; where they do not fit, writes the error.
    fn parse(call: &mut DataCall<'_, '_>) -> Option<Self> {
        let mut conditions = Self::default();
        for word in call.args.skip(3) {
            let flag = match () {
                () if word.eq_ignore_ascii_case(b"nx") => &mut conditions.absent,
                () if word.eq_ignore_ascii_case(b"xx") => &mut conditions.present,
                () if word.eq_ignore_ascii_case(b"gt") => &mut conditions.greater,
                () if word.eq_ignore_ascii_case(b"lt") => &mut conditions.less,
                () => {
                    // As far as Redis shows it: to the first zero byte.
                    let shown = word.split(|byte| *byte == 0).next().unwrap_or_default();
                    call.reply
                        .error_bytes(&[b"ERR Unsupported option ", shown].concat());
                    return None;
                }
            };
            *flag = true;
        }
        if conditions.absent && (conditions.present || conditions.greater || conditions.less) {
            call.reply
                .error("ERR NX and XX, GT or LT options at the same time are not compatible");
            return None;
        }
        if conditions.greater && conditions.less {
            call.reply
                .error("ERR GT and LT options at the same time are not compatible");
            return None;
        }
        Some(conditions)
    }

    /// Whether `next` may take the place of `current`; no deadline is the latest of all.
    fn hold(self, current: Option<UnixMillis>, next: UnixMillis) -> bool {
        let refused = (self.absent && current.is_some())
            || (self.present && current.is_none())
            || (self.greater && current.is_none_or(|current| next <= current))
            || (self.less && current.is_some_and(|current| next >= current));
        !refused
    }
}

fn expire(call: &mut DataCall<'_, '_>) {
    expire_generic(call, Unit::Seconds, "expire");
}

fn pexpire(call: &mut DataCall<'_, '_>) {
    expire_generic(call, Unit::Milliseconds, "pexpire");
}

fn expireat(call: &mut DataCall<'_, '_>) {
    expire_generic(call, Unit::UnixSeconds, "expireat");
}

fn pexpireat(call: &mut DataCall<'_, '_>) {
    expire_generic(call, Unit::UnixMilliseconds, "pexpireat");
}

fn expire_generic(call: &mut DataCall<'_, '_>, unit: Unit, name: &str) {
    let Some(conditions) = Conditions::parse(call) else {
        return;
    };
    let Some(value) = parse_i64(call.args.get(2)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let Some(deadline) = unit.moment(value, call.wall).map(UnixMillis) else {
        return errors::invalid_expire_time(call.reply, name);
    };
    let key = call.key(1);
    let current = call.look(key, |view| view.map(|view| view.deadline));
    let changes = current.is_some_and(|current| conditions.hold(current, deadline));
    if changes {
        let op = if deadline <= call.wall {
            Op::Del
        } else {
            Op::Expire(Some(deadline))
        };
        if current != Some(Some(deadline)) {
            call.apply(key, op);
        } else {
            call.touch_as(key, &op);
        }
    }
    call.reply.integer(i64::from(changes));
}

fn persist(call: &mut DataCall<'_, '_>) {
    match call.args.len() {
        2 => {}
        3 => return member_ttl::persist(call, call.args.get(2)),
        _ => return errors::wrong_arity(call.reply, "persist"),
    }
    let key = call.key(1);
    let timed = call.look(key, |view| view.is_some_and(|view| view.deadline.is_some()));
    if timed {
        call.apply(key, Op::Expire(None));
    }
    call.reply.integer(i64::from(timed));
}

fn ttl(call: &mut DataCall<'_, '_>) {
    report(call, "ttl", |deadline, now| {
        to_seconds((deadline.0 - now.0).max(0))
    });
}

fn pttl(call: &mut DataCall<'_, '_>) {
    report(call, "pttl", |deadline, now| (deadline.0 - now.0).max(0));
}

fn expiretime(call: &mut DataCall<'_, '_>) {
    report(call, "expiretime", |deadline, _| to_seconds(deadline.0));
}

fn pexpiretime(call: &mut DataCall<'_, '_>) {
    report(call, "pexpiretime", |deadline, _| deadline.0);
}

/// Rounded to the nearest second.
fn to_seconds(milliseconds: i64) -> i64 {
    // Not negative here; the last half second of 64 bits would overflow a signed sum.
    ((milliseconds as u64 + 500) / 1000) as i64
}

/// Replies with what `measure` says of a deadline, the key's or a member's, -1 for none, -2 for no key.
fn report(call: &mut DataCall<'_, '_>, name: &str, measure: fn(UnixMillis, UnixMillis) -> i64) {
    let member = match call.args.len() {
        2 => None,
        3 => Some(call.args.get(2)),
        _ => return errors::wrong_arity(call.reply, name),
    };
    let key = call.key(1);
    let now = call.wall;
    call.read(key, |view, reply| {
        let deadline = |view: View<'_>| match member {
            None => view.deadline,
            Some(member) => member_ttl::deadline_of(&view, member),
        };
        reply.integer(match view.map(deadline) {
            None => -2,
            Some(None) => -1,
            Some(Some(deadline)) => measure(deadline, now),
        });
    });
}

#[cfg(test)]
mod tests;
