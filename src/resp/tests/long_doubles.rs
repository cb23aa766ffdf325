//! The 80 bit float: sums as redis-server 7.0.15 answered them, limits, and algebra.

use proptest::prelude::*;

use crate::resp::LongDouble;

/// Lines `value increment reply` of INCRBYFLOAT. `invalid` and `overflow` stand for the two
/// errors; long replies are given as `first...last(length)`.
const GOLDEN: &str = include_str!("incrbyfloat.txt");

fn parse(text: &str) -> Option<LongDouble> {
    LongDouble::parse(text.as_bytes())
}

fn increment(value: &str, by: &str) -> String {
    let (Some(value), Some(by)) = (parse(value), parse(by)) else {
        return "invalid".to_owned();
    };
    let sum = value.add(by);
    if sum.is_finite() {
        sum.to_human_string()
    } else {
        "overflow".to_owned()
    }
}

#[test]
fn sums_are_those_of_redis() {
    let mut count = 0;
    for line in GOLDEN.lines() {
        let mut words = line.split(' ');
        let (value, by, reply) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap(),
        );
        let sum = increment(value, by);
        if let Some((first, rest)) = reply.split_once("...") {
            let (last, length) = rest.trim_end_matches(')').split_once('(').unwrap();
            assert!(sum.starts_with(first) && sum.ends_with(last), "{line}");
            assert_eq!(sum.len().to_string(), length, "{line}");
        } else {
            assert_eq!(sum, reply, "{line}");
        }
        count += 1;
    }
    assert!(count >= 60);
}

#[test]
fn texts_have_the_length_limit_of_redis() {
    assert!(parse(&"0".repeat(5119)).is_some());
    assert_eq!(parse(&"0".repeat(5120)), None);
    assert_eq!(
        increment(&format!("0.{}1e5001", "0".repeat(5000)), "0"),
        "1",
        "the exponent makes up for the zeros"
    );
}

#[test]
fn blanks_and_trailing_bytes_are_refused() {
    for text in [
        "", " 1", "1 ", "\t1", "1\n", "1\x001", "1a", "--1", "infinit",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn infinities_are_read_and_their_sums_are_not_finite() {
    let infinity = parse("inf").unwrap();
    let one = LongDouble::from(1);
    assert!(!infinity.is_finite());
    assert_eq!(infinity.to_human_string(), "inf");
    assert_eq!(one.add(infinity.negated()).to_human_string(), "-inf");
    assert_eq!(infinity.add(infinity), infinity);
    let nan = infinity.add(infinity.negated());
    assert_eq!(nan.to_human_string(), "nan");
    assert_eq!(one.add(nan), nan);
}

#[test]
fn integers_are_exact() {
    for value in [0, 1, -1, i64::MAX, i64::MIN, 1 << 53] {
        let exact = LongDouble::from(value);
        assert_eq!(exact.to_human_string(), value.to_string());
        assert_eq!(parse(&value.to_string()), Some(exact));
    }
    assert_eq!(LongDouble::from(0), LongDouble::ZERO);
    assert!(LongDouble::ZERO.negated().is_zero());
}

/// Decimals of all sizes: short ones take the fast way to binary, long ones the slow.
fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,19}",
        "-?[0-9]{1,12}\\.[0-9]{1,17}",
        "-?[0-9]{1,40}\\.[0-9]{0,40}",
        "-?[0-9]{1,5}\\.[0-9]{0,30}e-?[0-9]{1,3}",
        "-?[1-9]e-?4[0-8][0-9]{2}",
    ]
}

proptest! {
    #[test]
    fn addition_commutes(left in decimal(), right in decimal()) {
        let (left, right) = (parse(&left).unwrap(), parse(&right).unwrap());
        prop_assert_eq!(left.add(right), right.add(left));
    }

    #[test]
    fn a_value_minus_itself_is_nothing(value in decimal()) {
        let value = parse(&value).unwrap();
        prop_assert_eq!(value.add(value.negated()), LongDouble::ZERO);
        prop_assert_eq!(value.add(LongDouble::ZERO).to_human_string(), value.to_human_string());
    }

    #[test]
    fn small_integer_sums_are_exact(left in -(1i64 << 61)..1 << 61, right in -(1i64 << 61)..1 << 61) {
        let sum = LongDouble::from(left).add(LongDouble::from(right));
        prop_assert_eq!(sum, LongDouble::from(left + right));
    }

    #[test]
    fn hexadecimal_and_decimal_spelling_agree(value: u64, power in -60i32..60) {
        let hexadecimal = parse(&format!("0x{value:x}p{power}")).unwrap();
        // A power of two in decimal is exact with enough digits.
        let decimal = if power >= 0 {
            (num_bigint::BigUint::from(value) << power as u32).to_string()
        } else {
            let scaled = num_bigint::BigUint::from(value) * num_bigint::BigUint::from(5u8).pow(power.unsigned_abs());
            format!("{scaled}e{power}")
        };
        prop_assert_eq!(parse(&decimal), Some(hexadecimal));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = LongDouble::parse(&text).map(LongDouble::to_human_string);
    }
}
