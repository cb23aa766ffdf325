//! DEL and its kin, replies recorded from Redis 7.0.15.
use crate::commands::world::{World, check};
use crate::resp::Protocol;

#[test]
fn deletes_count_keys_that_were_there() {
    check(&[
        ("DEL a", ":0\r\n"),
        ("MSET a 1 b 2 c 3", "+OK\r\n"),
        ("DEL a a b nothing", ":2\r\n"),
        ("UNLINK c c", ":1\r\n"),
        ("MGET a b c", "*3\r\n$-1\r\n$-1\r\n$-1\r\n"),
        (
            "DEL",
            "-ERR wrong number of arguments for 'del' command\r\n",
        ),
        (
            "UNLINK",
            "-ERR wrong number of arguments for 'unlink' command\r\n",
        ),
    ]);
}

#[test]
fn exists_and_touch_count_repetitions() {
    check(&[
        ("EXISTS a", ":0\r\n"),
        ("MSET a 1 b 2", "+OK\r\n"),
        ("EXISTS a b a nothing", ":3\r\n"),
        ("TOUCH a b a nothing", ":3\r\n"),
        (
            "EXISTS",
            "-ERR wrong number of arguments for 'exists' command\r\n",
        ),
        (
            "TOUCH",
            "-ERR wrong number of arguments for 'touch' command\r\n",
        ),
    ]);
}

#[test]
fn type_names_the_value() {
    check(&[
        ("TYPE a", "+none\r\n"),
        ("SET a 1", "+OK\r\n"),
        ("TYPE a", "+string\r\n"),
        (
            "TYPE a b",
            "-ERR wrong number of arguments for 'type' command\r\n",
        ),
    ]);
}

#[test]
fn databases_are_apart() {
    check(&[
        ("SET a zero", "+OK\r\n"),
        ("@select 9", ""),
        ("GET a", "$-1\r\n"),
        ("SET a nine", "+OK\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("FLUSHDB", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("@select 0", ""),
        ("GET a", "$4\r\nzero\r\n"),
    ]);
}

#[test]
fn keydbs_other_names_for_delete_and_exists() {
    check(&[
        ("MSET a 1 b 2 c 3", "+OK\r\n"),
        (
            "KEYDB.MEXISTS a nothing c a",
            "*4\r\n:1\r\n:0\r\n:1\r\n:1\r\n",
        ),
        ("EXPDEL a a nothing b", ":2\r\n"),
        ("KEYDB.MEXISTS a b c", "*3\r\n:0\r\n:0\r\n:1\r\n"),
        ("@select 9", ""),
        ("keydb.mexists c", "*1\r\n:0\r\n"),
        (
            "KEYDB.MEXISTS",
            "-ERR wrong number of arguments for 'keydb.mexists' command\r\n",
        ),
        (
            "EXPDEL",
            "-ERR wrong number of arguments for 'expdel' command\r\n",
        ),
        ("COMMAND GETKEYS EXPDEL a b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (
            "COMMAND GETKEYS KEYDB.MEXISTS a b",
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        ),
    ]);
    let mut world = World::new(false, 4);
    world.protocol = Protocol::Resp3;
    world.run("SET a 1");
    assert_eq!(world.run("KEYDB.MEXISTS a b"), "*2\r\n#t\r\n#f\r\n");
    // As what they are other names of.
    for (name, other) in [("expdel", "del"), ("keydb.mexists", "exists")] {
        let info = |world: &mut World, name: &str| {
            let reply = world.run(&format!("COMMAND INFO {name}"));
            let (_, behind_name) = reply.split_once(&format!("{name}\r\n")).unwrap();
            behind_name.replace("$29\r\nresponse_policy:agg_sum\r\n", "")
        };
        let (mine, theirs) = (info(&mut world, name), info(&mut world, other));
        let (mine, theirs) = (mine.split("~").next(), theirs.split("~").next());
        assert_eq!(mine, theirs, "{name}");
    }
}
