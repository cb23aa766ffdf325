//! Small and large collections of the same elements give the same answers, which are those of plain ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::db::deadlines::Deadlines;
use crate::db::elements;
use crate::db::list::{self, Fill};
use crate::db::op::Kind;
use crate::db::ordered::{self, LexBound, ScoreBound};
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::table::KeyHasher;

type Bytes = Vec<u8>;

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        6 => proptest::collection::vec(any::<u8>(), 0..4),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 1_000..1_200),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![4 => (-4_i32..4).prop_map(f64::from), 1 => Just(f64::INFINITY)]
}

/// Numbers that look random, always the same.
fn numbers() -> impl FnMut() -> u64 {
    let mut state = 7_u64;
    move || {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        state ^ state >> 29
    }
}

/// All that the steps of a walk come to.
fn walked<T, I: Iterator<Item = T>>(step: impl Fn(u32) -> (I, Option<u32>)) -> Vec<T> {
    let (mut all, mut cursor) = (Vec::new(), Some(0));
    while let Some(from) = cursor {
        let (found, next) = step(from);
        all.extend(found);
        cursor = next;
    }
    all
}

fn check_hash(view: HashView<'_>, model: &BTreeMap<Bytes, Bytes>, other: &[u8]) {
    let wanted: Vec<_> = model
        .iter()
        .map(|(field, value)| (&field[..], &value[..]))
        .collect();
    let sorted = |mut found: Vec<_>| {
        found.sort_unstable();
        found
    };
    assert_eq!(
        (view.len(), view.is_empty()),
        (model.len(), model.is_empty())
    );
    assert_eq!(sorted(view.iter().collect()), wanted);
    assert_eq!(sorted(walked(|cursor| view.scan(cursor))), wanted);
    for (field, value) in &wanted {
        assert_eq!(view.get(field), Some(*value));
    }
    assert_eq!(view.get(other), model.get(other).map(|value| &value[..]));
    assert_eq!(view.contains(other), model.contains_key(other));
    let mut random = numbers();
    let drawn: BTreeSet<_> = (0..model.len() * 40)
        .filter_map(|_| view.random(&mut random))
        .collect();
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), wanted);
    assert_eq!(view.random(&mut random).is_none(), model.is_empty());
}

fn check_set(view: SetView<'_>, model: &BTreeMap<Bytes, Bytes>, other: &[u8]) {
    let wanted: BTreeSet<&[u8]> = model.keys().map(|member| &member[..]).collect();
    assert_eq!(
        (view.len(), view.is_empty()),
        (model.len(), model.is_empty())
    );
    assert_eq!(view.iter().collect::<BTreeSet<_>>(), wanted);
    let scanned = walked(|cursor| view.scan(cursor));
    assert_eq!(scanned.len(), model.len());
    assert_eq!(scanned.into_iter().collect::<BTreeSet<_>>(), wanted);
    assert_eq!(view.contains(other), model.contains_key(other));
    assert!(
        view.random(numbers())
            .is_none_or(|member| wanted.contains(member))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn hashes_and_sets_are_the_same_in_either_form(
        model in proptest::collection::btree_map(bytes(), bytes(), 0..60),
        other in bytes(),
    ) {
        let hasher = KeyHasher::new(1);
        let mut small = elements::packed::EMPTY.to_vec();
        for (key, payload) in &model {
            elements::packed::insert(&mut small, key, payload);
        }
        let large = elements::packed::grow(&small, &hasher);
        check_hash(HashView::Small(&small), &model, &other);
        check_hash(HashView::Large(Living::new(&large, &hasher, None)), &model, &other);
        check_set(SetView::Small(&small), &model, &other);
        check_set(SetView::Large(Living::new(&large, &hasher, None)), &model, &other);
    }

    #[test]
    fn sorted_sets_are_the_same_in_either_form(
        model in proptest::collection::btree_map(bytes(), score(), 0..150),
        (min, max) in (score(), score()),
        (low, high) in (bytes(), bytes()),
        ranks in (0_usize..160, 0_usize..160),
    ) {
        let hasher = KeyHasher::new(1);
        let (mut small, mut equal) = (ordered::packed::EMPTY.to_vec(), ordered::packed::EMPTY.to_vec());
        for (member, score) in &model {
            ordered::packed::insert(&mut small, member, *score);
            ordered::packed::insert(&mut equal, member, 0.0);
        }
        let large = ordered::packed::grow(&small, &hasher);
        let (one, two) = (ZsetView::Small(&small), ZsetView::Large(Ranked::new(&large, &hasher, None)));
        let mut list: Vec<(&[u8], f64)> = model.iter().map(|(member, score)| (&member[..], *score)).collect();
        list.sort_by(|a, b| a.1.total_cmp(&b.1));
        let wanted_scores: Vec<_> = list.iter().copied().filter(|(_, s)| *s >= min && *s < max).collect();
        let (start, end) = (ranks.0.min(list.len()), ranks.1.min(list.len()));
        let wanted_ranks = list.get(start..end).unwrap_or_default();
        let bounds = (ScoreBound::Inclusive(min), ScoreBound::Exclusive(max));
        for view in [one, two] {
            prop_assert_eq!((view.len(), view.is_empty()), (list.len(), list.is_empty()));
            prop_assert_eq!(&view.iter().collect::<Vec<_>>(), &list);
            let mut scanned = walked(|cursor| view.scan(cursor));
            scanned.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(b.0)));
            prop_assert_eq!(&scanned, &list);
            for (nth, element) in list.iter().enumerate() {
                prop_assert_eq!(view.rank(element.0), Some(nth));
                prop_assert_eq!(view.at_rank(nth), Some(*element));
                prop_assert_eq!(view.score(element.0), Some(element.1));
            }
            prop_assert_eq!(view.at_rank(list.len()), None);
            prop_assert_eq!(view.score(&low), model.get(&low).copied());
            prop_assert_eq!(view.rank(&low).is_some(), model.contains_key(&low));
            let found = view.range(view.score_ranks(bounds.0, bounds.1));
            prop_assert_eq!(&found.collect::<Vec<_>>(), &wanted_scores);
            let found: Vec<_> = view.range(ranks.0..ranks.1).collect();
            prop_assert_eq!(&found[..], wanted_ranks);
            let mut found: Vec<_> = view.range_rev(ranks.0..ranks.1).collect();
            found.reverse();
            prop_assert_eq!(&found[..], wanted_ranks);
            let drawn = view.random(numbers());
            prop_assert_eq!(drawn.is_none(), list.is_empty());
            prop_assert!(drawn.is_none_or(|element| list.contains(&element)));
        }
        prop_assert_eq!(one.score_ranks(bounds.0, bounds.1), two.score_ranks(bounds.0, bounds.1));
        prop_assert_eq!(one.random(numbers()), two.random(numbers()));
        let large = ordered::packed::grow(&equal, &hasher);
        let (one, two) = (ZsetView::Small(&equal), ZsetView::Large(Ranked::new(&large, &hasher, None)));
        for min in [LexBound::Min, LexBound::Inclusive(&low), LexBound::Exclusive(&low), LexBound::Max] {
            for max in [LexBound::Max, LexBound::Inclusive(&high), LexBound::Exclusive(&high), LexBound::Min] {
                prop_assert_eq!(one.lex_ranks(min, max), two.lex_ranks(min, max));
            }
        }
        let ranks = two.lex_ranks(LexBound::Exclusive(&low), LexBound::Inclusive(&high));
        let wanted = model.keys().filter(|member| **member > low && **member <= high);
        prop_assert!(two.range(ranks).map(|(member, _)| member).eq(wanted));
    }

    #[test]
    fn a_sorted_set_of_which_some_have_gone_is_as_one_without_them(
        model in proptest::collection::btree_map(bytes(), (score(), 0_i64..8), 0..150),
        (min, max) in (score(), score()),
        (low, high) in (bytes(), bytes()),
        ranks in (0_usize..160, 0_usize..160),
        gone in 0_i64..6,
        is_equal: bool,
    ) {
        let hasher = KeyHasher::new(1);
        let (mut all, mut left) = (ordered::Ordered::default(), ordered::Ordered::default());
        let mut deadlines = Deadlines::of(Kind::Zset);
        for (member, (score, deadline)) in &model {
            // Where all that are left have one score, the others still have theirs.
            let score = if is_equal && *deadline >= gone { 1.0 } else { *score };
            all.insert(&hasher, member, score);
            if *deadline < 7 {
                let who = (&member[..], score).into();
                deadlines.set(&hasher, who, Some(UnixMillis(100 + deadline)));
            }
            if *deadline >= gone {
                left.insert(&hasher, member, score);
            }
        }
        deadlines.set_gone(UnixMillis(100 + gone - 1));
        let one = Ranked::new(&left, &hasher, None);
        let two = Ranked::new(&all, &hasher, Some(&deadlines));
        prop_assert_eq!((one.len(), one.is_empty()), (two.len(), two.is_empty()));
        prop_assert!(one.iter().eq(two.iter()));
        for member in model.keys() {
            prop_assert_eq!(one.score(member), two.score(member));
            prop_assert_eq!(one.rank(member), two.rank(member));
        }
        for rank in 0..=model.len() {
            prop_assert_eq!(one.at_rank(rank), two.at_rank(rank));
        }
        for bounds in [
            (ScoreBound::Inclusive(min), ScoreBound::Inclusive(max)),
            (ScoreBound::Exclusive(min), ScoreBound::Exclusive(max)),
            (ScoreBound::Exclusive(f64::INFINITY), ScoreBound::Inclusive(f64::NAN)),
            (ScoreBound::Inclusive(f64::NEG_INFINITY), ScoreBound::Inclusive(f64::INFINITY)),
        ] {
            prop_assert_eq!(one.score_ranks(bounds.0, bounds.1), two.score_ranks(bounds.0, bounds.1));
        }
        prop_assert!(one.range(ranks.0..ranks.1).eq(two.range(ranks.0..ranks.1)));
        prop_assert!(one.range_rev(ranks.0..ranks.1).eq(two.range_rev(ranks.0..ranks.1)));
        let sorted = |mut elements: Vec<ordered::Element<'_>>| {
            elements.sort_by(|a, b| a.0.cmp(b.0));
            elements.iter().map(|(member, score)| (member.to_vec(), *score)).collect::<Vec<_>>()
        };
        let scanned = (sorted(walked(|cursor| one.scan(cursor))), sorted(walked(|cursor| two.scan(cursor))));
        prop_assert_eq!(&scanned.0, &scanned.1);
        prop_assert_eq!(one.random(numbers()), two.random(numbers()));
        if is_equal {
            for min in [LexBound::Min, LexBound::Inclusive(&low), LexBound::Exclusive(&low), LexBound::Max] {
                for max in [LexBound::Max, LexBound::Inclusive(&high), LexBound::Exclusive(&high), LexBound::Min] {
                    prop_assert_eq!(one.lex_ranks(min, max), two.lex_ranks(min, max));
                }
            }
        }
    }

    #[test]
    fn lists_are_the_same_in_either_form(
        model in proptest::collection::vec((0_u64..99, bytes()), 0..60),
        with_ids: bool,
        place in 0_usize..70,
        index in -70_i64..70,
    ) {
        let mut small = list::packed::empty(with_ids);
        for (id, element) in &model {
            list::packed::push_back(&mut small, Stamp::from_raw(*id), element);
        }
        let large = list::packed::grow(&small, Fill::new(7));
        let raw = |id: &u64| Stamp::from_raw(if with_ids { *id } else { 0 });
        let list: Vec<(Stamp, &[u8])> = model.iter().map(|(id, element)| (raw(id), &element[..])).collect();
        let len = list.len();
        let wanted = if index < 0 { len.checked_add_signed(index as isize) } else { Some(index as usize) };
        let wanted = wanted.filter(|position| *position < len);
        let mut ahead = list.get(..(place + 1).min(len)).unwrap_or_default().to_vec();
        ahead.reverse();
        for view in [ListView::Small(&small), ListView::Large(&large)] {
            prop_assert_eq!((view.len(), view.is_empty(), view.has_ids()), (len, len == 0, with_ids));
            prop_assert_eq!(view.position(index), wanted);
            prop_assert_eq!(view.get(index), wanted.map(|position| list[position].1));
            prop_assert_eq!(view.id(place), list.get(place).filter(|_| with_ids).map(|(id, _)| *id));
            prop_assert_eq!(&view.iter().collect::<Vec<_>>(), &list);
            let behind = list.get(place..).unwrap_or_default();
            prop_assert_eq!(&view.iter_from(place).collect::<Vec<_>>()[..], behind);
            prop_assert_eq!(&view.iter_back_from(place).collect::<Vec<_>>(), &ahead);
        }
    }

    #[test]
    fn any_bytes_are_looked_at_without_harm(
        bytes in proptest::collection::vec(prop_oneof![0_u8..4, Just(8), any::<u8>()], 0..30),
        at in 0_usize..6,
    ) {
        let (hash, set) = (HashView::Small(&bytes), SetView::Small(&bytes));
        let (zset, list) = (ZsetView::Small(&bytes), ListView::Small(&bytes));
        hash.random(numbers());
        set.random(numbers());
        set.is_ints();
        zset.random(numbers());
        zset.range_rev(0..at).for_each(drop);
        list.get(-1);
        list.iter_back_from(at).for_each(drop);
        list.iter_from(at).for_each(drop);
    }
}

#[test]
fn a_set_is_of_integers_where_all_members_are_written_as_redis_does() {
    let of = |members: &[&str]| {
        let mut bytes = elements::packed::EMPTY.to_vec();
        for member in members {
            elements::packed::insert(&mut bytes, member.as_bytes(), b"");
        }
        let is_ints = SetView::Small(&bytes).is_ints();
        let hasher = KeyHasher::new(1);
        let large = elements::packed::grow(&bytes, &hasher);
        assert!(!SetView::Large(Living::new(&large, &hasher, None)).is_ints());
        is_ints
    };
    assert!(of(&[]));
    assert!(of(&[
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808"
    ]));
    for other in [
        "",
        "01",
        "+1",
        "-0",
        " 1",
        "1.0",
        "9223372036854775808",
        "a",
    ] {
        assert!(!of(&["1", other]), "{other}");
    }
}
