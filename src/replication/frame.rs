//! What travels on a link between two Keymesh nodes, in frames. The node that reads (it has the `replicaof` line) is the
//! *replica* of the link, the other its *master*; records flow from master to replica.
//!
//! ```text
//! frame = length u32 (of what follows) | kind u8 | body
//! both ways
//!   1 HELLO     version u16 | features u32 | node u128 | incarnation u32 | clock u64 | flags u8 (2 stamped, 4 follower)
//!               listening port u16 | table (see table)
//!   2 ERROR     text
//!   3 PART      a piece of a longer body, of which more follow; the last is in a frame of the body's kind (see parts)
//! master to replica
//!   16 ORIGIN   index u16 | node u128 | incarnation u32        what an index means in all later frames of this connection
//!   17 RECORDS  index u16 | count varint | count * (prev u64 | stamp u64 | operations varint | flags u8 (1 trace)
//!               | [trace 26 bytes] | payload length varint | payload)
//!   18 VECTOR   wall clock ms u64 | reader's clock ahead ms u64 | count varint | count * (index u16 | arrived u64 | last u64 | base u64)
//!   19 MEMBERS  table
//!   20 GAP      index u16 | base u64       the journal no longer reaches back; the subscription is over
//!   21 SNAPSHOT settled u64 | clock u64 | positions as in VECTOR without the clock | cuts varint * (db varint | stamp u64)
//!   22 ITEMS    items (see db::item)
//!   23 END      of the snapshot: positions as in SNAPSHOT
//!   24 BUSY     no snapshot now
//! replica to master
//!   32 SUBSCRIBE    node u128 | incarnation u32 | after u64
//!   33 UNSUBSCRIBE  node u128 | incarnation u32
//!   34 ACK          arrived u64 (of the master's own writes)
//!   35 WANT_SNAPSHOT
//!   36 ADOPT        table: whom it announces without lives is to be admitted
//! ```

pub mod parts;

use bytes::Bytes;

use crate::db::varint::{self, Malformed, Reader};
use crate::db::{Hlc, Incarnation, NodeId, Origin, OriginIndex, Stamp, UnixMillis};
use crate::journal::{Entry, Position, Record};
use crate::replication::table::Table;

/// The version of the link's language.
pub const VERSION: u16 = 2;
/// A larger frame is refused; see [`parts`].
pub const FRAME_LEN_MAX: usize = parts::PART_LEN + 1;
const PART: u8 = 3;

/// How a node introduces itself on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// [`VERSION`] of the sender.
    pub version: u16,
    /// What the sender understands beyond that version.
    pub features: u32,
    /// Who it is.
    pub origin: Origin,
    /// Its clock.
    pub clock: Hlc,
    /// Its keys bear stamps.
    pub stamped: bool,
    /// It follows its master and writes nothing of its own.
    pub follower: bool,
    /// Where it serves clients.
    pub port: u16,
    /// Its mesh.
    pub table: Table,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see the head of the file")]
pub enum Frame<'a> {
    Hello(Box<Hello>),
    Error(&'a str),
    Origin(OriginIndex, Origin),
    Records(OriginIndex, RecordsReader<'a>),
    Vector {
        wall: UnixMillis,
        ahead_ms: i64,
        settled: Hlc,
        positions: Vec<(OriginIndex, Position)>,
    },
    Members(Box<Table>),
    Gap(OriginIndex, Hlc),
    Snapshot {
        settled: Hlc,
        clock: Hlc,
        positions: Vec<(OriginIndex, Position)>,
        cuts: Vec<(u32, Stamp)>,
    },
    Items(&'a [u8]),
    End(Vec<(OriginIndex, Position)>),
    Busy,
    Subscribe(Origin, Hlc),
    Unsubscribe(Origin),
    Ack(Hlc),
    WantSnapshot,
    Adopt(Box<Table>),
}

/// Records of a frame, read one by one.
#[derive(Debug, Clone, Copy)]
pub struct RecordsReader<'a> {
    left: u64,
    reader: Reader<'a>,
}

impl PartialEq for RecordsReader<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.left == other.left && self.reader.rest() == other.reader.rest()
    }
}

impl Eq for RecordsReader<'_> {}

impl RecordsReader<'_> {
    /// The next record; none after the last.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Malformed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let prev = Hlc::from_raw(self.reader.u64()?);
        let stamp = Hlc::from_raw(self.reader.u64()?);
        let count =
            u32::try_from(self.reader.varint()?).map_err(|_| Malformed("too many operations"))?;
        let trace = match self.reader.u8()? {
            0 => None,
            1 => {
                let mut trace = [0; 26];
                trace.copy_from_slice(self.reader.take(26)?);
                Some(trace)
            }
            _ => {
                return Err(Malformed(
                    "unknown record flags: this node is older than its peer",
                ));
            }
        };
        let payload = Bytes::copy_from_slice(self.reader.bytes()?);
        Ok(Some(Entry {
            prev,
            stamp,
            record: Record {
                count,
                payload,
                trace,
            },
        }))
    }
}

/// Writes frames.
#[derive(Debug)]
pub struct FrameWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> FrameWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn frame(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let at = self.out.len();
        self.out.extend_from_slice(&[0, 0, 0, 0, kind]);
        body(self.out);
        // Longer ones get their lengths where they are cut.
        let len = u32::try_from(self.out.len() - at - 4).unwrap_or(u32::MAX);
        self.out[at..at + 4].copy_from_slice(&len.to_le_bytes());
        parts::cut(self.out, at, parts::PART_LEN);
    }

    /// HELLO.
    pub fn hello(&mut self, hello: &Hello) {
        self.frame(1, |out| {
            out.extend_from_slice(&hello.version.to_le_bytes());
            out.extend_from_slice(&hello.features.to_le_bytes());
            put_origin(out, hello.origin);
            out.extend_from_slice(&hello.clock.raw().to_le_bytes());
            let flags = u8::from(hello.stamped) << 1 | u8::from(hello.follower) << 2;
            out.push(flags);
            out.extend_from_slice(&hello.port.to_le_bytes());
            hello.table.encode(out);
        });
    }

    /// ERROR.
    pub fn error(&mut self, text: &str) {
        self.frame(2, |out| out.extend_from_slice(text.as_bytes()));
    }

    /// ORIGIN.
    pub fn origin(&mut self, index: OriginIndex, origin: Origin) {
        self.frame(16, |out| {
            out.extend_from_slice(&index.0.to_le_bytes());
            put_origin(out, origin);
        });
    }

    /// RECORDS.
    pub fn records(&mut self, index: OriginIndex, entries: &[Entry]) {
        self.frame(17, |out| {
            out.extend_from_slice(&index.0.to_le_bytes());
            varint::put(out, entries.len() as u64);
            for entry in entries {
                out.extend_from_slice(&entry.prev.raw().to_le_bytes());
                out.extend_from_slice(&entry.stamp.raw().to_le_bytes());
                varint::put(out, u64::from(entry.record.count));
                match &entry.record.trace {
                    None => out.push(0),
                    Some(trace) => {
                        out.push(1);
                        out.extend_from_slice(trace);
                    }
                }
                varint::put_bytes(out, &entry.record.payload);
            }
        });
    }

    /// VECTOR.
    pub fn vector(
        &mut self,
        wall: UnixMillis,
        ahead_ms: i64,
        settled: Hlc,
        positions: &[(OriginIndex, Position)],
    ) {
        self.frame(18, |out| {
            out.extend_from_slice(&wall.0.to_le_bytes());
            out.extend_from_slice(&ahead_ms.to_le_bytes());
            out.extend_from_slice(&settled.raw().to_le_bytes());
            put_positions(out, positions);
        });
    }

    /// MEMBERS.
    pub fn members(&mut self, table: &Table) {
        self.frame(19, |out| table.encode(out));
    }

    /// GAP.
    pub fn gap(&mut self, index: OriginIndex, base: Hlc) {
        self.frame(20, |out| {
            out.extend_from_slice(&index.0.to_le_bytes());
            out.extend_from_slice(&base.raw().to_le_bytes());
        });
    }

    /// SNAPSHOT.
    pub fn snapshot(
        &mut self,
        settled: Hlc,
        clock: Hlc,
        positions: &[(OriginIndex, Position)],
        cuts: &[(u32, Stamp)],
    ) {
        self.frame(21, |out| {
            out.extend_from_slice(&settled.raw().to_le_bytes());
            out.extend_from_slice(&clock.raw().to_le_bytes());
            put_positions(out, positions);
            varint::put(out, cuts.len() as u64);
            for (db, stamp) in cuts {
                varint::put(out, u64::from(*db));
                out.extend_from_slice(&stamp.raw().to_le_bytes());
            }
        });
    }

    /// ITEMS, written by `items`.
    pub fn items(&mut self, items: impl FnOnce(&mut Vec<u8>)) {
        self.frame(22, items);
    }

    /// END.
    pub fn end(&mut self, positions: &[(OriginIndex, Position)]) {
        self.frame(23, |out| put_positions(out, positions));
    }

    /// BUSY.
    pub fn busy(&mut self) {
        self.frame(24, |_| {});
    }

    /// SUBSCRIBE.
    pub fn subscribe(&mut self, origin: Origin, after: Hlc) {
        self.frame(32, |out| {
            put_origin(out, origin);
            out.extend_from_slice(&after.raw().to_le_bytes());
        });
    }

    /// UNSUBSCRIBE.
    pub fn unsubscribe(&mut self, origin: Origin) {
        self.frame(33, |out| put_origin(out, origin));
    }

    /// ACK.
    pub fn ack(&mut self, arrived: Hlc) {
        self.frame(34, |out| {
            out.extend_from_slice(&arrived.raw().to_le_bytes());
        });
    }

    /// WANT_SNAPSHOT.
    pub fn want_snapshot(&mut self) {
        self.frame(35, |_| {});
    }

    /// ADOPT.
    pub fn adopt(&mut self, table: &Table) {
        self.frame(36, |out| table.encode(out));
    }
}

/// Splits the first whole frame off `bytes`: its length with the header, none while it is incomplete.
pub fn frame_len(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(head) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = u32::from_le_bytes(*head) as usize;
    if len == 0 || len > FRAME_LEN_MAX {
        return Err(Malformed("link frame has an impossible length"));
    }
    Ok((bytes.len() >= 4 + len).then_some(4 + len))
}

/// Reads one whole frame, header included.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    reader.take(4)?;
    let frame = match reader.u8()? {
        1 => Frame::Hello(Box::new(take_hello(&mut reader)?)),
        2 => Frame::Error(
            std::str::from_utf8(reader.rest()).map_err(|_| Malformed("error is not text"))?,
        ),
        16 => Frame::Origin(take_index(&mut reader)?, take_origin(&mut reader)?),
        17 => {
            let index = take_index(&mut reader)?;
            let left = reader.varint()?;
            return Ok(Frame::Records(index, RecordsReader { left, reader }));
        }
        18 => Frame::Vector {
            wall: UnixMillis(reader.u64()? as i64),
            ahead_ms: reader.u64()? as i64,
            settled: Hlc::from_raw(reader.u64()?),
            positions: take_positions(&mut reader)?,
        },
        19 => Frame::Members(Box::new(Table::decode(&mut reader)?)),
        20 => Frame::Gap(take_index(&mut reader)?, Hlc::from_raw(reader.u64()?)),
        21 => {
            let settled = Hlc::from_raw(reader.u64()?);
            let clock = Hlc::from_raw(reader.u64()?);
            let positions = take_positions(&mut reader)?;
            let mut cuts = Vec::new();
            for _ in 0..reader.varint()? {
                let db = u32::try_from(reader.varint()?)
                    .map_err(|_| Malformed("database out of range"))?;
                cuts.push((db, Stamp::from_raw(reader.u64()?)));
            }
            Frame::Snapshot {
                settled,
                clock,
                positions,
                cuts,
            }
        }
        22 => return Ok(Frame::Items(reader.rest())),
        23 => Frame::End(take_positions(&mut reader)?),
        24 => Frame::Busy,
        32 => Frame::Subscribe(take_origin(&mut reader)?, Hlc::from_raw(reader.u64()?)),
        33 => Frame::Unsubscribe(take_origin(&mut reader)?),
        34 => Frame::Ack(Hlc::from_raw(reader.u64()?)),
        35 => Frame::WantSnapshot,
        36 => Frame::Adopt(Box::new(Table::decode(&mut reader)?)),
        _ => {
            return Err(Malformed(
                "unknown link frame: this node is older than its peer",
            ));
        }
    };
    Ok(frame)
}

fn put_origin(out: &mut Vec<u8>, origin: Origin) {
    out.extend_from_slice(&origin.node.0.to_le_bytes());
    out.extend_from_slice(&origin.incarnation.0.to_le_bytes());
}

fn take_origin(reader: &mut Reader<'_>) -> Result<Origin, Malformed> {
    Ok(Origin {
        node: NodeId(reader.u128()?),
        incarnation: Incarnation(reader.u32()?),
    })
}

fn take_u16(reader: &mut Reader<'_>) -> Result<u16, Malformed> {
    let raw = reader.take(2)?;
    Ok(u16::from_le_bytes([raw[0], raw[1]]))
}

fn take_index(reader: &mut Reader<'_>) -> Result<OriginIndex, Malformed> {
    take_u16(reader).map(OriginIndex)
}

fn put_positions(out: &mut Vec<u8>, positions: &[(OriginIndex, Position)]) {
    varint::put(out, positions.len() as u64);
    for (index, position) in positions {
        out.extend_from_slice(&index.0.to_le_bytes());
        for time in [position.arrived, position.last, position.base] {
            out.extend_from_slice(&time.raw().to_le_bytes());
        }
    }
}

fn take_positions(reader: &mut Reader<'_>) -> Result<Vec<(OriginIndex, Position)>, Malformed> {
    let mut positions = Vec::new();
    for _ in 0..reader.varint()? {
        let index = take_index(reader)?;
        let arrived = Hlc::from_raw(reader.u64()?);
        let last = Hlc::from_raw(reader.u64()?);
        positions.push((
            index,
            Position {
                arrived,
                last,
                base: Hlc::from_raw(reader.u64()?),
            },
        ));
    }
    Ok(positions)
}

fn take_hello(reader: &mut Reader<'_>) -> Result<Hello, Malformed> {
    let version = take_u16(reader)?;
    if version != VERSION {
        return Err(Malformed("the peer speaks another version of the link"));
    }
    let features = reader.u32()?;
    let origin = take_origin(reader)?;
    let clock = Hlc::from_raw(reader.u64()?);
    let flags = reader.u8()?;
    let port = take_u16(reader)?;
    Ok(Hello {
        version,
        features,
        origin,
        clock,
        stamped: flags & 2 != 0,
        follower: flags & 4 != 0,
        port,
        table: Table::decode(reader)?,
    })
}

#[cfg(test)]
mod tests;
