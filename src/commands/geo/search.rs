//! GEOSEARCH and all that it took the place of: what lies around a position, and where it is stored.

use crate::commands::call::DataCall;
use crate::commands::geo::cell::{Position, position_of};
use crate::commands::geo::options::{Grammar, Options, Order};
use crate::commands::geo::{write_distance, write_position};
use crate::db::news::Attention;
use crate::db::op::{Content, Kind, Scores};
use crate::db::ordered::ScoreBound;
use crate::db::views::ZsetView;
use crate::db::{Key, Op};
use crate::resp::Reply;

/// What was found.
#[derive(Debug, Clone, Copy)]
struct Found<'z> {
    member: &'z [u8],
    score: f64,
    position: Position,
    /// In metres.
    distance: f64,
}

/// Members within the shape, cell by cell; no more than any so many, where these will do.
fn find<'z>(zset: ZsetView<'z>, options: &Options) -> Vec<Found<'z>> {
    let Some(shape) = options.shape else {
        return Vec::new();
    };
    let found = shape.cells().flat_map(|cell| {
        let (min, max) = cell.scores();
        let ranks = zset.score_ranks(ScoreBound::Inclusive(min), ScoreBound::Exclusive(max));
        zset.range(ranks.start..ranks.end.max(ranks.start))
    });
    let found = found.filter_map(|(member, score)| {
        let position = position_of(score);
        let distance = shape.distance_to(position)?;
        Some(Found {
            member,
            score,
            position,
            distance,
        })
    });
    let mut found: Vec<Found<'z>> = if options.any {
        found.take(options.count).collect()
    } else {
        found.collect()
    };
    match options.order {
        Order::Found => {}
        Order::Nearest => found.sort_by(|one, other| one.distance.total_cmp(&other.distance)),
        Order::Farthest => found.sort_by(|one, other| other.distance.total_cmp(&one.distance)),
    }
    if options.count > 0 {
        found.truncate(options.count);
    }
    found
}

fn write(reply: &mut Reply, options: &Options, unit: f64, found: &[Found<'_>]) {
    let more = [
        options.with_distance,
        options.with_hash,
        options.with_position,
    ];
    let more = more.into_iter().filter(|shown| *shown).count();
    reply.array(found.len());
    for found in found {
        if more > 0 {
            reply.array(1 + more);
        }
        reply.bulk(found.member);
        if options.with_distance {
            write_distance(reply, found.distance / unit);
        }
        if options.with_hash {
            reply.integer(found.score as i64);
        }
        if options.with_position {
            write_position(reply, found.position);
        }
    }
}

/// The content of a sorted set, and how many members it has.
fn content(options: &Options, unit: f64, found: &[Found<'_>]) -> (Vec<u8>, usize) {
    let score = |found: &Found<'_>| {
        if options.stores_distance {
            found.distance / unit
        } else {
            found.score
        }
    };
    let mut elements: Vec<(f64, &[u8])> = found
        .iter()
        .map(|found| (score(found), found.member))
        .filter(|(score, _)| !score.is_nan())
        .collect();
    elements.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(other.1)));
    let mut bytes = vec![Kind::Zset as u8];
    for (score, member) in &elements {
        Scores::put(&mut bytes, *score, member);
    }
    (bytes, elements.len())
}

fn search(call: &mut DataCall<'_, '_>, grammar: Grammar) {
    let args = call.args;
    let source = match grammar {
        Grammar::Search(true) => 2,
        _ => 1,
    };
    let key = call.key(source);
    let searched = call.read_zset(key, |zset, reply| {
        let options = match Options::parse(grammar, args, zset) {
            Ok(options) => options,
            Err(fault) => {
                reply.error(&fault);
                return None;
            }
        };
        let found = zset.map_or_else(Vec::new, |zset| find(zset, &options));
        let unit = options.shape.map_or(1.0, |shape| shape.unit);
        match options.store {
            None => {
                write(reply, &options, unit, &found);
                None
            }
            Some(index) => Some((index, content(&options, unit, &found))),
        }
    });
    let Some(Some((index, (bytes, len)))) = searched else {
        return;
    };
    let event = match grammar {
        Grammar::Search(_) => "geosearchstore",
        _ => "georadiusstore",
    };
    let destination = call.key(index);
    store(call, destination, &bytes, len, event);
}

/// Puts what was found at a key, whatever was there; nothing deletes the key.
fn store(call: &mut DataCall<'_, '_>, key: Key<'_>, bytes: &[u8], len: usize, event: &'static str) {
    if len > 0 {
        call.apply_quietly(key, Op::Put(Content::of(bytes), None));
        call.tell_of(key, Attention::ZSET, event);
    } else if call.exists(key) {
        call.apply(key, Op::Del);
    }
    call.reply.integer(len as i64);
}

pub(super) fn geosearch(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Search(false));
}

pub(super) fn geosearchstore(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Search(true));
}

pub(super) fn georadius(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Coordinates(true));
}

pub(super) fn georadius_ro(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Coordinates(false));
}

pub(super) fn georadiusbymember(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Member(true));
}

pub(super) fn georadiusbymember_ro(call: &mut DataCall<'_, '_>) {
    search(call, Grammar::Member(false));
}
