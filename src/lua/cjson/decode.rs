//! JSON to values.

use mlua::{Lua, Table, Value};

use crate::lua::cjson::Settings;
use crate::lua::cjson::tokens::{Text, Token};
use crate::lua::errors::until_nul;
use crate::lua::pile::{Pile, SLOTS_MAX};

/// Slots that must be free for an array, and for an object.
const SLOTS_OF_ARRAY: usize = 2;
const SLOTS_OF_OBJECT: usize = 3;

/// Why a text is no JSON.
pub enum Fault {
    Text(String),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Fault {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

struct Parser<'a> {
    lua: &'a Lua,
    settings: &'a Settings,
    text: Text<'a>,
    open: Option<Open>,
    /// Of the tables around it: table, and key where it is an object.
    pile: Pile<'a>,
    outer: Vec<Option<i64>>,
    /// How many slots are taken.
    slots: usize,
}

/// A table that is being filled.
struct Open {
    table: Table,
    /// Of the value that is read, where it is an object.
    key: Value,
    /// Of the value that is read, where it is an array.
    index: Option<i64>,
}

/// Reads one value and nothing behind it.
pub fn decode(lua: &Lua, text: &[u8], settings: &Settings) -> Result<Value, Fault> {
    if let [first, second, ..] = text
        && (*first == 0 || *second == 0)
    {
        return Err(Fault::Text(
            "JSON parser does not support UTF-16 or UTF-32".into(),
        ));
    }
    // A NUL byte ends the text.
    let text = until_nul(text);
    let mut parser = Parser {
        lua,
        settings,
        text: Text::new(text, settings.decode_invalid),
        open: None,
        pile: Pile::new(lua),
        outer: Vec::new(),
        slots: 1,
    };
    let value = parser.value()?;
    match parser.text.next() {
        Token::End => Ok(value),
        other => Err(parser.unexpected("the end", &other)),
    }
}

impl Parser<'_> {
    fn unexpected(&self, wanted: &str, found: &Token) -> Fault {
        Fault::Text(format!(
            "Expected {wanted} but found {} at character {}",
            found.name(),
            self.text.start + 1
        ))
    }

    /// Begins a table within the present one.
    fn descend(&mut self, slots: usize) -> Result<Table, Fault> {
        let depth = self.outer.len() + usize::from(self.open.is_some()) + 1;
        let is_allowed =
            i64::try_from(depth).is_ok_and(|depth| depth <= self.settings.decode_depth);
        if !is_allowed || self.slots + slots > SLOTS_MAX {
            return Err(Fault::Text(format!(
                "Found too many nested data structures ({depth}) at character {}",
                self.text.at
            )));
        }
        Ok(self.lua.create_table()?)
    }

    /// Fills a table from here on.
    fn open(&mut self, table: Table, index: Option<i64>) -> Result<(), Fault> {
        let opened = Open {
            table,
            key: Value::Nil,
            index,
        };
        self.slots += slots_of(index);
        if let Some(outer) = self.open.replace(opened) {
            self.pile.push(Value::Table(outer.table))?;
            if outer.index.is_none() {
                self.pile.push(outer.key)?;
            }
            self.outer.push(outer.index);
        }
        Ok(())
    }

    /// The present table is full: goes on with the one around it.
    fn close(&mut self) -> Result<Value, Fault> {
        let full = self.open.take();
        if let Some(index) = self.outer.pop() {
            let key = match index {
                Some(_) => Value::Nil,
                None => self.pile.pop()?,
            };
            let table = self.pile.pop_table()?;
            self.open = table.map(|table| Open { table, key, index });
        }
        self.slots -= full.as_ref().map_or(0, |full| slots_of(full.index));
        Ok(full.map_or(Value::Nil, |full| Value::Table(full.table)))
    }

    /// One value with all that is in it.
    fn value(&mut self) -> Result<Value, Fault> {
        let mut token = self.text.next();
        loop {
            let mut value = match token {
                Token::Text(text) => Value::String(self.lua.create_string(text)?),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(value) => Value::Boolean(value),
                Token::Null => Value::NULL,
                Token::ObjectBegin => {
                    let table = self.descend(SLOTS_OF_OBJECT)?;
                    match self.text.next() {
                        Token::ObjectEnd => Value::Table(table),
                        first => {
                            self.open(table, None)?;
                            token = self.key(first)?;
                            continue;
                        }
                    }
                }
                Token::ArrayBegin => {
                    let table = self.descend(SLOTS_OF_ARRAY)?;
                    match self.text.next() {
                        Token::ArrayEnd => Value::Table(table),
                        first => {
                            self.open(table, Some(1))?;
                            token = first;
                            continue;
                        }
                    }
                }
                other => return Err(self.unexpected("value", &other)),
            };
            token = loop {
                let Some(open) = &mut self.open else {
                    return Ok(value);
                };
                if let Some(index) = &mut open.index {
                    open.table.raw_set(*index, value)?;
                    *index += 1;
                    match self.text.next() {
                        Token::ArrayEnd => value = self.close()?,
                        Token::Comma => break self.text.next(),
                        other => return Err(self.unexpected("comma or array end", &other)),
                    }
                } else {
                    open.table.raw_set(std::mem::take(&mut open.key), value)?;
                    match self.text.next() {
                        Token::ObjectEnd => value = self.close()?,
                        Token::Comma => {
                            let token = self.text.next();
                            break self.key(token)?;
                        }
                        other => return Err(self.unexpected("comma or object end", &other)),
                    }
                }
            };
        }
    }

    /// A key of the present object and the colon behind it; what comes then.
    fn key(&mut self, token: Token) -> Result<Token, Fault> {
        let key = match token {
            Token::Text(key) => Value::String(self.lua.create_string(key)?),
            other => return Err(self.unexpected("object key string", &other)),
        };
        if let Some(open) = &mut self.open {
            open.key = key;
        }
        match self.text.next() {
            Token::Colon => Ok(self.text.next()),
            other => Err(self.unexpected("colon", &other)),
        }
    }
}

/// How many slots a table takes beneath the value in it: its own, and that of a key where it has one.
const fn slots_of(index: Option<i64>) -> usize {
    match index {
        Some(_) => 1,
        None => 2,
    }
}
