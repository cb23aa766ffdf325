//! The sorted sets family: replies recorded from Redis 7.0.15, and what is recorded.

mod add;
mod algebra;
mod effects;
mod random;
mod range;
mod rank;
mod read;
mod remove;
