//! HyperLogLogs: strings that estimate how many different elements were added. [`add`](self) and merge, [`count`](self), and what
//! Redis has to look inside ([`debug`](self)).
//!
//! What is recorded is registers: PFADD those of its elements, PFMERGE those of its sources. Masters that add at once come to the
//! union. What PFCOUNT estimates is written down within the string, as in Redis, where keys bear no stamps: a reader gives none.
//!
//! Invariant: every handler checks everything before its first change.

use crate::commands::call::DataCall;
use crate::db::Key;
use crate::db::hll;

mod add;
mod count;
mod debug;
mod rows;

pub use rows::ROWS;

/// A string that is no HyperLogLog.
const NOT_ONE: &str = "WRONGTYPE Key is not a valid HyperLogLog string value.";
/// One whose registers do not come to as many as there are.
const CORRUPT: &str = "INVALIDOBJ Corrupted HLL object detected";

/// What a look at a HyperLogLog came to; the error is what to reply.
type Looked<T> = Result<T, &'static str>;

/// Hands a HyperLogLog to `f`, or nothing where the string is none.
fn valid<T>(
    value: Option<&[u8]>,
    f: impl FnOnce(Option<&[u8]>) -> Result<T, hll::Corrupt>,
) -> Looked<T> {
    match value {
        Some(value) if hll::form_of(value).is_none() => Err(NOT_ONE),
        value => f(value).map_err(|hll::Corrupt| CORRUPT),
    }
}

/// Looks at a key as its reader; none where the error was written.
fn read<T>(
    call: &mut DataCall<'_, '_>,
    key: Key<'_>,
    f: impl FnOnce(Option<&[u8]>) -> Result<T, hll::Corrupt>,
) -> Option<T> {
    let looked = call.read_string(key, |value, _| valid(value, f))?;
    or_reply(call, looked)
}

/// The same as its writer.
fn look<T>(
    call: &mut DataCall<'_, '_>,
    key: Key<'_>,
    f: impl FnOnce(Option<&[u8]>) -> Result<T, hll::Corrupt>,
) -> Option<T> {
    let looked = call.look_string(key, |value| valid(value, f))?;
    or_reply(call, looked)
}

fn or_reply<T>(call: &mut DataCall<'_, '_>, looked: Looked<T>) -> Option<T> {
    match looked {
        Ok(found) => Some(found),
        Err(error) => {
            call.reply.error(error);
            None
        }
    }
}

/// Up to how many bytes a HyperLogLog is sparse, here and now.
fn limit(call: &mut DataCall<'_, '_>, key: Key<'_>) -> u64 {
    call.access.partition(key.hash).limits().hll_sparse as u64
}

#[cfg(test)]
mod tests;
