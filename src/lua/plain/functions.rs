//! Functions that a plain script may apply, and what they make of their arguments.
//!
//! Invariant: as of [`crate::lua::plain`].

use std::rc::Rc;

use super::compute::{Fault, fault};
use super::numbers;
use super::value::Value;
use crate::lua::errors::{Raised, until_nul};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    ToNumber,
    ToText,
    Type,
    ErrorReply,
    StatusReply,
    /// `{err = text}`.
    ErrorTable,
    /// `{ok = text}`.
    StatusTable,
    Floor,
    Ceiling,
    Absolute,
    Least,
    Greatest,
}

impl Function {
    /// By its name, and that of the table where it stands if there is one.
    pub fn named(table: &[u8], name: &[u8]) -> Option<Self> {
        Some(match (table, name) {
            (b"", b"tonumber") => Self::ToNumber,
            (b"", b"tostring") => Self::ToText,
            (b"", b"type") => Self::Type,
            (b"redis", b"error_reply") => Self::ErrorReply,
            (b"redis", b"status_reply") => Self::StatusReply,
            (b"math", b"floor") => Self::Floor,
            (b"math", b"ceil") => Self::Ceiling,
            (b"math", b"abs") => Self::Absolute,
            (b"math", b"min") => Self::Least,
            (b"math", b"max") => Self::Greatest,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::ToNumber => "tonumber",
            Self::ToText => "tostring",
            Self::Type => "type",
            Self::ErrorReply => "error_reply",
            Self::StatusReply => "status_reply",
            Self::ErrorTable => "err",
            Self::StatusTable => "ok",
            Self::Floor => "floor",
            Self::Ceiling => "ceil",
            Self::Absolute => "abs",
            Self::Least => "min",
            Self::Greatest => "max",
        }
    }

    /// Whether it takes so many arguments.
    pub fn takes(self, count: usize) -> bool {
        match self {
            Self::Least | Self::Greatest => count > 0,
            _ => count == 1,
        }
    }

    /// What it makes of its arguments, as many as it takes.
    pub fn of<'s>(self, values: &[Value<'s>], line: u32) -> Result<Value<'s>, Fault> {
        let value = values.first().unwrap_or(&Value::Nil);
        Ok(match self {
            Self::ToNumber => value.number().map_or(Value::Nil, Value::Number),
            Self::ToText => to_text(value),
            Self::Type => Value::Text(value.type_name().as_bytes()),
            Self::ErrorReply => match value.text() {
                Some(text) => {
                    let text = text.strip_prefix(b"-").unwrap_or(text);
                    Value::failure(Raised::line(text))
                }
                None => wrong_arguments(),
            },
            Self::StatusReply => match value.text() {
                Some(text) => status(text),
                None => wrong_arguments(),
            },
            Self::ErrorTable => match value.text() {
                Some(text) => Value::failure(Raised::Reply {
                    text: text.to_vec(),
                    is_counted: false,
                }),
                None => Value::Table((*b"*0\r\n").into(), 0),
            },
            Self::StatusTable => match value.text() {
                Some(text) => status(text),
                None => Value::Table((*b"*0\r\n").into(), 0),
            },
            Self::Floor => Value::Number(self.number(value, 1, line)?.floor()),
            Self::Ceiling => Value::Number(self.number(value, 1, line)?.ceil()),
            Self::Absolute => Value::Number(self.number(value, 1, line)?.abs()),
            Self::Least | Self::Greatest => {
                let mut found = self.number(value, 1, line)?;
                for (nth, value) in values.iter().enumerate().skip(1) {
                    let other = self.number(value, nth + 1, line)?;
                    let is_better = match self {
                        Self::Least => other < found,
                        _ => other > found,
                    };
                    if is_better {
                        found = other;
                    }
                }
                Value::Number(found)
            }
        })
    }

    /// An argument that must be a number.
    fn number(self, value: &Value<'_>, nth: usize, line: u32) -> Result<f64, Fault> {
        value.number().ok_or_else(|| {
            let (name, found) = (self.name(), value.type_name());
            let text = format!("bad argument #{nth} to '{name}' (number expected, got {found})");
            fault(line, text.as_bytes())
        })
    }
}

/// A table with `ok`, as the client gets it.
fn status<'s>(text: &[u8]) -> Value<'s> {
    let is_end = |byte: u8| matches!(byte, b'\r' | b'\n');
    let shown = until_nul(text)
        .iter()
        .map(|byte| if is_end(*byte) { b' ' } else { *byte });
    let bytes: Vec<u8> = std::iter::once(b'+').chain(shown).chain(*b"\r\n").collect();
    Value::Table(bytes.into(), 0)
}

fn wrong_arguments<'s>() -> Value<'s> {
    Value::failure(Raised::generic("wrong number or type of arguments"))
}

fn to_text<'s>(value: &Value<'s>) -> Value<'s> {
    match value {
        Value::Nil => Value::Text(b"nil"),
        Value::Boolean(true) => Value::Text(b"true"),
        Value::Boolean(false) => Value::Text(b"false"),
        Value::Number(number) => Value::Answer(Rc::from(&*numbers::text_of(*number))),
        Value::Table(bytes, at) => {
            address(Rc::as_ptr(bytes).cast::<u8>().wrapping_add(*at as usize))
        }
        Value::Failure(failure) => address(Rc::as_ptr(failure).cast()),
        Value::Text(_) | Value::Answer(_) => value.clone(),
    }
}

fn address<'s>(of: *const u8) -> Value<'s> {
    Value::Answer(Rc::from(format!("table: {of:p}").as_bytes()))
}
