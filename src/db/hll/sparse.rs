//! The sparse form: runs of equal registers, one or two bytes each.
//!
//! ```text
//! 00nnnnnn            n + 1 registers are 0
//! 01nnnnnn nnnnnnnn   the same of more, the higher bits first
//! 1vvvvvnn            n + 1 registers are v + 1
//! ```
//!
//! How a run is split and when neighbours become one again is as in Redis, to the byte: which bytes stand for the same registers
//! depends on the order in which they were raised.
//!
//! Invariant: no change makes it longer than the limit that it is given, except by none: what would be longer becomes dense.

use crate::db::hll::{Corrupt, DENSE_LEN, FORM, HEADER, REGISTERS, dense};

/// The longest run of zeros of one byte.
const ZEROS_MAX: usize = 64;
/// The longest run of zeros of all.
const MORE_ZEROS_MAX: usize = 16_384;
/// The longest run of another number.
const VALUES_MAX: usize = 4;
/// The largest number.
const VALUE_MAX: u8 = 32;
/// How many runs are looked at, after a change, for neighbours that could be one.
const MERGED_MAX: usize = 5;

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Zeros, in one byte.
    Zeros(usize),
    /// Zeros, in two bytes.
    MoreZeros(usize),
    /// A number, so many times.
    Values(u8, usize),
}

impl Run {
    /// The one that begins at this byte. Behind the end stands a zero, as behind Redis's strings.
    fn at(value: &[u8], at: usize) -> Option<Self> {
        let first = *value.get(at)?;
        let low = usize::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Self::Zeros(low + 1),
            1 => {
                let second = value.get(at + 1).copied().unwrap_or(0);
                Self::MoreZeros((low << 8 | usize::from(second)) + 1)
            }
            _ => Self::Values((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1),
        })
    }

    /// How many bytes it takes.
    fn bytes(self) -> usize {
        match self {
            Self::MoreZeros(_) => 2,
            _ => 1,
        }
    }

    /// How many registers it stands for.
    fn len(self) -> usize {
        match self {
            Self::Zeros(len) | Self::MoreZeros(len) | Self::Values(_, len) => len,
        }
    }

    /// Their number.
    fn value(self) -> u8 {
        match self {
            Self::Values(value, _) => value,
            _ => 0,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Zeros(len) => out.push((len - 1) as u8),
            Self::MoreZeros(len) => {
                let len = len - 1;
                out.extend_from_slice(&[0x40 | (len >> 8) as u8, len as u8]);
            }
            Self::Values(value, len) => out.push(0x80 | (value - 1) << 2 | (len - 1) as u8),
        }
    }
}

/// Appends a run of the same number as another one's, if it is not empty.
fn put_part(out: &mut Vec<u8>, of: Run, len: usize) {
    let run = match of {
        _ if len == 0 => return,
        Run::Values(value, _) => Run::Values(value, len),
        _ if len > ZEROS_MAX => Run::MoreZeros(len),
        _ => Run::Zeros(len),
    };
    run.put(out);
}

/// The runs of a sparse one.
pub fn runs(value: &[u8]) -> impl Iterator<Item = Run> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let run = Run::at(value, at)?;
        at += run.bytes();
        Some(run)
    })
}

/// One to which nothing was added.
pub(super) fn empty() -> Vec<u8> {
    let mut value = vec![0; HEADER];
    value[..FORM].copy_from_slice(b"HYLL");
    value[FORM] = 1;
    Run::MoreZeros(MORE_ZEROS_MAX).put(&mut value);
    value
}

/// Counts how many registers hold each number.
pub(super) fn histogram(value: &[u8], histogram: &mut [u32; 64]) -> Result<(), Corrupt> {
    let mut all = 0;
    for run in runs(value) {
        all += run.len();
        if let Some(times) = histogram.get_mut(usize::from(run.value())) {
            *times += run.len() as u32;
        }
    }
    if all == REGISTERS {
        Ok(())
    } else {
        Err(Corrupt)
    }
}

/// Raises registers to these.
pub(super) fn merge_into(registers: &mut [u8], value: &[u8]) -> Result<(), Corrupt> {
    let mut first = 0;
    for run in runs(value) {
        let end = first + run.len();
        let places = registers.get_mut(first..end).ok_or(Corrupt)?;
        if let Run::Values(count, _) = run {
            for place in places {
                *place = count.max(*place);
            }
        }
        first = end;
    }
    if first == REGISTERS {
        Ok(())
    } else {
        Err(Corrupt)
    }
}

/// The dense form of the same. Its estimate stays.
pub(super) fn to_dense(value: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut made = vec![0; DENSE_LEN];
    let (Some(to), Some(header)) = (made.get_mut(..HEADER), value.get(..HEADER)) else {
        return Err(Corrupt);
    };
    to.copy_from_slice(header);
    made[FORM] = 0;
    let mut first = 0;
    for run in runs(value) {
        let end = first + run.len();
        if end > REGISTERS {
            return Err(Corrupt);
        }
        if let Run::Values(count, _) = run {
            for index in first..end {
                dense::raise(&mut made, index, count, &mut |_, _| ());
            }
        }
        first = end;
    }
    if first == REGISTERS {
        Ok(made)
    } else {
        Err(Corrupt)
    }
}

/// Raises a register; says whether that changed it. What would be longer than `limit` becomes dense, and so does what no sparse
/// form can hold.
pub(super) fn raise(
    value: &mut Vec<u8>,
    index: usize,
    count: u8,
    limit: u64,
) -> Result<bool, Corrupt> {
    if count > VALUE_MAX {
        return promote(value, index, count);
    }
    let (mut at, mut first, mut before) = (HEADER, 0, HEADER);
    let run = loop {
        let run = Run::at(value, at).ok_or(Corrupt)?;
        if index < first + run.len() {
            break run;
        }
        before = at;
        at += run.bytes();
        first += run.len();
    };
    if run.value() >= count {
        return Ok(false);
    }
    let raised = Run::Values(count, 1);
    let mut split = Vec::with_capacity(5);
    if run.len() == 1 && run.bytes() == 1 {
        raised.put(&mut split);
    } else {
        put_part(&mut split, run, index - first);
        raised.put(&mut split);
        put_part(&mut split, run, first + run.len() - 1 - index);
    }
    let len = value.len() + split.len() - run.bytes();
    if split.len() > run.bytes() && len as u64 > limit {
        return promote(value, index, count);
    }
    let end = (at + run.bytes()).min(value.len());
    value.splice(at..end, split);
    // A last run that lacked its second byte has none to give.
    value.truncate(len);
    merge_neighbours(value, before);
    Ok(true)
}

fn promote(value: &mut Vec<u8>, index: usize, count: u8) -> Result<bool, Corrupt> {
    *value = to_dense(value)?;
    Ok(dense::raise(value, index, count, &mut |_, _| ()))
}

/// Makes one of neighbours of the same number, from a run on, where one can hold both.
fn merge_neighbours(value: &mut Vec<u8>, mut at: usize) {
    for _ in 0..MERGED_MAX {
        let Some(run) = Run::at(value, at) else {
            return;
        };
        if let Run::Values(count, len) = run
            && let Some(Run::Values(next, more)) = Run::at(value, at + 1)
            && count == next
            && len + more <= VALUES_MAX
        {
            let mut both = Vec::with_capacity(1);
            Run::Values(count, len + more).put(&mut both);
            value.splice(at..at + 2, both);
            continue;
        }
        at += run.bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &[u8]) -> Vec<Run> {
        runs(value).collect()
    }

    #[test]
    fn a_run_is_split_where_one_of_it_is_raised_and_neighbours_become_one() {
        let mut value = empty();
        assert_eq!(shown(&value), [Run::MoreZeros(16_384)]);
        assert_eq!(raise(&mut value, 100, 3, 3_000), Ok(true));
        let split = [
            Run::MoreZeros(100),
            Run::Values(3, 1),
            Run::MoreZeros(16_283),
        ];
        assert_eq!(shown(&value), split);
        assert_eq!(raise(&mut value, 101, 3, 3_000), Ok(true));
        assert_eq!(raise(&mut value, 99, 3, 3_000), Ok(true));
        assert_eq!(raise(&mut value, 99, 2, 3_000), Ok(false));
        let merged = [
            Run::MoreZeros(99),
            Run::Values(3, 3),
            Run::MoreZeros(16_282),
        ];
        assert_eq!(shown(&value), merged);
        assert_eq!(raise(&mut value, 100, 32, 3_000), Ok(true));
        let apart = [
            Run::MoreZeros(99),
            Run::Values(3, 1),
            Run::Values(32, 1),
            Run::Values(3, 1),
            Run::MoreZeros(16_282),
        ];
        assert_eq!(shown(&value), apart);
        assert_eq!(raise(&mut value, 0, 1, 3_000), Ok(true));
        assert_eq!(raise(&mut value, 16_383, 1, 3_000), Ok(true));
    }

    #[test]
    fn what_no_run_can_hold_and_what_would_be_too_long_becomes_dense() {
        for (count, limit) in [(33, 3_000), (2, 19)] {
            let mut value = empty();
            assert_eq!(raise(&mut value, 7, count, limit), Ok(true));
            assert_eq!((value.len(), value[FORM]), (DENSE_LEN, 0));
            assert_eq!(dense::get(&value, 7), count);
        }
    }
}
