//! FUNCTION: libraries are loaded, listed, dumped and dropped.
//!
//! What changes is written to the keyspace, in one record; the machine follows that, as it follows what other masters write.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::scripting::libraries::{Library, load, name_of};
use crate::clients::scripting::script_command::tell_killed;
use crate::clients::scripting::{Machine, Scripts};
use crate::commands::Row;
use crate::commands::payload::{PayloadError, dump_functions, restore_functions};
use crate::db::glob::glob_match;
use crate::keyspace::{Caller, LibraryChange, Reach, Scratch, Stage};
use crate::resp::{Args, Reply};

const HELP: &[&str] = &[
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Create a new library with the given library name and code.",
    "DELETE <LIBRARY NAME>",
    "    Delete the given library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Return general information on all the libraries:",
    "    * Library name",
    "    * The engine used to run the Library",
    "    * Library description",
    "    * Functions list",
    "    * Library code (if WITHCODE is given)",
    "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
    "STATS",
    "    Return information about the current function running:",
    "    * Function name",
    "    * Command used to run the function",
    "    * Duration in MS that the function is running",
    "    If no function is running, return nil",
    "    In addition, returns a list of available engines.",
    "KILL",
    "    Kill the current running function.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all the libraries.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the libraries.",
    "    * SYNC: Synchronously flush the libraries.",
    "DUMP",
    "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
    "    control how to handle existing libraries (default APPEND):",
    "    * FLUSH: delete all existing libraries.",
    "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
    "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
    "      libraries with the new libraries (notice that even on this option there is a chance of failure",
    "      in case of functions name collision with another library).",
];

/// Where libraries are read and written.
enum Store<'a, 's, 'p, 'k> {
    /// In partitions that nobody here holds.
    Free,
    /// Within a transaction, on its stage.
    Stage(&'a mut Stage<'s, 'p, 'k>, &'a Caller, &'a mut Scratch),
}

/// What FUNCTION RESTORE does with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Flush,
    Append,
    Replace,
}

/// A library that is to be there, and its functions' names in small letters.
struct Wanted {
    name: String,
    code: Vec<u8>,
    functions: Vec<String>,
}

impl Conversation {
    pub(in crate::clients) fn function_command(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) {
        let scripts = Arc::clone(&self.context.scripts);
        match row.name {
            "function|help" => return errors::help(args, HELP, reply),
            "function|kill" => return tell_killed(scripts.running.kill(true), false, reply),
            "function|stats" => return stats(&scripts, reply),
            _ => {}
        }
        let machine = match scripts.machine() {
            Ok(machine) => machine,
            Err(text) => return reply.error(text),
        };
        self.sync_libraries(&scripts, &machine);
        self.change_functions(&machine, row, args, &mut Store::Free, reply);
        scripts.tidy(machine);
    }

    /// The same within a transaction.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one call, each named"
    )]
    pub(super) fn function_on(
        &mut self,
        machine: &Machine,
        row: &'static Row,
        args: Args<'_>,
        stage: &mut Stage<'_, '_, '_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) {
        let mut store = Store::Stage(stage, caller, scratch);
        self.change_functions(machine, row, args, &mut store, reply);
    }

    fn change_functions(
        &mut self,
        machine: &Machine,
        row: &'static Row,
        args: Args<'_>,
        store: &mut Store<'_, '_, '_, '_>,
        reply: &mut Reply,
    ) {
        let scripts = Arc::clone(&self.context.scripts);
        let result = match row.name {
            "function|load" => self.load_function(&scripts, machine, args, store, reply),
            "function|delete" => self.delete_library(&scripts, args, store, reply),
            "function|flush" => self.flush_libraries(args, store, reply),
            "function|restore" => self.restore_libraries(&scripts, machine, args, store, reply),
            "function|list" => list(&scripts, args, reply),
            "function|stats" => {
                stats(&scripts, reply);
                Ok(())
            }
            "function|dump" => {
                let all = scripts.libraries.all();
                let codes = all.iter().map(|library| library.code.as_slice());
                reply.bulk(&dump_functions(codes));
                Ok(())
            }
            _ => Err(errors::SYNTAX.into()),
        };
        if let Err(text) = result {
            reply.error_bytes(text.as_bytes());
        } else if row.may_replicate() {
            self.sync_from(&scripts, machine, store);
        }
    }

    /// Lets the machine follow the keyspace. The caller holds no partition.
    pub(in crate::clients) fn sync_libraries(&self, scripts: &Scripts, machine: &Machine) {
        self.sync_from(scripts, machine, &mut Store::Free);
    }

    fn sync_from(&self, scripts: &Scripts, machine: &Machine, store: &mut Store<'_, '_, '_, '_>) {
        // Before what is there is looked at.
        let version = self.context.keyspace.libraries_version();
        let (libraries, running) = (&scripts.libraries, &scripts.running);
        libraries.sync(machine, running, version, || self.present_libraries(store));
    }

    fn present_libraries(&self, store: &mut Store<'_, '_, '_, '_>) -> Vec<(String, Vec<u8>)> {
        let now = self.caller.now;
        match store {
            Store::Free => self.context.keyspace.libraries(now),
            Store::Stage(stage, ..) => stage.libraries(now),
        }
    }

    fn change_libraries(
        &mut self,
        store: &mut Store<'_, '_, '_, '_>,
        changes: &[LibraryChange],
    ) -> Result<(), String> {
        let is_done = match store {
            Store::Stage(stage, caller, scratch) => {
                stage.change_libraries(changes, caller, scratch)
            }
            Store::Free => {
                let keyspace = Arc::clone(&self.context.keyspace);
                let (mut caller, mut scratch) = (self.caller, std::mem::take(&mut self.scratch));
                let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
                let (is_done, ran) = keyspace.execute_script(
                    Reach::All,
                    count,
                    &mut caller,
                    &mut scratch,
                    |stage, caller, scratch| stage.change_libraries(changes, caller, scratch),
                );
                self.scratch = scratch;
                if let Some(stamp) = ran.stamp {
                    self.last_write = stamp.time();
                }
                is_done
            }
        };
        if is_done {
            Ok(())
        } else {
            Err("ERR the libraries could not be written".into())
        }
    }

    fn load_function(
        &mut self,
        scripts: &Scripts,
        machine: &Machine,
        args: Args<'_>,
        store: &mut Store<'_, '_, '_, '_>,
        reply: &mut Reply,
    ) -> Result<(), String> {
        let options = args.range(2..args.len() - 1);
        let mut replaces = false;
        for option in options {
            if !option.eq_ignore_ascii_case(b"replace") {
                reply.error_bytes(&[b"ERR Unknown option given: ", option].concat());
                return Ok(());
            }
            replaces = true;
        }
        let code = args.last().unwrap_or_default();
        let name = name_of(code).map_err(|text| format!("ERR {text}"))?;
        if !replaces && scripts.libraries.get(&name).is_some() {
            return Err(format!("ERR Library '{name}' already exists"));
        }
        let wanted = wanted(scripts, machine, code, name)?;
        check_names(scripts, std::slice::from_ref(&wanted), |other| {
            other.name == wanted.name
        })?;
        scripts.libraries.unload(machine, &wanted.name);
        let change = LibraryChange::Keep(wanted.name.clone(), wanted.code);
        self.change_libraries(store, &[change])?;
        reply.bulk(wanted.name.as_bytes());
        Ok(())
    }

    fn delete_library(
        &mut self,
        scripts: &Scripts,
        args: Args<'_>,
        store: &mut Store<'_, '_, '_, '_>,
        reply: &mut Reply,
    ) -> Result<(), String> {
        let name = std::str::from_utf8(args.get(2)).unwrap_or_default();
        let Some(library) = scripts.libraries.get(name) else {
            return Err("ERR Library not found".into());
        };
        self.change_libraries(store, &[LibraryChange::Drop(library.name.clone())])?;
        reply.ok();
        Ok(())
    }

    fn flush_libraries(
        &mut self,
        args: Args<'_>,
        store: &mut Store<'_, '_, '_, '_>,
        reply: &mut Reply,
    ) -> Result<(), String> {
        let is_mode =
            |word: &[u8]| word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async");
        if args.len() > 3 {
            errors::wrong_form(args, reply);
            return Ok(());
        }
        if args.try_get(2).is_some_and(|word| !is_mode(word)) {
            return Err("ERR FUNCTION FLUSH only supports SYNC|ASYNC option".into());
        }
        // Those that do not load here, too.
        let all = self.present_libraries(store);
        let drop = |(name, _)| LibraryChange::Drop(name);
        let changes: Vec<_> = all.into_iter().map(drop).collect();
        if !changes.is_empty() {
            self.change_libraries(store, &changes)?;
        }
        reply.ok();
        Ok(())
    }

    fn restore_libraries(
        &mut self,
        scripts: &Scripts,
        machine: &Machine,
        args: Args<'_>,
        store: &mut Store<'_, '_, '_, '_>,
        reply: &mut Reply,
    ) -> Result<(), String> {
        if args.len() > 4 {
            errors::wrong_form(args, reply);
            return Ok(());
        }
        let policy = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"append") => Policy::Append,
            Some(b"replace") => Policy::Replace,
            Some(b"flush") => Policy::Flush,
            Some(_) => {
                return Err("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.".into());
            }
        };
        let codes = restore_functions(args.get(2)).map_err(|error| match error {
            PayloadError::Footer => format!("ERR {error}"),
            PayloadError::Format => "ERR given type is not a function".to_owned(),
        })?;
        let mut all = Vec::new();
        for code in &codes {
            let name = name_of(code).map_err(|text| format!("ERR {text}"))?;
            all.push(wanted(scripts, machine, code, name)?);
        }
        let mut names = BTreeSet::new();
        for library in &all {
            let is_there =
                policy == Policy::Append && scripts.libraries.get(&library.name).is_some();
            if !names.insert(library.name.clone()) || is_there {
                return Err(format!("ERR Library {} already exists", library.name));
            }
        }
        check_names(scripts, &all, |other| {
            policy == Policy::Flush || names.contains(&other.name)
        })?;
        let mut changes = Vec::new();
        if policy == Policy::Flush {
            let present = self.present_libraries(store);
            let gone = present
                .into_iter()
                .filter(|(name, _)| !names.contains(name));
            changes.extend(gone.map(|(name, _)| LibraryChange::Drop(name)));
        }
        for library in &all {
            scripts.libraries.unload(machine, &library.name);
        }
        let keep = |wanted: Wanted| LibraryChange::Keep(wanted.name, wanted.code);
        changes.extend(all.into_iter().map(keep));
        if !changes.is_empty() {
            self.change_libraries(store, &changes)?;
        }
        reply.ok();
        Ok(())
    }
}

/// What a library would have, which is found out by loading it.
fn wanted(
    scripts: &Scripts,
    machine: &Machine,
    code: &[u8],
    name: String,
) -> Result<Wanted, String> {
    let registered = load(machine, &scripts.running, code).map_err(|text| format!("ERR {text}"))?;
    for function in &registered {
        machine.vm.forget(function.number);
    }
    let functions = registered.into_iter();
    Ok(Wanted {
        name,
        code: code.to_vec(),
        functions: functions.map(|function| function.name).collect(),
    })
}

/// Whether the functions of these libraries have names that no other library has, but for those that go.
fn check_names(
    scripts: &Scripts,
    wanted: &[Wanted],
    goes: impl Fn(&Library) -> bool,
) -> Result<(), String> {
    let mut taken = BTreeSet::new();
    for library in scripts.libraries.all() {
        if !goes(&library) {
            let functions = library.functions.iter();
            taken.extend(functions.map(|function| function.registered.name.to_ascii_lowercase()));
        }
    }
    for library in wanted {
        let mut own = BTreeSet::new();
        for function in &library.functions {
            let small = function.to_ascii_lowercase();
            if taken.contains(&small) {
                return Err(format!("ERR Function {function} already exists"));
            }
            own.insert(small);
        }
        taken.append(&mut own);
    }
    Ok(())
}

fn list(scripts: &Scripts, args: Args<'_>, reply: &mut Reply) -> Result<(), String> {
    let (mut pattern, mut with_code) = (None, false);
    let mut words = args.skip(2).iter();
    while let Some(word) = words.next() {
        if !with_code && word.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"libraryname") {
            let Some(given) = words.next() else {
                return Err("ERR library name argument was not given".into());
            };
            pattern = Some(given);
        } else {
            reply.error_bytes(&[b"ERR Unknown argument ", word].concat());
            return Ok(());
        }
    }
    let mut all = scripts.libraries.all();
    if let Some(pattern) = pattern {
        all.retain(|library| glob_match(pattern, library.name.as_bytes(), true));
    }
    reply.array(all.len());
    for library in all {
        reply.map(if with_code { 4 } else { 3 });
        reply.bulk(b"library_name");
        reply.bulk(library.name.as_bytes());
        reply.bulk(b"engine");
        reply.bulk(b"LUA");
        reply.bulk(b"functions");
        reply.array(library.functions.len());
        for function in &library.functions {
            let registered = &function.registered;
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(registered.name.as_bytes());
            reply.bulk(b"description");
            match &registered.description {
                Some(description) => reply.bulk(description),
                None => reply.null(),
            }
            reply.bulk(b"flags");
            reply.set(registered.flags.len());
            for flag in &registered.flags {
                reply.simple(flag);
            }
        }
        if with_code {
            reply.bulk(b"library_code");
            reply.bulk(&library.code);
        }
    }
    Ok(())
}

fn stats(scripts: &Scripts, reply: &mut Reply) {
    let run = scripts.running.present();
    if run.as_ref().is_some_and(|run| run.function.is_none()) {
        return reply.error(errors::BUSY_SCRIPT);
    }
    reply.map(2);
    reply.bulk(b"running_script");
    match run {
        Some(run) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(run.function.unwrap_or_default().as_bytes());
            reply.bulk(b"command");
            reply.array(run.command.len());
            for word in &run.command {
                reply.bulk(word);
            }
            reply.bulk(b"duration_ms");
            reply.integer(run.since.elapsed().as_millis() as i64);
        }
        None => reply.null(),
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    let (libraries, functions, _) = scripts.libraries.counts();
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(libraries as i64);
    reply.bulk(b"functions_count");
    reply.integer(functions as i64);
}
