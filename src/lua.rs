//! The machine that scripts run on: one Lua 5.1, its sandbox, and what Redis puts into it. Knows no command: what a script calls is
//! carried out by its [`Host`].
//!
//! Invariants: no script leaves anything behind for the next one but what it compiled; nothing a script does - endless memory, a panic
//! within a call - harms more than its own run; what a script may not catch ([`Raised::Stop`]) no `pcall` catches.

mod api;
mod arguments;
mod bit;
mod brackets;
mod cjson;
mod cmsgpack;
mod errors;
mod guards;
mod host;
mod library;
mod moving;
mod pile;
mod plain;
mod random;
mod reading;
mod replying;
mod sandbox;
mod structs;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{
    Either, Function, HookTriggers, IntoLua, Lua, LuaOptions, StdLib, Table, Value, VmState,
};

use crate::resp::{Args, Protocol, Reply};
pub use errors::Raised;
pub use host::Host;
pub use library::{LoadError, Registered, is_name};
pub use plain::Plain;
pub use sandbox::sha1_hex;

/// Instructions between two looks at the clock.
const STEPS: u32 = 100_000;
/// The most memory that the machine may take.
pub const MEMORY_MAX: usize = 1 << 30;
/// Memory of replies that is kept from call to call.
const KEPT: usize = 64 * 1024;

/// What scripts are told of the server.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// `redis.REDIS_VERSION`.
    pub text: &'static str,
    /// `redis.REDIS_VERSION_NUM`.
    pub number: u32,
}

/// Looks at a script that has run for a while: whether it may go on.
pub type Watcher = Box<dyn Fn() -> bool + Send + Sync>;

/// How a script is named where it is compiled and in its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// EVAL's.
    Script,
    /// A library of functions.
    Library,
}

impl Source {
    const fn chunk(self) -> &'static str {
        match self {
            Self::Script => "@user_script",
            Self::Library => "@user_function",
        }
    }

    /// As Lua's errors say it.
    fn file(self) -> &'static str {
        self.chunk().trim_start_matches('@')
    }
}

/// What one run shares with the functions that stay in the machine.
#[derive(Debug)]
struct Shared {
    /// `redis.setresp(3)`.
    is_resp3: Cell<bool>,
    /// `math.random`.
    random: random::Random,
    /// The run may not go on.
    is_stopped: Cell<bool>,
    /// What the library that is being loaded has registered.
    registering: RefCell<Option<library::Registering>>,
    /// Where it was then: file and line.
    stopped_at: RefCell<Option<(String, usize)>>,
    /// See [`Limited`].
    memory_max: Cell<usize>,
    /// What calls use again and again.
    buffers: RefCell<host::Buffers>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            is_resp3: Cell::default(),
            random: random::Random::default(),
            is_stopped: Cell::default(),
            registering: RefCell::default(),
            stopped_at: RefCell::default(),
            memory_max: Cell::new(MEMORY_MAX),
            buffers: RefCell::default(),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a value, which is in the reply.
    Returned,
    /// With an error, which is in the reply; whether the statistics know of it already.
    Failed {
        /// They do.
        is_counted: bool,
    },
    /// It was stopped: nothing is in the reply.
    Stopped,
}

/// See the head of the file.
pub struct Vm {
    lua: Lua,
    shared: Rc<Shared>,
    /// Calls a compiled script.
    run: Function,
    /// Calls a function of a library.
    run_function: Function,
    /// Runs the code of a library.
    load: Function,
    /// What libraries and their functions find.
    of_libraries: Table,
    /// Scripts by their numbers.
    scripts: Table,
    /// The next number.
    next: Cell<u32>,
    /// Lua's `next`.
    pair_behind: Function,
    /// Its `loadstring`.
    compile: Function,
}

/// While this lives the machine's memory has another limit. It has one only while code of a script runs: with a limit, each step
/// that Rust takes in the machine must be ready for an error, and costs several times as much.
struct Limited<'l> {
    lua: &'l Lua,
    after: usize,
}

impl<'l> Limited<'l> {
    /// Sets a limit, 0 for none, which is `after` again afterwards.
    fn to(lua: &'l Lua, limit: usize, after: usize) -> Self {
        // The machine was made with an allocator that has limits.
        let _ = lua.set_memory_limit(limit);
        Self { lua, after }
    }
}

impl Drop for Limited<'_> {
    fn drop(&mut self) {
        let _ = self.lua.set_memory_limit(self.after);
    }
}

/// Bytes that are no text; text has a shorter way into the machine.
struct Binary<'b>(&'b [u8]);

impl IntoLua for Binary<'_> {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        lua.create_string(self.0).map(Value::String)
    }
}

/// A word on its way into the machine.
fn lent(word: &[u8]) -> Either<&str, Binary<'_>> {
    match std::str::from_utf8(word) {
        Ok(text) => Either::Left(text),
        Err(_) => Either::Right(Binary(word)),
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vm")
    }
}

impl Vm {
    /// A machine; `watcher` is asked now and then while a script runs.
    pub fn new(version: Version, watcher: Watcher) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
        let shared = Rc::new(Shared::default());
        let sandbox = sandbox::build(&lua, &shared, version)?;

        let stopped = Rc::clone(&shared);
        lua.set_global_hook(
            HookTriggers::new().every_nth_instruction(STEPS),
            move |lua, debug| {
                if stopped.is_stopped.get() || !watcher() {
                    stopped.is_stopped.set(true);
                    let source = debug.source().source.map(std::borrow::Cow::into_owned);
                    let place = match source {
                        Some(source) if source == sandbox::CHUNK => errors::origin(lua)
                            .and_then(|(source, line)| Some((source, usize::try_from(line).ok()?))),
                        source => source.zip(debug.current_line()),
                    };
                    let mut stopped_at = stopped.stopped_at.borrow_mut();
                    stopped_at.get_or_insert_with(|| place.unwrap_or_default());
                    return Err(Raised::Stop.into());
                }
                Ok(VmState::Continue)
            },
        )?;
        Ok(Self {
            lua,
            shared,
            run: sandbox.run,
            run_function: sandbox.run_function,
            load: sandbox.load,
            of_libraries: sandbox.of_libraries,
            scripts: sandbox.scripts,
            next: Cell::new(1),
            pair_behind: sandbox.next,
            compile: sandbox.compile,
        })
    }

    /// Bytes that the machine takes.
    pub fn len_bytes(&self) -> usize {
        self.lua.used_memory()
    }

    /// Compiles a script; the number to call it by, or why not.
    pub fn compile(&self, code: &[u8], source: Source) -> Result<u32, Vec<u8>> {
        let function = self.function_of(code, source)?;
        let number = self.next_number();
        let kept = self.scripts.raw_set(number, function);
        kept.map_err(|error| errors::plain(&error).into_bytes())?;
        Ok(number)
    }

    /// The function that a code is, or why it is none, in Lua's words, which may be no UTF-8.
    fn function_of(&self, code: &[u8], source: Source) -> Result<Function, Vec<u8>> {
        // What begins like code that was compiled elsewhere would not be read as text.
        let spaced = [b" ", code].concat();
        let code = if code.first() == Some(&27) {
            &spaced
        } else {
            code
        };
        match self.compile_text(code, source) {
            Err(why) => match brackets::rewritten(code, &why) {
                Some(code) => self.compile_text(&code, source),
                None => Err(why),
            },
            function => function,
        }
    }

    fn compile_text(&self, code: &[u8], source: Source) -> Result<Function, Vec<u8>> {
        let words = (Binary(code), source.chunk());
        let compiled = self
            .compile
            .call::<(Option<Function>, Option<mlua::LuaString>)>(words);
        match compiled {
            Ok((Some(function), _)) => Ok(function),
            Ok((None, why)) => Err(why.map(|why| why.as_bytes().to_vec()).unwrap_or_default()),
            Err(error) => Err(errors::plain(&error).into_bytes()),
        }
    }

    fn next_number(&self) -> u32 {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        number
    }

    /// Forgets a compiled script.
    pub fn forget(&self, number: u32) {
        // At worst it stays, and nobody knows its number.
        let _ = self.scripts.raw_set(number, Value::Nil);
    }

    /// Runs a plain script, for which the machine has nothing to do.
    pub fn run_plain(
        &self,
        plain: &Plain,
        name: &str,
        given: (Args<'_>, Args<'_>),
        host: &mut dyn Host,
        reply: &mut Reply,
    ) -> Ended {
        let mut buffers = self.shared.buffers.borrow_mut();
        *self.shared.stopped_at.borrow_mut() = None;
        plain::run(plain, name, given, host, &mut buffers, reply)
    }

    /// Runs a script, or a function. `name` is what its errors call it.
    pub fn run(
        &self,
        (number, source): (u32, Source),
        name: &str,
        (keys, arguments): (Args<'_>, Args<'_>),
        host: &mut dyn Host,
        reply: &mut Reply,
    ) -> Ended {
        self.shared.is_resp3.set(false);
        self.shared.is_stopped.set(false);
        *self.shared.stopped_at.borrow_mut() = None;
        let mark = reply.mark();
        let ran = self.run_for(host, (number, source), name, (keys, arguments), reply);
        if self.shared.is_stopped.get() {
            reply.truncate(mark);
            return Ended::Stopped;
        }
        ran.unwrap_or_else(|error| {
            reply.truncate(mark);
            let text = errors::plain(&error);
            reply.error_format(format_args!("ERR Error running script {name}, {text}"));
            Ended::Failed { is_counted: false }
        })
    }

    fn run_for(
        &self,
        host: &mut dyn Host,
        (number, source): (u32, Source),
        name: &str,
        (keys, arguments): (Args<'_>, Args<'_>),
        reply: &mut Reply,
    ) -> mlua::Result<Ended> {
        let (key, keys) = self.words(keys)?;
        let (argument, arguments) = self.words(arguments)?;
        let run = match source {
            Source::Script => &self.run,
            Source::Library => &self.run_function,
        };
        let (is_fine, value): (bool, Value) = host::work_for(host, || {
            let max = self.shared.memory_max.get();
            let _limited = Limited::to(&self.lua, max, 0);
            run.call((number, key, keys, argument, arguments))
        })?;
        if self.shared.is_stopped.get() {
            return Ok(Ended::Stopped);
        }
        if is_fine {
            let is_resp3 = self.shared.is_resp3.get();
            let writer = replying::Writer {
                lua: &self.lua,
                next: &self.pair_behind,
                is_resp3,
            };
            let mut count = |text: &[u8]| host.count_error(text);
            return replying::reply(value, writer, reply, &mut count);
        }
        Ok(errors::reply(&value, name, reply))
    }

    /// Words as a table; one alone as it is and none as nothing, for which the machine makes a table at less.
    fn words(&self, words: Args<'_>) -> mlua::Result<(Option<mlua::LuaString>, Option<Table>)> {
        match words.len() {
            0 => Ok((None, None)),
            1 => Ok((Some(self.lua.create_string(words.get(0))?), None)),
            _ => {
                let table = self.lua.create_sequence_from(words.iter().map(lent))?;
                Ok((None, Some(table)))
            }
        }
    }

    /// Stops the run that is under way, or lets it go on no further than its next call.
    pub fn stop(&self) {
        self.shared.is_stopped.set(true);
    }

    /// Where the last run was stopped, if it was while it computed.
    pub fn stopped_at(&self) -> Option<(String, usize)> {
        let place = self.shared.stopped_at.borrow().clone();
        place.filter(|(source, _)| !source.is_empty())
    }

    /// Frees what no script uses any more.
    pub fn collect_garbage(&self) {
        // Where there is too little memory for that, the next run says so.
        let _ = self.lua.gc_collect();
    }
}

impl Shared {
    fn protocol(&self) -> Protocol {
        if self.is_resp3.get() {
            Protocol::Resp3
        } else {
            Protocol::Resp2
        }
    }
}

#[cfg(test)]
mod tests;
