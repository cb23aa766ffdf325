//! Carries out a plain script.
//!
//! Invariant: as of [`crate::lua::plain`].

use smallvec::SmallVec;

use super::compute::{Fault, NOWHERE};
use super::value::{Value, answered};
use super::{Block, Call, Expression, Item, Plain, Statement};
use crate::lua::api::{NO_ARGUMENT, TOO_LONG, WRONG_ARGUMENT, push_number};
use crate::lua::errors::{Raised, tell_place};
use crate::lua::host::Buffers;
use crate::lua::{Ended, Host, KEPT, MEMORY_MAX, Source};
use crate::resp::{Args, Protocol, Reply};

/// One run.
struct Run<'s, 'h> {
    keys: Args<'s>,
    arguments: Args<'s>,
    locals: Vec<Value<'s>>,
    host: &'h mut dyn Host,
    buffers: &'h mut Buffers,
    reply: &'h mut Reply,
    /// How much text it may still make.
    room: usize,
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
    let mark = reply.mark();
    let mut run = Run {
        keys,
        arguments,
        locals: vec![Value::Nil; plain.locals],
        host,
        buffers,
        reply: &mut *reply,
        room: MEMORY_MAX,
    };
    let (raised, line) = match run.block(&plain.block) {
        Ok(Some(ended)) => return ended,
        Ok(None) => {
            reply.null();
            return Ended::Returned;
        }
        Err(fault) => fault,
    };
    reply.truncate(mark);
    let (mut text, is_counted) = match raised {
        Raised::Stop => return Ended::Stopped,
        Raised::Text(text) if line == NOWHERE => {
            let start = format!("ERR Error running script {name}, ");
            reply.error_bytes(&[start.as_bytes(), &*text].concat());
            return Ended::Failed { is_counted: false };
        }
        Raised::Text(text) => ([b"ERR ", &*text].concat(), false),
        Raised::Reply { text, is_counted } => (text, is_counted),
    };
    let source = Source::Script.chunk().as_bytes();
    tell_place(&mut text, name, source, line.into());
    reply.error_bytes(&text);
    Ended::Failed { is_counted }
}

impl<'s> Run<'s, '_> {
    /// How the script ended, if it did.
    fn block(&mut self, block: &'s Block) -> Result<Option<Ended>, Fault> {
        for statement in block {
            match statement {
                Statement::Set(place, expression) => {
                    let value = self.value(expression)?;
                    if let Some(local) = self.locals.get_mut(*place) {
                        *local = value;
                    }
                }
                Statement::Call(call) => drop(self.call(call)?),
                Statement::Return(expression) => {
                    return self
                        .value(expression)
                        .map(|value| Some(value.answer(self.reply)));
                }
                Statement::ReturnTable(items) => {
                    self.items(items)?;
                    return Ok(Some(Ended::Returned));
                }
                Statement::If(cases, last) => {
                    let mut chosen = last;
                    for (condition, block) in cases {
                        if self.value(condition)?.is_true() {
                            chosen = block;
                            break;
                        }
                    }
                    if let Some(ended) = self.block(chosen)? {
                        return Ok(Some(ended));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Tells the client of a table, which ends where a nil is.
    fn items(&mut self, items: &'s [Item]) -> Result<(), Fault> {
        let header = self.reply.deferred_array();
        let (mut len, mut is_at_end) = (0, false);
        for item in items {
            let mark = self.reply.mark();
            match item {
                Item::Table(items) => self.items(items)?,
                Item::Value(expression) => match self.value(expression)? {
                    Value::Nil => is_at_end = true,
                    value => {
                        let ended = value.answer(self.reply);
                        if ended == (Ended::Failed { is_counted: false }) && !is_at_end {
                            let line = self.reply.since(mark);
                            self.host
                                .count_error(line.strip_prefix(b"-").unwrap_or(line));
                        }
                    }
                },
            }
            match is_at_end {
                true => self.reply.truncate(mark),
                false => len += 1,
            }
        }
        self.reply.set_len(header, len);
        Ok(())
    }

    fn value(&mut self, expression: &'s Expression) -> Result<Value<'s>, Fault> {
        Ok(match expression {
            Expression::Nil => Value::Nil,
            Expression::Boolean(value) => Value::Boolean(*value),
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text),
            Expression::Key(nth) => nth_of(self.keys, *nth),
            Expression::Argument(nth) => nth_of(self.arguments, *nth),
            Expression::Keys => Value::Number(self.keys.len() as f64),
            Expression::Arguments => Value::Number(self.arguments.len() as f64),
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
                let [left, right] = self.both(&both[0], &both[1])?;
                Value::Boolean(left.equals(&right) == *is_equal)
            }
            Expression::Order(order) => {
                let [left, right] = self.both(&order.both[0], &order.both[1])?;
                Value::Boolean(order.of(&left, &right)?)
            }
            Expression::Arithmetic(_)
            | Expression::Unary(_)
            | Expression::Index(_)
            | Expression::Join(_)
            | Expression::Apply(_) => self.computed(expression)?,
        })
    }

    fn both(
        &mut self,
        left: &'s Expression,
        right: &'s Expression,
    ) -> Result<[Value<'s>; 2], Fault> {
        Ok([self.value(left)?, self.value(right)?])
    }

    /// What takes more than a look.
    fn computed(&mut self, expression: &'s Expression) -> Result<Value<'s>, Fault> {
        match expression {
            Expression::Arithmetic(arithmetic) => {
                let [left, right] = &arithmetic.both;
                let [left, right] = self.both(&left.expression, &right.expression)?;
                arithmetic.of(&left, &right)
            }
            Expression::Unary(unary) => unary.of(&self.value(&unary.of.expression)?),
            Expression::Index(index) => index.of(&self.value(&index.of.expression)?),
            Expression::Join(join) => {
                let mut values = SmallVec::<[Value<'s>; 8]>::new();
                for part in &join.parts {
                    values.push(self.value(&part.expression)?);
                }
                join.of(&values, &mut self.room)
            }
            Expression::Apply(apply) => match &*apply.arguments {
                [argument] => {
                    let value = self.value(argument)?;
                    apply.function.of(&[value], apply.line)
                }
                arguments => apply.function.of(&self.values(arguments)?, apply.line),
            },
            simple => self.value(simple),
        }
    }

    fn values(&mut self, expressions: &'s [Expression]) -> Result<SmallVec<[Value<'s>; 8]>, Fault> {
        let mut values = SmallVec::new();
        for expression in expressions {
            values.push(self.value(expression)?);
        }
        Ok(values)
    }

    fn call(&mut self, call: &'s Call) -> Result<Value<'s>, Fault> {
        let words = self.values(&call.words)?;
        match self.carry_out(&words) {
            Err(raised) if call.raises || raised == Raised::Stop => Err((raised, call.line)),
            Err(raised) => Ok(Value::failure(raised)),
            Ok(value) => Ok(value),
        }
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
        answered(reply.as_bytes())
    }
}

fn nth_of(words: Args<'_>, nth: usize) -> Value<'_> {
    let word = nth.checked_sub(1).and_then(|nth| words.try_get(nth));
    word.map_or(Value::Nil, Value::Text)
}
