//! `cmsgpack`: values as MessagePack and back, as Redis's library writes it.

mod pack;
mod unpack;

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::Taken;
use crate::lua::cmsgpack::pack::pack;
use crate::lua::cmsgpack::unpack::Input;
use crate::lua::errors::raise;

fn pack_all(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    if values.is_empty() {
        return Err(Taken::new(lua, values).refuse_at(0, "MessagePack pack needs input."));
    }
    let mut out = Vec::new();
    for value in &values {
        pack(value, 0, &mut out)?;
    }
    Ok(Value::String(lua.create_string(out)?))
}

/// Reads up to `limit` values (all for 0) from `offset` on; where only some were asked for, the place behind them comes first.
fn unpack_some(lua: &Lua, bytes: &[u8], (limit, offset): (i64, i64)) -> mlua::Result<MultiValue> {
    // As Redis's library shows it.
    let shown = offset as i32;
    if offset < 0 || limit < 0 {
        return Err(raise(
            lua,
            format!(
                "Invalid request to unpack with offset of {shown} and limit of {}.",
                bytes.len()
            ),
        ));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(rest) = bytes.get(start..).filter(|_| start <= bytes.len()) else {
        return Err(raise(
            lua,
            format!(
                "Start offset {shown} greater than input length {}.",
                bytes.len()
            ),
        ));
    };
    let decodes_all = limit == 0 && offset == 0;
    let mut input = Input::new(lua, rest);
    let mut values = MultiValue::new();
    while !input.bytes.is_empty() && (decodes_all || (values.len() as i64) < limit) {
        input.slots = 1 + values.len();
        values.push_back(input.value().map_err(|fault| fault.raise(lua))?);
    }
    if !decodes_all {
        let place = if input.bytes.is_empty() {
            -1
        } else {
            (bytes.len() - input.bytes.len()) as i64
        };
        values.push_front(Value::Integer(place));
    }
    Ok(values)
}

/// The library.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", lua.create_function(pack_all)?)?;
    let unpack = |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        unpack_some(lua, &taken.text(0)?, (0, 0))
    };
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    let unpack_one = |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let offset = taken.integer_or(1, 0)?;
        unpack_some(lua, &taken.text(0)?, (1, offset))
    };
    table.raw_set("unpack_one", lua.create_function(unpack_one)?)?;
    let unpack_limit = |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let (limit, offset) = (taken.integer(1)?, taken.integer_or(2, 0)?);
        unpack_some(lua, &taken.text(0)?, (limit, offset))
    };
    table.raw_set("unpack_limit", lua.create_function(unpack_limit)?)?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Redis Ltd.")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}
