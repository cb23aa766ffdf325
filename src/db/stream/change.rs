//! What operations of streams bring: ids, what XSETID sets, and what happens to a consumer group.
//!
//! ```text
//! id, behind one before it: milliseconds less those before varint | number varint, less the one before in the same millisecond
//! ids     id+, which ascend, the first behind 0-0
//! set id  id | 1 entries added | 2 max deleted id: a byte, then varint, id
//! group change = kind 1 byte, name of the group, then
//! 1 created      0 | 1 makes the stream, id, read
//! 2 set id       id, read
//! 3 destroyed    nothing
//! 4 consumer     consumer, time
//! 5 consumer gone    consumer, id*: what it held
//! 6 delivered    consumer, time, 0 | 1 nothing is pending, last id, read, id*: those that are pending, or were missed; where keys bear
//!                stamps, all that were delivered
//! 7 acknowledged id+
//! 8 claimed      consumer, time, last id, 1 where it is not pending too | 2 read again by its own, (id, time, count varint)*
//! ```
//! Names are a varint length and that many bytes; times are zigzag varints; read is a varint of one more than the number, 0 where it
//! is not known.
//!
//! Invariant: whoever reads refuses what no writer writes.

use super::StreamId;
use crate::db::varint::{self, Malformed, Reader};

/// Appends an id behind the one before it, which is less.
pub fn put_id(out: &mut Vec<u8>, before: StreamId, id: StreamId) {
    let ms = id.ms - before.ms;
    varint::put(out, ms);
    varint::put(out, if ms == 0 { id.seq - before.seq } else { id.seq });
}

/// Reads what [`put_id`] wrote.
pub fn take_id(reader: &mut Reader<'_>, before: StreamId) -> Result<StreamId, Malformed> {
    const TOO_LARGE: Malformed = Malformed("id too large");
    let (ms, seq) = (reader.varint()?, reader.varint()?);
    Ok(StreamId {
        ms: before.ms.checked_add(ms).ok_or(TOO_LARGE)?,
        seq: match ms {
            0 => before.seq.checked_add(seq).ok_or(TOO_LARGE)?,
            _ => seq,
        },
    })
}

/// The same of one that must come behind it.
pub(super) fn take_next_id(
    reader: &mut Reader<'_>,
    before: Option<StreamId>,
) -> Result<StreamId, Malformed> {
    let id = take_id(reader, before.unwrap_or(StreamId::MIN))?;
    if before.is_some_and(|before| id <= before) {
        return Err(Malformed("ids do not ascend"));
    }
    Ok(id)
}

pub(super) fn put_time(out: &mut Vec<u8>, time: i64) {
    varint::put(out, varint::zigzag(time));
}

pub(super) fn take_time(reader: &mut Reader<'_>) -> Result<i64, Malformed> {
    Ok(varint::unzigzag(reader.varint()?))
}

pub(super) fn put_read(out: &mut Vec<u8>, read: Option<u64>) {
    // Nobody has read as many as that.
    varint::put(out, read.map_or(0, |read| read.saturating_add(1)));
}

pub(super) fn take_read(reader: &mut Reader<'_>) -> Result<Option<u64>, Malformed> {
    Ok(reader.varint()?.checked_sub(1))
}

/// Some ids, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids<'a>(&'a [u8]);

impl<'a> Ids<'a> {
    /// Checks the bytes; there is at least one.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.is_empty() {
            return Err(Malformed("no ids"));
        }
        Self::any(bytes)
    }

    /// The same where there may be none.
    fn any(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (mut reader, mut before) = (Reader::new(bytes), None);
        while !reader.is_empty() {
            before = Some(take_next_id(&mut reader, before)?);
        }
        Ok(Self(bytes))
    }

    /// The bytes of these, which ascend.
    pub fn encode(ids: impl IntoIterator<Item = StreamId>) -> Vec<u8> {
        let mut out = Vec::new();
        Self::put(&mut out, ids);
        out
    }

    fn put(out: &mut Vec<u8>, ids: impl IntoIterator<Item = StreamId>) {
        let mut before = StreamId::MIN;
        for id in ids {
            put_id(out, before, id);
            before = id;
        }
    }

    /// Of bytes that [`Self::encode`] made.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As they travel.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = StreamId> + use<'a> {
        let (mut reader, mut before) = (Reader::new(self.0), StreamId::MIN);
        std::iter::from_fn(move || {
            before = take_id(&mut reader, before).ok()?;
            Some(before)
        })
    }
}

/// What XSETID sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetId {
    /// The last id that was given.
    pub id: StreamId,
    /// How many entries were ever added.
    pub added: Option<u64>,
    /// The greatest id that was ever deleted.
    pub max_deleted: Option<StreamId>,
}

impl SetId {
    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_id(out, StreamId::MIN, self.id);
        out.push(u8::from(self.added.is_some()) | u8::from(self.max_deleted.is_some()) << 1);
        if let Some(added) = self.added {
            varint::put(out, added);
        }
        if let Some(id) = self.max_deleted {
            put_id(out, StreamId::MIN, id);
        }
    }

    /// Reads them.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = take_id(reader, StreamId::MIN)?;
        let flags = reader.u8()?;
        if flags > 3 {
            return Err(Malformed("unknown flags"));
        }
        let added = (flags & 1 != 0).then(|| reader.varint()).transpose()?;
        let max_deleted = (flags & 2 != 0)
            .then(|| take_id(reader, StreamId::MIN))
            .transpose()?;
        Ok(Self {
            id,
            added,
            max_deleted,
        })
    }
}

/// What happens to a consumer group; as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupChange<'a>(&'a [u8]);

/// An entry that is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Which one.
    pub id: StreamId,
    /// When it counts as delivered.
    pub at: i64,
    /// How often it counts as delivered.
    pub count: u64,
}

/// The parts of a [`GroupChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the head of the file names each")]
pub enum Action<'a> {
    Created {
        makes_stream: bool,
        id: StreamId,
        read: Option<u64>,
    },
    SetId {
        id: StreamId,
        read: Option<u64>,
    },
    Destroyed,
    Consumer {
        consumer: &'a [u8],
        now: i64,
    },
    ConsumerGone {
        consumer: &'a [u8],
        ids: Ids<'a>,
    },
    Delivered {
        consumer: &'a [u8],
        now: i64,
        no_ack: bool,
        last: StreamId,
        read: Option<u64>,
        ids: Ids<'a>,
    },
    Acknowledged(Ids<'a>),
    Claimed {
        consumer: &'a [u8],
        now: i64,
        last: StreamId,
        force: bool,
        again: bool,
        claims: Claims<'a>,
    },
}

/// Entries that are claimed, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims<'a>(&'a [u8]);

impl<'a> Claims<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (mut reader, mut before) = (Reader::new(bytes), None);
        while !reader.is_empty() {
            before = Some(take_next_id(&mut reader, before)?);
            take_time(&mut reader)?;
            reader.varint()?;
        }
        Ok(Self(bytes))
    }

    /// The bytes of these, which ascend.
    pub fn encode(claims: impl IntoIterator<Item = Claimed>) -> Vec<u8> {
        let (mut out, mut before) = (Vec::new(), StreamId::MIN);
        for Claimed { id, at, count } in claims {
            put_id(&mut out, before, id);
            put_time(&mut out, at);
            varint::put(&mut out, count);
            before = id;
        }
        out
    }

    /// Of bytes that [`Self::encode`] made.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Claimed> + use<'a> {
        let (mut reader, mut before) = (Reader::new(self.0), StreamId::MIN);
        std::iter::from_fn(move || {
            let id = take_id(&mut reader, before).ok()?;
            before = id;
            let at = take_time(&mut reader).ok()?;
            let count = reader.varint().ok()?;
            Some(Claimed { id, at, count })
        })
    }
}

pub(super) fn take_flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("unknown flag")),
    }
}

impl<'a> GroupChange<'a> {
    /// Checks the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        parse(bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes of what happens to this group.
    pub fn encode(name: &[u8], action: Action<'_>) -> Vec<u8> {
        let kind = match action {
            Action::Created { .. } => 1,
            Action::SetId { .. } => 2,
            Action::Destroyed => 3,
            Action::Consumer { .. } => 4,
            Action::ConsumerGone { .. } => 5,
            Action::Delivered { .. } => 6,
            Action::Acknowledged(_) => 7,
            Action::Claimed { .. } => 8,
        };
        let mut out = vec![kind];
        varint::put_bytes(&mut out, name);
        let put_id = |out: &mut Vec<u8>, id| put_id(out, StreamId::MIN, id);
        match action {
            Action::Created {
                makes_stream,
                id,
                read,
            } => {
                out.push(u8::from(makes_stream));
                put_id(&mut out, id);
                put_read(&mut out, read);
            }
            Action::SetId { id, read } => {
                put_id(&mut out, id);
                put_read(&mut out, read);
            }
            Action::Destroyed => {}
            Action::Consumer { consumer, now } => {
                varint::put_bytes(&mut out, consumer);
                put_time(&mut out, now);
            }
            Action::ConsumerGone { consumer, ids } => {
                varint::put_bytes(&mut out, consumer);
                out.extend_from_slice(ids.0);
            }
            Action::Delivered {
                consumer,
                now,
                no_ack,
                last,
                read,
                ids,
            } => {
                varint::put_bytes(&mut out, consumer);
                put_time(&mut out, now);
                out.push(u8::from(no_ack));
                put_id(&mut out, last);
                put_read(&mut out, read);
                out.extend_from_slice(ids.0);
            }
            Action::Acknowledged(ids) => out.extend_from_slice(ids.0),
            Action::Claimed {
                consumer,
                now,
                last,
                force,
                again,
                claims,
            } => {
                varint::put_bytes(&mut out, consumer);
                put_time(&mut out, now);
                put_id(&mut out, last);
                out.push(u8::from(force) | u8::from(again) << 1);
                out.extend_from_slice(claims.0);
            }
        }
        out
    }

    /// Of bytes that [`Self::encode`] made.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// As it travels.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The group's name and what happens to it; nothing where the bytes are none of [`Self::encode`]'s.
    pub fn parts(self) -> Option<(&'a [u8], Action<'a>)> {
        parse(self.0).ok()
    }

    /// Whether it makes the stream where there is none.
    pub fn makes_stream(self) -> bool {
        let parts = self.parts();
        matches!(parts, Some((_, Action::Created { makes_stream, .. })) if makes_stream)
    }
}

fn parse(bytes: &[u8]) -> Result<(&[u8], Action<'_>), Malformed> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8()?;
    let name = reader.bytes()?;
    let id = |reader: &mut Reader<'_>| take_id(reader, StreamId::MIN);
    let action = match kind {
        1 => Action::Created {
            makes_stream: take_flag(&mut reader)?,
            id: id(&mut reader)?,
            read: take_read(&mut reader)?,
        },
        2 => Action::SetId {
            id: id(&mut reader)?,
            read: take_read(&mut reader)?,
        },
        3 => Action::Destroyed,
        4 => Action::Consumer {
            consumer: reader.bytes()?,
            now: take_time(&mut reader)?,
        },
        5 => {
            let (consumer, ids) = (reader.bytes()?, Ids::any(reader.rest())?);
            return Ok((name, Action::ConsumerGone { consumer, ids }));
        }
        6 => {
            let action = Action::Delivered {
                consumer: reader.bytes()?,
                now: take_time(&mut reader)?,
                no_ack: take_flag(&mut reader)?,
                last: id(&mut reader)?,
                read: take_read(&mut reader)?,
                ids: Ids::any(reader.rest())?,
            };
            return Ok((name, action));
        }
        7 => return Ok((name, Action::Acknowledged(Ids::new(reader.rest())?))),
        8 => {
            let (consumer, now) = (reader.bytes()?, take_time(&mut reader)?);
            let (last, flags) = (id(&mut reader)?, reader.u8()?);
            if flags > 3 {
                return Err(Malformed("unknown flag"));
            }
            let action = Action::Claimed {
                consumer,
                now,
                last,
                force: flags & 1 != 0,
                again: flags & 2 != 0,
                claims: Claims::new(reader.rest())?,
            };
            return Ok((name, action));
        }
        _ => return Err(Malformed("unknown change of a group")),
    };
    if reader.is_empty() {
        Ok((name, action))
    } else {
        Err(Malformed("change of a group too long"))
    }
}
