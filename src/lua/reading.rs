//! Replies of commands as Lua values.

use mlua::{Lua, Table, Value};

use crate::lua::arguments::to_integer;
use crate::lua::errors::Raised;
use crate::resp::{Reply, parse_f64, parse_i64};

/// Bytes of a reply that are still to be read.
struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    /// The next line without its first byte, which says what it is.
    fn line(&mut self) -> Option<(u8, &'b [u8])> {
        let end = memchr::memchr(b'\r', self.bytes)?;
        let (line, rest) = self.bytes.split_at_checked(end)?;
        self.bytes = rest.get(2..)?;
        let (kind, text) = line.split_first()?;
        Some((*kind, text))
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest.get(2..)?;
        Some(taken)
    }
}

/// The value of a whole reply. An error is a table with `err`, which `is_counted`.
pub fn value(lua: &Lua, bytes: &[u8]) -> mlua::Result<Value> {
    let mut reader = Reader { bytes };
    read(lua, &mut reader)
}

const MALFORMED: &str = "a reply could not be read";

fn malformed() -> mlua::Error {
    Raised::generic(MALFORMED).into()
}

/// A reply as plain scripts see it.
#[derive(Debug)]
pub(super) enum Flat<'b> {
    Number(f64),
    Text(&'b [u8]),
    /// A null.
    Nothing,
    /// A status, an array or an error, as it is and with what comes behind it.
    Other(&'b [u8]),
}

/// The first reply of RESP2 in these bytes.
pub(super) fn part(bytes: &[u8]) -> Result<Flat<'_>, Raised> {
    let malformed = || Raised::generic(MALFORMED);
    let mut reader = Reader { bytes };
    let (kind, text) = reader.line().ok_or_else(malformed)?;
    let length = || parse_i64(text).ok_or_else(malformed);
    match kind {
        b':' => Ok(Flat::Number(length()? as f64)),
        b'$' => match usize::try_from(length()?) {
            Err(_) => Ok(Flat::Nothing),
            Ok(len) => reader.take(len).map(Flat::Text).ok_or_else(malformed),
        },
        b'*' if length()? < 0 => Ok(Flat::Nothing),
        b'*' | b'+' | b'-' => Ok(Flat::Other(bytes)),
        _ => Err(malformed()),
    }
}

/// The error that a reply is.
pub(super) fn failure_in(bytes: &[u8]) -> Option<Raised> {
    let is_error = bytes.first() == Some(&b'-');
    let (_, text) = is_error.then(|| Reader { bytes }.line()).flatten()?;
    Some(counted(text))
}

/// How many elements the array has that these bytes begin with; none where it is no array.
pub(super) fn element_count(bytes: &[u8]) -> usize {
    array_of(&mut Reader { bytes }).unwrap_or(0)
}

/// The bytes from an element of an array on, the first is 1.
pub(super) fn element(bytes: &[u8], nth: usize) -> Option<&[u8]> {
    let mut reader = Reader { bytes };
    let count = array_of(&mut reader)?;
    let mut before = nth.checked_sub(1).filter(|before| *before < count)?;
    while before > 0 {
        before -= 1;
        let (kind, text) = reader.line()?;
        match (kind, usize::try_from(parse_i64(text).unwrap_or(-1))) {
            (b'$', Ok(len)) => drop(reader.take(len)?),
            (b'*', Ok(len)) => before += len,
            _ => {}
        }
    }
    Some(reader.bytes)
}

fn array_of(reader: &mut Reader<'_>) -> Option<usize> {
    let (kind, text) = reader.line()?;
    let count = (kind == b'*').then(|| parse_i64(text)).flatten()?;
    usize::try_from(count).ok()
}

/// The error of a reply, which the statistics know of.
fn counted(line: &[u8]) -> Raised {
    match Raised::line(line) {
        Raised::Reply { text, .. } => Raised::Reply {
            text,
            is_counted: true,
        },
        other => other,
    }
}

/// Writes the status, array or error that these bytes begin with as it would come back from the machine.
pub(super) fn write_back(bytes: &[u8], reply: &mut Reply) {
    let mut reader = Reader { bytes };
    let mut left = 1;
    while left > 0 {
        let Some((kind, text)) = reader.line() else {
            return;
        };
        left -= 1;
        let number = parse_i64(text).unwrap_or(-1);
        match (kind, usize::try_from(number)) {
            (b':', _) => reply.integer(to_integer(number as f64)),
            (b'$', Ok(len)) => reply.bulk(reader.take(len).unwrap_or_default()),
            (b'*', Ok(len)) => {
                left += len;
                reply.array(len);
            }
            (b'+', _) => {
                reply.raw(b"+");
                reply.raw(text);
                reply.raw(b"\r\n");
            }
            (b'-', _) => {
                if let Raised::Reply { text, .. } = Raised::line(text) {
                    reply.error_bytes(&text);
                }
            }
            _ => reply.null(),
        }
    }
}

fn read(lua: &Lua, reader: &mut Reader<'_>) -> mlua::Result<Value> {
    let (kind, text) = reader.line().ok_or_else(malformed)?;
    let length = || parse_i64(text).ok_or_else(malformed);
    match kind {
        b':' => Ok(Value::Number(length()? as f64)),
        b'$' => match usize::try_from(length()?) {
            Err(_) => Ok(Value::Boolean(false)),
            Ok(len) => {
                let bytes = reader.take(len).ok_or_else(malformed)?;
                Ok(Value::String(lua.create_string(bytes)?))
            }
        },
        b'+' => single(lua, "ok", Value::String(lua.create_string(text)?)),
        b'-' => counted(text).to_value(lua),
        b'*' | b'>' => match usize::try_from(length()?) {
            Err(_) => Ok(Value::Boolean(false)),
            Ok(len) => {
                let table = lua.create_table_with_capacity(len, 0)?;
                for nth in 1..=len {
                    table.raw_set(nth, read(lua, reader)?)?;
                }
                Ok(Value::Table(table))
            }
        },
        b'%' => {
            let len = usize::try_from(length()?).map_err(|_| malformed())?;
            // Not made as long as it will be: a script sees the order that this leads to.
            let map = lua.create_table()?;
            for _ in 0..len {
                let key = read(lua, reader)?;
                let value = read(lua, reader)?;
                map.raw_set(key, value)?;
            }
            single(lua, "map", Value::Table(map))
        }
        b'~' => {
            let len = usize::try_from(length()?).map_err(|_| malformed())?;
            let set = lua.create_table()?;
            for _ in 0..len {
                set.raw_set(read(lua, reader)?, true)?;
            }
            single(lua, "set", Value::Table(set))
        }
        b'|' => {
            let len = usize::try_from(length()?).map_err(|_| malformed())?;
            for _ in 0..len * 2 {
                read(lua, reader)?;
            }
            read(lua, reader)
        }
        b'_' => Ok(Value::Nil),
        b'#' => Ok(Value::Boolean(text == b"t")),
        b',' => {
            let number = parse_f64(text).ok_or_else(malformed)?;
            single(lua, "double", Value::Number(number))
        }
        b'(' => single(lua, "big_number", Value::String(lua.create_string(text)?)),
        b'=' => {
            let len = usize::try_from(length()?).map_err(|_| malformed())?;
            let bytes = reader.take(len).ok_or_else(malformed)?;
            let (format, text) = bytes.split_at_checked(4).ok_or_else(malformed)?;
            let verbatim = lua.create_table_with_capacity(0, 2)?;
            verbatim.raw_set("string", lua.create_string(text)?)?;
            verbatim.raw_set("format", lua.create_string(&format[..3])?)?;
            single(lua, "verbatim_string", Value::Table(verbatim))
        }
        _ => Err(malformed()),
    }
}

fn single(lua: &Lua, key: &str, value: Value) -> mlua::Result<Value> {
    let table: Table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(key, value)?;
    Ok(Value::Table(table))
}
