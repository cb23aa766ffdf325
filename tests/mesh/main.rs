//! Black box: real servers of this build on free ports, raw clients, and links that can be cut, stalled and healed at run time.
//!
//! Invariant: nobody sleeps for a fixed time. What has to happen is polled for under a deadline; what must not happen is judged
//! once something later has happened that would have brought it.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong here is what the test is for"
)]

mod blocking;
mod client;
mod collections;
mod configuration;
mod convergence;
mod cron;
mod daemon;
mod dashboards;
mod failures;
mod files;
mod forgetful;
mod garbage;
mod http;
mod identities;
mod joining;
mod large_values;
mod links;
mod metrics;
mod migrate;
mod owned_calls;
mod owners;
mod peer_metrics;
mod playground;
mod process;
mod proxy;
mod pubsub;
mod replica;
mod scripts;
mod settings;
mod shutdown;
mod streams;
mod support;
mod topologies;
mod traces;
mod transactions;
