//! Every key that is there during a whole scan is returned, whatever else happens meanwhile.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::commands::scan::parse_cursor;
use crate::commands::world::World;

/// The cursor and the keys of a SCAN reply.
fn page(reply: &str) -> (String, Vec<String>) {
    let mut lines = reply.split("\r\n");
    assert_eq!(lines.next(), Some("*2"));
    let bulk = |lines: &mut std::str::Split<'_, &str>| {
        assert!(lines.next().unwrap().starts_with('$'));
        lines.next().unwrap().to_owned()
    };
    let cursor = bulk(&mut lines);
    let count: usize = lines.next().unwrap()[1..].parse().unwrap();
    let keys = (0..count).map(|_| bulk(&mut lines)).collect();
    (cursor, keys)
}

/// Scans to the end; `meanwhile` runs between the calls. Returns all keys and the largest page.
fn scan_all(
    world: &mut World,
    options: &str,
    mut meanwhile: impl FnMut(&mut World),
) -> (Vec<String>, usize) {
    let (mut cursor, mut all, mut largest) = ("0".to_owned(), Vec::new(), 0);
    for _ in 0..1_000_000 {
        let (next, keys) = page(&world.run(&format!("SCAN {cursor} {options}")));
        largest = largest.max(keys.len());
        all.extend(keys);
        if next == "0" {
            return (all, largest);
        }
        cursor = next;
        meanwhile(world);
    }
    panic!("the scan does not end");
}

fn fill(world: &mut World, keys: std::ops::Range<u32>) {
    for key in keys {
        world.run(&format!("SET key:{key} v"));
    }
}

#[test]
fn a_scan_returns_each_key_once_and_pages_keep_to_count() {
    for partitions in [1, 4] {
        let mut world = World::new(false, partitions);
        fill(&mut world, 0..3_000);
        for (options, page_max) in [("", 10), ("COUNT 1", 1), ("COUNT 700", 700)] {
            let (keys, largest) = scan_all(&mut world, options, |_| ());
            assert_eq!(keys.len(), 3_000, "{options}");
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 3_000);
            assert_eq!(largest, page_max, "{options}");
        }
        let (_, largest) = scan_all(&mut world, "COUNT 9223372036854775807", |_| ());
        assert!(largest >= 3_000 / partitions / 2);
    }
}

#[test]
fn match_and_type_filter_what_a_scan_returns() {
    let mut world = World::new(true, 4);
    fill(&mut world, 0..300);
    world.run("SET gone v PX 1");
    world.run("SET key:7 v PX 1");
    world.run("DEL key:8");
    world.advance(5);
    let mut matching = |options: &str| scan_all(&mut world, options, |_| ()).0.len();
    assert_eq!(matching(""), 298);
    assert_eq!(matching("MATCH *"), 298);
    assert_eq!(matching("MATCH key:1?"), 10);
    assert_eq!(matching("MATCH nothing*"), 0);
    assert_eq!(matching("TYPE string COUNT 50"), 298);
    assert_eq!(matching("TYPE StrinG MATCH key:2??"), 100);
    assert_eq!(matching("TYPE list"), 0);
    assert_eq!(matching("type zset match key:1? count 5 match key:*"), 0);
}

#[test]
fn an_emptied_table_is_walked_in_bounded_steps() {
    let mut world = World::new(false, 1);
    fill(&mut world, 0..20_000);
    for key in 0..20_000 {
        world.run(&format!("DEL key:{key}"));
    }
    world.run("SET last v");
    let mut calls = 0;
    let (keys, _) = scan_all(&mut world, "", |_| calls += 1);
    assert_eq!(keys, ["last"]);
    assert!(calls <= 1, "{calls}");
}

#[test]
fn keys_dbsize_and_randomkey_see_all_partitions() {
    let mut world = World::new(false, 8);
    fill(&mut world, 0..100);
    assert_eq!(world.run("DBSIZE"), ":100\r\n");
    assert!(world.run("KEYS *").starts_with("*100\r\n"));
    assert!(world.run("KEYS key:?").starts_with("*10\r\n"));
    assert!(world.run("KEYS [k]ey:1[0-4]").starts_with("*5\r\n"));
    assert_eq!(world.run("KEYS *x*"), "*0\r\n");
    let picked: BTreeSet<_> = (0..2_000).map(|_| world.run("RANDOMKEY")).collect();
    assert!(picked.len() > 90, "{}", picked.len());
}

#[test]
fn randomkey_finds_the_only_key_that_has_not_expired() {
    let mut world = World::new(true, 4);
    for key in 0..2_000 {
        world.run(&format!("SET key:{key} v PX 1"));
    }
    world.run("SET live v");
    world.advance(10);
    assert_eq!(world.run("RANDOMKEY"), "$4\r\nlive\r\n");
    world.run("DEL live");
    assert_eq!(world.run("RANDOMKEY"), "$-1\r\n");
}

#[test]
fn an_empty_key_is_scanned_too() {
    let mut world = World::new(false, 4);
    world.run("SET \"\" v");
    assert_eq!(world.run("KEYS *"), "*1\r\n$0\r\n\r\n");
    assert_eq!(scan_all(&mut world, "MATCH *", |_| ()).0, [""]);
}

#[test]
fn cursors_are_read_as_c_reads_them() {
    for (text, cursor) in [
        ("", Some(0)),
        ("0", Some(0)),
        ("007", Some(7)),
        ("+7", Some(7)),
        ("-1", Some(u64::MAX)),
        ("18446744073709551615", Some(u64::MAX)),
        ("000000000000000000000000000001", Some(1)),
        ("1\x00x", Some(1)),
        ("18446744073709551616", None),
        ("+", None),
        ("-", None),
        ("--1", None),
        (" 1", None),
        ("1 ", None),
        ("0x1", None),
    ] {
        assert_eq!(parse_cursor(text.as_bytes()), cursor, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn keys_that_stay_are_returned_while_others_come_and_go(
        partitions in prop::sample::select(vec![1usize, 2, 8]),
        stamped: bool,
        steps in prop::collection::vec((0u32..4, 0u32..6_000, 1u32..900), 1..40),
        count in 1u32..400,
    ) {
        let mut world = World::new(stamped, partitions);
        fill(&mut world, 100_000..101_200);
        let mut steps = steps.into_iter();
        let (keys, _) = scan_all(&mut world, &format!("COUNT {count}"), |world| {
            let Some((kind, from, len)) = steps.next() else { return };
            for key in from..from + len {
                match kind {
                    0 | 1 => world.run(&format!("SET key:{key} v")),
                    2 => world.run(&format!("DEL key:{key}")),
                    _ => world.run(&format!("PEXPIRE key:{key} 1")),
                };
            }
            world.advance(1);
            if kind == 3 {
                world.settle();
            }
        });
        let seen: BTreeSet<_> = keys.iter().map(String::as_str).collect();
        for key in 100_000..101_200 {
            let name = format!("key:{key}");
            prop_assert!(seen.contains(name.as_str()), "{}", name);
        }
    }

    #[test]
    fn any_cursor_is_survived_and_leads_to_an_end(cursor: u64, partitions in prop::sample::select(vec![1usize, 16])) {
        let mut world = World::new(false, partitions);
        fill(&mut world, 0..50);
        let (mut cursor, mut calls) = (cursor.to_string(), 0);
        loop {
            cursor = page(&world.run(&format!("SCAN {cursor}"))).0;
            calls += 1;
            prop_assert!(calls < 200);
            if cursor == "0" {
                break;
            }
        }
    }
}
