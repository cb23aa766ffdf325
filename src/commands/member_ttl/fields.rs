//! HEXPIRE and its kin, HTTL and its kin, HPERSIST: an answer for each field.

use hashbrown::HashSet;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::expire::Unit;
use crate::commands::member_ttl::{Chosen, deadline_of, fields_from};
use crate::db::deadlines::MEMBER_DEADLINE_MAX;
use crate::db::op::Kind;
use crate::db::partition::View;
use crate::db::{Key, UnixMillis};
use crate::resp::{Args, parse_i64};

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
    let answers = each(call, key, fields, |field, current| {
        // What was removed a word before is there no more.
        if gone.contains(field) {
            return NO_FIELD;
        }
        if !condition.holds(current, deadline) {
            return NOT_SET;
        }
        if is_past {
            removed.push(field);
            gone.insert(field);
            return REMOVED;
        }
        set.push(field);
        SET
    });
    removed.remove(call, key, Kind::Hash);
    set.expire(call, key, Kind::Hash, Some(deadline));
    reply(call, &answers);
}

/// An answer for each field: [`NO_FIELD`], or what `answer` makes of one that is there and of its deadline.
fn each<'a>(
    call: &mut DataCall<'a, '_>,
    key: Key<'_>,
    fields: Args<'a>,
    mut answer: impl FnMut(&'a [u8], Option<UnixMillis>) -> i64,
) -> Vec<i64> {
    call.look(key, |view| {
        let hash = view.as_ref().and_then(View::hash);
        let one = |field| match (&view, &hash) {
            (Some(view), Some(hash)) if hash.contains(field) => {
                answer(field, deadline_of(view, field))
            }
            _ => NO_FIELD,
        };
        fields.iter().map(one).collect()
    })
}

fn reply(call: &mut DataCall<'_, '_>, answers: &[i64]) {
    call.reply.array(answers.len());
    for answer in answers {
        call.reply.integer(*answer);
    }
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
    let answers = each(call, key, fields, |field, current| {
        if current.is_none() || !done.insert(field) {
            return NO_DEADLINE;
        }
        chosen.push(field);
        SET
    });
    chosen.expire(call, key, Kind::Hash, None);
    reply(call, &answers);
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
    let answers = each(call, key, fields, |_, deadline| match deadline {
        None => NO_DEADLINE,
        // A replica waits for its master's word until it forgets it.
        Some(deadline) if deadline <= now => NO_FIELD,
        Some(deadline) => measure(deadline, now),
    });
    reply(call, &answers);
}
