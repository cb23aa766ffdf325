//! Splits a script into its parts.
//!
//! Invariant: each part is one that Lua sees, too; where that is not sure there is none.

/// Whole numbers of so many digits are exact.
const DIGITS_MAX: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'c> {
    /// A name or a keyword.
    Word(&'c [u8]),
    Number(f64),
    Text(&'c [u8]),
    /// `==`.
    Equal,
    /// `~=`.
    Unequal,
    /// `<=`.
    LessOrEqual,
    /// `>=`.
    GreaterOrEqual,
    /// `..`.
    Join,
    /// A sign of one character.
    Sign(u8),
    End,
}

pub(super) struct Splitter<'c> {
    rest: &'c [u8],
    /// Where it is.
    pub line: u32,
}

impl<'c> Splitter<'c> {
    /// At a script's beginning.
    pub fn new(code: &'c [u8]) -> Self {
        Self {
            rest: code,
            line: 1,
        }
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'c [u8] {
        let end = self.rest.iter().position(|byte| !belongs(*byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn take(&mut self, len: usize) -> &'c [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
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

    /// What comes next.
    pub fn next(&mut self) -> Option<Token<'c>> {
        self.skip_blanks()?;
        let Some(first) = self.rest.first() else {
            return Some(Token::End);
        };
        match *first {
            b'0'..=b'9' => self.number().map(Token::Number),
            byte if is_of_name(byte) => Some(Token::Word(self.take_while(is_of_name))),
            quote @ (b'\'' | b'"') => {
                self.take(1);
                let text = self.take_while(|byte| byte != quote);
                let is_simple = !text.iter().any(|byte| matches!(byte, b'\\' | b'\n' | 0));
                self.rest = self.rest.get(1..).filter(|_| is_simple)?;
                Some(Token::Text(text))
            }
            byte => {
                let (token, len) = match self.rest {
                    [b'=', b'=', ..] => (Token::Equal, 2),
                    [b'~', b'=', ..] => (Token::Unequal, 2),
                    [b'<', b'=', ..] => (Token::LessOrEqual, 2),
                    [b'>', b'=', ..] => (Token::GreaterOrEqual, 2),
                    [b'.', b'.', b'.', ..] | [b'.', b'0'..=b'9', ..] => return None,
                    [b'.', b'.', ..] => (Token::Join, 2),
                    _ if b"()[]{},.;=+-*/%#<>".contains(&byte) => (Token::Sign(byte), 1),
                    _ => return None,
                };
                self.take(len);
                Some(token)
            }
        }
    }

    /// One in decimal digits, with a point and an exponent or without.
    fn number(&mut self) -> Option<f64> {
        let start = self.rest;
        let mut len = self
            .take_while(|byte| is_of_name(byte) || byte == b'.')
            .len();
        let is_open = matches!(start.get(len - 1), Some(b'e' | b'E'));
        if is_open && matches!(self.rest.first(), Some(b'+' | b'-')) {
            self.take(1);
            len += 1 + self.take_while(is_of_name).len();
        }
        let digits = start.get(..len)?;
        if digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit) {
            let whole = digits
                .iter()
                .fold(0, |whole: u64, digit| whole * 10 + u64::from(digit - b'0'));
            return Some(whole as f64);
        }
        let belongs = |byte: &u8| byte.is_ascii_digit() || b".eE+-".contains(byte);
        let is_decimal = digits.iter().all(belongs);
        let text = std::str::from_utf8(digits).ok().filter(|_| is_decimal)?;
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Names that mean something else.
pub(super) fn is_keyword(word: &[u8]) -> bool {
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
