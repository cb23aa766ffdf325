//! EVAL, EVALSHA, FCALL and their read-only forms: where a script is run, how often, and what comes of it.
//!
//! A script whose former runs were quick runs at once. Any other one leaves the session's thread first ([`After::Script`]), for
//! there must be somebody to say that the server is busy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::context::Context;
use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::scripting::host::ScriptHost;
use crate::clients::scripting::prepare::{Call, Target};
use crate::clients::scripting::running::Place;
use crate::clients::scripting::script_command::script_command_on;
use crate::clients::scripting::{Held, Machine, Scripts};
use crate::clients::statistics::BatchCalls;
use crate::commands::table::{ServerCommand, SessionCommand};
use crate::commands::{Handler, Row};
use crate::keyspace::{Caller, Passage, Ran, Reach, Scratch, Stage};
use crate::lua::{Ended, Source};
use crate::resp::{Args, Mark, Reply};

/// A script that was done within this is quick.
const QUICK: Duration = Duration::from_millis(1);
/// What is said where the machine failed.
const PANIC_REPLY: &str =
    "ERR internal error: the script failed and was logged; the server goes on";

/// How a run went.
struct Outcome {
    ended: Ended,
    is_too_slow: bool,
    is_out_of_reach: bool,
    is_killed: bool,
    took: Duration,
}

impl Conversation {
    /// EVAL and its kin, outside of a transaction.
    pub(in crate::clients) fn eval(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        let context = Arc::clone(&self.context);
        let scripts = &*context.scripts;
        let Some((call, script)) = self.prepare(scripts, row, args, reply) else {
            return After::Next;
        };
        let is_quick = script.habits.is_quick.load(Ordering::Relaxed);
        let (machine, place) = match self.machine_for(scripts, is_quick) {
            Ok(Some(found)) => found,
            Ok(None) => return self.away(),
            Err(text) => {
                reply.error(text);
                return After::Next;
            }
        };
        self.show_monitors_whatever(args);
        let Some(number) = self.compiled(scripts, &machine, &script, reply) else {
            return After::Next;
        };
        let target = Target::of_script(&script, number);
        let after = self.run_until_done(&context, &machine, target, call, place, reply);
        scripts.tidy(machine);
        after
    }

    /// FCALL and FCALL_RO, outside of a transaction.
    pub(in crate::clients) fn fcall(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        let context = Arc::clone(&self.context);
        let scripts = &*context.scripts;
        let known = scripts.libraries.function(args.get(1));
        let is_quick = known.is_none_or(|known| known.habits.is_quick.load(Ordering::Relaxed));
        let (machine, place) = match self.machine_for(scripts, is_quick) {
            Ok(Some(found)) => found,
            Ok(None) => return self.away(),
            Err(text) => {
                reply.error(text);
                return After::Next;
            }
        };
        self.sync_libraries(scripts, &machine);
        let Some((call, function)) = self.prepare_function(scripts, row, args, reply) else {
            return After::Next;
        };
        let is_quick = function.habits.is_quick.load(Ordering::Relaxed);
        if place == Place::AtOnce && !is_quick {
            // It has become another one just now.
            return self.away();
        }
        self.show_monitors_whatever(args);
        let target = Target::of_function(&function);
        let after = self.run_until_done(&context, &machine, target, call, place, reply);
        scripts.tidy(machine);
        after
    }

    /// The machine and where the run is; none where it is to leave this thread first.
    fn machine_for<'s>(
        &self,
        scripts: &'s Scripts,
        is_quick: bool,
    ) -> Result<Option<(Held<'s>, Place)>, &'static str> {
        if self.has_left {
            return scripts
                .machine()
                .map(|machine| Some((machine, Place::Apart)));
        }
        let gate = &self.context.keyspace.gate;
        if !is_quick || gate.passage() != Passage::Open {
            return Ok(None);
        }
        let machine = scripts.machine_soon().transpose()?;
        Ok(machine.map(|machine| (machine, Place::AtOnce)))
    }

    /// Leaves this thread.
    fn away(&self) -> After {
        After::Script {
            is_answered: self.reply_mode == ReplyMode::On,
        }
    }

    /// Runs a script; once more where it turns out that it needs more than it declares.
    fn run_until_done(
        &mut self,
        context: &Context,
        machine: &Machine,
        target: Target<'_>,
        call: Call<'_>,
        place: Place,
        reply: &mut Reply,
    ) -> After {
        let traced = if call.is_read_only {
            None
        } else {
            self.begin_trace(call.row.name)
        };
        let mark = reply.mark();
        let habits = target.habits;
        let mut reaches_all = habits.strays.load(Ordering::Relaxed);
        let (outcome, ran) = loop {
            let (outcome, ran, has_strayed) =
                self.run_alone(context, machine, target, call, place, reaches_all, reply);
            if has_strayed {
                habits.strays.store(true, Ordering::Relaxed);
            }
            if outcome.ended != Ended::Stopped || !outcome.is_out_of_reach || reaches_all {
                break (outcome, ran);
            }
            habits.strays.store(true, Ordering::Relaxed);
            reaches_all = true;
        };
        if let Some(stamp) = ran.stamp {
            self.last_write = stamp.time();
        }
        if let Some(traced) = traced {
            self.end_trace(traced, ran);
        }
        let is_quick = outcome.took < QUICK && !outcome.is_too_slow;
        habits.is_quick.store(is_quick, Ordering::Relaxed);
        if outcome.ended == Ended::Stopped && outcome.is_too_slow {
            reply.truncate(mark);
            return self.away();
        }
        After::Next
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    fn run_alone(
        &mut self,
        context: &Context,
        machine: &Machine,
        target: Target<'_>,
        call: Call<'_>,
        place: Place,
        reaches_all: bool,
        reply: &mut Reply,
    ) -> (Outcome, Ran, bool) {
        let (scripts, keyspace) = (&*context.scripts, &*context.keyspace);
        let (mut caller, mut scratch) = (self.caller, std::mem::take(&mut self.scratch));
        let reach = if reaches_all {
            Reach::All
        } else {
            Reach::Declared(call.row, call.args)
        };
        let habits = target.habits;
        let stamps = habits.stamps.load(Ordering::Relaxed);
        let ((outcome, has_strayed), ran) = keyspace.execute_script(
            reach,
            stamps,
            &mut caller,
            &mut scratch,
            |stage, caller, scratch| {
                let outcome = self.perform(
                    scripts, machine, target, call, place, stage, caller, scratch, reply,
                );
                let taken = scratch.stamps_taken();
                if taken > stamps {
                    habits.stamps.fetch_max(taken, Ordering::Relaxed);
                }
                if reaches_all && outcome.ended == Ended::Returned {
                    // Whether it needed them all.
                    let strays = !stage.kept_to(call.row, call.args);
                    habits.strays.store(strays, Ordering::Relaxed);
                }
                (outcome, stage.has_strayed())
            },
        );
        self.scratch = scratch;
        (outcome, ran, has_strayed)
    }

    /// Runs a script on a stage.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    fn perform(
        &mut self,
        scripts: &Scripts,
        machine: &Machine,
        target: Target<'_>,
        call: Call<'_>,
        place: Place,
        stage: &mut Stage<'_, '_, '_>,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Outcome {
        let running = &*scripts.running;
        let db = caller.db;
        let function = (target.source == Source::Library).then_some(target.name);
        let busy_after = self.options.busy_reply_threshold;
        let since = stage.since();
        running.begin(place, busy_after, function, since, || call.args.to_vec());
        let mark = reply.mark();
        let mut host = ScriptHost {
            conversation: self,
            stage,
            caller,
            scratch,
            running,
            is_read_only: call.is_read_only,
            calls: BatchCalls::default(),
            is_out_of_reach: false,
        };
        let given = (call.keys, call.arguments);
        let run = AssertUnwindSafe(|| {
            let (vm, name) = (&machine.vm, target.name);
            match target.plain {
                Some(plain) => vm.run_plain(plain, name, given, &mut host, &mut *reply),
                None => {
                    let number = (target.number, target.source);
                    vm.run(number, name, given, &mut host, &mut *reply)
                }
            }
        });
        // What was done so far is to be published all the same.
        let ended = catch_unwind(run).unwrap_or_else(|_| {
            tracing::error!(script = target.name, "a script panicked");
            scripts.spoil();
            reply.truncate(mark);
            reply.error(PANIC_REPLY);
            Ended::Failed { is_counted: false }
        });
        let (calls, is_out_of_reach) = (std::mem::take(&mut host.calls), host.is_out_of_reach);
        caller.db = db;
        self.error_was_counted = ended == Ended::Failed { is_counted: true };
        let is_too_slow = running.is_too_slow();
        let (took, is_killed) = running.end();
        self.script_calls.add_all(&calls);
        self.script_nanos += took.as_nanos() as u64;
        let outcome = Outcome {
            ended,
            is_too_slow,
            is_out_of_reach,
            is_killed,
            took,
        };
        if ended == Ended::Stopped && !is_too_slow && !is_out_of_reach {
            tell_stopped(machine, target, &outcome, mark, reply);
        }
        outcome
    }

    /// The same within a transaction, on its stage. Its commands hold the machine, which follows the keyspace as of its beginning.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    pub(in crate::clients) fn script_on(
        &mut self,
        machine: &Machine,
        row: &'static Row,
        args: Args<'_>,
        stage: &mut Stage<'_, '_, '_>,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) {
        let context = Arc::clone(&self.context);
        let scripts = &*context.scripts;
        let place = Place::Apart;
        match row.handler {
            Handler::Server(ServerCommand::Script) => {
                return script_command_on(scripts, machine, row, args, reply);
            }
            Handler::Server(_) => {
                return self.function_on(machine, row, args, stage, caller, scratch, reply);
            }
            _ => {}
        }
        if matches!(row.handler, Handler::Session(SessionCommand::Fcall)) {
            if let Some((call, function)) = self.prepare_function(scripts, row, args, reply) {
                self.show_monitors_whatever(args);
                let target = Target::of_function(&function);
                self.perform(
                    scripts, machine, target, call, place, stage, caller, scratch, reply,
                );
            }
            return;
        }
        let Some((call, script)) = self.prepare(scripts, row, args, reply) else {
            return;
        };
        let Some(number) = self.compiled(scripts, machine, &script, reply) else {
            return;
        };
        self.show_monitors_whatever(args);
        let target = Target::of_script(&script, number);
        self.perform(
            scripts, machine, target, call, place, stage, caller, scratch, reply,
        );
    }
}

/// Says of a script that was stopped why.
fn tell_stopped(
    machine: &Machine,
    target: Target<'_>,
    outcome: &Outcome,
    mark: Mark,
    reply: &mut Reply,
) {
    reply.truncate(mark);
    let kind = match target.source {
        Source::Script => "SCRIPT",
        Source::Library => "FUNCTION",
    };
    let why = if outcome.is_killed {
        let why = format!("Script killed by user with {kind} KILL.");
        tracing::info!("{why}");
        why
    } else {
        "the script was stopped: the server ends".to_owned()
    };
    let name = target.name;
    let place = machine.vm.stopped_at();
    let place = place.map(|(source, line)| format!(" script: {name}, on {source}:{line}."));
    reply.error_format(format_args!("ERR {why}{}", place.unwrap_or_default()));
}
