//! Bytes to commands, replies to bytes: RESP2 and RESP3 with their limits. Knows no command.
//!
//! - [`split`]: the hot request splitter; a pipeline becomes [`Args`] that borrow the read buffer.
//! - [`inline`](self): the space separated request form, quotes undone in place.
//! - [`args`](self): the argument vector a command sees, borrowed or built.
//! - [`reply`]: the growing reply buffer of one connection; [`float_reply`](self) spells its doubles.
//! - [`decode`]: reads replies (links, tests) and encodes commands for a peer;
//!   [`frame_scan`](self) finds where a frame ends before anything is allocated for it.
//! - [`number`]: Redis's exact integer and double grammar; [`long_double`]: the 80 bit
//!   extended float of INCRBYFLOAT and HINCRBYFLOAT; [`float_text`](self): the grammar of both.
//!
//! Invariant: no byte sequence from the network makes anything here panic, recurse without
//! bound, or cost more than linear time.

mod args;
mod decode;
mod float_reply;
mod float_text;
mod frame_scan;
mod inline;
mod long_double;
mod number;
mod reply;
mod split;

#[cfg(test)]
mod tests;

pub use args::{Args, ArgsBuffer, Span};
pub use decode::{DecodeError, Decoder, Frame, encode_command};
pub use float_reply::write_double;
pub use frame_scan::{DEFAULT_MAX_DEPTH, DEFAULT_MAX_ELEMENTS, DEFAULT_MAX_FRAME_LEN, FrameLimits};
pub use long_double::LongDouble;
pub use number::{parse_f64, parse_i64, parse_u64};
pub use reply::{Deferred, Mark, Protocol, Reply};
pub use split::{
    DEFAULT_MAX_BULK_LEN, DEFAULT_MAX_MULTIBULK_LEN, MAX_LINE_LEN, ProtocolError, Split, Splitter,
    UNAUTHENTICATED_MAX_BULK_LEN, UNAUTHENTICATED_MAX_MULTIBULK_LEN,
};
