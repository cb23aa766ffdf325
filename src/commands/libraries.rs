//! Libraries of functions at rest: keys of a database of their own, which no client can select. So they are recorded, merged, sent with
//! full syncs and forgotten as any other keys: the later of two writes of one library counts, on every master.
//!
//! No client calls these commands by name: FUNCTION does.

use crate::commands::call::DataCall;
use crate::commands::docs::Docs;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::db::Op;
use crate::db::op::Expiry;

static DOCS: Docs = Docs::NONE;

const fn row(name: &'static str, arity: i16, handler: fn(&mut DataCall<'_, '_>)) -> Row {
    Row {
        name,
        arity,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(handler),
        docs: &DOCS,
    }
}

/// Keeps a library: its name and its code.
pub static KEEP: Row = row("function|load", 3, |call| {
    let key = call.key(1);
    call.apply_quietly(key, Op::Set(call.args.get(2), Expiry::Clear));
});

/// Drops one by its name.
pub static DROP: Row = row("function|delete", 2, |call| {
    let key = call.key(1);
    call.apply_quietly(key, Op::Del);
});
