//! A copy is a sorted set of its own: it counts its own memory, and what is done to one is not done to the other.

use super::*;

#[test]
fn a_copy_counts_its_own_memory_and_goes_its_own_way() {
    let hasher = hasher();
    for count in [0_u16, 1, 9, 100, 3_000, 30_000] {
        let (mut ordered, mut random) = (Ordered::default(), numbers(u64::from(count)));
        let mut scored = |ordered: &mut Ordered, numbers: std::ops::Range<u16>| {
            for number in numbers {
                // Some members lie apart.
                let score = (random() % 500) as f64;
                ordered.insert(&hasher, &member(number), score);
            }
        };
        scored(&mut ordered, 0..count);
        for number in (0..count).step_by(3) {
            ordered.remove(&hasher, &member(number));
        }
        let before = (
            owned(&ordered.iter().collect::<Vec<_>>()),
            ordered.len_bytes(),
        );
        let mut copy = ordered.clone();
        copy.check(&hasher);
        assert_eq!(owned(&copy.iter().collect::<Vec<_>>()), before.0);
        assert!(copy.len_bytes() <= before.1);
        scored(&mut copy, count / 2..count + 2_000);
        copy.check(&hasher);
        for number in (0..count + 2_000).filter(|number| number % 20 != 1) {
            copy.remove(&hasher, &member(number));
        }
        copy.check(&hasher);
        ordered.check(&hasher);
        let after = (
            owned(&ordered.iter().collect::<Vec<_>>()),
            ordered.len_bytes(),
        );
        assert_eq!(after, before);
        while !copy.take_some(&hasher, 50).is_empty() {}
        copy.check(&hasher);
        assert!(copy.len_bytes() < 2_000, "{}", copy.len_bytes());
    }
}
