//! EVAL, EVALSHA and their read-only forms: from the words of a call to a run.
//!
//! A script whose former runs were quick runs at once. Any other one leaves the session's thread first ([`After::Script`]), for
//! there must be somebody to say that the server is busy.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::errors;
use crate::clients::scripting::cache::Script;
use crate::clients::scripting::host::ScriptHost;
use crate::clients::scripting::running::Place;
use crate::clients::scripting::shebang::{ScriptFlags, body};
use crate::clients::scripting::{Machine, Scripts};
use crate::clients::statistics::BatchCalls;
use crate::commands::Row;
use crate::keyspace::{Caller, Passage, Ran, Reach, Scratch, Stage};
use crate::lua::{Ended, Source, sha1_hex};
use crate::resp::{Args, Mark, Reply, parse_i64};

/// A script that was done within this is quick.
const QUICK: Duration = Duration::from_millis(1);
const NOSCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";

/// What a script is run with.
#[derive(Clone, Copy)]
struct Call<'a> {
    row: &'static Row,
    args: Args<'a>,
    keys: Args<'a>,
    arguments: Args<'a>,
    is_read_only: bool,
}

/// How a run went.
struct Outcome {
    ended: Ended,
    is_too_slow: bool,
    is_out_of_reach: bool,
    is_killed: bool,
    took: Duration,
}

/// The keys and arguments of a call whose script and number of keys are arguments 1 and 2.
fn parts<'a>(args: Args<'a>, reply: &mut Reply) -> Option<(Args<'a>, Args<'a>)> {
    let Some(count) = parse_i64(args.get(2)) else {
        reply.error(errors::NOT_AN_INTEGER);
        return None;
    };
    if count > args.len() as i64 - 3 {
        reply.error("ERR Number of keys can't be greater than number of args");
        return None;
    }
    let Ok(count) = usize::try_from(count) else {
        reply.error("ERR Number of keys can't be negative");
        return None;
    };
    Some((args.range(3..3 + count), args.skip(3 + count)))
}

impl Conversation {
    /// EVAL and its kin, outside of a transaction.
    pub(in crate::clients) fn eval(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        let scripts = Arc::clone(&self.context.scripts);
        let Some((call, script)) = self.prepare(&scripts, row, args, reply) else {
            return After::Next;
        };
        let away = After::Script {
            is_answered: self.reply_mode == ReplyMode::On,
        };
        let (machine, place) = if self.has_left {
            (scripts.machine(), Place::Apart)
        } else {
            let gate = &self.context.keyspace.gate;
            if !script.is_quick.load(Ordering::Relaxed) || gate.passage() != Passage::Open {
                return away;
            }
            match scripts.machine_soon() {
                Some(machine) => (machine, Place::AtOnce),
                None => return away,
            }
        };
        let machine = match machine {
            Ok(machine) => machine,
            Err(text) => {
                reply.error(text);
                return After::Next;
            }
        };
        self.show_monitors_whatever(args);
        let Some(number) = self.compiled(&scripts, &machine, &script, reply) else {
            return After::Next;
        };
        let traced = if call.is_read_only {
            None
        } else {
            self.begin_trace(row.name)
        };
        let mark = reply.mark();
        let mut reaches_all = script.strays.load(Ordering::Relaxed);
        loop {
            let (outcome, ran, has_strayed) =
                self.run_alone(&machine, number, &script, call, place, reaches_all, reply);
            if outcome.ended == Ended::Stopped && outcome.is_too_slow {
                script.is_quick.store(false, Ordering::Relaxed);
                reply.truncate(mark);
                return away;
            }
            if outcome.ended == Ended::Stopped && outcome.is_out_of_reach && !reaches_all {
                script.strays.store(true, Ordering::Relaxed);
                reaches_all = true;
                continue;
            }
            if has_strayed {
                script.strays.store(true, Ordering::Relaxed);
            }
            if let Some(stamp) = ran.stamp {
                self.last_write = stamp.time();
            }
            if let Some(traced) = traced {
                self.end_trace(traced, ran);
            }
            script
                .is_quick
                .store(outcome.took < QUICK, Ordering::Relaxed);
            break;
        }
        scripts.tidy(machine);
        After::Next
    }

    /// The script of a call, and why it is not run, if so.
    fn prepare<'a>(
        &mut self,
        scripts: &Scripts,
        row: &'static Row,
        args: Args<'a>,
        reply: &mut Reply,
    ) -> Option<(Call<'a>, Arc<Script>)> {
        let by_sha = row.name.starts_with("evalsha");
        if by_sha && args.get(1).len() != 40 {
            reply.error(NOSCRIPT);
            return None;
        }
        let (keys, arguments) = parts(args, reply)?;
        let script = if by_sha {
            let sha = String::from_utf8_lossy(args.get(1)).to_ascii_lowercase();
            let found = scripts.cache.lock().of_sha(&sha);
            if found.is_none() {
                reply.error(NOSCRIPT);
            }
            found?
        } else {
            let found = scripts.cache.lock().of_code(args.get(1));
            match found {
                Some(script) => script,
                None => Arc::new(new_script(args.get(1), reply)?),
            }
        };
        let is_ro = row.name.ends_with("_ro");
        if let Some(text) = self.script_refusal(script.flags, is_ro) {
            reply.error(text);
            return None;
        }
        let is_read_only = is_ro || script.flags.has(ScriptFlags::NO_WRITES);
        let call = Call {
            row,
            args,
            keys,
            arguments,
            is_read_only,
        };
        Some((call, script))
    }

    /// Why a script with these flags is not run now.
    pub(super) fn script_refusal(&self, flags: ScriptFlags, is_ro: bool) -> Option<&'static str> {
        if flags.has(ScriptFlags::UNSAID) {
            return self.is_cut_off().then_some(errors::MASTERDOWN);
        }
        if self.is_cut_off() && !flags.has(ScriptFlags::ALLOW_STALE) {
            return Some(errors::MASTERDOWN);
        }
        if flags.has(ScriptFlags::NO_WRITES) {
            return None;
        }
        if self.is_read_only() {
            return Some(errors::READONLY);
        }
        is_ro.then_some("ERR Can not execute a script with write flag using *_ro command.")
    }

    /// The number of a script in the machine; it is compiled and kept where it was not.
    fn compiled(
        &self,
        scripts: &Scripts,
        machine: &Machine,
        script: &Arc<Script>,
        reply: &mut Reply,
    ) -> Option<u32> {
        if let Some(number) = script.number_in(machine.generation) {
            return Some(number);
        }
        match machine.vm.compile(body(&script.code), Source::Script) {
            Ok(number) => {
                script.set_number(machine.generation, number);
                let gone = scripts.cache.lock().add(script);
                if let Some(number) = gone.and_then(|gone| gone.number_in(machine.generation)) {
                    machine.vm.forget(number);
                }
                Some(number)
            }
            Err(error) => {
                reply.error_format(format_args!(
                    "ERR Error compiling script (new function): {error}"
                ));
                None
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    fn run_alone(
        &mut self,
        machine: &Machine,
        number: u32,
        script: &Script,
        call: Call<'_>,
        place: Place,
        reaches_all: bool,
        reply: &mut Reply,
    ) -> (Outcome, Ran, bool) {
        let keyspace = Arc::clone(&self.context.keyspace);
        let (mut caller, mut scratch) = (self.caller, std::mem::take(&mut self.scratch));
        let reach = if reaches_all {
            Reach::All
        } else {
            Reach::Declared(call.row, call.args)
        };
        let stamps = script.stamps.load(Ordering::Relaxed);
        let (outcome, ran) = keyspace.execute_script(
            reach,
            stamps,
            &mut caller,
            &mut scratch,
            |stage, caller, scratch| {
                let outcome = self.perform(
                    machine, number, script, call, place, stage, caller, scratch, reply,
                );
                let took = scratch.stamps_taken();
                script.stamps.fetch_max(took, Ordering::Relaxed);
                if reaches_all && outcome.ended == Ended::Returned {
                    // Whether it needed them all.
                    let strays = !stage.kept_to(call.row, call.args);
                    script.strays.store(strays, Ordering::Relaxed);
                }
                (outcome, stage.has_strayed())
            },
        );
        self.scratch = scratch;
        (outcome.0, ran, outcome.1)
    }

    /// Runs a script on a stage.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    fn perform(
        &mut self,
        machine: &Machine,
        number: u32,
        script: &Script,
        call: Call<'_>,
        place: Place,
        stage: &mut Stage<'_, '_, '_>,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Outcome {
        let scripts = Arc::clone(&self.context.scripts);
        let running = &*scripts.running;
        let db = caller.db;
        running.begin(place, self.options.busy_reply_threshold, None, || {
            call.args.to_vec()
        });
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
        let ended = machine.vm.run(number, &script.sha, given, &mut host, reply);
        let (calls, is_out_of_reach) = (std::mem::take(&mut host.calls), host.is_out_of_reach);
        caller.db = db;
        self.error_was_counted = ended == Ended::Failed { is_counted: true };
        let is_too_slow = running.is_too_slow();
        let (took, is_killed) = running.end();
        let statistics = &self.context.statistics;
        let nanos = took.as_nanos() as u64;
        statistics.add_calls(&calls, nanos, self.options.latency_tracking);
        let outcome = Outcome {
            ended,
            is_too_slow,
            is_out_of_reach,
            is_killed,
            took,
        };
        if ended == Ended::Stopped && !is_too_slow && !is_out_of_reach {
            self.tell_stopped(machine, &script.sha, &outcome, mark, reply);
        }
        outcome
    }

    /// Says of a script that was stopped why.
    fn tell_stopped(
        &self,
        machine: &Machine,
        name: &str,
        outcome: &Outcome,
        mark: Mark,
        reply: &mut Reply,
    ) {
        reply.truncate(mark);
        let why = if outcome.is_killed {
            tracing::info!("Lua script killed by user with SCRIPT KILL.");
            "Script killed by user with SCRIPT KILL."
        } else {
            "the script was stopped: the server ends"
        };
        let place = machine.vm.stopped_at();
        let place = place.map(|(source, line)| format!(" script: {name}, on {source}:{line}."));
        reply.error_format(format_args!("ERR {why}{}", place.unwrap_or_default()));
    }

    /// The same within a transaction, on its stage. Its commands hold the machine.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one run, each named"
    )]
    pub(in crate::clients) fn eval_on(
        &mut self,
        machine: &Machine,
        row: &'static Row,
        args: Args<'_>,
        stage: &mut Stage<'_, '_, '_>,
        caller: &mut Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) {
        let scripts = Arc::clone(&self.context.scripts);
        let Some((call, script)) = self.prepare(&scripts, row, args, reply) else {
            return;
        };
        let Some(number) = self.compiled(&scripts, machine, &script, reply) else {
            return;
        };
        let place = Place::Apart;
        self.perform(
            machine, number, &script, call, place, stage, caller, scratch, reply,
        );
    }
}

/// A script that was not here; none where its first line is wrong, which the reply says.
pub(super) fn new_script(code: &[u8], reply: &mut Reply) -> Option<Script> {
    match ScriptFlags::of(code) {
        Ok(flags) => Some(Script::new(
            sha1_hex(code),
            Bytes::copy_from_slice(code),
            flags,
        )),
        Err(text) => {
            reply.error_format(format_args!("ERR {text}"));
            None
        }
    }
}
