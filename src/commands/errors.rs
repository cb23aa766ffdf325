//! Error replies that several commands share, in Redis's exact words.

use crate::resp::Reply;

/// An option that does not exist, or that another one excludes.
pub const SYNTAX: &str = "ERR syntax error";
/// What DUMP says of what KEYDB.CRON made.
pub const NO_PAYLOAD_OF_JOB: &str =
    "ERR a job of KEYDB.CRON has no payload: it would not say all of it";
/// What KeyDB's COPY says of it.
pub const UNKNOWN_TYPE: &str = "ERR unknown type object";
/// A key of another type.
pub const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
/// A text that is not a canonical 64-bit integer.
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
/// A text that is not a number.
pub const NOT_A_FLOAT: &str = "ERR value is not a valid float";
/// INCR and its kin beyond 64 bits.
pub const WOULD_OVERFLOW: &str = "ERR increment or decrement would overflow";
/// A string longer than 512 MB.
pub const TOO_LONG: &str = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
/// A database number that does not fit 32 bits.
pub const OUTSIDE_32_BITS: &str =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
/// A database that there is not.
pub const NO_SUCH_DATABASE: &str = "ERR DB index is out of range";
/// A count that must not be negative.
pub const NOT_POSITIVE: &str = "ERR value is out of range, must be positive";
/// RENAME of nothing.
pub const NO_SUCH_KEY: &str = "ERR no such key";
/// COPY and MOVE of a key to itself.
pub const SAME_OBJECT: &str = "ERR source and destination objects are the same";

/// "wrong number of arguments".
#[cold]
pub fn wrong_arity(reply: &mut Reply, command: &str) {
    reply.error_format(format_args!(
        "ERR wrong number of arguments for '{command}' command"
    ));
}

/// A time to live that is not positive or beyond 64 bits of milliseconds.
#[cold]
pub fn invalid_expire_time(reply: &mut Reply, command: &str) {
    reply.error_format(format_args!(
        "ERR invalid expire time in '{command}' command"
    ));
}
