//! Any payload of RESTORE is refused or taken, as it is and with a right footer; what is taken comes back from DUMP, whichever
//! form it is written in. The programs of BITFIELD, which come over links, alike.
#![no_main]

use crc::{CRC_64_REDIS, Crc};
use keymesh::commands::payload::{self, Body, Content, SetForm};
use keymesh::db::bitfield::Program;

const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = payload::restore(bytes);
    let _ = payload::restore_content(bytes);
    let mut sealed = [bytes, &10_u16.to_le_bytes()].concat();
    let checksum = CRC.checksum(&sealed);
    sealed.extend_from_slice(&checksum.to_le_bytes());
    if let Ok(value) = payload::restore(&sealed) {
        assert_eq!(payload::restore(&payload::dump(&value)), Ok(value));
    }
    if let Ok(content) = payload::restore_content(&sealed) {
        for compact in [false, true] {
            let payload = written(&content, compact).seal();
            let back = payload::restore_content(&payload).expect("what is written is read");
            assert_eq!(ordered(back), ordered(content.clone()));
        }
    }
    if let Ok(program) = Program::new(bytes)
        && program.len() <= 1 << 16
    {
        program.run(&mut vec![0x5a; program.len()]);
    }
});

fn written(content: &Content, compact: bool) -> Body {
    match content {
        Content::String(value) => Body::string(value),
        Content::Hash(pairs) => Body::hash(pairs.iter().map(|(f, v)| (f, v)), compact),
        Content::Set(members) if compact => Body::set(members.iter(), SetForm::Ints),
        Content::Set(members) => Body::set(members.iter(), SetForm::Table),
        Content::Zset(members) => Body::zset(members.iter().map(|(m, s)| (m, *s)), compact),
        Content::List(elements) => Body::list(elements.iter()),
        Content::Stream(stream) => Body::stream(stream),
    }
}

/// Without the order that is no part of a value.
fn ordered(mut content: Content) -> Content {
    match &mut content {
        Content::Set(members) => members.sort(),
        Content::Zset(members) => members.sort_by(|one, other| one.0.cmp(&other.0)),
        _ => {}
    }
    content
}
