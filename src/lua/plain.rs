//! Plain scripts: those that only call commands, compare what they answer and return something. Most of what applications send is of
//! this kind - a lock is released, a value is set if another one is there - and needs no machine: it is read once and carried out
//! from what was read.
//!
//! What is plain: `local` and assignments to locals, `if`, `return`, `redis.call`, `KEYS[1]` and `ARGV[1]` with a number, strings
//! without escapes, whole numbers, `nil`, `true`, `false`, `==`, `~=`, `and`, `or`, `not`. Whatever else stands in a script makes it
//! one for the machine, which compiles it in any case.
//!
//! Invariant: a plain script calls, returns and raises what it would in the machine, to the byte.

mod reader;
mod run;
#[cfg(test)]
mod tests;

pub(super) use run::run;

/// See the head of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    block: Block,
    /// How many locals there are.
    locals: usize,
}

type Block = Vec<Statement>;

#[derive(Debug, Clone, PartialEq)]
enum Statement {
    /// A local is given a value.
    Set(usize, Expression),
    /// A command is called, whatever it answers.
    Call(Call),
    /// The first block whose condition holds, or the last one.
    If(Vec<(Expression, Block)>, Block),
    /// The script ends.
    Return(Expression),
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(Box<[u8]>),
    /// `KEYS[n]`.
    Key(usize),
    /// `ARGV[n]`.
    Argument(usize),
    Local(usize),
    Call(Call),
    Not(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    /// Whether it is `==`.
    Compare(bool, Box<[Self; 2]>),
}

/// `redis.call`.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    words: Vec<Expression>,
    /// Where it stands: errors say so.
    line: u32,
}

impl Plain {
    /// Reads a script (without its first line, if that says something to the server); none where it is not plain.
    pub fn of(code: &[u8]) -> Option<Self> {
        reader::read(code)
    }
}
