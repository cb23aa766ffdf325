//! What is known in advance: memory, what is moved, members that share a position, long members.

use super::*;

fn sixteen_bytes(number: u64) -> Vec<u8> {
    format!("{number:016}").into_bytes()
}

#[test]
fn a_million_members_of_16_bytes_take_less_than_48_bytes_each() {
    let hasher = hasher();
    let (mut ordered, mut numbers) = (Ordered::default(), numbers(3));
    let (mut most, mut most_moved) = (0, 0);
    for number in 0..1_000_000_u64 {
        let score = (numbers() >> 11) as f64;
        assert!(
            ordered
                .insert(&hasher, &sixteen_bytes(number), score)
                .is_none()
        );
        most_moved = most_moved.max(std::mem::take(&mut ordered.moved));
        if number > 100_000 && number.is_multiple_of(10_000) {
            most = most.max(ordered.len_bytes() / (number as usize + 1));
        }
    }
    assert!(most < 48, "{most}");
    assert!(most_moved <= 32, "{most_moved}");
    ordered.check(&hasher);
    // What is left of many takes no more than as many that were never more.
    for number in 1_000..1_000_000_u64 {
        assert!(ordered.remove(&hasher, &sixteen_bytes(number)).is_some());
        most_moved = most_moved.max(std::mem::take(&mut ordered.moved));
    }
    assert!(most_moved <= 48 + 64, "{most_moved}");
    ordered.check(&hasher);
    let bytes = ordered.len_bytes();
    assert!(bytes < 1_000 * 48 + 128 * 1024, "{bytes}");
}

#[test]
fn what_comes_in_order_fills_leaves_and_moves_nothing() {
    let hasher = hasher();
    for is_upwards in [true, false] {
        let mut ordered = Ordered::default();
        for number in 0..200_000_u64 {
            let score = if is_upwards { 1.0 } else { -1.0 } * number as f64;
            ordered.insert(&hasher, &sixteen_bytes(number), score);
        }
        assert_eq!(ordered.moved, 0);
        assert_eq!(ordered.leaves.len(), 200_000_usize.div_ceil(64));
        let each = ordered.len_bytes() / 200_000;
        assert!(each < 44, "{each}");
        ordered.check(&hasher);
        let mut pieces = ordered.into_pieces();
        let most = pieces.by_ref().max();
        assert!(most.is_some_and(|most| most < 6_000), "{most:?}");
        assert_eq!(pieces.next(), None);
    }
}

#[test]
fn members_of_one_position_are_told_apart() {
    let hasher = hasher();
    let mut seen = BTreeMap::new();
    let mut pairs = Vec::new();
    for number in 0..400_000_u64 {
        let member = sixteen_bytes(number);
        let at = position(hasher.hash(&member));
        if let Some(other) = seen.insert(at, number) {
            pairs.push([sixteen_bytes(other), member]);
        }
    }
    assert!(pairs.len() > 3);
    let mut ordered = Ordered::default();
    let walked = |ordered: &Ordered| {
        let members = ordered.at(&hasher, 0).map(|(member, _)| member.to_vec());
        let mut members: Vec<_> = members.collect();
        members.sort();
        members
    };
    for pair in &pairs {
        for (member, score) in pair.iter().zip([1.0, 2.0]) {
            assert_eq!(ordered.insert(&hasher, member, score), None);
        }
    }
    let mut all: Vec<_> = pairs.iter().flatten().cloned().collect();
    all.sort();
    assert_eq!(walked(&ordered), all);
    // Apart from each other, and together again.
    for number in 0..200_u64 {
        ordered.insert(&hasher, format!("between {number}").as_bytes(), 1.5);
    }
    ordered.check(&hasher);
    for [one, other] in &pairs {
        assert_eq!(ordered.score(&hasher, one), Some(1.0));
        assert_eq!(ordered.insert(&hasher, other, 1.0), Some(2.0));
    }
    for number in 0..200_u64 {
        ordered.remove(&hasher, format!("between {number}").as_bytes());
    }
    ordered.check(&hasher);
    assert_eq!(walked(&ordered), all);
    for [one, other] in &pairs {
        assert_eq!(ordered.remove(&hasher, one), Some(1.0));
        assert_eq!(ordered.score(&hasher, one), None);
        assert_eq!(ordered.score(&hasher, other), Some(1.0));
    }
    ordered.check(&hasher);
}

#[test]
fn scores_that_are_none_or_equal_change_nothing() {
    let hasher = hasher();
    let mut ordered = Ordered::default();
    assert_eq!(ordered.insert(&hasher, b"m", f64::NAN), None);
    assert!(ordered.is_empty());
    ordered.insert(&hasher, b"m", 0.0);
    assert_eq!(ordered.insert(&hasher, b"m", -0.0), Some(0.0));
    assert_eq!(ordered.insert(&hasher, b"m", f64::NAN), Some(0.0));
    let score = ordered.score(&hasher, b"m").unwrap();
    assert!(score.is_sign_positive());
    let nan = ScoreBound::Inclusive(f64::NAN);
    assert_eq!(ordered.score_ranks(nan, nan).len(), 0);
    let (start, end) = (5, 2);
    assert!(ordered.range(start..end).next().is_none());
}

#[test]
fn long_members_lie_apart_and_are_not_copied_with_the_others() {
    let hasher = hasher();
    let (mut ordered, mut numbers) = (Ordered::default(), numbers(5));
    let long = |number: u64| [&number.to_be_bytes()[..], &[7; 100_000]].concat();
    for number in 0..300 {
        ordered.insert(&hasher, &long(number), (numbers() % 50) as f64);
    }
    ordered.check(&hasher);
    let bytes = ordered.len_bytes();
    assert!(bytes > 300 * 100_008 && bytes < 300 * 100_200, "{bytes}");
    let address = |ordered: &Ordered| {
        let members = ordered.iter().find(|(member, _)| *member == long(9));
        members.unwrap().0.as_ptr()
    };
    let before = address(&ordered);
    for number in 100..300 {
        ordered.insert(&hasher, &long(number), -1.0);
        ordered.insert(&hasher, &long(9), number as f64);
    }
    assert_eq!(address(&ordered), before);
    ordered.check(&hasher);
    let taken = ordered.take_some(&hasher, 1);
    assert_eq!(taken[0].0.as_ptr(), before);
    while !ordered.take_some(&hasher, 7).is_empty() {
        ordered.check(&hasher);
    }
    assert!(ordered.len_bytes() < 2_000);
}

#[test]
fn each_is_drawn_as_often_as_any_other() {
    let hasher = hasher();
    let mut random = numbers(1);
    for count in [1_u32, 7, 3_000] {
        let mut ordered = Ordered::default();
        assert!(ordered.random(&mut random).is_none());
        for number in 0..count {
            ordered.insert(&hasher, &number.to_le_bytes(), f64::from(number % 10));
        }
        let mut drawn = BTreeMap::new();
        for _ in 0..count * 40 {
            let (member, _) = ordered.random(&mut random).unwrap();
            *drawn.entry(member.to_vec()).or_insert(0_u32) += 1;
        }
        assert_eq!(drawn.len(), count as usize);
        let (fewest, most) = (drawn.values().min().unwrap(), drawn.values().max().unwrap());
        assert!(*fewest >= 10 && *most <= 90 || count < 10, "{drawn:?}");
    }
}
