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

/// Reads `[ASYNC | SYNC]`: whether to free in the background; none for a syntax error. Without a word the data is freed in
/// the background too: nobody can tell, and the partitions are locked meanwhile.
fn parse(call: &DataCall<'_, '_>) -> Option<bool> {
    match call.args.len() {
        1 => Some(true),
        2 if call.args[1].eq_ignore_ascii_case(b"async") => Some(true),
        2 if call.args[1].eq_ignore_ascii_case(b"sync") => Some(false),
        _ => None,
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
    let Some(in_background) = parse(call) else {
        return call.reply.error(errors::SYNTAX);
    };
    let mut keys = 0;
    let mut flushed = Vec::new();
    for db in databases {
        keys += call
            .access
            .iter()
            .map(|partition| partition.table(db).len())
            .sum::<usize>();
        flushed.extend(call.flush(db));
    }
    if in_background && keys > FREE_AT_ONCE_MAX {
        free_later(flushed);
    }
    call.reply.ok();
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
