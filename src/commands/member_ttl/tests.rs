//! Deadlines of members: replies as Redis 7.4 and KeyDB have them, and what is recorded.

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::op::{Kind, Names};
use crate::db::{Op, UnixMillis};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn fields_get_deadlines_and_go_by_themselves() {
    check(&[
        ("HSET h a 1 b 2 c 3", ":3\r\n"),
        ("HTTL h FIELDS 2 a x", "*2\r\n:-1\r\n:-2\r\n"),
        ("HEXPIRE h 100 FIELDS 2 a x", "*2\r\n:1\r\n:-2\r\n"),
        ("HTTL h FIELDS 2 a b", "*2\r\n:100\r\n:-1\r\n"),
        ("HPTTL h FIELDS 1 a", "*1\r\n:100000\r\n"),
        ("HEXPIRETIME h FIELDS 1 a", "*1\r\n:1750000100\r\n"),
        ("HPEXPIRETIME h FIELDS 1 a", "*1\r\n:1750000100000\r\n"),
        ("HPEXPIRE h 1500 FIELDS 1 b", "*1\r\n:1\r\n"),
        ("@advance 1", ""),
        // Rounded up.
        ("HTTL h FIELDS 1 b", "*1\r\n:2\r\n"),
        ("TTL h", ":-1\r\n"),
        ("@advance 1498", ""),
        ("HGET h b", "$1\r\n2\r\n"),
        ("@advance 1", ""),
        ("HGET h b", "$-1\r\n"),
        ("HLEN h", ":2\r\n"),
        ("HTTL h FIELDS 1 b", "*1\r\n:-2\r\n"),
        ("@advance 100000", ""),
        ("HGETALL h", "*2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
        ("HPEXPIREAT h 1750000200000 FIELDS 1 c", "*1\r\n:1\r\n"),
        ("@advance 100000", ""),
        ("EXISTS h", ":0\r\n"),
        ("TYPE h", "+none\r\n"),
        ("HTTL h FIELDS 2 c d", "*2\r\n:-2\r\n:-2\r\n"),
        ("HEXPIRE h 10 FIELDS 2 c d", "*2\r\n:-2\r\n:-2\r\n"),
        ("HPERSIST h FIELDS 1 c", "*1\r\n:-2\r\n"),
        ("SADD h x", ":1\r\n"),
        ("HTTL h FIELDS 1 x", WRONG_TYPE),
        ("HEXPIRE h 10 FIELDS 1 x", WRONG_TYPE),
        ("HPERSIST h FIELDS 1 x", WRONG_TYPE),
    ]);
}

#[test]
fn a_time_that_has_passed_removes_the_field_at_once() {
    check(&[
        ("HSET h a 1 b 2 c 3", ":3\r\n"),
        ("HEXPIRE h 0 FIELDS 2 a a", "*2\r\n:2\r\n:-2\r\n"),
        ("HEXPIREAT h 1 FIELDS 1 b", "*1\r\n:2\r\n"),
        ("HKEYS h", "*1\r\n$1\r\nc\r\n"),
        ("HPEXPIREAT h 0 GT FIELDS 1 c", "*1\r\n:0\r\n"),
        ("HPEXPIREAT h 0 LT FIELDS 1 c", "*1\r\n:2\r\n"),
        ("EXISTS h", ":0\r\n"),
    ]);
}

#[test]
fn conditions_compare_with_the_deadline_there_is() {
    check(&[
        ("HSET h a 1", ":1\r\n"),
        ("HEXPIRE h 100 XX FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 100 GT FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 100 NX FIELDS 1 a", "*1\r\n:1\r\n"),
        ("HEXPIRE h 90 nx FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 90 GT FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 100 GT FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 110 GT FIELDS 1 a", "*1\r\n:1\r\n"),
        ("HEXPIRE h 110 LT FIELDS 1 a", "*1\r\n:0\r\n"),
        ("HEXPIRE h 90 lt fields 1 a", "*1\r\n:1\r\n"),
        ("HEXPIRE h 95 XX FIELDS 1 a", "*1\r\n:1\r\n"),
        ("HTTL h FIELDS 1 a", "*1\r\n:95\r\n"),
        ("HPERSIST h FIELDS 3 a a x", "*3\r\n:1\r\n:-1\r\n:-2\r\n"),
        ("HTTL h FIELDS 1 a", "*1\r\n:-1\r\n"),
        ("HEXPIRE h 100 LT FIELDS 1 a", "*1\r\n:1\r\n"),
    ]);
}

#[test]
fn a_field_written_anew_has_no_deadline_and_one_that_is_changed_keeps_it() {
    check(&[
        ("HSET h a 1 b 2 c 3", ":3\r\n"),
        ("HEXPIRE h 100 FIELDS 3 a b c", "*3\r\n:1\r\n:1\r\n:1\r\n"),
        ("HSET h a 5", ":0\r\n"),
        ("HINCRBY h b 5", ":7\r\n"),
        ("HINCRBYFLOAT h b 0.5", "$3\r\n7.5\r\n"),
        ("HSETNX h c 9", ":0\r\n"),
        ("HTTL h FIELDS 3 a b c", "*3\r\n:-1\r\n:100\r\n:100\r\n"),
        ("HDEL h c", ":1\r\n"),
        ("HSET h c 3", ":1\r\n"),
        ("HTTL h FIELDS 1 c", "*1\r\n:-1\r\n"),
        ("COPY h i", ":1\r\n"),
        ("RENAME h j", "+OK\r\n"),
        ("HTTL i FIELDS 2 a b", "*2\r\n:-1\r\n:100\r\n"),
        ("HTTL j FIELDS 2 a b", "*2\r\n:-1\r\n:100\r\n"),
        ("OBJECT ENCODING j", "$8\r\nlistpack\r\n"),
        ("@advance 100000", ""),
        ("HEXISTS j b", ":0\r\n"),
        ("HLEN i", ":2\r\n"),
    ]);
}

#[test]
fn errors_are_those_of_redis_7_4() {
    let many = "-ERR The `numfields` parameter must match the number of arguments\r\n";
    let place = "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
    let positive = "-ERR Number of fields must be a positive integer\r\n";
    let to_set = "-ERR Parameter `numFields` should be greater than 0\r\n";
    let integer = "-ERR value is not an integer or out of range\r\n";
    check(&[
        ("HEXPIRE h x FIELDS 1 a", integer),
        (
            "HEXPIRE h -1 FIELDS 1 a",
            "-ERR invalid expire time, must be >= 0\r\n",
        ),
        (
            "HEXPIRE h 99999999999999999 FIELDS 1 a",
            "-ERR invalid expire time in 'hexpire' command\r\n",
        ),
        (
            "HPEXPIREAT h 70368744177664 FIELDS 1 a",
            "-ERR invalid expire time in 'hpexpireat' command\r\n",
        ),
        ("HPEXPIREAT h 70368744177663 FIELDS 1 a", "*1\r\n:-2\r\n"),
        ("HEXPIRE h 10 BLA 1 a", place),
        ("HEXPIRE h 10 NX XX FIELDS 1 a", place),
        ("HEXPIRE h 10 NX FIELDS a", to_set),
        ("HEXPIRE h 10 FIELDS 0 a", to_set),
        ("HEXPIRE h 10 FIELDS x a", to_set),
        ("HEXPIRE h 10 FIELDS 2 a", many),
        ("HEXPIRE h 10 FIELDS 1 a b", many),
        ("HTTL h BLA 1 a", place),
        ("HTTL h FIELDS 0 a", positive),
        ("HTTL h FIELDS 2 a", many),
        ("HPERSIST h FIELDS x a", positive),
        ("HPERSIST h FIELDS 1 a b", many),
        (
            "HEXPIRE h 10 FIELDS 1",
            "-ERR wrong number of arguments for 'hexpire' command\r\n",
        ),
        (
            "HTTL h FIELDS 1",
            "-ERR wrong number of arguments for 'httl' command\r\n",
        ),
    ]);
}

#[test]
fn members_of_sets_and_sorted_sets_get_deadlines_as_in_keydb() {
    check(&[
        ("SADD s a b c", ":3\r\n"),
        ("ZADD z 1 a 2 b", ":2\r\n"),
        ("HSET h a 1 b 2", ":2\r\n"),
        ("SET k v", "+OK\r\n"),
        ("RPUSH l a", ":1\r\n"),
        ("EXPIREMEMBER s a 10", ":1\r\n"),
        ("EXPIREMEMBER s b 1500 ms", ":1\r\n"),
        ("EXPIREMEMBER s x 10", ":0\r\n"),
        ("EXPIREMEMBER nothing x 10", ":0\r\n"),
        ("EXPIREMEMBERAT z a 1750000010", ":1\r\n"),
        ("PEXPIREMEMBERAT h a 1750000000500", ":1\r\n"),
        ("EXPIREMEMBER k v 10", "-ERR object type is unsupported\r\n"),
        ("EXPIREMEMBER l a 10", "-ERR object type is unsupported\r\n"),
        ("EXPIREMEMBER s a 10 m", "-ERR Invalid unit arg\r\n"),
        (
            "EXPIREMEMBER s a x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "EXPIREMEMBER s a 1 s s",
            "-ERR Invalid number of arguments\r\n",
        ),
        (
            "EXPIREMEMBER s a 9223372036854775807",
            "-ERR invalid expire time in 'expiremember' command\r\n",
        ),
        ("TTL s a", ":10\r\n"),
        ("PTTL s b", ":1500\r\n"),
        ("TTL s c", ":-1\r\n"),
        ("TTL s x", ":-1\r\n"),
        ("TTL nothing x", ":-2\r\n"),
        ("PTTL z a", ":10000\r\n"),
        ("PTTL h a", ":500\r\n"),
        (
            "TTL s a b",
            "-ERR wrong number of arguments for 'ttl' command\r\n",
        ),
        ("SADD s b", ":0\r\n"),
        ("ZADD z 5 a", ":0\r\n"),
        ("ZINCRBY z 1 a", "$1\r\n6\r\n"),
        ("PTTL s b", ":1500\r\n"),
        ("PTTL z a", ":10000\r\n"),
        ("@advance 1500", ""),
        ("SISMEMBER s b", ":0\r\n"),
        ("SCARD s", ":2\r\n"),
        ("HKEYS h", "*1\r\n$1\r\nb\r\n"),
        ("PERSIST s a", ":1\r\n"),
        ("PERSIST s a", ":0\r\n"),
        ("PERSIST nothing a", ":0\r\n"),
        ("PERSIST z a", ":1\r\n"),
        ("EXPIREMEMBER z a 0", ":1\r\n"),
        ("ZRANGE z 0 -1", "*1\r\n$1\r\nb\r\n"),
        ("EXPIREMEMBER z b -5", ":1\r\n"),
        ("EXISTS z", ":0\r\n"),
        ("EXPIREMEMBER s a 1", ":1\r\n"),
        ("SREM s a", ":1\r\n"),
        ("SADD s a", ":1\r\n"),
        ("TTL s a", ":-1\r\n"),
        ("EXPIREMEMBER s a 1", ":1\r\n"),
        ("SUNIONSTORE t s", ":2\r\n"),
        ("TTL t a", ":-1\r\n"),
        ("SMOVE s t a", ":1\r\n"),
        ("SMOVE t s a", ":1\r\n"),
        ("TTL s a", ":-1\r\n"),
    ]);
}

#[test]
fn a_clock_of_stamps_that_runs_ahead_keeps_no_member_longer() {
    check(&[
        ("@ahead 5000", ""),
        ("HSET h a 1 b 2", ":2\r\n"),
        ("HPEXPIRE h 1500 FIELDS 1 a", "*1\r\n:1\r\n"),
        ("SADD s x", ":1\r\n"),
        ("EXPIREMEMBER s x 1500 ms", ":1\r\n"),
        ("@advance 1500", ""),
        ("HPTTL h FIELDS 1 a", "*1\r\n:-2\r\n"),
        ("HGET h a", "$-1\r\n"),
        ("SCAN 0", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nh\r\n"),
        ("EXISTS s", ":0\r\n"),
        ("HINCRBY h a 5", ":5\r\n"),
        ("HGET h a", "$1\r\n5\r\n"),
        ("HSETNX h b 9", ":0\r\n"),
        ("HLEN h", ":2\r\n"),
    ]);
}

#[test]
fn a_write_that_changes_nothing_hides_no_member_from_readers_whose_clock_is_behind_its_stamp() {
    check(&[
        ("HSET h a 1 b 2", ":2\r\n"),
        ("HPEXPIRE h 1500 FIELDS 1 a", "*1\r\n:1\r\n"),
        ("SADD s x", ":1\r\n"),
        ("EXPIREMEMBER s x 1500 ms", ":1\r\n"),
        ("@ahead 5000", ""),
        ("HSETNX h b 9", ":0\r\n"),
        ("SMOVE s other y", ":0\r\n"),
        ("HGET h a", "$1\r\n1\r\n"),
        ("HLEN h", ":2\r\n"),
        ("SISMEMBER s x", ":1\r\n"),
        ("DBSIZE", ":2\r\n"),
        ("@advance 1499", ""),
        ("HSETNX h b 9", ":0\r\n"),
        ("HGET h a", "$1\r\n1\r\n"),
        ("@advance 1", ""),
        ("HGET h a", "$-1\r\n"),
        ("HLEN h", ":1\r\n"),
        ("EXISTS s", ":0\r\n"),
    ]);
}

#[test]
fn what_is_recorded_says_absolute_times_and_what_was_removed() {
    let mut world = World::new(true, 1);
    world.run("HSET h a 1 b 2 c 3");
    let both = b"\x01a\x01b";
    world.run_with_effects("HEXPIRE h 100 FIELDS 3 a b x", |effects| {
        let deadline = Some(UnixMillis(1_750_000_100_000));
        let op = Op::ExpireMembers(Kind::Hash, deadline, Names::of(both, 2));
        assert!(matches!(effects, [Effect::Key { op: recorded, .. }] if *recorded == op));
    });
    world.run_with_effects("HPERSIST h FIELDS 2 a c", |effects| {
        let op = Op::ExpireMembers(Kind::Hash, None, Names::of(b"\x01a", 1));
        assert!(matches!(effects, [Effect::Key { op: recorded, .. }] if *recorded == op));
    });
    world.run_with_effects("EXPIREMEMBER h b 0", |effects| {
        let op = Op::Remove(Kind::Hash, Names::of(b"\x01b", 1));
        assert!(matches!(effects, [Effect::Key { op: recorded, .. }] if *recorded == op));
    });
    for nothing in ["HEXPIRE h 100 XX FIELDS 1 c", "PERSIST h c", "TTL h a"] {
        world.run_with_effects(nothing, |effects| assert!(effects.is_empty(), "{nothing}"));
    }
}

#[test]
fn members_that_went_leave_nothing_behind_once_it_is_settled() {
    let mut world = World::new(true, 1);
    world.run("SADD s a b");
    world.run("SADD t a");
    world.run("EXPIREMEMBER s a 1");
    world.run("EXPIREMEMBER t a 1");
    world.settle();
    assert_eq!(world.pending(), 0);
    world.advance(1_000);
    assert_eq!(world.run("SMEMBERS s"), "*1\r\n$1\r\nb\r\n");
    assert_eq!(world.run("EXISTS t"), ":0\r\n");
    // What went may come back: by a write from before.
    assert!(world.pending() > 0);
    world.run("SET k v");
    world.settle();
    assert_eq!(world.pending(), 0);
    assert_eq!(world.run("EXISTS s t"), ":1\r\n");
}
