//! Small sorted sets are those of a plain sorted list, whatever was done, and no bytes do harm.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Model = BTreeMap<Vec<u8>, f64>;

fn sorted(model: &Model) -> Vec<Element<'_>> {
    let elements = model.iter().map(|(member, score)| (&member[..], *score));
    let mut list: Vec<_> = elements.collect();
    list.sort_by(|a, b| match a.1.partial_cmp(&b.1) {
        Some(Ordering::Equal) | None => a.0.cmp(b.0),
        Some(order) => order,
    });
    list
}

fn score_of() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-4_i32..4).prop_map(f64::from),
        2 => -1e3_f64..1e3,
        2 => prop_oneof![Just(-0.0), Just(0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ]
}

fn member(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * 11]
}

fn bits(elements: impl Iterator<Item = (impl AsRef<[u8]>, f64)>) -> Vec<(Vec<u8>, u64)> {
    elements
        .map(|(member, score)| (member.as_ref().to_vec(), score.to_bits()))
        .collect()
}

proptest! {
    #[test]
    fn a_small_sorted_set_is_a_sorted_list(
        steps in proptest::collection::vec((0_u8..14, proptest::option::weighted(0.75, score_of())), 0..80),
        min in score_of(),
        max in score_of(),
    ) {
        let (mut bytes, mut model) = (EMPTY.to_vec(), Model::new());
        for (number, new) in steps {
            let member = member(number);
            let old = model.get(&member).copied();
            match new {
                Some(score) => {
                    prop_assert_eq!(insert(&mut bytes, &member, score), old);
                    if old != Some(score) {
                        model.insert(member, score);
                    }
                }
                None => prop_assert_eq!(remove(&mut bytes, &member), model.remove(&member)),
            }
            prop_assert!(is_whole(&bytes));
            let list = sorted(&model);
            prop_assert_eq!(len(&bytes), list.len());
            prop_assert_eq!(bits(iter(&bytes)), bits(list.iter().copied()));
            for (nth, (member, score_of)) in list.iter().enumerate() {
                prop_assert_eq!(score(&bytes, member), Some(*score_of));
                prop_assert_eq!(rank(&bytes, member), Some(nth));
                prop_assert_eq!(at_rank(&bytes, nth), Some((*member, *score_of)));
            }
            prop_assert_eq!(at_rank(&bytes, list.len()), None);
            prop_assert_eq!(insert(&mut bytes.clone(), &[99], f64::NAN), None);
        }
        let list = sorted(&model);
        let is_in = |score: f64| score > min && score <= max;
        let ranks = score_ranks(&bytes, ScoreBound::Exclusive(min), ScoreBound::Inclusive(max));
        let wanted = list.iter().copied().filter(|(_, score)| is_in(*score));
        prop_assert_eq!(bits(range(&bytes, ranks.clone())), bits(wanted.clone()));
        prop_assert_eq!(bits(range_rev(&bytes, ranks)), bits(wanted.rev()));
        let large = grow(&bytes, &KeyHasher::new(3));
        prop_assert_eq!(bits(large.iter()), bits(list.into_iter()));
    }

    #[test]
    fn members_of_equal_scores_are_found_by_their_bytes(
        numbers in proptest::collection::btree_set(any::<u8>(), 0..12),
        a: u8,
        b: u8,
    ) {
        let mut bytes = EMPTY.to_vec();
        for number in numbers.iter().rev() {
            insert(&mut bytes, &[*number], 1.0);
        }
        let found = |min, max| {
            let ranks = lex_ranks(&bytes, min, max);
            range(&bytes, ranks).map(|(member, _)| member[0]).collect::<Vec<_>>()
        };
        let wanted = |is_in: &dyn Fn(u8) -> bool| {
            numbers.iter().copied().filter(|n| is_in(*n)).collect::<Vec<_>>()
        };
        prop_assert_eq!(found(LexBound::Min, LexBound::Max), wanted(&|_| true));
        prop_assert_eq!(found(LexBound::Max, LexBound::Min), wanted(&|_| false));
        let (low, high) = ([a], [b]);
        let inclusive = found(LexBound::Inclusive(&low), LexBound::Inclusive(&high));
        prop_assert_eq!(inclusive, wanted(&|n| n >= a && n <= b));
        let exclusive = found(LexBound::Exclusive(&low), LexBound::Exclusive(&high));
        prop_assert_eq!(exclusive, wanted(&|n| n > a && n < b));
    }

    #[test]
    fn any_bytes_are_looked_through_without_harm(
        bytes in proptest::collection::vec(prop_oneof![0_u8..3, Just(8), any::<u8>()], 0..40),
        from in 0_usize..5,
        to in 0_usize..5,
    ) {
        let is_good = is_whole(&bytes);
        prop_assert!(!is_good || iter(&bytes).count() == len(&bytes));
        let mut changed = bytes.clone();
        for member in [&b""[..], &[1], &[0, 0]] {
            insert(&mut changed, member, 1.0);
            prop_assert!(!is_good || is_whole(&changed));
            insert(&mut changed, member, -1.0);
            prop_assert!(!is_good || is_whole(&changed));
            remove(&mut changed, member);
            prop_assert!(!is_good || is_whole(&changed));
            rank(&bytes, member);
        }
        let count = range(&bytes, from..to).count();
        prop_assert_eq!(range_rev(&bytes, from..to).count(), count);
        score_ranks(&bytes, ScoreBound::Inclusive(-1.0), ScoreBound::Exclusive(1.0));
        lex_ranks(&bytes, LexBound::Exclusive(b"a"), LexBound::Max);
        grow(&bytes, &KeyHasher::new(3));
    }
}

/// The bytes of elements as they are given.
fn raw(elements: &[(&str, f64)]) -> Vec<u8> {
    let mut bytes = vec![elements.len() as u8, 0];
    for (member, score) in elements {
        entry::encode(&mut bytes, member.as_bytes(), &score.to_le_bytes());
    }
    bytes
}

#[test]
fn what_is_out_of_order_is_not_whole() {
    assert!(is_whole(&raw(&[])));
    assert!(is_whole(&raw(&[("b", -1.0), ("a", 0.0), ("c", -0.0)])));
    assert!(!is_whole(&raw(&[("b", 0.0), ("a", -0.0)])));
    assert!(!is_whole(&raw(&[("a", 2.0), ("b", 1.0)])));
    assert!(!is_whole(&raw(&[("a", 1.0), ("a", 1.0)])));
    assert!(!is_whole(&raw(&[("a", 1.0), ("a", 2.0)])));
    assert!(!is_whole(&raw(&[("a", f64::NAN)])));
    assert!(!is_whole(&raw(&[("a", 1.0), ("b", f64::NAN)])));
    let mut bytes = raw(&[("a", 1.0), ("b", 2.0)]);
    for len in 0..bytes.len() {
        assert!(!is_whole(&bytes[..len]), "{len}");
    }
    assert!(!is_whole(&[&bytes[..], &[0, 0]].concat()));
    bytes[0] = 1;
    assert!(!is_whole(&bytes));
    let mut short = EMPTY.to_vec();
    packed::insert(&mut short, b"a", b"1234567");
    assert!(!is_whole(&short));
}

#[test]
fn a_score_that_changes_moves_its_element() {
    let mut bytes = raw(&[("a", 1.0), ("bb", 2.0), ("ccc", 3.0)]);
    assert_eq!(insert(&mut bytes, b"a", 2.5), Some(1.0));
    assert_eq!(bytes, raw(&[("bb", 2.0), ("a", 2.5), ("ccc", 3.0)]));
    assert_eq!(insert(&mut bytes, b"a", 2.75), Some(2.5));
    assert_eq!(insert(&mut bytes, b"ccc", 0.0), Some(3.0));
    assert_eq!(bytes, raw(&[("ccc", 0.0), ("bb", 2.0), ("a", 2.75)]));
    assert_eq!(insert(&mut bytes, b"ccc", -0.0), Some(0.0));
    assert_eq!(insert(&mut bytes, b"ccc", f64::NAN), Some(0.0));
    assert_eq!(bytes, raw(&[("ccc", 0.0), ("bb", 2.0), ("a", 2.75)]));
}
