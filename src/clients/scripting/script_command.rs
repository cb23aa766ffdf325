//! SCRIPT.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::scripting::prepare::{compile_error, new_script};
use crate::clients::scripting::running::Killed;
use crate::clients::scripting::shebang::body;
use crate::clients::scripting::{Machine, Scripts};
use crate::commands::Row;
use crate::lua::Source;
use crate::resp::{Args, Reply};

const HELP: &[&str] = &[
    "DEBUG (YES|SYNC|NO)",
    "    Set the debug mode for subsequent scripts executed.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return information about the existence of the scripts in the script cache.",
    "FLUSH [ASYNC|SYNC]",
    "    Flush the Lua scripts cache. Very dangerous on replicas.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the scripts cache.",
    "    * SYNC: Synchronously flush the scripts cache.",
    "KILL",
    "    Kill the currently executing Lua script.",
    "LOAD <script>",
    "    Load a script into the scripts cache without executing it.",
];

impl Conversation {
    pub(in crate::clients) fn script_command(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) {
        let scripts = Arc::clone(&self.context.scripts);
        match row.name {
            "script|flush" => flush(args, reply, || scripts.flush()),
            "script|load" => match scripts.machine() {
                Ok(machine) => load(&scripts, &machine, args.get(2), reply),
                Err(text) => reply.error(text),
            },
            "script|exists" => exists(&scripts, args, reply),
            "script|debug" => match args.get(2).to_ascii_lowercase().as_slice() {
                b"no" => reply.ok(),
                b"yes" | b"sync" => reply.error("ERR SCRIPT DEBUG: there is no debugger here"),
                _ => reply.error("ERR Use SCRIPT DEBUG YES/SYNC/NO"),
            },
            "script|kill" => tell_killed(scripts.running.kill(false), true, reply),
            _ => errors::help(args, HELP, reply),
        }
    }
}

/// Those of them that look at what there is or change it, within a transaction.
pub(super) fn script_command_on(
    scripts: &Scripts,
    machine: &Machine,
    row: &'static Row,
    args: Args<'_>,
    reply: &mut Reply,
) {
    match row.name {
        "script|flush" => flush(args, reply, || scripts.flush_on(Some(machine))),
        "script|load" => load(scripts, machine, args.get(2), reply),
        _ => exists(scripts, args, reply),
    }
}

fn exists(scripts: &Scripts, args: Args<'_>, reply: &mut Reply) {
    let cache = scripts.cache.lock();
    reply.array(args.len() - 2);
    for sha in args.skip(2) {
        let is_known = std::str::from_utf8(sha).is_ok_and(|sha| cache.has(sha));
        reply.integer(i64::from(is_known));
    }
}

fn flush(args: Args<'_>, reply: &mut Reply, flush: impl FnOnce()) {
    let is_mode =
        |word: &[u8]| word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async");
    if args.len() > 3 || args.try_get(2).is_some_and(|word| !is_mode(word)) {
        return reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    }
    flush();
    reply.ok();
}

fn load(scripts: &Scripts, machine: &Machine, code: &[u8], reply: &mut Reply) {
    let known = scripts.cache.lock().of_code(code);
    let script = match known {
        Some(script) => script,
        None => match new_script(code, reply) {
            Some(script) => Arc::new(script),
            None => return,
        },
    };
    if script.number_in(machine.generation).is_none() {
        match machine.vm.compile(body(code), Source::Script) {
            Ok(number) => script.set_number(machine.generation, number),
            Err(error) => {
                return reply.error_bytes(&compile_error(&error));
            }
        }
    }
    let mut cache = scripts.cache.lock();
    if cache.has(&script.sha) {
        cache.keep(&script);
    } else {
        script.is_loaded.store(true, Ordering::Relaxed);
        cache.add(&script);
    }
    reply.bulk(script.sha.as_bytes());
}

/// Says what became of a script that was to be killed.
pub(super) fn tell_killed(killed: Killed, is_script: bool, reply: &mut Reply) {
    match killed {
        Killed::Done => reply.ok(),
        Killed::Nothing => reply.error("NOTBUSY No scripts in execution right now."),
        Killed::HasWritten => reply.error("UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."),
        Killed::OtherKind if is_script => reply.error(errors::BUSY_FUNCTION),
        Killed::OtherKind => reply.error(errors::BUSY_SCRIPT),
    }
}
