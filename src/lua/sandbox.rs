//! What scripts find in the machine: Lua's library without what reaches out of it, `redis`, and the four libraries of Redis; all of it
//! behind tables that no script can change (`sandbox.lua`).

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use sha1::{Digest, Sha1};

use crate::lua::arguments::{Taken, refuse};
use crate::lua::{
    Shared, Version, api, bit, cjson, cmsgpack, errors, guards, library, random, structs,
};

/// How the sandbox's own functions are named.
pub const CHUNK: &str = "=[sandbox]";

/// The parts that the machine works with.
pub struct Sandbox {
    /// Compiled scripts and functions by their numbers.
    pub scripts: Table,
    /// Calls a compiled script by its number.
    pub run: Function,
    /// Calls a function of a library by its number.
    pub run_function: Function,
    /// Runs the code of a library.
    pub load: Function,
    /// What libraries and their functions find.
    pub of_libraries: Table,
    /// Lua's.
    pub next: Function,
    /// Lua's `loadstring`.
    pub compile: Function,
}

/// A digest in hexadecimal digits.
pub fn sha1_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(40);
    for byte in Sha1::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Builds it in a new machine.
pub fn build(lua: &Lua, shared: &Rc<Shared>, version: Version) -> mlua::Result<Sandbox> {
    let host = lua.create_table()?;
    let redis = lua.create_table()?;
    api::fill(lua, &redis, shared, version)?;
    host.raw_set("redis", &redis)?;
    host.raw_set("redis_of_functions", library::running(lua, &redis)?)?;
    host.raw_set("loading", library::loading(lua, &redis, shared)?)?;
    let next: Function = lua.globals().raw_get("next")?;
    let compile: Function = lua.globals().raw_get("loadstring")?;
    host.raw_set("cjson", cjson::library(lua, &next)?)?;
    host.raw_set("cmsgpack", cmsgpack::library(lua)?)?;
    host.raw_set("bit", bit::library(lua)?)?;
    host.raw_set("struct", structs::library(lua)?)?;
    let translate = |lua: &Lua, value: Value| match value {
        Value::Error(error) => errors::translate(lua, &error),
        other => Ok(other),
    };
    host.raw_set("translate", lua.create_function(translate)?)?;
    host.raw_set("handle", lua.create_function(errors::handle)?)?;
    set_refusing(lua, &host)?;
    guards::fill(lua, &host)?;
    set_random(lua, &host, shared)?;
    let scripts = lua.create_table()?;
    host.raw_set("scripts", &scripts)?;
    let code = include_str!("sandbox.lua");
    let build: Function = lua.load(code).set_name(CHUNK).into_function()?;
    let (globals, run, of_libraries, run_function, load) =
        build.call::<(Table, Function, Table, Function, Function)>(host)?;
    lua.set_globals(globals)?;
    Ok(Sandbox {
        scripts,
        run,
        run_function,
        load,
        of_libraries,
        next,
        compile,
    })
}

/// How the sandbox's own functions refuse what they are called with, in the name and at the place where the script called them.
fn set_refusing(lua: &Lua, host: &Table) -> mlua::Result<()> {
    // `above` is how many more of them stand between them and the script.
    type Argument = (usize, mlua::LuaString, Option<usize>);
    let refuse = |lua: &Lua, (number, why, above): Argument| -> mlua::Result<()> {
        let level = 1 + above.unwrap_or_default();
        Err(refuse(lua, level, number, &why.as_bytes()))
    };
    host.raw_set("refuse", lua.create_function(refuse)?)?;
    let raise = |lua: &Lua, (text, above): (mlua::LuaString, Option<usize>)| -> mlua::Result<()> {
        let level = 2 + above.unwrap_or_default();
        Err(errors::raise_at(lua, level, text.as_bytes()))
    };
    host.raw_set("raise", lua.create_function(raise)?)?;
    let placed =
        |lua: &Lua, text: mlua::LuaString| match errors::placed(lua, &text.as_bytes(), false) {
            Some(placed) => lua.create_string(placed),
            None => Ok(text),
        };
    host.raw_set("placed", lua.create_function(placed)?)
}

fn set_random(lua: &Lua, host: &Table, shared: &Rc<Shared>) -> mlua::Result<()> {
    let of_run = Rc::clone(shared);
    let draw = move |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let share = f64::from(of_run.random.next() % random::MAX) / f64::from(random::MAX);
        let between = |low: i32, high: i32, at: usize| {
            if low > high {
                return Err(taken.refuse(at, "interval is empty"));
            }
            let count = high.wrapping_sub(low).wrapping_add(1);
            let drawn = (share * f64::from(count)).floor();
            Ok(Value::Number(drawn + f64::from(low)))
        };
        match taken.len() {
            0 => Ok(Value::Number(share)),
            1 => between(1, taken.int(0)?, 0),
            2 => between(taken.int(0)?, taken.int(1)?, 1),
            _ => Err(errors::raise(lua, "wrong number of arguments")),
        }
    };
    host.raw_set("random", lua.create_function(draw)?)?;
    let of_run = Rc::clone(shared);
    let seed = move |lua: &Lua, values: MultiValue| {
        let seed = Taken::new(lua, values).int(0)?;
        of_run.random.seed(seed);
        Ok(())
    };
    host.raw_set("randomseed", lua.create_function(seed)?)
}
