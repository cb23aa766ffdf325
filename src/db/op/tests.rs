//! The bytes of operations.

use super::*;

#[test]
fn operations_have_these_bytes_and_come_back() {
    let at = UnixMillis(0x0102);
    let moment = [2, 1, 0, 0, 0, 0, 0, 0];
    let program = Program::new(&[2, 4, 8, 0, 1]).unwrap();
    let cases: [(Op<'_>, Vec<u8>); 26] = [
        (Op::Set(b"v", Expiry::Clear), vec![0x01, 0, b'v']),
        (Op::Set(b"", Expiry::Keep), vec![0x01, 1]),
        (
            Op::Set(b"v", Expiry::At(at)),
            [&[0x01, 2][..], &moment, b"v"].concat(),
        ),
        (Op::Del, vec![0x02]),
        (Op::Incr(0), vec![0x03, 0]),
        (Op::Incr(-1), vec![0x03, 1]),
        (Op::Incr(150), vec![0x03, 0xac, 0x02]),
        (Op::IncrByFloat(b"1.5"), b"\x041.5".to_vec()),
        (Op::Append(b"tail"), b"\x05tail".to_vec()),
        (Op::SetRange(300, b"xy"), vec![0x06, 0xac, 0x02, b'x', b'y']),
        (Op::Expire(None), vec![0x07, 0]),
        (Op::Expire(Some(at)), [&[0x07, 1][..], &moment].concat()),
        (
            Op::Import(Hlc::from_raw(0x0304), Some(at), b"v"),
            [&[0x08, 4, 3, 0, 0, 0, 0, 0, 0, 1][..], &moment, b"v"].concat(),
        ),
        (
            Op::ImportDel(Hlc::from_raw(0x0304)),
            vec![0x09, 4, 3, 0, 0, 0, 0, 0, 0],
        ),
        (Op::SetBit(300, true), vec![0x0a, 0xac, 0x02, 1]),
        (Op::SetBit(0, false), vec![0x0a, 0, 0]),
        (Op::BitField(program), vec![0x0b, 2, 4, 8, 0, 1]),
        (
            Op::PfAdd(Adds::new(&[0xb8, 0x17, 7, 51]).unwrap()),
            vec![0x1d, 0xb8, 0x17, 7, 51],
        ),
        (
            Op::PfMerge(Merge::new(&[1, 0xb8, 0x17, 7, 63]).unwrap()),
            vec![0x1e, 1, 0xb8, 0x17, 7, 63],
        ),
        (Op::PfMerge(Merge::TO_DENSE), vec![0x1e, 3, 0]),
        (
            Op::XAdd(StreamId { ms: 300, seq: 1 }, Pairs::of(b"\x01a\x01b")),
            vec![0x1f, 0xac, 0x02, 1, 1, b'a', 1, b'b'],
        ),
        (
            Op::XDel(true, Ids::of(&[1, 2, 0, 3, 4, 5])),
            vec![0x20, 1, 1, 2, 0, 3, 4, 5],
        ),
        (Op::XTrim(StreamId { ms: 1, seq: 2 }), vec![0x21, 1, 2]),
        (
            Op::XSetId(SetId {
                id: StreamId { ms: 1, seq: 2 },
                added: Some(3),
                max_deleted: Some(StreamId { ms: 1, seq: 1 }),
            }),
            vec![0x22, 1, 2, 3, 3, 1, 1],
        ),
        (
            Op::XGroup(GroupChange::of(&[1, 1, b'g', 1, 4, 5, 8])),
            vec![0x23, 1, 1, b'g', 1, 4, 5, 8],
        ),
        (
            Op::XGroup(GroupChange::of(&[6, 1, b'g', 1, b'c', 2, 0, 4, 5, 0, 4, 5])),
            vec![0x23, 6, 1, b'g', 1, b'c', 2, 0, 4, 5, 0, 4, 5],
        ),
    ];
    for (op, golden) in cases {
        let mut out = Vec::new();
        op.encode(&mut out);
        assert_eq!(out, golden, "{op:?}");
        assert_eq!(op.encoded_len(), golden.len());
        assert_eq!(Op::decode(&golden), Ok(op));
    }
}

#[test]
fn what_no_encoder_writes_is_refused() {
    let cases: [&[u8]; 27] = [
        &[],
        &[0x00],
        &[0x09],
        &[0x0c],
        &[0x0a],
        &[0x0a, 0, 2],
        &[0x0a, 0, 1, 0],
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 1],
        &[0x0b],
        &[0x0b, 0],
        &[0x01, 3],
        &[0x02, 0],
        &[0x07, 2],
        &[0x06, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x1d],
        &[0x1e],
        &[0x1f],
        &[0x1f, 1, 1],
        &[0x20, 0],
        &[0x20, 2, 1, 1],
        &[0x20, 1, 1, 1, 0, 0],
        &[0x21, 1, 1, 1],
        &[0x22, 1, 1, 4],
        &[0x23, 9, 0],
        &[0x23, 3, 0, 0],
        &[0x23, 7, 0],
        &[0x24],
    ];
    for bytes in cases {
        assert!(Op::decode(bytes).is_err(), "{bytes:?}");
    }
}
