//! Commands that store what they compute of large collections, or of a large payload: computed by who holds no partition, over
//! copies that share their parts with what the keys show, and stored if none of those has changed meanwhile.
//!
//! Invariant: what is stored, told and replied is what the command would have done in one piece at the moment of its last hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use smallvec::SmallVec;

use crate::ablation::{elapsed_ms, large_from};
use crate::commands::call::Access;
use crate::commands::whole::Ahead;
use crate::commands::{Keys, Row, sort};
use crate::db::{Key, Partition, UnixMillis};
use crate::keyspace::apart::{Sizes, bytes_read, reads_much, size_of_key};
use crate::keyspace::execute::Begun;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, Reply};

/// After so many times that something has changed meanwhile, a command is carried out in one piece.
const TRIES: usize = 3;

/// What a command reads, copied.
#[derive(Debug)]
pub(super) struct Sources {
    copies: Partition,
    /// Raised when a source changes.
    changed: Arc<AtomicBool>,
    /// When one changes by itself.
    until: UnixMillis,
    /// Whether each is there.
    are_there: SmallVec<[bool; 4]>,
    /// About how many bytes there are to go through.
    pub bytes: usize,
    /// When they were copied.
    since: Instant,
}

impl Keyspace {
    /// Copies of what a call reads, where much is to be computed of it; from now on it is noted when that changes.
    pub(super) fn sources_to_compute(
        &self,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        access: &mut Access<'_>,
    ) -> Option<Box<Sources>> {
        if row.looks_anywhere(args) {
            return None;
        }
        let keys = self.sources(row, args)?;
        let (mut sizes, mut bytes) = (Sizes::new(), 0);
        for key in &keys {
            let partition = access.partition(key.hash);
            let view = partition.view(caller.db, *key, caller.now);
            let size = view.map_or((0, false), |view| size_of_key(row, args, &view));
            bytes += view.map_or(0, |view| bytes_read(&view, size.0));
            sizes.push(size);
        }
        if row.name == "restore" {
            bytes = args.get(3).len();
        }
        let is_much = match row.name {
            "restore" => bytes > large_from(),
            _ => reads_much(row, &sizes),
        };
        if !is_much {
            return None;
        }
        let mut copies = access.iter().next()?.apart();
        let changed = Arc::<AtomicBool>::default();
        let (mut until, mut are_there) = (UnixMillis(i64::MAX), SmallVec::new());
        for key in &keys {
            let partition = access.partition(key.hash);
            let view = partition.seen(caller.db, *key, caller.now);
            are_there.push(view.is_some());
            if let Some(view) = view {
                let first = view.member_deadlines.and_then(|members| members.first());
                let ends = view.deadline.into_iter().chain(first);
                until = ends.fold(until, UnixMillis::min);
                partition.copy_apart(caller.db, *key, &mut copies);
            }
            partition.watch(caller.db, key.bytes, Arc::clone(&changed));
        }
        Some(Box::new(Sources {
            copies,
            changed,
            until,
            are_there,
            bytes,
            since: Instant::now(),
        }))
    }

    /// The keys that a call reads to store something; none where it stores nothing.
    fn sources<'a>(&self, row: &Row, args: Args<'a>) -> Option<SmallVec<[Key<'a>; 4]>> {
        let destination = match row.keys {
            Keys::Sort => sort::destination(args)?,
            _ => 1,
        };
        let sources = row.key_arguments(args);
        Some(self.keys_at(args, sources.filter(|index| *index != destination)))
    }

    /// Computes what a call stores, and stores it. The caller holds no partition.
    pub(super) fn compute_and_store(
        &self,
        mut sources: Box<Sources>,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let since = sources.since;
        let (mut at, mut tries) = (*caller, 0);
        loop {
            tries += 1;
            let computed = self.compute(&mut sources, row, args, &at, scratch);
            at.now = UnixMillis(caller.now.0 + elapsed_ms(since));
            let mut guards = self.lock_for(row, args);
            let mut refs: Vec<Option<&mut Partition>> = guards
                .iter_mut()
                .map(|guard| guard.as_deref_mut())
                .collect();
            let mut access = Access::Many(&mut refs);
            scratch.ahead = match self.are_unchanged(&sources, row, args, &at, &mut access) {
                true => computed,
                false if tries < TRIES => Ahead::Perhaps,
                false => Ahead::Never,
            };
            let begun = self.begin(row, args, None, &at, scratch, reply, &mut access);
            let left = std::mem::take(&mut scratch.ahead);
            let is_heard = self.is_heard();
            if is_heard {
                self.gather(scratch.client, access.iter_mut());
            }
            drop(guards);
            drop(left);
            match begun {
                Begun::Ahead(again) => sources = again,
                begun => {
                    let ran = self.finish(begun, &at, scratch);
                    if is_heard {
                        self.pubsub.announce();
                    }
                    return ran;
                }
            }
        }
    }

    /// Computes what a call stores; nothing is left of the copies.
    fn compute(
        &self,
        sources: &mut Sources,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
    ) -> Ahead {
        let apart = sources.copies.apart();
        let mut copies = std::mem::replace(&mut sources.copies, apart);
        let mut access = Access::One(&mut copies);
        // Only what is computed is of use: the reply comes of storing it.
        let mut unsaid = Reply::new(crate::resp::Protocol::Resp2);
        scratch.ahead = Ahead::Now;
        self.call(
            row,
            args,
            None,
            caller,
            None,
            scratch,
            &mut unsaid,
            &mut access,
        );
        let computed = std::mem::take(&mut scratch.ahead);
        computed.turn(&self.maker(self.is_recording()), sources.until)
    }

    /// Whether what was copied still shows at this moment. It is watched no more. The caller holds all of it.
    pub(super) fn are_unchanged(
        &self,
        sources: &Sources,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        access: &mut Access<'_>,
    ) -> bool {
        let clock = self.journal.clock().millis();
        let now = match self.is_recording() {
            true => caller.now.max(clock),
            false => caller.now,
        };
        let mut are_same = now < sources.until && !sources.changed.load(Ordering::Relaxed);
        let keys = self.sources(row, args).unwrap_or_default();
        for (key, is_there) in keys.iter().zip(&sources.are_there) {
            let partition = access.partition(key.hash);
            are_same &= partition.seen(caller.db, *key, now).is_some() == *is_there;
            partition.unwatch(caller.db, key.bytes, &sources.changed);
        }
        are_same
    }
}
