//! HyperLogLogs: strings that estimate how many different elements were added, laid out as Redis lays them out, so that a client
//! may GET, SET and DUMP them. [`hash`] says which register an element raises, [`sparse`] and [`dense`] are the two forms of the
//! 16,384 registers, [`estimate`] is what they come to, [`change`] is what travels: registers, not elements.
//!
//! ```text
//! "HYLL" | form: 0 dense, 1 sparse | 3 bytes not used | estimate u64 LE, its highest bit: it is stale | registers
//! ```
//!
//! Invariant: pure; any bytes may come in, and none make it panic. What a change makes of a string depends on these two alone.

mod change;
mod dense;
mod estimate;
mod hash;
mod sparse;

pub use change::{Adds, Before, Change, Merge, encode_merge, put_add};
pub use hash::place_of;
pub use sparse::{Run, runs};

/// How many registers there are.
pub const REGISTERS: usize = 1 << 14;
/// The longest run of zeros that a hash can give, and one.
pub const COUNT_MAX: u8 = 51;
/// The largest number that a dense register can hold.
const REGISTER_MAX: u8 = 63;
const HEADER: usize = 16;
const FORM: usize = 4;
const ESTIMATE: usize = 8;
/// The byte whose highest bit says that the estimate is stale.
const STALE: usize = 15;
/// How long a dense one is.
const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;

/// A sparse one whose registers do not come to as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

/// All registers, each in a byte of its own.
pub type Registers = Box<[u8]>;

/// Nothing added.
pub fn no_registers() -> Registers {
    vec![0; REGISTERS].into_boxed_slice()
}

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Six bits for each register.
    Dense,
    /// Runs of equal registers.
    Sparse,
}

/// The form of a string that is a HyperLogLog; none where it is something else.
pub fn form_of(value: &[u8]) -> Option<Form> {
    if value.len() < HEADER || !value.starts_with(b"HYLL") {
        return None;
    }
    match value.get(FORM) {
        Some(0) if value.len() == DENSE_LEN => Some(Form::Dense),
        Some(1) => Some(Form::Sparse),
        _ => None,
    }
}

/// The estimate that a HyperLogLog has written down, unless it is stale.
pub fn cached(value: &[u8]) -> Option<u64> {
    let cached = u64::from_le_bytes(*value.get(ESTIMATE..)?.first_chunk()?);
    (cached >> 63 == 0).then_some(cached)
}

/// Where in a string an estimate is written down.
pub const fn estimate_offset() -> usize {
    ESTIMATE
}

/// What a HyperLogLog estimates, computed anew.
pub fn count(value: &[u8]) -> Result<u64, Corrupt> {
    let mut histogram = [0; 64];
    match form_of(value) {
        Some(Form::Dense) => dense::registers(value).for_each(|count| {
            if let Some(times) = histogram.get_mut(usize::from(count)) {
                *times += 1;
            }
        }),
        _ => sparse::histogram(value, &mut histogram)?,
    }
    Ok(estimate::estimate(&histogram))
}

/// What registers come to.
pub fn count_registers(registers: &[u8]) -> u64 {
    let mut histogram = [0; 64];
    for count in registers {
        if let Some(times) = histogram.get_mut(usize::from(*count)) {
            *times += 1;
        }
    }
    estimate::estimate(&histogram)
}

/// Raises registers to those of a HyperLogLog.
pub fn merge_into(registers: &mut [u8], value: &[u8]) -> Result<(), Corrupt> {
    match form_of(value) {
        Some(Form::Dense) => {
            for (register, count) in registers.iter_mut().zip(dense::registers(value)) {
                *register = count.max(*register);
            }
            Ok(())
        }
        _ => sparse::merge_into(registers, value),
    }
}

#[cfg(test)]
mod tests;
