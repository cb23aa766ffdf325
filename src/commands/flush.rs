//! FLUSHDB and FLUSHALL. A flush is recorded even where the database is empty here: it also deletes what was written before
//! it elsewhere and has not arrived yet.

use std::sync::OnceLock;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::settle::Flushed;

mod rows;

pub use rows::ROWS;

/// Up to this many keys are freed at once; a thread would cost more.
const FREE_AT_ONCE_MAX: usize = 1_000;

/// Frees what a flush took out.
pub type Freer = fn(Vec<Flushed>);

/// Where large flushed databases go. Unset, each gets a thread of its own.
static FREER: OnceLock<Freer> = OnceLock::new();

/// Sets who frees what a flush took out; only the first call counts.
pub fn set_freer(freer: Freer) {
    let _ = FREER.set(freer);
}

/// Whether the arguments are `[ASYNC | SYNC]`. What is many is freed in the background in any case: nobody can tell, and all
/// partitions are locked meanwhile.
fn is_well_formed(call: &DataCall<'_, '_>) -> bool {
    match call.args.len() {
        1 => true,
        2 => [&b"async"[..], b"sync"]
            .iter()
            .any(|word| call.args[1].eq_ignore_ascii_case(word)),
        _ => false,
    }
}

fn flushdb(call: &mut DataCall<'_, '_>) {
    let db = call.db;
    flush(call, db..db + 1);
}

fn flushall(call: &mut DataCall<'_, '_>) {
    let databases = call.setting.databases;
    flush(call, 0..databases);
}

fn flush(call: &mut DataCall<'_, '_>, databases: std::ops::Range<u32>) {
    if !is_well_formed(call) {
        return call.reply.error(errors::SYNTAX);
    }
    let mut flushed = Vec::new();
    for db in databases {
        flushed.extend(call.flush(db));
    }
    free(flushed);
    call.reply.ok();
}

/// Frees what a flush took out: elsewhere, where that is much.
pub fn free(flushed: Vec<Flushed>) {
    if flushed.iter().map(Flushed::len).sum::<usize>() > FREE_AT_ONCE_MAX {
        free_later(flushed);
    }
}

fn free_later(flushed: Vec<Flushed>) {
    if let Some(freer) = FREER.get() {
        return freer(flushed);
    }
    // Where no thread can be had, the failed spawn drops the closure and with it the data: freed here.
    let spawned = std::thread::Builder::new()
        .name("flush".to_owned())
        .spawn(move || drop(flushed));
    if let Err(error) = spawned {
        tracing::warn!(%error, "flushed data is freed in the foreground");
    }
}

#[cfg(test)]
mod tests;
