//! Every reply value in both dialects, as bytes.

use crate::resp::{Protocol, ProtocolError, Reply};

fn written(protocol: Protocol, write: impl FnOnce(&mut Reply)) -> String {
    let mut reply = Reply::new(protocol);
    write(&mut reply);
    String::from_utf8(reply.take()).unwrap()
}

#[track_caller]
fn writes(write: impl Fn(&mut Reply), resp2: &str, resp3: &str) {
    assert_eq!(written(Protocol::Resp2, &write), resp2);
    assert_eq!(written(Protocol::Resp3, &write), resp3);
}

#[test]
fn values_of_both_dialects_are_alike_where_redis_has_them_alike() {
    for (write, text) in [
        ((|reply| reply.ok()) as fn(&mut Reply), "+OK\r\n"),
        (|reply| reply.queued(), "+QUEUED\r\n"),
        (|reply| reply.simple("PONG"), "+PONG\r\n"),
        (|reply| reply.integer(0), ":0\r\n"),
        (|reply| reply.integer(9), ":9\r\n"),
        (|reply| reply.integer(-1), ":-1\r\n"),
        (|reply| reply.integer(10), ":10\r\n"),
        (|reply| reply.integer(i64::MIN), ":-9223372036854775808\r\n"),
        (|reply| reply.bulk(b""), "$0\r\n\r\n"),
        (|reply| reply.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n"),
        (|reply| reply.bulk(&[b'x'; 12]), "$12\r\nxxxxxxxxxxxx\r\n"),
        (|reply| reply.bulk_integer(-42), "$3\r\n-42\r\n"),
        (|reply| reply.array(0), "*0\r\n"),
        (|reply| reply.array(1234), "*1234\r\n"),
        (|reply| reply.raw(b"+raw\r\n"), "+raw\r\n"),
    ] {
        writes(write, text, text);
    }
}

#[test]
fn types_of_resp3_fall_back_in_resp2() {
    writes(Reply::null, "$-1\r\n", "_\r\n");
    writes(Reply::null_array, "*-1\r\n", "_\r\n");
    writes(|reply| reply.map(6), "*12\r\n", "%6\r\n");
    writes(|reply| reply.set(3), "*3\r\n", "~3\r\n");
    writes(|reply| reply.push(100), "*100\r\n", ">100\r\n");
    writes(|reply| reply.boolean(true), ":1\r\n", "#t\r\n");
    writes(|reply| reply.boolean(false), ":0\r\n", "#f\r\n");
    writes(
        |reply| reply.double(0.1),
        "$19\r\n0.10000000000000001\r\n",
        ",0.10000000000000001\r\n",
    );
    writes(|reply| reply.double(3.0), "$1\r\n3\r\n", ",3\r\n");
    writes(
        |reply| reply.double(f64::NEG_INFINITY),
        "$4\r\n-inf\r\n",
        ",-inf\r\n",
    );
    writes(|reply| reply.double(f64::NAN), "$3\r\nnan\r\n", ",nan\r\n");
    writes(
        |reply| reply.big_number("123456789012345678901"),
        "$21\r\n123456789012345678901\r\n",
        "(123456789012345678901\r\n",
    );
    writes(
        |reply| reply.verbatim(b"txt", b"a b"),
        "$3\r\na b\r\n",
        "=7\r\ntxt:a b\r\n",
    );
    writes(
        |reply| {
            reply.attribute(1, |reply| {
                reply.simple("ttl");
                reply.integer(5);
            });
            reply.integer(1);
        },
        ":1\r\n",
        "|1\r\n+ttl\r\n:5\r\n:1\r\n",
    );
}

#[test]
fn a_text_cannot_end_its_line() {
    writes(
        |reply| reply.error("ERR a\r\n+b\n"),
        "-ERR a  +b\r\n",
        "-ERR a  +b\r\n",
    );
    writes(|reply| reply.error("\r\n"), "-\r\n", "-\r\n");
    writes(|reply| reply.simple("a\r\nb"), "+a  b\r\n", "+a  b\r\n");
    let name = "x\r\ny";
    writes(
        |reply| reply.error_format(format_args!("ERR unknown command '{name}'\r\n")),
        "-ERR unknown command 'x  y'\r\n",
        "-ERR unknown command 'x  y'\r\n",
    );
    writes(
        |reply| reply.error_format(format_args!("{}", "\r\n")),
        "-\r\n",
        "-\r\n",
    );
}

#[test]
fn a_protocol_error_keeps_the_byte_of_the_client() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.protocol_error(&ProtocolError::ExpectedBulk(0xff));
    assert_eq!(
        reply.as_bytes(),
        b"-ERR Protocol error: expected '$', got '\xff'\r\n"
    );
}

#[test]
fn a_half_written_reply_can_be_taken_back() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.ok();
    let mark = reply.mark();
    reply.array(2);
    reply.bulk(b"a");
    assert_eq!(reply.since(mark), b"*2\r\n$1\r\na\r\n");
    reply.truncate(mark);
    reply.error("ERR no");
    assert_eq!(reply.as_bytes(), b"+OK\r\n-ERR no\r\n");
}

#[test]
fn a_bulk_written_in_place_has_a_true_header() {
    writes(
        |reply| reply.bulk_with(3, |out| out.extend_from_slice(b"abc")),
        "$3\r\nabc\r\n",
        "$3\r\nabc\r\n",
    );
    writes(
        |reply| reply.bulk_with(3, |out| out.extend_from_slice(&[b'x'; 11])),
        "$11\r\nxxxxxxxxxxx\r\n",
        "$11\r\nxxxxxxxxxxx\r\n",
    );
    writes(
        |reply| reply.bulk_with(30, |_| {}),
        "$0\r\n\r\n",
        "$0\r\n\r\n",
    );
}

#[test]
fn deferred_lengths_nest() {
    writes(
        |reply| {
            reply.ok();
            let outer = reply.deferred_array();
            let map = reply.deferred_map();
            for _ in 0..6 {
                reply.integer(1);
                reply.integer(2);
            }
            reply.set_len(map, 6);
            let set = reply.deferred_set();
            reply.set_len(set, 0);
            reply.set_len(outer, 2);
            reply.ok();
        },
        &format!(
            "+OK\r\n*2\r\n*12\r\n{}*0\r\n+OK\r\n",
            ":1\r\n:2\r\n".repeat(6)
        ),
        &format!(
            "+OK\r\n*2\r\n%6\r\n{}~0\r\n+OK\r\n",
            ":1\r\n:2\r\n".repeat(6)
        ),
    );
}

#[test]
fn the_dialect_changes_from_here_on() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.null();
    reply.set_protocol(Protocol::Resp3);
    reply.null();
    assert_eq!(reply.protocol(), Protocol::Resp3);
    assert_eq!(reply.as_bytes(), b"$-1\r\n_\r\n");
}

#[test]
fn a_large_buffer_is_given_back_when_cleared() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.bulk(&[0; 100_000]);
    reply.consume(100);
    assert_eq!(reply.len(), 100_000 + 11 - 100);
    reply.consume(usize::MAX);
    assert!(reply.is_empty());
    reply.clear(1024);
    assert!(reply.capacity() <= 1024);
}
