//! A key as it travels in a snapshot: its base, and the operations over it.
//!
//! ```text
//! db varint | key length varint | key | flags 1 (1 value, 2 deadline, 4 written) | base stamp u64
//! [deadline i64] [written u64] [value length varint | value] | operations varint | (stamp u64 | length varint | op)*
//! ```
//! Stamps carry the sender's origin indices; the reader translates them. All fixed-width integers are little endian.

use crate::db::origin::OriginIndex;
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::unsettled::{Live, OpBytes, Unsettled, Value};
use crate::db::varint::{self, Malformed, Reader};

const HAS_VALUE: u8 = 1;
const HAS_DEADLINE: u8 = 2;
const HAS_WRITTEN: u8 = 4;

/// A key as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its database.
    pub db: u32,
    /// Its name.
    pub key: &'a [u8],
    /// What the sender had folded.
    pub base: Live,
    /// Everything up to here is in the base.
    pub base_stamp: Stamp,
    /// What came after, in stamp order.
    pub ops: Vec<(Stamp, OpBytes)>,
}

/// Appends a key's item.
pub fn encode(out: &mut Vec<u8>, db: u32, record: &Record, unsettled: Option<&Unsettled>) {
    let stamp = record.stamp().unwrap_or(Stamp::ZERO);
    varint::put(out, u64::from(db));
    varint::put_bytes(out, record.key());
    match unsettled {
        Some(unsettled) => {
            let bytes = unsettled.base_bytes(record.value());
            encode_base(out, &unsettled.base, bytes, unsettled.base_stamp);
            varint::put(out, unsettled.ops().len() as u64);
            for (stamp, op) in unsettled.ops() {
                out.extend_from_slice(&stamp.raw().to_le_bytes());
                varint::put_bytes(out, op);
            }
        }
        None => {
            encode_base(out, &headed(record, stamp), record.value(), stamp);
            varint::put(out, 0);
        }
    }
}

/// What a settled record says, without its string.
fn headed(record: &Record, stamp: Stamp) -> Live {
    let value = Value {
        bytes: Vec::new(),
        deadline: record.deadline(),
    };
    Live {
        value: (!record.is_tombstone()).then_some(value),
        written: record.original().unwrap_or(stamp.time()),
    }
}

/// Appends a base with this string.
fn encode_base(out: &mut Vec<u8>, base: &Live, bytes: &[u8], stamp: Stamp) {
    let original = base.original(stamp);
    let mut flags = 0;
    if let Some(value) = &base.value {
        flags |= HAS_VALUE;
        if value.deadline.is_some() {
            flags |= HAS_DEADLINE;
        }
        if original.is_some() {
            flags |= HAS_WRITTEN;
        }
    }
    out.push(flags);
    out.extend_from_slice(&stamp.raw().to_le_bytes());
    if let Some(value) = &base.value {
        if let Some(deadline) = value.deadline {
            out.extend_from_slice(&deadline.0.to_le_bytes());
        }
        if let Some(original) = original {
            out.extend_from_slice(&original.raw().to_le_bytes());
        }
        varint::put_bytes(out, bytes);
    }
}

/// Reads one item; `translate` turns the sender's origin indices into ours.
pub fn decode<'a>(
    reader: &mut Reader<'a>,
    translate: &dyn Fn(OriginIndex) -> Option<OriginIndex>,
) -> Result<Item<'a>, Malformed> {
    let stamp_of = |raw: u64| {
        let stamp = Stamp::from_raw(raw);
        if stamp.origin() == OriginIndex(0) {
            return Ok(stamp);
        }
        let origin = translate(stamp.origin())
            .ok_or(Malformed("stamp of an origin that was not announced"))?;
        Ok(Stamp::new(stamp.time(), origin))
    };
    let db = u32::try_from(reader.varint()?).map_err(|_| Malformed("database out of range"))?;
    let key = reader.bytes()?;
    let flags = reader.u8()?;
    let base_stamp = stamp_of(reader.u64()?)?;
    let mut base = Live {
        value: None,
        written: base_stamp.time(),
    };
    if flags & HAS_VALUE != 0 {
        let deadline = if flags & HAS_DEADLINE != 0 {
            Some(UnixMillis(reader.u64()? as i64))
        } else {
            None
        };
        if flags & HAS_WRITTEN != 0 {
            base.written = Hlc::from_raw(reader.u64()?);
        }
        base.value = Some(Value {
            bytes: reader.bytes()?.to_vec(),
            deadline,
        });
    }
    let count = reader.varint()?;
    let mut ops = Vec::new();
    for _ in 0..count {
        let stamp = stamp_of(reader.u64()?)?;
        let op = reader.bytes()?;
        crate::db::op::Op::decode(op)?;
        ops.push((stamp, OpBytes::from_slice(op)));
    }
    Ok(Item {
        db,
        key,
        base,
        base_stamp,
        ops,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::record::Meta;
    use crate::db::{Op, Origins};

    fn stamp(time: u64, origin: u16) -> Stamp {
        Stamp::new(Hlc::from_raw(time), OriginIndex(origin))
    }

    fn decoded(bytes: &[u8]) -> Result<Item<'_>, Malformed> {
        decode(&mut Reader::new(bytes), &Some)
    }

    #[test]
    fn a_settled_key_has_these_bytes_and_comes_back() {
        let meta = Meta {
            stamp: Some(stamp(1, 2)),
            deadline: Some(UnixMillis(0x0102)),
            original: Some(Hlc::from_raw(9)),
            ..Meta::default()
        };
        let mut out = Vec::new();
        encode(&mut out, 3, &Record::new(b"key", b"va", &meta), None);
        let golden = [
            &[3, 3, b'k', b'e', b'y', 7][..],
            &[0x02, 0x04, 0, 0, 0, 0, 0, 0], // 1 << 10 | 2
            &[2, 1, 0, 0, 0, 0, 0, 0],
            &[9, 0, 0, 0, 0, 0, 0, 0],
            &[2, b'v', b'a', 0],
        ]
        .concat();
        assert_eq!(out, golden);
        let item = decoded(&golden).unwrap();
        assert_eq!(
            (item.db, item.key, item.base_stamp),
            (3, &b"key"[..], stamp(1, 2))
        );
        assert_eq!(item.base.written, Hlc::from_raw(9));
        let value = item.base.value.unwrap();
        assert_eq!(
            (&value.bytes[..], value.deadline),
            (&b"va"[..], Some(UnixMillis(0x0102)))
        );
        for len in 0..golden.len() {
            assert!(decoded(&golden[..len]).is_err());
        }
    }

    #[test]
    fn a_tombstone_and_operations_to_come_have_these_bytes() {
        let meta = Meta {
            stamp: Some(stamp(1, 1)),
            tombstone: true,
            ..Meta::default()
        };
        let record = Record::new(b"k", b"", &meta);
        let mut out = Vec::new();
        encode(&mut out, 0, &record, None);
        assert_eq!(out, [0, 1, b'k', 0, 1, 4, 0, 0, 0, 0, 0, 0, 0]);

        let mut unsettled = Unsettled::new(Live::default(), stamp(1, 1));
        unsettled.place(&Origins::default(), stamp(2, 3), Op::Incr(1));
        out.clear();
        encode(&mut out, 0, &record, Some(&unsettled));
        let golden = [
            &[0, 1, b'k', 0, 1, 4, 0, 0, 0, 0, 0, 0][..],
            &[1, 3, 8, 0, 0, 0, 0, 0, 0, 2, 0x03, 2],
        ]
        .concat();
        assert_eq!(out, golden);
        let item = decoded(&golden).unwrap();
        assert_eq!(item.ops.len(), 1);
        assert_eq!(
            (item.ops[0].0, &item.ops[0].1[..]),
            (stamp(2, 3), &[0x03, 2][..])
        );
    }

    #[test]
    fn an_origin_that_was_not_announced_is_refused() {
        let bytes = [0, 1, b'k', 0, 1, 4, 0, 0, 0, 0, 0, 0, 0];
        assert!(decode(&mut Reader::new(&bytes), &|_| None).is_err());
    }
}
