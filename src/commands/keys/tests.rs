//! DEL and its kin, replies recorded from Redis 7.0.15.
use crate::commands::world::check;

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
