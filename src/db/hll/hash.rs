//! Which register an element raises, and to what: MurmurHash64A with Redis's seed, which all servers must share.

use crate::db::hll::REGISTERS;

const SEED: u64 = 0xadc8_3b19;
const MIX: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;
/// The bits of a hash that choose the register.
const INDEX_BITS: u32 = REGISTERS.trailing_zeros();

fn murmur(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MIX);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MIX)).wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        let last = rest
            .iter()
            .rev()
            .fold(0, |last, byte| last << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(MIX);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MIX);
    hash ^ hash >> SHIFT
}

/// The register of an element, and what it is raised to: how many zeros the rest of the hash begins with, and one.
pub fn place_of(element: &[u8]) -> (u16, u8) {
    let hash = murmur(element);
    let index = hash as usize & (REGISTERS - 1);
    // A bit behind the last one ends every run.
    let rest = hash >> INDEX_BITS | 1 << (64 - INDEX_BITS);
    (index as u16, rest.trailing_zeros() as u8 + 1)
}
