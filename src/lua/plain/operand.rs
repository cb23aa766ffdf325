//! What is computed with, and how Lua's errors call it: a type error names a local (`local 'x'`) and what was looked up with a number
//! (`field '?'`), and says of anything else its type only.
//!
//! For a name Lua goes through a function's code from its start to the instruction that fails, takes every jump that does not lead
//! beyond it, and looks at what has last set the operand's register. Behind `a or b` that is the test of `a`: there is no name. With
//! `c and a or b` the first jump leads to `b`, whose name is told even of `a`. Other operands with `and` and `or` in them are not plain,
//! nor are those that never work, such as `nil`.
//!
//! Invariant: who is called by a name here is called so by Lua.

use super::Expression;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub expression: Expression,
    pub name: Name,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Name {
    None,
    /// `field '?'`.
    Field,
    Local(Box<[u8]>),
}

impl Operand {
    /// None where it is hard to tell what Lua calls it; `locals` are the names of those that can be seen.
    pub fn of(expression: Expression, locals: &[&[u8]]) -> Option<Self> {
        let name = name_of(&expression, locals)?;
        Some(Self { expression, name })
    }
}

fn name_of(expression: &Expression, locals: &[&[u8]]) -> Option<Name> {
    match expression {
        Expression::Key(_) | Expression::Argument(_) | Expression::Index(_) => Some(Name::Field),
        Expression::Local(place) => locals.get(*place).map(|name| Name::Local((*name).into())),
        Expression::Number(_) | Expression::Text(_) => Some(Name::None),
        Expression::Or(both) => match &both[0] {
            Expression::And(first) if is_tested(&first[0]) => {
                name_of(&first[1], locals)?;
                name_of(&both[1], locals)
            }
            first if is_set_apart(first) => name_of(&both[1], locals).map(|_| Name::None),
            _ => None,
        },
        Expression::And(both) if is_set_apart(&both[0]) => {
            name_of(&both[1], locals).map(|_| Name::None)
        }
        computed => is_set_apart(computed).then_some(Name::None),
    }
}

/// Whether it is known only when the script runs, and comes from one place.
fn is_set_apart(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Key(_)
            | Expression::Argument(_)
            | Expression::Keys
            | Expression::Arguments
            | Expression::Local(_)
            | Expression::Call(_)
            | Expression::Apply(_)
            | Expression::Index(_)
            | Expression::Arithmetic(_)
            | Expression::Unary(_)
            | Expression::Join(_)
    )
}

/// Whether a test of it is one jump.
fn is_tested(expression: &Expression) -> bool {
    match expression {
        Expression::Not(of) => is_set_apart(of),
        Expression::Compare(..) | Expression::Order(_) => true,
        other => is_set_apart(other),
    }
}
