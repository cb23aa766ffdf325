//! Arguments of library functions, taken and refused as Lua's own library does.

use mlua::{Error, Lua, Value};

use crate::lua::errors::raise_at;

/// As C casts a number to 64 bits on this machine: what does not fit becomes the least integer.
pub fn to_integer(number: f64) -> i64 {
    if number.is_nan() || number >= 9_223_372_036_854_775_808.0 {
        return i64::MIN;
    }
    number as i64
}

/// The same without a sign: what is too large becomes 0.
pub fn to_unsigned(number: f64) -> u64 {
    if number >= 18_446_744_073_709_551_616.0 {
        return 0;
    }
    if number >= 9_223_372_036_854_775_808.0 {
        return number as u64;
    }
    to_integer(number) as u64
}

/// The same to an int.
pub fn to_int(number: f64) -> i32 {
    let number = to_integer(number);
    i32::try_from(number).unwrap_or(i32::MIN)
}

/// Arguments of one call.
pub struct Taken<'l> {
    lua: &'l Lua,
    values: Vec<Value>,
}

/// Lua's name of a value's type; none where there is no value.
pub fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "no value",
        Some(Value::Nil) => "nil",
        Some(Value::Boolean(_)) => "boolean",
        Some(Value::LightUserData(_) | Value::UserData(_) | Value::Error(_)) => "userdata",
        Some(Value::Integer(_) | Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Table(_)) => "table",
        Some(Value::Function(_)) => "function",
        Some(Value::Thread(_)) => "thread",
        Some(_) => "userdata",
    }
}

/// Refuses an argument of a function on the stack.
pub fn refuse(lua: &Lua, level: usize, number: usize, why: &[u8]) -> Error {
    let name = lua.inspect_stack(level, |debug| {
        let names = debug.names();
        let is_method = names.name_what == Some("method");
        Some((names.name?.into_owned(), is_method))
    });
    let (name, is_method) = name.flatten().unwrap_or_else(|| ("?".into(), false));
    let text = match (number, is_method) {
        (1, true) => format!("calling '{name}' on bad self ("),
        (number, true) => format!("bad argument #{} to '{name}' (", number - 1),
        (number, false) => format!("bad argument #{number} to '{name}' ("),
    };
    let text = [text.as_bytes(), why, b")"].concat();
    raise_at(lua, level + 1, text)
}

impl<'l> Taken<'l> {
    /// Those of a call.
    pub fn new(lua: &'l Lua, values: mlua::MultiValue) -> Self {
        Self {
            lua,
            values: values.into_vec(),
        }
    }

    /// The same with a nil behind them, as a function has it that puts one there before it looks at them.
    pub fn with_nil(lua: &'l Lua, values: mlua::MultiValue) -> Self {
        let mut taken = Self::new(lua, values);
        taken.values.push(Value::Nil);
        taken
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// One of them, the first is 0.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// Refuses one.
    pub fn refuse(&self, index: usize, why: impl AsRef<[u8]>) -> Error {
        self.refuse_at(index + 1, why)
    }

    /// The same by its number, the first is 1.
    pub fn refuse_at(&self, number: usize, why: impl AsRef<[u8]>) -> Error {
        refuse(self.lua, 0, number, why.as_ref())
    }

    fn refuse_type(&self, index: usize, wanted: &str) -> Error {
        let got = type_name(self.get(index));
        self.refuse(index, format!("{wanted} expected, got {got}"))
    }

    /// A number, or text that is one.
    pub fn number(&self, index: usize) -> mlua::Result<f64> {
        match self.get(index) {
            Some(Value::Integer(number)) => Ok(*number as f64),
            Some(Value::Number(number)) => Ok(*number),
            Some(value @ Value::String(_)) => match self.lua.coerce_number(value.clone())? {
                Some(number) => Ok(number),
                None => Err(self.refuse_type(index, "number")),
            },
            _ => Err(self.refuse_type(index, "number")),
        }
    }

    /// A number cut to an integer.
    pub fn integer(&self, index: usize) -> mlua::Result<i64> {
        self.number(index).map(to_integer)
    }

    /// The same cut once more, to what C calls an int.
    pub fn int(&self, index: usize) -> mlua::Result<i32> {
        self.integer(index).map(|number| number as i32)
    }

    /// The same where there is one, else `default`.
    pub fn integer_or(&self, index: usize, default: i64) -> mlua::Result<i64> {
        match self.get(index) {
            None | Some(Value::Nil) => Ok(default),
            Some(_) => self.integer(index),
        }
    }

    /// Text, or a number as text.
    pub fn text(&self, index: usize) -> mlua::Result<Vec<u8>> {
        match self.get(index) {
            Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
            Some(value @ (Value::Integer(_) | Value::Number(_))) => {
                let text = self.lua.coerce_string(value.clone())?;
                Ok(text
                    .map(|text| text.as_bytes().to_vec())
                    .unwrap_or_default())
            }
            _ => Err(self.refuse_type(index, "string")),
        }
    }
}

/// A number as C's `%.<precision>g` spells it.
pub fn general(number: f64, precision: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() {
            "-nan"
        } else {
            "nan"
        }
        .into();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.into();
    }
    let precision = precision.max(1);
    let scientific = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let strip = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", strip(digits), exponent.abs());
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    strip(&format!("{number:.decimals$}"))
}
