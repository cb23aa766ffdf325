//! The tree's rules, each as a sentence, seen from outside under paused time.
//!
//! Time is virtual: it moves only when everything is idle, so instants are exact. Tests look
//! [`support::TICK`] after an event, when all that it caused has happened.

// The lint's own exception for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod backing_off;
mod drain;
mod dynamic;
mod intensity;
mod isolation;
mod nested;
mod policies;
mod slot;
mod support;
