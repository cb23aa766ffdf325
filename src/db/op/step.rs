//! What an operation of strings means: the only place that says it.
//!
//! Invariant: deterministic; expiry is judged by the moment of the operation's stamp and by nothing else.

use smallvec::SmallVec;

use crate::db::op::{Expiry, Kind, Op, STRING_LEN_MAX};
use crate::db::stamp::{Hlc, UnixMillis};
use crate::resp::{LongDouble, parse_i64};

/// A key's value as an operation meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<'a> {
    /// The string.
    pub value: &'a [u8],
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
    /// The time that an import must be newer than.
    pub written: Hlc,
}

/// A short string without an allocation: numbers and small values.
pub type Bytes = SmallVec<[u8; 32]>;

/// What an operation makes of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// All stays.
    Nothing,
    /// The key is absent now.
    Remove,
    /// This string and this deadline.
    Put(&'a [u8], Option<UnixMillis>),
    /// A string computed from the old one, and the deadline it has now.
    Compute(Bytes, Option<UnixMillis>),
    /// The same string with this deadline.
    Deadline(Option<UnixMillis>),
    /// An import that took effect, with its original time.
    Import(&'a [u8], Option<UnixMillis>, Hlc),
}

/// What `op`, which is of strings or of any type, makes of `current` when it is stamped at the moment `at`. Expiry is a delete at its deadline and is judged by `at` alone.
pub fn step<'a>(current: Option<State<'_>>, op: Op<'a>, at: UnixMillis) -> Change<'a> {
    let expired = current.is_some_and(|state| is_expired(state.deadline, at));
    let current = if expired { None } else { current };
    let idle = if expired {
        Change::Remove
    } else {
        Change::Nothing
    };
    match op {
        Op::Del => Change::Remove,
        Op::Set(value, Expiry::Clear) => Change::Put(value, None),
        Op::Set(value, Expiry::At(deadline)) => Change::Put(value, Some(deadline)),
        Op::Set(value, Expiry::Keep) => {
            Change::Put(value, current.and_then(|state| state.deadline))
        }
        Op::Import(original, deadline, value) => match current {
            Some(state) if state.written >= original => idle,
            _ => Change::Import(value, deadline, original),
        },
        Op::ImportDel(original) => match current {
            Some(state) if state.written < original => Change::Remove,
            _ => idle,
        },
        Op::Expire(deadline) => match current {
            Some(state) if state.deadline != deadline => Change::Deadline(deadline),
            _ => idle,
        },
        _ if op.adds_to() != Some(Kind::String) && op.hll_change().is_none() => idle,
        _ => match compute(current.map(|state| state.value), op) {
            Some(value) => Change::Compute(value, current.and_then(|state| state.deadline)),
            None => idle,
        },
    }
}

/// Whether a deadline has been reached at `at`.
#[inline]
pub fn is_expired(deadline: Option<UnixMillis>, at: UnixMillis) -> bool {
    deadline.is_some_and(|deadline| deadline <= at)
}

fn compute(current: Option<&[u8]>, op: Op<'_>) -> Option<Bytes> {
    match op {
        Op::Incr(delta) => {
            let old = current.map_or(Some(0), parse_i64)?;
            let mut text = itoa::Buffer::new();
            Some(Bytes::from_slice(
                text.format(old.checked_add(delta)?).as_bytes(),
            ))
        }
        Op::IncrByFloat(delta) => {
            let old = current.map_or_else(|| Some(LongDouble::from_i64(0)), LongDouble::parse)?;
            let sum = old.add(LongDouble::parse(delta)?);
            sum.is_finite()
                .then(|| Bytes::from_slice(sum.to_human_string().as_bytes()))
        }
        Op::Append(tail) => {
            let old = current.unwrap_or_default();
            if old.len() + tail.len() > STRING_LEN_MAX {
                return None;
            }
            let mut value = Bytes::with_capacity(old.len() + tail.len());
            value.extend_from_slice(old);
            value.extend_from_slice(tail);
            Some(value)
        }
        Op::PfAdd(_) | Op::PfMerge(_) => {
            let made = op.hll_change()?.made_of(current);
            made.ok().flatten().map(Bytes::from_vec)
        }
        _ => {
            let old = current.unwrap_or_default();
            let len = written_len(op, old.len())?;
            let mut value = Bytes::with_capacity(len);
            value.extend_from_slice(old);
            value.resize(len, 0);
            write_within(op, &mut value);
            Some(value)
        }
    }
}

/// Carries out an operation that only writes into a value or behind it, without copying the rest. False where it is none, or would
/// not do anything: [`step`] then says what becomes of it.
pub fn change_in_place(op: Op<'_>, value: &mut Vec<u8>) -> bool {
    match op {
        Op::Append(tail) if value.len() + tail.len() <= STRING_LEN_MAX => {
            value.extend_from_slice(tail);
        }
        Op::Incr(delta) => {
            let Some(sum) = parse_i64(value).and_then(|old| old.checked_add(delta)) else {
                return false;
            };
            let mut text = itoa::Buffer::new();
            value.clear();
            value.extend_from_slice(text.format(sum).as_bytes());
        }
        _ => {
            let Some(len) = written_len(op, value.len()) else {
                return false;
            };
            value.resize(len, 0);
            write_within(op, value);
        }
    }
    true
}

/// How long a string of `old` bytes is after a positional operation; none where that does not fit, or for another operation.
pub fn written_len(op: Op<'_>, old: usize) -> Option<usize> {
    let end = match op {
        Op::SetRange(offset, bytes) if !bytes.is_empty() => {
            let end = offset as usize + bytes.len();
            (end <= STRING_LEN_MAX).then_some(end)?
        }
        Op::SetBit(offset, _) => offset as usize / 8 + 1,
        Op::BitField(program) => program.len(),
        _ => return None,
    };
    Some(old.max(end))
}

/// Which bytes of a string of `old` bytes such an operation writes: from the first to behind the last.
pub fn written_range(op: Op<'_>, old: usize) -> (usize, usize) {
    match op {
        Op::SetRange(offset, bytes) => (offset as usize, offset as usize + bytes.len()),
        Op::SetBit(offset, _) => (offset as usize / 8, offset as usize / 8 + 1),
        Op::BitField(program) => (program.first_byte(), program.len()),
        _ => (old, old),
    }
}

/// The same of any operation that writes into a string or behind it.
pub fn grown_len(op: Op<'_>, old: usize) -> Option<usize> {
    match op {
        Op::Append(tail) => Some(old + tail.len()).filter(|len| *len <= STRING_LEN_MAX),
        _ => written_len(op, old),
    }
}

/// Carries out a positional operation over a string that has the length for it, see [`written_len`].
pub fn write_within(op: Op<'_>, value: &mut [u8]) {
    match op {
        Op::SetRange(offset, bytes) => {
            let offset = offset as usize;
            value[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Op::SetBit(offset, bit) => {
            let mask = 0x80 >> (offset % 8);
            let byte = &mut value[offset as usize / 8];
            *byte = if bit { *byte | mask } else { *byte & !mask };
        }
        Op::BitField(program) => program.run(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::bitfield::Program;

    #[test]
    fn what_is_changed_in_place_is_what_a_copy_would_be() {
        let program = Program::new(&[2, 4, 8, 0, 1]).unwrap();
        let ops = [
            Op::Incr(5),
            Op::Incr(i64::MAX),
            Op::Append(b""),
            Op::Append(b"tail"),
            Op::SetRange(0, b""),
            Op::SetRange(2, b"xy"),
            Op::SetRange(50, b"z"),
            Op::SetBit(3, true),
            Op::SetBit(300, false),
            Op::BitField(program),
            Op::IncrByFloat(b"1.5"),
            Op::Del,
            Op::Expire(None),
        ];
        for value in [&b""[..], b"7", b"-3", b"no number", &[0xff; 40]] {
            for op in ops {
                let copied = compute(Some(value), op);
                let mut changed = value.to_vec();
                if change_in_place(op, &mut changed) {
                    assert_eq!(Some(&changed[..]), copied.as_deref(), "{op:?}");
                } else {
                    assert_eq!(changed, value, "{op:?}");
                    let is_left_to_step = matches!(op, Op::IncrByFloat(_));
                    assert!(copied.is_none() || is_left_to_step, "{op:?}");
                }
            }
        }
    }
}
