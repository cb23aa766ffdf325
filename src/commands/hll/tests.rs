//! PFADD and its kin, replies recorded from Redis 7.0.15.

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::hll::{Adds, Merge};
use crate::db::{Op, hll};

#[test]
fn elements_are_added_counted_and_merged() {
    check(&[
        ("PFCOUNT n", ":0\r\n"),
        ("PFADD h", ":1\r\n"),
        ("PFADD h", ":0\r\n"),
        ("STRLEN h", ":18\r\n"),
        ("PFDEBUG DECODE h", "$7\r\nZ:16384\r\n"),
        ("PFCOUNT h", ":0\r\n"),
        ("PFADD h a b c", ":1\r\n"),
        ("PFADD h a", ":0\r\n"),
        ("STRLEN h", ":27\r\n"),
        (
            "PFDEBUG DECODE h",
            "$44\r\nZ:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\r\n",
        ),
        ("PFCOUNT h", ":3\r\n"),
        ("PFCOUNT h n", ":3\r\n"),
        ("PFADD g c d e", ":1\r\n"),
        ("PFCOUNT h g", ":5\r\n"),
        ("PFMERGE m h g n", "+OK\r\n"),
        ("PFCOUNT m", ":5\r\n"),
        ("PFADD m a b c d e", ":0\r\n"),
        ("PFMERGE m", "+OK\r\n"),
        ("PFMERGE e", "+OK\r\n"),
        ("EXISTS e", ":1\r\n"),
        ("TYPE h", "+string\r\n"),
        ("PFADD h a b", ":0\r\n"),
    ]);
}

#[test]
fn one_form_becomes_the_other() {
    check(&[
        ("PFADD h a b c", ":1\r\n"),
        ("PFDEBUG ENCODING h", "+sparse\r\n"),
        ("PFDEBUG todense h", ":1\r\n"),
        ("PFDEBUG TODENSE h", ":0\r\n"),
        ("PFDEBUG ENCODING h", "+dense\r\n"),
        ("PFDEBUG DECODE h", "-ERR HLL encoding is not sparse\r\n"),
        ("STRLEN h", ":12304\r\n"),
        ("PFCOUNT h", ":3\r\n"),
        ("PFADD h c", ":0\r\n"),
        ("PFADD h d", ":1\r\n"),
        ("PFADD s e", ":1\r\n"),
        ("PFMERGE s h", "+OK\r\n"),
        ("PFDEBUG ENCODING s", "+dense\r\n"),
        ("PFCOUNT s", ":5\r\n"),
        ("PFSELFTEST", "+OK\r\n"),
    ]);
}

#[test]
fn all_registers_are_shown_and_the_value_is_dense_after_that() {
    let mut world = World::new(false, 1);
    world.run("PFADD h a b c");
    let reply = world.run("PFDEBUG GETREG h");
    assert!(reply.starts_with("*16384\r\n:0\r\n"));
    assert_eq!(reply.matches(":2\r\n").count(), 1);
    assert_eq!(world.run("PFDEBUG ENCODING h"), "+dense\r\n");
}

#[test]
fn what_is_no_sketch_is_refused() {
    const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
    const WRONG_TYPE: &str =
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected\r\n";
    check(&[
        ("SET s x", "+OK\r\n"),
        ("LPUSH l x", ":1\r\n"),
        ("PFADD h a", ":1\r\n"),
        ("PFADD s a", NOT_ONE),
        ("PFCOUNT s", NOT_ONE),
        ("PFCOUNT h s", NOT_ONE),
        ("PFMERGE d s", NOT_ONE),
        ("PFMERGE s h", NOT_ONE),
        ("PFADD l a", WRONG_TYPE),
        ("PFCOUNT l", WRONG_TYPE),
        ("PFMERGE d h l", WRONG_TYPE),
        ("PFDEBUG ENCODING l", WRONG_TYPE),
        ("PFDEBUG ENCODING s", NOT_ONE),
        ("PFDEBUG FOO n", "-ERR The specified key does not exist\r\n"),
        ("PFDEBUG foo h", "-ERR Unknown PFDEBUG subcommand 'foo'\r\n"),
        ("EXISTS d", ":0\r\n"),
        ("SET bad HYLL", "+OK\r\n"),
        ("SETRANGE bad 4 \"\\x01\"", ":5\r\n"),
        ("PFCOUNT bad", NOT_ONE),
        ("SETRANGE bad 15 \"\\x80\"", ":16\r\n"),
        ("APPEND bad \"\\x00\"", ":17\r\n"),
        ("PFCOUNT bad", CORRUPT),
        ("PFCOUNT bad h", CORRUPT),
        ("PFADD bad a", CORRUPT),
        ("PFMERGE d bad", CORRUPT),
        ("PFMERGE bad", CORRUPT),
        ("PFDEBUG GETREG bad", CORRUPT),
        ("PFDEBUG TODENSE bad", CORRUPT),
        ("PFDEBUG DECODE bad", "$3\r\nz:1\r\n"),
    ]);
}

#[test]
fn a_deadline_stays() {
    check(&[
        ("PFADD h a", ":1\r\n"),
        ("EXPIRE h 100", ":1\r\n"),
        ("PFADD h b", ":1\r\n"),
        ("PFCOUNT h", ":2\r\n"),
        ("PFMERGE h h", "+OK\r\n"),
        ("TTL h", ":100\r\n"),
    ]);
}

#[test]
fn an_estimate_is_written_down_where_keys_bear_no_stamps() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 1);
        world.run("PFADD h a b c");
        let is_stale = |world: &mut World| world.run("GETBIT h 120") == ":1\r\n";
        assert!(is_stale(&mut world));
        world.run("PFCOUNT h");
        assert_eq!(is_stale(&mut world), stamped);
        assert_eq!(world.run("PFCOUNT h"), ":3\r\n");
        world.run("PFADD h a");
        assert_eq!(is_stale(&mut world), stamped);
        world.run("PFADD h d");
        assert!(is_stale(&mut world));
    }
}

#[test]
fn registers_are_recorded_though_nothing_changes_here() {
    let mut world = World::new(true, 1);
    let mut adds = vec![0xb8, 0x17];
    hll::put_add(&mut adds, hll::place_of(b"a"));
    for reply in [":1\r\n", ":0\r\n"] {
        let got = world.run_with_effects("PFADD h a", |effects| {
            let op = Op::PfAdd(Adds::new(&adds).unwrap());
            assert_eq!(
                effects,
                [Effect::Key {
                    db: 0,
                    key: b"h",
                    op
                }]
            );
        });
        assert_eq!(got, reply);
    }
    let mut registers = hll::no_registers();
    let (index, count) = hll::place_of(b"a");
    registers[usize::from(index)] = count;
    let merge = hll::encode_merge(&registers, false, 3_000);
    world.run("PFADD d z");
    // Those of the destination stay its own.
    world.run_with_effects("PFMERGE d h", |effects| {
        let op = Op::PfMerge(Merge::new(&merge).unwrap());
        assert_eq!(
            effects,
            [Effect::Key {
                db: 0,
                key: b"d",
                op
            }]
        );
    });
    world.run_with_effects("PFCOUNT h", |effects| assert!(effects.is_empty()));
    world.run_with_effects("PFADD n", |effects| assert_eq!(effects.len(), 1));
}
