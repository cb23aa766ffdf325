//! What a data command gets: its arguments, its reply, the partitions it may touch, and the one door through which it changes
//! them, which records every effect.
//!
//! Looking at a key and writing the reply happen in one closure, so that a value goes from the table into the reply
//! without a copy between them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::commands::blocking::Blocking;
use crate::commands::effects::{Effect, Effects, LateValue, is_better_late};
use crate::commands::whole::Ahead;
use crate::db::body::Body;
use crate::db::live::content_of;
use crate::db::news::{Attention, Event, events_of};
use crate::db::op::{Content, Kind};
use crate::db::partition::Look;
use crate::db::settle::Flushed;
use crate::db::table::KeyHasher;
use crate::db::{
    Expiry, Hlc, Key, Op, Origins, Outcome, Partition, Stamp, UnixMillis, View, WriteContext,
};
use crate::resp::{Args, Reply};

pub use crate::commands::access::{Access, partition_of};

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
    /// Where [`Self::random`] goes on.
    pub randomness: &'a AtomicU64,
    /// See [`Self::string_len_max`].
    pub string_len_max: &'a AtomicUsize,
}

impl Setting<'_> {
    /// The longest string that APPEND and SETRANGE may make here; what they make elsewhere of the same is not asked. Only who
    /// asks pays for the shared number.
    pub fn string_len_max(&self) -> usize {
        self.string_len_max.load(Ordering::Relaxed)
    }

    /// A random number. Only who asks pays for the shared counter.
    pub fn random(&self) -> u64 {
        // A Weyl sequence, mixed once: enough for RANDOMKEY, and no lock.
        let step = 0x9e37_79b9_7f4a_7c15;
        let number = self.randomness.fetch_add(step, Ordering::Relaxed);
        let mixed = (number ^ (number >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }
}

/// One call of a data command.
pub struct DataCall<'a, 'p> {
    /// The arguments, the name first.
    pub args: Args<'a>,
    /// Where the reply goes.
    pub reply: &'a mut Reply,
    /// The selected database.
    pub db: u32,
    /// The moment that expiry is judged by: for a recorded write that of its stamp, for anything else the clock's.
    pub now: UnixMillis,
    /// The clock: what "in ten seconds" counts from. A stamp may be ahead of it, and a time to live must not grow by that.
    pub wall: UnixMillis,
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
    /// For tests: raised, the next recorded or plain change panics.
    pub panic_after_mutation: &'a AtomicBool,
    /// For commands that may wait.
    pub blocking: &'a mut Blocking,
    /// For commands that store what they compute.
    pub ahead: &'a mut Ahead,
}

impl<'a> DataCall<'a, '_> {
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

    /// Looks a key up for its reader: counts as a hit or a miss, and hands over the reply beside what was found.
    #[inline]
    pub fn read<R>(
        &mut self,
        key: Key<'_>,
        f: impl FnOnce(Option<View<'_>>, &mut Reply) -> R,
    ) -> R {
        let partition = self.access.partition(key.hash);
        match partition.look(self.db, key, self.now) {
            Look::Live(view) => {
                let result = f(Some(view), self.reply);
                partition.stats.hits += 1;
                return result;
            }
            Look::Expired => partition.remove_expired(self.db, key),
            Look::Absent => {}
        }
        partition.stats.misses += 1;
        partition.note_event(self.db, key.bytes, (Attention::KEY_MISS, "keymiss"));
        f(None, self.reply)
    }

    /// Looks a key up for its writer: counts nowhere, as in Redis.
    #[inline]
    pub fn look<R>(&mut self, key: Key<'_>, f: impl FnOnce(Option<View<'_>>) -> R) -> R {
        let partition = self.access.partition(key.hash);
        match partition.look(self.db, key, self.now) {
            Look::Live(view) => return f(Some(view)),
            Look::Expired => partition.remove_expired(self.db, key),
            Look::Absent => {}
        }
        f(None)
    }

    /// Whether a key is there. Counts nowhere.
    #[inline]
    pub fn exists(&mut self, key: Key<'_>) -> bool {
        self.look(key, |view| view.is_some())
    }

    /// Changes a key and records the effect. The caller has checked that the operation fits and changes something.
    #[inline]
    pub fn apply(&mut self, key: Key<'_>, op: Op<'_>) -> Outcome {
        let (db, mut context) = (self.db, self.context());
        if let Some(stamp) = self.stamp {
            let time = stamp.time().plus(u64::from(op.stamps()) - 1);
            context.stamp = Stamp::new(time, stamp.origin());
        }
        let outcome = self.access.partition(key.hash).apply(db, key, op, &context);
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

    /// How many elements the last change of a key added or removed.
    #[inline]
    pub fn last_count(&mut self, key: Key<'_>) -> u32 {
        self.access.partition(key.hash).last_count()
    }

    /// The same with SET or PUT, quietly, of a value that need not be copied.
    pub fn put_quietly(&mut self, key: Key<'_>, body: Body, deadline: Option<UnixMillis>) {
        self.put_whole(key, body, deadline);
        if self.panic_after_mutation.load(Ordering::Relaxed) {
            self.panic_as_asked();
        }
    }

    /// The same as [`Self::apply_quietly`] with PUT of this content, of which `body` was made ahead.
    pub fn put_made_quietly(
        &mut self,
        key: Key<'_>,
        content: Vec<u8>,
        body: Body,
        deadline: Option<UnixMillis>,
    ) {
        let (db, context) = (self.db, self.context());
        let op = Op::Put(Content::of(&content), deadline);
        let partition = self.access.partition(key.hash);
        partition.keep_next_quiet();
        partition.apply_made(db, key, op, body, &context);
        if self.stamp.is_some() {
            let value = LateValue::Content(content);
            self.effects.push_late(db, key.bytes, value, deadline);
            self.count_stamps(1);
        }
        if self.panic_after_mutation.load(Ordering::Relaxed) {
            self.panic_as_asked();
        }
    }

    fn put_whole(&mut self, key: Key<'_>, body: Body, deadline: Option<UnixMillis>) {
        let (db, context) = (self.db, self.context());
        let is_list = body.kind() == Kind::List;
        if self.stamp.is_some() && is_better_late(&body) {
            self.effects
                .push_late(db, key.bytes, LateValue::Body(body.clone()), deadline);
            self.count_stamps(1);
            let partition = self.access.partition(key.hash);
            partition.keep_next_quiet();
            partition.apply_whole(db, key, body, deadline, &context);
            return;
        }
        let mut bytes = Vec::new();
        if self.stamp.is_some() && !matches!(body, Body::String(_)) {
            content_of(body.whole(), false, &mut bytes);
        }
        let op = match &body {
            Body::String(value) => Op::Set(value, deadline.map_or(Expiry::Clear, Expiry::At)),
            _ => Op::Put(Content::of(&bytes), deadline),
        };
        self.record(Effect::Key {
            db,
            key: key.bytes,
            op,
        });
        let partition = self.access.partition(key.hash);
        partition.keep_next_quiet();
        if self.stamp.is_some() && is_list {
            // Its elements get the names that every node gives them.
            partition.apply(db, key, op, &context);
        } else {
            partition.apply_whole(db, key, body, deadline, &context);
        }
    }

    /// Moves what a key shows to another key, of database `db`, quietly: a SET there and a DEL here. Of the value nothing is
    /// copied but what others are told.
    pub fn move_quietly(&mut self, from: Key<'_>, to: Key<'_>, db: u32) {
        let (now, context) = (self.now, self.context());
        let partition = self.access.partition(from.hash);
        let Some(view) = partition.view(self.db, from, now) else {
            return;
        };
        let deadline = view.deadline;
        let Some(body) = partition.take_body(self.db, from, &context) else {
            return;
        };
        // A test's panic comes after both: half of it would be a value that is nowhere.
        self.in_database(db, |call| call.put_whole(to, body, deadline));
        self.apply_quietly(from, Op::Del);
    }

    /// The same of a command with an event of its own, which it tells with [`Self::tell`]. Other masters name it by its effect.
    pub fn apply_quietly(&mut self, key: Key<'_>, op: Op<'_>) -> Outcome {
        self.access.partition(key.hash).keep_next_quiet();
        self.apply(key, op)
    }

    /// Tells those who listen of an event that fits any type.
    pub fn tell(&mut self, key: Key<'_>, name: &'static str) {
        self.tell_of(key, Attention::GENERIC, name);
    }

    /// The same of an event of one type.
    pub fn tell_of(&mut self, key: Key<'_>, class: Attention, name: &'static str) {
        let db = self.db;
        let partition = self.access.partition(key.hash);
        partition.note_event(db, key.bytes, (class, name));
    }

    /// Tells those who listen of an event of this class, and that the key went if it is there no more.
    pub fn tell_as(&mut self, key: Key<'_>, event: Event) {
        let (db, now) = (self.db, self.now);
        let partition = self.access.partition(key.hash);
        partition.note_event(db, key.bytes, event);
        if partition.is_listening() && partition.view(db, key, now).is_none() {
            partition.note_event(db, key.bytes, (Attention::GENERIC, "del"));
        }
    }

    /// Says of a write that leaves everything as it was that it was one: who watches the key is told, nobody else.
    #[inline]
    pub fn touch(&mut self, key: Key<'_>) {
        self.access.partition(key.hash).touch(self.db, key.bytes);
    }

    /// The same of a write that Redis tells as an event whether or not it changes anything: of `op`.
    #[inline]
    pub fn touch_as(&mut self, key: Key<'_>, op: &Op<'_>) {
        let db = self.db;
        let partition = self.access.partition(key.hash);
        partition.touch(db, key.bytes);
        partition.note_event(db, key.bytes, events_of(op).0);
    }

    /// Empties a database; what was in it is handed back to be freed. The row must lock all partitions.
    pub fn flush(&mut self, db: u32) -> Vec<Flushed> {
        let context = self.context();
        let flush = |partition: &mut Partition| partition.flush(db, true, &context).1;
        let flushed = self.access.iter_mut().map(flush).collect();
        self.record(Effect::Flush { db });
        flushed
    }

    /// Whether keys bear stamps: there are other masters, or may be.
    pub fn is_stamped(&self) -> bool {
        self.access.iter().next().is_some_and(Partition::is_stamped)
    }

    /// Works in another database for as long as `f` takes.
    pub fn in_database<R>(&mut self, db: u32, f: impl FnOnce(&mut Self) -> R) -> R {
        let own = std::mem::replace(&mut self.db, db);
        let result = f(self);
        self.db = own;
        result
    }

    /// Lets two databases change places. The row must lock all partitions, and keys must not bear stamps.
    pub fn swap_databases(&mut self, db: u32, with: u32) {
        for partition in self.access.iter_mut() {
            partition.swap(db, with);
        }
        self.record(Effect::Swap { db, with });
    }

    #[cold]
    fn panic_as_asked(&self) {
        if self.panic_after_mutation.swap(false, Ordering::Relaxed) {
            panic!("asked to panic after the first change");
        }
    }

    #[inline]
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
        if self.stamp.is_some() {
            self.effects.push(effect);
            self.count_stamps(effect.stamps());
        }
    }

    #[inline]
    fn count_stamps(&mut self, count: u32) {
        if let Some(stamp) = self.stamp {
            let next = stamp.time().plus(u64::from(count));
            self.stamp = Some(Stamp::new(next, stamp.origin()));
        }
    }
}
