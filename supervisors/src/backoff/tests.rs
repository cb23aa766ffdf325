//! Properties of the delays, over all policies that can be made.

use super::{Attempts, Backoff, BackoffError};
use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};
use std::time::Duration;

fn any_backoff(jitter_percent: impl Strategy<Value = u8>) -> impl Strategy<Value = Backoff> {
    let longest = u64::try_from(Backoff::LONGEST.as_nanos()).unwrap();
    (1..=longest, 1..=longest, jitter_percent).prop_map(|(one, other, percent)| {
        let (initial, max) = (one.min(other), one.max(other));
        Backoff::new(Duration::from_nanos(initial), Duration::from_nanos(max))
            .unwrap()
            .with_jitter_percent(percent)
            .unwrap()
    })
}

/// The delays of `count` failures in a row that follow one another without a long life.
fn delays(backoff: &Backoff, seed: u64, count: usize) -> Vec<Duration> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut attempts = Attempts::default();
    (0..count)
        .map(|_| attempts.next_delay(backoff, Duration::ZERO, &mut random))
        .collect()
}

proptest! {
    #[test]
    fn a_delay_lies_between_its_jittered_floor_and_its_base(
        backoff in any_backoff(0..=100_u8), failures: u32, seed: u64,
    ) {
        let base = backoff.base(failures);
        let delay = backoff.delay(failures, &mut StdRng::seed_from_u64(seed));
        let floor = base - base * u32::from(backoff.jitter_percent) / 100;
        prop_assert!(base >= backoff.initial && base <= backoff.max);
        prop_assert!(delay <= base);
        prop_assert!(delay >= floor, "{delay:?} < {floor:?}");
    }

    #[test]
    fn bases_never_shrink_and_double_until_the_maximum(
        backoff in any_backoff(Just(0)), failures in 0..80_u32,
    ) {
        let (now, next) = (backoff.base(failures), backoff.base(failures + 1));
        prop_assert!(next >= now);
        prop_assert!(next == backoff.max || next == now * 2);
    }

    #[test]
    fn with_at_most_half_random_delays_never_shrink_before_the_maximum(
        backoff in any_backoff(0..=50_u8), seed: u64,
    ) {
        let uncapped = (0..40).take_while(|&n| backoff.base(n) < backoff.max).count();
        prop_assert!(delays(&backoff, seed, uncapped).is_sorted());
    }

    #[test]
    fn one_seed_gives_one_sequence_of_delays(backoff in any_backoff(0..=100_u8), seed: u64) {
        prop_assert_eq!(delays(&backoff, seed, 12), delays(&backoff, seed, 12));
    }

    #[test]
    fn a_long_life_starts_the_delays_anew(
        backoff in any_backoff(Just(0)), failures in 0..20_usize, reset_after_ms in 1..100_000_u64,
    ) {
        let reset_after = Duration::from_millis(reset_after_ms);
        let backoff = backoff.with_reset_after(reset_after);
        let mut random = StdRng::seed_from_u64(0);
        let mut attempts = Attempts::default();
        for failure in 0..failures {
            let short_life = reset_after - Duration::from_nanos(1);
            let delay = attempts.next_delay(&backoff, short_life, &mut random);
            prop_assert_eq!(delay, backoff.base(u32::try_from(failure).unwrap()));
        }
        prop_assert_eq!(attempts.next_delay(&backoff, reset_after, &mut random), backoff.initial);
        prop_assert_eq!(attempts.failures(), 1);
    }
}

#[test]
fn the_default_goes_from_100_ms_to_30_s() {
    let bases = (0..11).map(|failures| Backoff::DEFAULT.base(failures).as_millis());
    let expected = [
        100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ];
    assert!(bases.eq(expected));
}

#[test]
fn different_seeds_spread_the_delays() {
    let all: std::collections::HashSet<_> = (0..32)
        .map(|seed| delays(&Backoff::DEFAULT, seed, 1))
        .collect();
    assert!(all.len() > 16, "{} different delays of 32", all.len());
}

#[test]
fn impossible_policies_are_refused() {
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(2));
    let too_long = Backoff::LONGEST + short;
    assert_eq!(
        Backoff::new(Duration::ZERO, long),
        Err(BackoffError::ZeroInitial)
    );
    assert_eq!(
        Backoff::new(long, short),
        Err(BackoffError::MaxBelowInitial {
            initial: long,
            max: short
        })
    );
    assert_eq!(
        Backoff::new(short, too_long),
        Err(BackoffError::MaxTooLong { max: too_long })
    );
    assert_eq!(
        Backoff::DEFAULT.with_jitter_percent(101),
        Err(BackoffError::JitterAboveWhole { percent: 101 })
    );
}
