//! `cjson`: values as JSON and back, with the settings and the errors of Redis's library.

mod decode;
mod encode;
mod tokens;

use std::sync::Arc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use parking_lot::Mutex;

use crate::lua::arguments::Taken;
use crate::lua::errors::raise;

/// What scripts may set; it lasts, as in Redis.
#[derive(Debug, Clone, Copy)]
struct Settings {
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth: i64,
    encode_invalid: Invalid,
    precision: i64,
    keeps_buffer: bool,
    decode_depth: i64,
    decode_invalid: bool,
}

/// What becomes of numbers that JSON has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: 1000,
            encode_invalid: Invalid::Refused,
            precision: 14,
            keeps_buffer: true,
            decode_depth: 1000,
            decode_invalid: true,
        }
    }
}

type Shared = Arc<Mutex<Settings>>;

/// At most so many arguments.
fn check_count(taken: &Taken<'_>, max: usize) -> mlua::Result<()> {
    if taken.len() > max {
        return Err(taken.refuse(max, "found too many arguments"));
    }
    Ok(())
}

/// Sets an integer within bounds where one is given.
fn set_integer(
    taken: &Taken<'_>,
    index: usize,
    (min, max): (i64, i64),
    field: &mut i64,
) -> mlua::Result<()> {
    if matches!(taken.get(index), None | Some(Value::Nil)) {
        return Ok(());
    }
    let value = i64::from(taken.int(index)?);
    if value < min || value > max {
        return Err(taken.refuse(0, format!("expected integer between {min} and {max}")));
    }
    *field = value;
    Ok(())
}

/// Sets a truth where one is given.
fn set_truth(lua: &Lua, taken: &Taken<'_>, field: &mut bool) -> mlua::Result<()> {
    match taken.get(0) {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *field = *value,
        Some(_) => match taken.text(0)?.as_slice() {
            b"on" => *field = true,
            b"off" => *field = false,
            other => return Err(invalid_option(lua, taken, other)),
        },
    }
    Ok(())
}

fn invalid_option(_: &Lua, taken: &Taken<'_>, option: &[u8]) -> mlua::Error {
    taken.refuse(0, [b"invalid option '", option, b"'"].concat())
}

const INT_MAX: i64 = i32::MAX as i64;

fn set_settings(lua: &Lua, table: &Table, shared: &Shared) -> mlua::Result<()> {
    let settings = Arc::clone(shared);
    let sparse = move |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        check_count(&taken, 3)?;
        let mut settings = settings.lock();
        let mut convert = settings.sparse_convert;
        set_truth(lua, &taken, &mut convert)?;
        settings.sparse_convert = convert;
        set_integer(&taken, 1, (0, INT_MAX), &mut settings.sparse_ratio)?;
        set_integer(&taken, 2, (0, INT_MAX), &mut settings.sparse_safe)?;
        Ok((convert, settings.sparse_ratio, settings.sparse_safe))
    };
    table.raw_set("encode_sparse_array", lua.create_function(sparse)?)?;
    type Field = fn(&mut Settings) -> &mut i64;
    let integers: [(&str, i64, Field); 3] = [
        ("encode_max_depth", INT_MAX, |settings| {
            &mut settings.encode_depth
        }),
        ("decode_max_depth", INT_MAX, |settings| {
            &mut settings.decode_depth
        }),
        ("encode_number_precision", 14, |settings| {
            &mut settings.precision
        }),
    ];
    for (name, max, field) in integers {
        let settings = Arc::clone(shared);
        let function = move |lua: &Lua, values: MultiValue| {
            let taken = Taken::new(lua, values);
            check_count(&taken, 1)?;
            let mut settings = settings.lock();
            let field = field(&mut settings);
            set_integer(&taken, 0, (1, max), field)?;
            Ok(*field)
        };
        table.raw_set(name, lua.create_function(function)?)?;
    }
    type Truth = fn(&mut Settings) -> &mut bool;
    let truths: [(&str, Truth); 2] = [
        ("encode_keep_buffer", |settings| &mut settings.keeps_buffer),
        ("decode_invalid_numbers", |settings| {
            &mut settings.decode_invalid
        }),
    ];
    for (name, field) in truths {
        let settings = Arc::clone(shared);
        let function = move |lua: &Lua, values: MultiValue| {
            let taken = Taken::new(lua, values);
            check_count(&taken, 1)?;
            let mut settings = settings.lock();
            let field = field(&mut settings);
            set_truth(lua, &taken, field)?;
            Ok(*field)
        };
        table.raw_set(name, lua.create_function(function)?)?;
    }
    let settings = Arc::clone(shared);
    let invalid = move |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        check_count(&taken, 1)?;
        let mut settings = settings.lock();
        match taken.get(0) {
            None | Some(Value::Nil) => {}
            Some(Value::Boolean(true)) => settings.encode_invalid = Invalid::Written,
            Some(Value::Boolean(false)) => settings.encode_invalid = Invalid::Refused,
            Some(_) => match taken.text(0)?.as_slice() {
                b"on" => settings.encode_invalid = Invalid::Written,
                b"off" => settings.encode_invalid = Invalid::Refused,
                b"null" => settings.encode_invalid = Invalid::Null,
                other => return Err(invalid_option(lua, &taken, other)),
            },
        }
        Ok(match settings.encode_invalid {
            Invalid::Refused => Value::Boolean(false),
            Invalid::Written => Value::Boolean(true),
            Invalid::Null => Value::String(lua.create_string("null")?),
        })
    };
    table.raw_set("encode_invalid_numbers", lua.create_function(invalid)?)
}

/// The library, with settings of its own. `next` is Lua's.
pub fn library(lua: &Lua, next: &Function) -> mlua::Result<Table> {
    let shared = Shared::default();
    let table = lua.create_table()?;
    let settings = Arc::clone(&shared);
    let of_tables = next.clone();
    let encode = move |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let Some(value) = taken.get(0).filter(|_| taken.len() == 1) else {
            return Err(taken.refuse(0, "expected 1 argument"));
        };
        let settings = *settings.lock();
        match encode::encode(lua, &of_tables, value, &settings) {
            Ok(out) => Ok(Value::String(lua.create_string(out)?)),
            Err(encode::Fault::Text(text)) => Err(raise(lua, &text)),
            Err(encode::Fault::Lua(error)) => Err(error),
        }
    };
    table.raw_set("encode", lua.create_function(encode)?)?;
    let settings = Arc::clone(&shared);
    let decode = move |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        if taken.len() != 1 {
            return Err(taken.refuse(0, "expected 1 argument"));
        }
        let text = taken.text(0)?;
        let settings = *settings.lock();
        match decode::decode(lua, &text, &settings) {
            Ok(value) => Ok(value),
            Err(decode::Fault::Text(text)) => Err(raise(lua, &text)),
            Err(decode::Fault::Lua(error)) => Err(error),
        }
    };
    table.raw_set("decode", lua.create_function(decode)?)?;
    set_settings(lua, &table, &shared)?;
    let next = next.clone();
    let new = lua.create_function(move |lua, _: MultiValue| library(lua, &next))?;
    table.raw_set("new", new)?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}
