//! The splitter by behaviour, then under arbitrary cuts and arbitrary bytes.

use proptest::prelude::*;

use crate::resp::{
    Args, MAX_LINE_LEN, Protocol, ProtocolError, Reply, Span, Split, Splitter, encode_command,
};

type Commands = Vec<Vec<Vec<u8>>>;

/// Feeds `chunks` as a session would: parse all, drop what is consumed, append the next read.
fn split_chunks(
    splitter: &mut Splitter,
    chunks: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> (Commands, Option<ProtocolError>, usize) {
    let mut commands = Commands::new();
    let mut buf = Vec::new();
    let mut spans = Vec::new();
    for chunk in chunks {
        buf.extend_from_slice(chunk.as_ref());
        spans.clear();
        let mut pos = 0;
        let mut found = Vec::new();
        let failure = loop {
            match splitter.next(&mut buf, &mut pos, &mut spans) {
                Ok(Split::Command { first_span, argc }) => {
                    found.push(first_span..first_span + argc);
                }
                Ok(Split::Incomplete { bytes_wanted }) => {
                    assert!(bytes_wanted > 0);
                    break None;
                }
                Err(error) => break Some(error),
            }
        };
        commands.extend(
            found
                .into_iter()
                .map(|range| Args::new(&buf, &spans[range]).to_vec()),
        );
        if failure.is_some() {
            return (commands, failure, buf.len() - pos);
        }
        buf.drain(..pos);
    }
    (commands, None, buf.len())
}

fn split(text: &[u8]) -> (Commands, Option<ProtocolError>) {
    let (commands, failure, _) = split_chunks(&mut Splitter::new(), [text]);
    (commands, failure)
}

fn command(args: &[&str]) -> Vec<Vec<u8>> {
    args.iter()
        .map(|argument| argument.as_bytes().to_vec())
        .collect()
}

fn error_reply(error: ProtocolError) -> Vec<u8> {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.protocol_error(&error);
    reply.take()
}

#[test]
fn a_pipeline_shares_one_list_of_spans() {
    let mut buf = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n*1\r\n$4".to_vec();
    let (mut pos, mut spans) = (0, vec![Span { start: 0, end: 0 }]);
    let mut splitter = Splitter::new();
    let mut found = Vec::new();
    while let Ok(Split::Command { first_span, argc }) =
        splitter.next(&mut buf, &mut pos, &mut spans)
    {
        found.push((first_span, argc));
    }
    assert_eq!(found, [(1, 2), (3, 1), (4, 1)]);
    assert_eq!(
        spans.len(),
        5,
        "an unfinished command leaves no spans behind"
    );
    assert_eq!(&buf[pos..], b"*1\r\n$4");
    assert!(splitter.in_command());
    assert_eq!(&Args::new(&buf, &spans[1..3])[1], b"a");
}

#[test]
fn empty_commands_are_skipped() {
    let (commands, failure) =
        split(b"*0\r\n*-1\r\n*-10\r\n\r\n\n   \r\nPING\r\n*0\r\n*1\r\n$0\r\n\r\n");
    assert_eq!(failure, None);
    assert_eq!(commands, [command(&["PING"]), command(&[""])]);
}

#[test]
fn the_line_feed_and_the_end_of_a_bulk_are_not_looked_at() {
    let (commands, failure) = split(b"*2\rX$4\rYPINGZZ$1\r\nxab");
    assert_eq!((commands, failure), (vec![command(&["PING", "x"])], None));
}

#[test]
fn inline_commands_mix_with_multibulk() {
    let (commands, failure) = split(b"set k \"a\\x41 b\"\r\n*1\r\n$4\r\nPING\r\nget 'k'\n");
    assert_eq!(failure, None);
    assert_eq!(
        commands,
        [
            command(&["set", "k", "aA b"]),
            command(&["PING"]),
            command(&["get", "k"])
        ]
    );
}

// Requests and replies as exchanged with redis-server 7.0.15.
#[test]
fn errors_have_the_words_of_redis() {
    for (request, reply) in [
        (
            &b"*x\r\n"[..],
            &b"-ERR Protocol error: invalid multibulk length\r\n"[..],
        ),
        (
            b"*\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"* 1\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*+1\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*01\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*-0\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*2147483648\r\n",
            b"-ERR Protocol error: invalid multibulk length\r\n",
        ),
        (
            b"*1\r\nPING\r\n",
            b"-ERR Protocol error: expected '$', got 'P'\r\n",
        ),
        (
            b"*1\r\n\r\n\r\n",
            b"-ERR Protocol error: expected '$', got ' '\r\n",
        ),
        (
            b"*1\r\n\n\r\n",
            b"-ERR Protocol error: expected '$', got ' '\r\n",
        ),
        (
            b"*1\r\n\xff\r\n",
            b"-ERR Protocol error: expected '$', got '\xff'\r\n",
        ),
        (
            b"*1\r\n*1\r\n",
            b"-ERR Protocol error: expected '$', got '*'\r\n",
        ),
        (
            b"*1\r\n$-1\r\n",
            b"-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"*1\r\n$04\r\nPING\r\n",
            b"-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"*1\r\n$\r\n",
            b"-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"*1\r\n$536870913\r\n",
            b"-ERR Protocol error: invalid bulk length\r\n",
        ),
        (
            b"PING \"a\r\n",
            b"-ERR Protocol error: unbalanced quotes in request\r\n",
        ),
        (
            b"PING \"a\"b\r\n",
            b"-ERR Protocol error: unbalanced quotes in request\r\n",
        ),
    ] {
        let (commands, failure) = split(request);
        assert_eq!(commands, Commands::new());
        let shown = String::from_utf8_lossy(request);
        assert_eq!(
            error_reply(failure.unwrap_or_else(|| panic!("{shown}"))),
            reply,
            "{shown}"
        );
    }
}

#[test]
fn commands_before_an_error_are_still_found() {
    let (commands, failure) = split(b"PING\r\n*1\r\n$x\r\n");
    assert_eq!(commands, [command(&["PING"])]);
    assert_eq!(failure, Some(ProtocolError::InvalidBulkLength));
}

#[test]
fn a_line_must_end_within_64_kb() {
    for (start, error) in [
        ("a", ProtocolError::TooBigInline),
        ("*", ProtocolError::TooBigMultibulkCount),
        ("*1\r\n$", ProtocolError::TooBigBulkCount),
        ("*1\r\nx", ProtocolError::TooBigBulkCount),
    ] {
        let (head, prefix) = start.split_at(start.len() - 1);
        let line = |len: usize| format!("{head}{prefix}{}", "1".repeat(len - 1)).into_bytes();
        assert_eq!(split(&line(MAX_LINE_LEN)).1, None, "{start}");
        assert_eq!(split(&line(MAX_LINE_LEN + 1)).1, Some(error), "{start}");
        let ended = [line(MAX_LINE_LEN + 1), b"\r\n".to_vec()].concat();
        assert_eq!(
            split(&ended).1,
            Some(error),
            "one read must not allow more: {start}"
        );
    }
    let longest = [
        b"PING ".to_vec(),
        vec![b'a'; MAX_LINE_LEN - 6],
        b"\r\n".to_vec(),
    ]
    .concat();
    assert_eq!(split(&longest).0.len(), 1);
}

#[test]
fn a_client_that_has_not_authenticated_may_send_little() {
    let refused = |request: &[u8]| {
        let mut splitter = Splitter::new();
        splitter.set_authenticated(false);
        split_chunks(&mut splitter, [request]).1
    };
    assert_eq!(refused(b"*10\r\n"), None);
    assert_eq!(
        refused(b"*11\r\n"),
        Some(ProtocolError::UnauthenticatedMultibulkLength)
    );
    assert_eq!(
        refused(b"*11\r\n$1\r\n"),
        Some(ProtocolError::UnauthenticatedMultibulkLength)
    );
    assert_eq!(
        refused(b"*2147483648\r\n"),
        Some(ProtocolError::InvalidMultibulkLength)
    );
    assert_eq!(refused(b"*1\r\n$16384\r\n"), None);
    assert_eq!(
        refused(b"*1\r\n$16385\r\n"),
        Some(ProtocolError::UnauthenticatedBulkLength)
    );
    assert_eq!(
        refused(b"*1\r\n$536870913\r\n"),
        Some(ProtocolError::InvalidBulkLength)
    );
    assert_eq!(
        error_reply(ProtocolError::UnauthenticatedMultibulkLength),
        b"-ERR Protocol error: unauthenticated multibulk length\r\n"
    );
    assert_eq!(
        error_reply(ProtocolError::UnauthenticatedBulkLength),
        b"-ERR Protocol error: unauthenticated bulk length\r\n"
    );
}

#[test]
fn limits_can_be_changed_for_short_headers_too() {
    let mut splitter = Splitter::new();
    splitter.set_max_bulk_len(4);
    splitter.set_max_multibulk_len(2);
    let (commands, failure, _) = split_chunks(
        &mut splitter,
        [&b"*1\r\n$4\r\nPING\r\n*1\r\n$5\r\nabcde\r\n"[..]],
    );
    assert_eq!(commands.len(), 1);
    assert_eq!(failure, Some(ProtocolError::InvalidBulkLength));
    let (_, failure, _) = split_chunks(&mut splitter, [&b"*3\r\n$1\r\na\r\n$1"[..]]);
    assert_eq!(failure, Some(ProtocolError::InvalidMultibulkLength));
}

#[test]
fn as_many_arguments_may_be_announced_as_in_redis() {
    for (count, failure) in [
        ("1048577", None),
        ("2147483647", None),
        ("2147483648", Some(ProtocolError::InvalidMultibulkLength)),
    ] {
        let mut buf = format!("*{count}\r\n$4\r\nPING\r\n$1\r\na").into_bytes();
        let (mut pos, mut spans) = (0, Vec::new());
        let split = Splitter::new().next(&mut buf, &mut pos, &mut spans);
        assert_eq!(split.err(), failure, "{count}");
        // What was announced and has not come takes no memory.
        assert!(spans.capacity() < 16, "{count}");
    }
}

#[test]
fn an_unfinished_bulk_says_how_much_it_wants() {
    let mut buf = b"*2\r\n$3\r\nGET\r\n$1000\r\nabc".to_vec();
    let (mut pos, mut spans) = (0, Vec::new());
    let wanted = Splitter::new().next(&mut buf, &mut pos, &mut spans);
    assert_eq!(wanted, Ok(Split::Incomplete { bytes_wanted: 999 }));
    assert_eq!((pos, spans.len()), (0, 0));
}

#[test]
fn the_tail_may_move_to_the_front_while_a_command_is_unfinished() {
    let mut splitter = Splitter::new();
    let mut spans = Vec::new();
    let mut buf = b"PING\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nva".to_vec();
    let mut pos = 0;
    splitter.next(&mut buf, &mut pos, &mut spans).unwrap();
    assert!(matches!(
        splitter.next(&mut buf, &mut pos, &mut spans),
        Ok(Split::Incomplete { .. })
    ));
    // Not moved: the caller may as well only append.
    assert_eq!(pos, 6);
    buf.extend_from_slice(b"l");
    assert!(matches!(
        splitter.next(&mut buf, &mut pos, &mut spans),
        Ok(Split::Incomplete { bytes_wanted: 4 })
    ));
    // Moved.
    buf.drain(..pos);
    pos = 0;
    spans.clear();
    buf.extend_from_slice(b"ue\r\nPING\r\n");
    let found = splitter.next(&mut buf, &mut pos, &mut spans);
    assert_eq!(
        found,
        Ok(Split::Command {
            first_span: 0,
            argc: 3
        })
    );
    assert_eq!(
        Args::new(&buf, &spans).to_vec(),
        command(&["SET", "key", "value"])
    );
    assert_eq!(&buf[pos..], b"PING\r\n");
    assert!(!splitter.in_command());
}

#[test]
fn a_large_command_in_small_reads_costs_linear_time() {
    // 200,000 arguments, one per read: rescanning would look at 140 GB.
    let count = 200_000;
    let mut splitter = Splitter::new();
    let header = format!("*{count}\r\n").into_bytes();
    let chunks = std::iter::once(header).chain(std::iter::repeat_n(b"$1\r\na\r\n".to_vec(), count));
    let (commands, failure, left) = split_chunks(&mut splitter, chunks);
    assert_eq!((commands.len(), failure, left), (1, None, 0));
    assert_eq!(commands[0].len(), count);
}

#[test]
fn what_was_searched_of_one_line_says_nothing_of_the_next() {
    // The header ends with the read's first byte; the line behind it is shorter than the header.
    for header in ["*0\r", "*1\r", "*10\r"] {
        let args = if header == "*1\r" { "$1\r\nx\r\n" } else { "" };
        let args = if header == "*10\r" {
            "$1\r\nx\r\n".repeat(10)
        } else {
            args.to_owned()
        };
        let rest = format!("\n{args}a\n");
        let (commands, failure, left) =
            split_chunks(&mut Splitter::new(), [header.as_bytes(), rest.as_bytes()]);
        assert_eq!(
            (commands.last(), failure, left),
            (Some(&command(&["a"])), None, 0),
            "{header}"
        );
    }
}

#[test]
fn reset_forgets_an_unfinished_command() {
    let mut splitter = Splitter::new();
    split_chunks(&mut splitter, [b"*2\r\n$3\r\nGET\r\n"]);
    splitter.reset();
    let (commands, ..) = split_chunks(&mut splitter, [b"PING\r\n"]);
    assert_eq!(commands, [command(&["PING"])]);
}

fn argument() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => proptest::collection::vec(any::<u8>(), 90..130),
        1 => proptest::collection::vec(any::<u8>(), 990..1010),
    ]
}

/// Pieces that together look like requests, so that garbage reaches deep states.
fn almost_requests() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"*".to_vec()),
        Just(b"$".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"'".to_vec()),
        Just(b"\\x4".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"*0\r\n".to_vec()),
        Just(b"*1\r\n$1\r\na\r\n".to_vec()),
        Just(b"PING\r\n".to_vec()),
        Just(b"a\n".to_vec()),
        Just(b"99999999999".to_vec()),
        Just(b"*2\r\n$3\r\nGET\r\n".to_vec()),
        Just(b"$2\r\nab\r\n".to_vec()),
        "[0-9]{1,2}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Cuts `text` at the given positions (taken modulo its length).
fn cut(text: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut places: Vec<_> = cuts.iter().map(|place| place % (text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| text[pair[0]..pair[1]].to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn encoded_commands_come_back_however_they_are_cut(
        commands in proptest::collection::vec(proptest::collection::vec(argument(), 1..6), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut bytes = Vec::new();
        for command in &commands {
            let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            encode_command(&args, &mut bytes);
        }
        let whole = split_chunks(&mut Splitter::new(), cut(&bytes, &cuts));
        prop_assert_eq!(&whole, &(commands.clone(), None, 0));
        let bytewise = split_chunks(&mut Splitter::new(), bytes.chunks(1));
        prop_assert_eq!(bytewise, (commands, None, 0));
    }

    #[test]
    fn cuts_change_nothing_for_any_bytes(
        bytes in almost_requests(),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
        authenticated: bool,
    ) {
        let splitter = || {
            let mut splitter = Splitter::new();
            splitter.set_authenticated(authenticated);
            splitter
        };
        let (commands, failure, _) = split_chunks(&mut splitter(), [&bytes]);
        let in_pieces = split_chunks(&mut splitter(), cut(&bytes, &cuts));
        prop_assert_eq!((&in_pieces.0, in_pieces.1), (&commands, failure));
        let bytewise = split_chunks(&mut splitter(), bytes.chunks(1));
        prop_assert_eq!((bytewise.0, bytewise.1), (commands, failure));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        split(&bytes);
        let multibulk = [&b"*9\r\n"[..], &bytes].concat();
        split(&multibulk);
    }

    #[test]
    fn inline_quoting_round_trips(args in proptest::collection::vec(argument(), 1..5)) {
        let quoted: Vec<String> = args
            .iter()
            .map(|argument| {
                let hex: String = argument.iter().map(|byte| format!("\\x{byte:02x}")).collect();
                format!("\"{hex}\"")
            })
            .collect();
        let line = format!("{}\r\n", quoted.join(" "));
        prop_assert_eq!(split(line.as_bytes()), (vec![args], None));
    }
}
