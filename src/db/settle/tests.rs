//! The queue of what is to be looked at once it is settled: never longer than there are keys that are not at rest and writes that
//! are not settled.

use super::*;
use crate::db::op::{Expiry, Kind, Names, Op, Pairs};
use crate::db::origin::{Incarnation, NodeId, Origin, OriginIndex};
use crate::db::table::KeyHasher;
use crate::db::varint;

const WRITES: u64 = 100_000;
/// How many writes the settled time lags.
const LAG: u64 = 2_000;
/// How many writes there are from one step of it to the next.
const STEP: u64 = 100;

fn time(at: u64) -> Hlc {
    Hlc::at(UnixMillis(1_800_000_000_000)).plus(at)
}

/// Writes to one key all the time, by these operations in turn; the longest that the queue was.
fn longest(ops: &[Op<'_>], settled_at_first: u64) -> usize {
    let origins = Origins::default();
    let origin = Origin {
        node: NodeId(1),
        incarnation: Incarnation(1),
    };
    let index = origins.intern(origin).unwrap();
    assert_eq!(index, OriginIndex(1));
    let mut partition = Partition::new(KeyHasher::new(5), 1, true);
    let bytes = b"busy";
    let key = Key {
        bytes,
        hash: partition.hasher.hash(bytes),
    };
    let (mut settled, mut longest) = (Hlc::ZERO, 0);
    for (at, op) in (1..=WRITES).zip(ops.iter().cycle()) {
        let stamp = Stamp::new(time(at), index);
        let context = WriteContext {
            stamp,
            now: stamp.time().millis(),
            settled,
            origins: &origins,
        };
        partition.apply(0, key, *op, &context);
        if at % STEP == 0 && at > settled_at_first + LAG {
            settled = time(at - LAG);
            partition.settle(settled, usize::MAX);
            longest = longest.max(partition.settle.len());
        }
    }
    partition.settle(time(WRITES + 1), usize::MAX);
    assert_eq!(partition.settle.len(), 0);
    assert_eq!(partition.pending(), (0, 0));
    longest
}

#[test]
fn a_key_that_is_never_at_rest_does_not_pile_up_in_the_queue() {
    let fields = {
        let mut bytes = Vec::new();
        varint::put_bytes(&mut bytes, b"f");
        varint::put_bytes(&mut bytes, b"v");
        bytes
    };
    let field = &fields[..2];
    let (set, hset) = (
        Op::Set(b"1", Expiry::Clear),
        Op::HSet(Pairs::new(&fields).unwrap()),
    );
    let hdel = Op::Remove(Kind::Hash, Names::new(field).unwrap());
    for ops in [
        &[set, Op::Del][..],
        &[set, Op::Incr(1)],
        &[set, Op::Incr(1), Op::Del],
        &[hset, hdel],
        &[hset, Op::Del],
        &[Op::Incr(1)],
        &[hset, hdel, set, Op::Incr(1), Op::Del, Op::Del],
    ] {
        let longest = longest(ops, 0);
        assert!(longest as u64 <= LAG + 2 * STEP, "{longest}: {ops:?}");
    }
}

#[test]
fn what_piled_up_while_nothing_settled_goes_at_once() {
    let ops = [Op::Set(b"1", Expiry::Clear), Op::Del];
    let longest = longest(&ops, WRITES / 2);
    assert!(longest as u64 <= LAG + 2 * STEP, "{longest}");
}
