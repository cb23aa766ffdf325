//! A data command of a session: its trace, its run, and what is left of it where that takes long.
//!
//! Invariant: a trace that begins here ends with what its command came to, wherever that was carried out.

use keymesh_observability::TraceContext;

use crate::clients::conversation::{After, Conversation, ReplyMode, Trace};
use crate::clients::timing::Stopwatch;
use crate::commands::{Flags, Keys, Row};
use crate::keyspace::{Left, Ran};
use crate::replication::tracing::TracedWrite;
use crate::resp::{Args, Mark, Reply};

/// A command of which something is left to do.
#[derive(Debug)]
pub struct LeftCall {
    /// Which.
    pub row: &'static Row,
    /// What.
    pub left: Box<Left>,
    /// What it has answered so far: nobody hears that before it is done.
    pub said: Reply,
    /// The span that ends with it.
    pub traced: Option<TracedWrite>,
    /// Since it began.
    pub stopwatch: Stopwatch,
}

impl Conversation {
    /// Runs a data command, of which something may be left to another thread.
    #[inline]
    pub fn run_or_leave(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        reply: &mut Reply,
    ) -> After {
        self.scratch.may_leave = true;
        self.run_data(row, args, first_hash, reply);
        self.scratch.may_leave = false;
        match self.left {
            None => After::Next,
            Some(_) => After::Leave {
                is_answered: self.reply_mode == ReplyMode::On,
            },
        }
    }

    /// Runs a data command.
    #[inline]
    pub fn run_data(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        reply: &mut Reply,
    ) {
        let mut traced = if row.flags.has(Flags::WRITE) {
            self.begin_trace(row.name)
        } else {
            None
        };
        if let Some(traced) = &mut traced
            && let Some(key) = args.try_get(1)
            && !matches!(row.keys, Keys::None)
        {
            traced.about(key, self.options.trace_keys);
        }
        let mark = reply.mark();
        let ran = self.context.keyspace.execute(
            row,
            args,
            first_hash,
            &self.caller,
            &mut self.scratch,
            reply,
        );
        if self.scratch.left.is_some() {
            return self.leave(row, traced, reply, mark);
        }
        self.ran(ran, traced);
    }

    #[cold]
    fn leave(
        &mut self,
        row: &'static Row,
        traced: Option<TracedWrite>,
        reply: &mut Reply,
        mark: Mark,
    ) {
        let mut said = Reply::new(reply.protocol());
        said.raw(reply.since(mark));
        reply.truncate(mark);
        let left = self.scratch.left.take().map(|left| LeftCall {
            row,
            left,
            said,
            traced,
            stopwatch: Stopwatch::start(),
        });
        self.left = left.map(Box::new);
    }

    /// Notes what a data command came to.
    #[inline]
    pub fn ran(&mut self, ran: Ran, traced: Option<TracedWrite>) {
        if let Some(stamp) = ran.stamp {
            self.last_write = stamp.time();
        }
        if let Some(traced) = traced {
            self.end_trace(traced, ran);
        }
    }

    /// Begins the trace of a write, if it is to have one; the record will carry it.
    #[inline]
    pub fn begin_trace(&mut self, command: &'static str) -> Option<TracedWrite> {
        let tracing = &self.context.tracing;
        if !tracing.tracer.is_enabled() {
            return None;
        }
        let client = self
            .caller
            .trace
            .and_then(|bytes| TraceContext::decode(&bytes).ok());
        let traced = tracing.tracer.begin_write(
            &self.sampler,
            client,
            self.caller.now,
            command,
            self.caller.db,
        );
        if let Some(traced) = &traced {
            self.caller.trace = Some(traced.bytes());
        }
        traced
    }

    /// Ends the part of a trace that belongs to the session.
    #[cold]
    pub fn end_trace(&mut self, traced: TracedWrite, ran: Ran) {
        self.caller.trace = match self.trace {
            Trace::Sticky(bytes) => Some(bytes),
            Trace::None | Trace::Once(_) => None,
        };
        let replication = &self.context.replication;
        let peers = || {
            let replicas = replication.replicas().into_iter();
            let online = replicas.filter(|replica| replica.online);
            online
                .filter_map(|replica| Some((replica.node?, replica.acknowledged)))
                .collect()
        };
        let tracer = &self.context.tracing.tracer;
        tracer.end_write(traced, ran.stamp, peers, ran.panicked);
    }

    /// Takes up the context of this command.
    pub fn take_trace(&mut self) {
        self.caller.trace = match self.trace {
            Trace::None => None,
            Trace::Sticky(bytes) => Some(bytes),
            Trace::Once(bytes) => {
                self.trace = Trace::None;
                Some(bytes)
            }
        };
    }
}
