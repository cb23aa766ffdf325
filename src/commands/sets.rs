//! The sets family: [`read`](self) and [`write`](self) one set, [`combine`](self) several.
//!
//! Invariant: every handler checks everything before its first change, in Redis's order, so that the first fault decides
//! the error.

mod combine;
mod combine_rows;
mod read;
mod rows;
mod write;

pub use combine_rows::ROWS as COMBINE_ROWS;
pub use rows::ROWS;

#[cfg(test)]
mod tests;
