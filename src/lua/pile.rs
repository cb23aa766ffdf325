//! Tables within tables, gone through without recursion: how deep a script's values are is for the script to say, and a thread's stack
//! is not. What one goes on with behind a table lies on a pile; what does not fit into a small one here is kept in the machine, which
//! has room for few references from here.

use mlua::{Function, Lua, Table, Value};

/// Slots of its stack that Lua gives a function of C. Redis's libraries take some of them for each level, and refuse what is deeper.
pub const SLOTS_MAX: usize = 8000;

/// Values that are kept here.
const NEAR_MAX: usize = 128;

/// See the head of the file.
pub struct Pile<'l> {
    lua: &'l Lua,
    near: Vec<Value>,
    far: Option<Table>,
    far_len: usize,
}

impl<'l> Pile<'l> {
    /// An empty one.
    pub const fn new(lua: &'l Lua) -> Self {
        Self {
            lua,
            near: Vec::new(),
            far: None,
            far_len: 0,
        }
    }

    /// Puts one on top.
    pub fn push(&mut self, value: Value) -> mlua::Result<()> {
        if self.near.len() < NEAR_MAX {
            self.near.push(value);
            return Ok(());
        }
        let far = match &self.far {
            Some(far) => far,
            None => self.far.insert(self.lua.create_table()?),
        };
        self.far_len += 1;
        far.raw_set(self.far_len, value)
    }

    /// Takes the one on top; nil where there is none.
    pub fn pop(&mut self) -> mlua::Result<Value> {
        if let Some(far) = self.far.as_ref().filter(|_| self.far_len > 0) {
            let value = far.raw_get(self.far_len)?;
            far.raw_set(self.far_len, Value::Nil)?;
            self.far_len -= 1;
            return Ok(value);
        }
        Ok(self.near.pop().unwrap_or_default())
    }

    /// The same where it is a table.
    pub fn pop_table(&mut self) -> mlua::Result<Option<Table>> {
        Ok(match self.pop()? {
            Value::Table(table) => Some(table),
            _ => None,
        })
    }
}

/// The pair behind a key, the first for nil; none behind the last one. `next` is Lua's.
pub fn pair_behind(
    next: &Function,
    table: &Table,
    key: &Value,
) -> mlua::Result<Option<(Value, Value)>> {
    let (key, value): (Value, Value) = next.call((table, key))?;
    Ok((!key.is_nil()).then_some((key, value)))
}
