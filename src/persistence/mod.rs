//! The room of files that keep data: snapshots in Redis's format, written while writes go on, read before anybody is served.
//!
//! - [`rdb`]: the bytes of a file; pure.
//! - [`save`](mod@save), [`load`](mod@load): from the keyspace to a file and back.
//! - [`saver`]: who saves, when, and how it went.
//!
//! Invariant: a save holds no partition longer than any reader does, and shows one instant.

pub mod load;
pub mod rdb;
pub mod save;
pub mod saver;

pub use load::{LoadError, Loaded, load};
pub use save::{BaseFile, Progress, SaveOptions, save, write_walk};
pub use saver::{SavePoint, Saver, SaverStatus};

#[cfg(test)]
mod tests;
