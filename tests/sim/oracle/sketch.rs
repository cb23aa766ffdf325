//! HyperLogLogs as the oracle sees them: a register is the largest number it was ever raised to. How they lie in the string does
//! not matter here; masters are compared with each other byte by byte.

use keymesh::db::varint::Reader;

use crate::oracle::Data;

const REGISTERS: usize = 16_384;
const HEADER: usize = 16;
const CHECKED: &str = "an operation was checked";

/// A register and its number.
type Raised = (usize, u8);

/// What a PFADD raises.
pub fn added(bytes: &[u8]) -> Vec<Raised> {
    let mut reader = Reader::new(bytes);
    reader.varint().expect(CHECKED);
    let mut raised = Vec::new();
    while !reader.is_empty() {
        let index = reader.varint().expect(CHECKED) as usize;
        raised.push((index, reader.u8().expect(CHECKED)));
    }
    raised
}

/// What a PFMERGE raises.
pub fn merged(bytes: &[u8]) -> Vec<Raised> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u8().expect(CHECKED);
    reader.varint().expect(CHECKED);
    assert_eq!(flags & 4, 0, "few elements are never packed");
    let (mut index, mut raised) = (0, Vec::new());
    while !reader.is_empty() {
        index += reader.varint().expect(CHECKED) as usize;
        raised.push((index, reader.u8().expect(CHECKED)));
        index += 1;
    }
    raised
}

/// What becomes of a string, or of nothing.
pub fn raised(value: Option<Vec<u8>>, raised: &[Raised]) -> Vec<u8> {
    let mut registers = match &value {
        None => vec![0; REGISTERS],
        Some(bytes) => match registers(bytes) {
            Some(registers) => registers,
            None => return value.unwrap_or_default(),
        },
    };
    for (index, count) in raised {
        registers[*index] = registers[*index].max(*count);
    }
    dense(&registers)
}

/// The registers of a string, if it has some.
fn registers(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < HEADER || !bytes.starts_with(b"HYLL") {
        return None;
    }
    let packed = &bytes[HEADER..];
    let mut registers = Vec::with_capacity(REGISTERS);
    if bytes[4] == 0 {
        let bit = |at: usize| packed.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1);
        let number = |nth: usize| (0..6).map(|at| bit(nth * 6 + at) << at).sum::<u8>();
        registers.extend((0..REGISTERS).map(number));
        return Some(registers);
    }
    let mut rest = packed.iter().map(|byte| usize::from(*byte));
    while let Some(byte) = rest.next() {
        let (count, number) = match byte {
            0..64 => (byte + 1, 0),
            64..128 => ((byte - 64) * 256 + rest.next()? + 1, 0),
            _ => (byte % 4 + 1, (byte - 128) / 4 + 1),
        };
        registers.extend(std::iter::repeat_n(number as u8, count));
    }
    (registers.len() == REGISTERS).then_some(registers)
}

/// The one string that stands for all with these registers.
fn dense(registers: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER + REGISTERS * 6 / 8];
    bytes[..4].copy_from_slice(b"HYLL");
    bytes[HEADER - 1] = 0x80;
    for (nth, number) in registers.iter().enumerate() {
        for at in 0..6 {
            let place = nth * 6 + at;
            bytes[HEADER + place / 8] |= (number >> at & 1) << (place % 8);
        }
    }
    bytes
}

/// The same data, with that string for each that has registers.
pub fn canonical(data: &Data) -> Data {
    let mut data = data.clone();
    for (value, _) in data.values_mut() {
        if let Some(registers) = registers(value) {
            *value = dense(&registers);
        }
    }
    data
}
