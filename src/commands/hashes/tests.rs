//! The hashes family against replies of Redis, and what its commands record.

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::Op;
use crate::db::op::{Kind, Names, Pairs};
use crate::resp::Protocol;

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

#[test]
fn fields_are_set_read_and_removed() {
    check(&[
        ("HSET h a 1 b 2", ":2\r\n"),
        ("HSET h a 3 c 4 c 5", ":1\r\n"),
        ("HMSET h d 6", "+OK\r\n"),
        ("HGET h c", "$1\r\n5\r\n"),
        ("HGET h x", "$-1\r\n"),
        ("HGET none x", "$-1\r\n"),
        ("HMGET h a x c", "*3\r\n$1\r\n3\r\n$-1\r\n$1\r\n5\r\n"),
        ("HMGET none a b", "*2\r\n$-1\r\n$-1\r\n"),
        ("HSETNX h a 9", ":0\r\n"),
        ("HSETNX h e hello", ":1\r\n"),
        ("HEXISTS h e", ":1\r\n"),
        ("HEXISTS h x", ":0\r\n"),
        ("HLEN h", ":5\r\n"),
        ("HLEN none", ":0\r\n"),
        ("HSTRLEN h e", ":5\r\n"),
        ("HSTRLEN h x", ":0\r\n"),
        ("HDEL h a x a d c e", ":4\r\n"),
        ("HGETALL h", "*2\r\n$1\r\nb\r\n$1\r\n2\r\n"),
        ("HKEYS h", "*1\r\n$1\r\nb\r\n"),
        ("HVALS h", "*1\r\n$1\r\n2\r\n"),
        ("HDEL h b", ":1\r\n"),
        ("EXISTS h", ":0\r\n"),
        ("HDEL h b", ":0\r\n"),
        ("HGETALL h", "*0\r\n"),
        ("HKEYS h", "*0\r\n"),
        ("HVALS h", "*0\r\n"),
        ("@resp3", ""),
        ("HGETALL h", "%0\r\n"),
        ("HGET h x", "_\r\n"),
        ("HSET h a 1", ":1\r\n"),
        ("HGETALL h", "%1\r\n$1\r\na\r\n$1\r\n1\r\n"),
    ]);
}

#[test]
fn wrong_numbers_of_arguments_and_wrong_types_are_refused() {
    check(&[
        ("SET s x", "+OK\r\n"),
        (
            "HSET s a 1 b",
            "-ERR wrong number of arguments for 'hset' command\r\n",
        ),
        (
            "HMSET s a 1 b",
            "-ERR wrong number of arguments for 'hmset' command\r\n",
        ),
        ("HSET s a 1", WRONG_TYPE),
        ("HSETNX s a 1", WRONG_TYPE),
        ("HGET s a", WRONG_TYPE),
        ("HMGET s a", WRONG_TYPE),
        ("HDEL s a", WRONG_TYPE),
        ("HEXISTS s a", WRONG_TYPE),
        ("HLEN s", WRONG_TYPE),
        ("HSTRLEN s a", WRONG_TYPE),
        ("HKEYS s", WRONG_TYPE),
        ("HVALS s", WRONG_TYPE),
        ("HGETALL s", WRONG_TYPE),
        ("HINCRBY s a 1", WRONG_TYPE),
        ("HINCRBYFLOAT s a 1", WRONG_TYPE),
        ("HRANDFIELD s", WRONG_TYPE),
        ("HRANDFIELD s 1", WRONG_TYPE),
        ("HSCAN s 0", WRONG_TYPE),
        ("KEYDB.HRENAME s a b", WRONG_TYPE),
        ("GET s", "$1\r\nx\r\n"),
    ]);
}

#[test]
fn numbers_in_fields_are_counted_as_redis_does() {
    check(&[
        ("HINCRBY h n 5", ":5\r\n"),
        ("HINCRBY h n -7", ":-2\r\n"),
        ("HINCRBY h n 0", ":-2\r\n"),
        ("HINCRBY h z 0", ":0\r\n"),
        (
            "HINCRBY h n x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("HSET h t text m 9223372036854775807 f 1.5 e \"\"", ":4\r\n"),
        ("HINCRBY h t 1", "-ERR hash value is not an integer\r\n"),
        ("HINCRBY h f 1", "-ERR hash value is not an integer\r\n"),
        (
            "HINCRBY h m 1",
            "-ERR increment or decrement would overflow\r\n",
        ),
        ("HINCRBYFLOAT h f 0.1", "$3\r\n1.6\r\n"),
        ("HINCRBYFLOAT h new 3.0e3", "$4\r\n3000\r\n"),
        ("HINCRBYFLOAT h f -1.6", "$1\r\n0\r\n"),
        ("HINCRBYFLOAT h t 1", "-ERR hash value is not a float\r\n"),
        ("HINCRBYFLOAT h e 1", "-ERR hash value is not a float\r\n"),
        ("HINCRBYFLOAT h f x", "-ERR value is not a valid float\r\n"),
        ("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity\r\n"),
        ("HSET h i inf", ":1\r\n"),
        (
            "HINCRBYFLOAT h i 1",
            "-ERR increment would produce NaN or Infinity\r\n",
        ),
        ("HGET h i", "$3\r\ninf\r\n"),
    ]);
}

#[test]
fn fields_get_other_names() {
    check(&[
        ("KEYDB.HRENAME h a b", "$-1\r\n"),
        ("HSET h a 1 b 2", ":2\r\n"),
        ("KEYDB.HRENAME h x y", "-ERR hash key doesn't exist\r\n"),
        ("KEYDB.HRENAME h a b", ":1\r\n"),
        ("HGETALL h", "*2\r\n$1\r\nb\r\n$1\r\n1\r\n"),
        ("EXPIRE h 100", ":1\r\n"),
        ("KEYDB.HRENAME h b c", ":1\r\n"),
        ("KEYDB.HRENAME h c c", ":1\r\n"),
        ("HGETALL h", "*2\r\n$1\r\nc\r\n$1\r\n1\r\n"),
        ("TTL h", ":100\r\n"),
    ]);
}

#[test]
fn fields_at_random_have_the_shapes_of_redis() {
    let out_of_range = "-ERR value is out of range, value must between \
        -9223372036854775807 and 9223372036854775807\r\n";
    check(&[
        ("HRANDFIELD h", "$-1\r\n"),
        ("HRANDFIELD h 3", "*0\r\n"),
        ("HRANDFIELD h -3 WITHVALUES", "*0\r\n"),
        ("HSET h a 1", ":1\r\n"),
        ("HRANDFIELD h", "$1\r\na\r\n"),
        ("HRANDFIELD h 0", "*0\r\n"),
        ("HRANDFIELD h 5", "*1\r\n$1\r\na\r\n"),
        ("HRANDFIELD h -2", "*2\r\n$1\r\na\r\n$1\r\na\r\n"),
        ("HRANDFIELD h 1 withvalues", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error\r\n"),
        ("HRANDFIELD h 1 x", "-ERR syntax error\r\n"),
        (
            "HRANDFIELD h x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("HRANDFIELD h -9223372036854775808", out_of_range),
        (
            "HRANDFIELD h 9223372036854775807 WITHVALUES",
            "-ERR value is out of range\r\n",
        ),
        // Redis would go on until its memory ends.
        (
            "HRANDFIELD h -9223372036854775807",
            "-ERR value is out of range\r\n",
        ),
        ("@resp3", ""),
        (
            "HRANDFIELD h -2 WITHVALUES",
            "*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
    ]);
}

#[test]
fn a_small_hash_is_scanned_at_once() {
    check(&[
        ("HSCAN none 0 any nonsense", "*2\r\n$1\r\n0\r\n*0\r\n"),
        ("HSCAN none x", "-ERR invalid cursor\r\n"),
        ("HSET h a 1 b 2", ":2\r\n"),
        (
            "HSCAN h 77 COUNT 1",
            "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
        ),
        (
            "HSCAN h 0 NOVALUES MATCH [^a]",
            "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n",
        ),
        ("HSCAN h 0 COUNT 0", "-ERR syntax error\r\n"),
        ("HSCAN h 0 COUNT", "-ERR syntax error\r\n"),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error\r\n"),
        (
            "HSCAN h 0 COUNT x",
            "-ERR value is not an integer or out of range\r\n",
        ),
    ]);
}

#[test]
fn effects_say_what_was_done() {
    let world = &mut World::new(true, 4);
    records(
        world,
        "HSET h a 1 b 2",
        &[Op::HSet(Pairs::of(b"\x01a\x011\x01b\x012"))],
    );
    records(world, "HSET h a 1", &[Op::HSet(Pairs::of(b"\x01a\x011"))]);
    records(world, "HSETNX h a 2", &[]);
    records(world, "HSETNX h c 2", &[Op::HSet(Pairs::of(b"\x01c\x012"))]);
    records(
        world,
        "HDEL h x c y",
        &[Op::Remove(Kind::Hash, Names::of(b"\x01c", 1))],
    );
    records(world, "HDEL h x", &[]);
    records(world, "HINCRBY h a 5", &[Op::HIncr(5, b"a")]);
    records(world, "HINCRBY h a 0", &[Op::HIncr(0, b"a")]);
    records(
        world,
        "HINCRBYFLOAT h a 0.5",
        &[Op::HIncrByFloat(b"0.5", b"a")],
    );
    records(
        world,
        "KEYDB.HRENAME h b z",
        &[
            Op::HSet(Pairs::of(b"\x01z\x012")),
            Op::Remove(Kind::Hash, Names::of(b"\x01b", 1)),
        ],
    );
    records(world, "HRANDFIELD h 2", &[]);
}

#[test]
fn a_large_hash_is_drawn_from_without_repetition_and_with_values_that_fit() {
    let mut world = World::new(false, 1);
    world.protocol = Protocol::Resp3;
    for nth in 0..2_000 {
        world.run(&format!("HSET h f{nth} v{nth}"));
    }
    for count in [1, 7, 900, 1_999, 2_000, 3_000] {
        let reply = world.run(&format!("HRANDFIELD h {count} WITHVALUES"));
        let words: Vec<&str> = reply
            .split("\r\n")
            .filter(|line| line.starts_with(['f', 'v']))
            .collect();
        let mut fields = std::collections::BTreeSet::new();
        for pair in words.chunks(2) {
            assert_eq!(pair[0].replace('f', "v"), pair[1]);
            assert!(fields.insert(pair[0]));
        }
        assert_eq!(fields.len(), count.min(2_000));
    }
    let reply = world.run("HRANDFIELD h -5000");
    let drawn: Vec<&str> = reply
        .split("\r\n")
        .filter(|line| line.starts_with('f'))
        .collect();
    assert_eq!(drawn.len(), 5_000);
    let different: std::collections::BTreeSet<_> = drawn.into_iter().collect();
    // Of 2,000 all but about 164 are drawn.
    assert!(
        (1_700..2_000).contains(&different.len()),
        "{}",
        different.len()
    );
}
