//! The x87 extended float in which Redis computes INCRBYFLOAT and HINCRBYFLOAT, in software.
//!
//! A value is `mantissa * 2^exponent` with a 64 bit mantissa. Invariants: the mantissa's top bit
//! is set unless the exponent is the smallest one (subnormal or zero); every operation rounds its
//! exact result once, to nearest, ties to even. So all nodes compute the same bits, which are
//! those of Redis on x86. Printing is C's `%.17Lf` with the trailing zeros removed.

use num_bigint::BigUint;
use smallvec::SmallVec;

use super::float_text::{self, Binary, Digits, FloatText};

/// Exponent of the smallest subnormal.
const MIN_EXPONENT: i64 = -16_445;
/// Exponent of the largest finite value.
const MAX_EXPONENT: i64 = 16_320;
/// Marks infinity (mantissa `INFINITY_MANTISSA`) and NaN (any other).
const SPECIAL_EXPONENT: i64 = MAX_EXPONENT + 1;
const INFINITY_MANTISSA: u64 = 1 << 63;
const NAN_MANTISSA: u64 = 3 << 62;
/// Longest text that Redis reads as a long double, in bytes.
const MAX_TEXT_LEN: usize = 5 * 1024 - 1;
/// A decimal `0.d...e<n>` with n above the first overflows, below the second rounds to zero.
const MAX_MAGNITUDE: i64 = 4_933;
const MIN_MAGNITUDE: i64 = -4_951;
/// 10^27 is the largest power of ten whose odd part fits 64 bits.
const MAX_EXACT_POWER: u64 = 27;
/// 10^17 and its digits behind the point: what `%.17Lf` prints.
const FRACTION_DIGITS: usize = 17;
const FRACTION_SCALE: u128 = 10u128.pow(FRACTION_DIGITS as u32);

/// An 80 bit extended float. Equality is that of the bits: NaN equals itself, -0 is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    exponent: i32,
    mantissa: u64,
}

impl LongDouble {
    /// Positive zero: the value of a missing key.
    pub const ZERO: Self = Self::from_parts(false, MIN_EXPONENT, 0);

    const fn from_parts(negative: bool, exponent: i64, mantissa: u64) -> Self {
        Self {
            negative,
            exponent: exponent as i32,
            mantissa,
        }
    }

    const fn infinity(negative: bool) -> Self {
        Self::from_parts(negative, SPECIAL_EXPONENT, INFINITY_MANTISSA)
    }

    const fn nan() -> Self {
        Self::from_parts(false, SPECIAL_EXPONENT, NAN_MANTISSA)
    }

    fn rounded(negative: bool, binary: Binary) -> Self {
        match binary.round(64, MIN_EXPONENT, MAX_EXPONENT) {
            Some((mantissa, exponent)) => Self::from_parts(negative, exponent, mantissa),
            None => Self::infinity(negative),
        }
    }

    /// Reads `text` as Redis reads the number of an INCRBYFLOAT: C's `strtold` on the whole text,
    /// no blanks, no NaN, at most 5119 bytes, nothing that overflows or vanishes. Infinity is
    /// read; it is the sum that is refused. `None` means "value is not a valid float".
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_TEXT_LEN {
            return None;
        }
        let (value, is_zero) = match float_text::scan(text)? {
            FloatText::Infinity { negative } => return Some(Self::infinity(negative)),
            FloatText::Decimal(digits) => (Self::from_decimal(&digits), digits.is_zero()),
            FloatText::Hexadecimal(digits) => (
                Self::rounded(digits.negative, digits.to_binary()),
                digits.is_zero(),
            ),
        };
        (value.is_finite() && value.is_zero() == is_zero).then_some(value)
    }

    fn from_decimal(digits: &Digits<'_>) -> Self {
        let mut significant: SmallVec<[u8; 32]> =
            digits.all().skip_while(|digit| *digit == b'0').collect();
        let mut power = digits.exponent - digits.fraction.len() as i64;
        while significant.last() == Some(&b'0') {
            significant.pop();
            power += 1;
        }
        let magnitude = significant.len() as i64 + power;
        let binary = if significant.is_empty() || magnitude < MIN_MAGNITUDE {
            return Self::from_parts(digits.negative, MIN_EXPONENT, 0);
        } else if magnitude > MAX_MAGNITUDE {
            return Self::infinity(digits.negative);
        } else if significant.len() <= 19 && power.unsigned_abs() <= MAX_EXACT_POWER {
            let value = significant
                .iter()
                .fold(0, |value, digit| value * 10 + u128::from(digit - b'0'));
            scale_small(value, power)
        } else {
            scale_large(&significant, power)
        };
        Self::rounded(digits.negative, binary)
    }

    /// The exact value of an integer.
    pub fn from_i64(value: i64) -> Self {
        let binary = Binary {
            mantissa: u128::from(value.unsigned_abs()),
            exponent: 0,
            inexact: false,
        };
        Self::rounded(value < 0, binary)
    }

    /// Whether this is neither an infinity nor NaN ("increment would produce NaN or Infinity").
    pub const fn is_finite(self) -> bool {
        self.exponent as i64 != SPECIAL_EXPONENT
    }

    const fn is_nan(self) -> bool {
        !self.is_finite() && self.mantissa != INFINITY_MANTISSA
    }

    /// Whether this is 0 or -0.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The sum, rounded once.
    #[allow(clippy::should_implement_trait)] // a method says that it may overflow to infinity
    pub fn add(self, other: Self) -> Self {
        if !self.is_finite() || !other.is_finite() {
            return self.add_special(other);
        }
        match (self.is_zero(), other.is_zero()) {
            (true, true) => {
                let negative = self.negative && other.negative;
                return Self::from_parts(negative, MIN_EXPONENT, 0);
            }
            (true, false) => return other,
            (false, true) => return self,
            (false, false) => {}
        }
        let (large, small) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        // Two bits stay free above (the carry), 62 below (more than rounding needs).
        let wide = u128::from(large.mantissa) << 62;
        let aligned = u128::from(small.mantissa) << 62;
        let distance = (large.exponent - small.exponent) as u32;
        let narrow = aligned.checked_shr(distance).unwrap_or(0);
        let inexact = distance > 126 || aligned.trailing_zeros() < distance;
        let mantissa = if large.negative == small.negative {
            wide + narrow
        } else {
            // What was shifted out is borrowed as a whole unit and given back as `inexact`.
            wide - narrow - u128::from(inexact)
        };
        if mantissa == 0 && !inexact {
            return Self::ZERO;
        }
        Self::rounded(
            large.negative,
            Binary {
                mantissa,
                exponent: i64::from(large.exponent) - 62,
                inexact,
            },
        )
    }

    fn add_special(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::nan();
        }
        match (self.is_finite(), other.is_finite()) {
            (false, false) if self.negative != other.negative => Self::nan(),
            (true, _) => other,
            _ => self,
        }
    }

    /// The value with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self {
            negative: !self.negative,
            ..self
        }
    }

    /// The text that INCRBYFLOAT stores and replies: `%.17Lf` without trailing zeros, never `-0`.
    pub fn to_human_string(self) -> String {
        if !self.is_finite() {
            let text = match (self.is_nan(), self.negative) {
                (true, _) => "nan",
                (false, false) => "inf",
                (false, true) => "-inf",
            };
            return text.to_owned();
        }
        let (whole, fraction) = self.to_fixed_point();
        let mut text = String::with_capacity(whole.len() + FRACTION_DIGITS + 2);
        // `%.17Lf` of a tiny negative is -0.000...: Redis keeps only the bare "-0" from showing.
        if self.negative && (whole != "0" || fraction != 0) {
            text.push('-');
        }
        text.push_str(&whole);
        if fraction != 0 {
            let digits = format!("{fraction:0FRACTION_DIGITS$}");
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        text
    }

    /// Digits before the point, and the 17 behind it as a number; rounded half to even.
    fn to_fixed_point(self) -> (String, u128) {
        let mantissa = u128::from(self.mantissa);
        if let Ok(shift) = u32::try_from(self.exponent) {
            let whole = if shift <= 64 {
                (mantissa << shift).to_string()
            } else {
                (BigUint::from(self.mantissa) << shift).to_string()
            };
            return (whole, 0);
        }
        // 64 bits times 10^17 stay below 2^121, so beyond 2^-122 nothing is left.
        let shift = self.exponent.unsigned_abs();
        if shift > 122 {
            return ("0".to_owned(), 0);
        }
        let scaled = mantissa * FRACTION_SCALE;
        let half = 1u128 << (shift - 1);
        let rest = scaled & ((half << 1) - 1);
        let kept = scaled >> shift;
        let up = rest > half || (rest == half && kept & 1 == 1);
        let kept = kept + u128::from(up);
        ((kept / FRACTION_SCALE).to_string(), kept % FRACTION_SCALE)
    }
}

impl From<i64> for LongDouble {
    fn from(value: i64) -> Self {
        Self::from_i64(value)
    }
}

/// `value * 10^power` for a value of 64 bits and a power whose odd part fits 64 bits too.
fn scale_small(value: u128, power: i64) -> Binary {
    let odd = 5u128.pow(power.unsigned_abs() as u32);
    if power >= 0 {
        return Binary {
            mantissa: value * odd,
            exponent: power,
            inexact: false,
        };
    }
    // 128 bits divided by at most 63 leave 65 or more: enough to round to 64.
    let shift = value.leading_zeros();
    let numerator = value << shift;
    Binary {
        mantissa: numerator / odd,
        exponent: power - i64::from(shift),
        inexact: !numerator.is_multiple_of(odd),
    }
}

/// Any other `digits * 10^power`, in integers as large as it takes (at most about 4 KB).
fn scale_large(digits: &[u8], power: i64) -> Binary {
    let value = BigUint::parse_bytes(digits, 10).unwrap_or_default();
    let scale = BigUint::from(10u8).pow(power.unsigned_abs() as u32);
    if power >= 0 {
        return leading_bits(&(value * scale), 0, false);
    }
    let shift = (scale.bits() + 67).saturating_sub(value.bits());
    let numerator = value << shift;
    let quotient = &numerator / &scale;
    let inexact = &quotient * &scale != numerator;
    leading_bits(&quotient, -(shift as i64), inexact)
}

/// The top 128 bits of `value * 2^exponent`.
fn leading_bits(value: &BigUint, exponent: i64, inexact: bool) -> Binary {
    let dropped = value.bits().saturating_sub(128);
    let lost = value.trailing_zeros().is_some_and(|zeros| zeros < dropped);
    let top = value >> dropped;
    let mantissa = top
        .iter_u64_digits()
        .rev()
        .fold(0u128, |mantissa, limb| mantissa << 64 | u128::from(limb));
    Binary {
        mantissa,
        exponent: exponent + dropped as i64,
        inexact: inexact || lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_and_the_slow_way_from_decimal_agree(
            value in 1u64..10_000_000_000_000_000_000,
            power in -27i64..=27,
        ) {
            let fast = scale_small(u128::from(value), power);
            let slow = scale_large(value.to_string().as_bytes(), power);
            prop_assert_eq!(
                LongDouble::rounded(false, fast),
                LongDouble::rounded(false, slow)
            );
        }
    }
}
