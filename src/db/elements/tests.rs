//! Elements are those of a plain map, whatever was done; their memory is what it is said to be.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

mod copies;

fn hasher() -> KeyHasher {
    KeyHasher::new(11)
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u16, usize),
    Remove(u16),
    /// Takes out all but every so manieth.
    Thin(u16),
}

fn step() -> impl Strategy<Value = Step> {
    // Long ones lie apart.
    let len = prop_oneof![8 => 0_usize..40, 1 => 900_usize..2_000];
    prop_oneof![
        60 => (any::<u16>(), len).prop_map(|(key, len)| Step::Insert(key % 3_000, len)),
        30 => any::<u16>().prop_map(|key| Step::Remove(key % 3_000)),
        1 => (2_u16..90).prop_map(Step::Thin),
    ]
}

fn key(number: u16) -> Vec<u8> {
    // Some keys are long themselves.
    let pad = if number % 50 == 7 { 1_500 } else { 0 };
    format!("{number}{}", "k".repeat(pad)).into_bytes()
}

fn check(elements: &Elements, model: &BTreeMap<Vec<u8>, Vec<u8>>) {
    assert_eq!(elements.len(), model.len());
    let found: BTreeMap<Vec<u8>, Vec<u8>> = elements
        .iter()
        .map(|(key, payload)| (key.to_vec(), payload.to_vec()))
        .collect();
    assert_eq!(&found, model);
    let bytes: usize = elements.segments.iter().map(|s| s.len_bytes()).sum();
    assert_eq!(elements.segments_bytes, bytes);
    assert_eq!(elements.directory.len(), elements.segments.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn elements_are_those_of_a_map(
        filled in 0_u16..3_000,
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        let hasher = hasher();
        let (mut elements, mut model) = (Elements::default(), BTreeMap::new());
        let insert = |elements: &mut Elements, model: &mut BTreeMap<_, _>, number, payload: Vec<u8>| {
            let is_new = elements.insert(&hasher, &key(number), &payload);
            assert_eq!(is_new, model.insert(key(number), payload).is_none());
        };
        for number in 0..filled {
            insert(&mut elements, &mut model, number, vec![1; usize::from(number % 9)]);
        }
        for step in steps {
            match step {
                Step::Insert(number, len) => {
                    insert(&mut elements, &mut model, number, vec![2; len]);
                    let found = elements.get(&hasher, &key(number)).map(<[u8]>::len);
                    prop_assert_eq!(found, Some(len));
                }
                Step::Remove(number) => {
                    let removed = elements.remove(&hasher, &key(number)).map(|old| old.to_vec());
                    prop_assert_eq!(removed, model.remove(&key(number)));
                    prop_assert!(!elements.contains(&hasher, &key(number)));
                }
                Step::Thin(every) => {
                    let keys: Vec<Vec<u8>> = model.keys().cloned().collect();
                    for (nth, key) in keys.iter().enumerate() {
                        if nth % usize::from(every) != 0 {
                            elements.remove(&hasher, key);
                            model.remove(key);
                        }
                    }
                }
            }
        }
        check(&elements, &model);
        check(&elements.clone(), &model);
    }

    #[test]
    fn a_walk_meets_once_what_is_there_all_the_time(
        kept in 500_u32..4_000,
        growths in proptest::collection::vec((any::<bool>(), 0_u32..1_500), 1..12),
    ) {
        let hasher = hasher();
        let mut elements = Elements::default();
        let name = |number: u32| number.to_le_bytes();
        for number in 0..kept {
            elements.insert(&hasher, &name(number), b"");
        }
        let (mut seen, mut from, mut growths) = (BTreeMap::new(), Some(0), growths.into_iter().cycle());
        let mut others = 0;
        while let Some(position) = from {
            from = elements.end(position);
            for (key, _) in elements.at(&hasher, position) {
                *seen.entry(key.to_vec()).or_insert(0) += 1;
            }
            // Others come and go, so that segments are split and joined on the way.
            if let Some((comes, count)) = growths.next() {
                for _ in 0..count {
                    if comes {
                        others += 1;
                        elements.insert(&hasher, &name(10_000 + others), b"");
                    } else if others > 0 {
                        elements.remove(&hasher, &name(10_000 + others));
                        others -= 1;
                    }
                }
            }
        }
        for number in 0..kept {
            prop_assert_eq!(seen.get(&name(number)[..]), Some(&1));
        }
    }
}

#[test]
fn a_million_members_of_16_bytes_take_less_than_40_bytes_each() {
    let hasher = hasher();
    let mut elements = Elements::default();
    let mut most = 0;
    for number in 0..1_000_000_u64 {
        let member = format!("{number:016}");
        assert!(elements.insert(&hasher, member.as_bytes(), b""));
        if number > 100_000 && number.is_multiple_of(10_000) {
            most = most.max(elements.len_bytes() / (number as usize + 1));
        }
    }
    assert!(most < 40, "{most}");
    // What is left of many takes no more than as many that were never more.
    for number in 1_000..1_000_000_u64 {
        elements.remove(&hasher, format!("{number:016}").as_bytes());
    }
    assert_eq!(elements.len(), 1_000);
    assert!(
        elements.len_bytes() < 1_000 * 40 + 64 * 1024,
        "{}",
        elements.len_bytes()
    );
}

#[test]
fn each_is_drawn_as_often_as_any_other() {
    let hasher = hasher();
    let mut state = 1_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state ^ (state >> 29)
    };
    for count in [1_u32, 7, 3_000] {
        let mut elements = Elements::default();
        assert!(elements.random(&mut random).is_none());
        for number in 0..count {
            elements.insert(&hasher, &number.to_le_bytes(), b"");
        }
        let (draws, mut drawn) = (count * 40, BTreeMap::new());
        for _ in 0..draws {
            let (key, _) = elements.random(&mut random).unwrap();
            *drawn.entry(key.to_vec()).or_insert(0_u32) += 1;
        }
        let fewest = drawn.values().min().unwrap();
        let most = drawn.values().max().unwrap();
        assert_eq!(drawn.keys().collect::<BTreeSet<_>>().len(), count as usize);
        assert!(
            *fewest >= 10 && *most <= 90 || count < 10,
            "{fewest} {most}"
        );
    }
}
