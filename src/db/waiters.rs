//! The lines of those who wait for something to take out of a list or a sorted set, or to read in a stream: one per key, who came
//! first at its head.
//!
//! Who only reads takes nothing from others: of those all are called, and of those who read for a group, who came first. These are
//! called, too, when the key goes or becomes another thing, for then their group is gone.
//!
//! A partition keeps the lines of its keys, so that trying and lining up happen under one lock and no write comes between them.
//! Invariant: where a key shows what its line waits for, the key is ready - whoever holds the partition calls the head of its
//! line before he lets go, or takes the key along into a round that will - or the head has been called and has not finished
//! its try. It stays at the head meanwhile; when it leaves, its round looks at the line again, or it calls the next itself.
//! So one is called for what one can take, nobody is forgotten, and nobody overtakes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;

use crate::db::op::Kind;
use crate::db::partition::{Key, Partition, place_of};
use crate::db::stamp::Hlc;
use crate::db::waiter::{Ready, Waiter};

/// Orders what becomes ready in partitions that are held together.
static TICKETS: AtomicU64 = AtomicU64::new(0);

/// Who waits at a key, and who came first.
type Line = VecDeque<Arc<Waiter>>;

/// The lines of a partition's keys, and which of these have become ready.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    lines: HashMap<(u32, Box<[u8]>), Line>,
    ready: Vec<Ready>,
    /// Places of those who wait for what is settled, and up to when they were called.
    stable: usize,
    settled: Hlc,
}

impl Waiters {
    /// Whether nobody waits.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Partition {
    /// Lines somebody up behind all who wait at a key. The caller has found nothing there under the same lock.
    pub fn line_up(&mut self, db: u32, key: Key<'_>, waiter: &Arc<Waiter>) {
        let line = self
            .waiters
            .lines
            .entry((db, key.bytes.into()))
            .or_default();
        // Who names a key twice does so within one lock.
        if !line.back().is_some_and(|last| Arc::ptr_eq(last, waiter)) {
            line.push_back(Arc::clone(waiter));
            self.waiters.stable += usize::from(waiter.is_stable());
        }
    }

    /// Lets somebody leave the line of a key, and calls the next one if there is something for him and nobody else will.
    pub fn leave_line(&mut self, db: u32, key: Key<'_>, waiter: &Arc<Waiter>) {
        let place = (db, key.bytes.into());
        let Some(line) = self.waiters.lines.get_mut(&place) else {
            return;
        };
        if let Some(at) = line.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            line.remove(at);
            self.waiters.stable -= usize::from(waiter.is_stable());
        }
        if line.is_empty() {
            self.waiters.lines.remove(&place);
        } else if !waiter.is_followed() {
            let is_next =
                |next: &Waiter| next.kind == waiter.kind && next.group() == waiter.group();
            // Who shared what it read with all others leaves nothing to them.
            if waiter.kind != Kind::Stream || waiter.group().is_some() {
                let mut called = self.called(db, key);
                if let Some(next) = called.find(|next| is_next(next)) {
                    next.call_alone();
                }
            }
        }
    }

    /// Whether nobody of a group has waited longer at a key.
    pub fn is_first_of_group(
        &self,
        db: u32,
        key: Key<'_>,
        group: &[u8],
        own: Option<&Arc<Waiter>>,
    ) -> bool {
        let line = self.waiters.lines.get(&(db, key.bytes.into()));
        let first = line.and_then(|line| line.iter().find(|waiter| waiter.group() == Some(group)));
        first.is_none_or(|first| own.is_some_and(|own| Arc::ptr_eq(first, own)))
    }

    /// Whether nobody else waits at a key for this kind of value, or all others came later.
    pub fn is_first_in_line(
        &self,
        db: u32,
        key: Key<'_>,
        kind: Kind,
        own: Option<&Arc<Waiter>>,
    ) -> bool {
        if self.waiters.is_empty() {
            return true;
        }
        let line = self.waiters.lines.get(&(db, key.bytes.into()));
        let first = line.and_then(|line| line.iter().find(|waiter| waiter.kind == kind));
        first.is_none_or(|first| own.is_some_and(|own| Arc::ptr_eq(first, own)))
    }

    /// Those who are to be called for what a key shows: who has waited longest for that, or all who only read.
    fn called(&self, db: u32, key: Key<'_>) -> impl Iterator<Item = &Arc<Waiter>> {
        let line = self.waiters.lines.get(&(db, key.bytes.into()));
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        let shown = record
            .filter(|record| !record.is_tombstone())
            .map(|record| record.shown().kind());
        let (mut is_taken, mut groups) = (false, Vec::new());
        line.into_iter()
            .flatten()
            .filter(move |waiter| match (waiter.kind, waiter.group()) {
                (Kind::Stream, Some(group)) => {
                    let is_first = !groups.contains(&group);
                    if is_first && shown == Some(Kind::Stream) {
                        groups.push(group);
                    }
                    is_first
                }
                (Kind::Stream, None) => shown == Some(Kind::Stream),
                (kind, _) => shown == Some(kind) && !std::mem::replace(&mut is_taken, true),
            })
    }

    /// Who has waited longest for what a key shows, but for those who were called already.
    pub fn next_in_line(
        &self,
        db: u32,
        key: Key<'_>,
        called: &[Arc<Waiter>],
    ) -> Option<&Arc<Waiter>> {
        let was_called = |waiter| called.iter().any(|other| Arc::ptr_eq(other, waiter));
        self.called(db, key).find(|waiter| !was_called(waiter))
    }

    /// Calls who has waited longest for what a key shows.
    pub fn call_first(&self, db: u32, key: Key<'_>) {
        if !self.waiters.is_empty() {
            self.called(db, key).for_each(|waiter| waiter.call_alone());
        }
    }

    /// Calls those who wait for what is settled, where more is.
    pub(super) fn call_settled(&mut self, settled: Hlc) {
        if self.waiters.stable == 0 || settled <= self.waiters.settled {
            return;
        }
        self.waiters.settled = settled;
        let waiters = self.waiters.lines.values().flatten();
        waiters
            .filter(|waiter| waiter.is_stable())
            .for_each(|waiter| waiter.call_alone());
    }

    /// Notes that a key shows something for who waits there.
    pub(super) fn note_ready(&mut self, db: u32, key: Key<'_>) {
        if self.waiters.is_empty() || self.next_in_line(db, key, &[]).is_none() {
            return;
        }
        let mut noted = self.waiters.ready.iter();
        if noted.any(|ready| ready.db == db && *ready.key == *key.bytes) {
            return;
        }
        self.waiters.ready.push(Ready {
            ticket: TICKETS.fetch_add(1, Ordering::Relaxed),
            db,
            key: key.bytes.into(),
        });
    }

    /// The same for all keys of a database, which is another one now.
    pub(super) fn note_all_ready(&mut self, db: u32) {
        let lines = self.waiters.lines.keys().filter(|(own, _)| *own == db);
        for key in lines.map(|(_, key)| key.clone()).collect::<Vec<_>>() {
            let hash = self.hasher.hash(&key);
            self.note_ready(db, Key { bytes: &key, hash });
        }
    }

    /// Moves the keys that have become ready: who takes them sees to it that somebody is served.
    #[inline]
    pub fn take_ready(&mut self, to: &mut Vec<Ready>) {
        if !self.waiters.ready.is_empty() {
            to.append(&mut self.waiters.ready);
        }
    }

    /// Calls who has waited longest at each key that has become ready.
    #[inline]
    pub fn call_ready(&mut self) {
        if !self.waiters.ready.is_empty() {
            for Ready { db, key, .. } in std::mem::take(&mut self.waiters.ready) {
                let hash = self.hasher.hash(&key);
                self.call_first(db, Key { bytes: &key, hash });
            }
        }
    }

    /// How many lines there are.
    pub fn lines_len(&self) -> usize {
        self.waiters.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    use crate::db::op::{End, Names};
    use crate::db::table::KeyHasher;
    use crate::db::{Hlc, Op, Origins, Stamp, UnixMillis, WriteContext, varint};

    fn write(partition: &mut Partition, key: Key<'_>, op: Op<'_>) {
        let origins = Origins::default();
        let context = WriteContext {
            stamp: Stamp::ZERO,
            now: UnixMillis(0),
            settled: Hlc::ZERO,
            origins: &origins,
        };
        partition.apply(0, key, op, &context);
        partition.call_ready();
    }

    fn was_called(waiter: &Waiter) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        waiter.poll_called(&mut cx).is_ready()
    }

    #[test]
    fn one_is_called_at_a_time_and_who_leaves_calls_the_next() {
        let hasher = KeyHasher::new(3);
        let mut partition = Partition::new(hasher.clone(), 2, false);
        let key = Key {
            bytes: b"list",
            hash: hasher.hash(b"list"),
        };
        let [first, second] = [0, 1].map(|_| Arc::new(Waiter::new(Kind::List)));
        let sorted = Arc::new(Waiter::new(Kind::Zset));
        for waiter in [&sorted, &first, &first, &second] {
            partition.line_up(0, key, waiter);
        }
        partition.line_up(1, key, &sorted);
        assert!(!was_called(&first));
        let mut element = Vec::new();
        varint::put_bytes(&mut element, b"x");
        write(
            &mut partition,
            key,
            Op::Push(End::Tail, Names::of(&element, 1)),
        );
        assert!(was_called(&first) && !was_called(&second) && !was_called(&sorted));
        assert!(partition.is_first_in_line(0, key, Kind::List, Some(&first)));
        assert!(!partition.is_first_in_line(0, key, Kind::List, Some(&second)));
        assert!(!partition.is_first_in_line(0, key, Kind::List, None));
        assert!(partition.is_first_in_line(1, key, Kind::List, None));
        partition.leave_line(0, key, &first);
        assert!(was_called(&second));
        write(&mut partition, key, Op::Del);
        assert!(!was_called(&second));
        partition.leave_line(0, key, &second);
        partition.leave_line(0, key, &sorted);
        partition.leave_line(1, key, &sorted);
        assert_eq!(partition.lines_len(), 0);
    }
}
