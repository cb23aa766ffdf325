//! Carries out a plain script.
//!
//! Invariant: as of [`crate::lua::plain`].

use std::rc::Rc;

use super::{Block, Call, Expression, Plain, Statement};
use smallvec::SmallVec;

use crate::lua::api::{NO_ARGUMENT, TOO_LONG, WRONG_ARGUMENT, push_number};
use crate::lua::errors::{Raised, tell_place};
use crate::lua::host::Buffers;
use crate::lua::reading::{Flat, flat, write_back};
use crate::lua::replying::to_integer;
use crate::lua::{Ended, Host, KEPT, Source};
use crate::resp::{Args, Protocol, Reply};

/// What a script works with.
#[derive(Debug, Clone)]
enum Value<'s> {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(&'s [u8]),
    /// A bulk that a command answered.
    Answer(Rc<[u8]>),
    /// Anything else that one did, and which call it was: a table in the machine, equal to itself alone.
    Table(u32, Rc<[u8]>),
}

impl Value<'_> {
    fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Boolean(false))
    }

    fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Answer(text) => Some(text),
            _ => None,
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Boolean(one), Self::Boolean(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one == two,
            (Self::Table(one, _), Self::Table(two, _)) => one == two,
            _ => self.text().is_some() && self.text() == other.text(),
        }
    }
}

/// What was raised, and on which line.
type Fault = (Raised, u32);

/// One run.
struct Run<'s, 'h> {
    keys: Args<'s>,
    arguments: Args<'s>,
    locals: Vec<Value<'s>>,
    host: &'h mut dyn Host,
    buffers: &'h mut Buffers,
    calls: u32,
}

/// Runs a script; `name` is what its errors call it.
pub(in crate::lua) fn run<'s>(
    plain: &'s Plain,
    name: &str,
    (keys, arguments): (Args<'s>, Args<'s>),
    host: &mut dyn Host,
    buffers: &mut Buffers,
    reply: &mut Reply,
) -> Ended {
    let mut run = Run {
        keys,
        arguments,
        locals: vec![Value::Nil; plain.locals],
        host,
        buffers,
        calls: 0,
    };
    let (raised, line) = match run.block(&plain.block) {
        Ok(value) => {
            answer(&value.unwrap_or(Value::Nil), reply);
            return Ended::Returned;
        }
        Err(fault) => fault,
    };
    let (mut text, is_counted) = match raised {
        Raised::Stop => return Ended::Stopped,
        Raised::Text(text) => ([b"ERR ", &*text].concat(), false),
        Raised::Reply { text, is_counted } => (text, is_counted),
    };
    let source = Source::Script.chunk().as_bytes();
    tell_place(&mut text, name, source, line.into());
    reply.error_bytes(&text);
    Ended::Failed { is_counted }
}

impl<'s> Run<'s, '_> {
    /// What is returned, where something is.
    fn block(&mut self, block: &'s Block) -> Result<Option<Value<'s>>, Fault> {
        for statement in block {
            match statement {
                Statement::Set(place, expression) => {
                    let value = self.value(expression)?;
                    if let Some(local) = self.locals.get_mut(*place) {
                        *local = value;
                    }
                }
                Statement::Call(call) => drop(self.call(call)?),
                Statement::Return(expression) => return self.value(expression).map(Some),
                Statement::If(cases, last) => {
                    let mut chosen = last;
                    for (condition, block) in cases {
                        if self.value(condition)?.is_true() {
                            chosen = block;
                            break;
                        }
                    }
                    if let Some(value) = self.block(chosen)? {
                        return Ok(Some(value));
                    }
                }
            }
        }
        Ok(None)
    }

    fn value(&mut self, expression: &'s Expression) -> Result<Value<'s>, Fault> {
        Ok(match expression {
            Expression::Nil => Value::Nil,
            Expression::Boolean(value) => Value::Boolean(*value),
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text),
            Expression::Key(nth) => nth_of(self.keys, *nth),
            Expression::Argument(nth) => nth_of(self.arguments, *nth),
            Expression::Local(place) => self.locals.get(*place).cloned().unwrap_or(Value::Nil),
            Expression::Call(call) => self.call(call)?,
            Expression::Not(operand) => Value::Boolean(!self.value(operand)?.is_true()),
            Expression::And(both) => match self.value(&both[0])? {
                left if left.is_true() => self.value(&both[1])?,
                left => left,
            },
            Expression::Or(both) => match self.value(&both[0])? {
                left if left.is_true() => left,
                _ => self.value(&both[1])?,
            },
            Expression::Compare(is_equal, both) => {
                let left = self.value(&both[0])?;
                let right = self.value(&both[1])?;
                Value::Boolean(left.equals(&right) == *is_equal)
            }
        })
    }

    fn call(&mut self, call: &'s Call) -> Result<Value<'s>, Fault> {
        let mut words = SmallVec::<[Value<'s>; 8]>::new();
        for word in &call.words {
            words.push(self.value(word)?);
        }
        self.carry_out(&words).map_err(|raised| (raised, call.line))
    }

    fn carry_out(&mut self, words: &[Value<'s>]) -> Result<Value<'s>, Raised> {
        let buffers = &mut *self.buffers;
        buffers.words.clear();
        for word in words {
            let is_room = match word {
                Value::Number(number) => push_number(&mut buffers.words, *number),
                word => {
                    let text = word.text().ok_or_else(|| Raised::generic(WRONG_ARGUMENT))?;
                    buffers.words.push(text)
                }
            };
            if !is_room {
                return Err(Raised::generic(TOO_LONG));
            }
        }
        if words.is_empty() {
            return Err(Raised::generic(NO_ARGUMENT));
        }
        let reply = &mut buffers.reply;
        reply.clear(KEPT);
        reply.set_protocol(Protocol::Resp2);
        self.host.call(buffers.words.as_args(), reply)?;
        self.calls += 1;
        Ok(match flat(reply.as_bytes())? {
            Flat::Number(number) => Value::Number(number),
            Flat::Text(text) => Value::Answer(text.into()),
            Flat::Nothing => Value::Boolean(false),
            Flat::Other(bytes) => Value::Table(self.calls, bytes.into()),
        })
    }
}

fn nth_of(words: Args<'_>, nth: usize) -> Value<'_> {
    let word = nth.checked_sub(1).and_then(|nth| words.try_get(nth));
    word.map_or(Value::Nil, Value::Text)
}

/// What the client gets of a value.
fn answer(value: &Value<'_>, reply: &mut Reply) {
    match value {
        Value::Nil | Value::Boolean(false) => reply.null(),
        Value::Boolean(true) => reply.integer(1),
        Value::Number(number) => reply.integer(to_integer(*number)),
        Value::Text(text) => reply.bulk(text),
        Value::Answer(text) => reply.bulk(text),
        Value::Table(_, bytes) => write_back(bytes, reply),
    }
}
