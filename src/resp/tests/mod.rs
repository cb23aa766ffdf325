//! Tests of the room: splitting, replies, decoding, and the numbers against real Redis.

mod decoding;
mod long_doubles;
mod replies;
mod splitting;
