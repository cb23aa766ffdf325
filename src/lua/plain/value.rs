//! What a plain script works with.
//!
//! Invariant: as of [`crate::lua::plain`].

use std::rc::Rc;

use super::numbers;
use crate::lua::Ended;
use crate::lua::arguments::to_integer;
use crate::lua::errors::{Raised, until_nul};
use crate::lua::reading::{Flat, element, element_count, failure_in, part, write_back};
use crate::resp::Reply;

#[derive(Debug, Clone)]
pub(super) enum Value<'s> {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(&'s [u8]),
    /// Text that was answered, or made.
    Answer(Rc<[u8]>),
    /// A status or an array that a command answered, or what stands in one from a place on: a table in the machine, equal to itself
    /// alone.
    Table(Rc<[u8]>, u32),
    /// A table with an error.
    Failure(Rc<Failure>),
}

#[derive(Debug)]
pub(super) struct Failure {
    text: Vec<u8>,
    is_counted: bool,
}

impl Value<'_> {
    pub fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Boolean(false))
    }

    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Answer(text) => Some(text),
            _ => None,
        }
    }

    /// The number that it is, or that its text is.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            value => value.text().and_then(numbers::number_in),
        }
    }

    /// As Lua names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) | Self::Answer(_) => "string",
            Self::Table(..) | Self::Failure(_) => "table",
        }
    }

    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Boolean(one), Self::Boolean(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one == two,
            (Self::Table(one, at), Self::Table(two, other)) => Rc::ptr_eq(one, two) && at == other,
            (Self::Failure(one), Self::Failure(two)) => Rc::ptr_eq(one, two),
            _ => self.text().is_some() && self.text() == other.text(),
        }
    }

    /// How long it is; none where it has no length.
    pub fn len(&self) -> Option<usize> {
        match self {
            Self::Table(bytes, at) => Some(element_count(bytes.get(*at as usize..)?)),
            Self::Failure(_) => Some(0),
            value => value.text().map(<[u8]>::len),
        }
    }

    /// What a call that does not raise gets of this.
    pub fn failure(raised: Raised) -> Self {
        match raised {
            Raised::Reply { text, is_counted } => {
                Self::Failure(Rc::new(Failure { text, is_counted }))
            }
            Raised::Text(text) => Self::Answer(text.into()),
            Raised::Stop => Self::Nil,
        }
    }

    /// What is at a place in it, the first is 1; none where there are no places.
    pub fn at(&self, nth: usize) -> Option<Result<Self, Raised>> {
        match self {
            Self::Table(bytes, at) => Some(within(bytes, *at as usize, nth)),
            // Strings are looked up in their library, which has no numbers.
            Self::Failure(_) | Self::Text(_) | Self::Answer(_) => Some(Ok(Self::Nil)),
            Self::Nil | Self::Boolean(_) | Self::Number(_) => None,
        }
    }

    /// Tells the client.
    pub fn answer(&self, reply: &mut Reply) -> Ended {
        match self {
            Self::Nil | Self::Boolean(false) => reply.null(),
            Self::Boolean(true) => reply.integer(1),
            Self::Number(number) => reply.integer(to_integer(*number)),
            Self::Text(text) => reply.bulk(text),
            Self::Answer(text) => reply.bulk(text),
            Self::Table(bytes, at) => {
                let bytes = bytes.get(*at as usize..).unwrap_or_default();
                write_back(bytes, reply);
                if let Some(b'-') = bytes.first() {
                    return Ended::Failed { is_counted: true };
                }
            }
            Self::Failure(failure) => {
                reply.error_bytes(until_nul(&failure.text));
                let is_counted = failure.is_counted;
                return Ended::Failed { is_counted };
            }
        }
        Ended::Returned
    }
}

fn within<'s>(bytes: &Rc<[u8]>, at: usize, nth: usize) -> Result<Value<'s>, Raised> {
    let Some(found) = element(bytes.get(at..).unwrap_or_default(), nth) else {
        return Ok(Value::Nil);
    };
    Ok(match part(found)? {
        Flat::Number(number) => Value::Number(number),
        Flat::Text(text) => Value::Answer(text.into()),
        Flat::Nothing => Value::Boolean(false),
        Flat::Other(rest) => {
            let at = u32::try_from(bytes.len() - rest.len());
            let at = at.map_err(|_| Raised::Text(b"not enough memory".to_vec()))?;
            Value::Table(Rc::clone(bytes), at)
        }
    })
}

/// What a command answered; an error is raised.
pub(super) fn answered<'s>(bytes: &[u8]) -> Result<Value<'s>, Raised> {
    if let Some(failure) = failure_in(bytes) {
        return Err(failure);
    }
    Ok(match part(bytes)? {
        Flat::Number(number) => Value::Number(number),
        Flat::Text(text) => Value::Answer(text.into()),
        Flat::Nothing => Value::Boolean(false),
        Flat::Other(bytes) => Value::Table(bytes.into(), 0),
    })
}
