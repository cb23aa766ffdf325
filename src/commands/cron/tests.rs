//! KEYDB.CRON as a value: what KeyDB answers, and what is recorded.

use super::*;
use crate::commands::Effect;
use crate::commands::world::{START, World, check};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn wrong_calls_are_refused() {
    const INTERVAL: &str = "-ERR interval must be positive\r\n";
    const FEW: &str = "-ERR Missing arguments or numkeys is too big\r\n";
    const FAR: &str = "-ERR start or interval is out of range\r\n";
    check(&[
        (
            "KEYDB.CRON j single 1",
            "-ERR wrong number of arguments for 'keydb.cron' command\r\n",
        ),
        ("KEYDB.CRON j often 1 s", "-ERR syntax error\r\n"),
        ("KEYDB.CRON j single 1 2", "-ERR syntax error\r\n"),
        ("KEYDB.CRON j single x s", "-ERR missing expire time\r\n"),
        ("KEYDB.CRON j single 0 s", INTERVAL),
        ("KEYDB.CRON j repeat 5 0 s", INTERVAL),
        ("KEYDB.CRON j repeat 5 -1 s", INTERVAL),
        ("KEYDB.CRON j repeat -1 5 s", FAR),
        ("KEYDB.CRON j repeat 9223372036854775807 1 s", FAR),
        ("KEYDB.CRON j repeat 9223372036854775807 s", FAR),
        (
            "KEYDB.CRON j single 1 s x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("KEYDB.CRON j single 1 s 1", FEW),
        ("KEYDB.CRON j single 1 2 s 2 a", FEW),
        ("KEYDB.CRON j single 1 s -1", FEW),
        ("EXISTS j", ":0\r\n"),
    ]);
}

#[test]
fn a_job_is_a_key_like_others_but_for_what_its_type_can_not() {
    check(&[
        ("KEYDB.CRON j single 1000 \"return 1\"", "+OK\r\n"),
        ("keydb.cron j REPEAT 5 1000 s 1 k a b", "+OK\r\n"),
        ("TYPE j", "+unknown\r\n"),
        ("EXISTS j", ":1\r\n"),
        ("KEYS *", "*1\r\n$1\r\nj\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("TTL j", ":-1\r\n"),
        ("OBJECT ENCODING j", "$3\r\nraw\r\n"),
        ("OBJECT REFCOUNT j", ":1\r\n"),
        ("GET j", WRONG_TYPE),
        ("APPEND j x", WRONG_TYPE),
        ("INCR j", WRONG_TYPE),
        ("HGETALL j", WRONG_TYPE),
        ("SADD j x", WRONG_TYPE),
        ("SMEMBERS j", WRONG_TYPE),
        ("ZADD j 1 x", WRONG_TYPE),
        ("LPUSH j x", WRONG_TYPE),
        ("XADD j * f v", WRONG_TYPE),
        ("SUNIONSTORE d j", WRONG_TYPE),
        ("SORT j", WRONG_TYPE),
        ("PFADD j x", WRONG_TYPE),
        ("EXPIREMEMBER j x 10", "-ERR object type is unsupported\r\n"),
        (
            "DUMP j",
            "-ERR a job of KEYDB.CRON has no payload: it would not say all of it\r\n",
        ),
        ("COPY j k", "-ERR unknown type object\r\n"),
        ("SET k v", "+OK\r\n"),
        ("COPY j k", ":0\r\n"),
        ("COPY j k REPLACE", "-ERR unknown type object\r\n"),
        ("DEL k", ":1\r\n"),
        ("RENAME j k", "+OK\r\n"),
        ("TYPE k", "+unknown\r\n"),
        ("MOVE k 2", ":1\r\n"),
        ("@select 2", ""),
        ("TYPE k", "+unknown\r\n"),
        ("EXPIRE k 10", ":1\r\n"),
        ("TTL k", ":10\r\n"),
        ("PERSIST k", ":1\r\n"),
        ("SET k v", "+OK\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("KEYDB.CRON k single 7 s", "+OK\r\n"),
        ("TYPE k", "+unknown\r\n"),
        ("DEL k", ":1\r\n"),
        ("TYPE k", "+none\r\n"),
        (
            "COMMAND GETKEYS KEYDB.CRON j single 1 s 1 k",
            "*1\r\n$1\r\nj\r\n",
        ),
    ]);
}

/// What is recorded of a call: first, anchor, interval.
fn moments(world: &mut World, line: &str) -> (i64, i64, i64) {
    let mut found = None;
    world.run_with_effects(line, |effects| {
        let [
            Effect::Key {
                db: 0,
                key: b"j",
                op: Op::Put(content, None),
            },
        ] = effects
        else {
            panic!("{effects:?}");
        };
        let job = Job::read(&content.as_bytes()[1..]).unwrap();
        assert_ne!(job.node, NodeId(0));
        found = Some((job.first.0, job.anchor.0, job.interval));
    });
    found.unwrap()
}

#[test]
fn what_is_recorded_says_when_and_where_it_will_run() {
    let world = &mut World::new(true, 4);
    let now = START.0;
    for (call, expected) in [
        ("single 500 s", (now + 500, now + 500, 500)),
        // In the past: at once.
        ("single 0 1 s", (now, now, 1)),
        ("repeat 0 600 s", (now, now, 600)),
        // On from there it keeps to its grid.
        ("repeat 1000 600 s", (now, 1_600, 600)),
    ] {
        let line = format!("KEYDB.CRON j {call}");
        assert_eq!(moments(world, &line), expected, "{call}");
    }
    let later = format!("KEYDB.CRON j repeat {} 600 s", now + 5);
    assert_eq!(moments(world, &later), (now + 605, now + 605, 600));
    world.run_with_effects("KEYDB.CRON j single 1 \"return 1\" 1 k a b", |effects| {
        let [
            Effect::Key {
                op: Op::Put(content, None),
                ..
            },
        ] = effects
        else {
            panic!("{effects:?}");
        };
        let job = Job::read(&content.as_bytes()[1..]).unwrap();
        assert!(job.is_once);
        assert_eq!(job.script, b"return 1");
        assert_eq!(
            (job.keys, job.arguments),
            (vec![&b"k"[..]], vec![&b"a"[..], b"b"])
        );
    });
}
