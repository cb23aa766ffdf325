//! The grammar of C's `strtod` and `strtold` over a whole text, and correct binary rounding.
//!
//! Invariant: scanning allocates nothing and computes nothing but the exponent, which saturates;
//! whoever wants a value rounds exactly once, to nearest, ties to even.

/// Exponents are clamped to this; far beyond what any text short enough to exist can outweigh.
const MAX_WRITTEN_EXPONENT: i64 = 1 << 48;

/// A text that spells a number. NaN is refused everywhere in Redis, so it is not among them.
#[derive(Clone, Copy, Debug)]
pub(super) enum FloatText<'a> {
    /// `inf` or `infinity` in any case.
    Infinity { negative: bool },
    /// `12.5e-3`: digits are decimal, the exponent counts tens.
    Decimal(Digits<'a>),
    /// `0x1.8p3`: digits are hexadecimal, the exponent counts twos.
    Hexadecimal(Digits<'a>),
}

/// Sign, digits before and behind the point, and the written exponent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits<'a> {
    pub negative: bool,
    pub integer: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: i64,
}

impl<'a> Digits<'a> {
    /// All digits in order, point left out.
    pub fn all(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.integer.iter().chain(self.fraction).copied()
    }

    /// Whether every digit is 0, whatever the exponent.
    pub fn is_zero(&self) -> bool {
        self.all().all(|digit| digit == b'0')
    }

    /// Hexadecimal digits as `mantissa * 2^exponent`; the flag tells that lower bits were lost,
    /// which happens only when the mantissa is full.
    pub fn to_binary(self) -> Binary {
        let mut mantissa: u128 = 0;
        let mut exponent = self.exponent - 4 * self.fraction.len() as i64;
        let mut inexact = false;
        for digit in self.all() {
            let value = (digit as char).to_digit(16).unwrap_or(0);
            if mantissa >> 124 == 0 {
                mantissa = mantissa << 4 | u128::from(value);
            } else {
                inexact |= value != 0;
                exponent += 4;
            }
        }
        Binary {
            mantissa,
            exponent,
            inexact,
        }
    }

    /// The nearest double to hexadecimal digits; infinite on overflow.
    pub fn to_f64(self) -> f64 {
        let magnitude = match self.to_binary().round(53, -1074, 971) {
            None => f64::INFINITY,
            // Below 2^52 the exponent is the smallest: subnormal, biased exponent 0.
            Some((mantissa, _)) if mantissa >> 52 == 0 => f64::from_bits(mantissa),
            Some((mantissa, exponent)) => {
                let biased = (exponent + 1075) as u64;
                f64::from_bits(biased << 52 | (mantissa & ((1 << 52) - 1)))
            }
        };
        if self.negative { -magnitude } else { magnitude }
    }
}

/// A positive number `mantissa * 2^exponent`, plus a bit less than one unit of the mantissa if
/// `inexact`. If inexact, the mantissa must have more bits than it is rounded to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binary {
    pub mantissa: u128,
    pub exponent: i64,
    pub inexact: bool,
}

impl Binary {
    /// Rounds to nearest, ties to even, with at most `precision` (64 or less) bits and an exponent
    /// of at least `min_exponent`. `None` if the exponent passes `max_exponent`.
    pub fn round(self, precision: i64, min_exponent: i64, max_exponent: i64) -> Option<(u64, i64)> {
        if self.mantissa == 0 {
            return Some((0, min_exponent));
        }
        let bits = 128 - i64::from(self.mantissa.leading_zeros());
        let mut dropped = (bits - precision).max(min_exponent - self.exponent);
        if dropped > 128 {
            return Some((0, min_exponent));
        }
        let mut kept = if dropped <= 0 {
            self.mantissa << -dropped
        } else {
            let half = 1u128 << (dropped - 1);
            let kept = self.mantissa.checked_shr(dropped as u32).unwrap_or(0);
            let above_half = self.mantissa & half != 0
                && (self.mantissa & (half - 1) != 0 || self.inexact || kept & 1 == 1);
            kept + u128::from(above_half)
        };
        if kept >> precision != 0 {
            kept >>= 1;
            dropped += 1;
        }
        let exponent = self.exponent + dropped;
        (exponent <= max_exponent).then_some((kept as u64, exponent))
    }
}

/// Reads the whole of `text` as a number.
pub(super) fn scan(text: &[u8]) -> Option<FloatText<'_>> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        let digits = scan_digits(rest, negative, u8::is_ascii_hexdigit, b'p')?;
        return Some(FloatText::Hexadecimal(digits));
    }
    if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        return Some(FloatText::Infinity { negative });
    }
    scan_digits(text, negative, u8::is_ascii_digit, b'e').map(FloatText::Decimal)
}

fn scan_digits(
    text: &[u8],
    negative: bool,
    is_digit: fn(&u8) -> bool,
    exponent_mark: u8,
) -> Option<Digits<'_>> {
    let (integer, mut rest) = split_digits(text, is_digit);
    let mut fraction: &[u8] = &[];
    if let [b'.', behind @ ..] = rest {
        (fraction, rest) = split_digits(behind, is_digit);
    }
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [mark, written @ ..] if mark.to_ascii_lowercase() == exponent_mark => {
            scan_exponent(written)?
        }
        _ => return None,
    };
    Some(Digits {
        negative,
        integer,
        fraction,
        exponent,
    })
}

fn split_digits(text: &[u8], is_digit: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !is_digit(byte))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i64::from(digit - b'0')).min(MAX_WRITTEN_EXPONENT);
    }
    Some(if negative { -value } else { value })
}
