//! Who listens, and what is told: channels and their subscribers, events of keys, keys that clients cache.
//!
//! - [`mailbox`]: where one client's messages wait; [`message`]: their bytes, made once for all who get them.
//! - [`channels`]: who subscribed to what; [`tracking`]: who caches what; [`events`]: the letters of `notify-keyspace-events`.
//! - [`hub`]: all of it together, and the order in which things are told.
//!
//! Invariants: nobody writes to a socket here; a message is put into all its mailboxes before the next one is; who does not read is
//! closed once the limit of its mailbox is reached, and holds nobody up.

pub mod channels;
pub mod events;
pub mod hub;
pub mod mailbox;
pub mod message;
pub mod tracking;

pub use channels::{Channels, Kind};
pub use hub::PubSub;
pub use mailbox::{Letter, Limits, Mailbox};
pub use tracking::{Tracking, TrackingCounts, TrackingMode};
