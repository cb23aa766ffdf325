//! What travels: the registers that a PFADD raised, in the order of its elements, and those that a PFMERGE merged; with them what the
//! bytes of the result depend on beside these, so that all masters come to the same by replay in stamp order.
//!
//! ```text
//! PFADD    varint limit of the sparse form, (varint register, count 1 to 51)*
//! PFMERGE  1 byte: 1 dense | 2 another form only | 4 registers are packed, varint limit,
//!          registers: 12,288 bytes as in the dense form | (varint zeros before it, count 1 to 63)*
//! ```
//!
//! Invariant: both were checked from the first byte to the last. A string that is no HyperLogLog, or a corrupt one, stays as it is.

use smallvec::SmallVec;

use crate::db::hll::{
    COUNT_MAX, Corrupt, Form, HEADER, REGISTER_MAX, REGISTERS, STALE, dense, form_of, sparse,
};
use crate::db::varint::{self, Malformed, Reader};

const DENSE: u8 = 1;
const FORM_ONLY: u8 = 2;
const PACKED: u8 = 4;
const PACKED_LEN: usize = REGISTERS * 6 / 8;

/// Bytes that changed, with what they were.
pub type Before = SmallVec<[(u32, u8); 8]>;

/// What one PFADD raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adds<'a> {
    limit: u64,
    bytes: &'a [u8],
}

/// Appends a register to the bytes of a PFADD.
pub fn put_add(out: &mut Vec<u8>, (index, count): (u16, u8)) {
    varint::put(out, u64::from(index));
    out.push(count);
}

impl<'a> Adds<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let limit = reader.varint()?;
        while !reader.is_empty() {
            let index = reader.varint()?;
            let count = reader.u8()?;
            if index >= REGISTERS as u64 || !(1..=COUNT_MAX).contains(&count) {
                return Err(Malformed("no such register"));
            }
        }
        Ok(Self { limit, bytes })
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    fn registers(self) -> impl Iterator<Item = (usize, u8)> {
        let mut reader = Reader::new(self.bytes);
        let _limit = reader.varint();
        std::iter::from_fn(move || Some((reader.varint().ok()? as usize, reader.u8().ok()?)))
    }
}

/// What one PFMERGE merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge<'a> {
    flags: u8,
    limit: u64,
    bytes: &'a [u8],
}

/// The bytes of a PFMERGE. Where one of the sources is dense, what comes of it is dense.
pub fn encode_merge(registers: &[u8], is_dense: bool, limit: u64) -> Vec<u8> {
    let mut out = vec![u8::from(is_dense)];
    varint::put(&mut out, limit);
    let head = out.len();
    let mut zeros = 0;
    for count in registers {
        if *count == 0 {
            zeros += 1;
            continue;
        }
        varint::put(&mut out, zeros);
        out.push(*count);
        zeros = 0;
    }
    if out.len() - head > PACKED_LEN {
        out.truncate(head);
        out[0] |= PACKED;
        let mut packed = vec![0; HEADER + PACKED_LEN];
        for (index, count) in registers.iter().enumerate() {
            dense::raise(&mut packed, index, *count, &mut |_, _| ());
        }
        out.extend_from_slice(packed.get(HEADER..).unwrap_or_default());
    }
    out
}

impl<'a> Merge<'a> {
    /// What PFDEBUG makes dense: nothing is merged, and nothing made where there is nothing.
    pub const TO_DENSE: Merge<'static> = Merge {
        flags: DENSE | FORM_ONLY,
        limit: 0,
        bytes: &[DENSE | FORM_ONLY, 0],
    };

    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        let limit = reader.varint()?;
        let merge = Self {
            flags,
            limit,
            bytes,
        };
        if flags & FORM_ONLY != 0 {
            return if merge == Merge::TO_DENSE {
                Ok(merge)
            } else {
                Err(Malformed("a form with registers"))
            };
        }
        if flags & !(DENSE | PACKED) != 0 {
            return Err(Malformed("unknown flags of a merge"));
        }
        if flags & PACKED != 0 {
            return if reader.rest().len() == PACKED_LEN {
                Ok(merge)
            } else {
                Err(Malformed("too many or too few registers"))
            };
        }
        let mut index = 0_u64;
        while !reader.is_empty() {
            index = index.saturating_add(reader.varint()?);
            let count = reader.u8()?;
            if index >= REGISTERS as u64 || !(1..=REGISTER_MAX).contains(&count) {
                return Err(Malformed("no such register"));
            }
            index += 1;
        }
        Ok(merge)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is about the form alone.
    pub fn is_of_form(self) -> bool {
        self.flags & FORM_ONLY != 0
    }

    fn registers(self) -> impl Iterator<Item = (usize, u8)> {
        let mut reader = Reader::new(self.bytes);
        let _checked = (reader.u8(), reader.varint());
        let is_packed = self.flags & PACKED != 0;
        let packed = if is_packed { reader.rest() } else { &[] };
        let packed = dense::unpacked(packed).enumerate();
        let packed = packed.filter(|(_, count)| *count > 0);
        let mut index = 0;
        let runs = std::iter::from_fn(move || {
            if is_packed {
                return None;
            }
            index += reader.varint().ok()? as usize + 1;
            Some((index - 1, reader.u8().ok()?))
        });
        packed.chain(runs)
    }
}

/// Either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// PFADD.
    Add(Adds<'a>),
    /// PFMERGE.
    Merge(Merge<'a>),
}

impl Change<'_> {
    /// What becomes of a string, or of nothing; none where all stays as it is.
    pub fn made_of(self, value: Option<&[u8]>) -> Result<Option<Vec<u8>>, Corrupt> {
        let is_new = value.is_none();
        let is_form = value.is_none_or(|value| form_of(value).is_some());
        let mut made = match value {
            _ if !is_form => return Ok(None),
            Some(value) => value.to_vec(),
            None if matches!(self, Self::Merge(merge) if merge.is_of_form()) => return Ok(None),
            None => sparse::empty(),
        };
        let changed = match self {
            Self::Add(adds) => raise(&mut made, adds.registers(), adds.limit)? || is_new,
            Self::Merge(merge) => {
                let is_dense = merge.flags & DENSE != 0;
                if is_dense && form_of(&made) == Some(Form::Sparse) {
                    made = sparse::to_dense(&made)?;
                }
                if merge.is_of_form() {
                    return Ok(Some(made).filter(|made| value != Some(made.as_slice())));
                }
                raise(&mut made, merge.registers(), merge.limit)?;
                true
            }
        };
        if changed && let Some(stale) = made.get_mut(STALE) {
            *stale |= 0x80;
        }
        Ok(Some(made).filter(|made| value != Some(made.as_slice())))
    }

    /// The same within a dense one, without a copy of it: the bytes that changed. None where it is not dense.
    pub fn change_dense(self, value: &mut [u8]) -> Option<Before> {
        if form_of(value) != Some(Form::Dense) {
            return None;
        }
        let mut before = Before::new();
        let mut note = |at: usize, old| before.push((at as u32, old));
        let changed = match self {
            Self::Add(adds) => raise_dense(value, adds.registers(), &mut note),
            Self::Merge(merge) if merge.is_of_form() => false,
            Self::Merge(merge) => {
                raise_dense(value, merge.registers(), &mut note);
                true
            }
        };
        if changed
            && let Some(stale) = value.get_mut(STALE)
            && *stale & 0x80 == 0
        {
            note(STALE, *stale);
            *stale |= 0x80;
        }
        Some(before)
    }

    /// Whether it raises anything in a HyperLogLog.
    pub fn changes(self, value: &[u8]) -> Result<bool, Corrupt> {
        if form_of(value) == Some(Form::Dense)
            && let Self::Add(adds) = self
        {
            let mut registers = adds.registers();
            return Ok(registers.any(|(index, count)| dense::get(value, index) < count));
        }
        Ok(self.made_of(Some(value))?.is_some())
    }
}

fn raise_dense(
    value: &mut [u8],
    registers: impl Iterator<Item = (usize, u8)>,
    before: &mut impl FnMut(usize, u8),
) -> bool {
    let mut changed = false;
    for (index, count) in registers {
        changed |= dense::raise(value, index, count, before);
    }
    changed
}

fn raise(
    value: &mut Vec<u8>,
    registers: impl Iterator<Item = (usize, u8)>,
    limit: u64,
) -> Result<bool, Corrupt> {
    let mut changed = false;
    for (index, count) in registers {
        changed |= if form_of(value) == Some(Form::Dense) {
            dense::raise(value, index, count, &mut |_, _| ())
        } else {
            sparse::raise(value, index, count, limit)?
        };
    }
    Ok(changed)
}
