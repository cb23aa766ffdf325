//! Integers of any width within a string, and the *program* of BITFIELD: how long the string must be, and the writes in order.
//! It is what travels, so that every master carries out the same writes in stamp order.
//!
//! Bits are counted from the first byte's highest one. Arithmetic is Redis's own, its odd corners included: the same on
//! every machine.
//!
//! ```text
//! length the string has at least varint, then each write:
//! 1 byte: 0..2 overflow (0 wrap | 1 sat | 2 fail), 2 signed, 3 INCRBY | 1 byte: width | varint offset | zigzag varint value
//! ```
//!
//! Invariant: a [`Program`] was checked from its first byte to its last: widths, offsets and the length are within bounds.

use crate::db::op::STRING_LEN_MAX;
use crate::db::varint::{self, Malformed, Reader};

/// The last bit of a field may lie this many bytes behind the longest string.
pub const BITFIELD_LEN_MAX: usize = STRING_LEN_MAX + 8;
/// Bytes that a field of 64 bits may touch.
const WINDOW: usize = 9;

const OVERFLOW: u8 = 3;
const SIGNED: u8 = 4;
const INCRBY: u8 = 8;

/// Where an integer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    width: u8,
    offset: u32,
}

impl Field {
    /// Of this width from this bit on; none for a width that Redis does not know.
    pub fn new(signed: bool, width: u8, offset: u32) -> Option<Self> {
        let widest = if signed { 64 } else { 63 };
        (1..=widest).contains(&width).then_some(Self {
            signed,
            width,
            offset,
        })
    }

    /// How long a string is that ends with this field.
    pub fn end(self) -> usize {
        ((u64::from(self.offset) + u64::from(self.width) - 1) / 8) as usize + 1
    }

    /// The first byte that it touches.
    fn first(self) -> usize {
        self.offset as usize / 8
    }

    fn mask(self) -> u128 {
        (1 << self.width) - 1
    }

    /// How far its lowest bit is from the lowest one of the window.
    fn shift(self) -> u32 {
        8 * WINDOW as u32 - self.offset % 8 - u32::from(self.width)
    }

    fn window(self, byte: impl Fn(usize) -> u8) -> u128 {
        let first = self.first();
        (first..first + WINDOW).fold(0, |window, at| window << 8 | u128::from(byte(at)))
    }

    /// The integer; `byte` says what a byte of the string is, 0 behind its end.
    pub fn get(self, byte: impl Fn(usize) -> u8) -> i64 {
        let raw = (self.window(byte) >> self.shift() & self.mask()) as u64;
        if self.signed {
            sign_extended(raw, self.width)
        } else {
            raw as i64
        }
    }

    /// Writes the integer: hands over each byte that it touches, with what it becomes.
    pub fn put(self, value: i64, byte: impl Fn(usize) -> u8, mut set: impl FnMut(usize, u8)) {
        let (first, end, shift) = (self.first(), self.end(), self.shift());
        let kept = self.window(byte) & !(self.mask() << shift);
        let window = kept | (value as u64 as u128 & self.mask()) << shift;
        for at in first..end {
            set(at, (window >> (8 * (WINDOW - 1 - (at - first)))) as u8);
        }
    }
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The field becomes the value.
    Set,
    /// The field grows by the value.
    IncrBy,
}

/// What becomes of a result that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Its lower bits.
    Wrap,
    /// The nearest one that fits.
    Sat,
    /// Nothing.
    Fail,
}

/// One write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldWrite {
    /// Where.
    pub field: Field,
    /// What.
    pub verb: Verb,
    /// And if it does not fit.
    pub overflow: Overflow,
    /// The operand.
    pub value: i64,
}

impl FieldWrite {
    /// What a field that holds `old` holds afterwards; none where the write fails.
    pub fn outcome(&self, old: i64) -> Option<i64> {
        let (start, incr) = match self.verb {
            Verb::Set => (self.value, 0),
            Verb::IncrBy => (old, self.value),
        };
        let width = self.field.width;
        let (over, under, max, min) = if self.field.signed {
            signed_overflow(start, incr, width)
        } else {
            unsigned_overflow(start, incr, width)
        };
        let sum = start.wrapping_add(incr);
        if !over && !under {
            return Some(sum);
        }
        match self.overflow {
            Overflow::Fail => None,
            Overflow::Sat if over => Some(max),
            Overflow::Sat => Some(min),
            Overflow::Wrap if self.field.signed => Some(sign_extended(sum as u64, width)),
            Overflow::Wrap => Some((sum as u64 as u128 & self.field.mask()) as i64),
        }
    }

    /// Appends its bytes to a program.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let overflow = match self.overflow {
            Overflow::Wrap => 0,
            Overflow::Sat => 1,
            Overflow::Fail => 2,
        };
        let signed = if self.field.signed { SIGNED } else { 0 };
        let incrby = if self.verb == Verb::IncrBy { INCRBY } else { 0 };
        out.extend_from_slice(&[overflow | signed | incrby, self.field.width]);
        varint::put(out, u64::from(self.field.offset));
        varint::put(out, varint::zigzag(self.value));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (flags, width) = (reader.u8()?, reader.u8()?);
        let overflow = match flags & OVERFLOW {
            0 => Overflow::Wrap,
            1 => Overflow::Sat,
            2 => Overflow::Fail,
            _ => return Err(Malformed("unknown overflow")),
        };
        if flags & !(OVERFLOW | SIGNED | INCRBY) != 0 {
            return Err(Malformed("unknown flags of a field"));
        }
        let offset = u32::try_from(reader.varint()?).map_err(|_| Malformed("offset too large"))?;
        let field = Field::new(flags & SIGNED != 0, width, offset);
        Ok(Self {
            field: field.ok_or(Malformed("no such width of a field"))?,
            verb: if flags & INCRBY == 0 {
                Verb::Set
            } else {
                Verb::IncrBy
            },
            overflow,
            value: varint::unzigzag(reader.varint()?),
        })
    }
}

/// Whether `value + incr` is above or below what fits, and the limits. Redis compares differences that may have wrapped
/// where a SET is far out of range, and goes to the other end then; so does this.
fn signed_overflow(value: i64, incr: i64, width: u8) -> (bool, bool, i64, i64) {
    let max = i64::MAX >> (64 - width);
    let min = -max - 1;
    let (max_incr, min_incr) = (max.wrapping_sub(value), min.wrapping_sub(value));
    let narrow = width != 64;
    let over =
        value > max || (narrow && incr > max_incr) || (value >= 0 && incr > 0 && incr > max_incr);
    let under =
        value < min || (narrow && incr < min_incr) || (value < 0 && incr < 0 && incr < min_incr);
    (over, under, max, min)
}

fn unsigned_overflow(value: i64, incr: i64, width: u8) -> (bool, bool, i64, i64) {
    let max = ((1_u64 << width) - 1) as i64;
    let over = value as u64 > max as u64 || (incr > 0 && incr > max.wrapping_sub(value));
    let under = incr < 0 && incr < value.wrapping_neg();
    (over, under, max, 0)
}

fn sign_extended(raw: u64, width: u8) -> i64 {
    let unused = 64 - u32::from(width);
    (raw << unused) as i64 >> unused
}

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program<'a> {
    len: usize,
    bytes: &'a [u8],
}

impl<'a> Program<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let len = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        if len == 0 || len > BITFIELD_LEN_MAX {
            return Err(Malformed("no such length of a string"));
        }
        while !reader.is_empty() {
            if FieldWrite::decode(&mut reader)?.field.end() > len {
                return Err(Malformed("a field behind its string"));
            }
        }
        Ok(Self { len, bytes })
    }

    /// How long the string is afterwards, at least.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The first byte that any of its writes touches; beyond every string where there is none.
    pub fn first_byte(&self) -> usize {
        let mut reader = Reader::new(self.bytes);
        let _checked = reader.varint();
        let mut first = usize::MAX;
        while let Ok(write) = FieldWrite::decode(&mut reader) {
            first = first.min(write.field.first());
        }
        first
    }

    /// Never: it makes the string one byte long at least.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Carries it out over a string that is long enough.
    pub fn run(&self, value: &mut [u8]) {
        let mut reader = Reader::new(self.bytes);
        let _checked = reader.varint();
        while !reader.is_empty() {
            let Ok(write) = FieldWrite::decode(&mut reader) else {
                return;
            };
            let at = |value: &[u8], index: usize| value.get(index).copied().unwrap_or(0);
            let old = write.field.get(|index| at(value, index));
            if let Some(new) = write.outcome(old) {
                let mut bytes = [0; WINDOW];
                let first = write.field.first();
                write.field.put(
                    new,
                    |index| at(value, index),
                    |index, byte| bytes[index - first] = byte,
                );
                let end = write.field.end();
                value[first..end].copy_from_slice(&bytes[..end - first]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(field: Field, verb: Verb, overflow: Overflow, value: i64) -> FieldWrite {
        FieldWrite {
            field,
            verb,
            overflow,
            value,
        }
    }

    #[test]
    fn a_program_has_these_bytes_and_comes_back() {
        let signed = Field::new(true, 5, 300).unwrap();
        let unsigned = Field::new(false, 63, 0).unwrap();
        let mut bytes = vec![39];
        write(signed, Verb::IncrBy, Overflow::Sat, -1).encode(&mut bytes);
        write(unsigned, Verb::Set, Overflow::Fail, 7).encode(&mut bytes);
        assert_eq!(bytes, [39, 1 | 4 | 8, 5, 0xac, 0x02, 1, 2, 63, 0, 14]);
        assert_eq!(Program::new(&bytes).unwrap().as_bytes(), bytes);
        for len in 0..bytes.len() {
            let whole = len == 1 || len == 6;
            assert_eq!(Program::new(&bytes[..len]).is_ok(), whole, "{len}");
        }
        for bad in [
            &[0][..],
            &[38, 13, 5, 0xac, 0x02, 1],
            &[39, 16, 5, 0, 1],
            &[39, 3, 5, 0, 1],
            &[39, 0, 0, 0, 1],
            &[39, 0, 64, 0, 1],
            &[39, 4, 65, 0, 1],
            &[0x89, 0x80, 0x80, 0x80, 2],
            &[39, 4, 5, 0x80, 0x80, 0x80, 0x80, 0x10, 1],
        ] {
            assert!(Program::new(bad).is_err(), "{bad:?}");
        }
        assert!(Program::new(&[0x88, 0x80, 0x80, 0x80, 2]).is_ok());
    }

    #[test]
    fn a_set_far_out_of_range_saturates_at_the_end_that_redis_chooses() {
        let field = Field::new(true, 8, 0).unwrap();
        let set = |value| write(field, Verb::Set, Overflow::Sat, value).outcome(0);
        assert_eq!(set(i64::MIN), Some(127));
        assert_eq!(set(-129), Some(-128));
        assert_eq!(set(i64::MAX), Some(127));
        let unsigned = Field::new(false, 8, 0).unwrap();
        let negative = write(unsigned, Verb::Set, Overflow::Sat, -1);
        assert_eq!(negative.outcome(0), Some(255));
    }

    proptest! {
        #[test]
        fn what_is_put_is_got_and_nothing_else_changes(
            before in proptest::collection::vec(any::<u8>(), 32),
            signed: bool, width in 1_u8..=63, offset in 0_u32..192, value: i64,
        ) {
            let field = Field::new(signed, width, offset).unwrap();
            let mut after = before.clone();
            let mut put = Vec::new();
            field.put(value, |at| before[at], |at, byte| put.push((at, byte)));
            for (at, byte) in put {
                after[at] = byte;
            }
            let bit = |bytes: &[u8], n: u32| bytes[n as usize / 8] >> (7 - n % 8) & 1;
            let mut expected = 0_i64;
            for n in 0..256 {
                let inside = (offset..offset + u32::from(width)).contains(&n);
                if inside {
                    let nth = u32::from(width) - 1 - (n - offset);
                    prop_assert_eq!(bit(&after, n), (value >> nth & 1) as u8);
                    expected |= i64::from(bit(&after, n)) << nth;
                } else {
                    prop_assert_eq!(bit(&after, n), bit(&before, n));
                }
            }
            if signed {
                expected = sign_extended(expected as u64, width);
            }
            prop_assert_eq!(field.get(|at| after.get(at).copied().unwrap_or(0)), expected);
        }

        #[test]
        fn increments_fit_wrap_saturate_or_fail(signed: bool, width in 1_u8..=63, old: i64, incr: i64) {
            let field = Field::new(signed, width, 0).unwrap();
            let old = if signed { sign_extended(old as u64, width) } else { old & (i64::MAX >> (63 - width)) };
            let (min, max) = if signed { (-(1_i128 << (width - 1)), (1_i128 << (width - 1)) - 1) } else { (0, (1_i128 << width) - 1) };
            let exact = i128::from(old) + i128::from(incr);
            let outcome = |overflow| write(field, Verb::IncrBy, overflow, incr).outcome(old).map(i128::from);
            let fits = (min..=max).contains(&exact);
            prop_assert_eq!(outcome(Overflow::Fail), fits.then_some(exact));
            prop_assert_eq!(outcome(Overflow::Sat), Some(exact.clamp(min, max)));
            prop_assert_eq!(outcome(Overflow::Wrap), Some((exact - min).rem_euclid(1 << width) + min));
        }
    }
}
