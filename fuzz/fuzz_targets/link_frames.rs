//! Any bytes on a link: frames, items and effects are refused or taken, never a panic.
#![no_main]

use keymesh::commands::effects;
use keymesh::db::item;
use keymesh::db::varint::Reader;
use keymesh::replication::frame::{self, Frame};
use keymesh::replication::node_state::NodeState;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = NodeState::decode(bytes);
    let mut rest = bytes;
    while let Ok(Some(len)) = frame::frame_len(rest) {
        match frame::decode(&rest[..len]) {
            Ok(Frame::Records(_, mut records)) => {
                while let Ok(Some(entry)) = records.next_entry() {
                    let _ = effects::decode_all(&entry.record.payload, entry.record.count);
                }
            }
            Ok(Frame::Items(items)) => {
                let mut reader = Reader::new(items);
                while !reader.is_empty() && item::decode(&mut reader, &|index| Some(index)).is_ok() {}
            }
            _ => {}
        }
        rest = &rest[len..];
    }
});
