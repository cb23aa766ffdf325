//! The strings family against replies of Redis, and what its commands record.

mod change;
mod effects;
mod lcs;
mod read;
mod set;
