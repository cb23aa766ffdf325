//! The memory of lists is what it is said to be, and little of them moves.

use super::*;
use crate::db::list::strip::MOVED;

fn next(random: u64) -> u64 {
    random
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1)
}

#[test]
fn a_million_elements_of_16_bytes_take_little_more_than_themselves() {
    for (has_ids, most) in [(false, 21), (true, 25)] {
        let mut list = if has_ids {
            List::with_ids(Fill::default())
        } else {
            List::new(Fill::default())
        };
        let mut time = 1 << 50;
        for number in 0..1_000_000_u64 {
            // Bursts of ten some milliseconds apart, and now and then from elsewhere.
            time += if number % 10 == 0 { 7 << 12 } else { 1 };
            let id = Stamp::new(Hlc::from_raw(time), OriginIndex((number / 10 % 3) as u16));
            list.push_back(id, format!("{number:016}").as_bytes());
            if number > 10_000 && number.is_multiple_of(10_000) {
                let each = list.len_bytes() as u64 / (number + 1);
                assert!(each < most, "{each}");
            }
        }
        check_shape(&list);
        assert!(
            list.len_bytes() <= 1_000_000 * most as usize,
            "{}",
            list.len_bytes()
        );
        // As a queue it takes no more than what is in it.
        for number in 0..990_000_u64 {
            let (_, element) = list.pop_front().unwrap();
            assert_eq!(&element[..], format!("{number:016}").as_bytes());
        }
        let len_bytes = list.len_bytes();
        assert!(
            len_bytes <= 10_000 * most as usize + 16 * 1024,
            "{len_bytes}"
        );
        check_shape(&list);
    }
}

/// Bytes of ids and of all, for each element, of a list whose pushes are so many milliseconds apart.
fn bytes_of_ids(apart_ms: u64, burst: u64, origins: u64, at_head: bool) -> f64 {
    let count = 100_000;
    let mut lists = [List::new(Fill::default()), List::with_ids(Fill::default())];
    let (mut time, mut random) = (1_u64 << 50, 1_u64);
    for number in 0..count {
        random = next(random);
        // Other commands take stamps of the same millisecond, too.
        time = if number % burst == 0 {
            ((time >> 12) + apart_ms) << 12 | random >> 33 & 0xff
        } else {
            time + 1
        };
        let id = Stamp::new(
            Hlc::from_raw(time),
            OriginIndex((number / burst % origins) as u16 + 1),
        );
        for list in &mut lists {
            if at_head {
                list.push_front(id, &[b'e'; 16]);
            } else {
                list.push_back(id, &[b'e'; 16]);
            }
        }
    }
    let [without, with] = lists.map(|list| list.len_bytes() as f64);
    (with - without) / count as f64
}

#[test]
fn ids_take_four_bytes_at_most_in_ordinary_use() {
    for at_head in [false, true] {
        let bursts = bytes_of_ids(5, 100, 1, at_head);
        assert!(bursts < 1.5, "{bursts}");
        let single = bytes_of_ids(5, 1, 1, at_head);
        assert!(single < 3.5, "{single}");
        let several = bytes_of_ids(5, 4, 3, at_head);
        assert!(several < 2.5, "{several}");
        // Fields of nodes come on top of four bytes here.
        let dearest = bytes_of_ids(20, 1, 3, at_head);
        assert!(dearest < 4.3, "{dearest}");
    }
}

#[test]
fn no_operation_in_the_middle_moves_more_than_two_nodes() {
    // 8 KiB of elements, and some more of ids.
    let most = 2 * 10 * 1024;
    let mut list = List::with_ids(Fill::default());
    let mut clock = Clock {
        time: 1 << 50,
        count: 0,
    };
    for _ in 0..400_000 {
        let id = clock.next();
        list.push_back(id, &element(id, 16));
    }
    let (mut random, mut sum) = (1_u64, 0);
    for nth in 0..30_000_usize {
        random = next(random);
        let at = (random >> 33) as usize % list.len();
        let count = [20, 600, 3_000][usize::from(nth % 128 == 5) + usize::from(nth % 512 == 5)];
        let id = clock.next();
        MOVED.set(0);
        match nth % 8 {
            0..3 => assert!(list.insert(at, id, &element(id, 16))),
            3 => assert!(list.insert(at, id, &[1; 3_000])),
            4 => assert!(list.set(at as i64, &element(id, nth % 300))),
            5 => assert!(!list.remove_range(at, at + count).is_empty()),
            _ => assert!(list.remove(at).is_some()),
        }
        assert!(MOVED.get() <= most, "{nth} {}", MOVED.get());
        sum += MOVED.get();
    }
    assert!(sum / 30_000 < 4 * 1024, "{sum}");
    check_shape(&list);
    // At the ends hardly anything moves.
    MOVED.set(0);
    for nth in 0..20_000 {
        let id = clock.next();
        match nth % 4 {
            0 => list.push_front(id, &[2; 16]),
            1 => list.push_back(id, &[2; 16]),
            2 => assert!(list.pop_front().is_some()),
            _ => assert!(list.pop_back().is_some()),
        }
    }
    assert!(MOVED.get() < 20_000 * 64, "{}", MOVED.get());
}

#[test]
fn a_long_element_is_alone_and_goes_without_a_trace() {
    let mut list = List::new(Fill::default());
    for number in 0..600_u64 {
        list.push_back(Stamp::ZERO, &number.to_le_bytes());
    }
    let (nodes, long) = (list.nodes(), vec![7; 100_000]);
    assert!(list.insert(300, Stamp::ZERO, &long));
    assert_eq!(list.get(300), Some(&long[..]));
    assert_eq!(list.nodes(), nodes + 2);
    let (_, taken) = list.remove(300).unwrap();
    assert_eq!(&taken[..], &long[..]);
    assert!(list.set(300, &long));
    assert!(list.set(300, b"short"));
    assert_eq!(list.get(300), Some(&b"short"[..]));
    check_shape(&list);
    assert!(list.len_bytes() < 600 * 12 + 2_000, "{}", list.len_bytes());
    assert!(!list.insert(601, Stamp::ZERO, b"beyond"));
    assert!(!list.set(600, b"beyond"));
}

#[test]
fn a_short_list_is_small() {
    let mut list = List::new(Fill::default());
    list.push_back(Stamp::ZERO, b"one");
    // Of them 24 for the count of who shares a node.
    assert!(list.len_bytes() < 150, "{}", list.len_bytes());
}
