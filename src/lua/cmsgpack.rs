//! `cmsgpack`: values as MessagePack and back, as Redis's library writes it.

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::Taken;
use crate::lua::errors::{Raised, raise};
use crate::lua::pile::{Pile, SLOTS_MAX};

/// Tables deeper within each other than this become nil.
const NESTING_MAX: usize = 16;

/// Appends a value.
fn pack(value: &Value, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::String(text) => pack_text(&text.as_bytes(), out),
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => pack_integer(*number, out),
        Value::Number(number) => pack_number(*number, out),
        Value::Table(table) if depth < NESTING_MAX => pack_table(table, depth + 1, out)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn pack_text(text: &[u8], out: &mut Vec<u8>) {
    let len = text.len();
    match len {
        0..32 => out.push(0xa0 | len as u8),
        32..0x100 => out.extend_from_slice(&[0xd9, len as u8]),
        0x100..0x1_0000 => {
            out.push(0xda);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(0xdb);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text);
}

fn pack_integer(number: i64, out: &mut Vec<u8>) {
    if let Ok(small) = u8::try_from(number) {
        if small > 0x7f {
            out.push(0xcc);
        }
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u64::try_from(number) {
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(small) = i8::try_from(number) {
        if small < -32 {
            out.push(0xd0);
        }
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_number(number: f64, out: &mut Vec<u8>) {
    let limit = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-limit..limit).contains(&number) {
        return pack_integer(number as i64, out);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_len(len: usize, short: u8, (middle, long): (u8, u8), out: &mut Vec<u8>) {
    match len {
        0..16 => out.push(short | len as u8),
        16..0x1_0000 => {
            out.push(middle);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(long);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

fn pack_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    let (mut count, mut max, mut is_array) = (0_usize, 0_i64, true);
    table.for_each(|key: Value, _: Value| {
        match key {
            Value::Integer(index) if index > 0 => max = max.max(index),
            _ => is_array = false,
        }
        count += 1;
        Ok(())
    })?;
    if is_array && usize::try_from(max).is_ok_and(|max| max == count) {
        pack_len(count, 0x90, (0xdc, 0xdd), out);
        for index in 1..=count {
            pack(&table.raw_get::<Value>(index)?, depth, out)?;
        }
        return Ok(());
    }
    pack_len(count, 0x80, (0xde, 0xdf), out);
    table.for_each(|key: Value, value: Value| {
        pack(&key, depth, out)?;
        pack(&value, depth, out)
    })
}

/// What is wrong with bytes.
enum Fault {
    /// They end too soon.
    Missing,
    /// They are no MessagePack.
    Bad,
    /// There are too many within each other: where that showed.
    Deep(&'static str),
    /// Lua has no room for them.
    Lua(mlua::Error),
}

impl From<mlua::Error> for Fault {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

impl Fault {
    fn raise(self, lua: &Lua) -> mlua::Error {
        match self {
            Self::Missing => raise(lua, "Missing bytes in input."),
            Self::Bad => raise(lua, "Bad data format in input."),
            Self::Deep(place) => raise(lua, &format!("stack overflow ({place})")),
            Self::Lua(error) => error,
        }
    }
}

struct Input<'l, 'b> {
    lua: &'l Lua,
    bytes: &'b [u8],
    open: Option<Open>,
    /// Of the tables around it: table, and key where it is a map.
    pile: Pile<'l>,
    outer: Vec<State>,
    /// How many slots are taken.
    slots: usize,
}

/// A table that is being filled.
struct Open {
    table: Table,
    /// Of the value that is read, where it is a map and the key has been read.
    key: Option<Value>,
    state: State,
}

/// What of it is no value.
#[derive(Debug, Clone, Copy)]
struct State {
    is_array: bool,
    /// Elements or pairs that are still to come, with the one that is read.
    left: usize,
    /// Those that were there.
    done: usize,
    /// How many slots are taken where it lies.
    slots: usize,
}

/// What bytes begin with.
enum Item {
    Value(Value),
    Array(usize),
    Map(usize),
}

impl<'b> Input<'_, 'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8], Fault> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Fault::Missing)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn text(&mut self, len: usize) -> Result<Item, Fault> {
        let text = self.lua.create_string(self.take(len)?)?;
        Ok(Item::Value(Value::String(text)))
    }

    /// One value with all that is in it.
    fn value(&mut self) -> Result<Value, Fault> {
        loop {
            let mut value = match self.item()? {
                Item::Value(value) => value,
                Item::Array(len) => match self.open(true, len)? {
                    Some(empty) => empty,
                    None => continue,
                },
                Item::Map(len) => match self.open(false, len)? {
                    Some(empty) => empty,
                    None => continue,
                },
            };
            loop {
                let Some(open) = &mut self.open else {
                    return Ok(value);
                };
                if open.state.is_array {
                    open.state.done += 1;
                    open.table.raw_set(open.state.done, value)?;
                } else if let Some(key) = open.key.take() {
                    set(&open.table, key, value)?;
                    open.state.done += 1;
                    self.slots = open.state.slots + 1;
                } else {
                    open.key = Some(value);
                    self.slots = open.state.slots + 2;
                    break;
                }
                open.state.left -= 1;
                if open.state.left > 0 {
                    break;
                }
                value = self.close()?;
            }
        }
    }

    /// Fills a table from here on; the table where there is nothing to be filled in.
    fn open(&mut self, is_array: bool, len: usize) -> Result<Option<Value>, Fault> {
        let table = self.lua.create_table()?;
        if is_array && self.slots + 2 > SLOTS_MAX {
            return Err(Fault::Deep("in function mp_decode_to_lua_array"));
        }
        if len == 0 {
            return Ok(Some(Value::Table(table)));
        }
        let state = State {
            is_array,
            left: len,
            done: 0,
            slots: self.slots,
        };
        // The table, and the index of what is read where it is an array.
        self.slots += if is_array { 2 } else { 1 };
        let opened = Open {
            table,
            key: None,
            state,
        };
        if let Some(outer) = self.open.replace(opened) {
            self.pile.push(Value::Table(outer.table))?;
            if !outer.state.is_array {
                let has_key = outer.key.is_some();
                self.pile.push(outer.key.unwrap_or_default())?;
                self.pile.push(Value::Boolean(has_key))?;
            }
            self.outer.push(outer.state);
        }
        Ok(None)
    }

    /// The present table is full: goes on with the one around it.
    fn close(&mut self) -> Result<Value, Fault> {
        let full = self.open.take();
        if let Some(full) = &full {
            self.slots = full.state.slots;
        }
        if let Some(state) = self.outer.pop() {
            let mut key = None;
            if !state.is_array {
                let has_key = self.pile.pop()?;
                let value = self.pile.pop()?;
                key = (has_key == Value::Boolean(true)).then_some(value);
            }
            let table = self.pile.pop_table()?;
            self.open = table.map(|table| Open { table, key, state });
        }
        Ok(full.map_or(Value::Nil, |full| Value::Table(full.table)))
    }

    fn item(&mut self) -> Result<Item, Fault> {
        let [first] = self.number()?;
        if self.slots + 1 > SLOTS_MAX {
            return Err(Fault::Deep(
                "too many return values at once; use unpack_one or unpack_limit instead.",
            ));
        }
        let signed = |number: i64| Ok(Item::Value(Value::Number(number as f64)));
        Ok(Item::Value(match first {
            0..0x80 => Value::Integer(i64::from(first)),
            0x80..0x90 => return Ok(Item::Map(usize::from(first & 0xf))),
            0x90..0xa0 => return Ok(Item::Array(usize::from(first & 0xf))),
            0xa0..0xc0 => return self.text(usize::from(first & 0x1f)),
            0xc0 => Value::Nil,
            0xc2 => Value::Boolean(false),
            0xc3 => Value::Boolean(true),
            0xca => Value::Number(f64::from(f32::from_be_bytes(self.number()?))),
            0xcb => Value::Number(f64::from_be_bytes(self.number()?)),
            0xcc => return signed(i64::from(u8::from_be_bytes(self.number()?))),
            0xcd => return signed(i64::from(u16::from_be_bytes(self.number()?))),
            0xce => return signed(i64::from(u32::from_be_bytes(self.number()?))),
            // As Redis's library has it: what does not fit is negative.
            0xcf => return signed(i64::from_be_bytes(self.number()?)),
            0xd0 => return signed(i64::from(i8::from_be_bytes(self.number()?))),
            0xd1 => return signed(i64::from(i16::from_be_bytes(self.number()?))),
            0xd2 => return signed(i64::from(i32::from_be_bytes(self.number()?))),
            0xd3 => return signed(i64::from_be_bytes(self.number()?)),
            0xd9 => {
                let len = u8::from_be_bytes(self.number()?);
                return self.text(usize::from(len));
            }
            0xda => {
                let len = u16::from_be_bytes(self.number()?);
                return self.text(usize::from(len));
            }
            0xdb => {
                let len = u32::from_be_bytes(self.number()?);
                return self.text(len as usize);
            }
            0xdc => {
                let len = u16::from_be_bytes(self.number()?);
                return Ok(Item::Array(usize::from(len)));
            }
            0xdd => {
                let len = u32::from_be_bytes(self.number()?);
                return Ok(Item::Array(len as usize));
            }
            0xde => {
                let len = u16::from_be_bytes(self.number()?);
                return Ok(Item::Map(usize::from(len)));
            }
            0xdf => {
                let len = u32::from_be_bytes(self.number()?);
                return Ok(Item::Map(len as usize));
            }
            0xe0.. => Value::Integer(i64::from(first as i8)),
            _ => return Err(Fault::Bad),
        }))
    }
}

fn set(table: &Table, key: Value, value: Value) -> Result<(), Fault> {
    let why: &[u8] = match key {
        Value::Nil => b"table index is nil",
        Value::Number(number) if number.is_nan() => b"table index is NaN",
        _ => return Ok(table.raw_set(key, value)?),
    };
    Err(Fault::Lua(Raised::Text(why.to_vec()).into()))
}

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
            &format!(
                "Invalid request to unpack with offset of {shown} and limit of {}.",
                bytes.len()
            ),
        ));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(rest) = bytes.get(start..).filter(|_| start <= bytes.len()) else {
        return Err(raise(
            lua,
            &format!(
                "Start offset {shown} greater than input length {}.",
                bytes.len()
            ),
        ));
    };
    let decodes_all = limit == 0 && offset == 0;
    let mut input = Input {
        lua,
        bytes: rest,
        open: None,
        pile: Pile::new(lua),
        outer: Vec::new(),
        slots: 1,
    };
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
