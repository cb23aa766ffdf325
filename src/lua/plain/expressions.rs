//! Reads the expressions of a plain script.
//!
//! Invariant: what they mean is what they mean in Lua, and a line that an error would tell is the one that Lua would: of what is
//! computed that of its last part, of a call that of its bracket.

use super::functions::Function;
use super::operand::Operand;
use super::reader::Reader;
use super::splitter::{Token, is_keyword};
use super::{Apply, Arithmetic, Call, Expression, Index, Join, Order, Sign, Unary};

/// How strongly a sign binds what stands before it and behind it.
type Strength = (u8, u8);

const UNARY: u8 = 8;

#[derive(Debug, Clone, Copy)]
enum Binary {
    Or,
    And,
    /// Whether it is `==`.
    Compare(bool),
    Order {
        is_swapped: bool,
        or_equal: bool,
    },
    Join,
    Arithmetic(Sign),
}

fn binary(token: Token<'_>) -> Option<(Binary, Strength)> {
    let order = |is_swapped, or_equal| Binary::Order {
        is_swapped,
        or_equal,
    };
    Some(match token {
        Token::Word(b"or") => (Binary::Or, (1, 1)),
        Token::Word(b"and") => (Binary::And, (2, 2)),
        Token::Equal => (Binary::Compare(true), (3, 3)),
        Token::Unequal => (Binary::Compare(false), (3, 3)),
        Token::Sign(b'<') => (order(false, false), (3, 3)),
        Token::LessOrEqual => (order(false, true), (3, 3)),
        Token::Sign(b'>') => (order(true, false), (3, 3)),
        Token::GreaterOrEqual => (order(true, true), (3, 3)),
        Token::Join => (Binary::Join, (5, 4)),
        Token::Sign(b'+') => (Binary::Arithmetic(Sign::Plus), (6, 6)),
        Token::Sign(b'-') => (Binary::Arithmetic(Sign::Minus), (6, 6)),
        Token::Sign(b'*') => (Binary::Arithmetic(Sign::Times), (7, 7)),
        Token::Sign(b'/') => (Binary::Arithmetic(Sign::Over), (7, 7)),
        // Elsewhere the machine may round once where Rust rounds twice.
        Token::Sign(b'%') if cfg!(target_arch = "x86_64") => {
            (Binary::Arithmetic(Sign::Modulo), (7, 7))
        }
        _ => return None,
    })
}

impl Reader<'_> {
    pub fn expression(&mut self) -> Option<Expression> {
        self.bound(0)
    }

    /// An expression of signs that bind more strongly than this.
    fn bound(&mut self, limit: u8) -> Option<Expression> {
        self.deeper(|reader| {
            let mut left = reader.unary()?;
            while let Some((sign, strength)) = binary(reader.next)
                && strength.0 > limit
            {
                // What stands on the left is one deeper with each.
                reader.descend()?;
                reader.go_on()?;
                let right = reader.bound(strength.1)?;
                left = reader.combined(sign, left, right)?;
            }
            Some(left)
        })
    }

    fn unary(&mut self) -> Option<Expression> {
        match self.next {
            Token::Word(b"not") => {
                self.go_on()?;
                Some(Expression::Not(Box::new(self.bound(UNARY)?)))
            }
            Token::Sign(b'-') => {
                self.go_on()?;
                match self.bound(UNARY)? {
                    // Lua takes a -0 that stands in the code for 0, or the other way round.
                    Expression::Number(0.0) => None,
                    Expression::Number(number) => Some(Expression::Number(-number)),
                    of => self.computed(false, of),
                }
            }
            Token::Sign(b'#') => {
                self.go_on()?;
                let list = match self.next {
                    Token::Word(word) if self.local(word).is_none() => match word {
                        b"KEYS" => Some((Expression::Keys, Expression::Key as fn(usize) -> _)),
                        b"ARGV" => Some((Expression::Arguments, Expression::Argument as _)),
                        _ => None,
                    },
                    _ => None,
                };
                let Some((count, word)) = list else {
                    let of = self.bound(UNARY)?;
                    return self.computed(true, of);
                };
                self.go_on()?;
                if self.next != Token::Sign(b'[') {
                    return Some(count);
                }
                let of = word(self.place()?);
                let of = self.indexed(of)?;
                self.computed(true, of)
            }
            _ => self.simple(),
        }
    }

    fn computed(&self, is_length: bool, of: Expression) -> Option<Expression> {
        let of = Operand::of(of, &self.scope)?;
        let line = self.line_before;
        Some(Expression::Unary(Box::new(Unary {
            is_length,
            of,
            line,
        })))
    }

    fn combined(&self, sign: Binary, left: Expression, right: Expression) -> Option<Expression> {
        let line = self.line_before;
        let operand = |of| Operand::of(of, &self.scope);
        Some(match sign {
            Binary::Or => Expression::Or(Box::new([left, right])),
            Binary::And => Expression::And(Box::new([left, right])),
            Binary::Compare(is_equal) => Expression::Compare(is_equal, Box::new([left, right])),
            Binary::Order {
                is_swapped,
                or_equal,
            } => Expression::Order(Box::new(Order {
                is_swapped,
                or_equal,
                both: [left, right],
                line,
            })),
            Binary::Join => match right {
                // All at once, as in Lua; the line is that of the last two.
                Expression::Join(mut join) => {
                    join.parts.insert(0, operand(left)?);
                    Expression::Join(join)
                }
                right => Expression::Join(Box::new(Join {
                    parts: vec![operand(left)?, operand(right)?],
                    line,
                })),
            },
            Binary::Arithmetic(sign) => match (&left, &right) {
                (Expression::Number(one), Expression::Number(two)) if sign.is_folded(*two) => {
                    let number = sign.of(*one, *two);
                    // See above; and Lua leaves NaN for later, too.
                    let is_fine = number != 0.0 || number.is_sign_positive();
                    (is_fine && !number.is_nan()).then_some(Expression::Number(number))?
                }
                _ => Expression::Arithmetic(Box::new(Arithmetic {
                    sign,
                    both: [operand(left)?, operand(right)?],
                    line,
                })),
            },
        })
    }

    fn simple(&mut self) -> Option<Expression> {
        Some(match self.go_on()? {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text.into()),
            Token::Sign(b'(') => {
                let inner = self.expression()?;
                self.take(Token::Sign(b')'))?;
                inner
            }
            Token::Word(b"nil") => Expression::Nil,
            Token::Word(b"true") => Expression::Boolean(true),
            Token::Word(b"false") => Expression::Boolean(false),
            Token::Word(name) if !is_keyword(name) => {
                let found = match (self.local(name), name) {
                    (Some(place), _) => Expression::Local(place),
                    (None, b"KEYS") => Expression::Key(self.place()?),
                    (None, b"ARGV") => Expression::Argument(self.place()?),
                    (None, name) => self.applied(name)?,
                };
                self.indexed(found)?
            }
            _ => return None,
        })
    }

    /// What is called, behind the first word of its name.
    pub fn applied(&mut self, first: &[u8]) -> Option<Expression> {
        let (table, name) = match self.next {
            Token::Sign(b'.') => {
                self.go_on()?;
                (first, self.name()?)
            }
            _ => (&b""[..], first),
        };
        // On a line of its own the bracket would be ambiguous to Lua.
        let line = self.line;
        if line != self.line_before || self.next != Token::Sign(b'(') {
            return None;
        }
        let raises = match (table, name) {
            (b"redis", b"call") => true,
            (b"redis", b"pcall") => false,
            // It has nothing to do, and says so.
            (b"redis", b"replicate_commands") => {
                let is_fine = self.arguments()?.is_empty();
                return is_fine.then_some(Expression::Boolean(true));
            }
            _ => {
                let function = Function::named(table, name)?;
                let arguments = self.arguments()?;
                let apply = Apply {
                    function,
                    arguments,
                    line,
                };
                let is_fine = function.takes(apply.arguments.len());
                return is_fine.then(|| Expression::Apply(Box::new(apply)));
            }
        };
        let words = self.arguments()?;
        Some(Expression::Call(Call {
            words,
            line,
            raises,
        }))
    }

    fn arguments(&mut self) -> Option<Vec<Expression>> {
        self.take(Token::Sign(b'('))?;
        let mut arguments = Vec::new();
        if !self.takes(Token::Sign(b')'))? {
            loop {
                arguments.push(self.expression()?);
                if !self.takes(Token::Sign(b','))? {
                    break;
                }
            }
            self.take(Token::Sign(b')'))?;
        }
        Some(arguments)
    }

    /// With the places behind it.
    fn indexed(&mut self, mut of: Expression) -> Option<Expression> {
        while self.next == Token::Sign(b'[') {
            self.descend()?;
            let at = self.place()?;
            let line = self.line_before;
            // Lua looks it up when it sees what comes next, and may take the line of that.
            let is_sure = match self.next {
                Token::End => true,
                Token::Word(word) => !matches!(word, b"and" | b"or"),
                _ => false,
            };
            if self.line != line && !is_sure {
                return None;
            }
            let of_what = Operand::of(of, &self.scope)?;
            of = Expression::Index(Box::new(Index {
                of: of_what,
                at,
                line,
            }));
        }
        Some(of)
    }

    /// A number in brackets.
    fn place(&mut self) -> Option<usize> {
        self.take(Token::Sign(b'['))?;
        let Token::Number(number) = self.go_on()? else {
            return None;
        };
        self.take(Token::Sign(b']'))?;
        let is_whole = number.fract() == 0.0 && number < f64::from(u32::MAX);
        is_whole.then_some(number as usize)
    }
}

impl Sign {
    /// Whether Lua computes it when it reads numbers.
    fn is_folded(self, right: f64) -> bool {
        !matches!(self, Self::Over | Self::Modulo) || right != 0.0
    }
}
