//! RENAME and its kin, OBJECT, DUMP and RESTORE; replies recorded from Redis 7.0.15.

use crate::commands::effects::Effect;
use crate::commands::payload;
use crate::commands::world::{START, World, check};
use crate::db::{Expiry, Op, UnixMillis};

#[test]
fn renamed_keys_take_value_and_time_to_live_along() {
    check(&[
        ("RENAME a b", "-ERR no such key\r\n"),
        ("SET a 1 EX 1000", "+OK\r\n"),
        ("SET b 2", "+OK\r\n"),
        ("RENAME a b", "+OK\r\n"),
        ("MGET a b", "*2\r\n$-1\r\n$1\r\n1\r\n"),
        ("TTL b", ":1000\r\n"),
        ("RENAME b b", "+OK\r\n"),
        ("RENAME n n", "-ERR no such key\r\n"),
        ("SET a 3", "+OK\r\n"),
        ("RENAMENX a b", ":0\r\n"),
        ("RENAMENX a a", ":0\r\n"),
        ("RENAMENX n a", "-ERR no such key\r\n"),
        ("RENAMENX a c", ":1\r\n"),
        ("GET c", "$1\r\n3\r\n"),
        ("TTL c", ":-1\r\n"),
        ("RENAME c b", "+OK\r\n"),
        ("TTL b", ":-1\r\n"),
        (
            "RENAME a",
            "-ERR wrong number of arguments for 'rename' command\r\n",
        ),
        (
            "RENAMENX a b c",
            "-ERR wrong number of arguments for 'renamenx' command\r\n",
        ),
    ]);
}

#[test]
fn copies_leave_their_source() {
    check(&[
        ("COPY a b", ":0\r\n"),
        ("SET a 1 EX 1000", "+OK\r\n"),
        ("COPY a b", ":1\r\n"),
        ("COPY a b", ":0\r\n"),
        ("COPY a b REPLACE", ":1\r\n"),
        ("TTL b", ":1000\r\n"),
        ("SET c 3", "+OK\r\n"),
        ("COPY c b REPLACE", ":1\r\n"),
        ("TTL b", ":-1\r\n"),
        (
            "COPY a a",
            "-ERR source and destination objects are the same\r\n",
        ),
        (
            "COPY n n",
            "-ERR source and destination objects are the same\r\n",
        ),
        (
            "COPY a a REPLACE",
            "-ERR source and destination objects are the same\r\n",
        ),
        ("COPY a b DB 3", ":1\r\n"),
        ("COPY a a DB 3", ":1\r\n"),
        ("COPY a a DB 3", ":0\r\n"),
        ("COPY a a DB 3 REPLACE", ":1\r\n"),
        (
            "COPY a a DB 0",
            "-ERR source and destination objects are the same\r\n",
        ),
        ("COPY a b DB", "-ERR syntax error\r\n"),
        (
            "COPY a b DB x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("COPY a b DB 16", "-ERR DB index is out of range\r\n"),
        ("COPY a b DB -1", "-ERR DB index is out of range\r\n"),
        (
            "COPY a b DB 2147483648",
            "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n",
        ),
        ("COPY a b FOO", "-ERR syntax error\r\n"),
        ("COPY a b REPLACE DB 2 replace db 4", ":1\r\n"),
        ("@select 3", ""),
        ("MGET a b", "*2\r\n$1\r\n1\r\n$1\r\n1\r\n"),
        ("@select 4", ""),
        ("TTL b", ":1000\r\n"),
        ("@select 2", ""),
        ("GET b", "$-1\r\n"),
        (
            "COPY a",
            "-ERR wrong number of arguments for 'copy' command\r\n",
        ),
    ]);
}

#[test]
fn moved_keys_are_in_another_database() {
    check(&[
        ("MOVE a 1", ":0\r\n"),
        ("SET a 1 EX 1000", "+OK\r\n"),
        ("MOVE a 1", ":1\r\n"),
        ("MOVE a 1", ":0\r\n"),
        ("EXISTS a", ":0\r\n"),
        ("SET a 2", "+OK\r\n"),
        ("MOVE a 1", ":0\r\n"),
        ("@select 1", ""),
        ("GET a", "$1\r\n1\r\n"),
        ("TTL a", ":1000\r\n"),
        ("MOVE a 0", ":0\r\n"),
        (
            "MOVE a 1",
            "-ERR source and destination objects are the same\r\n",
        ),
        ("MOVE a 16", "-ERR DB index is out of range\r\n"),
        ("MOVE a -1", "-ERR DB index is out of range\r\n"),
        (
            "MOVE a x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "MOVE a 2147483648",
            "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n",
        ),
        (
            "MOVE a",
            "-ERR wrong number of arguments for 'move' command\r\n",
        ),
    ]);
}

#[test]
fn object_tells_of_encodings() {
    check(&[
        ("SET a 1", "+OK\r\n"),
        ("OBJECT ENCODING a", "$3\r\nint\r\n"),
        ("SET a -9223372036854775808", "+OK\r\n"),
        ("OBJECT ENCODING a", "$3\r\nint\r\n"),
        ("SET a 9223372036854775808", "+OK\r\n"),
        ("OBJECT ENCODING a", "$6\r\nembstr\r\n"),
        ("SET a 01", "+OK\r\n"),
        ("OBJECT ENCODING a", "$6\r\nembstr\r\n"),
        (
            "SET a a-value-of-forty-four-bytes-which-is-an-embst",
            "+OK\r\n",
        ),
        ("OBJECT ENCODING a", "$3\r\nraw\r\n"),
        (
            "SET a a-value-of-forty-five-bytes--which-is-not-one-",
            "+OK\r\n",
        ),
        ("OBJECT ENCODING a", "$3\r\nraw\r\n"),
        ("SET a \"\"", "+OK\r\n"),
        ("OBJECT ENCODING a", "$6\r\nembstr\r\n"),
        ("OBJECT REFCOUNT a", ":1\r\n"),
        (
            "OBJECT FREQ a",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.\r\n",
        ),
        ("OBJECT ENCODING n", "$-1\r\n"),
        ("OBJECT REFCOUNT n", "$-1\r\n"),
        ("OBJECT FREQ n", "$-1\r\n"),
        ("OBJECT IDLETIME n", "$-1\r\n"),
        (
            "OBJECT ENCODING",
            "-ERR wrong number of arguments for 'object|encoding' command\r\n",
        ),
        (
            "OBJECT FREQ a b",
            "-ERR wrong number of arguments for 'object|freq' command\r\n",
        ),
        (
            "OBJECT",
            "-ERR wrong number of arguments for 'object' command\r\n",
        ),
        (
            "OBJECT FOO a",
            "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n",
        ),
        ("@resp3", ""),
        ("OBJECT ENCODING n", "_\r\n"),
    ]);
}

#[test]
fn restored_keys_are_what_was_dumped() {
    check(&[
        ("DUMP n", "$-1\r\n"),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\"",
            "+OK\r\n",
        ),
        ("GET a", "$5\r\nhello\r\n"),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\"",
            "-BUSYKEY Target key name already exists.\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" REPLACE",
            "+OK\r\n",
        ),
        (
            "RESTORE a 100000000 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" replace",
            "+OK\r\n",
        ),
        ("EXISTS a", ":1\r\n"),
        ("TTL a", ":100000\r\n"),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FOO",
            "-ERR syntax error\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" IDLETIME 5 REPLACE",
            "+OK\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FREQ 5 REPLACE",
            "+OK\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" IDLETIME 5 FREQ 5 REPLACE",
            "-ERR syntax error\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" IDLETIME -1 REPLACE",
            "-ERR Invalid IDLETIME value, must be >= 0\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" IDLETIME x REPLACE",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FREQ 256 REPLACE",
            "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FREQ -1",
            "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FREQ x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" IDLETIME",
            "-ERR syntax error\r\n",
        ),
        (
            "RESTORE a 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" FREQ 1 FREQ 2 REPLACE",
            "+OK\r\n",
        ),
        (
            "RESTORE a -1 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" REPLACE",
            "-ERR Invalid TTL value, must be >= 0\r\n",
        ),
        (
            "RESTORE a x \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" REPLACE",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "RESTORE a 1 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" REPLACE ABSTTL",
            "+OK\r\n",
        ),
        ("EXISTS a", ":0\r\n"),
        (
            "RESTORE a 4102444800000 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" ABSTTL",
            "+OK\r\n",
        ),
        ("PEXPIRETIME a", ":4102444800000\r\n"),
        (
            "RESTORE a 9223372036854775807 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\" REPLACE",
            "+OK\r\n",
        ),
        ("EXISTS a", ":0\r\n"),
        (
            "RESTORE b 0 \"\\x00\\x05\\x68\\x65\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\"",
            "-ERR DUMP payload version or checksum are wrong\r\n",
        ),
        (
            "RESTORE b 0 \"\"",
            "-ERR DUMP payload version or checksum are wrong\r\n",
        ),
        (
            "RESTORE b 0 abc",
            "-ERR DUMP payload version or checksum are wrong\r\n",
        ),
        (
            "RESTORE b 0 \"\\x00\\x05\\x68\\x78\\x6c\\x6c\\x6f\\x0a\\x00\\x63\\x72\\xdf\\x76\\x65\\x34\\x20\\x0a\"",
            "-ERR DUMP payload version or checksum are wrong\r\n",
        ),
        (
            "RESTORE a 0",
            "-ERR wrong number of arguments for 'restore' command\r\n",
        ),
        (
            "DUMP",
            "-ERR wrong number of arguments for 'dump' command\r\n",
        ),
    ]);
}

/// Runs a command in a world of stamps and compares what it did.
#[track_caller]
fn records(world: &mut World, line: &str, expected: &[(u32, &str, Op<'_>)]) {
    world.run_with_effects(line, |effects| {
        let expected: Vec<_> = expected
            .iter()
            .map(|(db, key, op)| Effect::Key {
                db: *db,
                key: key.as_bytes(),
                op: *op,
            })
            .collect();
        assert_eq!(effects, expected, "{line}");
    });
}

#[test]
fn what_goes_elsewhere_is_recorded_as_a_whole_value_and_a_delete() {
    let world = &mut World::new(true, 4);
    let at = Expiry::At(UnixMillis(START.0 + 50_000));
    let (timed, plain) = (Op::Set(b"v", at), Op::Set(b"v", Expiry::Clear));
    world.run("SET a v PX 50000");
    records(world, "RENAME a b", &[(0, "b", timed), (0, "a", Op::Del)]);
    records(world, "RENAME b b", &[]);
    records(world, "RENAME a b", &[]);
    records(world, "COPY b a", &[(0, "a", timed)]);
    records(world, "COPY b a", &[]);
    records(world, "COPY b a DB 2", &[(2, "a", timed)]);
    records(world, "RENAMENX a b", &[]);
    records(world, "MOVE a 2", &[]);
    records(world, "MOVE b 2", &[(2, "b", timed), (0, "b", Op::Del)]);
    let payload = payload::dump(b"v");
    let payload: String = payload
        .iter()
        .map(|byte| format!("\\x{byte:02x}"))
        .collect();
    records(
        world,
        &format!("RESTORE r 0 \"{payload}\""),
        &[(0, "r", plain)],
    );
    records(
        world,
        &format!("RESTORE r 50000 \"{payload}\" REPLACE IDLETIME 7"),
        &[(0, "r", timed)],
    );
    records(world, &format!("RESTORE r 0 \"{payload}\""), &[]);
    records(
        world,
        &format!("RESTORE r 1 \"{payload}\" REPLACE ABSTTL"),
        &[(0, "r", Op::Del)],
    );
    records(
        world,
        &format!("RESTORE r 1 \"{payload}\" REPLACE ABSTTL"),
        &[],
    );
}

#[test]
fn the_time_of_the_last_write_is_known_where_keys_bear_stamps() {
    for (stamped, seconds) in [(true, Some(7)), (false, None)] {
        let mut world = World::new(stamped, 4);
        world.run("SET a 1");
        world.advance(7_999);
        world.run("GET a");
        for command in ["IDLETIME", "LASTMODIFIED"] {
            let reply = world.run(&format!("OBJECT {command} a"));
            match seconds {
                Some(seconds) => assert_eq!(reply, format!(":{seconds}\r\n")),
                None => assert!(
                    reply.starts_with("-ERR idle time is not tracked"),
                    "{reply}"
                ),
            }
        }
    }
}

#[test]
fn databases_change_places_where_there_are_no_other_masters() {
    let mut world = World::new(false, 4);
    let mut expect = |line: &str, expected: &str| assert_eq!(world.run(line), expected, "{line}");
    expect("SET a 1", "+OK\r\n");
    expect("MOVE a 2", ":1\r\n");
    expect("SET b 2 EX 1000", "+OK\r\n");
    expect("SWAPDB 0 2", "+OK\r\n");
    expect("MGET a b", "*2\r\n$1\r\n1\r\n$-1\r\n");
    expect("SWAPDB 0 0", "+OK\r\n");
    expect("DBSIZE", ":1\r\n");
    expect("SWAPDB 2 0", "+OK\r\n");
    expect("TTL b", ":1000\r\n");
    expect("SWAPDB x 1", "-ERR invalid first DB index\r\n");
    expect("SWAPDB 1 y", "-ERR invalid second DB index\r\n");
    expect("SWAPDB 4294967296 y", "-ERR invalid first DB index\r\n");
    expect("SWAPDB 0 16", "-ERR DB index is out of range\r\n");
    expect("SWAPDB -1 0", "-ERR DB index is out of range\r\n");
    let mut masters = World::new(true, 4);
    masters.run("SET a 1");
    let reply = masters.run("SWAPDB 0 1");
    assert_eq!(
        reply,
        "-ERR SWAPDB is not possible while active-replica is on\r\n"
    );
    assert_eq!(masters.run("GET a"), "$1\r\n1\r\n");
}
