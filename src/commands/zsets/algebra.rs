//! ZUNION, ZINTER, ZDIFF, what stores them, and ZINTERCARD. Sources may be sets, whose members score 1.
//!
//! Sums of several scores depend on their order: sources are taken from the smallest to the largest, as in Redis.
//!
//! Invariant: no score is NaN; where one would be, it is 0.

use std::cmp::Ordering;

use hashbrown::HashMap;

use crate::commands::call::{Access, DataCall, partition_of};
use crate::commands::errors;
use crate::commands::zsets::{whole_of, write_elements};
use crate::db::news::Attention;
use crate::db::ordered::Element;
use crate::db::views::{Form, SetView, ZsetView};
use crate::db::{Key, UnixMillis};
use crate::resp::{parse_f64, parse_i64};

/// What becomes of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Reply,
    Store,
    Count,
}

/// How the scores of one member become one.
#[derive(Debug, Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Option<Self> {
        match () {
            () if word.eq_ignore_ascii_case(b"sum") => Some(Self::Sum),
            () if word.eq_ignore_ascii_case(b"min") => Some(Self::Min),
            () if word.eq_ignore_ascii_case(b"max") => Some(Self::Max),
            () => None,
        }
    }

    /// A NaN beside MIN and MAX is never taken.
    fn add(self, score: &mut f64, other: f64) {
        match self {
            Self::Sum => *score = number(*score + other),
            Self::Min if other < *score => *score = other,
            Self::Max if other > *score => *score = other,
            Self::Min | Self::Max => {}
        }
    }
}

fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// One source: a set, a sorted set or nothing.
#[derive(Debug, Clone, Copy)]
enum Members<'a> {
    None,
    Set(SetView<'a>),
    Zset(ZsetView<'a>),
}

impl<'a> Members<'a> {
    fn len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Set(set) => set.contains(member).then_some(1.0),
            Self::Zset(zset) => zset.score(member),
        }
    }

    fn iter(self) -> impl Iterator<Item = Element<'a>> {
        match self {
            Self::None => Form::Small(std::iter::empty()),
            Self::Set(set) => Form::Large(Form::Small(set.iter().map(|member| (member, 1.0)))),
            Self::Zset(zset) => Form::Large(Form::Large(zset.iter())),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    members: Members<'a>,
    weight: f64,
}

/// What stands behind the keys.
#[derive(Debug)]
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

impl Options {
    /// Reads them from argument `at` on; the error is what to reply.
    fn parse(
        call: &DataCall<'_, '_>,
        operation: Operation,
        output: Output,
        keys: usize,
        mut at: usize,
    ) -> Result<Self, &'static str> {
        let mut options = Self {
            weights: vec![1.0; keys],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let weighs = operation != Operation::Diff && output != Output::Count;
        while let Some(word) = call.args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let operand = call.args.try_get(at + 1);
            if weighs && is(b"weights") && call.args.try_get(at + keys).is_some() {
                for (nth, weight) in options.weights.iter_mut().enumerate() {
                    *weight = parse_f64(call.args.get(at + 1 + nth))
                        .ok_or("ERR weight value is not a float")?;
                }
                at += 1 + keys;
                continue;
            }
            match operand {
                _ if output == Output::Reply && is(b"withscores") => {
                    options.with_scores = true;
                    at += 1;
                    continue;
                }
                Some(name) if weighs && is(b"aggregate") => {
                    options.aggregate = Aggregate::parse(name).ok_or(errors::SYNTAX)?;
                }
                Some(text) if output == Output::Count && is(b"limit") => {
                    let limit = parse_i64(text).and_then(|limit| usize::try_from(limit).ok());
                    options.limit = limit.ok_or("ERR LIMIT can't be negative")?;
                }
                _ => return Err(errors::SYNTAX),
            }
            at += 2;
        }
        Ok(options)
    }
}

/// What a key shows to a call that has looked at it before.
fn members_of<'p>(access: &'p Access<'_>, db: u32, now: UnixMillis, key: Key<'_>) -> Members<'p> {
    let partition = access.at(partition_of(key.hash, access.count()));
    let Some(view) = partition.and_then(|partition| partition.seen(db, key, now)) else {
        return Members::None;
    };
    match (view.zset(), view.set()) {
        (Some(zset), _) => Members::Zset(zset),
        (None, Some(set)) => Members::Set(set),
        (None, None) => Members::None,
    }
}

/// Looks at the sources as a reader does. Whether all of them are of a right type; the error is written.
fn read_sources(call: &mut DataCall<'_, '_>, first: usize, keys: usize) -> bool {
    for index in first..first + keys {
        let key = call.key(index);
        let fits = call.read(key, |view, _| {
            view.is_none_or(|view| view.zset().is_some() || view.set().is_some())
        });
        if !fits {
            call.reply.error(errors::WRONG_TYPE);
            return false;
        }
    }
    true
}

/// Reads the number of keys at argument `at`; none where the error was written.
fn key_count(call: &mut DataCall<'_, '_>, at: usize, command: &str) -> Option<usize> {
    let Some(keys) = parse_i64(call.args.get(at)) else {
        call.reply.error(errors::NOT_AN_INTEGER);
        return None;
    };
    if keys < 1 {
        call.reply.error_format(format_args!(
            "ERR at least 1 input key is needed for '{command}' command"
        ));
        return None;
    }
    let keys = usize::try_from(keys).unwrap_or(usize::MAX);
    if keys > call.args.len() - (at + 1) {
        call.reply.error(errors::SYNTAX);
        return None;
    }
    Some(keys)
}

fn combine(
    call: &mut DataCall<'_, '_>,
    command: &'static str,
    operation: Operation,
    output: Output,
) {
    let at = if output == Output::Store { 2 } else { 1 };
    let Some(keys) = key_count(call, at, command) else {
        return;
    };
    let first = at + 1;
    if !read_sources(call, first, keys) {
        return;
    }
    let options = match Options::parse(call, operation, output, keys, first + keys) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let look = (call.db, call.now);
    let keys: Vec<Key<'_>> = (first..first + keys).map(|index| call.key(index)).collect();
    if output == Output::Store {
        let computed = call.compute(|call| {
            let sources = sources(call.access, look, &keys, operation, &options);
            Ok(whole_of(
                elements(&sources, operation, &options).into_iter(),
            ))
        });
        if let Some(Ok(whole)) = computed {
            whole.store(call, call.key(1), (Attention::ZSET, command));
        }
        return;
    }
    let sources = sources(call.access, look, &keys, operation, &options);
    if output == Output::Count {
        let mut common = inter(&sources, options.aggregate);
        let count = match options.limit {
            0 => common.count(),
            limit => common.by_ref().take(limit).count(),
        };
        return call.reply.integer(count as i64);
    }
    let elements = elements(&sources, operation, &options);
    let len = elements.len();
    write_elements(call.reply, len, options.with_scores, elements.into_iter());
}

/// The sources at these keys, which were looked at in this database at this moment, in the order in which their scores are added.
fn sources<'p>(
    access: &'p Access<'_>,
    (db, now): (u32, UnixMillis),
    keys: &[Key<'_>],
    operation: Operation,
    options: &Options,
) -> Vec<Source<'p>> {
    let source = |(key, &weight): (&Key<'_>, &f64)| Source {
        members: members_of(access, db, now, *key),
        weight,
    };
    let mut sources: Vec<_> = keys.iter().zip(&options.weights).map(source).collect();
    if operation != Operation::Diff {
        sources.sort_by_key(|source| source.members.len());
    }
    sources
}

/// What the sources come to, in order.
fn elements<'a>(
    sources: &[Source<'a>],
    operation: Operation,
    options: &Options,
) -> Vec<Element<'a>> {
    let mut elements = match operation {
        Operation::Union => union(sources, options.aggregate),
        Operation::Inter => inter(sources, options.aggregate).collect(),
        Operation::Diff => diff(sources),
    };
    elements.sort_unstable_by(|one, other| {
        let by_score = one.1.partial_cmp(&other.1).unwrap_or(Ordering::Equal);
        by_score.then_with(|| one.0.cmp(other.0))
    });
    elements
}

fn union<'a>(sources: &[Source<'a>], aggregate: Aggregate) -> Vec<Element<'a>> {
    let mut scores: HashMap<&'a [u8], f64> = HashMap::new();
    for source in sources {
        for (member, score) in source.members.iter() {
            let weighed = number(source.weight * score);
            scores
                .entry(member)
                .and_modify(|score| aggregate.add(score, weighed))
                .or_insert(weighed);
        }
    }
    scores.into_iter().collect()
}

/// What the first source has in common with all others.
fn inter<'a, 's>(
    sources: &'s [Source<'a>],
    aggregate: Aggregate,
) -> impl Iterator<Item = Element<'a>> + use<'a, 's> {
    let (first, others) = match sources {
        [first, others @ ..] => (Some(first), others),
        [] => (None, sources),
    };
    first.into_iter().flat_map(move |first| {
        first.members.iter().filter_map(move |(member, score)| {
            let mut sum = number(first.weight * score);
            for other in others {
                let score = other.members.score(member)?;
                aggregate.add(&mut sum, other.weight * score);
            }
            Some((member, sum))
        })
    })
}

fn diff<'a>(sources: &[Source<'a>]) -> Vec<Element<'a>> {
    let [first, others @ ..] = sources else {
        return Vec::new();
    };
    let is_left = |(member, _): &Element<'_>| {
        let has = |other: &Source<'_>| other.members.score(member).is_some();
        !others.iter().any(has)
    };
    first.members.iter().filter(is_left).collect()
}

macro_rules! command {
    ($name:ident, $operation:ident, $output:ident) => {
        pub(super) fn $name(call: &mut DataCall<'_, '_>) {
            combine(
                call,
                stringify!($name),
                Operation::$operation,
                Output::$output,
            );
        }
    };
}

command!(zunion, Union, Reply);
command!(zunionstore, Union, Store);
command!(zinter, Inter, Reply);
command!(zinterstore, Inter, Store);
command!(zintercard, Inter, Count);
command!(zdiff, Diff, Reply);
command!(zdiffstore, Diff, Store);
