//! The sorted sets family: [`add`](self) scores, [`read`](self) them, take out [`ranges`](self), [`remove`](self) members, wait for
//! them where there are none (`blocking`), combine sets by their [`algebra`](self), draw at [`random`](self), walk over them with [`scan`](self).
//!
//! Invariant: every handler checks everything before its first change, in Redis's order, so that the first fault decides the
//! error. What a range costs grows with what it returns, and with the logarithm of the set.

use crate::commands::call::DataCall;
use crate::commands::whole::Whole;
use crate::db::Key;
use crate::db::news::Attention;
use crate::db::op::{Kind, Scores};
use crate::db::ordered::Element;
use crate::resp::Reply;

mod add;
mod algebra;
mod algebra_rows;
mod blocking;
mod blocking_rows;
mod bounds;
mod random;
mod range;
mod range_rows;
mod read;
mod remove;
mod rows;
mod scan;

pub use add::{Terms, add_scores};
pub use algebra_rows::ROWS as ALGEBRA_ROWS;
pub use blocking_rows::ROWS as BLOCKING_ROWS;
pub use range::range_len;
pub use range_rows::ROWS as RANGE_ROWS;
pub use rows::ROWS;

/// Tells those who listen of an event of sorted sets.
fn tell(call: &mut DataCall<'_, '_>, key: Key<'_>, name: &'static str) {
    let db = call.db;
    let partition = call.access.partition(key.hash);
    partition.note_event(db, key.bytes, (Attention::ZSET, name));
}

/// Writes elements as an array; with scores, it is flat, or, in RESP3, one of pairs.
fn write_elements<'e>(
    reply: &mut Reply,
    len: usize,
    with_scores: bool,
    elements: impl Iterator<Item = Element<'e>>,
) {
    let nested = with_scores && reply.is_resp3();
    reply.array(if with_scores && !nested { len * 2 } else { len });
    for (member, score) in elements {
        if nested {
            reply.array(2);
        }
        reply.bulk(member);
        if with_scores {
            reply.double(score);
        }
    }
}

/// A score as it is stored: a zero has no sign, as in Redis's compact form. Which form a set has is every node's own matter, and
/// must not show in its scores.
fn stored(score: f64) -> f64 {
    if score == 0.0 { 0.0 } else { score }
}

/// A sorted set that is put as a whole.
fn whole_of<'e>(elements: impl Iterator<Item = Element<'e>>) -> Whole {
    let mut bytes = vec![Kind::Zset as u8];
    let mut len = 0;
    for (member, score) in elements {
        Scores::put(&mut bytes, stored(score), member);
        len += 1;
    }
    Whole::of(bytes, len)
}

#[cfg(test)]
mod tests;
