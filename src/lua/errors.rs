//! Errors between Rust and Lua: what is raised, what a script's `pcall` gets to see of it, and what the client reads.

use mlua::{Error, Lua, Table, Value};

use crate::lua::Ended;
use crate::lua::arguments::{general, type_name};
use crate::resp::Reply;

/// What is raised within a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raised {
    /// A Lua error: text.
    Text(Vec<u8>),
    /// A Redis error: a table with `err`.
    Reply {
        /// Its text, the code first.
        text: Vec<u8>,
        /// The statistics know of it already.
        is_counted: bool,
    },
    /// The run ends, whatever the script would like to do about it.
    Stop,
}

impl std::fmt::Display for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) | Self::Reply { text, .. } => {
                f.write_str(&String::from_utf8_lossy(text))
            }
            Self::Stop => f.write_str("the script was stopped"),
        }
    }
}

impl std::error::Error for Raised {}

impl From<Raised> for Error {
    fn from(raised: Raised) -> Self {
        Self::external(raised)
    }
}

impl Raised {
    /// A Redis error without a code of its own.
    pub fn generic(text: &str) -> Self {
        Self::line(&[b"ERR ", text.as_bytes()].concat())
    }

    /// A Redis error whose text begins with its code. What is one word alone has none, as Redis sees it.
    pub fn line(text: &[u8]) -> Self {
        let text = until_nul(text);
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let end = text.iter().rposition(|byte| !is_end(byte));
        let text = &text[..end.map_or(0, |last| last + 1)];
        let text = if text.contains(&b' ') {
            text.to_vec()
        } else {
            [b"ERR ", text].concat()
        };
        Self::Reply {
            text,
            is_counted: false,
        }
    }

    /// A command called while another one is carried out.
    pub fn out_of_turn() -> Self {
        Self::generic("redis.call/pcall called while a call is under way, or none could be")
    }

    /// What a script sees of it.
    pub fn to_value(&self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Self::Text(text) => Ok(Value::String(lua.create_string(text)?)),
            Self::Reply { text, is_counted } => {
                let table = lua.create_table_with_capacity(0, 2)?;
                table.raw_set("err", lua.create_string(text)?)?;
                if *is_counted {
                    table.raw_set("ignore_error_stats_update", true)?;
                }
                Ok(Value::Table(table))
            }
            Self::Stop => Err(Self::Stop.into()),
        }
    }
}

/// An error as Lua's `luaL_error` raises it: behind the place of who called the function.
pub fn raise(lua: &Lua, text: impl AsRef<[u8]>) -> Error {
    raise_at(lua, 1, text)
}

/// The same behind the place of a function further up the stack.
pub fn raise_at(lua: &Lua, level: usize, text: impl AsRef<[u8]>) -> Error {
    Raised::Text([place(lua, level).as_bytes(), text.as_ref()].concat()).into()
}

/// `file:line: ` of a function on the stack; nothing where it has no lines.
fn place(lua: &Lua, level: usize) -> String {
    let place = lua.inspect_stack(level, |debug| {
        let line = debug.current_line()?;
        Some(format!("{}:{line}: ", debug.source().short_src?))
    });
    place.flatten().unwrap_or_default()
}

/// What a script sees of an error that Rust raised.
pub fn translate(lua: &Lua, error: &Error) -> mlua::Result<Value> {
    match error.downcast_ref::<Raised>() {
        Some(raised) => raised.to_value(lua),
        None => Ok(Value::String(lua.create_string(plain(error))?)),
    }
}

/// An error's first words, without where Rust found it.
pub fn plain(error: &Error) -> String {
    match error {
        Error::CallbackError { cause, .. } => plain(cause),
        Error::SyntaxError { message, .. } | Error::RuntimeError(message) => message.clone(),
        Error::MemoryError(_) => "not enough memory".into(),
        Error::BadArgument { cause, .. } => plain(cause),
        other => other.to_string(),
    }
}

/// What is made of an error where no `pcall` stands in between: a table that says where it was raised.
pub fn handle(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let value = match value {
        Value::Error(error) => match error.downcast_ref::<Raised>() {
            // The run knows.
            Some(Raised::Stop) => return Ok(Value::Nil),
            _ => translate(lua, &error)?,
        },
        Value::String(text) => match placed(lua, &text.as_bytes(), true) {
            Some(placed) => Value::String(lua.create_string(placed)?),
            None => Value::String(text),
        },
        other => other,
    };
    let table = if let Value::Table(table) = value {
        table
    } else {
        let table = lua.create_table_with_capacity(0, 3)?;
        let text = [b"ERR ", until_nul(&text_of(lua, &value))].concat();
        table.raw_set("err", lua.create_string(text)?)?;
        table
    };
    if let Some((source, line)) = origin(lua) {
        table.set("source", source)?;
        table.set("line", line)?;
    }
    Ok(Value::Table(table))
}

/// As `tostring` shows it.
fn text_of(lua: &Lua, value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Nil => b"nil".to_vec(),
        Value::Boolean(value) => value.to_string().into_bytes(),
        other => {
            let shown = lua.coerce_string(other.clone()).ok().flatten();
            let shown = shown.map(|text| text.as_bytes().to_vec());
            shown.unwrap_or_else(|| shown_by_address(other))
        }
    }
}

/// An error that was found within one of the sandbox's functions, said to be where the script called that; none where it is another.
/// Where its stack still stands, it is said to be nowhere if that function is what runs the script.
pub fn placed(lua: &Lua, text: &[u8], stands: bool) -> Option<Vec<u8>> {
    let rest = text.strip_prefix(b"[sandbox]:")?;
    let end = memchr::memmem::find(rest, b": ")?;
    let (line, why) = rest.split_at_checked(end)?;
    let line: usize = std::str::from_utf8(line).ok()?.parse().ok()?;
    let place = place_around(lua, stands.then_some(line));
    Some([place.as_bytes(), why.get(2..)?].concat())
}

/// Where the innermost function is that a script wrote; with a line, if one has called the sandbox's that is there.
fn place_around(lua: &Lua, line: Option<usize>) -> String {
    let (mut innermost, mut is_within) = (None, line.is_none());
    for level in 1.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let is_ours = source.source.as_deref() == Some(super::sandbox::CHUNK);
            let at = debug.current_line()?;
            let file = source.short_src.filter(|_| !is_ours);
            Some((at, file.map(|file| format!("{file}:{at}: "))))
        });
        match found {
            None => break,
            Some(None) => {}
            Some(Some((at, None))) => is_within |= line == Some(at),
            Some(Some((_, Some(place)))) => {
                let innermost = innermost.get_or_insert(place);
                if is_within {
                    return std::mem::take(innermost);
                }
            }
        }
    }
    String::new()
}

fn shown_by_address(value: &Value) -> Vec<u8> {
    let shown = match value {
        Value::LightUserData(data) if data.0.is_null() => "userdata: (nil)".into(),
        other => format!("{}: {:p}", type_name(Some(other)), other.to_pointer()),
    };
    shown.into_bytes()
}

/// File and line of the innermost function that a script wrote, of those that have called what runs.
pub fn origin(lua: &Lua) -> Option<(String, i64)> {
    for level in 1..8 {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = source.source?.into_owned();
            // What has called in its last words has left its place to what it called.
            let is_left = matches!(source.what, "C" | "tail");
            let is_ours = is_left || name == super::sandbox::CHUNK;
            (!is_ours).then(|| {
                let line = debug
                    .current_line()
                    .and_then(|line| i64::try_from(line).ok());
                (name, line.unwrap_or(-1))
            })
        })?;
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Tells the client of an error that ended a script.
pub fn reply(value: &Value, name: &str, reply: &mut Reply) -> Ended {
    let Value::Table(table) = value else {
        let text = match value {
            Value::String(text) => text.as_bytes().to_vec(),
            _ => b"execution failure".to_vec(),
        };
        let text = &text[..text.len().min(100)];
        reply.error_bytes(&[b"ERR Error running script ", name.as_bytes(), b", ", text].concat());
        return Ended::Failed { is_counted: false };
    };
    let (mut text, is_counted) = information(table);
    let field = |key: &str| table.raw_get::<Value>(key).unwrap_or_default();
    if let (Value::String(source), Value::Integer(line)) = (field("source"), field("line")) {
        // The reply cuts off those at either end.
        let line_ends = text.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n'));
        line_ends.for_each(|byte| *byte = b' ');
        tell_place(&mut text, name, &source.as_bytes(), line);
    }
    reply.error_bytes(&text);
    Ended::Failed { is_counted }
}

/// Says behind an error where it was raised.
pub fn tell_place(text: &mut Vec<u8>, name: &str, source: &[u8], line: i64) {
    text.extend_from_slice(format!(" script: {name}, on ").as_bytes());
    text.extend_from_slice(source);
    text.extend_from_slice(format!(":{line}.").as_bytes());
}

/// What of a text C sees.
pub fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What an error table says, and whether the statistics know of it.
pub fn information(table: &Table) -> (Vec<u8>, bool) {
    let field = |key: &str| table.get::<Value>(key).unwrap_or_default();
    let text = match field("err") {
        Value::String(text) => until_nul(&text.as_bytes()).to_vec(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Number(number) => general(number, 14).into_bytes(),
        _ => b"ERR unknown error".to_vec(),
    };
    let is_counted = matches!(field("ignore_error_stats_update"), Value::Boolean(true));
    (text, is_counted)
}
