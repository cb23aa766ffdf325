//! `math.random` as Redis has it: the 48 bits of drand48, which begin alike in every server and go on from script to script.

use std::cell::Cell;

const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
/// Where it begins where nobody seeds it.
const START: u64 = 0x1234_abcd_330e;
const MASK: u64 = (1 << 48) - 1;
/// The largest number drawn.
pub const MAX: u32 = i32::MAX as u32;

/// The generator.
#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Default for Random {
    fn default() -> Self {
        Self(Cell::new(START))
    }
}

impl Random {
    /// Begins anew.
    pub fn seed(&self, seed: i32) {
        let state = u64::from(seed as u32) << 16 | 0x330e;
        self.0.set(state);
    }

    /// The next 31 bits.
    pub fn next(&self) -> u32 {
        let state = self.0.get();
        let state = state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.0.set(state);
        (state >> 17) as u32
    }
}
