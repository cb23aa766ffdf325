//! Walks over collections that grow, shrink and change their form meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::world::World;

/// What one call came to: where to go on, and the words of the list.
fn step(world: &mut World, line: &str) -> (String, Vec<String>) {
    let reply = world.run(line);
    let mut words = reply
        .split("\r\n")
        .filter(|line| !line.is_empty() && !line.starts_with(['*', '$']))
        .map(str::to_owned);
    let cursor = words.next().unwrap();
    (cursor, words.collect())
}

/// Walks over the set `s`; `between` changes it. Says how often each member was returned, and how many came per call.
fn walk(
    world: &mut World,
    options: &str,
    mut between: impl FnMut(&mut World, usize),
) -> (BTreeMap<String, usize>, Vec<usize>) {
    let (mut times, mut lens) = (BTreeMap::new(), Vec::new());
    let mut cursor = "0".to_owned();
    loop {
        let (next, found) = step(world, &format!("SSCAN s {cursor} {options}"));
        lens.push(found.len());
        for member in found {
            *times.entry(member).or_default() += 1;
        }
        if next == "0" {
            return (times, lens);
        }
        assert!(
            next.parse::<u64>().unwrap() > cursor.parse().unwrap(),
            "walks go upwards"
        );
        cursor = next;
        between(world, lens.len());
    }
}

fn add(world: &mut World, prefix: &str, range: std::ops::Range<usize>) {
    for nth in range {
        world.run(&format!("SADD s {prefix}{nth}"));
    }
}

#[test]
fn a_large_set_that_rests_is_returned_once_in_steps_of_about_count() {
    let mut world = World::new(false, 1);
    add(&mut world, "m", 0..3_000);
    for (options, count) in [
        ("", 10),
        ("COUNT 1", 1),
        ("COUNT 700", 700),
        ("COUNT 5000", 5_000),
    ] {
        let (times, lens) = walk(&mut world, options, |_, _| ());
        assert_eq!(times.len(), 3_000);
        assert!(times.values().all(|times| *times == 1));
        let (_, steps) = lens.split_last().unwrap();
        assert!(
            steps.iter().all(|len| (count..count + 3).contains(len)),
            "{options}"
        );
    }
}

#[test]
fn what_stays_is_returned_at_least_once_while_the_set_grows() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 1);
        add(&mut world, "m", 0..1_000);
        let (times, _) = walk(&mut world, "COUNT 20", |world, nth| {
            add(world, "new", nth * 60..nth * 60 + 60);
        });
        let stayed = times.iter().filter(|(member, _)| member.starts_with('m'));
        assert_eq!(stayed.filter(|(_, times)| **times == 1).count(), 1_000);
    }
}

#[test]
fn what_stays_is_returned_at_least_once_while_the_set_shrinks() {
    let mut world = World::new(false, 1);
    add(&mut world, "gone", 0..6_000);
    add(&mut world, "m", 0..300);
    let (times, _) = walk(&mut world, "COUNT 20", |world, nth| {
        for gone in (nth - 1) * 100..nth * 100 {
            world.run(&format!("SREM s gone{gone}"));
        }
    });
    let stayed = times.keys().filter(|member| member.starts_with('m'));
    assert_eq!(stayed.count(), 300);
}

#[test]
fn a_walk_ends_with_all_of_a_set_that_is_small_by_then() {
    let mut world = World::new(false, 1);
    add(&mut world, "m", 0..500);
    let (times, lens) = walk(&mut world, "", |world, nth| {
        if nth == 3 {
            world.run("DEL s");
            add(world, "x", 0..5);
        }
    });
    assert_eq!(lens.len(), 4);
    assert_eq!(
        times
            .keys()
            .filter(|member| member.starts_with('x'))
            .count(),
        5
    );
}

#[test]
fn any_number_is_a_cursor_of_a_walk_that_ends() {
    let mut world = World::new(false, 1);
    add(&mut world, "m", 0..2_000);
    for from in [
        "1",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "-1",
    ] {
        let mut cursor = from.to_owned();
        for calls in 0.. {
            (cursor, _) = step(&mut world, &format!("SSCAN s {cursor} COUNT 100"));
            if cursor == "0" {
                break;
            }
            assert!(calls < 40);
        }
    }
}

#[test]
fn match_lets_through_what_fits_of_the_elements_looked_at() {
    let mut world = World::new(false, 1);
    add(&mut world, "m", 0..1_000);
    let (times, lens) = walk(&mut world, "MATCH m*7 COUNT 50", |_, _| ());
    let wanted: BTreeSet<String> = (0..100).map(|nth| format!("m{nth}7")).collect();
    let wanted: BTreeSet<String> = wanted
        .into_iter()
        .map(|member| member.replace("m0", "m"))
        .collect();
    assert_eq!(times.into_keys().collect::<BTreeSet<_>>(), wanted);
    assert!(lens.len() >= 18);
}

#[test]
fn hashes_and_sorted_sets_walk_alike() {
    let mut world = World::new(false, 1);
    for nth in 0..700 {
        world.run(&format!("HSET h f{nth} v{nth}"));
    }
    let (mut cursor, mut seen) = ("0".to_owned(), BTreeSet::new());
    loop {
        let (next, words) = step(&mut world, &format!("HSCAN h {cursor}"));
        for pair in words.chunks(2) {
            assert_eq!(pair[0].replace('f', "v"), pair[1]);
            assert!(seen.insert(pair[0].clone()));
        }
        if next == "0" {
            break;
        }
        cursor = next;
    }
    assert_eq!(seen.len(), 700);
    let (_, fields) = step(&mut world, "HSCAN h 0 NOVALUES COUNT 10");
    assert!(fields.iter().all(|field| field.starts_with('f')));
}
