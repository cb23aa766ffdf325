//! Computes with values and compares them, and says as Lua does what cannot be computed with.
//!
//! Invariant: as of [`crate::lua::plain`].

use smallvec::SmallVec;

use super::operand::Name;
use super::value::Value;
use super::{Arithmetic, Index, Join, Operand, Order, Sign, Unary, numbers};
use crate::lua::Source;
use crate::lua::errors::Raised;

/// What was raised, and on which line.
pub(super) type Fault = (Raised, u32);

/// The line of an error that the machine tells without a place.
pub(super) const NOWHERE: u32 = 0;
/// As much text as a number may be.
const NUMBER_LEN: usize = 24;

/// An error of Lua's, which says its line itself.
pub(super) fn fault(line: u32, text: &[u8]) -> Fault {
    let place = format!("{}:{line}: ", Source::Script.file());
    (Raised::Text([place.as_bytes(), text].concat()), line)
}

fn type_fault(what: &str, operand: &Operand, value: &Value<'_>, line: u32) -> Fault {
    let mut text = format!("attempt to {what} ").into_bytes();
    let name = value.type_name();
    let name = match &operand.name {
        Name::None => format!("a {name} value"),
        Name::Field => format!("field '?' (a {name} value)"),
        Name::Local(local) => {
            text.extend_from_slice(b"local '");
            text.extend_from_slice(local);
            format!("' (a {name} value)")
        }
    };
    text.extend_from_slice(name.as_bytes());
    fault(line, &text)
}

impl Sign {
    pub fn of(self, one: f64, two: f64) -> f64 {
        match self {
            Self::Plus => one + two,
            Self::Minus => one - two,
            Self::Times => one * two,
            Self::Over => one / two,
            Self::Modulo => one - (one / two).floor() * two,
        }
    }
}

impl Arithmetic {
    pub fn of<'s>(&self, one: &Value<'s>, two: &Value<'s>) -> Result<Value<'s>, Fault> {
        let numbers = match (one, two) {
            (Value::Number(one), Value::Number(two)) => Ok((*one, *two)),
            _ => match (one.number(), two.number()) {
                (Some(one), Some(two)) => Ok((one, two)),
                (None, _) => Err((&self.both[0], one)),
                (_, None) => Err((&self.both[1], two)),
            },
        };
        match numbers {
            Ok((one, two)) => Ok(Value::Number(self.sign.of(one, two))),
            Err((operand, value)) => Err(type_fault(
                "perform arithmetic on",
                operand,
                value,
                self.line,
            )),
        }
    }
}

impl Unary {
    pub fn of<'s>(&self, value: &Value<'_>) -> Result<Value<'s>, Fault> {
        let (number, what) = match self.is_length {
            true => (value.len().map(|len| len as f64), "get length of"),
            false => (
                value.number().map(|number| -number),
                "perform arithmetic on",
            ),
        };
        let number = number.ok_or_else(|| type_fault(what, &self.of, value, self.line))?;
        Ok(Value::Number(number))
    }
}

impl Index {
    pub fn of<'s>(&self, value: &Value<'s>) -> Result<Value<'s>, Fault> {
        match value.at(self.at) {
            Some(found) => found.map_err(|raised| (raised, self.line)),
            None => Err(type_fault("index", &self.of, value, self.line)),
        }
    }
}

impl Order {
    pub fn of(&self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Fault> {
        let (one, two) = match self.is_swapped {
            true => (right, left),
            false => (left, right),
        };
        if let (Value::Number(one), Value::Number(two)) = (one, two) {
            return Ok(if self.or_equal { one <= two } else { one < two });
        }
        if let (Some(one), Some(two)) = (one.text(), two.text()) {
            return Ok(if self.or_equal { one <= two } else { one < two });
        }
        let text = match (one.type_name(), two.type_name()) {
            (one, two) if one == two => format!("attempt to compare two {one} values"),
            (one, two) => format!("attempt to compare {one} with {two}"),
        };
        Err(fault(self.line, text.as_bytes()))
    }
}

impl Join {
    /// Takes what it makes from the room that there is.
    pub fn of<'s>(&self, values: &[Value<'s>], room: &mut usize) -> Result<Value<'s>, Fault> {
        let mut len = 0usize;
        for value in values {
            let part = match value {
                Value::Number(_) => NUMBER_LEN,
                value => match value.text() {
                    Some(text) => text.len(),
                    None => return Err(self.fault(values)),
                },
            };
            len = len.saturating_add(part);
        }
        let no_room = || (Raised::Text(b"not enough memory".to_vec()), NOWHERE);
        *room = room.checked_sub(len).ok_or_else(no_room)?;
        let mut joined = SmallVec::<[u8; 128]>::with_capacity(len);
        for value in values {
            match value {
                Value::Number(number) => joined.extend_from_slice(&numbers::text_of(*number)),
                value => joined.extend_from_slice(value.text().unwrap_or_default()),
            }
        }
        Ok(Value::Answer(joined.as_slice().into()))
    }

    /// Lua joins from the end, and looks at the left one of two first.
    fn fault(&self, values: &[Value<'_>]) -> Fault {
        let is_bad =
            |value: &Value<'_>| !matches!(value, Value::Number(_)) && value.text().is_none();
        let all = || values.iter().zip(&self.parts);
        let last_two = values.len().saturating_sub(2);
        let mut in_order = all().skip(last_two).chain(all().take(last_two).rev());
        match in_order.find(|(value, _)| is_bad(value)) {
            Some((value, part)) => type_fault("concatenate", part, value, self.line),
            // It is called where one of them is bad.
            None => fault(self.line, b"attempt to concatenate"),
        }
    }
}
