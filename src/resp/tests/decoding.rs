//! Frames of both dialects, their limits, and arbitrary cuts and bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use redis_protocol::resp3::types::Resp3Frame as _;

use crate::resp::{DecodeError, Decoder, Frame, FrameLimits, Protocol, Reply};

fn decode_chunks(
    protocol: Protocol,
    chunks: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> (Vec<Frame>, Option<DecodeError>) {
    let mut decoder = Decoder::new(protocol, FrameLimits::default());
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for chunk in chunks {
        buf.extend_from_slice(chunk.as_ref());
        loop {
            match decoder.next(&mut buf) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn decode_one(protocol: Protocol, bytes: &[u8]) -> Result<Frame, DecodeError> {
    let (mut frames, failure) = decode_chunks(protocol, [bytes]);
    match failure {
        Some(error) => Err(error),
        None => Ok(frames.remove(0)),
    }
}

fn bulk(text: &'static str) -> Frame {
    Frame::BlobString {
        data: Bytes::from_static(text.as_bytes()),
        attributes: None,
    }
}

#[test]
fn resp2_frames_become_frames_of_the_one_type() {
    let bytes = b"+OK\r\n-ERR no\r\n:-5\r\n$-1\r\n*-1\r\n$2\r\n\r\n\r\n*2\r\n$1\r\na\r\n*0\r\n";
    let (frames, failure) = decode_chunks(Protocol::Resp2, [bytes]);
    assert_eq!(failure, None);
    assert_eq!(frames.len(), 7);
    assert_eq!(frames[0].as_str(), Some("OK"));
    assert!(matches!(&frames[1], Frame::SimpleError { data, .. } if &**data == "ERR no"));
    assert!(matches!(frames[2], Frame::Number { data: -5, .. }));
    assert!(matches!(
        (&frames[3], &frames[4]),
        (Frame::Null, Frame::Null)
    ));
    assert_eq!(frames[5], bulk("\r\n"));
    assert!(
        matches!(&frames[6], Frame::Array { data, .. } if data.len() == 2 && data[0] == bulk("a"))
    );
}

#[test]
fn an_array_that_looks_like_a_message_stays_an_array() {
    let frame = decode_one(
        Protocol::Resp2,
        b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
    );
    assert!(matches!(frame, Ok(Frame::Array { data, .. }) if data.len() == 3));
}

#[test]
fn what_a_reply_writes_in_resp3_decodes() {
    let mut reply = Reply::new(Protocol::Resp3);
    reply.push(2);
    reply.bulk(b"a");
    reply.null();
    reply.attribute(1, |reply| {
        reply.simple("k");
        reply.integer(1);
    });
    reply.double(1.5);
    reply.map(1);
    reply.simple("key");
    reply.array(0);
    reply.set(1);
    reply.boolean(true);
    reply.verbatim(b"txt", b"hi");
    reply.big_number("12345678901234567890");
    let (frames, failure) = decode_chunks(Protocol::Resp3, [reply.as_bytes()]);
    assert_eq!(failure, None);
    assert!(matches!(&frames[0], Frame::Push { data, .. } if data[0] == bulk("a")));
    assert!(matches!(&frames[1], Frame::Double { data, attributes: Some(_) } if *data == 1.5));
    assert!(matches!(&frames[2], Frame::Map { data, .. } if data.len() == 1));
    assert!(matches!(&frames[3], Frame::Set { data, .. } if data.len() == 1));
    assert!(matches!(&frames[4], Frame::VerbatimString { data, .. } if &data[..] == b"hi"));
    assert!(matches!(&frames[5], Frame::BigNumber { .. }));
    assert_eq!(frames.len(), 6);
}

#[test]
fn errors_say_what_is_wrong() {
    for (protocol, bytes, error) in [
        (
            Protocol::Resp2,
            &b"~1\r\n"[..],
            DecodeError::UnknownType(b'~'),
        ),
        (
            Protocol::Resp3,
            b"HELLO 3\r\n",
            DecodeError::UnknownType(b'H'),
        ),
        (Protocol::Resp2, b"\r\n", DecodeError::EmptyLine),
        (Protocol::Resp2, b"$x\r\n", DecodeError::InvalidLength),
        (Protocol::Resp2, b"*-2\r\n", DecodeError::InvalidLength),
        (Protocol::Resp3, b"$-1\r\n", DecodeError::InvalidLength),
        (Protocol::Resp3, b"*?\r\n", DecodeError::InvalidLength),
        (Protocol::Resp2, b"$1\r\nabc", DecodeError::MissingLineEnd),
        (
            Protocol::Resp2,
            b"*9999999\r\n",
            DecodeError::TooManyElements(1024 * 1024),
        ),
        (
            Protocol::Resp2,
            b"$2000000000\r\n",
            DecodeError::TooLong(1024 * 1024 * 1024),
        ),
    ] {
        assert_eq!(decode_one(protocol, bytes), Err(error));
    }
    assert!(matches!(
        decode_one(Protocol::Resp2, b":x\r\n"),
        Err(DecodeError::Malformed(_))
    ));
    assert_eq!(
        decode_one(Protocol::Resp2, &[b'+'; 70_000]),
        Err(DecodeError::LineTooLong)
    );
}

#[test]
fn deep_nesting_is_refused_before_it_is_decoded() {
    let nested = |depth: usize| [b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat();
    assert!(decode_one(Protocol::Resp3, &nested(32)).is_ok());
    assert_eq!(
        decode_one(Protocol::Resp3, &nested(33)),
        Err(DecodeError::TooDeep(32))
    );
    assert_eq!(
        decode_one(Protocol::Resp2, &nested(1_000_000)),
        Err(DecodeError::TooDeep(32))
    );
    let wide = b"*600000\r\n*600000\r\n";
    assert!(matches!(
        decode_one(Protocol::Resp2, wide),
        Err(DecodeError::TooManyElements(_))
    ));
}

fn almost_frames() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[-+:$*~%|>=!,#(_][0-9]{0,2}\r\n".prop_map(String::into_bytes),
        Just(b"$3\r\na\rb\r\n".to_vec()),
        Just(b"=5\r\ntxt:a\r\n".to_vec()),
        Just(b"#t\r\n".to_vec()),
        Just(b"%1\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_decode_alike_however_they_are_cut(bytes in almost_frames(), size in 1usize..9, resp3: bool) {
        let protocol = if resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
        let (frames, failure) = decode_chunks(protocol, [&bytes]);
        let (pieces, piece_failure) = decode_chunks(protocol, bytes.chunks(size));
        // NaN differs from itself, so frames are compared as text of the same length and kind.
        prop_assert_eq!(frames.len(), pieces.len());
        for (frame, piece) in frames.iter().zip(&pieces) {
            prop_assert_eq!(frame.kind(), piece.kind());
            prop_assert_eq!(frame.as_bytes(), piece.as_bytes());
        }
        prop_assert_eq!(failure, piece_failure);
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode_chunks(Protocol::Resp2, [&bytes]);
        decode_chunks(Protocol::Resp3, [&bytes]);
    }

    #[test]
    fn bulk_arrays_round_trip(values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..20), resp3: bool) {
        let protocol = if resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
        let mut reply = Reply::new(protocol);
        reply.array(values.len());
        for value in &values {
            reply.bulk(value);
        }
        let Frame::Array { data, .. } = decode_one(protocol, reply.as_bytes()).unwrap() else {
            panic!("not an array");
        };
        let decoded: Vec<_> = data.iter().filter_map(|frame| frame.as_bytes()).collect();
        prop_assert_eq!(decoded, values);
    }
}
