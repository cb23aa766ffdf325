//! Who waits for something to take out of a list or a sorted set: a line per key, who came first at its head.
//!
//! A partition keeps the lines of its keys, so that trying and lining up happen under one lock and no write comes between them.
//! Invariant: where a key shows what its line waits for, the head of that line has been called and has not finished its try.
//! It stays at the head meanwhile; whoever leaves a line calls the next one, if there is still something. So one is called for
//! what one can take, nobody is forgotten, and nobody overtakes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::db::op::Kind;
use crate::db::partition::{Key, Partition};

/// One that waits, in one line or in several. It tries by itself when it is called: what nobody can be given any more stays.
#[derive(Debug)]
pub struct Waiter {
    kind: Kind,
    is_called: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Waiter {
    /// One that waits for this kind of value.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            is_called: AtomicBool::new(false),
            waker: Mutex::new(None),
        }
    }

    fn call(&self) {
        self.is_called.store(true, Ordering::SeqCst);
        // Taken out first: a waker is not to be called under a lock of its own.
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether it was called since the last time that this said so.
    pub fn poll_called(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_called.load(Ordering::SeqCst) {
            let old = self.waker.lock().replace(cx.waker().clone());
            drop(old);
        }
        // Looked at again: who called before the waker was there found none.
        if self.is_called.swap(false, Ordering::SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// The lines of a partition's keys.
pub(super) type Waiters = HashMap<(u32, Box<[u8]>), VecDeque<Arc<Waiter>>>;

impl Partition {
    /// Lines somebody up behind all who wait at a key. The caller has found nothing there under the same lock.
    pub fn line_up(&mut self, db: u32, key: Key<'_>, waiter: &Arc<Waiter>) {
        let line = self.waiters.entry((db, key.bytes.into())).or_default();
        // Who names a key twice does so within one lock.
        if !line.back().is_some_and(|last| Arc::ptr_eq(last, waiter)) {
            line.push_back(Arc::clone(waiter));
        }
    }

    /// Lets somebody leave the line of a key, and calls the next one if there is something for him.
    pub fn leave_line(&mut self, db: u32, key: Key<'_>, waiter: &Arc<Waiter>) {
        let place = (db, key.bytes.into());
        let Some(line) = self.waiters.get_mut(&place) else {
            return;
        };
        if let Some(at) = line.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            line.remove(at);
        }
        if line.is_empty() {
            self.waiters.remove(&place);
        } else {
            self.call_next(db, key);
        }
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
        let line = self.waiters.get(&(db, key.bytes.into()));
        let first = line.and_then(|line| line.iter().find(|waiter| waiter.kind == kind));
        first.is_none_or(|first| own.is_some_and(|own| Arc::ptr_eq(first, own)))
    }

    /// Calls who has waited longest for what a key shows.
    pub(super) fn call_next(&self, db: u32, key: Key<'_>) {
        if self.waiters.is_empty() {
            return;
        }
        let Some(line) = self.waiters.get(&(db, key.bytes.into())) else {
            return;
        };
        let Some(record) = self.dbs[db as usize].table.get(key.bytes, key.hash) else {
            return;
        };
        if record.is_tombstone() {
            return;
        }
        let kind = record.shown().kind();
        if let Some(first) = line.iter().find(|waiter| waiter.kind == kind) {
            first.call();
        }
    }

    /// The same for all keys of a database, which is another one now.
    pub(super) fn call_all_next(&self, db: u32) {
        for (_, key) in self.waiters.keys().filter(|(own, _)| *own == db) {
            let hash = self.hasher.hash(key);
            self.call_next(db, Key { bytes: key, hash });
        }
    }

    /// How many lines there are.
    pub fn lines_len(&self) -> usize {
        self.waiters.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
