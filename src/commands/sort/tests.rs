//! SORT against replies of Redis, and what it records.

use crate::commands::effects::Effect;
use crate::commands::registry::lookup_built_in;
use crate::commands::sort::refusal;
use crate::commands::world::{World, check, typed};
use crate::db::Op;
use crate::db::op::Content;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const NO_NUMBER: &str = "-ERR One or more scores can't be converted into double\r\n";
const SYNTAX: &str = "-ERR syntax error\r\n";
const NO_INTEGER: &str = "-ERR value is not an integer or out of range\r\n";

/// A reply of these bulk strings; `nil` is none.
fn bulks(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let bulk = |word: &&str| match *word {
        "nil" => "$-1\r\n".to_owned(),
        word => format!("${}\r\n{word}\r\n", word.len()),
    };
    let bulks: String = words.iter().map(bulk).collect();
    format!("*{}\r\n{bulks}", words.len())
}

/// Commands and the bulk strings that they reply, or the very reply where it is an error or a number.
#[track_caller]
fn check_bulks(script: &[(&str, &str)]) {
    let replies = script.iter().map(|(line, reply)| {
        let is_said = reply.starts_with([':', '+', '*'])
            || reply.starts_with("-ERR")
            || reply.starts_with("-WRONG");
        let reply = if is_said {
            (*reply).to_owned()
        } else {
            bulks(reply)
        };
        (*line, reply)
    });
    let replies: Vec<(&str, String)> = replies.collect();
    let script: Vec<(&str, &str)> = replies
        .iter()
        .map(|(line, reply)| (*line, reply.as_str()))
        .collect();
    check(&script);
}

#[test]
fn numbers_and_texts_are_sorted_either_way() {
    check_bulks(&[
        ("RPUSH l 3 1 2 10", ":4\r\n"),
        ("SORT l", "1 2 3 10"),
        ("SORT l DESC", "10 3 2 1"),
        ("SORT l DESC ASC", "1 2 3 10"),
        ("SORT l ALPHA", "1 10 2 3"),
        ("SORT_RO l ALPHA DESC", "3 2 10 1"),
        ("SORT none", ""),
        ("SADD s b a c", ":3\r\n"),
        ("SORT s", NO_NUMBER),
        ("SORT s ALPHA", "a b c"),
        ("ZADD z 3 a 2 b 1 c", ":3\r\n"),
        ("SORT z ALPHA DESC", "c b a"),
        ("SET t 1", "+OK\r\n"),
        ("SORT t", WRONG_TYPE),
        ("SORT t LIMIT x 1", NO_INTEGER),
        ("HSET h f 1", ":1\r\n"),
        ("SORT_RO h BY nosort", WRONG_TYPE),
    ]);
}

#[test]
fn numbers_are_those_of_strtod() {
    check_bulks(&[
        ("RPUSH l inf 1e3 -inf 0x10 .5", ":5\r\n"),
        ("SORT l", "-inf .5 0x10 1e3 inf"),
        (r#"RPUSH b " 7" "8\x00x" """#, ":3\r\n"),
        ("SORT b", "*3\r\n$0\r\n\r\n$2\r\n 7\r\n$3\r\n8\0x\r\n"),
        ("RPUSH e 1e400", ":1\r\n"),
        ("SORT e", NO_NUMBER),
        ("RPUSH f 5e-324", ":1\r\n"),
        ("SORT f", NO_NUMBER),
        ("RPUSH g nan", ":1\r\n"),
        ("SORT g", NO_NUMBER),
        (r#"RPUSH i "1 ""#, ":1\r\n"),
        ("SORT i", NO_NUMBER),
        ("RPUSH j 1.0 1 01", ":3\r\n"),
        ("SORT j", "01 1 1.0"),
    ]);
}

#[test]
fn limit_leaves_some() {
    check_bulks(&[
        ("RPUSH l 3 1 2 10", ":4\r\n"),
        ("SORT l LIMIT 1 2", "2 3"),
        ("SORT l LIMIT 1 -1", "2 3 10"),
        ("SORT l LIMIT -5 2", "1 2"),
        ("SORT l LIMIT 0 0", ""),
        ("SORT l LIMIT 4 1", ""),
        ("SORT l LIMIT 9223372036854775807 9223372036854775807", ""),
        ("SORT l LIMIT 2 9223372036854775807", "3 10"),
        ("SORT l LIMIT a 1", NO_INTEGER),
        ("SORT l LIMIT 1", SYNTAX),
        ("SORT l STORE", SYNTAX),
        ("SORT l BY", SYNTAX),
        ("SORT l GET", SYNTAX),
        ("SORT l any", SYNTAX),
        ("SORT_RO l STORE d", SYNTAX),
    ]);
}

#[test]
fn by_a_constant_keeps_the_order() {
    check_bulks(&[
        ("RPUSH l 3 1 2 10", ":4\r\n"),
        ("SORT l BY nosort", "3 1 2 10"),
        ("SORT l BY nosort DESC LIMIT 1 2", "2 1"),
        ("SORT l BY nosort LIMIT 1 2", "1 2"),
        ("SORT l BY nosort BY w*", "3 1 2 10"),
        ("SORT l BY # LIMIT 7 1", ""),
        ("ZADD z 3 a 2 b 1 c", ":3\r\n"),
        ("SORT z BY nosort", "c b a"),
        ("SORT z BY nosort LIMIT 1 1", "b"),
        ("SORT z BY nosort DESC LIMIT 0 2", "a b"),
        ("SORT z BY nosort DESC LIMIT 3 2", ""),
        ("SADD s c b a", ":3\r\n"),
        ("SORT s BY nosort STORE d", ":3\r\n"),
        ("LRANGE d 0 -1", "a b c"),
        ("SORT s BY nosort STORE d DESC", ":3\r\n"),
        ("LRANGE d 0 -1", "c b a"),
    ]);
}

#[test]
fn other_keys_give_weights_and_replies() {
    check_bulks(&[
        ("RPUSH l 3 1 2", ":3\r\n"),
        ("MSET w1 30 w2 20 w3 10", "+OK\r\n"),
        ("HSET h1 f 2 g x", ":2\r\n"),
        ("HSET h2 f 1", ":1\r\n"),
        ("SORT l BY w*", "3 2 1"),
        ("SORT l BY w* DESC LIMIT 0 2", "1 2"),
        ("SORT l BY h*->f", "3 2 1"),
        ("SORT l BY h*->g ALPHA", "3 2 1"),
        (
            "SORT l BY w* GET # GET w* GET h*->g",
            "3 10 nil 2 20 nil 1 30 x",
        ),
        ("SORT l GET h*->", "nil nil nil"),
        ("SORT l GET h* GET w*->f", "nil nil nil nil nil nil"),
        ("SORT l GET w1 LIMIT 0 1", "nil"),
        ("SORT l GET * LIMIT 0 1", "nil"),
        ("SORT l BY h*->g", NO_NUMBER),
        ("SORT l GET w* GET h*->g STORE d", ":6\r\n"),
        (
            "LRANGE d 0 -1",
            "*6\r\n$2\r\n30\r\n$1\r\nx\r\n$2\r\n20\r\n$0\r\n\r\n$2\r\n10\r\n$0\r\n\r\n",
        ),
        ("PEXPIREAT w1 1", ":1\r\n"),
        ("SORT l BY w* GET w*", "nil 10 20"),
        ("@resp3", ""),
        ("SORT l GET w* LIMIT 0 1", "*1\r\n_\r\n"),
    ]);
}

#[test]
fn what_is_stored_is_one_list_or_nothing() {
    check_bulks(&[
        ("RPUSH l 3 1 2", ":3\r\n"),
        ("SET d x PX 100000", "+OK\r\n"),
        ("SORT l STORE d", ":3\r\n"),
        ("LRANGE d 0 -1", "1 2 3"),
        ("TTL d", ":-1\r\n"),
        ("SORT l STORE l DESC STORE l", ":3\r\n"),
        ("LRANGE l 0 -1", "3 2 1"),
        ("SORT l STORE store ASC", ":3\r\n"),
        ("LLEN store", ":3\r\n"),
        ("SORT l GET store STORE limit LIMIT 0 1", ":1\r\n"),
        ("LLEN limit", ":1\r\n"),
        ("SORT none STORE d", ":0\r\n"),
        ("EXISTS d", ":0\r\n"),
        ("SORT none STORE d", ":0\r\n"),
        (
            "COMMAND GETKEYS SORT l GET store STORE b LIMIT store store STORE c",
            "l c",
        ),
        ("COMMAND GETKEYS SORT_RO l STORE c", "l"),
    ]);
    let mut world = World::new(true, 8);
    world.run("RPUSH l b a");
    let content = *b"\x04\x01a\x01b";
    for (line, expected) in [
        (
            "SORT l ALPHA STORE d",
            Some(Op::Put(Content::of(&content), None)),
        ),
        ("SORT none STORE d", Some(Op::Del)),
        ("SORT none STORE d", None),
        ("SORT l STORE d", None),
    ] {
        world.run_with_effects(line, |effects| {
            let op = effects.first().map(|effect| match effect {
                Effect::Key { op, .. } => *op,
                other => panic!("{other:?}"),
            });
            assert_eq!(op, expected, "{line}");
            assert!(effects.len() < 2, "{line}");
        });
    }
}

#[test]
fn hits_and_misses_are_those_of_every_look() {
    let mut world = World::new(false, 8);
    world.run("RPUSH l 1 2");
    world.run("SET w1 5");
    world.run("SORT l BY w* GET w*");
    assert_eq!(world.hits(), (3, 2));
}

#[test]
fn who_may_not_read_all_keys_is_told_so_unless_something_else_is_wrong_before() {
    let told = |line: &str| {
        let args = typed(line);
        let args = args.as_args();
        let row = lookup_built_in(args.name()).unwrap();
        refusal(row, args).map(|text| &text[..13])
    };
    assert_eq!(told("SORT l BY w*"), Some("ERR BY option"));
    assert_eq!(told("SORT l BY w"), None);
    assert_eq!(told("SORT_RO l GET #"), Some("ERR GET optio"));
    assert_eq!(told("SORT l GET x foo"), Some("ERR GET optio"));
    assert_eq!(told("SORT l foo GET x"), None);
    assert_eq!(told("SORT_RO l STORE d GET x"), None);
    assert_eq!(told("SORT l STORE d"), None);
}
