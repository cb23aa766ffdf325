//! ZADD and ZINCRBY. What is recorded are the scores that members got, conditions resolved; of INCR the difference, so that
//! increments made at several masters add up.

use hashbrown::HashMap;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::zsets::stored;
use crate::db::op::Scores;
use crate::db::views::ZsetView;
use crate::db::{Key, Op};
use crate::resp::{Args, parse_f64};

const NOT_A_NUMBER: &str = "ERR resulting score is not a number (NaN)";

/// The words between key and scores.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

impl Options {
    /// Reads them, and says where the scores begin.
    fn parse(self, args: Args<'_>) -> (Self, usize) {
        let mut options = self;
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let flag = match () {
                () if word.eq_ignore_ascii_case(b"nx") => &mut options.nx,
                () if word.eq_ignore_ascii_case(b"xx") => &mut options.xx,
                () if word.eq_ignore_ascii_case(b"gt") => &mut options.gt,
                () if word.eq_ignore_ascii_case(b"lt") => &mut options.lt,
                () if word.eq_ignore_ascii_case(b"ch") => &mut options.ch,
                () if word.eq_ignore_ascii_case(b"incr") => &mut options.incr,
                () => break,
            };
            *flag = true;
            at += 1;
        }
        (options, at)
    }

    /// What is wrong with them.
    fn conflict(self) -> Option<&'static str> {
        if self.nx && self.xx {
            return Some("ERR XX and NX options at the same time are not compatible");
        }
        let conflicts = self.nx && (self.gt || self.lt) || self.gt && self.lt;
        conflicts.then_some("ERR GT, LT, and/or NX options at the same time are not compatible")
    }

    /// Whether the score that a member has, or not, decides what happens or what is replied.
    fn asks(self) -> bool {
        self.nx || self.xx || self.gt || self.lt || self.ch
    }

    /// Whether a member that has a score, or none, may get one at all.
    fn lets_have(self, current: Option<f64>) -> bool {
        match current {
            Some(_) => !self.nx,
            None => !self.xx,
        }
    }

    /// Whether it may get this one.
    fn lets_get(self, current: Option<f64>, score: f64) -> bool {
        current.is_none_or(|current| !(self.lt && score >= current || self.gt && score <= current))
    }
}

pub(super) fn zadd(call: &mut DataCall<'_, '_>) {
    add(call, Options::default());
}

pub(super) fn zincrby(call: &mut DataCall<'_, '_>) {
    let incr = true;
    add(
        call,
        Options {
            incr,
            ..Options::default()
        },
    );
}

fn add(call: &mut DataCall<'_, '_>, options: Options) {
    let (options, first) = options.parse(call.args);
    let pairs = call.args.skip(first);
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return call.reply.error(errors::SYNTAX);
    }
    if let Some(conflict) = options.conflict() {
        return call.reply.error(conflict);
    }
    if options.incr && pairs.len() > 2 {
        return call
            .reply
            .error("ERR INCR option supports a single increment-element pair");
    }
    let key = call.key(1);
    if options.incr {
        return match parse_f64(pairs.get(0)) {
            Some(delta) => increment(call, key, options, delta, pairs.get(1)),
            None => call.reply.error(errors::NOT_A_FLOAT),
        };
    }
    let mut bytes = Vec::with_capacity(pairs.len() * 16);
    for nth in (0..pairs.len()).step_by(2) {
        match parse_f64(pairs.get(nth)) {
            Some(score) => Scores::put(&mut bytes, stored(score), pairs.get(nth + 1)),
            None => return call.reply.error(errors::NOT_A_FLOAT),
        }
    }
    add_all(call, key, options, Scores::of(&bytes));
}

/// On what terms members get scores that come from elsewhere than a ZADD.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// Only those that are not there.
    pub nx: bool,
    /// Only those that are there.
    pub xx: bool,
    /// Who gets another score is counted, too.
    pub ch: bool,
}

/// Gives members scores as a ZADD does, and replies so.
pub fn add_scores(call: &mut DataCall<'_, '_>, key: Key<'_>, terms: Terms, scores: Scores<'_>) {
    let Terms { nx, xx, ch } = terms;
    let options = Options {
        nx,
        xx,
        ch,
        ..Options::default()
    };
    add_all(call, key, options, scores);
}

fn add_all(call: &mut DataCall<'_, '_>, key: Key<'_>, options: Options, scores: Scores<'_>) {
    if options.asks() {
        return add_asking(call, key, options, scores);
    }
    if call.look_zset(key, |_| ()).is_none() {
        return;
    }
    // What leaves all as it is has no effect, and nobody is told.
    call.apply(key, Op::ZAdd(scores));
    let added = call.last_count(key);
    call.reply.integer(i64::from(added));
}

/// What a ZADD with conditions comes to.
#[derive(Default)]
struct Plan {
    /// The scores that members get.
    bytes: Vec<u8>,
    added: i64,
    updated: i64,
}

impl Plan {
    fn new(zset: Option<ZsetView<'_>>, options: Options, scores: Scores<'_>, keep: bool) -> Self {
        let mut plan = Self::default();
        // A member that comes twice meets what it got before.
        let mut got = HashMap::new();
        for (score, member) in scores.iter() {
            let shown = || zset.and_then(|zset| zset.score(member));
            let current = got.get(member).copied().or_else(shown);
            if !options.lets_have(current) || !options.lets_get(current, score) {
                continue;
            }
            let is_same = current == Some(score);
            plan.added += i64::from(current.is_none());
            plan.updated += i64::from(current.is_some() && !is_same);
            if !is_same {
                got.insert(member, score);
            }
            if !is_same || keep {
                Scores::put(&mut plan.bytes, score, member);
            }
        }
        plan
    }
}

fn add_asking(call: &mut DataCall<'_, '_>, key: Key<'_>, options: Options, scores: Scores<'_>) {
    // Where keys bear stamps, a removal from before may still come: then the same score is something new.
    let keep = call.is_stamped();
    let Some(plan) = call.look_zset(key, |zset| Plan::new(zset, options, scores, keep)) else {
        return;
    };
    if !plan.bytes.is_empty() {
        call.apply(key, Op::ZAdd(Scores::of(&plan.bytes)));
    }
    let changed = if options.ch { plan.updated } else { 0 };
    call.reply.integer(plan.added + changed);
}

fn increment(
    call: &mut DataCall<'_, '_>,
    key: Key<'_>,
    options: Options,
    delta: f64,
    member: &[u8],
) {
    let current = call.look_zset(key, |zset| zset.and_then(|zset| zset.score(member)));
    let Some(current) = current else { return };
    if !options.lets_have(current) {
        return call.reply.null();
    }
    // Of a new member Redis shows the sign of its zero, though it does not keep it.
    let sum = current.map_or(delta, |current| current + delta);
    if sum.is_nan() {
        return call.reply.error(NOT_A_NUMBER);
    }
    if !options.lets_get(current, sum) {
        return call.reply.null();
    }
    if current != Some(sum) || call.is_stamped() {
        call.apply(key, Op::ZIncr(delta, member));
    }
    call.reply.double(sum);
}
