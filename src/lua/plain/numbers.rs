//! Numbers from text and back, as Lua has them.
//!
//! Invariant: as C's `strtod` reads them and `%.14g` writes them.

use smallvec::SmallVec;

use crate::lua::arguments::general;
use crate::resp::parse_f64_loosely;

/// Digits of which a whole number may have so many and is written in full.
const PRECISION: usize = 14;

/// The number that text is, up to its first NUL and with blanks around it.
pub(super) fn number_in(text: &[u8]) -> Option<f64> {
    // Fifteen digits are exact.
    if let 1..=15 = text.len()
        && text.iter().all(u8::is_ascii_digit)
    {
        let whole = text
            .iter()
            .fold(0, |whole: u64, digit| whole * 10 + u64::from(digit - b'0'));
        return Some(whole as f64);
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_blank(byte))?;
    let end = text.iter().rposition(|byte| !is_blank(byte))?;
    let text = text.get(start..=end)?;
    no_number(text).or_else(|| parse_f64_loosely(text))
}

/// `nan`, `-nan(x)`.
fn no_number(text: &[u8]) -> Option<f64> {
    let (sign, text) = match text {
        [b'-', text @ ..] => (-1.0, text),
        [b'+', text @ ..] => (1.0, text),
        text => (1.0, text),
    };
    let (word, behind) = text.split_at_checked(3)?;
    let is_fine = match behind {
        [] => true,
        [b'(', inner @ .., b')'] => inner
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
        _ => false,
    };
    (word.eq_ignore_ascii_case(b"nan") && is_fine).then_some(f64::NAN.copysign(sign))
}

/// A number as text.
pub(super) fn text_of(number: f64) -> SmallVec<[u8; 24]> {
    let is_small = number.abs() < 10f64.powi(PRECISION as i32) && number.fract() == 0.0;
    if is_small && number.to_bits() != (-0.0f64).to_bits() {
        return SmallVec::from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
    }
    SmallVec::from_slice(general(number, PRECISION).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlua::{Function, Lua};

    #[test]
    fn text_is_a_number_as_it_is_for_lua() {
        let lua = Lua::new();
        let to_number: Function = lua.load("return tonumber").eval().unwrap();
        let to_text: Function = lua.load("return tostring").eval().unwrap();
        let pieces: [&[u8]; 44] = [
            b"0",
            b"1",
            b"9",
            b"12",
            b"123456789",
            b"00",
            b"x",
            b"X",
            b"0x",
            b"0X",
            b".",
            b"e",
            b"E",
            b"p",
            b"P",
            b"+",
            b"-",
            b" ",
            b"\t",
            b"\n",
            b"\x0b",
            b"\x0c",
            b"\r",
            b"\0",
            b"inf",
            b"INF",
            b"infinity",
            b"nan",
            b"NaN",
            b"(",
            b")",
            b"a",
            b"F",
            b"f",
            b"_",
            b"308",
            b"324",
            b"1074",
            b"99999999999",
            b"4503599627370497",
            b"5",
            b"0.5",
            b"e5",
            b",",
        ];
        let mut state = 1u64;
        let mut below = |count: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % count as u64) as usize
        };
        let mut numbers = 0;
        for _ in 0..300_000 {
            let count = below(7);
            let text: Vec<u8> = (0..count)
                .flat_map(|_| pieces[below(44)].to_vec())
                .collect();
            let wanted: Option<f64> = to_number.call(lua.create_string(&text).unwrap()).unwrap();
            let found = number_in(&text);
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(found.is_some(), wanted.is_some(), "{shown:?}");
            if let (Some(found), Some(wanted)) = (found, wanted) {
                numbers += 1;
                let is_same = found.to_bits() == wanted.to_bits();
                assert!(is_same || found.is_nan() && wanted.is_nan(), "{shown:?}");
                assert_eq!(
                    found.is_sign_negative(),
                    wanted.is_sign_negative(),
                    "{shown:?}"
                );
            }
        }
        assert!(numbers > 20_000, "{numbers}");
        for _ in 0..300_000 {
            let bits =
                (below(1 << 31) as u64) << 33 ^ (below(1 << 31) as u64) << 11 ^ below(2048) as u64;
            let whole = (bits >> below(64)) as i64 as f64;
            let tenth = (below(1 << 30) as f64 - 1e8) / 10f64.powi(below(9) as i32);
            for number in [f64::from_bits(bits), whole, -whole, tenth, whole / 8.0] {
                let wanted: mlua::LuaString = to_text.call(number).unwrap();
                let found = text_of(number);
                assert_eq!(&*found, &*wanted.as_bytes(), "{number:?}");
            }
        }
        for number in [
            0.0,
            -0.0,
            f64::INFINITY,
            -f64::INFINITY,
            1e14,
            1e15,
            99_999_999_999_999.0,
        ] {
            let wanted: mlua::LuaString = to_text.call(number).unwrap();
            assert_eq!(&*text_of(number), &*wanted.as_bytes(), "{number:?}");
        }
    }
}
