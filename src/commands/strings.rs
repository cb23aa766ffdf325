//! The strings family.

use crate::commands::call::DataCall;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::db::{Expiry, Op};

/// The family's rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "get",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(get),
    },
    Row {
        name: "set",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(set),
    },
];

fn get(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let (db, now) = (call.db, call.now);
    let Some(view) = call.view(key).map(|view| view.value.to_vec()) else {
        let _ = (db, now);
        call.count_lookup(false);
        return call.reply.null();
    };
    call.count_lookup(true);
    call.reply.bulk(&view);
}

fn set(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.apply(key, Op::Set(call.args.get(2), Expiry::Clear));
    call.reply.ok();
}
