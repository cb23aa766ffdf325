//! SETBIT and its kin, replies recorded from Redis 7.0.15.

use crate::commands::effects::Effect;
use crate::commands::world::{World, check};
use crate::db::Op;
use crate::db::bitfield::Program;

#[test]
fn single_bits_are_set_and_read() {
    check(&[
        ("SETBIT b 7 1", ":0\r\n"),
        ("GET b", "$1\r\n\u{1}\r\n"),
        ("SETBIT b 7 0", ":1\r\n"),
        ("GETBIT b 7", ":0\r\n"),
        ("SETBIT b 6 1", ":0\r\n"),
        ("SETBIT b 6 1", ":1\r\n"),
        ("GETBIT b 6", ":1\r\n"),
        ("GETBIT b 100", ":0\r\n"),
        ("GETBIT nothing 3", ":0\r\n"),
        ("SETBIT b 20 0", ":0\r\n"),
        ("STRLEN b", ":3\r\n"),
        ("SETBIT b 23 1", ":0\r\n"),
        ("GETBIT b 23", ":1\r\n"),
        ("STRLEN b", ":3\r\n"),
        (
            "SETBIT b -1 1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b x 1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b #1 1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b 4294967296 1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b 1 2",
            "-ERR bit is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b 1 x",
            "-ERR bit is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b x x",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "GETBIT b -1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "GETBIT b 4294967296",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "GETBIT b x",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "SETBIT b 1",
            "-ERR wrong number of arguments for 'setbit' command\r\n",
        ),
        (
            "GETBIT b",
            "-ERR wrong number of arguments for 'getbit' command\r\n",
        ),
        (
            "SETBIT n 4294967296 1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        ("EXISTS n", ":0\r\n"),
    ]);
}

#[test]
fn a_bit_keeps_the_time_to_live() {
    check(&[
        ("SET b a EX 1000", "+OK\r\n"),
        ("SETBIT b 0 1", ":0\r\n"),
        ("TTL b", ":1000\r\n"),
        ("SETBIT b 100 1", ":0\r\n"),
        ("TTL b", ":1000\r\n"),
        ("BITFIELD b SET u8 0 1", "*1\r\n:225\r\n"),
        ("TTL b", ":1000\r\n"),
    ]);
}

#[test]
fn bits_are_counted_in_bytes_and_in_bits() {
    check(&[
        ("SET b foobar", "+OK\r\n"),
        ("BITCOUNT b", ":26\r\n"),
        ("BITCOUNT b 0 0", ":4\r\n"),
        ("BITCOUNT b 1 1", ":6\r\n"),
        ("BITCOUNT b 1 -2", ":18\r\n"),
        ("BITCOUNT b -3 -1", ":10\r\n"),
        ("BITCOUNT b -2 -6", ":0\r\n"),
        ("BITCOUNT b 5 30", ":4\r\n"),
        ("BITCOUNT b 6 30", ":0\r\n"),
        ("BITCOUNT b -100 100", ":26\r\n"),
        ("BITCOUNT b 5 30 BIT", ":17\r\n"),
        ("BITCOUNT b 5 30 byte", ":4\r\n"),
        ("BITCOUNT b 0 0 bit", ":0\r\n"),
        ("BITCOUNT b 1 1 bit", ":1\r\n"),
        ("BITCOUNT b -1 -1 BIT", ":0\r\n"),
        ("BITCOUNT b 9 10 BIT", ":2\r\n"),
        ("BITCOUNT b 9 8 BIT", ":0\r\n"),
        (
            "BITCOUNT b -9223372036854775808 9223372036854775807",
            ":26\r\n",
        ),
        (
            "BITCOUNT b -9223372036854775808 9223372036854775807 BIT",
            ":26\r\n",
        ),
        ("BITCOUNT b -100 -50", ":4\r\n"),
        ("BITCOUNT b -50 -100", ":0\r\n"),
        ("BITCOUNT b 0", "-ERR syntax error\r\n"),
        (
            "BITCOUNT b 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "BITCOUNT b x 0",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("BITCOUNT b 0 1 foo", "-ERR syntax error\r\n"),
        ("BITCOUNT b 0 1 bit bit", "-ERR syntax error\r\n"),
        ("BITCOUNT nothing", ":0\r\n"),
        ("BITCOUNT nothing 0 1000 BIT", ":0\r\n"),
        ("SET e \"\"", "+OK\r\n"),
        ("BITCOUNT e", ":0\r\n"),
        ("BITCOUNT e 0 -1", ":0\r\n"),
        (
            "SET l \"\\xff\\xf0\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01\\x80\"",
            "+OK\r\n",
        ),
        ("BITCOUNT l", ":70\r\n"),
        ("BITCOUNT l 1 -2", ":61\r\n"),
        ("BITCOUNT l 3 89 BIT", ":67\r\n"),
    ]);
}

#[test]
fn the_first_bit_of_a_kind_is_found() {
    check(&[
        ("SET b \"\\xff\\xf0\\x00\"", "+OK\r\n"),
        ("BITPOS b 0", ":12\r\n"),
        ("BITPOS b 1", ":0\r\n"),
        ("BITPOS b 0 2", ":16\r\n"),
        ("BITPOS b 1 2", ":-1\r\n"),
        ("BITPOS b 0 1", ":12\r\n"),
        ("BITPOS b 0 1 1", ":12\r\n"),
        ("BITPOS b 1 1 1", ":8\r\n"),
        ("BITPOS b 0 0 0", ":-1\r\n"),
        ("BITPOS b 1 2 2", ":-1\r\n"),
        ("BITPOS b 0 2 2", ":16\r\n"),
        ("BITPOS b 0 7 15 BIT", ":12\r\n"),
        ("BITPOS b 1 12 15 bit", ":-1\r\n"),
        ("BITPOS b 0 8 11 BIT", ":-1\r\n"),
        ("BITPOS b 0 8 12 BIT", ":12\r\n"),
        ("BITPOS b 1 0 -1 BIT", ":0\r\n"),
        ("BITPOS b 0 -1", ":16\r\n"),
        ("BITPOS b 1 -1", ":-1\r\n"),
        ("BITPOS b 0 -3 -3", ":-1\r\n"),
        ("BITPOS b 0 100", ":-1\r\n"),
        ("BITPOS b 1 100", ":-1\r\n"),
        ("BITPOS b 0 1 0", ":-1\r\n"),
        ("BITPOS b 2", "-ERR The bit argument must be 1 or 0.\r\n"),
        ("BITPOS b -1", "-ERR The bit argument must be 1 or 0.\r\n"),
        (
            "BITPOS b x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "BITPOS b 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "BITPOS b 0 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("BITPOS b 0 0 1 foo", "-ERR syntax error\r\n"),
        ("BITPOS b 0 0 1 bit bit", "-ERR syntax error\r\n"),
        ("SET o \"\\xff\\xff\\xff\"", "+OK\r\n"),
        ("BITPOS o 0", ":24\r\n"),
        ("BITPOS o 0 0", ":24\r\n"),
        ("BITPOS o 0 0 -1", ":-1\r\n"),
        ("BITPOS o 0 0 5", ":-1\r\n"),
        ("BITPOS o 0 0 -1 BIT", ":-1\r\n"),
        ("BITPOS nothing 0", ":0\r\n"),
        ("BITPOS nothing 1", ":-1\r\n"),
        ("BITPOS nothing 0 5", ":0\r\n"),
        ("SET e \"\"", "+OK\r\n"),
        ("BITPOS e 0", ":-1\r\n"),
        ("BITPOS e 1", ":-1\r\n"),
        ("BITPOS e 0 0", ":-1\r\n"),
        ("BITPOS e 0 0 -1", ":-1\r\n"),
        (
            "SET l \"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x10\"",
            "+OK\r\n",
        ),
        ("BITPOS l 1", ":147\r\n"),
        ("BITPOS l 1 2", ":147\r\n"),
        ("BITPOS l 1 3 17", ":-1\r\n"),
        ("BITPOS l 0", ":0\r\n"),
        (
            "BITPOS l 1 145 BIT",
            "-ERR value is not an integer or out of range\r\n",
        ),
    ]);
}

#[test]
fn strings_are_combined_bit_by_bit() {
    check(&[
        ("MSET a \"abc\" b \"AB\" e \"\"", "+OK\r\n"),
        ("BITOP AND d a b", ":3\r\n"),
        ("GET d", "$3\r\nAB\u{0}\r\n"),
        ("BITOP or d a b", ":3\r\n"),
        ("GET d", "$3\r\nabc\r\n"),
        ("BITOP XOR d a b", ":3\r\n"),
        ("STRLEN d", ":3\r\n"),
        ("BITOP NOT d a", ":3\r\n"),
        ("STRLEN d", ":3\r\n"),
        ("BITOP NOT d d", ":3\r\n"),
        ("GET d", "$3\r\nabc\r\n"),
        ("BITOP AND d a nothing", ":3\r\n"),
        ("STRLEN d", ":3\r\n"),
        ("BITCOUNT d", ":0\r\n"),
        ("BITOP OR d nothing a e", ":3\r\n"),
        ("GET d", "$3\r\nabc\r\n"),
        ("EXPIRE d 100", ":1\r\n"),
        ("BITOP OR d a", ":3\r\n"),
        ("TTL d", ":-1\r\n"),
        ("BITOP AND d nothing", ":0\r\n"),
        ("EXISTS d", ":0\r\n"),
        ("BITOP OR d nothing e", ":0\r\n"),
        ("BITOP NOT d nothing", ":0\r\n"),
        ("BITOP XOR a a a", ":3\r\n"),
        ("BITCOUNT a", ":0\r\n"),
        (
            "BITOP NOT d a b",
            "-ERR BITOP NOT must be called with a single source key.\r\n",
        ),
        ("BITOP FOO d a", "-ERR syntax error\r\n"),
        (
            "BITOP AND d",
            "-ERR wrong number of arguments for 'bitop' command\r\n",
        ),
        (
            "BITOP",
            "-ERR wrong number of arguments for 'bitop' command\r\n",
        ),
    ]);
}

#[test]
fn integers_within_a_string_are_set_and_grow() {
    check(&[
        (
            "BITFIELD f SET u8 0 255 GET u8 0 INCRBY u8 0 1",
            "*3\r\n:0\r\n:255\r\n:0\r\n",
        ),
        ("BITFIELD f INCRBY i5 100 1 GET u4 0", "*2\r\n:1\r\n:0\r\n"),
        ("STRLEN f", ":14\r\n"),
        (
            "BITFIELD f SET u8 #1 7 GET u8 8 GET i16 #0",
            "*3\r\n:0\r\n:7\r\n:7\r\n",
        ),
        (
            "BITFIELD f OVERFLOW SAT INCRBY u2 100 5 OVERFLOW FAIL INCRBY u2 102 5 OVERFLOW WRAP INCRBY u2 104 5",
            "*3\r\n:3\r\n$-1\r\n:3\r\n",
        ),
        (
            "BITFIELD f SET i64 3 -9223372036854775808 GET i64 3 INCRBY i64 3 -1",
            "*3\r\n:15762598695796736\r\n:-9223372036854775808\r\n:9223372036854775807\r\n",
        ),
        (
            "BITFIELD f OVERFLOW SAT INCRBY i64 3 -1 INCRBY i64 3 1",
            "*2\r\n:9223372036854775806\r\n:9223372036854775807\r\n",
        ),
        (
            "BITFIELD f SET u63 5 9223372036854775807 GET u63 5 INCRBY u63 5 1",
            "*3\r\n:9223372036854775806\r\n:9223372036854775807\r\n:0\r\n",
        ),
        (
            "BITFIELD f OVERFLOW SAT SET u8 0 -1 SET i8 8 1000 SET i8 16 -9223372036854775808",
            "*3\r\n:8\r\n:0\r\n:0\r\n",
        ),
        (
            "GET f",
            "$14\r\n�\u{7f}\u{7f}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{c}�\r\n",
        ),
        ("BITFIELD f", "*0\r\n"),
        ("BITFIELD nothing", "*0\r\n"),
        ("BITFIELD nothing GET u8 0", "*1\r\n:0\r\n"),
        ("EXISTS nothing", ":0\r\n"),
        ("BITFIELD n OVERFLOW FAIL SET u2 100 5", "*1\r\n$-1\r\n"),
        ("STRLEN n", ":13\r\n"),
        ("BITFIELD n get u8 1000", "*1\r\n:0\r\n"),
        ("@resp3", ""),
        (
            "BITFIELD n OVERFLOW FAIL SET u2 100 5 SET u2 100 1",
            "*2\r\n_\r\n:0\r\n",
        ),
    ]);
}

#[test]
fn errors_of_bitfield_are_those_of_redis() {
    check(&[
        (
            "BITFIELD f GET u64 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET i65 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET u0 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET x8 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET U8 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET u 0",
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
        ),
        (
            "BITFIELD f GET u8 -1",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "BITFIELD f GET u8 x",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "BITFIELD f GET u8 #x",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        ("BITFIELD f GET u8 #536870911", "*1\r\n:0\r\n"),
        (
            "BITFIELD f GET u8 #536870912",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "BITFIELD f GET u8 4294967296",
            "-ERR bit offset is not an integer or out of range\r\n",
        ),
        (
            "BITFIELD f SET u8 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("BITFIELD f SET u8 0", "-ERR syntax error\r\n"),
        ("BITFIELD f FOO", "-ERR syntax error\r\n"),
        ("BITFIELD f OVERFLOW", "-ERR syntax error\r\n"),
        (
            "BITFIELD f OVERFLOW foo",
            "-ERR Invalid OVERFLOW type specified\r\n",
        ),
        ("BITFIELD f OVERFLOW WRAP", "*0\r\n"),
        ("BITFIELD f GET u8", "-ERR syntax error\r\n"),
        (
            "BITFIELD",
            "-ERR wrong number of arguments for 'bitfield' command\r\n",
        ),
        (
            "BITFIELD_RO f SET u8 0 1",
            "-ERR BITFIELD_RO only supports the GET subcommand\r\n",
        ),
        (
            "BITFIELD_RO f INCRBY u8 0 1",
            "-ERR BITFIELD_RO only supports the GET subcommand\r\n",
        ),
        ("BITFIELD_RO f GET u8 0 GET u4 1", "*2\r\n:0\r\n:0\r\n"),
        ("BITFIELD_RO f OVERFLOW SAT GET u8 0", "*1\r\n:0\r\n"),
        ("BITFIELD_RO f", "*0\r\n"),
        ("EXISTS f", ":0\r\n"),
    ]);
}

#[test]
fn arguments_are_checked_before_the_key_is_looked_at_as_since_redis_7_2() {
    check(&[
        ("BITCOUNT nothing 0", "-ERR syntax error\r\n"),
        (
            "BITCOUNT nothing 0 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        ("BITPOS nothing 1 0 0 foo", "-ERR syntax error\r\n"),
        (
            "BITPOS nothing 1 x",
            "-ERR value is not an integer or out of range\r\n",
        ),
    ]);
}

/// Runs a command in a world of stamps and compares what it did to its one key.
#[track_caller]
fn records(world: &mut World, line: &str, expected: Option<(&str, Op<'_>)>) {
    world.run_with_effects(line, |effects| {
        let expected = expected.map(|(key, op)| Effect::Key {
            db: 0,
            key: key.as_bytes(),
            op,
        });
        assert_eq!(effects, expected.as_slice(), "{line}");
    });
}

#[test]
fn what_is_recorded_is_what_was_done_and_no_write_that_failed() {
    let world = &mut World::new(true, 4);
    records(world, "SETBIT b 9 1", Some(("b", Op::SetBit(9, true))));
    records(world, "SETBIT b 9 1", Some(("b", Op::SetBit(9, true))));
    records(world, "SETBIT b 9 2", None);
    let program = |bytes| Some(("f", Op::BitField(Program::new(bytes).unwrap())));
    records(
        world,
        "BITFIELD f OVERFLOW SAT INCRBY u8 8 5 GET u8 0",
        program(&[2, 1 | 8, 8, 8, 10]),
    );
    records(
        world,
        "BITFIELD f OVERFLOW FAIL INCRBY u8 8 251 SET u4 20 1",
        program(&[3, 2, 4, 20, 2]),
    );
    records(world, "BITFIELD f OVERFLOW FAIL INCRBY u8 8 251", None);
    records(
        world,
        "BITFIELD f OVERFLOW FAIL INCRBY u8 8 251 INCRBY u8 40 256",
        program(&[6]),
    );
    records(world, "BITFIELD f GET u8 0", None);
    let (set, none) = (Op::Set(b"\x80", crate::db::Expiry::Clear), "BITOP OR d b n");
    world.run("DEL b");
    records(world, none, None);
    world.run("SETBIT b 0 1");
    records(world, none, Some(("d", set)));
    world.run("DEL b");
    records(world, none, Some(("d", Op::Del)));
    records(world, none, None);
}
