//! MULTI/EXEC: all queued commands under the locks of all their partitions, as one record.
//!
//! Commands that are not over data are carried out in their places too, by the session, while the locks are held: so they must
//! wait for no partition, and for nothing that is held by who waits for one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;

use crate::commands::call::Access;
use crate::commands::table::{ServerCommand, SessionCommand};
use crate::commands::{Flags, Handler, Row, debug};
use crate::db::{Partition, Stamp};
use crate::keyspace::execute::{Begun, PANIC_REPLY, catch_up, mark_needed, take_ready};
use crate::keyspace::script::Stage;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, ArgsBuffer, Mark, Reply};

/// What is said where scripts of the transaction took all stamps.
const NO_STAMPS: &str =
    "ERR the scripts of this transaction wrote too much: nothing more can be written in it";

/// A queued command.
#[derive(Debug)]
pub struct Queued {
    /// Its row.
    pub row: &'static Row,
    /// The row that carries it out over data, if one does.
    data: Option<&'static Row>,
    /// Its arguments.
    pub args: ArgsBuffer,
}

impl Queued {
    /// Queues a command; none where its arguments are too many.
    pub fn new(row: &'static Row, args: Args<'_>) -> Option<Self> {
        let data = match row.handler {
            Handler::Data(_) => Some(row),
            _ => debug::data_row(row, args),
        };
        let args = ArgsBuffer::from_args(args)?;
        Some(Self { row, data, args })
    }

    /// Whether it runs a script, or is about those that can be run.
    pub fn is_script(&self) -> bool {
        match self.row.handler {
            Handler::Session(SessionCommand::Eval | SessionCommand::Fcall) => true,
            // What looks at scripts and libraries sees what those before it changed.
            Handler::Server(ServerCommand::Function) => {
                !matches!(self.row.name, "function|help" | "function|kill")
            }
            Handler::Server(ServerCommand::Script) => matches!(
                self.row.name,
                "script|exists" | "script|flush" | "script|load"
            ),
            _ => false,
        }
    }

    /// Whether it is over data.
    pub fn is_data(&self) -> bool {
        self.data.is_some()
    }
}

/// The session's part in a transaction.
pub trait Conductor<'q> {
    /// Shown each command before it is carried out. True where it is answered by that, as a command that is not over data
    /// must be. May change the caller's database and what is remembered for tracking.
    fn before(
        &mut self,
        queued: &'q Queued,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> bool;

    /// Runs a script that [`Self::before`] left to it.
    fn script(
        &mut self,
        _queued: &'q Queued,
        _stage: &mut Stage<'_, '_, '_>,
        _caller: &mut Caller,
        _scratch: &mut Scratch,
        reply: &mut Reply,
    ) {
        reply.error("ERR this command is not carried out here");
    }

    /// Shown each command behind its reply, which begins at `mark`.
    fn after(&mut self, queued: &'q Queued, reply: &mut Reply, mark: Mark);
}

/// Conducts transactions that are over data alone.
#[derive(Debug, Clone, Copy)]
pub struct DataOnly;

impl Conductor<'_> for DataOnly {
    fn before(&mut self, _: &Queued, _: &mut Caller, _: &mut Scratch, _: &mut Reply) -> bool {
        false
    }

    fn after(&mut self, _: &Queued, _: &mut Reply, _: Mark) {}
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
    /// array's header is the caller's.
    pub fn execute_transaction<'q>(
        &self,
        queue: &'q [Queued],
        watched: &AtomicBool,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
        conductor: &mut impl Conductor<'q>,
    ) -> TransactionEnd {
        let mut needed: SmallVec<[bool; 64]> = SmallVec::from_elem(false, self.partitions.len());
        let mut writes = false;
        let mut stamps = 0u32;
        let has_scripts = queue.iter().any(Queued::is_script);
        if has_scripts {
            // Whatever they declare, they may touch more.
            needed.fill(true);
        }
        for queued in queue {
            let args = queued.args.as_args();
            if let Some(row) = queued.data {
                mark_needed(self, row, args, &mut needed);
            }
            writes |= queued.row.flags.has(Flags::WRITE) || self.takes_notes(queued.row);
            stamps = stamps.saturating_add(queued.row.stamps_max(args.len(), self.databases));
        }
        let mut guards = self.lock_needed(&needed);
        catch_up(&mut guards);
        if watched.load(Ordering::Relaxed) {
            return TransactionEnd::Aborted;
        }
        let mut refs: Vec<Option<&mut Partition>> = guards
            .iter_mut()
            .map(|guard| guard.as_deref_mut())
            .collect();
        let mut access = Access::Many(&mut refs);
        let mut reservation =
            (writes && self.is_recording()).then(|| self.journal.reserve(stamps, caller.now));
        let mut panicked = false;
        for queued in queue {
            if queued.data.is_none() && self.is_heard() {
                // What such a command tells, and whom it makes listen, comes behind what those before it changed.
                self.gather(scratch.client, access.iter_mut());
                self.pubsub.announce();
            }
            let mark = reply.mark();
            let before = AssertUnwindSafe(|| conductor.before(queued, caller, scratch, reply));
            let is_answered = catch_unwind(before).unwrap_or_else(|_| {
                // What was done so far is to be published all the same.
                tracing::error!(command = queued.row.name, "a command panicked");
                reply.truncate(mark);
                reply.error(PANIC_REPLY);
                panicked = true;
                true
            });
            if !is_answered && queued.is_script() {
                let mut stage = Stage::new(self, &mut access, &mut reservation, 0);
                conductor.script(queued, &mut stage, caller, scratch, reply);
                panicked |= stage.has_panicked();
            } else if !is_answered
                && has_scripts
                && !Stage::new(self, &mut access, &mut reservation, 0)
                    .has_room(queued, caller, scratch)
            {
                reply.error(NO_STAMPS);
            } else if !is_answered {
                let next = reservation.as_ref().map(|reservation| {
                    let first = reservation.first();
                    let done = u64::from(scratch.effects.count());
                    Stamp::new(first.time().plus(done), first.origin())
                });
                let (row, args) = (queued.data.unwrap_or(queued.row), queued.args.as_args());
                panicked |= self.call(row, args, None, caller, next, scratch, reply, &mut access);
                // The next one may be a read.
                for partition in access.iter_mut() {
                    partition.undo_sweeps(Some(caller.now));
                }
                if scratch.tracks {
                    self.gather(scratch.client, access.iter_mut());
                    self.remember(row, args, scratch);
                }
            }
            conductor.after(queued, reply, mark);
        }
        take_ready(&mut access, scratch, caller);
        let begun = match reservation {
            Some(reservation) => self.conclude(reservation, panicked, caller, scratch),
            None => Begun::Done(Ran {
                stamp: None,
                panicked,
            }),
        };
        let is_heard = self.is_heard();
        if is_heard {
            self.gather(scratch.client, access.iter_mut());
        }
        drop(guards);
        let ran = self.finish(begun, caller, scratch);
        if is_heard {
            self.pubsub.announce();
        }
        TransactionEnd::Done(ran)
    }
}
