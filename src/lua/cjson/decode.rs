//! JSON to values.

use mlua::{Lua, Value};

use crate::lua::cjson::Settings;

/// As deep as this thread's stack surely is, whatever the settings say.
const DEPTH_MAX: i64 = 4000;

/// Why a text is no JSON.
pub enum Fault {
    Text(String),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Fault {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

impl Token {
    const fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::Text(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Error(text) => text,
        }
    }
}

struct Parser<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    settings: &'a Settings,
    at: usize,
    /// Where the present token begins.
    start: usize,
    depth: i64,
}

/// Reads one value and nothing behind it.
pub fn decode(lua: &Lua, text: &[u8], settings: &Settings) -> Result<Value, Fault> {
    if let [first, second, ..] = text
        && (*first == 0 || *second == 0)
    {
        return Err(Fault::Text(
            "JSON parser does not support UTF-16 or UTF-32".into(),
        ));
    }
    let mut parser = Parser {
        lua,
        text,
        settings,
        at: 0,
        start: 0,
        depth: 0,
    };
    let token = parser.next();
    let value = parser.value(token)?;
    match parser.next() {
        Token::End => Ok(value),
        other => Err(parser.unexpected("the end", &other)),
    }
}

impl Parser<'_> {
    fn unexpected(&self, wanted: &str, found: &Token) -> Fault {
        Fault::Text(format!(
            "Expected {wanted} but found {} at character {}",
            found.name(),
            self.start + 1
        ))
    }

    fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth <= self.settings.decode_depth.min(DEPTH_MAX) {
            return Ok(());
        }
        Err(Fault::Text(format!(
            "Found too many nested data structures ({}) at character {}",
            self.depth, self.at
        )))
    }

    fn value(&mut self, token: Token) -> Result<Value, Fault> {
        match token {
            Token::Text(text) => Ok(Value::String(self.lua.create_string(text)?)),
            Token::Number(number) => Ok(Value::Number(number)),
            Token::Boolean(value) => Ok(Value::Boolean(value)),
            Token::Null => Ok(Value::NULL),
            Token::ObjectBegin => self.object(),
            Token::ArrayBegin => self.array(),
            other => Err(self.unexpected("value", &other)),
        }
    }

    fn object(&mut self) -> Result<Value, Fault> {
        self.descend()?;
        let table = self.lua.create_table()?;
        let mut token = self.next();
        if token == Token::ObjectEnd {
            self.depth -= 1;
            return Ok(Value::Table(table));
        }
        loop {
            let key = match token {
                Token::Text(key) => self.lua.create_string(key)?,
                other => return Err(self.unexpected("object key string", &other)),
            };
            match self.next() {
                Token::Colon => {}
                other => return Err(self.unexpected("colon", &other)),
            }
            let token_of_value = self.next();
            let value = self.value(token_of_value)?;
            table.raw_set(key, value)?;
            match self.next() {
                Token::ObjectEnd => {
                    self.depth -= 1;
                    return Ok(Value::Table(table));
                }
                Token::Comma => token = self.next(),
                other => return Err(self.unexpected("comma or object end", &other)),
            }
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        self.descend()?;
        let table = self.lua.create_table()?;
        let mut token = self.next();
        if token == Token::ArrayEnd {
            self.depth -= 1;
            return Ok(Value::Table(table));
        }
        for index in 1.. {
            let value = self.value(token)?;
            table.raw_set(index, value)?;
            match self.next() {
                Token::ArrayEnd => break,
                Token::Comma => token = self.next(),
                other => return Err(self.unexpected("comma or array end", &other)),
            }
        }
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn next(&mut self) -> Token {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.start = self.at;
        let Some(&first) = self.text.get(self.at) else {
            return Token::End;
        };
        let single = match first {
            b'{' => Some(Token::ObjectBegin),
            b'}' => Some(Token::ObjectEnd),
            b'[' => Some(Token::ArrayBegin),
            b']' => Some(Token::ArrayEnd),
            b',' => Some(Token::Comma),
            b':' => Some(Token::Colon),
            _ => None,
        };
        if let Some(token) = single {
            self.at += 1;
            return token;
        }
        let rest = &self.text[self.at..];
        match first {
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => {
                if !self.settings.decode_invalid && is_invalid_number(rest) {
                    return Token::Error("invalid number");
                }
                return self.number();
            }
            _ => {}
        }
        for (word, token) in [
            (&b"true"[..], Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        let may_be_number = matches!(first, b'+' | b'i' | b'I' | b'n' | b'N');
        if may_be_number && self.settings.decode_invalid && is_invalid_number(rest) {
            return self.number();
        }
        Token::Error("invalid token")
    }

    fn number(&mut self) -> Token {
        match leading_number(&self.text[self.at..]) {
            Some((number, len)) => {
                self.at += len;
                Token::Number(number)
            }
            None => Token::Error("invalid number"),
        }
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let Some(&byte) = self.text.get(self.at) else {
                self.start = self.at;
                return Token::Error("unexpected end of string");
            };
            self.at += 1;
            match byte {
                b'"' => return Token::Text(text),
                b'\\' => {
                    let Some(&escape) = self.text.get(self.at) else {
                        self.start = self.at;
                        return Token::Error("unexpected end of string");
                    };
                    let plain = match escape {
                        b'"' | b'\\' | b'/' => escape,
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        b'u' => {
                            if !self.unicode(&mut text) {
                                self.start = self.at - 1;
                                return Token::Error("invalid unicode escape code");
                            }
                            continue;
                        }
                        _ => {
                            self.start = self.at - 1;
                            return Token::Error("invalid escape code");
                        }
                    };
                    text.push(plain);
                    self.at += 1;
                }
                other => text.push(other),
            }
        }
    }

    fn four_digits(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        let digits = std::str::from_utf8(digits).ok()?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    /// A `\u` whose `u` is the next byte.
    fn unicode(&mut self, text: &mut Vec<u8>) -> bool {
        let Some(mut code) = self.four_digits(self.at + 1) else {
            return false;
        };
        let mut took = 5;
        match code {
            0xd800..0xdc00 => {
                if self.text.get(self.at + 5..self.at + 7) != Some(b"\\u") {
                    return false;
                }
                let Some(low @ 0xdc00..0xe000) = self.four_digits(self.at + 7) else {
                    return false;
                };
                code = 0x1_0000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
                took = 11;
            }
            0xdc00..0xe000 => return false,
            _ => {}
        }
        let Some(character) = char::from_u32(code) else {
            return false;
        };
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += took;
        true
    }
}

/// Whether a text begins with a number that JSON has not: hexadecimal, with zeros in front, infinite or none.
fn is_invalid_number(text: &[u8]) -> bool {
    let text = match text {
        [b'+', ..] => return true,
        [b'-', rest @ ..] => rest,
        text => text,
    };
    match text {
        [b'0', b'x' | b'X' | b'0'..=b'9', ..] => return true,
        [b'0'..=b'9', ..] => return false,
        _ => {}
    }
    let begins = |word: &[u8]| {
        text.get(..3)
            .is_some_and(|three| three.eq_ignore_ascii_case(word))
    };
    begins(b"inf") || begins(b"nan")
}

/// The number at the beginning of a text as C's `strtod` reads it, and how many bytes it takes.
fn leading_number(text: &[u8]) -> Option<(f64, usize)> {
    let (negative, sign_len) = match text.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let body = &text[sign_len..];
    let signed = |number: f64| if negative { -number } else { number };
    let begins = |word: &[u8]| {
        body.get(..word.len())
            .is_some_and(|bytes| bytes.eq_ignore_ascii_case(word))
    };
    for (word, number) in [
        (&b"infinity"[..], f64::INFINITY),
        (b"inf", f64::INFINITY),
        (b"nan", f64::NAN),
    ] {
        if begins(word) {
            return Some((signed(number), sign_len + word.len()));
        }
    }
    if begins(b"0x")
        && let Some((number, len)) = hexadecimal(&body[2..])
    {
        return Some((signed(number), sign_len + 2 + len));
    }
    let digits = |from: usize| {
        let rest = body.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = digits(0);
    let mut len = whole;
    let mut has_digits = whole > 0;
    if body.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        if has_digits || fraction > 0 {
            len += 1 + fraction;
            has_digits = true;
        }
    }
    if !has_digits {
        return None;
    }
    if let Some(b'e' | b'E') = body.get(len) {
        let sign = usize::from(matches!(body.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let number = std::str::from_utf8(&body[..len]).ok()?.parse().ok()?;
    Some((signed(number), sign_len + len))
}

/// Hexadecimal digits with a fraction and an exponent of two.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let (mut number, mut len, mut scale, mut has_digits, mut in_fraction) =
        (0.0_f64, 0, 0_i32, false, false);
    while let Some(&byte) = text.get(len) {
        if byte == b'.' && !in_fraction {
            in_fraction = true;
        } else if let Some(digit) = char::from(byte).to_digit(16) {
            number = number * 16.0 + f64::from(digit);
            scale -= if in_fraction { 4 } else { 0 };
            has_digits = true;
        } else {
            break;
        }
        len += 1;
    }
    if !has_digits {
        return None;
    }
    if let Some(b'p' | b'P') = text.get(len) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let rest = text.get(len + 1 + sign..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count > 0 {
            let exponent = std::str::from_utf8(&rest[..count]).ok()?;
            let exponent: i32 = exponent.parse().unwrap_or(i32::MAX / 4).min(i32::MAX / 4);
            let is_negative = text.get(len + 1) == Some(&b'-');
            scale += if is_negative { -exponent } else { exponent };
            len += 1 + sign + count;
        }
    }
    Some((number * 2.0_f64.powi(scale), len))
}
