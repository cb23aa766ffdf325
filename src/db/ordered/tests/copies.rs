//! A copy and its original have their parts in common until somebody writes to them: each counts what it shares as its own memory,
//! and never shows what the other does.

use super::*;
use crate::db::shared::COPIED;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn copies_go_their_own_ways(
        filled in 0_u16..3_000,
        steps in proptest::collection::vec((0_usize..3, 0_usize..20, step()), 0..200),
    ) {
        let hasher = hasher();
        let mut all: [(Ordered, Model); 3] = Default::default();
        for number in 0..filled {
            carry_out(&hasher, &mut all[0], Step::Insert(number, f64::from(number % 77)));
        }
        for (of, from, step) in steps {
            if from < 3 {
                all[of] = all[from].clone();
            }
            carry_out(&hasher, &mut all[of], step);
        }
        for (ordered, model) in &all {
            ordered.check(&hasher);
            prop_assert_eq!(owned(&ordered.iter().collect::<Vec<_>>()), owned(&sorted(model)));
        }
    }
}

#[test]
fn only_what_is_written_is_copied() {
    let hasher = hasher();
    let name = |number: u32| number.to_be_bytes();
    let mut ordered = Ordered::default();
    for number in 0..100_000_u32 {
        ordered.insert(&hasher, &name(number), f64::from(number % 1_000));
    }
    COPIED.set(0);
    let mut copy = ordered.clone();
    assert_eq!(copy.iter().count(), 100_000);
    assert!(copy.len_bytes() <= ordered.len_bytes());
    assert!(copy.len_bytes() > ordered.len_bytes() / 10 * 9);
    // Nothing of this changes anything.
    assert_eq!(copy.insert(&hasher, &name(7), 7.0), Some(7.0));
    assert_eq!(copy.remove(&hasher, b"none"), None);
    assert_eq!(COPIED.get(), 0);
    // A leaf and the nodes above it, one page each.
    assert_eq!(copy.insert(&hasher, &name(50_007), 7.0), Some(7.0));
    assert_eq!(COPIED.get(), 0);
    assert_eq!(copy.insert(&hasher, &name(50_007), 7.5), Some(7.0));
    // Where it was and where it is, and its slot, besides.
    let height = copy.height as usize;
    assert!(
        (2..=3 + 2 * height).contains(&COPIED.get()),
        "{}",
        COPIED.get()
    );
    assert_eq!(ordered.score(&hasher, &name(50_007)), Some(7.0));
    // Each is copied once at most.
    for number in 0..100_000_u32 {
        copy.insert(&hasher, &name(number), f64::from(number % 1_003) + 0.5);
    }
    let parts =
        ordered.leaves.iter().count() / 16 + ordered.nodes.iter().count() / 8 + 100_000 / 200;
    assert!(COPIED.get() < parts * 2, "{} of {parts}", COPIED.get());
    copy.check(&hasher);
    ordered.check(&hasher);
    assert_eq!(ordered.score(&hasher, &name(9)), Some(9.0));
}

#[test]
fn giving_up_what_is_shared_frees_only_what_is_not() {
    let hasher = hasher();
    let mut ordered = Ordered::default();
    for number in 0..50_000_u32 {
        ordered.insert(&hasher, &number.to_be_bytes(), f64::from(number));
    }
    let mut copy = ordered.clone();
    copy.insert(&hasher, b"another", 5.5);
    let freed: usize = copy.into_pieces().sum();
    // A leaf was split, and each slot of what moved is in another part.
    assert!(freed < ordered.len_bytes() / 5, "{freed}");
    ordered.check(&hasher);
    assert!(!(0..ordered.leaves.len()).any(|leaf| ordered.leaves.is_shared(leaf as u32)));
    let len_bytes = ordered.len_bytes();
    let freed: usize = ordered.into_pieces().sum();
    assert!(freed > len_bytes / 10 * 9, "{freed} of {len_bytes}");
}
