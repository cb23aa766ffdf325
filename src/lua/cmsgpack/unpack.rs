//! MessagePack to values.

use mlua::{Lua, Table, Value};

use crate::lua::errors::{Raised, raise};
use crate::lua::pile::{Pile, SLOTS_MAX};

/// What is wrong with bytes.
pub enum Fault {
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
    /// As scripts see it.
    pub fn raise(self, lua: &Lua) -> mlua::Error {
        match self {
            Self::Missing => raise(lua, "Missing bytes in input."),
            Self::Bad => raise(lua, "Bad data format in input."),
            Self::Deep(place) => raise(lua, format!("stack overflow ({place})")),
            Self::Lua(error) => error,
        }
    }
}

/// Bytes that are read.
pub struct Input<'l, 'b> {
    lua: &'l Lua,
    /// Those that are still to be read.
    pub bytes: &'b [u8],
    open: Option<Open>,
    /// Of the tables around it: table, and key where it is a map.
    pile: Pile<'l>,
    outer: Vec<State>,
    /// How many slots are taken.
    pub slots: usize,
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

impl<'l, 'b> Input<'l, 'b> {
    /// The beginning of these bytes.
    pub const fn new(lua: &'l Lua, bytes: &'b [u8]) -> Self {
        Self {
            lua,
            bytes,
            open: None,
            pile: Pile::new(lua),
            outer: Vec::new(),
            slots: 1,
        }
    }

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
    pub fn value(&mut self) -> Result<Value, Fault> {
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
