//! Lua values as replies to the client.

use mlua::{Function, Lua, Table, Value};

use crate::lua::Ended;
use crate::lua::arguments::to_integer;
use crate::lua::errors::{information, until_nul};
use crate::lua::pile::{Pile, SLOTS_MAX, pair_behind};
use crate::resp::{Mark, Reply};

/// Slots that are taken where the value lies that a script returned.
const SLOTS_BEFORE: usize = 2;
/// Slots that must be free for a value.
const SLOTS_OF_VALUE: usize = 4;

const TOO_DEEP: &str = "ERR reached lua stack limit";

/// What writes replies: a machine and its `next`.
#[derive(Clone, Copy)]
pub struct Writer<'l> {
    pub lua: &'l Lua,
    pub next: &'l Function,
    pub is_resp3: bool,
}

/// Which kind of reply is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Map,
    Set,
}

/// A table that is under way.
struct Open {
    table: Table,
    /// The key that was written last, of a map or a set.
    key: Value,
    /// Of a map, where the key is written already.
    pending: Option<Value>,
    state: State,
}

/// What of it is no value.
#[derive(Debug, Clone, Copy)]
struct State {
    kind: Kind,
    /// Which of the headers is its own.
    header: usize,
    /// How many slots are taken where it lies.
    slots: usize,
}

/// A header, which is written when all lengths are known.
struct Header {
    /// How many bytes stand before it, headers aside.
    at: usize,
    kind: Kind,
    len: usize,
}

/// Writes what a script returned; `count` is told of errors within it that the statistics do not know of.
pub fn reply(
    value: Value,
    writer: Writer<'_>,
    reply: &mut Reply,
    count: &mut dyn FnMut(&[u8]),
) -> mlua::Result<Ended> {
    if let Value::Table(table) = &value
        && let Value::String(_) = table.raw_get::<Value>("err")?
    {
        let (text, is_counted) = information(table);
        reply.error_bytes(&text);
        return Ok(Ended::Failed { is_counted });
    }
    let mark = reply.mark();
    let mut walk = Walk {
        writer,
        count,
        mark,
        open: None,
        pile: Pile::new(writer.lua),
        outer: Vec::new(),
        headers: Vec::new(),
    };
    walk.value(value, SLOTS_BEFORE, reply)?;
    while let Some((value, slots)) = walk.advance()? {
        walk.value(value, slots, reply)?;
    }
    write_headers(&walk.headers, mark, reply);
    Ok(Ended::Returned)
}

fn write_headers(headers: &[Header], mark: Mark, reply: &mut Reply) {
    if headers.is_empty() {
        return;
    }
    let bytes = reply.since(mark).to_vec();
    reply.truncate(mark);
    let mut written = 0;
    for header in headers {
        reply.raw(bytes.get(written..header.at).unwrap_or_default());
        written = header.at;
        match header.kind {
            Kind::Array => reply.array(header.len),
            Kind::Map => reply.map(header.len),
            Kind::Set => reply.set(header.len),
        }
    }
    reply.raw(bytes.get(written..).unwrap_or_default());
}

struct Walk<'l> {
    writer: Writer<'l>,
    count: &'l mut dyn FnMut(&[u8]),
    mark: Mark,
    open: Option<Open>,
    /// Of the tables around it: table, key and what is pending.
    pile: Pile<'l>,
    outer: Vec<State>,
    headers: Vec<Header>,
}

impl Walk<'_> {
    /// Writes a value, which lies in a slot, or opens it.
    fn value(&mut self, value: Value, slots: usize, reply: &mut Reply) -> mlua::Result<()> {
        if slots + SLOTS_OF_VALUE > SLOTS_MAX {
            (self.count)(TOO_DEEP.as_bytes());
            reply.error(TOO_DEEP);
            return Ok(());
        }
        match value {
            Value::String(text) => reply.bulk(&text.as_bytes()),
            Value::Integer(number) => reply.integer(number),
            Value::Number(number) => reply.integer(to_integer(number)),
            Value::Boolean(value) if self.writer.is_resp3 => reply.boolean(value),
            Value::Boolean(true) => reply.integer(1),
            Value::Table(table) => {
                if !write_special(&table, reply, self.count)? {
                    self.open(table, slots, reply)?;
                }
            }
            _ => reply.null(),
        }
        Ok(())
    }

    fn open(&mut self, table: Table, slots: usize, reply: &Reply) -> mlua::Result<()> {
        let (kind, table) = if let Value::Table(map) = table.raw_get::<Value>("map")? {
            (Kind::Map, map)
        } else if let Value::Table(set) = table.raw_get::<Value>("set")? {
            (Kind::Set, set)
        } else {
            (Kind::Array, table)
        };
        let state = State {
            kind,
            header: self.headers.len(),
            slots,
        };
        self.headers.push(Header {
            at: reply.since(self.mark).len(),
            kind,
            len: 0,
        });
        let opened = Open {
            table,
            key: Value::Nil,
            pending: None,
            state,
        };
        if let Some(outer) = self.open.replace(opened) {
            self.pile.push(Value::Table(outer.table))?;
            if outer.state.kind != Kind::Array {
                self.pile.push(outer.key)?;
                // No value of a table is nil.
                self.pile.push(outer.pending.unwrap_or_default())?;
            }
            self.outer.push(outer.state);
        }
        Ok(())
    }

    /// The next value and how many slots are taken where it lies; none where all are written.
    fn advance(&mut self) -> mlua::Result<Option<(Value, usize)>> {
        while let Some(open) = &mut self.open {
            let State {
                kind,
                header,
                slots,
            } = open.state;
            if let Some(value) = open.pending.take() {
                return Ok(Some((value, slots + 3)));
            }
            let len = self.headers.get(header).map_or(0, |header| header.len);
            let found = if kind == Kind::Array {
                let value: Value = open.table.raw_get(len + 1)?;
                (!value.is_nil()).then_some((value, slots + 1))
            } else {
                let pair = pair_behind(self.writer.next, &open.table, &open.key)?;
                pair.map(|(key, value)| {
                    open.key = key.clone();
                    let is_map = kind == Kind::Map;
                    open.pending = is_map.then_some(value);
                    (key, slots + if is_map { 4 } else { 3 })
                })
            };
            if found.is_some() {
                if let Some(header) = self.headers.get_mut(header) {
                    header.len += 1;
                }
                return Ok(found);
            }
            self.close()?;
        }
        Ok(None)
    }

    /// Goes on with the table around this one.
    fn close(&mut self) -> mlua::Result<()> {
        self.open = None;
        let Some(state) = self.outer.pop() else {
            return Ok(());
        };
        let (mut key, mut pending) = (Value::Nil, None);
        if state.kind != Kind::Array {
            pending = Some(self.pile.pop()?).filter(|value| !value.is_nil());
            key = self.pile.pop()?;
        }
        let table = self.pile.pop_table()?;
        self.open = table.map(|table| Open {
            table,
            key,
            pending,
            state,
        });
        Ok(())
    }
}

/// Writes a table that stands for something else than its elements; whether it does.
fn write_special(
    table: &Table,
    reply: &mut Reply,
    count: &mut dyn FnMut(&[u8]),
) -> mlua::Result<bool> {
    if let Value::String(_) = table.raw_get::<Value>("err")? {
        let (text, is_counted) = information(table);
        reply.error_bytes(&text);
        if !is_counted {
            count(&text);
        }
        return Ok(true);
    }
    if let Value::String(text) = table.raw_get::<Value>("ok")? {
        let mut text = until_nul(&text.as_bytes()).to_vec();
        for byte in &mut text {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        reply.raw(b"+");
        reply.raw(&text);
        reply.raw(b"\r\n");
        return Ok(true);
    }
    match table.raw_get::<Value>("double")? {
        Value::Integer(number) => {
            reply.double(number as f64);
            return Ok(true);
        }
        Value::Number(number) => {
            reply.double(number);
            return Ok(true);
        }
        _ => {}
    }
    if let Value::String(number) = table.raw_get::<Value>("big_number")? {
        let digits = number.to_string_lossy().replace(['\r', '\n'], " ");
        reply.big_number(&digits);
        return Ok(true);
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
        return Ok(true);
    }
    Ok(false)
}
