//! The bytes of an operation.
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
//! 0x08 IMPORT  original time u64 LE, 0 | 1 deadline i64 LE, string = the rest
//! 0x09 IMPORT of a delete    original time u64 LE
//! 0x0a SETBIT  varint bit offset, 0 | 1
//! 0x0b BITFIELD      a program, see db::bitfield
//! 0x0c HSET    (field, value)+
//! 0x0d HINCRBY       zigzag varint, field = the rest
//! 0x0e HINCRBYFLOAT  decimal text, field = the rest
//! 0x0f SADD    member+
//! 0x10 ZADD    (score f64 LE, member)+
//! 0x11 ZINCRBY score f64 LE, member = the rest
//! 0x12 HDEL, SREM, ZREM      type (1 hash | 2 set | 3 sorted set), (field or member)+
//! 0x13 PUSH    0 head | 1 tail, element+
//! 0x14 removal from a list   (zigzag varint of id - id before, check u16 LE)+
//! 0x15 LSET    id u64 LE, check u16 LE, element = the rest
//! 0x16 LINSERT id u64 LE, check u16 LE, 0 behind | 1 before, varint position, element = the rest
//! 0x17 PUT     0 | 1 deadline i64 LE, content = the rest, see `content`
//! 0x18 IMPORT of any type    original time u64 LE, 0 | 1 deadline i64 LE, content = the rest
//! 0x19 removal from a list by position     (varint position, varint count)+, one after the other
//! 0x1a LSET by position      varint position, element = the rest
//! 0x1b LINSERT by position   varint position, element = the rest
//! 0x1c EXPIRE of members     type (1 hash | 2 set | 3 sorted set), 0 persist | 1 deadline i64 LE, (field or member)+
//! 0x1f XADD    id, (field, value)+
//! 0x20 removal from a stream 0 trimmed | 1 deleted, ids
//! 0x21 XTRIM   id: all up to it
//! 0x22 XSETID  what is set
//! 0x23 change of a consumer group; for all of streams see db::stream::change
//! 0x1d PFADD, 0x1e PFMERGE   registers, see db::hll
//! ```
//! Fields, members and elements of which there may be several are a varint length and that many bytes each.
//!
//! Invariant: whoever reads refuses what no writer writes.

use crate::db::bitfield::Program;
use crate::db::hll::{Adds, Merge};
use crate::db::op::parts::{
    self, ElementName, ElementNames, End, Kind, Names, Pairs, Positions, Scores,
};
use crate::db::op::{Beside, Content, Expiry, Op};
use crate::db::stamp::{Hlc, UnixMillis};
use crate::db::stream::StreamId;
use crate::db::stream::change::{self, GroupChange, Ids, SetId};
use crate::db::varint::{self, Malformed, Reader};

impl<'a> Op<'a> {
    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_head(out);
        out.extend_from_slice(self.content());
    }

    /// All but [`Self::content`].
    fn encode_head(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Set(_, expiry) => {
                out.push(0x01);
                match expiry {
                    Expiry::Clear => out.push(0),
                    Expiry::Keep => out.push(1),
                    Expiry::At(deadline) => {
                        out.push(2);
                        out.extend_from_slice(&deadline.0.to_le_bytes());
                    }
                }
            }
            Self::Del => out.push(0x02),
            Self::Incr(delta) => {
                out.push(0x03);
                varint::put(out, varint::zigzag(delta));
            }
            Self::IncrByFloat(_) => out.push(0x04),
            Self::Append(_) => out.push(0x05),
            Self::SetRange(offset, _) => {
                out.push(0x06);
                varint::put(out, u64::from(offset));
            }
            Self::Expire(deadline) => {
                out.push(0x07);
                put_deadline(out, deadline);
            }
            Self::Import(original, deadline, _) => {
                out.push(0x08);
                out.extend_from_slice(&original.raw().to_le_bytes());
                put_deadline(out, deadline);
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
            Self::BitField(_) => out.push(0x0b),
            Self::PfAdd(_) => out.push(0x1d),
            Self::PfMerge(_) => out.push(0x1e),
            Self::HSet(_) => out.push(0x0c),
            Self::HIncr(delta, _) => {
                out.push(0x0d);
                varint::put(out, varint::zigzag(delta));
            }
            Self::HIncrByFloat(delta, _) => {
                out.push(0x0e);
                varint::put_bytes(out, delta);
            }
            Self::SAdd(_) => out.push(0x0f),
            Self::ZAdd(_) => out.push(0x10),
            Self::ZIncr(delta, _) => {
                out.push(0x11);
                out.extend_from_slice(&delta.to_le_bytes());
            }
            Self::Remove(kind, _) => out.extend_from_slice(&[0x12, kind as u8]),
            Self::Push(end, _) => out.extend_from_slice(&[0x13, end as u8]),
            Self::ExpireMembers(kind, deadline, _) => {
                out.extend_from_slice(&[0x1c, kind as u8]);
                put_deadline(out, deadline);
            }
            Self::ListRemove(_) => out.push(0x14),
            Self::ListSet(name, _) => {
                out.push(0x15);
                name.encode(out);
            }
            Self::ListInsert(beside, _) => {
                out.push(0x16);
                beside.anchor.encode(out);
                out.push(u8::from(beside.is_before));
                varint::put(out, u64::from(beside.position));
            }
            Self::ListCut(_) => out.push(0x19),
            Self::ListSetAt(position, _) => {
                out.push(0x1a);
                varint::put(out, u64::from(position));
            }
            Self::ListInsertAt(position, _) => {
                out.push(0x1b);
                varint::put(out, u64::from(position));
            }
            Self::XAdd(id, _) => {
                out.push(0x1f);
                change::put_id(out, StreamId::MIN, id);
            }
            Self::XDel(is_deleted, _) => out.extend_from_slice(&[0x20, u8::from(is_deleted)]),
            Self::XTrim(id) => {
                out.push(0x21);
                change::put_id(out, StreamId::MIN, id);
            }
            Self::XSetId(set) => {
                out.push(0x22);
                set.encode(out);
            }
            Self::XGroup(_) => out.push(0x23),
            Self::Put(_, deadline) => {
                out.push(0x17);
                put_deadline(out, deadline);
            }
            Self::ImportContent(original, deadline, _) => {
                out.push(0x18);
                out.extend_from_slice(&original.raw().to_le_bytes());
                put_deadline(out, deadline);
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
            | Self::Import(_, _, content)
            | Self::HIncr(_, content)
            | Self::HIncrByFloat(_, content)
            | Self::ZIncr(_, content)
            | Self::ListSet(_, content)
            | Self::ListInsert(_, content)
            | Self::ListSetAt(_, content)
            | Self::ListInsertAt(_, content) => content,
            Self::BitField(program) => program.as_bytes(),
            Self::PfAdd(adds) => adds.as_bytes(),
            Self::PfMerge(merge) => merge.as_bytes(),
            Self::HSet(pairs) | Self::XAdd(_, pairs) => pairs.as_bytes(),
            Self::XDel(_, ids) => ids.as_bytes(),
            Self::XGroup(change) => change.as_bytes(),
            Self::SAdd(names)
            | Self::Remove(_, names)
            | Self::ExpireMembers(_, _, names)
            | Self::Push(_, names) => names.as_bytes(),
            Self::ZAdd(scores) => scores.as_bytes(),
            Self::ListRemove(names) => names.as_bytes(),
            Self::ListCut(positions) => positions.as_bytes(),
            Self::Put(content, _) | Self::ImportContent(_, _, content) => content.as_bytes(),
            Self::Del
            | Self::Incr(_)
            | Self::Expire(_)
            | Self::ImportDel(_)
            | Self::SetBit(..)
            | Self::XTrim(_)
            | Self::XSetId(_) => &[],
        }
    }

    /// How many bytes [`Self::encode`] writes.
    pub fn encoded_len(&self) -> usize {
        let mut head = Vec::with_capacity(32);
        self.encode_head(&mut head);
        head.len() + self.content().len()
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
                let offset = take_u32(&mut reader)?;
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
                let offset = take_u32(&mut reader)?;
                Self::SetBit(offset, take_bool(&mut reader)?)
            }
            0x0b => return Ok(Self::BitField(Program::new(reader.rest())?)),
            0x1d => return Ok(Self::PfAdd(Adds::new(reader.rest())?)),
            0x1e => return Ok(Self::PfMerge(Merge::new(reader.rest())?)),
            0x1f => {
                let id = change::take_id(&mut reader, StreamId::MIN)?;
                return Ok(Self::XAdd(id, Pairs::new(reader.rest())?));
            }
            0x20 => {
                let is_deleted = take_bool(&mut reader)?;
                return Ok(Self::XDel(is_deleted, Ids::new(reader.rest())?));
            }
            0x21 => Self::XTrim(change::take_id(&mut reader, StreamId::MIN)?),
            0x22 => Self::XSetId(SetId::decode(&mut reader)?),
            0x23 => return Ok(Self::XGroup(GroupChange::new(reader.rest())?)),
            0x0c..=0x1c => return Self::decode_of_elements(kind, reader),
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

    /// The kinds that end with what they bring.
    fn decode_of_elements(kind: u8, mut reader: Reader<'a>) -> Result<Self, Malformed> {
        Ok(match kind {
            0x0c => Self::HSet(Pairs::new(reader.rest())?),
            0x0d => {
                let delta = varint::unzigzag(reader.varint()?);
                Self::HIncr(delta, reader.rest())
            }
            0x0e => {
                let delta = reader.bytes()?;
                Self::HIncrByFloat(delta, reader.rest())
            }
            0x0f => Self::SAdd(Names::new(reader.rest())?),
            0x10 => Self::ZAdd(Scores::new(reader.rest())?),
            0x11 => {
                let delta = parts::take_score(&mut reader)?;
                Self::ZIncr(delta, reader.rest())
            }
            0x12 => {
                let kind = take_kind(&mut reader)?;
                Self::Remove(kind, Names::new(reader.rest())?)
            }
            0x13 => {
                let end = match reader.u8()? {
                    0 => End::Head,
                    1 => End::Tail,
                    _ => return Err(Malformed("unknown end of a list")),
                };
                Self::Push(end, Names::new(reader.rest())?)
            }
            0x14 => Self::ListRemove(ElementNames::new(reader.rest())?),
            0x15 => {
                let name = ElementName::decode(&mut reader)?;
                Self::ListSet(name, reader.rest())
            }
            0x16 => {
                let anchor = ElementName::decode(&mut reader)?;
                let is_before = take_bool(&mut reader)?;
                let position = take_u32(&mut reader)?;
                let beside = Beside {
                    anchor,
                    is_before,
                    position,
                };
                Self::ListInsert(beside, reader.rest())
            }
            0x17 => {
                let deadline = take_deadline(&mut reader)?;
                Self::Put(Content::new(reader.rest())?, deadline)
            }
            0x18 => {
                let original = Hlc::from_raw(reader.u64()?);
                let deadline = take_deadline(&mut reader)?;
                Self::ImportContent(original, deadline, Content::new(reader.rest())?)
            }
            0x19 => Self::ListCut(Positions::new(reader.rest())?),
            0x1a => {
                let position = take_u32(&mut reader)?;
                Self::ListSetAt(position, reader.rest())
            }
            0x1c => {
                let kind = take_kind(&mut reader)?;
                let deadline = take_deadline(&mut reader)?;
                if deadline.is_some_and(|deadline| !parts::is_member_deadline(deadline)) {
                    return Err(Malformed("deadline of a member out of range"));
                }
                Self::ExpireMembers(kind, deadline, Names::new(reader.rest())?)
            }
            _ => {
                let position = take_u32(&mut reader)?;
                Self::ListInsertAt(position, reader.rest())
            }
        })
    }
}

fn take_u32(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    u32::try_from(reader.varint()?).map_err(|_| Malformed("offset too large"))
}

fn take_kind(reader: &mut Reader<'_>) -> Result<Kind, Malformed> {
    match reader.u8()? {
        1 => Ok(Kind::Hash),
        2 => Ok(Kind::Set),
        3 => Ok(Kind::Zset),
        _ => Err(Malformed("unknown type")),
    }
}

fn take_bool(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("unknown bit")),
    }
}

fn put_deadline(out: &mut Vec<u8>, deadline: Option<UnixMillis>) {
    match deadline {
        None => out.push(0),
        Some(deadline) => {
            out.push(1);
            out.extend_from_slice(&deadline.0.to_le_bytes());
        }
    }
}

fn take_deadline(reader: &mut Reader<'_>) -> Result<Option<UnixMillis>, Malformed> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(UnixMillis(reader.u64()? as i64))),
        _ => Err(Malformed("unknown deadline")),
    }
}
