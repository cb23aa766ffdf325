//! What the strings family records: one effect per change, none where nothing changes, options resolved.

use crate::commands::effects::Effect;
use crate::commands::world::{START, World};
use crate::db::{Expiry, Op, UnixMillis};

/// Runs a command in a world of stamps and compares what it did to its keys.
#[track_caller]
fn records(world: &mut World, line: &str, expected: &[(&str, Op<'_>)]) {
    world.run_with_effects(line, |effects| {
        let expected: Vec<_> = expected
            .iter()
            .map(|(key, op)| Effect::Key {
                db: 0,
                key: key.as_bytes(),
                op: *op,
            })
            .collect();
        assert_eq!(effects, expected, "{line}");
    });
}

fn after(milliseconds: i64) -> UnixMillis {
    UnixMillis(START.0 + milliseconds)
}

#[test]
fn set_records_its_value_and_an_absolute_deadline() {
    let world = &mut World::new(true, 4);
    records(world, "SET k v", &[("k", Op::Set(b"v", Expiry::Clear))]);
    records(
        world,
        "SET k v EX 10",
        &[("k", Op::Set(b"v", Expiry::At(after(10_000))))],
    );
    records(
        world,
        "PSETEX k 7 v",
        &[("k", Op::Set(b"v", Expiry::At(after(7))))],
    );
    records(
        world,
        "SET k w KEEPTTL GET",
        &[("k", Op::Set(b"w", Expiry::Keep))],
    );
    records(world, "SET k w NX", &[]);
    records(world, "SET n w XX GET", &[]);
    records(world, "SETNX k w", &[]);
    records(
        world,
        "MSET a 1 b 2",
        &[
            ("a", Op::Set(b"1", Expiry::Clear)),
            ("b", Op::Set(b"2", Expiry::Clear)),
        ],
    );
    records(world, "MSETNX x 1 a 2", &[]);
    records(world, "GETSET a 3", &[("a", Op::Set(b"3", Expiry::Clear))]);
}

#[test]
fn getdel_and_getex_record_what_changes() {
    let world = &mut World::new(true, 4);
    records(world, "GETDEL k", &[]);
    records(world, "GETEX k EX 10", &[]);
    world.run("SET k v");
    records(world, "GETEX k", &[]);
    records(world, "GETEX k PERSIST", &[]);
    records(
        world,
        "GETEX k PX 10",
        &[("k", Op::Expire(Some(after(10))))],
    );
    records(world, "GETEX k PX 10", &[]);
    records(world, "GETEX k EX 0", &[]);
    records(world, "GETEX k PERSIST", &[("k", Op::Expire(None))]);
    records(world, "GETEX k PXAT 1", &[("k", Op::Del)]);
    world.run("SET k v");
    records(world, "GETDEL k", &[("k", Op::Del)]);
}

#[test]
fn numbers_record_differences() {
    let world = &mut World::new(true, 4);
    records(world, "INCR n", &[("n", Op::Incr(1))]);
    records(world, "DECRBY n 7", &[("n", Op::Incr(-7))]);
    records(world, "INCRBY n 0", &[]);
    records(world, "INCRBY absent 0", &[("absent", Op::Incr(0))]);
    records(world, "INCRBY n 9223372036854775807x", &[]);
    records(
        world,
        "INCRBYFLOAT n 1e1",
        &[("n", Op::IncrByFloat(b"1e1"))],
    );
    records(world, "INCRBYFLOAT n 0", &[]);
    records(world, "INCRBYFLOAT n inf", &[]);
    world.run("SET n 9223372036854775807");
    records(world, "INCR n", &[]);
}

#[test]
fn parts_record_what_is_added() {
    let world = &mut World::new(true, 4);
    records(world, "APPEND k \"\"", &[("k", Op::Append(b""))]);
    records(world, "APPEND k \"\"", &[]);
    records(world, "APPEND k ab", &[("k", Op::Append(b"ab"))]);
    records(world, "SETRANGE k 5 \"\"", &[]);
    records(world, "SETRANGE k 5 z", &[("k", Op::SetRange(5, b"z"))]);
    records(world, "SETRANGE k 536870912 z", &[]);
}

#[test]
fn only_reads_count_as_hits_and_misses() {
    let mut world = World::new(false, 4);
    world.run("SET a 1");
    for (line, hits) in [
        ("GET a", (1, 0)),
        ("GET b", (1, 1)),
        ("MGET a b", (2, 2)),
        ("INCR a", (2, 2)),
        ("SET a 1 NX", (2, 2)),
        ("SET a 1 GET", (3, 2)),
        ("EXISTS a b", (4, 3)),
        ("TTL a", (5, 3)),
        ("DEL a b", (5, 3)),
        ("GETEX a", (5, 4)),
    ] {
        world.run(line);
        assert_eq!(world.hits(), hits, "{line}");
    }
}
