//! Small lists are those of a plain vector, whatever was done, and no bytes do harm.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Front(u64, Vec<u8>),
    Back(u64, Vec<u8>),
    Insert(usize, u64, Vec<u8>),
    Set(usize, Vec<u8>),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    // Near each other, and as far as they can be.
    let id = || prop_oneof![4 => 1_000_u64..1_100, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let bytes = || prop_oneof![6 => proptest::collection::vec(any::<u8>(), 0..9), 1 => proptest::collection::vec(any::<u8>(), 120..300)];
    let place = 0_usize..30;
    prop_oneof![
        3 => (id(), bytes()).prop_map(|(id, bytes)| Step::Front(id, bytes)),
        3 => (id(), bytes()).prop_map(|(id, bytes)| Step::Back(id, bytes)),
        4 => (place.clone(), id(), bytes()).prop_map(|(at, id, bytes)| Step::Insert(at, id, bytes)),
        2 => (place.clone(), bytes()).prop_map(|(at, bytes)| Step::Set(at, bytes)),
        4 => place.prop_map(Step::Remove),
    ]
}

type Change<'c> = &'c dyn Fn(&mut Vec<u8>);

fn content(bytes: &[u8]) -> Vec<(Stamp, Vec<u8>)> {
    iter(bytes)
        .map(|(id, element)| (id, element.to_vec()))
        .collect()
}

proptest! {
    #[test]
    fn a_small_list_is_a_vector(
        with_ids: bool,
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        let (mut bytes, mut model) = (empty(with_ids), Vec::<(Stamp, Vec<u8>)>::new());
        let stamp = |id| if with_ids { Stamp::from_raw(id) } else { Stamp::ZERO };
        for step in steps {
            match step {
                Step::Front(id, element) => {
                    prop_assert!(push_front(&mut bytes, Stamp::from_raw(id), &element));
                    model.insert(0, (stamp(id), element));
                }
                Step::Back(id, element) => {
                    prop_assert!(push_back(&mut bytes, Stamp::from_raw(id), &element));
                    model.push((stamp(id), element));
                }
                Step::Insert(at, id, element) => {
                    let fits = at <= model.len();
                    prop_assert_eq!(insert(&mut bytes, at, Stamp::from_raw(id), &element), fits);
                    if fits {
                        model.insert(at, (stamp(id), element));
                    }
                }
                Step::Set(at, element) => {
                    prop_assert_eq!(set(&mut bytes, at, &element), at < model.len());
                    if let Some(place) = model.get_mut(at) {
                        place.1 = element;
                    }
                }
                Step::Remove(at) => {
                    let removed = remove(&mut bytes, at).map(|(id, old)| (id, old.to_vec()));
                    prop_assert_eq!(removed, (at < model.len()).then(|| model.remove(at)));
                }
            }
            prop_assert!(is_whole(&bytes));
            prop_assert_eq!(has_ids(&bytes), with_ids);
            prop_assert_eq!(len(&bytes), model.len());
            prop_assert_eq!(&content(&bytes), &model);
            prop_assert_eq!(get(&bytes, model.len()), None);
            for (at, (id, element)) in model.iter().enumerate() {
                prop_assert_eq!(get(&bytes, at), Some((*id, &element[..])));
                let first = model.iter().position(|other| other == &(*id, element.clone()));
                let found = find_id(&bytes, *id, |other| other == element);
                prop_assert_eq!(found, first.filter(|_| with_ids));
            }
        }
        let large = grow(&bytes, Fill::new(4));
        prop_assert_eq!((large.len(), large.has_ids()), (model.len(), with_ids));
        prop_assert_eq!(shrink(&large), Some(bytes));
    }

    #[test]
    fn any_bytes_are_looked_through_without_harm(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..40),
        at in 0_usize..9,
    ) {
        let is_good = is_whole(&bytes);
        let found = content(&bytes);
        prop_assert!(!is_good || found.len() == len(&bytes));
        let changes: [Change<'_>; 4] = [
            &|bytes| _ = insert(bytes, at, Stamp::from_raw(9), b"element"),
            &|bytes| _ = push_back(bytes, Stamp::from_raw(9), b"element"),
            &|bytes| _ = remove(bytes, at),
            &|bytes| _ = set(bytes, at, b"another"),
        ];
        for change in changes {
            let mut changed = bytes.clone();
            change(&mut changed);
            prop_assert!(!is_good || is_whole(&changed));
        }
        find_id(&bytes, Stamp::from_raw(9), |_| true);
        get(&bytes, at);
        grow(&bytes, Fill::default());
    }
}

#[test]
fn ids_are_kept_as_differences() {
    let mut bytes = empty(true);
    for (id, element) in [(5, "a"), (4, "bc"), (7, "")] {
        push_back(&mut bytes, Stamp::from_raw(id), element.as_bytes());
    }
    assert_eq!(bytes, [3, 0, 1, 10, 1, b'a', 1, 2, b'b', b'c', 6, 0]);
    remove(&mut bytes, 1);
    assert_eq!(bytes, [2, 0, 1, 10, 1, b'a', 4, 0]);
    let mut bytes = empty(false);
    push_back(&mut bytes, Stamp::from_raw(5), b"a");
    assert_eq!(bytes, [1, 0, 0, 1, b'a']);
}

#[test]
fn what_is_cut_off_or_counted_wrongly_is_not_whole() {
    for with_ids in [false, true] {
        let mut bytes = empty(with_ids);
        assert!(is_whole(&bytes));
        for element in [&b"one"[..], b"", b"three"] {
            push_back(&mut bytes, Stamp::from_raw(300), element);
        }
        for len in 0..bytes.len() {
            assert!(!is_whole(&bytes[..len]), "{len}");
        }
        assert!(!is_whole(&[&bytes[..], &[0]].concat()));
        for (at, other) in [(0, 2), (0, 4), (1, 1), (2, 2), (2, 3)] {
            let mut changed = bytes.clone();
            changed[at] = other;
            assert!(!is_whole(&changed), "{at} {other}");
        }
    }
}

#[test]
fn a_small_list_that_is_full_takes_no_more() {
    let mut full = vec![0; HEAD_LEN + LEN_MAX];
    set_len(&mut full, LEN_MAX);
    assert!(is_whole(&full));
    assert!(!push_back(&mut full, Stamp::ZERO, b"more"));
    let mut large = grow(&full, Fill::default());
    assert_eq!(shrink(&large), Some(full));
    large.push_back(Stamp::ZERO, b"more");
    assert_eq!(shrink(&large), None);
}
