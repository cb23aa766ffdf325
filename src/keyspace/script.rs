//! A script: commands that nobody knows beforehand, under locks that are held from its first to its last, as one record.
//!
//! Which partitions it will touch is a guess: what it needs beyond that is locked when it turns out, in order where that can be, else
//! only where it is to be had soon, so that nobody waits for each other for ever. How many stamps it will take is not known either:
//! some are reserved before its first write, and more behind them for as long as nobody else has taken any.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::commands::call::{Access, partition_of};
use crate::commands::{Flags, Keys, Row};
use crate::db::{Partition, Stamp};
use crate::journal::Reservation;
use crate::keyspace::execute::{Begun, catch_up, mark_needed, take_ready};
use crate::keyspace::transaction::Queued;
use crate::keyspace::{Caller, Held, Keyspace, Ran, Scratch};
use crate::resp::{Args, Reply};

/// Stamps reserved before a first write, unless more are known to be needed.
const STAMPS: u32 = 64;
/// How long a partition is waited for that may be held by who waits for this script.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a script is expected to touch.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// The keys of this call.
    Declared(&'a Row, Args<'a>),
    /// Anything.
    All,
}

/// What became of a script's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staged {
    /// It was carried out.
    Done,
    /// A partition that it needs was not to be had.
    OutOfReach,
    /// It needs more stamps than there are.
    NoStamps,
}

/// Partitions that were locked later than others, by their numbers.
type Extra<'k> = SmallVec<[(usize, Held<'k>); 2]>;

/// Where a script's commands are carried out.
pub struct Stage<'s, 'p, 'k> {
    keyspace: &'k Keyspace,
    access: &'s mut Access<'p>,
    /// Locked later than the others.
    extra: Extra<'k>,
    reservation: &'s mut Option<Reservation<'k>>,
    /// How many stamps to begin with.
    stamps: u32,
    is_whole: bool,
    /// When the first of them were locked.
    since: Option<Instant>,
    /// Which one it is, where that is one alone.
    only: Option<usize>,
    /// By partition: whether it touched that.
    touched: SmallVec<[bool; 64]>,
    /// It has touched more than was expected.
    has_strayed: bool,
    /// A command panicked.
    panicked: bool,
}

impl<'s, 'p, 'k> Stage<'s, 'p, 'k> {
    pub(super) fn new(
        keyspace: &'k Keyspace,
        access: &'s mut Access<'p>,
        reservation: &'s mut Option<Reservation<'k>>,
        stamps: u32,
    ) -> Self {
        let is_whole = access.iter().count() == keyspace.partitions_len();
        Self {
            keyspace,
            access,
            extra: SmallVec::new(),
            reservation,
            stamps: stamps.max(STAMPS),
            is_whole,
            since: None,
            only: None,
            touched: SmallVec::from_elem(false, keyspace.partitions_len()),
            has_strayed: false,
            panicked: false,
        }
    }

    pub(super) fn parts(&mut self) -> (&'k Keyspace, &mut Access<'p>) {
        (self.keyspace, &mut *self.access)
    }

    /// When it began, where somebody looked at the clock.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Whether it touched what nobody had expected.
    pub fn has_strayed(&self) -> bool {
        self.has_strayed
    }

    /// Whether it touched no partition but those of the keys of this call.
    pub fn kept_to(&self, row: &Row, args: Args<'_>) -> bool {
        let mut declared: SmallVec<[bool; 64]> =
            SmallVec::from_elem(false, self.keyspace.partitions_len());
        mark_needed(self.keyspace, row, args, &mut declared);
        let mut pairs = self.touched.iter().zip(&declared);
        pairs.all(|(touched, declared)| *declared || !touched)
    }

    /// Whether a command panicked.
    pub fn has_panicked(&self) -> bool {
        self.panicked
    }

    /// Carries out a command over data.
    pub fn carry_out(
        &mut self,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Staged {
        let count = self.keyspace.partitions_len();
        let mut touched: SmallVec<[usize; 8]> = SmallVec::new();
        let mut first_hash = None;
        let looks_anywhere =
            matches!(row.keys, Keys::All | Keys::Cursor(_)) || row.looks_anywhere(args);
        if looks_anywhere {
            touched.extend(0..count);
        } else {
            for index in row.key_arguments(args) {
                let hash = self.keyspace.hash(args.get(index));
                if index == 1 {
                    first_hash = Some(hash);
                }
                touched.push(partition_of(hash, count));
            }
        }
        for &index in &touched {
            if let Some(touched) = self.touched.get_mut(index) {
                *touched = true;
            }
        }
        if !self.is_whole && !self.reach(&touched) {
            return Staged::OutOfReach;
        }
        let writes = row.flags.has(Flags::WRITE) || self.keyspace.takes_notes(row);
        if writes && self.keyspace.is_recording() {
            let needed = row.stamps_max(args.len(), self.keyspace.databases);
            if !self.make_room(needed, caller, scratch) {
                return Staged::NoStamps;
            }
        }
        let next = self.reservation.as_ref().map(|reservation| {
            let first = reservation.first();
            let done = u64::from(scratch.effects.count());
            Stamp::new(first.time().plus(done), first.origin())
        });
        let (keyspace, access) = (self.keyspace, &mut *self.access);
        let mut act = |access: &mut Access<'_>| {
            let panicked =
                keyspace.call(row, args, first_hash, caller, next, scratch, reply, access);
            if looks_anywhere {
                for partition in access.iter_mut() {
                    partition.undo_sweeps(Some(caller.now));
                }
            } else {
                for &index in &touched {
                    if let Some(partition) = at_mut(access, index) {
                        partition.undo_sweeps(Some(caller.now));
                    }
                }
            }
            if scratch.tracks {
                keyspace.gather(scratch.client, access.iter_mut());
                keyspace.remember(row, args, scratch);
            }
            panicked
        };
        self.panicked |= if self.extra.is_empty() {
            act(access)
        } else {
            let mut refs: Vec<Option<&mut Partition>> = (0..count).map(|_| None).collect();
            match access {
                Access::One(partition) => {
                    if let Some(place) = self.only.and_then(|only| refs.get_mut(only)) {
                        *place = Some(&mut **partition);
                    }
                }
                Access::Many(partitions) => {
                    for (place, partition) in refs.iter_mut().zip(partitions.iter_mut()) {
                        *place = partition.as_deref_mut();
                    }
                }
            }
            for (index, held) in &mut self.extra {
                if let Some(place) = refs.get_mut(*index) {
                    *place = Some(&mut **held);
                }
            }
            act(&mut Access::Many(&mut refs))
        };
        Staged::Done
    }

    /// Whether it has this partition.
    fn holds(&self, index: usize) -> bool {
        let is_first = match self.only {
            Some(only) => only == index,
            None => self.access.at(index).is_some(),
        };
        is_first || self.extra.iter().any(|(extra, _)| *extra == index)
    }

    /// Locks what is needed beyond what was expected.
    fn reach(&mut self, touched: &[usize]) -> bool {
        let mut missing: SmallVec<[usize; 8]> = touched
            .iter()
            .copied()
            .filter(|index| !self.holds(*index))
            .collect();
        if missing.is_empty() {
            return true;
        }
        self.has_strayed = true;
        missing.sort_unstable();
        missing.dedup();
        for index in missing {
            let count = self.keyspace.partitions_len();
            let is_in_order = !(index + 1..count).any(|other| self.holds(other));
            let mut held = if is_in_order {
                self.keyspace.lock(index)
            } else {
                match self.keyspace.try_lock(index, PATIENCE) {
                    Some(held) => held,
                    None => return false,
                }
            };
            held.catch_up_all();
            self.extra.push((index, held));
        }
        true
    }

    /// Sees to it that so many stamps are left.
    pub(super) fn make_room(&mut self, needed: u32, caller: &Caller, scratch: &Scratch) -> bool {
        let keyspace = self.keyspace;
        let reservation = self.reservation.get_or_insert_with(|| {
            keyspace
                .journal
                .reserve(needed.max(self.stamps), caller.now)
        });
        let wanted = scratch.effects.count().saturating_add(needed);
        if wanted <= reservation.stamps() {
            return true;
        }
        // Twice as many, so that long scripts ask seldom.
        let missing = wanted - reservation.stamps();
        reservation.extend(missing.max(reservation.stamps()))
    }

    /// The same for a queued command.
    pub(super) fn has_room(&mut self, queued: &Queued, caller: &Caller, scratch: &Scratch) -> bool {
        let writes = queued.row.flags.has(Flags::WRITE) || self.keyspace.takes_notes(queued.row);
        if !writes || self.reservation.is_none() {
            return true;
        }
        let argc = queued.args.as_args().len();
        let needed = queued.row.stamps_max(argc, self.keyspace.databases);
        self.make_room(needed, caller, scratch)
    }

    /// A command that is not over data is about to be carried out: what it tells comes behind what those before it changed.
    pub fn tell(&mut self, scratch: &Scratch) {
        if self.keyspace.is_heard() {
            self.gather(scratch);
            self.keyspace.pubsub.announce();
        }
    }

    fn gather(&mut self, scratch: &Scratch) {
        let client = scratch.client;
        self.keyspace.gather(client, self.access.iter_mut());
        let extra = self.extra.iter_mut().map(|(_, held)| &mut **held);
        self.keyspace.gather(client, extra);
    }

    /// The partitions that were locked later are about to be let go.
    pub(super) fn end(&mut self, caller: &Caller, scratch: &mut Scratch) {
        for (_, held) in &mut self.extra {
            take_ready(&mut Access::One(held), scratch, caller);
        }
        if self.keyspace.is_heard() {
            self.gather(scratch);
        }
    }
}

fn at_mut<'a>(access: &'a mut Access<'_>, index: usize) -> Option<&'a mut Partition> {
    match access {
        Access::One(partition) => Some(&mut **partition),
        Access::Many(partitions) => partitions.get_mut(index)?.as_deref_mut(),
    }
}

impl Keyspace {
    /// Locks a partition if it is to be had within a time.
    fn try_lock(&self, index: usize, patience: Duration) -> Option<Held<'_>> {
        let partition = self.partitions[index].try_lock_for(patience)?;
        Some(Held::new(partition, &self.holds))
    }

    /// Runs a script: `script` is called with the stage on which its commands are carried out. `stamps` is how many it is
    /// expected to take. Also says whether it has touched what it was not expected to.
    pub fn execute_script<R>(
        &self,
        reach: Reach<'_>,
        stamps: u32,
        caller: &mut Caller,
        scratch: &mut Scratch,
        script: impl FnOnce(&mut Stage<'_, '_, '_>, &mut Caller, &mut Scratch) -> R,
    ) -> (R, Ran) {
        scratch.laps.end_now(&self.holds);
        let only = match reach {
            Reach::Declared(row, args) => self.only_partition(row, args, None),
            Reach::All => None,
        };
        if let Some(only) = only {
            // As most do, and at less than what many locks cost.
            let mut guard = self.lock(only);
            let since = Some(guard.since());
            let mut access = Access::One(&mut guard);
            let (result, begun, extra) = self.play(
                &mut access,
                Some(only),
                since,
                stamps,
                caller,
                scratch,
                script,
            );
            drop((extra, guard));
            return (result, self.wind_up(begun, caller, scratch));
        }
        let mut needed: SmallVec<[bool; 64]> = SmallVec::from_elem(false, self.partitions.len());
        match reach {
            Reach::Declared(row, args) => mark_needed(self, row, args, &mut needed),
            Reach::All => needed.fill(true),
        }
        let mut guards = self.lock_needed(&needed);
        if matches!(reach, Reach::All) {
            catch_up(&mut guards);
        }
        let since = guards.iter().flatten().next_back().map(Held::since);
        let mut refs: Vec<Option<&mut Partition>> = guards
            .iter_mut()
            .map(|guard| guard.as_deref_mut())
            .collect();
        let mut access = Access::Many(&mut refs);
        let (result, begun, extra) =
            self.play(&mut access, None, since, stamps, caller, scratch, script);
        drop((extra, guards));
        (result, self.wind_up(begun, caller, scratch))
    }

    /// All that needs partitions; with it those that were locked later.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    #[inline]
    fn play<'k, R>(
        &'k self,
        access: &mut Access<'_>,
        only: Option<usize>,
        since: Option<Instant>,
        stamps: u32,
        caller: &mut Caller,
        scratch: &mut Scratch,
        script: impl FnOnce(&mut Stage<'_, '_, '_>, &mut Caller, &mut Scratch) -> R,
    ) -> (R, Begun<'k>, Extra<'k>) {
        let mut reservation = None;
        let (result, panicked, extra) = {
            let mut stage = Stage::new(self, access, &mut reservation, stamps);
            (stage.since, stage.only) = (since, only);
            let result = script(&mut stage, caller, scratch);
            stage.end(caller, scratch);
            let panicked = stage.has_panicked();
            (result, panicked, std::mem::take(&mut stage.extra))
        };
        take_ready(access, scratch, caller);
        let begun = match reservation {
            Some(mut reservation) => {
                reservation.give_back(scratch.effects.count());
                self.conclude(reservation, panicked, caller, scratch)
            }
            None => Begun::Done(Ran {
                stamp: None,
                panicked,
            }),
        };
        if self.is_heard() {
            self.gather(scratch.client, access.iter_mut());
        }
        (result, begun, extra)
    }

    /// What comes behind the locks.
    fn wind_up(&self, begun: Begun<'_>, caller: &Caller, scratch: &mut Scratch) -> Ran {
        let is_heard = self.is_heard();
        let ran = self.finish(begun, caller, scratch);
        if is_heard {
            self.pubsub.announce();
        }
        ran
    }
}
