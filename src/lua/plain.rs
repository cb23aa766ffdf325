//! Plain scripts: those that only call commands, compute with what they answer, compare it and return something. Most of what
//! applications send is of this kind - a lock is released, a value is set if another one is there, a limit is kept - and needs no
//! machine: it is read once and carried out from what was read.
//!
//! What is plain: `local` and assignments to locals, `if`, `return` of a value or of `{a, {b}}`; `redis.call` and `redis.pcall`,
//! `redis.error_reply`, `redis.status_reply`, `tonumber`, `tostring`, `type`, `math.floor` and its like; `KEYS[1]`, `ARGV[1]` and
//! `local[1]` with a number, `#`; strings without escapes, decimal numbers, `nil`, `true`, `false`; `+ - * / % .. == ~= < <= > >=`,
//! `and`, `or`, `not`. Whatever else stands in a script makes it one for the machine, which compiles it in any case. So does what
//! computes with an operand that Lua's error would call by a name that is hard to tell (`operand.rs`).
//!
//! Invariant: a plain script calls, returns and raises what it would in the machine, to the byte. Two things differ: how much memory
//! it may take is counted in another way, and `tostring` of a table tells another address.

mod compute;
mod expressions;
mod functions;
mod numbers;
mod operand;
mod reader;
mod run;
mod splitter;
#[cfg(test)]
mod tests;
mod value;

use functions::Function;
use operand::Operand;
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
    /// It ends with a table.
    ReturnTable(Vec<Item>),
}

/// What stands in a table that is returned.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Value(Expression),
    Table(Vec<Self>),
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
    /// `#KEYS`.
    Keys,
    /// `#ARGV`.
    Arguments,
    Local(usize),
    Call(Call),
    Apply(Box<Apply>),
    /// `a[n]`.
    Index(Box<Index>),
    Not(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    /// Whether it is `==`.
    Compare(bool, Box<[Self; 2]>),
    Order(Box<Order>),
    Arithmetic(Box<Arithmetic>),
    Unary(Box<Unary>),
    Join(Box<Join>),
}

/// `redis.call`, or `redis.pcall`.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    words: Vec<Expression>,
    /// Where it stands: errors say so.
    line: u32,
    /// Whether errors are raised.
    raises: bool,
}

/// A function of Lua or of `redis` that asks nobody.
#[derive(Debug, Clone, PartialEq)]
struct Apply {
    function: Function,
    /// As many as it takes.
    arguments: Vec<Expression>,
    line: u32,
}

/// The element of a table at a place that is a number in the script.
#[derive(Debug, Clone, PartialEq)]
struct Index {
    of: Operand,
    at: usize,
    line: u32,
}

/// `<` or `<=`.
#[derive(Debug, Clone, PartialEq)]
struct Order {
    /// They are taken the other way round: `>`.
    is_swapped: bool,
    or_equal: bool,
    both: [Expression; 2],
    line: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Arithmetic {
    sign: Sign,
    both: [Operand; 2],
    line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// `-a`, or `#a`.
#[derive(Debug, Clone, PartialEq)]
struct Unary {
    is_length: bool,
    of: Operand,
    line: u32,
}

/// `a .. b .. c`.
#[derive(Debug, Clone, PartialEq)]
struct Join {
    parts: Vec<Operand>,
    line: u32,
}

impl Plain {
    /// Reads a script (without its first line, if that says something to the server); none where it is not plain.
    pub fn of(code: &[u8]) -> Option<Self> {
        reader::read(code)
    }
}
