//! What a data command gets: its arguments, its reply, the partitions it may touch, and the one door through which it changes
//! them, which records every effect.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::commands::effects::{Effect, Effects};
use crate::db::table::KeyHasher;
use crate::db::{Hlc, Key, Op, Origins, Outcome, Partition, Stamp, UnixMillis, View, WriteContext};
use crate::resp::{Args, Reply};

/// The locked partitions of a call.
pub enum Access<'p> {
    /// The one that holds all its keys.
    One(&'p mut Partition),
    /// Those that it may need, in order of their numbers; the others are none.
    Many(&'p mut [Option<&'p mut Partition>]),
}

/// The partition of a hash among `count`, a power of two.
#[inline]
pub fn partition_of(hash: u64, count: usize) -> usize {
    (hash >> 48) as usize & (count - 1)
}

/// What stays the same for all commands of a server.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Hashes keys.
    pub hasher: &'a KeyHasher,
    /// Orders equal times.
    pub origins: &'a Origins,
    /// Everything up to here has arrived.
    pub settled: Hlc,
    /// How many databases there are.
    pub databases: u32,
    /// A random number, new with each call.
    pub random: u64,
}

/// One call of a data command.
pub struct DataCall<'a, 'p> {
    /// The arguments, the name first.
    pub args: Args<'a>,
    /// Where the reply goes.
    pub reply: &'a mut Reply,
    /// The selected database.
    pub db: u32,
    /// The moment of the call: for a stamped write that of its stamp, for anything else the clock's.
    pub now: UnixMillis,
    /// See [`Setting`].
    pub setting: Setting<'a>,
    /// The partitions.
    pub access: &'a mut Access<'p>,
    /// What was done so far.
    pub effects: &'a mut Effects,
    /// The next stamp, where the call is recorded.
    pub stamp: Option<Stamp>,
    /// The hash of argument 1, where it was computed with the batch.
    pub first_hash: Option<u64>,
    /// Keys that were looked up and found, and not found.
    pub hits: (u64, u64),
    /// For tests: raised, the next recorded or plain change panics.
    pub panic_after_mutation: &'a AtomicBool,
}

impl<'a, 'p> DataCall<'a, 'p> {
    /// Argument `index` as a key.
    #[inline]
    pub fn key(&self, index: usize) -> Key<'a> {
        let bytes = self.args.get(index);
        let hash = match self.first_hash {
            Some(hash) if index == 1 => hash,
            _ => self.setting.hasher.hash(bytes),
        };
        Key { bytes, hash }
    }

    /// The partition of a key.
    #[inline]
    pub fn partition(&mut self, hash: u64) -> &mut Partition {
        match self.access {
            Access::One(partition) => partition,
            Access::Many(partitions) => {
                let index = partition_of(hash, partitions.len());
                partitions[index]
                    .as_deref_mut()
                    .expect("the executor locked the partitions of all keys in the row")
            }
        }
    }

    /// What a key shows. Does not count as a hit or a miss.
    #[inline]
    pub fn view(&mut self, key: Key<'_>) -> Option<View<'_>> {
        let (db, now) = (self.db, self.now);
        let partition = self.partition(key.hash);
        if !partition.is_stamped() && partition.is_expired(db, key, now) {
            partition.remove_expired(db, key);
        }
        partition.view(db, key, now)
    }

    /// Counts a look-up for INFO's keyspace_hits and keyspace_misses.
    #[inline]
    pub fn count_lookup(&mut self, found: bool) {
        if found {
            self.hits.0 += 1;
        } else {
            self.hits.1 += 1;
        }
    }

    /// Changes a key and records the effect. The caller has checked that the operation fits.
    #[inline]
    pub fn apply(&mut self, key: Key<'_>, op: Op<'_>) -> Outcome {
        let (db, context) = (self.db, self.context());
        let outcome = self.partition(key.hash).apply(db, key, op, &context);
        self.record(Effect::Key {
            db,
            key: key.bytes,
            op,
        });
        if self.panic_after_mutation.load(Ordering::Relaxed) {
            self.panic_as_asked();
        }
        outcome
    }

    /// Empties a database; what was in it is handed back to be freed.
    pub fn flush(&mut self, db: u32) -> Vec<crate::db::settle::Flushed> {
        let context = self.context();
        let Access::Many(partitions) = self.access else {
            return Vec::new();
        };
        let flushed = partitions
            .iter_mut()
            .flatten()
            .map(|partition| partition.flush(db, true, &context).1)
            .collect();
        self.record(Effect::Flush { db });
        flushed
    }

    #[cold]
    fn panic_as_asked(&self) {
        if self.panic_after_mutation.swap(false, Ordering::Relaxed) {
            panic!("asked to panic after the first change");
        }
    }

    fn context(&self) -> WriteContext<'a> {
        WriteContext {
            stamp: self.stamp.unwrap_or(Stamp::ZERO),
            now: self.now,
            settled: self.setting.settled,
            origins: self.setting.origins,
        }
    }

    #[inline]
    fn record(&mut self, effect: Effect<'_>) {
        if let Some(stamp) = self.stamp {
            self.effects.push(effect);
            self.stamp = Some(Stamp::new(stamp.time().plus(1), stamp.origin()));
        }
    }

    /// All locked partitions, for commands that look at whole databases.
    pub fn partitions(&mut self) -> impl Iterator<Item = &mut Partition> {
        let (one, many) = match self.access {
            Access::One(partition) => (Some(&mut **partition), None),
            Access::Many(partitions) => (
                None,
                Some(partitions.iter_mut().flatten().map(|p| &mut **p)),
            ),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
