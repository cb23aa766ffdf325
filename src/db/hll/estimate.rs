//! What registers come to: Otmar Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches"), in the
//! order of operations that Redis has, so that the last digit is the same.

use crate::db::hll::{COUNT_MAX, REGISTERS};

/// 1 / (2 ln 2), to the digits that Redis has.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// From how many registers hold each number.
pub(super) fn estimate(histogram: &[u32; 64]) -> u64 {
    let registers = REGISTERS as f64;
    let times = |count: usize| f64::from(histogram.get(count).copied().unwrap_or(0));
    let last = usize::from(COUNT_MAX);
    let mut sum = registers * tau((registers - times(last)) / registers);
    for count in (1..last).rev() {
        sum = (sum + times(count)) * 0.5;
    }
    sum += registers * sigma(times(0) / registers);
    let estimate = (ALPHA * registers * registers / sum).round();
    // Registers that no hash gives may come to no number; C then makes the least one of it.
    if estimate.is_finite() && estimate < i64::MAX as f64 {
        estimate as u64
    } else {
        i64::MIN as u64
    }
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if before == z {
            return z / 3.0;
        }
    }
}
