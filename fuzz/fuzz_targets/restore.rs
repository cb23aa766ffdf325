//! Any payload of RESTORE is refused or taken, as it is and with a right footer; what is taken comes back from DUMP. The
//! programs of BITFIELD, which come over links, alike.
#![no_main]

use crc::{CRC_64_REDIS, Crc};
use keymesh::commands::payload;
use keymesh::db::bitfield::Program;

const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = payload::restore(bytes);
    let mut sealed = [bytes, &10_u16.to_le_bytes()].concat();
    let checksum = CRC.checksum(&sealed);
    sealed.extend_from_slice(&checksum.to_le_bytes());
    if let Ok(value) = payload::restore(&sealed) {
        assert_eq!(payload::restore(&payload::dump(&value)), Ok(value));
    }
    if let Ok(program) = Program::new(bytes)
        && program.len() <= 1 << 16
    {
        program.run(&mut vec![0x5a; program.len()]);
    }
});
