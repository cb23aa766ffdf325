//! Configuration: redis.conf, environment and command line become [`Settings`]; `CONFIG GET` and `CONFIG SET` read and
//! change them. Depends on no other room.
//!
//! The way in: [`cli::parse`] the arguments, [`load`] the settings, log [`Settings::warnings`]. Everything known about a
//! directive stands in one table ([`directives`]); [`grammar`] knows lines and words only, [`source`] the layers and
//! their order, [`settings`] the typed view.

pub mod cli;
pub mod directives;
mod error;
mod events;
pub mod files;
pub mod grammar;
pub mod kind;
mod lists;
mod options;
mod rewrite;
mod scalars;
mod settings;
mod source;
#[cfg(test)]
mod tests;

pub use crate::db::glob::glob_match;
pub use directives::is_secret;
pub use error::{ConfigError, LoadError, Place, system_words};
pub use options::{
    BindAddress, Endpoint, LogFormat, LogLevel, OnSignal, Options, OtlpProtocol, OutputBufferLimit,
    OutputBufferLimits, OwnerUnreachable, PubsubDefault, QueueOwner, ReplDisklessLoad, SavePoint,
    Secret, Supervised, Who,
};
pub use rewrite::replace_file;
pub use scalars::memory as parse_memory;
pub use settings::{Client, Settings, Warning};
pub use source::{Layer, load, load_checked};

/// The version in the error header, in `--version` and in INFO.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const BAD_DIRECTIVE: &str = "Bad directive or wrong number of arguments";
const NOT_UTF8: &str = "argument must be valid UTF-8";
