//! From the words of EVAL and its kin to what is run: the script or function, its keys and arguments, and why it may not run.

use std::sync::Arc;

use bytes::Bytes;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::scripting::cache::{Habits, Script};
use crate::clients::scripting::libraries::Function;
use crate::clients::scripting::shebang::{ScriptFlags, body};
use crate::clients::scripting::{Machine, Scripts};
use crate::commands::Row;
use crate::lua::{Plain, Source, sha1_hex};
use crate::resp::{Args, Reply, parse_i64};

const NOSCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";

/// What a script is run with.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub row: &'static Row,
    pub args: Args<'a>,
    pub keys: Args<'a>,
    pub arguments: Args<'a>,
    pub is_read_only: bool,
}

/// What is run.
#[derive(Clone, Copy)]
pub(super) struct Target<'t> {
    pub name: &'t str,
    pub number: u32,
    pub source: Source,
    /// It, where it is plain.
    pub plain: Option<&'t Plain>,
    pub habits: &'t Habits,
}

impl<'t> Target<'t> {
    pub fn of_script(script: &'t Script, number: u32) -> Self {
        Self {
            name: &script.sha,
            number,
            source: Source::Script,
            plain: script.plain.as_ref(),
            habits: &script.habits,
        }
    }

    pub fn of_function(function: &'t Function) -> Self {
        Self {
            name: &function.registered.name,
            number: function.registered.number,
            source: Source::Library,
            plain: None,
            habits: &function.habits,
        }
    }
}

/// The keys and arguments of a call whose script and number of keys are arguments 1 and 2.
fn parts<'a>(args: Args<'a>, no_number: &str, reply: &mut Reply) -> Option<(Args<'a>, Args<'a>)> {
    let Some(count) = parse_i64(args.get(2)) else {
        reply.error(no_number);
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
    /// The script of a call, and why it is not run, if so.
    pub(super) fn prepare<'a>(
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
        let (keys, arguments) = parts(args, errors::NOT_AN_INTEGER, reply)?;
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

    /// The function of a call, and why it is not run, if so.
    pub(super) fn prepare_function<'a>(
        &self,
        scripts: &Scripts,
        row: &'static Row,
        args: Args<'a>,
        reply: &mut Reply,
    ) -> Option<(Call<'a>, Arc<Function>)> {
        let Some(function) = scripts.libraries.function(args.get(1)) else {
            reply.error("ERR Function not found");
            return None;
        };
        let (keys, arguments) = parts(args, "ERR Bad number of keys provided", reply)?;
        let is_ro = row.name.ends_with("_ro");
        if let Some(text) = self.script_refusal(function.flags, is_ro) {
            reply.error(text);
            return None;
        }
        let call = Call {
            row,
            args,
            keys,
            arguments,
            is_read_only: is_ro || function.flags.has(ScriptFlags::NO_WRITES),
        };
        Some((call, function))
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
    pub(super) fn compiled(
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
                reply.error_bytes(&compile_error(&error));
                None
            }
        }
    }
}

/// What is said of a script that is no Lua.
pub(super) fn compile_error(why: &[u8]) -> Vec<u8> {
    let why = why.split(|byte| *byte == 0).next().unwrap_or_default();
    [b"ERR Error compiling script (new function): ", why].concat()
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
