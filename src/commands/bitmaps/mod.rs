//! Strings as bits: single ones ([`bit`](self)), searched and counted ([`search`](self)), combined ([`bitop`](self)), and as
//! integers of any width ([`bitfield`](self)). Bit 0 is the highest one of the first byte.
//!
//! Invariant: every handler checks everything before its first change, in Redis's order.

mod bit;
mod bitfield;
mod bitop;
mod rows;
mod search;

pub use rows::ROWS;

#[cfg(test)]
mod tests;
