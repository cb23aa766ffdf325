//! A copy and its original have their segments in common until somebody writes to them, and never show what the other does.

use super::*;
use crate::db::shared::COPIED;

/// What is done to one of some collections.
#[derive(Debug, Clone)]
enum Deed {
    Step(Step),
    /// Becomes a copy of another one.
    Copy(usize),
    /// A part of all keys comes anew, so that segments are split.
    Fill(u16, u16),
}

fn deed() -> impl Strategy<Value = (usize, Deed)> {
    let deed = prop_oneof![
        30 => step().prop_map(Deed::Step),
        2 => (0_usize..3).prop_map(Deed::Copy),
        1 => (0_u16..3_000, 0_u16..1_500).prop_map(|(from, count)| Deed::Fill(from, count)),
    ];
    (0_usize..3, deed)
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn put(of: &mut (Elements, Model), number: u16, payload: &[u8]) {
    let is_new = of.0.insert(&hasher(), &key(number), payload);
    let old = of.1.insert(key(number), payload.to_vec());
    assert_eq!(is_new, old.is_none());
}

fn take(of: &mut (Elements, Model), key: &[u8]) {
    let removed = of.0.remove(&hasher(), key).map(|old| old.to_vec());
    assert_eq!(removed, of.1.remove(key));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn copies_go_their_own_ways(
        filled in 0_u16..3_000,
        deeds in proptest::collection::vec(deed(), 0..150),
    ) {
        let mut all: [(Elements, Model); 3] = Default::default();
        for number in 0..filled {
            put(&mut all[0], number, &vec![1; usize::from(number % 9)]);
        }
        for (of, deed) in deeds {
            match deed {
                Deed::Step(Step::Insert(number, len)) => put(&mut all[of], number, &vec![2; len]),
                Deed::Step(Step::Remove(number)) => take(&mut all[of], &key(number)),
                Deed::Step(Step::Thin(every)) => {
                    let keys: Vec<Vec<u8>> = all[of].1.keys().cloned().collect();
                    for (nth, key) in keys.iter().enumerate() {
                        if nth % usize::from(every) != 0 {
                            take(&mut all[of], key);
                        }
                    }
                }
                Deed::Copy(from) => all[of] = all[from].clone(),
                Deed::Fill(from, count) => {
                    for number in from..(from + count).min(3_000) {
                        put(&mut all[of], number, &[3; 5]);
                    }
                }
            }
        }
        for (elements, model) in &all {
            check(elements, model);
        }
    }
}

#[test]
fn only_what_is_written_is_copied() {
    let hasher = hasher();
    let mut elements = Elements::default();
    for number in 0..50_000_u32 {
        elements.insert(&hasher, &number.to_le_bytes(), b"1");
    }
    COPIED.set(0);
    let mut copy = elements.clone();
    assert_eq!(copy.iter().count(), 50_000);
    assert_eq!(copy.len_bytes() / 1_000, elements.len_bytes() / 1_000);
    // Nothing of this changes anything.
    assert!(!copy.insert(&hasher, &7_u32.to_le_bytes(), b"1"));
    assert!(copy.remove(&hasher, &60_000_u32.to_le_bytes()).is_none());
    assert_eq!(COPIED.get(), 0);
    // All within one segment, from either side.
    for payload in [b"2", b"3"] {
        assert!(!copy.insert(&hasher, &7_u32.to_le_bytes(), payload));
        assert_eq!(COPIED.get(), 1);
    }
    elements.insert(&hasher, &7_u32.to_le_bytes(), b"4");
    assert_eq!(COPIED.get(), 1);
    assert_eq!(copy.get(&hasher, &7_u32.to_le_bytes()), Some(&b"3"[..]));
    let shared = copy
        .segments
        .iter()
        .filter(|s| shared::is_shared(s))
        .count();
    assert_eq!(shared, copy.segments.len() - 1);
    // Each is copied once at most.
    for number in 0..50_000_u32 {
        copy.insert(&hasher, &number.to_le_bytes(), b"5");
    }
    assert_eq!(COPIED.get(), copy.segments.len());
    assert!(
        elements
            .iter()
            .filter(|(_, payload)| *payload == b"1")
            .count()
            == 49_999
    );
}

#[test]
fn giving_up_what_is_shared_frees_only_what_is_not() {
    let hasher = hasher();
    let mut elements = Elements::default();
    for number in 0..20_000_u32 {
        elements.insert(&hasher, &number.to_le_bytes(), b"");
    }
    let mut copy = elements.clone();
    copy.insert(&hasher, b"another", b"");
    let freed: usize = copy.into_pieces().sum();
    assert!(freed < elements.len_bytes() / 10, "{freed}");
    assert_eq!(elements.iter().count(), 20_000);
    assert!(!elements.segments.iter().any(shared::is_shared));
    let len_bytes = elements.len_bytes();
    let freed: usize = elements.into_pieces().sum();
    assert!(freed > len_bytes / 10 * 9, "{freed} of {len_bytes}");
}
