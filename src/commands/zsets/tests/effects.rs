//! What the sorted sets family records: scores as they came to be, members that went, whole results.

use crate::commands::effects::Effect;
use crate::commands::world::World;
use crate::db::op::{Content, Kind, Names, Scores};
use crate::db::{Op, varint};

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

fn scores(members: &[(f64, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (score, member) in members {
        Scores::put(&mut bytes, *score, member.as_bytes());
    }
    bytes
}

#[track_caller]
fn adds(world: &mut World, line: &str, expected: &[(f64, &str)]) {
    let bytes = scores(expected);
    records(world, line, &[("z", Op::ZAdd(Scores::of(&bytes)))]);
}

#[track_caller]
fn removes(world: &mut World, line: &str, expected: &[&str]) {
    let mut bytes = Vec::new();
    for member in expected {
        varint::put_bytes(&mut bytes, member.as_bytes());
    }
    let names = Names::of(&bytes, expected.len());
    records(world, line, &[("z", Op::Remove(Kind::Zset, names))]);
}

#[test]
fn zadd_records_resolved_scores() {
    let world = &mut World::new(true, 4);
    adds(world, "ZADD z 1 a 2 b", &[(1.0, "a"), (2.0, "b")]);
    adds(world, "ZADD z 1 a", &[(1.0, "a")]);
    adds(world, "ZADD z NX 5 a 3 c", &[(3.0, "c")]);
    adds(world, "ZADD z XX 5 a 3 d", &[(5.0, "a")]);
    adds(world, "ZADD z XX CH 5 a", &[(5.0, "a")]);
    adds(world, "ZADD z GT 4 a 4 b 3 b", &[(4.0, "b")]);
    records(world, "ZADD z NX 5 a", &[]);
    records(world, "ZADD z LT 6 a", &[]);
    records(world, "ZADD z LT 5 a", &[]);
    records(world, "ZADD z XX 1 new", &[]);
    records(world, "ZADD z 1 a x b", &[]);
}

#[test]
fn increments_record_differences() {
    let world = &mut World::new(true, 4);
    records(world, "ZINCRBY z 2 a", &[("z", Op::ZIncr(2.0, b"a"))]);
    records(world, "ZADD z INCR -1 a", &[("z", Op::ZIncr(-1.0, b"a"))]);
    records(world, "ZINCRBY z 0 a", &[("z", Op::ZIncr(0.0, b"a"))]);
    records(world, "ZADD z GT INCR -1 a", &[]);
    records(world, "ZADD z NX INCR 1 a", &[]);
    records(
        world,
        "ZINCRBY z inf a",
        &[("z", Op::ZIncr(f64::INFINITY, b"a"))],
    );
    records(world, "ZINCRBY z -inf a", &[]);
}

#[test]
fn removals_record_the_members_that_went() {
    let world = &mut World::new(true, 4);
    records(world, "ZREM z a", &[]);
    records(world, "ZPOPMIN z", &[]);
    world.run("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h");
    removes(world, "ZREM z a nothing", &["a"]);
    removes(world, "ZPOPMIN z", &["b"]);
    removes(world, "ZPOPMAX z 2", &["h", "g"]);
    removes(world, "ZREMRANGEBYRANK z 0 0", &["c"]);
    removes(world, "ZREMRANGEBYSCORE z (4 5", &["e"]);
    removes(world, "ZMPOP 2 none z MAX", &["f"]);
    records(world, "ZPOPMIN z 0", &[]);
    removes(world, "ZREMRANGEBYLEX z - +", &["d"]);
    records(world, "ZREMRANGEBYLEX z - +", &[]);
    assert_eq!(world.run("EXISTS z"), ":0\r\n");
}

#[test]
fn results_are_recorded_as_whole_values() {
    let world = &mut World::new(true, 4);
    world.run("ZADD x 1 a 2 b");
    world.run("ZADD y 1 b 1 c");
    let content = |members: &[(f64, &str)]| [vec![Kind::Zset as u8], scores(members)].concat();
    let put = |bytes| Op::Put(Content::of(bytes), None);
    let union = content(&[(1.0, "a"), (1.0, "c"), (3.0, "b")]);
    records(world, "ZUNIONSTORE d 2 x y", &[("d", put(&union))]);
    let inter = content(&[(3.0, "b")]);
    records(world, "ZINTERSTORE d 2 x y", &[("d", put(&inter))]);
    let diff = content(&[(1.0, "a")]);
    records(world, "ZDIFFSTORE d 2 x y", &[("d", put(&diff))]);
    let range = content(&[(2.0, "b")]);
    records(world, "ZRANGESTORE d x 1 1", &[("d", put(&range))]);
    records(world, "ZRANGESTORE d x 5 6", &[("d", Op::Del)]);
    records(world, "ZINTERSTORE d 2 x none", &[]);
}

#[test]
fn a_stored_zero_has_no_sign() {
    for stamped in [false, true] {
        let world = &mut World::new(stamped, 4);
        assert_eq!(world.run("ZINCRBY z -0 a"), "$2\r\n-0\r\n");
        world.run("ZADD z -0 b");
        assert_eq!(world.run("ZMSCORE z a b"), "*2\r\n$1\r\n0\r\n$1\r\n0\r\n");
        world.run("ZUNIONSTORE z 1 z WEIGHTS -1");
        assert_eq!(world.run("ZMSCORE z a b"), "*2\r\n$1\r\n0\r\n$1\r\n0\r\n");
    }
}

#[test]
fn random_members_are_different_ones_in_small_and_large_sets() {
    for size in [20, 2_000] {
        let world = &mut World::new(false, 1);
        for nth in 0..size {
            world.run(&format!("ZADD z {nth} m{nth}"));
        }
        for count in [1, 7, 19, size, size + 5] {
            let reply = world.run(&format!("ZRANDMEMBER z {count}"));
            let mut names: Vec<&str> = reply
                .split("\r\n")
                .filter(|line| line.starts_with('m'))
                .collect();
            let drawn = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!((drawn, names.len()), (count.min(size), count.min(size)));
        }
        let reply = world.run("ZRANDMEMBER z -50 WITHSCORES");
        assert!(reply.starts_with("*100\r\n"));
    }
}
