//! Values to JSON.

use mlua::{Table, Value};

use crate::lua::arguments::{general, type_name};
use crate::lua::cjson::{Invalid, Settings};

/// Values can be this deep within each other at most, whatever the settings say: as deep as this thread's stack surely is.
const DEPTH_MAX: i64 = 4000;

/// Why a value has no JSON.
pub enum Fault {
    Text(String),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Fault {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

fn refused(value: &Value, why: &str) -> Fault {
    Fault::Text(format!(
        "Cannot serialise {}: {why}",
        type_name(Some(value))
    ))
}

/// Appends a value that is `depth` tables deep.
pub fn append(
    value: &Value,
    settings: &Settings,
    depth: i64,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    match value {
        Value::String(text) => append_text(&text.as_bytes(), out),
        Value::Integer(number) => append_number(*number as f64, settings, out)?,
        Value::Number(number) => append_number(*number, settings, out)?,
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(null) if null.0.is_null() => out.extend_from_slice(b"null"),
        Value::Table(table) => {
            let depth = depth + 1;
            if depth > settings.encode_depth.min(DEPTH_MAX) {
                return Err(Fault::Text(format!(
                    "Cannot serialise, excessive nesting ({depth})"
                )));
            }
            append_table(table, value, settings, depth, out)?;
        }
        other => return Err(refused(other, "type not supported")),
    }
    Ok(())
}

/// How long an array a table is, if it is one.
fn array_len(table: &Table, value: &Value, settings: &Settings) -> Result<Option<i64>, Fault> {
    let (mut max, mut items, mut is_array) = (0_i64, 0_i64, true);
    table.for_each(|key: Value, _: Value| {
        match key {
            Value::Integer(index) if index >= 1 => {
                max = max.max(index);
                items += 1;
            }
            // So large that it is no integer here.
            Value::Number(index) if index >= 1.0 && index.fract() == 0.0 => {
                max = i64::MAX;
                items += 1;
            }
            _ => is_array = false,
        }
        Ok(())
    })?;
    if !is_array {
        return Ok(None);
    }
    let is_sparse = settings.sparse_ratio > 0
        && max > items.saturating_mul(settings.sparse_ratio)
        && max > settings.sparse_safe;
    if is_sparse {
        if !settings.sparse_convert {
            return Err(refused(value, "excessively sparse array"));
        }
        return Ok(None);
    }
    Ok(Some(max))
}

fn append_table(
    table: &Table,
    value: &Value,
    settings: &Settings,
    depth: i64,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    if let Some(len) = array_len(table, value, settings)?.filter(|len| *len > 0) {
        out.push(b'[');
        for index in 1..=len {
            if index > 1 {
                out.push(b',');
            }
            append(&table.raw_get::<Value>(index)?, settings, depth, out)?;
        }
        out.push(b']');
        return Ok(());
    }
    out.push(b'{');
    let mut fault = None;
    let mut is_first = true;
    table.for_each(|key: Value, value: Value| {
        if fault.is_some() {
            return Ok(());
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        let mut pair = || {
            append_key(&key, settings, out)?;
            append(&value, settings, depth, out)
        };
        fault = pair().err();
        Ok(())
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    out.push(b'}');
    Ok(())
}

fn append_key(key: &Value, settings: &Settings, out: &mut Vec<u8>) -> Result<(), Fault> {
    match key {
        Value::Integer(number) => {
            out.push(b'"');
            append_number(*number as f64, settings, out)?;
            out.extend_from_slice(b"\":");
        }
        Value::Number(number) => {
            out.push(b'"');
            append_number(*number, settings, out)?;
            out.extend_from_slice(b"\":");
        }
        Value::String(text) => {
            append_text(&text.as_bytes(), out);
            out.push(b':');
        }
        other => return Err(refused(other, "table key must be a number or string")),
    }
    Ok(())
}

fn append_number(number: f64, settings: &Settings, out: &mut Vec<u8>) -> Result<(), Fault> {
    if !number.is_finite() {
        match settings.encode_invalid {
            Invalid::Refused => {
                return Err(refused(&Value::Number(number), "must not be NaN or Inf"));
            }
            Invalid::Written if number.is_nan() => {
                out.extend_from_slice(b"nan");
                return Ok(());
            }
            Invalid::Written => {}
            Invalid::Null => {
                out.extend_from_slice(b"null");
                return Ok(());
            }
        }
    }
    let precision = usize::try_from(settings.precision).unwrap_or(14);
    out.extend_from_slice(general(number, precision).as_bytes());
    Ok(())
}

fn append_text(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'/' => b'/',
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..32 | 127 => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    out.push(b'"');
}
