//! What others want to hear of a partition: events with Redis's names, and keys that clients may have cached.
//!
//! A partition writes its news down while it is locked; its owner takes them before the lock goes, so that news of one key stay in
//! their order. Where nobody listens nothing is written down, and a write pays one branch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::db::op::{self, End, Expiry, Kind, Op};
use crate::db::partition::{Key, LIBRARIES, Partition, place_of};
use crate::db::record::Record;
use crate::db::stamp::UnixMillis;
use crate::db::stream::change::{Action, GroupChange};

/// The classes of events, and what else may be listened for: a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attention(pub u32);

impl Attention {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// `g`: commands that fit any type.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`.
    pub const STRING: Self = Self(1 << 3);
    /// `l`.
    pub const LIST: Self = Self(1 << 4);
    /// `s`.
    pub const SET: Self = Self(1 << 5);
    /// `h`.
    pub const HASH: Self = Self(1 << 6);
    /// `z`.
    pub const ZSET: Self = Self(1 << 7);
    /// `x`.
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`.
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`.
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: a reader did not find its key.
    pub const KEY_MISS: Self = Self(1 << 11);
    /// `d`.
    pub const MODULE: Self = Self(1 << 13);
    /// `n`: a key that was not there.
    pub const NEW: Self = Self(1 << 14);
    /// Whatever changed, for those who cache it.
    pub const CHANGES: Self = Self(1 << 31);
    /// All of it.
    pub const ALL: Self = Self(u32::MAX);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are there.
    #[inline]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether anything is listened for.
    #[inline]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An event as `notify-keyspace-events` names it.
    Event {
        /// The database.
        db: u32,
        /// Its class and Redis's name.
        event: Event,
        /// The key.
        key: Box<[u8]>,
    },
    /// What the key shows may be another thing than before.
    Changed(Box<[u8]>),
    /// A whole database may be.
    Flushed,
}

/// An event of a write: its class and its name.
pub type Event = (Attention, &'static str);

/// The events of an operation, in Redis's order and with its names.
pub fn events_of(op: &Op<'_>) -> (Event, Option<Event>) {
    const EXPIRE: Event = (Attention::GENERIC, "expire");
    const DEL: Event = (Attention::GENERIC, "del");
    let string = |name| (Attention::STRING, name);
    match op {
        Op::Set(_, Expiry::At(_)) | Op::Import(_, Some(_), _) => (string("set"), Some(EXPIRE)),
        Op::Set(..) | Op::Import(..) => (string("set"), None),
        Op::Del | Op::ImportDel(_) => (DEL, None),
        Op::Incr(_) => (string("incrby"), None),
        Op::IncrByFloat(_) => (string("incrbyfloat"), None),
        Op::Append(_) => (string("append"), None),
        Op::SetRange(..) => (string("setrange"), None),
        Op::SetBit(..) | Op::BitField(_) => (string("setbit"), None),
        Op::Expire(Some(_)) => (EXPIRE, None),
        Op::Expire(None) => ((Attention::GENERIC, "persist"), None),
        Op::PfAdd(_) | Op::PfMerge(_) => (string("pfadd"), None),
        Op::HSet(_) => ((Attention::HASH, "hset"), None),
        Op::HIncr(..) => ((Attention::HASH, "hincrby"), None),
        Op::HIncrByFloat(..) => ((Attention::HASH, "hincrbyfloat"), None),
        Op::SAdd(_) => ((Attention::SET, "sadd"), None),
        Op::ZAdd(_) => ((Attention::ZSET, "zadd"), None),
        Op::ZIncr(..) => ((Attention::ZSET, "zincr"), None),
        Op::Remove(kind, _) => {
            let event = match kind {
                Kind::Set => (Attention::SET, "srem"),
                Kind::Zset => (Attention::ZSET, "zrem"),
                _ => (Attention::HASH, "hdel"),
            };
            (event, None)
        }
        // The hash's have Redis's names, KeyDB's fit any type.
        Op::ExpireMembers(Kind::Hash, Some(_), _) => ((Attention::HASH, "hexpire"), None),
        Op::ExpireMembers(Kind::Hash, None, _) => ((Attention::HASH, "hpersist"), None),
        Op::ExpireMembers(_, Some(_), _) => (EXPIRE, None),
        Op::ExpireMembers(_, None, _) => ((Attention::GENERIC, "persist"), None),
        Op::Push(End::Head, _) => ((Attention::LIST, "lpush"), None),
        Op::Push(End::Tail, _) => ((Attention::LIST, "rpush"), None),
        // What took it is not known here: a pop, LREM, LTRIM or a move.
        Op::ListRemove(_) | Op::ListCut(_) => ((Attention::LIST, "lrem"), None),
        Op::ListSet(..) | Op::ListSetAt(..) => ((Attention::LIST, "lset"), None),
        Op::ListInsert(..) | Op::ListInsertAt(..) => ((Attention::LIST, "linsert"), None),
        Op::XAdd(..) => ((Attention::STREAM, "xadd"), None),
        Op::XDel(true, _) => ((Attention::STREAM, "xdel"), None),
        Op::XDel(..) | Op::XTrim(_) => ((Attention::STREAM, "xtrim"), None),
        Op::XSetId(_) => ((Attention::STREAM, "xsetid"), None),
        Op::XGroup(change) => (group_event(*change), None),
        Op::Put(_, None) | Op::ImportContent(_, None, _) => ((Attention::GENERIC, "restore"), None),
        Op::Put(..) | Op::ImportContent(..) => ((Attention::GENERIC, "restore"), Some(EXPIRE)),
    }
}

/// The event of what happened to a consumer group. That entries were delivered or acknowledged is told nobody, as in Redis.
fn group_event(change: GroupChange<'_>) -> Event {
    let stream = |name| (Attention::STREAM, name);
    match change.parts() {
        Some((_, Action::Created { .. })) => stream("xgroup-create"),
        Some((_, Action::SetId { .. })) => stream("xgroup-setid"),
        Some((_, Action::Destroyed)) => stream("xgroup-destroy"),
        Some((_, Action::Consumer { .. })) => stream("xgroup-createconsumer"),
        Some((_, Action::ConsumerGone { .. })) => stream("xgroup-delconsumer"),
        _ => (Attention::NONE, ""),
    }
}

/// News and the order among all partitions in which they were written down.
#[derive(Debug, Default)]
pub struct NewsDesk {
    pub(super) attention: Attention,
    /// The next write is told by who does it.
    is_next_quiet: bool,
    written: Vec<(u64, News)>,
    tickets: Arc<AtomicU64>,
}

impl NewsDesk {
    fn write(&mut self, news: News) {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.written.push((ticket, news));
    }
}

impl Partition {
    /// Says what is listened for, and where tickets come from.
    pub fn listen(&mut self, attention: Attention, tickets: &Arc<AtomicU64>) {
        self.news.attention = attention;
        self.news.tickets = Arc::clone(tickets);
    }

    /// Hands over what was written down since the last call.
    pub fn take_news(&mut self, out: &mut Vec<(u64, News)>) {
        out.append(&mut self.news.written);
    }

    /// Whether anybody listens.
    #[inline]
    pub fn is_listening(&self) -> bool {
        self.news.attention.is_some()
    }

    /// Whether there is news.
    pub fn has_news(&self) -> bool {
        !self.news.written.is_empty()
    }

    /// The next write is told by who does it, who has a name of his own for it.
    pub fn keep_next_quiet(&mut self) {
        self.news.is_next_quiet = self.news.attention.is_some();
    }

    /// Writes an event down, if its class is listened for.
    #[inline]
    pub fn note_event(&mut self, db: u32, key: &[u8], event: Event) {
        if event.0.is_some() && self.news.attention.has(event.0) && db != LIBRARIES {
            self.news.write(News::Event {
                db,
                event,
                key: key.into(),
            });
        }
    }

    /// Writes down that what a key shows may have changed.
    #[inline]
    pub(super) fn note_change(&mut self, key: &[u8]) {
        if self.news.attention.has(Attention::CHANGES) {
            self.news.write(News::Changed(key.into()));
        }
    }

    /// Writes down that a database may have.
    pub(super) fn note_flush(&mut self) {
        if self.news.attention.has(Attention::CHANGES) {
            self.news.write(News::Flushed);
        }
    }

    /// Whether a key shows something, and has not expired. A key that is about to be written over although its time had come is
    /// told as expired: nobody will meet it again.
    pub(super) fn before_write(&mut self, db: u32, key: Key<'_>, now: UnixMillis) -> bool {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return false;
        };
        if record.is_tombstone() {
            return false;
        }
        if op::is_expired(record.deadline(), now) {
            self.note_expired(db, key.bytes);
            return false;
        }
        true
    }

    /// Writes down what a write did.
    pub(super) fn after_write(&mut self, db: u32, key: Key<'_>, op: &Op<'_>, existed: bool) {
        let is_quiet = std::mem::take(&mut self.news.is_next_quiet);
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        let exists = record.is_some_and(|record| !record.is_tombstone());
        if !existed && !exists {
            return;
        }
        if !existed {
            self.note_event(db, key.bytes, (Attention::NEW, "new"));
        }
        if is_quiet {
            return;
        }
        let (first, second) = events_of(op);
        self.note_event(db, key.bytes, first);
        if !exists && op.is_of_elements() {
            self.note_event(db, key.bytes, (Attention::GENERIC, "del"));
        }
        if let Some(second) = second {
            self.note_event(db, key.bytes, second);
        }
    }

    /// Writes down that members of a key went because their time had come, and the key with the last of them.
    pub(super) fn note_swept(&mut self, db: u32, key: Key<'_>, kind: Kind) {
        let event = match kind {
            Kind::Set => (Attention::SET, "srem"),
            Kind::Zset => (Attention::ZSET, "zrem"),
            _ => (Attention::HASH, "hexpired"),
        };
        self.note_event(db, key.bytes, event);
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        if record.is_none_or(Record::is_tombstone) {
            self.note_event(db, key.bytes, (Attention::GENERIC, "del"));
        }
    }

    /// Writes down that a key's time has come.
    pub(super) fn note_expired(&mut self, db: u32, key: &[u8]) {
        // Who reads a stream for a group is told that it is gone.
        if !self.waiters.is_empty() {
            let hash = self.hasher.hash(key);
            self.note_ready(db, Key { bytes: key, hash });
        }
        if self.news.attention.is_some() {
            self.note_event(db, key, (Attention::EXPIRED, "expired"));
            self.note_change(key);
        }
    }
}
