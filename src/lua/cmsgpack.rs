//! `cmsgpack`: values as MessagePack and back, as Redis's library writes it.

use mlua::{Lua, MultiValue, Table, Value};

use crate::lua::arguments::Taken;
use crate::lua::errors::{Raised, raise};

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
            Self::Lua(error) => error,
        }
    }
}

struct Input<'b> {
    bytes: &'b [u8],
    /// Values are this deep within each other.
    depth: usize,
}

impl<'b> Input<'b> {
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

    fn text(&mut self, lua: &Lua, len: usize) -> Result<Value, Fault> {
        Ok(Value::String(lua.create_string(self.take(len)?)?))
    }

    fn array(&mut self, lua: &Lua, len: usize) -> Result<Value, Fault> {
        let table = lua.create_table()?;
        self.within(|input| {
            for index in 1..=len {
                table.raw_set(index, input.value(lua)?)?;
            }
            Ok(())
        })?;
        Ok(Value::Table(table))
    }

    fn map(&mut self, lua: &Lua, len: usize) -> Result<Value, Fault> {
        let table = lua.create_table()?;
        self.within(|input| {
            for _ in 0..len {
                let key = input.value(lua)?;
                let value = input.value(lua)?;
                if key.is_nil() {
                    return Err(Fault::Lua(
                        Raised::Text(b"table index is nil".to_vec()).into(),
                    ));
                }
                table.raw_set(key, value)?;
            }
            Ok(())
        })?;
        Ok(Value::Table(table))
    }

    fn within(&mut self, f: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        // As deep as the stack of this thread surely is.
        if self.depth > 1000 {
            return Err(Fault::Bad);
        }
        self.depth += 1;
        f(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn value(&mut self, lua: &Lua) -> Result<Value, Fault> {
        let [first] = self.number()?;
        let signed = |number: i64| Ok(Value::Number(number as f64));
        Ok(match first {
            0..0x80 => Value::Integer(i64::from(first)),
            0x80..0x90 => self.map(lua, usize::from(first & 0xf))?,
            0x90..0xa0 => self.array(lua, usize::from(first & 0xf))?,
            0xa0..0xc0 => self.text(lua, usize::from(first & 0x1f))?,
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
                self.text(lua, usize::from(len))?
            }
            0xda => {
                let len = u16::from_be_bytes(self.number()?);
                self.text(lua, usize::from(len))?
            }
            0xdb => {
                let len = u32::from_be_bytes(self.number()?);
                self.text(lua, len as usize)?
            }
            0xdc => {
                let len = u16::from_be_bytes(self.number()?);
                self.array(lua, usize::from(len))?
            }
            0xdd => {
                let len = u32::from_be_bytes(self.number()?);
                self.array(lua, len as usize)?
            }
            0xde => {
                let len = u16::from_be_bytes(self.number()?);
                self.map(lua, usize::from(len))?
            }
            0xdf => {
                let len = u32::from_be_bytes(self.number()?);
                self.map(lua, len as usize)?
            }
            0xe0.. => Value::Integer(i64::from(first as i8)),
            _ => return Err(Fault::Bad),
        })
    }
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
fn unpack_some(lua: &Lua, bytes: &[u8], limit: i64, offset: i64) -> mlua::Result<MultiValue> {
    if offset < 0 || limit < 0 {
        return Err(raise(
            lua,
            &format!(
                "Invalid request to unpack with offset of {offset} and limit of {}.",
                bytes.len()
            ),
        ));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(rest) = bytes.get(start..).filter(|_| start <= bytes.len()) else {
        return Err(raise(
            lua,
            &format!(
                "Start offset {offset} greater than input length {}.",
                bytes.len()
            ),
        ));
    };
    let decodes_all = limit == 0 && offset == 0;
    let mut input = Input {
        bytes: rest,
        depth: 0,
    };
    let mut values = MultiValue::new();
    while !input.bytes.is_empty() && (decodes_all || (values.len() as i64) < limit) {
        values.push_back(input.value(lua).map_err(|fault| fault.raise(lua))?);
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
        let bytes = Taken::new(lua, values).text(0)?;
        unpack_some(lua, &bytes, 0, 0)
    };
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    let unpack_one = |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let offset = taken.integer_or(1, 0)?;
        unpack_some(lua, &taken.text(0)?, 1, offset)
    };
    table.raw_set("unpack_one", lua.create_function(unpack_one)?)?;
    let unpack_limit = |lua: &Lua, values: MultiValue| {
        let taken = Taken::new(lua, values);
        let (limit, offset) = (taken.integer(1)?, taken.integer_or(2, 0)?);
        unpack_some(lua, &taken.text(0)?, limit, offset)
    };
    table.raw_set("unpack_limit", lua.create_function(unpack_limit)?)?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Redis Ltd.")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}
