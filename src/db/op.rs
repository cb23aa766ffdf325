//! What one effect does to one key, the bytes it travels as, and [`step`]: the only place that says what an operation means.
//!
//! An operation is deterministic: absolute times, no conditions, no randomness. One that does not fit what it meets (a type, a
//! number, a size) has no effect, on every node alike.
//!
//! ```text
//! kind 1 byte, then
//! 0x01 SET     expiry (0 clear | 1 keep | 2 deadline i64 LE), value = the rest
//! 0x02 DEL     nothing
//! 0x03 INCR    zigzag varint
//! 0x04 INCRBYFLOAT   decimal text = the rest
//! 0x05 APPEND  bytes = the rest
//! 0x06 SETRANGE      varint offset, bytes = the rest
//! 0x07 EXPIRE  0 persist | 1 deadline i64 LE
//! 0x08 IMPORT  original time u64 LE, 0 | 1 deadline i64 LE, value = the rest
//! 0x09 IMPORT of a delete    original time u64 LE
//! 0x0a SETBIT  varint bit offset, 0 | 1
//! 0x0b BITFIELD      a program, see db::bitfield
//! ```

use smallvec::SmallVec;

use crate::db::bitfield::Program;
use crate::db::stamp::{Hlc, UnixMillis};
use crate::db::varint::{self, Malformed, Reader};
use crate::resp::{LongDouble, parse_i64};

/// The largest string an operation may make: Redis's own limit, the same on every node so that all judge alike.
pub const STRING_LEN_MAX: usize = 512 * 1024 * 1024;

/// What SET does to the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Takes it away.
    Clear,
    /// Leaves it as it is (KEEPTTL).
    Keep,
    /// Sets it.
    At(UnixMillis),
}

/// One operation on one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// The value becomes this string.
    Set(&'a [u8], Expiry),
    /// The key goes.
    Del,
    /// The number grows by this much.
    Incr(i64),
    /// The number grows by this decimal.
    IncrByFloat(&'a [u8]),
    /// The string gets longer.
    Append(&'a [u8]),
    /// The string is overwritten from this offset on.
    SetRange(u32, &'a [u8]),
    /// The deadline becomes this, or goes.
    Expire(Option<UnixMillis>),
    /// A value from before its node was a member: it counts only where the key is absent or older than the original time.
    Import(Hlc, Option<UnixMillis>, &'a [u8]),
    /// A delete from before its node was a member: it counts only where the key is older than the original time.
    ImportDel(Hlc),
    /// One bit of the string, counted from the highest of the first byte, becomes 0 or 1.
    SetBit(u32, bool),
    /// Integers within the string change.
    BitField(Program<'a>),
}

impl<'a> Op<'a> {
    /// Whether nothing that came earlier can show through.
    pub fn dominates(&self) -> bool {
        matches!(
            self,
            Self::Del | Self::Set(_, Expiry::Clear | Expiry::At(_))
        )
    }

    /// Whether it writes at places of a string that stays otherwise as it is, but for getting longer.
    #[inline]
    pub fn is_positional(&self) -> bool {
        matches!(
            self,
            Self::SetRange(..) | Self::SetBit(..) | Self::BitField(_)
        )
    }

    /// Whether all it does is to write into a string or behind it.
    #[inline]
    pub fn writes(&self) -> bool {
        self.is_positional() || matches!(self, Self::Append(_))
    }

    /// Whether it leaves the first `len` bytes of a string as they are, and the string there.
    pub fn leaves_first(&self, len: usize) -> bool {
        match self {
            Self::Append(_) | Self::Expire(_) => true,
            Self::SetRange(offset, _) => *offset as usize >= len,
            Self::SetBit(offset, _) => *offset as usize / 8 >= len,
            Self::BitField(program) => program.first_byte() >= len,
            _ => false,
        }
    }

    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Set(value, expiry) => {
                out.push(0x01);
                match expiry {
                    Expiry::Clear => out.push(0),
                    Expiry::Keep => out.push(1),
                    Expiry::At(deadline) => {
                        out.push(2);
                        out.extend_from_slice(&deadline.0.to_le_bytes());
                    }
                }
                out.extend_from_slice(value);
            }
            Self::Del => out.push(0x02),
            Self::Incr(delta) => {
                out.push(0x03);
                varint::put(out, varint::zigzag(delta));
            }
            Self::IncrByFloat(delta) => {
                out.push(0x04);
                out.extend_from_slice(delta);
            }
            Self::Append(tail) => {
                out.push(0x05);
                out.extend_from_slice(tail);
            }
            Self::SetRange(offset, bytes) => {
                out.push(0x06);
                varint::put(out, u64::from(offset));
                out.extend_from_slice(bytes);
            }
            Self::Expire(deadline) => {
                out.push(0x07);
                put_deadline(out, deadline);
            }
            Self::Import(original, deadline, value) => {
                out.push(0x08);
                out.extend_from_slice(&original.raw().to_le_bytes());
                put_deadline(out, deadline);
                out.extend_from_slice(value);
            }
            Self::ImportDel(original) => {
                out.push(0x09);
                out.extend_from_slice(&original.raw().to_le_bytes());
            }
            Self::SetBit(offset, bit) => {
                out.push(0x0a);
                varint::put(out, u64::from(offset));
                out.push(u8::from(bit));
            }
            Self::BitField(program) => {
                out.push(0x0b);
                out.extend_from_slice(program.as_bytes());
            }
        }
    }

    /// What it brings of any length, which stands at the end of its bytes.
    #[inline]
    pub fn content(&self) -> &'a [u8] {
        match *self {
            Self::Set(content, _)
            | Self::IncrByFloat(content)
            | Self::Append(content)
            | Self::SetRange(_, content)
            | Self::Import(_, _, content) => content,
            _ => &[],
        }
    }

    /// How many bytes [`Self::encode`] writes.
    pub fn encoded_len(&self) -> usize {
        let mut without = *self;
        match &mut without {
            Self::Set(content, _)
            | Self::IncrByFloat(content)
            | Self::Append(content)
            | Self::SetRange(_, content)
            | Self::Import(_, _, content) => *content = b"",
            _ => {}
        }
        let mut head = Vec::with_capacity(32);
        without.encode(&mut head);
        head.len() + self.content().len()
    }

    /// Whether it bears a time of its own beside its stamp.
    pub fn is_import(&self) -> bool {
        matches!(self, Self::Import(..) | Self::ImportDel(_))
    }

    /// Reads what [`Self::encode`] wrote; the operation is all of `bytes`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let op = match kind {
            0x01 => {
                let expiry = match reader.u8()? {
                    0 => Expiry::Clear,
                    1 => Expiry::Keep,
                    2 => Expiry::At(UnixMillis(reader.u64()? as i64)),
                    _ => return Err(Malformed("unknown expiry")),
                };
                return Ok(Self::Set(reader.rest(), expiry));
            }
            0x02 => Self::Del,
            0x03 => Self::Incr(varint::unzigzag(reader.varint()?)),
            0x04 => return Ok(Self::IncrByFloat(reader.rest())),
            0x05 => return Ok(Self::Append(reader.rest())),
            0x06 => {
                let offset = take_offset(&mut reader)?;
                return Ok(Self::SetRange(offset, reader.rest()));
            }
            0x07 => Self::Expire(take_deadline(&mut reader)?),
            0x08 => {
                let original = Hlc::from_raw(reader.u64()?);
                let deadline = take_deadline(&mut reader)?;
                return Ok(Self::Import(original, deadline, reader.rest()));
            }
            0x09 => Self::ImportDel(Hlc::from_raw(reader.u64()?)),
            0x0a => {
                let offset = take_offset(&mut reader)?;
                match reader.u8()? {
                    0 => Self::SetBit(offset, false),
                    1 => Self::SetBit(offset, true),
                    _ => return Err(Malformed("unknown bit")),
                }
            }
            0x0b => return Ok(Self::BitField(Program::new(reader.rest())?)),
            _ => {
                return Err(Malformed(
                    "unknown operation: this node is older than its peer",
                ));
            }
        };
        if reader.is_empty() {
            Ok(op)
        } else {
            Err(Malformed("operation too long"))
        }
    }
}

fn take_offset(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    u32::try_from(reader.varint()?).map_err(|_| Malformed("offset too large"))
}

pub(crate) fn put_deadline(out: &mut Vec<u8>, deadline: Option<UnixMillis>) {
    match deadline {
        None => out.push(0),
        Some(deadline) => {
            out.push(1);
            out.extend_from_slice(&deadline.0.to_le_bytes());
        }
    }
}

pub(crate) fn take_deadline(reader: &mut Reader<'_>) -> Result<Option<UnixMillis>, Malformed> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(UnixMillis(reader.u64()? as i64))),
        _ => Err(Malformed("unknown deadline")),
    }
}

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

/// What `op`, stamped at the moment `at`, makes of `current`. Expiry is a delete at its deadline and is judged by `at` alone.
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
        Op::Incr(_)
        | Op::IncrByFloat(_)
        | Op::Append(_)
        | Op::SetRange(..)
        | Op::SetBit(..)
        | Op::BitField(_) => match compute(current.map(|state| state.value), op) {
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

    #[test]
    fn operations_have_these_bytes_and_come_back() {
        let at = UnixMillis(0x0102);
        let moment = [2, 1, 0, 0, 0, 0, 0, 0];
        let program = Program::new(&[2, 4, 8, 0, 1]).unwrap();
        let cases: [(Op<'_>, Vec<u8>); 17] = [
            (Op::Set(b"v", Expiry::Clear), vec![0x01, 0, b'v']),
            (Op::Set(b"", Expiry::Keep), vec![0x01, 1]),
            (
                Op::Set(b"v", Expiry::At(at)),
                [&[0x01, 2][..], &moment, b"v"].concat(),
            ),
            (Op::Del, vec![0x02]),
            (Op::Incr(0), vec![0x03, 0]),
            (Op::Incr(-1), vec![0x03, 1]),
            (Op::Incr(150), vec![0x03, 0xac, 0x02]),
            (Op::IncrByFloat(b"1.5"), b"\x041.5".to_vec()),
            (Op::Append(b"tail"), b"\x05tail".to_vec()),
            (Op::SetRange(300, b"xy"), vec![0x06, 0xac, 0x02, b'x', b'y']),
            (Op::Expire(None), vec![0x07, 0]),
            (Op::Expire(Some(at)), [&[0x07, 1][..], &moment].concat()),
            (
                Op::Import(Hlc::from_raw(0x0304), Some(at), b"v"),
                [&[0x08, 4, 3, 0, 0, 0, 0, 0, 0, 1][..], &moment, b"v"].concat(),
            ),
            (
                Op::ImportDel(Hlc::from_raw(0x0304)),
                vec![0x09, 4, 3, 0, 0, 0, 0, 0, 0],
            ),
            (Op::SetBit(300, true), vec![0x0a, 0xac, 0x02, 1]),
            (Op::SetBit(0, false), vec![0x0a, 0, 0]),
            (Op::BitField(program), vec![0x0b, 2, 4, 8, 0, 1]),
        ];
        for (op, golden) in cases {
            let mut out = Vec::new();
            op.encode(&mut out);
            assert_eq!(out, golden, "{op:?}");
            assert_eq!(op.encoded_len(), golden.len());
            assert_eq!(Op::decode(&golden), Ok(op));
        }
    }

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

    #[test]
    fn what_no_encoder_writes_is_refused() {
        let cases: [&[u8]; 14] = [
            &[],
            &[0x00],
            &[0x09],
            &[0x0c],
            &[0x0a],
            &[0x0a, 0, 2],
            &[0x0a, 0, 1, 0],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 1],
            &[0x0b],
            &[0x0b, 0],
            &[0x01, 3],
            &[0x02, 0],
            &[0x07, 2],
            &[0x06, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ];
        for bytes in cases {
            assert!(Op::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
