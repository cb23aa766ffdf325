//! A copy and its original have their nodes in common until somebody writes to them, and never show what the other does.

use super::*;
use crate::db::shared::COPIED;

fn nodes(list: &List) -> impl Iterator<Item = &std::sync::Arc<Node>> {
    list.blocks.iter().flat_map(Block::nodes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn copies_go_their_own_ways(
        fill in prop_oneof![Just(-1_i64), Just(-2), Just(2), Just(5), Just(128)],
        has_ids: bool,
        filled in 0_usize..4_000,
        steps in proptest::collection::vec((0_usize..3, 0_usize..20, step()), 0..120),
    ) {
        let fill = Fill::new(fill);
        let empty = || if has_ids { List::with_ids(fill) } else { List::new(fill) };
        let mut all = [0; 3].map(|_| (empty(), Model::new()));
        let mut clock = Clock { time: 1 << 50, count: 0 };
        let (list, model) = &mut all[0];
        carry_out(list, model, &mut clock, Step::Burst(filled));
        for (of, from, step) in steps {
            if from < 3 {
                all[of] = all[from].clone();
            }
            let (list, model) = &mut all[of];
            carry_out(list, model, &mut clock, step);
            check_shape(list);
        }
        for (list, model) in &all {
            check(list, model);
        }
    }
}

#[test]
fn only_what_is_written_is_copied() {
    let mut list = List::new(Fill::default());
    for number in 0..100_000_u32 {
        list.push_back(Stamp::ZERO, &number.to_le_bytes());
    }
    COPIED.set(0);
    let mut copy = list.clone();
    let all = copy.nodes();
    assert!(all > 50);
    assert_eq!(copy.iter().count(), 100_000);
    assert!(copy.len_bytes() <= list.len_bytes() && copy.len_bytes() > list.len_bytes() / 10 * 9);
    assert!(!copy.set(100_000, b"none"));
    assert!(copy.remove(100_000).is_none());
    assert_eq!(COPIED.get(), 0);
    // At both ends, and behind full nodes.
    for number in 0..2_000_u32 {
        copy.push_front(Stamp::ZERO, &number.to_le_bytes());
        copy.push_back(Stamp::ZERO, &number.to_le_bytes());
    }
    assert!(COPIED.get() <= 2, "{}", COPIED.get());
    assert_eq!(
        nodes(&list).filter(|node| shared::is_shared(node)).count(),
        all - COPIED.get()
    );
    // What goes without a look at it is not copied, either.
    COPIED.set(0);
    drop(copy.remove_range(20_000, 60_000));
    assert!(COPIED.get() <= 2, "{}", COPIED.get());
    COPIED.set(0);
    assert!(list.set(50_000, b"other"));
    assert_eq!(COPIED.get(), 0);
    assert!(list.set(70_000, b"other"));
    assert_eq!(COPIED.get(), 1);
    assert_eq!(list.len(), 100_000);
}

#[test]
fn giving_up_what_is_shared_frees_only_what_is_not() {
    let mut list = List::new(Fill::default());
    for number in 0..100_000_u32 {
        list.push_back(Stamp::ZERO, &number.to_le_bytes());
    }
    let mut copy = list.clone();
    copy.push_back(Stamp::ZERO, b"another");
    let freed: usize = copy.into_pieces().sum();
    assert!(freed < list.len_bytes() / 10, "{freed}");
    assert_eq!(list.iter().count(), 100_000);
    assert!(!nodes(&list).any(shared::is_shared));
    let len_bytes = list.len_bytes();
    let freed: usize = list.into_pieces().sum();
    assert!(freed > len_bytes / 10 * 9, "{freed} of {len_bytes}");
}
