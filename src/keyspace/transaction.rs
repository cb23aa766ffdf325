//! MULTI/EXEC: all queued commands under the locks of all their partitions, as one record.

use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;

use crate::commands::call::Access;
use crate::commands::{Flags, Handler, Row};
use crate::db::{Partition, Stamp};
use crate::keyspace::execute::mark_needed;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, ArgsBuffer, Reply};

/// A queued command.
#[derive(Debug)]
pub struct Queued {
    /// Its row.
    pub row: &'static Row,
    /// Its arguments.
    pub args: ArgsBuffer,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// All commands ran.
    Done(Ran),
    /// A watched key had changed: nothing ran and nothing was written to the reply.
    Aborted,
}

impl Keyspace {
    /// Runs a transaction: checks `watched` under the locks, then runs all. Writes the replies one after another; the
    /// array's header is the caller's. Each command is first shown to `other`, which says whether it has answered it, as it
    /// must those that are not over data; it may change the caller's database. `answered` is shown each reply that was written at once.
    #[expect(
        clippy::too_many_arguments,
        reason = "what a transaction needs is what its session has"
    )]
    pub fn execute_transaction(
        &self,
        queue: &[Queued],
        watched: &AtomicBool,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
        mut other: impl FnMut(&'static Row, Args<'_>, &mut Caller, &mut Reply) -> bool,
        mut answered: impl FnMut(&'static Row, &[u8]),
    ) -> TransactionEnd {
        let mut needed: SmallVec<[bool; 64]> = SmallVec::from_elem(false, self.partitions.len());
        let mut writes = false;
        let mut stamps = 0u32;
        for queued in queue {
            let args = queued.args.as_args();
            if matches!(queued.row.handler, Handler::Data(_)) {
                mark_needed(self, queued.row, args, &mut needed);
            }
            writes |= queued.row.flags.has(Flags::WRITE);
            stamps = stamps.saturating_add(queued.row.stamps_max(args.len(), self.databases));
        }
        let mut guards = self.lock_needed(&needed);
        if watched.load(Ordering::Relaxed) {
            return TransactionEnd::Aborted;
        }
        let mut refs: Vec<Option<&mut Partition>> = guards
            .iter_mut()
            .map(|guard| guard.as_deref_mut())
            .collect();
        let mut access = Access::Many(&mut refs);
        let reservation =
            (writes && self.is_recording()).then(|| self.journal.reserve(stamps, caller.now));
        let mut panicked = false;
        for queued in queue {
            let args = queued.args.as_args();
            let mark = reply.mark();
            if other(queued.row, args, caller, reply) {
                answered(queued.row, reply.since(mark));
                continue;
            }
            let next = reservation.as_ref().map(|reservation| {
                let first = reservation.first();
                Stamp::new(
                    first.time().plus(u64::from(scratch.effects.count())),
                    first.origin(),
                )
            });
            panicked |= self.call(
                queued.row,
                args,
                None,
                caller,
                next,
                scratch,
                reply,
                &mut access,
            );
            if scratch.tracks {
                self.gather(scratch.client, access.iter_mut());
                self.remember(queued.row, args, scratch);
            }
            answered(queued.row, reply.since(mark));
        }
        let stamp = reservation.and_then(|reservation| self.publish(reservation, caller, scratch));
        if self.is_heard() {
            self.gather(scratch.client, access.iter_mut());
            drop(guards);
            self.pubsub.announce();
        }
        TransactionEnd::Done(Ran { stamp, panicked })
    }
}
