//! Values as they travel as a whole.
//!
//! ```text
//! content = type 1 byte, [deadlines], then
//! 0 string         the rest
//! 1 hash           (field, value)+
//! 2 set            member+
//! 3 sorted set     (score f64 LE, member)+
//! 4 list           element+, which get their ids from the stamp of the operation
//! 5 list with ids  (zigzag varint of id - id before, element)+
//! 6 stream         see db::stream::content
//! 7 job            see db::job
//! deadlines = varint count, (deadline i64 LE, field or member)*     where the type byte of 1, 2 or 3 has its highest bit set
//! ```
//! Fields, values, members and elements are a varint length and that many bytes each.
//!
//! Invariant: as of [`super::parts`]. A deadline of a member that is not there says nothing.

use crate::db::job::Job;
use crate::db::op::parts::{Kind, Names, Pairs, Scores, check, is_member_deadline, take_id};
use crate::db::origin::OriginIndex;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::stream;
use crate::db::varint::{self, Malformed, Reader};

/// A whole value, see the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a>(&'a [u8]);

/// What a [`Content`] holds.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is the type of that name")]
pub enum Parts<'a> {
    String(&'a [u8]),
    Hash(Pairs<'a>),
    Set(Names<'a>),
    Zset(Scores<'a>),
    List(Names<'a>),
    ListWithIds(Identified<'a>),
    /// As [`stream::content`] reads it.
    Stream(&'a [u8]),
    /// As [`Job`] reads it.
    Job(&'a [u8]),
}

/// Elements of a list with their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified<'a>(&'a [u8]);

impl<'a> Identified<'a> {
    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = (Stamp, &'a [u8])> {
        let mut reader = Reader::new(self.0);
        let mut id = Stamp::ZERO;
        std::iter::from_fn(move || {
            id = take_id(&mut reader, id).ok()?;
            Some((id, reader.bytes().ok()?))
        })
    }
}

/// The type byte of a list with ids.
pub const LIST_WITH_IDS: u8 = 5;
const STREAM: u8 = Kind::Stream as u8;
const JOB: u8 = Kind::Job as u8;
/// Set in the type byte where members have deadlines.
const TIMED: u8 = 0x80;

fn take_member_deadline<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], UnixMillis), Malformed> {
    let deadline = UnixMillis(reader.u64()? as i64);
    if !is_member_deadline(deadline) {
        return Err(Malformed("deadline of a member out of range"));
    }
    Ok((reader.bytes()?, deadline))
}

impl<'a> Content<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (&kind, mut rest) = bytes.split_first().ok_or(Malformed("ends early"))?;
        if kind & TIMED != 0 {
            if !matches!(kind & !TIMED, 1..=3) {
                return Err(Malformed("unknown type"));
            }
            let mut reader = Reader::new(rest);
            for _ in 0..reader.varint()? {
                take_member_deadline(&mut reader)?;
            }
            rest = reader.rest();
        }
        match kind & !TIMED {
            0 => {}
            1 => drop(Pairs::new(rest)?),
            2 | 4 => drop(Names::new(rest)?),
            3 => drop(Scores::new(rest)?),
            LIST_WITH_IDS => {
                check(rest, |reader| {
                    take_id(reader, Stamp::ZERO)?;
                    reader.bytes().map(drop)
                })?;
            }
            STREAM => stream::content::check(rest)?,
            JOB => drop(Job::read(rest)?),
            _ => return Err(Malformed("unknown type")),
        }
        Ok(Self(bytes))
    }

    /// Of bytes that the caller wrote as the head of the file says.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The type.
    pub fn kind(self) -> Kind {
        match self.0.first().map(|kind| kind & !TIMED) {
            Some(1) => Kind::Hash,
            Some(2) => Kind::Set,
            Some(3) => Kind::Zset,
            Some(4 | 5) => Kind::List,
            Some(STREAM) => Kind::Stream,
            Some(JOB) => Kind::Job,
            _ => Kind::String,
        }
    }

    /// Appends the type byte, and the deadlines of members if there are any.
    pub fn put_head<'d>(
        out: &mut Vec<u8>,
        kind: Kind,
        deadlines: impl ExactSizeIterator<Item = (&'d [u8], UnixMillis)>,
    ) {
        if deadlines.len() == 0 {
            return out.push(kind as u8);
        }
        out.push(kind as u8 | TIMED);
        varint::put(out, deadlines.len() as u64);
        for (member, deadline) in deadlines {
            out.extend_from_slice(&deadline.0.to_le_bytes());
            varint::put_bytes(out, member);
        }
    }

    /// Members that go by themselves, and when; read as far as the value's own bytes.
    pub fn deadlines(self) -> impl Iterator<Item = (&'a [u8], UnixMillis)> {
        let is_timed = self.0.first().is_some_and(|kind| kind & TIMED != 0);
        let mut reader = Reader::new(self.0.get(1..).unwrap_or_default());
        let mut left = if is_timed {
            reader.varint().unwrap_or(0)
        } else {
            0
        };
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            take_member_deadline(&mut reader).ok()
        })
    }

    /// What stands behind the head.
    fn rest(self) -> &'a [u8] {
        let Some((&kind, rest)) = self.0.split_first() else {
            return self.0;
        };
        if kind & TIMED == 0 {
            return rest;
        }
        let mut reader = Reader::new(rest);
        for _ in 0..reader.varint().unwrap_or(0) {
            if take_member_deadline(&mut reader).is_err() {
                return &[];
            }
        }
        reader.rest()
    }

    /// What it holds.
    pub fn parts(self) -> Parts<'a> {
        let kind = self.0.first().map_or(0, |kind| kind & !TIMED);
        let rest = self.rest();
        match kind {
            1 => Parts::Hash(Pairs::of(rest)),
            2 => Parts::Set(Names::new(rest).unwrap_or(Names::of(rest, 0))),
            3 => Parts::Zset(Scores::of(rest)),
            4 => Parts::List(Names::new(rest).unwrap_or(Names::of(rest, 0))),
            LIST_WITH_IDS => Parts::ListWithIds(Identified(rest)),
            STREAM => Parts::Stream(rest),
            JOB => Parts::Job(rest),
            _ => Parts::String(rest),
        }
    }
}

/// The id of the nth element of a list that came as a whole under a stamp: times beyond all clocks, so that none is that of a push.
pub fn id_of_content(stamp: Stamp, nth: u64) -> Stamp {
    let mixed = stamp.time().raw().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 43;
    Stamp::new(
        Hlc::from_raw(1 << 53 | mixed << 32 | nth & 0xffff_ffff),
        OriginIndex(0),
    )
}

/// By how much the ids of such elements are more than those of the same ones under [`Stamp::ZERO`].
pub fn id_change(stamp: Stamp) -> u64 {
    id_of_content(stamp, 0).raw() - id_of_content(Stamp::ZERO, 0).raw()
}
