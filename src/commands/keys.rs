//! Keys whatever they hold: DEL, UNLINK, EXISTS, TOUCH, TYPE, and KeyDB's EXPDEL and KEYDB.MEXISTS; those that go elsewhere, OBJECT, DUMP and RESTORE beside it.

use crate::commands::call::DataCall;
use crate::db::Op;

mod dump;
mod merge;
pub mod migrate;
mod more_rows;
mod object;
mod relocate;
mod rows;

pub use dump::{LOAD, content_of, payload_of};
pub use more_rows::ROWS as MORE_ROWS;
pub use object::{encoding_name, usage};
pub use rows::ROWS;

fn del(call: &mut DataCall<'_, '_>) {
    let mut deleted = 0;
    for index in 1..call.args.len() {
        let key = call.key(index);
        if call.exists(key) {
            call.apply(key, Op::Del);
            deleted += 1;
        }
    }
    call.reply.integer(deleted);
}

fn exists(call: &mut DataCall<'_, '_>) {
    let mut found = 0;
    for index in 1..call.args.len() {
        let key = call.key(index);
        found += call.read(key, |view, _| i64::from(view.is_some()));
    }
    call.reply.integer(found);
}

/// KEYDB.MEXISTS: of each key alone.
fn mexists(call: &mut DataCall<'_, '_>) {
    call.reply.array(call.args.len() - 1);
    for index in 1..call.args.len() {
        let key = call.key(index);
        call.read(key, |view, reply| reply.boolean(view.is_some()));
    }
}

fn type_of(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read(key, |view, reply| {
        reply.simple(view.map_or("none", |view| view.shown.kind().name()));
    });
}

#[cfg(test)]
mod more_tests;
#[cfg(test)]
mod tests;
