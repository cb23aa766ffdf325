//! Connections: who is accepted, what each says, what it is told about itself and about the server.
//!
//! - [`acceptor`]: the actor that owns the accept loop; [`listener`]: the sockets, which outlive it.
//! - [`registry`]: all connections; [`context`]: what they share; [`statistics`], [`configuration`].
//! - [`session`](self): the task of one connection - [`buffer`](self), [`batch`](self), [`conversation`](self).
//! - [`persistence`]: files that keep data.
//! - [`identity`](self): who a connection is; [`denials`](self): what it may not do; [`acl_files`]: where users come from.
//! - one file per group of commands: session, transaction, CLIENT, server, INFO, replication, DEBUG.
//!
//! Invariants: one read and one write per pipeline; a session that panics costs its own connection only; nobody waits
//! while a partition is held.

pub mod acceptor;
mod acl_command;
pub mod acl_files;
pub mod actors;
mod allocator;
pub mod alone;
mod batch;
mod blocking;
mod buffer;
mod client_command;
mod client_filter;
mod client_list;
pub mod configuration;
pub mod context;
mod conversation;
pub mod cron;
mod debug_command;
mod debug_data;
mod denials;
mod errors;
mod exec;
pub mod files_limit;
mod identity;
mod info;
pub mod janitor;
pub mod latency;
mod latency_command;
mod link_accounts;
pub mod listener;
mod memory;
mod memory_command;
pub mod metrics;
mod migrate;
pub mod monitor;
mod operator_commands;
mod owned;
mod owned_request;
pub mod owners;
pub mod persistence;
mod process;
mod pubsub_command;
pub mod registry;
mod replay;
mod replication_commands;
mod scripting;
mod server_commands;
mod session;
mod session_commands;
pub mod slowlog;
mod soft_shutdown;
mod sparkline;
pub mod statistics;
mod timing;
mod tracking_command;
mod transaction;
mod wire;

pub use acceptor::{Acceptor, AcceptorMessage};
pub use configuration::Configuration;
pub use context::{Context, KEYMESH_VERSION, REDIS_VERSION, ShutdownRequest};
pub use listener::{ListenError, Listeners};
pub use registry::{Client, ClientId, Clients};
pub use session::steps::EVENT_INTERVAL;
pub use statistics::Statistics;

#[cfg(test)]
mod tests;
