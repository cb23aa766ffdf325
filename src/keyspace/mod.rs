//! The keyspace: partitions, who may touch them, and how commands, transactions and effects from elsewhere run over them.
//!
//! A partition is a monitor: whoever has work for it takes its lock, in order of partition numbers where it needs several, and
//! does the work itself. Nobody awaits while holding one. Per key, journal order is execution order, because a command
//! reserves its place in the journal while it holds the key's partition.

mod ahead;
mod apart;
mod audience;
mod execute;
mod gate;
mod holds;
mod ingest;
mod jobs;
mod late;
mod left;
mod libraries;
mod script;
mod transaction;
mod upkeep;
mod walk;
mod warm;

pub(crate) use execute::PANIC_REPLY;
pub use execute::{Caller, Ran, Scratch};
pub use gate::{Gate, Passage};
pub use holds::{Held, Holds, Laps};
pub use ingest::{Foreign, IngestError, Ingested};
pub use jobs::Placed;
pub use left::{Job, Left};
pub use libraries::LibraryChange;
pub use script::{Reach, Stage, Staged};
pub use transaction::{Conductor, DataOnly, Queued, TransactionEnd};
pub use upkeep::{Counts, PURGE_PERIOD_MS, Purge};
pub use walk::{Followed, Lost, Walk};
pub use warm::WARM_MAX;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::commands::call::{Setting, partition_of};
use crate::db::body::{Limits, SharedLimits};
use crate::db::made::Maker;
use crate::db::op::STRING_LEN_MAX;
use crate::db::partition::LIBRARIES;
use crate::db::table::KeyHasher;
use crate::db::{Hlc, Key, Origins, Partition, Ready, UnixMillis, Waiter};
use crate::journal::Journal;
use crate::keyspace::late::LateOnes;
use crate::pubsub::PubSub;

/// Some of the partitions, locked, each in its place.
type Guards<'a> = SmallVec<[Option<Held<'a>>; 16]>;

/// How a keyspace is made.
#[derive(Debug, Clone, Copy)]
pub struct KeyspaceConfig {
    /// How many partitions, a power of two.
    pub partitions: usize,
    /// How many databases.
    pub databases: u32,
    /// Seeds the hash function.
    pub hash_seed: u64,
    /// Whether keys bear stamps (multi-master).
    pub stamped: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Keyspace {
    partitions: Box<[Mutex<Partition>]>,
    hasher: KeyHasher,
    databases: u32,
    /// The dictionary of origins.
    pub origins: Arc<Origins>,
    /// What was done here.
    pub journal: Journal,
    /// How long partitions are held.
    pub holds: Holds,
    /// Where a script is waited for.
    pub gate: Gate,
    /// Who listens.
    pub pubsub: PubSub,
    /// What partitions listen for: see [`crate::db::news::Attention`].
    attention: AtomicU32,
    /// Orders the news of all partitions.
    tickets: Arc<AtomicU64>,
    settled: AtomicU64,
    stamped: AtomicBool,
    recording: AtomicBool,
    following: AtomicBool,
    clock_excess_ms: AtomicI64,
    pending_bytes: Box<[AtomicUsize]>,
    randomness: AtomicU64,
    string_len_max: AtomicUsize,
    limits: Arc<SharedLimits>,
    /// For tests: the next write command panics after its first change.
    pub panic_after_mutation: AtomicBool,
    ingest_locks: Box<[Mutex<()>]>,
    late: LateOnes,
    /// By origin: the stamp of its last message that was told here. It never falls, whatever is forgotten else.
    told: Box<[AtomicU64]>,
    /// See [`Self::libraries_version`].
    libraries: Arc<AtomicU64>,
    /// How many walks have begun.
    walks: AtomicU64,
}

impl Keyspace {
    /// An empty keyspace over a journal.
    pub fn new(config: KeyspaceConfig, origins: Arc<Origins>, journal: Journal) -> Self {
        let hasher = KeyHasher::new(config.hash_seed);
        let count = config.partitions.max(1).next_power_of_two();
        let limits = Arc::<SharedLimits>::default();
        let libraries = Arc::<AtomicU64>::default();
        let partitions = (0..count)
            .map(|_| {
                let mut partition =
                    Partition::new(hasher.clone(), config.databases, config.stamped);
                partition.set_origins(&origins);
                partition.set_limits(&limits);
                partition.set_judged(journal.judged());
                partition.set_library_changes(&libraries);
                Mutex::new(partition)
            })
            .collect();
        Self {
            partitions,
            hasher,
            databases: config.databases,
            origins,
            journal,
            holds: Holds::default(),
            gate: Gate::default(),
            pubsub: PubSub::default(),
            attention: AtomicU32::new(audience::SILENT),
            tickets: Arc::default(),
            settled: AtomicU64::new(0),
            stamped: AtomicBool::new(config.stamped),
            recording: AtomicBool::new(config.stamped),
            following: AtomicBool::new(false),
            clock_excess_ms: AtomicI64::new(0),
            pending_bytes: (0..config.partitions)
                .map(|_| AtomicUsize::new(0))
                .collect(),
            randomness: AtomicU64::new(config.hash_seed | 1),
            string_len_max: AtomicUsize::new(STRING_LEN_MAX),
            limits,
            panic_after_mutation: AtomicBool::new(false),
            libraries,
            walks: AtomicU64::new(0),
            late: LateOnes::default(),
            told: (0..crate::db::origin::ORIGINS_MAX + 1)
                .map(|_| AtomicU64::new(0))
                .collect(),
            ingest_locks: (0..crate::db::origin::ORIGINS_MAX + 1)
                .map(|_| Mutex::new(()))
                .collect(),
        }
    }

    /// The hash of a key.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    /// How many partitions there are.
    pub fn partitions_len(&self) -> usize {
        self.partitions.len()
    }

    /// How many databases there are.
    pub fn databases(&self) -> u32 {
        self.databases
    }

    /// Whether there is a database of this number, or it is that of libraries.
    fn has_database(&self, db: u32) -> bool {
        db < self.databases || db == LIBRARIES
    }

    /// Locks the partition of a hash.
    #[inline]
    pub fn lock_hash(&self, hash: u64) -> Held<'_> {
        self.lock(partition_of(hash, self.partitions.len()))
    }

    /// Locks one partition.
    pub fn lock(&self, index: usize) -> Held<'_> {
        Held::new(self.partitions[index].lock(), &self.holds)
    }

    /// Who has waited longest for what a key shows, but for those who were called already.
    pub fn next_in_line(&self, ready: &Ready, called: &[Arc<Waiter>]) -> Option<Arc<Waiter>> {
        let hash = self.hash(&ready.key);
        let bytes = &ready.key;
        let partition = self.lock_hash(hash);
        partition
            .next_in_line(ready.db, Key { bytes, hash }, called)
            .cloned()
    }

    /// Calls who has waited longest at each of these keys, and leaves it at that.
    pub fn call_ready(&self, keys: &[Ready]) {
        for ready in keys {
            let hash = self.hash(&ready.key);
            let bytes = &ready.key;
            self.lock_hash(hash)
                .call_first(ready.db, Key { bytes, hash });
        }
    }

    /// Locks all partitions, in order. What was done to them is published then.
    pub fn lock_all(&self) -> Vec<Held<'_>> {
        let lock = || (0..self.partitions.len()).map(|index| self.lock(index));
        let mut guards: Vec<_> = lock().collect();
        while self.late.is_any() {
            drop(std::mem::take(&mut guards));
            self.late.wait();
            guards = lock().collect();
        }
        guards.iter_mut().for_each(|guard| guard.catch_up_all());
        guards
    }

    /// Everything up to here has arrived.
    pub fn settled(&self) -> Hlc {
        Hlc::from_raw(self.settled.load(Ordering::Acquire))
    }

    /// What time it is for stamps and deadlines where the wall clock says `wall`.
    #[inline]
    pub fn time(&self, wall: UnixMillis) -> UnixMillis {
        UnixMillis(wall.0 - self.clock_excess_ms.load(Ordering::Relaxed))
    }

    /// Says by how much the wall clock is wrong: ahead of everybody else's.
    pub fn set_clock_excess(&self, ms: i64) {
        self.clock_excess_ms.store(ms, Ordering::Relaxed);
    }

    /// By how much the wall clock is held to be wrong.
    pub fn clock_excess_ms(&self) -> i64 {
        self.clock_excess_ms.load(Ordering::Relaxed)
    }

    /// Bounds what APPEND and SETRANGE may make of a string, within what all masters agree on.
    pub fn set_string_len_max(&self, len: u64) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.string_len_max
            .store(len.min(STRING_LEN_MAX), Ordering::Relaxed);
    }

    /// Says up to what collections are small. What is large stays so.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
    }

    /// Raises [`Self::settled`]; it never falls while the data stays.
    pub fn raise_settled(&self, settled: Hlc) {
        self.settled.fetch_max(settled.raw(), Ordering::AcqRel);
    }

    /// Whether keys bear stamps.
    pub fn is_stamped(&self) -> bool {
        self.stamped.load(Ordering::Relaxed)
    }

    /// Whether writes go into the journal: keys bear stamps, or somebody reads it.
    pub fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    /// Starts recording, where it had not: a replica has come.
    pub fn record(&self, now: UnixMillis) {
        if self.is_recording() {
            return;
        }
        let mut guards = self.lock_all();
        if !self.recording.swap(true, Ordering::SeqCst) {
            self.journal.begin_recording(now);
        }
        self.share(&mut guards);
    }

    /// Says whether writes come from a master: then only what the settled time has passed is past recall.
    pub fn follow(&self, following: bool) {
        let mut guards = self.lock_all();
        self.following.store(following, Ordering::SeqCst);
        self.share(&mut guards);
    }

    /// Whether writes come from a master.
    pub fn is_following(&self) -> bool {
        self.following.load(Ordering::Relaxed)
    }

    /// Tells the partitions whether others carry out the same writes as this node.
    fn share(&self, guards: &mut [Held<'_>]) {
        let shared = self.is_stamped() || self.is_recording() || self.is_following();
        let following = self.is_following();
        for guard in guards {
            guard.set_shared(shared, following);
        }
    }

    /// Lets the settled time fall back to nothing: this node joins a mesh whose history it does not know.
    pub fn unsettle(&self) {
        self.settled.store(0, Ordering::SeqCst);
    }

    /// Forgets all data and takes on a manner: what a plain replica does before it follows its master.
    pub fn reset(&self, stamped: bool) {
        let mut guards = self.lock_all();
        self.stamped.store(stamped, Ordering::SeqCst);
        self.recording.fetch_or(stamped, Ordering::SeqCst);
        self.settled.store(0, Ordering::SeqCst);
        for guard in &mut guards {
            guard.reset(stamped);
        }
        self.share(&mut guards);
    }

    /// The number of a walk that begins.
    fn next_walk(&self) -> u64 {
        self.walks.fetch_add(1, Ordering::Relaxed)
    }

    /// What values are made with ahead; whether elements of lists get ids.
    pub(crate) fn maker(&self, has_ids: bool) -> Maker<'_> {
        Maker {
            hasher: &self.hasher,
            limits: self.limits.get(),
            origins: &self.origins,
            has_ids,
        }
    }

    /// What all commands share.
    #[inline]
    pub(crate) fn setting(&self) -> Setting<'_> {
        Setting {
            hasher: &self.hasher,
            origins: &self.origins,
            settled: self.settled(),
            databases: self.databases,
            randomness: &self.randomness,
            string_len_max: &self.string_len_max,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
