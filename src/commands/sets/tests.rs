//! The sets family against replies of Redis, and what its commands record.

use std::collections::BTreeSet;

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::Op;
use crate::db::op::{Content, Kind, Names};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[track_caller]
fn records(world: &mut World, line: &str, expected: &[Op<'_>]) {
    world.run_with_effects(line, |effects| {
        let ops: Vec<Op<'_>> = effects
            .iter()
            .map(|effect| match effect {
                Effect::Key { op, .. } => *op,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ops, expected, "{line}");
    });
}

/// The members in a reply whose members begin with `m`.
fn members(reply: &str) -> BTreeSet<String> {
    let lines = reply.split("\r\n").filter(|line| line.starts_with('m'));
    lines.map(str::to_owned).collect()
}

#[test]
fn members_come_and_go() {
    check(&[
        ("SADD s 3 1 2 1", ":3\r\n"),
        ("SADD s 1 4", ":1\r\n"),
        ("SADD s 1 4", ":0\r\n"),
        (
            "SMEMBERS s",
            "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n",
        ),
        ("OBJECT ENCODING s", "$6\r\nintset\r\n"),
        ("SISMEMBER s 1", ":1\r\n"),
        ("SISMEMBER s 01", ":0\r\n"),
        ("SMISMEMBER s 1 x 4", "*3\r\n:1\r\n:0\r\n:1\r\n"),
        ("SMISMEMBER none 1 x", "*2\r\n:0\r\n:0\r\n"),
        ("SCARD s", ":4\r\n"),
        ("SCARD none", ":0\r\n"),
        ("SREM s 1 x 1 2", ":2\r\n"),
        ("SREM none 1", ":0\r\n"),
        ("SREM s 3 4", ":2\r\n"),
        ("EXISTS s", ":0\r\n"),
        ("SMEMBERS s", "*0\r\n"),
        ("@resp3", ""),
        ("SMEMBERS s", "~0\r\n"),
        ("SPOP s", "_\r\n"),
        ("SPOP s 1", "~0\r\n"),
        ("SRANDMEMBER s 1", "*0\r\n"),
        ("SINTER s", "~0\r\n"),
    ]);
}

#[test]
fn other_types_are_refused() {
    let mut script = vec![("SET x 1", "+OK\r\n"), ("SADD s 1", ":1\r\n")];
    for line in [
        "SADD x 1",
        "SREM x 1",
        "SISMEMBER x 1",
        "SMISMEMBER x 1",
        "SCARD x",
        "SMEMBERS x",
        "SPOP x",
        "SPOP x 1",
        "SRANDMEMBER x",
        "SRANDMEMBER x 1",
        "SMOVE x s 1",
        "SMOVE s x 1",
        "SINTER s none x",
        "SINTERCARD 3 s none x",
        "SUNION s x",
        "SDIFF none x",
        "SINTERSTORE d s x",
        "SUNIONSTORE d s x",
        "SDIFFSTORE d s x",
        "SSCAN x 0",
    ] {
        script.push((line, WRONG_TYPE));
    }
    script.push(("SMOVE none x 1", ":0\r\n"));
    script.push(("SUNIONSTORE x s", ":1\r\n"));
    script.push(("TYPE x", "+set\r\n"));
    check(&script);
}

#[test]
fn members_move_between_sets() {
    check(&[
        ("SADD a 1 2", ":2\r\n"),
        ("SADD b 2", ":1\r\n"),
        ("SMOVE a b 9", ":0\r\n"),
        ("SMOVE a a 1", ":1\r\n"),
        ("SMOVE a a 9", ":0\r\n"),
        ("SMOVE a b 1", ":1\r\n"),
        ("SMOVE a b 2", ":1\r\n"),
        ("EXISTS a", ":0\r\n"),
        ("SMEMBERS b", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
        ("SMOVE b a 1", ":1\r\n"),
        ("SMEMBERS a", "*1\r\n$1\r\n1\r\n"),
    ]);
}

#[test]
fn members_are_popped_and_drawn() {
    check(&[
        ("SPOP s", "$-1\r\n"),
        ("SPOP s 3", "*0\r\n"),
        ("SPOP s 1 2", "-ERR syntax error\r\n"),
        (
            "SPOP s -1",
            "-ERR value is out of range, must be positive\r\n",
        ),
        (
            "SPOP s x",
            "-ERR value is out of range, must be positive\r\n",
        ),
        ("SADD s 1", ":1\r\n"),
        ("SRANDMEMBER s", "$1\r\n1\r\n"),
        ("SRANDMEMBER s 0", "*0\r\n"),
        ("SRANDMEMBER s 9", "*1\r\n$1\r\n1\r\n"),
        ("SRANDMEMBER s -2", "*2\r\n$1\r\n1\r\n$1\r\n1\r\n"),
        ("SRANDMEMBER s 1 1", "-ERR syntax error\r\n"),
        ("SPOP s 0", "*0\r\n"),
        ("SPOP s", "$1\r\n1\r\n"),
        ("EXISTS s", ":0\r\n"),
        ("SADD s 1 2", ":2\r\n"),
        ("SPOP s 2", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
        ("EXISTS s", ":0\r\n"),
    ]);
}

#[test]
fn sets_are_combined() {
    check(&[
        ("SADD a 1 2 3 4", ":4\r\n"),
        ("SADD b 2 3 9", ":3\r\n"),
        ("SADD c 3", ":1\r\n"),
        ("SINTER a b", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n"),
        ("SINTER a b c", "*1\r\n$1\r\n3\r\n"),
        ("SINTER a none", "*0\r\n"),
        ("SUNION c b none", "*3\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n9\r\n"),
        ("SDIFF a b", "*2\r\n$1\r\n1\r\n$1\r\n4\r\n"),
        (
            "SDIFF a c c c c c c c",
            "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n4\r\n",
        ),
        ("SDIFF none a", "*0\r\n"),
        ("SDIFF a a", "*0\r\n"),
        ("SINTERCARD 2 a b", ":2\r\n"),
        ("SINTERCARD 2 a b LIMIT 1", ":1\r\n"),
        ("SINTERCARD 2 a b LIMIT 1 limit 0", ":2\r\n"),
        (
            "SINTERCARD 0 a",
            "-ERR numkeys should be greater than 0\r\n",
        ),
        (
            "SINTERCARD 3 a b",
            "-ERR Number of keys can't be greater than number of args\r\n",
        ),
        (
            "SINTERCARD 1 a LIMIT -1",
            "-ERR LIMIT can't be negative\r\n",
        ),
        ("SINTERCARD 1 a LIMIT", "-ERR syntax error\r\n"),
        ("SINTERCARD 1 a b", "-ERR syntax error\r\n"),
        ("SET d text EX 100", "+OK\r\n"),
        ("SINTERSTORE d a b", ":2\r\n"),
        ("TTL d", ":-1\r\n"),
        ("SMEMBERS d", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n"),
        ("SUNIONSTORE a a b", ":5\r\n"),
        ("SCARD a", ":5\r\n"),
        ("SDIFFSTORE a a b", ":2\r\n"),
        ("SMEMBERS a", "*2\r\n$1\r\n1\r\n$1\r\n4\r\n"),
        ("SDIFFSTORE a a a", ":0\r\n"),
        ("EXISTS a", ":0\r\n"),
        ("SINTERSTORE a none", ":0\r\n"),
        ("@resp3", ""),
        ("SUNION c", "~1\r\n$1\r\n3\r\n"),
    ]);
}

#[test]
fn effects_say_what_was_done() {
    let world = &mut World::new(true, 4);
    let one = Names::of(b"\x01a", 1);
    records(world, "SADD s a", &[Op::SAdd(one)]);
    // Elsewhere it may have been removed.
    records(world, "SADD s a", &[Op::SAdd(one)]);
    records(world, "SREM s x a y", &[Op::Remove(Kind::Set, one)]);
    records(world, "SREM s a", &[]);
    world.run("SADD s a");
    records(
        world,
        "SMOVE s t a",
        &[Op::Remove(Kind::Set, one), Op::SAdd(one)],
    );
    world.run("SADD s a");
    records(
        world,
        "SMOVE s t a",
        &[Op::Remove(Kind::Set, one), Op::SAdd(one)],
    );
    records(world, "SMOVE t t a", &[]);
    records(world, "SPOP t", &[Op::Remove(Kind::Set, one)]);
    records(world, "SPOP t", &[]);
    world.run("SADD s a");
    records(
        world,
        "SUNIONSTORE d s",
        &[Op::Put(Content::of(b"\x02\x01a"), None)],
    );
    records(world, "SDIFFSTORE d s d", &[Op::Del]);
    records(world, "SDIFFSTORE d s s", &[]);
    records(world, "SPOP s 5", &[Op::Del]);
}

#[test]
fn what_is_popped_is_what_goes() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 1);
        let all: BTreeSet<String> = (0..3_000).map(|nth| format!("m{nth}")).collect();
        for member in &all {
            world.run(&format!("SADD s {member}"));
        }
        let mut popped = BTreeSet::new();
        for count in [1, 5, 1_500, 100, 2] {
            let now = members(&world.run(&format!("SPOP s {count}")));
            assert_eq!(now.len(), count);
            assert!(now.is_disjoint(&popped));
            popped.extend(now);
        }
        popped.extend(members(&world.run("SPOP s")));
        let mut left = members(&world.run("SMEMBERS s"));
        assert_eq!(left.len(), 3_000 - popped.len());
        left.append(&mut popped);
        assert_eq!(left, all);
    }
}

#[test]
fn members_of_large_and_small_sets_are_combined_alike() {
    let mut world = World::new(false, 4);
    for nth in 0..600 {
        world.run(&format!("SADD large m{nth}"));
        if nth % 2 == 0 {
            world.run(&format!("SADD half m{nth}"));
        }
    }
    world.run("SADD few m1 m2 m4 mx");
    let few: BTreeSet<String> = ["m1", "m2", "m4"].map(str::to_owned).into();
    assert_eq!(members(&world.run("SINTER large few")), few);
    let even: BTreeSet<String> = ["m2", "m4"].map(str::to_owned).into();
    assert_eq!(members(&world.run("SINTER large few half")), even);
    assert_eq!(members(&world.run("SDIFF large half")).len(), 300);
    assert_eq!(
        members(&world.run("SDIFF large half few few few")).len(),
        299
    );
    assert_eq!(members(&world.run("SDIFF few large")).len(), 1);
    assert_eq!(members(&world.run("SUNION few half large")).len(), 601);
    assert_eq!(world.run("SUNIONSTORE d few large"), ":601\r\n");
    assert_eq!(world.run("SINTERCARD 3 d large half"), ":300\r\n");
}
