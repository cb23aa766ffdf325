//! One data command: lock what its row says, reserve its stamps, run its handler, publish what it did.
//!
//! A handler that panics costs an error reply. What it had changed by then is published as it stands, so that every
//! node shows the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use smallvec::SmallVec;

use crate::commands::blocking::Blocking;
use crate::commands::call::{Access, DataCall, partition_of};
use crate::commands::whole::Ahead;
use crate::commands::{Effects, Flags, Handler, Keys, Row, scan};
use crate::db::{Partition, Ready, Stamp, UnixMillis};
use crate::journal::{Record, Reservation, TraceBytes};
use crate::keyspace::ahead::Sources;
use crate::keyspace::apart::Copies;
use crate::keyspace::holds::nanos;
use crate::keyspace::late::Publishing;
use crate::keyspace::left::Left;
use crate::keyspace::{Guards, Keyspace, Laps};
use crate::resp::{Args, Reply};

/// Who calls, and when.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The selected database.
    pub db: u32,
    /// The clock.
    pub now: UnixMillis,
    /// The trace that a write belongs to.
    pub trace: Option<TraceBytes>,
}

/// Memory that a caller keeps from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) effects: Effects,
    /// The brief commands of a pipeline that is under way.
    pub laps: Laps,
    /// Whether the caller can wait, and whether he is to.
    pub blocking: Blocking,
    /// Where the call computes what it stores.
    pub(super) ahead: Ahead,
    /// Whose memory it is, where that is a client.
    pub client: Option<u64>,
    /// Where the caller will serve who waits: the keys that have become ready. Others call, and leave it at that.
    pub ready: Option<Vec<Ready>>,
    /// Whether the caller can wait while another thread does what is left of a long call.
    pub may_leave: bool,
    /// What is left of the last call, where he can.
    pub left: Option<Box<Left>>,
    /// The client wants to hear of changes of what it reads.
    pub tracks: bool,
    /// What the last call published, for simulations: how many effects and their bytes.
    #[cfg(feature = "ablation")]
    pub published: Option<(u32, bytes::Bytes)>,
}

impl Scratch {
    /// How many stamps the present call has taken.
    pub fn stamps_taken(&self) -> u32 {
        self.effects.count()
    }
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ran {
    /// The stamp of the record, where one was published.
    pub stamp: Option<Stamp>,
    /// The handler panicked.
    pub panicked: bool,
}

/// A call whose changes are made.
#[derive(Debug)]
pub(super) enum Begun<'k> {
    /// And published.
    Done(Ran),
    /// It is to be read from copies of its keys.
    Apart(Box<Copies>),
    /// What it stores is to be computed from copies of what it reads.
    Ahead(Box<Sources>),
    /// Its place is to be filled; whether it panicked.
    Late(Reservation<'k>, Publishing<'k>, bool),
}

/// What a client reads where a handler panicked.
pub(crate) const PANIC_REPLY: &str =
    "ERR internal error: the command failed and was logged; the server goes on";

impl Keyspace {
    /// Runs a data command. The caller has checked its arity; a row of another kind gets an error. Where he may leave, something
    /// may be left of it: the reply then comes of that.
    /// `first_hash` is the hash of argument 1, where it is known.
    #[inline]
    pub fn execute(
        &self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        if self.is_heard() {
            return self.execute_heard(row, args, first_hash, caller, scratch, reply);
        }
        match row.keys {
            Keys::One => {
                let hash = first_hash.unwrap_or_else(|| self.hash(args.get(1)));
                if !row.is_brief() || !scratch.laps.is_open() {
                    return self.execute_timed(row, args, hash, caller, scratch, reply);
                }
                let mut guard = self.partitions[partition_of(hash, self.partitions.len())].lock();
                let ran = self.run(
                    row,
                    args,
                    Some(hash),
                    caller,
                    scratch,
                    reply,
                    &mut Access::One(&mut guard),
                );
                scratch.laps.add(&self.holds);
                ran
            }
            _ => self.execute_many(row, args, first_hash, caller, scratch, reply),
        }
    }

    /// A command of one key whose hold is timed by itself.
    #[inline(never)]
    fn execute_timed(
        &self,
        row: &'static Row,
        args: Args<'_>,
        hash: u64,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let mut guard = self.partitions[partition_of(hash, self.partitions.len())].lock();
        let since = Instant::now();
        let mut access = Access::One(&mut guard);
        let begun = self.begin(row, args, Some(hash), caller, scratch, reply, &mut access);
        self.held(since, scratch);
        drop(guard);
        self.finish_call(begun, row, args, caller, scratch, reply)
    }

    /// Counts a hold that was timed by itself.
    #[inline(never)]
    fn held(&self, since: Instant, scratch: &mut Scratch) {
        let until = Instant::now();
        self.holds.record(nanos(until.duration_since(since)), 1);
        scratch.laps.leave_out(since, until, &self.holds);
    }

    fn execute_many(
        &self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        if let Some(partition) = self.only_partition(row, args, first_hash) {
            let is_in_lap = row.is_brief() && scratch.laps.is_open();
            let mut guard = self.partitions[partition].lock();
            let since = (!is_in_lap).then(Instant::now);
            let begun = self.begin(
                row,
                args,
                first_hash,
                caller,
                scratch,
                reply,
                &mut Access::One(&mut guard),
            );
            match since {
                None => scratch.laps.add(&self.holds),
                Some(since) => self.held(since, scratch),
            }
            drop(guard);
            return self.finish_call(begun, row, args, caller, scratch, reply);
        }
        // Each of several is timed by itself.
        scratch.laps.end_now(&self.holds);
        let mut guards = self.lock_for(row, args);
        let mut refs: Vec<Option<&mut Partition>> = guards
            .iter_mut()
            .map(|guard| guard.as_deref_mut())
            .collect();
        let begun = self.begin(
            row,
            args,
            first_hash,
            caller,
            scratch,
            reply,
            &mut Access::Many(&mut refs),
        );
        drop(guards);
        self.finish_call(begun, row, args, caller, scratch, reply)
    }

    /// The partition that holds all keys of a call with a list of keys, if one does: DEL, EXISTS and MGET of one key mostly.
    #[inline]
    pub(super) fn only_partition(
        &self,
        row: &Row,
        args: Args<'_>,
        first_hash: Option<u64>,
    ) -> Option<usize> {
        if !matches!(
            row.keys,
            Keys::Range { .. }
                | Keys::Counted { .. }
                | Keys::Sort
                | Keys::Stored { .. }
                | Keys::Streams { .. }
        ) || row.looks_anywhere(args)
        {
            return None;
        }
        let partition = |index| {
            let hash = first_hash.filter(|_| index == 1);
            let hash = hash.unwrap_or_else(|| self.hash(args.get(index)));
            partition_of(hash, self.partitions.len())
        };
        let mut keys = row.key_arguments(args);
        let first = partition(keys.next()?);
        keys.all(|index| partition(index) == first).then_some(first)
    }

    /// Locks, in order, the partitions that a call needs.
    pub(super) fn lock_for(&self, row: &Row, args: Args<'_>) -> Guards<'_> {
        let count = self.partitions.len();
        let mut needed: SmallVec<[bool; 64]> = SmallVec::from_elem(row.looks_anywhere(args), count);
        mark_needed(self, row, args, &mut needed);
        let mut guards = self.lock_needed(&needed);
        if matches!(row.keys, Keys::Cursor(_)) || row.looks_anywhere(args) {
            catch_up(&mut guards);
        }
        guards
    }

    pub(super) fn lock_needed(&self, needed: &[bool]) -> Guards<'_> {
        let needed = needed.iter().enumerate();
        needed
            .map(|(index, &needed)| needed.then(|| self.lock(index)))
            .collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the hot path passes what it has, without a struct to fill"
    )]
    #[inline]
    pub(super) fn run(
        &self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
        access: &mut Access<'_>,
    ) -> Ran {
        let begun = self.begin(row, args, first_hash, caller, scratch, reply, access);
        self.finish_call(begun, row, args, caller, scratch, reply)
    }

    /// All that needs the partitions: what was done is published, unless that takes long.
    #[expect(clippy::too_many_arguments, reason = "see `run`")]
    #[inline]
    pub(super) fn begin(
        &self,
        row: &Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
        access: &mut Access<'_>,
    ) -> Begun<'_> {
        let writes = row.flags.has(Flags::WRITE) || self.takes_notes(row);
        if row.flags.has_any(Flags::WHOLE.and(Flags::AHEAD))
            && let Some(begun) = self.begin_apart(row, args, caller, scratch, access)
        {
            return begun;
        }
        if !writes || !self.is_recording() {
            let panicked = self.call(row, args, first_hash, caller, None, scratch, reply, access);
            take_ready(access, scratch, caller);
            return Begun::Done(Ran {
                stamp: None,
                panicked,
            });
        }
        let reservation = self
            .journal
            .reserve(row.stamps_max(args.len(), self.databases), caller.now);
        let first = reservation.first();
        let panicked = self.call(
            row,
            args,
            first_hash,
            caller,
            Some(first),
            scratch,
            reply,
            access,
        );
        take_ready(access, scratch, caller);
        self.conclude(reservation, panicked, caller, scratch)
    }

    /// Whether a reader may leave something within the value, which is to be recorded.
    #[inline]
    pub(super) fn takes_notes(&self, row: &Row) -> bool {
        row.takes_notes() && !self.is_stamped() && !self.is_following()
    }

    /// Publishes what was done, unless that takes long. The caller holds the partitions.
    #[inline]
    pub(super) fn conclude<'k>(
        &'k self,
        reservation: Reservation<'k>,
        panicked: bool,
        caller: &Caller,
        scratch: &mut Scratch,
    ) -> Begun<'k> {
        if scratch.effects.is_late() {
            return Begun::Late(reservation, self.late.begin(), panicked);
        }
        Begun::Done(Ran {
            stamp: self.publish(reservation, caller, scratch),
            panicked,
        })
    }

    /// What is left to do, best without the partitions.
    #[inline]
    pub(super) fn finish(&self, begun: Begun<'_>, caller: &Caller, scratch: &mut Scratch) -> Ran {
        match begun {
            Begun::Done(ran) => ran,
            // Nothing was changed: see `finish_call`.
            Begun::Apart(_) | Begun::Ahead(_) => Ran::default(),
            Begun::Late(reservation, _until_published, panicked) => Ran {
                stamp: self.publish(reservation, caller, scratch),
                panicked,
            },
        }
    }

    /// Fills a reservation with what was done.
    pub(super) fn publish(
        &self,
        reservation: Reservation<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
    ) -> Option<Stamp> {
        let count = scratch.effects.count();
        if count == 0 {
            return None;
        }
        if scratch.effects.is_late() {
            scratch.effects.make_late();
        }
        let payload = scratch.effects.take_payload();
        #[cfg(feature = "ablation")]
        {
            scratch.published = Some((count, payload.clone()));
        }
        Some(reservation.publish(Record {
            count,
            payload,
            trace: caller.trace,
        }))
    }

    /// Runs the handler; says whether it panicked.
    #[expect(clippy::too_many_arguments, reason = "see `run`")]
    #[inline]
    pub(super) fn call(
        &self,
        row: &Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        stamp: Option<Stamp>,
        scratch: &mut Scratch,
        reply: &mut Reply,
        access: &mut Access<'_>,
    ) -> bool {
        let Handler::Data(handler) = row.handler else {
            reply.error("ERR this command is not carried out here");
            return false;
        };
        let mark = reply.mark();
        // Expiry for a recorded write is judged by its own stamp, as every other node will judge it, its master's or its
        // replica's alike. A read within a transaction hides by the clock as any other.
        let now = match stamp {
            Some(stamp) if row.flags.has(Flags::WRITE) || self.takes_notes(row) => {
                stamp.time().millis()
            }
            _ => caller.now,
        };
        let setting = self.setting();
        let (effects, blocking) = (&mut scratch.effects, &mut scratch.blocking);
        let ahead = &mut scratch.ahead;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut call = DataCall {
                args,
                reply: &mut *reply,
                db: caller.db,
                now,
                wall: caller.now,
                setting,
                access,
                effects,
                stamp,
                first_hash,
                panic_after_mutation: &self.panic_after_mutation,
                blocking,
                ahead,
            };
            handler(&mut call);
        }));
        match ran {
            Ok(()) => false,
            Err(_) => {
                tracing::error!(command = row.name, "a command panicked");
                reply.truncate(mark);
                reply.error(PANIC_REPLY);
                true
            }
        }
    }
}

/// Somebody may wait for what was written; the partitions are about to be let go.
#[inline]
pub(super) fn take_ready(access: &mut Access<'_>, scratch: &mut Scratch, caller: &Caller) {
    for partition in access.iter_mut() {
        partition.undo_sweeps(Some(caller.now));
        match &mut scratch.ready {
            Some(ready) => partition.take_ready(ready),
            None => partition.call_ready(),
        }
    }
}

/// Before whole tables are looked at.
pub(super) fn catch_up(guards: &mut Guards<'_>) {
    for guard in guards.iter_mut().flatten() {
        guard.catch_up_all();
    }
}

/// Marks the partitions of a call's keys.
pub(super) fn mark_needed(keyspace: &Keyspace, row: &Row, args: Args<'_>, needed: &mut [bool]) {
    let count = needed.len();
    match row.keys {
        _ if row.looks_anywhere(args) => needed.fill(true),
        Keys::Cursor(argument) => {
            // A cursor that cannot be read gets its error from the handler, which then needs no partition.
            let cursor = args
                .try_get(usize::from(argument))
                .and_then(scan::parse_cursor)
                .unwrap_or(0);
            needed[scan::cursor_partition(cursor, count)..].fill(true);
        }
        _ => {
            for index in row.key_arguments(args) {
                needed[partition_of(keyspace.hash(args.get(index)), count)] = true;
            }
        }
    }
}
