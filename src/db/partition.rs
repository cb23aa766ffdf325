//! One partition of the keyspace: a table per database, the unsettled operations beside it, tombstones and what waits to be
//! settled. Whoever holds the partition's lock calls these functions; nothing here blocks, reads a clock or knows a socket.
//!
//! Two manners. *Plain* (no masters): an operation changes the value at once and nothing is stamped. *Stamped*: a key shows what
//! its operations come to in stamp order, and those that may still be overtaken can be taken back, so that effects may arrive in
//! any order; a delete leaves a tombstone until everything before it has arrived. A key that is absent counts as deleted at the settled time.

mod apart;
mod apply;
mod counts;
mod in_place;
mod look;
mod members;
mod spare;
mod swap;
#[cfg(test)]
mod tests;
mod value;
mod watch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use hashbrown::{HashMap, HashSet};

use crate::db::body::{Limits, SharedLimits};
use crate::db::follow::Follower;
use crate::db::history::History;
use crate::db::live::Ground;
use crate::db::made::Made;
use crate::db::news::NewsDesk;
use crate::db::origin::Origins;
use crate::db::partition::spare::Spare;
use crate::db::record::{Fresh, Meta, Record};
use crate::db::snapshot::Walk;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::table::{KeyHasher, Table};
use crate::db::waiters::Waiters;

pub use counts::PartitionStats;
pub use look::{Key, Look, View};

/// What goes with a write.
#[derive(Debug, Clone, Copy)]
pub struct WriteContext<'a> {
    /// The operation's stamp; [`Stamp::ZERO`] in plain manner.
    pub stamp: Stamp,
    /// The moment that expiry is judged by: the stamp's own, or the clock in plain manner.
    pub now: UnixMillis,
    /// Everything up to here has arrived.
    pub settled: Hlc,
    /// The dictionary that orders equal times.
    pub origins: &'a Origins,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The key shows it.
    Applied,
    /// A later write had come first: this one shows nowhere.
    Superseded(Stamp),
    /// It did not fit, or was known already.
    NoEffect,
}

/// One numbered database within a partition.
#[derive(Debug, Default)]
pub struct Db {
    pub(super) table: Table,
    pub(super) unsettled: HashMap<Box<[u8]>, History>,
    /// The last FLUSHDB or FLUSHALL: deletes everything before it.
    pub(super) cut: Stamp,
    /// No write of any key here came later.
    pub(super) newest: Hlc,
    live: usize,
    timed: usize,
    /// Members of some key have, or had, deadlines.
    pub(super) timed_members: bool,
}

/// The database that holds libraries of functions: no client selects it, and nothing that is said of all databases is said of it.
pub const LIBRARIES: u32 = u32::MAX;

/// Where a database lies: libraries first, then the numbered ones.
#[inline]
pub(super) const fn place_of(db: u32) -> usize {
    db.wrapping_add(1) as usize
}

type Watchers = HashMap<(u32, Box<[u8]>), Vec<Arc<AtomicBool>>>;

/// See the head of the file.
#[derive(Debug)]
pub struct Partition {
    pub(super) hasher: KeyHasher,
    /// By [`place_of`].
    pub(super) dbs: Vec<Db>,
    /// Counts whatever may change a library; shared by all partitions.
    pub(super) library_changes: Arc<AtomicU64>,
    pub(super) stamped: bool,
    /// Others judge the same writes: a reader only hides what has expired, it removes nothing.
    pub(super) shared: bool,
    /// Writes come from a master, by whose word members go.
    follows: bool,
    /// See [`crate::journal::Journal::judged`].
    judged: Arc<AtomicU64>,
    /// Keys to look at once the settled time has passed the given one.
    pub(super) settle: VecDeque<(Hlc, u32, Box<[u8]>)>,
    pub(super) walks: Vec<Walk>,
    pub(super) followers: Vec<Follower>,
    pub(super) merge_parity: bool,
    pub(super) merge_open: bool,
    watchers: Watchers,
    pub(super) waiters: Waiters,
    pub(super) news: NewsDesk,
    spare: Spare,
    pub(super) limits: Arc<SharedLimits>,
    /// The dictionary of origins, for what has no context of a write.
    pub(super) origins: Arc<Origins>,
    /// Memory for a value that is changed, kept from one to the next.
    room: Vec<u8>,
    /// What was made of the operation that is being carried out.
    made: Made,
    /// How many elements the last write added or removed.
    counted: u32,
    /// Keys whose histories may have operations that are to be carried out again.
    behind: HashSet<(u32, Box<[u8]>)>,
    /// Keys that the present command has swept, and at which moment.
    swept: Vec<(u32, Box<[u8]>, UnixMillis)>,
    /// What happened here.
    pub stats: PartitionStats,
}

impl Partition {
    /// An empty partition with `databases` databases.
    pub fn new(hasher: KeyHasher, databases: u32, stamped: bool) -> Self {
        Self {
            hasher,
            dbs: (0..=databases).map(|_| Db::default()).collect(),
            library_changes: Arc::default(),
            stamped,
            shared: stamped,
            follows: false,
            judged: Arc::default(),
            settle: VecDeque::new(),
            walks: Vec::new(),
            followers: Vec::new(),
            merge_parity: false,
            merge_open: false,
            watchers: HashMap::new(),
            waiters: Waiters::default(),
            news: NewsDesk::default(),
            spare: Spare::default(),
            limits: Arc::default(),
            origins: Arc::default(),
            room: Vec::new(),
            made: Made::default(),
            counted: 0,
            behind: HashSet::new(),
            swept: Vec::new(),
            stats: PartitionStats::default(),
        }
    }

    /// A library may have changed.
    pub(super) fn note_library(&self) {
        self.library_changes
            .fetch_add(1, std::sync::atomic::Ordering::Release);
    }

    /// Says where changes of libraries are counted.
    pub fn set_library_changes(&mut self, count: &Arc<AtomicU64>) {
        self.library_changes = Arc::clone(count);
    }

    /// Whether keys bear stamps.
    pub fn is_stamped(&self) -> bool {
        self.stamped
    }

    /// Says whether other nodes carry out the same writes, and whether all of them come from one of those.
    pub fn set_shared(&mut self, shared: bool, follows: bool) {
        self.shared = shared;
        self.follows = follows && !self.stamped;
    }

    /// Forgets everything and takes on this manner.
    pub fn reset(&mut self, stamped: bool) {
        for db in (0..self.databases()).chain([LIBRARIES]) {
            self.touch_all(db);
            self.dbs[place_of(db)] = Db::default();
        }
        self.settle.clear();
        self.walks.clear();
        self.lose_followers();
        self.stamped = stamped;
    }

    /// Says where it is said up to what collections are small.
    pub fn set_limits(&mut self, limits: &Arc<SharedLimits>) {
        self.limits = Arc::clone(limits);
    }

    /// Up to what collections are small, now.
    pub fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Whether a reader may write down, within the value, what it found. Where keys bear stamps no write comes of a read; whoever
    /// follows gets his master's; and where others have the same value they must be told.
    pub fn takes_notes(&self, is_recorded: bool) -> bool {
        !self.stamped && !self.follows && (is_recorded || !self.shared)
    }

    /// Says where origins are looked up.
    pub fn set_origins(&mut self, origins: &Arc<Origins>) {
        self.origins = Arc::clone(origins);
    }

    /// How many elements the last write of elements added or removed.
    pub fn last_count(&self) -> u32 {
        self.counted
    }

    /// What operations are carried out on, where they bear stamps as keys do.
    pub(super) fn ground<'a>(&'a self, origins: &'a Origins) -> Ground<'a> {
        Ground {
            hasher: &self.hasher,
            limits: self.limits.get(),
            origins,
            has_ids: self.stamped,
            made: Some(&self.made),
        }
    }

    pub(super) fn drop_unsettled(&mut self, db: u32, key: Key<'_>) {
        let space = &mut self.dbs[place_of(db)];
        if space
            .table
            .get(key.bytes, key.hash)
            .is_some_and(Record::is_unsettled)
        {
            space.unsettled.remove(key.bytes);
        }
    }

    /// Shows `value`.
    pub(super) fn store(&mut self, db: u32, key: Key<'_>, value: &[u8], meta: &Meta) -> Outcome {
        self.put(db, key, Fresh::string(value), meta);
        Outcome::Applied
    }

    /// Shows nothing, and remembers the delete until it is settled.
    pub(super) fn store_tombstone(&mut self, db: u32, key: Key<'_>, stamp: Stamp, unsettled: bool) {
        let meta = Meta {
            stamp: Some(stamp),
            tombstone: true,
            unsettled,
            ..Meta::default()
        };
        self.put(db, key, Fresh::string(b""), &meta);
        // One with a history is looked at because of that.
        if !unsettled {
            self.settle.push_back((stamp.time(), db, key.bytes.into()));
        }
    }

    /// A key that a merge has not met stays so while it is written to; a new one is newer than all that could be met.
    fn put(&mut self, db: u32, key: Key<'_>, value: Fresh<'_>, meta: &Meta) {
        let merge_mark = self.stamped && self.merge_parity;
        let meta = Meta {
            merge_mark,
            ..*meta
        };
        if value.has_spare() {
            self.spare.note(db, key.bytes);
        }
        let space = &mut self.dbs[place_of(db)];
        space.timed_members |= value.member_deadline().is_some();
        let (table, hasher) = (&mut space.table, &self.hasher);
        let was = table.put(hasher, key.hash, key.bytes, value, &meta);
        space.count(was, (!meta.tombstone, meta.deadline.is_some()));
    }

    /// Takes the record out altogether; whether it showed something, if it was there.
    pub(super) fn remove(&mut self, db: u32, key: Key<'_>) -> Option<bool> {
        let space = &mut self.dbs[place_of(db)];
        let was = space.table.remove(&self.hasher, key.hash, key.bytes)?;
        if was.unsettled {
            space.unsettled.remove(key.bytes);
        }
        space.count(Some(was), (false, false));
        Some(was.shown)
    }

    /// How many databases there are, that of libraries left out.
    pub fn databases(&self) -> u32 {
        self.dbs.len() as u32 - 1
    }

    /// The table of a database, for walks.
    pub fn table(&self, db: u32) -> &Table {
        &self.dbs[place_of(db)].table
    }

    /// All keys that show a job, and some that did, with their databases.
    pub fn jobs(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let of = |db: u32| self.table(db).jobs().map(move |key| (db, key));
        (0..self.databases()).flat_map(of)
    }

    /// A number that changes when a job is shown, or shown anew; not when one is shown no more.
    pub fn job_changes(&self) -> u64 {
        let of = |db: u32| self.table(db).job_changes();
        (0..self.databases()).map(of).fold(0, u64::wrapping_add)
    }

    /// Takes a key off that list, which shows none.
    pub fn forget_job(&mut self, db: u32, key: &[u8]) {
        self.dbs[place_of(db)].table.forget_job(key);
    }

    /// The last flush of a database.
    pub fn cut(&self, db: u32) -> Stamp {
        self.dbs[place_of(db)].cut
    }

    /// The unsettled operations of a key.
    pub fn unsettled(&self, db: u32, key: &[u8]) -> Option<&History> {
        self.dbs[place_of(db)].unsettled.get(key)
    }
}

impl Db {
    /// A write that bears a stamp of this time comes to a key.
    #[inline]
    pub(super) fn note_written(&mut self, key: Key<'_>, time: Hlc) {
        self.newest = self.newest.max(time);
        self.table.note_written(key.hash, time);
    }
}
