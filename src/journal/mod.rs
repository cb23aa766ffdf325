//! The ordered log of effects: what this node did or accepted, one log per origin under one memory budget.
//!
//! A local write *reserves* its stamps while it holds its partitions and *publishes* what it did afterwards; readers see an
//! origin's records in stamp order and stop at the first reservation that is still open. Each origin's log says how far it has
//! arrived without a gap ([`Journal::vector`]) and from where on its records are still here.
//!
//! Invariant: the records of an origin between its base and its arrival point are all here, each naming its predecessor.

mod log;
mod reservation;

pub use log::{Entry, Position, ReadError};
pub use reservation::{Detached, Place, Reservation};

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ablation::{Rule, is_off};
use crate::db::{Hlc, OriginIndex, Stamp, UnixMillis};
use log::Log;

/// A trace context as it travels, see the observability crate.
pub type TraceBytes = [u8; 26];

/// What a record holds beside its place: see [`crate::journal::Entry`].
#[derive(Debug, Clone)]
pub struct Record {
    /// Operations, each with its own stamp: the last one bears the record's stamp, the others the ones before.
    pub count: u32,
    /// The operations' bytes, see [`crate::commands::effects`].
    pub payload: Bytes,
    /// The trace that the write belongs to.
    pub trace: Option<TraceBytes>,
}

/// What became of a record from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is the next one.
    Next,
    /// It was here before.
    Duplicate,
    /// Records before it are missing.
    Gap,
}

/// The effects that a snapshot's receiver will ask for: kept until the pin is dropped or the limit breaks it.
#[derive(Debug, Clone)]
pub struct Pin(Arc<PinInner>);

#[derive(Debug)]
struct PinInner {
    after: Vec<Hlc>,
    broken: AtomicBool,
}

impl Pin {
    /// Whether the journal had to let go of pinned records.
    pub fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }
}

/// See the head of the file.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
    idle_readers: AtomicBool,
    news: Notify,
    budget: AtomicU64,
    /// See [`Self::judged`].
    judged: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Inner {
    own: OriginIndex,
    hlc: Hlc,
    /// The last stamp taken here.
    taken: Hlc,
    /// What the clock must not fall below, whatever is given back: what was heard of others.
    heard: Hlc,
    open: VecDeque<Place>,
    open_first: u64,
    logs: Vec<Log>,
    /// Whose record is oldest: the order of eviction.
    order: VecDeque<OriginIndex>,
    bytes: usize,
    pins: Vec<Arc<PinInner>>,
}

impl Journal {
    /// An empty journal of the origin `own`, holding at most about `budget_bytes`.
    pub fn new(own: OriginIndex, start: Hlc, budget_bytes: u64) -> Self {
        let mut inner = Inner {
            own,
            hlc: start,
            taken: Hlc::ZERO,
            heard: start,
            open: VecDeque::new(),
            open_first: 0,
            logs: Vec::new(),
            order: VecDeque::new(),
            bytes: 0,
            pins: Vec::new(),
        };
        inner.log(own).begin(start);
        Self {
            inner: Mutex::new(inner),
            idle_readers: AtomicBool::new(false),
            news: Notify::new(),
            budget: AtomicU64::new(budget_bytes),
            judged: Arc::default(),
        }
    }

    /// The latest moment at which something was held to be past, as [`Hlc::raw`]: whatever is reserved once a partition has raised
    /// it comes after it, should the wall clock step back too.
    pub fn judged(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.judged)
    }

    /// Changes the memory budget.
    pub fn set_budget(&self, bytes: u64) {
        self.budget.store(bytes, Ordering::Relaxed);
    }

    /// Takes `n` consecutive stamps and the next place. The caller holds the partitions it is going to write.
    pub fn reserve(&self, n: u32, now: UnixMillis) -> Reservation<'_> {
        let mut inner = self.inner.lock();
        inner.advance(now);
        inner.advance_to(&self.judged);
        let first = inner.hlc.plus(1);
        inner.hlc = inner.hlc.plus(u64::from(n.max(1)));
        inner.taken = inner.hlc;
        let place = inner.open_first + inner.open.len() as u64;
        inner.open.push_back(Place::Open);
        let own = inner.own;
        drop(inner);
        Reservation::new(self, place, own, first, n.max(1))
    }

    /// Lengthens a reservation that ends at `end`, where nothing was taken here behind it. What was heard of others meanwhile may
    /// be later than these stamps: it is in no partition that the reservation's holder writes to.
    fn extend(&self, end: Hlc, more: u32) -> bool {
        let mut inner = self.inner.lock();
        if inner.taken != end {
            return false;
        }
        inner.taken = end.plus(u64::from(more));
        inner.hlc = inner.hlc.max(inner.taken);
        true
    }

    /// Takes back the last stamps of a reservation that ends at `end`, where nothing was taken here behind it.
    fn give_back(&self, end: Hlc, unused: u32) {
        let mut inner = self.inner.lock();
        if inner.taken != end {
            return;
        }
        inner.taken = end.minus(u64::from(unused));
        if inner.hlc == end {
            inner.hlc = inner.taken.max(inner.heard);
        }
    }

    fn fill(&self, place: u64, stamp: Hlc, record: Option<Record>) {
        let mut inner = self.inner.lock();
        let index = (place - inner.open_first) as usize;
        if is_off(Rule::Reservation)
            && let Some(record) = record
        {
            inner.append_own(stamp, record);
            inner.open.pop_back();
            return;
        }
        inner.open[index] = record.map_or(Place::Empty, |record| Place::Filled(stamp, record));
        while let Some(front) = inner.open.front() {
            if matches!(front, Place::Open) {
                break;
            }
            let front = inner.open.pop_front();
            inner.open_first += 1;
            if let Some(Place::Filled(stamp, record)) = front {
                inner.append_own(stamp, record);
            }
        }
        self.evict(&mut inner);
        drop(inner);
        self.wake();
    }

    /// Appends a record of one effect that no partition has a part in, and says its stamp. One that is being filled comes first.
    pub fn append(&self, now: UnixMillis, record: Record) -> Stamp {
        let mut inner = self.inner.lock();
        inner.advance(now);
        let (own, stamp) = (inner.own, inner.hlc.plus(1));
        inner.hlc = stamp;
        inner.taken = stamp;
        if inner.open.is_empty() || is_off(Rule::Reservation) {
            inner.append_own(stamp, record);
            self.evict(&mut inner);
        } else {
            inner.open.push_back(Place::Filled(stamp, record));
        }
        drop(inner);
        self.wake();
        Stamp::new(stamp, own)
    }

    /// Where a record from elsewhere stands. The caller holds the origin's ingest lock until it has called [`Self::accept`].
    pub fn arrival(&self, origin: OriginIndex, prev: Hlc, stamp: Hlc) -> Arrival {
        let mut inner = self.inner.lock();
        let at = inner.log(origin).arrived;
        match () {
            () if stamp <= at => Arrival::Duplicate,
            () if prev > at && !is_off(Rule::GapCheck) => Arrival::Gap,
            () => Arrival::Next,
        }
    }

    /// Files a record from elsewhere that was [`Arrival::Next`] and has been applied.
    pub fn accept(&self, origin: OriginIndex, entry: Entry) {
        let mut inner = self.inner.lock();
        inner.append(origin, entry);
        self.evict(&mut inner);
        drop(inner);
        self.wake();
    }

    /// Takes note of "this origin made nothing after `last` and up to `until`"; says whether it applied here.
    pub fn progress(&self, origin: OriginIndex, last: Hlc, until: Hlc) -> bool {
        let mut inner = self.inner.lock();
        let log = inner.log(origin);
        if last > log.arrived || until <= log.arrived {
            return false;
        }
        log.arrived = until;
        true
    }

    /// This node has made nothing that is not in its log, up to the time returned: its promise to everybody.
    pub fn promise(&self, now: UnixMillis) -> Hlc {
        let mut inner = self.inner.lock();
        let own = inner.own;
        if inner.open.is_empty() || is_off(Rule::Reservation) {
            // One step even where the clock is ahead of the wall: what was stamped last must settle.
            inner.hlc = inner.hlc.plus(1);
            inner.advance(now);
            inner.advance_to(&self.judged);
            let hlc = inner.hlc;
            let log = inner.log(own);
            log.arrived = log.arrived.max(hlc);
        }
        inner.log(own).arrived
    }

    /// Merges a received time into the clock: whatever is stamped here from now on comes after it.
    pub fn observe(&self, time: Hlc) {
        if is_off(Rule::ClockMerge) {
            return;
        }
        let mut inner = self.inner.lock();
        inner.hlc = inner.hlc.max(time);
        inner.heard = inner.heard.max(time);
    }

    /// The clock: nothing stamped here is later.
    pub fn clock(&self) -> Hlc {
        self.inner.lock().hlc
    }

    /// Begins an origin's log: nothing of it is known and nothing before `floor` will come.
    pub fn begin(&self, origin: OriginIndex, floor: Hlc) {
        let mut inner = self.inner.lock();
        let log = inner.log(origin);
        if log.arrived < floor {
            log.begin(floor);
        }
    }

    /// A state merge has brought everything of `origin` up to `until`: its journal begins there, unless it had reached further.
    pub fn jump(&self, origin: OriginIndex, until: Hlc, last: Hlc) {
        let mut inner = self.inner.lock();
        if inner.log(origin).arrived >= until {
            return;
        }
        let freed = inner.log(origin).clear(until, last);
        inner.bytes -= freed;
        inner.order.retain(|&other| other != origin);
        inner.hlc = inner.hlc.max(until);
        inner.heard = inner.heard.max(until);
        drop(inner);
        self.wake();
    }

    /// Drops an origin's log: its life does not count any more.
    pub fn forget(&self, origin: OriginIndex) {
        let mut inner = self.inner.lock();
        let freed = inner.log(origin).clear(Hlc::ZERO, Hlc::ZERO);
        inner.bytes -= freed;
        inner.order.retain(|&other| other != origin);
    }

    /// The own log begins at this instant: what was written before it is in nobody's journal.
    pub fn begin_recording(&self, now: UnixMillis) {
        let mut inner = self.inner.lock();
        inner.advance(now);
        let (own, at) = (inner.own, inner.hlc.plus(1));
        inner.hlc = at;
        inner.heard = inner.heard.max(at);
        let freed = inner.log(own).clear(at, at);
        inner.bytes -= freed;
        inner.order.retain(|&other| other != own);
    }

    /// Becomes the log of another life of this node: what is stamped from now on belongs to `own` and comes after `floor`.
    pub fn reincarnate(&self, own: OriginIndex, floor: Hlc) {
        let mut inner = self.inner.lock();
        inner.own = own;
        inner.hlc = inner.hlc.max(floor);
        inner.heard = inner.hlc;
        let start = inner.hlc;
        inner.log(own).begin(start);
    }

    /// How far each origin has arrived, and where its journal begins. Indexed by origin; unknown ones are at zero.
    pub fn vector(&self) -> Vec<Position> {
        self.inner.lock().logs.iter().map(Log::position).collect()
    }

    /// The last record that is no longer here, of any origin; zero where all are. Whoever has everything up to it can be told the
    /// rest from here.
    pub fn reaches_back_to(&self) -> Hlc {
        let inner = self.inner.lock();
        let bases = inner.logs.iter().map(|log| log.position().base);
        bases.max().unwrap_or(Hlc::ZERO)
    }

    /// How far one origin has arrived.
    pub fn position(&self, origin: OriginIndex) -> Position {
        self.inner.lock().log(origin).position()
    }

    /// The origin that this node's own writes bear.
    pub fn own(&self) -> OriginIndex {
        self.inner.lock().own
    }

    /// Appends to `out` an origin's entries after `after`, about `bytes_max` bytes of them.
    pub fn read(
        &self,
        origin: OriginIndex,
        after: Hlc,
        bytes_max: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), ReadError> {
        self.inner.lock().log(origin).read(after, bytes_max, out)
    }

    /// The trace of the record that an operation belongs to: none where it was not traced or the journal no longer has it.
    pub fn trace_of(&self, origin: OriginIndex, time: Hlc) -> Option<TraceBytes> {
        let mut inner = self.inner.lock();
        inner.log(origin).find(time)?.record.trace
    }

    /// Waits for news since the last look. A reader looks after it has asked for this.
    pub async fn news(&self) {
        let notified = self.news.notified();
        self.idle_readers.store(true, Ordering::SeqCst);
        notified.await;
    }

    /// Arms a wait: a write after this call completes the future.
    pub fn news_armed(&self) -> tokio::sync::futures::Notified<'_> {
        let notified = self.news.notified();
        self.idle_readers.store(true, Ordering::SeqCst);
        notified
    }

    #[inline]
    fn wake(&self) {
        if self.idle_readers.load(Ordering::Relaxed)
            && self.idle_readers.swap(false, Ordering::SeqCst)
        {
            self.news.notify_waiters();
        }
    }

    /// Keeps all that comes after the current vector; also returns that vector. The caller holds all partitions. None while a
    /// reservation is open: what was written behind it is in the data already, and no vector speaks of it.
    pub fn pin(&self) -> Option<(Pin, Vec<Position>)> {
        let mut inner = self.inner.lock();
        if !inner.open.is_empty() && !is_off(Rule::Reservation) {
            return None;
        }
        let vector: Vec<Position> = inner.logs.iter().map(Log::position).collect();
        let after = vector.iter().map(|position| position.arrived).collect();
        let pin = Arc::new(PinInner {
            after,
            broken: AtomicBool::new(false),
        });
        inner.pins.push(Arc::clone(&pin));
        Some((Pin(pin), vector))
    }

    /// Bytes held now.
    pub fn len_bytes(&self) -> usize {
        self.inner.lock().bytes
    }

    /// Drops the oldest records over the budget. Pins are honoured up to as much again, then broken.
    fn evict(&self, inner: &mut Inner) {
        let budget = self.budget.load(Ordering::Relaxed) as usize;
        if inner.bytes <= budget {
            return;
        }
        inner.pins.retain(|pin| Arc::strong_count(pin) > 1);
        while inner.bytes > budget {
            let Some(&origin) = inner.order.front() else {
                break;
            };
            let Some(stamp) = inner.log(origin).first_stamp() else {
                break;
            };
            let pinned = inner.pins.iter().any(|pin| {
                stamp
                    > pin
                        .after
                        .get(usize::from(origin.0))
                        .copied()
                        .unwrap_or(Hlc::ZERO)
            });
            if pinned && inner.bytes <= budget.saturating_mul(2) {
                break;
            }
            if pinned {
                for pin in inner.pins.drain(..) {
                    pin.broken.store(true, Ordering::Relaxed);
                }
            }
            inner.order.pop_front();
            inner.bytes -= inner.log(origin).drop_first();
        }
    }
}

impl Inner {
    fn log(&mut self, origin: OriginIndex) -> &mut Log {
        let index = usize::from(origin.0);
        if index >= self.logs.len() {
            self.logs.resize_with(index + 1, Log::default);
        }
        &mut self.logs[index]
    }

    /// See [`Journal::judged`].
    fn advance_to(&mut self, judged: &AtomicU64) {
        let judged = Hlc::from_raw(judged.load(Ordering::Relaxed));
        self.hlc = self.hlc.max(judged);
    }

    fn advance(&mut self, now: UnixMillis) {
        self.hlc = self.hlc.max(Hlc::at(now));
    }

    /// Files a record of this node, which follows on the last one.
    fn append_own(&mut self, stamp: Hlc, record: Record) {
        let own = self.own;
        let prev = self.log(own).last;
        self.append(
            own,
            Entry {
                prev,
                stamp,
                record,
            },
        );
    }

    fn append(&mut self, origin: OriginIndex, entry: Entry) {
        self.bytes += entry.len_bytes();
        self.order.push_back(origin);
        self.log(origin).append(entry);
    }
}

#[cfg(test)]
mod tests;
