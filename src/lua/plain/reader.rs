//! Reads a plain script, and gives up at the first thing that is not.
//!
//! Invariant: what it reads means the same in Lua.

use super::{Block, Call, Expression, Plain, Statement};

/// Deeper ones are for the machine.
const DEPTH_MAX: u32 = 40;
/// The machine has a limit, too: 200.
const LOCALS_MAX: usize = 100;
/// Whole numbers of so many digits are exact.
const DIGITS_MAX: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'c> {
    /// A name or a keyword.
    Word(&'c [u8]),
    Number(f64),
    Text(&'c [u8]),
    /// `==`.
    Equal,
    /// `~=`.
    Unequal,
    /// A sign of one character.
    Sign(u8),
    End,
}

/// Splits a script into its parts.
struct Splitter<'c> {
    rest: &'c [u8],
    line: u32,
}

impl<'c> Splitter<'c> {
    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'c [u8] {
        let end = self.rest.iter().position(|byte| !belongs(*byte));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) -> Option<()> {
        loop {
            match self.rest {
                [b'\n', rest @ ..] => {
                    self.line += 1;
                    self.rest = rest;
                }
                [b' ' | b'\t', rest @ ..] => self.rest = rest,
                // One that may go on over lines.
                [b'-', b'-', b'[', ..] => return None,
                [b'-', b'-', ..] => drop(self.take_while(|byte| byte != b'\n')),
                _ => return Some(()),
            }
        }
    }

    fn next(&mut self) -> Option<Token<'c>> {
        self.skip_blanks()?;
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let Some(first) = self.rest.first() else {
            return Some(Token::End);
        };
        match *first {
            b'0'..=b'9' => {
                let digits = self.take_while(|byte| is_of_name(byte) || byte == b'.');
                let is_whole = digits.iter().all(u8::is_ascii_digit) && digits.len() <= DIGITS_MAX;
                let number = crate::resp::parse_i64(trimmed(digits)).filter(|_| is_whole)?;
                Some(Token::Number(number as f64))
            }
            byte if is_of_name(byte) => Some(Token::Word(self.take_while(is_of_name))),
            quote @ (b'\'' | b'"') => {
                self.rest = &self.rest[1..];
                let text = self.take_while(|byte| byte != quote);
                let is_simple = !text.iter().any(|byte| matches!(byte, b'\\' | b'\n' | 0));
                self.rest = self.rest.get(1..).filter(|_| is_simple)?;
                Some(Token::Text(text))
            }
            byte => {
                let (token, len) = match (byte, self.rest.get(1)) {
                    (b'=', Some(b'=')) => (Token::Equal, 2),
                    (b'~', Some(b'=')) => (Token::Unequal, 2),
                    (b'.', Some(b'.')) => return None,
                    (b'(' | b')' | b'[' | b']' | b',' | b'.' | b';' | b'=' | b'-', _) => {
                        (Token::Sign(byte), 1)
                    }
                    _ => return None,
                };
                self.rest = self.rest.get(len..)?;
                Some(token)
            }
        }
    }
}

/// Digits without zeros before them.
fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits
        .get(zeros.min(digits.len().saturating_sub(1))..)
        .unwrap_or_default()
}

struct Reader<'c> {
    splitter: Splitter<'c>,
    /// What comes next, and its line.
    next: Token<'c>,
    line: u32,
    /// The line of what came before.
    line_before: u32,
    /// Locals that can be seen, the innermost last, and their places.
    scope: Vec<&'c [u8]>,
    locals: usize,
    depth: u32,
}

/// The whole script.
pub(super) fn read(code: &[u8]) -> Option<Plain> {
    // What ends lines in other ways, or no text at all.
    if code.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return None;
    }
    let splitter = Splitter {
        rest: code,
        line: 1,
    };
    let mut reader = Reader {
        splitter,
        next: Token::End,
        line: 1,
        line_before: 1,
        scope: Vec::new(),
        locals: 0,
        depth: 0,
    };
    reader.go_on()?;
    let block = reader.block()?;
    let locals = reader.locals;
    (reader.next == Token::End).then_some(Plain { block, locals })
}

impl<'c> Reader<'c> {
    /// Takes what comes next.
    fn go_on(&mut self) -> Option<Token<'c>> {
        let token = self.next;
        self.line_before = self.line;
        self.next = self.splitter.next()?;
        self.line = self.splitter.line;
        Some(token)
    }

    fn take(&mut self, wanted: Token<'_>) -> Option<()> {
        let is_there = self.next == wanted;
        is_there.then(|| self.go_on()).flatten().map(drop)
    }

    fn takes(&mut self, wanted: Token<'_>) -> Option<bool> {
        if self.next != wanted {
            return Some(false);
        }
        self.go_on().map(|_| true)
    }

    fn name(&mut self) -> Option<&'c [u8]> {
        match self.go_on()? {
            Token::Word(name) if !is_keyword(name) => Some(name),
            _ => None,
        }
    }

    fn is_at_end(&self) -> bool {
        let ends = |word: &[u8]| matches!(word, b"end" | b"else" | b"elseif");
        match self.next {
            Token::End => true,
            Token::Word(word) => ends(word),
            _ => false,
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let found = (self.depth <= DEPTH_MAX).then(|| read(self)).flatten();
        self.depth -= 1;
        found
    }

    fn block(&mut self) -> Option<Block> {
        self.deeper(|reader| {
            let seen = reader.scope.len();
            let mut block = Block::new();
            while !reader.is_at_end() {
                let statement = reader.statement()?;
                let is_last = matches!(statement, Statement::Return(_));
                block.push(statement);
                reader.takes(Token::Sign(b';'))?;
                if is_last && !reader.is_at_end() {
                    return None;
                }
            }
            reader.scope.truncate(seen);
            Some(block)
        })
    }

    fn statement(&mut self) -> Option<Statement> {
        let Token::Word(word) = self.next else {
            return None;
        };
        match word {
            b"local" => {
                self.go_on()?;
                let name = self.name()?;
                let value = match self.takes(Token::Sign(b'='))? {
                    true => self.expression()?,
                    false => Expression::Nil,
                };
                // Seen from here on.
                self.scope.push(name);
                self.locals = self.locals.max(self.scope.len());
                let place = self.scope.len() - 1;
                (place < LOCALS_MAX).then_some(Statement::Set(place, value))
            }
            b"if" => {
                self.go_on()?;
                let mut cases = vec![self.case()?];
                loop {
                    match self.go_on()? {
                        Token::Word(b"elseif") => cases.push(self.case()?),
                        Token::Word(b"else") => {
                            let last = self.block()?;
                            self.take(Token::Word(b"end"))?;
                            return Some(Statement::If(cases, last));
                        }
                        Token::Word(b"end") => return Some(Statement::If(cases, Block::new())),
                        _ => return None,
                    }
                }
            }
            b"return" => {
                self.go_on()?;
                let is_bare = self.is_at_end() || self.next == Token::Sign(b';');
                let value = match is_bare {
                    true => Expression::Nil,
                    false => self.expression()?,
                };
                Some(Statement::Return(value))
            }
            _ => {
                let name = self.name()?;
                match self.local(name) {
                    Some(place) => {
                        self.take(Token::Sign(b'='))?;
                        Some(Statement::Set(place, self.expression()?))
                    }
                    None => Some(Statement::Call(self.call(name)?)),
                }
            }
        }
    }

    fn case(&mut self) -> Option<(Expression, Block)> {
        let condition = self.expression()?;
        self.take(Token::Word(b"then"))?;
        Some((condition, self.block()?))
    }

    fn local(&self, name: &[u8]) -> Option<usize> {
        self.scope.iter().rposition(|other| *other == name)
    }

    /// `redis.call` behind its first word.
    fn call(&mut self, name: &[u8]) -> Option<Call> {
        if name != b"redis" {
            return None;
        }
        self.take(Token::Sign(b'.'))?;
        self.take(Token::Word(b"call"))?;
        // On a line of its own the bracket would be ambiguous to Lua.
        let line = self.line;
        if line != self.line_before {
            return None;
        }
        self.take(Token::Sign(b'('))?;
        let mut words = Vec::new();
        if !self.takes(Token::Sign(b')'))? {
            loop {
                words.push(self.expression()?);
                if !self.takes(Token::Sign(b','))? {
                    break;
                }
            }
            self.take(Token::Sign(b')'))?;
        }
        Some(Call { words, line })
    }

    fn expression(&mut self) -> Option<Expression> {
        self.deeper(|reader| {
            let mut left = reader.conjunction()?;
            while reader.takes(Token::Word(b"or"))? {
                left = Expression::Or(Box::new([left, reader.conjunction()?]));
            }
            Some(left)
        })
    }

    fn conjunction(&mut self) -> Option<Expression> {
        let mut left = self.comparison()?;
        while self.takes(Token::Word(b"and"))? {
            left = Expression::And(Box::new([left, self.comparison()?]));
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Expression> {
        let mut left = self.operand()?;
        loop {
            let is_equal = match self.next {
                Token::Equal => true,
                Token::Unequal => false,
                _ => return Some(left),
            };
            self.go_on()?;
            left = Expression::Compare(is_equal, Box::new([left, self.operand()?]));
        }
    }

    fn operand(&mut self) -> Option<Expression> {
        let found = match self.go_on()? {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text.into()),
            Token::Sign(b'-') => match self.go_on()? {
                Token::Number(number) => Expression::Number(-number),
                _ => return None,
            },
            Token::Sign(b'(') => {
                let inner = self.expression()?;
                self.take(Token::Sign(b')'))?;
                inner
            }
            Token::Word(b"nil") => Expression::Nil,
            Token::Word(b"true") => Expression::Boolean(true),
            Token::Word(b"false") => Expression::Boolean(false),
            Token::Word(b"not") => {
                let operand = self.deeper(Self::operand)?;
                Expression::Not(Box::new(operand))
            }
            Token::Word(name) if !is_keyword(name) => match (self.local(name), name) {
                (Some(place), _) => Expression::Local(place),
                (None, b"KEYS") => Expression::Key(self.index()?),
                (None, b"ARGV") => Expression::Argument(self.index()?),
                (None, name) => Expression::Call(self.call(name)?),
            },
            _ => return None,
        };
        Some(found)
    }

    fn index(&mut self) -> Option<usize> {
        self.take(Token::Sign(b'['))?;
        let Token::Number(number) = self.go_on()? else {
            return None;
        };
        self.take(Token::Sign(b']'))?;
        Some(number as usize)
    }
}

fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"and"
            | b"break"
            | b"do"
            | b"else"
            | b"elseif"
            | b"end"
            | b"false"
            | b"for"
            | b"function"
            | b"if"
            | b"in"
            | b"local"
            | b"nil"
            | b"not"
            | b"or"
            | b"repeat"
            | b"return"
            | b"then"
            | b"true"
            | b"until"
            | b"while"
    )
}
