//! Files of Redis: what stands in them, without where it comes from and goes to. Those of Redis up to 7.2 and of KeyDB are read; what is
//! written, both read, for the version is that of Redis 7.0.
//!
//! ```text
//! "REDIS" | version, 4 digits | entry* | 255 | CRC-64 (Jones) of all before, u64 LE; 0 where nobody counted
//! entry = 250 name value               of the file as a whole, or of the key before it
//!       | 251 keys timed               how many keys of a database are to come
//!       | 245 string                   the code of a library
//!       | 254 database
//!       | [253 u32 LE seconds | 252 i64 LE ms] [248 length | 249 u8] type key value
//! ```
//! Names, values, keys and codes are strings, numbers lengths, as in [`payload`](crate::commands::payload).
//! What Redis has no word for stands in fields (250) that it skips: KeyDB's `keydb-subexpire-key` and `keydb-subexpire-when`, in
//! turn, for each member of the key before them that has a deadline; `keymesh-job`, a key and the bytes of a job of KEYDB.CRON.
//!
//! Invariant: any bytes are read or refused; a file that ends early, or whose sum is wrong, is an error.

mod reader;
mod writer;

use crc::{Digest, Table};

use crate::commands::payload::{CRC, FUNCTION};

pub use reader::{Entry, RdbError, Reader};
pub use writer::Writer;

/// The version written, that of Redis 7.0.
const VERSION: u32 = 10;
/// The latest version read, that of Redis 7.2.
const VERSION_MAX: u32 = 11;
const MAGIC: &[u8] = b"REDIS";

/// What an entry begins with, where that is no type of a value.
mod opcode {
    pub const FUNCTION: u8 = super::FUNCTION;
    pub const IDLE: u8 = 248;
    pub const FREQUENCY: u8 = 249;
    pub const FIELD: u8 = 250;
    pub const RESIZE: u8 = 251;
    pub const EXPIRES_MS: u8 = 252;
    pub const EXPIRES: u8 = 253;
    pub const DATABASE: u8 = 254;
    pub const END: u8 = 255;
}

/// A member of the key before.
const MEMBER: &[u8] = b"keydb-subexpire-key";
/// When it goes, in milliseconds.
const MEMBER_WHEN: &[u8] = b"keydb-subexpire-when";
/// A key that holds a job.
const JOB: &[u8] = b"keymesh-job";

/// The sum of what has passed.
type Sum = Digest<'static, u64, Table<16>>;

fn sum() -> Sum {
    CRC.digest()
}

#[cfg(test)]
mod tests;
