//! HEXPIRE and its kin, HTTL and its kin, HPERSIST: an answer for each field.

use hashbrown::HashSet;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::expire::Unit;
use crate::commands::member_ttl::{Chosen, deadline_of, fields_from};
use crate::db::UnixMillis;
use crate::db::deadlines::MEMBER_DEADLINE_MAX;
use crate::db::op::Kind;
use crate::resp::parse_i64;

const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;
const NOT_SET: i64 = 0;
const SET: i64 = 1;
const REMOVED: i64 = 2;

const NOT_POSITIVE: &str = "ERR Number of fields must be a positive integer";
const NOT_POSITIVE_TO_SET: &str = "ERR Parameter `numFields` should be greater than 0";

/// When HEXPIRE may change a deadline; no deadline is the latest of all.
#[derive(Debug, Clone, Copy)]
enum Condition {
    Always,
    Absent,
    Present,
    Greater,
    Less,
}

impl Condition {
    fn of_option(word: &[u8]) -> Option<Self> {
        let options = [
            (&b"nx"[..], Self::Absent),
            (b"xx", Self::Present),
            (b"gt", Self::Greater),
            (b"lt", Self::Less),
        ];
        let mut options = options.into_iter();
        let found = options.find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map(|(_, condition)| condition)
    }

    fn holds(self, current: Option<UnixMillis>, next: UnixMillis) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Greater => current.is_some_and(|current| current < next),
            Self::Less => current.is_none_or(|current| current > next),
        }
    }
}

pub(super) fn hexpire(call: &mut DataCall<'_, '_>) {
    expire(call, Unit::Seconds, "hexpire");
}

pub(super) fn hpexpire(call: &mut DataCall<'_, '_>) {
    expire(call, Unit::Milliseconds, "hpexpire");
}

pub(super) fn hexpireat(call: &mut DataCall<'_, '_>) {
    expire(call, Unit::UnixSeconds, "hexpireat");
}

pub(super) fn hpexpireat(call: &mut DataCall<'_, '_>) {
    expire(call, Unit::UnixMilliseconds, "hpexpireat");
}

fn expire(call: &mut DataCall<'_, '_>, unit: Unit, name: &str) {
    let key = call.key(1);
    if call.look_hash(key, |_| ()).is_none() {
        return;
    }
    let Some(value) = parse_i64(call.args.get(2)) else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    if value < 0 {
        return call.reply.error("ERR invalid expire time, must be >= 0");
    }
    let moment = unit.moment(value, call.wall);
    let Some(moment) = moment.filter(|moment| *moment <= MEMBER_DEADLINE_MAX) else {
        return errors::invalid_expire_time(call.reply, name);
    };
    let condition = Condition::of_option(call.args.get(3));
    let fields_at = 3 + usize::from(condition.is_some());
    let Some(fields) = fields_from(call, fields_at, NOT_POSITIVE_TO_SET) else {
        return;
    };
    let condition = condition.unwrap_or(Condition::Always);
    let deadline = UnixMillis(moment);
    let is_past = deadline <= call.wall;
    let (mut set, mut removed) = (Chosen::default(), Chosen::default());
    let mut gone: HashSet<&[u8]> = HashSet::new();
    let mut answers: Vec<i64> = Vec::with_capacity(fields.len());
    call.look(key, |view| {
        for field in fields {
            let hash = view.as_ref().and_then(|view| view.hash());
            // What was removed a word before is there no more.
            let is_there = hash.is_some_and(|hash| hash.contains(field)) && !gone.contains(field);
            let current = view.as_ref().and_then(|view| deadline_of(view, field));
            answers.push(match () {
                () if !is_there => NO_FIELD,
                () if !condition.holds(current, deadline) => NOT_SET,
                () if is_past => {
                    removed.push(field);
                    gone.insert(field);
                    REMOVED
                }
                () => {
                    set.push(field);
                    SET
                }
            });
        }
    });
    removed.remove(call, key, Kind::Hash);
    set.expire(call, key, Kind::Hash, Some(deadline));
    call.reply.array(answers.len());
    answers
        .iter()
        .for_each(|answer| call.reply.integer(*answer));
}

pub(super) fn hpersist(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    if call.look_hash(key, |_| ()).is_none() {
        return;
    }
    let Some(fields) = fields_from(call, 2, NOT_POSITIVE) else {
        return;
    };
    let mut chosen = Chosen::default();
    let mut done: HashSet<&[u8]> = HashSet::new();
    let mut answers: Vec<i64> = Vec::with_capacity(fields.len());
    call.look(key, |view| {
        for field in fields {
            let hash = view.as_ref().and_then(|view| view.hash());
            let is_there = hash.is_some_and(|hash| hash.contains(field));
            let current = view.as_ref().and_then(|view| deadline_of(view, field));
            answers.push(match current {
                _ if !is_there => NO_FIELD,
                Some(_) if done.insert(field) => {
                    chosen.push(field);
                    SET
                }
                _ => NO_DEADLINE,
            });
        }
    });
    chosen.expire(call, key, Kind::Hash, None);
    call.reply.array(answers.len());
    answers
        .iter()
        .for_each(|answer| call.reply.integer(*answer));
}

pub(super) fn httl(call: &mut DataCall<'_, '_>) {
    report(call, |deadline, now| to_seconds(deadline.0 - now.0));
}

pub(super) fn hpttl(call: &mut DataCall<'_, '_>) {
    report(call, |deadline, now| deadline.0 - now.0);
}

pub(super) fn hexpiretime(call: &mut DataCall<'_, '_>) {
    report(call, |deadline, _| to_seconds(deadline.0));
}

pub(super) fn hpexpiretime(call: &mut DataCall<'_, '_>) {
    report(call, |deadline, _| deadline.0);
}

/// Rounded up, other than TTL: as in Redis.
fn to_seconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_add(999) / 1000
}

fn report(call: &mut DataCall<'_, '_>, measure: fn(UnixMillis, UnixMillis) -> i64) {
    let (key, now) = (call.key(1), call.wall);
    if call.read_hash(key, |_, _| ()).is_none() {
        return;
    }
    let Some(fields) = fields_from(call, 2, NOT_POSITIVE) else {
        return;
    };
    let mut answers: Vec<i64> = Vec::with_capacity(fields.len());
    call.look(key, |view| {
        for field in fields {
            let hash = view.as_ref().and_then(|view| view.hash());
            let is_there = hash.is_some_and(|hash| hash.contains(field));
            let deadline = view.as_ref().and_then(|view| deadline_of(view, field));
            answers.push(match deadline {
                _ if !is_there => NO_FIELD,
                None => NO_DEADLINE,
                // A replica waits for its master's word until it forgets it.
                Some(deadline) if deadline <= now => NO_FIELD,
                Some(deadline) => measure(deadline, now),
            });
        }
    });
    call.reply.array(answers.len());
    answers
        .iter()
        .for_each(|answer| call.reply.integer(*answer));
}
