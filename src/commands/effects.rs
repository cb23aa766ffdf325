//! What a record holds: the effects of one command, transaction or script, in order, each with its own stamp.
//!
//! ```text
//! effect = 0x00 | db varint | key length varint | key | op length varint | op      (see db::op)
//!        | 0x01 | db varint                                                        FLUSHDB of one database
//!        | 0x02 | 0 | node u128                                                    a newcomer is admitted to the mesh
//!        | 0x03 | 0 or 1 | channel length varint | channel | length varint | message  PUBLISH or SPUBLISH: told, not stored
//!        | 0x04 | db varint | db varint                                            SWAPDB, of masters without masters only
//! ```

mod late;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::db::varint::{self, Malformed, Reader};
use crate::db::{NodeId, Op, UnixMillis};
use late::Late;
pub use late::{LateValue, is_better_late};

/// Memory that is kept from one command to the next.
const KEPT: usize = 64 * 1024;
/// An operation with more content than this is not moved to make room for its length.
const LONG: usize = 100;
const KEY: u8 = 0;
const FLUSH: u8 = 1;
const ADMIT: u8 = 2;
const PUBLISH: u8 = 3;
const SWAP: u8 = 4;

/// One effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect<'a> {
    /// An operation on a key.
    Key {
        /// The database.
        db: u32,
        /// The key.
        key: &'a [u8],
        /// The operation.
        op: Op<'a>,
    },
    /// Everything in a database goes.
    Flush {
        /// The database.
        db: u32,
    },
    /// A node may bring stamps from here on.
    Admit {
        /// The node.
        node: NodeId,
    },
    /// A message, which every master tells once and none keeps. It stands alone in its record.
    Publish {
        /// SPUBLISH.
        is_shard: bool,
        /// Where.
        channel: &'a [u8],
        /// What.
        message: &'a [u8],
    },
    /// Two databases change places; never where keys bear stamps.
    Swap {
        /// The one.
        db: u32,
        /// The other.
        with: u32,
    },
}

impl Effect<'_> {
    /// How many stamps it takes, of which the last is its own.
    #[inline]
    pub fn stamps(&self) -> u32 {
        match self {
            Self::Key { op, .. } => op.stamps(),
            _ => 1,
        }
    }
}

/// The effects of one record as they are made.
#[derive(Debug, Default)]
pub struct Effects {
    payload: Vec<u8>,
    count: u32,
    /// Those whose bytes are still to be made, in their order.
    late: Vec<Late>,
}

impl Effects {
    /// Adds an effect.
    pub fn push(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Key { db, key, op } => {
                put_key(&mut self.payload, db, key, op);
            }
            Effect::Flush { db } => {
                self.payload.push(FLUSH);
                varint::put(&mut self.payload, u64::from(db));
            }
            Effect::Admit { node } => {
                self.payload.extend_from_slice(&[ADMIT, 0]);
                self.payload.extend_from_slice(&node.0.to_le_bytes());
            }
            Effect::Publish {
                is_shard,
                channel,
                message,
            } => {
                self.payload
                    .extend_from_slice(&[PUBLISH, u8::from(is_shard)]);
                varint::put_bytes(&mut self.payload, channel);
                varint::put_bytes(&mut self.payload, message);
            }
            Effect::Swap { db, with } => {
                self.payload.push(SWAP);
                varint::put(&mut self.payload, u64::from(db));
                varint::put(&mut self.payload, u64::from(with));
            }
        }
        self.count += effect.stamps();
    }

    /// How many stamps they take, most of them one each.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds an effect that brings a large value, whose bytes [`Self::make_late`] makes.
    pub fn push_late(
        &mut self,
        db: u32,
        key: &[u8],
        value: LateValue,
        deadline: Option<UnixMillis>,
    ) {
        self.late.push(Late {
            at: self.payload.len(),
            db,
            key: key.into(),
            value,
            deadline,
        });
        self.count += 1;
    }

    /// Whether bytes are still to be made.
    #[inline]
    pub fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// About how many bytes [`Self::make_late`] makes.
    pub fn late_bytes(&self) -> usize {
        self.late.iter().map(Late::len_bytes).sum()
    }

    /// Makes the bytes that are still to be made: best done by who holds no lock.
    pub fn make_late(&mut self) {
        let late = std::mem::take(&mut self.late);
        late::make(late, &mut self.payload);
    }

    /// The bytes; none of them is still to be made.
    pub fn payload(&self) -> &[u8] {
        debug_assert!(!self.is_late());
        &self.payload
    }

    /// Hands the bytes over and begins anew. Many are not copied, unless their buffer is much larger than they are.
    pub fn take_payload(&mut self) -> Bytes {
        let (len, room) = (self.payload.len(), self.payload.capacity());
        let payload = if len > KEPT && room - len <= len / 8 {
            Bytes::from(std::mem::take(&mut self.payload))
        } else {
            Bytes::copy_from_slice(&self.payload)
        };
        self.clear();
        payload
    }

    /// Begins anew, keeping the memory of a usual command.
    pub fn clear(&mut self) {
        self.payload.clear();
        self.payload.shrink_to(KEPT);
        self.count = 0;
        self.late.clear();
    }
}

/// Appends what was done to a key.
fn put_key(out: &mut Vec<u8>, db: u32, key: &[u8], op: Op<'_>) {
    out.push(KEY);
    varint::put(out, u64::from(db));
    varint::put_bytes(out, key);
    put_op(out, op);
}

/// Appends an operation behind its length, which most often is a single byte.
fn put_op(out: &mut Vec<u8>, op: Op<'_>) {
    if op.content().len() > LONG {
        let len = op.encoded_len();
        out.reserve(len + 10);
        varint::put(out, len as u64);
        return op.encode(out);
    }
    let at = out.len();
    out.push(0);
    op.encode(out);
    let len = out.len() - at - 1;
    if len < 0x80 {
        out[at] = len as u8;
    } else {
        let mut header = SmallVec::<[u8; 8]>::new();
        let mut rest = len;
        while rest >= 0x80 {
            header.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        header.push(rest as u8);
        out.splice(at..=at, header);
    }
}

/// Reads one effect.
pub fn decode<'a>(reader: &mut Reader<'a>) -> Result<Effect<'a>, Malformed> {
    let kind = reader.u8()?;
    let db = take_database(reader)?;
    match kind {
        KEY => {
            let key = reader.bytes()?;
            let op = Op::decode(reader.bytes()?)?;
            Ok(Effect::Key { db, key, op })
        }
        FLUSH => Ok(Effect::Flush { db }),
        ADMIT => Ok(Effect::Admit {
            node: NodeId(reader.u128()?),
        }),
        PUBLISH if db <= 1 => Ok(Effect::Publish {
            is_shard: db == 1,
            channel: reader.bytes()?,
            message: reader.bytes()?,
        }),
        SWAP => Ok(Effect::Swap {
            db,
            with: take_database(reader)?,
        }),
        _ => Err(Malformed(
            "unknown effect: this node is older than its peer",
        )),
    }
}

fn take_database(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    u32::try_from(reader.varint()?).map_err(|_| Malformed("database out of range"))
}

/// Whether a record may hold admissions: they stand alone and first.
pub fn admits(payload: &[u8]) -> bool {
    payload.first() == Some(&ADMIT)
}

/// Whether a record may hold a message: it stands alone.
pub fn publishes(payload: &[u8]) -> bool {
    payload.first() == Some(&PUBLISH)
}

/// Reads all effects of a record and checks that they take as many stamps as it says.
pub fn decode_all(payload: &[u8], count: u32) -> Result<Vec<Effect<'_>>, Malformed> {
    let mut reader = Reader::new(payload);
    let mut effects = Vec::new();
    while !reader.is_empty() {
        effects.push(decode(&mut reader)?);
    }
    let stamps: u64 = effects
        .iter()
        .map(|effect| u64::from(effect.stamps()))
        .sum();
    if stamps == u64::from(count) {
        Ok(effects)
    } else {
        Err(Malformed("wrong number of effects"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Expiry;

    #[test]
    fn effects_have_these_bytes_and_come_back() {
        let mut effects = Effects::default();
        let set = Effect::Key {
            db: 0,
            key: b"k",
            op: Op::Set(b"v", Expiry::At(UnixMillis(258))),
        };
        let incr = Effect::Key {
            db: 3,
            key: b"n",
            op: Op::Incr(-2),
        };
        for effect in [set, incr, Effect::Flush { db: 15 }] {
            effects.push(effect);
        }
        let golden = [
            &[0, 0, 1, b'k', 11, 0x01, 2, 2, 1, 0, 0, 0, 0, 0, 0, b'v'][..],
            &[0, 3, 1, b'n', 2, 0x03, 3],
            &[1, 15],
        ]
        .concat();
        assert_eq!(effects.payload(), golden);
        assert_eq!(
            decode_all(&golden, 3).unwrap(),
            [set, incr, Effect::Flush { db: 15 }]
        );
        assert!(decode_all(&golden, 2).is_err());
        for len in [0, 100, 101, 126, 127, 128, 16_381, 16_382, 16_383, 100_000] {
            let value = vec![7; len];
            let long = Effect::Key {
                db: 0,
                key: b"k",
                op: Op::Append(&value),
            };
            let mut effects = Effects::default();
            effects.push(long);
            effects.push(incr);
            assert_eq!(decode_all(effects.payload(), 2).unwrap(), [long, incr]);
            let payload = effects.take_payload();
            assert_eq!(decode_all(&payload, 2).unwrap(), [long, incr]);
            assert_eq!((effects.payload().len(), effects.count()), (0, 0));
        }
        for len in 0..golden.len() {
            let _ = decode_all(&golden[..len], 3);
        }
    }

    #[test]
    fn a_swap_of_databases_has_these_bytes_and_comes_back() {
        let swap = Effect::Swap { db: 1, with: 300 };
        let mut effects = Effects::default();
        effects.push(swap);
        let golden = [4, 1, 0xac, 0x02];
        assert_eq!(effects.payload(), golden);
        assert_eq!(decode_all(&golden, 1).unwrap(), [swap]);
        assert!(decode_all(&golden[..2], 1).is_err());
    }

    #[test]
    fn an_admission_has_these_bytes_and_comes_back() {
        let admit = Effect::Admit {
            node: NodeId(0x0102),
        };
        let mut effects = Effects::default();
        effects.push(admit);
        let golden = [2, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(effects.payload(), golden);
        assert!(admits(&golden));
        assert_eq!(decode_all(&golden, 1).unwrap(), [admit]);
    }

    #[test]
    fn a_publish_has_these_bytes_and_comes_back() {
        for (is_shard, first) in [(false, 0), (true, 1)] {
            let publish = Effect::Publish {
                is_shard,
                channel: b"ch",
                message: b"hey",
            };
            let mut effects = Effects::default();
            effects.push(publish);
            let golden = [3, first, 2, b'c', b'h', 3, b'h', b'e', b'y'];
            assert_eq!(effects.payload(), golden);
            assert_eq!(decode_all(&golden, 1).unwrap(), [publish]);
            for len in 1..golden.len() {
                assert!(decode_all(&golden[..len], 1).is_err());
            }
        }
        assert!(decode_all(&[3, 2, 0, 0], 1).is_err());
    }
}
