//! Reads a plain script, and gives up at the first thing that is not. Its expressions are read in `expressions.rs`.
//!
//! Invariant: what it reads means the same in Lua.

use super::functions::Function;
use super::splitter::{Splitter, Token, is_keyword};
use super::{Apply, Block, Expression, Item, Plain, Statement};

/// Deeper ones are for the machine.
const DEPTH_MAX: u32 = 60;
/// The machine has a limit, too: 200.
const LOCALS_MAX: usize = 100;

pub(super) struct Reader<'c> {
    splitter: Splitter<'c>,
    /// What comes next, and its line.
    pub next: Token<'c>,
    pub line: u32,
    /// The line of what came before.
    pub line_before: u32,
    /// Locals that can be seen, the innermost last, and their places.
    pub scope: Vec<&'c [u8]>,
    locals: usize,
    depth: u32,
}

/// The whole script.
pub(super) fn read(code: &[u8]) -> Option<Plain> {
    // What ends lines in other ways, or no text at all.
    if code.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return None;
    }
    let mut reader = Reader {
        splitter: Splitter::new(code),
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
    pub fn go_on(&mut self) -> Option<Token<'c>> {
        let token = self.next;
        self.line_before = self.line;
        self.next = self.splitter.next()?;
        self.line = self.splitter.line;
        Some(token)
    }

    pub fn take(&mut self, wanted: Token<'_>) -> Option<()> {
        let is_there = self.next == wanted;
        is_there.then(|| self.go_on()).flatten().map(drop)
    }

    pub fn takes(&mut self, wanted: Token<'_>) -> Option<bool> {
        if self.next != wanted {
            return Some(false);
        }
        self.go_on().map(|_| true)
    }

    pub fn name(&mut self) -> Option<&'c [u8]> {
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

    /// One step deeper, if that is not too deep.
    pub fn descend(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEPTH_MAX).then_some(())
    }

    /// Reads what may go deeper, and comes back from there.
    pub fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let depth = self.depth;
        self.descend()?;
        let found = read(self);
        self.depth = depth;
        found
    }

    fn block(&mut self) -> Option<Block> {
        self.deeper(|reader| {
            let seen = reader.scope.len();
            let mut block = Block::new();
            while !reader.is_at_end() {
                reader.statement(&mut block)?;
                reader.takes(Token::Sign(b';'))?;
                let last = block.last();
                let is_last =
                    matches!(last, Some(Statement::Return(_) | Statement::ReturnTable(_)));
                if is_last && !reader.is_at_end() {
                    return None;
                }
            }
            reader.scope.truncate(seen);
            Some(block)
        })
    }

    fn statement(&mut self, block: &mut Block) -> Option<()> {
        let Token::Word(word) = self.next else {
            return None;
        };
        let statement = match word {
            b"local" => {
                self.go_on()?;
                return self.declare(block);
            }
            b"if" => {
                self.go_on()?;
                self.choice()?
            }
            b"return" => {
                self.go_on()?;
                let is_bare = self.is_at_end() || self.next == Token::Sign(b';');
                match self.next {
                    _ if is_bare => Statement::Return(Expression::Nil),
                    Token::Sign(b'{') => self.returned_table()?,
                    _ => Statement::Return(self.expression()?),
                }
            }
            _ => {
                let name = self.name()?;
                match self.local(name) {
                    Some(place) => {
                        self.take(Token::Sign(b'='))?;
                        Statement::Set(place, self.expression()?)
                    }
                    None => match self.applied(name)? {
                        Expression::Call(call) => Statement::Call(call),
                        Expression::Boolean(_) => return Some(()),
                        _ => return None,
                    },
                }
            }
        };
        block.push(statement);
        Some(())
    }

    /// Locals behind `local`.
    fn declare(&mut self, block: &mut Block) -> Option<()> {
        let first = self.scope.len();
        let mut names = vec![self.name()?];
        while self.takes(Token::Sign(b','))? {
            names.push(self.name()?);
        }
        let mut place = first;
        if self.takes(Token::Sign(b'='))? {
            loop {
                // Values without a name are not plain.
                (place < first + names.len()).then_some(())?;
                block.push(Statement::Set(place, self.expression()?));
                place += 1;
                if !self.takes(Token::Sign(b','))? {
                    break;
                }
            }
        }
        for place in place..first + names.len() {
            block.push(Statement::Set(place, Expression::Nil));
        }
        // Seen from here on.
        self.scope.extend(names);
        self.locals = self.locals.max(self.scope.len());
        (self.locals <= LOCALS_MAX).then_some(())
    }

    /// What stands behind `if`.
    fn choice(&mut self) -> Option<Statement> {
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

    fn case(&mut self) -> Option<(Expression, Block)> {
        let condition = self.expression()?;
        self.take(Token::Word(b"then"))?;
        Some((condition, self.block()?))
    }

    pub fn local(&self, name: &[u8]) -> Option<usize> {
        self.scope.iter().rposition(|other| *other == name)
    }

    /// A table behind `return`; one with a name in it is an error or a status.
    fn returned_table(&mut self) -> Option<Statement> {
        self.take(Token::Sign(b'{'))?;
        let function = match self.next {
            Token::Word(b"err") if self.local(b"err").is_none() => Function::ErrorTable,
            Token::Word(b"ok") if self.local(b"ok").is_none() => Function::StatusTable,
            _ => return self.items().map(Statement::ReturnTable),
        };
        let line = self.line;
        self.go_on()?;
        self.take(Token::Sign(b'='))?;
        let arguments = vec![self.expression()?];
        self.take(Token::Sign(b'}'))?;
        let table = Apply {
            function,
            arguments,
            line,
        };
        Some(Statement::Return(Expression::Apply(Box::new(table))))
    }

    /// What stands in a table, behind its bracket.
    fn items(&mut self) -> Option<Vec<Item>> {
        self.deeper(|reader| {
            let mut items = Vec::new();
            while reader.next != Token::Sign(b'}') {
                items.push(match reader.next {
                    Token::Sign(b'{') => {
                        reader.go_on()?;
                        Item::Table(reader.items()?)
                    }
                    _ => Item::Value(reader.expression()?),
                });
                if !reader.takes(Token::Sign(b','))? && !reader.takes(Token::Sign(b';'))? {
                    break;
                }
                // The last one is looked up when Lua sees the bracket, and has the line of that.
                let is_looked_up = matches!(items.last(), Some(Item::Value(Expression::Index(_))));
                let is_last = reader.next == Token::Sign(b'}');
                if is_looked_up && is_last && reader.line != reader.line_before {
                    return None;
                }
            }
            reader.take(Token::Sign(b'}'))?;
            Some(items)
        })
    }
}
