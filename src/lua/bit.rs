//! `bit`: operations on the lowest 32 bits of numbers.

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::Taken;

/// Adding this leaves a number's lowest 32 bits at the end of its mantissa.
const SHIFT: f64 = 6_755_399_441_055_744.0;

type Binary = fn(u32, u32) -> u32;
type Unary = fn(u32) -> u32;

fn bits(taken: &Taken<'_>, index: usize) -> mlua::Result<u32> {
    Ok((taken.number(index)? + SHIFT).to_bits() as u32)
}

fn signed(bits: u32) -> Value {
    Value::Integer(i64::from(bits as i32))
}

fn folded(lua: &Lua, values: MultiValue, fold: Binary) -> mlua::Result<Value> {
    let taken = Taken::new(lua, values);
    let mut result = bits(&taken, 0)?;
    for index in (1..taken.len()).rev() {
        result = fold(result, bits(&taken, index)?);
    }
    Ok(signed(result))
}

fn shifted(lua: &Lua, values: MultiValue, shift: Binary) -> mlua::Result<Value> {
    let taken = Taken::new(lua, values);
    let (value, by) = (bits(&taken, 0)?, bits(&taken, 1)?);
    Ok(signed(shift(value, by & 31)))
}

fn hexadecimal(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    let taken = Taken::new(lua, values);
    let value = bits(&taken, 0)?;
    let digits = if taken.len() < 2 {
        8
    } else {
        bits(&taken, 1)? as i32
    };
    let count = digits.unsigned_abs().min(8) as usize;
    let text = format!("{value:08x}");
    let text = text.get(8 - count..).unwrap_or_default();
    let text = if digits < 0 {
        text.to_ascii_uppercase()
    } else {
        text.to_owned()
    };
    Ok(Value::String(lua.create_string(text)?))
}

/// The library.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let folds: [(&str, Binary); 3] = [
        ("band", |a, b| a & b),
        ("bor", |a, b| a | b),
        ("bxor", |a, b| a ^ b),
    ];
    for (name, fold) in folds {
        let function = lua.create_function(move |lua, values| folded(lua, values, fold))?;
        table.raw_set(name, function)?;
    }
    let shifts: [(&str, Binary); 5] = [
        ("lshift", |value, by| value << by),
        ("rshift", |value, by| value >> by),
        ("arshift", |value, by| ((value as i32) >> by) as u32),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        let function = lua.create_function(move |lua, values| shifted(lua, values, shift))?;
        table.raw_set(name, function)?;
    }
    let changes: [(&str, Unary); 3] = [
        ("tobit", |value| value),
        ("bnot", |value| !value),
        ("bswap", u32::swap_bytes),
    ];
    for (name, change) in changes {
        let function = lua.create_function(move |lua, values| {
            Ok(signed(change(bits(&Taken::new(lua, values), 0)?)))
        })?;
        table.raw_set(name, function)?;
    }
    table.raw_set("tohex", lua.create_function(hexadecimal)?)?;
    Ok(table)
}
