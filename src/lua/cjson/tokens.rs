//! JSON in pieces.

/// A piece.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
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
    /// As errors name it.
    pub const fn name(&self) -> &'static str {
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

/// A text that is read.
pub struct Text<'a> {
    text: &'a [u8],
    /// Numbers that JSON has not are taken.
    takes_invalid: bool,
    /// How far it has been read.
    pub at: usize,
    /// Where the present token begins.
    pub start: usize,
}

impl<'a> Text<'a> {
    /// The beginning of a text.
    pub const fn new(text: &'a [u8], takes_invalid: bool) -> Self {
        Self {
            text,
            takes_invalid,
            at: 0,
            start: 0,
        }
    }

    /// The next one.
    pub fn next(&mut self) -> Token {
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
                if !self.takes_invalid && is_invalid_number(rest) {
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
        if may_be_number && self.takes_invalid && is_invalid_number(rest) {
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
                    let plain = match self.text.get(self.at).copied() {
                        Some(escape @ (b'"' | b'\\' | b'/')) => escape,
                        Some(b'b') => 8,
                        Some(b't') => b'\t',
                        Some(b'n') => b'\n',
                        Some(b'f') => 12,
                        Some(b'r') => b'\r',
                        Some(b'u') => {
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
