//! Bytes to commands, replies to bytes: RESP2 and RESP3 with their limits. Knows no command.
//!
//! - `split`: the hot request [`Splitter`]; `inline`: its one line form, quotes undone in place;
//!   `header`: its lines and numbers; `protocol_error`: why it refuses, in Redis's words.
//! - `args`: the argument vector a command sees, borrowed ([`Args`]) or built ([`ArgsBuffer`]).
//! - `reply`: the growing [`Reply`] buffer of one connection; `error_reply`: its error lines;
//!   `float_reply`: how it spells doubles.
//! - `decode`: the [`Decoder`] of replies (links, tests) and [`encode_command`]; `frame_scan`
//!   finds where a frame ends before anything is allocated for it.
//! - `number`: Redis's exact integer and double grammar; `long_double`: the [`LongDouble`] of
//!   INCRBYFLOAT and HINCRBYFLOAT; `float_text`: the grammar and rounding of both.
//!
//! Invariant: no byte sequence from the network makes anything here panic, recurse without
//! bound, or cost more than linear time.

mod args;
mod decode;
mod error_reply;
mod float_reply;
mod float_text;
mod frame_scan;
mod header;
mod inline;
mod long_double;
mod number;
mod protocol_error;
mod reply;
mod split;

#[cfg(test)]
mod tests;

pub use args::{Args, ArgsBuffer, Span};
pub use decode::{DecodeError, Decoder, Frame, encode_command};
pub use float_reply::write_double;
pub use frame_scan::{
    DEFAULT_MAX_DEPTH, DEFAULT_MAX_ELEMENTS, DEFAULT_MAX_FRAME_LEN, FrameLimits, FrameScanner,
};
pub use long_double::LongDouble;
pub use number::{parse_f64, parse_f64_loosely, parse_i64, parse_u64};
pub use protocol_error::ProtocolError;
pub use reply::{Deferred, Mark, Protocol, Reply};
pub use split::{
    DEFAULT_MAX_BULK_LEN, DEFAULT_MAX_MULTIBULK_LEN, MAX_LINE_LEN, Split, Splitter,
    UNAUTHENTICATED_MAX_BULK_LEN, UNAUTHENTICATED_MAX_MULTIBULK_LEN,
};
