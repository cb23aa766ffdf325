//! Lists are those of a plain vector, whatever was done.

mod copies;
mod measures;

use proptest::prelude::*;

use super::node::Node;
use super::*;
use crate::db::origin::OriginIndex;
use crate::db::shared;
use crate::db::stamp::Hlc;
use fill::FULL;

type Model = Vec<(Stamp, Vec<u8>)>;

#[derive(Debug, Clone, Copy)]
enum Step {
    PushFront(usize),
    PushBack(usize),
    /// So many at the tail, as one command pushes them.
    Burst(usize),
    PopFront(usize),
    PopBack(usize),
    Insert(usize, usize),
    /// Several at one place.
    InsertBurst(usize, usize),
    Set(usize, usize),
    Remove(usize),
    /// Several from one place on, one by one.
    RemoveSome(usize, usize),
    RemoveId(usize),
    /// From a place on, so many.
    RemoveRange(usize, usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    // Some do not fit into a node at all, some fill one alone.
    let len = || prop_oneof![12 => 0_usize..40, 2 => 100_usize..600, 1 => 3_000_usize..9_000];
    let place = any::<usize>;
    prop_oneof![
        4 => len().prop_map(Step::PushFront),
        4 => len().prop_map(Step::PushBack),
        2 => (0_usize..600).prop_map(Step::Burst),
        2 => (0_usize..300).prop_map(Step::PopFront),
        2 => (0_usize..300).prop_map(Step::PopBack),
        6 => (place(), len()).prop_map(|(at, len)| Step::Insert(at, len)),
        2 => (place(), 0_usize..300).prop_map(|(at, count)| Step::InsertBurst(at, count)),
        6 => (place(), len()).prop_map(|(at, len)| Step::Set(at, len)),
        6 => place().prop_map(Step::Remove),
        2 => (place(), 0_usize..300).prop_map(|(at, count)| Step::RemoveSome(at, count)),
        6 => place().prop_map(Step::RemoveId),
        4 => (place(), 0_usize..900).prop_map(|(from, count)| Step::RemoveRange(from, count)),
        1 => (0_usize..400).prop_map(Step::Drop),
    ]
}

/// Ids of three origins, most of them later than the one before.
struct Clock {
    time: u64,
    count: u64,
}

impl Clock {
    fn next(&mut self) -> Stamp {
        self.count += 1;
        self.time += [1, 1, 1, 5 << 12, 90 << 12][(self.count % 5) as usize];
        let time = match self.count % 11 {
            // Taken over from elsewhere: no two alike, and in no order.
            7 => self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 10 & !0xfff_ffff | self.count,
            _ => self.time,
        };
        Stamp::new(
            Hlc::from_raw(time),
            OriginIndex((self.count / 7 % 3) as u16 * 200 + 1),
        )
    }
}

fn element(id: Stamp, len: usize) -> Vec<u8> {
    let mut element = vec![b'e'; len];
    for (place, byte) in element.iter_mut().zip(id.raw().to_le_bytes()) {
        *place = byte;
    }
    element
}

/// What the head of the file promises.
fn check_shape(list: &List) {
    let (mut len, mut nodes, mut bytes) = (0, 0, 0);
    for block in &list.blocks {
        assert!(!block.nodes().is_empty());
        let inner: usize = block.nodes().iter().map(|node| node.len_bytes()).sum();
        let fields = shared::len_bytes::<Node>(block.nodes().len(), block.nodes().capacity());
        assert_eq!(block.len_bytes(), inner + fields);
        assert_eq!(
            block.len(),
            block.nodes().iter().map(|node| node.len()).sum::<usize>()
        );
        len += block.len();
        nodes += block.nodes().len();
        bytes += block.len_bytes();
    }
    assert_eq!((list.len, list.nodes, list.bytes), (len, nodes, bytes));
    let nodes = list.blocks.iter().flat_map(|b| b.nodes());
    let all: Vec<&Node> = nodes.map(|node| &**node).collect();
    for node in &all {
        assert!(node.len() > 0);
        assert!(node.len() == 1 || list.fill.fits(node.len(), node.bytes()));
        let (low, high) = node.bounds();
        let ids = node.iter_all(true).map(|(id, _)| id.raw());
        assert!(!list.has_ids || ids.into_iter().all(|id| (low..=high).contains(&id)));
    }
    let inner = all.get(1..all.len().saturating_sub(1)).unwrap_or_default();
    for pair in inner.windows(2) {
        let load = |node: &Node| list.fill.load(node.len(), node.bytes());
        let bytes = pair[0].bytes() + pair[1].bytes();
        let together = list.fill.load(pair[0].len() + pair[1].len(), bytes);
        let least = load(pair[0]).min(load(pair[1]));
        assert!(
            least >= FULL / 4 || together > FULL / 2,
            "{least} {together}"
        );
    }
}

fn as_model(list: &List) -> Model {
    list.iter()
        .map(|(id, element)| (id, element.to_vec()))
        .collect()
}

fn check(list: &List, model: &Model) {
    check_shape(list);
    assert_eq!(list.len(), model.len());
    assert_eq!(&as_model(list), model);
    let mut back: Model = list
        .iter_back_from(usize::MAX)
        .map(|(id, element)| (id, element.to_vec()))
        .collect();
    back.reverse();
    assert_eq!(&back, model);
    let step = (model.len() / 20).max(1);
    for (position, (id, element)) in model.iter().enumerate().step_by(step) {
        let index = position as i64;
        assert_eq!(list.get(index), Some(&element[..]));
        assert_eq!(list.get(index - model.len() as i64), Some(&element[..]));
        assert_eq!(list.id(position), list.has_ids.then_some(*id));
        assert_eq!(
            list.find_id(*id, |_| true),
            list.has_ids.then_some(position)
        );
        let rest = list.elements_from(position).take(3);
        assert!(rest.eq(model[position..].iter().take(3).map(|(_, e)| &e[..])));
        assert!(
            list.iter_from(position).take(700).eq(model[position..]
                .iter()
                .take(700)
                .map(|(id, element)| (*id, &element[..])))
        );
        let before = list.iter_back_from(position).take(3);
        assert!(
            before.eq(model[..=position]
                .iter()
                .rev()
                .take(3)
                .map(|(id, e)| (*id, &e[..])))
        );
        let equal = |(at, (_, other)): (usize, &(Stamp, Vec<u8>))| (other == element).then_some(at);
        let all: Vec<usize> = model.iter().enumerate().filter_map(equal).collect();
        assert!(
            list.positions(element, false, usize::MAX)
                .eq(all.iter().copied())
        );
        assert!(
            list.positions(element, true, usize::MAX)
                .eq(all.iter().rev().copied())
        );
        let some = all.iter().copied().filter(|at| *at < 5);
        assert!(list.positions(element, false, 5).eq(some));
    }
    assert_eq!(list.get(model.len() as i64), None);
    assert_eq!(list.get(-1 - model.len() as i64), None);
    assert_eq!(list.get(i64::MIN), None);
    assert_eq!(list.find_id(Stamp::from_raw(12_345), |_| true), None);
    assert_eq!(list.iter_from(model.len()).next(), None);
}

fn insert(list: &mut List, model: &mut Model, clock: &mut Clock, at: usize, len: usize) {
    let id = clock.next();
    let bytes = element(id, len);
    assert!(list.insert(at, id, &bytes));
    let id = if list.has_ids { id } else { Stamp::ZERO };
    model.insert(at, (id, bytes));
}

fn taken(taken: Option<(Stamp, Taken)>) -> Option<(Stamp, Vec<u8>)> {
    taken.map(|(id, element)| (id, element.to_vec()))
}

fn carry_out(list: &mut List, model: &mut Model, clock: &mut Clock, step: Step) {
    let len = model.len();
    match step {
        Step::PushFront(bytes) => insert(list, model, clock, 0, bytes),
        Step::PushBack(bytes) => insert(list, model, clock, len, bytes),
        Step::Burst(count) => {
            for nth in 0..count {
                insert(list, model, clock, len + nth, nth % 24);
            }
        }
        Step::PopFront(count) => {
            for (id, bytes) in model.drain(..count.min(len)) {
                assert_eq!(taken(list.pop_front()), Some((id, bytes)));
            }
        }
        Step::PopBack(count) => {
            for _ in 0..count {
                assert_eq!(taken(list.pop_back()), model.pop());
            }
        }
        Step::Insert(at, bytes) => insert(list, model, clock, at % (len + 1), bytes),
        Step::InsertBurst(at, count) => {
            for nth in 0..count {
                insert(list, model, clock, at % (len + 1), nth % 24);
            }
        }
        Step::Set(at, bytes) => {
            let bytes = element(clock.next(), bytes);
            let place = model.get_mut(at % len.max(1));
            let index = at % len.max(1);
            assert_eq!(list.set(index as i64, &bytes), place.is_some());
            if let Some(place) = place {
                place.1 = bytes;
            }
        }
        Step::Remove(at) => {
            let at = at % (len + 1);
            let expected = (at < len).then(|| model.remove(at));
            assert_eq!(taken(list.remove(at)), expected);
        }
        Step::RemoveSome(at, count) => {
            let at = at % (len + 1);
            for gone in model.drain(at..(at + count).min(len)) {
                assert_eq!(taken(list.remove(at)), Some(gone));
            }
        }
        Step::RemoveId(at) if list.has_ids && len > 0 => {
            let (id, element) = model.remove(at % len);
            let found = list.find_id(id, |other| other == element);
            let removed = found.and_then(|at| list.remove(at));
            assert_eq!(taken(removed), Some((id, element)));
            assert_eq!(list.find_id(id, |_| true), None);
        }
        Step::RemoveId(_) => assert_eq!(list.find_id(Stamp::from_raw(7), |_| true), None),
        Step::RemoveRange(from, count) => {
            let from = from % (len + 2);
            let to = from + count;
            let gone = list.remove_range(from, to);
            let end = to.min(len);
            let expected: Model = model.drain(from.min(end)..end).collect();
            check_shape(&gone);
            assert_eq!(as_model(&gone), expected);
            assert_eq!(gone.has_ids(), list.has_ids());
        }
        Step::Drop(limit) => {
            let dropped = list.drop_some(limit);
            assert!(dropped >= limit.min(len));
            assert!(dropped < limit + 512);
            model.truncate(len - dropped);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_list_is_that_of_a_vector(
        fill in prop_oneof![Just(-1_i64), Just(-2), Just(1), Just(2), Just(5), Just(128)],
        has_ids: bool,
        filled in 0_usize..4_000,
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let fill = Fill::new(fill);
        let mut list = if has_ids { List::with_ids(fill) } else { List::new(fill) };
        let (mut model, mut clock) = (Model::new(), Clock { time: 1 << 50, count: 0 });
        carry_out(&mut list, &mut model, &mut clock, Step::Burst(filled));
        for step in steps {
            carry_out(&mut list, &mut model, &mut clock, step);
            check_shape(&list);
            assert_eq!(list.len(), model.len());
        }
        check(&list, &model);
        // Nothing is left of a list that is gone.
        let mut copy = list.clone();
        check(&copy, &model);
        for list in [&mut list, &mut copy] {
            while list.drop_some(100) > 0 {}
            prop_assert_eq!((list.len_bytes(), list.nodes()), (0, 0));
        }
    }
}

#[test]
fn of_two_elements_of_one_id_the_one_that_is_meant_is_found() {
    for len in [2_usize, 40, 1_000] {
        let mut list = List::with_ids(Fill::new(7));
        for number in 0..len as u64 {
            list.push_back(Stamp::from_raw(number), number.to_string().as_bytes());
        }
        for (one, two) in [
            (0, 1),
            (0, len - 1),
            (len / 2, len / 2 + 1),
            (len - 2, len - 1),
        ] {
            let mut list = list.clone();
            let twice = Stamp::from_raw(5_000);
            for (place, element) in [(one, b"one"), (two, b"two")] {
                list.insert(place, twice, element);
            }
            for (place, element) in [(one, b"one"), (two, b"two")] {
                assert_eq!(list.find_id(twice, |other| other == element), Some(place));
            }
            assert_eq!(list.find_id(twice, |other| other == b"other"), None);
        }
    }
}
