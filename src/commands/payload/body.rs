//! Values as Redis 7.0 writes them, down to the byte where Redis leaves no choice; `rdbcompression` is taken to be off.
//!
//! Compact forms are those of `*-max-listpack-*` and `set-max-intset-entries`: the caller knows which form a value has. A list is
//! as pushes at its tail make it, with `list-max-listpack-size -2`.
//!
//! Invariant: what is written here is read by `content` as the same value.

use super::content::{NODE_PACKED, NODE_PLAIN, kind};
use super::strings::{put_len, put_string};
use super::{FOOTER_LEN, intset, listpack, seal, stream};
use crate::db::stream::Stream;
use crate::resp::{parse_i64, write_double};

/// `list-max-listpack-size -2`: how long the listpack of a node may become.
const NODE_LEN_MAX: usize = 8 * 1024;
/// What Redis reckons an element to need besides its bytes.
const ELEMENT_OVERHEAD: usize = 8;
/// Elements from here on are nodes of their own: `packed_threshold`, beyond the longest string as it stands.
const PLAIN_LEN_MIN: usize = 1 << 30;
/// Beyond these, not every double is taken for an integer: half of what 64 bits hold.
const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;

/// How a set is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetForm {
    /// Integers only, sorted. A set that holds anything else is written as a table.
    Ints,
    /// Any members, in the order in which they come.
    Table,
}

/// Type and value, without the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl Body {
    /// A string.
    pub fn string(value: &[u8]) -> Self {
        let mut out = Vec::with_capacity(1 + 9 + value.len() + FOOTER_LEN);
        out.push(kind::STRING);
        put_string(&mut out, value);
        Self(out)
    }

    /// A hash; `compact` as one listpack.
    pub fn hash<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        pairs: impl ExactSizeIterator<Item = (F, V)>,
        compact: bool,
    ) -> Self {
        if compact {
            let mut pack = listpack::Writer::new();
            for (field, value) in pairs {
                pack.push(field.as_ref());
                pack.push(value.as_ref());
            }
            return Self::packed(kind::HASH_LISTPACK, &pack.finish());
        }
        let mut out = vec![kind::HASH];
        put_len(&mut out, pairs.len());
        for (field, value) in pairs {
            put_string(&mut out, field.as_ref());
            put_string(&mut out, value.as_ref());
        }
        Self(out)
    }

    /// A set.
    pub fn set<M: AsRef<[u8]>>(members: impl ExactSizeIterator<Item = M>, form: SetForm) -> Self {
        match form {
            SetForm::Table => Self::set_table(members),
            SetForm::Ints => {
                let members: Vec<M> = members.collect();
                let numbers = members.iter().map(|member| parse_i64(member.as_ref()));
                match numbers.collect() {
                    Some(numbers) => Self::packed(kind::SET_INTSET, &intset::write(numbers)),
                    None => Self::set_table(members.into_iter()),
                }
            }
        }
    }

    fn set_table<M: AsRef<[u8]>>(members: impl ExactSizeIterator<Item = M>) -> Self {
        let mut out = vec![kind::SET];
        put_len(&mut out, members.len());
        for member in members {
            put_string(&mut out, member.as_ref());
        }
        Self(out)
    }

    /// A sorted set, its members in ascending order; `compact` as one listpack. As in Redis, that knows no negative zero.
    pub fn zset<M: AsRef<[u8]>>(
        members: impl ExactSizeIterator<Item = (M, f64)> + DoubleEndedIterator,
        compact: bool,
    ) -> Self {
        if compact {
            let mut pack = listpack::Writer::new();
            let mut text = Vec::new();
            for (member, score) in members {
                pack.push(member.as_ref());
                if score.abs() <= WHOLE_MAX && score.trunc() == score {
                    pack.push_number(score as i64);
                } else {
                    text.clear();
                    write_double(&mut text, score);
                    pack.push(&text);
                }
            }
            return Self::packed(kind::ZSET_LISTPACK, &pack.finish());
        }
        let mut out = vec![kind::ZSET_2];
        put_len(&mut out, members.len());
        // From the greatest down, so that Redis inserts each at the head when it loads them.
        for (member, score) in members.rev() {
            put_string(&mut out, member.as_ref());
            out.extend_from_slice(&score.to_le_bytes());
        }
        Self(out)
    }

    /// A list, head first.
    pub fn list<E: AsRef<[u8]>>(elements: impl Iterator<Item = E>) -> Self {
        Self::list_split(elements, PLAIN_LEN_MIN)
    }

    /// A list whose elements from `plain_len_min` on are nodes of their own.
    pub(super) fn list_split<E: AsRef<[u8]>>(
        elements: impl Iterator<Item = E>,
        plain_len_min: usize,
    ) -> Self {
        let mut nodes = Vec::new();
        let mut count = 0;
        let mut put_node = |kind, bytes: &[u8]| {
            put_len(&mut nodes, kind);
            put_string(&mut nodes, bytes);
            count += 1;
        };
        let mut pack = listpack::Writer::new();
        for element in elements {
            let element = element.as_ref();
            let is_plain = element.len() >= plain_len_min;
            let is_full = pack.len() + element.len() + ELEMENT_OVERHEAD > NODE_LEN_MAX;
            if !pack.is_empty() && (is_plain || is_full) {
                let full = std::mem::replace(&mut pack, listpack::Writer::new());
                put_node(NODE_PACKED, &full.finish());
            }
            if is_plain {
                put_node(NODE_PLAIN, element);
            } else {
                pack.push(element);
            }
        }
        if !pack.is_empty() {
            put_node(NODE_PACKED, &pack.finish());
        }
        let mut out = Vec::with_capacity(1 + 9 + nodes.len() + FOOTER_LEN);
        out.push(kind::LIST_QUICKLIST_2);
        put_len(&mut out, count);
        out.extend_from_slice(&nodes);
        Self(out)
    }

    /// A stream.
    pub fn stream(stream: &Stream) -> Self {
        let mut out = Vec::new();
        stream::write(&mut out, stream);
        Self(out)
    }

    fn packed(kind: u8, bytes: &[u8]) -> Self {
        let mut out = Vec::with_capacity(1 + 9 + bytes.len() + FOOTER_LEN);
        out.push(kind);
        put_string(&mut out, bytes);
        Self(out)
    }

    /// The type, as RDB numbers them.
    pub fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or(kind::STRING)
    }

    /// The value without its type.
    pub fn value(&self) -> &[u8] {
        self.0.get(1..).unwrap_or_default()
    }

    /// The payload, for DUMP.
    pub fn seal(self) -> Vec<u8> {
        seal(self.0)
    }

    /// How long the value is without its type, for DEBUG OBJECT.
    pub fn serialized_len(&self) -> usize {
        self.value().len()
    }
}
