//! The data: values, expiry, stamps, merge rules. Pure and synchronous: no actor, no socket, no clock of its own.
//!
//! - [`stamp`]: hybrid logical time, stamps, deadlines.
//! - [`origin`]: who wrote: node ids, incarnations, the node-local dictionary of origins, version vectors.
//! - [`op`]: what one effect does to one key, its bytes, what it means for strings ([`op::step()`]).
//! - [`bitfield`]: integers of any width within a string, BITFIELD's program.
//! - [`hll`]: HyperLogLogs, strings that estimate how many different elements were added; what PFADD and PFMERGE travel as.
//! - [`record`]: one key at rest, one allocation; `far`: a long value beside it, which may grow.
//! - [`glob`]: Redis patterns, for keys, directives and channels.
//! - [`table`]: the segmented hash table that grows without a pause; [`directory`]: which of its segments holds what.
//! - [`elements`]: the elements of one large collection; [`ordered`]: those of a large sorted set, by score and by member;
//!   [`list`]: those of one list, in their order. Each with a small form in one piece of bytes; [`views`]: hide which it is.
//! - [`body`]: what a key holds, of whatever type; [`live`]: what operations make of it; [`history`]: operations of a key that
//!   can be taken back.
//! - [`partition`]: keys, their unsettled operations, tombstones; local writes and remote effects enter by one door.
//! - [`settle`]: what time does: folding, purging, flushing.
//! - [`job`]: what KEYDB.CRON keeps at a key.
//! - [`made`]: large values that are made before partitions are locked.
//! - [`item`]: a key as it travels in a snapshot; [`merge`]: two nodes' views of one key become one.
//! - [`snapshot`]: the walk that shows one instant while writes go on.
//! - [`digest`]: sums of what keys show.
//! - [`conflict`]: kinds of conflicts.
//! - [`news`]: what others want to hear of it.
//! - [`reissue`]: what a node that joins a mesh must say anew.

pub mod bitfield;
pub mod body;
pub mod conflict;
pub mod deadlines;
pub mod digest;
pub mod directory;
pub mod elements;
mod far;
pub mod follow;
pub mod garbage;
pub mod glob;
pub mod history;
pub mod hll;
pub mod item;
pub mod job;
pub mod list;
pub mod live;
pub mod made;
pub mod merge;
pub mod news;
pub mod op;
pub mod ordered;
pub mod origin;
pub mod partition;
pub mod record;
pub mod reissue;
pub mod settle;
mod shared;
pub mod snapshot;
pub mod stamp;
pub mod stream;
pub mod table;
pub mod varint;
pub mod views;
pub mod waiter;
pub mod waiters;

pub use op::{Expiry, Op};
pub use origin::{Incarnation, NodeId, Origin, OriginIndex, Origins};
pub use partition::{Key, Outcome, Partition, View, WriteContext};
pub use stamp::{Hlc, Stamp, UnixMillis};
pub use waiter::{Reads, Ready, Round, Waiter};
