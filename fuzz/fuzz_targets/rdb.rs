//! A file of a save is read or refused, whatever its bytes are.

#![no_main]

use keymesh::persistence::rdb::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // With a head that lets the rest be looked at.
    let file = [b"REDIS0011", bytes].concat();
    if let Ok(mut reader) = Reader::begin(&file[..], false) {
        while let Ok(Some(_)) = reader.next_entry() {}
    }
});
