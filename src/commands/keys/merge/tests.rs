//! What KEYDB.MVCCRESTORE leaves of two values.

use crate::commands::world::{START, World, check};

/// The string "hello".
const HELLO: &str =
    "\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a";
const NEVER: i64 = i64::MAX;

/// A time as KeyDB counts it, so many milliseconds after the start.
fn mvcc(milliseconds: i64) -> i64 {
    (START.0 + milliseconds) << 20
}

fn restore(world: &mut World, key: &str, written: i64, deadline: i64) {
    let line = format!("KEYDB.MVCCRESTORE {key} {written} {deadline} \"{HELLO}\"");
    assert_eq!(world.run(&line), "+OK\r\n", "{line}");
}

#[test]
fn a_key_keeps_what_was_written_last_where_keys_bear_stamps() {
    let mut world = World::new(true, 4);
    world.advance(1_000);
    world.run("SET a mine");
    world.run("RPUSH list mine");
    world.advance(1_000);
    for key in ["a", "list"] {
        restore(&mut world, key, mvcc(500), NEVER);
    }
    assert_eq!(world.run("GET a"), "$4\r\nmine\r\n");
    assert_eq!(world.run("TYPE list"), "+list\r\n");
    for key in ["a", "list"] {
        restore(&mut world, key, mvcc(1_500), NEVER);
        assert_eq!(world.run(&format!("GET {key}")), "$5\r\nhello\r\n");
        assert_eq!(world.run(&format!("PTTL {key}")), ":-1\r\n");
        // It counts as written then, not when it came.
        restore(&mut world, key, mvcc(1_400), START.0 + 60_000);
        assert_eq!(world.run(&format!("PTTL {key}")), ":-1\r\n");
        restore(&mut world, key, mvcc(1_600), START.0 + 60_000);
        assert_eq!(world.run(&format!("PTTL {key}")), ":58000\r\n");
    }
    // What was written here after it came is later, whatever it said: nothing comes from the future.
    restore(&mut world, "b", mvcc(1_000_000), NEVER);
    world.run("SET b mine");
    restore(&mut world, "b", mvcc(1_500), NEVER);
    assert_eq!(world.run("GET b"), "$4\r\nmine\r\n");
}

#[test]
fn what_is_over_when_it_comes_leaves_nothing_unless_something_was_written_since() {
    for stamped in [false, true] {
        let mut world = World::new(stamped, 4);
        world.run("SET old 1");
        world.advance(1_000);
        restore(&mut world, "old", mvcc(500), START.0 + 600);
        assert_eq!(world.run("EXISTS old"), ":0\r\n");
        restore(&mut world, "none", mvcc(500), START.0 + 600);
        assert_eq!(world.run("EXISTS none"), ":0\r\n");
    }
    let mut world = World::new(true, 4);
    world.advance(1_000);
    world.run("SET new 1");
    restore(&mut world, "new", mvcc(500), START.0 + 600);
    assert_eq!(world.run("GET new"), "$1\r\n1\r\n");
}

#[test]
fn it_replaces_what_is_there_where_keys_bear_no_stamps() {
    let mut world = World::new(false, 4);
    world.run("SET a mine");
    restore(&mut world, "a", mvcc(-1_000), START.0 + 5_000);
    assert_eq!(world.run("GET a"), "$5\r\nhello\r\n");
    assert_eq!(world.run("PTTL a"), ":5000\r\n");
}

#[test]
fn what_is_wrong_is_said_in_keydbs_words() {
    let call = |rest: &str| format!("KEYDB.MVCCRESTORE a {rest}");
    check(&[
        (&call("x 1 y"), "-ERR Invalid MVCC Tstamp\r\n"),
        (&call("1 x y"), "-ERR Invalid expire\r\n"),
        (
            &call("1 -1 y"),
            "-ERR DUMP payload version or checksum are wrong\r\n",
        ),
        (
            &call("1 -1"),
            "-ERR wrong number of arguments for 'keydb.mvccrestore' command\r\n",
        ),
        (&call(&format!("-1 -1 \"{HELLO}\"")), "+OK\r\n"),
        ("GET a", "$5\r\nhello\r\n"),
        ("PTTL a", ":-1\r\n"),
    ]);
}
