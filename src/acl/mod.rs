//! Users and what they may do: Redis's access control lists. Pure: no socket, no file, no clock of its own.
//!
//! - [`commands`]: a set of commands, a bit each; [`selector`]: commands, keys and channels that are allowed together;
//!   [`check`](self): whether a call is within them.
//! - [`user`]: passwords and selectors of one user; [`rules`]: words that change a user, and what is wrong with them.
//! - [`users`]: all users of a server; [`file`](mod@file): their text in a file; [`log`]: what was refused.
//!
//! Invariants: the text of a user, read again, makes the same user; a password is kept as its hash only.

mod check;
pub mod commands;
pub mod file;
pub mod log;
pub mod rules;
pub mod selector;
#[cfg(test)]
mod tests;
pub mod user;
pub mod users;

pub use check::Denied;
pub use log::{AclLog, Reason, Refusal, Within};
pub use rules::{RuleError, merge_selectors};
pub use selector::Selector;
pub use user::{Defaults, User};
pub use users::{Account, Users};
