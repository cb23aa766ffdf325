//! What commands do: one table, one file per family. A data command is `(partitions, arguments, stamps) -> reply + effects`; it
//! checks everything first and changes last. Commands of the connection and of the server are named here and carried out
//! by the rooms that own connections and servers.
//!
//! - [`table`]: a row per command; [`docs`]: what COMMAND says of it; [`registry`]: from a name to its row; [`renames`]: names of
//!   a configuration.
//! - `key_access`: what a call does with each of its keys.
//! - [`call`]: what a data command gets; [`access`]: the partitions it holds; [`effects`]: the bytes of what it did.
//! - [`strings`], [`bitmaps`], [`hll`], [`hashes`], [`sets`], [`zsets`], [`geo`], `lists`, [`sort`], [`keys`], [`expire`], [`member_ttl`], [`scan`], [`flush`]: the data
//!   commands.
//! - [`cron`]: scripts that run by themselves.
//! - [`blocking`]: what commands that may wait have in common.
//! - [`element_view`]: what hashes, sets and sorted sets are asked alike; [`element_scan`]: the walk of HSCAN and its kin;
//!   [`element_draw`]: picks at random.
//! - [`payload`]: the bytes of DUMP and RESTORE; [`debug`]: what DEBUG says of values.
//! - [`session_rows`], [`server_rows`], [`operator_rows`]: rows of commands that other rooms carry out.
//! - [`command_info`]: the replies of COMMAND; [`help`]: those of HELP.

pub mod access;
pub mod bitmaps;
pub mod blocking;
pub mod call;
pub mod claims;
pub mod command_info;
pub mod cron;
pub mod debug;
pub mod docs;
pub mod effects;
pub mod element_draw;
pub mod element_scan;
pub mod element_view;
pub mod errors;
pub mod expire;
pub mod flush;
pub mod function_rows;
pub mod geo;
pub mod hashes;
pub mod help;
pub mod hll;
mod key_access;
pub mod keys;
pub mod libraries;
mod lists;
pub mod member_ttl;
pub mod operator_rows;
pub mod payload;
pub mod registry;
pub mod renames;
pub mod scan;
pub mod script_rows;
pub mod server_rows;
pub mod session_rows;
pub mod sets;
pub mod sort;
pub mod streams;
pub mod strings;
pub mod table;
mod typed;
pub mod whole;
#[cfg(test)]
pub(crate) mod world;
pub mod zsets;

pub use call::{Access, DataCall};
pub use command_info::command_reply;
pub use effects::{Effect, Effects};
pub use help::help_reply;
pub use registry::lookup;
pub use renames::Renames;
pub use table::{Flags, Handler, Keys, Row};
