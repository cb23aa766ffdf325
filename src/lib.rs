//! Keymesh: a Redis-compatible in-memory server whose masters converge.
//!
//! The rooms, in the order in which they may be used (arrows only point right):
//! `resp -> db -> commands -> keyspace`, `resp -> journal -> keyspace`, `db -> pubsub -> keyspace`,
//! `keyspace -> persistence -> replication -> clients -> server -> main`, `commands -> acl -> clients`; `config` knows no other room but for the glob in `db`. Read `ARCHITECTURE.md` for the life of a
//! write, then the room you change.

pub mod ablation;
pub mod acl;
pub mod clients;
pub mod commands;
pub mod config;
pub mod db;
pub mod journal;
pub mod keyspace;
pub mod lua;
pub mod persistence;
pub mod playground;
pub mod pubsub;
pub mod replication;
pub mod resp;
pub mod server;
