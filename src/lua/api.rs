//! `redis.*` as scripts see it.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::to_int;
use crate::lua::errors::Raised;
use crate::lua::sandbox::sha1_hex;
use crate::lua::{Limited, Shared, Version, host, reading};
use crate::resp::{ArgsBuffer, write_double};

pub(super) const NO_ARGUMENT: &str = "Please specify at least one argument for this redis lib call";

pub(super) const WRONG_ARGUMENT: &str =
    "Lua redis lib command arguments must be strings or integers";
pub(super) const TOO_LONG: &str = "the arguments of a call are too long";

/// `redis.call` or `redis.pcall`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raises {
    /// Errors are raised.
    Yes,
    /// Errors are values.
    No,
}

/// Carries out what a script calls.
fn call(lua: &Lua, shared: &Shared, words: &MultiValue, raises: Raises) -> mlua::Result<Value> {
    let max = shared.memory_max.get();
    let _unlimited = Limited::to(lua, 0, max);
    let outcome = carry_out(lua, shared, words);
    match outcome {
        Ok(value) if raises == Raises::Yes => match raised_in(&value) {
            Some(raised) => Err(raised.into()),
            None => Ok(value),
        },
        Ok(value) => Ok(value),
        Err(raised) => {
            if raised == Raised::Stop {
                shared.is_stopped.set(true);
            }
            match raises {
                Raises::Yes => Err(raised.into()),
                Raises::No => raised.to_value(lua),
            }
        }
    }
}

/// The error that a command replied with.
fn raised_in(value: &Value) -> Option<Raised> {
    let Value::Table(table) = value else {
        return None;
    };
    let Value::String(text) = table.raw_get::<Value>("err").ok()? else {
        return None;
    };
    Some(Raised::Reply {
        text: text.as_bytes().to_vec(),
        is_counted: true,
    })
}

fn carry_out(lua: &Lua, shared: &Shared, words: &MultiValue) -> Result<Value, Raised> {
    // Who calls while a call is under way finds no host.
    host::ask(|host| {
        let buffers = &mut *shared.buffers.borrow_mut();
        take_words(&mut buffers.words, words.iter())?;
        if buffers.words.as_args().is_empty() {
            return Err(Raised::generic(NO_ARGUMENT));
        }
        let reply = &mut buffers.reply;
        reply.clear(super::KEPT);
        reply.set_protocol(shared.protocol());
        host.call(buffers.words.as_args(), reply)?;
        // What is too much for the machine ends as an error there.
        reading::value(lua, reply.as_bytes()).map_err(|error| {
            let raised = error.downcast_ref::<Raised>().cloned();
            raised.unwrap_or_else(|| Raised::Text(super::errors::plain(&error).into_bytes()))
        })
    })
}

fn push_double(buffer: &mut ArgsBuffer, number: f64) -> bool {
    let mut text = Vec::new();
    match (number.is_nan(), number.is_sign_negative()) {
        (true, true) => text.extend_from_slice(b"-nan"),
        _ => write_double(&mut text, number),
    }
    buffer.push(&text)
}

/// A number as commands take it, whole ones but -0 in all their digits; whether there is room.
pub(super) fn push_number(buffer: &mut ArgsBuffer, number: f64) -> bool {
    // The first number beyond is exact; what is less than it by the least fits.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    let is_whole = fits && (number as i64 as f64).to_bits() == number.to_bits();
    match is_whole {
        true => buffer.push(itoa::Buffer::new().format(number as i64).as_bytes()),
        false => push_double(buffer, number),
    }
}

/// Arguments as commands take them.
fn take_words<'v>(
    buffer: &mut ArgsBuffer,
    words: impl Iterator<Item = &'v Value>,
) -> Result<(), Raised> {
    buffer.clear();
    for word in words {
        let is_room = match word {
            Value::String(text) => buffer.push(&text.as_bytes()),
            Value::Integer(number) => buffer.push(itoa::Buffer::new().format(*number).as_bytes()),
            Value::Number(number) => push_double(buffer, *number),
            _ => {
                return Err(Raised::generic(WRONG_ARGUMENT));
            }
        };
        if !is_room {
            return Err(Raised::generic(TOO_LONG));
        }
    }
    Ok(())
}

fn single(lua: &Lua, field: &str, text: &[u8]) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, lua.create_string(text)?)?;
    Ok(Value::Table(table))
}

/// The one argument that is text.
fn only_text(words: &MultiValue) -> Option<Vec<u8>> {
    match (words.len(), words.front()) {
        (1, Some(Value::String(text))) => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

fn wrong_arguments(lua: &Lua) -> mlua::Result<Value> {
    Raised::generic("wrong number or type of arguments").to_value(lua)
}

/// Puts the functions that do not depend on a run into the table.
pub fn fill(lua: &Lua, redis: &Table, shared: &Rc<Shared>, version: Version) -> mlua::Result<()> {
    let set = |name: &str, value: Value| redis.raw_set(name, value);
    set(
        "error_reply",
        Value::Function(lua.create_function(|lua, words: MultiValue| {
            let Some(text) = only_text(&words) else {
                return wrong_arguments(lua);
            };
            Raised::line(text.strip_prefix(b"-").unwrap_or(&text)).to_value(lua)
        })?),
    )?;
    set(
        "status_reply",
        Value::Function(
            lua.create_function(|lua, words: MultiValue| match only_text(&words) {
                Some(text) => single(lua, "ok", &text),
                None => wrong_arguments(lua),
            })?,
        ),
    )?;
    set(
        "sha1hex",
        Value::Function(lua.create_function(|lua, words: MultiValue| {
            if words.len() != 1 {
                return Err(Raised::generic("wrong number of arguments").into());
            }
            let text = match words.front() {
                Some(value) => lua.coerce_string(value.clone())?,
                None => None,
            };
            let bytes = text
                .map(|text| text.as_bytes().to_vec())
                .unwrap_or_default();
            Ok(Value::String(lua.create_string(sha1_hex(&bytes))?))
        })?),
    )?;
    let of_run = Rc::clone(shared);
    set(
        "setresp",
        Value::Function(lua.create_function(move |lua, words: MultiValue| {
            if words.len() != 1 {
                return Err(Raised::generic("redis.setresp() requires one argument.").into());
            }
            let version = match words.front() {
                Some(version) => lua.coerce_number(version.clone())?,
                None => None,
            };
            let version = version.unwrap_or_default() as i64;
            if version != 2 && version != 3 {
                return Err(Raised::generic("RESP version must be 2 or 3.").into());
            }
            of_run.is_resp3.set(version == 3);
            Ok(())
        })?),
    )?;
    set("log", Value::Function(lua.create_function(log)?))?;
    set(
        "replicate_commands",
        Value::Function(lua.create_function(|_, _: MultiValue| Ok(true))?),
    )?;
    set(
        "breakpoint",
        Value::Function(lua.create_function(|_, _: MultiValue| Ok(false))?),
    )?;
    set(
        "debug",
        Value::Function(lua.create_function(|_, _: MultiValue| Ok(()))?),
    )?;
    set_asking(lua, redis, shared)?;
    for (name, level) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
    ] {
        set(name, Value::Integer(level))?;
    }
    set(
        "REDIS_VERSION",
        Value::String(lua.create_string(version.text)?),
    )?;
    set(
        "REDIS_VERSION_NUM",
        Value::Integer(i64::from(version.number)),
    )
}

/// The functions that ask the host of the run that is under way.
fn set_asking(lua: &Lua, redis: &Table, shared: &Rc<Shared>) -> mlua::Result<()> {
    for (name, raises) in [("call", Raises::Yes), ("pcall", Raises::No)] {
        let of_run = Rc::clone(shared);
        let function = move |lua: &Lua, words: MultiValue| call(lua, &of_run, &words, raises);
        redis.raw_set(name, lua.create_function(function)?)?;
    }
    let of_run = Rc::clone(shared);
    let may = move |_: &Lua, words: MultiValue| {
        if words.is_empty() {
            return Err(Raised::generic(NO_ARGUMENT).into());
        }
        let may = host::ask(|host| {
            let buffers = &mut *of_run.buffers.borrow_mut();
            take_words(&mut buffers.words, words.iter())?;
            Ok(host.may(buffers.words.as_args()))
        })?;
        may.ok_or_else(|| Raised::generic("Invalid command passed to redis.acl_check_cmd()").into())
    };
    redis.raw_set("acl_check_cmd", lua.create_function(may)?)?;
    let set_repl = |_: &Lua, words: MultiValue| {
        if words.len() != 1 {
            return Err(Raised::generic("redis.set_repl() requires one argument.").into());
        }
        let flags = match words.front() {
            Some(Value::Integer(flags)) => *flags,
            Some(Value::Number(flags)) => *flags as i64,
            _ => 0,
        };
        if flags & !3 != 0 {
            return Err(Raised::generic(
                "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
            )
            .into());
        }
        host::ask(|host| host.set_replication(flags as u32)).map_err(mlua::Error::from)
    };
    redis.raw_set("set_repl", lua.create_function(set_repl)?)
}

fn log(lua: &Lua, words: MultiValue) -> mlua::Result<()> {
    let mut words = words.into_iter();
    if words.len() < 2 {
        return Err(Raised::generic("redis.log() requires two arguments or more.").into());
    }
    let level = match words.next() {
        Some(level) => lua.coerce_number(level)?,
        None => None,
    };
    let Some(level) = level else {
        return Err(Raised::generic("First argument must be a number (log level).").into());
    };
    let mut line = Vec::new();
    for (nth, word) in words.enumerate() {
        // As in Redis: what has no text says nothing, not even a blank.
        if let Some(text) = lua.coerce_string(word)? {
            if nth > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(&text.as_bytes());
        }
    }
    let line = String::from_utf8_lossy(&line);
    match to_int(level) {
        0 => tracing::debug!("{line}"),
        1 | 2 => tracing::info!("{line}"),
        3 => tracing::warn!("{line}"),
        _ => return Err(Raised::generic("Invalid debug level.").into()),
    }
    Ok(())
}
