//! A key as it travels in a snapshot: its base, and the operations over it.
//!
//! ```text
//! db varint | key length varint | key | flags 1 (1 value, 2 deadline, 4 written, 8 content) | base stamp u64
//! [deadline i64] [written u64] [value length varint | value] | operations varint | (stamp u64 | length varint | op)*
//! ```
//! The value is a string, or the content of any other type (see `op::content`), ids of list elements included. Stamps carry the sender's origin indices; the reader translates them. All fixed-width integers are little endian.

use crate::db::body::{Body, Shown};
use crate::db::deadlines::Whole;
use crate::db::history::History;
use crate::db::live::{Ground, Live, OpBytes, Value, content_of, put_content};
use crate::db::made::Maker;
use crate::db::op::{Content, Op};
use crate::db::origin::OriginIndex;
use crate::db::partition::View;
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::varint::{self, Malformed, Reader};

const HAS_VALUE: u8 = 1;
const HAS_DEADLINE: u8 = 2;
const HAS_WRITTEN: u8 = 4;
const IS_CONTENT: u8 = 8;

/// A key as received.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// Its database.
    pub db: u32,
    /// Its name.
    pub key: &'a [u8],
    /// What the sender had folded.
    pub base: Base<'a>,
    /// Everything up to here is in the base.
    pub base_stamp: Stamp,
    /// What came after, in stamp order.
    pub ops: Vec<(Stamp, OpBytes)>,
}

/// What a key held when everything after it had not come yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Base<'a> {
    /// The value; none where the key was absent.
    pub value: Option<BaseValue<'a>>,
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
    /// When it was written.
    pub written: Hlc,
}

/// The value of a [`Base`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BaseValue<'a> {
    /// A string.
    String(&'a [u8]),
    /// Anything else.
    Content(Content<'a>),
}

impl Item<'_> {
    /// What it comes to, and how that came about.
    pub(in crate::db) fn replayed(&self, ground: &Ground<'_>) -> (Live, History) {
        let mut live = self.base.to_live(ground);
        let mut history = History::new(self.base_stamp);
        for (stamp, bytes) in &self.ops {
            if let Ok(op) = Op::decode(bytes) {
                history.insert(&mut live, ground, *stamp, op);
            }
        }
        (live, history)
    }

    /// Looks at what the key shows, whatever its deadline; none where that is nothing.
    pub fn show<R>(&self, maker: &Maker<'_>, look: impl FnOnce(&View<'_>) -> R) -> Option<R> {
        let (live, _) = self.replayed(&maker.ground());
        let value = live.value.as_ref()?;
        let whole = value.body.whole();
        let view = View {
            shown: whole.shown,
            hasher: maker.hasher,
            deadline: value.deadline,
            member_deadlines: whole.deadlines,
            stamp: None,
        };
        Some(look(&view))
    }
}

impl Base<'_> {
    /// As a state. The ids of list elements are with them.
    pub fn to_live(self, ground: &Ground<'_>) -> Live {
        let body = self.value.map(|value| match value {
            BaseValue::String(bytes) => Body::String(bytes.to_vec()),
            BaseValue::Content(content) => put_content(ground, Stamp::ZERO, content),
        });
        let deadline = self.deadline;
        Live {
            value: body.map(|body| Value { body, deadline }),
            written: self.written,
        }
    }
}

/// The head of an item, up to its operations.
struct Head<'a> {
    db: u32,
    key: &'a [u8],
    stamp: Stamp,
    value: Option<Whole<'a>>,
    deadline: Option<UnixMillis>,
    original: Option<Hlc>,
}

/// Appends the item of a key without a history.
pub fn encode(out: &mut Vec<u8>, db: u32, record: Record<'_>) {
    let head = Head {
        db,
        key: record.key(),
        stamp: record.stamp().unwrap_or(Stamp::ZERO),
        value: (!record.is_tombstone()).then(|| record.whole()),
        deadline: record.deadline(),
        original: record.original(),
    };
    encode_head(out, &head);
    varint::put(out, 0);
}

/// A large collection in a snapshot: its item is made from a copy, which shares its parts with what the key shows, by who holds no
/// partition.
#[derive(Debug)]
pub struct Shared {
    db: u32,
    key: Box<[u8]>,
    stamp: Stamp,
    body: Body,
    deadline: Option<UnixMillis>,
    original: Option<Hlc>,
    /// What came since, in stamp order.
    ops: Vec<(Stamp, OpBytes)>,
}

impl Shared {
    /// That of a key without a history; none where what it shows is no large collection.
    pub fn of(db: u32, record: Record<'_>) -> Option<Self> {
        let whole = (!record.is_tombstone()).then(|| record.whole())?;
        whole.shown.is_large().then(|| Self {
            db,
            key: record.key().into(),
            stamp: record.stamp().unwrap_or(Stamp::ZERO),
            body: whole.to_body(),
            deadline: record.deadline(),
            original: record.original(),
            ops: Vec::new(),
        })
    }

    /// That of a key with a history, see [`encode_unsettled`].
    pub fn of_unsettled(
        db: u32,
        key: &[u8],
        base: &Live,
        floor: Stamp,
        ops: &mut dyn ExactSizeIterator<Item = (Stamp, &[u8])>,
    ) -> Option<Self> {
        let value = base.value.as_ref()?;
        value.body.shown().is_large().then(|| Self {
            db,
            key: key.into(),
            stamp: floor,
            body: value.body.clone(),
            deadline: value.deadline,
            original: base.original(floor),
            ops: ops
                .map(|(stamp, op)| (stamp, OpBytes::from_slice(op)))
                .collect(),
        })
    }

    /// Appends the item.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let head = Head {
            db: self.db,
            key: &self.key,
            stamp: self.stamp,
            value: Some(self.body.whole()),
            deadline: self.deadline,
            original: self.original,
        };
        encode_head(out, &head);
        let ops = self.ops.iter();
        encode_ops(out, &mut ops.map(|(stamp, op)| (*stamp, &op[..])));
    }

    /// Memory that it may keep.
    pub fn len_bytes(&self) -> usize {
        let ops = self.ops.iter().map(|(_, op)| size_of::<Stamp>() + op.len());
        self.body.len_bytes() + ops.sum::<usize>()
    }
}

/// Appends the item of a key with a history: what it was at the history's floor, and what came since.
pub fn encode_unsettled(
    out: &mut Vec<u8>,
    db: u32,
    key: &[u8],
    base: &Live,
    floor: Stamp,
    ops: &mut dyn ExactSizeIterator<Item = (Stamp, &[u8])>,
) {
    let head = Head {
        db,
        key,
        stamp: floor,
        value: base.value.as_ref().map(|value| value.body.whole()),
        deadline: base.value.as_ref().and_then(|value| value.deadline),
        original: base.original(floor),
    };
    encode_head(out, &head);
    encode_ops(out, ops);
}

fn encode_ops(out: &mut Vec<u8>, ops: &mut dyn ExactSizeIterator<Item = (Stamp, &[u8])>) {
    varint::put(out, ops.len() as u64);
    for (stamp, op) in ops {
        out.extend_from_slice(&stamp.raw().to_le_bytes());
        varint::put_bytes(out, op);
    }
}

fn encode_head(out: &mut Vec<u8>, head: &Head<'_>) {
    varint::put(out, u64::from(head.db));
    varint::put_bytes(out, head.key);
    let flags = out.len();
    out.push(0);
    out.extend_from_slice(&head.stamp.raw().to_le_bytes());
    let Some(whole) = head.value else { return };
    let mut set = HAS_VALUE;
    if let Some(deadline) = head.deadline {
        set |= HAS_DEADLINE;
        out.extend_from_slice(&deadline.0.to_le_bytes());
    }
    if let Some(original) = head.original {
        set |= HAS_WRITTEN;
        out.extend_from_slice(&original.raw().to_le_bytes());
    }
    if let Shown::String(bytes) = whole.shown {
        varint::put_bytes(out, bytes);
    } else {
        set |= IS_CONTENT;
        let mut content = Vec::new();
        content_of(whole, true, &mut content);
        varint::put_bytes(out, &content);
    }
    if let Some(flags) = out.get_mut(flags) {
        *flags = set;
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
    let mut base = Base {
        value: None,
        deadline: None,
        written: base_stamp.time(),
    };
    if flags & HAS_VALUE != 0 {
        if flags & HAS_DEADLINE != 0 {
            base.deadline = Some(UnixMillis(reader.u64()? as i64));
        }
        if flags & HAS_WRITTEN != 0 {
            base.written = Hlc::from_raw(reader.u64()?);
        }
        let bytes = reader.bytes()?;
        base.value = Some(if flags & IS_CONTENT == 0 {
            BaseValue::String(bytes)
        } else {
            BaseValue::Content(Content::new(bytes)?)
        });
    }
    let count = reader.varint()?;
    let mut ops = Vec::new();
    for _ in 0..count {
        let stamp = stamp_of(reader.u64()?)?;
        let op = reader.bytes()?;
        Op::decode(op)?;
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
    use crate::db::record::alone::Alone;

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
        encode(&mut out, 3, Alone::new(b"key", b"va", &meta).get());
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
        assert_eq!(item.base.value, Some(BaseValue::String(b"va")));
        assert_eq!(item.base.deadline, Some(UnixMillis(0x0102)));
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
        let record = Alone::new(b"k", b"", &meta);
        let mut out = Vec::new();
        encode(&mut out, 0, record.get());
        assert_eq!(out, [0, 1, b'k', 0, 1, 4, 0, 0, 0, 0, 0, 0, 0]);

        out.clear();
        let mut op = Vec::new();
        Op::Incr(1).encode(&mut op);
        let mut ops = [(stamp(2, 3), &op[..])].into_iter();
        encode_unsettled(&mut out, 0, b"k", &Live::default(), stamp(1, 1), &mut ops);
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
