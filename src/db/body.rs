//! What a key holds, of whatever type: a string, a small collection in one piece of bytes, or a large one.
//!
//! Invariant: a collection is never empty while a key shows it, but for a stream, which is there whether or not it holds entries,
//! and is always held as a large one. A small one has no more elements, and none longer, than the limits
//! that were in force when it last grew; a large one that is no list never becomes small again, as in Redis.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::ablation::large_from;
use crate::db::deadlines::Timed;
use crate::db::elements::{Elements, packed};
use crate::db::garbage;
use crate::db::list::{self, Fill, List};
use crate::db::op::Kind;
use crate::db::op::content::id_change;
use crate::db::ordered::{self, Ordered};
use crate::db::stamp::Stamp;
use crate::db::stream::{NodeLimits, Stream};
use crate::db::table::KeyHasher;

/// How a small collection's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Fields and values, see [`packed`].
    Hash = 1,
    /// Members, see [`packed`].
    Set = 2,
    /// Members and scores, see [`ordered::packed`].
    Zset = 3,
    /// Elements, see [`list::packed`].
    List = 4,
    /// Members that are all integers, in their order; else as [`Form::Set`].
    Ints = 5,
    /// What KEYDB.CRON keeps: see [`job`](crate::db::job). Held as a set of this one member, and never large.
    Job = 6,
}

impl Form {
    /// From the byte at rest.
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Hash,
            3 => Self::Zset,
            4 => Self::List,
            5 => Self::Ints,
            6 => Self::Job,
            _ => Self::Set,
        }
    }

    /// The type.
    pub fn kind(self) -> Kind {
        match self {
            Self::Hash => Kind::Hash,
            Self::Set | Self::Ints => Kind::Set,
            Self::Zset => Kind::Zset,
            Self::List => Kind::List,
            Self::Job => Kind::Job,
        }
    }
}

/// A large collection.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is the type of that name")]
pub enum Large {
    Hash(Box<Elements>),
    Set(Box<Elements>),
    Zset(Box<Ordered>),
    List(Box<List>),
    Stream(Box<Stream>),
}

impl Clone for Large {
    fn clone(&self) -> Self {
        match self {
            Self::Hash(elements) => Self::Hash(elements.clone()),
            Self::Set(elements) => Self::Set(elements.clone()),
            Self::Zset(ordered) => Self::Zset(ordered.clone()),
            Self::List(list) => Self::List(list.clone()),
            Self::Stream(stream) => Self::Stream(stream.clone()),
        }
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        garbage::empty_large(self);
    }
}

impl Large {
    /// The type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hash(_) => Kind::Hash,
            Self::Set(_) => Kind::Set,
            Self::Zset(_) => Kind::Zset,
            Self::List(_) => Kind::List,
            Self::Stream(_) => Kind::Stream,
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Hash(elements) | Self::Set(elements) => elements.len(),
            Self::Zset(ordered) => ordered.len(),
            Self::List(list) => list.len(),
            Self::Stream(stream) => stream.entries.len(),
        }
    }

    /// Whether there is nothing to show; a stream without entries is something.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && !matches!(self, Self::Stream(_))
    }

    pub(super) fn len_bytes(&self) -> usize {
        match self {
            Self::Hash(elements) | Self::Set(elements) => {
                size_of::<Elements>() + elements.len_bytes()
            }
            Self::Zset(ordered) => size_of::<Ordered>() + ordered.len_bytes(),
            Self::List(list) => size_of::<List>() + list.len_bytes(),
            Self::Stream(stream) => size_of::<Stream>() + stream.len_bytes(),
        }
    }
}

/// See the head of the file.
#[derive(Debug, Clone)]
pub enum Body {
    /// A string.
    String(Vec<u8>),
    /// A small collection.
    Small(Form, Vec<u8>),
    /// A large one.
    Large(Large),
    /// One of the two, with members that go by themselves.
    Timed(Box<Timed>),
}

impl Body {
    /// Gives the elements of a list that came as a whole under no stamp the ids that they have under this one; says whether it
    /// could, without a look at each element.
    pub fn name_by(&mut self, stamp: Stamp) -> bool {
        match self {
            Self::Large(Large::List(list)) => {
                list.raise_ids(id_change(stamp));
                true
            }
            _ => !self.shown().has_ids(),
        }
    }

    /// Nothing, of this type: to be filled at once. Elements of a list bear ids where `has_ids` is set.
    pub fn empty(kind: Kind, has_ids: bool) -> Self {
        match kind {
            Kind::String => Self::String(Vec::new()),
            Kind::Hash => Self::Small(Form::Hash, packed::EMPTY.to_vec()),
            Kind::Set => Self::Small(Form::Ints, packed::EMPTY.to_vec()),
            Kind::Zset => Self::Small(Form::Zset, packed::EMPTY.to_vec()),
            Kind::List => Self::Small(Form::List, list::packed::empty(has_ids)),
            Kind::Stream => Self::Large(Large::Stream(Box::default())),
            Kind::Job => Self::Small(Form::Job, packed::EMPTY.to_vec()),
        }
    }

    /// A job of these bytes, which were checked.
    pub fn job(bytes: &[u8]) -> Self {
        let mut packed = packed::EMPTY.to_vec();
        packed::insert(&mut packed, bytes, &[]);
        Self::Small(Form::Job, packed)
    }

    /// The type.
    #[inline]
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Small(form, _) => form.kind(),
            Self::Large(large) => large.kind(),
            Self::Timed(timed) => timed.body.kind(),
        }
    }

    /// Whether a collection has no elements.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::String(_) => false,
            // All forms begin with the number of elements.
            Self::Small(_, bytes) => packed::len(bytes) == 0,
            Self::Large(large) => large.is_empty(),
            Self::Timed(timed) => {
                timed.body.is_empty() || timed.deadlines.have_gone() && self.len() == 0
            }
        }
    }

    /// As a reader sees it, but for members that have gone and are not cleared away.
    #[inline]
    pub fn shown(&self) -> Shown<'_> {
        match self {
            Self::String(bytes) => Shown::String(bytes),
            Self::Small(form, bytes) => Shown::Small(*form, bytes),
            Self::Large(large) => Shown::Large(large),
            Self::Timed(timed) => timed.body.shown(),
        }
    }

    /// Room behind the value. A large collection has none that could be given back at once.
    pub(super) fn spare(&self) -> usize {
        match self {
            Self::String(bytes) | Self::Small(_, bytes) => bytes.capacity() - bytes.len(),
            Self::Large(_) | Self::Timed(_) => 0,
        }
    }

    /// Memory beside the field itself, room to grow counted.
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::String(bytes) | Self::Small(_, bytes) => bytes.capacity(),
            Self::Large(large) => large.len_bytes(),
            Self::Timed(timed) => {
                size_of::<Timed>() + timed.body.len_bytes() + timed.deadlines.len_bytes()
            }
        }
    }
}

/// What a key shows: as [`Body`], borrowed.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A string.
    String(&'a [u8]),
    /// A small collection.
    Small(Form, &'a [u8]),
    /// A large one.
    Large(&'a Large),
}

impl Shown<'_> {
    /// The type.
    #[inline]
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Small(form, _) => form.kind(),
            Self::Large(large) => large.kind(),
        }
    }

    /// How many elements there are; the length of a string.
    pub fn len(&self) -> usize {
        match self {
            Self::String(bytes) => bytes.len(),
            Self::Small(_, bytes) => packed::len(bytes),
            Self::Large(large) => large.len(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Large(large) => large.is_empty(),
            _ => self.len() == 0,
        }
    }

    /// Whether it is a collection of which what takes long is done by who holds no partition.
    pub fn is_large(&self) -> bool {
        !matches!(self, Self::String(_)) && self.len_bytes() > large_from()
    }

    /// Its bytes in memory.
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::String(bytes) | Self::Small(_, bytes) => bytes.len(),
            Self::Large(large) => large.len_bytes(),
        }
    }

    /// Whether it is a list whose elements bear ids.
    pub fn has_ids(&self) -> bool {
        match self {
            Self::Small(Form::List, bytes) => list::packed::has_ids(bytes),
            Self::Large(Large::List(list)) => list.has_ids(),
            _ => false,
        }
    }

    /// A job's bytes.
    pub fn job(&self) -> Option<&[u8]> {
        match self {
            Self::Small(Form::Job, bytes) => packed::iter(bytes).next().map(|(job, _)| job),
            _ => None,
        }
    }

    /// A copy.
    pub fn to_body(&self) -> Body {
        match self {
            Self::String(bytes) => Body::String(bytes.to_vec()),
            Self::Small(form, bytes) => Body::Small(*form, bytes.to_vec()),
            Self::Large(large) => Body::Large((*large).clone()),
        }
    }
}

/// Up to what a collection is small: Redis's `*-max-listpack-*`, `set-max-intset-entries` and `list-max-listpack-size`; and a
/// HyperLogLog sparse: `hll-sparse-max-bytes`; and how full nodes of a stream become: `stream-node-max-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the directive of that name")]
pub struct Limits {
    pub hash_entries: usize,
    pub hash_value: usize,
    pub set_entries: usize,
    pub set_value: usize,
    pub intset_entries: usize,
    pub zset_entries: usize,
    pub zset_value: usize,
    pub hll_sparse: usize,
    pub stream: NodeLimits,
    pub list: Fill,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_entries: 512,
            hash_value: 64,
            set_entries: 128,
            set_value: 64,
            intset_entries: 512,
            zset_entries: 128,
            zset_value: 64,
            hll_sparse: 3_000,
            stream: NodeLimits::default(),
            list: Fill::new(-2),
        }
    }
}

/// The limits in force, which may change while partitions are held: a transaction may carry out CONFIG SET.
#[derive(Debug)]
pub struct SharedLimits([AtomicI64; 11]);

impl Default for SharedLimits {
    fn default() -> Self {
        let shared = Self(Default::default());
        shared.set(Limits::default());
        shared
    }
}

impl SharedLimits {
    /// The limits now; while they change, of some the old ones and of some the new.
    #[inline]
    pub fn get(&self) -> Limits {
        let nth = |nth: usize| self.0[nth].load(Ordering::Relaxed);
        let size = |at: usize| usize::try_from(nth(at)).unwrap_or(0);
        Limits {
            hash_entries: size(0),
            hash_value: size(1),
            set_entries: size(2),
            set_value: size(3),
            intset_entries: size(4),
            zset_entries: size(5),
            zset_value: size(6),
            list: Fill::new(nth(7)),
            hll_sparse: size(8),
            stream: NodeLimits {
                entries: size(9),
                bytes: size(10),
            },
        }
    }

    /// Puts others in force. What is large stays so.
    pub fn set(&self, limits: Limits) {
        let sizes = [
            limits.hash_entries,
            limits.hash_value,
            limits.set_entries,
            limits.set_value,
            limits.intset_entries,
            limits.zset_entries,
            limits.zset_value,
        ];
        let sizes = sizes.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let others = [
            limits.hll_sparse,
            limits.stream.entries,
            limits.stream.bytes,
        ];
        let others = others.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let all = sizes
            .into_iter()
            .chain([limits.list.as_directive()])
            .chain(others);
        for (place, value) in self.0.iter().zip(all) {
            place.store(value, Ordering::Relaxed);
        }
    }
}

/// The large form of a small collection.
pub fn grown(form: Form, bytes: &[u8], hasher: &KeyHasher, limits: &Limits) -> Large {
    match form {
        Form::Hash => Large::Hash(Box::new(packed::grow(bytes, hasher))),
        // Nothing is ever added to a job.
        Form::Set | Form::Ints | Form::Job => Large::Set(Box::new(packed::grow(bytes, hasher))),
        Form::Zset => Large::Zset(Box::new(ordered::packed::grow(bytes, hasher))),
        Form::List => Large::List(Box::new(list::packed::grow(bytes, limits.list))),
    }
}
