//! Calls that take long, once their partitions are free: what is left to do of them another thread can do, so that the caller's
//! own serves others meanwhile.
//!
//! Invariant: what was left is done, or given up, before its [`Job`] is gone: a place in the journal that it has taken is filled,
//! and nothing is watched any more.

use std::sync::Arc;

use crate::ablation::large_from;
use crate::commands::Row;
use crate::db::Partition;
use crate::journal::Detached;
use crate::keyspace::ahead::Sources;
use crate::keyspace::apart::Copies;
use crate::keyspace::execute::Begun;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, ArgsBuffer, Reply};

/// What is left is done by another thread where it has so many times the bytes of a large collection to go through: half a
/// megabyte takes longer than a thread takes to begin.
const LEAVE_FROM: usize = 8;

/// What is left to do of a call.
#[derive(Debug)]
pub struct Left {
    work: Work,
    row: &'static Row,
    args: ArgsBuffer,
    caller: Caller,
}

#[derive(Debug)]
enum Work {
    /// To read copies.
    Apart(Box<Copies>),
    /// To compute from copies, and to store that.
    Ahead(Box<Sources>),
    /// To publish what was done; whether it panicked.
    Late(Detached, bool),
}

impl Left {
    /// Of a call that has begun; or the call itself, where it is best finished by who began it.
    pub(super) fn of<'k>(
        begun: Begun<'k>,
        row: &'static Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &Scratch,
    ) -> Result<Box<Self>, Begun<'k>> {
        let bytes = match &begun {
            Begun::Done(_) => 0,
            Begun::Apart(copies) => copies.bytes,
            Begun::Ahead(sources) => sources.bytes,
            Begun::Late(..) => scratch.effects.late_bytes(),
        };
        if bytes <= LEAVE_FROM * large_from() {
            return Err(begun);
        }
        let needs_args = !matches!(begun, Begun::Late(..));
        let args = match needs_args {
            true => ArgsBuffer::from_args(args),
            false => Some(ArgsBuffer::new()),
        };
        let Some(args) = args else {
            return Err(begun);
        };
        let work = match begun {
            Begun::Done(_) => return Err(begun),
            Begun::Apart(copies) => Work::Apart(copies),
            Begun::Ahead(sources) => Work::Ahead(sources),
            Begun::Late(reservation, publishing, panicked) => {
                publishing.detach();
                Work::Late(reservation.detach(), panicked)
            }
        };
        Ok(Box::new(Self {
            work,
            row,
            args,
            caller: *caller,
        }))
    }

    /// Whether readers of the journal wait for it.
    pub fn is_awaited(&self) -> bool {
        matches!(self.work, Work::Late(..))
    }

    fn finish(self, keyspace: &Keyspace, scratch: &mut Scratch, reply: &mut Reply) -> Ran {
        let args = self.args.as_args();
        let begun = match self.work {
            Work::Apart(copies) => Begun::Apart(copies),
            Work::Ahead(sources) => Begun::Ahead(sources),
            Work::Late(place, panicked) => keyspace.resume(place, panicked),
        };
        let ran = keyspace.finish_call(begun, self.row, args, &self.caller, scratch, reply);
        if keyspace.is_heard() {
            keyspace.pubsub.announce();
        }
        ran
    }

    /// Nobody waits for it any more: what was changed is published all the same.
    fn give_up(self, keyspace: &Keyspace, scratch: &mut Scratch) {
        let args = self.args.as_args();
        match self.work {
            Work::Apart(_) => {}
            Work::Ahead(sources) => {
                let mut guards = keyspace.lock_for(self.row, args);
                let mut refs: Vec<Option<&mut Partition>> = guards
                    .iter_mut()
                    .map(|guard| guard.as_deref_mut())
                    .collect();
                let mut access = crate::commands::call::Access::Many(&mut refs);
                keyspace.are_unchanged(&sources, self.row, args, &self.caller, &mut access);
            }
            Work::Late(place, panicked) => {
                let begun = keyspace.resume(place, panicked);
                keyspace.finish(begun, &self.caller, scratch);
            }
        }
    }
}

impl Keyspace {
    /// What was left of a call whose changes are made.
    fn resume(&self, place: Detached, panicked: bool) -> Begun<'_> {
        Begun::Late(place.attach(&self.journal), self.late.resume(), panicked)
    }
}

/// What is left of a call, with all that it needs.
#[derive(Debug)]
pub struct Job {
    keyspace: Arc<Keyspace>,
    left: Option<Box<Left>>,
    scratch: Scratch,
    /// What the call answers.
    pub reply: Reply,
}

impl Job {
    /// With the memory of the caller, who needs none meanwhile, and what the call has answered so far.
    pub fn new(
        keyspace: Arc<Keyspace>,
        left: Box<Left>,
        mut scratch: Scratch,
        reply: Reply,
    ) -> Self {
        scratch.may_leave = false;
        Self {
            keyspace,
            left: Some(left),
            scratch,
            reply,
        }
    }

    /// Does it. Takes long.
    pub fn run(&mut self) -> Ran {
        let Some(left) = self.left.take() else {
            return Ran::default();
        };
        left.finish(&self.keyspace, &mut self.scratch, &mut self.reply)
    }

    /// The caller's memory.
    pub fn take_scratch(&mut self) -> Scratch {
        std::mem::take(&mut self.scratch)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(left) = self.left.take() {
            left.give_up(&self.keyspace, &mut self.scratch);
        }
        // Its caller is gone, and will serve nobody.
        if let Some(ready) = self.scratch.ready.take() {
            self.keyspace.call_ready(&ready);
        }
    }
}
