//! The dense form: six bits for each register, the lowest bits of a byte first.
//!
//! Invariant: whoever calls has a string of that length; what lies outside reads as 0 and is not written.

use crate::db::hll::{HEADER, REGISTER_MAX, REGISTERS};

fn place(index: usize) -> (usize, usize) {
    (HEADER + index * 6 / 8, index * 6 % 8)
}

fn byte(value: &[u8], at: usize) -> u16 {
    value.get(at).copied().map_or(0, u16::from)
}

/// One register.
pub(super) fn get(value: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    let word = byte(value, at) | byte(value, at + 1) << 8;
    (word >> shift) as u8 & REGISTER_MAX
}

/// All registers in their order.
pub(super) fn registers(value: &[u8]) -> impl Iterator<Item = u8> {
    unpacked(value.get(HEADER..).unwrap_or_default())
}

/// The same of what stands behind the header.
pub(super) fn unpacked(packed: &[u8]) -> impl Iterator<Item = u8> {
    let (threes, _) = packed.as_chunks::<3>();
    threes.iter().flat_map(|&[low, middle, high]| {
        let word = u32::from_le_bytes([low, middle, high, 0]);
        [0, 6, 12, 18].map(|shift| (word >> shift) as u8 & REGISTER_MAX)
    })
}

/// Raises a register; says whether that changed it. `before` is told of each byte that changes, and what it was.
pub(super) fn raise(
    value: &mut [u8],
    index: usize,
    count: u8,
    before: &mut impl FnMut(usize, u8),
) -> bool {
    if get(value, index) >= count || index >= REGISTERS {
        return false;
    }
    let (at, shift) = place(index);
    let mask = u16::from(REGISTER_MAX) << shift;
    let word = byte(value, at) | byte(value, at + 1) << 8;
    let word = word & !mask | u16::from(count & REGISTER_MAX) << shift;
    for (at, new) in (at..).zip(word.to_le_bytes()) {
        if let Some(old) = value.get_mut(at)
            && *old != new
        {
            before(at, *old);
            *old = new;
        }
    }
    true
}
