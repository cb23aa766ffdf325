//! Lua values as replies to the client.

use mlua::{Table, Value};

use crate::lua::Ended;
use crate::lua::errors::information;
use crate::resp::Reply;

/// How deep values may be within each other.
const DEPTH_MAX: usize = 3900;

/// Writes what a script returned.
pub fn reply(value: &Value, is_resp3: bool, reply: &mut Reply) -> mlua::Result<Ended> {
    let mut ended = Ended::Returned;
    if let Value::Table(table) = value
        && let Value::String(_) = table.raw_get::<Value>("err")?
    {
        let (text, is_counted) = information(table);
        reply.error_bytes(&text);
        ended = Ended::Failed { is_counted };
    } else {
        write(value, is_resp3, reply, 0)?;
    }
    Ok(ended)
}

fn write(value: &Value, is_resp3: bool, reply: &mut Reply, depth: usize) -> mlua::Result<()> {
    match value {
        Value::String(text) => reply.bulk(&text.as_bytes()),
        Value::Integer(number) => reply.integer(*number),
        Value::Number(number) => reply.integer(to_integer(*number)),
        Value::Boolean(value) if is_resp3 => reply.boolean(*value),
        Value::Boolean(true) => reply.integer(1),
        Value::Table(table) => write_table(table, is_resp3, reply, depth)?,
        _ => reply.null(),
    }
    Ok(())
}

/// As C casts it on this machine: what does not fit becomes the least integer.
pub(super) fn to_integer(number: f64) -> i64 {
    if number.is_nan() || number >= 9_223_372_036_854_775_808.0 {
        return i64::MIN;
    }
    number as i64
}

fn write_table(table: &Table, is_resp3: bool, reply: &mut Reply, depth: usize) -> mlua::Result<()> {
    if depth >= DEPTH_MAX {
        reply.error("ERR reached lua stack limit");
        return Ok(());
    }
    let depth = depth + 1;
    if let Value::String(_) = table.raw_get::<Value>("err")? {
        reply.error_bytes(&information(table).0);
        return Ok(());
    }
    if let Value::String(text) = table.raw_get::<Value>("ok")? {
        let mut text = text.as_bytes().to_vec();
        for byte in &mut text {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        reply.raw(b"+");
        reply.raw(&text);
        reply.raw(b"\r\n");
        return Ok(());
    }
    match table.raw_get::<Value>("double")? {
        Value::Integer(number) => {
            reply.double(number as f64);
            return Ok(());
        }
        Value::Number(number) => {
            reply.double(number);
            return Ok(());
        }
        _ => {}
    }
    if let Value::Table(map) = table.raw_get::<Value>("map")? {
        let header = reply.deferred_map();
        let mut len = 0;
        map.for_each(|key: Value, value: Value| {
            write(&key, is_resp3, reply, depth)?;
            write(&value, is_resp3, reply, depth)?;
            len += 1;
            Ok(())
        })?;
        reply.set_len(header, len);
        return Ok(());
    }
    if let Value::Table(set) = table.raw_get::<Value>("set")? {
        let header = reply.deferred_set();
        let mut len = 0;
        set.for_each(|key: Value, _: Value| {
            write(&key, is_resp3, reply, depth)?;
            len += 1;
            Ok(())
        })?;
        reply.set_len(header, len);
        return Ok(());
    }
    if let Value::String(number) = table.raw_get::<Value>("big_number")? {
        let digits = number.to_string_lossy().replace(['\r', '\n'], " ");
        reply.big_number(&digits);
        return Ok(());
    }
    if let Value::Table(verbatim) = table.raw_get::<Value>("verbatim_string")?
        && let Value::String(format) = verbatim.raw_get::<Value>("format")?
        && let Value::String(text) = verbatim.raw_get::<Value>("string")?
    {
        let format = format.as_bytes();
        let mut three = [b' '; 3];
        for (to, from) in three.iter_mut().zip(format.iter()) {
            *to = *from;
        }
        reply.verbatim(&three, &text.as_bytes());
        return Ok(());
    }
    write_array(table, is_resp3, reply, depth)
}

fn write_array(table: &Table, is_resp3: bool, reply: &mut Reply, depth: usize) -> mlua::Result<()> {
    let header = reply.deferred_array();
    let mut len = 0;
    loop {
        let value: Value = table.raw_get(len + 1)?;
        if value.is_nil() {
            break;
        }
        write(&value, is_resp3, reply, depth)?;
        len += 1;
    }
    reply.set_len(header, len);
    Ok(())
}
