//! Spells a double as Redis 7.0 does in replies: C's `%.17g`, with `inf`, `-inf` and `nan`.
//!
//! Invariant: 17 significant digits, so that every finite double reads back to the same bits.

use std::io::Write as _;

/// `%g` writes an exponent from here on.
const PRECISION: i32 = 17;

/// Appends `value` as `%.17g` prints it (`0.10000000000000001`, `1e+17`, `3`).
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
        return;
    }
    if value.trunc() == value && value.abs() < 1e17 && (value != 0.0 || value.is_sign_positive()) {
        // Scores are mostly whole numbers; below 1e17 `%.17g` prints all their digits.
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
        return;
    }
    // `d.dddddddddddddddde[-]x`: correctly rounded digits from the standard library.
    let mut scientific = [0u8; 32];
    let mut rest = &mut scientific[..];
    let written = write!(rest, "{:.16e}", value.abs());
    debug_assert!(written.is_ok(), "1 + 1 + 16 + 1 + 4 bytes fit");
    let unused = rest.len();
    let text = &scientific[..scientific.len() - unused];
    let mark = text.iter().position(|byte| *byte == b'e');
    let (digits, exponent) = text.split_at(mark.unwrap_or(text.len()));
    let exponent: i32 = std::str::from_utf8(exponent.get(1..).unwrap_or_default())
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut significant = [b'0'; PRECISION as usize];
    for (place, digit) in significant
        .iter_mut()
        .zip(digits.iter().filter(|byte| **byte != b'.'))
    {
        *place = *digit;
    }
    let count = significant
        .iter()
        .rposition(|digit| *digit != b'0')
        .map_or(1, |last| last + 1);
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if (-4..PRECISION).contains(&exponent) {
        write_fixed(out, &significant, count, exponent);
    } else {
        write_scientific(out, &significant[..count], exponent);
    }
}

fn write_fixed(out: &mut Vec<u8>, digits: &[u8], count: usize, exponent: i32) {
    let Ok(last_whole) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-1 - exponent) as usize, b'0');
        out.extend_from_slice(&digits[..count]);
        return;
    };
    let whole = last_whole + 1;
    out.extend_from_slice(&digits[..whole]);
    if count > whole {
        out.push(b'.');
        out.extend_from_slice(&digits[whole..count]);
    }
}

fn write_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let magnitude = exponent.unsigned_abs();
    if magnitude < 10 {
        out.push(b'0');
    }
    out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(value: f64) -> String {
        let mut out = Vec::new();
        write_double(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    // Expected texts come from ZSCORE of redis-server 7.0.15.
    #[test]
    fn doubles_look_as_in_redis_seven() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (0.3, "0.29999999999999999"),
            (1.0, "1"),
            (-3.0, "-3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (2.71829, "2.7182900000000001"),
            (12345678.9, "12345678.9"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (-1e17, "-1e+17"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (1e100, "1e+100"),
            (1e300, "1.0000000000000001e+300"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (0.00001234, "1.234e-05"),
            (-0.0005, "-0.00050000000000000001"),
            (5e-324, "4.9406564584124654e-324"),
            (2.2250738585072014e-308, "2.2250738585072014e-308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(spelled(value), text);
        }
    }

    proptest! {
        #[test]
        fn every_finite_double_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = spelled(value);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
        }
    }
}
