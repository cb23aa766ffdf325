//! The bytes of every kind of frame, and that nothing else is taken for one.

use super::*;
use crate::replication::members::Members;
use crate::replication::table::MeshId;
use proptest::prelude::*;

fn check(write: impl FnOnce(&mut FrameWriter<'_>), golden: &[u8], expected: &Frame<'_>) {
    let mut out = Vec::new();
    write(&mut FrameWriter::new(&mut out));
    assert_eq!(out, golden);
    assert_eq!(frame_len(&out), Ok(Some(out.len())));
    assert_eq!(decode(&out).as_ref(), Ok(expected));
    for len in 0..out.len() {
        assert!(frame_len(&out[..len]) == Ok(None));
    }
}

#[test]
fn frames_have_these_bytes() {
    let origin = Origin {
        node: NodeId(0x21),
        incarnation: Incarnation(3),
    };
    let node = [0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(
        |frames| frames.origin(OriginIndex(2), origin),
        &[&[23, 0, 0, 0, 16, 2, 0][..], &node, &[3, 0, 0, 0]].concat(),
        &Frame::Origin(OriginIndex(2), origin),
    );
    check(
        |frames| frames.subscribe(origin, Hlc::from_raw(0x0102)),
        &[
            &[29, 0, 0, 0, 32][..],
            &node,
            &[3, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0],
        ]
        .concat(),
        &Frame::Subscribe(origin, Hlc::from_raw(0x0102)),
    );
    check(|frames| frames.busy(), &[1, 0, 0, 0, 24], &Frame::Busy);
    check(
        |frames| frames.ack(Hlc::from_raw(7)),
        &[9, 0, 0, 0, 34, 7, 0, 0, 0, 0, 0, 0, 0],
        &Frame::Ack(Hlc::from_raw(7)),
    );
}

fn table() -> Table {
    Table {
        mesh: MeshId {
            born: Hlc::from_raw(9),
            founder: NodeId(0x44),
            founders: 0x55,
        },
        formed: true,
        members: Members::default(),
    }
}

const TABLE: &[u8] = &[
    9, 0, 0, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x55, 0, 0, 0, 0, 0,
    0, 0, 1, 0,
];

#[test]
fn an_introduction_has_these_bytes() {
    let hello = Hello {
        version: VERSION,
        features: 0,
        origin: Origin {
            node: NodeId(0x21),
            incarnation: Incarnation(3),
        },
        clock: Hlc::from_raw(0x0102),
        stamped: true,
        follower: false,
        port: 6379,
        table: table(),
    };
    let golden = [
        &[72, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0][..],
        &[0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[3, 0, 0, 0],
        &[2, 1, 0, 0, 0, 0, 0, 0, 2, 0xeb, 0x18],
        TABLE,
    ]
    .concat();
    let expected = Frame::Hello(Box::new(hello.clone()));
    check(|frames| frames.hello(&hello), &golden, &expected);
}

#[test]
fn frames_about_progress_have_these_bytes() {
    let word = |low: u8| [low, 0, 0, 0, 0, 0, 0, 0];
    let position = Position {
        arrived: Hlc::from_raw(5),
        last: Hlc::from_raw(4),
        base: Hlc::from_raw(3),
    };
    let positions = vec![(OriginIndex(2), position)];
    let body = [&[1, 2, 0][..], &word(5), &word(4), &word(3)].concat();
    check(
        |frames| frames.vector(UnixMillis(9), 4, Hlc::from_raw(6), &positions),
        &[&[52, 0, 0, 0, 18][..], &word(9), &word(4), &word(6), &body].concat(),
        &Frame::Vector {
            wall: UnixMillis(9),
            ahead_ms: 4,
            settled: Hlc::from_raw(6),
            positions: positions.clone(),
        },
    );
    check(
        |frames| frames.gap(OriginIndex(2), Hlc::from_raw(7)),
        &[&[11, 0, 0, 0, 20, 2, 0][..], &word(7)].concat(),
        &Frame::Gap(OriginIndex(2), Hlc::from_raw(7)),
    );
    let cuts = vec![(3, Stamp::from_raw(8))];
    check(
        |frames| frames.snapshot(Hlc::from_raw(6), Hlc::from_raw(7), &positions, &cuts),
        &[
            &[54, 0, 0, 0, 21][..],
            &word(6),
            &word(7),
            &body,
            &[1, 3],
            &word(8),
        ]
        .concat(),
        &Frame::Snapshot {
            settled: Hlc::from_raw(6),
            clock: Hlc::from_raw(7),
            positions: positions.clone(),
            cuts: cuts.clone(),
        },
    );
    check(
        |frames| frames.items(|out| out.extend_from_slice(b"xy")),
        &[3, 0, 0, 0, 22, b'x', b'y'],
        &Frame::Items(b"xy"),
    );
    check(
        |frames| frames.end(&positions),
        &[&[28, 0, 0, 0, 23][..], &body].concat(),
        &Frame::End(positions.clone()),
    );
}

#[test]
fn the_other_frames_have_these_bytes() {
    let origin = Origin {
        node: NodeId(0x21),
        incarnation: Incarnation(3),
    };
    let node = [0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(
        |frames| frames.error("no"),
        &[3, 0, 0, 0, 2, b'n', b'o'],
        &Frame::Error("no"),
    );
    check(
        |frames| frames.members(&table()),
        &[&[35, 0, 0, 0, 19][..], TABLE].concat(),
        &Frame::Members(Box::new(table())),
    );
    check(
        |frames| frames.unsubscribe(origin),
        &[&[21, 0, 0, 0, 33][..], &node, &[3, 0, 0, 0]].concat(),
        &Frame::Unsubscribe(origin),
    );
    check(
        |frames| frames.want_snapshot(),
        &[1, 0, 0, 0, 35],
        &Frame::WantSnapshot,
    );
    check(
        |frames| frames.adopt(&table()),
        &[&[35, 0, 0, 0, 36][..], TABLE].concat(),
        &Frame::Adopt(Box::new(table())),
    );
}

#[test]
fn a_record_has_these_bytes_and_comes_back_whole() {
    let record = Record {
        count: 2,
        payload: Bytes::from_static(b"xy"),
        trace: Some([9; 26]),
    };
    let entry = Entry {
        prev: Hlc::from_raw(1),
        stamp: Hlc::from_raw(2),
        record,
    };
    let mut out = Vec::new();
    FrameWriter::new(&mut out).records(OriginIndex(4), std::slice::from_ref(&entry));
    let golden = [
        &[
            51, 0, 0, 0, 17, 4, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 1,
        ][..],
        &[9; 26],
        &[2, b'x', b'y'],
    ]
    .concat();
    assert_eq!(out, golden);
    let Ok(Frame::Records(OriginIndex(4), mut records)) = decode(&out) else {
        panic!("not records")
    };
    let back = records.next_entry().unwrap().unwrap();
    assert_eq!(
        (back.prev, back.stamp, back.record.count),
        (entry.prev, entry.stamp, 2)
    );
    assert_eq!(back.record.payload, entry.record.payload);
    assert_eq!(back.record.trace, entry.record.trace);
    assert!(records.next_entry().unwrap().is_none());
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(kind in 0u8..40, body: Vec<u8>) {
        let mut bytes = (body.len() as u32 + 1).to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend_from_slice(&body);
        if let Ok(Frame::Records(_, mut records)) = decode(&bytes) {
            while let Ok(Some(_)) = records.next_entry() {}
        }
        let _ = frame_len(&body);
    }
}
