//! A sorted set is what a plain sorted list is, whatever was done; its memory is what it is said to be.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

mod cases;
mod copies;

fn hasher() -> KeyHasher {
    KeyHasher::new(11)
}

/// Numbers that look random, always the same.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

type Model = BTreeMap<Vec<u8>, f64>;

fn in_order(a: (&[u8], f64), b: (&[u8], f64)) -> Ordering {
    let scores = a.1.partial_cmp(&b.1).unwrap();
    scores.then_with(|| a.0.cmp(b.0))
}

fn sorted(model: &Model) -> Vec<Element<'_>> {
    let elements = model.iter().map(|(member, score)| (&member[..], *score));
    let mut list: Vec<_> = elements.collect();
    list.sort_by(|a, b| in_order(*a, *b));
    list
}

impl Ordered {
    /// Checks every invariant and recounts what is counted.
    fn check(&self, hasher: &KeyHasher) {
        let mut leaves = Vec::new();
        assert_eq!(
            self.check_below(self.height, self.root, &mut leaves),
            self.len
        );
        assert_eq!(leaves.len(), self.leaves.len());
        assert_eq!(leaves.iter().collect::<BTreeSet<_>>().len(), leaves.len());
        let owned = leaves.iter().map(|leaf| self.leaves[*leaf].len_bytes());
        assert_eq!(self.leaves_bytes, owned.sum::<usize>());
        assert_eq!(self.index.check(), self.len);
        for (nth, (member, score)) in self.iter().enumerate() {
            let place = self.find(member, position(hasher.hash(member))).unwrap();
            assert_eq!(self.element(place), (member, score));
            assert_eq!(self.rank_of(place), nth);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Insert(u16, f64),
    /// Adds to a score.
    Add(u16, f64),
    Remove(u16),
    /// Takes out all but every so manieth.
    Thin(u16),
    /// Takes so many out at the end.
    Take(usize),
    /// So many that come in order.
    Append(u16),
    /// Looks at everything.
    Look(f64, f64, u16, u16),
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        // Many are equal.
        6 => (-9_i32..9).prop_map(f64::from),
        6 => -1e3_f64..1e3,
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(0.0), Just(5e-324)],
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0_u16..3_000;
    prop_oneof![
        60 => (number(), score()).prop_map(|(number, score)| Step::Insert(number, score)),
        30 => (number(), -2_f64..2.0).prop_map(|(number, more)| Step::Add(number, more)),
        30 => number().prop_map(Step::Remove),
        1 => (2_u16..90).prop_map(Step::Thin),
        1 => (0_usize..2_000).prop_map(Step::Take),
        1 => (1_u16..900).prop_map(Step::Append),
        6 => (score(), score(), number(), number()).prop_map(|(a, b, c, d)| Step::Look(a, b, c, d)),
    ]
}

/// Some members are long, some empty or nearly so.
fn member(number: u16) -> Vec<u8> {
    let pad = match number % 100 {
        7 => 1_500,
        8 => 900,
        _ => 0,
    };
    let mut member = format!("{number}").into_bytes();
    member.truncate(if number == 0 { 0 } else { 9 });
    member.extend(std::iter::repeat_n(b'm', pad));
    member
}

fn owned(elements: &[Element<'_>]) -> Vec<(Vec<u8>, f64)> {
    let owned = elements
        .iter()
        .map(|(member, score)| (member.to_vec(), *score));
    owned.collect()
}

/// Looks at ranges of every kind, from both ends.
fn look(hasher: &KeyHasher, ordered: &Ordered, model: &Model, scores: [f64; 2], numbers: [u16; 2]) {
    let list = sorted(model);
    for (min, max) in [(scores[0], scores[1]), (scores[1], scores[0])] {
        for is_inclusive in [true, false] {
            let bound = if is_inclusive {
                ScoreBound::Inclusive
            } else {
                ScoreBound::Exclusive
            };
            let ranks = ordered.score_ranks(bound(min), bound(max));
            let within = |score: f64| {
                (score > min || is_inclusive && score == min)
                    && (score < max || is_inclusive && score == max)
            };
            let wanted: Vec<_> = list.iter().filter(|e| within(e.1)).copied().collect();
            assert_eq!(ranks.len(), wanted.len());
            let found: Vec<_> = ordered.range(ranks.clone()).collect();
            assert_eq!(owned(&found), owned(&wanted));
            let mut back: Vec<_> = ordered.range(ranks).rev().collect();
            back.reverse();
            assert_eq!(owned(&back), owned(&wanted));
        }
    }
    // From both ends in turn.
    let [from, to] = numbers.map(usize::from);
    let (from, to) = (from.min(to), from.max(to));
    let mut range = ordered.range(from..to);
    let wanted = &list[from.min(list.len())..to.min(list.len())];
    assert_eq!(range.len(), wanted.len());
    let (mut front, mut back) = (0, wanted.len());
    while front < back {
        assert_eq!(range.next(), Some(wanted[front]));
        front += 1;
        if front < back {
            back -= 1;
            assert_eq!(range.next_back(), Some(wanted[back]));
        }
    }
    assert_eq!((range.next(), range.next_back()), (None, None));
    assert_eq!(ordered.first(), list.first().copied());
    assert_eq!(ordered.last(), list.last().copied());
    for number in numbers {
        let member = member(number);
        let rank = list.iter().position(|element| element.0 == member);
        assert_eq!(ordered.rank(hasher, &member), rank);
        assert_eq!(ordered.score(hasher, &member), model.get(&member).copied());
        let nth = usize::from(number);
        assert_eq!(ordered.at_rank(nth), list.get(nth).copied());
    }
}

fn carry_out(hasher: &KeyHasher, (ordered, model): &mut (Ordered, Model), step: Step) {
    match step {
        Step::Insert(number, score) => {
            let old = model.insert(member(number), score);
            assert_eq!(ordered.insert(hasher, &member(number), score), old);
            assert_eq!(ordered.score(hasher, &member(number)), Some(score));
        }
        Step::Add(number, more) => {
            if let Some(score) = model.get_mut(&member(number)) {
                let old = std::mem::replace(score, *score + more);
                assert_eq!(ordered.insert(hasher, &member(number), *score), Some(old));
            }
        }
        Step::Remove(number) => {
            let old = model.remove(&member(number));
            assert_eq!(ordered.remove(hasher, &member(number)), old);
            assert!(!ordered.contains(hasher, &member(number)));
        }
        Step::Thin(every) => {
            let members: Vec<Vec<u8>> = model.keys().cloned().collect();
            for (nth, member) in members.iter().enumerate() {
                if nth % usize::from(every) != 0 {
                    assert_eq!(ordered.remove(hasher, member), model.remove(member));
                }
            }
            ordered.check(hasher);
        }
        Step::Take(limit) => {
            let list = owned(&sorted(model));
            let wanted = list.into_iter().rev().take(limit);
            let taken = ordered.take_some(hasher, limit);
            assert_eq!(taken.len(), limit.min(model.len()));
            for (wanted, taken) in wanted.zip(taken) {
                model.remove(&wanted.0);
                assert_eq!(wanted, (taken.0.into_vec(), taken.1));
            }
            ordered.check(hasher);
        }
        Step::Append(count) => {
            let is_appended = |member: &&Vec<u8>| member.first() == Some(&b'a');
            let before = model.keys().filter(is_appended).count() as u32;
            for nth in before..before + u32::from(count) {
                let (member, score) = (format!("a{nth}").into_bytes(), 1e4 + f64::from(nth));
                ordered.insert(hasher, &member, score);
                model.insert(member, score);
            }
        }
        Step::Look(a, b, c, d) => look(hasher, ordered, model, [a, b], [c, d]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sorted_set_is_what_a_sorted_list_is(
        filled in 0_u16..3_000,
        steps in proptest::collection::vec(step(), 0..500),
        empties in any::<bool>(),
    ) {
        let hasher = hasher();
        let (mut ordered, mut model) = (Ordered::default(), Model::new());
        for number in 0..filled {
            let score = f64::from(number % 97);
            prop_assert_eq!(ordered.insert(&hasher, &member(number), score), None);
            model.insert(member(number), score);
        }
        ordered.check(&hasher);
        let mut both = (ordered, model);
        for step in steps {
            carry_out(&hasher, &mut both, step);
        }
        let (mut ordered, model) = both;
        ordered.check(&hasher);
        prop_assert_eq!(owned(&ordered.iter().collect::<Vec<_>>()), owned(&sorted(&model)));
        if empties {
            for member in model.keys() {
                prop_assert!(ordered.remove(&hasher, member).is_some());
            }
            ordered.check(&hasher);
            prop_assert!(ordered.is_empty() && ordered.first().is_none() && ordered.last().is_none());
            prop_assert!(ordered.len_bytes() < 2_000, "{}", ordered.len_bytes());
        }
    }

    #[test]
    fn ranges_of_members_are_those_of_a_sorted_list_where_scores_are_equal(
        count in 0_u16..3_000,
        bounds in proptest::collection::vec((0_u16..3_100, 0_u16..3_100, 0_u8..4, 0_u8..4), 1..40),
    ) {
        let hasher = hasher();
        let mut ordered = Ordered::default();
        let mut list: Vec<Vec<u8>> = (0..count).map(member).collect();
        for (nth, member) in list.iter().enumerate() {
            // The two zeros are one score.
            ordered.insert(&hasher, member, if nth % 2 == 0 { 0.0 } else { -0.0 });
        }
        ordered.check(&hasher);
        list.sort();
        fn bound(kind: u8, member: &[u8]) -> LexBound<'_> {
            match kind {
                0 => LexBound::Min,
                1 => LexBound::Max,
                2 => LexBound::Inclusive(member),
                _ => LexBound::Exclusive(member),
            }
        }
        for (min, max, min_kind, max_kind) in bounds {
            let (min, max) = (member(min), member(max));
            let (min, max) = (bound(min_kind, &min), bound(max_kind, &max));
            let wanted: Vec<_> = list.iter().filter(|member| {
                let behind = match min {
                    LexBound::Min => true,
                    LexBound::Max => false,
                    LexBound::Inclusive(min) => &member[..] >= min,
                    LexBound::Exclusive(min) => &member[..] > min,
                };
                behind && match max {
                    LexBound::Min => false,
                    LexBound::Max => true,
                    LexBound::Inclusive(max) => &member[..] <= max,
                    LexBound::Exclusive(max) => &member[..] < max,
                }
            }).collect();
            let ranks = ordered.lex_ranks(min, max);
            prop_assert_eq!(ranks.len(), wanted.len());
            for (found, wanted) in ordered.range(ranks).zip(wanted) {
                prop_assert_eq!(found.0, wanted);
            }
        }
    }

    #[test]
    fn a_walk_meets_once_what_is_there_all_the_time(
        kept in 500_u32..4_000,
        changes in proptest::collection::vec((any::<bool>(), 0_u32..700), 1..12),
    ) {
        let hasher = hasher();
        let mut ordered = Ordered::default();
        let name = |number: u32| number.to_le_bytes();
        for number in 0..kept {
            ordered.insert(&hasher, &name(number), f64::from(number));
        }
        let (mut seen, mut from, mut changes) = (BTreeMap::new(), Some(0), changes.into_iter().cycle());
        let mut others = 0;
        while let Some(position) = from {
            from = ordered.end(position);
            for (member, _) in ordered.at(&hasher, position) {
                *seen.entry(member.to_vec()).or_insert(0) += 1;
            }
            // Others come and go, so that segments and leaves are split and joined on the way; scores change meanwhile.
            if let Some((comes, count)) = changes.next() {
                for _ in 0..count {
                    if comes {
                        others += 1;
                        ordered.insert(&hasher, &name(10_000 + others), f64::from(others * 7 % 4_000));
                    } else if others > 0 {
                        ordered.remove(&hasher, &name(10_000 + others));
                        others -= 1;
                    }
                    ordered.insert(&hasher, &name(count * 31 % kept), f64::from(others * 13 % 4_000));
                }
            }
        }
        for number in 0..kept {
            prop_assert_eq!(seen.get(&name(number)[..]), Some(&1));
        }
        ordered.check(&hasher);
    }
}
