//! A consumer group: how far it has read, and what was delivered to whom and not acknowledged.
//!
//! An entry that comes from another master under an id that the group has passed is not read by going on from there: the group
//! remembers it as `missed`, until somebody reads. So it does where a delivery at another master, which had not heard of an entry,
//! goes past it.
//!
//! Invariant: `pending` holds each id once, and the consumer that it names holds the same id; a consumer holds no other. `bytes`
//! is what names take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::StreamId;

/// Memory of an entry that is pending, at the group and at its consumer, with their places in the trees.
const PENDING_LEN: usize = 2 * size_of::<StreamId>() + size_of::<Pending>() + 16;
const CONSUMER_LEN: usize = size_of::<Consumer>() + size_of::<Arc<[u8]>>() + 32;

/// A consumer's name.
pub type ConsumerName = Arc<[u8]>;

/// When a consumer was seen, and when it got something.
pub(super) type Times = (i64, Option<i64>);

/// An entry that was delivered and not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// To whom.
    pub consumer: ConsumerName,
    /// When the last time, in milliseconds since 1970.
    pub at: i64,
    /// How often.
    pub count: u64,
    /// It was no entry here by then: it had been deleted already, or has not come yet.
    pub unseen: bool,
}

/// Who reads on behalf of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// When it last tried to read, in milliseconds since 1970.
    pub seen: i64,
    /// When it last got something; never where it did not.
    pub active: Option<i64>,
    pub(super) pending: BTreeSet<StreamId>,
}

impl Consumer {
    /// What it has not acknowledged.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = StreamId> {
        self.pending.iter().copied()
    }

    /// The same from an id on.
    pub fn pending_from(&self, from: StreamId) -> impl Iterator<Item = StreamId> {
        self.pending.range(from..).copied()
    }
}

/// See the head of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// What was delivered last.
    pub last_id: StreamId,
    /// How many entries of all that ever were it has read, where that is known.
    pub read: Option<u64>,
    pending: BTreeMap<StreamId, Pending>,
    consumers: BTreeMap<ConsumerName, Consumer>,
    pub(super) missed: BTreeSet<StreamId>,
    bytes: usize,
}

impl Group {
    /// One that has read as far as this.
    pub fn new(last_id: StreamId, read: Option<u64>) -> Self {
        Self {
            last_id,
            read,
            ..Self::default()
        }
    }

    /// Memory of it.
    pub fn len_bytes(&self) -> usize {
        size_of::<Self>()
            + self.pending.len() * PENDING_LEN
            + self.consumers.len() * CONSUMER_LEN
            + self.missed.len() * size_of::<StreamId>()
            + self.bytes
    }

    /// What came late under ids that the group had passed, up to an id; some of it may be deleted.
    pub fn missed(&self, last: StreamId) -> impl Iterator<Item = StreamId> {
        self.missed.range(..=last).copied()
    }

    /// What is pending.
    pub fn pending(&self) -> &BTreeMap<StreamId, Pending> {
        &self.pending
    }

    /// Who reads.
    pub fn consumers(&self) -> &BTreeMap<ConsumerName, Consumer> {
        &self.consumers
    }

    /// A consumer.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(name)
    }

    /// Adds a consumer, of whoever makes a group.
    pub fn add_consumer(&mut self, name: &[u8], seen: i64, active: Option<i64>) {
        let (_, consumer) = self.consumer_mut(name, seen);
        consumer.active = active;
    }

    /// Adds an entry that is pending, of whoever makes a group.
    pub fn add_pending(&mut self, id: StreamId, consumer: &[u8], at: i64, count: u64) {
        let (consumer, _) = self.consumer_mut(consumer, at);
        self.put_pending(
            id,
            Some(Pending {
                consumer,
                at,
                count,
                unseen: false,
            }),
        );
    }

    /// The consumer of this name, new at this time where there is none; and its name as it is shared.
    pub(super) fn consumer_mut(&mut self, name: &[u8], now: i64) -> (ConsumerName, &mut Consumer) {
        let shared = match self.consumers.get_key_value(name) {
            Some((shared, _)) => Arc::clone(shared),
            None => {
                self.bytes += name.len();
                Arc::from(name)
            }
        };
        let fresh = || Consumer {
            seen: now,
            active: None,
            pending: BTreeSet::new(),
        };
        let consumer = self.consumers.entry(Arc::clone(&shared));
        (shared, consumer.or_insert_with(fresh))
    }

    /// Says when a consumer was there; without a time it goes, with nothing pending.
    pub(super) fn put_consumer(&mut self, name: &ConsumerName, times: Option<Times>) {
        match times {
            Some((seen, active)) => {
                let (_, consumer) = self.consumer_mut(name, seen);
                (consumer.seen, consumer.active) = (seen, active);
            }
            None => {
                if let Some(gone) = self.consumers.remove(name) {
                    self.bytes -= name.len();
                    for id in gone.pending {
                        self.pending.remove(&id);
                    }
                }
            }
        }
    }

    /// When a consumer was there.
    pub(super) fn times_of(&self, name: &[u8]) -> Option<Times> {
        let consumer = self.consumers.get(name)?;
        Some((consumer.seen, consumer.active))
    }

    /// An entry becomes pending like this, or is pending no more; how it was.
    pub(super) fn put_pending(&mut self, id: StreamId, new: Option<Pending>) -> Option<Pending> {
        let old = match &new {
            Some(pending) => {
                let (_, consumer) = self.consumer_mut(&pending.consumer, pending.at);
                consumer.pending.insert(id);
                self.pending.insert(id, pending.clone())
            }
            None => self.pending.remove(&id),
        };
        if let Some(old) = &old
            && new.is_none_or(|new| new.consumer != old.consumer)
            && let Some(consumer) = self.consumers.get_mut(&old.consumer)
        {
            consumer.pending.remove(&id);
        }
        old
    }
}
