//! What operations of collections bring: fields, members, scores, names of list elements; each a piece of bytes that was checked
//! once and is then only walked. Whole values are in `content`.
//!
//! Fields, values, members and elements are a varint length and that many bytes each.
//!
//! Invariant: every walk over checked bytes ends at their end, and there is at least one element. No score is NaN.

use crate::db::deadlines::MEMBER_DEADLINE_MAX;
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::varint::{self, Malformed, Reader};

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the type of that name")]
pub enum Kind {
    String = 0,
    Hash = 1,
    Set = 2,
    Zset = 3,
    List = 4,
    // Contents have two numbers for lists.
    Stream = 6,
    Job = 7,
}

impl Kind {
    /// What TYPE says.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::Zset => "zset",
            Self::List => "list",
            Self::Stream => "stream",
            // As in KeyDB.
            Self::Job => "unknown",
        }
    }
}

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Index 0.
    Head = 0,
    /// Index -1.
    Tail = 1,
}

const NONE: Malformed = Malformed("no elements");

/// Whether a member can have this deadline.
pub fn is_member_deadline(deadline: UnixMillis) -> bool {
    (0..=MEMBER_DEADLINE_MAX).contains(&deadline.0)
}

/// Walks `f` to the end.
pub(super) fn check<'a>(
    bytes: &'a [u8],
    f: impl Fn(&mut Reader<'a>) -> Result<(), Malformed>,
) -> Result<u32, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut count = 0;
    while !reader.is_empty() {
        f(&mut reader)?;
        count += 1;
    }
    if count == 0 { Err(NONE) } else { Ok(count) }
}

/// Fields, members or elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a> {
    bytes: &'a [u8],
    len: u32,
}

impl<'a> Names<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let len = check(bytes, |reader| reader.bytes().map(drop))?;
        Ok(Self { bytes, len })
    }

    /// Of bytes that the caller wrote with [`varint::put_bytes`] so many times.
    pub fn of(bytes: &'a [u8], len: usize) -> Self {
        Self {
            bytes,
            len: len as u32,
        }
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How many.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Never: for the look of it beside [`Self::len`].
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut reader = Reader::new(self.bytes);
        std::iter::from_fn(move || reader.bytes().ok())
    }
}

/// Fields and their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairs<'a>(&'a [u8]);

impl<'a> Pairs<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        check(bytes, |reader| {
            reader.bytes()?;
            reader.bytes().map(drop)
        })?;
        Ok(Self(bytes))
    }

    /// Of bytes that the caller wrote with [`varint::put_bytes`], field and value in turn.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || Some((reader.bytes().ok()?, reader.bytes().ok()?)))
    }
}

/// Members and their scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores<'a>(&'a [u8]);

pub(super) fn take_score(reader: &mut Reader<'_>) -> Result<f64, Malformed> {
    let score = f64::from_bits(reader.u64()?);
    if score.is_nan() {
        return Err(Malformed("score is not a number"));
    }
    Ok(score)
}

impl<'a> Scores<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        check(bytes, |reader| {
            take_score(reader)?;
            reader.bytes().map(drop)
        })?;
        Ok(Self(bytes))
    }

    /// Appends one.
    pub fn put(out: &mut Vec<u8>, score: f64, member: &[u8]) {
        out.extend_from_slice(&score.to_le_bytes());
        varint::put_bytes(out, member);
    }

    /// Of bytes that the caller wrote with [`Self::put`].
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = (f64, &'a [u8])> {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || Some((take_score(&mut reader).ok()?, reader.bytes().ok()?)))
    }
}

/// The name of a list element on any node: the id that it got where it was pushed, and a check of its bytes, should two nodes
/// have given the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementName {
    /// The time of its push, and in the place of an origin's index the tag of that origin, which is the same on all nodes.
    pub id: Stamp,
    /// See [`Self::check_of`].
    pub check: u16,
}

impl ElementName {
    /// Of an element as it is.
    pub fn new(id: Stamp, element: &[u8]) -> Self {
        let check = Self::check_of(element);
        Self { id, check }
    }

    /// A sum over the first bytes and the length, the same on all nodes.
    pub fn check_of(element: &[u8]) -> u16 {
        let mut sum = 0x811c_9dc5_u32 ^ element.len() as u32;
        for &byte in element.iter().take(32) {
            sum = (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        (sum ^ sum >> 16) as u16
    }

    pub(super) fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.raw().to_le_bytes());
        out.extend_from_slice(&self.check.to_le_bytes());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = Stamp::from_raw(reader.u64()?);
        let check = take_check(reader)?;
        Ok(Self { id, check })
    }
}

fn take_check(reader: &mut Reader<'_>) -> Result<u16, Malformed> {
    Ok(u16::from_le_bytes([reader.u8()?, reader.u8()?]))
}

/// Appends what an id is beyond the one before it.
pub fn put_id(out: &mut Vec<u8>, before: Stamp, id: Stamp) {
    let change = id.raw().wrapping_sub(before.raw()) as i64;
    varint::put(out, varint::zigzag(change));
}

pub(super) fn take_id(reader: &mut Reader<'_>, before: Stamp) -> Result<Stamp, Malformed> {
    let change = varint::unzigzag(reader.varint()?) as u64;
    Ok(Stamp::from_raw(before.raw().wrapping_add(change)))
}

/// Names of list elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementNames<'a>(&'a [u8]);

impl<'a> ElementNames<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        check(bytes, |reader| {
            take_id(reader, Stamp::ZERO)?;
            take_check(reader).map(drop)
        })?;
        Ok(Self(bytes))
    }

    /// Appends one behind the one with the id `before`, zero for the first.
    pub fn put(out: &mut Vec<u8>, before: Stamp, name: ElementName) {
        put_id(out, before, name.id);
        out.extend_from_slice(&name.check.to_le_bytes());
    }

    /// Of bytes that the caller wrote with [`Self::put`].
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = ElementName> + use<'a> {
        let mut reader = Reader::new(self.0);
        let mut id = Stamp::ZERO;
        std::iter::from_fn(move || {
            id = take_id(&mut reader, id).ok()?;
            let check = take_check(&mut reader).ok()?;
            Some(ElementName { id, check })
        })
    }
}

/// Ranges of positions in a list, each counted when those before it are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positions<'a>(&'a [u8]);

impl<'a> Positions<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        check(bytes, |reader| {
            reader.varint()?;
            reader.varint().map(drop)
        })?;
        Ok(Self(bytes))
    }

    /// Appends a range.
    pub fn put(out: &mut Vec<u8>, position: usize, count: usize) {
        varint::put(out, position as u64);
        varint::put(out, count as u64);
    }

    /// Of bytes that the caller wrote with [`Self::put`].
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Position and count, one after the other.
    pub fn iter(self) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let mut reader = Reader::new(self.0);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        std::iter::from_fn(move || Some((size(reader.varint().ok()?), size(reader.varint().ok()?))))
    }
}
