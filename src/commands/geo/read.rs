//! GEODIST, GEOHASH and GEOPOS: what members say of themselves.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::geo::cell::{geohash as geohash_of, position_of};
use crate::commands::geo::shape::distance;
use crate::commands::geo::{parse_unit, write_distance, write_position};
use crate::resp::Reply;

pub(super) fn geodist(call: &mut DataCall<'_, '_>) {
    let args = call.args;
    let unit = match args.try_get(4).map(parse_unit) {
        _ if args.len() > 5 => return call.reply.error(errors::SYNTAX),
        None => 1.0,
        Some(Ok(unit)) => unit,
        Some(Err(fault)) => return call.reply.error(&fault),
    };
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        let score = |index| zset.and_then(|zset| zset.score(args.get(index)));
        match (score(2), score(3)) {
            (Some(one), Some(other)) => {
                let metres = distance(position_of(one), position_of(other));
                write_distance(reply, metres / unit);
            }
            _ => reply.null(),
        }
    });
}

/// Writes something for each member, in their order.
fn each(call: &mut DataCall<'_, '_>, write: impl Fn(Option<f64>, &mut Reply)) {
    let members = call.args.skip(2);
    let key = call.key(1);
    call.read_zset(key, |zset, reply| {
        reply.array(members.len());
        for member in members {
            write(zset.and_then(|zset| zset.score(member)), reply);
        }
    });
}

pub(super) fn geohash(call: &mut DataCall<'_, '_>) {
    each(call, |score, reply| match score {
        Some(score) => reply.bulk(&geohash_of(score)),
        None => reply.null(),
    });
}

pub(super) fn geopos(call: &mut DataCall<'_, '_>) {
    each(call, |score, reply| match score {
        Some(score) => write_position(reply, position_of(score)),
        None => reply.null_array(),
    });
}
