//! Clients over real sockets: bytes in, bytes out, each server on a port of its own.

mod accounts;
mod acl;
mod acl_denials;
mod acl_files;
mod blocking;
mod commands;
mod cron;
mod debugging;
mod functions;
mod info;
mod introspection;
mod leaving;
mod lifecycle;
mod links;
mod pipelines;
mod pubsub;
mod replay;
mod scripts;
mod streams;
mod support;
mod tracking;
mod transactions;
