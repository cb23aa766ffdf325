//! The hashes family: [`read`](self) and [`write`](self) fields, count with [`numbers`](self).
//!
//! Invariant: every handler checks everything before its first change, in Redis's order, so that the first fault decides
//! the error.

mod change_rows;
mod numbers;
mod read;
mod rows;
mod write;

pub use change_rows::ROWS as CHANGE_ROWS;
pub use rows::ROWS;

#[cfg(test)]
mod tests;
