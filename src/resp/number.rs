//! Redis's number grammar: which texts are integers and which are doubles.
//!
//! Integers are canonical only: no plus, no blanks, no leading zero, no `-0`; so a text that
//! parses prints back to itself. Doubles follow C's `strtod` on the whole text (hexadecimal and
//! `inf` included) without blanks, without NaN, and without a value that over- or underflows.

use super::float_text::{self, FloatText};

/// The value of a canonical signed integer, or `None`.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => match parse_u64(digits)? {
            0 => None,
            magnitude => 0i64.checked_sub_unsigned(magnitude),
        },
        digits => i64::try_from(parse_u64(digits)?).ok(),
    }
}

/// The value of a canonical unsigned integer, or `None`.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    let (&first, rest) = text.split_first()?;
    let mut value = match first {
        b'0' if rest.is_empty() => return Some(0),
        b'1'..=b'9' => u64::from(first - b'0'),
        _ => return None,
    };
    // 19 digits always fit.
    let (safe, last) = rest.split_at(rest.len().min(18));
    for byte in safe {
        value = value * 10 + u64::from(digit(*byte)?);
    }
    for byte in last {
        value = value
            .checked_mul(10)?
            .checked_add(u64::from(digit(*byte)?))?;
    }
    Some(value)
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(digit)
}

/// The double that `text` spells, or `None` ("value is not a valid float").
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    match float_text::scan(text)? {
        FloatText::Infinity { negative: false } => Some(f64::INFINITY),
        FloatText::Infinity { negative: true } => Some(f64::NEG_INFINITY),
        FloatText::Decimal(decimal) => {
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            (value.is_finite() && (value != 0.0 || decimal.is_zero())).then_some(value)
        }
        FloatText::Hexadecimal(hexadecimal) => {
            let value = hexadecimal.to_f64();
            (value.is_finite() && (value != 0.0 || hexadecimal.is_zero())).then_some(value)
        }
    }
}

/// The double that C's `strtod` makes of `text` up to its first NUL, if it takes all of that and it is no NaN: the ends of ranges
/// of scores. Blanks may stand before it, too large is infinite, too small is 0, and nothing at all is 0, too.
pub fn parse_f64_loosely(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let first = text.iter().position(|byte| !is_blank(byte))?;
    let text = text.get(first..)?;
    match float_text::scan(text)? {
        FloatText::Infinity { negative: false } => Some(f64::INFINITY),
        FloatText::Infinity { negative: true } => Some(f64::NEG_INFINITY),
        FloatText::Decimal(_) => std::str::from_utf8(text).ok()?.parse().ok(),
        FloatText::Hexadecimal(hexadecimal) => Some(hexadecimal.to_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_integers_are_integers() {
        for (text, value) in [
            ("0", 0),
            ("7", 7),
            ("-1", -1),
            ("1000000000000000000", 1_000_000_000_000_000_000),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), Some(value), "{text}");
        }
        for text in [
            "",
            "-",
            "+1",
            "-0",
            "00",
            "01",
            "-01",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "1\0",
            "--1",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999999999",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"-1"), None);
    }

    // Texts and outcomes as ZADD of redis-server 7.0.15 answers them.
    #[test]
    fn doubles_follow_strtod_on_the_whole_text() {
        for (text, value) in [
            ("5.", 5.0),
            (".5", 0.5),
            ("+5", 5.0),
            ("-.5e-3", -0.0005),
            ("1E5", 1e5),
            ("0x10", 16.0),
            ("0X1.8p3", 12.0),
            ("0x.8", 0.5),
            ("0x1p-1074", 5e-324),
            ("0x1.8p-1075", 5e-324),
            ("5e-324", 5e-324),
            ("0e99999999999999999999", 0.0),
            ("9007199254740993", 9007199254740992.0),
            ("0x8000000000000401", 9223372036854777856.0),
            ("inf", f64::INFINITY),
            ("+INFINITY", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1e",
            "1e+",
            " 1",
            "1 ",
            "\t1",
            "1\n",
            "1_0",
            "1,5",
            "nan",
            "-nan",
            "nan(12)",
            "infinit",
            "0x",
            "0x.",
            "0x1p",
            "0xp3",
            "++5",
            "1a",
            "1\x001",
            "1e0x1",
            "1e309",
            "-1e309",
            "1e-5000",
            "0x1p1024",
            "0x1p-1075",
            "1e999999999999999999999",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
    }

    // Texts and outcomes as ZCOUNT of redis-server 7.0.15 takes them.
    #[test]
    fn ends_of_ranges_are_read_loosely() {
        for (text, value) in [
            ("", 0.0),
            ("\0x", 0.0),
            ("5", 5.0),
            (" \t\r\n\x0b\x0c5", 5.0),
            ("5\0x", 5.0),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("0x1p9999", f64::INFINITY),
            ("1e-5000", 0.0),
            ("+inf", f64::INFINITY),
            ("-INFINITY", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_f64_loosely(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in [" ", "5 ", "nan", "x", "-", "1e", "(5", " \0"] {
            assert_eq!(parse_f64_loosely(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn integers_print_back_to_what_was_parsed(value: i64) {
            prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn a_text_that_parses_is_canonical(text in "[-+0-9 ]{0,22}") {
            if let Some(value) = parse_i64(text.as_bytes()) {
                prop_assert_eq!(value.to_string(), text);
            }
        }

        #[test]
        fn doubles_survive_decimal_and_hexadecimal_spelling(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(parse_f64(format!("{value:e}").as_bytes()).map(f64::to_bits), Some(value.to_bits()));
            let bits = value.abs().to_bits();
            let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
            let spelled = if exponent == 0 {
                format!("{}0x0.{fraction:013x}p-1022", if value.is_sign_negative() { "-" } else { "" })
            } else {
                format!("{}0x1.{fraction:013x}p{}", if value.is_sign_negative() { "-" } else { "+" }, exponent - 1023)
            };
            prop_assert_eq!(parse_f64(spelled.as_bytes()).map(f64::to_bits), Some(value.to_bits()));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (parse_i64(&text), parse_u64(&text), parse_f64(&text));
            let _ = parse_f64_loosely(&text);
        }
    }
}
