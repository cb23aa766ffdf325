//! The lists family against replies recorded from Redis 7.0.15, and what its commands record.

use crate::commands::effects::Effect;
use crate::commands::world::World;
use crate::db::Op;
use crate::db::op::End;

/// A command in each line, ` => ` and its reply with blanks for line ends. Words are separated by blanks.
const REPLIES: &str = include_str!("tests/replies_7_0_15.txt");

#[test]
fn replies_are_those_of_redis_with_stamps_and_without() {
    for (stamped, partitions) in [(false, 1), (false, 4), (true, 1), (true, 4)] {
        let mut world = World::new(stamped, partitions);
        for line in REPLIES.lines() {
            let (command, expected) = line.split_once(" => ").unwrap();
            let reply = world.run(command).replace("\r\n", " ");
            assert_eq!(reply.trim_end(), expected, "{command}");
        }
    }
}

/// What a command records, each effect by its key and kind.
fn recorded(world: &mut World, line: &str) -> Vec<String> {
    let mut seen = Vec::new();
    world.run_with_effects(line, |effects| {
        for effect in effects {
            let Effect::Key { key, op, .. } = effect else {
                panic!("of keys alone");
            };
            let what = match op {
                Op::Push(End::Head, names) => format!("lpush {}", names.len()),
                Op::Push(End::Tail, names) => format!("rpush {}", names.len()),
                Op::ListRemove(names) => format!("remove {}", names.iter().count()),
                Op::ListSet(_, element) => format!("set {}", element.escape_ascii()),
                Op::ListInsert(beside, element) => {
                    format!("insert {} at {}", element.escape_ascii(), beside.position)
                }
                _ => format!("{op:?}"),
            };
            seen.push(format!("{} {what}", key.escape_ascii()));
        }
    });
    seen
}

#[test]
fn elements_are_recorded_by_their_names_and_nothing_that_did_not_happen() {
    let world = &mut World::new(true, 4);
    for (line, expected) in [
        ("RPUSH l a b c d", &["l rpush 4"][..]),
        ("LPUSH l x", &["l lpush 1"]),
        ("LPUSHX none x", &[]),
        ("LPOP l 2", &["l remove 2"]),
        ("LPOP l 0", &[]),
        ("LSET l 0 B", &["l set B"]),
        ("LINSERT l AFTER B b", &["l insert b at 1"]),
        ("LINSERT l AFTER nothing b", &[]),
        ("LREM l 0 b", &["l remove 1"]),
        ("LREM l 0 b", &[]),
        ("LTRIM l 0 -1", &[]),
        ("LMOVE l m LEFT RIGHT", &["m rpush 1", "l remove 1"]),
        ("LTRIM l 1 0", &["l remove 2"]),
        ("EXISTS l", &[]),
        ("LMPOP 2 l m LEFT", &["m remove 1"]),
    ] {
        assert_eq!(recorded(world, line), expected, "{line}");
    }
}

#[test]
fn a_list_is_small_as_long_as_it_fits_into_one_node() {
    let world = &mut World::new(false, 1);
    world.run("RPUSH l a");
    assert_eq!(world.run("OBJECT ENCODING l"), "$8\r\nlistpack\r\n");
    for nth in 0..1_000 {
        world.run(&format!("RPUSH l element:{nth}"));
    }
    assert_eq!(world.run("OBJECT ENCODING l"), "$9\r\nquicklist\r\n");
    assert_eq!(
        world.run("LRANGE l 1000 -1"),
        "*1\r\n$11\r\nelement:999\r\n"
    );
}
