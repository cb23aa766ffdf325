//! Where the messages for one client wait until its session takes them. Whoever publishes puts them here and goes on; the bytes
//! are shared by all who get them.
//!
//! Invariant: a mailbox holds less than its class's hard limit, or is closed and holds nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::pubsub::channels::Kind;
use crate::resp::Protocol;

/// `client-output-buffer-limit` as far as publishers must know it: the hard limits, 0 for none.
#[derive(Debug, Default)]
pub struct Limits {
    /// Of ordinary clients.
    pub normal: AtomicU64,
    /// Of clients that subscribed to something.
    pub pubsub: AtomicU64,
}

/// A message in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    bytes: Bytes,
    is_push: bool,
}

impl Letter {
    /// The first byte, and the others. A line of MONITOR is one whatever is spoken.
    pub fn parts(&self) -> (u8, &[u8]) {
        let first = match self.bytes.first() {
            Some(b'+') => b'+',
            _ if self.is_push => b'>',
            _ => b'*',
        };
        (first, self.bytes.get(1..).unwrap_or_default())
    }

    /// How long it is.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[derive(Debug, Default)]
struct Queue {
    letters: VecDeque<Letter>,
    is_closed: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Mailbox {
    /// The client's number.
    pub id: u64,
    is_resp3: AtomicBool,
    counts: [AtomicU32; 3],
    queue: Mutex<Queue>,
    waiting: AtomicBool,
    bytes: AtomicUsize,
    unsent: AtomicUsize,
    has_overflowed: AtomicBool,
    limits: Arc<Limits>,
    waker: AtomicWaker,
}

impl Mailbox {
    /// An empty one.
    pub fn new(id: u64, limits: Arc<Limits>) -> Self {
        Self {
            id,
            is_resp3: AtomicBool::new(false),
            counts: Default::default(),
            queue: Mutex::default(),
            waiting: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            has_overflowed: AtomicBool::new(false),
            limits,
            waker: AtomicWaker::new(),
        }
    }

    /// Puts a message in. Who does not read is closed here.
    pub fn post(&self, bytes: &Bytes) {
        let limit = if self.is_pubsub() {
            &self.limits.pubsub
        } else {
            &self.limits.normal
        };
        let limit = limit.load(Ordering::Relaxed);
        let mut queue = self.queue.lock();
        if queue.is_closed {
            return;
        }
        let held = self.bytes.load(Ordering::Relaxed) + bytes.len();
        let unsent = self.unsent.load(Ordering::Relaxed);
        if limit > 0 && (held + unsent) as u64 >= limit {
            queue.is_closed = true;
            queue.letters = VecDeque::new();
            self.bytes.store(0, Ordering::Relaxed);
            self.has_overflowed.store(true, Ordering::Relaxed);
            drop(queue);
            self.waiting.store(true, Ordering::SeqCst);
            return self.wake();
        }
        self.bytes.store(held, Ordering::Relaxed);
        queue.letters.push_back(Letter {
            bytes: bytes.clone(),
            is_push: self.protocol() == Protocol::Resp3,
        });
        drop(queue);
        if !self.waiting.swap(true, Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Whether there is something to take.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Takes messages as long as `to` asks for more.
    pub fn take(&self, mut to: impl FnMut(&Letter) -> bool) {
        loop {
            let mut queue = self.queue.lock();
            let Some(letter) = queue.letters.pop_front() else {
                // Under the lock, so that no letter comes in between. What overflowed stays to be seen.
                if !self.has_overflowed() {
                    self.waiting.store(false, Ordering::SeqCst);
                }
                queue.letters.shrink_to(64);
                return;
            };
            self.bytes.fetch_sub(letter.len(), Ordering::Relaxed);
            drop(queue);
            if !to(&letter) {
                return;
            }
        }
    }

    /// Whether it was closed because its client did not read.
    #[inline]
    pub fn has_overflowed(&self) -> bool {
        self.has_overflowed.load(Ordering::Relaxed)
    }

    /// Takes nothing any more.
    pub fn close(&self) {
        let mut queue = self.queue.lock();
        queue.is_closed = true;
        queue.letters = VecDeque::new();
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Whether it takes messages.
    pub fn is_open(&self) -> bool {
        !self.queue.lock().is_closed
    }

    /// Bytes that wait here.
    pub fn len_bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Messages that wait here.
    pub fn len(&self) -> usize {
        self.queue.lock().letters.len()
    }

    /// Whether nothing waits here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says how much the session holds that its socket does not take: it counts against the limit.
    pub fn set_unsent(&self, bytes: usize) {
        self.unsent.store(bytes, Ordering::Relaxed);
    }

    /// What its client speaks.
    pub fn protocol(&self) -> Protocol {
        if self.is_resp3.load(Ordering::Relaxed) {
            Protocol::Resp3
        } else {
            Protocol::Resp2
        }
    }

    /// Says what its client speaks from now on.
    pub fn set_protocol(&self, protocol: Protocol) {
        let is_resp3 = protocol == Protocol::Resp3;
        self.is_resp3.store(is_resp3, Ordering::Relaxed);
    }

    /// How many channels, patterns or shard channels its client hears.
    pub fn count(&self, kind: Kind) -> u32 {
        self.counts[kind as usize].load(Ordering::Relaxed)
    }

    pub(super) fn set_count(&self, kind: Kind, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.counts[kind as usize].store(count, Ordering::Relaxed);
    }

    /// Whether its client subscribed to anything.
    pub fn is_pubsub(&self) -> bool {
        [Kind::Channel, Kind::Pattern, Kind::Shard]
            .into_iter()
            .any(|kind| self.count(kind) > 0)
    }

    /// Wakes the session.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Has the waker called at the next [`Self::wake`].
    #[inline]
    pub fn listen(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(limit: u64) -> Mailbox {
        let limits = Arc::new(Limits::default());
        limits.normal.store(limit, Ordering::Relaxed);
        Mailbox::new(1, limits)
    }

    fn taken(mailbox: &Mailbox) -> Vec<String> {
        let mut taken = Vec::new();
        mailbox.take(|letter| {
            let (first, rest) = letter.parts();
            let text = [&[first], rest].concat();
            taken.push(String::from_utf8(text).unwrap());
            true
        });
        taken
    }

    #[test]
    fn letters_come_out_in_their_order_and_in_the_protocol_they_were_posted_in() {
        let mailbox = mailbox(0);
        mailbox.post(&Bytes::from_static(b"*1"));
        mailbox.set_protocol(Protocol::Resp3);
        mailbox.post(&Bytes::from_static(b"*2"));
        assert!(mailbox.is_waiting());
        assert_eq!(mailbox.len_bytes(), 4);
        assert_eq!(taken(&mailbox), ["*1", ">2"]);
        assert!(!mailbox.is_waiting());
        assert_eq!(mailbox.len_bytes(), 0);
    }

    #[test]
    fn what_reaches_the_limit_closes_the_mailbox_and_frees_it() {
        let mailbox = mailbox(10);
        mailbox.set_unsent(4);
        mailbox.post(&Bytes::from_static(b"*1234"));
        assert!(!mailbox.has_overflowed());
        mailbox.post(&Bytes::from_static(b"*"));
        assert!(mailbox.has_overflowed() && mailbox.is_waiting());
        assert_eq!((mailbox.len(), mailbox.len_bytes()), (0, 0));
        mailbox.post(&Bytes::from_static(b"*"));
        assert_eq!(mailbox.len(), 0);
    }
}
