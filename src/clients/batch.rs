//! A pipeline in two phases. Phase one splits what has been read, finds each command's row and hashes its first key, up to a
//! barrier - a command after which the bytes may mean something else - or [`BATCH_MAX`] commands. Phase two carries them out
//! in a tight loop, [`WARM_MAX`] at a time, whose records are fetched into the processor's cache together before. What phase
//! one computed is a hint: the executor looks again under the lock.
//!
//! Nothing is allocated per command once the vectors have grown to a usual pipeline.

mod plan;

use std::time::Instant;

use crate::clients::batch::plan::{Names, Step, is_held};
use crate::clients::context::PauseMode;
use crate::clients::conversation::{After, Conversation, Fate, ReplyMode};
use crate::clients::errors;
use crate::clients::pubsub_command::answers_by_message;
use crate::clients::statistics::BatchCalls;
use crate::clients::timing::Stopwatch;
use crate::commands::table::Row;
use crate::keyspace::{Keyspace, WARM_MAX};
use crate::resp::{Args, Reply, Span, Split, Splitter};

pub use plan::Planning;

/// The most commands of one batch.
pub const BATCH_MAX: usize = 256;
/// Replies beyond this are sent before the batch goes on.
pub const REPLY_LEN: usize = 64 * 1024;
/// Fewer commands than this find nothing to overlap.
const WARM_MIN: usize = 4;
/// Spans kept from batch to batch.
const SPANS_KEPT: usize = 16 * 1024;

#[derive(Debug, Clone, Copy)]
struct Planned {
    step: Step,
    first_span: u32,
    argc: u32,
}

/// The commands of one batch, reused from batch to batch.
#[derive(Debug)]
pub struct Batch {
    spans: Vec<Span>,
    planned: Vec<Planned>,
    /// The next one to carry out.
    next: usize,
    /// Those from this one on are held back.
    due: usize,
    /// Those before this one were fetched into the processor's cache.
    warm: usize,
    names: Names,
    /// What was carried out, for the statistics.
    pub calls: BatchCalls,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self {
            spans: Vec::new(),
            planned: Vec::new(),
            next: 0,
            due: 0,
            warm: 0,
            names: Names::new(),
            calls: BatchCalls::default(),
        }
    }

    /// Whether all planned commands were carried out.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.next == self.planned.len()
    }

    /// How many commands were planned.
    #[inline]
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    /// Whether nothing was planned.
    pub fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }

    /// Whether one command was carried out, or is being.
    pub fn is_first(&self) -> bool {
        self.next == 1
    }

    /// Whether commands are left that nothing holds back.
    #[inline]
    pub fn has_due(&self) -> bool {
        self.next < self.due
    }

    /// Lets a pause hold back what is left from the first command on that it concerns, as far as its row tells; no pause, nothing.
    pub fn hold_back(&mut self, pause: Option<PauseMode>, conversation: &Conversation) {
        let left = &self.planned[self.next..];
        let held = pause.and_then(|pause| {
            left.iter()
                .position(|planned| is_held(planned.step, pause, conversation))
        });
        self.due = self.next + held.unwrap_or(left.len());
    }

    /// Phase one: plans from `buf[*pos..]`.
    #[inline]
    pub fn plan(
        &mut self,
        buf: &mut [u8],
        pos: &mut usize,
        splitter: &mut Splitter,
        keyspace: &Keyspace,
    ) -> Planning {
        self.spans.clear();
        self.spans.shrink_to(SPANS_KEPT);
        self.planned.clear();
        self.next = 0;
        self.warm = 0;
        self.due = 0;
        while self.planned.len() < BATCH_MAX {
            match splitter.next(buf, pos, &mut self.spans) {
                Ok(Split::Command { first_span, argc }) => {
                    let args = Args::new(buf, &self.spans[first_span..first_span + argc]);
                    let (step, is_barrier) = self.names.resolve(args, keyspace);
                    self.planned.push(Planned {
                        step,
                        first_span: first_span as u32,
                        argc: argc as u32,
                    });
                    if is_barrier {
                        return Planning::Full;
                    }
                }
                Ok(Split::Incomplete { bytes_wanted }) => {
                    return Planning::NeedsBytes(bytes_wanted);
                }
                Err(error) => return Planning::Fault(error),
            }
        }
        Planning::Full
    }

    /// Phase two: carries out commands until all that are due are done, the replies are many, or one wants something else.
    #[inline]
    pub fn run(
        &mut self,
        buf: &[u8],
        conversation: &mut Conversation,
        reply: &mut Reply,
        reply_max: usize,
        began: Instant,
    ) -> After {
        conversation.scratch.laps.begin(began);
        // A pause may have passed since the batch was planned.
        conversation.refresh_identity();
        let is_plain = conversation.is_plain();
        let times_each = conversation.times_each();
        let has_owners = conversation.has_owners();
        // When the command before this one ended, where somebody looked.
        let mut looked: Option<Instant> = None;
        while self.next < self.due {
            let planned = self.planned[self.next];
            if self.next == self.warm {
                self.warm_up(conversation);
            }
            self.next += 1;
            if !is_plain && conversation.listens() {
                conversation.take_mail(reply);
            }
            let first = planned.first_span as usize;
            let args = Args::new(buf, &self.spans[first..first + planned.argc as usize]);
            let start = reply.len();
            match planned.step {
                Step::Data(row, hash)
                    if is_plain && !(has_owners && conversation.is_owned_elsewhere(row, args)) =>
                {
                    if times_each || !row.is_brief() {
                        let stopwatch = Stopwatch::started_at(looked.unwrap_or_else(Instant::now));
                        let after = conversation.run_or_leave(row, args, hash, reply);
                        if after != After::Next {
                            return after;
                        }
                        let (took, at) = stopwatch.stop();
                        looked = Some(at);
                        conversation.took(row, args, took);
                        self.calls.add_timed(row, took);
                    } else {
                        conversation.run_data(row, args, hash, reply);
                        self.calls.add(row);
                        looked = None;
                    }
                    if reply.as_bytes().get(start) == Some(&b'-') {
                        count_error(conversation, Some(row), &reply.as_bytes()[start + 1..]);
                    }
                }
                step => {
                    // What is timed by itself, or holds nothing.
                    let holds = &conversation.context.keyspace.holds;
                    conversation.scratch.laps.end_now(holds);
                    let after = run_checked(
                        step,
                        args,
                        conversation,
                        reply,
                        &mut self.calls,
                        &mut looked,
                    );
                    if after != After::Next {
                        return after;
                    }
                }
            }
            // Whoever waits for what was written is served before the next command.
            if reply.len() >= reply_max || conversation.has_ready() {
                break;
            }
        }
        After::Next
    }

    /// Fetches what the next commands will look at: together they wait for memory about as long as one of them would alone.
    #[inline]
    fn warm_up(&mut self, conversation: &Conversation) {
        let some = &self.planned[self.next..];
        let some = &some[..some.len().min(WARM_MAX)];
        self.warm = self.next + some.len();
        if some.len() < WARM_MIN {
            return;
        }
        let hashes = some.iter().filter_map(|planned| match planned.step {
            Step::Data(_, hash) | Step::Own(_, hash) => hash,
            _ => None,
        });
        let (keyspace, db) = (&conversation.context.keyspace, conversation.caller.db);
        keyspace.warm(db, hashes);
    }

    /// Name and length of the arguments of the command that is being carried out.
    pub fn present(&self, buf: &[u8]) -> (&'static str, usize) {
        self.shown(self.next.saturating_sub(1), buf)
    }

    /// The same of the one that is to be the next.
    pub fn upcoming(&self, buf: &[u8]) -> (&'static str, usize) {
        self.shown(self.next, buf)
    }

    fn shown(&self, at: usize, buf: &[u8]) -> (&'static str, usize) {
        self.planned.get(at).map_or(("NULL", 0), |planned| {
            let first = planned.first_span as usize;
            let args = Args::new(buf, &self.spans[first..first + planned.argc as usize]);
            (planned.step.name(), args.iter().map(<[u8]>::len).sum())
        })
    }

    /// The arguments of the command carried out last.
    pub fn last_arguments<'b>(&'b self, buf: &'b [u8]) -> Option<Args<'b>> {
        let planned = self.planned.get(self.next.checked_sub(1)?)?;
        let first = planned.first_span as usize;
        Some(Args::new(
            buf,
            &self.spans[first..first + planned.argc as usize],
        ))
    }

    /// The name of the last command, for CLIENT LIST.
    pub fn last_command(&self) -> Option<&'static str> {
        self.planned.last().map(|planned| planned.step.name())
    }
}

/// Runs one command with all checks, and counts it if it was carried out.
fn run_counted(
    row: &'static Row,
    args: Args<'_>,
    hash: Option<u64>,
    conversation: &mut Conversation,
    reply: &mut Reply,
    calls: &mut BatchCalls,
    looked: &mut Option<Instant>,
) -> (Option<&'static Row>, After) {
    let stopwatch = Stopwatch::started_at(looked.take().unwrap_or_else(Instant::now));
    match conversation.run(row, args, hash, reply) {
        Fate::Done(after @ After::Leave { .. }) => {
            conversation.show_monitors(row, args, conversation.caller.db);
            (Some(row), after)
        }
        Fate::Done(after @ After::Script { .. }) => (Some(row), after),
        Fate::Done(after) => {
            let (took, at) = stopwatch.stop();
            *looked = Some(at);
            conversation.took(row, args, took);
            conversation.show_monitors(row, args, conversation.caller.db);
            calls.add_timed(row, took);
            (Some(row), after)
        }
        Fate::Queued | Fate::Refused => (None, After::Next),
    }
}

#[cold]
pub(super) fn count_error(conversation: &Conversation, row: Option<&'static Row>, text: &[u8]) {
    if !conversation.error_was_counted {
        conversation.context.statistics.add_error(text);
    }
    if let Some(row) = row {
        conversation.context.statistics.add_failed(row);
    }
}

/// Whether a browser was made to send this: what follows in its body would be carried out as commands.
fn is_web_request(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// One command with everything that may stand before and behind it.
fn run_checked(
    step: Step,
    args: Args<'_>,
    conversation: &mut Conversation,
    reply: &mut Reply,
    calls: &mut BatchCalls,
    looked: &mut Option<Instant>,
) -> After {
    let (mark, mode) = (reply.mark(), conversation.reply_mode);
    conversation.take_trace();
    let (row, after) = match step {
        Step::Data(row, hash) => run_counted(row, args, hash, conversation, reply, calls, looked),
        Step::Own(row, _) => run_counted(row, args, None, conversation, reply, calls, looked),
        Step::WrongArity(row) => {
            conversation.context.statistics.add_rejected(row);
            conversation.refuse_arity(row, reply);
            (None, After::Next)
        }
        Step::UnknownSubcommand => {
            conversation.refuse(reply, |reply| {
                errors::unknown_subcommand(args, reply);
            });
            (None, After::Next)
        }
        Step::Unknown if is_web_request(args.name()) => {
            tracing::warn!(
                client = conversation.client.id.0,
                "possible attack: a web page speaks to this port; the connection is closed"
            );
            return After::Close;
        }
        Step::Unknown => {
            conversation.refuse(reply, |reply| errors::unknown_command(args, reply));
            (None, After::Next)
        }
    };
    conversation.end_caching(match step {
        Step::Data(row, _) | Step::Own(row, _) => Some(row),
        _ => None,
    });
    if reply.since(mark).first() == Some(&b'-') {
        count_error(conversation, row, &reply.since(mark)[1..]);
    }
    // The mode as the command left it: CLIENT REPLY ON is answered although nothing was until now.
    match conversation.reply_mode {
        ReplyMode::On => return after,
        ReplyMode::Off => {}
        ReplyMode::SkipNext => conversation.reply_mode = ReplyMode::Skip,
        ReplyMode::Skip => conversation.reply_mode = ReplyMode::On,
    }
    // What silences the next ones says nothing itself; EXEC has said what it had to.
    if mode != ReplyMode::On && !row.is_some_and(answers_by_message) {
        reply.truncate(mark);
    }
    after
}
