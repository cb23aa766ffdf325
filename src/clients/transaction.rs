//! MULTI, DISCARD, WATCH, UNWATCH: what EXEC will carry out, and under which condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clients::conversation::Conversation;
use crate::commands::Row;
use crate::db::op::is_expired;
use crate::db::{Key, UnixMillis};
use crate::keyspace::{Caller, Keyspace, Queued};
use crate::resp::{Args, Reply, Span};

/// What has been queued since MULTI.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The commands.
    pub queue: Vec<Queued>,
    /// Bytes of their arguments, counted against the query buffer's limit.
    pub bytes: usize,
    /// How many arguments they have.
    arguments: usize,
    /// A command was refused: EXEC will be, too.
    pub spoilt: bool,
}

impl Transaction {
    /// Memory of what is queued.
    pub fn len_bytes(&self) -> usize {
        self.bytes + self.arguments * size_of::<Span>() + self.queue.len() * size_of::<Queued>()
    }

    /// Whether a command of it may bring about something on other nodes.
    pub fn may_replicate(&self) -> bool {
        self.queue.iter().any(|queued| queued.row.may_replicate())
    }

    /// Adds a command.
    pub fn queue(&mut self, row: &'static Row, args: Args<'_>) {
        if self.spoilt {
            // It will not run, so nothing is kept, as in Redis.
            return;
        }
        let Some(queued) = Queued::new(row, args) else {
            self.spoilt = true;
            return;
        };
        self.bytes += args.iter().map(<[u8]>::len).sum::<usize>();
        self.arguments += args.len();
        self.queue.push(queued);
    }
}

/// The watched keys of a connection. Dropping it ends the watches.
#[derive(Debug)]
pub struct Watch {
    keyspace: Arc<Keyspace>,
    keys: Vec<Watched>,
    changed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Watched {
    db: u32,
    key: Vec<u8>,
    /// When it goes if nobody writes to it, which would be a change anyway. None where its time had come before WATCH.
    deadline: Option<UnixMillis>,
}

impl Watch {
    /// No keys.
    pub fn new(keyspace: Arc<Keyspace>) -> Self {
        Self {
            keyspace,
            keys: Vec::new(),
            changed: Arc::default(),
        }
    }

    /// Raised once one of them has changed.
    pub fn changed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.changed)
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Memory of their list.
    pub fn len_bytes(&self) -> usize {
        self.keys.len() * size_of::<Watched>()
    }

    /// Watches one more.
    pub fn add(&mut self, key: &[u8], caller: &Caller) {
        let db = caller.db;
        if self
            .keys
            .iter()
            .any(|other| other.db == db && other.key == key)
        {
            return;
        }
        let hash = self.keyspace.hash(key);
        let mut partition = self.keyspace.lock_hash(hash);
        let deadline = partition
            .view(db, Key { bytes: key, hash }, caller.now)
            .and_then(|view| view.deadline);
        partition.watch(db, key, Arc::clone(&self.changed));
        drop(partition);
        self.keys.push(Watched {
            db,
            key: key.to_vec(),
            deadline,
        });
    }

    /// All of them.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(|watched| watched.key.as_slice())
    }

    /// Whether one of them has changed.
    pub fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// What each of them shows: its database, itself, and a digest.
    pub fn digests(&self, now: UnixMillis) -> Vec<(u32, Vec<u8>, u128)> {
        let shown = |watched: &Watched| {
            let digest = self.keyspace.digest_of(watched.db, &watched.key, now);
            (watched.db, watched.key.clone(), digest)
        };
        self.keys.iter().map(shown).collect()
    }

    /// Whether a watched key's time has come since.
    pub fn has_expired(&self, caller: &Caller) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|watched| is_expired(watched.deadline, caller.now))
    }

    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Ends all watches.
    pub fn clear(&mut self) {
        for watched in self.keys.drain(..) {
            self.keyspace
                .lock_hash(self.keyspace.hash(&watched.key))
                .unwatch(watched.db, &watched.key, &self.changed);
        }
        self.changed.store(false, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Conversation {
    pub(super) fn multi(&mut self, reply: &mut Reply) {
        if self.transaction.is_some() {
            // Redis does not spoil the transaction for this.
            return reply.error("ERR MULTI calls can not be nested");
        }
        self.transaction = Some(Transaction::default());
        reply.ok();
    }

    pub(super) fn discard_command(&mut self, reply: &mut Reply) {
        if self.transaction.is_none() {
            return reply.error("ERR DISCARD without MULTI");
        }
        self.discard();
        reply.ok();
    }

    pub(super) fn watch_command(&mut self, args: Args<'_>, reply: &mut Reply) {
        if self.transaction.is_some() {
            return reply.error("ERR WATCH inside MULTI is not allowed");
        }
        for key in args.skip(1) {
            self.watch.add(key, &self.caller);
        }
        reply.ok();
    }
}
