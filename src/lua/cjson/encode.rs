//! Values to JSON.

use mlua::{Function, Lua, Table, Value};

use crate::lua::arguments::{general, to_int, type_name};
use crate::lua::cjson::{Invalid, Settings};
use crate::lua::pile::{Pile, SLOTS_MAX, pair_behind};

/// Slots that must be free for a table.
const SLOTS_OF_TABLE: usize = 3;

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

/// A table that is under way.
struct Open {
    table: Table,
    /// The key that was written last, of an object.
    key: Value,
    state: State,
}

/// What of it is no value.
#[derive(Debug, Clone, Copy)]
struct State {
    /// How long it is, where it is an array.
    len: Option<i64>,
    /// How many of its values have been begun.
    begun: i64,
    /// How many slots are taken where it lies.
    slots: usize,
}

struct Walk<'l> {
    settings: &'l Settings,
    /// Lua's.
    next: &'l Function,
    open: Option<Open>,
    /// Of the tables around it: table, and key where it is an object.
    pile: Pile<'l>,
    outer: Vec<State>,
    out: Vec<u8>,
}

/// A value's JSON. `next` is Lua's.
pub fn encode(
    lua: &Lua,
    next: &Function,
    value: &Value,
    settings: &Settings,
) -> Result<Vec<u8>, Fault> {
    let mut walk = Walk {
        settings,
        next,
        open: None,
        pile: Pile::new(lua),
        outer: Vec::new(),
        out: Vec::new(),
    };
    walk.value(value, 1)?;
    while let Some((value, slots)) = walk.advance()? {
        walk.value(&value, slots)?;
    }
    Ok(walk.out)
}

impl Walk<'_> {
    /// Writes a value, which lies in a slot, or opens it.
    fn value(&mut self, value: &Value, slots: usize) -> Result<(), Fault> {
        match value {
            Value::Table(table) => self.open(table, value, slots),
            other => append_flat(other, self.settings, &mut self.out),
        }
    }

    fn open(&mut self, table: &Table, value: &Value, slots: usize) -> Result<(), Fault> {
        let around = self.outer.len() + usize::from(self.open.is_some());
        let depth = i64::try_from(around).unwrap_or(i64::MAX).saturating_add(1);
        if depth > self.settings.encode_depth || slots + SLOTS_OF_TABLE > SLOTS_MAX {
            return Err(Fault::Text(format!(
                "Cannot serialise, excessive nesting ({depth})"
            )));
        }
        let shape = shape_of(table, value, self.settings)?;
        let len = shape.len.filter(|len| *len > 0);
        if len.is_none() && !shape.has_tables {
            return append_flat_object(table, self.settings, &mut self.out);
        }
        self.out.push(if len.is_some() { b'[' } else { b'{' });
        let opened = Open {
            table: table.clone(),
            key: Value::Nil,
            state: State {
                len,
                begun: 0,
                slots,
            },
        };
        if let Some(outer) = self.open.replace(opened) {
            self.pile.push(Value::Table(outer.table))?;
            if outer.state.len.is_none() {
                self.pile.push(outer.key)?;
            }
            self.outer.push(outer.state);
        }
        Ok(())
    }

    /// The next value and how many slots are taken where it lies; none where all are written.
    fn advance(&mut self) -> Result<Option<(Value, usize)>, Fault> {
        while let Some(open) = &mut self.open {
            let state = &mut open.state;
            let comma: &[u8] = if state.begun > 0 { b"," } else { b"" };
            state.begun += 1;
            if let Some(len) = state.len {
                if state.begun <= len {
                    self.out.extend_from_slice(comma);
                    return Ok(Some((open.table.raw_get(state.begun)?, state.slots + 1)));
                }
                self.out.push(b']');
            } else {
                let pair = pair_behind(self.next, &open.table, &open.key)?;
                if let Some((key, value)) = pair {
                    self.out.extend_from_slice(comma);
                    append_key(&key, self.settings, &mut self.out)?;
                    open.key = key;
                    return Ok(Some((value, state.slots + 2)));
                }
                self.out.push(b'}');
            }
            self.close()?;
        }
        Ok(None)
    }

    /// Goes on with the table around this one.
    fn close(&mut self) -> Result<(), Fault> {
        self.open = None;
        let Some(state) = self.outer.pop() else {
            return Ok(());
        };
        let key = match state.len {
            Some(_) => Value::Nil,
            None => self.pile.pop()?,
        };
        let table = self.pile.pop_table()?;
        self.open = table.map(|table| Open { table, key, state });
        Ok(())
    }
}

/// Appends a value that is no table.
fn append_flat(value: &Value, settings: &Settings, out: &mut Vec<u8>) -> Result<(), Fault> {
    match value {
        Value::String(text) => append_text(&text.as_bytes(), out),
        Value::Integer(number) => append_number(*number as f64, settings, out)?,
        Value::Number(number) => append_number(*number, settings, out)?,
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(null) if null.0.is_null() => out.extend_from_slice(b"null"),
        other => return Err(refused(other, "type not supported")),
    }
    Ok(())
}

/// What is to be known of a table before it is written.
struct Shape {
    /// How long it is, where it is an array.
    len: Option<i64>,
    /// Tables lie within it.
    has_tables: bool,
}

/// A positive whole number.
fn index_of(key: &Value) -> Option<f64> {
    match key {
        Value::Integer(index) => Some(*index as f64),
        Value::Number(index) => Some(*index),
        _ => None,
    }
    .filter(|index| *index >= 1.0 && index.floor() == *index)
}

fn shape_of(table: &Table, value: &Value, settings: &Settings) -> Result<Shape, Fault> {
    let (mut max, mut items, mut is_array, mut has_tables) = (0_i32, 0_i64, true, false);
    table.for_each(|key: Value, value: Value| {
        has_tables |= value.is_table();
        if let Some(index) = index_of(&key) {
            // What is no int there is less than all others: such a table is none with elements.
            if index > f64::from(max) {
                max = to_int(index);
            }
            items += 1;
        } else {
            is_array = false;
        }
        Ok(())
    })?;
    let max = i64::from(max);
    let is_sparse = settings.sparse_ratio > 0
        && max > items.saturating_mul(settings.sparse_ratio)
        && max > settings.sparse_safe;
    if is_array && is_sparse && !settings.sparse_convert {
        return Err(refused(value, "excessively sparse array"));
    }
    Ok(Shape {
        len: (is_array && !is_sparse).then_some(max),
        has_tables,
    })
}

/// Appends a table without tables in it.
fn append_flat_object(table: &Table, settings: &Settings, out: &mut Vec<u8>) -> Result<(), Fault> {
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
            append_flat(&value, settings, out)
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
