//! Libraries of functions: code that runs once and says which functions it has. It finds nothing but `redis.register_function` and
//! the log then; what it registered finds all that scripts do.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::errors::{Raised, information, plain};
use crate::lua::{Limited, Shared, Source, Vm};

/// What a library registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// By which clients call it.
    pub name: String,
    /// By which the machine runs it.
    pub number: u32,
    /// What it says of itself.
    pub flags: Vec<&'static str>,
    /// What it is.
    pub description: Option<Vec<u8>>,
}

/// What is registered while a library is loaded.
#[derive(Debug, Default)]
pub(super) struct Registering {
    /// The names of flags that there are.
    flags: Vec<&'static str>,
    found: Vec<(Registered, mlua::Function)>,
}

/// Why a library could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// It is no Lua.
    Compile(Vec<u8>),
    /// It failed.
    Run(Vec<u8>),
    /// It took too long.
    Stopped,
}

/// Whether a library or a function may be called so.
pub fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_letter)
}

/// What is said of a name that may not be.
pub const BAD_FUNCTION_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

impl Vm {
    /// Runs a library's code (without its first line) and keeps what it registers.
    pub fn load_library(
        &self,
        code: &[u8],
        flags: &[&'static str],
    ) -> Result<Vec<Registered>, LoadError> {
        self.shared.is_stopped.set(false);
        *self.shared.registering.borrow_mut() = Some(Registering {
            flags: flags.to_vec(),
            found: Vec::new(),
        });
        let loaded = match self.function_of(code, Source::Library) {
            Ok(function) => {
                let known = function.set_environment(self.of_libraries.clone());
                known.map_err(|error| LoadError::Run(plain(&error).into_bytes()))?;
                let max = self.shared.memory_max.get();
                let _limited = Limited::to(&self.lua, max, 0);
                self.load.call::<(bool, Value)>(function)
            }
            Err(error) => {
                *self.shared.registering.borrow_mut() = None;
                return Err(LoadError::Compile(error));
            }
        };
        let registering = self.shared.registering.borrow_mut().take();
        if self.shared.is_stopped.get() {
            return Err(LoadError::Stopped);
        }
        match loaded {
            Ok((true, _)) => {}
            Ok((false, Value::Table(error))) => {
                return Err(LoadError::Run(information(&error).0));
            }
            Ok((false, _)) => return Err(LoadError::Run(b"execution failure".to_vec())),
            Err(error) => return Err(LoadError::Run(plain(&error).into_bytes())),
        }
        let mut found = Vec::new();
        for (mut registered, function) in registering.unwrap_or_default().found {
            registered.number = self.next_number();
            let kept = self.scripts.raw_set(registered.number, function);
            kept.map_err(|error| LoadError::Run(plain(&error).into_bytes()))?;
            found.push(registered);
        }
        Ok(found)
    }
}

fn wrong(text: &str) -> mlua::Error {
    Raised::generic(text).into()
}

/// Text, or a number as text.
fn text(lua: &Lua, value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            let text = lua.coerce_string(value.clone()).ok()??;
            Some(text.as_bytes().to_vec())
        }
        _ => None,
    }
}

/// The form with names.
fn named(
    lua: &Lua,
    table: &Table,
    known: &[&'static str],
) -> mlua::Result<(Registered, mlua::Function)> {
    let (mut name, mut description, mut callback, mut flags) = (None, None, None, Vec::new());
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(key) = text(lua, &key) else {
            return Err(wrong(
                "named argument key given to redis.register_function is not a string",
            ));
        };
        match key.to_ascii_lowercase().as_slice() {
            b"function_name" => {
                name = Some(text(lua, &value).ok_or_else(|| {
                    wrong(
                        "function_name argument given to redis.register_function must be a string",
                    )
                })?);
            }
            b"description" => {
                description = Some(text(lua, &value).ok_or_else(|| {
                    wrong("description argument given to redis.register_function must be a string")
                })?);
            }
            b"callback" => match value {
                Value::Function(function) => callback = Some(function),
                _ => {
                    return Err(wrong(
                        "callback argument given to redis.register_function must be a function",
                    ));
                }
            },
            b"flags" => match value {
                Value::Table(table) => flags = flags_of(lua, &table, known)?,
                _ => {
                    return Err(wrong(
                        "flags argument to redis.register_function must be a table representing function flags",
                    ));
                }
            },
            _ => return Err(wrong("unknown argument given to redis.register_function")),
        }
    }
    let name =
        name.ok_or_else(|| wrong("redis.register_function must get a function name argument"))?;
    let callback =
        callback.ok_or_else(|| wrong("redis.register_function must get a callback argument"))?;
    Ok((registered(&name, flags, description)?, callback))
}

fn flags_of(lua: &Lua, table: &Table, known: &[&'static str]) -> mlua::Result<Vec<&'static str>> {
    let mut flags = Vec::new();
    for index in 1.. {
        let value: Value = table.raw_get(index)?;
        if value.is_nil() {
            break;
        }
        let name = text(lua, &value).unwrap_or_default();
        let flag = known
            .iter()
            .find(|flag| flag.as_bytes().eq_ignore_ascii_case(&name));
        flags.push(*flag.ok_or_else(|| wrong("unknown flag given"))?);
    }
    // In the order in which they are listed, each once.
    Ok(known
        .iter()
        .copied()
        .filter(|flag| flags.contains(flag))
        .collect())
}

fn registered(
    name: &[u8],
    flags: Vec<&'static str>,
    description: Option<Vec<u8>>,
) -> mlua::Result<Registered> {
    if !is_name(name) {
        return Err(wrong(BAD_FUNCTION_NAME));
    }
    Ok(Registered {
        name: String::from_utf8_lossy(name).into_owned(),
        number: 0,
        flags,
        description,
    })
}

fn register(lua: &Lua, shared: &Shared, words: &MultiValue) -> mlua::Result<()> {
    let mut registering = shared.registering.borrow_mut();
    let Some(registering) = registering.as_mut() else {
        return Err(wrong(
            "redis.register_function can only be called on FUNCTION LOAD command",
        ));
    };
    let found = match (words.len(), words.front(), words.get(1)) {
        (1, Some(Value::Table(table)), _) => named(lua, table, &registering.flags)?,
        (1, ..) => {
            return Err(wrong(
                "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).",
            ));
        }
        (2, Some(name), callback) => {
            let Some(name) = text(lua, name) else {
                return Err(wrong(
                    "first argument to redis.register_function must be a string",
                ));
            };
            let Some(Value::Function(callback)) = callback else {
                return Err(wrong(
                    "second argument to redis.register_function must be a function",
                ));
            };
            (registered(&name, Vec::new(), None)?, callback.clone())
        }
        _ => {
            return Err(wrong(
                "wrong number of arguments to redis.register_function",
            ));
        }
    };
    let is_same = |(other, _): &(Registered, mlua::Function)| other.name == found.0.name;
    if registering.found.iter().any(is_same) {
        return Err(wrong("Function already exists in the library"));
    }
    registering.found.push(found);
    Ok(())
}

/// What `redis` is while a library is loaded; `redis` as scripts have it lends the rest.
pub(super) fn loading(lua: &Lua, redis: &Table, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for name in [
        "LOG_DEBUG",
        "LOG_VERBOSE",
        "LOG_NOTICE",
        "LOG_WARNING",
        "log",
        "REDIS_VERSION",
        "REDIS_VERSION_NUM",
    ] {
        table.raw_set(name, redis.raw_get::<Value>(name)?)?;
    }
    let of_run = Rc::clone(shared);
    let register =
        lua.create_function(move |lua, words: MultiValue| register(lua, &of_run, &words))?;
    table.raw_set("register_function", register)?;
    Ok(table)
}

/// What `redis` is for functions: without what only EVAL has.
pub(super) fn running(lua: &Lua, redis: &Table) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for pair in redis.pairs::<Value, Value>() {
        let (key, value) = pair?;
        table.raw_set(key, value)?;
    }
    for name in ["breakpoint", "debug", "replicate_commands"] {
        table.raw_set(name, Value::Nil)?;
    }
    Ok(table)
}
