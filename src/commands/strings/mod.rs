//! The strings family: [`read`](self) and [`set`](self) whole values, count with [`numbers`](self), work on
//! [`parts`](self) of them.
//!
//! Invariant: every handler checks everything before its first change, in Redis's order, so that the first fault decides
//! the error.

mod change_rows;
mod lcs;
mod numbers;
mod parts;
mod read;
mod rows;
mod set;

pub use change_rows::ROWS as CHANGE_ROWS;
pub use rows::ROWS;

#[cfg(test)]
mod tests;
